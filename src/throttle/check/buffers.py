"""Buffers: likely times, the critical chain and promise of each project, and the time kept before the drum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from throttle.check.clock import pieces, together
from throttle.check.kinds import Violations, clock_text, seconds
from throttle.check.schedule import Schedule
from throttle_models import (
    Fever,
    FeverLine,
    FeverPoint,
    Link,
    LinkType,
    PlannedItem,
    Portfolio,
    ProjectPlan,
    WorkItem,
    Zones,
)
from throttle_models.quantities import Likely

FIGURES = 1e-4
"""What shares may be off by: they are told to six decimals, of hours told to four."""
HOURS = 1e-3
"""What hours may be off by: they are told to four decimals."""


def by_likely(portfolio: Portfolio) -> Portfolio:
    """Each estimate counts as its likely value, where the policy asks for any buffer."""
    buffers = portfolio.policy.buffers
    if buffers is None or (buffers.project, buffers.feeding, buffers.drum) == (None, None, None):
        return portfolio
    work = dict(portfolio.work)
    for name, item in work.items():
        if any(need.effort is not None for need in item.needs):
            needs = []
            for need in item.needs:
                e = need.effort
                counted = None if e is None else Likely(low=e.low, likely=e.likely, high=e.high)
                needs.append(need.model_copy(update={"effort": counted}))
            work[name] = item.model_copy(update={"needs": tuple(needs)})
    return portfolio.model_copy(update={"work": work})


class Buffers:
    """Of all projects, and before the drum."""

    def __init__(self, schedule: Schedule, written: Portfolio, violations: Violations) -> None:
        """``written``: the portfolio before anything was added to its items."""
        self._written = by_likely(written).work
        self._schedule, self._facts, self._say = schedule, schedule.facts, violations.add
        self._items, self._clock = schedule.items, schedule.clock
        self._rule = schedule.facts.portfolio.policy.buffers
        self._place = {name: k for k, name in enumerate(schedule.facts.activities)}

    def check(self) -> None:
        rule = self._rule
        active = rule is not None and (rule.project, rule.feeding, rule.drum) != (None, None, None)
        for name, told in self._schedule.plan.projects.items():
            self._project(name, told, active)
        self.drum()
        if self._schedule.plan.fever is not None:
            self._fever(self._schedule.plan.fever)

    # projects

    def _project(self, name: str, told: ProjectPlan, active: bool) -> None:
        facts = self._facts
        if name in facts.portfolio.projects:
            members = facts.activities_of[name]
        elif name in facts.work:
            members = facts.members.get(name, (name,))
        else:
            return  # told elsewhere
        placed = [n for n in members if n in self._items]
        if not active or not placed:
            if told.chain or told.feeding or told.buffer_hours is not None:
                self._say("buffers", [name], f"{name} has buffers, and none are asked for or nothing is scheduled")
            if told.promise != told.finish:
                message = f"the promise of {name} is not its finish, and there are no buffers"
                self._say("project-figures", [name], message)
            return
        chain = self._chain(placed)
        if told.chain != tuple(chain):
            self._say("buffers", [name], f"the critical chain of {name} is {', '.join(chain)}; the plan says otherwise")
            return
        assert self._rule is not None
        hours = self._size(chain, self._rule.project) if self._rule.project is not None else 0.0
        if told.buffer_hours is None or abs(told.buffer_hours - hours) > HOURS:
            message = f"the buffer of {name} is {hours:.4f} h; the plan says {told.buffer_hours}"
            self._say("buffers", [name], message, amount=(told.buffer_hours or 0.0) - hours)
        promise = self._promise(chain, hours) if told.finish is not None else None
        says = None if told.promise is None else seconds(told.promise)
        if says != promise:
            right = "none" if promise is None else clock_text(promise)
            self._say("buffers", [name], f"the promise of {name} is {right}; the plan says {told.promise}", says)
        self._feeding(name, told, chain, placed)

    def _chain(self, placed: Sequence[str]) -> list[str]:
        """In the order of time."""
        ordered = sorted(placed, key=self._rank)
        return self._back(ordered.pop(), ordered)[::-1]

    def _rank(self, name: str) -> tuple[float, float, int]:
        item = self._items[name]
        return seconds(item.finish), seconds(item.start), -self._place[name]

    def _back(self, last: str, earlier: Sequence[str]) -> list[str]:
        """``earlier``: by rank, the least first."""
        found = [last]
        for name in reversed(earlier):
            here = self._items[found[-1]]
            if self._items[name].finish <= here.start and self._joined(name, found[-1]):
                found.append(name)
        return found

    def _joined(self, name: str, after: str) -> bool:
        if name in self._waits[after]:
            return True
        work = self._facts.work
        if set(work[name].environment) & set(work[after].environment):
            return True
        return bool(_people(self._items[name]) & _people(self._items[after]))

    @cached_property
    def _waits(self) -> dict[str, set[str]]:
        """What each activity waits for by finish-to-start links, its containers' and theirs included."""
        return {name: set(self._befores(name)) for name in self._facts.activities}

    def _befores(self, name: str) -> Iterator[str]:
        facts = self._facts
        for holder in (name, *facts.ancestors(name)):
            if holder == name or holder in facts.containers:
                for link in facts.work[holder].after:
                    if link.type is LinkType.FS:
                        yield from (n for n in self._ends(link) if n != name)

    def _ends(self, link: Link) -> Iterable[str]:
        facts = self._facts
        if link.item in facts.history or link.item not in facts.work:
            return ()
        return facts.members.get(link.item, (link.item,))

    def _times(self, name: str) -> tuple[float, float]:
        """Likely hours of the longest need, and the most hours from likely to high of any."""
        item = self._facts.work[name]
        return self._longest_need(item), max(_more(item), default=0.0)

    def _longest_need(self, item: WorkItem) -> float:
        minutes = [self._facts.person_minutes(item, n) / (n.people * n.allocation) for n in item.needs]
        return max(minutes, default=0.0) / 60

    def _size(self, chain: Iterable[str], wanted: object) -> float:
        if wanted != "auto":
            return wanted.total_seconds() / 3600  # type: ignore[attr-defined, no-any-return]
        times = [self._times(name) for name in chain]
        return max(math.sqrt(sum(more * more for _, more in times)), sum(likely for likely, _ in times) / 4)

    def _slots(self, hours: float) -> int:
        return math.ceil(round(hours, 4) * 3600 / self._clock.slot - 1e-6)

    def _promise(self, chain: Sequence[str], hours: float) -> float:
        """In working time of the crew of the last item on the chain that has one; where that is none, by the clock."""
        slot = self._clock.slot
        finish = seconds(self._items[chain[-1]].finish)
        left = self._slots(hours)
        if left == 0:
            return finish
        crew: set[str] = next((people for n in reversed(chain) if (people := _people(self._items[n]))), set())
        at, by_clock = self._clock.up(finish), finish + left * slot
        if not crew:
            return by_clock
        times = [self._facts.person_time(p) for p in sorted(crew)]
        for first, last in pieces(times, at, self._schedule.horizon):
            if last - first >= left:
                return float((first + left) * slot)
            left -= last - first
        return by_clock

    def _feeding(self, name: str, told: ProjectPlan, chain: Sequence[str], placed: Sequence[str]) -> None:
        assert self._rule is not None
        right: dict[tuple[str, str], tuple[tuple[str, ...], float, float]] = {}
        if self._rule.feeding is not None:
            beside = sorted(set(placed) - set(chain), key=self._rank)
            for into in chain:
                for k, last in enumerate(beside):
                    gap = seconds(self._items[last].finish), seconds(self._items[into].start)
                    if last in self._waits[into] and gap[0] <= gap[1]:
                        own = self._back(last, beside[:k])[::-1]
                        times = [self._facts.person_time(p) for p in sorted(_people(self._items[last]))]
                        spans = together(times, self._clock.up(gap[0]), self._clock.up(gap[1]))
                        left = sum(b - a for a, b in spans) * self._clock.slot / 3600
                        right[last, into] = tuple(own), self._size(own, self._rule.feeding), left
        says = {(f.item, f.into): (f.chain, f.hours, f.left_hours) for f in told.feeding}
        for pair in sorted(right.keys() | says.keys()):
            one, other = right.get(pair), says.get(pair)
            if one is None or other is None or one[0] != other[0]:
                message = f"where {pair[0]} joins the critical chain of {name}, at {pair[1]}, is told wrongly or not"
                self._say("buffers", [name, *pair], message)
            elif abs(one[1] - other[1]) > HOURS or abs(one[2] - other[2]) > HOURS:
                message = f"the feeding buffer of {pair[0]} is {one[1]:.4f} h with {one[2]:.4f} h left"
                self._say("buffers", [name, *pair], f"{message}; the plan says {other[1]} and {other[2]} h")

    # the drum

    def drum(self) -> None:
        """What feeds the drum is finished so much working time before the drum starts on it."""
        if self._rule is None or self._rule.drum is None:
            return
        for name in self._facts.drum_minutes:
            if name not in self._items:
                continue
            for before, slots in self.before_drum(name):
                low, high = (
                    self._clock.up(seconds(self._items[before].finish)),
                    self._clock.up(seconds(self._items[name].start)),
                )
                left = (
                    sum(b - a for a, b in together(self._schedule.people_times(name), low, high)) if low < high else 0
                )
                if left < slots:
                    short = (slots - left) * self._clock.slot / 3600
                    message = f"{before} ends {short:g} h of work too late before {name}, which is on the drum"
                    self._say("drum-buffer", [name, before], message, high * self._clock.slot, short)

    def before_drum(self, name: str) -> list[tuple[str, int]]:
        """Scheduled items that the drum waits for at this one, and the slots of work between them."""
        facts, drum = self._facts, self._facts.drum_minutes
        if self._rule is None or self._rule.drum is None or name not in drum or facts.begun(name) or self._held(name):
            return []
        return [
            (before, self._slots(self._size(self._longest(before), self._rule.drum)))
            for before in sorted(self._waits[name])
            if before not in drum and not facts.begun(before) and before in self._items
        ]

    # the fever chart

    def _fever(self, fever: Fever) -> None:
        """The zones are the policy's; what is told as of this plan follows from the lines' own figures."""
        zones = self._facts.portfolio.policy.fever or Zones()
        if fever.zones != zones:
            self._say("fever", [], "the zones of the fever chart are not the policy's")
        for name, line in fever.projects.items():
            for point in line.points:
                red, green = (at + rise * point.done for at, rise in (zones.red, zones.green))
                zone = "red" if point.used > red + 1e-9 else "yellow" if point.used > green + 1e-9 else "green"
                if point.zone != zone and seconds(point.as_of) == seconds(self._schedule.plan.as_of):
                    self._say("fever", [name], f"{name} is in the zone {zone}; the plan says {point.zone}")
            if [p.as_of for p in line.points] != sorted({p.as_of for p in line.points}):
                self._say("fever", [name], f"the points of {name} are not in the order of time")
            told = self._schedule.plan.projects.get(name)
            if told is not None and told.finish is not None and line.points:
                self._point(name, line, line.points[-1], seconds(told.finish))

    def _point(self, name: str, line: FeverLine, point: FeverPoint, finish: float) -> None:
        known = {n: hours for n, hours in line.chain.items() if n in self._facts.work}
        if not known:
            return
        done = {n: self._done(n, hours) for n, hours in known.items()}
        whole = sum(known.values())
        share = sum(known[n] * done[n] for n in known) / whole if whole else sum(done.values()) / len(done)
        used = self._late(line, finish) / line.buffer_hours
        if abs(point.done - share) > FIGURES or abs(point.used - used) > FIGURES:
            message = f"{share:.2%} of the chain of {name} is done and {used:.2%} of its buffer used"
            self._say("fever", [name], f"{message}; the plan says {point.done:.2%} and {point.used:.2%}")

    def _done(self, name: str, hours: float) -> float:
        facts = self._facts
        if name in facts.history or not facts.begun(name) or hours <= 0:
            return float(name in facts.history)
        item = self._written.get(name, facts.work[name])
        return min(1.0, max(0.0, 1 - self._longest_need(item) / hours))

    def _late(self, line: FeverLine, finish: float) -> float:
        """Hours of the crew's working time from the finish as it was to what it is."""
        was, slot = seconds(line.finish), self._clock.slot
        times = [self._facts.person_time(p) for p in line.crew if p in self._facts.portfolio.people]
        if finish <= was:
            return 0.0
        if not times:
            return (finish - was) / 3600
        return sum(b - a for a, b in together(times, self._clock.down(was), self._clock.up(finish))) * slot / 3600

    def _held(self, name: str) -> bool:
        return any(p.start is not None or p.window is not None for p in self._facts.pins(name))

    def _longest(self, name: str) -> list[str]:
        """The item and what it waits for, link by link, always the one with the longest chain behind it."""
        found = [name]
        while waits := sorted(self._waits[found[-1]], key=lambda n: self._place[n]):
            found.append(max(waits, key=lambda n: round(self._length(n), 9)))
        return found

    def _length(self, name: str) -> float:
        return self._lengths[name]

    @cached_property
    def _lengths(self) -> dict[str, float]:
        """Likely hours of the longest chain that ends with each activity."""
        found: dict[str, float] = {}
        for name in self._facts.activities:
            stack = [name]
            while stack:
                at = stack[-1]
                if missing := [n for n in self._waits[at] if n not in found]:
                    stack += missing
                else:
                    found[at] = self._times(at)[0] + max((found[n] for n in self._waits[at]), default=0.0)
                    stack.pop()
        return found


def _people(item: PlannedItem) -> set[str]:
    return {assigned.person for assigned in item.assignments}


def _more(item: WorkItem) -> Iterator[float]:
    if item.duration is None:
        for need in item.needs:
            if need.effort is not None and need.remaining is None:
                more = (need.effort.high - need.effort.likely).total_seconds() / 3600
                yield more / (need.people * need.allocation)
