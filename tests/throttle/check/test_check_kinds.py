"""Every kind of violation, injected into one plan: it is caught, by its kind, and names what it is about."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import throttle.check
from support.naive import Naive, naive_plan
from throttle.check import KINDS, check
from throttle.errors import InputError
from throttle_models import Load, Plan, Portfolio, Reason, Verdict

Data = dict[str, Any]

ORGANISATION: Data = {
    "as_of": "2026-11-23T08:00",
    "zone": "America/Chicago",
    "slot": "60m",
    "currency": "USD",
    "calendars": {"office": {"hours": "Mon-Fri 09:00-17:00"}, "always": {"hours": "daily 00:00-24:00"}},
    "people": {
        "ann": {"skills": {"linux": 2}},
        "bob": {"skills": {"linux": 1, "qa": 2}},
        "cat": {"skills": ["qa"], "wip": 1},
        "nia": {"skills": ["oracle"], "calendar": "always", "team": "ops"},
    },
    "teams": {"ops": {"wip": 1}},
    "environments": {"staging": {}, "hosts": {"capacity": 10}},
    "services": {"payroll": {}},
    "windows": {"saturday": {"every": "Sat 22:00-04:00"}},
    "freezes": [{"from": "2026-12-05", "to": "2026-12-06", "services": ["payroll"]}],
    "projects": {"alpha": {"cost_of_delay": "1000/week", "due": "2026-11-24"}, "beta": {"costs": {"flow": "70/week"}}},
    "work": {
        "A1": {"project": "alpha", "needs": [{"skill": "linux", "level": 2, "effort": "12h"}]},
        "A2": {
            "project": "alpha",
            "needs": [{"skill": "linux", "effort": "4h"}],
            "after": [{"item": "A1", "lag": "1d", "lag_in": "working"}],
        },
        "B1": {"project": "beta", "needs": [{"who": "bob", "effort": "4h"}, {"skill": "qa", "effort": "6h"}]},
        "MILESTONE": {"project": "beta", "after": ["B1"]},
        "HALF": {"type": "unplanned", "needs": [{"skill": "linux", "effort": "2h", "allocation": "50%"}]},
        "CHG": {
            "type": "change",
            "change": {
                "services": ["payroll"],
                "window": "saturday",
                "rollback": "1h",
                "approval": {"board": "cab", "lead": "3d"},
            },
            "needs": [{"skill": "oracle", "effort": "2h"}],
        },
        "WAIT": {"type": "unplanned", "wait": "5h"},
        "S1": {"needs": [{"skill": "linux", "effort": "3h"}], "environment": "staging"},
        "S2": {"needs": [{"skill": "oracle", "effort": "2h"}], "environment": "staging"},
        "PINNED": {"needs": [{"skill": "oracle", "effort": "2h"}]},
        "SOLO": {"needs": [{"skill": "linux", "effort": "4h"}], "pausable": False},
        "CAT": {"needs": [{"who": "cat", "effort": "1h"}]},
        "LATER": {"needs": [{"skill": "oracle", "effort": "3h"}], "not_before": "1w", "cost_of_delay": "10/week"},
        "BOX": {},
        "INSIDE": {"parent": "BOX", "needs": [{"skill": "qa", "effort": "1h"}], "status": "in-progress"},
        "OVER": {"needs": [{"skill": "linux", "effort": "1h"}], "status": "done"},
        "HELD": {"needs": [{"skill": "linux", "effort": "1h"}], "on_hold": "no money"},
        "AFTER-HELD": {"after": ["HELD"]},
        "AFTER-STUB": {"after": ["STUB"]},
        "NOBODY": {"needs": [{"skill": "linux", "level": 3, "effort": "1h"}]},
    },
    "external": {"STUB": {"title": "elsewhere"}},
    "policy": {
        "projects_in_process": 1,
        "wip": {"unplanned": 1},
        "drum": "nia",
        "rope": "4h",
        "overrides": [{"item": "CAT", "limit": "policy.rope", "reason": "the board says so"}],
        "pins": [{"work": "PINNED", "start": "2026-11-25T10:00", "who": "nia"}],
        "rules": [
            {
                "name": "payroll",
                "when": {"services": ["payroll"]},
                "require": [{"before": "Authorisation", "lead": "2h"}, {"after": "Review", "lead": "1h"}],
            }
        ],
    },
}


@cache
def right() -> Plan:
    return naive_plan(Portfolio.model_validate(ORGANISATION), days=60)


def test_the_plan_is_right_before_anything_is_injected() -> None:
    verdict = check(right())
    assert [v.message for v in verdict.violations] == []
    assert verdict.objective == pytest.approx(right().certificate.objective.value)
    assert verdict.flow == pytest.approx(right().certificate.flow.value)
    assert verdict.items == len(ORGANISATION["work"]) - 2 + 2  # less a container and what is done; two inserted


def shift(item: Data, hours: float) -> None:
    """Moves an item with all its work."""

    def later(text: str) -> str:
        return (datetime.fromisoformat(text) + timedelta(hours=hours)).isoformat()

    item["start"], item["finish"] = later(item["start"]), later(item["finish"])
    for assigned in item["assignments"]:
        assigned["work"] = [[later(a), later(b)] for a, b in assigned["work"]]


def move_to(plan: Data, name: str, moment: str, person: str | None = None) -> None:
    item = plan["items"][name]
    if person is not None:
        _give(plan, name, person)
    shift(item, (datetime.fromisoformat(moment) - datetime.fromisoformat(item["start"])).total_seconds() / 3600)


def entry(plan: Data, listing: str, item: str) -> Data:
    found: Data = next(one for one in plan[listing] if one["item"] == item)
    return found


def without(plan: Data, listing: str, item: str) -> None:
    plan[listing] = [one for one in plan[listing] if one["item"] != item]


def schedule(plan: Data, name: str) -> None:
    """Puts an item that is left out into the schedule."""
    del plan["unscheduled"][name]
    plan["items"][name] = {"start": "2026-11-24T15:00Z", "finish": "2026-11-24T15:00Z"}


def wrong_goal(plan: Data, **figures: Any) -> None:
    plan["certificate"]["objective"] |= figures


def load(plan: Data, name: str) -> Data:
    found: Data = next(one for one in plan["loads"] if one["name"] == name)
    return found


def set_of_nia(plan: Data) -> Data:
    """All true, but neither hers alone nor anyone's largest load."""
    return load(plan, "oracle") | {"name": "nia"}


def drum(plan: Data, of: str | None = None, **wrong: Any) -> Data:
    """The drum of a first plan, or as it would be had an earlier one named another; and what is wrong of it."""
    leader, named = plan["bottleneck"], load(plan, of) if of else plan["bottleneck"]
    ahead = leader["weeks_of_queue"] / named["weeks_of_queue"] - 1
    about = {name: named[name] for name in ("name", "kind", "members", "people", "weeks_of_queue")}
    challenger = {name: leader[name] for name in ("name", "kind", "members", "people")}
    kept = {"ahead": ahead, "challenger": challenger} if of else {}
    return about | {"since": plan["as_of"]} | kept | wrong


def replanned(plan: Data, **changes: Any) -> None:
    plan.update(previous={"as_of": plan["as_of"], "input_hash": "", "moves": [], "kept": 0}, **changes)


def in_force(plan: Data, name: str, zone: str = "9d", **entry: Any) -> None:
    """As if a plan had been in force that starts an item just so, and this one were made from it."""
    plan["portfolio"]["policy"]["stability"] = {"frozen": zone}
    plan["portfolio"]["planned"] = {name: {"start": plan["items"][name]["start"], **entry}}
    replanned(plan)


def chart(**wrong: Any) -> Data:
    """A fever chart of alpha, whose chain has not begun and which is on time; and what is wrong of it."""
    point = {"as_of": "2026-11-23T14:00Z", "done": 0.0, "used": 0.0, "zone": "green", **wrong}
    far = "2027-11-24T14:00Z"
    line = {"since": "2026-11-20T14:00Z", "finish": far, "promise": far, "chain": {"A1": 12}, "buffer_hours": 4}
    return {"zones": {}, "projects": {"alpha": {**line, "points": [point]}}}


Injection = Callable[[Data], object]

INJECTED: dict[str, list[tuple[Injection, str]]] = {
    # kind: how to break the plan, and an id that the violation names ("" for none)
    "input-hash": [(lambda p: p["certificate"].update(input_hash="0" * 64), "")],
    "header": [
        (lambda p: p.update(currency="EUR"), "currency"),
        (lambda p: p.update(slot="30m"), "slot"),
        (lambda p: p.update(as_of="2026-11-23T15:00Z"), "as_of"),
        (lambda p: p.update(zone="UTC"), "zone"),
    ],
    "not-checked": [(lambda p: p["portfolio"]["work"]["WAIT"].update(verify={"for": "1h"}), "WAIT")],
    "frozen-zone": [
        (lambda p: in_force(p, "SOLO"), "SOLO"),
        (lambda p: in_force(p, "SOLO", "0h", frozen=True), "SOLO"),
    ],
    "moves": [
        (lambda p: in_force(p, "SOLO", start="2026-11-26T15:00Z", why="no more"), "SOLO"),
        (lambda p: in_force(p, "SOLO", why="it may move"), "kept"),
    ],
    "buffers": [
        (lambda p: p["projects"]["alpha"].update(chain=["A1"]), "alpha"),
        (lambda p: p["portfolio"]["policy"].update(buffers={"project": "auto"}), "alpha"),
    ],
    "drum-buffer": [(lambda p: p["portfolio"]["policy"].update(buffers={"drum": "90d"}), "CHG")],
    "fever": [
        (lambda p: p.update(fever=chart(done=0.5)), "alpha"),
        (lambda p: p.update(fever=chart(used=0.5)), "alpha"),
        (lambda p: p.update(fever=chart(zone="red")), "alpha"),
        (lambda p: p.update(fever=chart() | {"zones": {"red": [0.9, 0.1]}}), ""),
    ],
    "missing-inserted": [
        (lambda p: p["inserted"].pop("CHG~review"), "CHG"),
        (lambda p: (p["inserted"].pop("CHG~review"), p["items"].pop("CHG~review")), "CHG~review"),
    ],
    "unknown-inserted": [(lambda p: p["inserted"].update(GHOST=p["inserted"]["CHG~review"]), "GHOST")],
    "wrong-inserted": [
        (lambda p: p["inserted"]["CHG~review"].update(of="A1"), "CHG"),
        (lambda p: p["inserted"]["CHG~review"].update(names=["another"]), "CHG~review"),
        (lambda p: p["inserted"]["CHG~review"].update(side="before"), "CHG~review"),
        (lambda p: p["inserted"]["CHG~review"]["item"].update(wait="30m"), "CHG~review"),
        (lambda p: p["inserted"]["CHG~review"]["item"].update(after=[]), "CHG~review"),
        (lambda p: p["inserted"]["CHG~authorisation"]["item"].update(status="done"), "CHG~authorisation"),
    ],
    "missing-item": [
        (lambda p: p["items"].pop("CHG~authorisation"), "CHG~authorisation"),
        (lambda p: p["unscheduled"].pop("HELD"), "HELD"),
        (lambda p: p["items"].pop("A1"), "A1"),
        (lambda p: p.update(done=[]), "OVER"),
        (lambda p: p.update(containers=[]), "BOX"),
    ],
    "unknown-item": [(lambda p: p["items"].update(GHOST=p["items"]["WAIT"]), "GHOST")],
    "double-item": [(lambda p: p["done"].append("A1"), "A1"), (lambda p: p["done"].append("OVER"), "OVER")],
    "wrong-list": [
        (lambda p: p.update(done=[], containers=["BOX", "OVER"]), "OVER"),
        (lambda p: p["containers"].append(_taken_out(p, "WAIT")), "WAIT"),
    ],
    "not-to-plan": [(lambda p: schedule(p, "HELD"), "HELD")],
    "off-grid": [
        (lambda p: shift(p["items"]["WAIT"], 0.1), "WAIT"),
        (lambda p: p["items"]["A1"]["assignments"][0]["work"][0].__setitem__(1, "2026-11-23T16:10Z"), "A1"),
    ],
    "before-as-of": [(lambda p: shift(p["items"]["WAIT"], -48), "WAIT")],
    "after-horizon": [
        (lambda p: p.update(horizon="2026-11-25T00:00Z"), "CHG"),
        (lambda p: p["items"]["WAIT"].update(finish="9999-12-30T00:00Z"), "WAIT"),
    ],
    "unknown-person": [(lambda p: p["items"]["A1"]["assignments"][0].update(person="ghost"), "ghost")],
    "unknown-need": [(lambda p: p["items"]["A1"]["assignments"][0].update(need=1), "A1")],
    "crew-size": [
        (lambda p: p["items"]["B1"]["assignments"].pop(), "B1"),
        (lambda p: p["items"]["A1"]["assignments"].append(p["items"]["A1"]["assignments"][0]), "A1"),
    ],
    "same-person": [(lambda p: p["items"]["B1"]["assignments"][1].update(person="bob"), "bob")],
    "unqualified": [
        (lambda p: p["items"]["A1"]["assignments"][0].update(person="cat"), "cat"),  # lacks the skill
        (lambda p: p["items"]["A1"]["assignments"][0].update(person="bob"), "bob"),  # lacks the level
    ],
    "not-named": [(lambda p: p["items"]["B1"]["assignments"][0].update(person="ann"), "ann")],
    "allocation": [(lambda p: p["items"]["HALF"]["assignments"][0].update(allocation=0.6), "HALF")],
    "start-closed": [(lambda p: move_to(p, "SOLO", "2026-11-24T01:00+00:00"), "SOLO")],
    "wrong-work": [
        (lambda p: p["items"]["A1"]["assignments"][0]["work"].pop(), "A1"),
        (lambda p: p["items"]["A1"]["assignments"][0].update(work=[]), "A1"),
        (lambda p: p["items"]["A1"]["assignments"][0]["work"].reverse(), "A1"),
        (lambda p: move_to(p, "SOLO", "2026-11-26T21:00+00:00"), "SOLO"),  # beyond the end of the day
    ],
    "wrong-finish": [
        (lambda p: p["items"]["A1"].update(finish="2026-11-25T00:00Z"), "A1"),
        (lambda p: p["items"]["WAIT"].update(finish=p["items"]["WAIT"]["start"]), "WAIT"),
        (lambda p: p["items"]["MILESTONE"].update(finish="2026-12-25T00:00Z"), "MILESTONE"),
    ],
    "paused": [
        (
            lambda p: p["items"]["SOLO"].update(
                start="2026-11-26T21:00Z",
                finish="2026-11-27T17:00Z",
                assignments=[
                    p["items"]["SOLO"]["assignments"][0]
                    | {"work": [["2026-11-26T21:00Z", "2026-11-26T23:00Z"], ["2026-11-27T15:00Z", "2026-11-27T17:00Z"]]}
                ],
            ),
            "SOLO",
        )
    ],
    "person-overload": [
        (lambda p: move_to(p, "HALF", p["items"]["A1"]["start"], "ann"), "ann"),
    ],
    "environment-overload": [(lambda p: move_to(p, "S2", p["items"]["S1"]["start"]), "staging")],
    "precedence": [
        (lambda p: move_to(p, "A2", "2026-11-25T15:00+00:00"), "A2"),
        (lambda p: shift(p["items"]["MILESTONE"], -1), "B1"),
        (lambda p: move_to(p, "CHG~authorisation", p["items"]["CHG"]["start"]), "CHG~authorisation"),
        (lambda p: shift(p["items"]["CHG~review"], -2), "CHG~review"),
    ],
    "waits-for-unscheduled": [(lambda p: schedule(p, "AFTER-HELD"), "HELD")],
    "external-blocker": [(lambda p: schedule(p, "AFTER-STUB"), "STUB")],
    "not-before": [(lambda p: shift(p["items"]["LATER"], -1), "LATER")],
    "approval": [(lambda p: shift(p["items"]["CHG"], -72), "cab")],
    "outside-window": [(lambda p: shift(p["items"]["CHG"], 4), "CHG"), (lambda p: shift(p["items"]["CHG"], -1), "CHG")],
    "wrong-window": [
        (lambda p: p["items"]["CHG"].update(window=None), "CHG"),
        (lambda p: p["items"]["CHG"].update(window=["2026-12-06T04:00Z", "2026-12-06T10:00Z"]), "CHG"),
        (lambda p: p["items"]["A1"].update(window=["2026-11-22T04:00Z", "2026-12-29T10:00Z"]), "A1"),
    ],
    "freeze": [(lambda p: shift(p["items"]["CHG"], 7 * 24), "CHG")],
    "pin-start": [(lambda p: shift(p["items"]["PINNED"], 1), "PINNED")],
    "pin-who": [(lambda p: _give(p, "PINNED", "bob"), "bob")],
    "person-wip": [(lambda p: move_to(p, "CAT", _starts_of(p, "cat", but="CAT")), "cat")],
    "projects-in-process": [(lambda p: move_to(p, "B1", p["items"]["A1"]["start"]), "beta")],
    "type-wip": [
        (lambda p: move_to(p, "WAIT", p["items"]["HALF"]["start"]), "WAIT"),
        (lambda p: p["portfolio"]["work"]["S1"].update(type="unplanned"), "S1"),
    ],
    "team-wip": [
        (lambda p: move_to(p, "LATER", p["items"]["S2"]["start"]), "ops"),
        (lambda p: p["portfolio"]["people"]["ann"].update(team="ops"), "A1"),
    ],
    "rope": [
        (lambda p: move_to(p, "LATER", p["items"]["CHG~authorisation"]["start"]), "LATER"),
        (
            lambda p: (
                p["portfolio"]["policy"].update(rope="150m"),
                move_to(p, "S2", p["items"]["CHG~authorisation"]["start"]),
            ),
            "S2",
        ),
        (lambda p: p["portfolio"]["work"]["LATER"].update(after=["WAIT"]), "LATER"),
    ],
    "pace": [
        (lambda p: p.update(pace=None), "nia"),
        (lambda p: p["pace"].update(people=["nia", "bob"]), "nia"),
        (lambda p: p["portfolio"]["policy"].update(drum="ann"), "nia"),
        (lambda p: p["portfolio"]["policy"].update(drum="oracle"), "nia"),
        (lambda p: (p["portfolio"]["policy"].update(drum="auto"), p["pace"].update(people=["ann"])), "ann"),
        (lambda p: p["portfolio"]["policy"].update(rope=None), "nia"),
    ],
    "overrides": [
        (lambda p: p.update(overrides=[]), ""),
        (lambda p: p["overrides"][0].update(reason="nobody does"), ""),
    ],
    "wrong-reason": [
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="no-common-time"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="no-window"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="no-capacity"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="external-blocker"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="waits-for-unscheduled"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="status-unknown"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="on-hold"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="beyond-horizon"), "NOBODY"),
        (lambda p: p["unscheduled"]["NOBODY"].update(reason="people"), "NOBODY"),
        (lambda p: p["unscheduled"]["HELD"].update(reason="no-holder"), "HELD"),
    ],
    "release-list": [
        (lambda p: without(p, "releases", "A1"), "A1"),
        (lambda p: p["releases"].append(p["releases"][0]), ""),
        (lambda p: entry(p, "releases", "A1").update(start="2026-11-23T16:00Z"), "A1"),
        (lambda p: entry(p, "releases", "A1").update(project="beta"), "A1"),
        (lambda p: p["releases"].append(entry(p, "releases", "A1") | {"item": "INSIDE"}), "INSIDE"),
    ],
    "hold-list": [
        (lambda p: without(p, "holds", "HELD"), "HELD"),
        (lambda p: entry(p, "holds", "LATER").update(until=None), "LATER"),
        (lambda p: entry(p, "holds", "LATER").update(reason="no-holder"), "LATER"),
        (lambda p: entry(p, "holds", "HELD").update(reason="no-holder"), "HELD"),
        (lambda p: p["holds"].append(entry(p, "holds", "LATER") | {"item": "A1"}), "A1"),
    ],
    "week-hours": [
        (lambda p: p["weeks"][0]["people"]["ann"]["2026-11-23"].update(A1=1.0), "A1"),
        (lambda p: p["weeks"][0]["people"].pop("ann"), "ann"),
        (lambda p: p["weeks"][0]["people"]["ann"]["2026-11-23"].update(GHOST=1.0), "GHOST"),
        (lambda p: p["weeks"][0]["people"]["ann"]["2026-11-23"].update(A1=8.0002), "A1"),
    ],
    "value": [
        (lambda p: entry(p, "releases", "A1").update(value=1000.001), "A1"),
        (lambda p: entry(p, "holds", "LATER").update(value=-10), "LATER"),
    ],
    "list-order": [
        (lambda p: p["releases"].reverse(), "releases"),
        (lambda p: p["holds"].reverse(), "holds"),
        (lambda p: p["loads"].reverse(), "loads"),
        (lambda p: p["weeks"].reverse(), "weeks"),
    ],
    "no-text": [
        (lambda p: entry(p, "holds", "LATER").update(text=" "), "LATER"),
        (lambda p: p["unscheduled"]["HELD"].update(text=""), "HELD"),
    ],
    "unknown-reference": [
        (lambda p: entry(p, "holds", "LATER").update(refs=["nia", "ghost"]), "ghost"),
        (lambda p: entry(p, "holds", "LATER").update(refs=["nia", "nia"]), "nia"),
        (lambda p: p["unscheduled"]["HELD"].update(refs=["GHOST"]), "GHOST"),
    ],
    "week-items": [
        (lambda p: p["weeks"][0].update(starts=[]), "A1"),
        (lambda p: p["weeks"][0]["finishes"].append("LATER"), "LATER"),
        (lambda p: p["weeks"].append(p["weeks"][0] | {"people": {}, "starts": [], "finishes": []}), "2026-W48"),
    ],
    "project-figures": [
        (lambda p: p["projects"].pop("alpha"), "alpha"),
        (lambda p: p["projects"].update(A1=p["projects"]["alpha"]), "A1"),
        (lambda p: p["projects"]["alpha"].update(promise="2026-11-24T00:00Z"), "alpha"),
        (lambda p: p["projects"]["alpha"].update(finish=None), "alpha"),
        (lambda p: p["projects"]["alpha"].update(late_weeks=0), "alpha"),
        (lambda p: p["projects"]["alpha"].update(cost=1), "alpha"),
        (lambda p: p["projects"]["alpha"].update(items=3), "alpha"),
        (lambda p: p["projects"]["alpha"].update(due="2026-11-24T06:00Z"), "alpha"),
        (lambda p: p["projects"]["alpha"].update(title="Another"), "alpha"),
        (lambda p: p["projects"]["alpha"].update(late_weeks=p["projects"]["alpha"]["late_weeks"] + 1e-5), "alpha"),
        (lambda p: p["projects"]["alpha"].update(cost=p["projects"]["alpha"]["cost"] + 1e-5), "alpha"),
    ],
    "load-list": [
        (lambda p: p["loads"].remove(load(p, "qa")), "qa"),
        (lambda p: p["loads"].remove(load(p, "staging")), "staging"),
        (lambda p: p["loads"].append(load(p, "qa")), "qa"),
        (lambda p: load(p, "qa").update(name="testing"), "testing"),
        (lambda p: load(p, "qa").update(members=["qa>=2"]), "qa"),
        (lambda p: load(p, "qa").update(people=["bob"]), "qa"),
        (lambda p: load(p, "qa").update(people=["ghost"]), "qa"),
        (lambda p: load(p, "staging").update(members=["hosts"]), "staging"),
        (lambda p: p["loads"].append(load(p, "staging") | {"name": "hosts", "members": ["hosts"]}), "hosts"),
        (lambda p: load(p, "ann and bob").update(name="ann and cat"), "ann and cat"),
        (lambda p: load(p, "ann and bob")["members"].reverse(), "ann and bob"),
        (lambda p: load(p, "ann and bob").update(members=[]), "ann and bob"),
        (lambda p: load(p, "ann and bob")["people"].reverse(), "ann and bob"),
        (lambda p: p["loads"].insert(3, set_of_nia(p)), "nia"),
    ],
    "load-figures": [
        (lambda p: load(p, "qa").update(work_hours=7.001), "qa"),
        (lambda p: load(p, "qa").update(weeks_of_queue=0.088), "qa"),
        (lambda p: load(p, "staging").update(weeks_of_queue=None), "staging"),
        (lambda p: load(p, "ann and bob").update(work_hours=27), "ann and bob"),
        (lambda p: load(p, "qa")["by_week"].update({"2026-W48": [7.001, 80]}), "qa"),
        (lambda p: load(p, "qa")["by_week"].update({"2026-W50": [0, 80.001]}), "qa"),
        (lambda p: load(p, "staging")["by_week"].update({"2026-W48": [6, 160]}), "staging"),
        (lambda p: load(p, "qa")["by_week"].pop("2026-W49"), "qa"),
        (lambda p: load(p, "qa")["by_week"].update({"2027-W30": [0, 0]}), "qa"),
    ],
    "bottleneck": [
        (lambda p: p.update(bottleneck=None), ""),
        (lambda p: p["bottleneck"].update(work_hours=30), "ann and bob"),
        (lambda p: p.update(bottleneck=load(p, "qa")), "ann and bob"),
        (lambda p: (p["loads"].pop(0), p.update(bottleneck=load(p, "linux"))), "bob"),
        (lambda p: p.update(loads=[*p["loads"][1:3], set_of_nia(p), *p["loads"][3:]], bottleneck=p["loads"][1]), "bob"),
    ],
    "drum": [
        (lambda p: p.update(drum=drum(p, weeks_of_queue=9.0)), "ann and bob"),
        (lambda p: p.update(drum=drum(p, ahead=0.2)), "ann and bob"),
        (lambda p: p.update(drum=drum(p, since="2026-11-20T08:00Z")), "ann and bob"),
        (lambda p: p.update(drum=drum(p, people=["bob", "ann"])), "ann and bob"),
        (lambda p: p.update(drum=drum(p, people=["cat"])), "ann and bob"),
        (
            lambda p: p.update(drum=drum(p, challenger={**drum(p, "qa")["challenger"], "people": ["cat"]})),
            "ann and bob",
        ),
        (lambda p: p.update(drum=drum(p, "oracle")), "oracle"),
        (lambda p: replanned(p, drum=drum(p, "oracle", challenger=None)), "oracle"),
        (lambda p: replanned(p, drum=drum(p, "oracle", since="2027-01-01T08:00Z")), "oracle"),
        (lambda p: replanned(p, drum=drum(p, "staging", members=["hosts"])), "staging"),
        (lambda p: replanned(p, drum=drum(p, "staging", weeks_of_queue=3)), "staging"),
    ],
    "objective-value": [(lambda p: wrong_goal(p, value=right().certificate.objective.value * (1 + 1e-7)), "")],
    "flow-value": [(lambda p: p["certificate"]["flow"].update(value=1.0), "")],
    "bound": [(lambda p: wrong_goal(p, bound=right().certificate.objective.value * 2, gap=-1), "")],
    "gap": [(lambda p: wrong_goal(p, gap=0.5), ""), (lambda p: p["certificate"]["flow"].update(gap=0), "")],
    "proof": [(lambda p: wrong_goal(p, proved=True), ""), (lambda p: p["certificate"].update(status="optimal"), "")],
    "worse-than-greedy": [(lambda p: wrong_goal(p, greedy=right().certificate.objective.value * 0.9), "")],
    "baseline": [
        (lambda p: wrong_goal(p, first_come=-1), ""),
        (lambda p: wrong_goal(p, first_come=100, bound=200, gap=1 - 200 / right().certificate.objective.value), ""),
        (lambda p: p["certificate"]["flow"].update(greedy=-1), ""),
    ],
    "seed": [(lambda p: p["certificate"].update(seed=-1), "")],
    "status": [(lambda p: p["certificate"].update(status="infeasible"), "")],
    "counts": [
        (lambda p: p["certificate"].update(items=1), ""),
        (lambda p: p["certificate"].update(scheduled=1), ""),
        (lambda p: p["certificate"].update(unscheduled=1), ""),
        (lambda p: p["certificate"].update(done=7), ""),
        (lambda p: p["certificate"].update(checked=True, violations=2), ""),
    ],
}


ELSEWHERE = {"out-of-hours", "debt", "pin-window", "change-conflict", "window-changes", "window-risk"} | {
    "window-overhead",
    "goals",
    "goal-value",
    "goal-tolerance",
}
"""Kinds that test_check_capacity.py, test_check_changes.py, test_overhead.py and test_check_goals.py inject."""


def _taken_out(plan: Data, name: str) -> str:
    del plan["items"][name]
    return name


def _give(plan: Data, name: str, person: str) -> None:
    plan["items"][name]["assignments"][0]["person"] = person


def _starts_of(plan: Data, person: str, but: str) -> str:
    """The start of another item on a person."""
    return str(
        next(
            item["start"]
            for name, item in plan["items"].items()
            if name != but and any(a["person"] == person for a in item["assignments"])
        )
    )


def broken(inject: Injection) -> Verdict:
    data = right().model_dump(mode="json")
    inject(data)
    return check(Plan.model_validate(data))


@pytest.mark.parametrize(
    ("kind", "inject", "about"),
    [
        pytest.param(kind, inject, about, id=f"{kind}-{i}")
        for kind, ways in INJECTED.items()
        for i, (inject, about) in enumerate(ways)
    ],
)
def test_an_injected_violation_is_caught(kind: str, inject: Injection, about: str) -> None:
    verdict = broken(inject)
    found = [v for v in verdict.violations if v.kind == kind]
    assert found, {v.kind for v in verdict.violations}
    assert not verdict.ok
    assert any(about in v.ids for v in found) or not about
    assert all(v.message for v in found)


@pytest.mark.parametrize("of", ["oracle", "staging"])
def test_a_drum_may_be_behind_if_an_earlier_plan_named_it(of: str) -> None:
    plain = right().model_dump(mode="json")
    assert check(Plan.model_validate(plain | {"drum": drum(plain)})).ok
    data = right().model_dump(mode="json")
    replanned(data, drum=drum(data, of))
    assert [v.message for v in check(Plan.model_validate(data)).violations if v.kind == "drum"] == []


def test_a_crew_that_cannot_be_tried_out_is_not_taken_on_trust() -> None:
    """Eighty people on either side with days off of their own: their calendars meet, they never do."""
    away = [{"away": [f"2026-12-{1 + i % 31:02}", f"2027-01-{1 + i // 31:02}"]} for i in range(80)]
    early = {f"e{i}": {"skills": ["linux"], "productive": "25%"} | days for i, days in enumerate(away)}  # 09:00-11:00
    late = {f"l{i}": {"skills": ["qa"], "calendar": "late"} | days for i, days in enumerate(away)}
    portfolio = {
        "as_of": "2026-11-23",
        "calendars": {"day": {"hours": "Mon-Fri 09:00-17:00"}, "late": {"hours": "Mon-Fri 11:00-19:00"}},
        "people": early | late,
        "work": {"A": {"needs": [{"skill": "linux", "effort": "1h"}, {"skill": "qa", "effort": "1h"}]}},
    }
    assert [(v.kind, v.ids) for v in check(left_out(portfolio, "A")).violations] == [("unverifiable", ("A",))]
    few = portfolio | {"people": dict([*list(early.items())[:9], *list(late.items())[:9]])}
    assert check(left_out(few, "A")).ok


def left_out(portfolio: Data, name: str) -> Plan:
    naive = Naive(Portfolio.model_validate(portfolio), days=60)
    naive.left[name] = Reason.NO_COMMON_TIME
    return naive.plan()


def test_every_kind_is_injected() -> None:
    assert set(INJECTED) | {"unverifiable"} | ELSEWHERE == set(KINDS)


def test_every_kind_is_emitted_by_the_code_and_no_other() -> None:
    source = "".join(path.read_text() for path in Path(throttle.check.__file__).parent.glob("*.py"))
    emitted = set(re.findall(r'(?:self\._say|violations\.add)\(\s*"([a-z-]+)"', source))
    by_variable = {"release-list", "hold-list", "not-before", "approval", "objective-value", "flow-value"}
    assert emitted | by_variable == set(KINDS)


def test_figures_may_be_rounded_as_plans_round_them() -> None:
    data = json.loads(right().model_dump_json(), parse_float=lambda text: round(float(text), 4))
    data["projects"] = json.loads(right().model_dump_json(), parse_float=lambda text: round(float(text), 6))["projects"]
    data["certificate"] = right().model_dump(mode="json")["certificate"]
    assert data != right().model_dump(mode="json")
    assert [v.message for v in check(Plan.model_validate(data)).violations] == []


def test_of_many_loads_those_with_short_queues_may_be_left_out() -> None:
    skills = [f"s{i:02}" for i in range(45)]
    work = {f"W{i}": {"needs": [{"skill": skill, "effort": f"{1 + i // 3}h"}]} for i, skill in enumerate(skills)}
    portfolio = {"as_of": "2026-11-23", "slot": "1h", "people": {"ann": {"skills": skills}}, "work": work}
    plan = naive_plan(Portfolio.model_validate(portfolio), days=90)
    assert len(plan.loads) == 46

    def found(loads: tuple[Load, ...]) -> list[tuple[str, tuple[str, ...]]]:
        return [(v.kind, v.ids) for v in check(plan.model_copy(update={"loads": loads})).violations]

    assert found(plan.loads) == found(plan.loads[:40]) == []
    assert {kind for kind, _ in found(plan.loads[:39])} == {"load-list"}
    long = plan.loads[5]
    assert found((*plan.loads[:5], *plan.loads[6:41])) == [("load-list", (long.name,))]


def test_a_plan_without_its_portfolio_needs_one() -> None:
    alone = right().model_copy(update={"portfolio": None})
    with pytest.raises(InputError, match="does not carry its portfolio"):
        check(alone)
    assert check(alone, right().portfolio).ok


def test_another_portfolio_is_told_by_its_hash() -> None:
    other = copy.deepcopy(ORGANISATION)
    other["work"]["A1"]["title"] = "Another title"
    verdict = check(right(), Portfolio.model_validate(other))
    assert [v.kind for v in verdict.violations] == ["input-hash"]


def test_a_portfolio_with_unknown_ids_is_refused() -> None:
    other = copy.deepcopy(ORGANISATION)
    other["work"]["A1"]["parent"] = "NO-SUCH"
    with pytest.raises(InputError, match="NO-SUCH"):
        check(right(), Portfolio.model_validate(other))
