from pathlib import Path

from seewell.findings import CODES

PAGES = Path(__file__).parents[2] / "docs" / "findings"


def test_each_code_stands_in_one_group_and_has_a_meaning():
    codes = [code for group in CODES.values() for code in group]
    assert len(codes) == len(set(codes)) == 42
    assert all(meaning and not meaning.endswith(".") for group in CODES.values() for meaning in group.values())


def test_each_code_has_a_page_and_each_page_a_code():
    codes = {code for group in CODES.values() for code in group}
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == codes
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert all(f"({code}.md)" in index for code in codes)
