"""What a portfolio becomes: each rule of docs/plan.md as the integers that the solver reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from support.cases import OFFICE, by, compiled, horizon, needing, portfolio
from support.portfolios import portfolios
from throttle.compile import Compiled, check_input, compile_portfolio
from throttle.errors import InputError
from throttle.graph import WorkGraph, is_in_progress, time_of
from throttle.instance import ELAPSED, FF, FS, SF, SS, WORKING
from throttle_models import Portfolio

WEEK = 168


def made(work: dict[str, Any], slots: int = 400, **rest: Any) -> Compiled:
    return compiled(portfolio(work, **rest), slots)


def of(c: Compiled, item: str) -> int:
    return c.instance.activities.index(item)


def rows(c: Compiled, item: str) -> list[int]:
    a, j = c.instance.arrays, of(c, item)
    return list(range(a.need_ptr[j], a.need_ptr[j + 1]))


def links(c: Compiled) -> set[tuple[str, str, int, int, int]]:
    """(before, after, type, lag, kind of lag); hidden milestones are called by number."""
    a, found = c.instance.arrays, set()
    name = [id or f"#{j}" for j, id in enumerate(c.instance.activities)]
    for j in range(c.instance.n):
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            found.add((name[a.pred[e]], name[j], int(a.pred_type[e]), int(a.lag[e]), int(a.lag_kind[e])))
    return found


# --- needs


def test_time_of_needs_in_slots() -> None:
    c = made(
        {
            "EFFORT": {"needs": [{"who": ["p1", "p2"], "people": 2, "allocation": "50%", "effort": "8h"}]},
            "FIXED": {"duration": "3h", "needs": [{"who": "p1"}, {"who": "p2", "remaining": "90m"}]},
            "LEFT": by("p1", "9h", remaining="4h", allocation="50%"),
            "NONE": by("p1", "9h", remaining="0"),
            "ODD": by("p1", "61m"),
        },
        people=2,
    )
    a = c.instance.arrays
    assert [int(a.work[q]) for q in rows(c, "EFFORT")] == [8]
    assert [int(a.people[q]) for q in rows(c, "EFFORT")] == [2]
    assert [int(a.share[q]) for q in rows(c, "EFFORT")] == [50]
    assert sorted(int(a.work[q]) for q in rows(c, "FIXED")) == [2, 3]
    assert [int(a.work[q]) for q in rows(c, "LEFT")] == [8]
    assert rows(c, "NONE") == []
    assert [int(a.work[q]) for q in rows(c, "ODD")] == [2]


def test_candidates_are_those_who_hold_the_skill_and_are_named() -> None:
    people = {"p1": {"skills": {"a": 1}}, "p2": {"skills": {"a": 2}}, "p3": {"skills": {"b": 1}}}
    c = made(
        {
            "A": needing("a", "1h"),
            "A2": needing("a", "1h", level=2),
            "WHO": by("p3", "1h"),
            "BOTH": {"needs": [{"skill": "a", "who": ["p2", "p3"], "effort": "1h"}]},
            "PIN": needing("a", "1h"),
        },
        people=people,
        policy={"pins": [{"work": "PIN", "who": "p1"}]},
    )
    a = c.instance.arrays

    def able(item: str) -> set[str]:
        (q,) = rows(c, item)
        return {c.instance.people[p] for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]}

    assert {i: able(i) for i in ("A", "A2", "WHO", "BOTH", "PIN")} == {
        "A": {"p1", "p2"},
        "A2": {"p2"},
        "WHO": {"p3"},
        "BOTH": {"p2"},
        "PIN": {"p1"},
    }


# --- times


def test_releases_waits_pins_and_work_in_progress() -> None:
    c = made(
        {
            "FREE": by("p1", "1h"),
            "LATER": by("p1", "1h", not_before="2h"),
            "BOX": {"not_before": "5h"},
            "IN": by("p1", "1h", parent="BOX", not_before="3h"),
            "PROJ": by("p1", "1h", project="P"),
            "GOING": by("p1", "1h", project="P", status="in-progress"),
            "ASKED": by("p1", "1h", change={"approval": {"lead": "1d"}}),
            "GIVEN": by("p1", "1h", change={"approval": {"lead": "1d", "given": True}}),
            "WAIT": {"wait": "90m"},
            "PIN": by("p1", "1h"),
            "PAST": by("p1", "1h", not_before="2020-01-01"),
        },
        projects={"P": {"not_before": "9h"}},
        policy={"pins": [{"work": "PIN", "start": "7h"}]},
    )
    a = c.instance.arrays
    release = {id: int(a.release[of(c, id)]) for id in c.instance.activities}
    assert release == {
        "FREE": 0,
        "LATER": 2,
        "IN": 5,
        "PROJ": 9,
        "GOING": 0,
        "ASKED": 24,
        "GIVEN": 0,
        "WAIT": 0,
        "PIN": 0,
        "PAST": 0,
    }
    assert int(a.wait[of(c, "WAIT")]) == 2
    assert int(a.pin[of(c, "PIN")]) == 7
    assert (a.pin >= 0).sum() == 1
    assert [id for id in c.instance.activities if a.exempt[of(c, id)]] == ["GOING"]


def test_approval_takes_elapsed_time_over_a_clock_change() -> None:
    """Three days from Friday 08:00 in Chicago are Monday 09:00 when clocks go forward on Sunday."""
    work = {"A": by("p1", "1h", change={"approval": {"lead": "3d"}}), "B": by("p1", "1h", not_before="3d")}
    c = made(work, zone="America/Chicago", as_of="2026-03-06T08:00")
    release = [int(c.instance.arrays.release[of(c, i)]) for i in "AB"]
    assert release == [72, 71]  # a date counted in days keeps the time of day


def test_what_may_not_pause() -> None:
    windows = {"sat": {"every": "Sat 22:00-04:00"}}
    c = made(
        {
            "A": by("p1", "1h"),
            "B": by("p1", "1h", pausable=False),
            "C": by("p1", "1h", change={"window": "sat"}),
            "D": by("p1", "1h", change={}),
        },
        windows=windows,
    )
    assert [bool(c.instance.arrays.run[of(c, i)]) for i in "ABCD"] == [False, True, True, False]


def test_windows_and_freezes_touch_only_their_changes() -> None:
    c = made(
        {
            "A": by("p1", "1h", change={"services": ["payroll"]}),
            "B": by("p1", "1h", change={"services": ["web"], "window": "sat", "rollback": "2h"}),
            "C": by("p1", "1h"),
        },
        services={"payroll": {}, "web": {}},
        windows={"sat": {"every": "Sat 22:00-04:00"}},
        freezes=[{"from": "1d", "to": "2d", "services": ["payroll"]}],
    )
    a = c.instance.arrays
    # relative moments are exact; only a bare date as the end of a freeze means all of that day
    assert np.flatnonzero(a.frosts[a.frozen[of(c, "A")]]).tolist() == list(range(24, 48))
    assert [int(a.frozen[of(c, i)]) for i in "BC"] == [-1, -1]
    occurrence = a.occurrences[a.occurrence[of(c, "B")]]
    # six hours of each, less the two to roll back
    assert np.flatnonzero(occurrence >= 0).tolist() == [*range(134, 138), *range(134 + WEEK, 138 + WEEK)]
    assert len(set(occurrence[occurrence >= 0].tolist())) == 2
    assert [int(a.occurrence[of(c, i)]) for i in "AC"] == [-1, -1]


def test_a_freeze_by_dates_includes_its_last_day() -> None:
    c = made({"A": by("p1", "1h", change={})}, freezes=[{"from": "2026-11-24", "to": "2026-11-25"}])
    assert np.flatnonzero(c.instance.arrays.frosts[0]).tolist() == list(range(16, 16 + 48))


# --- links


@pytest.mark.parametrize(("name", "number"), [("FS", FS), ("SS", SS), ("FF", FF), ("SF", SF)])
def test_links_and_lags(name: str, number: int) -> None:
    def link(lag: str, kind: str | None = None) -> dict[str, Any]:
        return {"item": "A", "type": name, "lag": lag, **({"lag_in": kind} if kind else {})}

    c = made(
        {
            "A": by("p1", "1h"),
            "WORK": by("p1", "1h", after=[link("1d")]),
            "CLOCK": by("p1", "1h", after=[link("1d", "elapsed")]),
            "WAIT": {"wait": "1h", "after": [link("1d")]},
            "WAITS": {"wait": "1h", "after": [link("1d", "working")]},
            "BACK": by("p1", "1h", after=[link("-90m")]),
            "NONE": by("p1", "1h", after=[link("0")]),
        }
    )
    assert links(c) == {
        ("A", "WORK", number, 8, WORKING),
        ("A", "CLOCK", number, 24, ELAPSED),
        ("A", "WAIT", number, 24, ELAPSED),
        ("A", "WAITS", number, 8, ELAPSED),  # nobody works on it, so that every hour counts
        ("A", "BACK", number, -1, WORKING),
        ("A", "NONE", number, 0, ELAPSED),
    }


def test_links_that_do_not_bind_are_left_out() -> None:
    going = {"status": "in-progress"}
    kinds = ("FS", "SS", "FF", "SF")
    c = made(
        {
            "A": by("p1", "1h"),
            "B": by("p1", "1h", **going),
            **{f"OF-{k}": by("p1", "1h", after=[{"item": "B", "type": k}]) for k in kinds},
            **{f"TO-{k}": by("p1", "1h", **going, after=[{"item": "A", "type": k}]) for k in kinds},
        }
    )
    assert {(a, b) for a, b, *_ in links(c)} == {("B", "OF-FS"), ("B", "OF-FF"), ("A", "TO-FF"), ("A", "TO-SF")}


def test_a_date_outside_is_a_hidden_milestone() -> None:
    c = made(
        {"A": by("p1", "1h", after=["EXT", "OK", "OFF"]), "B": by("p1", "1h", after=["EXT"])},
        external={
            "EXT": {"expected": "30h"},
            "OK": {"status": "done", "expected": "90h"},
            "OFF": {"status": "cancelled"},
        },
    )
    assert c.instance.activities == ("A", "B", "")
    assert links(c) == {("#2", "A", FS, 0, ELAPSED), ("#2", "B", FS, 0, ELAPSED)}
    assert int(c.instance.arrays.release[2]) == 30


def test_many_items_that_wait_for_one_are_no_large_link() -> None:
    work = {"A": by("p1", "1h"), **{f"B{i}": by("p1", "1h", after=["A"]) for i in range(70)}}
    c = made(work)
    assert c.instance.n == 71
    assert len(links(c)) == 70


def test_a_link_between_large_containers_is_one_milestone() -> None:
    """Ten by ten items are 100 links; through a milestone, 20 say the same."""
    work: dict[str, Any] = {"ONE": {}, "TWO": {"after": [{"item": "ONE", "lag": "2h"}]}}
    work |= {f"{box[0]}{i}": by("p1", "1h", parent=box) for box in ("ONE", "TWO") for i in range(10)}
    c = made(work)
    found = links(c)
    assert len(found) == 20
    assert {(a, b) for a, b, *_ in found} == {(f"O{i}", "#20") for i in range(10)} | {
        ("#20", f"T{i}") for i in range(10)
    }
    assert {(lag, kind) for a, _, _, lag, kind in found if a == "#20"} == {(2, WORKING)}


# --- costs


def test_groups_have_rates_per_slot() -> None:
    c = made(
        {
            "BOX": {"cost_of_delay": "168/week", "project": "P"},
            "A": by("p1", "1h", parent="BOX"),
            "B": by("p1", "1h", due="5h", cost_of_delay="7/hour", costs={"tardiness": "1/hour", "flow": "2/hour"}),
            "C": by("p1", "1h", wanted_start="9h", costs={"earliness": "4/hour"}),
            "D": by("p1", "1h", project="Q"),
        },
        projects={"P": {"makespan": "3/hour"}, "Q": {}},
        policy={"makespan": "5/hour"},
    )
    a = c.instance.arrays
    groups = {
        id: {
            "members": [c.instance.activities[j] for j in a.member[a.member_ptr[g] : a.member_ptr[g + 1]]],
            **{
                name: float(getattr(a, name)[g])
                for name in ("tardiness", "due", "flow", "span", "measure", "earliness", "wanted")
                if getattr(a, name)[g]
            },
        }
        for g, id in enumerate(c.instance.groups)
    }
    assert groups == {
        "project:P": {"members": ["A"], "span": 3},
        "item:BOX": {"members": ["A"], "flow": 1, "measure": 1},
        "item:B": {"members": ["B"], "tardiness": 8, "due": 5, "flow": 2, "measure": 10},
        "item:C": {"members": ["C"], "earliness": 4, "wanted": 9},
        "portfolio": {"members": ["A", "B", "C", "D"], "flow": 5},
    }


def test_due_dates_off_the_grid_are_kept_exactly() -> None:
    c = made({"A": by("p1", "1h", due="2026-11-23T13:15Z", cost_of_delay="1/hour")})
    assert c.instance.arrays.due.tolist() == [5.25]


def test_a_due_day_ends_at_its_midnight() -> None:
    c = made({"A": by("p1", "1h", due="2026-11-24", cost_of_delay="1/hour")}, zone="America/Chicago")
    assert c.instance.arrays.due.tolist() == [46.0]  # Wednesday 00:00 in Chicago is 06:00 UTC


def test_without_any_cost_each_activity_counts_the_same() -> None:
    c = made({"A": by("p1", "1h"), "B": {"wait": "1h"}, "OUT": by("p1", "1h", on_hold="x")})
    assert c.instance.groups == ("item:A", "item:B")
    assert c.instance.arrays.flow.tolist() == [pytest.approx(1 / WEEK)] * 2


# --- limits and places


def test_limits() -> None:
    c = made(
        {
            "A": by("p1", "1h", project="P"),
            "B": by("p2", "1h", project="Q", after=["A"]),
            "C": by("p3", "1h", project="R", status="done"),
        },
        people={"p1": {"wip": 3}, "p2": {}, "p3": {}},
        projects={"P": {}, "Q": {"in_process": True}, "R": {}, "S": {}},
        policy={"person_wip": 2, "projects_in_process": 2},
    )
    a = c.instance.arrays
    assert a.person_wip.tolist() == [3, 2, 2]
    assert a.limit.tolist() == [2]
    assert a.begun.tolist() == [False, True, True, False]
    assert (a.span_ptr.tolist(), a.spans.tolist()) == ([0, 1, 2], [0, 1])
    assert a.before[a.before_ptr[1] : a.before_ptr[2]].tolist() == [0]
    assert len(set(a.knot.tolist())) == 4


def test_environments() -> None:
    c = made(
        {
            "A": by("p1", "1h", environment={"lab": 2, "free": 1}),
            "B": by("p1", "1h", environment="free"),
            "C": by("p1", "1h"),
        },
        calendars={"always": {"hours": "daily 00:00-24:00"}, **OFFICE},
        environments={"lab": {"capacity": 3, "calendar": "office"}, "free": {"capacity": 9}},
    )
    a = c.instance.arrays
    assert a.capacity.tolist() == [3, 9]
    uses = [
        list(zip(a.use[x:y].tolist(), a.amount[x:y].tolist(), strict=True))
        for x, y in zip(a.use_ptr, a.use_ptr[1:], strict=False)
    ]
    assert uses == [[(0, 2), (1, 1)], [(1, 1)], []]
    assert [int(a.place[of(c, i)]) >= 0 for i in "ABC"] == [True, False, False]
    assert a.masks[a.place[0]][:9].tolist() == [0, *[1] * 8]


# --- the horizon


def test_the_horizon_holds_queues_chains_and_dates() -> None:
    """Each of them twice, in hours that people are at work, and four weeks."""
    spare = 28 * 24
    chain = {f"C{i}": by(f"p{i + 1}", "10h", after=[f"C{i - 1}"] if i else []) for i in range(5)}
    queue = {f"Q{i}": needing("a", "10h") for i in range(20)}
    people = {f"p{i + 1}": {"skills": ["a"] if i < 2 else ["b"]} for i in range(5)}
    assert horizon(portfolio(chain, 5)) == 2 * 50 + spare
    assert horizon(portfolio(queue, people)) == 2 * 100 + spare
    assert horizon(portfolio({"A": by("p1", "1h", not_before="100h")})) == 2 * 101 + spare
    assert horizon(portfolio({"A": {"wait": "60h"}, "B": {"wait": "40h", "after": ["A"]}})) == 2 * 100 + spare
    lab = {f"L{i}": {"wait": "10h", "environment": {"lab": 2}} for i in range(30)}
    assert horizon(portfolio(lab, environments={"lab": {"capacity": 3}})) == 2 * 200 + spare
    apart = {f"P{i}": by(f"p{i + 1}", "30h", project=f"P{i}") for i in range(4)}
    some = {"projects": {f"P{i}": {} for i in range(4)}, "policy": {"projects_in_process": 2}}
    assert horizon(portfolio(apart, 4, **some)) == 2 * 60 + spare
    at_work = horizon(portfolio(queue, people, calendars=OFFICE))  # 40 hours of 168
    assert at_work == pytest.approx(2 * 100 * 168 / 40 + spare, rel=0.05)


def test_people_who_are_away_for_weeks_do_not_stretch_the_horizon_without_end() -> None:
    away = {"p1": {"away": ["2026-11-01/2027-06-01"]}}
    assert horizon(portfolio({"A": by("p1", "10h")}, away)) == pytest.approx(2 * 10 * 168 / 5 + 28 * 24, rel=0.05)


# --- the whole


@given(portfolios())
@settings(max_examples=30, deadline=None, derandomize=True)
def test_arrays_are_whole(made_from: Portfolio) -> None:
    """Every activity is an activity of the instance or left out; pointers, ids and lengths agree."""
    graph = WorkGraph(made_from)
    c = compile_portfolio(made_from, graph, horizon(made_from))
    a, instance = c.instance.arrays, c.instance
    assert [i for i in instance.activities if i] == [i for i in graph.activities if i not in c.unscheduled]
    assert set(c.unscheduled) <= set(graph.activities)
    n, rows_, slots = instance.n, len(a.work), instance.slots
    for pointer, target, owners in (
        (a.need_ptr, a.work, n),
        (a.cand_ptr, a.candidate, rows_),
        (a.use_ptr, a.use, n),
        (a.pred_ptr, a.pred, n),
        (a.succ_ptr, a.succ, n),
        (a.member_ptr, a.member, len(a.due)),
        (a.span_ptr, a.spans, n),
        (a.before_ptr, a.before, len(a.demand)),
    ):
        assert len(pointer) == owners + 1
        assert pointer[0] == 0
        assert pointer[-1] == len(target)
        assert (np.diff(pointer) >= 0).all()
    assert a.crew_ptr[-1] == a.people.sum()
    assert len(instance.needs) == rows_
    assert a.masks.shape[1] == a.occurrences.shape[1] == a.frosts.shape[1] == slots
    assert sorted(zip(a.pred.tolist(), np.repeat(np.arange(n), np.diff(a.pred_ptr)).tolist(), strict=True)) == sorted(
        zip(np.repeat(np.arange(n), np.diff(a.succ_ptr)).tolist(), a.succ.tolist(), strict=True)
    )
    for row, following in zip(a.masks, a.next_open, strict=True):
        assert all(following[t] == t for t in np.flatnonzero(row))
        assert (row[np.minimum(following, slots - 1)][following < slots] == 1).all()
    for j, id in enumerate(instance.activities):
        if id:
            item = made_from.work[id]
            assert a.exempt[j] == is_in_progress(item)
            hours = sum(time_of(item, n).total_seconds() / 3600 * n.people * n.allocation for n in item.needs)
            booked = sum(a.work[q] * a.people[q] * a.share[q] / 100 for q in range(a.need_ptr[j], a.need_ptr[j + 1]))
            seats = sum(n.people for n in item.needs)
            assert hours - 1e-6 <= booked * c.grid.minutes / 60 < hours + (seats + 1e-6) * c.grid.minutes / 60


@given(portfolios(6))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_compiling_twice_gives_the_same(made_from: Portfolio) -> None:
    one, two = (compile_portfolio(made_from, WorkGraph(made_from), 500) for _ in range(2))
    assert one.unscheduled == two.unscheduled
    for name in one.instance.arrays._fields:
        assert np.array_equal(getattr(one.instance.arrays, name), getattr(two.instance.arrays, name)), name


def test_input_that_cannot_be_planned_is_refused_as_a_whole() -> None:
    ok = portfolio({"A": by("p1", "1h")})
    check_input(ok, WorkGraph(ok))
    bad = portfolio(
        {"A": by("p1", "1h", after=["B"]), "B": {"after": ["A"]}, "C": {"after": ["D"]}, "D": {"after": ["C"]}}
    )
    with pytest.raises(InputError) as caught:
        check_input(bad, WorkGraph(bad))
    assert len(caught.value.findings) == 2
    assert all(f.level == "error" for f in caught.value.findings)
