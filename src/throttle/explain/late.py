"""What passes from now to the end of late work: the chain of work and waiting that leads to it, through people too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import FF, FS
from throttle.worked import worked
from throttle_models import Reason

if TYPE_CHECKING:
    from throttle.reasons import Reasons

LONGEST = 60
"""Most items in a chain."""


@dataclass(frozen=True)
class Part:
    """[first, last) in slots, and how much of it counts for the cause (what is closed within work is a part apart)."""

    activity: int
    first: int
    last: int
    cause: str
    slots: int


def chain(reasons: Reasons, last: int) -> list[Part]:
    """Parts of the time from as-of to the end of an activity, the last first; together all of that time.

    Behind an item comes what it waited for: what it was bound to follow, or what its people did before (the critical
    chain of Goldratt, through resources). Other work of its people counts as waiting for them.
    """
    a, s, graph = reasons.a, reasons.schedule, reasons.compiled.graph
    ids = reasons.instance.activities
    done = worked(a, s)
    mine = graph.project_of(ids[last])
    found: list[Part] = []
    at, until, via = last, int(s.end[last]), ""
    for _ in range(LONGEST):
        start, end = int(s.start[at]), min(until, int(s.end[at]))
        if end > start:
            runs = slice(int(done.ptr[at]), int(done.ptr[at + 1]))
            inside = np.minimum(done.last[runs], end) - np.maximum(done.first[runs], start)
            touched = int(np.maximum(inside, 0).sum()) or (end - start if a.need_ptr[at] == a.need_ptr[at + 1] else 0)
            own = not ids[at] or mine is None or graph.project_of(ids[at]) == mine or not via
            found.append(Part(at, start, end, "work" if own else f"other work of {via}", touched))
            if end - start > touched:
                found.append(Part(at, start, end, "closed", end - start - touched))
        if start <= 0 or not ids[at] or a.exempt[at]:
            if start > 0:  # in progress, and not at once
                found.append(Part(at, 0, start, "closed", start))
            break
        cause = reasons.why(at)
        following, via = _behind(reasons, at, cause.reason, cause.refs, via)
        until = min(start, int(s.end[following])) if following is not None else 0
        if until < start:
            found.append(Part(at, until, start, f"waiting: {cause.reason}", start - until))
        if following is None or until <= 0:
            break
        at = following
    else:
        found.append(Part(at, 0, int(s.start[at]), "earlier", int(s.start[at])))
    return found


def _behind(reasons: Reasons, j: int, reason: Reason, refs: tuple[str, ...], via: str) -> tuple[int | None, str]:
    """What activity j came after, and whose other work it is."""
    a, s, ids = reasons.a, reasons.schedule, reasons.instance.activities
    start = int(s.start[j])
    if reason is Reason.PEOPLE:
        crew = s.crew[a.crew_ptr[a.need_ptr[j]] : a.crew_ptr[a.need_ptr[j + 1]]]
        before = [
            (int(s.end[i]), -i, int(p)) for p in crew for i in reasons.on.before(int(p), start, -1) if s.end[i] <= start
        ]
        if before:
            _, i, person = max(before)
            return -i, reasons.instance.people[person]
    number = {id: k for k, id in enumerate(ids) if id}
    named = [number[ref] for ref in refs if ref in number and number[ref] != j and s.end[number[ref]] <= start]
    links = range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1]))
    linked = [int(a.pred[e]) for e in links if a.pred_type[e] in (FS, FF) and s.end[a.pred[e]] <= start]
    if reason is Reason.PREDECESSOR and named:
        linked = named
    behind = max(linked, key=lambda i: (int(s.end[i]), -i), default=None)
    return behind, via
