"""What fits into a time: the arithmetic, against a training that is played through."""

import hypothesis
import pytest
from hypothesis import strategies as st

from seewell.config import TrainConfig
from seewell.errors import ConfigError
from seewell.training.lateness import Lateness
from seewell.training.pacing import Pacer, checkpoint_interval
from seewell.training.plan import check_config
from seewell.training.timing import (
    Pace,
    Reserve,
    TimePlan,
    read_time,
    reserve_for,
    seconds_needed,
    steps_that_fit,
    time_for_updates,
)

costs = st.floats(0.0, 3.0)
updates = st.floats(1e-3, 1.0)
epochs = st.floats(0.3, 500.0)
intervals = st.sampled_from(["epoch", "1", "50", "7s", "1h"])


def played(steps, pace, per_epoch, checkpoint_every):
    """Seconds of a training that makes so many updates; each validation is the best so far, and is kept."""
    every, seconds = checkpoint_interval(checkpoint_every)
    pacer = Pacer(steps, per_epoch, every)
    spent = pace.update * steps
    for step in range(1, steps + 1):
        if pacer.validates_at(step):
            spent += pace.validation + pace.checkpoint
        elif every is not None and pacer.saves_at(step):
            spent += pace.checkpoint
    return spent if seconds is None else spent + pace.checkpoint * spent / seconds


@hypothesis.given(st.floats(0.0, 200.0), updates, costs, costs, epochs, intervals)
def test_what_is_planned_fits_and_a_tenth_more_would_not(seconds, update, validation, checkpoint, per_epoch, every):
    pace = Pace(update, validation, checkpoint, 0.0)
    steps = steps_that_fit(seconds, pace, per_epoch=per_epoch, checkpoint_every=every)
    if steps == 0:
        assert seconds < pace.update + 3 * (validation + checkpoint) + checkpoint * (1 + seconds / 7)
        return
    slack = validation + 2 * checkpoint + 1e-6  # an epoch's end may fall a little earlier or later
    assert played(steps, pace, per_epoch, every) <= seconds * 1.001 + slack
    more = int(steps * 1.1) + 2
    assert played(more, pace, per_epoch, every) >= 0.98 * seconds - checkpoint * (2 + seconds / 7) - 2 * validation


@hypothesis.given(st.floats(0.0, 100.0), st.floats(0.0, 100.0), updates, costs)
def test_more_time_is_never_fewer_updates(one, more, update, validation):
    pace = Pace(update, validation, 0.01, 0.0)
    found = [steps_that_fit(s, pace, per_epoch=50, checkpoint_every="epoch") for s in (one, one + more)]
    assert found[0] <= found[1]


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("10m", 600), ("1.5h", 5400), (" 90 S ", 90)])
def test_a_time_is_a_number_with_its_unit(text, seconds):
    assert read_time(text) == seconds


@pytest.mark.parametrize("text", ["", "60", "0s", "-5s", "s", "ten minutes", "1d", "1m30s", "nans", "1e3s"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ConfigError, match="not a time"):
        check_config(TrainConfig(time=text))


def test_a_number_without_a_unit_is_told_its_unit():
    with pytest.raises(ConfigError) as caught:
        read_time("60")
    assert caught.value.fix == "--time 60s"


@pytest.mark.parametrize("other", [{"epochs": 2}, {"steps": 5}, {"epochs": 2, "steps": 5}])
def test_a_time_goes_with_neither_epochs_nor_steps(other):
    with pytest.raises(ConfigError, match=r"time \(60s\).* are given") as caught:
        TrainConfig(time="60s", **other)
    assert "--time" in caught.value.fix


def test_without_the_doctor_nothing_is_kept_free_for_it():
    assert reserve_for(60, examination=0.0, doctor_share=0.0, board_share=0.03).watching == 0
    assert reserve_for(10, examination=2.0, doctor_share=0.03, board_share=0.0).watching == pytest.approx(1.0)
    found = reserve_for(600, examination=10.0, doctor_share=0.03, board_share=0.03)
    assert (found.examination, found.watching, found.board) == (10.0, 18.0, 18.0)
    assert found.whole == 46.0 + found.closing


def test_a_training_of_less_than_a_minute_has_no_histograms():
    found = [reserve_for(s, examination=0.0, doctor_share=0.0, board_share=0.03).board for s in (59, 60)]
    assert found == [0.0, pytest.approx(1.8)]


def test_a_profile_is_kept_free_for_and_the_end_is_in_proportion():
    bare = reserve_for(5, examination=0.0, doctor_share=0.0, board_share=0.03)
    assert 0 < bare.closing <= 0.5
    assert reserve_for(5, examination=0.0, doctor_share=0.0, board_share=0.03, profile=True).watching > bare.watching


@hypothesis.given(st.floats(1.0, 5000.0), updates, costs, costs, epochs, intervals)
def test_the_time_that_updates_need_is_the_least_they_fit_into(
    wanted, update, validation, checkpoint, per_epoch, every
):
    pace = Pace(update, validation, checkpoint, figures=1.0, keeping=0.5)

    def reserve(seconds):
        return reserve_for(seconds, examination=2.0, doctor_share=0.03, board_share=0.03)

    def fitting(seconds):
        left = time_for_updates(seconds, pace, measuring=3.0, reserve=reserve(seconds))
        return steps_that_fit(left, pace, per_epoch=per_epoch, checkpoint_every=every)

    needed = seconds_needed(wanted, pace, per_epoch=per_epoch, checkpoint_every=every, measuring=3.0, reserve=reserve)
    assert fitting(needed) >= wanted
    assert fitting(0.999 * needed) < wanted or 59.9 < needed < 62  # the histograms of a minute make a step


PLAN = TimePlan("60s", 60.0, 5.0, Reserve(9.0, 3.0), 1000, 2.0, Pace(0.04, 1.0, 0.0, 1.0))


def test_the_parts_of_a_given_time_add_up():
    assert PLAN.before_and_after == 15.0
    assert PLAN.training == 45.0


def test_lateness_speaks_once_and_only_where_much_is_missing():
    on_time = Lateness(PLAN)
    assert not any(on_time.told(done=done, total=1000, seconds=done * 0.05) for done in range(50, 1000, 50))
    late = Lateness(PLAN)
    told = [late.told(done=done, total=1000, seconds=done * 0.09) for done in range(50, 1001, 50)]
    assert [bool(one) for one in told].index(True) == told.index(next(filter(None, told)))
    assert sum(map(bool, told)) == 1
    assert "about 45 s late" in next(filter(None, told))


def test_the_first_tenth_is_too_early_to_tell():
    assert Lateness(PLAN).told(done=50, total=1000, seconds=30.0) == ""
    assert Lateness(PLAN).told(done=500, total=1000, seconds=5.0) == ""
