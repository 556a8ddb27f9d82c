"""The example organisation as planning tools and the service desk export it: read back, it is the same graph."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from throttle.files import load_document
from throttle.ingest import Ingested, ReadOptions, propose_mapping, read_exports, save_mapping
from throttle_models import LinkType, Mapping, Status, TeamFile

FOLDER = Path(__file__).parents[2] / "datasets" / "parts-unlimited"
sys.path.insert(0, str(FOLDER))

import parts_exports_planners as planners  # noqa: E402
from parts_exports_trackers import DROPPED, LINKS, PARENTS, TYPES, jobs  # noqa: E402
from parts_organisation import EXTERNAL, build_portfolio  # noqa: E402

FORMS = pytest.mark.parametrize("form", planners.FORMS, ids=lambda form: form.name)


@pytest.fixture(scope="module")
def work() -> list[Any]:
    return jobs(build_portfolio(), 1)


@pytest.fixture(scope="module")
def read(work: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each form read once."""
    folder, found = tmp_path_factory.mktemp("planners"), {}

    def reading(form: Any) -> Ingested:
        if form.name not in found:
            path = folder / form.name
            path.write_bytes(form.write(work, form.ids(work)))
            ingested = read_exports(
                [path],
                mapping=Mapping.model_validate(form.mapping) if form.mapping else None,
                team=TeamFile.model_validate({"zone": "America/Chicago"}),
                options=ReadOptions(encoding="cp1252") if form.name.endswith(("csv", "xer")) else ReadOptions(),
            )
            report = ingested.report
            assert report.rows_read == report.imported + report.merged + report.rejected
            assert [file.reader for file in report.files] == [form.reader]
            found[form.name] = ingested
        return found[form.name]

    return reading


@FORMS
def test_the_graph_is_the_same(form: Any, work: list[Any], read: Any) -> None:
    found = read(form)
    ids, portfolio = form.ids(work), found.portfolio
    assert set(portfolio.work) == {ids[job.key] for job in work}
    wanted = {
        (ids[other], ids[job.key], type_, f"{planners.LAG_HOURS}h" if type_ is LinkType.SS else "0")
        for job in work
        for other, type_ in job.waits_for
        if TYPES in form.carries or type_ is LinkType.FS
    }
    assert len({type_ for _, _, type_, _ in wanted}) == (2 if TYPES in form.carries else 1)
    assert {(e.predecessor, e.successor, e.type, e.lag) for e in found.report.edges} == wanted
    assert set(portfolio.external) == ({ids[key] for key in EXTERNAL} if LINKS in form.carries else set())
    for job in work:
        item = portfolio.work[ids[job.key]]
        dropped = job.status is Status.CANCELLED and DROPPED not in form.carries
        assert item.status is (Status.DONE if dropped else job.status), job.key
        assert item.title[:10] == job.title[:10], job.key
        if PARENTS in form.carries:
            assert item.parent == (ids[job.parent] if job.parent else None), job.key


@FORMS
def test_estimates_and_people_are_the_same(form: Any, work: list[Any], read: Any) -> None:
    found = read(form)
    by_id = {item.id: item for item in found.report.items}
    compared = 0
    for job in work:
        item = by_id[form.id_of(job)]
        if job.original and job.status is Status.OPEN:
            assert item.estimate_hours == pytest.approx(job.original, abs=0.01), job.key
            assert item.planned_hours == pytest.approx(job.original, abs=0.02), job.key
            compared += 1
            if job.who and form.name not in ("primavera.xer", "servicenow-task.csv"):  # letters that are lost there
                needs = found.portfolio.work[item.id].needs
                assert [found.portfolio.people[p].name for need in needs for p in need.who] == [job.who]
    assert compared > 150


@FORMS
def test_the_same_seed_gives_the_same_bytes(form: Any, work: list[Any]) -> None:
    again = jobs(build_portfolio(), 1)
    assert form.write(work, form.ids(work)) == form.write(again, form.ids(again))


def test_a_plan_of_each_is_possible_as_far_as_links_go(read: Any) -> None:
    from throttle.graph import WorkGraph

    for form in planners.FORMS:
        assert list(WorkGraph(read(form).portfolio).cycles()) == []


@FORMS
def test_the_proposed_mapping_changes_nothing(form: Any, work: list[Any], tmp_path: Path) -> None:
    some = [job for job in work if job.project in ("DSK", "STO", "MON")]
    keys = {job.key for job in some} | set(EXTERNAL)
    some = [replace(j, waits_for=tuple(x for x in j.waits_for if x[0] in keys)) for j in some]
    path = tmp_path / form.name
    path.write_bytes(form.write(some, form.ids(some)))
    options = ReadOptions(encoding="cp1252") if form.name.endswith(("csv", "xer")) else ReadOptions()
    said = Mapping.model_validate(form.mapping) if form.mapping else None
    save_mapping(propose_mapping([path], options, said), tmp_path / "map.yaml")
    again = read_exports([path], mapping=load_document(tmp_path / "map.yaml", Mapping), options=options)
    once = read_exports([path], mapping=said, options=options).portfolio
    assert again.portfolio == once.model_copy(update={"reading": again.portfolio.reading})  # it keeps its mapping
