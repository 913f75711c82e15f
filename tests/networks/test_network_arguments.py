"""Arguments of architectures: text and Python values become types, slips become messages."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seewell.errors import NetworkError
from seewell.networks.arguments import (
    argument,
    argument_defaults,
    argument_help,
    as_text,
    blocks,
    choice,
    integer,
    parse_network,
    read_arguments,
    widths,
)


@dataclass(frozen=True)
class Example:
    widths: tuple[tuple[int, ...], ...] = argument(((64, 64), (128,)), blocks, "filters")
    kernel: int = argument(3, integer(1, 31), "size")
    padding: str = argument("same", choice("same", "valid"), "edges")


def test_a_network_is_a_name_and_arguments():
    assert parse_network("convnet:widths=64-128,padding=valid,stride=2") == (
        "convnet",
        {"widths": "64-128", "padding": "valid", "stride": "2"},
    )
    assert parse_network(" vgg16 ") == ("vgg16", {})
    assert parse_network("convnet: kernel = 5 ") == ("convnet", {"kernel": "5"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no network"),
        (":kernel=3", "names no network"),
        ("convnet:", "is not an argument with a value"),
        ("convnet:kernel", "write kernel=VALUE"),
        ("convnet:kernel=", "write kernel=VALUE"),
        ("convnet:kernel=3,", "leave out the empty part"),
        ("convnet:=3", "write argument=VALUE"),
        ("convnet:kernel=3,kernel=5", "gives kernel twice"),
    ],
)
def test_text_that_is_no_network_is_refused(text, says):
    with pytest.raises(NetworkError) as error:
        parse_network(text)
    assert says in str(error.value)


def test_arguments_are_read_from_text_and_from_python_values():
    wanted = Example(((64,), (128,)), 5, "valid")
    assert read_arguments(Example, {"widths": "64-128", "kernel": "5", "padding": "valid"}, network="n") == wanted
    assert (
        read_arguments(Example, {"widths": [64, 128], "kernel": np.int64(5), "padding": "valid"}, network="n") == wanted
    )
    assert read_arguments(Example, None, network="n") == Example()


def test_an_unknown_argument_is_answered_with_the_nearest():
    with pytest.raises(NetworkError) as error:
        read_arguments(Example, {"width": "64"}, network="convnet")
    assert 'there is no argument of convnet "width"' in str(error.value)
    assert 'did you mean "widths"?' in str(error.value)


def test_a_network_without_arguments_says_so():
    @dataclass(frozen=True)
    class Nothing:
        pass

    with pytest.raises(NetworkError, match="vgg16 takes no arguments"):
        read_arguments(Nothing, {"widths": "64"}, network="vgg16")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("kernel", "three", "a whole number from 1 to 31"),
        ("kernel", 2.5, "a whole number from 1 to 31"),
        ("kernel", True, "a whole number from 1 to 31"),
        ("kernel", 0, "a whole number from 1 to 31"),
        ("kernel", "32", "a whole number from 1 to 31"),
        ("padding", "vallid", 'same or valid (did you mean "valid"?)'),
        ("widths", "", "joined by -"),
        ("widths", "64-", "joined by -"),
        ("widths", "64//128", "joined by -"),
        ("widths", "64-0", "joined by -"),
        ("widths", "70000", "65,536"),
        ("widths", [], "at least one number"),
        ("widths", [[64], []], "at least one number"),
        ("widths", None, "joined by -"),
    ],
)
def test_a_value_that_cannot_be_read_says_what_is_expected_and_the_default(name, value, says):
    with pytest.raises(NetworkError) as error:
        read_arguments(Example, {name: value}, network="convnet")
    assert f"convnet: {name}=" in str(error.value)
    assert says in error.value.expected
    assert f"the default is {name}=" in error.value.fix


def test_widths_are_numbers_joined_by_dashes():
    assert widths("500-300") == (500, 300)
    assert widths(500) == (500,)
    assert widths((1, 2)) == (1, 2)


def test_blocks_are_numbers_a_block_or_spelt_out():
    assert blocks("64-128") == ((64,), (128,))
    assert blocks("64-64/128") == ((64, 64), (128,))
    assert blocks("64-64/") == ((64, 64),)
    assert blocks([[64, 64], [128]]) == ((64, 64), (128,))
    assert blocks(64) == ((64,),)


@given(st.lists(st.lists(st.integers(1, 512), min_size=1, max_size=4).map(tuple), min_size=1, max_size=4).map(tuple))
def test_blocks_written_as_text_are_read_back_as_they_were(value):
    assert blocks(as_text(value)) == value


def test_defaults_and_help_are_as_a_user_would_write_them():
    assert argument_defaults(Example) == {"widths": "64-64/128", "kernel": 3, "padding": "same"}
    assert argument_help(Example)["kernel"] == "size"
    assert as_text((500, 500)) == "500-500"
