"""docs/service.md says what there is: settings, codes, calls."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from fastapi.routing import APIRoute

from throttle.errors import InputError
from throttle_api.context import Needs
from throttle_api.jobs.kinds import KINDS
from throttle_api.jobs.kinds.options import OPTIONS
from throttle_api.problems import CODES, Problem
from throttle_api.routes import ROUTERS
from throttle_api.settings import Settings, load_settings
from throttle_api.views import JobView
from throttle_api.week import WeekView

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The cells of the table of a section, without its head."""
    section = TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    found = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found[1:]]


def written(value: object) -> str:
    """A default as the table has it."""
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_every_setting_is_in_the_table_with_its_default_and_meaning() -> None:
    said = {row[0].strip("`"): (row[1], row[2]) for row in rows("Settings")}
    there = {
        name: (written(field.default), " ".join((field.description or "").split()))
        for name, field in Settings.model_fields.items()
    }
    assert said == there
    assert all(meaning for _, meaning in there.values())


def test_every_kind_of_job_is_in_the_table_with_its_options() -> None:
    section = TEXT.split("\n## Jobs, and who runs them\n", 1)[1].split("\n## ", 1)[0]
    found = [[c.strip() for c in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]
    said = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in found}
    assert said == {kind: list(OPTIONS[kind].model_fields) for kind in KINDS}


def test_every_code_is_in_the_table_with_its_status_and_meaning() -> None:
    assert {row[0].strip("`"): (int(row[1]), row[2]) for row in rows("Problems")} == CODES


def test_every_code_that_is_used_is_in_the_table_and_no_other() -> None:
    used: set[str] = set()
    for file in (ROOT / "api" / "throttle_api").rglob("*.py"):
        if file.name == "problems.py" and file.parent.name == "throttle_api":
            text = file.read_text(encoding="utf-8").split("def documented", 1)[1]
        else:
            text = file.read_text(encoding="utf-8")
        used |= set(re.findall(r'"([a-z-]+)"', text)) & CODES.keys()
    assert used == set(CODES)
    with pytest.raises(KeyError):
        Problem("no-such-code", "")


def test_every_call_is_in_the_table_with_its_operation_and_scope() -> None:
    said = [(row[0].strip("`"), row[1].strip("`"), row[2]) for row in rows("Calls")]
    there = [
        (
            f"{method} {route.path_format}",
            str(route.operation_id),
            next((d.call.scope for d in route.dependant.dependencies if isinstance(d.call, Needs)), ""),
        )
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]
    assert said == there
    assert len({operation for _, operation, _ in there}) == len(there)


def test_the_examples_of_the_description_fit_it() -> None:
    for model in (JobView, WeekView):
        [example] = model.model_json_schema()["examples"]
        assert model.model_validate(example).model_dump(mode="json") == example


# --- settings


def test_the_environment_counts_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "throttle.toml"
    file.write_text('port = 9000\nnames = ["a.example", "b.example"]\nworkers = 3\n', encoding="utf-8")
    monkeypatch.setenv("THROTTLE_WORKERS", "4")
    found = load_settings(file)
    assert (found.port, found.names, found.workers) == (9000, ("a.example", "b.example"), 4)
    monkeypatch.setenv("THROTTLE_SETTINGS", str(file))
    monkeypatch.setenv("THROTTLE_NAMES", "c.example, d.example")
    assert load_settings().names == ("c.example", "d.example")
    assert load_settings(port=1).port == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "The setting colour"),
        ("port = 70000", "The setting port"),
        ('rate = "often"', "The setting rate"),
        ('address = "throttle"', "The setting address"),
        ("port = [", "is not sound TOML"),
        ('jwt_key = "x"', "needs jwt_issuer"),
    ],
)
def test_a_setting_that_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "throttle.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_settings(file)


def test_an_unknown_variable_is_refused_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROTTLE_DATABSE", "postgresql://user:secret@db/x")
    with pytest.raises(InputError, match="THROTTLE_DATABSE") as told:
        load_settings()
    assert "secret" not in str(told.value)
    monkeypatch.delenv("THROTTLE_DATABSE")
    monkeypatch.setenv("THROTTLE_DATABASE", "postgresql://user:secret@db/x")
    assert "secret" not in repr(load_settings())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml")


# --- deploy/


def test_the_container_and_compose_files_set_what_can_be_set_and_run_what_there_is() -> None:
    deploy = ROOT / "deploy"
    container, compose = ((deploy / name).read_text(encoding="utf-8") for name in ("Containerfile", "compose.yaml"))
    known = {f"THROTTLE_{name.upper()}" for name in Settings.model_fields}
    used = set(re.findall(r"THROTTLE_[A-Z_]+", container + compose))
    assert used
    assert used <= known
    copied = [word for line in re.findall(r"^COPY (?!--)(.*) \S+$", container, re.MULTILINE) for word in line.split()]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"pyproject.toml", "constraints.txt", "hatch_build.py", "README.md", "LICENSE", "src", "api", "models"} <= {
        *copied
    }
    services = yaml.safe_load(compose)["services"]
    commands = {points.name for points in entry_points(group="throttle.commands")}
    assert {s["command"][0] for name, s in services.items() if name != "database"} <= commands
    wanted = set(re.findall(r"\$\{(\w+)", compose))
    said = set(re.findall(r"^(\w+)=", (deploy / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    assert wanted == said
