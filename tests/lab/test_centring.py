import numpy as np
import pytest
from PIL import Image

from seewell.lab import centring


@pytest.mark.parametrize("seed", range(10))
def test_the_boundary_fails_in_the_dearer_city_until_each_citys_mean_is_subtracted(seed):
    example = centring.compute(seed)
    first_raw, dearer_raw = example.accuracy_raw
    first_centred, dearer_centred = example.accuracy_centred
    assert first_raw > 0.92
    assert dearer_raw < 0.65
    assert min(first_centred, dearer_centred) > 0.92


def test_in_the_dearer_city_the_raw_boundary_calls_every_house_dear():
    example = centring.compute()
    assert example.raw.calls_dear(example.cities[1].houses).all()


def test_the_same_seed_draws_the_same_houses():
    first, again = centring.compute(3), centring.compute(3)
    np.testing.assert_array_equal(first.cities[0].houses, again.cities[0].houses)
    assert first.raw == again.raw


def test_a_boundary_calls_dear_what_lies_above_it():
    boundary = centring.Boundary(slope=2.0, intercept=1.0)
    assert boundary.calls_dear(np.array([[1.0, 3.5], [1.0, 2.5]])).tolist() == [True, False]


def test_draw_writes_a_picture_and_returns_the_accuracies_it_shows(tmp_path):
    told = centring.draw(tmp_path / "centring.png")
    assert told.to_dict() == centring.compute().to_dict()
    assert told.sentence() == (
        "The boundary fitted in the first city is correct for 98% of its houses and for 42% in the dearer city; "
        "with each city's own mean subtracted for 98% and 98%."
    )
    with Image.open(tmp_path / "centring.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
    assert [one.name for one in tmp_path.iterdir()] == ["centring.png"]
