"""The example organisation as each tracker exports it: read back, it is the same graph, as far as the format goes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from throttle.files import load_document
from throttle.ingest import Ingested, propose_mapping, read_exports, save_mapping
from throttle_models import LinkType, Mapping, Status, TeamFile

FOLDER = Path(__file__).parents[2] / "datasets" / "parts-unlimited"
sys.path.insert(0, str(FOLDER))

import parts_exports_trackers as trackers  # noqa: E402
from parts_organisation import EXTERNAL, build_portfolio  # noqa: E402


@pytest.fixture(scope="module")
def work() -> list[Any]:
    return trackers.jobs(build_portfolio(), 1)


READ: dict[str, Ingested] = {}
"""By form: several tests look at the same reading."""


def read(form: Any, work: list[Any], folder: Path) -> Ingested:
    if form.name in READ:
        return READ[form.name]
    path = folder / form.name
    path.write_bytes(form.write(work, form.ids(work)))
    found = read_exports(
        [path],
        mapping=Mapping.model_validate(form.mapping) if form.mapping else None,
        team=TeamFile.model_validate({"zone": "America/Chicago", "defaults": {"hours_per_point": "1h"}}),
    )
    report = found.report
    assert report.rows_read == report.imported + report.merged + report.rejected
    assert {file.reader for file in report.files} == {form.reader}
    READ[form.name] = found
    return found


@pytest.mark.parametrize("form", trackers.FORMS, ids=lambda form: form.name)
def test_the_graph_is_the_same(form: Any, work: list[Any], tmp_path: Path) -> None:
    found = read(form, work, tmp_path)
    ids, portfolio, report = form.ids(work), found.portfolio, found.report
    assert set(portfolio.work) == {ids[job.key] for job in work}
    wanted = set()
    for job in work:
        for other, type_ in job.waits_for:
            carried = trackers.LINKS if type_ is LinkType.FS else trackers.TYPES
            if carried in form.carries:
                wanted.add((ids[other], ids[job.key], type_))
    assert {(e.predecessor, e.successor, e.type) for e in report.edges} == wanted
    assert len(report.edges) == len(wanted)
    outside = {ids[key] for key in EXTERNAL}
    assert set(portfolio.external) == (outside if trackers.LINKS in form.carries else set())
    for job in work:
        item = portfolio.work[ids[job.key]]
        dropped = job.status is Status.CANCELLED and trackers.DROPPED not in form.carries
        assert item.status is (Status.DONE if dropped else job.status), job.key
        assert item.title.startswith(job.title), job.key
        if trackers.PARENTS in form.carries:
            assert item.parent == (ids[job.parent] if job.parent else None), job.key


@pytest.mark.parametrize(
    "form", [f for f in trackers.FORMS if f.carries & {"hours", "points"}], ids=lambda form: form.name
)
def test_the_estimates_are_the_same(form: Any, work: list[Any], tmp_path: Path) -> None:
    report = read(form, work, tmp_path).report
    by_id = {item.id: item for item in report.items}
    compared = 0
    for job in work:
        item = by_id[form.id_of(job)]
        if trackers.HOURS in form.carries:
            assert item.estimate_hours == (None if job.original is None else pytest.approx(job.original, abs=0.01)), job
        if job.original and job.status is Status.OPEN:
            assert item.planned_hours == pytest.approx(job.original, abs=0.02), job.key
            compared += 1
    assert compared > 150
    if trackers.HOURS in form.carries:
        assert report.estimate_hours == pytest.approx(sum(job.original or 0 for job in work), abs=1)


def test_the_formats_agree_with_each_other_on_who_does_what(work: list[Any], tmp_path: Path) -> None:
    wanted = {job.key: job.who for job in work if job.who and job.status is Status.OPEN and job.original}
    for form in trackers.FORMS:
        if form.reader in ("github", "linear-csv", "redmine-csv"):  # logins, addresses, and letters that are lost
            continue
        portfolio = read(form, work, tmp_path).portfolio
        ids = form.ids(work)
        for key, who in wanted.items():
            needs = portfolio.work[ids[key]].needs
            assert [portfolio.people[p].name for need in needs for p in need.who] == [who], (form.name, key)


def some(work: list[Any]) -> list[Any]:
    """A few projects of the organisation, complete in themselves."""
    kept = [job for job in work if job.project in ("DSK", "STO", "MON")]
    keys = {job.key for job in kept} | set(EXTERNAL)
    return [
        replace(
            job,
            waits_for=tuple(link for link in job.waits_for if link[0] in keys),
            blocks=tuple(link for link in job.blocks if link[0] in keys),
        )
        for job in kept
    ]


@pytest.mark.parametrize("form", trackers.FORMS, ids=lambda form: form.name)
def test_the_proposed_mapping_changes_nothing(form: Any, work: list[Any], tmp_path: Path) -> None:
    path = tmp_path / form.name
    path.write_bytes(form.write(some(work), form.ids(work)))
    said = Mapping.model_validate(form.mapping) if form.mapping else None
    save_mapping(propose_mapping([path], mapping=said), tmp_path / "map.yaml")
    again = read_exports([path], mapping=load_document(tmp_path / "map.yaml", Mapping))
    once = read_exports([path], mapping=said).portfolio
    assert again.portfolio == once.model_copy(update={"reading": again.portfolio.reading})  # it keeps its mapping


def test_every_tracker_reader_has_a_form() -> None:
    from throttle.ingest import READERS

    written = {form.reader for form in trackers.FORMS}
    systems = {reader.system for reader in READERS if reader.name in written}
    assert len(systems) == 11
    # of no system, but of scripts; and one of those that are committed
    assert {r.name for r in READERS if r.system in systems} - written == {"github-csv", "jira-csv"}


def test_the_same_seed_gives_the_same_bytes(work: list[Any]) -> None:
    again = trackers.jobs(build_portfolio(), 1)
    texts = [form for form in trackers.FORMS if not form.name.endswith(".xlsx")]  # a workbook holds its own date
    assert [f.name for f in texts if f.write(work, f.ids(work)) != f.write(again, f.ids(again))] == []
