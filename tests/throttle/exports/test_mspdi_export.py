"""Microsoft Project XML: elements in the order of the schema, of its types, and read back the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.sample_plan import sample_plan, sample_portfolio
from throttle.calendars import Calendars, Grid
from throttle.errors import InputError
from throttle.exports import EXPORTERS
from throttle.exports.mspdi import needs_of, needs_text
from throttle.ingest import read_exports
from throttle_models import LagKind, LinkType, Need, Person, Plan, PlannedItem, Portfolio, parse_minutes
from throttle_models.quantities import ELAPSED, WORK

# The sequences of mspdi_pj12.xsd (Microsoft Office Project 2007 XML Data Interchange Schema), as far as we write them.
ORDER = {
    "Project": """SaveVersion UID Name Title Subject Category Company Manager Author CreationDate Revision LastSaved
        ScheduleFromStart StartDate FinishDate FYStartDate CriticalSlackLimit CurrencyDigits CurrencySymbol CurrencyCode
        CurrencySymbolPosition CalendarUID DefaultStartTime DefaultFinishTime MinutesPerDay MinutesPerWeek DaysPerMonth
        DefaultTaskType DefaultFixedCostAccrual DefaultStandardRate DefaultOvertimeRate DurationFormat WorkFormat
        EditableActualCosts HonorConstraints EarnedValueMethod InsertedProjectsLikeSummary MultipleCriticalPaths
        NewTasksEffortDriven NewTasksEstimated SplitsInProgressTasks SpreadActualCost SpreadPercentComplete
        TaskUpdatesResource FiscalYearStart WeekStartDay MoveCompletedEndsBack MoveRemainingStartsBack
        MoveRemainingStartsForward MoveCompletedEndsForward BaselineForEarnedValue AutoAddNewResourcesAndTasks
        StatusDate CurrentDate MicrosoftProjectServerURL Autolink NewTaskStartDate DefaultTaskEVMethod
        ProjectExternallyEdited ExtendedCreationDate ActualsInSync RemoveFileProperties AdminProject OutlineCodes
        WBSMasks ExtendedAttributes
        Calendars Tasks Resources Assignments""",
    "ExtendedAttributes/ExtendedAttribute": "FieldID FieldName CFType Guid ElemType MaxMultiValues UserDef Alias",
    "Calendar": "UID Name IsBaseCalendar BaseCalendarUID WeekDays Exceptions WorkWeeks",
    "WeekDay": "DayType DayWorking TimePeriod WorkingTimes",
    "TimePeriod": "FromDate ToDate",
    "WorkingTime": "FromTime ToTime",
    "Exception": """EnteredByOccurrences TimePeriod Occurrences Name Type Period DaysOfWeek MonthItem MonthPosition
        Month MonthDay DayWorking WorkingTimes""",
    "Task": """UID ID Name Type IsNull CreateDate Contact WBS WBSLevel OutlineNumber OutlineLevel Priority Start Finish
        Duration DurationFormat Work Stop Resume ResumeValid EffortDriven Recurring OverAllocated Estimated Milestone
        Summary Critical IsSubproject IsSubprojectReadOnly SubprojectName ExternalTask ExternalTaskProject EarlyStart
        EarlyFinish LateStart LateFinish StartVariance FinishVariance WorkVariance FreeSlack TotalSlack FixedCost
        FixedCostAccrual PercentComplete PercentWorkComplete Cost OvertimeCost OvertimeWork ActualStart ActualFinish
        ActualDuration ActualCost ActualOvertimeCost ActualWork ActualOvertimeWork RegularWork RemainingDuration
        RemainingCost RemainingWork RemainingOvertimeCost RemainingOvertimeWork ACWP CV ConstraintType CalendarUID
        ConstraintDate Deadline LevelAssignments LevelingCanSplit LevelingDelay LevelingDelayFormat PreLeveledStart
        PreLeveledFinish Hyperlink HyperlinkAddress HyperlinkSubAddress IgnoreResourceCalendar Notes HideBar Rollup BCWS
        BCWP PhysicalPercentComplete EarnedValueMethod PredecessorLink ActualWorkProtected ActualOvertimeWorkProtected
        ExtendedAttribute""",
    "PredecessorLink": "PredecessorUID Type CrossProject CrossProjectName LinkLag LagFormat",
    "Task/ExtendedAttribute": "FieldID Value ValueGUID DurationFormat",
    "Resource/ExtendedAttribute": "FieldID Value ValueGUID DurationFormat",
    "Resource": """UID ID Name Type IsNull Initials Phonetics NTAccount MaterialLabel Code Group WorkGroup EmailAddress
        Hyperlink HyperlinkAddress HyperlinkSubAddress MaxUnits PeakUnits OverAllocated AvailableFrom AvailableTo Start
        Finish CanLevel AccrueAt Work RegularWork OvertimeWork ActualWork RemainingWork ActualOvertimeWork
        RemainingOvertimeWork PercentWorkComplete StandardRate StandardRateFormat Cost OvertimeRate OvertimeRateFormat
        OvertimeCost CostPerUse ActualCost ActualOvertimeCost RemainingCost RemainingOvertimeCost WorkVariance
        CostVariance SV CV ACWP CalendarUID Notes BCWS BCWP IsGeneric IsInactive IsEnterprise BookingType
        ActualWorkProtected ActualOvertimeWorkProtected ActiveDirectoryGUID CreationDate ExtendedAttribute""",
    "Assignment": """UID TaskUID ResourceUID PercentWorkComplete ActualCost ActualFinish ActualOvertimeCost
        ActualOvertimeWork ActualStart ActualWork ACWP Confirmed Cost CostRateTable CostVariance CV Delay Finish
        FinishVariance Hyperlink HyperlinkAddress HyperlinkSubAddress WorkVariance HasFixedRateUnits FixedMaterial
        LevelingDelay LevelingDelayFormat LinkedFields Milestone Notes Overallocated OvertimeCost OvertimeWork PeakUnits
        RegularWork RemainingCost RemainingOvertimeCost RemainingOvertimeWork RemainingWork ResponsePending Start Stop
        Resume StartVariance Units UpdateNeeded VAC Work""",
}
LISTS = {
    "ExtendedAttributes": "ExtendedAttribute", "Calendars": "Calendar", "WeekDays": "WeekDay",
    "Exceptions": "Exception", "WorkingTimes": "WorkingTime", "Tasks": "Task",
    "Resources": "Resource", "Assignments": "Assignment",
}  # fmt: skip
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_NUMBERS = "3|4|5|6|7|8|9|10|11|12|19|20|21|35|36|37|38|39|40|41|42|43|44|51|52|53"
TYPES = {
    "IsNull|EffortDriven|Recurring|Estimated|Milestone|Summary|ExternalTask|CrossProject|DayWorking|IsGeneric": "0|1",
    "IsBaseCalendar|CanLevel|LevelAssignments|LevelingCanSplit|IgnoreResourceCalendar|ScheduleFromStart": "0|1",
    "CreationDate|LastSaved|.*Date|.*Start|.*Finish|Deadline": _MOMENT,
    "Duration|Work|Actual(Work|Duration)|Remaining(Work|Duration)": r"PT\d+H\d+M\d+S",
    ".*Time": r"\d\d:\d\d:\d\d",
    "DurationFormat|LagFormat": _NUMBERS,
    "UID|ID|TaskUID|ResourceUID|PredecessorUID|LinkLag|OutlineLevel|Priority|PercentComplete|Occurrences": r"-?\d+",
    "ConstraintType|DayType": "[0-7]",
    "MaxUnits|Units": r"\d+(\.\d+)?",
    "Name|Title|Subject|Group|ExternalTaskProject": r"(?s).{0,512}",
    "Alias": "(?s).{1,50}",
    "CurrencyCode": "[A-Z]{3}",
}
"""Names to what their text must be; the first that fits counts."""


def name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def check(element: Element, parent: str = "") -> None:
    """That the children of an element stand in the schema's sequence, and that texts are of the schema's types."""
    tag = name(element)
    assert element.tag.startswith("{http://schemas.microsoft.com/project}")
    children = [name(child) for child in element]
    if tag in LISTS:
        assert set(children) == {LISTS[tag]}, tag
        assert len(children) <= (5 if tag == "WorkingTimes" else 10_000)
    elif children:
        order = ORDER.get(f"{parent}/{tag}", ORDER.get(tag, "")).split()
        places = [order.index(child) for child in children]
        assert places == sorted(places), (tag, children)
        many = {"PredecessorLink", "ExtendedAttribute"}
        assert len({c for c in children if c not in many}) == len([c for c in children if c not in many])
    else:
        pattern = next((p for names, p in TYPES.items() if re.fullmatch(names, tag)), "(?s).*")
        assert re.fullmatch(pattern, element.text or ""), (tag, element.text)
    for child in element:
        check(child, tag)


def exported(plan: Plan, portfolio: Portfolio, **how: Any) -> Element:
    text = EXPORTERS["mspdi"](plan, portfolio, **how)
    assert isinstance(text, str)
    root = fromstring(text.encode())
    check(root)
    return root


def fields(element: Element) -> dict[str, str]:
    return {name(child): child.text or "" for child in element if not len(child)}


def below(root: Element, tag: str) -> Iterator[Element]:
    return root.iter(f"{{http://schemas.microsoft.com/project}}{tag}")


SMALL = Portfolio.model_validate(
    {
        "as_of": "2026-11-23T08:00",
        "zone": "America/Chicago",
        "currency": "USD",
        "calendars": {
            "office": {"hours": "Mon-Fri 08:00-12:00 13:00-17:00", "holidays": "US", "open": ["2026-11-28"]},
            "nights": {
                "hours": "Mon-Thu 22:00-06:00",
                "zone": "Asia/Kolkata",
                "closed": ["2026-12-24/2027-01-02"],
                "open": ["2026-12-28"],
                "productive": "75%",
            },
        },
        "skills": ["oracle", "qa"],
        "people": {
            "ann": {"name": "Ann Lee", "team": "ops", "skills": {"oracle": 3, "qa": 1},
                    "away": ["2026-12-01/2026-12-03"]},
            "ben": {"name": "Ben <Boss> & Co", "calendar": "nights", "skills": {"qa": 2}, "away": ["2026-12-08"]},
            "cho": {"productive": "50%", "skills": {"oracle": 1}},
        },
        "teams": {"ops": {}},
        "projects": {"shop": {"title": "The shop", "cost_of_delay": "5000/week", "due": "2026-12-18"}, "empty": {}},
        "external": {"VEND-1": {"title": "Disks", "status": "open", "expected": "2026-12-01"}, "VEND-2": {}},
        "work": {
            "EPIC": {"title": "Everything", "project": "shop"},
            "A": {
                "title": "Schema\x0b of \U0001f600 orders",
                "parent": "EPIC",
                "needs": [{"skill": "oracle", "level": 2, "effort": "4h/8h/20h", "who": ["ann", "cho"]}],
                "created": "2026-10-01T09:30",
                "priority": "High",
            },
            "B": {
                "parent": "EPIC",
                "needs": [
                    {"skill": "qa", "effort": "8h", "people": 2, "allocation": "50%"},
                    {"who": "ann", "effort": "1h"},
                ],
                "after": [
                    "A",
                    {"item": "C", "type": "SS", "lag": "2d"},
                    {"item": "WAIT", "type": "FF", "lag": "-90m", "lag_in": "elapsed"},
                    {"item": "VEND-1", "type": "FS", "lag": "1w", "lag_in": "elapsed"},
                ],
                "due": "2026-12-11",
                "cost_of_delay": "700/week",
            },
            "C": {"type": "internal", "needs": [{"who": "ben", "remaining": "3h"}], "status": "in-progress",
                  "started": "2026-11-20T10:00", "due": "2026-12-10T17:00"},
            "WAIT": {"wait": "3d", "after": [{"item": "C", "type": "SF", "lag": "5h"}], "not_before": "2026-11-25"},
            "STONE": {"title": "Milestone", "after": ["VEND-2"]},
            "BY-TIME": {"needs": [{"skill": "qa"}], "duration": "4h"},
            "FIXED": {"needs": [{"who": "ann", "effort": "6h"}, {"who": "cho", "effort": "6h"}], "duration": "8h"},
            "OLD": {"status": "done", "needs": [{"who": "ann", "effort": "5h"}], "started": "2026-11-02T09:00",
                    "finished": "2026-11-03T12:00", "type": "unplanned"},
            "GONE": {"status": "cancelled"},
            "HELD": {"on_hold": "the board has not decided", "needs": [{"skill": "qa", "effort": "2h"}],
                     "project": "empty"},
        },
    }
)  # fmt: skip


def small_plan() -> Plan:
    """Some of it planned by hand."""

    def item(start: str, finish: str, *who: str) -> PlannedItem:
        span = [f"2026-{start}Z", f"2026-{finish}Z"]
        given = [{"person": p, "need": 0, "allocation": 0.5, "work": [span]} for p in who]
        return PlannedItem.model_validate({"start": span[0], "finish": span[1], "assignments": given})

    made = sample_plan(sample_portfolio(items=10))
    items = {
        "A": item("11-24T15:00", "11-24T23:00", "ann"),
        "B": item("11-30T15:00", "11-30T19:00", "ann", "ben"),
        "WAIT": item("11-25T06:00", "11-28T06:00"),
        "STONE": item("11-24T15:00", "11-24T15:00"),
    }
    return made.model_copy(update={"items": items, "as_of": datetime(2026, 11, 23, 14, tzinfo=UTC)})


PLAN = small_plan()


def test_every_element_is_where_the_schema_wants_it() -> None:
    root = exported(PLAN, SMALL)
    assert [name(child) for child in root][-5:] == [
        "ExtendedAttributes",
        "Calendars",
        "Tasks",
        "Resources",
        "Assignments",
    ]
    portfolio = sample_portfolio(items=60)
    exported(sample_plan(portfolio), portfolio)


def test_the_check_of_the_schema_finds_what_is_out_of_place() -> None:
    root = exported(PLAN, SMALL)
    task = next(below(root, "Task"))
    task.insert(0, task[-1])
    with pytest.raises(AssertionError):
        check(root)


def test_dates_links_and_people_as_project_writes_them() -> None:
    root = exported(PLAN, SMALL)
    tasks = {}
    for task in below(root, "Task"):
        own = {fields(a)["FieldID"]: fields(a)["Value"] for a in task if name(a) == "ExtendedAttribute"}
        if "188743731" in own:
            tasks[own["188743731"]] = task
    assert tasks.keys() == SMALL.work.keys()
    a, b = fields(tasks["A"]), fields(tasks["B"])
    assert (a["Start"], a["Finish"]) == ("2026-11-24T09:00:00", "2026-11-24T17:00:00")
    assert (a["ConstraintType"], a["ConstraintDate"]) == ("4", "2026-11-24T09:00:00")
    assert b["Deadline"] == "2026-12-11T23:59:00"
    assert fields(tasks["C"])["Deadline"] == "2026-12-10T17:00:00"
    assert fields(tasks["OLD"])["PercentComplete"] == "100"
    uid = {id: fields(task)["UID"] for id, task in tasks.items()}
    links = [fields(link) for link in tasks["B"] if name(link) == "PredecessorLink"]
    assert [(x["PredecessorUID"], x["Type"], x["LinkLag"], x["LagFormat"]) for x in links[:3]] == [
        (uid["A"], "1", "0", "5"),
        (uid["C"], "3", "9600", "7"),
        (uid["WAIT"], "0", "-900", "4"),
    ]
    assert (links[3]["CrossProject"], links[3]["CrossProjectName"], links[3]["LinkLag"]) == ("1", "VEND-1", "100800")
    assert b["OutlineNumber"].startswith(fields(tasks["EPIC"])["OutlineNumber"] + ".")
    people = {fields(r)["UID"]: fields(r) for r in below(root, "Resource")}
    assert [p["Name"] for p in people.values()] == ["Ann Lee", "Ben <Boss> & Co", "cho"]
    assert [p["MaxUnits"] for p in people.values()] == ["1", "0.75", "0.5"]
    given = [fields(x) for x in below(root, "Assignment")]
    nobody = [x for x in given if x["ResourceUID"] == "-65535"]
    assert {x["TaskUID"] for x in nobody} == {uid[id] for id in ("C", "FIXED", "OLD", "HELD")}
    total = {id: sum(int(x["Work"][2]) for x in given if x["TaskUID"] == uid[id]) for id in ("A", "B")}
    assert [fields(tasks[id])["Work"] for id in ("A", "B")] == [f"PT{total[id]}H0M0S" for id in ("A", "B")]
    given = [x for x in given if x not in nobody]
    assert [(x["TaskUID"], people[x["ResourceUID"]]["Name"], x["Units"], x["Work"]) for x in given] == [
        (uid["A"], "Ann Lee", "0.5", "PT4H0M0S"),
        (uid["B"], "Ann Lee", "0.5", "PT2H0M0S"),
        (uid["B"], "Ben <Boss> & Co", "0.5", "PT2H0M0S"),
    ]


def read_back(text: str, folder: Path) -> Portfolio:
    (folder / "plan.xml").write_text(text, encoding="utf-8")
    ingested = read_exports([folder / "plan.xml"])
    report = ingested.report
    assert report.rows_read == report.imported + report.merged + report.rejected
    return ingested.portfolio


def graph(portfolio: Portfolio) -> set[tuple[str, str, LinkType, timedelta, bool]]:
    """Edges with their lag as time, and whether it is of the clock."""
    found = set()
    for id, item in portfolio.work.items():
        for link in item.after:
            elapsed = link.lag_in is LagKind.ELAPSED if link.lag_in is not None else not item.needs
            span = parse_minutes(link.lag, ELAPSED if elapsed else WORK, signed=True)
            found.add((link.item, id, link.type, span, bool(span) and elapsed))
    return found


CARRIED = ("type", "status", "project", "parent", "needs", "duration", "wait", "cost_of_delay", "priority", "on_hold")
MOMENTS = ("created", "started", "finished", "not_before")


def assert_same(before: Portfolio, after: Portfolio) -> None:
    zone, as_of = ZoneInfo(before.zone), before.as_of.resolve(datetime.now(UTC), ZoneInfo(before.zone))
    assert after.zone == before.zone
    assert after.as_of.resolve(as_of, zone) == as_of
    assert list(after.work.keys() ^ before.work.keys()) == []
    assert after.people.keys() == before.people.keys()
    assert graph(after) == graph(before)
    for id, item in before.work.items():
        same = after.work[id]
        for field in CARRIED:
            assert getattr(same, field) == getattr(item, field), (id, field)
        for field in MOMENTS:
            a, b = (w and w.resolve(as_of, zone) for w in (getattr(same, field), getattr(item, field)))
            assert a == b, (id, field)
        a, b = (w and w.resolve(as_of, zone, end_of_day=True) for w in (same.due, item.due))
        assert a == b, id
    for id, person in before.people.items():
        twin = after.people[id]
        assert (twin.name, twin.team, twin.skills) == (person.name or id, person.team, person.skills)
    for portfolio in (before, after):
        assert portfolio.calendars
    used = {id for id, project in before.projects.items() if any(i.project == id for i in before.work.values())}
    for id in used:
        assert after.projects[id].cost_of_delay == before.projects[id].cost_of_delay


def assert_same_hours(before: Portfolio, after: Portfolio) -> None:
    """Everybody is at work in the same slots for ten weeks, weeks with holidays and days off included."""
    one, two = (Calendars(p, Grid.of(p, 48 * 70)) for p in (before, after))
    assert one.grid == two.grid
    for id in before.people:
        assert (one.person(id) == two.person(id)).all(), id


def test_out_and_in_again_is_the_same_portfolio(tmp_path: Path) -> None:
    text = EXPORTERS["mspdi"](PLAN, SMALL)
    assert isinstance(text, str)
    after = read_back(text, tmp_path)
    wanted = SMALL.model_copy(
        update={
            "work": SMALL.work
            | {"A": SMALL.work["A"].model_copy(update={"title": "Schema of \U0001f600 orders"})}
            | {"STONE": SMALL.work["STONE"]}
        }
    )
    assert_same(wanted, after)
    assert_same_hours(SMALL, after)
    assert after.work["A"].title == "Schema of \U0001f600 orders"
    assert after.external["VEND-1"].title == "Disks"
    assert str(after.external["VEND-1"].expected) == "2026-12-01"
    assert after.projects["shop"].title == "The shop"
    assert str(after.projects["shop"].due) == "2026-12-18"
    assert after.calendars["nights"].zone == "Asia/Kolkata"


def test_twice_out_and_in_changes_nothing_more(tmp_path: Path) -> None:
    text = EXPORTERS["mspdi"](PLAN, SMALL)
    assert isinstance(text, str)
    once = read_back(text, tmp_path)
    again = EXPORTERS["mspdi"](PLAN, once)
    assert isinstance(again, str)
    twice = read_back(again, tmp_path)
    assert_same(once, twice)
    assert twice.calendars == once.calendars
    assert twice.people == once.people


def test_the_sample_organisation_survives_too(tmp_path: Path) -> None:
    portfolio = sample_portfolio(items=60)
    text = EXPORTERS["mspdi"](sample_plan(portfolio), portfolio)
    assert isinstance(text, str)
    after = read_back(text, tmp_path)
    assert {id: item.needs for id, item in after.work.items()} == {
        id: item.needs for id, item in portfolio.work.items()
    }
    assert graph(after) == graph(portfolio)
    assert {id: str(p.away) for id, p in after.people.items()} == {
        id: str(p.away) for id, p in portfolio.people.items()
    }


def test_what_was_changed_in_project_counts(tmp_path: Path) -> None:
    root = exported(PLAN, SMALL)
    from xml.etree.ElementTree import register_namespace, tostring

    register_namespace("", "http://schemas.microsoft.com/project")
    for task in below(root, "Task"):
        own = {fields(a)["FieldID"]: fields(a)["Value"] for a in task if name(a) == "ExtendedAttribute"}
        parts = {name(child): child for child in task}
        if own.get("188743731") == "A":
            parts["Work"].text = "PT16H0M0S"  # four times the work of the plan
            parts["ConstraintDate"].text = "2026-12-07T09:00:00"  # not before
        if own.get("188743731") == "B":
            parts["PercentComplete"].text = "100"
    after = read_back(tostring(root, encoding="unicode"), tmp_path)
    assert str(after.work["A"].needs[0].effort) != "4h/8h/20h"
    assert abs(after.work["A"].needs[0].effort.mean - 4 * SMALL.work["A"].needs[0].effort.mean) < timedelta(minutes=1)
    assert str(after.work["A"].not_before) == "2026-12-07T15:00Z"
    assert after.work["B"].status == "done"


def test_a_task_that_was_added_in_project_is_read_as_any_other(tmp_path: Path) -> None:
    text = EXPORTERS["mspdi"](PLAN, SMALL)
    assert isinstance(text, str)
    added = "<Task><UID>900</UID><ID>900</ID><Name>More</Name><OutlineLevel>1</OutlineLevel>{}</Task>"
    tasks = added.format("<Summary>1</Summary>") + added.format("<Duration>PT8H0M0S</Duration>").replace("900", "901")
    after = read_back(text.replace("</Tasks>", tasks + "</Tasks>"), tmp_path)
    assert after.work.keys() == SMALL.work.keys() | {"900", "901"}
    assert [str(need.effort) for need in after.work["901"].needs] == ["8h"]
    assert "" not in after.projects


def test_needs_too_long_for_a_field_give_way_to_the_assignments(tmp_path: Path) -> None:
    crowd = [f"somebody-with-a-long-name-{n}" for n in range(40)]
    work = SMALL.work | {"A": SMALL.work["A"].model_copy(update={"needs": (Need(who=tuple(crowd), effort="8h"),)})}
    many = SMALL.model_copy(update={"work": work, "people": SMALL.people | {who: Person() for who in crowd}})
    root = exported(PLAN, many)
    text = EXPORTERS["mspdi"](PLAN, many)
    assert isinstance(text, str)
    assert max(len(fields(a)["Value"]) for a in below(root, "ExtendedAttribute") if "Value" in fields(a)) <= 255
    assert [need.who for need in read_back(text, tmp_path).work["A"].needs] == [("ann",)]


def test_one_person_alone() -> None:
    root = exported(PLAN, SMALL, person="ben")
    assert [fields(r)["Name"] for r in below(root, "Resource")] == ["Ben <Boss> & Co"]
    titles = [fields(t)["Name"] for t in below(root, "Task")]
    assert titles == ["Plan of week 2026-W48", "The shop", "Everything", "B", "Disks"]


def test_more_ranges_than_project_holds_are_refused() -> None:
    hours = "Mon-Fri 01:00-02:00 03:00-04:00 05:00-06:00 07:00-08:00 09:00-10:00 11:00-12:00"
    calendars = {"office": {"hours": hours}, "nights": {"hours": "Mon 09:00-17:00"}}
    many = Portfolio.model_validate(SMALL.model_dump(mode="json", by_alias=True) | {"calendars": calendars})
    with pytest.raises(InputError, match="calendar office has 6 ranges of hours on one day"):
        EXPORTERS["mspdi"](PLAN, many)


_EFFORTS = st.integers(1, 9_999).map(lambda m: f"{m}m")
_NEEDS = st.builds(
    lambda skill, level, effort, left, people, share, who: Need.model_validate(
        {"skill": skill, "who": who, "people": people, "allocation": share}
        | ({"level": level} if skill else {})
        | {"remaining" if left else "effort": effort}
    ),
    st.sampled_from(["oracle", "c++", "c#", "left", "x2", "50%", "two words", "a;b", "*", ">=", "データ"]),
    st.integers(1, 9),
    _EFFORTS,
    st.booleans(),
    st.integers(1, 9),
    st.integers(1, 100).map(lambda p: f"{p}%"),
    st.lists(st.sampled_from(["ann", "ben 2", "o'neil", "a,b", "(x)"]), max_size=3, unique=True).map(tuple),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_NEEDS, min_size=1, max_size=4).map(tuple))
def test_needs_are_read_as_they_were_written(needs: tuple[Need, ...]) -> None:
    assert needs_of(needs_text(needs)) == needs


def test_a_need_of_people_alone_and_one_of_three_values() -> None:
    needs = (
        Need.model_validate({"who": ["ann"], "effort": "1h/2h/9h"}),
        Need.model_validate({"skill": "qa", "effort": "30m"}),
    )
    assert needs_text(needs) == "* 1h/2h/9h (ann); qa 30m"
    assert needs_of(needs_text(needs)) == needs
    assert needs_of("nonsense (") is None


def test_holidays_of_the_calendar_are_days_off() -> None:
    root = exported(PLAN, SMALL)
    office = next(below(root, "Calendar"))
    off = {
        date.fromisoformat(fields(next(below(e, "TimePeriod")))["FromDate"][:10])
        for e in below(office, "Exception")
        if fields(e)["DayWorking"] == "0"
    }
    assert {date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1)} <= off
    assert date(2026, 11, 28) not in off
