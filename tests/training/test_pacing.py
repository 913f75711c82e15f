"""Pacing: reports, validations and checkpoints fall on the same steps however the updates are shared among calls."""

import math

import hypothesis
import pytest
from hypothesis import strategies as st

from seewell.errors import ConfigError
from seewell.training.pacing import Pacer, checkpoint_interval

totals = st.integers(1, 400)
stretches = st.one_of(st.integers(1, 100).map(float), st.floats(0.02, 120, allow_subnormal=False))
saves = st.one_of(st.none(), st.integers(1, 80))
speeds = st.lists(st.floats(1e-5, 2), min_size=1, max_size=5)


def cut(pacer, total, seconds, start=0):
    """The steps at which calls end, when updates take so many seconds."""
    ends, step = [], start
    while step < total:
        size = pacer.size(step)
        assert size >= 1
        step += size
        ends.append(step)
        pacer.measured(size, seconds[len(ends) % len(seconds)] * size)
    return ends


@hypothesis.given(totals, stretches, saves, speeds)
def test_no_call_crosses_a_step_at_which_something_is_due_and_the_last_call_ends_at_the_end(
    total, per_epoch, every, seconds
):
    pacer = Pacer(total, per_epoch, every)
    due = [s for s in range(1, total + 1) if pacer.reports_at(s) or pacer.validates_at(s) or pacer.saves_at(s)]
    ends = cut(pacer, total, seconds)
    assert ends[-1] == total
    assert set(due) <= set(ends)


@hypothesis.given(totals, stretches, saves, speeds, st.data())
def test_a_resumed_training_stops_at_the_same_steps(total, per_epoch, every, seconds, data):
    start = data.draw(st.integers(0, total - 1))
    pacer = Pacer(total, per_epoch, every)
    due = {s for s in range(start + 1, total + 1) if pacer.validates_at(s) or pacer.reports_at(s) or pacer.saves_at(s)}
    assert due <= set(cut(Pacer(total, per_epoch, every), total, seconds, start))


@hypothesis.given(totals, stretches)
def test_validations_are_at_the_first_update_that_completes_an_epoch_or_several_where_epochs_are_tiny(total, per_epoch):
    pacer = Pacer(total, per_epoch, None)
    stretch = per_epoch * max(1, math.ceil(5 / per_epoch))
    expected = {math.ceil(k * stretch - 1e-9) for k in range(1, int(total / stretch) + 2)}
    found = {step for step in range(1, total + 1) if pacer.validates_at(step)}
    assert found == {step for step in expected if step <= total} | {total}
    assert pacer.saves_at(total)


def test_an_epoch_of_a_whole_number_of_updates_is_validated_at_its_end():
    pacer = Pacer(90, 30.0, None)
    assert [step for step in range(1, 91) if pacer.validates_at(step)] == [30, 60, 90]


def test_the_series_reports_every_hundred_updates_and_a_short_training_fifty_times():
    assert [s for s in range(1, 5001) if Pacer(5000, 500, None).reports_at(s)] == list(range(100, 5001, 100))
    assert sum(Pacer(1000, 500, None).reports_at(s) for s in range(1, 1001)) == 50
    assert sum(Pacer(10, 500, None).reports_at(s) for s in range(1, 11)) == 10
    assert Pacer(101, 500, None).reports_at(101)


@pytest.mark.parametrize("every", [1, 7])
def test_checkpoints_every_so_many_updates(every):
    pacer = Pacer(30, 10.0, every)
    assert [s for s in range(1, 31) if pacer.saves_at(s)] == list(range(every, 31, every))


def test_the_first_two_calls_make_one_update_each_and_later_ones_fill_half_a_second():
    pacer = Pacer(10_000, 10_000.0, None)
    assert pacer.size(0) == 1
    pacer.measured(1, 30.0)
    assert pacer.size(1) == 1
    pacer.measured(1, 0.01)
    assert pacer.size(2) == 50
    pacer.measured(50, 500.0)
    assert pacer.size(52) == 1
    pacer.measured(1, 1e-9)
    assert pacer.size(100) == 100


@pytest.mark.parametrize(
    ("text", "steps", "seconds"),
    [
        ("epoch", None, None),
        ("500", 500, None),
        ("1", 1, None),
        ("30s", None, 30.0),
        ("10m", None, 600.0),
        ("1.5h", None, 5400.0),
    ],
)
def test_an_interval_is_epochs_updates_or_a_time(text, steps, seconds):
    assert checkpoint_interval(text) == (steps, seconds)


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "1.5", "10x", "ten", "5 m m", "epochs", "nan", "infs"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        checkpoint_interval(text)
    assert "500" in caught.value.fix


@hypothesis.given(totals, stretches, saves, speeds, st.sets(st.integers(0, 400), max_size=12))
def test_calls_end_at_the_pauses_that_observers_need(total, per_epoch, every, seconds, pauses):
    ends = cut(Pacer(total, per_epoch, every, pauses), total, seconds)
    assert {pause for pause in pauses if 0 < pause <= total} <= set(ends)
