"""Limits of each occurrence of a window: how many changes, and how much risk together (docs/plan.md, Changes)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from throttle.primitives import Draft
from throttle_models import Portfolio, Reason, Unscheduled, WorkItem

WEEK = 7 * 86400


def restrict(draft: Draft) -> None:
    """At most so many changes, and so much risk, in one occurrence."""
    for name, window in draft.portfolio.windows.items():
        if window.changes is None and window.risk is None:
            continue
        risks = {draft.number[id]: risk for id, risk in risks_in(draft.portfolio, name) if id in draft.number}
        if not risks:
            continue
        occurrences = len(draft.calendars.occurrences(name, timedelta(0))[1])
        if window.changes is not None:
            draft.add.batch(window.changes, occurrences, dict.fromkeys(risks, 1))
        if window.risk is not None:
            draft.add.batch(window.risk, occurrences, {j: risk for j, risk in risks.items() if risk})


def risks_in(portfolio: Portfolio, window: str) -> Iterator[tuple[str, int]]:
    """The changes that run in a window, with their risk; 0 where none is said. Overhead is none."""
    for id, item in portfolio.work.items():
        if item.change is not None and item.change.window == window and not is_overhead(id, window):
            yield id, item.change.risk or 0


def overhead_id(window: str, day: date) -> str:
    """``saturday-night@2026-12-05~overhead``: the work that the occurrences of a window that begin on a day take."""
    return f"{window}@{day.isoformat()}~overhead"


def is_overhead(id: str, window: str) -> bool:
    """Whether the id is kept for the overhead of a window."""
    return id.startswith(f"{window}@") and id.endswith("~overhead")


def too_risky(portfolio: Portfolio, item: WorkItem) -> Unscheduled | None:
    """Why a change that has more risk than one occurrence may hold cannot be in a schedule."""
    change = item.change
    if change is None or change.window is None:
        return None
    most = portfolio.windows[change.window].risk
    if most is None or (change.risk or 0) <= most:
        return None
    text = f"its risk of {change.risk} is above what an occurrence of window {change.window} may hold, {most}"
    return Unscheduled(reason=Reason.NO_WINDOW, text=text, refs=(change.window,))


def queues(portfolio: Portfolio, open_: set[str]) -> Iterator[float]:
    """Seconds that the changes among these items take at least, by what each occurrence of their window may hold."""
    for name, window in portfolio.windows.items():
        if window.changes is None and window.risk is None:
            continue
        risks = [risk for id, risk in risks_in(portfolio, name) if id in open_]
        taken = [len(risks) / window.changes] if window.changes else []
        taken += [sum(risks) / window.risk] if window.risk else []
        yield max(taken, default=0.0) * WEEK / len(window.every.ranges)
