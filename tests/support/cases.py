"""Small portfolios written by hand, and plans of them told in hours.

As-of is Monday, 23 November 2026, 08:00 UTC; slots are an hour, and everyone is always at work unless a case says
otherwise. Then the times of an optimal plan can be worked out on paper.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil, inf
from random import Random
from typing import Any

from support.naive import Crew, Naive, Placed
from throttle.check import check
from throttle.compile import Compiled, compile_portfolio, horizon_guess, prepared
from throttle.graph import WorkGraph
from throttle.planning import expanded_from, feasible_instance, make_plan
from throttle_models import Plan, Portfolio

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
ALWAYS = {"always": {"hours": "daily 00:00-24:00"}}
OFFICE = {"office": {"hours": "Mon-Fri 09:00-17:00"}}

Data = dict[str, Any]


def portfolio(work: Data, people: Data | int = 1, **rest: Any) -> Portfolio:
    """``people``: as in a file, or how many (p1, p2 ...) who hold no skill."""
    if isinstance(people, int):
        people = {f"p{i + 1}": {} for i in range(people)}
    data = {"as_of": MONDAY.isoformat(), "slot": "1h", "calendars": ALWAYS, "people": people, "work": work}
    return Portfolio.model_validate({**data, **rest})


def by(person: str, effort: str, **fields: Any) -> Data:
    """An item that one person does."""
    need = {"who": person, "effort": effort}
    for name in ("allocation", "people", "remaining", "skill", "level"):
        if name in fields:
            need[name] = fields.pop(name)
    return {"needs": [need], **fields}


def needing(skill: str, effort: str, **fields: Any) -> Data:
    """An item that anyone with a skill can do."""
    need = {"skill": skill, "effort": effort}
    for name in ("level", "allocation", "people"):
        if name in fields:
            need[name] = fields.pop(name)
    return {"needs": [need], **fields}


def plan_of(made_from: Portfolio, budget: float = 0.2, **how: Any) -> Plan:
    """A plan with little, but repeatable effort."""
    plan = make_plan(made_from, **{"budget": budget, "deterministic": True, **how})
    assert plan.certificate.checked
    return plan


def hours(plan: Plan) -> dict[str, tuple[float, float]]:
    """Start and finish of each item in hours after as-of."""
    return {id: (hour(plan, i.start), hour(plan, i.finish)) for id, i in plan.items.items()}


def hour(plan: Plan, moment: datetime) -> float:
    return (moment - plan.as_of) / timedelta(hours=1)


def crew(plan: Plan, item: str) -> set[str]:
    return {a.person for a in plan.items[item].assignments}


def compiled(made_from: Portfolio, slots: int | None = None) -> Compiled:
    """``slots``: the horizon; default: as planning does it, without what can never be done."""
    expanded, graph = prepared(made_from)
    made_from = expanded.portfolio
    found = compile_portfolio(made_from, graph, slots) if slots else feasible_instance(made_from, graph)
    return expanded_from(found, expanded)


def horizon(made_from: Portfolio) -> int:
    return horizon_guess(made_from, WorkGraph(made_from))


def same(plan: Plan) -> Plan:
    """The plan, once the checker has found nothing."""
    assert [v.message for v in check(plan).violations] == []
    return plan


def small(seed: int) -> Portfolio:
    """Three or four short items for one to three people, with most features; every search of it can be exhaustive."""
    random = Random(seed)
    calendars = random.choice(
        (ALWAYS, OFFICE, {**OFFICE, "berlin": {"hours": "Mon-Fri 07:00-12:00", "zone": "Europe/Berlin"}})
    )
    people: Data = {
        f"p{i + 1}": {
            "skills": random.sample(["a", "b"], random.randint(1, 2)),
            "calendar": random.choice(list(calendars)),
            **({"wip": 1} if random.random() < 0.2 else {}),
        }
        for i in range(random.randint(1, 3))
    }
    projects = {p: _money(random, due=True) for p in ("P", "Q")}
    work: Data = {}
    for i in range(random.randint(3, 4)):
        held = people[random.choice(list(people))]["skills"]
        shape = random.random()
        item: Data = needing(random.choice(held), f"{random.randint(1, 5)}h")
        if shape < 0.1:
            item = {"wait": "3h"}
        elif shape < 0.25:
            item["needs"][0]["allocation"] = "50%"
        elif shape < 0.4:
            item = {"needs": [{"skill": random.choice(held), "effort": f"{n}h"} for n in (2, random.randint(1, 3))]}
        elif shape < 0.5:
            item["pausable"] = False
        elif shape < 0.6 and len(people) > 1:
            item["needs"][0]["people"] = 2
        if random.random() < 0.5:
            item["project"] = random.choice(("P", "Q"))
        if random.random() < 0.5:
            item |= _money(random, due=False)
        if random.random() < 0.2:
            item["not_before"] = f"{random.randint(1, 20)}h"
        if "needs" in item and random.random() < 0.3:
            item["environment"] = "lab"
        if i and random.random() < 0.5:
            kind, lag = random.choice(("FS", "FS", "SS", "FF", "SF")), random.choice(("0", "2h", "-2h", "1d"))
            item["after"] = [{"item": f"W{random.randrange(i)}", "type": kind, "lag": lag}]
        work[f"W{i}"] = item
    policy: Data = {"projects_in_process": 1} if random.random() < 0.15 else {}
    if "projects_in_process" in policy:
        for item in work.values():
            item.pop("after", None)
    if random.random() < 0.15:
        policy["makespan"] = "20/hour"
    teams: Data = {}
    if random.random() < 0.15:
        policy["wip"] = {"project": random.randint(1, 2)}
    if random.random() < 0.15:
        teams["ops"] = {"wip": random.randint(1, 2)}
        for person in people.values():
            person.update({"team": "ops"} if random.random() < 0.7 else {})
    if "after" not in work["W0"] and random.random() < 0.25:
        work["W0"]["status"] = "in-progress"
    return portfolio(
        work,
        people,
        calendars=calendars,
        projects=projects,
        environments={"lab": {}},
        policy=policy,
        skills=["a", "b"],
        teams=teams,
    )


def _money(random: Random, due: bool) -> Data:
    found: Data = {"cost_of_delay": f"{random.choice((0, 1, 3, 7))}/hour"}
    if due and random.random() < 0.5:
        found["due"] = f"{random.randint(1, 30)}h"
    return found


def cheapest(made_from: Portfolio, days: int = 25) -> tuple[float, float]:
    """The least objective and the least flow of all orders and crews, each as early as the rules allow.

    By the literal reading of docs/plan.md (support.naive). No bound may lie above it, and no proven optimum either. It
    need not be the optimum: what pauses holds its places, so beginning it later may let others in. For portfolios in
    which everything has a place.
    """
    naive = Naive(made_from, days)
    cost, flow = inf, inf

    def place() -> None:
        nonlocal cost, flow
        left = [n for n in naive.activities if n not in naive.placed]
        if not left:
            cost, flow = min(cost, naive.objective()), min(flow, naive.flow())
        for name in left:
            if any(before not in naive.placed for _, befores in naive.links(name) for before in befores):
                continue
            for crew in naive.crews(name):
                if at := _first(naive, name, crew):
                    naive.placed[name] = at
                    place()
                    del naive.placed[name]

    place()
    return cost, flow


def _first(naive: Naive, name: str, crew: Crew) -> Placed | None:
    for slot in range(ceil(naive.earliest(name) / naive.size), naive.horizon):
        at = naive.run(name, crew, slot)
        if at and naive.allowed_alone(name, at, True) and naive.allowed(name, at):
            return at
    return None
