from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from throttle.cli import options as o
from throttle.wording import plural

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
    network = _network(loaded) if loaded and not errors else None
    if network:
        counts["to_plan"] = network.pop("items")
    if json:
        found = [f.model_dump(mode="json", exclude_none=True) for f in findings]
        screen.emit_json({"ok": not errors, "counts": counts, "network": network, "findings": found})
    else:
        screen.show_findings(findings)
        if network:
            screen.out().print(f"Sound: {_shown(counts)}", soft_wrap=True)
        if network and network["critical_path"]:
            chain = network["critical_path"]
            shown = " -> ".join([*chain[:3], "...", *chain[-3:]] if len(chain) > 7 else chain)
            screen.emit_line(
                f"Longest chain: {network['hours']:,.0f} h in {len(chain)} items, people not counted: {shown}"
            )
    if errors:
        raise typer.Exit(InputError.exit_code)


def _problems(portfolio: Portfolio) -> list[Finding]:
    """Warnings; raises InputError with the errors, those that would keep it from being planned."""
    from throttle.compile import prepared
    from throttle.graph import portfolio_findings

    expanded, graph = prepared(portfolio)
    return [*portfolio_findings(expanded.portfolio, graph), *expanded.findings]


def _network(portfolio: Portfolio) -> dict[str, Any]:
    """The critical path of the links alone, and by how many hours each item could slip without lengthening it."""
    from throttle.graph import WorkGraph, least_hours
    from throttle.policies.inserted import expand

    written = portfolio.work.keys()
    portfolio = expand(portfolio).portfolio
    graph = WorkGraph(portfolio)
    hours = least_hours(portfolio, graph)
    total, path = graph.longest_path(hours)
    slack = {id: round(h, 2) for id, h in graph.slack(hours).items()}
    return {
        "items": sum(id in written for id in graph.activities),
        "hours": round(total, 2),
        "critical_path": path,
        "slack_hours": slack,
    }


def _counts(portfolio: Portfolio) -> dict[str, Any]:
    names = ("projects", "people", "skills", "environments", "services", "windows", "external")
    skills = {*portfolio.skills}.union(*(person.skills for person in portfolio.people.values()))
    skills |= {need.skill for item in portfolio.work.values() for need in item.needs if need.skill}
    return {"work": len(portfolio.work), **{n: len(getattr(portfolio, n)) for n in names}, "skills": len(skills)}


def _shown(counts: dict[str, Any]) -> str:
    """``5 work items (4 to plan), 2 projects, 1 person``."""
    words = {"people": ("person", "people"), "external": ("external stub", "")}
    work = f"{plural(counts['work'], 'work item')} ({counts['to_plan']:,} to plan)"
    others = ((name, n) for name, n in counts.items() if name not in ("work", "to_plan"))
    return ", ".join([work, *(plural(n, *words.get(name, (name.removesuffix("s"), ""))) for name, n in others)])
