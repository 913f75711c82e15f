"""Today's rules on yesterday's measurements."""

import pickle

from trial import shown

from seewell.doctor.judgement import judge_course, judge_start
from seewell.doctor.prescribe import prescribe
from seewell.doctor.revision import outcome_of, revise
from seewell.doctor.verdict import verdict


def judged_again(record, path):
    """The record with the findings that today's rules give."""
    if not path.exists():
        return record
    kept = pickle.loads(path.read_bytes())
    if kept["facts"] is None or record["refused"]:
        return record
    before = judge_start(kept["facts"])
    during = [] if kept["course"] is None else judge_course(kept["course"])
    after = [] if kept["result"] is None else verdict(kept["result"], {})
    course = kept["course"]
    outcome = None if course is None else outcome_of(kept["facts"], course, kept["result"])
    before, during = revise(before, outcome, before=True), revise(during, outcome, before=False)
    return record | {
        "before": shown(prescribe(judge_start(kept["facts"]), kept["facts"])),
        "findings": shown(prescribe([*before, *during, *after], kept["facts"])),
    }
