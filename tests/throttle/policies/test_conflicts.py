"""Changes on near services: which pairs are kept apart, by how few rows, and what plans become of it."""

from __future__ import annotations

from itertools import combinations
from random import Random

import networkx as nx
import numpy as np
import pytest

from support.cases import Data, by, compiled, hours, plan_of, portfolio
from throttle.policies.conflicts import distances
from throttle_models import Portfolio, Reason

CHAIN: Data = {"payroll": {"depends_on": ["timekeeping"]}, "timekeeping": {"depends_on": ["san"]}, "san": {}}


def change(person: str, effort: str, *services: str, **fields: object) -> Data:
    return by(person, effort, type="change", change={"services": list(services)}, **fields)


def exclusive(made_from: Portfolio) -> tuple[set[tuple[str, str]], int]:
    """The pairs that share a row of capacity, and the number of rows beside the environments."""
    instance = compiled(made_from).instance
    a, ids = instance.arrays, instance.activities
    rows: dict[int, list[str]] = {}
    for j in range(instance.n):
        for row in a.use[a.use_ptr[j] : a.use_ptr[j + 1]].tolist():
            rows.setdefault(row, []).append(ids[j])
    assert all(a.capacity[row] == 1 for row in rows)
    return {pair for ids in rows.values() for pair in combinations(sorted(ids), 2)}, len(rows)


@pytest.mark.parametrize("hops", [0, 1, 2])
@pytest.mark.parametrize("seed", range(8))
def test_rows_hold_exactly_the_pairs_within_the_hops(hops: int, seed: int) -> None:
    random = Random(seed)
    names = [f"s{i}" for i in range(12)]
    services = {name: {"depends_on": random.sample(names, random.choice((0, 1, 1, 2)))} for name in names}
    work = {
        f"C{i:02}": change(f"p{i + 1}", "1h", *random.sample(names, random.choice((0, 1, 1, 2)))) for i in range(14)
    }
    made_from = portfolio(work, 14, services=services, policy={"conflict_hops": hops})
    graph = nx.Graph([(name, other) for name, entry in services.items() for other in entry["depends_on"]])
    graph.add_nodes_from(names)
    away = dict(nx.all_pairs_shortest_path_length(graph))
    near = {
        (one, two)
        for one, two in combinations(sorted(work), 2)
        if any(
            away[s].get(t, 9) <= hops for s in work[one]["change"]["services"] for t in work[two]["change"]["services"]
        )
    }
    pairs, rows = exclusive(made_from)
    assert pairs == near
    assert rows <= (len(names) if hops != 1 else max(1, graph.number_of_edges() + len(names)))
    assert distances(made_from, hops) == {s: {t: d for t, d in away[s].items() if d <= hops} for s in names}


def test_many_changes_on_one_service_are_one_row() -> None:
    work = {f"C{i}": change(f"p{i + 1}", "1h", "san") for i in range(30)}
    pairs, rows = exclusive(portfolio(work, 30, services=CHAIN, policy={"conflict_hops": 2}))
    assert (len(pairs), rows) == (30 * 29 // 2, 1)


def test_without_the_policy_nothing_is_added() -> None:
    work = {"A": change("p1", "2h", "san"), "B": change("p2", "2h", "san"), "C": by("p1", "1h")}
    plain, other = (compiled(portfolio(work, 2, services=s)).instance.arrays for s in (CHAIN, {"san": {}}))
    assert not len(plain.use)
    assert not len(plain.batch_most)
    assert all(np.array_equal(one, two) for one, two in zip(plain, other, strict=True))


@pytest.mark.parametrize(("hops", "end"), [(None, 4), (0, 4), (1, 4), (2, 8)])
def test_changes_two_hops_apart_wait_for_each_other(hops: int | None, end: int) -> None:
    work = {"A": change("p1", "4h", "san"), "B": change("p2", "4h", "payroll")}
    policy = {} if hops is None else {"conflict_hops": hops}
    plan = plan_of(portfolio(work, 2, services=CHAIN, policy=policy))
    assert max(finish for _, finish in hours(plan).values()) == end


def test_a_change_in_progress_keeps_new_ones_out_and_may_overlap_what_is_in_progress() -> None:
    begun = {
        "A": change("p1", "4h", "san", status="in-progress"),
        "B": change("p2", "6h", "san", status="in-progress"),
        "C": change("p3", "2h", "san"),
    }
    plan = plan_of(portfolio(begun, 3, services=CHAIN, policy={"conflict_hops": 0}))
    assert hours(plan) == {"A": (0, 4), "B": (0, 6), "C": (6, 8)}


def test_the_reason_of_a_hold_names_the_change_in_its_way() -> None:
    work = {
        "A": change("p1", "200h", "san", cost_of_delay="900/week"),
        "B": change("p2", "4h", "timekeeping", cost_of_delay="1/week"),
    }
    plan = plan_of(portfolio(work, 2, services=CHAIN, policy={"conflict_hops": 1}), budget=0.05)
    (hold,) = (h for h in plan.holds if h.item == "B")
    assert (hold.reason, hold.refs) == (Reason.CONFLICT, ("A",))
