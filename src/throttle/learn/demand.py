"""Unplanned work by skill and week, the reserve that covers it, and which changes fail."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from throttle.confidence import wilson
from throttle.learn.effort import quantile
from throttle_models.learned import LearnedDemand, LearnedFailure
from throttle_models.people import WEEKDAYS

LEVEL = 0.8
LEAST_WEEKS = 8
LONGEST = 52
"""Weeks that count; older ones say little about now."""
WARM = 12
"""Weeks before the first one that the reserve is tested on."""


def demands(frame: pd.DataFrame, done: pd.DataFrame) -> tuple[dict[str, LearnedDemand], list[str]]:
    """By skill; and what could not be learned. An item without known effort counts as its type's median."""
    some = frame[(frame.kind == "unplanned") & (frame.status != "cancelled") & frame.created.notna()].copy()
    if some.empty:
        return {}, ["no unplanned work with a date of creation, so no reserve is learned"]
    known = done.minutes.reindex(some.index)
    typical = done.minutes.groupby(done.type).median()
    some["minutes"] = known.fillna(some.type.map(typical))
    notes = []
    if missing := int(some.minutes.isna().sum()):
        notes.append(
            f"{missing} unplanned items have no effort, nor has their type; they count in arrivals, not in hours"
        )
    first, last = _monday(frame.created.min()), _monday(frame[["created", "finished"]].max().max())
    weeks = (last - first).days // 7  # the last one is not over
    if weeks < LEAST_WEEKS:
        return {}, [*notes, f"{weeks} whole weeks of history are too few for a reserve; {LEAST_WEEKS} are needed"]
    some["week"] = ((some.created - first) // pd.Timedelta(weeks=1)).astype(int)
    some = some[(some.week >= 0) & (some.week < weeks)]
    found = {str(skill): _demand(rows, weeks) for skill, rows in some.groupby("skill", sort=True)}
    return found, notes


def _demand(rows: pd.DataFrame, weeks: int) -> LearnedDemand:
    totals = np.bincount(rows.week, weights=rows.minutes.fillna(0.0), minlength=weeks)
    counts = np.bincount(rows.week, minlength=weeks)
    recent = totals[-LONGEST:]
    reserve = quantile(recent.tolist(), LEVEL)
    by_day = rows.minutes.fillna(0.0).groupby(rows.created.dt.day_of_week).sum().reindex(range(7), fill_value=0.0)
    spread = by_day / by_day.sum() if by_day.sum() else by_day
    tested = [
        float(total) <= quantile(totals[max(0, week - LONGEST) : week].tolist(), LEVEL)
        for week, total in enumerate(totals)
        if week >= WARM
    ]
    return LearnedDemand(
        arrivals=round(float(counts[-LONGEST:].mean()), 3),
        mean=_span(float(recent.mean())),
        reserve=_span(reserve),
        weekdays={day: kept for d, day in enumerate(WEEKDAYS) if (kept := _span(reserve * float(spread[d])))},
        weeks=len(recent),
        tested=len(tested),
        covered=round(sum(tested) / len(tested), 4) if tested else None,
    )


def _monday(moment: pd.Timestamp) -> pd.Timestamp:
    return (moment - pd.Timedelta(days=moment.day_of_week)).normalize()


def _span(minutes: float) -> timedelta:
    return timedelta(minutes=round(minutes))


def failures(frame: pd.DataFrame) -> list[LearnedFailure]:
    """Done changes by kind, and by kind and group; with what fails the rest of the time unsaid."""
    done = frame[(frame.kind == "change") & (frame.status == "done")]
    found = []
    for names in (["change_kind"], ["change_kind", "group"]):
        for key, rows in done.groupby(names, sort=True):
            kind, group = (*key, "")[:2]
            if names[-1] == "group" and not group:
                continue
            failed, n = int(rows.failed.sum()), len(rows)
            low, high = wilson(failed, n)
            found.append(
                LearnedFailure(
                    kind=kind,
                    group=group,
                    failed=failed,
                    changes=n,
                    rate=round(failed / n, 4),
                    low=round(low, 4),
                    high=round(high, 4),
                )
            )
    return found
