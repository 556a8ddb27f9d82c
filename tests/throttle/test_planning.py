"""Known optima: small cases whose best plan can be worked out on paper, one for each rule of docs/plan.md.

``at`` gives start and finish in hours after as-of, ``cost`` the objective where it is worked out too.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from support.cases import MONDAY, OFFICE, by, crew, hours, needing, plan_of, portfolio
from support.cases import compiled as compiled_of
from support.portfolios import random_portfolio
from throttle.check import check
from throttle.check.fast import check_schedule
from throttle.collector import collector_resting
from throttle.errors import InputError, InterruptedWithoutPlanError, NoPlanError, VerificationError
from throttle.planning import (
    build_plan,
    make_plan,
    solve_portfolio,
    verified_plan,
)
from throttle.solve import Progress, Settings, Solution, Solver
from throttle_models import Plan, PlanStatus, Reason

Times = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Case:
    data: dict[str, Any]
    at: Times
    cost: float | None = None
    who: dict[str, set[str]] = field(default_factory=dict)
    proved: bool = True


def delay(rate: int, **fields: Any) -> dict[str, Any]:
    return {"cost_of_delay": f"{rate}/hour", **fields}


def office(work: dict[str, Any], people: Any = 1, as_of: str = "2026-11-23T09:00Z", **rest: Any) -> dict[str, Any]:
    """Mon-Fri 09:00-17:00, from Monday 09:00."""
    return {"work": work, "people": people, "calendars": OFFICE, "as_of": as_of, **rest}


LINKED: dict[str, tuple[Any, tuple[float, float]]] = {
    # A is 09:00 to 13:00 of Monday; B takes two hours of p2
    "FS": ("A", (4, 6)),
    "FS elapsed": ({"item": "A", "lag": "2h", "lag_in": "elapsed"}, (6, 8)),
    "FS elapsed, over night": ({"item": "A", "lag": "6h", "lag_in": "elapsed"}, (24, 26)),
    "FS working, over night": ({"item": "A", "lag": "6h", "lag_in": "working"}, (26, 28)),
    "FS working is the default of work": ({"item": "A", "lag": "1d"}, (28, 30)),
    "FS working backwards": ({"item": "A", "lag": "-3h"}, (1, 3)),
    "FS elapsed backwards": ({"item": "A", "lag": "-3h", "lag_in": "elapsed"}, (1, 3)),
    "SS": ({"item": "A", "type": "SS"}, (0, 2)),
    "SS elapsed": ({"item": "A", "type": "SS", "lag": "3h", "lag_in": "elapsed"}, (3, 5)),
    "SS working": ({"item": "A", "type": "SS", "lag": "9h"}, (25, 27)),
    "FF": ({"item": "A", "type": "FF"}, (2, 4)),
    "FF elapsed": ({"item": "A", "type": "FF", "lag": "2h", "lag_in": "elapsed"}, (4, 6)),
    "FF working": ({"item": "A", "type": "FF", "lag": "3h"}, (5, 7)),
    "SF": ({"item": "A", "type": "SF"}, (0, 2)),
    "SF elapsed": ({"item": "A", "type": "SF", "lag": "5h", "lag_in": "elapsed"}, (3, 5)),
    "SF working": ({"item": "A", "type": "SF", "lag": "6h"}, (4, 6)),
}

SATURDAY = "Sat 22:00-04:00"  # 5 days and 14 hours after as-of: hour 134

CASES: dict[str, Case] = {
    "Smith's rule on one person": Case(
        {
            "work": {
                "A": by("p1", "8h", **delay(100)),
                "B": by("p1", "2h", **delay(50)),
                "C": by("p1", "4h", **delay(200)),
                "D": by("p1", "1h", **delay(10)),
            }
        },
        {"C": (0, 4), "B": (4, 6), "A": (6, 14), "D": (14, 15)},
        cost=200 * 4 + 50 * 6 + 100 * 14 + 10 * 15,
    ),
    "weighted tardiness on one person": Case(
        {
            "work": {
                "A": by("p1", "4h", due="4h", **delay(1)),
                "B": by("p1", "3h", due="3h", **delay(4)),
                "C": by("p1", "2h", due="5h", **delay(2)),
            }
        },
        {"B": (0, 3), "C": (3, 5), "A": (5, 9)},
        cost=5,
    ),
    "tardiness and flow add up": Case(
        {"work": {"A": by("p1", "4h", due="1h", costs={"tardiness": "10/hour", "flow": "1/hour"})}},
        {"A": (0, 4)},
        cost=10 * 3 + 4,
    ),
    "a project is finished with its last item": Case(
        # as items B goes first (10 against 3); as a project A1 and A2 together are worth 12 for six hours
        {
            "work": {
                "A1": by("p1", "3h", project="P"),
                "A2": by("p1", "3h", project="P"),
                "B": by("p1", "4h", project="Q"),
            },
            "projects": {"P": delay(12), "Q": delay(10)},
        },
        {"B": (0, 4), "A1": (4, 7), "A2": (7, 10)},
        cost=10 * 4 + 12 * 10,
    ),
    "skills": Case(
        {
            "people": {"p1": {"skills": ["a", "b"]}, "p2": {"skills": ["a"]}},
            "work": {"X": needing("a", "4h", **delay(10)), "Y": needing("b", "4h", **delay(1))},
        },
        {"X": (0, 4), "Y": (0, 4)},
        cost=44,
        who={"X": {"p2"}, "Y": {"p1"}},
    ),
    "levels": Case(
        {
            "people": {"p1": {"skills": {"a": 1}}, "p2": {"skills": {"a": 3}}},
            "work": {
                "X": needing("a", "2h", level=2, **delay(5)),
                "Y": needing("a", "3h", level=3, **delay(1)),
                "Z": needing("a", "4h", **delay(1)),
            },
        },
        {"X": (0, 2), "Y": (2, 5), "Z": (0, 4)},
        who={"X": {"p2"}, "Y": {"p2"}, "Z": {"p1"}},
    ),
    "two people on one need share its effort": Case(
        {
            "people": 2,
            "work": {
                "X": {"needs": [{"who": ["p1", "p2"], "people": 2, "effort": "8h"}], **delay(9)},
                "Y": by("p1", "1h"),
            },
        },
        {"X": (0, 4), "Y": (4, 5)},
        who={"X": {"p1", "p2"}},
    ),
    "whose need is done first leaves first": Case(
        {
            "people": 2,
            "work": {
                "X": {"needs": [{"who": "p1", "effort": "6h"}, {"who": "p2", "effort": "2h"}], **delay(9)},
                "Y": by("p2", "3h", **delay(1)),
            },
        },
        {"X": (0, 6), "Y": (2, 5)},
    ),
    "half of one's time": Case(
        {
            "work": {
                "X": by("p1", "2h", allocation="50%", **delay(2)),
                "Y": by("p1", "2h", allocation="50%", **delay(2)),
                "Z": by("p1", "1h", **delay(0)),
            }
        },
        {"X": (0, 4), "Y": (0, 4), "Z": (4, 5)},
        cost=16,
    ),
    "an estimate counts by its mean": Case(
        # 0.3 * 2h + 0.4 * 4h + 0.3 * 10h = 5.2h, rounded up to whole slots
        {"work": {"X": by("p1", "2h/4h/10h")}},
        {"X": (0, 6)},
    ),
    "what is left of work in progress": Case(
        {"work": {"X": by("p1", "40h", remaining="3h", status="in-progress"), "Y": by("p1", "2h")}},
        {"X": (2, 5), "Y": (0, 2)},
    ),
    "a duration is everyone's time": Case(
        {"people": 2, "work": {"X": {"duration": "3h", "needs": [{"who": ["p1", "p2"], "people": 2}]}}},
        {"X": (0, 3)},
        who={"X": {"p1", "p2"}},
    ),
    "a slot of 15 minutes, as-of off the grid": Case(
        {"work": {"X": by("p1", "50m")}, "slot": "15m", "as_of": "2026-11-23T08:07Z"},
        {"X": (0, 1)},
    ),
    "a pause over the weekend": Case(
        office({"X": by("p1", "6h")}, as_of="2026-11-27T13:00Z"),
        {"X": (0, 70)},  # Friday 13:00 to 17:00, Monday 09:00 to 11:00
    ),
    "no pause over night": Case(
        office({"X": by("p1", "6h", pausable=False)}, as_of="2026-11-27T13:00Z"),
        {"X": (68, 74)},
    ),
    "a day off": Case(
        office({"X": by("p1", "12h")}, people={"p1": {"away": ["2026-11-24"]}}),
        {"X": (0, 52)},  # Monday, and Wednesday until 13:00
    ),
    "a holiday": Case(
        office(
            {"X": by("p1", "12h")},
            as_of="2026-11-25T09:00Z",
            calendars={"office": {**OFFICE["office"], "holidays": "US"}},
        ),
        {"X": (0, 52)},  # Thursday 26 November 2026 is Thanksgiving
    ),
    "productive hours": Case(
        office({"X": by("p1", "6h")}, people={"p1": {"productive": "50%"}}),
        {"X": (0, 26)},  # four hours of each day
    ),
    "a crew works where its calendars meet": Case(
        # Berlin is at work 08:00-16:00 UTC, Chicago 15:00-23:00 UTC
        {
            "calendars": {
                "berlin": {"hours": "Mon-Fri 09:00-17:00", "zone": "Europe/Berlin"},
                "chicago": {"hours": "Mon-Fri 09:00-17:00", "zone": "America/Chicago"},
            },
            "people": {"p1": {"calendar": "berlin"}, "p2": {"calendar": "chicago"}},
            "work": {"X": {"duration": "2h", "needs": [{"who": "p1"}, {"who": "p2"}]}},
        },
        {"X": (7, 32)},
        proved=False,
    ),
    "release dates of item, container and project": Case(
        {
            "people": 3,
            "projects": {"P": {"not_before": "5h"}},
            "work": {
                "X": by("p1", "1h", not_before="3h"),
                "BOX": {"not_before": "4h"},
                "Y": by("p2", "1h", parent="BOX"),
                "Z": by("p3", "1h", project="P"),
            },
        },
        {"X": (3, 4), "Y": (4, 5), "Z": (5, 6)},
    ),
    "a link to a container waits for all in it": Case(
        {
            "people": 3,
            "work": {
                "BOX": {},
                "X": by("p1", "2h", parent="BOX"),
                "Y": by("p2", "5h", parent="BOX"),
                "AFTER": {"after": ["BOX"]},
                "Z": by("p3", "1h", parent="AFTER"),
            },
        },
        {"X": (0, 2), "Y": (0, 5), "Z": (5, 6)},
    ),
    "an environment holds one": Case(
        {
            "people": 2,
            "environments": {"staging": {}},
            "work": {
                "X": by("p1", "6h", environment="staging", **delay(1)),
                "Y": by("p2", "2h", environment="staging", **delay(1)),
            },
        },
        {"Y": (0, 2), "X": (2, 8)},
        cost=10,
    ),
    "an environment of three holds two and one": Case(
        {
            "people": 3,
            "environments": {"hosts": {"capacity": 3}},
            "work": {
                "X": by("p1", "4h", environment={"hosts": 2}, **delay(9)),
                "Y": by("p2", "3h", environment={"hosts": 2}, **delay(1)),
                "Z": by("p3", "5h", environment={"hosts": 1}, **delay(1)),
            },
        },
        {"X": (0, 4), "Y": (4, 7), "Z": (0, 5)},
    ),
    "an environment that closes": Case(
        {
            "calendars": {"always": {"hours": "daily 00:00-24:00"}, "lab": {"hours": "daily 10:00-12:00"}},
            "environments": {"lab": {"calendar": "lab"}},
            "work": {"X": by("p1", "3h", environment="lab")},
        },
        {"X": (2, 27)},  # 10:00 to 12:00 and again the next day
    ),
    "one project in process": Case(
        # everyone could begin at once, but the second project waits until the first is finished
        {
            "people": 2,
            "policy": {"projects_in_process": 1},
            "projects": {"A": delay(1), "B": delay(9)},
            "work": {
                "A1": by("p1", "2h", project="A"),
                "A2": by("p2", "3h", project="A"),
                "B1": by("p1", "4h", project="B"),
                "B2": by("p2", "1h", project="B"),
            },
        },
        {"B1": (0, 4), "B2": (0, 1), "A1": (4, 6), "A2": (4, 7)},
        cost=9 * 4 + 7,
    ),
    "one item at a time on a person": Case(
        {
            "people": {"p1": {"wip": 1}},
            "work": {
                "X": by("p1", "1h", allocation="50%", **delay(1)),
                "Y": by("p1", "2h", allocation="50%", **delay(1)),
            },
        },
        {"X": (0, 2), "Y": (2, 6)},
        cost=8,
    ),
    "a WIP limit for all": Case(
        {
            "policy": {"person_wip": 2},
            "work": {
                name: by("p1", f"{n}h", allocation="25%", **delay(1)) for name, n in {"X": 1, "Y": 2, "Z": 3}.items()
            },
        },
        {"X": (0, 4), "Y": (0, 8), "Z": (4, 16)},
        cost=28,
    ),
    "a window": Case(
        {"windows": {"sat": {"every": SATURDAY}}, "work": {"X": by("p1", "3h", change={"window": "sat"})}},
        {"X": (134, 137)},
    ),
    "a window with a freeze before and room to roll back": Case(
        {
            "windows": {"sat": {"every": SATURDAY}},
            "freezes": [{"from": "2026-11-26", "to": "2026-11-30", "services": ["payroll"]}],
            "services": {"payroll": {}, "web": {}},
            "work": {
                "X": by("p1", "3h", change={"window": "sat", "rollback": "3h", "services": ["payroll"]}),
                "Y": by("p1", "2h", change={"window": "sat", "rollback": "4h", "services": ["web"]}),
            },
        },
        {"X": (134 + 168, 137 + 168), "Y": (134, 136)},
    ),
    "a freeze without a window": Case(
        {
            "freezes": [{"from": "2h", "to": "9h"}],
            "work": {"X": by("p1", "3h", change={"kind": "standard"}), "Y": by("p1", "3h")},
        },
        {"X": (9, 12), "Y": (0, 3)},
    ),
    "approval takes its time": Case(
        {
            "people": 2,
            "work": {
                "X": by("p1", "1h", change={"approval": {"lead": "3d"}}),
                "Y": by("p2", "1h", change={"approval": {"lead": "3d", "given": True}}),
            },
        },
        {"X": (72, 73), "Y": (0, 1)},
    ),
    "a pinned start": Case(
        {
            "policy": {"pins": [{"work": "X", "start": "5h"}]},
            "work": {"X": by("p1", "2h", **delay(99)), "Y": by("p1", "4h", **delay(1))},
        },
        {"X": (5, 7), "Y": (0, 4)},
    ),
    "a pinned start in closed time": Case(
        office({"X": by("p1", "2h")}, policy={"pins": [{"work": "X", "start": "2026-11-23T20:00Z"}]}),
        {"X": (24, 26)},
    ),
    "a pinned start among more valuable work": Case(
        {
            "policy": {"pins": [{"work": "X", "start": "5h"}]},
            "work": {"Y": by("p1", "40h", **delay(100)), "X": by("p1", "2h")},
        },
        {"X": (5, 7), "Y": (7, 47)},
        cost=4700,
        proved=False,
    ),
    "pinned people": Case(
        {
            "people": {"p1": {"skills": ["a"]}, "p2": {"skills": ["a"]}},
            "policy": {"pins": [{"work": "X", "who": "p2"}]},
            "work": {"X": needing("a", "4h", **delay(2)), "Y": needing("a", "9h", **delay(1))},
        },
        {"X": (0, 4), "Y": (0, 9)},
        who={"X": {"p2"}, "Y": {"p1"}},
    ),
    "a wait goes on over night": Case(
        office({"X": {"wait": "12h"}, "Y": by("p1", "2h", after=["X"])}),
        {"X": (0, 12), "Y": (24, 26)},
    ),
    "milestones": Case(
        {
            "work": {
                "X": by("p1", "3h"),
                "DONE": {"after": ["X"]},
                "SHUT": by("p1", "2h", remaining="0", after=["DONE"]),
            }
        },
        {"X": (0, 3), "DONE": (3, 3), "SHUT": (3, 3)},
    ),
    "what has a date outside": Case(
        {"external": {"EXT": {"expected": "7h"}}, "work": {"X": by("p1", "1h", after=["EXT"])}},
        {"X": (7, 8)},
    ),
    "what is outside is taken as done": Case(
        {"policy": {"externals": "assume-done"}, "external": {"EXT": {}}, "work": {"X": by("p1", "1h", after=["EXT"])}},
        {"X": (0, 1)},
    ),
    "links do not hold back what has begun": Case(
        {"people": 2, "work": {"A": by("p1", "4h"), "B": by("p2", "2h", status="in-progress", after=["A"])}},
        {"A": (0, 4), "B": (0, 2)},
    ),
    "what waits for history is free": Case(
        {"work": {"A": by("p1", "4h", status="done"), "B": by("p1", "2h", after=["A"])}},
        {"B": (0, 2)},
    ),
    "makespan of everything": Case(
        {
            "people": {"p1": {"skills": ["a"]}, "p2": {"skills": ["a"]}},
            "policy": {"makespan": "100/hour"},
            "work": {name: needing("a", f"{n}h") for name, n in {"X": 3, "Y": 3, "Z": 2, "U": 2, "V": 2}.items()},
        },
        {},
        cost=600,
    ),
    "makespan of a project": Case(
        # begun as late as the last piece allows
        {
            "people": 2,
            "projects": {"P": {"makespan": "100/hour"}},
            "work": {"X": by("p1", "2h", project="P"), "Y": by("p2", "3h", project="P", not_before="10h")},
        },
        {"Y": (10, 13)},
        cost=300,
    ),
    "earliness": Case(
        {
            "work": {
                "X": by("p1", "2h", wanted_start="10h", due="1d", costs={"earliness": "5/hour", "tardiness": "5/hour"})
            }
        },
        {},
        cost=0,
    ),
    "too early or too late": Case(
        # X wants to begin at 4 and Y to be done by 5, both take 3 hours: Y 0-3, X 4-7 costs nothing
        {
            "work": {
                "X": by("p1", "3h", wanted_start="4h", due="7h", costs={"earliness": "3/hour", "tardiness": "5/hour"}),
                "Y": by("p1", "3h", due="5h", costs={"tardiness": "5/hour"}),
            }
        },
        {"X": (4, 7)},
        cost=0,
    ),
    "nothing has a cost": Case(
        {"work": {"X": by("p1", "5h"), "Y": by("p1", "1h")}},
        {"Y": (0, 1), "X": (1, 6)},
        cost=7 / 168,
    ),
} | {
    f"a link: {name}": Case(
        office({"A": by("p1", "4h"), "B": by("p2", "2h", after=[link])}, people=2), {"A": (0, 4), "B": at}
    )
    for name, (link, at) in LINKED.items()
}


@pytest.mark.parametrize("name", CASES)
def test_known_optimum(name: str) -> None:
    case = CASES[name]
    plan = plan_of(portfolio(**{"people": 1, **case.data}))
    found = hours(plan)
    assert {id: found[id] for id in case.at} == case.at
    for id, people in case.who.items():
        assert crew(plan, id) == people
    objective = plan.certificate.objective
    if case.cost is not None:
        assert objective.value == pytest.approx(case.cost, abs=1e-9)
    if case.proved:
        assert plan.certificate.status is PlanStatus.OPTIMAL
        assert objective.proved
        assert objective.bound == pytest.approx(objective.value)


# --- what is left out, held and let in


def test_every_reason_to_leave_an_item_out() -> None:
    plan = plan_of(
        portfolio(
            people={"p1": {"skills": {"a": 1}, "calendar": "day"}, "p2": {"skills": ["b"], "calendar": "night"}},
            calendars={"day": {"hours": "daily 09:00-17:00"}, "night": {"hours": "daily 22:00-06:00"}},
            skills=["a", "b", "c"],
            environments={"lab": {"capacity": 2}},
            windows={"noon": {"every": "Mon 12:00-14:00"}},
            external={"EXT": {}},
            work={
                "OK": needing("a", "1h"),
                "LEVEL": needing("a", "1h", level=2),
                "SKILL": needing("c", "1h"),
                "TWO": needing("a", "1h", people=2),
                "BOTH": {"duration": "1h", "needs": [{"skill": "a"}, {"skill": "b"}]},
                "LONG": needing("a", "9h", pausable=False),
                "WIDE": needing("a", "1h", environment={"lab": 3}),
                "WINDOW": needing("a", "2h", change={"window": "noon", "rollback": "1h"}),
                "EXTERNAL": needing("a", "1h", after=["EXT"]),
                "AFTER": needing("a", "1h", after=["WIDE"]),
                "AFTERWARDS": needing("a", "1h", after=["AFTER"]),
                "UNKNOWN": needing("a", "1h", status="unknown"),
                "BOX": {"on_hold": "no money"},
                "HELD": needing("a", "1h", parent="BOX"),
                "FAR": needing("a", "1h", not_before="2040-01-01"),
            },
        )
    )
    assert {id: out.reason for id, out in plan.unscheduled.items()} == {
        "LEVEL": Reason.NO_HOLDER,
        "SKILL": Reason.NO_HOLDER,
        "TWO": Reason.NO_HOLDER,
        "BOTH": Reason.NO_COMMON_TIME,
        "LONG": Reason.NO_COMMON_TIME,
        "WIDE": Reason.NO_CAPACITY,
        "WINDOW": Reason.NO_WINDOW,
        "EXTERNAL": Reason.EXTERNAL,
        "AFTER": Reason.UNSCHEDULED,
        "AFTERWARDS": Reason.UNSCHEDULED,
        "UNKNOWN": Reason.STATUS,
        "HELD": Reason.ON_HOLD,
        "FAR": Reason.BEYOND,
    }
    refs = {id: out.refs for id, out in plan.unscheduled.items()}
    assert refs["SKILL"] == ("c",)
    assert refs["WIDE"] == ("lab",)
    assert refs["WINDOW"] == ("noon",)
    assert refs["EXTERNAL"] == ("EXT",)
    assert refs["AFTER"] == ("WIDE",)
    assert refs["AFTERWARDS"] == ("AFTER",)
    assert refs["HELD"] == ("BOX",)
    assert set(plan.items) == {"OK"}
    assert plan.containers == ("BOX",)
    assert {h.item for h in plan.holds} == set(plan.unscheduled)
    assert plan.certificate.items == 14
    assert (plan.certificate.scheduled, plan.certificate.unscheduled) == (1, 13)


def test_what_is_let_in_this_week_and_what_is_held() -> None:
    plan = plan_of(
        portfolio(
            office_work := {
                "A": by("p1", "30h", **delay(9)),
                "B": by("p1", "9h", project="P"),
                "C": by("p1", "8h", **delay(1)),
                "GOING": by("p1", "1h", status="in-progress", **delay(99)),
                "OLD": by("p1", "1h", status="done"),
                "STUCK": by("p1", "1h", on_hold="no", **delay(5)),
            },
            calendars=OFFICE,
            projects={"P": delay(3)},
        )
    )
    assert office_work.keys() == {*plan.items, *plan.unscheduled, *plan.done}
    assert [r.item for r in plan.releases] == ["A", "B"]
    assert [(h.item, h.reason) for h in plan.holds] == [("STUCK", Reason.ON_HOLD), ("C", Reason.PEOPLE)]
    assert {r.item: r.value for r in plan.releases} == {"A": 9 * 168, "B": 3 * 168}
    assert plan.releases[1].project == "P"
    assert plan.holds[0].until is None
    assert plan.holds[1].until == plan.items["C"].start
    assert plan.done == ("OLD",)
    week = plan.weeks[0]
    assert week.week == "2026-W48"
    assert week.starts == ("A", "B", "GOING")
    assert sum(h for day in week.people["p1"].values() for h in day.values()) == pytest.approx(40)
    assert all(sum(day.values()) == pytest.approx(8) for day in week.people["p1"].values())


def test_projects_tell_their_dates_and_costs() -> None:
    plan = plan_of(
        portfolio(
            {
                "A": by("p1", "3h", project="P"),
                "B": by("p1", "4h", project="P", after=["A"]),
                "C": by("p1", "1h", project="Q", on_hold="no"),
                "D": by("p1", "2h", due="1h", **delay(1)),
            },
            projects={"P": delay(10, due="2h"), "Q": {}},
        )
    )
    p, q, d = plan.projects["P"], plan.projects["Q"], plan.projects["D"]
    assert hours(plan) == {"A": (0, 3), "B": (3, 7), "D": (7, 9)}
    assert (p.start, p.finish) == (MONDAY, plan.items["B"].finish)
    assert p.late_weeks == pytest.approx(5 / 168, abs=1e-6)
    assert p.cost == pytest.approx(50)
    assert d.cost == pytest.approx(8)
    assert (q.finish, q.items, q.unscheduled) == (None, 1, 1)
    assert plan.certificate.objective.value == pytest.approx(58)
    assert plan.certificate.flow.value == pytest.approx(10 * 7 + 9)


def test_hours_by_local_day() -> None:
    """In Chicago as-of is 02:00 of Monday; work around local midnight is told on both days."""
    plan = plan_of(portfolio({"A": by("p1", "30h", allocation="50%", not_before="14h")}, zone="America/Chicago"))
    days = {d.isoformat(): h["A"] for w in plan.weeks for d, h in w.people["p1"].items()}
    assert days == {"2026-11-23": 4, "2026-11-24": 12, "2026-11-25": 12, "2026-11-26": 2}


# --- errors


def test_all_errors_of_the_input_are_told_together() -> None:
    broken = portfolio(
        {
            "A": by("p1", "1h", after=["B"]),
            "B": by("p1", "1h", after=["A"]),
            "C": {"after": ["D"]},
            "D": {"after": ["C"]},
        }
    )
    with pytest.raises(InputError) as caught:
        plan_of(broken)
    assert [f.ids for f in caught.value.findings] == [("A", "B"), ("C", "D")]
    assert {f.code for f in caught.value.findings} == {"cycle"}
    with pytest.raises(InputError, match="NOBODY"):
        plan_of(portfolio({"A": by("NOBODY", "1h")}))


def test_projects_that_wait_for_each_other_need_a_limit_that_holds_both() -> None:
    both = portfolio(
        {
            "A1": by("p1", "1h", project="A"),
            "B1": by("p1", "1h", project="B", after=["A1"]),
            "A2": by("p1", "1h", project="A", after=["B1"]),
        },
        projects={"A": {}, "B": {}},
        policy={"projects_in_process": 1},
    )
    with pytest.raises(InputError, match=r"A, B wait for each other.*projects_in_process is 1"):
        plan_of(both)
    loose = both.model_copy(update={"policy": both.policy.model_copy(update={"projects_in_process": 2})})
    assert hours(plan_of(loose)) == {"A1": (0, 1), "B1": (1, 2), "A2": (2, 3)}


def test_pins_that_exclude_each_other_leave_no_plan() -> None:
    pins = [{"work": "A", "start": "1h"}, {"work": "B", "start": "2h"}]
    with pytest.raises(NoPlanError, match=r"pin of A \(start\) and pin of B \(start\) exclude each other") as caught:
        plan_of(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}, policy={"pins": pins}))
    assert {"A", "B"} <= set(caught.value.findings[0].ids)


def test_an_empty_portfolio_has_an_empty_plan() -> None:
    plan = plan_of(portfolio({}))
    assert (plan.items, plan.releases, plan.holds, plan.bottleneck) == ({}, (), (), None)
    assert plan.certificate.status is PlanStatus.OPTIMAL


# --- baselines


@pytest.mark.parametrize("seed", [3, 7, 11, 19])
def test_baselines_are_plans_by_the_same_rules(seed: int) -> None:
    """First come and greedy are not formulas: each is a schedule of the same items that the checker accepts."""
    made_from = random_portfolio(seed, items=12)
    compiled = compiled_of(made_from)
    settings = Settings(budget=0.02, deterministic=True)
    solution = Solver(compiled.instance, settings).solve()
    certificate = plan_of(made_from, budget=0.02).certificate
    assert solution.first_come is not None
    assert solution.greedy is not None
    for name in ("first_come", "greedy"):
        schedule = getattr(solution, name)
        plan = build_plan(compiled, Solution(schedule, solution.first_come, solution.greedy), settings)
        verdict = check(plan, made_from)
        assert [v.message for v in verdict.violations] == []
        assert getattr(certificate.objective, name) == pytest.approx(verdict.objective)
        assert getattr(certificate.flow, name) == pytest.approx(verdict.flow)


def test_first_come_follows_the_file_and_greedy_the_value() -> None:
    plan = plan_of(
        portfolio({"A": by("p1", "8h", **delay(1)), "B": by("p1", "1h", **delay(1)), "C": by("p1", "4h", **delay(2))})
    )
    objective = plan.certificate.objective
    assert objective.first_come == pytest.approx(8 + 9 + 2 * 13)
    assert objective.greedy == objective.value == pytest.approx(1 + 2 * 5 + 13)


# --- what has no place even alone


ALIKE: dict[str, tuple[dict[str, Any], dict[str, str], Reason]] = {
    "a window": (
        {"windows": {"sat": {"every": "Sat 22:00-04:00"}}},
        {"A": "2h", "B": "7h", "C": "6h", "D": "1h"},
        Reason.NO_WINDOW,
    ),
    "a crew that may not pause": (
        {"calendars": OFFICE, "as_of": "2026-11-23T09:00Z"},
        {"A": "8h", "B": "16h", "C": "18h", "D": "4h"},
        Reason.NO_COMMON_TIME,
    ),
}


@pytest.mark.parametrize("name", ALIKE)
def test_of_items_alike_only_those_that_are_too_long_are_left_out(name: str) -> None:
    """They are tried together where even the longest fits, and otherwise one by one."""
    rest, lengths, reason = ALIKE[name]
    pair = {"needs": [{"who": ["p1", "p2"], "people": 2}], "pausable": False}
    if reason is Reason.NO_WINDOW:
        pair["change"] = {"window": "sat"}
    work = {id: {"duration": length, **pair} for id, length in lengths.items()}
    plan = plan_of(portfolio(work, 2, **rest))
    hours_of = {id: int(length.removesuffix("h")) for id, length in lengths.items()}
    most = 6 if reason is Reason.NO_WINDOW else 8
    assert {id: out.reason for id, out in plan.unscheduled.items()} == {
        id: reason for id, length in hours_of.items() if length > most
    }


def test_what_cannot_begin_early_enough_is_tried_at_its_own_date() -> None:
    """The last item alike may begin only when the five years are over; the others have their place."""
    work = {id: by("p1", "1h", not_before=date) for id, date in (("A", "1d"), ("B", "1900d"), ("C", "2d"))}
    plan = plan_of(portfolio(work))
    assert {id: out.reason for id, out in plan.unscheduled.items()} == {"B": Reason.BEYOND}


def test_a_milestone_lies_in_no_freeze() -> None:
    work = {"M": {"change": {}, "not_before": "2d"}, "AT": {"change": {}, "not_before": "1d"}}
    plan = plan_of(portfolio(work, freezes=[{"from": "1d", "to": "3d"}]))
    assert hours(plan) == {"M": (72, 72), "AT": (24, 24)}


def test_a_pinned_milestone_is_at_its_pin_whatever_is_closed() -> None:
    calendars = {"always": {"hours": "daily 00:00-24:00"}, **OFFICE}
    rest = {"environments": {"lab": {"calendar": "office"}}, "policy": {"pins": [{"work": "M", "start": "20h"}]}}
    plan = plan_of(portfolio({"M": {"environment": "lab"}}, calendars=calendars, **rest))
    assert hours(plan) == {"M": (20, 20)}


# --- in two halves


def test_solved_and_then_verified_is_the_plan() -> None:
    made_from, how = random_portfolio(21, items=8), Settings(budget=0.1, deterministic=True)
    compiled, solution = solve_portfolio(made_from, how)
    assert solution.best is not None
    assert check_schedule(compiled.instance, solution.best) == []
    phases: list[str] = []
    assert verified_plan(compiled, solution, how, phase=phases.append) == plan_of(made_from, budget=0.1)
    assert phases == ["lift", "check"]


def test_a_solution_that_breaks_a_rule_is_never_a_plan() -> None:
    made_from, how = portfolio({"A": by("p1", "1h"), "B": by("p1", "1h")}), Settings(budget=0.01, deterministic=True)
    compiled, solution = solve_portfolio(made_from, how)
    assert solution.best is not None
    both = replace(solution.best, start=np.zeros(2, np.int64), end=np.ones(2, np.int64))
    with pytest.raises(VerificationError):
        verified_plan(compiled, replace(solution, best=both), how)


@pytest.mark.parametrize("running", [True, False])
def test_the_collector_is_left_as_it_was(running: bool) -> None:
    before = gc.isenabled()
    (gc.enable if running else gc.disable)()
    try:
        with contextlib.suppress(ZeroDivisionError), collector_resting():
            assert not gc.isenabled()
            _ = 1 / 0
        assert gc.isenabled() is running
    finally:
        (gc.enable if before else gc.disable)()


# --- repeatability, progress and interruption


def test_progress_is_told_and_never_gets_worse() -> None:
    told: list[Progress] = []
    plan = plan_of(random_portfolio(8, items=30), budget=0.3, progress=told.append)
    values = [p.incumbent for p in told if p.incumbent is not None]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(plan.certificate.objective.value)
    assert [p.phase for p in told[-3:]] == ["done", "lift", "check"]
    assert [p.seconds for p in told[-3:]] == sorted(p.seconds for p in told[-3:])
    bounds = [p.bound for p in told if p.bound is not None]
    assert bounds == sorted(bounds)
    assert all(p.seconds >= 0 and (p.gap is None or 0 <= p.gap <= 1) for p in told)


def test_stopped_before_it_begins() -> None:
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    with contextlib.suppress(InterruptedWithoutPlanError):
        assert check(make_plan(random_portfolio(5, items=20), budget=60, stop=stop)).ok
    assert time.monotonic() - began < 20  # kernels may have to be compiled first


@pytest.mark.parametrize(("seed", "items"), [(17, 40), (13, 150)])
def test_stopped_on_the_way_keeps_a_verified_plan(seed: int, items: int) -> None:
    """In the whole exact model (few activities) and in local search (many); both are far from a proof by then."""
    made_from = random_portfolio(seed, items=items)
    stop, began = threading.Event(), threading.Event()
    plans: list[Plan] = []
    searched: list[float] = []

    def told(progress: Progress) -> None:
        if progress.incumbent:
            began.set()
        if progress.phase == "lift":
            searched.append(time.process_time())

    def run() -> None:
        plans.append(make_plan(made_from, budget=120, stop=stop, progress=told))

    thread = threading.Thread(target=run)
    thread.start()
    assert began.wait(120)  # kernels may have to be compiled first
    time.sleep(1.5)
    assert thread.is_alive()
    asked = time.process_time()
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert searched[0] - asked < 1  # of all threads, whatever else the machine does
    assert check(plans[0], made_from).ok
    assert plans[0].certificate.objective.value <= plans[0].certificate.objective.greedy


def test_a_previous_plan_is_where_the_search_starts() -> None:
    made_from = random_portfolio(21, items=25)
    good = plan_of(made_from, budget=0.2)
    again = plan_of(made_from, budget=0.001, previous=good)
    assert again.certificate.objective.value <= good.certificate.objective.value * (1 + 1e-9)
    assert again.previous is not None
    assert again.previous.input_hash == good.certificate.input_hash
    fresh = plan_of(made_from, budget=0.001)
    assert fresh.previous is None


def test_a_large_portfolio_is_not_carried_in_its_plan() -> None:
    history = {f"H{i}": {"status": "done"} for i in range(10_000)}
    plan = plan_of(portfolio({**history, "A": by("p1", "1h")}))
    assert plan.portfolio is None
    assert len(plan.done) == 10_000
    assert check(plan, portfolio({**history, "A": by("p1", "1h")})).ok


def test_rollback_is_not_rounded_to_slots() -> None:
    """Two hours from 12:00 and half an hour to roll back end with the window, though not with a slot."""
    plan = plan_of(
        portfolio(
            {"A": by("p1", "2h", change={"window": "noon", "rollback": "30m"})},
            windows={"noon": {"every": "Mon 12:00-14:30"}},
        )
    )
    assert hours(plan) == {"A": (4, 6)}


def test_a_project_of_a_milestone_alone_counts_when_it_starts() -> None:
    plan = plan_of(
        portfolio(
            {"M": {"project": "P"}, "A": by("p1", "2h", project="Q")},
            projects={"P": delay(9), "Q": delay(1)},
            policy={"projects_in_process": 1},
        )
    )
    assert set(plan.items) == {"M", "A"}


def test_a_working_lag_counts_the_time_that_the_crew_has_in_common() -> None:
    """p1 and p2 meet for one hour a day, so that two working hours after A are over on the second day."""
    work = {
        "A": by("p1", "1h", **delay(1)),
        "B": {
            "needs": [{"who": "p1", "effort": "1h"}, {"who": "p2", "effort": "1h"}],
            "after": [{"item": "A", "lag": "2h"}],
        },
        "C": by("p1", "2h", **delay(1)),
    }
    calendars = {"late": {"hours": "daily 11:00-20:00"}, "early": {"hours": "daily 06:00-12:00"}}
    plan = plan_of(
        portfolio(
            work,
            people={"p1": {"calendar": "late"}, "p2": {"calendar": "early"}},
            calendars=calendars,
            projects={"P": delay(5)},
            policy={"makespan": "9/hour"},
        ),
        budget=0.3,
    )
    assert hours(plan) == {"A": (3, 4), "C": (4, 6), "B": (75, 76)}


ZERO: dict[str, dict[str, Any]] = {
    "cost_of_delay": {"cost_of_delay": "0/week"},
    "cost_of_delay with due": {"cost_of_delay": "0/week", "due": "1h"},
    "tardiness": {"costs": {"tardiness": "0/week"}, "due": "1h"},
    "flow": {"costs": {"flow": "0/week"}},
    "none of the costs": {"costs": {}},
    "earliness": {"costs": {"earliness": "0/week"}, "wanted_start": "9h"},
    "makespan": {"makespan": "0/week"},
}
ZERO_OF = {"item": ZERO.keys() - {"makespan"}, "project": ZERO.keys() - {"earliness"}, "policy": {"makespan"}}
ZERO_OF["container"] = ZERO_OF["item"]


@pytest.mark.parametrize(("holder", "kind"), [(h, k) for h, kinds in ZERO_OF.items() for k in ZERO if k in kinds])
def test_a_rate_of_zero_is_no_cost(holder: str, kind: str) -> None:
    """So activities count alike where there is no other, and the short one goes first."""
    work: dict[str, Any] = {"BOX": {}, "LONG": by("p1", "3h", parent="BOX"), "SHORT": by("p1", "1h")}
    rest: dict[str, Any] = {}
    name = {"item": "LONG", "container": "BOX", "project": "P"}.get(holder, "")
    if holder == "project":
        work["BOX"] |= {"project": "P"}
        rest["projects"] = {"P": ZERO[kind]}
    elif holder == "policy":
        rest["policy"] = ZERO[kind]
    else:
        work[name] |= ZERO[kind]
    plan = plan_of(portfolio(work, **rest), budget=0.01)
    assert hours(plan) == {"SHORT": (0, 1), "LONG": (1, 4)}
    assert plan.certificate.objective.value == pytest.approx(5 / 168)
    assert plan.projects.keys() == ({name} if holder == "project" or "due" in ZERO[kind] else set())


def test_rates_of_zero_beside_a_cost() -> None:
    work = {f"W{k}": by("p1", "3h", **ZERO[kind]) for k, kind in enumerate(sorted(ZERO_OF["item"]))}
    projects = {f"P{k}": ZERO[kind] for k, kind in enumerate(sorted(ZERO_OF["project"]))}
    work |= {f"V{k}": by("p1", "2h", project=name) for k, name in enumerate(projects)}
    plan = plan_of(portfolio({**work, "A": by("p1", "1h", **delay(2))}, projects=projects, policy=ZERO["makespan"]))
    assert hours(plan)["A"] == (0, 1)
    assert plan.certificate.objective.value == pytest.approx(2)
    due = {f"W{k}" for k, kind in enumerate(sorted(ZERO_OF["item"])) if "due" in ZERO[kind]}
    assert plan.projects.keys() == {"A", *projects, *due}


def test_a_change_that_only_freezes_keep_out_is_left_out_for_want_of_a_window() -> None:
    """Five years hold it, but not between freezes; the shorter one fits before the first of them."""
    freezes = [{"from": f"{year}-06-01", "to": f"{year}-06-02", "why": "peak"} for year in range(2027, 2032)]
    change = {"services": ["pay"]}
    plan = plan_of(
        portfolio(
            {"LONG": by("p1", "9000h", change=change), "SHORT": by("p1", "900h", change=change)},
            services={"pay": {}},
            freezes=freezes,
        )
    )
    assert plan.unscheduled["LONG"].reason is Reason.NO_WINDOW
    assert plan.items.keys() == {"SHORT"}
