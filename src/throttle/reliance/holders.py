"""Who holds what the work needs, and how few may be lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import combinations, islice
from math import comb

import numpy as np

from throttle.graph import WorkGraph
from throttle.loads import Entry, Loads, skill_label
from throttle_models import Plan, Portfolio
from throttle_models.reliance import BusFactor, Held

TRIES = 50_000
"""Groups of one size that are tried at most; with more, the smallest group is looked for greedily."""
AT_ONCE = 4096

Needs = Sequence[tuple[frozenset[str], int]]
"""Of an item: who can do each of its needs, and how many of them it takes at once."""


def needs_of(portfolio: Portfolio, graph: WorkGraph, ids: Iterable[str]) -> dict[str, Needs]:
    """Of open items that take somebody's work."""
    found: dict[str, Needs] = {}
    for id in ids:
        rows = [(frozenset(graph.able(need)), need.people) for need in portfolio.work[id].needs]
        if rows:
            found[id] = rows
    return found


def held(loads: Loads, entries: Iterable[Entry]) -> dict[str, Held]:
    """By skill and level, those with the fewest holders and then the most work first."""
    hours: dict[str, float] = {}
    items: dict[str, set[str]] = {}
    who: dict[str, tuple[str, ...]] = {}
    for id, q, _, left in entries:
        need = loads.portfolio.work[id].needs[q]
        if need.skill is None:
            continue
        label = skill_label(need.skill, need.level)
        hours[label] = hours.get(label, 0.0) + left
        items.setdefault(label, set()).add(id)
        if label not in who:
            who[label] = tuple(
                p for p, about in loads.portfolio.people.items() if about.skills.get(need.skill, 0) >= need.level
            )
    order = sorted(hours, key=lambda label: (len(who[label]), -hours[label], label))
    return {k: Held(holders=who[k], items=len(items[k]), hours=round(hours[k], 4)) for k in order}


def bus_factor(work: Mapping[str, Needs]) -> BusFactor:
    """The smallest group without which more than half of the items have nobody.

    An item counts as orphaned where one of its needs has fewer people left than it takes; items that have too few
    already count on neither side.
    """
    rows = [needs for needs in work.values() if all(len(able) >= count for able, count in needs)]
    if not rows:
        return BusFactor(factor=None)
    people = sorted({p for needs in rows for able, _ in needs for p in able})
    loss = _Loss(rows, people)
    greedy = _greedy(rows, people)
    for size in range(1, len(greedy)):
        if comb(len(people), size) > TRIES:
            return _factor(rows, greedy, exact=False)
        best, lost = loss.worst(size)
        if 2 * lost > len(rows):
            return _factor(rows, best, exact=True)
    return _factor(rows, greedy, exact=True)


class _Loss:
    """How many items have nobody left without a group of people; items that ask for the same are one."""

    def __init__(self, rows: Sequence[Needs], people: Sequence[str]) -> None:
        alike = Counter(frozenset((frozenset(able), count) for able, count in needs) for needs in rows)
        alike.pop(frozenset(), None)
        asked = [(able, count) for needs in alike for able, count in needs]
        self.people = people
        self.able = np.array([[p in able for able, _ in asked] for p in people], np.float32)
        self.spare = np.array([len(able) - count for able, count in asked], np.float32)
        """How many of those who are able may be missing, by need."""
        self.first = np.cumsum([0, *(len(needs) for needs in alike)])[:-1]
        self.weight = np.fromiter(alike.values(), np.int64, len(alike))

    def worst(self, size: int) -> tuple[tuple[str, ...], int]:
        """The group of that size, the first in the order of people, without which most are lost; and how many are."""
        groups = combinations(range(len(self.people)), size)
        best, most = tuple(range(size)), -1
        while some := list(islice(groups, AT_ONCE)):
            missing = self.able[np.array(some, np.intp)].sum(axis=1)
            lost = np.logical_or.reduceat(missing > self.spare, self.first, axis=1) @ self.weight
            k = int(lost.argmax())
            if lost[k] > most:
                best, most = some[k], int(lost[k])
        return tuple(self.people[p] for p in best), most


def _factor(rows: Sequence[Needs], group: Sequence[str], exact: bool) -> BusFactor:
    lost = _orphaned(rows, group)
    return BusFactor(
        factor=len(group), group=tuple(group), orphaned=round(lost / len(rows), 6), items=len(rows), exact=exact
    )


def _orphaned(rows: Sequence[Needs], group: Collection[str]) -> int:
    gone = set(group)
    return sum(any(len(able - gone) < count for able, count in needs) for needs in rows)


def _greedy(rows: Sequence[Needs], people: Sequence[str]) -> tuple[str, ...]:
    """Always the one whose loss orphans most, and of these the one who can do most of what is left."""
    group: list[str] = []
    while 2 * _orphaned(rows, group) <= len(rows):
        left = [needs for needs in rows if not any(len(able - set(group)) < count for able, count in needs)]

        def worth(person: str, left: Sequence[Needs] = tuple(left)) -> tuple[int, float]:
            thins = sum(1 / max(1, len(able - set(group))) for needs in left for able, _ in needs if person in able)
            return _orphaned(rows, [*group, person]), thins

        group.append(max((p for p in people if p not in group), key=worth))
    return tuple(group)


def scarce(portfolio: Portfolio, graph: WorkGraph, person: str | None = None) -> list[tuple[str, int, tuple[str, ...]]]:
    """Skill, level and holders, where work needs what only one more can do than it takes at once.

    The fewest holders and then the most work first. person: only what they hold. portfolio: with what rules insert.
    """
    found: dict[tuple[str, int], tuple[tuple[str, ...], timedelta]] = {}
    for id in graph.activities:
        for need in portfolio.work[id].needs:
            if need.skill is None:
                continue
            key = need.skill, need.level
            holders = tuple(p for p, who in portfolio.people.items() if who.skills.get(need.skill, 0) >= need.level)
            if len(holders) <= need.people + 1 and (person is None or person in holders):
                spent = need.remaining if need.remaining is not None else need.effort.mean if need.effort else None
                found[key] = holders, found.get(key, (holders, timedelta(0)))[1] + (spent or timedelta(0))
    order = sorted(found, key=lambda key: (len(found[key][0]), -found[key][1], key))
    return [(*key, found[key][0]) for key in order]


def learners(portfolio: Portfolio, plan: Plan, holders: Sequence[str], skill: str, level: int) -> list[str]:
    """Who lacks a skill at a level, the nearest first: who has some of it, is of a holder's team, has little to do."""
    people = portfolio.people
    teams = {people[p].team for p in holders} - {None}
    load = dict.fromkeys(people, 0.0)
    for item in plan.items.values():
        for a in item.assignments:
            worked = sum(((last - first) for first, last in a.work), timedelta(0)) / timedelta(hours=1)
            load[a.person] = load.get(a.person, 0.0) + worked * a.allocation
    lacking = [p for p, who in people.items() if who.skills.get(skill, 0) < level]
    return sorted(
        lacking, key=lambda p: (-people[p].skills.get(skill, 0), people[p].team not in teams, round(load[p], 4), p)
    )
