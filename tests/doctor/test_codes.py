from seewell.findings import CODES


def test_each_code_stands_in_one_group_and_has_a_meaning():
    codes = [code for group in CODES.values() for code in group]
    assert len(codes) == len(set(codes)) == 42
    assert all(meaning and not meaning.endswith(".") for group in CODES.values() for meaning in group.values())
