"""What any reader may say and the portfolio carries: lags, shares, calendars, days off, history, one ticket twice."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import throttle.ingest
from throttle.ingest import Ingested, read_exports
from throttle.ingest.intake import Intake
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import DayOff, Entry, Resource, Share, Step, Ticket, Tie
from throttle.ingest.source import Source
from throttle_models import Calendar, Column, LagKind, LinkType, Mapping, Portfolio, Status, TeamFile

WRITTEN: dict[str, list[Entry]] = {}
"""What a file of the test's own format holds, by its name."""


def _written(source: Source, intake: Intake) -> Iterator[Entry]:
    intake.calendars["Night shift"] = Calendar.model_validate({"hours": "Mon-Fri 22:00-04:00"})
    yield from WRITTEN[source.file]


def _sure(source: Source) -> float:
    return 1.0 if source.kind == "json" and source.file in WRITTEN else 0.0


TOLD = DocumentReader(name="told", system="Told", certainty=_sure, read=_written)
CHANGES = DocumentReader(
    name="changes", system="Changes", certainty=lambda _: 0.0, read=_written, default_type="change"
)


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(throttle.ingest, "READERS", (TOLD,))
    WRITTEN.clear()

    def read(*files: list[Entry], team: Any = None, mapping: Any = None, **options: Any) -> Ingested:
        paths = []
        for number, entries in enumerate(files):
            path = tmp_path / f"{number}.json"
            path.write_text(json.dumps([{}]))
            WRITTEN[path.name] = entries
            paths.append(path)
        ingested = read_exports(
            paths,
            team=TeamFile.model_validate(team or {}),
            mapping=Mapping.model_validate(mapping or {}),
            options=throttle.ingest.ReadOptions(**options),
        )
        report = ingested.report
        assert report.rows_read == report.imported + report.merged + report.rejected
        return ingested

    return read


def ticket(id: str, reader: DocumentReader = TOLD, **fields: Any) -> Ticket:
    made = Ticket(id, "0.json", 1, reader, title=id, status="To Do", type="Task")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_types_and_lags_of_links(tell: Any) -> None:
    one = ticket("A", links=[Tie("B", True, origin="Pred", type=LinkType.SS, lag="8h", lag_in=LagKind.WORKING)])
    two = ticket("B", links=[Tie("A", False, origin="Pred", type=LinkType.SS, lag="8h", lag_in=LagKind.WORKING)])
    (link,) = tell([one, two]).portfolio.work["B"].after
    assert (link.item, link.type, link.lag, link.lag_in) == ("A", LinkType.SS, "8h", LagKind.WORKING)


def test_two_lags_between_the_same_two_both_hold(tell: Any) -> None:
    ties = [Tie("B", True, type=LinkType.FS, lag=lag) for lag in ("2h", "1h", "2h")]
    after = tell([ticket("A", links=ties), ticket("B")]).portfolio.work["B"].after
    assert sorted(link.lag for link in after) == ["1h", "2h"]


def test_summaries_and_milestones_are_no_work(tell: Any) -> None:
    ingested = tell(
        [ticket("S", container=True, original=600.0), ticket("M", milestone=True, original=60.0), ticket("W")]
    )
    work = ingested.portfolio.work
    assert [bool(work[id].needs) for id in ("S", "M", "W")] == [False, False, True]


def test_low_likely_high(tell: Any) -> None:
    work = tell(
        [ticket("A", original=480.0, range=(240.0, 960.0)), ticket("B", original=480.0, range=(600.0, 960.0))]
    ).portfolio.work
    assert str(work["A"].needs[0].effort) == "4h/8h/16h"
    assert str(work["B"].needs[0].effort) == "8h"


def test_shares_of_several_people(tell: Any) -> None:
    crew = [Share("Ann", units=0.5, minutes=240.0), Share("Bob", units=1.0)]
    item = tell([ticket("A", original=960.0, crew=crew, duration=480.0)]).portfolio.work["A"]
    assert [(n.who, n.allocation, str(n.effort)) for n in item.needs] == [
        (("ann",), 0.5, "4h"),
        (("bob",), 1.0, "8h"),
    ]
    assert item.duration is not None
    assert item.duration.total_seconds() == 8 * 3600


def test_several_assignees_without_shares_are_one_of_them(tell: Any) -> None:
    ingested = tell([ticket("A", original=60.0, crew=[Share("Ann"), Share("Bob")])])
    (need,) = ingested.portfolio.work["A"].needs
    assert (need.who, need.people) == (("ann", "bob"), 1)
    assert "assignees" in {a.about for a in ingested.portfolio.assumptions}


def test_dates_that_bind(tell: Any) -> None:
    begin = datetime(2030, 1, 7, 9, tzinfo=UTC)
    ingested = tell(
        [
            ticket("A", not_before=date(2030, 1, 3), due=date(2030, 2, 1), created=datetime(2029, 1, 1, tzinfo=UTC)),
            ticket("B", pinned=begin),
            ticket("C", pinned=datetime(2020, 1, 1, tzinfo=UTC)),
        ]
    )
    item, policy = ingested.portfolio.work["A"], ingested.portfolio.policy
    assert (str(item.not_before), str(item.due)) == ("2030-01-03", "2030-02-01")
    assert [(pin.work, str(pin.start)) for pin in policy.pins] == [("B", "2030-01-07T09:00Z")]
    assert "pinned-in-the-past" in {f.code for f in ingested.report.findings}


def test_calendars_skills_and_days_off_of_people(tell: Any) -> None:
    entries: list[Entry] = [
        ticket("A", assignee="Ann Lee", original=60.0),
        ticket("B", skills=["Rigging"], original=60.0),
        Resource("Ann Lee", calendar="Night shift", skills={"Rigging": 2}, team="Site crew"),
        DayOff(date(2030, 12, 24), date(2030, 12, 26), who="ann lee"),
        DayOff(date(2030, 12, 25), date(2030, 12, 25)),
        DayOff(date(2030, 12, 28), date(2030, 12, 28), working=True),
        DayOff(date(2030, 12, 24), date(2030, 12, 26), who="Nobody Known", row=7),
    ]
    ingested = tell(entries)
    ann, report = ingested.portfolio.people["ann-lee"], ingested.report
    assert (ann.calendar, ann.team, ann.skills) == ("night-shift", "site-crew", {"rigging": 2})
    assert [str(days) for days in ann.away] == ["2030-12-24/2030-12-26"]
    calendar = ingested.portfolio.calendars["night-shift"]
    assert ([str(d) for d in calendar.closed], [str(d) for d in calendar.open]) == (["2030-12-25"], ["2030-12-28"])
    assert (report.rows_read, report.imported, report.rejected) == (7, 6, 1)
    assert report.rejections[0].row == 7
    assert ingested.portfolio.work["B"].needs[0].skill == "rigging"
    assert "needs.0.skill" not in ingested.portfolio.work["B"].inferred
    assert set(ingested.portfolio.people) == {"ann-lee"}  # she has the skill: nobody is made up for it


def test_the_history_of_an_event_log(tell: Any) -> None:
    def row(version: int, day: int, status: str, **fields: Any) -> Ticket:
        moment = datetime(2030, 1, day, tzinfo=UTC)
        return ticket("INC1", version=version, updated=moment, status=status, row=version, **fields)

    ingested = tell([row(3, 5, "Closed", assignee="Bob"), row(1, 2, "New"), row(2, 3, "In Progress", assignee="Ann")])
    item = ingested.portfolio.work["INC1"]
    assert (item.status, str(item.started), str(item.finished)) == ("done", "2030-01-03T00:00Z", "2030-01-05T00:00Z")
    assert (ingested.report.rows_read, ingested.report.imported, ingested.report.merged) == (3, 1, 2)


def test_a_reopened_item_is_finished_when_it_was_done_last(tell: Any) -> None:
    days = [("In Progress", 1), ("Done", 2), ("In Progress", 3), ("Done", 4)]
    steps = [Step(datetime(2030, 1, day, tzinfo=UTC), "status", "", word) for word, day in days]
    item = tell([ticket("A", status="Done", history=steps)]).portfolio.work["A"]
    assert (str(item.started), str(item.finished)) == ("2030-01-01T00:00Z", "2030-01-04T00:00Z")


def test_the_same_ticket_in_two_systems_is_one_item(tell: Any) -> None:
    change = ticket("CHG1", CHANGES, same_as=["OPS-1"], type="change", status="Scheduled", services=["Till"])
    task = ticket("OPS-1", assignee="Ann", original=60.0, links=[Tie("OPS-2", True)], labels=["red"])
    ingested = tell([task, ticket("OPS-2")], [change])
    work, report = ingested.portfolio.work, ingested.report
    assert sorted(work) == ["CHG1", "OPS-2"]
    assert (report.rows_read, report.imported, report.merged) == (3, 2, 1)
    assert (work["CHG1"].type, work["CHG1"].tags, work["CHG1"].needs[0].who) == ("change", ("red",), ("ann",))
    assert [link.item for link in work["OPS-2"].after] == ["CHG1"]
    assert "same-ticket" in {f.code for f in report.findings}


def test_a_mapping_names_the_same_tickets(tell: Any) -> None:
    ingested = tell([ticket("OPS-1")], [ticket("CHG1", CHANGES, type="change")], mapping={"same": {"OPS-1": "CHG1"}})
    assert sorted(ingested.portfolio.work) == ["CHG1"]


def test_two_tickets_of_one_system_are_never_one(tell: Any) -> None:
    files = [ticket("OPS-1"), ticket("OPS-2")], [ticket("CHG1", CHANGES, same_as=["OPS-1", "OPS-2"], type="change")]
    ingested = tell(*files)
    assert sorted(ingested.portfolio.work) == ["CHG1", "OPS-2"]
    assert "same-unclear" in {f.code for f in ingested.report.findings}


def test_a_lag_that_is_none_is_told(tell: Any) -> None:
    ingested = tell([ticket("A", links=[Tie("B", True, lag="soon")]), ticket("B")])
    assert [link.lag for link in ingested.portfolio.work["B"].after] == ["0"]
    (told,) = [f for f in ingested.report.findings if f.code == "unread-lag"]
    assert "soon" not in told.message


def test_fill_reads_raw_texts_as_a_column_would(tell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(_source: Source, intake: Intake) -> Iterator[Entry]:
        made = ticket("A")
        for means, text in {
            Column.ORIGINAL_ESTIMATE: "PT8H", Column.DUE: "2030-02-01", Column.LABEL: ["red", "blue"],
            Column.POINTS: 3.0, Column.ASSIGNEE: "Ann Lee <ann@example.invalid>", Column.WAITS_FOR: "B, C",
            Column.CREATED: 1_700_000_000_000,
            Column.PRIORITY: "High", Column.ON_HOLD: True, Column.UPDATED: "no date",
        }.items():  # fmt: skip
            intake.fill(made, means, text, f"f.{means}")
        yield made
        yield intake.reject(2, "is nothing")

    own = DocumentReader(name="told", system="Told", certainty=lambda _: 1.0, read=written)
    monkeypatch.setattr(throttle.ingest, "READERS", (own,))
    ingested = tell([])
    item = ingested.portfolio.work["A"]
    assert (str(item.due), item.tags, item.priority, item.on_hold) == (
        "2030-02-01",
        ("red", "blue"),
        "High",
        "on hold in Told",
    )
    assert [link.item for link in item.after] == ["B", "C"]
    assert str(item.created) == "2023-11-14T22:13:20Z"
    assert "example.invalid" not in ingested.portfolio.model_dump_json()
    assert [f.column for f in ingested.report.findings if f.code == "unread-date"] == ["f.updated"]
    assert ingested.report.rejected == 1


def test_unknown_stays_unknown_in_a_history(tell: Any) -> None:
    steps = [Step(datetime(2030, 1, 1, tzinfo=UTC), "status", "", "Quux")]
    item = tell([ticket("A", history=steps)]).portfolio.work["A"]
    assert (item.started, item.status) == (None, Status.OPEN)


def test_one_id_for_two_things_is_not_guessed(tell: Any) -> None:
    ingested = tell([ticket("A", row=1, title="One"), ticket("A", row=2, title="Two"), ticket("A", row=3, title="One")])
    report = ingested.report
    assert (report.imported, report.merged, report.rejected) == (1, 1, 1)
    assert report.rejections[0].row == 2
    assert ingested.portfolio.work["A"].title == "One"


def test_done_without_the_resolution_that_others_have(tell: Any) -> None:
    ingested = tell([ticket("A", status="Done", resolution="Fixed"), ticket("B", status="Done"), ticket("C")])
    assert {f.code: f.ids for f in ingested.report.findings}["done-without-resolution"] == ("B",)


def test_a_project_with_the_id_of_an_item(tell: Any) -> None:
    ingested = tell([ticket("A", project="A"), ticket("B", project="A", links=[Tie("A", False)])])
    assert list(ingested.portfolio.projects) == ["project A"]
    assert {item.project for item in ingested.portfolio.work.values()} == {"project A"}
    assert "project-id" in {f.code for f in ingested.report.findings}


def test_what_is_made_without_validation_is_valid(tell: Any) -> None:
    moment = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    portfolio = tell(
        [
            ticket("A", created=moment, due=date(2030, 2, 1), original=90.0, assignee="Ann", labels=["x"], sprint="S"),
            ticket("B", links=[Tie("A", False, lag="-2h"), Tie("X", False, status="Done")], components=["Till"]),
            ticket("C", status="In Progress", remaining=30.0, crew=[Share("Ann", units=0.5), Share("Bob", units=1.0)]),
            ticket("D", status="Done", planned=(moment, None), aliases=["4711"], updated=moment, milestone=True),
        ]
    ).portfolio
    again = Portfolio.model_validate(portfolio.model_dump(mode="json", by_alias=True, exclude_unset=True))
    assert again == portfolio
    for id, item in portfolio.work.items():
        other = again.work[id]
        assert item.model_fields_set == other.model_fields_set, id
        assert [n.model_fields_set for n in item.needs] == [n.model_fields_set for n in other.needs]
    assert pickle.loads(pickle.dumps(portfolio)) == portfolio
