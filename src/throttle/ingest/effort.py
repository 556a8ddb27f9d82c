"""How much work an item is: its own estimate, its points, what history says of its type, else a stated default."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from statistics import median

from throttle.ingest import words
from throttle.ingest.records import Ticket
from throttle.ingest.values import fold
from throttle.wording import plural
from throttle_models import Defaults, Estimate, Learned, Status, WorkType

_HOURS = {WorkType.PROJECT: 16, WorkType.INTERNAL: 16, WorkType.CHANGE: 4, WorkType.UNPLANNED: 6}
_TASKS = "task, tarea, aufgabe, tache, tarefa"
_HOURS_BY_NAME = words.table({80: ", ".join(words.EPICS), 4: ", ".join(words.SUBTASKS), 8: _TASKS})
MOST_MINUTES = 60 * 50_000
"""No estimate of one item is longer."""
LEAST = 30.0
"""Minutes left of what is not done though its estimate is used up, and least effort of a planned window."""
_FEW, _ENOUGH = 3, 8
"""Samples for a median; samples for a range."""


@dataclass(frozen=True, slots=True)
class Effort:
    estimate: Estimate
    source: str
    """The assumption it rests on; empty where the export states it."""
    exhausted: bool = False
    """The estimate is used up, yet the item is not done."""
    learned: bool = False
    """From history; what is derived from it is rounded as well."""


@lru_cache(maxsize=1 << 16)
def exactly(minutes: float) -> Estimate:
    span = timedelta(minutes=round(minutes))
    return Estimate(low=span, likely=span, high=span)


def divided(estimate: Estimate, parts: int) -> Estimate:
    """An equal part of it."""
    return Estimate(low=estimate.low / parts, likely=estimate.likely / parts, high=estimate.high / parts)


def summed(one: Estimate, other: Estimate) -> Estimate:
    return Estimate(low=one.low + other.low, likely=one.likely + other.likely, high=one.high + other.high)


def _ranged(low: float, likely: float, high: float) -> Estimate | None:
    """None where they do not rise: then the likely value alone counts."""
    if not 0 < low <= likely <= high:
        return None
    return Estimate(
        low=timedelta(minutes=round(low)), likely=timedelta(minutes=round(likely)), high=timedelta(minutes=round(high))
    )


def in_hours(estimate: Estimate) -> str:
    """``16.5h/32h/46h``: as the team file takes it, all in hours, for people to read."""
    spans = (estimate.low, estimate.likely, estimate.high)
    return "/".join(f"{span / timedelta(hours=1):g}h" for span in (spans if len(set(spans)) > 1 else spans[:1]))


def quantile(values: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996)."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


class Estimator:
    """Built from all tickets; asked for the open ones. Keeps the reason for each default that it gives."""

    def __init__(
        self, tickets: Sequence[Ticket], status: dict[str, Status], parents: set[str], defaults: Defaults,
        type_of: Callable[[Ticket], WorkType],
    ) -> None:  # fmt: skip
        self.defaults, self.type_of = defaults, type_of
        self.reasons: dict[str, tuple[str, str, str]] = {}
        """Source to (value, why, override)."""
        self._said = {fold(name): estimate for name, estimate in defaults.effort.items()}
        logged: dict[str, list[float]] = defaultdict(list)
        stated: dict[str, list[float]] = defaultdict(list)
        points: dict[str, list[float]] = defaultdict(list)
        pairs: list[tuple[float, float]] = []
        for t in tickets:
            if t.id in parents:
                continue  # what it holds may be its children's too
            word = fold(t.type)
            if t.spent and status[t.id] is Status.DONE:
                logged[word].append(t.spent)
                if t.points:
                    pairs.append((t.points, t.spent))
            if t.original:
                stated[word].append(t.original)
            if t.points:
                points[word].append(t.points)
        self._history: dict[str, tuple[Estimate, str]] = {}
        for word in (*logged, *stated):
            for found, what in ((logged[word], "logged time of done items"), (stated[word], "estimates")):
                if word not in self._history and len(found) >= _FEW:
                    self._history[word] = _typical(found), f"{what} of this type ({plural(len(found), 'item')})"
        self._per_point: float | None = None
        self._per_point_why = ""
        if defaults.hours_per_point is not None:
            self._per_point = defaults.hours_per_point / timedelta(minutes=1)
            self._per_point_why = "the team file says so"
        elif len(pairs) >= _FEW + 2:
            self._per_point = sum(spent for _, spent in pairs) / sum(p for p, _ in pairs)
            self._per_point_why = f"logged time per point of {plural(len(pairs), 'done item')}"
        self._usual_points = {word: median(found) for word, found in points.items() if len(found) >= _FEW}

    def effort(self, t: Ticket) -> Effort:
        """Of an item that has not begun."""
        if t.remaining is not None and (t.spent or t.original is None):
            return self._left(t.remaining)
        if t.original is not None:
            ranged = _ranged(t.range[0], t.original, t.range[1]) if t.range else None
            return Effort(ranged or exactly(t.original), "")
        return self._unstated(t)

    def remaining(self, t: Ticket) -> Effort:
        """Of an item in progress; its estimate's three values are equal."""
        if t.remaining is not None:
            return self._left(t.remaining)
        if t.original is not None:
            return self._left(t.original - (t.spent or 0))
        whole = self._unstated(t)
        left = max(LEAST, whole.estimate.mean / timedelta(minutes=1) - (t.spent or 0))
        return Effort(exactly(_rounded(left) if whole.learned else left), whole.source)

    def _left(self, minutes: float) -> Effort:
        if minutes > 0:
            return Effort(exactly(max(1, minutes)), "")
        return Effort(exactly(LEAST), "effort.remaining", exhausted=True)

    def _unstated(self, t: Ticket) -> Effort:
        word, kind = fold(t.type), self.type_of(t)
        if t.points and self._per_point is not None:
            hours = self._per_point / 60
            self._note("effort.points", f"{hours:.1f}h a point", self._per_point_why, "defaults: {hours_per_point: 4h}")
            learned = self.defaults.hours_per_point is None
            whole = t.points * self._per_point
            stated = max(1, min(whole, MOST_MINUTES))
            return Effort(exactly(_rounded(whole) if learned else stated), "effort.points", learned=learned)
        if t.duration is not None:
            self._note(
                "effort.duration", "the time from start to finish, for one person",
                "the export states how long the work takes, and not how much it is",
                "work: {ID: {needs: [{who: NAME, effort: 8h}]}}",
            )  # fmt: skip
            return Effort(exactly(t.duration), "effort.duration")
        start, end = t.planned
        if kind is WorkType.CHANGE and start is not None and end is not None and end > start:
            cap = self.defaults.change_effort_cap
            self._note(
                "effort.window",
                f"length of the planned window, at most {cap / timedelta(hours=1):g}h",
                "a change states no effort, and its window is longer than the work",
                "defaults: {change_effort_cap: 4h}, or work: {CHG1: {needs: [...]}}",
            )
            return Effort(exactly(max(LEAST, min(end - start, cap) / timedelta(minutes=1))), "effort.window")
        name = t.type or kind.value
        source = f"effort.{name}"
        for key in (word, kind.value):
            if (said := self._said.get(key)) is not None:
                self._note(source, str(said), "the team file says so", f"defaults: {{effort: {{{name}: 12h}}}}")
                return Effort(said, source)
        taught = _taught(self.defaults.learned, t) if self.defaults.learned else None
        if learned := taught is not None or word in self._history:
            estimate, why = taught or self._history[word]
        else:
            hours = _HOURS_BY_NAME.get(word, _HOURS[kind])
            estimate, why = exactly(hours * 60), "the export has no estimates or logged time of this type to learn from"
        override = f"defaults: {{effort: {{{name}: 4h/12h/30h}}}}"
        if t.points and word in self._usual_points:
            share = t.points / self._usual_points[word]
            source = f"effort.{name}.points"
            value = f"{in_hours(estimate)} for {self._usual_points[word]:g} points, in proportion"
            self._note(source, value, f"no logged time to calibrate points; {why}", "defaults: {hours_per_point: 4h}")
            spans = (timedelta(minutes=_rounded(s / timedelta(minutes=1) * share)) for s in
                     (estimate.low, estimate.likely, estimate.high))  # fmt: skip
            low, likely, high = spans
            return Effort(Estimate(low=low, likely=likely, high=high), source, learned=True)
        self._note(source, in_hours(estimate), why, override)
        return Effort(estimate, source, learned=learned)

    def _note(self, source: str, value: str, why: str, override: str) -> None:
        if source not in self.reasons:
            self.reasons[source] = (value, why, override)


def _taught(learned: Learned, t: Ticket) -> tuple[Estimate, str] | None:
    """What was learned of its kind, and why that."""
    found = learned.effort_of(t.type, t.components, t.team or t.group)
    if found is None:
        return None
    what = "logged time" if found.basis == "logged" else "inferred work"
    of = " and ".join(["type", *(["component"] if found.component else []), *(["team"] if found.team else [])])
    return found.effort, f"{what} of {plural(found.samples, 'finished item')} of this {of} (learned)"


def _typical(minutes: Sequence[float]) -> Estimate:
    if len(minutes) < _ENOUGH:
        return exactly(_rounded(median(minutes)))
    low, likely, high = (timedelta(minutes=_rounded(quantile(minutes, share))) for share in (0.1, 0.5, 0.9))
    return Estimate(low=low, likely=likely, high=high)


def _rounded(minutes: float) -> float:
    """To half hours, at least one: more would feign precision; at most what a stated estimate may be."""
    return max(30, 30 * round(min(minutes, MOST_MINUTES) / 30))
