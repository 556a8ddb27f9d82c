"""Types of work, teams, the rope, full kit and overrides: small cases in which only one schedule is right."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import by, compiled, hours, needing, plan_of, portfolio, same
from support.naive import Naive, Placed
from throttle.check.facts import Facts
from throttle.check.kinds import Violations
from throttle.check.limits import limits as check_limits
from throttle.check.schedule import Schedule
from throttle.errors import InputError
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.decoder import Decoder
from throttle_models import Plan, Portfolio, Reason, Status

Data = dict[str, Any]
DEAR, CHEAP = "9/hour", "1/hour"


def starts(made_from: Portfolio) -> dict[str, float]:
    return {id: start for id, (start, _) in hours(same(plan_of(made_from))).items()}


def changes(*efforts: str, **fields: Any) -> Data:
    """Changes C1, C2 ... of one person each, the first worth most."""
    return {
        f"C{i + 1}": by(f"p{i + 1}", effort, type="change", cost_of_delay=f"{9 - i}/hour", **fields)
        for i, effort in enumerate(efforts)
    }


# --- by type -------------------------------------------------------------------------------------------------------


def test_no_more_of_a_type_than_its_limit() -> None:
    found = starts(portfolio(changes("4h", "4h", "4h") | {"P": by("p4", "4h")}, 4, policy={"wip": {"change": 2}}))
    assert found == {"C1": 0, "C2": 0, "C3": 4, "P": 0}


def test_what_is_in_progress_counts_from_the_beginning_and_may_exceed_a_limit() -> None:
    work = changes("4h", "6h", "4h") | {"G": by("p4", "2h", type="change", not_before="0h")}
    work["C1"]["status"] = work["C2"]["status"] = "in-progress"
    assert starts(portfolio(work, 4, policy={"wip": {"change": 1}})) == {"C1": 0, "C2": 0, "C3": 6, "G": 10}


def test_work_in_progress_holds_its_place_before_it_goes_on() -> None:
    """p1 comes to work late: the change in progress is begun all the same."""
    people: Data = {"p1": {"calendar": "late"}, "p2": {}}
    calendars = {"always": {"hours": "daily 00:00-24:00"}, "late": {"hours": "daily 12:00-24:00"}}
    work = changes("2h", "1h")
    work["C1"]["status"] = "in-progress"
    made_from = portfolio(work, people, calendars=calendars, policy={"wip": {"change": 1}})
    assert starts(made_from) == {"C1": 4, "C2": 6}


def test_pauses_count() -> None:
    people: Data = {"p1": {"calendar": "office"}, "p2": {}}
    calendars = {"always": {"hours": "daily 00:00-24:00"}, "office": {"hours": "daily 08:00-12:00"}}
    made_from = portfolio(changes("6h", "1h"), people, calendars=calendars, policy={"wip": {"change": 1}})
    # C1 goes on the next day, and keeps its place over the night; so it is better to do C2 first
    assert starts(made_from) == {"C1": 1, "C2": 0}


def test_milestones_take_no_place() -> None:
    work = changes("4h") | {"M": {"type": "change"}, "N": {"type": "change"}}
    assert starts(portfolio(work, 1, policy={"wip": {"change": 1}})) == {"C1": 0, "M": 0, "N": 0}


def test_containers_are_not_in_process_but_what_is_in_them() -> None:
    work = {"BOX": {"type": "change"}} | changes("4h", "4h", parent="BOX")
    assert starts(portfolio(work, 2, policy={"wip": {"change": 1}})) == {"C1": 0, "C2": 4}


# --- teams ---------------------------------------------------------------------------------------------------------


def team(*names: str, wip: int = 1, **rest: Any) -> Data:
    people = {f"p{i + 1}": {"team": "ops"} if f"p{i + 1}" in names else {} for i in range(4)}
    return {"people": people, "teams": {"ops": {"wip": wip}}, **rest}


def test_a_team_has_no_more_items_than_its_limit() -> None:
    made_from = portfolio(changes("4h", "4h", "4h"), **team("p1", "p2"))
    assert starts(made_from) == {"C1": 0, "C2": 4, "C3": 0}


def test_an_item_counts_once_in_a_team_and_in_each_team() -> None:
    both = {"duration": "4h", "needs": [{"who": "p1"}, {"who": "p2"}], "cost_of_delay": DEAR}
    made_from = portfolio({"A": both, "B": by("p3", "2h")}, **team("p1", "p2", "p3", wip=2))
    assert starts(made_from) == {"A": 0, "B": 0}
    made_from = portfolio({"A": both, "B": by("p3", "2h")}, **team("p1", "p2", "p3"))
    assert starts(made_from) == {"A": 0, "B": 4}


def test_a_team_is_chosen_that_has_room() -> None:
    people = {"p1": {"skills": ["a"], "team": "ops"}, "p2": {"skills": ["a"], "team": "ops"}, "p3": {"skills": ["a"]}}
    work = {f"W{i}": needing("a", "4h") for i in range(2)}
    plan = same(plan_of(portfolio(work, people, skills=["a"], teams={"ops": {"wip": 1}})))
    assert hours(plan) == {"W0": (0, 4), "W1": (0, 4)}


def test_in_progress_in_a_team() -> None:
    work = changes("4h", "6h", "1h")
    work["C1"]["status"] = work["C2"]["status"] = "in-progress"
    assert starts(portfolio(work, **team("p1", "p2", "p3"))) == {"C1": 0, "C2": 0, "C3": 6}


# --- the rope ------------------------------------------------------------------------------------------------------


def feeding(*hours_: int, feeders: str = "2h", **policy: Any) -> Portfolio:
    """F1 feeds D1 and so on; all D are p9's, the first worth most."""
    work: Data = {}
    for i, h in enumerate(hours_, 1):
        work[f"F{i}"] = by(f"p{i}", feeders)
        work[f"D{i}"] = by("p9", f"{h}h", after=[f"F{i}"], cost_of_delay=f"{9 - i}/hour")
    return portfolio(work, {f"p{i}": {} for i in range(1, 10)}, policy={"drum": "p9", **policy})


def test_feeders_are_not_released_before_the_rope_has_room() -> None:
    found = starts(feeding(4, 4, 4, rope="8h"))
    assert found == {"F1": 0, "D1": 2, "F2": 0, "D2": 6, "F3": 6, "D3": 10}


def test_without_the_rope_they_are() -> None:
    found = starts(feeding(4, 4, 4))
    assert (found["F1"], found["F2"], found["F3"]) == (0, 0, 0)


def test_more_than_the_rope_runs_alone() -> None:
    found = starts(feeding(4, 9, 4, rope="8h"))
    spans = [(found[f"F{i}"], found[f"D{i}"] + h) for i, h in ((1, 4), (2, 9), (3, 4))]
    (first, last) = spans[1]
    assert all(b <= first or a >= last for a, b in (spans[0], spans[2]))
    assert spans[2][0] < spans[0][1]


def test_what_leads_to_two_drum_items_releases_neither() -> None:
    work = {
        "F": by("p1", "2h"),
        "D1": by("p9", "6h", after=["F"], cost_of_delay=DEAR),
        "D2": by("p9", "6h", after=["F"]),
        "G": by("p2", "2h"),
        "D3": by("p9", "6h", after=["G"]),
    }
    made_from = portfolio(work, {f"p{i}": {} for i in (1, 2, 9)}, policy={"drum": "p9", "rope": "6h"})
    c = compiled(made_from)
    assert c.rules is not None
    ((_, spans, _),) = c.rules.limits
    groups = {span.name: {c.instance.activities[j] for j in span.members} for span in spans}
    assert groups == {"D1": {"D1"}, "D2": {"D2"}, "D3": {"G", "D3"}}
    assert starts(made_from) == {"F": 0, "D1": 2, "D2": 8, "G": 14, "D3": 16}


def test_a_drum_item_does_not_lead_to_the_next() -> None:
    work = {"A": by("p9", "2h"), "B": by("p1", "2h", after=["A"]), "C": by("p9", "2h", after=["B"])}
    c = compiled(portfolio(work, {"p1": {}, "p9": {}}, policy={"drum": "p9", "rope": "2h"}))
    assert c.rules is not None
    ((_, spans, _),) = c.rules.limits
    members = {span.name: {c.instance.activities[j] for j in span.members} for span in spans}
    assert members == {"A": {"A"}, "C": {"B", "C"}}


@pytest.mark.parametrize("project", ["Q", None])
def test_what_leads_to_another_project_releases_nothing(project: str | None) -> None:
    fields = {"project": project} if project else {}
    work = {
        "F": by("p1", "2h", project="P"),
        "D": by("p9", "2h", project="P", after=["F"]),
        "X": by("p2", "2h", after=["F"], **fields),
    }
    people: Data = {f"p{i}": {} for i in (1, 2, 9)}
    c = compiled(portfolio(work, people, projects={"P": {}, "Q": {}}, policy={"drum": "p9", "rope": "2h"}))
    assert c.rules is not None
    ((_, spans, _),) = c.rules.limits
    assert [len(span.members) for span in spans] == [1]


def test_what_is_in_process_and_what_it_waits_for_is_released() -> None:
    """F2 is in progress, so D2 is released, and so is D1, for which D2 waits; D3 waits until there is room."""
    work = {
        "D1": by("p9", "4h", cost_of_delay=CHEAP),
        "F2": by("p1", "2h", status="in-progress"),
        "D2": by("p9", "4h", after=["F2", "D1"], cost_of_delay=CHEAP),
        "F3": by("p2", "1h"),
        "D3": by("p9", "4h", after=["F3"], cost_of_delay=DEAR),
    }
    made_from = portfolio(work, {f"p{i}": {} for i in (1, 2, 9)}, policy={"drum": "p9", "rope": "6h"})
    found = starts(made_from)
    assert (found["D1"], found["D2"]) == (0, 4)
    assert found["F3"] == 8


@pytest.mark.parametrize(
    ("drum", "people", "minutes"),
    [
        ("p9", ("p9",), {"A": 120, "B": 120}),
        ("a", ("p8", "p9"), {"A": 120, "C": 180}),
        ("auto", ("p9",), {"A": 120, "B": 120}),
    ],
)
def test_the_drum_is_a_person_a_skill_or_who_is_loaded_most(
    drum: str, people: tuple[str, ...], minutes: dict[str, int]
) -> None:
    work = {
        "A": needing("a", "2h", level=2),
        "B": {"duration": "4h", "needs": [{"who": "p9", "allocation": 0.5}, {"who": "p7"}]},
        "C": needing("a", "3h"),
        "HELD": by("p8", "90h", on_hold="later"),
    }
    work["B"]["needs"][1]["who"] = ["p7", "p8"]
    crew: Data = {"p7": {}, "p8": {"skills": {"a": 1}}, "p9": {"skills": {"a": 2}}}
    plan = same(plan_of(portfolio(work, crew, skills=["a"], policy={"drum": drum, "rope": "40h"})))
    assert plan.pace is not None
    assert plan.pace.people == people
    drums = compiled(portfolio(work, crew, skills=["a"], policy={"drum": drum, "rope": "40h"})).drum
    assert drums is not None
    assert {id: m for id, m in drums.minutes.items() if id != "HELD"} == minutes


def test_there_is_no_drum_without_a_policy_for_it_or_without_work() -> None:
    assert plan_of(portfolio({"A": by("p1", "2h")})).pace is None
    assert plan_of(portfolio({"A": {"wait": "2h"}}, policy={"rope": "2h", "full_kit": True})).pace is None


# --- full kit ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "start"), [("FS", 4), ("SS", 4), ("FF", 4), ("SF", 4)])
def test_drum_work_starts_when_all_that_it_waits_for_is_finished(kind: str, start: int) -> None:
    work = {"A": by("p1", "4h"), "D": by("p9", "1h", after=[{"item": "A", "type": kind}])}
    people = {"p1": {}, "p9": {}}
    assert starts(portfolio(work, people, policy={"drum": "p9", "full_kit": True}))["D"] == start
    loose = starts(portfolio(work, people, policy={"drum": "p9", "rope": "9h"}))["D"]
    assert loose == {"FS": 4, "SS": 0, "FF": 3, "SF": 0}[kind]


def test_lags_are_kept() -> None:
    work = {"A": by("p1", "4h"), "D": by("p9", "1h", after=[{"item": "A", "type": "SS", "lag": "2h"}])}
    made_from = portfolio(work, {"p1": {}, "p9": {}}, policy={"drum": "p9", "full_kit": True})
    assert starts(made_from)["D"] == 6


def test_what_a_container_waits_for_is_part_of_the_kit() -> None:
    work = {
        "A": by("p1", "4h"),
        "BOX": {"after": [{"item": "A", "type": "SS"}]},
        "D": by("p9", "1h", parent="BOX"),
        "X": by("p2", "1h", parent="BOX"),
    }
    made_from = portfolio(work, {"p1": {}, "p2": {}, "p9": {}}, policy={"drum": "p9", "full_kit": True})
    assert starts(made_from) == {"A": 0, "D": 4, "X": 0}


def test_an_external_of_unknown_date_holds_drum_work_even_if_others_go_on() -> None:
    work = {"D": by("p9", "1h", after=["EXT"]), "X": by("p1", "1h", after=["EXT"])}
    made_from = portfolio(
        work,
        {"p1": {}, "p9": {}},
        external={"EXT": {}},
        policy={"drum": "p9", "full_kit": True, "externals": "assume-done"},
    )
    plan = same(plan_of(made_from))
    assert list(plan.items) == ["X"]
    assert plan.unscheduled["D"].reason is Reason.EXTERNAL


def test_drum_work_in_progress_goes_on_without_its_kit() -> None:
    work = {"A": by("p1", "4h"), "D": by("p9", "1h", status="in-progress", after=[{"item": "A", "type": "SS"}])}
    made_from = portfolio(work, {"p1": {}, "p9": {}}, policy={"drum": "p9", "full_kit": True})
    assert starts(made_from)["D"] == 0


# --- overrides -----------------------------------------------------------------------------------------------------


def overridden(made_from: Portfolio, item: str, limit: str) -> Plan:
    told = {"item": item, "limit": limit, "reason": "the board says so"}
    data = made_from.model_dump(mode="json", exclude_defaults=True)
    data.setdefault("policy", {})["overrides"] = [told]
    return same(plan_of(Portfolio.model_validate(data)))


OVERRIDES: dict[str, tuple[Portfolio, str, str]] = {
    "type": (portfolio(changes("4h", "4h"), 2, policy={"wip": {"change": 1}}), "C2", "policy.wip.change"),
    "team": (portfolio(changes("4h", "4h"), **team("p1", "p2")), "C2", "teams.ops.wip"),
    "person": (
        portfolio(
            {f"C{i}": by("p1", "2h", allocation="50%", cost_of_delay=f"{9 - i}/hour") for i in (1, 2)},
            {"p1": {"wip": 1}},
        ),
        "C2",
        "people.p1.wip",
    ),
    "every person": (
        portfolio(
            {f"C{i}": by("p1", "2h", allocation="50%", cost_of_delay=f"{9 - i}/hour") for i in (1, 2)},
            policy={"person_wip": 1},
        ),
        "C2",
        "policy.person_wip",
    ),
    "projects": (
        portfolio(
            {
                "C1": by("p1", "4h", project="P", cost_of_delay=DEAR),
                "C2": by("p2", "4h", project="Q", cost_of_delay=CHEAP),
            },
            2,
            projects={"P": {}, "Q": {}},
            policy={"projects_in_process": 1},
        ),
        "Q",
        "policy.projects_in_process",
    ),
    "rope": (
        portfolio(
            {
                "C1": by("p1", "2h", allocation="50%", cost_of_delay=DEAR),
                "C2": by("p1", "2h", allocation="50%", cost_of_delay=CHEAP),
            },
            policy={"drum": "p1", "rope": "2h"},
        ),
        "C2",
        "policy.rope",
    ),
}


@pytest.mark.parametrize("kind", OVERRIDES)
def test_an_override_takes_a_limit_away_from_one_item_and_is_told(kind: str) -> None:
    made_from, item, limit = OVERRIDES[kind]
    assert starts(made_from) == {"C1": 0, "C2": 4}
    plan = overridden(made_from, item, limit)
    assert {id: start for id, (start, _) in hours(plan).items()} == {"C1": 0, "C2": 0}
    assert [(o.item, o.limit, o.reason) for o in plan.overrides] == [(item, limit, "the board says so")]
    (note,) = [release.note for release in plan.releases if release.item == "C2"]
    assert note == f"{limit} does not hold for it: the board says so"


@pytest.mark.parametrize("limit", ["rope", "policy.wip.changes", "teams.dev.wip", "policy.makespan", "people.p9.wip"])
def test_an_override_of_no_limit_is_refused(limit: str) -> None:
    made_from = portfolio({"A": by("p1", "2h")}, policy={"overrides": [{"item": "A", "limit": limit, "reason": "-"}]})
    with pytest.raises(InputError) as refused:
        plan_of(made_from)
    assert [f.code for f in refused.value.findings] == ["unknown-limit"]


# --- together ------------------------------------------------------------------------------------------------------


def test_what_is_not_used_adds_nothing() -> None:
    work = changes("4h", "4h") | {"X": by("p1", "4h", project="P", after=["C1"])}
    plain = compiled(portfolio(work, 2, projects={"P": {}}))
    told = compiled(portfolio(work, 2, projects={"P": {}}, teams={"ops": {}}, policy={"drum": "p1", "wip": {}}))
    a, b = plain.instance.arrays, told.instance.arrays
    for name in a._fields:
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert not len(a.team_wip)
    assert not a.in_process.any()
    assert a.plain.all()


def tangled(seed: int) -> Portfolio:
    """Links of all types within and across projects and through work of no project, under a rope and other limits."""
    random = Random(seed)
    count, projects = random.randint(6, 20), random.randint(1, 4)
    rank = sorted(random.randrange(projects) for _ in range(count))
    if random.random() < 0.4:
        random.shuffle(rank)
    loose = random.choice((0.0, 0.3))
    work: Data = {}
    for i in range(count):
        item = by(random.choice(("p1", "p2", "p3")), f"{random.randint(1, 6)}h")
        if random.random() >= loose:
            item["project"] = f"P{rank[i]}"
        item["after"] = [
            {"item": f"W{k}", "type": random.choice(("FS", "FS", "SS", "FF", "SF")), "lag": random.choice(("0", "2h"))}
            for k in random.sample(range(i), min(i, random.choice((0, 1, 1, 2, 3))))
        ]
        work[f"W{i}"] = item
    policy: Data = {"rope": random.choice(("3h", "6h", "10h", "20h")), "drum": random.choice(("auto", "p1", "p2"))}
    if random.random() < 0.7:
        policy["projects_in_process"] = random.randint(1, 2)
    if random.random() < 0.3:
        policy["full_kit"] = True
    if random.random() < 0.3:
        policy["person_wip"] = random.randint(1, 2)
    if random.random() < 0.3:
        policy["wip"] = {"project": random.randint(1, 2)}
    if random.random() < 0.3:
        limit = random.choice(("policy.rope", "policy.projects_in_process"))
        policy["overrides"] = [{"item": f"W{random.randrange(count)}", "limit": limit, "reason": "-"}]
    return portfolio(work, 3, projects={f"P{k}": {} for k in range(projects)}, policy=policy)


def never_locks(seed: int) -> bool:
    """Whatever the order, limits on projects and the rope never wait for each other for ever."""
    made_from = tangled(seed)
    without = made_from.model_copy(update={"policy": made_from.policy.model_copy(update={"rope": None})})
    try:
        compiled(without, 1500)
    except InputError:  # projects that wait for each other's work, and are more than their limit
        with pytest.raises(InputError, match="wait for each other"):
            compiled(made_from, 1500)
        return False
    c = compiled(made_from, 1500)
    random = np.random.default_rng(seed)
    for _ in range(2):
        outcome = Decoder(c.instance, compiled=False).decode(random.random(c.instance.n))
        assert outcome.schedule is not None, ("locked" if outcome.locked else "stuck", seed)
    return True


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_limits_never_wait_for_each_other(seed: int) -> None:
    never_locks(seed)


@pytest.mark.long
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=4000, deadline=None, derandomize=True)
def test_many_times_limits_never_wait_for_each_other(seed: int) -> None:
    never_locks(seed)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_tangled_portfolios_have_plans_that_pass(seed: int) -> None:
    if never_locks(seed):
        same(plan_of(tangled(seed), budget=0.01))


def moved(plan: Plan, id: str, by_hours: int) -> Plan:
    """With one item and its work elsewhere."""
    item, off = plan.items[id], timedelta(hours=by_hours)
    assignments = tuple(
        a.model_copy(update={"work": tuple((begin + off, end + off) for begin, end in a.work)})
        for a in item.assignments
    )
    at = item.model_copy(update={"start": item.start + off, "finish": item.finish + off, "assignments": assignments})
    return plan.model_copy(update={"items": plan.items | {id: at}})


def said(plan: Plan, made_from: Portfolio) -> set[str]:
    """Which limits the checker says are broken."""
    found = Violations()
    check_limits(Schedule(plan, Facts(made_from, plan.pace.people if plan.pace else ()), found), found)
    return {v.kind for v in found.found}


def read(plan: Plan, made_from: Portfolio) -> set[str]:
    """Which a literal reading of the rules says are."""
    naive = Naive(made_from, days=100)
    for id, item in plan.items.items():
        first, last = (int(moment.timestamp()) // naive.size for moment in (item.start, item.finish))
        work = {
            a.person: [
                slot for begin, end in a.work for slot in range(*(int(m.timestamp()) // 3600 for m in (begin, end)))
            ]
            for a in item.assignments
        }
        naive.placed[id] = Placed(first, last, tuple((a.person, a.need) for a in item.assignments), work)
    holds = {"type-wip": naive.limits.types_hold, "rope": naive.limits.rope_holds, "team-wip": naive.limits.teams_hold}
    return {kind for kind, hold in holds.items() if not hold()}


def test_the_checker_and_a_literal_reading_say_the_same_of_limits() -> None:
    seen: Counter[str] = Counter()
    for seed in range(9):
        made_from, random = tangled(seed), Random(seed)
        for id, item in made_from.work.items():
            if random.random() < 0.1 and not item.after:
                made_from.work[id] = item.model_copy(update={"status": Status.IN_PROGRESS})
        try:
            c = compiled(made_from, 1500)
        except InputError:
            continue
        schedule = Decoder(c.instance, compiled=False).decode(np.arange(float(c.instance.n))).schedule
        if schedule is None:
            continue
        plan = build_plan(c, Solution(schedule, schedule, schedule), Settings())
        for _ in range(10):
            assert said(plan, made_from) == read(plan, made_from)
            seen.update(said(plan, made_from) or {"right"})
            begun = [id for id in plan.items if made_from.work[id].status is Status.OPEN]
            plan = moved(plan, random.choice(begun), random.choice((1, 3, 8, 20)))
    assert seen["right"] > 5
    assert seen["rope"] > 10
    assert seen["type-wip"] > 5
