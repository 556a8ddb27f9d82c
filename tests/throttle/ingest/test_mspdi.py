"""Microsoft Project XML: every kind of link and lag, summaries, constraints, calendars and who is there when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from throttle_models import LagKind, Status

HEAD = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Project xmlns="http://schemas.microsoft.com/project"><SaveVersion>14</SaveVersion><Name>Move.xml</Name>
<Title>Move</Title><LastSaved>2026-11-20T17:00:00</LastSaved><CalendarUID>1</CalendarUID>
<MinutesPerDay>480</MinutesPerDay><CurrentDate>2026-11-20T18:00:00</CurrentDate>"""


def xml(tasks: str = "", calendars: str = "", resources: str = "", assignments: str = "", attributes: str = "") -> str:
    return (
        f"{HEAD}<ExtendedAttributes>{attributes}</ExtendedAttributes><Calendars>{calendars}</Calendars><Tasks>{tasks}"
        f"</Tasks><Resources>{resources}</Resources><Assignments>{assignments}</Assignments></Project>"
    )


def task(uid: int, more: str = "", level: int = 1, duration: str = "PT8H0M0S") -> str:
    return (
        f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>Task {uid}</Name><OutlineLevel>{level}</OutlineLevel>"
        f"<Duration>{duration}</Duration><DurationFormat>7</DurationFormat>{more}</Task>"
    )


def link(uid: int | str, type: int | None = 1, lag: float = 0, form: int = 7, more: str = "") -> str:
    kind = f"<Type>{type}</Type>" if type is not None else ""
    return (
        f"<PredecessorLink><PredecessorUID>{uid}</PredecessorUID>{kind}{more}<LinkLag>{lag:g}</LinkLag>"
        f"<LagFormat>{form}</LagFormat></PredecessorLink>"
    )


def links_of(desk: Any, text: str, item: str = "2") -> list[tuple[str, str, str, Any]]:
    work = desk.read(text, name="plan.xml").portfolio.work
    return [(x.item, x.type.value, x.lag, x.lag_in) for x in work[item].after]


@pytest.mark.parametrize(("number", "type"), [(0, "FF"), (1, "FS"), (2, "SF"), (3, "SS"), (None, "FS")])
def test_types_of_links(desk: Any, number: int | None, type: str) -> None:
    assert links_of(desk, xml(task(1) + task(2, link(1, number)))) == [("1", type, "0", None)]


@pytest.mark.parametrize(
    ("lag", "form", "text", "kind"),
    [
        (4800, 7, "8h", LagKind.WORKING),
        (-4800, 7, "-8h", LagKind.WORKING),
        (4500, 7, "450m", LagKind.WORKING),
        (900, 3, "90m", LagKind.WORKING),
        (14400, 8, "1d", LagKind.ELAPSED),
        (-600, 6, "-1h", LagKind.ELAPSED),
        (100800, 10, "1w", LagKind.ELAPSED),
        (14400, 40, "1d", LagKind.ELAPSED),
        (4800, 39, "8h", LagKind.WORKING),
        (-50, 19, "-4h", LagKind.WORKING),
        (25, 19, "2h", LagKind.WORKING),
        (50, 20, "4h", LagKind.ELAPSED),
    ],
)
def test_lags_are_tenths_of_a_minute_or_a_share_of_the_predecessor(
    desk: Any, lag: float, form: int, text: str, kind: LagKind
) -> None:
    assert links_of(desk, xml(task(1) + task(2, link(1, 1, lag, form)))) == [("1", "FS", text, kind)]


def test_links_to_other_projects_lead_outside(desk: Any) -> None:
    ghost = "<ExternalTask>1</ExternalTask><ExternalTaskProject>C:\\other.mpp\\7</ExternalTaskProject>"
    cross = "<CrossProject>1</CrossProject><CrossProjectName>D:\\third.mpp\\3</CrossProjectName>"
    ingested = desk.read(xml(task(9, ghost) + task(2, link(9) + link(77, more=cross))), name="plan.xml")
    assert [x.item for x in ingested.portfolio.work["2"].after] == ["C:\\other.mpp\\7", "D:\\third.mpp\\3"]
    assert ingested.portfolio.external["C:\\other.mpp\\7"].title == "Task 9"
    assert [d.target for d in ingested.report.dangling] == ["C:\\other.mpp\\7", "D:\\third.mpp\\3"]


def test_summaries_contain_and_are_no_work_and_blank_lines_are_told(desk: Any) -> None:
    tasks = (
        task(0, "<Summary>1</Summary>", 0)
        + task(1, "<Summary>1</Summary>", 1, "PT80H0M0S")
        + task(2, level=2)
        + "<Task><UID>3</UID><ID>3</ID><IsNull>1</IsNull></Task>"
        + task(4, level=2)
        + task(5, level=1)
        + task(6, "<Milestone>1</Milestone>", 1, "PT0H0M0S")
        + task(7, "<Milestone>1</Milestone>", 1, "PT16H0M0S")
    )
    ingested = desk.read(xml(tasks), name="plan.xml")
    work = ingested.portfolio.work
    assert {id: w.parent for id, w in work.items()} == {"1": None, "2": "1", "4": "1", "5": None, "6": None, "7": None}
    assert [id for id, w in work.items() if w.needs] == ["2", "4", "5", "7"]  # a milestone may take time
    assert [r.reason for r in ingested.report.rejections] == ["is the project as a whole", "is a blank line"]


def test_elapsed_durations_of_nobody_are_waits(desk: Any) -> None:
    text = xml(task(1).replace("<DurationFormat>7", "<DurationFormat>8").replace("PT8H0M0S", "PT72H0M0S"))
    assert desk.read(text, name="plan.xml").portfolio.work["1"].wait == timedelta(days=3)


def test_progress_and_status(desk: Any) -> None:
    done = "<PercentComplete>100</PercentComplete><ActualFinish>2026-11-10T17:00:00</ActualFinish>"
    half = (
        "<PercentComplete>50</PercentComplete><ActualStart>2026-11-18T08:00:00</ActualStart>"
        "<RemainingDuration>PT3H0M0S</RemainingDuration>"
    )
    work = desk.read(xml(task(1, done) + task(2, half) + task(3, "<Active>0</Active>")), name="p.xml").portfolio.work
    assert [w.status for w in work.values()] == [Status.DONE, Status.IN_PROGRESS, Status.CANCELLED]
    assert str(work["1"].finished) == "2026-11-10T17:00Z"
    assert work["2"].needs[0].remaining == timedelta(hours=3)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (4, "not_before", "2026-12-01T08:00Z"),
        (7, "due", "2026-12-01T08:00Z"),
        (3, "due", "2026-12-01T08:00Z"),
    ],
)
def test_constraints_are_dates_that_somebody_meant(desk: Any, kind: int, field: str, value: str) -> None:
    more = f"<ConstraintType>{kind}</ConstraintType><ConstraintDate>2026-12-01T08:00:00</ConstraintDate>"
    item = desk.read(xml(task(1, more)), name="plan.xml").portfolio.work["1"]
    assert str(getattr(item, field)) == value


def test_must_start_on_is_a_pin_and_what_cannot_be_held_is_told(desk: Any) -> None:
    must = "<ConstraintType>2</ConstraintType><ConstraintDate>2026-12-01T08:00:00</ConstraintDate>"
    late = "<ConstraintType>5</ConstraintType><ConstraintDate>2026-12-01T08:00:00</ConstraintDate>"
    ingested = desk.read(xml(task(1, must) + task(2, late)), name="plan.xml")
    (pin,) = ingested.portfolio.policy.pins
    assert (pin.work, str(pin.start)) == ("1", "2026-12-01T08:00Z")
    assert any("start no later than" in f.message for f in ingested.report.findings if f.code == "not-carried")


def test_deadlines_and_planned_dates(desk: Any) -> None:
    more = "<Start>2026-11-25T08:00:00</Start><Finish>2026-11-26T17:00:00</Finish><Deadline>{}</Deadline>"
    work = desk.read(
        xml(task(1, more.format("2026-12-01T00:00:00")) + task(2, more.format("2026-12-01T17:00:00"))), name="plan.xml"
    ).portfolio.work
    assert [str(w.due) for w in work.values()] == ["2026-12-01", "2026-12-01T17:00Z"]
    assert work["1"].not_before is None
    assert str(work["1"].wanted_start) == "2026-11-25T08:00Z"


# ------------------------------------------------------------------------------------------------------------- people


def resource(uid: int, name: str, more: str = "", kind: int = 1) -> str:
    return f"<Resource><UID>{uid}</UID><ID>{uid}</ID><Name>{name}</Name><Type>{kind}</Type>{more}</Resource>"


def given(task_: int, person: int, units: float, work: str) -> str:
    return (
        f"<Assignment><UID>{task_ * 100 + person}</UID><TaskUID>{task_}</TaskUID><ResourceUID>{person}</ResourceUID>"
        f"<Units>{units:g}</Units><Work>{work}</Work></Assignment>"
    )


def test_assignments_are_people_with_shares_and_work_of_their_own(desk: Any) -> None:
    text = xml(
        task(1, "<Work>PT24H0M0S</Work>") + task(2, "<Work>PT8H0M0S</Work>") + task(3, "<Work>PT6H0M0S</Work>"),
        resources=resource(1, "Ann Lee") + resource(2, "Ben") + resource(3, "Bricks", kind=0)
        + resource(4, "DBA", "<IsGeneric>1</IsGeneric>"),
        assignments=given(1, 1, 1, "PT16H0M0S") + given(1, 2, 0.5, "PT8H0M0S") + given(2, 1, 1, "PT8H0M0S")
        + given(2, 3, 1, "PT0H0M0S") + given(3, 4, 1, "PT6H0M0S") + given(3, -65535, 1, "PT6H0M0S"),
    )  # fmt: skip
    ingested = desk.read(text, name="plan.xml")
    work = ingested.portfolio.work
    assert [(n.who, n.allocation, str(n.effort)) for n in work["1"].needs] == [
        (("ann-lee",), 1.0, "16h"),
        (("ben",), 0.5, "8h"),
    ]
    assert [(n.who, str(n.effort)) for n in work["2"].needs] == [(("ann-lee",), "8h")]
    assert [(n.skill, n.who) for n in work["3"].needs] == [("dba", ())]
    reasons = [r.reason for r in ingested.report.rejections]
    assert reasons[0] == "is material or a cost, which is nobody"
    assert reasons[1].startswith("is a role and no person")


WEEK = "".join(
    f"<WeekDay><DayType>{day}</DayType><DayWorking>{int(2 <= day <= 6)}</DayWorking>"
    + ("<WorkingTimes><WorkingTime><FromTime>08:00:00</FromTime><ToTime>16:00:00</ToTime></WorkingTime></WorkingTimes>"
       if 2 <= day <= 6 else "")
    + "</WeekDay>"
    for day in range(1, 8)
)  # fmt: skip


def calendar(uid: int, name: str, base: int = -1, week: str = "", exceptions: str = "") -> str:
    return (
        f"<Calendar><UID>{uid}</UID><Name>{name}</Name><IsBaseCalendar>{int(base < 0)}</IsBaseCalendar>"
        f"<BaseCalendarUID>{base}</BaseCalendarUID><WeekDays>{week}</WeekDays><Exceptions>{exceptions}</Exceptions>"
        "</Calendar>"
    )


def off(first: str, last: str, more: str = "", working: int = 0) -> str:
    return (
        f"<Exception><TimePeriod><FromDate>{first}T00:00:00</FromDate><ToDate>{last}T23:59:00</ToDate></TimePeriod>"
        f"{more}<DayWorking>{working}</DayWorking></Exception>"
    )


def test_calendars_inherit_and_days_off_of_one_are_theirs(desk: Any) -> None:
    text = xml(
        task(1),
        calendar(1, "Standard", week=WEEK, exceptions=off("2026-12-25", "2026-12-25"))
        + calendar(2, "Ann", 1, exceptions=off("2026-12-01", "2026-12-03"))
        + calendar(3, "Ben", 1, week="<WeekDay><DayType>6</DayType><DayWorking>0</DayWorking></WeekDay>"),
        resource(1, "Ann", "<CalendarUID>2</CalendarUID>")
        + resource(2, "Ben", "<MaxUnits>0.5</MaxUnits><CalendarUID>3</CalendarUID>"),
    )  # fmt: skip
    portfolio = desk.read(text, name="plan.xml").portfolio
    assert str(portfolio.calendars["standard"].hours) == "Mon-Fri 08:00-16:00"
    assert [str(d) for d in portfolio.calendars["standard"].closed] == ["2026-12-25"]
    ann, ben = portfolio.people["ann"], portfolio.people["ben"]
    assert (ann.calendar, [str(d) for d in ann.away]) == ("standard", ["2026-12-01/2026-12-03"])
    assert str(portfolio.calendars[ben.calendar].hours) == "Mon-Thu 08:00-16:00"
    assert ben.productive == 0.5


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ("<Type>1</Type>", ["2026-12-01/2026-12-03"]),
        ("<Type>2</Type><Month>11</Month><MonthDay>2</MonthDay>", ["2026-12-02"]),
        ("<Type>6</Type><Period>1</Period><DaysOfWeek>16</DaysOfWeek>", ["2026-12-03"]),
        ("<Type>4</Type><Period>1</Period><MonthDay>1</MonthDay>", ["2026-12-01"]),
        ("<Type>3</Type><Month>11</Month><MonthItem>4</MonthItem><MonthPosition>0</MonthPosition>", []),
        ("<Type>7</Type><Period>2</Period>", ["2026-12-01", "2026-12-03"]),
    ],
)
def test_exceptions_that_repeat(desk: Any, more: str, days: list[str]) -> None:
    text = xml(task(1), calendar(1, "Standard", week=WEEK, exceptions=off("2026-12-01", "2026-12-03", more)))
    closed = desk.read(text, name="plan.xml").portfolio.calendars["standard"].closed
    assert [str(d) for d in closed] == days


def test_exceptions_as_project_2003_wrote_them_and_extra_working_days(desk: Any) -> None:
    old = (
        "<WeekDay><DayType>0</DayType><DayWorking>0</DayWorking><TimePeriod><FromDate>2026-12-24T00:00:00</FromDate>"
        "<ToDate>2026-12-26T23:59:00</ToDate></TimePeriod></WeekDay>"
    )
    text = xml(task(1), calendar(1, "Standard", week=WEEK + old, exceptions=off("2026-12-05", "2026-12-05", "", 1)))
    found = desk.read(text, name="plan.xml").portfolio.calendars["standard"]
    assert [str(d) for d in found.closed] == ["2026-12-24/2026-12-26"]
    assert [str(d) for d in found.open] == ["2026-12-05"]


def test_a_resource_is_away_outside_its_periods(desk: Any) -> None:
    periods = "".join(
        f"<AvailabilityPeriod><AvailableFrom>{a}T00:00:00</AvailableFrom><AvailableTo>{b}T23:59:00</AvailableTo>"
        f"<AvailableUnits>{units}</AvailableUnits></AvailabilityPeriod>"
        for a, b, units in (("1984-01-01", "2026-11-30", 1), ("2026-12-14", "2049-12-31", 1))
    )
    text = xml(task(1), resources=resource(1, "Ann", f"<AvailabilityPeriods>{periods}</AvailabilityPeriods>"))
    assert [str(d) for d in desk.read(text, name="plan.xml").portfolio.people["ann"].away] == ["2026-12-01/2026-12-13"]


def test_three_point_estimates_by_the_names_of_custom_fields(desk: Any) -> None:
    names = {"188743783": "Optimistic", "188743784": "Most likely", "188743785": "Pessimistic", "188743731": "Trade"}
    defined = "".join(
        f"<ExtendedAttribute><FieldID>{id}</FieldID><FieldName>F</FieldName><Alias>{alias}</Alias></ExtendedAttribute>"
        for id, alias in names.items()
    )
    values = "".join(
        f"<ExtendedAttribute><FieldID>{id}</FieldID><Value>{value}</Value></ExtendedAttribute>"
        for id, value in zip(names, ("PT4H0M0S", "PT8H0M0S", "PT20H0M0S", "Electrician"), strict=True)
    )
    text = xml(task(1, values), attributes=defined)
    item = desk.read(text, name="plan.xml").portfolio.work["1"]
    assert str(item.needs[0].effort) == "4h/8h/20h"
    mapped = desk.read(text, name="plan.xml", mapping={"columns": {"ms-project-xml": {"Trade": "skill"}}})
    assert mapped.portfolio.work["1"].needs[0].skill == "electrician"


def test_priorities_that_somebody_changed(desk: Any) -> None:
    tasks = "".join(task(n, f"<Priority>{p}</Priority>") for n, p in enumerate((1000, 700, 500, 300, 0), 1))
    work = desk.read(xml(tasks), name="plan.xml").portfolio.work
    assert [w.priority for w in work.values()] == ["Highest", "High", None, "Low", "Lowest"]


def test_two_files_with_the_same_numbers_are_not_mixed(desk: Any) -> None:
    from throttle.ingest import read_exports

    other = xml(task(1)).replace("<Title>Move</Title>", "<Title>Other</Title>")
    paths = [desk.file(xml(task(1)), "a.xml"), desk.file(other, "b.xml")]
    report = read_exports(paths).report
    assert (report.imported, report.rejected) == (1, 1)
    assert "has the id of another ticket" in report.rejections[0].reason


def test_files_without_the_namespace(desk: Any) -> None:
    text = xml(task(1) + task(2, link(1))).replace(' xmlns="http://schemas.microsoft.com/project"', "")
    assert len(desk.read(text, name="plan.xml").report.edges) == 1


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.99])
def test_files_that_are_cut_off(desk: Any, cut: float) -> None:
    text = xml(task(1) + task(2, link(1)))
    assert [f.code for f in desk.problems(text[: int(len(text) * cut)], name="plan.xml")] == ["truncated"]


def test_nothing_of_notes_and_addresses_is_read(desk: Any) -> None:
    text = xml(
        task(1, "<Notes>secret</Notes>"), resources=resource(1, "Ann", "<EmailAddress>ann@example.org</EmailAddress>")
    )
    ingested = desk.read(text, name="plan.xml")
    told = ingested.report.model_dump_json() + ingested.portfolio.model_dump_json()
    assert "secret" not in told
    assert "example.org" not in told


def test_namesakes_stay_apart(desk: Any) -> None:
    text = xml(
        task(1, "<Work>PT8H0M0S</Work>") + task(2, "<Work>PT8H0M0S</Work>"),
        calendar(1, "Standard", week=WEEK) + calendar(2, "x", 1, exceptions=off("2026-12-01", "2026-12-01")),
        resource(1, "Ann Lee") + resource(2, "Ann Lee", "<CalendarUID>2</CalendarUID>"),
        given(1, 1, 1, "PT8H0M0S") + given(2, 2, 1, "PT8H0M0S"),
    )
    portfolio = desk.read(text, name="plan.xml").portfolio
    (one,), (two,) = (portfolio.work[id].needs[0].who for id in ("1", "2"))
    assert one != two
    assert [str(d) for d in portfolio.people[two].away] == ["2026-12-01"]
    assert not portfolio.people[one].away
