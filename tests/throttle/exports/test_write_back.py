"""Back to trackers: only what was read from them and changes, with the old value and a guard."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from support.sample_plan import sample_plan, sample_portfolio
from throttle.errors import InputError
from throttle.exports import EXPORTERS
from throttle_models import PlannedItem, Portfolio


def portfolio(**sources: dict[str, Any]) -> Portfolio:
    work = {
        id: {"title": f"=title of {id}", "needs": [{"who": "ann", "effort": "4h"}], "source": source}
        for id, source in sources.items()
    }
    people = {"ann": {"name": "Ann Lee"}, "ben": {"name": "@Ben"}}
    return Portfolio.model_validate({"as_of": "2026-11-23T08:00Z", "zone": "UTC", "people": people, "work": work})


def rows(name: str, given: Portfolio, planned: dict[str, tuple[str, str, list[str]]]) -> list[dict[str, str]]:
    items = {
        id: PlannedItem.model_validate(
            {
                "start": f"2026-{start}Z",
                "finish": f"2026-{finish}Z",
                "assignments": [
                    {"person": p, "need": 0, "allocation": 1.0, "work": [[f"2026-{start}Z", f"2026-{finish}Z"]]}
                    for p in people
                ],
            }
        )
        for id, (start, finish, people) in planned.items()
    }
    update = {"items": items, "zone": "UTC", "as_of": datetime(2026, 11, 23, 8, tzinfo=UTC)}
    plan = sample_plan(sample_portfolio(items=10)).model_copy(update=update)
    text = EXPORTERS[name](plan, given)
    assert isinstance(text, str)
    return list(csv.DictReader(io.StringIO(text, newline="")))


JIRA = {"system": "Jira", "assignee": "Ann Lee", "updated": "2026-11-20T10:00Z"}
WHEN = ("11-24T09:00", "11-24T13:00", ["ann"])


def test_jira_has_old_and_new_values_and_the_guard() -> None:
    source = JIRA | {"planned_start": "2026-11-01T09:00Z", "planned_end": "2026-11-01T17:00Z"}
    assert rows("jira", portfolio(**{"A-1": source}), {"A-1": ("11-24T09:00", "11-24T13:00", ["ben", "ann"])}) == [
        {
            "Issue key": "A-1",
            "Target start (old)": "2026-11-01T09:00+00:00",
            "Target start": "2026-11-24T09:00+00:00",
            "Target end (old)": "2026-11-01T17:00+00:00",
            "Target end": "2026-11-24T13:00+00:00",
            "Assignee (old)": "Ann Lee",
            "Assignee": "Ann Lee",
            "Updated": "2026-11-20T10:00:00+00:00",
        }
    ]


def test_what_does_not_change_and_what_came_from_elsewhere_is_left_out() -> None:
    same = JIRA | {"planned_start": "2026-11-24T09:00Z", "planned_end": "2026-11-24T13:00Z"}
    given = portfolio(**{"A-1": same, "A-2": JIRA, "CHG1": {"system": "ServiceNow"}, "X": {}})
    found = rows("jira", given, {"A-1": WHEN, "A-2": WHEN, "CHG1": WHEN, "X": WHEN})
    assert [row["Issue key"] for row in found] == ["A-2"]
    assert found[0]["Target start (old)"] == ""


def test_people_are_written_as_the_tracker_writes_them() -> None:
    desk = {"system": "ServiceNow", "assignee": "Ann Lee (alee)"}
    given = portfolio(INC1=desk, INC2={"system": "ServiceNow", "assignee": "Ben (b)"})
    found = rows("servicenow", given, {"INC1": WHEN, "INC2": ("11-24T09:00", "11-24T13:00", ["ann"])})
    assert [row["assigned_to"] for row in found] == ["Ann Lee (alee)", "Ann Lee (alee)"]


def test_a_new_assignee_is_named_and_made_safe() -> None:
    found = rows("jira", portfolio(**{"A-1": JIRA}), {"A-1": ("11-24T09:00", "11-24T13:00", ["ben"])})
    assert (found[0]["Assignee (old)"], found[0]["Assignee"]) == ("Ann Lee", "'@Ben")


def test_servicenow_times_are_utc_and_records_are_named_twice() -> None:
    source = {
        "system": "ServiceNow",
        "other_id": "a" * 32,
        "assignee": "Ann Lee",
        "updated": "2026-11-21T11:12:13Z",
        "planned_start": "2026-11-20T22:00+01:00",
        "planned_end": "2026-11-20T23:30+01:00",
    }
    assert rows("servicenow", portfolio(CHG0030001=source), {"CHG0030001": WHEN}) == [
        {
            "number": "CHG0030001",
            "sys_id": "a" * 32,
            "start_date": "2026-11-24 09:00:00",
            "end_date": "2026-11-24 13:00:00",
            "assigned_to": "Ann Lee",
            "u_old_start_date": "2026-11-20 21:00:00",
            "u_old_end_date": "2026-11-20 22:30:00",
            "u_old_assigned_to": "Ann Lee",
            "u_sys_updated_on": "2026-11-21 11:12:13",
        }
    ]


@pytest.mark.parametrize(("name", "system"), [("jira", "Jira"), ("servicenow", "ServiceNow")])
def test_nothing_to_write_back(name: str, system: str) -> None:
    with pytest.raises(InputError, match=f"no item of this plan was read from {system}"):
        rows(name, portfolio(X={}), {"X": WHEN})


def test_another_spelling_of_the_assignee_is_no_change_of_the_assignee() -> None:
    turned, crew = JIRA | {"assignee": "Lee, Ann"}, {"system": "Jira", "assignee": "@Ben; Lee, Ann"}
    given = portfolio(**{"A-1": turned, "A-2": crew, "A-3": crew})
    both = ("11-24T09:00", "11-24T13:00", ["ann", "ben"])
    found = rows("jira", given, {"A-1": WHEN, "A-2": both, "A-3": WHEN})
    assert [row["Assignee"] for row in found[:2]] == ["Lee, Ann", "'@Ben; Lee, Ann"]
    assert found[2]["Assignee"] == "Lee, Ann"  # one of the two alone
