"""Multi-skill project scheduling (``.dzn`` of MSPSP-InstLib; Young, Feydy and Schutt, CP 2017): people, makespan.

Used are nActs, dur, nSkills, sreq[activity, skill], nResources, mastery[person, skill], nPrecs, pred and succ; arrays
that follow from these are not read. A person supplies one skill to an activity for the whole of it.
"""

from __future__ import annotations

from benchmarks.readers.minizinc import Assignments
from benchmarks.readers.portfolios import always_open, staffed

from throttle_models import Portfolio


def is_mspsp(text: str) -> bool:
    return "mastery" in text and "sreq" in text


def read_mspsp(text: str, file: str) -> Portfolio:
    """Resources become people, skill requirements needs. Raises InputError."""
    data = Assignments(text, file)
    count, skills, people = data.number("nActs", 1), data.number("nSkills"), data.number("nResources")
    durations = data.vector("dur", count)
    wanted = data.matrix("sreq", count, skills)
    mastery = data.matrix("mastery", people, skills, truth=True)
    links = data.number("nPrecs")
    before: dict[int, dict[str, None]] = {k: {} for k in range(1, count + 1)}
    for earlier, later in zip(data.vector("pred", links, 1, count), data.vector("succ", links, 1, count), strict=True):
        before[later][str(earlier)] = None
    return always_open(
        {
            str(k): staffed(
                durations[k - 1],
                [{"skill": f"S{s}", "people": n} for s, n in enumerate(wanted[k - 1], 1) if n and durations[k - 1]],
                before[k],
            )
            for k in range(1, count + 1)
        },
        people={
            f"p{k}": {"skills": [f"S{s}" for s, holds in enumerate(row, 1) if holds]}
            for k, row in enumerate(mastery, 1)
        },
    )
