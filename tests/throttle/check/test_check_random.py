"""The checker against a slow, literal reading of docs/plan.md, on random portfolios that use every feature."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings

from support.naive import Naive, Placed
from support.portfolios import portfolios, random_portfolio
from throttle.check import check
from throttle.check.facts import unknown_rules
from throttle.obeyed import refusals
from throttle_models import LagKind, LinkType, Portfolio, Reason, Status, WorkType
from throttle_models.references import dangling_references

ABOUT_A_SCHEDULE = {
    "before-as-of", "start-closed", "wrong-work", "paused", "person-overload", "environment-overload", "precedence",
    "not-before", "approval", "outside-window", "freeze", "pin-start", "pin-who", "person-wip", "projects-in-process",
    "type-wip", "team-wip", "rope",
}  # fmt: skip


@pytest.mark.parametrize("seed", range(30, 46))
def test_a_plan_that_follows_the_rules_has_no_violation(seed: int) -> None:
    naive = Naive(random_portfolio(seed, items=4), days=400)
    naive.schedule()
    assert [v.message for v in check(naive.plan()).violations] == []


def test_checker_and_literal_reading_agree_on_disturbed_schedules() -> None:
    """Items are moved and get other crews; their work stays what open time gives, and all that is told of it fits."""
    seen = {True: 0, False: 0}
    for seed in range(106, 128):
        rng = Random(seed)
        naive = Naive(random_portfolio(seed, items=4), days=400)
        naive.schedule()
        for _ in range(8):
            before = dict(naive.placed)
            if disturb(naive, rng):
                sound, verdict = naive.sound(), check(naive.plan())
                told = {v.kind for v in verdict.violations}
                assert told <= ABOUT_A_SCHEDULE, (seed, told)
                assert verdict.ok == sound, (seed, told)
                seen[sound] += 1
            naive.placed = before
    assert min(seen.values()) > 20, seen


@pytest.mark.parametrize("seed", range(60, 68))
def test_no_reason_holds_for_an_item_that_can_be_scheduled(seed: int) -> None:
    naive = Naive(random_portfolio(seed, items=4), days=400)
    naive.schedule()
    possible = dict(naive.placed)
    for name in possible:
        for reason in Reason:
            naive.placed = {n: at for n, at in possible.items() if n != name}
            naive.left[name] = reason
            wrong = [v.ids for v in check(naive.plan()).violations if v.kind == "wrong-reason"]
            assert (name,) in wrong, reason
        del naive.left[name]


def disturb(naive: Naive, rng: Random) -> bool:
    """Moves an item by some slots, with another crew perhaps; whether there was one that could be."""
    names = [n for n, at in naive.placed.items() if at.finish > at.start]
    if not names:
        return False
    name = rng.choice(names)
    crew = rng.choice(naive.crews(name))
    start = max(naive.as_of, naive.placed[name].start + rng.choice((-1, 1)) * rng.choice((1, 2, 5, 8, 24, 48)))
    at: Placed | None = None
    end = start + 14 * 86400 // naive.size
    while at is None and start < end:
        at = naive.run(name, crew, start)
        start += 1
    if at is None:
        return False
    naive.placed[name] = at
    change = naive.work[name].change
    if change and change.window:
        at.window = naive.occurrence(name, at)
    return True


@given(portfolios())
@settings(max_examples=60, deadline=None)
def test_random_portfolios_resolve_and_use_only_what_plans_obey(portfolio: Portfolio) -> None:
    assert dangling_references(portfolio) == []
    assert unknown_rules(portfolio) == []
    assert refusals(portfolio) == []


def test_random_portfolios_use_every_feature_that_plans_obey() -> None:
    items = [item for seed in range(300) for item in random_portfolio(seed).work.values()]
    needs = [need for item in items for need in item.needs]
    links = [link for item in items for link in item.after]
    changes = [item.change for item in items if item.change]
    policies = [random_portfolio(seed).policy for seed in range(300)]
    assert {item.status for item in items} == set(Status)
    assert {item.type for item in items} == set(WorkType)
    assert {(link.type, link.lag_in) for link in links} == {(t, k) for t in LinkType for k in (None, *LagKind)}
    for used in (
        [i.parent for i in items],
        [i.wait for i in items],
        [i.duration for i in items],
        [i.environment for i in items],
        [i.not_before for i in items],
        [i.due for i in items],
        [i.on_hold for i in items],
        [not i.pausable for i in items],
        [i.costs and i.costs.tardiness for i in items],
        [i.costs and i.costs.flow for i in items],
        [i.costs and i.costs.earliness for i in items],
        [i.cost_of_delay for i in items],
        [n.who for n in needs],
        [n.level > 1 for n in needs],
        [n.people > 1 for n in needs],
        [n.allocation < 1 for n in needs],
        [n.remaining for n in needs],
        [c.window for c in changes],
        [c.rollback for c in changes],
        [c.approval and c.approval.given for c in changes],
        [p.projects_in_process for p in policies],
        [p.person_wip for p in policies],
        [p.makespan for p in policies],
        [p.externals == "assume-done" for p in policies],
        [pin.start for p in policies for pin in p.pins],
        [pin.who for p in policies for pin in p.pins],
    ):
        assert any(used)
