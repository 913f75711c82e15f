"""Schedules: each by its definition, with warm-up, at its ends."""

import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.errors import ConfigError
from seewell.training.schedules import list_schedules, rates

NAMES = ("constant", "linear", "cosine", "one-cycle", "steps")
names, totals = st.sampled_from(NAMES), st.integers(1, 400)
warmups = st.one_of(st.just(0.0), st.floats(0, 0.9))


def all_rates(name, total, warmup=0.0, learning_rate=1.0):
    return rates(name, learning_rate=learning_rate, warmup=warmup, total=total, first=0, count=total)


def test_the_names_are_those_of_the_command_line():
    assert list_schedules() == NAMES


@hypothesis.given(names, totals, warmups, st.floats(1e-7, 10))
def test_rates_are_float32_above_0_and_never_above_the_highest(name, total, warmup, learning_rate):
    found = all_rates(name, total, warmup, learning_rate)
    assert found.dtype == np.float32
    assert found.shape == (total,)
    assert (found > 0).all()
    assert found.max() <= np.float32(learning_rate) * (1 + 1e-6)


@hypothesis.given(names, totals, warmups, st.data())
def test_a_stretch_is_the_same_however_it_is_cut(name, total, warmup, data):
    first = data.draw(st.integers(0, total - 1))
    count = data.draw(st.integers(1, total - first))
    part = rates(name, learning_rate=0.3, warmup=warmup, total=total, first=first, count=count)
    np.testing.assert_array_equal(part, all_rates(name, total, warmup, 0.3)[first : first + count])


@hypothesis.given(names, totals, st.floats(1e-7, 10))
def test_rates_scale_with_the_learning_rate(name, total, learning_rate):
    np.testing.assert_allclose(
        all_rates(name, total, 0.1, learning_rate), learning_rate * all_rates(name, total, 0.1), rtol=1e-6
    )


@hypothesis.given(totals)
def test_constant_is_constant(total):
    np.testing.assert_array_equal(all_rates("constant", total), np.ones(total))


@hypothesis.given(totals)
def test_linear_falls_in_a_straight_line_towards_zero(total):
    np.testing.assert_allclose(all_rates("linear", total), 1 - np.arange(total) / total, rtol=1e-5)


@hypothesis.given(totals)
def test_cosine_is_half_a_cosine_from_the_highest_towards_zero(total):
    steps = np.arange(total)
    np.testing.assert_allclose(
        all_rates("cosine", total), (1 + np.cos(np.pi * steps / total)) / 2, rtol=1e-5, atol=1e-7
    )
    assert (np.diff(all_rates("cosine", total)) <= 0).all()


def test_one_cycle_starts_at_a_tenth_peaks_at_a_quarter_and_ends_at_a_thousandth():
    found = all_rates("one-cycle", 1000)
    assert found[0] == pytest.approx(0.1)
    assert found.argmax() == 250
    assert found[250] == pytest.approx(1)
    assert found[-1] == pytest.approx(0.001, abs=2e-3)
    rise, fall = np.diff(found[:251]), np.diff(found[250:])
    np.testing.assert_allclose(rise, rise[0], rtol=1e-3)
    np.testing.assert_allclose(fall, fall[0], rtol=1e-3)


def test_steps_is_a_tenth_at_half_and_again_at_three_quarters():
    found = all_rates("steps", 100)
    np.testing.assert_allclose(found[:50], 1)
    np.testing.assert_allclose(found[50:75], 0.1, rtol=1e-6)
    np.testing.assert_allclose(found[75:], 0.01, rtol=1e-6)


@hypothesis.given(names, st.integers(10, 400), st.floats(0.05, 0.9))
def test_warm_up_rises_in_a_straight_line_from_0_and_the_schedule_runs_over_the_rest(name, total, warmup):
    found, rise = all_rates(name, total, warmup), warmup * total
    warming = math.ceil(rise)
    begins = all_rates(name, total)[0]
    expected = begins * (np.arange(warming) + 1) / (rise + 1)
    np.testing.assert_allclose(found[:warming], expected, rtol=1e-5)
    assert (expected < begins).all() or rise == warming - 1
    if name == "constant":
        np.testing.assert_array_equal(found[warming:], 1)
    if name == "cosine":
        progress = (np.arange(warming, total) - rise) / max(1.0, total - rise)
        np.testing.assert_allclose(found[warming:], (1 + np.cos(np.pi * progress)) / 2, rtol=1e-4, atol=1e-6)


def test_a_mistyped_name_is_answered_with_the_right_one():
    with pytest.raises(ConfigError) as caught:
        all_rates("cosin", 4)
    assert 'did you mean "cosine"?' in caught.value.fix


def test_there_is_no_rate_before_the_first_update():
    with pytest.raises(ConfigError, match="no rate for the update -10"):
        rates("cosine", learning_rate=0.1, warmup=0.1, total=100, first=-10, count=5)
