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
    findings = reading.with_file(findings, portfolio)
    errors = sum(f.level == "error" for f in findings)
    counts = _counts(loaded) if loaded else {}
    if json:
        found = [f.model_dump(mode="json", exclude_none=True) for f in findings]
        network = _network(loaded) if loaded and not errors else None
        screen.emit_json({"ok": not errors, "counts": counts, "network": network, "findings": found})
    else:
        screen.show_findings(findings)
        if not errors:
            screen.out().print("Sound: " + ", ".join(f"{n} {name}" for name, n in counts.items()), soft_wrap=True)
        if loaded and not errors and (network := _network(loaded))["critical_path"]:
            chain = network["critical_path"]
            shown = " -> ".join([*chain[:3], "...", *chain[-3:]] if len(chain) > 7 else chain)
            screen.emit_line(
                f"Longest chain: {network['hours']:,.0f} h in {len(chain)} items, people not counted: {shown}"
            )
    if errors:
        raise typer.Exit(InputError.exit_code)


def _problems(portfolio: Portfolio) -> list[Finding]:
    """Warnings; raises InputError with the errors, those that would keep it from being planned."""
    from throttle.compile import check_input
    from throttle.graph import WorkGraph, portfolio_findings

    graph = WorkGraph(portfolio)
    check_input(portfolio, graph)
    return portfolio_findings(portfolio, graph)


def _network(portfolio: Portfolio) -> dict[str, Any]:
    """The critical path of the links alone, and by how many hours each item could slip without lengthening it."""
    from throttle.graph import WorkGraph, least_hours

    graph = WorkGraph(portfolio)
    hours = least_hours(portfolio, graph)
    total, path = graph.longest_path(hours)
    slack = {id: round(h, 2) for id, h in graph.slack(hours).items()}
    return {"hours": round(total, 2), "critical_path": path, "slack_hours": slack}


def _counts(portfolio: Portfolio) -> dict[str, Any]:
    names = ("work", "projects", "people", "skills", "environments", "services", "windows", "external")
    return {name: len(getattr(portfolio, name)) for name in names}
