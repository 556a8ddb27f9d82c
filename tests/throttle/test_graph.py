from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from support.cases import by, needing, portfolio
from support.portfolios import portfolios, random_portfolio
from throttle.graph import WorkGraph, holders, missing_skills
from throttle_models import LinkType, Portfolio, Status


def graph(work: dict[str, Any], **rest: Any) -> WorkGraph:
    return WorkGraph(portfolio(work, **rest))


def arrows(made: WorkGraph) -> set[tuple[str, str]]:
    return {(e.predecessor, e.successor) for e in made.edges}


NESTED = {
    "EPIC": {"project": "P"},
    "STORY": {"parent": "EPIC"},
    "A": by("p1", "1h", parent="STORY"),
    "B": by("p1", "2h", parent="STORY", project="Q"),
    "C": by("p1", "3h", parent="EPIC"),
    "D": by("p1", "4h"),
}
PROJECTS: dict[str, Any] = {"projects": {"P": {}, "Q": {}}}


# --- containment


def test_containers_activities_and_history() -> None:
    made = graph(
        {
            **NESTED,
            "OLD": {"status": "done"},
            "OFF": by("p1", "1h", status="cancelled"),
            "WORKS": by("p1", "1h"),
            "PART": by("p1", "1h", parent="WORKS"),
            "WAITS": {"wait": "1h"},
            "LEAF": by("p1", "1h", parent="WAITS"),
        },
        **PROJECTS,
    )
    assert made.containers == ("EPIC", "STORY")
    assert made.history == ("OLD", "OFF")
    assert made.activities == ("A", "B", "C", "D", "WORKS", "PART", "WAITS", "LEAF")
    assert made.activities_in("EPIC") == ["A", "B", "C"]
    assert made.activities_in("D") == ["D"]
    assert made.activities_in("WORKS") == ["WORKS"]
    assert list(made.ancestors("A")) == ["STORY", "EPIC"]
    assert list(made.inside("EPIC")) == ["EPIC", "STORY", "A", "B", "C"]


def test_a_project_is_ones_own_or_the_nearest_around() -> None:
    made = graph(NESTED, **PROJECTS)
    assert [made.project_of(i) for i in "ABCD"] == ["P", "Q", "P", None]


def test_what_holds_an_item() -> None:
    made = graph(
        {**NESTED, "EPIC": {"project": "P", "on_hold": "no money"}, "D": by("p1", "1h", on_hold="")}, **PROJECTS
    )
    assert [made.held_by(i) for i in "ABCD"] == ["EPIC", "EPIC", "EPIC", "D"]


def test_a_loop_of_parents_ends() -> None:
    made = graph({"A": {"parent": "B"}, "B": {"parent": "A"}, "C": by("p1", "1h", parent="A")})
    assert list(made.ancestors("C")) == ["A", "B"]
    assert made.activities_in("A") == ["C"]


# --- precedence


def test_links_of_containers_hold_for_all_in_them() -> None:
    made = graph({**NESTED, "E": by("p1", "1h", after=["STORY"]), "EPIC": {"project": "P", "after": ["D"]}}, **PROJECTS)
    assert arrows(made) == {("A", "E"), ("B", "E"), ("D", "A"), ("D", "B"), ("D", "C")}


def test_links_keep_type_and_lag() -> None:
    made = graph({"A": {}, "B": {"after": [{"item": "A", "type": "SS", "lag": "-4h"}, "A"]}})
    assert [(e.link.type, e.link.lag) for e in made.edges] == [(LinkType.SS, "-4h"), (LinkType.FS, "0")]


def test_links_from_history_are_satisfied_and_links_of_history_are_past() -> None:
    made = graph({"OLD": {"status": "done"}, "A": {"after": ["OLD"]}, "GONE": {"status": "cancelled", "after": ["A"]}})
    assert arrows(made) == set()


def test_links_from_outside_are_edges_but_not_nodes() -> None:
    made = graph({"A": {"after": ["EXT"]}}, external={"EXT": {}})
    assert arrows(made) == {("EXT", "A")}
    assert set(made.digraph.nodes) == {"A"}


@given(portfolios())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_edges_join_activities_along_links_that_are_written(made_from: Portfolio) -> None:
    made = WorkGraph(made_from)
    for edge in made.edges:
        assert edge.successor in made.activities
        assert edge.predecessor in made.activities or edge.predecessor in made_from.external
        writer = next(i for i, item in made_from.work.items() if any(link is edge.link for link in item.after))
        assert edge.successor in made.activities_in(writer)
        assert edge.predecessor == edge.link.item or edge.predecessor in made.activities_in(edge.link.item)
    for id, item in made_from.work.items():
        for link in item.after:
            target = made_from.work.get(link.item)
            if item.status not in (Status.DONE, Status.CANCELLED) and target and target.status is Status.OPEN:
                expected = {(p, s) for p in made.activities_in(link.item) for s in made.activities_in(id)}
                assert expected <= arrows(made)


# --- cycles


@pytest.mark.parametrize(
    ("links", "chains"),
    [
        ({"A": ["B"], "B": ["A"]}, [["A", "B", "A"]]),
        ({"A": ["A"]}, [["A", "A"]]),
        ({"A": ["C"], "B": ["A"], "C": ["B"], "D": ["C"]}, [["A", "B", "C", "A"]]),
        ({"A": ["B"], "B": ["A"], "C": ["D"], "D": ["C", "A"]}, [["A", "B", "A"], ["C", "D", "C"]]),
        ({"A": [], "B": ["A"], "C": ["A", "B"], "D": ["B", "C"]}, []),
    ],
)
def test_cycles_are_chains_of_ids(links: dict[str, list[str]], chains: list[list[str]]) -> None:
    for order in (list(links), list(reversed(links))):
        work = {**{i: {} for i in "ABCD"}, **{i: {"after": links[i]} for i in order}}
        assert graph(work).cycles() == chains


def test_a_cycle_is_told_along_its_links() -> None:
    """Each id of a chain is waited for by the next."""
    made = graph({"A": {"after": ["D"]}, "B": {"after": ["A"]}, "C": {"after": ["B"]}, "D": {"after": ["C"]}})
    (chain,) = made.cycles()
    assert set(pairwise(chain)) <= arrows(made)


def test_a_cycle_through_containers() -> None:
    made = graph({"BOX": {}, "A": {"parent": "BOX", "after": ["B"]}, "B": {"after": ["BOX"]}})
    assert made.cycles() == [["A", "B", "A"]]


@pytest.mark.parametrize("item", ["BOX", "INNER"])
def test_a_link_between_a_container_and_what_it_holds_is_a_cycle(item: str) -> None:
    boxes: dict[str, Any] = {"BOX": {}, "INNER": {"parent": "BOX"}}
    assert graph({**boxes, "A": {"parent": "INNER", "after": [item]}}).cycles() == [["A", item, "A"]]
    boxes[item] = {**boxes[item], "after": ["A"]}
    assert graph({**boxes, "A": {"parent": "INNER"}}).cycles() == [[item, "A", item]]


def test_an_item_with_needs_and_its_parts_may_wait_for_each_other() -> None:
    """It is no container: links to it mean itself alone (docs/plan.md)."""
    assert graph({"A": by("p1", "1h", after=["PART"]), "PART": by("p1", "1h", parent="A")}).cycles() == []
    assert graph({"A": by("p1", "1h"), "PART": by("p1", "1h", parent="A", after=["A"])}).cycles() == []
    both = graph({"A": by("p1", "1h", after=["PART"]), "PART": by("p1", "1h", parent="A", after=["A"])})
    assert both.cycles() == [["A", "PART", "A"]]


@given(portfolios())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_link_turned_round_is_found_as_a_cycle(made_from: Portfolio) -> None:
    assert WorkGraph(made_from).cycles() == []
    pairs = [(e.predecessor, e.successor) for e in WorkGraph(made_from).edges if e.predecessor in made_from.work]
    for before, after in pairs[:1]:
        item = made_from.work[before]
        back = item.model_validate({**item.model_dump(mode="json"), "after": [*item.after, after]})
        made = WorkGraph(made_from.model_copy(update={"work": {**made_from.work, before: back}}))
        chains = made.cycles()
        assert chains
        assert all(chain[0] == chain[-1] for chain in chains)
        assert any(before in chain for chain in chains)


# --- critical path and slack


def test_the_longest_path_and_its_slack() -> None:
    made = graph(
        {
            "A": {},
            "B": {"after": ["A"]},
            "C": {"after": ["A"]},
            "D": {"after": ["B", "C"]},
            "E": {},
            "F": {"after": ["E"]},
        }
    )
    hours = {"A": 2.0, "B": 5.0, "C": 1.0, "D": 3.0, "E": 4.0, "F": 1.0}
    assert made.longest_path(hours) == (10.0, ["A", "B", "D"])
    assert made.slack(hours) == {"A": 0, "B": 0, "C": 4, "D": 0, "E": 5, "F": 5}


def test_an_empty_graph_has_no_path() -> None:
    assert graph({}).longest_path({}) == (0.0, [])
    assert graph({}).slack({}) == {}


@pytest.mark.parametrize("seed", range(8))
def test_the_longest_path_is_the_longest_of_all(seed: int) -> None:
    made, random = WorkGraph(random_portfolio(seed, items=9)), Random(seed)
    hours = {i: float(random.randint(0, 9)) for i in made.activities}

    def longest_from(id: str) -> float:
        return hours[id] + max((longest_from(s) for s in made.digraph.successors(id)), default=0.0)

    total, path = made.longest_path(hours)
    assert total == max(longest_from(i) for i in made.activities)
    assert total == sum(hours[i] for i in path)
    assert all(pair in arrows(made) for pair in pairwise(path))
    slack = made.slack(hours)
    assert min(slack.values()) == 0
    assert all(slack[i] == 0 for i in path)
    for id in made.activities:  # longer by just the slack changes nothing, by more it does
        assert made.longest_path({**hours, id: hours[id] + slack[id]})[0] == total
        assert made.longest_path({**hours, id: hours[id] + slack[id] + 1})[0] == total + 1


# --- who can


def test_order_and_longest_chain() -> None:
    made = WorkGraph(
        portfolio(
            {
                "D": by("p1", "1h", after=["B", "C", "EXT"]),
                "C": by("p1", "1h", after=[{"item": "A", "type": "SS"}]),
                "B": by("p1", "1h", after=["A"]),
                "A": by("p1", "1h"),
            },
            external={"EXT": {"expected": "9d"}},
        )
    )
    assert made.order == ("A", "C", "B", "D")
    assert made.longest_chain({"A": 1, "B": 5, "C": 2, "D": 10}) == 16
    assert made.longest_chain({}) == 0
    assert WorkGraph(portfolio({})).longest_chain({}) == 0


def test_what_is_on_a_circle_or_behind_it_has_no_place_in_the_order() -> None:
    work = {"A": by("p1", "1h", after=["B"]), "B": by("p1", "1h", after=["A"]), "C": by("p1", "1h", after=["B"])}
    made = WorkGraph(portfolio({**work, "D": by("p1", "1h")}))
    assert made.order == ("D",)
    assert made.cycles() == [["A", "B", "A"]]


def test_equal_sets_of_people_are_one_object() -> None:
    people = {"p1": {"skills": {"a": 2, "b": 1}}, "p2": {"skills": {"a": 1, "b": 1}}}
    made = WorkGraph(portfolio({i: needing(skill, "1h") for i, skill in (("A", "a"), ("B", "b"))}, people))
    one, two = (made.able(made.portfolio.work[i].needs[0]) for i in "AB")
    assert one == ("p1", "p2")
    assert one is two


def test_holders() -> None:
    people = {"p1": {"skills": {"a": 1}}, "p2": {"skills": {"a": 3, "b": 1}}, "p3": {}}
    made_from = portfolio({}, people)
    assert holders(made_from, "a", 1, ()) == ["p1", "p2"]
    assert holders(made_from, "a", 2, ()) == ["p2"]
    assert holders(made_from, "a", 1, ("p1", "p3")) == ["p1"]
    assert holders(made_from, None, 1, ("p3", "p1")) == ["p1", "p3"]


def test_missing_skills_name_who_needs_them() -> None:
    made_from = portfolio(
        {
            "A": needing("a", "1h", level=2),
            "B": needing("a", "1h", level=2),
            "C": needing("b", "1h", people=2),
            "D": needing("a", "1h"),
            "OLD": needing("c", "1h", status="done"),
        },
        {"p1": {"skills": {"a": 1, "b": 1}}},
        skills=["c"],
    )
    found = missing_skills(made_from, WorkGraph(made_from))
    assert [f.ids for f in found] == [("A", "B"), ("C",)]
    assert [f.code for f in found] == ["missing-skill"] * 2
    assert found[0].message.startswith("no one holds a at level >= 2: needed by A, B.")
    assert found[1].message.startswith("only 1 of 2 hold b at level >= 1: needed by C.")
