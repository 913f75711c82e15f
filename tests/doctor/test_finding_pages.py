"""Each finding's page: what it means, a picture that exists, the threshold, and the remedies that the doctor gives."""

import re
from pathlib import Path

import pytest
from PIL import Image

from seewell.doctor.remedies import remedies_for
from seewell.findings import CODES

PAGES = Path(__file__).parents[2] / "docs" / "findings"
MEANINGS = {code: meaning for group in CODES.values() for code, meaning in group.items()}


def page(code):
    return (PAGES / f"{code}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", MEANINGS)
def test_each_page_shows_a_small_picture_with_words_for_those_who_cannot_see_it(code):
    ((alt, path),) = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", page(code))
    assert len(alt) > 40
    assert path == f"pictures/{code}.png"
    assert (PAGES / path).stat().st_size < 60_000
    with Image.open(PAGES / path) as picture:
        assert picture.size == (640, 360)
    assert f"python docs/pictures/findings.py {code}`" in page(code)


@pytest.mark.parametrize("code", MEANINGS)
def test_each_page_says_what_it_means_why_it_hurts_and_what_it_is_confused_with(code):
    text = page(code)
    meaning = MEANINGS[code]
    assert text.startswith(f"# {code}\n\n{meaning[0].upper()}{meaning[1:]}.\n")
    assert "**Why it hurts.**" in text
    assert "**Often confused with**" in text
    assert "**Measured.**" in text or "No rule gives this code yet." in text
    assert len(text.splitlines()) <= 35


@pytest.mark.parametrize("code", MEANINGS)
def test_each_page_gives_the_doctors_remedies(code):
    text = page(code)
    remedies = remedies_for(code, {})
    assert remedies
    for remedy in remedies:
        assert remedy.text in text
        assert not remedy.keras or f"`{remedy.keras}`" in text


def test_links_between_pages_lead_somewhere():
    for one in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]*)\)", one.read_text(encoding="utf-8")):
            assert (PAGES / target).is_file(), (one.name, target)


def test_each_code_has_one_function_that_draws_it():
    names = []
    for module in (PAGES.parent / "pictures" / "finding_pictures").glob("*.py"):
        if module.stem not in ("__init__", "drawing", "trainings"):
            names += re.findall(r"^def ([a-z]\w*)", module.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(names) == sorted(code.replace("-", "_") for code in MEANINGS)
