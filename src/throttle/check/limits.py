"""Limits on work in process: by type of work, in teams, and the rope of the drum (docs/plan.md, Limits)."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

from throttle.check.facts import Facts
from throttle.check.kinds import Violations, seconds
from throttle.check.schedule import Schedule
from throttle_models import Pace

WEEKS = 8
"""The most loaded people are found by their hours of so many weeks from as-of."""
RELATIVE = 1e-6
"""What the load of the drum may fall short by of the largest, as a share of it."""


@dataclass(frozen=True)
class Begun:
    """Something in process, in seconds; ``new`` if it was not at as-of."""

    name: str
    start: float
    end: float
    new: bool
    demand: int = 1


def limits(schedule: Schedule, violations: Violations) -> None:
    if tuple(schedule.plan.overrides) != schedule.facts.portfolio.policy.overrides:
        violations.add("overrides", [], "the plan does not tell the overrides of the policy as they are")
    _types(schedule, violations)
    _teams(schedule, violations)
    _pace(schedule, violations)
    _rope(schedule, violations)


def _types(schedule: Schedule, violations: Violations) -> None:
    facts, as_of = schedule.facts, schedule.clock.as_of * schedule.clock.slot
    for kind, limit in facts.portfolio.policy.wip.items():
        free = facts.waived(f"policy.wip.{kind.value}")
        some = []
        for name, item in schedule.items.items():
            if facts.work[name].type is kind and name not in free:
                start = as_of if facts.begun(name) else seconds(item.start)
                if start < (end := seconds(item.finish)):
                    some.append(Begun(name, start, end, not facts.begun(name)))
        for one, names, total in _above(some, limit):
            message = f"{one.name} starts when {total} {kind.value} items are begun; the limit is {limit}"
            violations.add("type-wip", [one.name, *names], message, one.start, total - limit)


def _teams(schedule: Schedule, violations: Violations) -> None:
    """An item is begun in a team until the last piece of work that one of the team has on it."""
    facts, as_of = schedule.facts, schedule.clock.as_of * schedule.clock.slot
    people = facts.portfolio.people
    for team, entity in facts.portfolio.teams.items():
        if entity.wip is None:
            continue
        some = []
        for name, item in schedule.items.items():
            ends = [
                max((seconds(b) for _, b in a.work), default=seconds(item.finish))
                for a in item.assignments
                if a.person in people and people[a.person].team == team
            ]
            if ends:
                start = as_of if facts.begun(name) else seconds(item.start)
                some.append(Begun(name, start, max(ends), not facts.begun(name)))
        free = facts.waived(f"teams.{team}.wip")
        for one, names, total in _above([b for b in some if b.name not in free], entity.wip):
            message = f"{one.name} starts in team {team}, which then has {total} items begun; the limit is {entity.wip}"
            violations.add("team-wip", [team, one.name, *names], message, one.start, total - entity.wip)


def _rope(schedule: Schedule, violations: Violations) -> None:
    facts, rope = schedule.facts, schedule.facts.portfolio.policy.rope
    if rope is None:
        return
    limit, as_of = int(rope / timedelta(minutes=1)), schedule.clock.as_of * schedule.clock.slot
    free = facts.waived("policy.rope")
    groups, inside = released_together(facts, schedule.items)
    some = []
    for drum, members in groups.items():
        counted = [schedule.items[n] for n in members if n not in free]
        if drum not in free:
            start = as_of if drum in inside else min(seconds(i.start) for i in counted)
            end = max(seconds(i.finish) for i in counted)
            some.append(Begun(drum, start, end, drum not in inside, facts.drum_minutes[drum]))
    for one, names, total in _above(some, limit):
        if total > one.demand:
            message = (
                f"{one.name} and what leads to it start when {total / 60:g} h are released and unfinished on the drum; "
                f"the rope is {limit / 60:g} h"
            )
            violations.add("rope", [one.name, *names], message, one.start, (total - limit) / 60)


def _above(some: list[Begun], limit: int) -> Iterator[tuple[Begun, list[str], int]]:
    """Each new one at whose start more than the limit is in process, itself included; with the others and the sum."""
    starts, ends = sorted(some, key=lambda b: b.start), sorted(some, key=lambda b: b.end)
    begun = [0, *accumulate(b.demand for b in starts)]
    ended = [0, *accumulate(b.demand for b in ends)]
    for one in some:
        if not one.new:
            continue
        total = begun[bisect_right(starts, one.start, key=lambda b: b.start)]
        total -= ended[bisect_right(ends, one.start, key=lambda b: b.end)]
        total += one.demand if one.end <= one.start else 0
        if total > limit:
            yield one, [b.name for b in some if b is not one and b.start <= one.start < b.end], total


# --- the drum ------------------------------------------------------------------------------------------------------


def _pace(schedule: Schedule, violations: Violations) -> None:
    """Whether the plan's drum is the one that the policy means."""
    facts, told = schedule.facts, schedule.plan.pace
    policy, people = facts.portfolio.policy, facts.portfolio.people
    if not facts.paced:
        if told is not None:
            violations.add("pace", [told.name], "a drum is told of, and no rope, full kit or drum buffer asks for one")
        return
    if told is not None and told.name not in (policy.drum, _name(facts, told)):
        violations.add(
            "pace", [told.name], f"a drum is called {told.name}, and its people or skill {_name(facts, told)}"
        )
    if policy.drum == "auto":
        if told is not None and told.skill is not None:
            violations.add("pace", [told.name], "a drum that is found is no skill")
        _most_loaded(facts, told.people if told else (), violations)
    elif told is None:
        if facts.drum_minutes:
            violations.add("pace", [policy.drum], f"the plan does not say that its drum is {policy.drum}")
        return
    elif not facts.drum_minutes:
        violations.add("pace", [told.name], f"{told.name} is called the drum, and has no work")
    else:
        skill = None if policy.drum in people else policy.drum
        right = tuple(p for p, who in people.items() if (p == policy.drum if skill is None else skill in who.skills))
        if told.people != right or told.skill != skill:
            violations.add("pace", [told.name], f"the drum of the policy is {policy.drum}; the plan says {told.name}")


def _name(facts: Facts, told: Pace) -> str:
    """One or two people by their names; of more the first three ids; a skill by its own."""
    if told.skill is not None or not told.people:
        return facts.portfolio.policy.drum
    if len(told.people) <= 2:
        return " and ".join(facts.portfolio.people[p].name or p for p in told.people if p in facts.portfolio.people)
    more = len(told.people) - 3
    return ", ".join(told.people[:3]) + (f" and {more} more" if more > 0 else "")


def _most_loaded(facts: Facts, told: tuple[str, ...], violations: Violations) -> None:
    """No set of people has more work of their own to their hours than those told."""
    end = facts.clock.as_of + int(timedelta(weeks=WEEKS).total_seconds()) // facts.clock.slot
    work: dict[frozenset[str], float] = {}
    for name in facts.activities:
        if not facts.held(name) and facts.work[name].status.value != "unknown":
            for need in facts.work[name].needs:
                if (minutes := facts.person_minutes(facts.work[name], need)) > 0:
                    work[facts.able(need)] = work.get(facts.able(need), 0.0) + minutes
    hours = {
        p: float(sum(b - a for a, b in facts.person_time(p).spans(facts.clock.as_of, end)))
        for p in sorted({p for able in work for p in able})
    }
    there: dict[frozenset[str], float] = {}
    for able, minutes in work.items():
        if some := frozenset(p for p in able if hours[p] > 0):
            there[some] = there.get(some, 0.0) + minutes
    ordered = tuple(p for p in facts.portfolio.people if p in set(told))
    own = sum(minutes for able, minutes in there.items() if able <= set(told))
    room = sum(hours.get(p, 0.0) for p in told)
    if not there and not told:
        return
    if told != ordered or not own or not room:
        violations.add("pace", list(told), "the drum is no set of people with work and hours of their own")
        return
    level = own / room * (1 + RELATIVE)
    if _flow(there, {p: h * level for p, h in hours.items() if h > 0}) < sum(there.values()) * (1 - RELATIVE / 10):
        message = f"{', '.join(told)} are called the drum, and others have more work of their own to their hours"
        violations.add("pace", list(told), message)


def _flow(work: Mapping[frozenset[str], float], room: Mapping[str, float]) -> float:
    """How much work finds room with those who may do it (maximum flow by shortest paths: Edmonds and Karp, 1972)."""
    left, free = dict(work), dict(room)
    given: dict[tuple[frozenset[str], str], float] = {}
    of: dict[str, list[frozenset[str]]] = {}
    for able in work:
        for p in able:
            of.setdefault(p, []).append(able)
    placed, least = 0.0, sum(work.values()) * 1e-12
    for able in work:
        while left[able] > least:
            # the shortest way from this work to someone with room, through work that may move to others
            came: dict[str, tuple[frozenset[str], str | None]] = {}
            queue: deque[tuple[frozenset[str], str | None]] = deque([(able, None)])
            seen, goal = {able}, None
            while queue and goal is None:
                at, before = queue.popleft()
                for p in sorted(at):
                    if p in came:
                        continue
                    came[p] = at, before
                    if free[p] > least:
                        goal = p
                        break
                    for other in of[p]:
                        if other not in seen and given.get((other, p), 0.0) > least:
                            seen.add(other)
                            queue.append((other, p))
            if goal is None:
                break
            way: list[tuple[frozenset[str], str, str | None]] = []
            to: str | None = goal
            while to is not None:
                at, before = came[to]
                way.append((at, to, before))
                to = before
            amount = min(left[able], free[goal], *(given[at, b] for at, _, b in way if b is not None))
            for at, taker, giver in way:
                given[at, taker] = given.get((at, taker), 0.0) + amount
                if giver is not None:
                    given[at, giver] -= amount
            left[able] -= amount
            free[goal] -= amount
            placed += amount
    return placed


def released_together(facts: Facts, items: Collection[str]) -> tuple[dict[str, list[str]], set[str]]:
    """Of each scheduled drum item, what is released with it, itself included; and those in process at as-of."""
    loose = facts.waived("policy.projects_in_process")
    project = {n: None if n in loose else facts.project_of[n] for n in items}
    befores = {n: [b for bound in facts.bounds(n) for b in bound.befores if b in project] for n in items}
    following: dict[str, list[str]] = {n: [] for n in items}
    for name, some in befores.items():
        for before in some:
            following[before].append(name)
    groups = {n: [n] for n in facts.drum_minutes if n in project}
    first: dict[str, frozenset[str]] = {}
    met: dict[str, frozenset[str | None]] = {}
    open_ = {n: len(following[n]) for n in items}
    ready = [n for n in items if not open_[n]]
    for name in ready:  # grows as it is read: what follows comes first
        for before in befores[name]:
            open_[before] -= 1
            if not open_[before]:
                ready.append(before)
        drums: set[str] = set()
        projects: set[str | None] = set()
        for after in dict.fromkeys(following[name]):
            projects.add(project[after])
            if after in groups:
                drums.add(after)
            else:
                drums |= first[after]
                projects |= met[after]
        # two are as good as many
        first[name], met[name] = frozenset(sorted(drums)[:2]), frozenset(list(projects)[:2])
        if name not in groups and len(drums) == 1 and projects == {project[name]}:
            groups[drums.pop()].append(name)
    of = {n: drum for drum, members in groups.items() for n in members}
    inside = {of[n] for n in of if facts.begun(n)}
    stack = [n for drum in inside for n in groups[drum]]
    seen = set(stack)
    while stack:
        name = stack.pop()
        more = set(befores[name])
        for before in tuple(more):
            if before in of:
                inside.add(of[before])
                more.update(groups[of[before]])
        stack += more - seen
        seen |= more
    return groups, inside
