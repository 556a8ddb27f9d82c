"""What a plan claims besides its schedule and figures: names, reasons, notes, ranges, and what an earlier plan said.

Where a claim cannot be computed anew (what a search found, what an earlier plan said), it is held against what must be
true of any such claim; and against the earlier plan itself, where that is given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import pairwise

from throttle.check.facts import Facts
from throttle.check.kinds import Violations, clock_text, seconds
from throttle.check.money import Money
from throttle.check.schedule import Schedule
from throttle_models import (
    FeverLine,
    Hold,
    Move,
    Plan,
    PlannedItem,
    Portfolio,
    Previous,
    Reason,
    Unscheduled,
)

LONGEST = timedelta(days=5 * 366)
"""How far a plan looks ahead at most."""
HASH = re.compile("[0-9a-f]{64}")
FIGURES = 1e-6
HOURS = 1e-3


def claims(schedule: Schedule, written: Portfolio, money: Money, previous: Plan | None, violations: Violations) -> None:
    """``written``: the portfolio as given. ``previous``: the plan that this one started from, where it is known."""
    _header(schedule, written, violations)
    _notes(schedule, violations)
    for hold in schedule.plan.holds:
        if hold.item in schedule.items and hold.item in schedule.facts.work:
            _reason(schedule.facts, hold, violations)
    for name, left in schedule.plan.unscheduled.items():
        if name in set(schedule.facts.activities):
            _left_out(schedule, name, left, violations)
    _previous(schedule, money, violations)
    _fever(schedule, violations)
    if previous is not None:
        _Earlier(schedule, previous, violations).check()


def _header(schedule: Schedule, written: Portfolio, violations: Violations) -> None:
    plan, clock = schedule.plan, schedule.clock
    horizon, as_of = seconds(plan.horizon), clock.as_of * clock.slot
    last = max((seconds(item.finish) for item in plan.items.values()), default=as_of)
    if horizon % clock.slot or not max(as_of, last) <= horizon <= as_of + LONGEST.total_seconds():
        message = (
            f"the horizon is a whole slot from the last finish, {clock_text(last)}, to {LONGEST.days} days from as-of; "
            f"the plan says {clock_text(horizon)}"
        )
        violations.add("header", ["horizon"], message, horizon)
    if plan.assumptions != written.assumptions:
        violations.add("header", ["assumptions"], "the assumptions of the plan are not those of the portfolio")


def _notes(schedule: Schedule, violations: Violations) -> None:
    """A release says which limits an override takes away from it, and why; others have no note."""
    facts, said = schedule.facts, dict[str, list[str]]()
    for override in facts.portfolio.policy.overrides:
        for name in facts.under(override.item):
            said.setdefault(name, []).append(f"{override.limit} does not hold for it: {override.reason}")
    for release in schedule.plan.releases:
        right = "; ".join(dict.fromkeys(said.get(release.item, ())))
        if release.note != right:
            message = f"the note of {release.item} is not what the overrides of the policy say of it"
            violations.add("overrides", [release.item], message)


# --- reasons ---------------------------------------------------------------------------------------------------------


def _reason(facts: Facts, hold: Hold, violations: Violations) -> None:
    """A rule can only keep an item that it is for, and what a reason refers to has to do with it."""
    name, work, policy = hold.item, facts.work[hold.item], facts.portfolio.policy
    portfolio, change = facts.portfolio, facts.work[hold.item].change
    dates = {kind for kind, _, _ in facts.earliest(name)}
    limits = [policy.projects_in_process, policy.person_wip, *policy.wip.values()]
    limits += [who.wip for who in portfolio.people.values()] + [team.wip for team in portfolio.teams.values()]
    waits = _waits(facts, name)
    buffers = policy.buffers
    concerned: Mapping[Reason, Callable[[], bool]] = {
        Reason.PREDECESSOR: lambda: bool(waits & set(hold.refs or waits)),
        Reason.KIT: lambda: name in facts.kit and bool(waits & set(hold.refs or waits)),
        Reason.PEOPLE: lambda: bool(work.needs),
        Reason.WIP: lambda: any(limit is not None for limit in limits),
        Reason.ROPE: lambda: policy.rope is not None,
        Reason.ENVIRONMENT: lambda: bool(work.environment),
        Reason.WINDOW: lambda: change is not None and change.window is not None,
        Reason.RELEASE: lambda: "not-before" in dates,
        Reason.APPROVAL: lambda: "approval" in dates,
        Reason.PINNED: lambda: bool(facts.pins(name)),
        Reason.CONFLICT: lambda: change is not None and bool(change.services),
        Reason.CALENDAR: lambda: bool(facts.needs(name) or work.environment),
        Reason.FREEZE: lambda: bool(facts.freezes(name)),
        Reason.RESERVE: lambda: policy.reserve is not None or any(p.reserve for p in portfolio.people.values()),
        Reason.LATE: lambda: (
            (policy.goals is not None and policy.goals.start == "late")
            or (buffers is not None and buffers.feeding is not None)
        ),
    }
    holds = concerned.get(hold.reason)
    if holds is not None and not holds():
        message = f"{name} is held because of {hold.reason}, and nothing of the kind, or that it refers to, concerns it"
        violations.add("hold-list", [name], message)


def _waits(facts: Facts, name: str) -> set[str]:
    """All that a reason may name of what an item waits for: what links name, and the activities behind."""
    found: set[str] = set()
    for bound in facts.bounds(name):
        found.update((bound.link.item, *bound.befores))
    return found


def _left_out(schedule: Schedule, name: str, left: Unscheduled, violations: Violations) -> None:
    """What the reason refers to is what it is about."""
    facts, refs = schedule.facts, set(left.refs)
    item = facts.work[name]
    bounds = list(facts.bounds(name))
    window = item.change.window if item.change is not None else None
    meant: dict[Reason, set[str]] = {
        Reason.EXTERNAL: {b.link.item for b in bounds if b.external is not None and b.external.expected is None},
        Reason.UNSCHEDULED: {n for b in bounds for n in b.befores if n in schedule.plan.unscheduled},
        Reason.NO_CAPACITY: {e for e, n in item.environment.items() if n > facts.portfolio.environments[e].capacity},
        Reason.ON_HOLD: {n for n in (name, *facts.ancestors(name)) if facts.work[n].on_hold is not None},
        Reason.NO_WINDOW: {window} if window is not None else set(),
    }
    some = meant.get(left.reason, set())
    if not refs <= (some or refs):
        message = f"{name} is left out because of {left.reason}, which is about {', '.join(sorted(some))}"
        violations.add("unknown-reference", [name, *left.refs], f"{message}; the plan refers to something else")


# --- what an earlier plan said ---------------------------------------------------------------------------------------


def _previous(schedule: Schedule, money: Money, violations: Violations) -> None:
    """What a replan tells of the plan that it started from hangs together."""
    plan, told = schedule.plan, schedule.plan.previous
    if told is None:
        return
    wrong: list[tuple[tuple[str, ...], str]] = []
    if seconds(told.as_of) > seconds(plan.as_of) + schedule.clock.slot:
        wrong.append(((), f"the plan before is as of {clock_text(seconds(told.as_of))}, which is after this one"))
    if HASH.fullmatch(told.input_hash) is None:
        wrong.append(((), "the hash of the portfolio before is no SHA-256 in hexadecimal digits"))
    for move in told.moves:
        if (text := _move(plan.items.get(move.item), move, told)) is not None:
            wrong.append(((move.item,), text))
    if len({move.item for move in told.moves}) < len(told.moves):
        wrong.append(((), "an item is among the moved starts more than once"))
    if not 0 <= told.frozen <= told.kept <= len(plan.items):
        wrong.append(((), f"{told.kept} starts are kept, and {told.frozen} of them frozen, of {len(plan.items)} items"))
    if abs(told.cost - money.moving) > FIGURES + 1e-9 * abs(money.moving):
        wrong.append(((), f"the cost of moving is {money.moving:.9g}; the plan says {told.cost:.9g}"))
    for ids, message in wrong:
        violations.add("moves", ids, message)


def _move(item: PlannedItem | None, move: Move, told: Previous) -> str | None:
    now = None if item is None else item.start
    if move.now != now or move.before == now or not move.reason.strip():
        return f"the move of {move.item} does not end at its start, is none, or has no words"
    if move.before < told.as_of:
        return f"{move.item} was to start before the plan that said so"
    return None


def _fever(schedule: Schedule, violations: Violations) -> None:
    """A line begins with a promise of an earlier plan, and has its points in the order of time, to now."""
    plan, work = schedule.plan, schedule.facts.work
    if plan.fever is None:
        return
    for name, line in plan.fever.projects.items():
        finished = name in plan.projects and plan.projects[name].finish is not None
        last = line.points[-1].as_of if line.points else None
        if finished and last != plan.as_of and any(item in work for item in line.chain):
            violations.add("fever", [name], f"the fever line of {name} has no point as of this plan")
        for text in _line(plan, line):
            violations.add("fever", [name], f"the fever line of {name}: {text}")


def _line(plan: Plan, line: FeverLine) -> Iterator[str]:
    until = plan.as_of if plan.previous is None else min(plan.as_of, plan.previous.as_of)
    if line.since > until:
        yield "it begins after the plan that this one started from"
    buffer = line.buffer_hours
    if not (math.isfinite(buffer) and buffer > 0):
        yield "a line has a buffer"
    elif (seconds(line.promise) - seconds(line.finish)) / 3600 < buffer - HOURS:
        yield "between the finish and the promise there is less time than the buffer"
    if line.finish < line.since:
        yield "it is finished before the plan that says so"
    if not line.chain or any(not hours >= 0 for hours in line.chain.values()):
        yield "there is no chain of likely hours"
    zones = plan.fever.zones if plan.fever is not None else None
    for point in line.points:
        if not line.since <= point.as_of <= plan.as_of:
            yield "a point is not between its first plan and this one"
        if not (0 <= point.done <= 1 and point.used >= 0):
            yield "a point has a share done from 0 to 1, and none of the buffer or more used"
        elif zones is not None:
            red, green = (at + rise * point.done for at, rise in (zones.red, zones.green))
            zone = "red" if point.used > red + 1e-9 else "yellow" if point.used > green + 1e-9 else "green"
            if point.zone != zone:
                yield f"the point of {clock_text(seconds(point.as_of))} is in the zone {zone}, and called {point.zone}"
    if any(one.as_of >= other.as_of for one, other in pairwise(line.points)):
        yield "its points are not in the order of time"


class _Earlier:
    """A replan against the plan that it started from."""

    def __init__(self, schedule: Schedule, previous: Plan, violations: Violations) -> None:
        self.schedule, self.plan, self.facts = schedule, schedule.plan, schedule.facts
        self.previous, self._say = previous, violations.add

    def check(self) -> None:
        told = self.plan.previous
        if told is None:
            self._say("moves", [], "the plan does not say that it started from an earlier one")
            return
        if told.as_of != self.previous.as_of or told.input_hash != self.previous.certificate.input_hash:
            self._say("moves", [], "the as-of, or the hash, of the plan before is not that of the plan before")
        self._moves(told)
        self._lines()
        self._drum()

    def _moves(self, told: Previous) -> None:
        facts, before = self.facts, self.previous.items
        overhead = {name for name, inserted in self.plan.inserted.items() if inserted.kind == "overhead"}
        open_now = {n for n in facts.activities if not facts.begun(n) and n not in overhead and n in before}
        listed = {move.item: move for move in told.moves}
        kept = 0
        for name in sorted(open_now | listed.keys()):
            item = self.plan.items.get(name)
            if name not in open_now:
                self._say("moves", [name], f"{name} is among the moved starts, and the plan before has no start of it")
            elif item is not None and item.start == before[name].start:
                kept += 1
                if name in listed:
                    self._say("moves", [name], f"{name} starts when it was to, and is among the moved starts")
            elif name not in listed or listed[name].before != before[name].start:
                message = f"{name} was to start at {clock_text(seconds(before[name].start))}, and no move says so"
                self._say("moves", [name], message)
        if told.kept != kept:
            self._say(
                "moves", [], f"{kept} starts are as they were; the plan says {told.kept}", amount=told.kept - kept
            )

    def _lines(self) -> None:
        """A line goes on as it was; a new one begins with what the plan before promised."""
        lines = self.plan.fever.projects if self.plan.fever is not None else {}
        earlier = self.previous.fever.projects if self.previous.fever is not None else {}
        promised = self.previous.projects.items() if self.previous.portfolio is not None else ()
        due = {name for name, p in promised if p.chain and p.buffer_hours and p.finish and p.promise}
        for name in sorted(earlier.keys() | lines.keys() | due):
            known = name in self.facts.portfolio.projects or name in self.facts.work
            line, was = lines.get(name), earlier.get(name)
            if line is None:
                if known:
                    self._say(
                        "fever", [name], f"the plan before promised {name} with a buffer, and it has no fever line"
                    )
            elif was is not None:
                kept = [(p.as_of, p.done, p.used) for p in was.points if p.as_of < self.plan.as_of]
                told = [(p.as_of, p.done, p.used) for p in line.points if p.as_of < self.plan.as_of]
                if line.model_copy(update={"points": ()}) != was.model_copy(update={"points": ()}) or told != kept:
                    self._say("fever", [name], f"the fever line of {name} is not the one of the plan before")
            else:
                self._begun(name, line)

    def _begun(self, name: str, line: FeverLine) -> None:
        promised = self.previous.projects.get(name)
        if promised is None:
            self._say("fever", [name], f"{name} has a fever line, and the plan before promised nothing for it")
            return
        crews = (
            tuple(a.person for a in self.previous.items[n].assignments)
            for n in reversed(promised.chain)
            if n in self.previous.items
        )
        right = (self.previous.as_of, promised.title, promised.finish, promised.promise, promised.chain)
        told = (line.since, line.title, line.finish, line.promise, tuple(line.chain))
        buffer = promised.buffer_hours
        if right != told or line.crew != next((c for c in crews if c), ()) or line.buffer_hours != buffer:
            self._say("fever", [name], f"the fever line of {name} does not begin with what the plan before promised")

    def _drum(self) -> None:
        """The name stays since when it was, or is new now."""
        told, was = self.plan.drum, self.previous.drum
        if told is None and was is not None and self.plan.bottleneck is not None:
            self._say("drum", [was.name], f"the plan before named a drum, {was.name}, and this one names none")
        if told is None or was is None:
            return
        same = (told.kind, set(told.people) or told.name) == (was.kind, set(was.people) or was.name)
        if told.since != (was.since if same else self.plan.as_of):
            self._say("drum", [told.name], f"the drum, {told.name}, is not named since then")
