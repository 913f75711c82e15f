from seewell.doctor.timeshare import TimeShare


def test_the_share_binds_after_a_minute_and_two_seconds_are_the_most_before() -> None:
    now = [0.0]
    clock = TimeShare(0.03, lambda: now[0])
    assert clock.allows(1.7)
    with clock.counted():
        now[0] = 1.5
    assert clock.spent == 1.5
    assert not clock.allows(1.0)
    now[0] = 50.0
    assert not clock.allows(1.0)
    now[0] = 100.0
    assert clock.allows(1.4)
    assert not clock.allows(1.6)


def test_a_large_share_still_takes_two_seconds_at_most_in_the_first_minute() -> None:
    clock = TimeShare(1.0, lambda: 0.0)
    assert clock.allows(2.0)
    assert not clock.allows(2.1)
