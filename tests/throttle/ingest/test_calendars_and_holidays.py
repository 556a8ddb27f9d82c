"""Holidays and time off: iCalendar with all its ways to repeat, damaged feeds, and lists in JSON."""

from __future__ import annotations

from typing import Any

import pytest

from throttle.ingest import read_exports
from throttle_models import TeamFile

TICKETS = (
    "Issue key,Summary,Status,Status Category,Assignee,Created\n"
    "AB-1,One,Open,To Do,Ann Lee,2026-11-01 09:00\nAB-2,Two,Open,To Do,Ben,2026-11-02 09:00\n"
)


def event(summary: str, *lines: str, uid: str = "") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid or summary}", *lines, f"SUMMARY:{summary}", "END:VEVENT"])


def day(first: str, last: str = "") -> tuple[str, ...]:
    return (f"DTSTART;VALUE=DATE:{first}", *([f"DTEND;VALUE=DATE:{last}"] if last else ()))


def ics(*events: str, head: str = "BEGIN:VCALENDAR") -> str:
    return "\r\n".join([head, "VERSION:2.0", "PRODID:-//x//y//EN", *events, "END:VCALENDAR", ""])


def read(desk: Any, *contents: tuple[Any, str], **how: Any) -> Any:
    paths = [desk.file(TICKETS, "jira.csv"), *(desk.file(content, name) for content, name in contents)]
    ingested = read_exports(paths, **how)
    report = ingested.report
    assert report.rows_read == report.imported + report.merged + report.rejected
    return ingested


def closed(ingested: Any) -> list[str]:
    (calendar,) = ingested.portfolio.calendars.values()
    return sorted(str(d) for d in calendar.closed)


def away(ingested: Any) -> dict[str, list[str]]:
    return {id: [str(d) for d in p.away] for id, p in ingested.portfolio.people.items() if p.away}


def test_holidays_are_days_off_of_everybody_and_the_end_is_not_included(desk: Any) -> None:
    text = ics(event("Christmas", *day("20261225", "20261227")), event("New Year", *day("20270101")))
    ingested = read(desk, (text, "holidays.ics"))
    assert closed(ingested) == ["2026-12-25/2026-12-26", "2027-01-01"]
    assert away(ingested) == {}


def test_a_working_day_in_a_feed_of_holidays_is_one(desk: Any) -> None:
    text = ics(
        event("Рабочий день — перенос с пятницы", *day("20261219")),
        event("День отдыха", *day("20261218")),
        event("Compensatory working day", *day("20261212")),
    )
    (calendar,) = read(desk, (text, "feed.ics")).portfolio.calendars.values()
    assert [str(d) for d in calendar.open] == ["2026-12-19", "2026-12-12"]
    assert [str(d) for d in calendar.closed] == ["2026-12-18"]


@pytest.mark.parametrize(
    "summary",
    ["Ann Lee - vacation", "Ann Lee: PTO", "Ann Lee (annual leave)", "Urlaub: Ann Lee", "Ann Lee on leave",
     "Ann Lee | Out of office", "OOO - Ann Lee", "Ann Lee is away", "vacation (Ann Lee)"],
)  # fmt: skip
def test_absences_are_of_the_person_whom_the_summary_names(desk: Any, summary: str) -> None:
    ingested = read(desk, (ics(event(summary, *day("20261201", "20261204"))), "team.ics"))
    assert away(ingested) == {"ann-lee": ["2026-12-01/2026-12-03"]}
    assert closed(ingested) == []


def test_absences_of_an_attendee_and_of_nobody_we_know(desk: Any) -> None:
    text = ics(
        event("Vacation", 'ATTENDEE;CN="Ben":mailto:ben@example.org', *day("20261201")),
        event("Zoe Stranger - vacation", *day("20261202")),
    )
    ingested = read(desk, (text, "team.ics"))
    assert away(ingested) == {"ben": ["2026-12-01"]}
    assert ingested.report.rejections[0].reason.startswith("is of somebody who is in no other file")
    assert "example.org" not in ingested.report.model_dump_json()
    team = TeamFile.model_validate({"people": {"zoe": {"name": "Zoe Stranger"}}})
    assert away(read(desk, (text, "team.ics"), team=team))["zoe"] == ["2026-12-02"]


def test_the_calendar_of_one_person(desk: Any) -> None:
    out = event("Out of office", "X-MICROSOFT-CDO-BUSYSTATUS:OOF", *day("20261201"))
    text = ics("X-WR-CALNAME:Ann Lee", out, event("Company day", *day("20261202")))
    ingested = read(desk, (text, "ann.ics"))
    assert away(ingested) == {"ann-lee": ["2026-12-01"]}
    assert closed(ingested) == ["2026-12-02"]


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (("RRULE:FREQ=YEARLY;UNTIL=20281231",), ["2026-12-25", "2027-12-25", "2028-12-25"]),
        (("RRULE:FREQ=WEEKLY;COUNT=3",), ["2026-12-25", "2027-01-01", "2027-01-08"]),
        (("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20270101"), ["2026-12-25", "2027-01-08"]),
        (("RRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z",), ["2026-12-25", "2027-01-01"]),
        (("RDATE;VALUE=DATE:20270301,20270302",), ["2026-12-25", "2027-03-01", "2027-03-02"]),
    ],
)
def test_events_that_repeat(desk: Any, lines: tuple[str, ...], days: list[str]) -> None:
    assert closed(read(desk, (ics(event("Off day", *day("20261225"), *lines)), "x.ics"))) == days


def test_an_occurrence_that_was_moved_counts_where_it_is(desk: Any) -> None:
    text = ics(
        event("Company day", *day("20261201"), "RRULE:FREQ=WEEKLY;COUNT=3", uid="a"),
        event("Company day", *day("20261210"), "RECURRENCE-ID;VALUE=DATE:20261208", uid="a"),
    )
    assert closed(read(desk, (text, "x.ics"))) == ["2026-12-01", "2026-12-10", "2026-12-15"]


def test_appointments_and_what_is_cancelled_are_told(desk: Any) -> None:
    text = ics(
        event("Stand-up", "DTSTART:20261201T090000Z", "DTEND:20261201T091500Z"),
        event("Whole day as times", "DTSTART:20261202T000000Z", "DTEND:20261203T000000Z"),
        event("Gone", *day("20261204"), "STATUS:CANCELLED"),
        event("No start"),
        event("Odd rule", *day("20261205"), "RRULE:FREQ=SOMETIMES"),
    )
    ingested = read(desk, (text, "x.ics"))
    assert closed(ingested) == ["2026-12-02"]
    reasons = [r.reason for r in ingested.report.rejections]
    assert reasons[0] == "is an appointment of less than a day"
    assert reasons[1] == "is cancelled"
    assert len(reasons) == 4


def test_whole_days_of_another_zone_are_those_of_its_wall(desk: Any) -> None:
    text = ics(
        event("Off", "DTSTART;TZID=Europe/Berlin:20261202T000000", "DTEND;TZID=Europe/Berlin:20261203T000000"),
        event("Out", "DTSTART:20261207T060000Z", "DTEND:20261208T060000Z"),
    )
    team = TeamFile.model_validate({"zone": "America/Chicago"})
    assert closed(read(desk, (text, "x.ics"), team=team)) == ["2026-12-02", "2026-12-07"]


def test_dates_that_are_not_marked_folded_lines_and_a_damaged_first_line(desk: Any) -> None:
    text = ics(event("New\r\n  Year", "DTSTART:20270101", "DTEND:20270102"), head="EGIN:VCALENDAR")
    assert closed(read(desk, (text, "bad.ics"))) == ["2027-01-01"]


def test_a_feed_that_is_cut_off(desk: Any) -> None:
    text = ics(event("Off day", *day("20261225")))
    assert [f.code for f in desk.problems(text[: len(text) // 2], name="x.ics")] == ["truncated"]


# ---------------------------------------------------------------------------------------------------------------- JSON

SOURCE = {
    "title": "x",
    "divisions": {
        "common.nations.england-and-wales_slug": {
            "title": "y",
            "2026": [{"title": "bank_holidays.boxing_day", "date": "28/12/2026", "notes": "", "bunting": True}],
        },
        "common.nations.scotland_slug": {"2026": [{"title": "bank_holidays.2nd_january", "date": "02/01/2026"}]},
    },
}  # fmt: skip
API = {
    "england-and-wales": {"division": "england-and-wales", "events": [{"title": "Boxing Day", "date": "2026-12-28"}]},
    "scotland": {"division": "scotland", "events": [{"title": "2nd January", "date": "2026-01-02"}]},
}
PLAIN = [{"date": "2026-12-28", "localName": "x", "name": "Boxing Day", "countryCode": "GB", "global": True}]


@pytest.mark.parametrize("content", [SOURCE, API, PLAIN], ids=["source", "api", "plain"])
def test_holidays_in_json(desk: Any, content: Any) -> None:
    ingested = read(desk, (content, "holidays.json"))
    assert closed(ingested) == ["2026-12-28"]
    assert [f.reader for f in ingested.report.files] == ["jira-csv", "holidays-json"]
    if content is not PLAIN:
        assert ingested.report.rejections[0].reason.startswith("is of another nation")


def test_what_is_no_date_and_what_is_regional_is_told(desk: Any) -> None:
    content = [*PLAIN, PLAIN[0] | {"date": "soon"}, PLAIN[0] | {"global": False, "counties": ["GB-SCT"]}]
    ingested = read(desk, (content, "holidays.json"))
    assert [r.reason for r in ingested.report.rejections] == [
        "has no date that is understood",
        "is a holiday of some regions only",
    ]


def test_tickets_with_dates_are_no_holidays(desk: Any) -> None:
    tickets = [{"id": 1, "date": "2026-12-28", "title": "x", "status": "open"}]
    assert "holidays" not in str(desk.problems(tickets, name="x.json")[0].message.split("(")[0])
