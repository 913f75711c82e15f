"""Which trainings the trial makes: faulty ones, each with its healthy twin, and healthy ones; in two halves."""

from dataclasses import dataclass

import numpy as np
from faults import FAULTS
from setups import HEALTHY_SETS, LENGTHS, RATES, Setup, healthy, smaller

from networks import HALVES

KINDS = sorted(FAULTS)
_ORDER = np.random.default_rng(20261125).permutation(len(KINDS))
UNSEEN_KINDS = frozenset(KINDS[i] for i in _ORDER[: len(KINDS) // 2])
HEALTHY = {"calibration": 230, "unseen": 230}
_SECOND = 5  # kinds a half that are tried on a second network as well


@dataclass(frozen=True)
class Trial:
    """One training of the trial.

    Attributes:
        key: Its name, unique.
        half: "calibration" or "unseen".
        setup: The training.
        fault: The fault's name; "" for a healthy training.
        twin: Key of the healthy twin of a faulty training.
    """

    key: str
    half: str
    setup: Setup
    fault: str = ""
    twin: str = ""


def kinds(half):
    """The kinds of fault of a half, split once at random, by kind."""
    return [kind for kind in KINDS if (kind in UNSEEN_KINDS) == (half == "unseen")]


def trials(half, *, second=_SECOND, healthy_count=None, datasets=tuple(LENGTHS)):
    """All trainings of a half, in a fixed order that mixes kinds."""
    networks, found = HALVES[half], []
    for place, kind in enumerate(kinds(half)):
        for turn in range(2 if place < second else 1):
            found += _pair(half, kind, place, turn, networks, datasets)
    count = HEALTHY[half] - len(found) // 2 if healthy_count is None else healthy_count
    seed = 3 if half == "calibration" else 4  # 1 and 2 until the second look
    sets = tuple(name for name in HEALTHY_SETS if name in datasets)
    for place, setup in enumerate(healthy(networks, count, seed, sets)):
        found.append(Trial(f"{half}/healthy/{place:03d}", half, setup))
    order = np.random.default_rng(3).permutation(len(found))
    return [found[i] for i in order]


def _pair(half, kind, place, turn, networks, datasets):
    fault = FAULTS[kind]
    can = [name for name in networks if fault.networks is None or name in fault.networks]
    sets = [name for name in fault.data if name in datasets]
    if not can or not sets:
        return []
    network, data = can[(place + turn) % len(can)], sets[(place + turn) % len(sets)]
    optimizer = ("adam", "momentum", "rmsprop", "sgd", "adamw")[(place + turn) % 5]
    count, epochs = LENGTHS[data]
    setup = Setup(
        data=data, network=network, seed=50 + 10 * place + turn, count=count, optimizer=optimizer,
        rate=float(f"{np.sqrt(np.prod(RATES[optimizer])):.2g}"), epochs=epochs, labels=("sparse", "one-hot")[place % 2],
        scaling=("unit", "zscore", "signed", "rescaling-inside")[place % 4], head=("softmax", "logits")[(place // 2) % 2],
    )  # fmt: skip
    wanted = dict(fault.setup)
    if "optimizer" in wanted and "rate" not in wanted:
        wanted["rate"] = float(f"{np.sqrt(np.prod(RATES[wanted['optimizer']])):.2g}")
    if wanted.get("balance") == "two":
        wanted["labels"] = "sparse"
    setup = smaller(setup, **wanted)
    if setup.optimizer in ("sgd", "adagrad", "adadelta") and "epochs" not in wanted:
        setup = smaller(setup, epochs=2 * setup.epochs)
    name = f"{half}/{kind}/{network}-{data}"
    return [Trial(f"{name}/healthy", half, setup), Trial(f"{name}/faulty", half, setup, kind, f"{name}/healthy")]
