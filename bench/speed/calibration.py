"""How many updates a timing takes, found without being misled by what each call costs once."""

FEWEST = 3
"""Updates in a timing, however long they take."""
TRIES = 6
GROWTH = 20


def updates_that_take(seconds, *, prepare, spent_on, fewest=FEWEST):
    """The number of updates that take about so many seconds, prepared.

    A call of `fit` costs much that does not grow with its updates, so a count that is read off a short call would be
    too small by far: it grows until a call takes at least half of the time that is wanted.

    Args:
        seconds: What a timing is to take.
        prepare: From a count to the one that it will be, a multiple of the updates in a compiled call.
        spent_on: From a count to the seconds of as many updates.
        fewest: The first to be tried.

    >>> updates_that_take(5.0, prepare=lambda count: count, spent_on=lambda count: 0.5 + 0.001 * count)
    3916
    """
    count = fewest
    for _ in range(TRIES):
        count = prepare(count)
        spent = spent_on(count)
        if spent >= 0.5 * seconds:
            spent = min(spent, spent_on(count))  # once more: a busy machine can stall a quick call
        if spent >= 0.5 * seconds:
            return count
        count = max(count + 1, min(GROWTH * count, round(count * seconds / max(spent, 1e-9))))
    return prepare(count)
