"""Primavera in both of its formats: the same organisation, calendars in every spelling, people and codes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from throttle.ingest.xer import calendar_text
from throttle_models import LagKind, Status

WEEKDAYS = "".join(f"(0||{day}()((0||0(s|08:00|f|16:00)())))" for day in range(2, 7))
CALENDAR = (
    f"(0||CalendarData()((0||DaysOfWeek()((0||1()()){WEEKDAYS}(0||7()())))"
    "(0||Exceptions()((0||0(d|46381)())(0||1(d|46361)((0||0(s|08:00|f|12:00)())))))))"
)


def table(name: str, fields: str, *rows: str) -> str:
    lines = [f"%T\t{name}", "%F\t" + "\t".join(fields.split())]
    return "\r\n".join(lines + ["%R\t" + "\t".join(row.split("|||")) for row in rows]) + "\r\n"


def row(*cells: str) -> str:
    return "|||".join(cells)


def xer(*tables: str, end: str = "%E\r\n") -> bytes:
    head = "ERMHDR\t19.12\t2026-11-20\tProject\tadmin\tSecret Person\tdb\tProject Management\tUSD\r\n"
    return (head + "".join(tables) + end).encode("cp1252")


PROJECT = table(
    "PROJECT",
    "proj_id proj_short_name orig_proj_id last_recalc_date clndr_id",
    row("1", "MOVE", "", "2026-11-20 08:00", "10"),
)
CALENDARS = table("CALENDAR", "clndr_id clndr_name base_clndr_id clndr_data", row("10", "Five days", "", CALENDAR))
WBS = table(
    "PROJWBS", "wbs_id proj_id parent_wbs_id proj_node_flag wbs_short_name wbs_name",
    row("100", "1", "", "Y", "MOVE", "The move"), row("101", "1", "100", "N", "A", "Phase A"),
    row("102", "1", "100", "N", "B", "Nothing in it"),
)  # fmt: skip
TASK = """task_id proj_id wbs_id clndr_id task_type status_code task_code task_name target_drtn_hr_cnt
    remain_drtn_hr_cnt target_work_qty remain_work_qty cstr_type cstr_date act_start_date act_end_date
    target_start_date target_end_date priority_type create_date"""


def activity(id: str, code: str, kind: str = "TT_Task", status: str = "TK_NotStart", **more: str) -> str:
    cells = dict(
        zip(
            TASK.split(),
            (id, "1", "101", "10", kind, status, code, f"Do {code}", "16", "16", "0", "0", "", "", "", "",
             "2026-11-23 08:00", "2026-11-24 16:00", "PT_Normal", "2026-11-01 09:00"),
            strict=True,
        )
    )  # fmt: skip
    return row(*(cells | more).values())


TASKS = table(
    "TASK", TASK,
    activity("1", "A1"),
    activity("2", "A2", target_work_qty="40", remain_work_qty="40", cstr_type="CS_MSOA", cstr_date="2026-12-01 08:00"),
    activity("3", "A3", status="TK_Active", act_start_date="2026-11-18 08:00", remain_drtn_hr_cnt="6"),
    activity("4", "A4", status="TK_Complete", act_start_date="2026-11-02 08:00", act_end_date="2026-11-03 16:00"),
    activity("5", "M1", "TT_FinMile", target_drtn_hr_cnt="0"),
    activity("6", "L1", "TT_LOE"),
    activity("7", "A7", cstr_type="CS_MEOB", cstr_date="2026-12-18 16:00", priority_type="PT_Top"),
)  # fmt: skip
LINKS = table(
    "TASKPRED", "task_pred_id task_id pred_task_id proj_id pred_proj_id pred_type lag_hr_cnt",
    row("1", "2", "1", "1", "1", "PR_FS", "0"), row("2", "3", "1", "1", "1", "PR_SS", "4"),
    row("3", "5", "2", "1", "1", "PR_FF", "-8"), row("4", "7", "5", "1", "1", "PR_SF", "1.5"),
    row("5", "7", "900", "1", "9", "PR_FS", "0"),
)  # fmt: skip
PEOPLE = (
    table("ROLES", "role_id role_name", row("50", "Electrician"))
    + table("RSRC", "rsrc_id parent_rsrc_id clndr_id rsrc_type rsrc_name rsrc_short_name",
            row("60", "", "10", "RT_Labor", "Crew", "CREW"), row("61", "60", "10", "RT_Labor", "Ann Lee", "AL"),
            row("62", "60", "10", "RT_Mat", "Bricks", "BR"))
    + table("RSRCROLE", "rsrc_id role_id skill_level", row("61", "50", "1"))
    + table("TASKRSRC", "task_id rsrc_id role_id target_qty remain_qty target_qty_per_hr",
            row("2", "61", "", "40", "40", "0.5"), row("1", "", "50", "16", "16", "1"),
            row("7", "62", "", "9", "9", "1"))
    + table("ACTVTYPE", "actv_code_type_id actv_code_type", row("70", "Discipline"), row("71", "Area"))
    + table("ACTVCODE", "actv_code_id actv_code_type_id actv_code_name short_name", row("80", "70", "Piping", "P"),
            row("81", "71", "North", "N"))
    + table("TASKACTV", "task_id actv_code_type_id actv_code_id proj_id", row("7", "70", "80", "1"),
            row("7", "71", "81", "1"))
)  # fmt: skip
WHOLE = xer(PROJECT, CALENDARS, WBS, TASKS, LINKS, PEOPLE)


def pmxml() -> str:
    """The same as :data:`WHOLE`, as P6 writes it in XML."""
    week = "".join(
        f"<StandardWorkHours><DayOfWeek>{day}</DayOfWeek>"
        + ("<WorkTime><Start>08:00:00</Start><Finish>15:59:00</Finish></WorkTime>" if day[0] != "S" else "")
        + "</StandardWorkHours>"
        for day in ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
    )
    exceptions = (
        "<HolidayOrException><Date>2026-12-25T00:00:00</Date></HolidayOrException>"
        "<HolidayOrException><Date>2026-12-05T00:00:00</Date><WorkTime><Start>08:00:00</Start>"
        "<Finish>11:59:00</Finish></WorkTime></HolidayOrException>"
    )
    base = {
        "ProjectObjectId": "1", "WBSObjectId": "101", "CalendarObjectId": "10", "Type": "Task Dependent",
        "Status": "Not Started", "PlannedDuration": "16", "RemainingDuration": "16", "PlannedLaborUnits": "0",
        "RemainingLaborUnits": "0", "PlannedStartDate": "2026-11-23T08:00:00",
        "PlannedFinishDate": "2026-11-24T16:00:00",
        "LevelingPriority": "Normal", "CreateDate": "2026-11-01T09:00:00",
    }  # fmt: skip

    def one(id: str, code: str, extra: str = "", **more: str) -> str:
        fields = {"ObjectId": id, "Id": code, "Name": f"Do {code}"} | base | more
        return "<Activity>" + "".join(f"<{k}>{v}</{k}>" for k, v in fields.items()) + extra + "</Activity>"

    codes = "".join(
        f"<Code><TypeObjectId>{kind}</TypeObjectId><ValueObjectId>{value}</ValueObjectId></Code>"
        for kind, value in (("70", "80"), ("71", "81"))
    )
    activities = (
        one("1", "A1")
        + one("2", "A2", PlannedLaborUnits="40", RemainingLaborUnits="40", PrimaryConstraintType="Start On or After",
              PrimaryConstraintDate="2026-12-01T08:00:00")
        + one("3", "A3", Status="In Progress", ActualStartDate="2026-11-18T08:00:00", RemainingDuration="6")
        + one("4", "A4", Status="Completed", ActualStartDate="2026-11-02T08:00:00",
              ActualFinishDate="2026-11-03T16:00:00")
        + one("5", "M1", Type="Finish Milestone", PlannedDuration="0")
        + one("6", "L1", Type="Level of Effort")
        + one("7", "A7", codes, PrimaryConstraintType="Finish On or Before",
              PrimaryConstraintDate="2026-12-18T16:00:00",
              LevelingPriority="Top")
    )  # fmt: skip
    links = "".join(
        f"<Relationship><PredecessorActivityObjectId>{a}</PredecessorActivityObjectId><SuccessorActivityObjectId>{b}"
        f"</SuccessorActivityObjectId><Type>{kind}</Type><Lag>{lag}</Lag></Relationship>"
        for a, b, kind, lag in (
            ("1", "2", "Finish to Start", "0"), ("1", "3", "Start to Start", "4"), ("2", "5", "Finish to Finish", "-8"),
            ("5", "7", "Start to Finish", "1.5"), ("900", "7", "Finish to Start", "0"),
        )
    )  # fmt: skip
    people = (
        "<Role><ObjectId>50</ObjectId><Name>Electrician</Name></Role>"
        "<Resource><ObjectId>60</ObjectId><Name>Crew</Name><ResourceType>Labor</ResourceType></Resource>"
        "<Resource><ObjectId>61</ObjectId><ParentObjectId>60</ParentObjectId><Name>Ann Lee</Name>"
        "<CalendarObjectId>10</CalendarObjectId><ResourceType>Labor</ResourceType>"
        "<EmailAddress>ann@example.org</EmailAddress></Resource>"
        "<Resource><ObjectId>62</ObjectId><ParentObjectId>60</ParentObjectId><Name>Bricks</Name>"
        "<ResourceType>Material</ResourceType></Resource>"
        "<ResourceRole><ResourceObjectId>61</ResourceObjectId><RoleObjectId>50</RoleObjectId>"
        "<Proficiency>1 - Master</Proficiency></ResourceRole>"
        "<ActivityCodeType><ObjectId>70</ObjectId><Name>Discipline</Name></ActivityCodeType>"
        "<ActivityCodeType><ObjectId>71</ObjectId><Name>Area</Name></ActivityCodeType>"
        "<ActivityCode><ObjectId>80</ObjectId><CodeValue>P</CodeValue><Description>Piping</Description></ActivityCode>"
        "<ActivityCode><ObjectId>81</ObjectId><CodeValue>N</CodeValue><Description>North</Description></ActivityCode>"
    )
    given_ = (
        "<ResourceAssignment><ActivityObjectId>2</ActivityObjectId><ResourceObjectId>61</ResourceObjectId>"
        "<PlannedUnits>40</PlannedUnits><PlannedUnitsPerTime>0.5</PlannedUnitsPerTime></ResourceAssignment>"
        "<ResourceAssignment><ActivityObjectId>1</ActivityObjectId><RoleObjectId>50</RoleObjectId>"
        "<PlannedUnits>16</PlannedUnits></ResourceAssignment>"
        "<ResourceAssignment><ActivityObjectId>7</ActivityObjectId><ResourceObjectId>62</ResourceObjectId>"
        "<PlannedUnits>9</PlannedUnits></ResourceAssignment>"
    )
    wbs = "".join(
        f"<WBS><ObjectId>{id}</ObjectId><ProjectObjectId>1</ProjectObjectId><Code>{code}</Code><Name>{title}"
        "</Name></WBS>"
        for id, code, title in (("101", "A", "Phase A"), ("102", "B", "Nothing in it"))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<APIBusinessObjects xmlns="http://xmlns.oracle.com/Primavera/P6/V19.12/API/BusinessObjects">'
        f"<Calendar><ObjectId>10</ObjectId><Name>Five days</Name><StandardWorkWeek>{week}</StandardWorkWeek>"
        f"<HolidayOrExceptions>{exceptions}</HolidayOrExceptions></Calendar>{people}"
        "<Project><ObjectId>1</ObjectId><Id>MOVE</Id><Name>The move</Name><DataDate>2026-11-20T08:00:00</DataDate>"
        f"{wbs}{activities}{links}{given_}</Project></APIBusinessObjects>"
    )


FORMS = pytest.mark.parametrize("content", [WHOLE, pmxml()], ids=["xer", "pmxml"])


@FORMS
def test_activities_in_both_formats(desk: Any, content: Any) -> None:
    ingested = desk.read(content, name="plan.dat")
    work = ingested.portfolio.work
    assert list(work) == ["WBS-101", "A1", "A2", "A3", "A4", "M1", "L1", "A7"]
    assert {id: w.status for id, w in work.items() if w.status is not Status.OPEN} == {
        "A3": Status.IN_PROGRESS,
        "A4": Status.DONE,
    }
    assert {w.parent for id, w in work.items() if id != "WBS-101"} == {"WBS-101"}
    assert {w.project for w in work.values()} == {"move"}
    assert ingested.portfolio.projects["move"].title == "The move"
    assert [id for id, w in work.items() if w.needs] == ["A1", "A2", "A3", "A7"]  # a level of effort is no work
    assert str(work["A1"].needs[0].effort) == "16h"
    assert work["A1"].needs[0].skill == "electrician"
    assert [(n.who, n.allocation, str(n.effort)) for n in work["A2"].needs] == [(("ann-lee",), 0.5, "40h")]
    assert work["A3"].needs[0].remaining == timedelta(hours=6)
    assert str(work["A4"].finished) == "2026-11-03T16:00Z"
    assert str(work["A2"].not_before) == "2026-12-01T08:00Z"
    assert str(work["A7"].due) == "2026-12-18T16:00Z"
    assert work["A7"].priority == "Highest"
    assert work["A7"].needs[0].skill == "piping"
    assert work["A7"].tags == ("Area: North",)
    assert str(work["A1"].wanted_start) == "2026-11-23T08:00Z"
    assert work["A1"].not_before is None


@FORMS
def test_relationships_in_both_formats(desk: Any, content: Any) -> None:
    ingested = desk.read(content, name="plan.dat")
    assert [(e.predecessor, e.successor, e.type.value, e.lag) for e in ingested.report.edges] == [
        ("A1", "A2", "FS", "0"),
        ("A1", "A3", "SS", "4h"),
        ("A2", "M1", "FF", "-8h"),
        ("M1", "A7", "SF", "90m"),
        ("activity 900", "A7", "FS", "0"),
    ]
    link = ingested.portfolio.work["A3"].after[0]
    assert link.lag_in is LagKind.WORKING
    assert [d.target for d in ingested.report.dangling] == ["activity 900"]


@FORMS
def test_people_and_calendars_in_both_formats(desk: Any, content: Any) -> None:
    ingested = desk.read(content, name="plan.dat")
    ann = ingested.portfolio.people["ann-lee"]
    assert (ann.calendar, ann.team) == ("five-days", "crew")
    assert ann.skills["electrician"] == 3
    calendar = ingested.portfolio.calendars["five-days"]
    assert str(calendar.hours) == "Mon-Fri 08:00-16:00"
    assert [str(d) for d in calendar.closed] == ["2026-12-25"]
    assert [str(d) for d in calendar.open] == ["2026-12-05"]
    reasons = sorted(r.reason for r in ingested.report.rejections)
    assert "is a group of resources and no person" in reasons
    assert "is material or equipment, which is nobody" in reasons
    assert "is a part of the work breakdown structure without activities" in reasons
    told = ingested.report.model_dump_json() + ingested.portfolio.model_dump_json()
    assert "Secret Person" not in told
    assert "example.org" not in told


# -------------------------------------------------------------------------------------------------- texts of calendars


@pytest.mark.parametrize("hours", ["s|08:00|f|12:00", "f|12:00|s|08:00"])
def test_hours_in_either_order(hours: str) -> None:
    week, exceptions = calendar_text(
        f"(0||CalendarData()((0||DaysOfWeek()((0||2()((0||0({hours})())(0||1(s|13:00|f|00:00)())))))(0||Exceptions()(("
        "0||0(d|43831)())))))"
    )
    assert week == {0: ((480, 720), (780, 1440))}
    assert exceptions == {date(2020, 1, 1): ()}


def test_line_ends_within_a_text_do_not_matter() -> None:
    assert calendar_text(CALENDAR.replace("(0||", "\x7f\x7f  (0||")) == calendar_text(CALENDAR)
    week, exceptions = calendar_text(CALENDAR)
    assert len(week) == 7
    assert exceptions == {date(2026, 12, 25): (), date(2026, 12, 5): ((480, 720),)}


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(alphabet="()|0sfd:12 \x7f", max_size=60), st.integers(0, len(CALENDAR)).map(lambda n: CALENDAR[:n])
    )
)
def test_damaged_texts_are_refused_or_read(text: str) -> None:
    try:
        week, exceptions = calendar_text(text)
    except ValueError:
        return
    assert all(0 <= a < b <= 1440 for ranges in (*week.values(), *exceptions.values()) for a, b in ranges)


def test_a_very_deep_text_needs_no_deep_stack() -> None:
    assert calendar_text("(a()(" * 50_000 + "))" * 50_000) == ({}, {})


def test_a_broken_calendar_is_told_and_the_rest_is_read(desk: Any) -> None:
    broken = table(
        "CALENDAR", "clndr_id clndr_name base_clndr_id clndr_data", row("10", "Broken", "", "(0||CalendarData()(")
    )
    ingested = desk.read(xer(PROJECT, broken, WBS, TASKS), name="plan.xer")
    assert [f.code for f in ingested.report.findings if f.code == "broken-calendar"] == ["broken-calendar"]
    assert "A1" in ingested.portfolio.work


# --------------------------------------------------------------------------------------------------------- whole files


def test_fields_in_any_order_and_unknown_ones(desk: Any) -> None:
    names = TASK.split()
    cells = dict(zip(names, activity("1", "A1").split("|||"), strict=True))
    turned = list(reversed(names))
    tasks = table("TASK", " ".join([*turned, "new_in_24"]), row(*(cells[n] for n in turned), "x"))
    assert list(desk.read(xer(PROJECT, CALENDARS, WBS, tasks), name="p.xer").portfolio.work) == ["WBS-101", "A1"]


def test_several_projects_in_one_file_and_a_baseline(desk: Any) -> None:
    projects = table(
        "PROJECT", "proj_id proj_short_name orig_proj_id last_recalc_date clndr_id",
        row("1", "MOVE", "", "2026-11-20 08:00", "10"), row("2", "NEXT", "", "2026-11-20 08:00", "10"),
        row("3", "OLD", "1", "2026-11-20 08:00", "10"),
    )  # fmt: skip
    tasks = table("TASK", TASK, activity("1", "A1"), activity("2", "A1", proj_id="2"), activity("3", "A1", proj_id="3"))
    links = table(
        "TASKPRED", "task_pred_id task_id pred_task_id proj_id pred_proj_id pred_type lag_hr_cnt",
        row("1", "2", "1", "2", "1", "PR_FS", "0"), row("2", "2", "3", "2", "3", "PR_FS", "0"),
    )  # fmt: skip
    ingested = desk.read(xer(projects, CALENDARS, WBS, tasks, links), name="p.xer")
    assert {"MOVE/A1", "NEXT/A1"} <= ingested.portfolio.work.keys()
    assert [(e.predecessor, e.successor) for e in ingested.report.edges] == [("MOVE/A1", "NEXT/A1")]
    assert "belongs to a baseline, an earlier plan" in {r.reason for r in ingested.report.rejections}


def test_lags_on_a_calendar_of_24_hours_are_elapsed(desk: Any) -> None:
    option = table("SCHEDOPTIONS", "proj_id sched_calendar_on_relationship_lag", row("1", "rcal_24Hour"))
    ingested = desk.read(xer(PROJECT, CALENDARS, WBS, TASKS, LINKS, option), name="plan.xer")
    link = ingested.portfolio.work["A3"].after[0]
    assert (link.lag, link.lag_in) == ("4h", LagKind.ELAPSED)


def test_files_that_are_cut_off(desk: Any) -> None:
    whole = xer(PROJECT, CALENDARS, WBS, TASKS, LINKS)
    assert [f.code for f in desk.problems(whole[:-40], name="plan.xer")] == ["truncated"]
    no_mark = desk.read(xer(PROJECT, CALENDARS, WBS, TASKS, end=""), name="plan.xer")
    assert "probably-truncated" in [f.code for f in no_mark.report.findings]
    assert [f.code for f in desk.problems(xer(PROJECT), name="plan.xer")] == ["no-rows"]
    assert [f.code for f in desk.problems(pmxml()[:-30], name="plan.xml")] == ["truncated"]
