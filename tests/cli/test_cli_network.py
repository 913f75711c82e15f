"""`seewell network` and `seewell lab`: tables and pictures."""

import os

import pytest

from seewell.networks.registry import list_networks


def test_list_names_every_network(command):
    done = command("network", "list", "--json")
    assert tuple(one["name"] for one in done.json["networks"]) == list_networks()
    done = command("network", "list")
    assert done.code == 0
    assert all(name in done.err for name in list_networks())


def test_show_gives_the_layers_of_the_series_and_a_picture(command, tmp_path):
    done = command("network", "show", "convnet", "--json")
    assert done.code == 0, done.err
    rows = done.json["layers"]
    assert [row["weights"] for row in rows if row["weights"]][:-1] == [576, 36864, 73728, 147456, 62720]
    first = next(row for row in rows if row["layer"] == "conv1_1")
    assert first["output_shape"] == [28, 28, 64]
    assert first["weights_and_biases"] == 576 + 64
    assert first["multiply_adds"] == 28 * 28 * 576
    assert (tmp_path / done.json["picture"]).stat().st_size > 1000


def test_show_takes_arguments_an_input_and_a_place_for_the_picture(command, tmp_path):
    words = ("convnet:widths=4", "--input", "16x16x3", "--classes", "2", "--picture", "x.svg", "--json")
    done = command("network", "show", *words)
    assert done.code == 0, done.err
    assert done.json["input_shape"] == [16, 16, 3]
    assert os.listdir(tmp_path) == ["x.svg"]


def test_show_prints_a_table_for_people(command):
    done = command("network", "show", "fully-connected:widths=4")
    assert done.code == 0, done.err
    assert "fc1" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["convent"], "NetworkError", "convnet"),
        (["convnet:width=3"], "NetworkError", "widths"),
        (["convnet", "--input", "28x28"], "ConfigError", "224x224x3"),
        (["convnet", "--input", "0x28x1"], "ConfigError", "224x224x3"),
        (["convnet", "--input", "2x2x1"], "NetworkError", "too small"),
        (["convnet", "--classes", "1"], "NetworkError", "at least 2"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(refused, words, kind, said, tmp_path):
    assert said in refused("network", "show", *words, kind=kind)
    assert os.listdir(tmp_path) == []


def test_the_laboratory_draws_its_pictures_where_it_is_told(command, tmp_path):
    done = command("lab", "centring", "--out", "pictures", "--json")
    assert done.code == 0, done.err
    assert (tmp_path / done.json["picture"]).stat().st_size > 1000
    assert os.listdir(tmp_path) == ["pictures"]
