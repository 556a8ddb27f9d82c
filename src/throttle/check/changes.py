"""Changes against each other and against their windows: conflicts, limits of an occurrence, pins of a window."""

from __future__ import annotations

from collections import deque
from zoneinfo import ZoneInfo

from throttle.check.clock import Span
from throttle.check.inserted import Expansion
from throttle.check.kinds import Violations, clock_text, seconds
from throttle.check.schedule import Schedule
from throttle_models import (
    Change,
    ChangeKind,
    Estimate,
    InsertedItem,
    Need,
    Pin,
    Plan,
    Portfolio,
    When,
    WorkItem,
    WorkType,
)

OVERHEAD = "overhead"


def with_overhead(portfolio: Portfolio, expansion: Expansion, plan: Plan) -> Portfolio:
    """With the work for each day on which occurrences of a window with overhead begin in which changes run.

    It is added to what the expansion has inserted.
    """
    work, pins = dict(portfolio.work), list(portfolio.policy.pins)
    for id, item in plan.items.items():
        change = portfolio.work[id].change if id in portfolio.work else None
        if change is None or change.window is None or item.window is None:
            continue
        window = portfolio.windows.get(change.window)
        if window is None or not window.overhead:
            continue
        day = item.window[0].astimezone(ZoneInfo(window.zone or portfolio.zone)).date()
        name = f"{change.window}@{day}~overhead"
        if name not in work:
            work[name] = WorkItem(
                title=f"Overhead of {change.window}",
                type=WorkType.INTERNAL,
                change=Change(kind=ChangeKind.STANDARD, window=change.window),
                needs=tuple(
                    Need(skill=skill, effort=Estimate(low=effort, likely=effort, high=effort))
                    for skill, effort in window.overhead.items()
                ),
            )
            pins.append(Pin(work=name, window=change.window, on=When(text=str(day))))
            expansion.inserted[name] = InsertedItem(item=work[name], of=change.window, kind=OVERHEAD)
    if len(pins) == len(portfolio.policy.pins):
        return portfolio
    policy = portfolio.policy.model_copy(update={"pins": tuple(pins)})
    return portfolio.model_copy(update={"work": work, "policy": policy})


class Changes:
    """The changes of the schedule; each on its own is asked by :class:`Schedule`."""

    def __init__(self, schedule: Schedule, violations: Violations) -> None:
        self._schedule, self._facts, self._say = schedule, schedule.facts, violations.add
        self._portfolio = schedule.facts.portfolio
        work = schedule.facts.work
        self._services = {
            name: frozenset(change.services)
            for name in schedule.items
            if (change := work[name].change) is not None and change.services
        }

        self._overhead = {name for name, told in schedule.plan.inserted.items() if told.kind == OVERHEAD}

    def check(self) -> None:
        for name in self._overhead - self._schedule.items.keys():
            text = f"{name}, which the use of an occurrence takes, is not in the schedule"
            self._say("window-overhead", [name], text)
        self._conflicts()
        self._limits()
        self._pins()

    def _conflicts(self) -> None:
        """Of two changes on near services, one is finished before the other starts; those begun may overlap."""
        hops = self._portfolio.policy.conflict_hops
        if hops is None:
            return
        near = _near(self._portfolio, hops)
        reach = {name: frozenset().union(*(near[s] for s in mine)) for name, mine in self._services.items()}
        spans = sorted((*self._span(name), name) for name in self._services)
        running: list[tuple[float, float, str]] = []
        for start, finish, name in spans:
            running = [span for span in running if span[1] > start]
            for _, until, other in running if finish > start else ():
                both_begun = self._facts.begun(name) and self._facts.begun(other)
                if not both_begun and not reach[name].isdisjoint(self._services[other]):
                    hours = (min(until, finish) - start) / 3600
                    text = f"{name} and {other} alter services at most {hops} hops apart, and overlap by {hours:g} h"
                    self._say("change-conflict", [name, other], text, start, hours)
            if finish > start:
                running.append((start, finish, name))

    def _span(self, name: str) -> tuple[float, float]:
        """From start, or as-of where it has begun, to finish."""
        item, clock = self._schedule.items[name], self._facts.clock
        start = clock.as_of * clock.slot if self._facts.begun(name) else seconds(item.start)
        return start, seconds(item.finish)

    def _limits(self) -> None:
        """The changes in one occurrence, and their risks together."""
        inside: dict[tuple[str, Span], list[str]] = {}
        for name, item in self._schedule.items.items():
            change = self._facts.work[name].change
            if change is not None and change.window is not None and item.window is not None:
                if name in self._overhead:
                    continue
                span = int(seconds(item.window[0])), int(seconds(item.window[1]))
                inside.setdefault((change.window, span), []).append(name)
        for (window, (begin, _)), names in inside.items():
            limit = self._portfolio.windows[window]
            if limit.changes is not None and len(names) > limit.changes:
                text = f"{len(names)} changes run in {window} of {clock_text(begin)}, whose limit is {limit.changes}"
                self._say("window-changes", [window, *names], text, begin, len(names) - limit.changes)
            risks = [change.risk or 0 for n in names if (change := self._facts.work[n].change) is not None]
            if limit.risk is not None and sum(risks) > limit.risk:
                text = f"changes of risk {sum(risks)} run in {window} of {clock_text(begin)}; its limit is {limit.risk}"
                self._say("window-risk", [window, *names], text, begin, sum(risks) - limit.risk)

    def _pins(self) -> None:
        """A pinned change runs in the pinned window, in an occurrence that begins on the day."""
        for name, item in self._schedule.items.items():
            for pin in self._facts.pins(name):
                change = self._facts.work[name].change
                window = change.window if change is not None else None
                if pin.window is not None and pin.window != window:
                    text = f"{name} is pinned to window {pin.window}; it runs in {window or 'none'}"
                    self._say("pin-window", [name, pin.window], text)
                elif window is not None:
                    zone = self._facts.window_zone(window)
                    begins = None if item.window is None else item.window[0].astimezone(zone).date()
                    for day in self._facts.pinned_days(name):
                        if begins != day:
                            text = f"{name} is pinned to the {window} of {day}; it runs in that of {begins or 'no day'}"
                            self._say("pin-window", [name, window], text)


def _near(portfolio: Portfolio, hops: int) -> dict[str, frozenset[str]]:
    """Of each service those that are at most so many links of ``depends_on``, in any direction, away; itself too."""
    links: dict[str, set[str]] = {service: set() for service in portfolio.services}
    for service, entry in portfolio.services.items():
        for other in entry.depends_on:
            links[service].add(other)
            links[other].add(service)
    found = {}
    for service in portfolio.services:
        away = {service: 0}
        queue = deque([service])
        while queue:
            at = queue.popleft()
            if away[at] < hops:
                for other in links[at] - away.keys():
                    away[other] = away[at] + 1
                    queue.append(other)
        found[service] = frozenset(away)
    return found
