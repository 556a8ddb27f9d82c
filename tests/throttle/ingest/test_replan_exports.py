"""``throttle replan`` with newer exports, by the command line: read as before, nothing lost, nothing taken for gone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from throttle.cli import app, reading
from throttle.errors import InputError
from throttle.files import load_plan
from throttle.planning import make_plan
from throttle.replan import advance
from throttle.terminal import ingest_summary
from throttle_models import Plan, Portfolio, When

HEADER = (
    "Summary,Issue key,Issue id,Issue Type,Status,Status Category,Created,Updated,Assignee,Original estimate,Priority,"
    "Component,Due date,Outward issue link (Blocks)"
)
JIRA = [
    "One,PAY-1,101,Story,To Do,To Do,2026-11-02 09:00,2026-11-20 10:00,Brent Geller,28800,High,Database,,PAY-2",
    "Two,PAY-2,102,Story,To Do,To Do,2026-11-02 09:00,2026-11-20 10:00,,28800,High,Database,,CHG0030001",
    "Three,PAY-3,103,Story,To Do,To Do,2026-11-02 09:00,2026-11-20 10:00,Cy,28800,Low,Web,2026-12-18,",
]
CHANGES = (
    "number,sys_id,short_description,type,state,assigned_to,start_date,end_date,sys_created_on,sys_updated_on\n"
    "CHG0030001,c1,Switch,Standard,New,Cy,2026-12-01 09:00:00,2026-12-01 12:00:00,2026-11-02 09:00:00,"
    "2026-11-20 11:00:00\n"
    "CHG0030002,c2,Patch,Standard,New,Cy,2026-12-02 09:00:00,2026-12-02 12:00:00,2026-11-02 09:00:00,"
    "2026-11-20 11:00:00\n"
)
TEAM = """\
zone: America/Chicago
skills: [oracle]
calendars:
  office: {hours: "Mon-Fri 08:00-16:00"}
people:
  brent: {name: B. G., aliases: [Brent Geller], skills: {oracle: 3}}
  cy: {}
policy:
  person_wip: 2
  pins: [{work: CHG0030002, start: 2026-12-03T09:00}]
work:
  PAY-3: {due: 2027-01-15}
  AUDIT: {title: Audit visit, needs: [{who: brent, effort: 8h}]}
defaults:
  cost_of_delay: {high: 30000/week}
  skills: {component: {Database: "oracle>=2"}}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    jira(*JIRA)
    Path("changes.csv").write_text(CHANGES, encoding="utf-8")
    Path("team.yaml").write_text(TEAM, encoding="utf-8")


def jira(*rows: str, name: str = "jira.csv", header: str = HEADER) -> None:
    Path(name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"}, catch_exceptions=False)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def how(arguments: Sequence[str]) -> tuple[list[Path], reading.ReadHow]:
    """Files, and options with their values, as the command line would have them."""
    files, said, rest = [], {}, list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            said[word[2:]] = Path(rest.pop(0)) if word in ("--team", "--map") else rest.pop(0)
        else:
            files.append(Path(word))
    return files, reading.ReadHow(**said)  # type: ignore[arg-type]


BEFORE: list[Plan] = []


def plan(*arguments: str) -> Portfolio:
    """The portfolio of a plan, which the next :func:`replan` starts from."""
    portfolio, _ = reading.read(*how(arguments))
    made = make_plan(portfolio, budget=0.005, deterministic=True)
    BEFORE[:] = [Plan.model_validate_json(made.model_dump_json(by_alias=True, exclude_unset=True))]
    kept = BEFORE[0].portfolio
    assert kept is not None
    return kept


def replan(*arguments: str) -> tuple[Portfolio, str]:
    """What the command plans anew, without the search for it, and what it tells."""
    files, said = how(arguments)
    newer, read = reading.read(files, said, BEFORE[0].portfolio)
    assert read is not None
    portfolio, told = advance(BEFORE[0], newer, team=reading.team_of(said, read), onto=read.onto, stated=read.stated)
    messages = [ingest_summary(read.report), *(f"{f.level}: {f.message}" for f in (*read.report.findings, *told))]
    return portfolio, " ".join(" ".join(messages).split())


def by_command(*arguments: str) -> tuple[Portfolio, Portfolio, str]:
    """Both commands, with the files that they write."""
    search = ("--budget", "0.005", "--deterministic")
    run("plan", *arguments, *search, "--out", "before")
    files = how(arguments)[0]
    result = run("replan", "before/plan.json", *map(str, files), *search, "--out", "after")
    return carried("before"), carried("after"), " ".join(result.stderr.split())


def carried(folder: str) -> Portfolio:
    made = load_plan(Path(folder) / "plan.json")
    assert made.portfolio is not None
    return made.portfolio


def data(portfolio: Portfolio) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(portfolio.model_dump_json(exclude_defaults=True))
    return found


# --- the same again


def test_the_same_exports_again_change_nothing_by_the_command_line() -> None:
    before, after, told = by_command("jira.csv", "changes.csv", "--zone", "America/Chicago", "--team", "team.yaml")
    assert data(after) == data(before)
    for word in ("new:", "vanished", "no longer", "not in the given", "does not know", "another id", "warning"):
        assert word not in told


def test_the_same_exports_and_team_file_again_change_nothing() -> None:
    before = plan("jira.csv", "changes.csv", "--zone", "America/Chicago", "--team", "team.yaml")
    after, told = replan("jira.csv", "changes.csv", "--team", "team.yaml")
    assert data(after) == data(before)
    assert "warning" not in told


def test_the_same_export_again_without_any_team_file() -> None:
    before = plan("jira.csv", "--zone", "America/Chicago")
    after, told = replan("jira.csv")
    assert data(after) == data(before)
    assert "new:" not in told


# --- what the plan carries


def test_times_without_a_zone_are_of_the_zone_of_the_plan() -> None:
    before = plan("jira.csv", "--zone", "America/Chicago")
    newer = JIRA[0].replace("2026-11-20 10:00", "2026-11-23 10:00").replace("To Do,To Do", "In Progress,In Progress")
    jira(newer, *JIRA[1:], "Four,PAY-4,104,Story,To Do,To Do,2026-11-23 09:00,2026-11-23 09:00,,3600,High,Database,,")
    after, told = replan("jira.csv")
    assert before.zone == after.zone == "America/Chicago"
    assert str(after.as_of) == "2026-11-23T16:00Z"
    assert str(after.work["PAY-4"].created) == "2026-11-23T15:00Z"
    assert "UTC" not in told


def test_a_zone_that_is_given_counts_before_that_of_the_plan() -> None:
    plan("jira.csv", "--zone", "America/Chicago")
    jira(*JIRA, "Four,PAY-4,104,Story,To Do,To Do,2026-11-23 09:00,2026-11-23 09:00,,3600,High,Database,,")
    after, _ = replan("jira.csv", "--zone", "Asia/Kolkata")
    assert str(after.work["PAY-4"].created) == "2026-11-23T03:30Z"
    assert after.zone == "America/Chicago"


def test_what_a_team_file_gave_stays_without_it() -> None:
    before = plan("jira.csv", "changes.csv", "--team", "team.yaml")
    assert before.work["PAY-2"].needs[0].skill == "oracle"
    newer = [row.replace("2026-11-20 10:00", "2026-11-24 10:00") for row in JIRA]
    newer[1] = newer[1].replace(",28800,", ",57600,")  # the estimate is another one now
    newer.append("Four,PAY-4,104,Story,To Do,To Do,2026-11-24 09:00,2026-11-24 09:00,,3600,High,Database,,")
    newer.append("Five,PAY-5,105,Story,To Do,To Do,2026-11-24 09:00,2026-11-24 09:00,brent geller,3600,High,,,")
    jira(*newer)
    after, told = replan("jira.csv", "changes.csv")
    assert (after.people, after.calendars, after.policy) == (before.people, before.calendars, before.policy)
    for id in ("PAY-1", "PAY-2", "PAY-4"):
        assert [(n.skill, n.level) for n in after.work[id].needs] == [("oracle", 2)], id
        assert after.work[id].cost_of_delay == 30000, id
    effort = after.work["PAY-2"].needs[0].effort
    assert effort is not None
    assert effort.likely.total_seconds() == 57600
    assert after.work["PAY-1"].needs[0].who == after.work["PAY-5"].needs[0].who == ("brent",)
    assert str(after.work["PAY-3"].due) == "2027-01-15"  # the team file, not the tracker
    assert after.work["AUDIT"] == before.work["AUDIT"]
    assert "AUDIT" not in told
    assert "does not know" not in told


def test_a_mapping_is_kept_too() -> None:
    Path("map.yaml").write_text("statuses: {UAT: in-progress}\npriorities: {Frantic: 9000/week}\n", encoding="utf-8")
    jira(*JIRA, "Four,PAY-4,104,Story,UAT,,2026-11-02 09:00,2026-11-20 10:00,,3600,Frantic,,,")
    plan("jira.csv", "--map", "map.yaml", "--zone", "UTC")
    jira(
        *JIRA,
        "Four,PAY-4,104,Story,UAT,,2026-11-02 09:00,2026-11-21 10:00,,3600,Frantic,,,",
        "Five,PAY-5,105,Story,UAT,,2026-11-02 09:00,2026-11-21 10:00,,3600,Frantic,,,",
    )
    after, told = replan("jira.csv")
    assert after.work["PAY-5"].status == after.work["PAY-4"].status == "in-progress"
    assert after.work["PAY-5"].cost_of_delay == 9000
    assert "status" not in told


def test_a_portfolio_file_between_carries_it_as_well() -> None:
    run("ingest", "jira.csv", "--team", "team.yaml", "changes.csv", "-o", "portfolio.yaml")
    before = plan("portfolio.yaml")
    after, _ = replan("jira.csv", "changes.csv")
    assert data(after) == data(before)


def test_a_team_file_that_is_given_counts_before_what_the_plan_carries() -> None:
    before = plan("jira.csv", "changes.csv", "--team", "team.yaml")
    Path("newer.yaml").write_text(
        "people: {cy: {skills: [web], productive: 40%}, dee: {skills: [web]}}\npolicy: {person_wip: 1}\n",
        encoding="utf-8",
    )
    after, told = replan("jira.csv", "changes.csv", "--team", "newer.yaml")
    assert after.people["brent"] == before.people["brent"]
    assert after.people["cy"].productive == 0.4
    assert set(after.people) == {*before.people, "dee"}
    assert after.policy.person_wip == 1
    assert after.work["PAY-2"].needs == before.work["PAY-2"].needs
    assert "does not know" not in told


def test_pseudonyms_are_kept_without_names() -> None:
    run("ingest", "jira.csv", "changes.csv", "--team", "team.yaml", "--pseudonymise", "-o", "portfolio.yaml")
    text = Path("portfolio.yaml").read_text(encoding="utf-8")
    assert "Brent" not in text
    assert "Geller" not in text
    assert "brent" not in text


# --- one of two exports


def test_one_of_two_exports_is_enough() -> None:
    before = plan("jira.csv", "changes.csv", "--team", "team.yaml")
    assert [link.item for link in before.work["CHG0030001"].after] == ["PAY-2"]
    newer = [row.replace("2026-11-20 10:00", "2026-11-24 10:00") for row in JIRA]
    newer[2] = newer[2][:-1] + ",CHG0030002"  # a link to what the plan alone knows
    newer[2] = newer[2].replace(",,CHG", ",CHG")
    jira(*newer, name="jira-new.csv")
    after, told = replan("jira-new.csv")
    assert set(after.work) == set(before.work)
    assert after.external == {}
    assert [link.item for link in after.work["CHG0030001"].after] == ["PAY-2"]
    assert [link.item for link in after.work["CHG0030002"].after] == ["PAY-3"]
    assert "no longer" not in told
    assert "not in the given files, kept as it was: 2 items of ServiceNow (changes.csv)" in told
    assert "0 to what is not in the files" in told


def test_the_other_one_of_two_exports() -> None:
    before = plan("jira.csv", "changes.csv", "--team", "team.yaml")
    Path("chg-new.csv").write_text(
        CHANGES.replace("2026-11-20 11:00:00", "2026-11-24 11:00:00").replace(
            "c2,Patch,Standard,New", "c2,Patch,Standard,Closed"
        ),
        encoding="utf-8",
    )
    after, told = replan("chg-new.csv")
    assert set(after.work) == set(before.work)
    assert after.work["CHG0030002"].status == "done"
    assert [link.item for link in after.work["CHG0030001"].after] == ["PAY-2"]
    assert {id: after.work[id] for id in ("PAY-1", "PAY-2", "PAY-3")} == {
        id: before.work[id] for id in ("PAY-1", "PAY-2", "PAY-3")
    }
    assert "3 items of Jira (jira.csv)" in told
    assert "no longer" not in told


def test_one_of_two_exports_may_be_older_than_the_other_was() -> None:
    before = plan("jira.csv", "changes.csv", "--zone", "UTC")
    after, _ = replan("jira.csv")  # its newest timestamp is an hour before that of the changes
    assert after.as_of == before.as_of
    assert data(after)["work"] == data(before)["work"]


def test_an_older_export_is_still_refused() -> None:
    plan("jira.csv", "changes.csv", "--zone", "UTC")
    jira(*(row.replace("2026-11-20", "2026-11-13") for row in JIRA))
    replan("jira.csv", "changes.csv")  # the changes are as new as they were
    with pytest.raises(InputError, match="before the plan"):
        replan("jira.csv")


def test_what_is_gone_from_the_file_that_was_given_is_told() -> None:
    plan("jira.csv", "changes.csv", "--team", "team.yaml")
    jira(JIRA[0], JIRA[2])
    after, told = replan("jira.csv")
    assert "no longer in the newer export, kept as it was: PAY-2" in told
    assert "PAY-2" in after.work


# --- what an export says, and what it does not


def test_a_column_that_is_not_there_says_nothing() -> None:
    before = plan("jira.csv", "--zone", "UTC")
    jira("One,PAY-1,2026-11-24 10:00", "Two,PAY-2,2026-11-24 10:00", header="Summary,Issue key,Updated")
    after, told = replan("jira.csv")
    for id in ("PAY-1", "PAY-2"):
        for field in ("status", "raw_status", "priority", "needs", "cost_of_delay", "project"):
            assert getattr(after.work[id], field) == getattr(before.work[id], field), (id, field)
    assert "opened again" not in told


def test_an_item_that_is_taken_from_its_assignee_is_nobodys() -> None:
    plan("jira.csv", "--zone", "UTC")
    jira(JIRA[0].replace("Brent Geller", ""), *JIRA[1:])
    after, _ = replan("jira.csv")
    (need,) = after.work["PAY-1"].needs
    assert (need.who, need.skill) == ((), "pay")


def test_what_is_opened_again_has_work_and_no_finish() -> None:
    jira(JIRA[0].replace("To Do,To Do", "Done,Done"), *JIRA[1:])
    before = plan("jira.csv", "--zone", "UTC")
    assert before.work["PAY-1"].needs == ()
    jira(*JIRA)
    after, told = replan("jira.csv")
    assert after.work["PAY-1"].status == "open"
    assert after.work["PAY-1"].finished is None
    assert after.work["PAY-1"].needs[0].who == ("brent-geller",)
    assert "opened again: PAY-1" in told


def test_a_hold_that_the_tracker_has_lifted_is_lifted() -> None:
    header = "number,sys_id,short_description,state,on_hold,assigned_to,sys_created_on,sys_updated_on"
    row = "CHG0030001,c1,Switch,Scheduled,{},Cy,2026-11-02 09:00:00,2026-11-20 11:00:00"
    Path("changes.csv").write_text(f"{header}\n{row.format('true')}\n", encoding="utf-8")
    before = plan("changes.csv", "--zone", "UTC")
    assert before.work["CHG0030001"].on_hold
    Path("changes.csv").write_text(f"{header}\n{row.format('false')}\n", encoding="utf-8")
    after, _ = replan("changes.csv")
    assert after.work["CHG0030001"].on_hold is None


def test_holidays_alone_are_added_and_leave_the_work(tmp_path: Path) -> None:
    before = plan("jira.csv", "--zone", "UTC")
    (tmp_path / "off.ics").write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20261101T000000Z\n"
        "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nSUMMARY:Christmas\nEND:VEVENT\nEND:VCALENDAR\n",
        encoding="utf-8",
    )
    after, told = replan("off.ics")
    assert after.work.keys() == before.work.keys()
    (calendar,) = after.calendars.values()
    assert [str(days.first) for days in calendar.closed] == ["2026-12-25"]
    assert "not in the given files, kept as it was: 3 items of Jira (jira.csv)" in told


# --- what was taken away


def later(row: str) -> str:
    return row.replace("2026-11-20 10:00", "2026-11-24 10:00")


def test_a_due_date_that_the_tracker_no_longer_has_is_gone() -> None:
    before = plan("jira.csv", "--zone", "UTC")
    assert before.work["PAY-3"].due is not None
    jira(*JIRA[:2], later(JIRA[2]).replace("2026-12-18", ""))
    after, _ = replan("jira.csv")
    assert after.work["PAY-3"].due is None
    jira("Three,PAY-3,2026-11-24 10:00", header="Summary,Issue key,Updated")  # no such column
    after, _ = replan("jira.csv")
    assert after.work["PAY-3"].due == before.work["PAY-3"].due


def test_a_due_date_that_a_person_wrote_stays() -> None:
    read, _ = reading.read(*how(["jira.csv", "--zone", "UTC"]))
    own = {"PAY-3": read.work["PAY-3"].model_copy(update={"due": When(text="2027-02-01")})}
    BEFORE[:] = [make_plan(read.model_copy(update={"work": read.work | own}), budget=0.005, deterministic=True)]
    jira(*JIRA[:2], later(JIRA[2]).replace("2026-12-18", ""))
    after, _ = replan("jira.csv")
    assert str(after.work["PAY-3"].due) == "2027-02-01"


def test_a_link_that_the_tracker_no_longer_has_is_gone() -> None:
    before = plan("jira.csv", "changes.csv", "--zone", "UTC")
    assert [link.item for link in before.work["PAY-2"].after] == ["PAY-1"]
    assert [link.item for link in before.work["CHG0030001"].after] == ["PAY-2"]
    jira(later(JIRA[0]).removesuffix("PAY-2"), *JIRA[1:])
    after, _ = replan("jira.csv", "changes.csv")
    assert after.work["PAY-2"].after == ()
    assert after.work["CHG0030001"].after == before.work["CHG0030001"].after
    jira(JIRA[0], later(JIRA[1]).removesuffix("CHG0030001"), JIRA[2])  # the other end is in a file not given again
    after, _ = replan("jira.csv")
    assert after.work["PAY-2"].after == before.work["PAY-2"].after
    assert after.work["CHG0030001"].after == ()
    jira("One,PAY-1,2026-11-24 10:00", "Two,PAY-2,2026-11-24 10:00", header="Summary,Issue key,Updated")
    after, _ = replan("jira.csv")  # no such column
    assert after.work["PAY-2"].after == before.work["PAY-2"].after


def test_what_jira_json_says_with_null_is_gone() -> None:
    def page(**fields: Any) -> None:
        issues = [
            {"id": "1", "key": "PAY-1", "fields": {"summary": "One", "status": {"name": "To Do"}} | fields},
            {"id": "2", "key": "PAY-2", "fields": {"summary": "Two", "status": {"name": "To Do"}}},
        ]
        Path("page.json").write_text(json.dumps({"issues": issues}), encoding="utf-8")

    link = {
        "type": {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"},
        "outwardIssue": {"key": "PAY-2"},
    }
    page(duedate="2026-12-18", issuelinks=[link])
    before = plan("page.json")
    assert (str(before.work["PAY-1"].due), len(before.work["PAY-2"].after)) == ("2026-12-18", 1)
    page(duedate=None, issuelinks=[])
    after, _ = replan("page.json")
    assert (after.work["PAY-1"].due, after.work["PAY-2"].after) == (None, ())
    page()
    after, _ = replan("page.json")
    assert data(after)["work"] == data(before)["work"]


def test_what_was_inferred_follows_the_export() -> None:
    before = plan("jira.csv", "--zone", "UTC")
    jira(later(JIRA[0]).replace(",High,", ",Low,"), *JIRA[1:])
    after, _ = replan("jira.csv")
    assert after.work["PAY-1"].cost_of_delay == before.work["PAY-3"].cost_of_delay
    assert after.work["PAY-2"].cost_of_delay == before.work["PAY-2"].cost_of_delay


# --- people and the team file


def test_one_spelling_of_two_is_enough() -> None:
    jira(JIRA[0].replace("Brent Geller", "Brent Geller (bgeller)"), JIRA[1], JIRA[2].replace(",Cy,", ",bgeller,"))
    before = plan("jira.csv", "--zone", "UTC")
    assert len(before.people) == 1
    newer = [row.replace("2026-11-20 10:00", "2026-11-24 10:00").replace("Brent Geller", "bgeller") for row in JIRA[:2]]
    jira(*newer)
    after, told = replan("jira.csv")
    assert after.people.keys() == before.people.keys()
    assert after.work["PAY-1"].needs[0].who == before.work["PAY-1"].needs[0].who
    assert "does not know" not in told


def test_a_plan_of_before_knows_spellings_by_name() -> None:
    before = plan("jira.csv", "--zone", "UTC")
    assert "brent-geller" in before.people
    newer, _ = reading.read(*how(["jira.csv", "--zone", "UTC"]))
    told = {
        id: p.model_copy(update={"name": "Geller, Brent"}) for id, p in newer.people.items() if id == "brent-geller"
    }
    people = {"bg": told["brent-geller"]} | {id: p for id, p in newer.people.items() if id not in told}
    work = {
        id: item.model_copy(
            update={
                "needs": tuple(
                    n.model_copy(update={"who": ("bg",)}) if "brent-geller" in n.who else n for n in item.needs
                )
            }
        )
        for id, item in newer.work.items()
    }
    after, findings = advance(BEFORE[0], newer.model_copy(update={"people": people, "work": work}))
    assert after.people.keys() == before.people.keys()
    assert after.work["PAY-1"].needs[0].who == ("brent-geller",)
    assert not [f for f in findings if f.code == "unknown-people"]


def test_a_team_file_speaks_of_items_of_files_not_given_again() -> None:
    before = plan("jira.csv", "changes.csv", "--team", "team.yaml")
    Path("newer.yaml").write_text("work: {CHG0030001: {due: 2026-12-24}, PAY-1: {due: 2026-12-23}}\n", encoding="utf-8")
    after, _ = replan("jira.csv", "--team", "newer.yaml")
    assert str(after.work["CHG0030001"].due) == "2026-12-24"
    assert after.work["CHG0030001"].needs == before.work["CHG0030001"].needs
    assert str(after.work["PAY-1"].due) == "2026-12-23"
    Path("newer.yaml").write_text("work: {CHG0030001: {due: tomorrow-ish}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="CHG0030001"):
        replan("jira.csv", "--team", "newer.yaml")
