"""Limits on work in process as docs/plan.md writes them, word for word, for the slow scheduler of ``support.naive``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from throttle_models import Pace, Status

if TYPE_CHECKING:
    from support.naive import Naive

WEEKS = 8


class Limits:
    """Types of work, teams, the rope, full kit and overrides of one naive schedule."""

    def __init__(self, naive: Naive) -> None:
        self.naive, self.p, self.policy = naive, naive.p, naive.p.policy

    def waived(self, limit: str) -> set[str]:
        found: set[str] = set()
        for override in self.policy.overrides:
            if override.limit == limit:
                for n in self.naive.activities:
                    own = self.naive.project(n) == override.item if override.item in self.p.projects else (
                        n == override.item
                        or (override.item not in self.naive.activities and override.item in self.naive.line(n))
                    )  # fmt: skip
                    found |= {n} if own else set()
        return found

    # the drum

    @cached_property
    def pace(self) -> Pace | None:
        """The drum, and with it the minutes of each item."""
        if self.policy.rope is None and not self.policy.full_kit:
            return None
        chosen, people = self.policy.drum, self.p.people
        if chosen == "auto":
            found = Pace(name="auto", people=self.most_loaded())
        elif chosen in people:
            found = Pace(name=chosen, people=(chosen,))
        else:
            found = Pace(name=chosen, people=tuple(p for p in people if chosen in people[p].skills), skill=chosen)
        return found if self.minutes_of(found) else None

    def parts(self) -> Iterator[tuple[str, int, float]]:
        for n in self.naive.activities:
            for i in range(len(self.naive.work[n].needs)):
                if (hours := self.naive.person_hours(n, i)) > 0:
                    yield n, i, hours * 60

    def most_loaded(self) -> tuple[str, ...]:
        naive = self.naive
        parts = [
            (naive.able(n, i), minutes)
            for n, i, minutes in self.parts()
            if naive.work[n].status is not Status.UNKNOWN and not any(naive.work[m].on_hold for m in naive.line(n))
        ]
        end = naive.as_of + WEEKS * 7 * 86400 // naive.size
        people = [p for p in self.p.people if any(p in able for able, _ in parts)]
        hours = {p: sum(naive.is_open(p, slot) for slot in range(naive.as_of, end)) for p in people}
        parts = [(able, minutes) for able, minutes in parts if any(hours[p] for p in able)]
        best, most = (), 0.0
        for count in range(1, len(people) + 1):
            for some in combinations(people, count):
                own = sum(minutes for able, minutes in parts if able <= set(some))
                room = sum(hours[p] for p in some)
                if room and own / room > most + 1e-9:
                    best, most = some, own / room
        return best

    def minutes_of(self, pace: Pace) -> dict[str, int]:
        found: dict[str, float] = {}
        for n, i, minutes in self.parts():
            able = self.naive.able(n, i)
            only = bool(able) and able <= set(pace.people)
            if self.naive.work[n].needs[i].skill == pace.skill if pace.skill else only:
                found[n] = found.get(n, 0.0) + minutes
        return {n: max(1, math.ceil(minutes - 1e-6)) for n, minutes in found.items()}

    @cached_property
    def minutes(self) -> dict[str, int]:
        return self.minutes_of(self.pace) if self.pace else {}

    @cached_property
    def kit(self) -> set[str]:
        return {n for n in self.minutes if not self.naive.begun(n)} if self.policy.full_kit else set()

    # the rope

    def groups(self, names: list[str]) -> dict[str, list[str]]:
        """Of each drum item among these, what is released with it."""
        naive, loose = self.naive, self.waived("policy.projects_in_process")
        project = {n: None if n in loose else naive.project(n) for n in names}
        after: dict[str, set[str]] = {n: set() for n in names}
        for n in names:
            for _, befores in naive.links(n):
                for before in befores:
                    if before in after:
                        after[before].add(n)
        groups = {n: [n] for n in names if n in self.minutes}
        for n in names:
            if n in groups:
                continue
            reached: set[str] = set()
            stack = [*after[n]]
            while stack:
                m = stack.pop()
                if m not in reached:
                    reached.add(m)
                    stack += [] if m in groups else after[m]
            drums = [m for m in reached if m in groups]
            if len(drums) == 1 and all(project[m] == project[n] for m in reached):
                groups[drums[0]].append(n)
        return groups

    def in_process(self, groups: dict[str, list[str]]) -> set[str]:
        """Those released at as-of."""
        found = {d for d, members in groups.items() if any(self.naive.begun(n) for n in members)}
        while True:
            needed: set[str] = set()
            stack = [n for d in found for n in groups[d]]
            while stack:
                for _, befores in self.naive.links(stack.pop()):
                    stack += [b for b in befores if b not in needed]
                    needed.update(befores)
            more = {d for d, members in groups.items() if needed & set(members)} - found
            if not more:
                return found
            found |= more

    def hold(self) -> bool:
        """Whether all that is placed keeps to the limits."""
        return self.types_hold() and self.teams_hold() and self.rope_holds()

    def types_hold(self) -> bool:
        naive = self.naive
        for kind, limit in self.policy.wip.items():
            free = self.waived(f"policy.wip.{kind.value}")
            some = {
                n: (naive.as_of if naive.begun(n) else at.start, at.finish)
                for n, at in naive.placed.items()
                if naive.work[n].type is kind and n not in free
            }
            for n, (start, finish) in some.items():
                inside = sum(first <= start < last for first, last in some.values())
                if not naive.begun(n) and start < finish and inside > limit:
                    return False
        return True

    def teams_hold(self) -> bool:
        naive = self.naive
        for name, team in self.p.teams.items():
            free = self.waived(f"teams.{name}.wip")
            some = {}
            for n, at in naive.placed.items():
                ours = [slots[-1] + 1 for who, slots in at.work.items() if self.p.people[who].team == name and slots]
                if ours and n not in free:
                    some[n] = (naive.as_of if naive.begun(n) else at.start, max(ours))
            for n, (start, _) in some.items():
                inside = sum(first <= start < last for first, last in some.values())
                if team.wip and not naive.begun(n) and inside > team.wip:
                    return False
        return True

    def rope_holds(self) -> bool:
        naive, free = self.naive, self.waived("policy.rope")
        if self.policy.rope is None or not self.minutes:
            return True
        most = int(self.policy.rope.total_seconds() // 60)
        groups = self.groups(list(naive.placed))
        inside = self.in_process(groups)
        spans = {}
        for d, members in groups.items():
            counted = [naive.placed[n] for n in members if n not in free]
            if d not in free:
                start = naive.as_of if d in inside else min(at.start for at in counted)
                spans[d] = (start, max(at.finish for at in counted))
        for d, (start, _) in spans.items():
            beside = [e for e, (first, last) in spans.items() if e != d and first <= start < last]
            total = self.minutes[d] + sum(self.minutes[e] for e in beside)
            if d not in inside and beside and total > most:
                return False
        return True
