"""A plan for spreadsheets, calendars and other programs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest

from support.sample_plan import sample_plan, sample_portfolio
from throttle.errors import InputError
from throttle.exports import EXPORTERS
from throttle_models import Plan, PlannedItem, Portfolio

PORTFOLIO = Portfolio.model_validate(
    {
        "as_of": "2026-11-23T08:00",
        "zone": "America/Chicago",
        "people": {"brent": {"name": "Brent; Geller"}, "-wes": {}},
        "projects": {"phoenix": {}},
        "work": {
            "TOP": {"project": "phoenix"},
            "A-1": {
                "title": '=cmd|"/c calc"!A1',
                "parent": "TOP",
                "needs": [{"who": "brent", "effort": "10h"}],
                "source": {"system": "Jira", "assignee": "Wes", "updated": "2026-11-20T10:00Z"},
            },
            "A-2": {
                "title": "Zürich, Überwachung; \\ und ein sehr langer Titel 日本語日本語日本語日本語\nzweite Zeile",
                "needs": [{"who": "brent", "effort": "2h"}, {"who": "-wes", "effort": "2h"}],
                "source": {
                    "system": "ServiceNow",
                    "other_id": "a" * 32,
                    "assignee": "-wes",
                    "planned_start": "2026-11-28T05:00Z",
                    "planned_end": "2026-11-28T08:00Z",
                    "updated": "2026-11-21T11:12:13Z",
                },
            },
            "A-3": {"title": "Milestone", "after": ["A-1"]},
            "A-4": {"title": "Nobody can", "needs": [{"skill": "cobol", "effort": "1h"}]},
            "A-5": {"title": "Long ago", "status": "done"},
        },
    }
)


def at(text: str) -> str:
    return f"2026-{text}Z"


def item(*assignments: dict[str, Any]) -> dict[str, Any]:
    """A planned item from its work alone."""
    ends = sorted(moment for given in assignments for pair in given["work"] for moment in pair)
    return {"start": ends[0], "finish": ends[-1], "assignments": assignments}


def work(person: str, *pairs: tuple[str, str], need: int = 0, allocation: float = 1.0) -> dict[str, Any]:
    return {"person": person, "need": need, "allocation": allocation, "work": [[at(a), at(b)] for a, b in pairs]}


def plan() -> Plan:
    """By hand: two days and a lunch of A-1, a shift of A-2 over midnight (06:00Z in Chicago) at half time."""
    over_midnight = ("11-28T05:00", "11-28T07:00")
    items = {
        "A-1": item(
            work(
                "brent", ("11-23T15:00", "11-23T18:00"), ("11-23T19:00", "11-23T23:00"), ("11-24T15:00", "11-24T18:00")
            )
        ),
        "A-2": item(
            work("brent", over_midnight, allocation=0.5),
            work("-wes", over_midnight, need=1, allocation=0.5),
        ),
        "A-3": {"start": at("11-24T18:00"), "finish": at("11-24T18:00")},
    }
    made = sample_plan(sample_portfolio(items=10))
    return made.model_copy(
        update={
            "as_of": datetime(2026, 11, 23, 14, tzinfo=UTC),
            "zone": "America/Chicago",
            "items": {key: PlannedItem.model_validate(value) for key, value in items.items()},
            "unscheduled": type(made)
            .model_validate(
                {
                    **made.model_dump(mode="json", exclude={"portfolio"}),
                    "unscheduled": {"A-4": {"reason": "no-holder", "text": "no one holds cobol", "refs": ["cobol"]}},
                }
            )
            .unscheduled,
            "done": ("A-5",),
            "containers": ("TOP",),
        }
    )


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# -------------------------------------------------------------------------------------------------------------- csv


def test_csv_has_a_row_for_each_assignment_and_local_day() -> None:
    rows = rows_of(EXPORTERS["csv"](plan(), PORTFOLIO))
    assert [(r["week"], r["day"], r["person"], r["item"], r["project"], r["hours"]) for r in rows] == [
        ("2026-W48", "2026-11-23", "brent", "A-1", "phoenix", "7"),
        ("2026-W48", "2026-11-24", "brent", "A-1", "phoenix", "3"),
        ("2026-W48", "2026-11-27", "'-wes", "A-2", "", "0.5"),
        ("2026-W48", "2026-11-27", "brent", "A-2", "", "0.5"),
        ("2026-W48", "2026-11-28", "'-wes", "A-2", "", "0.5"),
        ("2026-W48", "2026-11-28", "brent", "A-2", "", "0.5"),
    ]
    assert (rows[0]["start"], rows[0]["finish"]) == ("2026-11-23T09:00-06:00", "2026-11-23T17:00-06:00")
    assert (rows[2]["start"], rows[2]["finish"]) == ("2026-11-27T23:00-06:00", "2026-11-28T00:00-06:00")


def test_csv_runs_no_formulas() -> None:
    rows = rows_of(EXPORTERS["csv"](plan(), PORTFOLIO))
    assert rows[0]["title"] == """'=cmd|"/c calc"!A1"""
    for title in ("=1", "+1", "-1", "@x", "\tx"):
        portfolio = PORTFOLIO.model_copy(
            update={"work": {**PORTFOLIO.work, "A-1": PORTFOLIO.work["A-1"].model_copy(update={"title": title})}}
        )
        assert rows_of(EXPORTERS["csv"](plan(), portfolio))[0]["title"] == f"'{title}"
    assert rows_of(EXPORTERS["csv"](plan(), PORTFOLIO))[3]["title"].startswith("Zürich, Über")


def test_csv_has_no_control_characters_but_ends_of_lines_and_tabs() -> None:
    work = {**PORTFOLIO.work, "A-1": PORTFOLIO.work["A-1"].model_copy(update={"title": "a\x1b[31m\r\nb\tc\x9b"})}
    rows = rows_of(EXPORTERS["csv"](plan(), PORTFOLIO.model_copy(update={"work": work})))
    assert rows[0]["title"] == r"a\x1b[31m" + "\nb\tc" + r"\x9b"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_csv_adds_up_to_the_work_of_the_plan(seed: int) -> None:
    portfolio = sample_portfolio(items=40, seed=seed)
    made = sample_plan(portfolio)
    total = sum(
        (last - first) / timedelta(hours=1) * given.allocation
        for planned in made.items.values()
        for given in planned.assignments
        for first, last in given.work
    )
    assert sum(float(row["hours"]) for row in rows_of(EXPORTERS["csv"](made, portfolio))) == pytest.approx(total)


# -------------------------------------------------------------------------------------------------------------- ics


def events_of(text: str) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def test_ics_has_an_event_for_each_unbroken_stretch() -> None:
    events = events_of(EXPORTERS["ics"](plan(), PORTFOLIO))
    assert [(str(e["SUMMARY"]).split()[0], e["DTSTART"].dt, e["DTEND"].dt) for e in events] == [
        (key, datetime.fromisoformat(at(a)), datetime.fromisoformat(at(b)))
        for key, a, b in (
            ("A-1", "11-23T15:00", "11-23T18:00"),
            ("A-1", "11-23T19:00", "11-23T23:00"),
            ("A-1", "11-24T15:00", "11-24T18:00"),
            ("A-2", "11-28T05:00", "11-28T07:00"),
            ("A-2", "11-28T05:00", "11-28T07:00"),
        )
    ]
    assert {e["DTSTAMP"].dt for e in events} == {plan().as_of}
    assert str(events[0]["DESCRIPTION"]) == "Brent; Geller on A-1\nProject: phoenix"
    assert str(events[3]["DESCRIPTION"]) == "-wes on A-2\nShare of time: 50%"
    assert str(events[3]["SUMMARY"]) == f"A-2 {PORTFOLIO.work['A-2'].title}"


def test_ics_lines_are_folded_within_75_octets() -> None:
    text = EXPORTERS["ics"](plan(), PORTFOLIO)
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert max(len(line.encode()) for line in lines) <= 75
    assert any(line.startswith(" ") for line in lines)
    assert "\n" not in text.replace("\r\n", "")


def test_ics_events_keep_their_ids_when_they_move() -> None:
    before = events_of(EXPORTERS["ics"](plan(), PORTFOLIO))
    moved = plan()
    later = {
        key: PlannedItem.model_validate(
            {
                **planned.model_dump(),
                "assignments": [
                    {**g.model_dump(), "work": [(a + timedelta(days=7), b + timedelta(days=7)) for a, b in g.work]}
                    for g in planned.assignments
                ],
            }
        )
        for key, planned in moved.items.items()
    }
    after = events_of(EXPORTERS["ics"](moved.model_copy(update={"items": later}), PORTFOLIO))
    ids = [str(e["UID"]) for e in before]
    assert ids == [str(e["UID"]) for e in after]
    assert len(set(ids)) == len(ids)
    assert [e["DTSTART"].dt for e in before] != [e["DTSTART"].dt for e in after]


def test_ics_survives_control_characters() -> None:
    title = "bell\x07 and\x0b line\u2028breaks\x85 \r\n end"
    work_items = {**PORTFOLIO.work, "A-1": PORTFOLIO.work["A-1"].model_copy(update={"title": title})}
    text = EXPORTERS["ics"](plan(), PORTFOLIO.model_copy(update={"work": work_items}))
    assert str(events_of(text)[0]["SUMMARY"]) == "A-1 bell  and  line breaks  \n end"


# ------------------------------------------------------------------------------------------------------------- json


def test_json_has_every_item_once() -> None:
    data = json.loads(EXPORTERS["json"](plan(), PORTFOLIO))
    assert data["as_of"] == "2026-11-23T14:00Z"
    items = {entry["id"]: entry for entry in data["items"]}
    assert {key: entry["state"] for key, entry in items.items()} == {
        "A-1": "scheduled",
        "A-3": "scheduled",
        "A-2": "scheduled",
        "A-4": "unscheduled",
        "TOP": "container",
        "A-5": "done",
    }
    assert len({tuple(entry) for entry in data["items"]}) == 1
    assert items["A-1"]["people"] == {"brent": 10}
    assert items["A-1"]["project"] == "phoenix"
    assert items["A-2"]["people"] == {"brent": 1, "-wes": 1}
    assert items["A-2"]["hours"] == 2
    assert items["A-4"]["reason"] == "no-holder"
    assert items["A-3"]["finish"] == "2026-11-24T18:00Z"


# -------------------------------------------------------------------------------------------------------------- all


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_equal_plans_give_equal_text(name: str) -> None:
    assert EXPORTERS[name](plan(), PORTFOLIO) == EXPORTERS[name](plan(), PORTFOLIO)


def test_one_person_alone() -> None:
    assert {r["person"] for r in rows_of(EXPORTERS["csv"](plan(), PORTFOLIO, person="-wes"))} == {"'-wes"}
    assert len(events_of(EXPORTERS["ics"](plan(), PORTFOLIO, person="-wes"))) == 1
    data = json.loads(EXPORTERS["json"](plan(), PORTFOLIO, person="-wes"))
    assert [entry["id"] for entry in data["items"]] == ["A-2"]


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_nobody(name: str) -> None:
    with pytest.raises(InputError, match=r"'brend' is nobody in this portfolio; did you mean 'brent'\?"):
        EXPORTERS[name](plan(), PORTFOLIO, person="brend")


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_a_person_may_be_given_by_a_name_that_only_one_has(name: str) -> None:
    brent = PORTFOLIO.people["brent"].model_copy(update={"name": "Brent Geller"})
    one = PORTFOLIO.model_copy(update={"people": {**PORTFOLIO.people, "brent": brent}})
    by_id = EXPORTERS[name](plan(), one, person="brent")
    assert EXPORTERS[name](plan(), one, person="brent geller") == by_id
    with pytest.raises(InputError, match="did you mean 'Brent Geller'"):
        EXPORTERS[name](plan(), one, person="Brent Gellar")
    two = one.model_copy(update={"people": {**one.people, "brent-2": brent}})
    with pytest.raises(InputError, match="'Brent Geller' is the name of 2 people; give an id: brent, brent-2"):
        EXPORTERS[name](plan(), two, person="Brent Geller")
