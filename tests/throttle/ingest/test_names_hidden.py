"""Under pseudonyms no name, login or address of an export is left, wherever it stood; searched in every format."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from throttle.cli import app
from throttle.errors import InputError
from throttle.files import load_plan, load_portfolio, save_portfolio
from throttle.ingest import Ingested, ReadOptions, read_exports
from throttle.ingest.identity import spelling
from throttle.ingest.pseudonyms import Veil
from throttle_models import Mapping, TeamFile

FOLDER = Path(__file__).parents[3] / "datasets" / "parts-unlimited"
sys.path.insert(0, str(FOLDER))

import parts_exports_planners as planners  # noqa: E402
import parts_exports_trackers as trackers  # noqa: E402
from parts_exports import jira_csv, servicenow_csv  # noqa: E402
from parts_organisation import build_portfolio  # noqa: E402

FORMS = (*trackers.FORMS, *planners.FORMS)
ORGANISATION = build_portfolio()
JOBS = [job for job in trackers.jobs(ORGANISATION, 1) if not job.waits_for and not job.parent and job.who][:9]
PEOPLE = sorted({str(job.who) for job in JOBS})
STYLES = (
    "{first} {last}", "{last} {first}", "{last}, {first}", "{FIRST} {LAST}", "{first}.{last}", "{first}_{last}",
    "{first}-{last}", "{first}{last}", "{first} {last}'s", "{first}.{last}@example.invalid", "[~{first}.{last}]",
    "({last} {first})",
)  # fmt: skip


def written(person: str, style: str) -> str:
    first, _, last = person.partition(" ")
    return style.format(first=first, last=last, FIRST=first.upper(), LAST=last.upper())


def secrets(person: str) -> set[str]:
    """What must not be found of a person, in lower case: both orders, with any usual sign between."""
    first, _, last = person.lower().partition(" ")
    return {f"{a}{sign}{b}" for a, b in ((first, last), (last, first)) for sign in (" ", ", ", ".", "-", "_", "")}


def assert_hidden(ingested: Ingested, folder: Path, people: Any) -> None:
    path = folder / "portfolio.yaml"
    save_portfolio(ingested.portfolio, path)
    assert load_portfolio(path) == ingested.portfolio
    texts = [path.read_text(encoding="utf-8").lower(), ingested.report.model_dump_json().lower()]
    for person in people:
        for secret in secrets(person):
            for text in texts:
                at = text.find(secret)
                assert at < 0, text[max(0, at - 80) : at + 80]
    assert not any(mail in text for text in texts for mail in ("@example", "@parts", ".invalid"))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@given(data=st.data())
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.generate]
)
def test_no_name_is_left_of_any_field_of_any_format(form: Any, tmp_path: Path, data: st.DataObject) -> None:
    def told(styles: Sequence[str] = STYLES) -> str:
        return written(data.draw(st.sampled_from(PEOPLE)), data.draw(st.sampled_from(styles)))

    whole = [style for style in STYLES if "," not in style]  # some formats cut labels at a comma
    fields = [
        {"title": f"Ask {told()} about {told()}", "component": f"Team {told(whole)}", "kind": f"Task of {told(whole)}",
         "priority": f"As {told(whole)} says"}
        for _ in JOBS
    ]  # fmt: skip
    for fixed in ((), ("priority",), ("priority", "kind"), ("priority", "kind", "component")):
        jobs = [
            replace(job, **{name: text for name, text in said.items() if name not in fixed})
            for job, said in zip(JOBS, fields, strict=True)
        ]
        try:
            content = form.write(jobs, form.ids(jobs))
        except (KeyError, ValueError):  # the format has words of its own there
            continue
        break
    path = tmp_path / form.name
    path.write_bytes(content)
    try:
        ingested = read_exports(
            [path],
            mapping=Mapping.model_validate(form.mapping) if form.mapping else None,
            team=TeamFile.model_validate({"zone": "America/Chicago"}),
            options=ReadOptions(pseudonymise=True),
        )
    except InputError as error:
        raise AssertionError([finding.message for finding in error.findings]) from None
    assert len(ingested.portfolio.work) == len(jobs)
    assert_hidden(ingested, tmp_path, PEOPLE)


def test_the_whole_organisation_with_its_reporters(tmp_path: Path) -> None:
    (tmp_path / "jira.csv").write_bytes(jira_csv(ORGANISATION, 1))
    (tmp_path / "changes.csv").write_bytes(servicenow_csv(ORGANISATION, 1))
    plain = read_exports([tmp_path / "jira.csv", tmp_path / "changes.csv"])
    hidden = read_exports([tmp_path / "jira.csv", tmp_path / "changes.csv"], options=ReadOptions(pseudonymise=True))
    assert_hidden(hidden, tmp_path, [person.name for person in ORGANISATION.people.values()])
    assert len(hidden.portfolio.people) == len(plain.portfolio.people)
    assert list(hidden.portfolio.work) == list(plain.portfolio.work)
    for id, item in plain.portfolio.work.items():
        assert [len(need.who) for need in hidden.portfolio.work[id].needs] == [len(need.who) for need in item.needs]


# ------------------------------------------------------------------------------------------------- plans, and again

NEWER = """Summary,Issue key,Issue Type,Status,Created,Updated,Assignee,Reporter,Labels,Original estimate
Ask Brent Geller,ABC-1,Story,In Progress,2026-03-12,2026-03-20,"Geller, Brent",Kirsten Parks,for-kirsten-parks,7200
Ask KIRSTEN PARKS,ABC-2,Story,To Do,2026-03-12,2026-03-20,Ann Lee,Kirsten Parks,brent.geller,7200
New,ABC-3,Story,To Do,2026-03-20,2026-03-20,Bea New,Kirsten Parks,,7200
"""
OLDER = "\n".join(NEWER.splitlines()[:3]).replace("In Progress", "To Do").replace("03-20", "03-13") + "\n"
SECRET = re.compile(r"brent|geller|kirsten|parks|ann.?lee|bea.?new", re.IGNORECASE)


GIVEN = ("older.csv", "newer.csv", "team.yaml", "who.yaml")


@dataclass
class Shell:
    folder: Path

    def __call__(self, *words: str) -> tuple[int, str]:
        """The exit code, and all that is printed."""
        result = CliRunner().invoke(app, [*words])
        return result.exit_code, result.output

    def written(self) -> str:
        ours = (path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name not in GIVEN)
        return "".join(path.read_text(encoding="utf-8") for path in ours)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "older.csv").write_text(OLDER)
    (tmp_path / "newer.csv").write_text(NEWER)
    return Shell(tmp_path)


def test_a_plan_with_pseudonyms_keeps_them_when_it_is_made_again(shell: Shell) -> None:
    code, said = shell("ingest", "older.csv", "--pseudonyms", "who.yaml", "-o", "portfolio.yaml")
    assert code == 0, said
    assert not SECRET.search(said)
    code, said = shell("plan", "portfolio.yaml", "--budget", "0.5", "--out", "first")
    assert code == 0, said
    assert not SECRET.search(said + shell.written())
    code, said = shell("replan", "first/plan.json", "newer.csv", "--budget", "0.5", "--out", "next")
    assert code == 2
    assert "--pseudonyms" in said
    assert not SECRET.search(said)
    code, said = shell(
        "replan", "first/plan.json", "newer.csv", "--pseudonyms", "who.yaml", "--budget", "0.5", "--out", "next"
    )
    assert code == 0, said
    assert not SECRET.search(said + shell.written())
    first, then = (load_plan(shell.folder / folder / "plan.json").portfolio for folder in ("first", "next"))
    assert first is not None
    assert then is not None
    assert set(then.people) == {*first.people, "person-3"}
    for id, item in first.work.items():
        assert [need.who for need in then.work[id].needs] == [need.who for need in item.needs]
        assert then.work[id].title == item.title
    assert then.pseudonyms == first.pseudonyms != ""


def test_a_team_file_with_names_does_not_bring_them_back(shell: Shell) -> None:
    (shell.folder / "team.yaml").write_text(
        "people:\n  ann: {name: Ann Lee, aliases: [Lee Ann], skills: {oracle: 2}}\n"
        "work:\n  ABC-2: {on_hold: Ann Lee is away}\n"
    )
    for words in (
        ("ingest", "older.csv", "--team", "team.yaml", "--pseudonyms", "who.yaml", "-o", "portfolio.yaml"),
        ("plan", "portfolio.yaml", "--budget", "0.5", "--out", "first"),
        ("replan", "first/plan.json", "newer.csv", "--team", "team.yaml", "--pseudonyms", "who.yaml", "--budget", "0.5",
         "--out", "next"),
    ):  # fmt: skip
        code, said = shell(*words)
        assert code == 0, said
        assert not SECRET.search(said)
    assert not SECRET.search(shell.written())
    plan = load_plan(shell.folder / "next" / "plan.json")
    assert plan.portfolio is not None
    assert len(plan.portfolio.people) == 3


def test_another_table_or_none_is_refused(shell: Shell) -> None:
    assert shell("ingest", "older.csv", "--pseudonymise", "-o", "portfolio.yaml")[0] == 0
    assert shell("plan", "portfolio.yaml", "--budget", "0.5", "--out", "first")[0] == 0
    code, said = shell("replan", "first/plan.json", "newer.csv", "--pseudonyms", "other.yaml", "--out", "next")
    assert code == 2
    assert "another table" in said
    assert not (shell.folder / "other.yaml").exists()
    assert shell("ingest", "older.csv", "-o", "named.yaml")[0] == 0
    assert shell("plan", "named.yaml", "--budget", "0.5", "--out", "named")[0] == 0
    assert shell("replan", "named/plan.json", "newer.csv", "--pseudonyms", "other.yaml", "--out", "next")[0] == 2
    assert shell("replan", "first/plan.json", "named.yaml", "--out", "next")[0] == 2


def test_an_error_names_nobody(shell: Shell) -> None:
    (shell.folder / "team.yaml").write_text(
        "policy: {pins: [{work: ABC-1, who: brent-gellar-parks}, {work: Ann Lee, who: x}]}\n"
    )
    code, said = shell("ingest", "older.csv", "--team", "team.yaml", "--pseudonymise")
    assert code == 2
    assert "Ann Lee" not in said


def test_words_are_not_taken_for_names() -> None:
    veil = Veil()
    for name in ("Will", "Ann Lee", "Young, Pat", "mark"):
        veil.add(spelling(name), "X")
    assert veil("I will see Will and Ann", prose=True) == "I will see X and Ann"
    assert (
        veil("Annlee, P. Young, young p, Lee-Ann, ANN\u00a0LEE, ÁNN LÉE, annleeb", prose=True)
        == "X, X, young p, X, X, X, annleeb"
    )
    assert veil("by mark on market", prose=True) == "by X on market"
    assert veil("write to pat.young@x.invalid or z@y.invalid") == "write to X or someone"
