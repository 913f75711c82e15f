"""Seconds by what they are spent on, and observers whose seconds are counted."""

import pytest

from seewell.training.audience import Audience
from seewell.training.observers import Observer
from seewell.training.stopwatch import Stopwatch


class Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def test_sections_count_for_themselves_alone_and_together_they_are_the_whole():
    clock = Clock()
    watch = Stopwatch(clock)
    with watch.section("rest"):
        clock.time += 1
        for _ in range(3):
            with watch.section("updates"):
                clock.time += 2
                with watch.section("doctor"):
                    clock.time += 5
        clock.time += 1
    found = {name: (lap.count, lap.seconds, lap.first) for name, lap in watch.laps.items()}
    assert found == {"doctor": (3, 15, 5), "updates": (3, 6, 2), "rest": (1, 2, 2)}
    assert sum(lap.seconds for lap in watch.laps.values()) == clock.time


def test_a_section_that_fails_is_counted_and_leaves_the_others_right():
    clock = Clock()
    watch = Stopwatch(clock)

    def fails():
        with watch.section("a"):
            clock.time += 1
            with watch.section("b"):
                clock.time += 1
                raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with watch.section("a"):
        clock.time += 1
    assert (watch.laps["a"].seconds, watch.laps["b"].seconds) == (2, 1)


def test_observers_are_counted_by_their_label_and_told_in_order():
    clock, told = Clock(), []

    class Slow(Observer):
        def __init__(self, label, seconds):
            self.label, self.seconds = label, seconds

        def on_progress(self, step, loss, accuracy, images_per_second):
            told.append(self.label)
            clock.time += self.seconds

    watch = Stopwatch(clock)
    audience = Audience([Slow("doctor", 3), Slow("tensorboard", 2)], watch)
    audience.progress(1, 0.5, 0.5, 100.0)
    assert told == ["doctor", "tensorboard"]
    assert (watch.laps["doctor"].seconds, watch.laps["tensorboard"].seconds) == (3, 2)


def test_warnings_reach_those_who_take_them_or_else_python():
    class Hears(Observer):
        def __init__(self):
            self.heard = []

        def on_warning(self, text):
            self.heard.append(text)

    hears = Hears()
    audience = Audience([Observer(), hears], Stopwatch())
    audience.warn("a disk is full")
    assert hears.heard == audience.warnings == ["a disk is full"]
    with pytest.warns(RuntimeWarning, match="a disk is full"):
        Audience([Observer()], Stopwatch()).warn("a disk is full")
