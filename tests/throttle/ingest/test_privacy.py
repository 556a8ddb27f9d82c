"""What is not read, and people under pseudonyms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from throttle.ingest import ReadOptions, read_exports
from throttle_models import TeamFile

HEADER = (
    "Summary|Issue key|Issue Type|Status|Created|Assignee|Assignee Id|Description|Comment|Comment|Log Work|"
    "Original estimate"
)
ROWS = (
    "Ask Ann Lee|ABC-1|Story|To Do|2021-03-12|Ann Lee|acc:1|SECRET|SECRET one|SECRET two|SECRET;2021;a@x.invalid;60|60",
    "I will do|ABC-2|Story|Done|2021-03-12|Will|acc:2|SECRET||||60",
    "Three|ABC-3|Story|To Do|2021-03-12|bob@example.invalid||SECRET||||60",
)


def test_free_text_journals_and_addresses_are_not_read(desk: Any) -> None:
    ingested = desk.jira(HEADER, *ROWS)
    text = ingested.portfolio.model_dump_json() + ingested.report.model_dump_json()
    assert "SECRET" not in text
    assert "invalid" not in text


def test_the_same_person_has_the_same_pseudonym_everywhere(desk: Any) -> None:
    team = {
        "people": {"ann": {"name": "Ann Lee", "aliases": ["acc:1"]}},
        "policy": {"pins": [{"work": "ABC-1", "who": "ann"}]},
    }
    ingested = desk.jira(HEADER, *ROWS, pseudonymise=True, team=team)
    portfolio = ingested.portfolio
    assert ingested.pseudonyms == {"ann": "person-1", "bob": "person-2", "will": "person-3"}
    assert portfolio.work["ABC-1"].needs[0].who == ("person-1",)
    assert portfolio.work["ABC-3"].needs[0].who == ("person-2",)
    assert portfolio.policy.pins[0].who == ("person-1",)
    assert [i.title for i in portfolio.work.values()] == ["Ask person-1", "I will do", "Three"]
    text = portfolio.model_dump_json() + ingested.report.model_dump_json()
    assert not re.search(r"\b(ann|bob|lee)\b", text, re.IGNORECASE)


def test_pseudonyms_last_from_import_to_import(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [row.split("|") for row in (HEADER, *ROWS)]
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    first = read_exports([path], options=ReadOptions(pseudonymise=True))
    rows.append(["New", "ABC-9", "Story", "To Do", "2021-03-13", "Aaron First", "", "", "", "", "", "60"])
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    later = read_exports([path], options=ReadOptions(pseudonymise=True, pseudonyms=first.pseudonyms))
    assert later.pseudonyms == first.pseudonyms | {"aaron-first": "person-4"}
    for id in first.portfolio.work:
        assert later.portfolio.work[id].needs == first.portfolio.work[id].needs


@pytest.mark.parametrize("pseudonymise", [False, True])
def test_a_placeholder_is_nobody(desk: Any, pseudonymise: bool) -> None:
    ingested = desk.jira("Issue key|Summary|Component|Status", "ABC-1|One|Till|To Do", pseudonymise=pseudonymise)
    assert list(ingested.portfolio.people) == ["till-1"]


def test_the_team_file_is_not_changed(desk: Any) -> None:
    team = {"people": {"ann": {"name": "Ann Lee", "aliases": ["acc:1"]}}}
    before = TeamFile.model_validate(team)
    desk.jira(HEADER, *ROWS, pseudonymise=True, team=team)
    assert TeamFile.model_validate(team) == before


def test_a_custom_field_is_mapped_by_the_name_its_site_calls_it(desk: Any) -> None:
    for name in ("Custom field (Squad)", "Squad"):
        ingested = desk.jira(
            "Issue key|Summary|Status|Custom field (Squad)", "ABC-1|One|To Do|Crew",
            mapping={"columns": {"jira-csv": {name: "team"}}},
        )  # fmt: skip
        assert ingested.portfolio.work["ABC-1"].needs[0].skill == "crew"
        assert "mapping-unused" not in {f.code for f in ingested.report.findings}
