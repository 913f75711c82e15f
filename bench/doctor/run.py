"""The doctor's trial: faulty trainings beside their healthy twins, and healthy ones of many kinds.

    SEEWELL_DATA=… .venv/bin/python bench/doctor/run.py calibration
    SEEWELL_DATA=… .venv/bin/python bench/doctor/run.py unseen

Two processes of one thread each; what is done already, in OUT, is not done again. `--show` prints
the figures of what is there, `--rejudge` asks today's rules about yesterday's measurements, `--mistakes`
lists each miss and each false alarm. Every look at the unseen half belongs into docs/log.md.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # the same kernels on every processor, and the quicker ones
sys.path.insert(0, str(Path(__file__).parent))


def one(task):
    """Runs in a process of its own."""
    trial, facts, examined = task
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    import trial as trials

    try:
        return trials.run(trial, keep_facts=facts, examined=examined)
    except Exception as problem:
        return {"key": trial.key, "broken": f"{type(problem).__name__}: {problem}"}


def place(out, key):
    return out / "facts" / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.pkl"


def records(out):
    """What is there already, by key; a line that a kill cut short is left out."""
    found = {}
    path = out / "records.jsonl"
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[record["key"]] = record
    return found


def make(out, wanted, examined, workers):
    """Make the trainings that are not there yet."""
    (out / "facts").mkdir(parents=True, exist_ok=True)
    done = records(out)
    todo = [trial for trial in wanted if trial.key not in done]
    began = time.perf_counter()
    tasks = [(trial, place(out, trial.key), examined) for trial in todo]
    # New processes now and then, so that memory does not grow. (The executor's own way to do so hangs in Python 3.11.)
    with (
        multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=25) as pool,
        open(out / "records.jsonl", "a") as file,
    ):
        for number, record in enumerate(pool.imap_unordered(one, tasks), 1):
            if "broken" in record:
                print(f"broken: {record['key']}: {record['broken']}", file=sys.stderr, flush=True)
                continue
            file.write(json.dumps(record) + "\n")
            file.flush()
            if number % 20 == 0:
                print(f"{number}/{len(todo)}, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"{len(todo)} trainings in {time.perf_counter() - began:.0f} s", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", choices=("calibration", "unseen"))
    parser.add_argument("--out", type=Path, default=Path("build/doctor"))
    parser.add_argument("--only", default="", help="a regular expression that keys must match")
    parser.add_argument("--datasets", default="digits,mnist,fashion-mnist,cifar10")
    parser.add_argument("--without-examine", action="store_true", help="the callback alone, as many will use it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--rejudge", action="store_true")
    parser.add_argument("--mistakes", action="store_true")
    given = parser.parse_args()

    from plan import trials

    out = given.out / (given.half + ("-alone" if given.without_examine else ""))
    wanted = [t for t in trials(given.half, datasets=tuple(given.datasets.split(","))) if re.search(given.only, t.key)]
    if not given.show and not given.rejudge:
        make(out, wanted, not given.without_examine, given.workers)
    found = records(out)
    kept = [found[trial.key] for trial in wanted if trial.key in found]
    if given.rejudge:
        from rejudge import judged_again

        kept = [judged_again(record, place(out, record["key"])) for record in kept]
    import figures

    lines, values = figures.tell(kept)
    print(f"{given.half} half, {len(kept)} of {len(wanted)} trainings")
    print("\n".join(lines))
    if given.mistakes:
        print("\n".join(figures.mistakes(kept)))
    print(json.dumps(values))


if __name__ == "__main__":
    main()
