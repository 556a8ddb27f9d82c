"""Batches: what is to be run, what came of each run, and that nothing is lost or done twice."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from support.engines import Threads, use
from support.portfolios import portfolios
from throttle.batch import Batch, Event, read_batch, run_batch
from throttle.batch.lock import LOCK, only_one
from throttle.batch.read import patched
from throttle.batch.results import summarise
from throttle.batch.work import Outcome, Task, execute, pack, unpack
from throttle.check import check
from throttle.errors import InputError
from throttle.files import load_plan, load_portfolio, portfolio_hash
from throttle_models import Policy, Portfolio
from throttle_models.batch import AS_WRITTEN, BatchResults, Row, RunStatus
from throttle_models.work import WorkType

OFFICE = """\
as_of: 2026-11-23T08:00
zone: America/Chicago
people: {brent: {skills: {oracle: 3, linux: 3}}, wes: {skills: {linux: 2}}}
projects: {phoenix: {cost_of_delay: 5000/week, due: 2026-11-25}}
work:
  PHX-1: {project: phoenix, needs: [{skill: oracle, effort: 24h}]}
  PHX-2: {project: phoenix, needs: [{skill: linux, effort: 16h}], after: PHX-1}
policy: {person_wip: 3}
"""
RUNS = """\
portfolios: [office.yaml]
variants:
  as-is:
  one: {projects_in_process: 1}
seeds: [1, 2]
budget: 0.05
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "office.yaml").write_text(OFFICE, encoding="utf-8")
    (tmp_path / "runs.yaml").write_text(RUNS, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str) -> Batch:
    path = folder / "other.yaml"
    path.write_text(text, encoding="utf-8")
    return read_batch(path)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Threads]:
    """Makes the next batch run on the engine returned."""
    return lambda at=lambda _: None: use(monkeypatch, Threads(at))


# --- what is to be run


def test_every_portfolio_with_every_variant_and_every_seed(folder: Path) -> None:
    (folder / "more").mkdir()
    for name in ("b.yaml", "a.json", "notes.txt", ".hidden.yaml"):
        (folder / "more" / name).write_text("{}", encoding="utf-8")
    text = "portfolios: [office.yaml, more/*, more/../off*.yaml]\nvariants: {x: {wip: {internal: 2}}, y: null}\n"
    batch = written(folder, text + "seeds: [3, 5]\nbudget: 2m\nworkers: 2\ndeterministic: true")
    assert (batch.budget, batch.workers, batch.deterministic) == (120, 2, True)
    named = [(run.portfolio, run.variant, run.seed) for run in batch.runs]
    assert named == [(p, v, s) for p in ("office.yaml", "more/a.json", "more/b.yaml") for v in "xy" for s in (3, 5)]
    assert batch.runs[0].patch.wip == {WorkType.INTERNAL: 2}


def test_a_folder_is_its_portfolio_files_each_by_itself(folder: Path) -> None:
    (folder / "z.json").write_text("{}", encoding="utf-8")
    batch = read_batch(folder, seeds=(4,), budget=3)
    assert [r.portfolio for r in batch.runs] == ["office.yaml", "z.json"]
    assert {(r.variant, r.seed) for r in batch.runs} == {(AS_WRITTEN, 4)}
    assert batch.budget == 3
    assert batch.skipped == (f"{folder / 'runs.yaml'} is a RUNS file",)


PARTS = {
    "organisation.yaml": OFFICE.partition("projects:")[0],
    "policy.yaml": "throttle: 1\npolicy: {person_wip: 3}\n",
    "work.yaml": "projects:" + OFFICE.partition("projects:")[2].partition("policy:")[0],
}


def parts(folder: Path) -> Path:
    folder.mkdir()
    for name, text in PARTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_folder_that_is_one_portfolio_is_planned_as_one(tmp_path: Path, here: Callable[..., Threads]) -> None:
    here()
    [row] = run_batch(read_batch(parts(tmp_path / "native"), budget=0.05), tmp_path / "out").rows
    assert (row.portfolio, row.items, row.message) == ("native", 2, "")


def test_a_pattern_that_finds_the_parts_of_one_portfolio_is_refused(folder: Path) -> None:
    parts(folder / "native")
    with pytest.raises(InputError, match=r"finds the parts of one portfolio.*portfolios: \[native\]"):
        written(folder, "portfolios: native/*")


def test_what_is_no_portfolio_is_told_by_its_content_and_skipped_with_a_sentence(folder: Path) -> None:
    parts(folder / "native")
    for name in ("single", "several", "none"):
        (folder / name).mkdir()
    for file in ("single/a.yaml", "several/a.yaml", "several/b.yaml", "second.json"):
        text = OFFICE if file.endswith(".yaml") else '{"as_of": "2026-11-23", "work": {"A": {}}}'
        (folder / file).write_text(text, encoding="utf-8")
    others = {
        "runs.yaml": (RUNS, "is a RUNS file"),
        "map.yaml": ("throttle_map: 1\n", "is a mapping"),
        "team.yaml": ("people: {wes: {}}\n", "so it is a team file or a part"),
        "team2.yaml": ("# x\n{defaults: {effort: 4h}}\n", "is a team file"),
        "team3.yaml": ("as_of: 2026-11-23\npeople: {wes: {aliases: [w]}}\nwork: {A-1: {}}\n", "is a team file"),
        "plan.json": ('{"kind": "plan", "as_of": "2026-11-23"}', "is a plan"),
        "jira.json": ('[{"key": "A-1"}]', "is a ticket export"),
        "rest.json": ('{"issues": [{"key": "A-1"}]}', "is a ticket export"),
        "jira.csv": ("Key\nA-1\n", "jira.csv: no .yaml, .yml or .json file"),
    }
    for name, (text, _) in others.items():
        (folder / name).write_text(text, encoding="utf-8")
    batch = read_batch(folder)
    assert [run.portfolio for run in batch.runs] == ["native", "office.yaml", "second.json", "single"]
    assert len(batch.skipped) == len(others) + 2
    for name, (_, says) in others.items():
        assert any(name in sentence and says in sentence for sentence in batch.skipped), name
    assert any("several holds several portfolios" in sentence for sentence in batch.skipped)
    assert any("none is a folder without a portfolio" in sentence for sentence in batch.skipped)
    found = written(folder, "portfolios: ['*.yaml']")
    assert [run.portfolio for run in found.runs] == ["office.yaml"]
    assert any("map.yaml is a mapping" in sentence for sentence in found.skipped)


@pytest.mark.parametrize("work", ["{A-1: {after: NONE-1}}", "{A-1: {titel: x}}", "[A-1]"])
def test_a_broken_portfolio_beside_a_mapping_is_a_failed_run(
    tmp_path: Path, here: Callable[..., Threads], work: str
) -> None:
    here()
    text = f"as_of: 2026-11-23\npeople: {{wes: {{skills: {{linux: 2}}}}}}\nwork: {work}\n"
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "map.yaml").write_text("throttle_map: 1\n", encoding="utf-8")
    [found] = run_batch(read_batch(tmp_path), tmp_path / "out").rows
    assert (found.portfolio, found.status) == ("broken.yaml", RunStatus.FAILED)
    assert "work" in found.message


def test_a_team_file_beside_one_portfolio_is_no_part_of_it_but_a_policy_may_be(folder: Path) -> None:
    (folder / "team.yaml").write_text("people: {wes: {}}\n", encoding="utf-8")
    assert [run.portfolio for run in read_batch(folder).runs] == ["office.yaml"]
    (folder / "team.yaml").write_text("environments: {stage: {}}\n", encoding="utf-8")
    assert [run.portfolio for run in read_batch(folder).runs] == [folder.name]


def test_a_file_that_links_lead_to_is_taken_once(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "b.yaml").write_text(OFFICE, encoding="utf-8")
    try:
        (folder / "again.yaml").symlink_to(folder / "office.yaml")
        (folder / "inner" / "ring").symlink_to(folder / "inner")
    except OSError:
        pytest.skip("no links here")
    batch = written(folder, "portfolios: [office.yaml, '*.yaml', '**/*.yaml']")
    assert [run.portfolio for run in batch.runs] == ["office.yaml", "inner/b.yaml"]
    batch = read_batch(folder)
    assert [run.portfolio for run in batch.runs] == ["again.yaml", "inner"]
    assert f"{folder / 'office.yaml'} is the same as {folder / 'again.yaml'}" in batch.skipped


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_is_told_as_text(folder: Path, here: Callable[..., Threads]) -> None:
    here()
    for name in (b"\xfe.yaml", b"\xff.yaml", b"\xff.txt"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(OFFICE, encoding="utf-8")
    rows = run_batch(read_batch(folder, budget=0.05), folder / "out").rows
    assert [row.portfolio for row in rows] == ["office.yaml", "\\udcfe.yaml", "\\udcff.yaml"]
    assert all(row.plan for row in rows)


def test_a_portfolio_without_work_has_failed(folder: Path, here: Callable[..., Threads]) -> None:
    here()
    (folder / "empty.yaml").write_text("as_of: 2026-11-23\n", encoding="utf-8")
    [row] = run_batch(written(folder, "portfolios: empty.yaml"), folder / "out").rows
    assert row.status is RunStatus.FAILED
    assert "has no work to plan" in row.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"portfolios: [{'x' * 300}]", r"portfolios\.0: 'x+' finds no file"),
        ("portfolios: [office.yaml, none*.yaml]", r"other\.yaml: portfolios\.1: 'none\*\.yaml' finds no file"),
        ("portfolios: []", "portfolios: has too few entries"),
        ("portfolios: [office.yaml, office.yaml]", "portfolios: has office.yaml more than once"),
        ("portfolios: [office.yaml, ./office.yaml]", r"portfolios\.1: './office.yaml' is named twice"),
        ("portfolios: ['run*.yaml']", r"the patterns find no portfolio \(.*runs.yaml is a RUNS file"),
        ("seeds: [1]", "portfolios: is missing"),
        ("portfolios: office.yaml\nseeds: [1, 2, 1]", "line 2: seeds: has 1 more than once"),
        ("portfolios: office.yaml\nbudget: soon", "line 2: budget: 'soon' is not a time"),
        ("portfolios: office.yaml\nbudget: 0", "line 2: budget: '0' is not a time above 0 and up to 1000h: write"),
        ("portfolios: office.yaml\nbudget: -1", "line 2: budget: '-1' is not a time above 0 and up to 1000h: write"),
        ("portfolios: office.yaml\nbudget: 1001h", "line 2: budget: '1001h' is not a time above 0 and up to 1000h"),
        ("portfolios: office.yaml\nbudget: [1]", "line 2: budget: must be a time above 0"),
        (f"portfolios: office.yaml\nseeds: [1, {2**31}]", r"line 2: seeds\.1: must be at most 2147483647$"),
        ("portfolios: office.yaml\nseeds: [-1]", r"line 2: seeds\.0: must be at least 0$"),
        ("portfolios: office.yaml\nseeds: []", "line 2: seeds: has too few entries"),
        ("portfolios: office.yaml\nvariants: {'': {}}", "line 2: variants: has one without a name"),
        ("portfolios: office.yaml\nvariants: {' ': {}}", "line 2: variants: has one without a name"),
        ("portfolios: ['']", "line 1: portfolios: has one that is empty"),
        ("portfolio: [office.yaml]", "portfolio: there is no such field; did you mean portfolios"),
        ("", "is empty; is it the right file"),
        ("- office.yaml", r"other\.yaml is no RUNS file: a RUNS file says portfolios: \["),
        ("office.yaml", r"other\.yaml is no RUNS file: a RUNS file says portfolios: \["),
        ("throttle_map: 1", r"other\.yaml is a mapping, not a RUNS file: a RUNS file says portfolios: \["),
        (f"portfolios: {'[' * 5000}", "nested more than 40 deep; write it flatter"),
        ("portfolios: office.yaml\nworkers: 0", "line 2: workers: must be at least 1"),
        ("portfolios: office.yaml\nvariants: {}", "line 2: variants: has too few entries"),
        (
            "portfolios: office.yaml\nvariants:\n  tight: {projects_in_proces: 3}",
            r"line 3: variants\.tight\.projects_in_proces: there is no such field; did you mean projects_in_process\?",
        ),
        (
            "portfolios: office.yaml\nvariants: {tight: {wip: {internal: 0}}}",
            r"variants\.tight\.wip\.internal: must be at least 1",
        ),
        (OFFICE, r"is a portfolio, not a RUNS file: name it in one, as portfolios: \[other\.yaml\]"),
    ],
)
def test_an_error_names_file_and_field(folder: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        written(folder, text)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no portfolio; name a RUNS file, or a folder of portfolios"):
        read_batch(tmp_path)


# --- variants


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ({"person_wip": 3}, {"projects_in_process": 2}, {"person_wip": 3, "projects_in_process": 2}),
        ({"person_wip": 3}, {"person_wip": None}, {}),
        ({"wip": {"internal": 2}}, {"wip": {"change": 4}}, {"wip": {"internal": 2, "change": 4}}),
        ({"wip": {"internal": 2}}, {"wip": {}}, {}),
        ({"pins": [{"work": "A"}]}, {"pins": [{"work": "B"}]}, {"pins": [{"work": "B"}]}),
        ({"stability": {"frozen": "2w", "move": "5/hour"}}, {"stability": {"frozen": "1w"}},
         {"stability": {"frozen": "1w", "move": "5/hour"}}),
        ({"stability": {"frozen": "2w"}}, {"stability": None}, {}),
        ({}, {"stability": {"frozen": "1w"}}, {"stability": {"frozen": "1w"}}),
        ({"externals": "assume-done"}, {"externals": "hold"}, {}),
    ],
)  # fmt: skip
def test_a_patch_merges_maps_and_replaces_the_rest(
    old: dict[str, Any], new: dict[str, Any], result: dict[str, Any]
) -> None:
    found = patched(Policy.model_validate(old), Policy.model_validate(new))
    assert found == Policy.model_validate(result)


@given(portfolios(), portfolios())
@settings(max_examples=30, deadline=None)
def test_a_patch_of_nothing_changes_nothing_and_one_of_everything_wins(a: Any, b: Any) -> None:
    assert patched(a.policy, Policy()) == a.policy
    assert patched(Policy(), a.policy) == a.policy
    both = patched(a.policy, b.policy)
    found, said = (policy.model_dump(mode="json", exclude_unset=True) for policy in (both, b.policy))
    for name in said:  # an empty policy is a patch of nothing, an empty map in it empties the map
        _assert_wins(found[name], said[name])
    kept = {name: value for name, value in a.policy if name not in b.policy.model_fields_set}
    assert all(getattr(both, name) == value for name, value in kept.items())
    assert both.wip == (a.policy.wip | b.policy.wip if b.policy.wip or "wip" not in b.policy.model_fields_set else {})


def _assert_wins(found: Any, said: Any) -> None:
    """What was said holds, key by key in maps."""
    if isinstance(said, dict) and said:
        for key, value in said.items():
            _assert_wins(found[key], value)
    else:
        assert found == said


# --- running


def test_every_run_has_a_row_and_every_plan_is_sound(folder: Path, here: Callable[..., Threads]) -> None:
    (folder / "broken.yaml").write_text("as_of: 2026-11-23\nwork: {A: {titel: x}}\n", encoding="utf-8")
    (folder / "held.yaml").write_text(
        OFFICE.replace("{person_wip: 3}", "{pins: [{work: PHX-2, start: 2026-11-23T08:00}]}"), encoding="utf-8"
    )
    batch = written(
        folder,
        "portfolios: [broken.yaml, held.yaml, office.yaml]\nbudget: 0.05\n"
        "variants: {as-is: , one: {projects_in_process: 1}, pinned: {pins: [{work: ELSE-1, who: wes}]}}",
    )
    engine, out = here(), folder / "out"
    results = run_batch(batch, out)
    assert [(r.portfolio, r.variant, r.seed) for r in results.rows] == [
        (r.portfolio, r.variant, r.seed) for r in batch.runs
    ]
    by = {(r.portfolio, r.variant): r for r in results.rows}
    for variant in ("as-is", "one", "pinned"):
        assert by["broken.yaml", variant].status is RunStatus.FAILED
        assert "titel" in by["broken.yaml", variant].message
    assert "PHX-2 is pinned to start" in by["held.yaml", "as-is"].message
    assert "variant pinned: policy.pins.0.work" in by["office.yaml", "pinned"].message
    assert engine.count == 4  # the others cannot be planned
    for variant, most in (("as-is", None), ("one", 1)):
        row = by["office.yaml", variant]
        assert row.status in (RunStatus.OPTIMAL, RunStatus.FEASIBLE)
        plan = load_plan(out / str(row.plan))
        assert plan.portfolio is not None
        assert plan.portfolio.policy.projects_in_process == most
        verdict = check(plan, plan.portfolio)
        assert verdict.ok
        assert row.checked
        assert row.objective == pytest.approx(verdict.objective)
        assert row.flow == pytest.approx(verdict.flow)
        seal = plan.certificate
        assert (row.bound, row.gap, row.first_come, row.greedy) == (
            seal.objective.bound,
            seal.objective.gap,
            seal.objective.first_come,
            seal.objective.greedy,
        )
    assert list(results.best) == ["office.yaml"]
    assert BatchResults.model_validate_json((out / "results.json").read_bytes()) == results
    table = list(csv.DictReader(StringIO((out / "results.csv").read_text(encoding="utf-8"))))
    assert list(table[0]) == list(Row.model_fields)
    assert [(t["portfolio"], t["variant"], t["status"]) for t in table] == [
        (r.portfolio, r.variant, r.status) for r in results.rows
    ]


def test_a_tighter_variant_is_told_by_the_policy_that_comes_of_it(
    folder: Path, here: Callable[..., Threads], monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(task: Task) -> Outcome:
        """A search that falls short where the limit is above 1."""
        made = execute(task)
        assert made.certificate is not None
        if Portfolio.model_validate_json(unpack(task.portfolio)).policy.person_wip == 1:
            return made
        goal = made.certificate.objective
        dearer = goal.model_copy(update={"value": goal.value + 100})
        return replace(made, certificate=made.certificate.model_copy(update={"objective": dearer}))

    monkeypatch.setattr("throttle.batch.driver.execute", short)
    here()
    text = "portfolios: office.yaml\nbudget: 0.05\nvariants: {as-is: , tight: {person_wip: 1}, odd: {person_wip: 9}}"
    best = run_batch(written(folder, text), folder / "out").best["office.yaml"]
    assert (best.variant, best.equal) == ("as-is", ("tight", "odd"))
    assert best.counted == {"as-is": ("tight",), "odd": ("tight",)}


def test_what_is_to_be_done_is_told_before_the_first_run(folder: Path, here: Callable[..., Threads]) -> None:
    told: list[str] = []

    def batch(**changes: Any) -> str:
        here(lambda _: told.append("begun"))
        told.clear()
        run_batch(read_batch(folder / "runs.yaml", **changes), folder / "out", tell=told.append)
        return told[0]

    assert batch(budget=120) == "4 runs, 1 at once; about 8 min of search at most, besides reading and checking"
    assert "4 have plans of an earlier time, kept where nothing changed" in batch(budget=120)
    assert "the work of about 1 s, however long" in batch(budget=0.1, deterministic=True)


def test_finished_runs_are_not_repeated(folder: Path, here: Callable[..., Threads]) -> None:
    batch, out = read_batch(folder / "runs.yaml"), folder / "out"
    engine = here()
    first = run_batch(batch, out)
    assert engine.count == 4

    def rerun(again: bool = False, **changes: Any) -> int:
        engine = here()
        results = run_batch(read_batch(folder / "runs.yaml", **changes), out, again=again)
        assert all(row.plan for row in results.rows)
        return engine.count

    assert rerun() == 0
    assert run_batch(batch, out) == first
    assert rerun(seeds=(1, 2, 3)) == 2
    assert rerun(budget=0.25) == 4
    assert rerun(budget=0.25) == 0
    assert rerun(deterministic=True) == 4
    (folder / "office.yaml").write_text("# as before\n" + OFFICE, encoding="utf-8")
    assert rerun() == 0
    assert rerun(again=True) == 4
    (folder / "runs.yaml").write_text(RUNS.replace("process: 1", "process: 2"), encoding="utf-8")
    assert rerun() == 2
    (folder / "office.yaml").write_text(OFFICE.replace("24h", "32h"), encoding="utf-8")
    assert rerun() == 4


@pytest.mark.parametrize(
    "damage",
    ["row cut off", "no plan", "another run's", "plan cut off", "plan changed", "no portfolio", "portfolio changed"],
)
def test_what_is_damaged_is_made_again_and_the_row_says_so(
    folder: Path, here: Callable[..., Threads], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "portfolio" in damage:
        monkeypatch.setattr("throttle.planning.CARRIED_ITEMS", 1)
    batch, out = read_batch(folder / "runs.yaml", seeds=(1,)), folder / "out"
    here()
    rows = run_batch(batch, out).rows
    runs = [out / Path(str(row.plan)).parent for row in rows]
    if damage == "row cut off":
        whole = (runs[0] / "row.json").read_bytes()
        (runs[0] / "row.json").write_bytes(whole[: len(whole) // 2])
    elif damage == "another run's":
        (runs[0] / "row.json").write_bytes((runs[1] / "row.json").read_bytes())
    elif damage.startswith("no"):
        (runs[0] / f"{damage[3:]}.json").unlink()
    else:
        file = runs[0] / f"{damage.partition(' ')[0]}.json"
        whole = file.read_bytes()
        file.write_bytes(whole[:-9] if "cut" in damage else whole.replace(b'"PHX-1"', b'"PHX-3"', 1))
    engine = here()
    again = run_batch(batch, out).rows
    assert all(row.plan for row in again)
    assert engine.count == 1
    name = "plan" if "plan" in damage else "portfolio" if "portfolio" in damage else "row"
    assert again[0].message == f"made again, since its {name}.json of an earlier time was changed or cut off"
    engine = here()
    assert [row.message for row in run_batch(batch, out).rows] == ["", ""]
    assert engine.count == 0
    for row in again:
        path = out / str(row.plan)
        assert check(load_plan(path), load_portfolio(folder / "office.yaml") if "portfolio" in damage else None).items


def test_stopping_keeps_what_is_finished_and_the_next_time_does_the_rest(
    folder: Path, here: Callable[..., Threads]
) -> None:
    batch, out, stop = read_batch(folder / "runs.yaml"), folder / "out", threading.Event()
    engine, done = here(), []

    def report(event: Event) -> None:
        if event.kind == "done":
            done.append(event.run)
            if len(done) == 2:
                stop.set()

    results = run_batch(batch, out, report=report, stop=stop)
    statuses = [row.status for row in results.rows]
    assert statuses.count(RunStatus.NOT_RUN) >= 1
    assert sum(row.plan is not None for row in results.rows) == len(done) >= 2
    assert RunStatus.FAILED not in statuses
    engine = here()
    assert all(row.plan for row in run_batch(batch, out).rows)
    assert engine.count == 4 - len(done)


def test_a_run_whose_process_died_or_engine_is_gone_is_reported_and_the_others_go_on(
    folder: Path, here: Callable[..., Threads], monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(count: int) -> None:
        if count == 4:
            raise RuntimeError("the title of a ticket")

    def dying(task: Task) -> Outcome:
        if task.seed == 2:
            raise BrokenProcessPool
        return execute(task)

    monkeypatch.setattr("throttle.batch.driver.execute", dying)
    here(at)
    messages = [row.message for row in run_batch(read_batch(folder / "runs.yaml"), folder / "out").rows]
    assert messages[0] == messages[2] == ""
    assert "each process that tried it died" in messages[1]
    assert messages[3] == "it could not be run: RuntimeError"
    monkeypatch.undo()
    engine = here()
    assert all(row.plan for row in run_batch(read_batch(folder / "runs.yaml"), folder / "out").rows)
    assert engine.count == 2  # those that failed


def test_one_batch_at_a_time_writes_to_a_folder(folder: Path, here: Callable[..., Threads]) -> None:
    batch, out = read_batch(folder / "runs.yaml"), folder / "out"
    out.mkdir()
    engine = here()
    with only_one(out), pytest.raises(InputError, match=r"Another batch \(process \d+ on .*\) is writing to .*--out"):
        run_batch(batch, out)
    assert engine.count == 0
    assert list(out.iterdir()) == []
    (out / ".results.csv.torn").touch()
    (out / LOCK).write_text('{"process": 1, "host": "gone", "since": "then"}', encoding="utf-8")  # left by a dead one
    here()
    assert all(row.plan for row in run_batch(batch, out).rows)
    assert sorted(p.name for p in out.iterdir()) == ["results.csv", "results.json", "run.json", "runs"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_lock_needs_no_room(tmp_path: Path) -> None:
    (tmp_path / LOCK).symlink_to("/dev/full")
    with only_one(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_facts_and_a_row_for_each_run_are_there_from_the_start(folder: Path, here: Callable[..., Threads]) -> None:
    batch, out, stop = read_batch(folder / "runs.yaml"), folder / "out", threading.Event()
    seen: list[tuple[int, dict[str, Any]]] = []

    def report(_event: Event) -> None:
        if not seen:
            rows = list(csv.DictReader(StringIO((out / "results.csv").read_text(encoding="utf-8"))))
            seen.append((len(rows), json.loads((out / "run.json").read_bytes())))
        stop.set()

    here()
    run_batch(batch, out, report=report, stop=stop)
    [(rows, during)] = seen
    assert rows == 4
    assert (during["ended"], during["interrupted"], during["engine"], during["jobs"]) == (False, False, "processes", 1)
    assert during["host"]["processors"] >= 1
    facts = json.loads((out / "run.json").read_bytes())
    assert (facts["ended"], facts["interrupted"]) == (False, True)
    here()
    run_batch(batch, out)
    facts = json.loads((out / "run.json").read_bytes())
    assert (facts["ended"], facts["interrupted"], facts["runs"]) == (True, False, 4)


def test_a_plan_that_cannot_be_written_is_a_failed_run(folder: Path, here: Callable[..., Threads]) -> None:
    batch, out = read_batch(folder / "runs.yaml", seeds=(1,)), folder / "out"
    here()
    folder_of_plan = out / Path(str(run_batch(batch, out).rows[0].plan)).parent
    for file in folder_of_plan.iterdir():
        file.unlink()
    folder_of_plan.rmdir()
    folder_of_plan.write_text("in the way", encoding="utf-8")
    here()
    first, second = run_batch(batch, out).rows
    assert first.status is RunStatus.FAILED
    assert "cannot be made" in first.message
    assert second.plan


def test_processes_make_the_plans_also_where_one_is_killed(folder: Path) -> None:
    batch = read_batch(folder / "runs.yaml", seeds=(1,))
    killed: list[int | None] = []

    def report(event: Event) -> None:
        if event.kind == "started" and not killed:
            until = time.monotonic() + 20
            while not (children := multiprocessing.active_children()) and time.monotonic() < until:
                time.sleep(0.01)
            killed.append(children[0].pid)
            children[0].kill()

    results = run_batch(batch, folder / "out", jobs=2, report=report)
    assert killed
    assert [row.message for row in results.rows] == [""] * 2
    for row in results.rows:
        assert check(load_plan(folder / "out" / str(row.plan))).ok


def test_the_same_batch_gives_the_same_plans_where_it_is_deterministic(
    folder: Path, here: Callable[..., Threads]
) -> None:
    batch = read_batch(folder / "runs.yaml", deterministic=True)
    found = []
    for name in ("a", "b"):
        here()
        rows = run_batch(batch, folder / name).rows
        found.append([(folder / name / str(row.plan)).read_bytes() for row in rows])
    assert found[0] == found[1]


def test_a_worker_with_another_version_refuses(folder: Path) -> None:
    packed = pack(load_portfolio(folder / "office.yaml"))
    outcome = execute(Task(packed, 0.2, 1, 1, False, throttle="0.0.1"))
    assert outcome.certificate is None
    assert "not 0.0.1: install the same version there" in outcome.message


def test_an_internal_error_is_told_by_its_place_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the title of a ticket")

    monkeypatch.setattr("throttle.planning.make_plan", fail)
    monkeypatch.delenv("THROTTLE_DEBUG", raising=False)
    task = Task(pack(load_portfolio(folder / "office.yaml")), 0.2, 1, 1, False)
    outcome = execute(task)
    assert outcome.certificate is None
    assert "internal error: RuntimeError at throttle/test_batch.py:" in outcome.message
    assert "ticket" not in outcome.message
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("THROTTLE_DEBUG", "1")
    assert execute(task).message == outcome.message
    assert "Traceback" in capsys.readouterr().err


def test_a_plan_without_its_portfolio_is_stored_beside_it(
    folder: Path, here: Callable[..., Threads], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("throttle.planning.CARRIED_ITEMS", 1)
    here()
    row = run_batch(read_batch(folder / "runs.yaml", seeds=(1,)), folder / "out").rows[1]
    path = folder / "out" / str(row.plan)
    portfolio = load_portfolio(path.with_name("portfolio.json"))
    plan = load_plan(path)
    assert plan.portfolio is None
    assert plan.certificate.input_hash == portfolio_hash(portfolio)
    assert portfolio.policy.projects_in_process == 1
    assert check(plan, portfolio).ok


# --- the best variant


def row(
    variant: str, seed: int, objective: float | None, flow: float = 0.0, scheduled: int = 5, bound: float | None = None
) -> Row:
    if objective is None:
        return Row(portfolio="p", variant=variant, seed=seed, status=RunStatus.FAILED, message="no")
    return Row(
        portfolio="p", variant=variant, seed=seed, status=RunStatus.FEASIBLE, objective=objective, flow=flow,
        bound=bound, items=5, scheduled=scheduled, plan="x/plan.json",
    )  # fmt: skip


PLAIN: dict[str, Policy] = {"a": Policy(), "b": Policy(person_wip=2)}


@pytest.mark.parametrize(
    ("rows", "best", "says"),
    [
        ([row("a", 1, 10.0), row("b", 1, 9.0)], "b", "least objective, then flow"),
        ([row("a", 1, 10.0, flow=5), row("b", 1, 10.0, flow=4)], "b", "least objective, then flow"),
        ([row("a", 1, 1.0), row("a", 2, 9.0), row("b", 1, 4.0), row("b", 2, 4.0)], "b", "mean of 2 seeds"),
        ([row("a", 1, 8.0), row("a", 2, 9.0), row("b", 1, 4.0), row("b", 2, None)], "a", "most runs with a plan"),
        ([row("a", 1, 8.0), row("b", 1, 4.0, scheduled=4)], "a", "then most items planned"),
        ([row("a", 1, None), row("b", 1, 4.0)], "b", "most runs with a plan"),
    ],
)
def test_the_best_variant_and_how_it_is_decided(rows: list[Row], best: str, says: str) -> None:
    results = summarise(rows, PLAIN)
    assert results.best["p"].variant == best
    assert says in results.best["p"].decided
    assert {r.variant for r in results.rows if r.best} == {best}


def test_variants_that_are_equal_are_all_marked_and_said_to_be_equal() -> None:
    rows = [row("a", 1, 10.0), row("b", 1, 10.0), row("c", 1, 11.0)]
    results = summarise(rows, {**PLAIN, "c": Policy(person_wip=3)})
    best = results.best["p"]
    assert (best.variant, best.equal, best.next, best.margin, best.doubt) == ("a", ("b",), "b", 0, "")
    assert [r.variant for r in results.rows if r.best] == ["a", "b"]


def test_a_difference_that_says_little_is_doubted() -> None:
    def doubt(*rows: Row) -> str:
        return summarise(rows, PLAIN).best["p"].doubt

    assert "one seed says little" in doubt(row("a", 1, 10.0), row("b", 1, 12.0))
    assert "do not believe" in doubt(row("a", 1, 10.0), row("a", 2, 14.0), row("b", 1, 12.0), row("b", 2, 13.0))
    short = doubt(row("a", 1, 10.0), row("a", 2, 10.5), row("b", 1, 12.0, bound=6.0), row("b", 2, 13.0, bound=5.0))
    assert short == "the difference is not proven: the search for b may have fallen short (gap 50 %)"
    # no plan of b can cost as little as the one found with a
    assert doubt(row("a", 1, 10.0), row("b", 1, 12.0, bound=10.5)) == ""
    assert doubt(row("a", 1, 10.0), row("a", 2, 14.0), row("b", 1, 12.5, bound=11.0), row("b", 2, 13.0)) == ""


def varied(*policies: Policy) -> dict[tuple[str, str], Policy]:
    return {("p", name): policy for name, policy in zip("abc", policies, strict=False)}


def test_a_variant_that_only_tightens_a_limit_is_never_better_than_the_looser_one() -> None:
    wip = {WorkType.INTERNAL: 2}
    loose, tight = Policy(projects_in_process=6), Policy(projects_in_process=2, wip=wip)
    rows = [row("a", 1, 20.0), row("a", 2, 14.0), row("b", 1, 15.0), row("b", 2, 16.0)]
    results = summarise(rows, PLAIN, varied(loose, tight))
    best = results.best["p"]
    assert (best.variant, best.mean, best.counted) == ("a", 14.5, {"a": ("b",)})
    assert (best.next, best.margin) == ("b", 1.0)
    assert [r.objective for r in results.rows] == [20.0, 14.0, 15.0, 16.0]  # what each found stays
    equal = summarise(rows[::2], PLAIN, varied(loose, tight)).best["p"]
    assert (equal.variant, equal.equal, equal.counted) == ("a", ("b",), {"a": ("b",)})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"projects_in_process": 6}, {"projects_in_process": 2, "full_kit": True}),
        ({"projects_in_process": 6, "person_wip": 1}, {"projects_in_process": 2, "person_wip": 2}),
        ({"wip": {"internal": 2}}, {"wip": {"change": 1}}),
        ({"projects_in_process": 2}, {"projects_in_process": 2}),
        ({"projects_in_process": 1}, {"projects_in_process": 2}),
    ],
)
def test_variants_that_differ_otherwise_count_with_their_own_plans(one: Any, other: Any) -> None:
    policies = varied(Policy.model_validate(one), Policy.model_validate(other))
    best = summarise([row("a", 1, 20.0), row("b", 1, 15.0)], PLAIN, policies).best["p"]
    assert (best.variant, best.counted, best.margin) == ("b", {}, 5.0)


def test_a_plan_that_leaves_work_out_counts_for_no_other_variant() -> None:
    policies = varied(Policy(), Policy(person_wip=1))
    best = summarise([row("a", 1, 20.0), row("b", 1, 15.0, scheduled=4)], PLAIN, policies).best["p"]
    assert (best.variant, best.counted) == ("a", {})


def test_the_bound_of_tighter_limits_proves_nothing_of_looser_ones() -> None:
    policies = varied(Policy(), Policy(person_wip=1), Policy(full_kit=True))
    rows = [row("a", 1, 20.0), row("b", 1, 15.0, bound=14.0), row("c", 1, 10.0)]
    best = summarise(rows, {**PLAIN, "c": Policy()}, policies).best["p"]
    assert (best.variant, best.next, best.margin) == ("c", "a", 5.0)
    assert "not proven" in best.doubt


def test_there_is_no_best_variant_before_all_runs_ended() -> None:
    waiting = row("b", 1, None).model_copy(update={"status": RunStatus.NOT_RUN})
    results = summarise([row("a", 1, 10.0), waiting], PLAIN)
    assert results.best == {}
    assert not any(r.best for r in results.rows)


def test_variants_that_change_prices_are_compared_by_flow() -> None:
    rows = [row("a", 1, 10.0, flow=4), row("b", 1, 2.0, flow=5)]
    results = summarise(rows, {"a": Policy(), "b": Policy.model_validate({"makespan": "100/week"})})
    assert results.best["p"].variant == "a"
    assert results.best["p"].mean == 4
    assert "prices" in results.best["p"].decided


def test_the_margin_and_what_seeds_alone_make() -> None:
    rows = [row("a", 1, 10.0), row("a", 2, 14.0), row("b", 1, 12.0), row("b", 2, 13.0)]
    best = summarise(rows, PLAIN).best["p"]
    assert (best.variant, best.mean, best.next, best.margin, best.spread) == ("a", 12.0, "b", 0.5, 4.0)


def test_a_second_with_fewer_plans_has_no_margin() -> None:
    best = summarise([row("a", 1, 10.0), row("b", 1, 4.0, scheduled=4)], PLAIN).best["p"]
    assert (best.variant, best.next, best.margin, best.spread) == ("a", "b", None, None)


def test_nothing_is_best_where_there_is_no_plan() -> None:
    results = summarise([row("a", 1, None)], PLAIN)
    assert results.best == {}
    assert not results.rows[0].best


def test_a_table_runs_no_formula_in_a_spreadsheet(folder: Path, here: Callable[..., Threads]) -> None:
    here()
    text = "portfolios: office.yaml\nvariants: {'=1+1': {pins: [{work: ELSE-1, who: wes}]}}\nbudget: 0.05"
    run_batch(written(folder, text), folder / "out")
    [line] = csv.DictReader(StringIO((folder / "out" / "results.csv").read_text(encoding="utf-8")))
    assert line["variant"] == "'=1+1"
    assert json.loads((folder / "out" / "results.json").read_bytes())["rows"][0]["variant"] == "=1+1"
