"""The search for what gets most out of a time, on machines that are made up."""

from dataclasses import replace

import pytest

from seewell.training.choosing import Tried, choose
from seewell.training.quick import Candidate

WIDTHS = ((64, 128, 256), (32, 64, 128), (16, 32, 64))
FIRST = Candidate((32, 64, 128), 100, "bfloat16")
IMAGES = 10_000


def work(candidate):
    return sum(candidate.widths) ** 2.0


class Machine:
    """Needs time in proportion to the work, with factors for number formats and batches."""

    def __init__(self, seconds, rate, formats=None, batches=None, trials=99):
        self.seconds, self.rate, self.trials = seconds, rate, trials
        self.formats, self.batches = formats or {}, batches or {}
        self.measured = []

    def measure(self, candidate):
        self.measured.append(candidate)
        factor = self.formats.get(candidate.precision, 1.0) * self.batches.get(candidate.batch_size, 1.0)
        update = candidate.batch_size * work(candidate) / (self.rate * factor)
        updates = self.seconds / update
        return Tried(candidate, update, updates * candidate.batch_size / IMAGES, updates)

    def choose(self, *, widths=WIDTHS, precisions=("bfloat16",), batch_sizes=(100,), enough=6.0, first=FIRST):
        found = choose(
            first,
            widths=widths,
            precisions=precisions,
            batch_sizes=batch_sizes,
            enough=enough,
            work=work,
            measure=self.measure,
            may_go_on=lambda: len(self.measured) < self.trials,
        )
        return found.candidate


def rate_for(widths, epochs, seconds=60.0):
    return epochs * IMAGES * work(replace(FIRST, widths=widths)) / seconds


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_widest_network_that_is_seen_often_enough_is_taken(place):
    machine = Machine(60.0, rate_for(WIDTHS[place], 8.0))
    assert machine.choose().widths == WIDTHS[place]
    assert len(machine.measured) <= 2


def test_the_narrowest_is_taken_where_nothing_fits():
    assert Machine(60.0, rate_for(WIDTHS[2], 1.0)).choose().widths == WIDTHS[2]


def test_too_wide_a_network_is_replaced_even_where_the_time_for_measuring_is_used_up():
    machine = Machine(60.0, rate_for(WIDTHS[2], 8.0), trials=1)
    assert machine.choose().widths == WIDTHS[2]


def test_a_wider_one_is_not_tried_where_the_time_for_measuring_is_used_up():
    machine = Machine(60.0, rate_for(WIDTHS[0], 50.0), trials=1)
    assert machine.choose() == FIRST
    assert machine.measured == [FIRST]


def test_a_number_format_is_taken_only_where_it_is_clearly_faster():
    formats = ("bfloat16", "float32")
    rate = rate_for(WIDTHS[1], 8.0)
    assert Machine(60.0, rate, {"float32": 1.3}).choose(precisions=formats).precision == "float32"
    assert Machine(60.0, rate, {"float32": 1.05}).choose(precisions=formats).precision == "bfloat16"
    assert Machine(60.0, rate, {"float32": 0.5}).choose(precisions=formats).precision == "bfloat16"


def test_a_larger_batch_is_taken_where_it_is_much_faster_and_leaves_updates_enough():
    batches = {200: 1.5, 400: 1.55}
    fast = Machine(60.0, rate_for(WIDTHS[1], 30.0), batches=batches)
    assert fast.choose(widths=WIDTHS[1:2], batch_sizes=(100, 200, 400)).batch_size == 200
    slow = Machine(60.0, rate_for(WIDTHS[1], 8.0), batches=batches)
    assert slow.choose(widths=WIDTHS[1:2], batch_sizes=(100, 200, 400)).batch_size == 100


def test_what_the_user_gave_is_the_only_choice():
    given = Candidate((), 100, "float32")
    machine = Machine(60.0, 1.0)
    machine.measure = lambda candidate: Tried(candidate, 1.0, 1.0, 60.0)
    found = choose(
        given, widths=[()], precisions=["float32"], batch_sizes=[], enough=6.0, work=lambda _: 1.0,
        measure=machine.measure, may_go_on=lambda: True,
    )  # fmt: skip
    assert found.candidate == given
