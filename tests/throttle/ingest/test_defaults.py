"""What an export does not say: every default is told, and a team file replaces it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from throttle.obeyed import refusals
from throttle.planning import make_plan
from throttle_models import Portfolio

HEADER = (
    "Issue key|Summary|Issue Type|Status|Priority|Assignee|Assignee Id|Components|Original estimate|Remaining Estimate|"
    "Time Spent|Story Points|Resolved|Updated|Due date|Parent key"
)
_NAMES = HEADER.split("|")


def row(id: str, status: str = "To Do", **cells: object) -> str:
    named = {"Issue key": id, "Summary": f"Item {id}", "Issue Type": "Story", "Status": status, "Updated": "01/Mar/21"}
    named |= {name.replace("_", " "): str(value) for name, value in cells.items()}
    return "|".join(named.get(name, "") for name in _NAMES)


def assumed(portfolio: Portfolio) -> dict[str, Any]:
    return {a.about: a for a in portfolio.assumptions}


def test_people_are_assignees_and_keep_their_work(desk: Any) -> None:
    portfolio = desk.jira(
        HEADER, row("ABC-1", Assignee="José Díaz", Assignee_Id="712020:1"), row("ABC-2", Assignee="Unassigned"),
        row("ABC-3", Assignee="-1"),
    ).portfolio  # fmt: skip
    assert list(portfolio.people) == ["jose-diaz"]
    person = portfolio.people["jose-diaz"]
    assert (person.name, person.productive) == ("José Díaz", 0.65)
    assert {"productive", "calendar", "skills"} <= set(person.inferred)
    assert portfolio.work["ABC-1"].needs[0].who == ("jose-diaz",)
    assert portfolio.work["ABC-2"].needs[0].skill == "abc"
    assert person.skills == {"abc": 1}
    assert assumed(portfolio)["productive-hours"].value == "65%"


def test_namesakes_are_two_people_and_renamed_ones_are_one(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        HEADER, row("ABC-1", Assignee="Ann", Assignee_Id="1"), row("ABC-2", Assignee="Ann", Assignee_Id="2"),
        row("ABC-3", Assignee="Bob", Assignee_Id="3"), row("ABC-4", Assignee="Bob Lee", Assignee_Id="3"),
    )  # fmt: skip
    assert list(ingested.portfolio.people) == ["ann", "ann-2", "bob"]
    assert "namesakes" in codes(ingested)


def test_addresses_are_not_kept(desk: Any) -> None:
    portfolio = desk.jira(HEADER, row("ABC-1", Assignee="ann.lee@example.invalid")).portfolio
    assert list(portfolio.people) == ["ann-lee"]
    assert "example.invalid" not in portfolio.model_dump_json()


def test_skills_come_from_whoever_did_such_work(desk: Any) -> None:
    portfolio = desk.jira(
        HEADER,
        row("ABC-1", "Done", Assignee="Ann", Components="Payments", Resolved="20/Feb/21"),
        row("ABC-2", "Done", Assignee="Bob", Components="Web", Resolved="20/Feb/21"),
        row("ABC-3", "Done", Assignee="Old", Components="Web", Resolved="20/Feb/19", Updated="20/Feb/19"),
        row("ABC-4", Components="payments"),
        row("ABC-5", Components="Web"),
        row("ABC-6", Components="New"),
        row("ABC-7"),
    ).portfolio
    needs = {id: item.needs[0].skill for id, item in portfolio.work.items() if item.needs}
    assert needs == {"ABC-4": "payments", "ABC-5": "web", "ABC-6": "abc", "ABC-7": "abc"}
    assert set(portfolio.people["ann"].skills) == {"payments", "abc"}
    assert set(portfolio.people["bob"].skills) == {"web", "abc"}
    assert not portfolio.people["old"].skills  # two years without work: left, or moved on
    assert "inferred" in portfolio.skills["web"]
    assert "needs.0.skill" in portfolio.work["ABC-5"].inferred


def test_nobody_known_for_it_gives_a_placeholder(desk: Any) -> None:
    portfolio = desk.jira(HEADER, row("ABC-1")).portfolio
    assert portfolio.people["abc-1"].skills == {"abc": 1}
    assert assumed(portfolio)["placeholder-people"].override == "people: {NAME: {skills: [abc]}}"


def test_effort_from_own_estimates(desk: Any) -> None:
    ingested = desk.jira(
        HEADER,
        row("ABC-1", Original_estimate=144_000),
        row("ABC-2", "In Progress", Original_estimate=36_000, Remaining_Estimate=7_200, Time_Spent=30_000),
        row("ABC-3", "In Progress", Original_estimate=36_000, Time_Spent=7_200),
        row("ABC-4", "In Progress", Original_estimate=36_000, Remaining_Estimate=0, Time_Spent=40_000),
        row("ABC-5", Original_estimate=0),
    )
    work = ingested.portfolio.work
    assert str(work["ABC-1"].needs[0].effort) == "40h"
    assert work["ABC-2"].needs[0].remaining == timedelta(hours=2)
    assert work["ABC-3"].needs[0].remaining == timedelta(hours=8)
    assert work["ABC-4"].needs[0].remaining == timedelta(minutes=30)
    assert not work["ABC-5"].needs  # zero is not blank: nobody has to do anything
    assert "effort.remaining" in assumed(ingested.portfolio)
    assert ingested.report.estimate_hours == 70
    assert ingested.report.planned_hours == 50.5


@pytest.mark.parametrize(
    ("cell", "effort"), [("PT8H0M0S", "8h"), ("8:30:00", "510m"), ("1d 4h", "12h"), ("172,800", "48h"), ("90m", "90m")]
)
def test_units_of_durations(desk: Any, cell: str, effort: str) -> None:
    assert (
        str(desk.jira(HEADER, row("ABC-1", Original_estimate=cell)).portfolio.work["ABC-1"].needs[0].effort) == effort
    )


def test_hours_that_were_taken_for_seconds_are_suspected(desk: Any, codes: Any) -> None:
    rows = [row(f"ABC-{n}", Original_estimate=8 * n) for n in (1, 2, 3)]
    ingested = desk.jira(HEADER, *rows)
    assert "duration-unit" in codes(ingested)
    mapping = {"columns": {"jira-csv": {"Original estimate": {"means": "original_estimate", "unit": "h"}}}}
    assert desk.jira(HEADER, *rows, mapping=mapping).report.estimate_hours == 48


def test_effort_from_history_is_a_median_and_with_enough_samples_a_range(desk: Any) -> None:
    def done(hours: list[int]) -> list[str]:
        return [row(f"ABC-{n}", "Done", Time_Spent=3600 * h, Assignee="Ann") for n, h in enumerate(hours, 10)]

    few = desk.jira(HEADER, row("ABC-1"), *done([2, 6, 40])).portfolio
    assert str(few.work["ABC-1"].needs[0].effort) == "6h"
    many = desk.jira(HEADER, row("ABC-1"), *done([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).portfolio
    assert str(many.work["ABC-1"].needs[0].effort) == "2h/6h/10h"
    assert "11 items" in assumed(many)["effort.Story"].why
    said = desk.jira(HEADER, row("ABC-1"), *done([2, 6, 40]), team={"defaults": {"effort": {"story": "1h/2h/3h"}}})
    assert str(said.portfolio.work["ABC-1"].needs[0].effort) == "1h/2h/3h"


def test_learned_effort_is_in_half_hours_and_never_nothing(desk: Any) -> None:
    def done(minutes: list[int]) -> list[str]:
        return [row(f"ABC-{n}", "Done", Time_Spent=60 * m, Story_Points=1) for n, m in enumerate(minutes, 10)]

    rows = [row("ABC-1"), row("ABC-2", "In Progress", Time_Spent=60 * 47)]
    many = desk.jira(HEADER, *rows, *done([990, 990, 1000, 1900, 1920, 1930, 2750, 2760, 2770])).portfolio
    assert assumed(many)["effort.Story"].value == "16.5h/32h/46h"
    assert str(many.work["ABC-1"].needs[0].effort) == "990m/32h/46h"
    assert many.work["ABC-2"].needs[0].remaining % timedelta(minutes=30) == timedelta(0)
    tiny = desk.jira(HEADER, row("ABC-1"), *done([1, 2, 3])).portfolio
    assert tiny.work["ABC-1"].needs[0].effort.mean == timedelta(minutes=30)
    assert assumed(tiny)["effort.Story"].value == "0.5h"
    points = desk.jira(HEADER, row("ABC-1", Story_Points=3), *done([50, 51, 52, 53, 54])).portfolio
    assert points.work["ABC-1"].needs[0].effort.mean == timedelta(minutes=150)  # 2.6 h
    own = desk.jira(HEADER, row("ABC-1", Original_estimate=60 * 47)).portfolio
    assert own.work["ABC-1"].needs[0].effort.mean == timedelta(minutes=47)  # stated, so left as it is


def test_effort_by_points(desk: Any) -> None:
    done = [row(f"ABC-{n}", "Done", Time_Spent=3600 * 4 * n, Story_Points=n) for n in (1, 2, 3, 5, 8)]
    learned = desk.jira(HEADER, row("ABC-20", Story_Points=13), *done).portfolio
    assert str(learned.work["ABC-20"].needs[0].effort) == "52h"
    assert assumed(learned)["effort.points"].value == "4.0h a point"
    rows = [row(f"ABC-{n}", Story_Points=p) for n, p in ((1, 2), (2, 2), (3, 4))]
    sized = desk.jira(HEADER, *rows).portfolio
    assert [str(sized.work[f"ABC-{n}"].needs[0].effort) for n in (1, 2, 3)] == ["16h", "16h", "32h"]


def test_containers_do_not_count_twice(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        HEADER,
        row("ABC-1", Original_estimate=36_000, Priority="High", Due_date="12/Apr/21"),
        row("ABC-2", Issue_Type="Sub-task", Original_estimate=18_000, Parent_key="ABC-1"),
        row("ABC-3", Issue_Type="Sub-task", Original_estimate=18_000, Parent_key="ABC-1"),
        row("ABC-4", "In Progress", Original_estimate=36_000, Remaining_Estimate=3_600, Time_Spent=3_600),
        row("ABC-5", "Done", Issue_Type="Sub-task", Parent_key="ABC-4"),
    )
    work = ingested.portfolio.work
    assert not work["ABC-1"].needs
    assert work["ABC-1"].cost_of_delay is None
    assert [work[f"ABC-{n}"].cost_of_delay for n in (2, 3)] == [2000, 2000]  # parts share their container's cost
    assert str(work["ABC-2"].due) == "2021-04-12"
    assert "due" in work["ABC-2"].inferred
    assert work["ABC-4"].needs[0].remaining == timedelta(hours=1)  # all parts are done: what is left is its own
    assert ingested.report.planned_hours == 11
    assert "estimate-of-container" in codes(ingested)


@pytest.mark.parametrize(
    ("priority", "rate"),
    [
        ("Highest", 8000),
        ("Blocker", 8000),
        ("1 - Critical", 8000),
        ("2 - Kritisch", 4000),
        ("P3", 2000),
        ("Mittel", 2000),
        ("Baja", 1000),
        ("Trivial", 500),
        ("Wibble", 2000),
        ("", 2000),
    ],
)
def test_cost_of_delay_by_priority(desk: Any, priority: str, rate: float) -> None:
    portfolio = desk.jira(HEADER, row("ABC-1", Priority=priority)).portfolio
    assert portfolio.work["ABC-1"].cost_of_delay == rate
    about = {"Wibble": "priority.Wibble", "": "priority"}.get(priority)
    assert about is None or about in assumed(portfolio)
    said = {"defaults": {"cost_of_delay": {priority or "medium": "9000/week"}}}
    assert desk.jira(HEADER, row("ABC-1", Priority=priority), team=said).portfolio.work["ABC-1"].cost_of_delay == 9000


COSTED = {"projects": {"ABC": {"cost_of_delay": "9000/week"}}}


def test_an_own_due_date_weighs_in_a_project_with_a_cost(desk: Any) -> None:
    rows = (
        row("ABC-1", Priority="High", Due_date="12/Apr/21"),
        row("ABC-2", Priority="High"),
        row("ABC-3", Priority="Low", Due_date="12/Apr/21"),
        row("ABC-4", Issue_Type="Sub-task", Parent_key="ABC-3", Priority="High"),
        row("ABC-5", Priority="High", Due_date="12/Apr/21"),
        row("ABC-6", "Done", Priority="High", Due_date="12/Apr/21"),
        row("ABC-7", Priority="Low", Due_date="12/Apr/21"),
        row("ABC-8", "Done", Issue_Type="Sub-task", Parent_key="ABC-7"),
        row("ABC-9", Priority="High"),
    )
    said = {"ABC-5": {"cost_of_delay": "7/week"}, "ABC-9": {"due": "2021-04-12"}}
    work = desk.jira(HEADER, *rows, team=COSTED | {"work": said}).portfolio.work
    assert (work["ABC-1"].cost_of_delay, str(work["ABC-1"].due)) == (4000, "2021-04-12")
    assert "cost_of_delay" in work["ABC-1"].inferred
    assert work["ABC-2"].cost_of_delay is None  # the project's cost is enough
    assert work["ABC-3"].cost_of_delay == 1000  # the date is the container's, and so is the cost
    assert work["ABC-4"].cost_of_delay is None
    assert work["ABC-5"].cost_of_delay == 7
    assert work["ABC-6"].cost_of_delay is None
    assert work["ABC-7"].cost_of_delay is None  # all of its work is over
    assert work["ABC-9"].cost_of_delay == 4000  # the team file's date is the item's own


def test_with_its_own_date_the_urgent_item_of_a_costed_project_comes_first(desk: Any) -> None:
    rows = [row(f"ABC-{n}", Assignee="Ann", Original_estimate=40 * 3600, Priority="High") for n in (1, 2, 3)]
    rows.append(row("ABC-4", Assignee="Ann", Original_estimate=8 * 3600, Priority="High", Due_date="03/Mar/21"))
    plan = make_plan(desk.jira(HEADER, *rows, team=COSTED).portfolio, budget=1, workers=1)
    assert plan.items["ABC-4"].start < min(plan.items[f"ABC-{n}"].start for n in (1, 2, 3))


def test_an_as_of_before_the_files_counts_but_is_told(desk: Any) -> None:
    def told(as_of: str) -> list[str]:
        ingested = desk.jira(HEADER, row("ABC-1", Updated="05/Mar/21 3:00 PM"), team={"as_of": as_of})
        assert str(ingested.portfolio.as_of) == as_of
        found = [f for f in ingested.report.findings if f.code == "as-of-before-files"]
        assert all(f.level == "warning" for f in found)
        return [f.message for f in found]

    (message,) = told("2021-03-01T08:00")
    assert "2021-03-01T08:00" in message
    assert "2021-03-05T15:00Z" in message
    assert "take as_of out of the team file" in message
    assert told("2021-03-05T15:00") == told("2021-03-06T08:00") == []


def test_defaults_that_decide_alone_are_told(desk: Any, codes: Any) -> None:
    two = [row("ABC-1", Priority="Medium"), row("ABC-2", Priority="Medium")]
    assert "defaults-decide-order" in codes(desk.jira(HEADER, *two))
    assert "defaults-decide-order" not in codes(desk.jira(HEADER, *two, row("ABC-3", Priority="High")))
    assert "defaults-decide-order" not in codes(desk.jira(HEADER, two[0], row("ABC-2", Due_date="12/Apr/21")))
    assert "defaults-decide-order" not in codes(desk.jira(HEADER, *two, team=COSTED))
    assert "nothing-open" in codes(desk.jira(HEADER, row("ABC-1", "Done")))


TEAM: dict[str, Any] = {
    "as_of": "2021-03-05T08:00",
    "zone": "America/Chicago",
    "currency": "USD",
    "calendars": {"office": {"hours": "Mon-Fri 09:00-17:00", "holidays": "US"}},
    "skills": ["oracle"],
    "people": {
        "brent": {"aliases": ["Brent Geller", "712020:9"], "skills": {"oracle": 3}, "productive": "50%"},
        "wes": {"skills": {"oracle": 1}},
    },
    "projects": {"ABC": {"cost_of_delay": "50000/week", "due": "2021-04-01"}},
    "policy": {"projects_in_process": 2},
    "defaults": {"skills": {"component": {"Database": "oracle>=2"}}},
}


def test_a_team_file_replaces_defaults(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        HEADER,
        row("ABC-1", Components="database"),
        row("ABC-2", Assignee="brent geller", Components="Database"),
        row("ABC-3", Assignee="Wes", Components="Database"),
        row("ABC-4", Assignee="New Person"),
        row("ABC-5", Components="Oracle"),
        team=TEAM,
    )
    portfolio = ingested.portfolio
    assert str(portfolio.as_of) == "2021-03-05T08:00"
    assert (portfolio.zone, portfolio.currency) == ("America/Chicago", "USD")
    assert portfolio.policy.projects_in_process == 2
    assert portfolio.projects["ABC"].cost_of_delay == 50000
    needs = {id: item.needs[0] for id, item in portfolio.work.items()}
    assert (needs["ABC-1"].skill, needs["ABC-1"].level, needs["ABC-1"].who) == ("oracle", 2, ())
    assert (needs["ABC-2"].skill, needs["ABC-2"].level, needs["ABC-2"].who) == ("oracle", 2, ("brent",))
    assert (needs["ABC-3"].skill, needs["ABC-3"].who) == (None, ("wes",))  # he has it, whatever his level
    assert needs["ABC-5"].skill == "oracle"  # a component of the name of a skill
    assert portfolio.people["brent"].skills == {"oracle": 3}
    assert portfolio.people["brent"].productive == 0.5
    assert portfolio.people["wes"].productive is None  # calendars that are written are taken as written
    assert all(item.cost_of_delay is None for item in portfolio.work.values())  # the project's cost is enough
    assert "unknown-person" in codes(ingested)
    assert not {"zone", "as_of", "calendar", "cost_of_delay"} & assumed(portfolio).keys()
    assert not refusals(portfolio)


def test_a_team_file_adds_to_items_and_new_ones(desk: Any) -> None:
    team: dict[str, Any] = {
        "work": {
            "ABC-1": {"needs": [{"skill": "qa", "effort": "3h"}], "due": "2021-04-01"},
            "ABC-2": {"wait": "2d"},
            "EXTRA": {"title": "Not in the tracker", "needs": [{"who": "ann", "effort": "1h"}], "after": ["ABC-1"]},
        },
        "people": {"ann": {"skills": ["qa"]}},
    }
    team["work"]["GONE-7"] = {"due": "2021-04-01"}
    ingested = desk.jira(HEADER, row("ABC-1", Priority="High"), row("ABC-2"), team=team)
    portfolio = ingested.portfolio
    assert "GONE-7" not in portfolio.work
    assert [f.ids for f in ingested.report.findings if f.code == "not-in-files"] == [("GONE-7",)]
    assert portfolio.work["ABC-1"].needs[0].skill == "qa"
    assert portfolio.work["ABC-1"].title == "Item ABC-1"
    assert portfolio.work["ABC-1"].cost_of_delay == 4000
    assert not [field for field in portfolio.work["ABC-1"].inferred if field.startswith("needs")]
    assert not portfolio.work["ABC-2"].needs
    assert portfolio.work["EXTRA"].after[0].item == "ABC-1"
    assert not [about for about in assumed(portfolio) if about.startswith("effort")]


@pytest.mark.parametrize(
    ("work", "says"),
    [
        ({"ABC-1": {"nonsense": 1}}, "work.ABC-1, nonsense"),
        ({"ABC-1": {"needs": [{"effort": "3h"}]}}, "a need names a skill, or who"),
        ({"ABC-1": {"after": ["GONE"]}}, "GONE"),
    ],
)
def test_a_team_file_that_does_not_fit_is_refused(desk: Any, work: dict[str, Any], says: str) -> None:
    export = f"{HEADER}\n{row('ABC-1')}\n".replace("|", ",")
    (problem,) = desk.problems(export, team={"work": work})
    assert says in problem.message


@pytest.mark.parametrize("spent", ["180000000", ""])
def test_points_of_any_size_give_an_effort(desk: Any, spent: str) -> None:
    done = [f"x|AB-{i}|Story|Done|0.001|{spent}|{180_000_000 if not spent else ''}" for i in range(1, 8)]
    header = "Summary|Issue key|Issue Type|Status|Story Points|Time Spent|Original estimate"
    ingested = desk.jira(header, *done, "y|AB-99|Story|To Do|9999||")
    assert str(ingested.portfolio.work["AB-99"].needs[0].effort) == "50000h"
