import os

from hypothesis import given
from hypothesis import strategies as st

from seewell.data.names import counted, printable, twins


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_any_file_name_prints_on_one_line_and_in_utf8(name):
    """Row 38."""
    shown = printable(os.fsdecode(name))
    shown.encode("utf-8")
    assert shown.isprintable()


def test_ordinary_names_stay_as_they_are():
    assert printable("Äpfel und 梨.png") == "Äpfel und 梨.png"


def test_terminal_escapes_do_not_reach_the_terminal():
    assert "\x1b" not in printable("\x1b[31mred.png")


def test_twins_by_case_and_by_normal_form():
    """Row 39."""
    assert twins(["cafe\u0301", "caf\u00e9", "dog"]) == [("cafe\u0301", "caf\u00e9")]
    assert twins(["Cat", "cat", "dog"]) == [("Cat", "cat")]
    assert twins(["cat", "dog"]) == []


def test_one_and_many():
    assert (counted(1, "file"), counted(0, "file"), counted(1234, "file")) == ("1 file", "0 files", "1,234 files")
