"""What a dispatcher would pick next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

from support.cases import OFFICE, by, compiled, needing, portfolio
from support.portfolios import portfolios, random_portfolio
from throttle.solve.decoder import Decoder
from throttle.solve.rules import RULES, Facts, Turns, atc_less_tail, bottleneck_atc, grid, inherit, levels, topological
from throttle_models import Portfolio


def order(rule: str, made_from: Portfolio) -> list[str]:
    instance = compiled(made_from).instance
    key = RULES[rule](Facts(instance))
    return [instance.activities[j] for j in np.argsort(key, kind="stable")]


def test_first_come_is_the_order_of_the_file_with_what_has_begun_first() -> None:
    work = {"A": by("p1", "1h"), "B": by("p1", "1h", status="in-progress"), "C": by("p1", "1h")}
    assert order("first-come", portfolio(work)) == ["B", "A", "C"]


def test_greedy_is_cost_of_delay_per_hour_that_is_left() -> None:
    work = {
        "A": by("p1", "8h", cost_of_delay="100/hour"),
        "B": by("p1", "2h", cost_of_delay="50/hour"),
        "C1": by("p1", "1h", project="P"),
        "C2": by("p1", "3h", project="P"),
        "D": by("p1", "1h"),
    }
    made_from = portfolio(work, projects={"P": {"cost_of_delay": "200/hour"}})
    assert order("greedy", made_from) == ["C1", "C2", "B", "A", "D"]


def test_what_urgent_work_waits_for_is_urgent() -> None:
    work = {
        "SLOW": by("p1", "9h", cost_of_delay="1/hour"),
        "FIRST": by("p1", "5h"),
        "URGENT": by("p1", "1h", cost_of_delay="99/hour", after=["FIRST"]),
    }
    assert order("greedy", portfolio(work)) == ["FIRST", "URGENT", "SLOW"]


def test_the_earliest_due_date_first() -> None:
    work = {
        "A": by("p1", "1h", due="9h", cost_of_delay="9/hour"),
        "B": by("p1", "1h", due="2h", cost_of_delay="1/hour"),
        "C": by("p1", "1h", due="5h", cost_of_delay="5/hour"),
    }
    assert order("earliest-due", portfolio(work)) == ["B", "C", "A"]


def test_apparent_tardiness_cost_weighs_value_against_time_left() -> None:
    """The same work: what is due soon passes what is worth more but due much later, unless k looks far ahead."""
    work = {
        "LATER": by("p1", "4h", due="200h", cost_of_delay="3/hour"),
        "SOON": by("p1", "4h", due="4h", cost_of_delay="1/hour"),
    }
    instance = compiled(portfolio(work)).instance
    facts = Facts(instance)
    assert np.argmin(bottleneck_atc(facts, 0.5, 0.0, 0.0)) == 1
    assert np.argmin(bottleneck_atc(facts, 1e6, 0.0, 0.0)) == 0


@given(portfolios())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_every_rule_gives_each_activity_a_number(made_from: Portfolio) -> None:
    instance = compiled(made_from).instance
    assume(instance.n)
    facts = Facts(instance)
    keys = [rule(facts) for rule in RULES.values()] + [bottleneck_atc(facts, *p) for p in list(grid())[::9]]
    for key in keys:
        assert key.shape == (instance.n,)
        assert np.isfinite(key).all()


@given(portfolios())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_orders_along_links(made_from: Portfolio) -> None:
    instance = compiled(made_from).instance
    a, facts = instance.arrays, Facts(instance)
    order_ = topological(instance)
    assert sorted(order_) == list(range(instance.n))
    place = {j: k for k, j in enumerate(order_)}
    key = inherit(facts, np.arange(instance.n, dtype=float)[::-1])
    for j in range(instance.n):
        for i in a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]].tolist():
            assert place[i] < place[j]
            assert key[i] < key[j]


def test_facts_of_work_chains_and_scarcity() -> None:
    people = {"p1": {"skills": ["a"]}, **{f"q{i}": {"skills": ["b"]} for i in range(4)}}
    work = {
        "A": needing("a", "8h"),
        "B": needing("b", "8h", people=2, allocation="50%", after=[{"item": "A", "lag": "2h"}]),
        "C": {"wait": "5h", "after": ["B"]},
    }
    facts = Facts(compiled(portfolio(work, people)).instance)
    assert facts.work.tolist() == [8, 8, 0]
    assert facts.length.tolist() == [8, 8, 5]
    assert facts.tail.tolist() == [15, 5, 0]
    assert facts.head.tolist() == [0, 10, 18]
    assert facts.scarcity[0] == 1
    assert facts.scarcity[1] == pytest.approx(2 / 8)
    assert facts.stretch == 1
    assert Facts(compiled(portfolio(work, people, calendars=OFFICE)).instance).stretch == pytest.approx(
        168 / 40, rel=0.15
    )


def test_the_turn_of_a_project_and_in_it_what_has_most_after_it() -> None:
    work = {
        "L1": by("p1", "4h", project="LATER"),
        "S1": by("p1", "1h", project="SOON"),
        "S2": by("p1", "2h", project="SOON", after=["S1"]),
        "S3": by("p1", "4h", project="SOON"),
        "REST": by("p1", "1h"),
    }
    due = {"LATER": {"due": "300h", "cost_of_delay": "3/hour"}, "SOON": {"due": "4h", "cost_of_delay": "2/hour"}}
    instance = compiled(portfolio(work, projects=due)).instance
    facts = Facts(instance)
    key = atc_less_tail(facts, 0.5, 0.5)
    assert [instance.activities[j] for j in np.argsort(key, kind="stable")] == ["S1", "S2", "S3", "L1", "REST"]
    turns = Turns(facts)
    assert turns.work.sum() == pytest.approx(facts.longest)
    assert turns.positions(0.5, turns.ahead(0.5)).tolist() == [turns.work[1], 0]


def test_a_project_has_no_turn_before_it_can_begin() -> None:
    projects = {
        "A": {"cost_of_delay": "9/hour", "not_before": "50h"},
        "B": {"cost_of_delay": "1/hour"},
    }
    work = {"A1": by("p1", "2h", project="A"), "B1": by("p1", "2h", project="B")}
    turns = Turns(Facts(compiled(portfolio(work, projects=projects)).instance))
    assert turns.positions(1.0, turns.ahead(0.0)).tolist() == [50, 0]


def test_levels_are_lengths_of_chains() -> None:
    work = {
        "A": by("p1", "1h"),
        "B": by("p1", "1h", after=["A"]),
        "C": by("p1", "1h", after=["A", "B"]),
        "D": by("p1", "1h", after=["A", {"item": "E", "type": "SS"}]),
        "E": by("p1", "1h"),
    }
    instance = compiled(portfolio(work)).instance
    found = [[instance.activities[j] for j in level] for level in levels(instance)]
    assert found == [["A", "E"], ["B", "D"], ["C"]]


def test_no_rule_is_needed_twice_in_the_table() -> None:
    """Each rule of the table is the best of all on some portfolio; otherwise it could go."""
    best = set()
    for seed in range(30):
        instance = compiled(random_portfolio(seed, 10)).instance
        if not instance.n:
            continue
        decoder, facts = Decoder(instance, compiled=False), Facts(instance)
        costs = {n: s.cost for n, rule in RULES.items() if (s := decoder.decode(rule(facts)).schedule)}
        if costs and (least := min(costs.values())) < max(costs.values()):
            best |= {n for n, c in costs.items() if c == least}
    assert best == set(RULES)
