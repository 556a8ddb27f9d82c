"""How much work an item was, and what items of its kind take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from math import ceil

import numpy as np
import pandas as pd

from throttle.learn.working import WorkClock, shared_effort
from throttle_models import Estimate, Learned, When
from throttle_models.learned import LearnedBias, LearnedEffort

ENOUGH = 8
"""Samples for a range of their own."""
FEW_LOGGED = 3
"""Logged samples of a group that count before what is inferred."""
LEAST = 5.0
"""Minutes; what was begun and done within less was only ticked off."""
HELD_OUT = 0.25
LEVELS = ((), ("component",), ("team",), ("component", "team"))
"""What is told apart within a type, from the coarsest to the finest."""


def actual_minutes(frame: pd.DataFrame, clock_of: Mapping[str, WorkClock], usual: WorkClock) -> pd.DataFrame:
    """Done items with ``minutes`` of work and its ``basis``; those of which neither is known are left out.

    Logged time where there is any. Else the working time from start to finish, of which each item that its person had
    in process at once, finished or not, gets an equal part.
    """
    done = frame[(frame.status == "done") & frame.finished.notna()].copy()
    done["inferred"] = _inferred(frame, clock_of, usual).reindex(done.index)
    done["basis"] = np.where(done.spent.notna(), "logged", "inferred")
    done["minutes"] = done.spent.where(done.spent.notna(), done.inferred)
    return done[done.minutes >= LEAST]


def _inferred(frame: pd.DataFrame, clock_of: Mapping[str, WorkClock], usual: WorkClock) -> pd.Series:
    """Minutes by row; NaN where start, finish or person is not known."""
    found = pd.Series(np.nan, index=frame.index)
    begun = frame[frame.started.notna() & frame.people.map(bool)]
    last = frame[["created", "started", "finished"]].max().max()
    ends = begun.finished.fillna(last)  # in process until now
    begun = begun[ends >= begun.started]
    for person, rows in begun.groupby(begun.people.str[0]):
        clock = clock_of.get(str(person), usual)
        start = clock.worked(rows.started.to_numpy())
        end = clock.worked(ends[rows.index].to_numpy())
        found[rows.index] = shared_effort(start, end)
    return found


def quantile(minutes: Sequence[float] | pd.Series, share: float) -> float:
    """Of a sample, so that the next value is below it with this chance: order statistics at k/(n+1) (Weibull, 1939)."""
    return float(np.quantile(np.asarray(minutes, float), share, method="weibull"))


def _span(minutes: float) -> timedelta:
    """To quarters of an hour, or five minutes where it is short: more would feign precision."""
    step = 15 if minutes >= 120 else 5
    return timedelta(minutes=max(5, step * round(minutes / step)))


def efforts(done: pd.DataFrame) -> list[LearnedEffort]:
    """By type, and by component, team or both within it, where there are enough samples."""
    found = []
    for level in LEVELS:
        names = ["type", *level]
        rows = done[(done[list(level)] != "").all(axis=1)] if level else done
        for key, group in rows.groupby(names, sort=True):
            logged = group[group.basis == "logged"]
            basis, used = ("logged", logged) if len(logged) >= FEW_LOGGED else ("inferred", group)
            used = used[used.basis == basis]
            if len(used) < ENOUGH:
                continue
            low, likely, high, p80 = (quantile(used.minutes, share) for share in (0.1, 0.5, 0.9, 0.8))
            found.append(
                LearnedEffort.model_validate(
                    {
                        **dict(zip(names, key, strict=True)),
                        "effort": Estimate(low=_span(low), likely=_span(likely), high=_span(high)),
                        "p80": timedelta(minutes=ceil(p80)),
                        "samples": len(used),
                        "basis": basis,
                    }
                )
            )
    return found


def back_test(done: pd.DataFrame) -> tuple[int, float | None]:
    """How many of the last quarter could be foretold, and the share of these that took no longer than p80."""
    ordered = done.sort_values(["finished", "id"], kind="stable")
    cut = len(ordered) - int(len(ordered) * HELD_OUT)
    learned = Learned(as_of=When(text="0d"), effort=tuple(efforts(ordered[:cut])))
    within = list(_within(learned, ordered[cut:]))
    return len(within), sum(within) / len(within) if within else None


def _within(learned: Learned, rows: pd.DataFrame) -> Iterator[bool]:
    for row in rows.itertuples():
        known = learned.effort_of(str(row.type), [str(row.component)] if row.component else [], str(row.team))
        if known is not None and known.basis == row.basis:
            yield float(row.minutes) <= known.p80 / timedelta(minutes=1)  # type: ignore[arg-type]


def biases(done: pd.DataFrame) -> list[LearnedBias]:
    """Logged time over estimate, by type and of all (type empty)."""
    both = done[done.spent.notna() & done.estimate.notna() & (done.estimate > 0)]
    ratio = both.spent / both.estimate
    groups = [("", ratio), *((str(name), some) for name, some in ratio.groupby(both.type))]
    return [
        LearnedBias(
            type=name, ratio=round(float(some.median()), 3), low=round(float(some.quantile(0.25)), 3),
            high=round(float(some.quantile(0.75)), 3), samples=len(some),
        )
        for name, some in groups
        if len(some) >= ENOUGH
    ]  # fmt: skip
