"""Reading what users send, in a process of its own: with a limit on memory and time, and without our secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from throttle.errors import InputError
from throttle_api.problems import Problem, of_findings
from throttle_api.reading import portfolio
from throttle_api.settings import Settings
from throttle_api.turns import Turns

SMALL = 200_000
"""Bytes of a portfolio up to which it is read in this process: a child takes half a second to begin."""
_TURNS = Turns(2)
"""Processes that read at the same time: each takes a processor and memory."""


@dataclass(frozen=True, slots=True)
class Read:
    """A portfolio as files write it (JSON), and what is told of how it was read."""

    portfolio: str
    title: str
    report: dict[str, Any]


def read_portfolio(text: str, folder: Path, settings: Settings) -> Read:
    """A portfolio of JSON. Raises Problem with all that is wrong with it."""
    file = folder / "body.json"
    file.write_text(text, encoding="utf-8")
    if len(text) <= SMALL:
        try:
            portfolio(file, folder)
        except InputError as problem:
            raise _refused("portfolio", of_findings(problem.findings)) from None
        return Read((folder / "portfolio.json").read_text(encoding="utf-8"), "", {})
    return _apart({"kind": "portfolio", "files": [file.name]}, folder, settings)


def read_exports(
    files: Sequence[Path],
    team: Path | None,
    mapping: Path | None,
    options: dict[str, Any],
    folder: Path,
    settings: Settings,
) -> Read:
    """Ticket exports in ``folder``. Raises Problem with all that is wrong with them."""
    task = {
        "kind": "exports",
        "files": [f.name for f in files],
        "team": team.name if team else None,
        "map": mapping.name if mapping else None,
        "options": options,
        "rows": settings.upload_rows,
        "field": settings.upload_field,
    }
    return _apart(task, folder, settings)


def _apart(task: dict[str, Any], folder: Path, settings: Settings) -> Read:
    (folder / "task.json").write_text(json.dumps({**task, "memory": settings.import_memory}), encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "PYTHONPATH")}
    # libraries of linear algebra would take memory for each thread that they might use
    environment = {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    with _TURNS.turn(settings.import_seconds):
        child = subprocess.Popen(
            # -P: whatever folder this is, no uploaded json.py is imported from it
            [sys.executable, "-P", "-m", "throttle_api.reading", str(folder.resolve())],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            child.wait(settings.import_seconds)
        except subprocess.TimeoutExpired:
            raise _refused(
                task["kind"], [_error("slow", f"Reading took more than {settings.import_seconds:g} s.")]
            ) from None
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
    try:
        answer = json.loads((folder / "answer.json").read_bytes())
    except (OSError, ValueError):  # it was killed, or died in native code
        sentence = f"Reading ended without an answer: it needs more than {settings.import_memory} MiB, or is damaged."
        raise _refused(task["kind"], [_error("too-heavy", sentence)]) from None
    if answer["errors"]:
        raise _refused(task["kind"], answer["errors"])
    text = (folder / "portfolio.json").read_text(encoding="utf-8")
    return Read(text, answer["title"], answer["report"])


def _error(code: str, message: str) -> dict[str, Any]:
    return {"level": "error", "code": code, "message": message}


def _refused(kind: str, errors: list[dict[str, Any]]) -> Problem:
    if kind == "portfolio":
        return Problem("invalid-portfolio", "The portfolio cannot be planned as written; see errors.", errors)
    return Problem("unreadable-upload", "The upload cannot be read; see errors.", errors)
