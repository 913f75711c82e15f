"""What the doctor's tests share: time enough for every question, however busy the machine."""

import math

import pytest


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the examination's budget nor the time share leaves anything out."""
    monkeypatch.setattr("seewell.doctor.examine._SECONDS", math.inf)
    monkeypatch.setattr("seewell.doctor.timeshare._FREE_SECONDS", math.inf)
    monkeypatch.setattr("seewell.doctor.timeshare._BINDS_AFTER", math.inf)
