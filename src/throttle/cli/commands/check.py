from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from throttle.cli import options as o

if TYPE_CHECKING:
    from throttle_models import Finding, Portfolio


def check(
    portfolio: Annotated[Path, typer.Argument(metavar="PORTFOLIO", help="A portfolio file or folder.")],
    json: o.Json = False,
) -> None:
    """Say everything that is wrong with a portfolio, without planning it."""
    from throttle.cli import reading, screen
    from throttle.errors import InputError

    loaded: Portfolio | None = None
    try:
        loaded, _ = reading.read([portfolio], reading.ReadHow())
        findings = _problems(loaded)
    except InputError as problem:
        findings = list(problem.findings)
    errors = sum(f.level == "error" for f in findings)
    counts = _counts(loaded) if loaded else {}
    if json:
        found = [f.model_dump(mode="json", exclude_none=True) for f in findings]
        screen.emit_json({"ok": not errors, "counts": counts, "findings": found})
    else:
        screen.show_findings(findings)
        if not errors:
            screen.out().print("Sound: " + ", ".join(f"{n} {name}" for name, n in counts.items()), soft_wrap=True)
    if errors:
        raise typer.Exit(InputError.exit_code)


def _problems(portfolio: Portfolio) -> list[Finding]:
    """Warnings; raises InputError with the errors, those that would keep it from being planned."""
    from throttle.compile import check_input
    from throttle.graph import WorkGraph, missing_skills

    graph = WorkGraph(portfolio)
    check_input(portfolio, graph)
    return missing_skills(portfolio, graph)


def _counts(portfolio: Portfolio) -> dict[str, Any]:
    names = ("work", "projects", "people", "skills", "environments", "services", "windows", "external")
    return {name: len(getattr(portfolio, name)) for name in names}
