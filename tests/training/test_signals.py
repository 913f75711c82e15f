"""Signals become a request for the time of a training, and no longer."""

import os
import signal
import threading

import pytest

from seewell.training.signals import StopRequest, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_request_and_a_second_one_changes_nothing(number):
    with stop_on_signals() as request:
        assert request.signal_number is None
        os.kill(os.getpid(), number)
        assert request.signal_number == number
        os.kill(os.getpid(), signal.SIGINT)
        assert request.signal_number == number


def test_the_handlers_of_before_come_back_also_after_an_error():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def fail():
        with stop_on_signals():
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_outside_the_main_thread_there_is_a_request_that_never_comes():
    found = []

    def other():
        with stop_on_signals() as request:
            found.append(request.signal_number)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [None]


def test_a_request_can_be_made_by_hand():
    request = StopRequest()
    request(15, None)
    assert request.signal_number == 15
