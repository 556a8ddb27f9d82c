"""The example organisation: its files are those of the generator, sound, and the bottleneck is where it should be."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from throttle.files import load_document, load_portfolio
from throttle.graph import WorkGraph, missing_skills
from throttle.ingest import Ingested, ReadOptions, read_exports
from throttle.obeyed import refusals
from throttle.planning import make_plan
from throttle_models import Mapping, Portfolio, Reason, Status, TeamFile, WorkType
from throttle_models.references import dangling_references

FOLDER = Path(__file__).resolve().parents[2] / "datasets" / "parts-unlimited"
OVER = (Status.DONE, Status.CANCELLED)
CHANGES = ("servicenow_change_request.csv", "servicenow_change_request.json")


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield importlib.import_module("generate")


@pytest.fixture(scope="module")
def native() -> Portfolio:
    return load_portfolio(FOLDER / "native")


def ingested(exports: Path, changes: str) -> Ingested:
    return read_exports(
        [exports / "jira.csv", exports / changes],
        mapping=load_document(exports / "map.yaml", Mapping),
        team=load_document(exports / "team.yaml", TeamFile),
        options=ReadOptions(encoding="cp1252") if changes.endswith(".csv") else ReadOptions(),
    )


def jira() -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO((FOLDER / "exports" / "jira.csv").read_bytes().decode(), newline=""))
    return header, rows


def cells(header: list[str], row: list[str], name: str) -> list[str]:
    return [cell for column, cell in zip(header, row, strict=True) if column == name and cell]


def test_the_committed_files_are_what_the_generator_writes(generator: ModuleType) -> None:
    kept = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in [FOLDER / "README.md", *(FOLDER / "native").iterdir(), *(FOLDER / "exports").iterdir()]
    }
    written = generator.all_files()
    assert sorted(written) == sorted(kept)
    assert [name for name in written if written[name] != kept[name]] == []


def test_the_script_writes_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "generate.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 9
    assert [name for name in written if (tmp_path / name).read_bytes() != (FOLDER / name).read_bytes()] == []


def test_another_seed_is_another_organisation(generator: ModuleType) -> None:
    one, two = generator.build_portfolio(seed=1), generator.build_portfolio(seed=2)
    assert one.people.keys() != two.people.keys()
    assert generator.counts(one)["open"] == generator.counts(two)["open"]


def test_the_native_files_say_the_portfolio(generator: ModuleType, native: Portfolio) -> None:
    assert native == generator.build_portfolio()


@pytest.mark.parametrize("bottleneck", ["brent", "qa", "staging"])
@pytest.mark.parametrize("scale", [1, 2, 5])
def test_every_scale_and_option_is_sound(generator: ModuleType, scale: int, bottleneck: str) -> None:
    portfolio = generator.build_portfolio(scale, bottleneck)
    graph = WorkGraph(portfolio)
    assert refusals(portfolio) == []
    assert dangling_references(portfolio) == []
    assert graph.cycles() == []
    assert missing_skills(portfolio, graph) == []
    counts = generator.counts(portfolio)
    assert counts["people: developers"] == 40 * scale
    assert counts["people: operations"] == 10 * scale + 2
    assert 200 * scale <= counts["open"] <= 230 * scale
    assert 0.4 <= counts["open, for the lead engineer"] / counts["open"] <= 0.6
    leads = [who for who, person in portfolio.people.items() if person.skills.get("oracle", 0) >= 3]
    assert leads[0] == "brent"
    assert len(leads) == (1 if bottleneck == "brent" else 3)


@pytest.mark.parametrize("scale", [1, 5])
@pytest.mark.parametrize("bottleneck", ["brent", "qa", "staging"])
def test_the_most_loaded_is_clearly_ahead(generator: ModuleType, scale: int, bottleneck: str) -> None:
    portfolio = generator.build_portfolio(scale, bottleneck)
    first, second = generator.narrow_loads(portfolio)[:2]
    if bottleneck == "brent":
        assert first.people == ("brent",)
        assert {"oracle>=3", "linux>=3", "deploys>=3"} <= set(first.name.split(", "))
    elif bottleneck == "qa":
        assert {portfolio.people[who].team for who in first.people} == {"qa"}
    else:
        assert (first.name, first.people) == ("staging", ())
    assert 6 <= first.weeks <= 12
    assert first.weeks >= 1.5 * second.weeks


def test_the_work_is_of_all_kinds(generator: ModuleType, native: Portfolio) -> None:
    counts = generator.counts(native)
    assert min(counts[f"open: {kind.value}"] for kind in WorkType) >= 20
    assert counts["open: unplanned"] == 20
    assert 25 <= counts["open, in a change window"] <= 35
    assert 10 <= counts["open, in progress"] <= 20
    assert 55 <= counts["finished"] <= 75
    for item in native.work.values():
        over = item.status in OVER
        assert (item.finished is not None) == over
        assert (item.started is not None) == (over or item.status is Status.IN_PROGRESS)
        if over:
            assert all(need.who and need.effort for need in item.needs)
            moments = [str(when) for when in (item.created, item.started, item.finished)]
            assert moments == sorted(moments)
            assert moments[-1] < str(native.as_of)


def test_work_in_hand_fits_the_people_and_places(native: Portfolio) -> None:
    hands: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for item in native.work.values():
        if item.status is Status.IN_PROGRESS:
            hands.update(who for need in item.needs for who in need.who)
            places.update(item.environment)
            for need in item.needs:
                assert all(native.people[who].skills[str(need.skill)] >= need.level for who in need.who)
    assert hands.pop("brent") == 2
    assert set(hands.values()) == {1}
    assert all(places[place] <= native.environments[place].capacity for place in places)


def test_the_readme_gives_the_measured_counts(generator: ModuleType, native: Portfolio) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, number in generator.counts(native).items():
        assert f"| {name} | {number:,} |" in readme


# ------------------------------------------------------------------------------------------------------------ exports


def test_jira_repeats_headers_and_keeps_line_ends_apart() -> None:
    raw = (FOLDER / "exports" / "jira.csv").read_bytes()
    header, rows = jira()
    assert raw[:3] != b"\xef\xbb\xbf"
    assert b"\r\n\r\nTouches" in raw
    assert not raw.splitlines(keepends=True)[0].endswith(b"\r\n")
    repeated = {name for name, times in Counter(header).items() if times > 1}
    assert {"Inward issue link (Blocks)", "Outward issue link (Blocks)", "Labels", "Sprint", "Log Work"} <= repeated
    assert any(not cell.isascii() for row in rows for cell in row)
    assert {len(row) for row in rows} == {len(header)}


def test_jira_links_are_stated_from_both_ends_and_some_dangle() -> None:
    header, rows = jira()
    by_key = {cells(header, row, "Issue key")[0]: row for row in rows}
    outside = set()
    for key, row in by_key.items():
        for other in cells(header, row, "Inward issue link (Blocks)"):
            if other in by_key:
                assert key in cells(header, by_key[other], "Outward issue link (Blocks)")
            else:
                outside.add(other)
        for other in cells(header, row, "Outward issue link (Blocks)"):
            assert key in cells(header, by_key[other], "Inward issue link (Blocks)")
    assert outside == {"VEND-3307", "VEND-3312"}


def test_jira_logs_add_up_to_the_time_spent() -> None:
    header, rows = jira()
    checked = 0
    for row in rows:
        spent = cells(header, row, "Time Spent")
        logged = [int(cell.rpartition(";")[2]) for cell in cells(header, row, "Log Work")]
        assert sum(logged) == sum(map(int, spent))
        checked += bool(logged)
    assert checked > 60


def test_the_service_desk_writes_windows_1252_and_quotes_every_cell() -> None:
    raw = (FOLDER / "exports" / CHANGES[0]).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode()
    text = raw.decode("cp1252")
    assert "\r" not in text
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["type"] for row in rows} == {"Comprehensive", "Pre-approved"}
    assert any(int(row["opened_at"][3:5]) > 12 for row in rows)


def test_the_table_api_gives_raw_values() -> None:
    records: list[dict[str, Any]] = json.loads((FOLDER / "exports" / CHANGES[1]).read_bytes())["result"]
    kinds: defaultdict[str, set[type]] = defaultdict(set)
    for record in records:
        kinds["assigned_to"].add(type(record["assigned_to"]))
        assert record["assigned_to"] == "" or set(record["assigned_to"]) == {"link", "value"}
    assert kinds["assigned_to"] == {dict, str}
    assert {"-2", "3"} <= {record["state"] for record in records} <= {"-4", "-3", "-2", "3", "4"}


@pytest.mark.parametrize("changes", CHANGES)
def test_the_exports_and_the_team_file_say_what_the_native_files_say(native: Portfolio, changes: str) -> None:
    found = ingested(FOLDER / "exports", changes)
    assert found.report.rows_read == found.report.imported
    assert {finding.code for finding in found.report.findings if finding.level == "warning"} <= {"external-blocker"}
    read = found.portfolio
    assert read.people.keys() == native.people.keys()
    assert refusals(read) == []
    for id, item in native.work.items():
        other = read.work[id]
        assert {link.item for link in other.after} == {link.item for link in item.after}, id
        assert (other.status, other.parent) == (item.status, item.parent), id
        if item.status is Status.OPEN:
            assert (other.environment, other.wait) == (item.environment, item.wait), id
            assert other.cost_of_delay is None or item.cost_of_delay is not None, id
            if item.change is not None:
                assert other.change is not None
                assert (other.change.window, other.change.services) == (item.change.window, item.change.services), id
                assert other.needs == item.needs, id


def test_no_tracker_holds_a_milestone_and_the_team_file_adds_it(native: Portfolio) -> None:
    contain = {item.parent for item in native.work.values()}
    milestones = {id for id, item in native.work.items() if not (item.needs or item.wait or id in contain)}
    assert milestones == {"PHX-68"}
    alone = read_exports([FOLDER / "exports" / "jira.csv", FOLDER / "exports" / CHANGES[1]]).portfolio
    mapped = read_exports(
        [FOLDER / "exports" / "jira.csv", FOLDER / "exports" / CHANGES[1]],
        mapping=load_document(FOLDER / "exports" / "map.yaml", Mapping),
    ).portfolio
    assert not milestones & {*alone.work, *mapped.work, *mapped.external}
    told = ingested(FOLDER / "exports", CHANGES[1]).portfolio.work["PHX-68"]
    assert not told.needs
    assert (told.title, told.project) == (native.work["PHX-68"].title, "PHX")


@pytest.mark.parametrize("bottleneck", ["brent", "qa", "staging"])
def test_the_exports_have_the_same_bottleneck(generator: ModuleType, tmp_path: Path, bottleneck: str) -> None:
    generator.generate(tmp_path, bottleneck=bottleneck)
    said = generator.simple_loads(load_portfolio(tmp_path / "native"))[0]
    read = generator.simple_loads(ingested(tmp_path / "exports", CHANGES[0]).portfolio)[0]
    assert read.people == said.people
    if bottleneck == "staging":
        assert read.name == said.name


@pytest.mark.parametrize(
    ("bottleneck", "kind", "people"),
    [("brent", "skills", {"brent"}), ("qa", "skills", None), ("staging", "environment", None)],
)
def test_a_plan_finds_the_bottleneck(
    generator: ModuleType, bottleneck: str, kind: str, people: set[str] | None
) -> None:
    portfolio = generator.build_portfolio(1, bottleneck)
    plan = make_plan(portfolio, budget=1, workers=1)
    found = plan.bottleneck
    assert found is not None
    assert found.kind == kind
    if kind == "environment":
        assert found.members == ("staging",)
    else:
        expected = people or {who for who, person in portfolio.people.items() if person.team == "qa"}
        assert set(found.people) == expected
    assert {id: left.reason for id, left in plan.unscheduled.items()} == {
        "DSK-7": Reason.EXTERNAL,
        "DSK-8": Reason.UNSCHEDULED,
        "DSK-9": Reason.ON_HOLD,
    }
    assert 0 < plan.certificate.objective.value < plan.certificate.objective.first_come
    assert plan.releases
    assert plan.holds
    assert plan.as_of + timedelta(weeks=6) < max(item.finish for item in plan.items.values())
