import pytest

from seewell.data import catalogue


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory, monkeypatch):
    """No test reads or writes the user's folders, or finds the machine's own sets."""
    monkeypatch.setenv("SEEWELL_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("SEEWELL_DATA", raising=False)
    empty = tmp_path_factory.mktemp("system")
    monkeypatch.setenv("XDG_DATA_DIRS", str(empty))
    monkeypatch.setattr(catalogue, "_SYSTEM_FOLDER", empty / "datasets")
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
