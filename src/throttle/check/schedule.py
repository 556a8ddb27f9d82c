"""What holds for the items in the schedule: time, crews, work, order, limits."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from throttle.check.clock import ROUNDING, OpenTime, Span, merged, pieces, together
from throttle.check.facts import FROM_START, Bound, Facts
from throttle.check.kinds import Violations, clock_text, seconds
from throttle_models import Assignment, Plan, PlannedItem, Status

SHARES = 1e-9
"""What a sum of allocations may be off by."""


FAR = 366 * 86400
"""Seconds around the time of the plan; what lies farther out is only reported as outside."""


@dataclass(frozen=True)
class Placed:
    """An item of the schedule, in slots."""

    start: int
    finish: int
    sound: bool
    """On the grid and near the time of the plan, so that the other rules can be asked."""


class Schedule:
    """The plan's items that are activities of the portfolio, against the rules."""

    def __init__(self, plan: Plan, facts: Facts, violations: Violations) -> None:
        self.plan, self.facts, self.clock, self._say = plan, facts, facts.clock, violations.add
        activities = set(facts.activities)
        self.items: dict[str, PlannedItem] = {n: p for n, p in plan.items.items() if n in activities}
        self.horizon = min(self.clock.down(seconds(plan.horizon)), self.clock.as_of + 100 * FAR // self.clock.slot)

    @cached_property
    def placed(self) -> dict[str, Placed]:
        found = {}
        for name, item in self.items.items():
            start, finish = seconds(item.start), seconds(item.finish)
            on_grid = not start % self.clock.slot and not finish % self.clock.slot
            low, high = self.clock.as_of * self.clock.slot - FAR, self.horizon * self.clock.slot + FAR
            near = low <= start <= high and low <= finish <= high
            found[name] = Placed(self.clock.down(start), self.clock.up(finish), on_grid and near)
        return found

    def check(self) -> None:
        for name, item in self.items.items():
            self._time(name, item)
            self._crew(name, item)
            if self.placed[name].sound:
                self._work(name, item)
                self._order(name)
                self._change(name, item)
                self._pins(name, item)
        self._people()
        self._environments()
        self._person_limits()
        self._project_limit()

    # one item

    def _time(self, name: str, item: PlannedItem) -> None:
        facts, at = self.facts, self.placed[name]
        if facts.held(name) or facts.work[name].status is Status.UNKNOWN:
            self._say("not-to-plan", [name], f"{name} is on hold or of unknown status, and yet it is scheduled")
        moments = [item.start, item.finish, *(m for a in item.assignments for span in a.work for m in span)]
        off = [second for second in map(seconds, moments) if second % self.clock.slot]
        if off:
            self._say("off-grid", [name], f"{name}: {clock_text(off[0])} is not on the grid of slots", at=off[0])
        if at.start < self.clock.as_of:
            early = (self.clock.as_of - at.start) * self.clock.slot / 3600
            message = f"{name} starts {early:g} h before as-of"
            self._say("before-as-of", [name], message, seconds(item.start), early)
        if (late := seconds(item.finish) / 3600 - self.horizon * self.clock.slot / 3600) > 0:
            self._say(
                "after-horizon", [name], f"{name} finishes {late:g} h after the horizon", seconds(item.finish), late
            )

    def _crew(self, name: str, item: PlannedItem) -> None:
        facts, needs = self.facts, self.facts.needs(name)
        seen: set[str] = set()
        for assigned in item.assignments:
            who = assigned.person
            if who in seen:
                self._say("same-person", [name, who], f"{who} is assigned to {name} more than once")
            seen.add(who)
            if assigned.need not in needs:
                message = f"{who} is assigned to need {assigned.need} of {name}, which asks for nobody"
                self._say("unknown-need", [name, who], message)
            elif who not in facts.portfolio.people:
                self._say("unknown-person", [name, who], f"{who}, assigned to {name}, is not in the portfolio")
            else:
                need = needs[assigned.need][0]
                if not facts.qualified(who, need):
                    held = facts.portfolio.people[who].skills.get(need.skill or "", 0)
                    asked = f"need {assigned.need} of {name} asks for {need.level}"
                    message = f"{who} holds {need.skill} at level {held}; {asked}"
                    self._say("unqualified", [name, who], message, amount=need.level - held)
                if not facts.named(who, need):
                    message = f"{who} is not among those whom need {assigned.need} of {name} names"
                    self._say("not-named", [name, who], message)
                if abs(assigned.allocation - need.allocation) > SHARES:
                    message = f"{who} is on {name} with {assigned.allocation:.0%}; the need says {need.allocation:.0%}"
                    excess = assigned.allocation - need.allocation
                    self._say("allocation", [name, who], message, amount=excess)
        for i, (need, _) in needs.items():
            count = sum(a.need == i for a in item.assignments)
            if count != need.people:
                message = f"need {i} of {name} has {count} people and asks for {need.people}"
                self._say("crew-size", [name], message, amount=count - need.people)

    def crew_times(self, name: str) -> dict[int, list[OpenTime]]:
        """Slots of work to the open time of those who have so much to do on an item."""
        facts, needs = self.facts, self.facts.needs(name)
        found: dict[int, list[OpenTime]] = {slots: [] for _, slots in needs.values()}
        for a in self.items[name].assignments:
            if a.need in needs and a.person in facts.portfolio.people:
                found[needs[a.need][1]].append(facts.time_on(name, a.person, self.placed[name].start))
        return found

    def people_times(self, name: str) -> list[OpenTime]:
        return list(dict.fromkeys(time for times in self.crew_times(name).values() for time in times))

    def _work(self, name: str, item: PlannedItem) -> None:
        facts, at, slot = self.facts, self.placed[name], self.clock.slot
        total = facts.slots_of(name)
        if total == 0:
            if at.start != at.finish:
                length = (at.finish - at.start) * slot / 3600
                message = f"{name} is a milestone and its finish is {length:g} h after its start"
                self._say("wrong-finish", [name], message, seconds(item.finish), length)
            return
        places, crew = facts.environment_times(name), self.crew_times(name)
        everyone = dict.fromkeys(time for times in crew.values() for time in times)
        if not all(t.is_open(at.start) for t in (*everyone, *places)):
            message = f"{name} starts at {clock_text(at.start * slot)}, when not all that it needs are open"
            self._say("start-closed", [name], message, at.start * slot)
        limit = max(at.finish, self.horizon) + FAR // slot
        expected = expected_work(crew or {total: []}, places, at.start, limit)
        if expected is None:
            message = f"{name} is never done with these people and environments"
            self._say("wrong-finish", [name], message, seconds(item.finish))
            return
        finish = expected[total][-1][1]
        if finish != at.finish:
            off = (at.finish - finish) * slot / 3600
            message = f"{name} finishes at {clock_text(at.finish * slot)}; its work ends at {clock_text(finish * slot)}"
            self._say("wrong-finish", [name], message, at.finish * slot, off)
        if not facts.may_pause(name) and at.finish - at.start > total:
            pause = (at.finish - at.start - total) * slot / 3600
            message = f"{name} must not pause, and pauses for {pause:g} h"
            self._say("paused", [name], message, at.start * slot, pause)
        needs = facts.needs(name)
        for assigned in item.assignments:
            if assigned.need in needs:
                self._pieces(name, assigned, expected[needs[assigned.need][1]])

    def _pieces(self, name: str, assigned: Assignment, expected: list[Span]) -> None:
        """Pieces that touch may be written as one or as several."""
        slot = self.clock.slot
        given = [(self.clock.down(seconds(a)), self.clock.up(seconds(b))) for a, b in assigned.work]
        if (
            sorted(given) == given
            and sum(b - a for a, b in given) == sum(b - a for a, b in merged(given)) > 0
            and (merged(given) == expected)
        ):
            return
        ends = {end for span in given for end in span} ^ {end for span in expected for end in span}
        first = min(ends, default=expected[0][0])
        amount = (sum(b - a for a, b in given) - sum(b - a for a, b in expected)) * slot / 3600
        message = (
            f"the work of {assigned.person} on {name} is not what open time gives, from {clock_text(first * slot)} on"
        )
        self._say("wrong-work", [name, assigned.person], message, first * slot, amount)

    # order

    def _order(self, name: str) -> None:
        at, slot = self.placed[name], self.clock.slot
        for kind, about, moment in self.facts.earliest(name):
            if at.start * slot < moment:
                early = (moment - at.start * slot) / 3600
                what = "its approval can be given" if kind == "approval" else f"not_before of {about}"
                message = f"{name} starts {early:g} h before {what}"
                self._say(kind, [name, about], message, at.start * slot, early)
        for bound in self.facts.bounds(name):
            self._bound(name, bound)

    def _bound(self, name: str, bound: Bound) -> None:
        link = bound.link
        if bound.external is not None:
            if bound.external.expected is not None:
                self._lag(name, bound, link.item, self.clock.up(self.clock.moment(bound.external.expected)))
            elif self.facts.portfolio.policy.externals == "hold" or name in self.facts.kit:
                message = f"{name} waits for {link.item}, whose date is unknown, and yet it is scheduled"
                self._say("external-blocker", [name, link.item], message)
            return
        out = [n for n in bound.befores if n in self.plan.unscheduled]
        if out:
            message = f"{name} is scheduled, and a link makes it wait for {out[0]}, which is left out"
            self._say("waits-for-unscheduled", [name, out[0]], message)
        base, before = self.base(bound)
        if before is not None:
            self._lag(name, bound, before, base)

    def base(self, bound: Bound) -> tuple[int, str | None]:
        """The last start or finish that a link counts from, and whose it is; None where none is scheduled."""
        placed = [(n, p) for n in bound.befores if (p := self.placed.get(n)) is not None and p.sound]
        ends = [(p.start if bound.link.type in FROM_START else p.finish, n) for n, p in placed]
        return max(ends, default=(self.clock.as_of, None))

    def _lag(self, name: str, bound: Bound, before: str, base: int) -> None:
        at = self.placed[name]
        end = at.start if bound.bounds_start else at.finish
        short = self.missing(name, bound, base, end)
        if short > 0:
            hours = short * self.clock.slot / 3600
            verb, link = ("starts" if bound.bounds_start else "finishes"), bound.link
            message = f"{name} {verb} {hours:g} h too early for its {link.type} link from {before} with lag {link.lag}"
            self._say("precedence", [name, before], message, end * self.clock.slot, hours)

    def missing(self, name: str, bound: Bound, base: int, end: int) -> int:
        """Slots by which a start or finish comes too early: of the clock, or open for all people on the item."""
        lag, working = self.facts.lag(name, bound.link)
        if not working or lag == 0:
            return base + lag - end
        times = self.people_times(name)
        passed = sum(b - a for a, b in together(times, min(base, end), max(base, end)))
        return lag - (passed if end >= base else -passed)

    # changes and pins

    def _change(self, name: str, item: PlannedItem) -> None:
        change, slot = self.facts.work[name].change, self.clock.slot
        start, finish = seconds(item.start), seconds(item.finish)
        for freeze, until in self.facts.freezes(name):
            if start < until and finish > freeze:
                overlap = (min(finish, until) - max(start, freeze)) / 3600
                message = f"{name} overlaps a freeze by {overlap:g} h"
                self._say("freeze", [name], message, max(start, freeze), overlap)
        named = None if item.window is None else (seconds(item.window[0]), seconds(item.window[1]))
        if change is None or change.window is None:
            if named is not None:
                self._say("wrong-window", [name], f"{name} asks for no window, and the plan names one", named[0])
            return
        end = finish + (change.rollback.total_seconds() if change.rollback else 0)
        around = self.facts.occurrences(change.window, start, end + slot)
        fits = [(a, b) for a, b in around if a <= start and end <= b]
        if not fits:
            excess = min((max(a - start, 0) + max(end - b, 0) for a, b in around), default=end - start) / 3600
            message = f"{name} with its rollback is outside every occurrence of window {change.window}, by {excess:g} h"
            self._say("outside-window", [name, change.window], message, start, excess)
        elif named not in fits:
            begins = clock_text(fits[0][0])
            message = f"{name} runs in the occurrence of {change.window} from {begins}, and the plan does not say so"
            self._say("wrong-window", [name, change.window], message, fits[0][0])

    def _pins(self, name: str, item: PlannedItem) -> None:
        at, slot = self.placed[name], self.clock.slot
        for pin in self.facts.pins(name):
            crew = {a.person for a in item.assignments}
            if pin.who and crew != set(pin.who):
                wrong = sorted(crew ^ set(pin.who))
                self._say("pin-who", [name, *wrong], f"{name} is pinned to {', '.join(pin.who)}; its crew differs")
            if pin.start is not None:
                wanted = max(self.clock.as_of, self.clock.up(self.clock.moment(pin.start)))
                needed = [*self.people_times(name), *self.facts.environment_times(name)]
                times = needed if self.facts.slots_of(name) else []
                first = next((a for a, _ in pieces(times, wanted, max(self.horizon, at.start + 1))), None)
                if first != at.start:
                    off = None if first is None else (at.start - first) * slot / 3600
                    when = "never possible" if first is None else f"first possible at {clock_text(first * slot)}"
                    message = f"{name} has its pinned start {when}, and starts at {clock_text(at.start * slot)}"
                    self._say("pin-start", [name], message, at.start * slot, off)

    # people, places, limits

    def _people(self) -> None:
        loads: dict[str, list[tuple[float, float, float, str]]] = {}
        for name, item in self.items.items():
            for assigned in item.assignments:
                spans = loads.setdefault(assigned.person, [])
                spans += [(seconds(a), seconds(b), assigned.allocation, name) for a, b in assigned.work]
        for who, spans in loads.items():
            for at, total, names in _peaks(spans, 1 + SHARES):
                message = f"{who} is to work {total:.0%} at {clock_text(at)}, on {', '.join(names)}"
                self._say("person-overload", [who, *names], message, at, total - 1)

    def _environments(self) -> None:
        uses: dict[str, list[tuple[float, float, float, str]]] = {}
        for name, item in self.items.items():
            for place, amount in self.facts.work[name].environment.items():
                uses.setdefault(place, []).append((seconds(item.start), seconds(item.finish), amount, name))
        for place, spans in uses.items():
            capacity = self.facts.portfolio.environments[place].capacity
            for at, total, names in _peaks(spans, capacity + ROUNDING):
                message = f"{place} has a capacity of {capacity}, and {total:g} are occupied at {clock_text(at)}"
                self._say("environment-overload", [place, *names], message, at, total - capacity)

    def _person_limits(self) -> None:
        """An item is unfinished on a person until the end of their last piece of work on it.

        Those that they do out of hours, and those in their improvement time, count apart.
        """
        on: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
        as_of = self.clock.as_of * self.clock.slot
        everywhere = self.facts.waived("policy.person_wip")
        for name, item in self.items.items():
            start = as_of if self.facts.begun(name) else seconds(item.start)
            for assigned in item.assignments:
                end = max((seconds(b) for _, b in assigned.work), default=seconds(item.finish))
                known = assigned.person in self.facts.portfolio.people
                shift = self.facts.shift(name, assigned.person, self.placed[name].start) if known else ""
                on.setdefault((assigned.person, shift), []).append((start, end, name))
        for (who, _), spans in on.items():
            person = self.facts.portfolio.people.get(who)
            limit = (person.wip if person else None) or self.facts.portfolio.policy.person_wip
            if limit is not None:
                free = self.facts.waived(f"people.{who}.wip")
                free |= set() if person is not None and person.wip else everywhere
                counted = [span for span in spans if span[2] not in free]
                new = {n for _, _, n in counted if not self.facts.begun(n)}
                for at, name, names in _starts_above(counted, new, limit):
                    message = f"{name} starts on {who}, who then has {len(names)} items begun; the limit is {limit}"
                    self._say("person-wip", [who, name, *names], message, at, len(names) - limit)

    def _project_limit(self) -> None:
        limit = self.facts.portfolio.policy.projects_in_process
        if limit is None:
            return
        spans, new = [], set()
        free = self.facts.waived("policy.projects_in_process")
        for project, names in self.facts.activities_of.items():
            scheduled = [self.items[n] for n in names if n in self.items and n not in free]
            if scheduled:
                inside = self.facts.in_process(project)
                first = self.clock.as_of * self.clock.slot if inside else min(seconds(i.start) for i in scheduled)
                spans.append((first, max(seconds(i.finish) for i in scheduled), project))
                if not inside:
                    new.add(project)
        for at, project, names in _starts_above(spans, new, limit):
            message = f"project {project} starts when {len(names)} are in process; the limit is {limit}"
            self._say("projects-in-process", [project, *names], message, at, len(names) - limit)


def expected_work(
    crew: Mapping[int, list[OpenTime]], places: list[OpenTime], start: int, limit: int
) -> dict[int, list[Span]] | None:
    """For each time T in ``crew``, the slots from ``start`` on in which those who have T slots to do work.

    Work goes on where all who are not done yet, and all places, are open. None if it does not end by ``limit``.
    """
    done, at = 0, start
    so_far: list[Span] = []
    result: dict[int, list[Span]] = {}
    for until in sorted(crew):
        active = dict.fromkeys(time for slots, times in crew.items() if slots >= until for time in times)
        for a, b in pieces([*active, *places], at, limit):
            at = min(b, a + until - done)
            so_far.append((a, at))
            done += at - a
            if done == until:
                break
        if done < until:
            return None
        result[until] = merged(so_far)
    return result


def _peaks(
    spans: list[tuple[float, float, float, str]], capacity: float
) -> Iterator[tuple[float, float, tuple[str, ...]]]:
    """Moments at which the sum of amounts rises above a capacity, with the sum and who takes part."""
    events = sorted((at, change, amount) for a, b, amount, _ in spans if a < b for at, change in ((a, 1), (b, -1)))
    total, above = 0.0, False
    for i, (at, change, amount) in enumerate(events):
        total += change * amount
        if i + 1 < len(events) and events[i + 1][0] == at:
            continue
        if total > capacity and not above:
            yield at, total, tuple(dict.fromkeys(n for a, b, _, n in spans if a <= at < b))
        above = total > capacity


def _starts_above(
    spans: list[tuple[float, float, str]], new: set[str], limit: int
) -> Iterator[tuple[float, str, tuple[str, ...]]]:
    """New starts at which more than ``limit`` are begun and unfinished, the new one included, with all these."""
    starts, ends = sorted(a for a, _, _ in spans), sorted(b for _, b, _ in spans)
    for start, end, name in spans:
        if name in new and bisect_right(starts, start) - bisect_right(ends, start) + (end <= start) > limit:
            yield start, name, tuple(dict.fromkeys(n for a, b, n in spans if a <= start < b or n == name))
