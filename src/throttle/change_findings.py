"""What a planner should know of how changes are written."""

from __future__ import annotations

from collections.abc import Iterable

from throttle_models import ChangeKind, Finding, Portfolio

NAMED = 5


def change_findings(portfolio: Portfolio, activities: Iterable[str]) -> list[Finding]:
    """Risks that count 0 because none is written, and approvals that nothing waits for."""
    unset: dict[str, list[str]] = {}
    idle: list[str] = []
    for id in activities:
        change = portfolio.work[id].change
        if change is None or "~" in id:  # nobody wrote what was inserted
            continue
        if change.window is not None and change.risk is None and portfolio.windows[change.window].risk is not None:
            unset.setdefault(change.window, []).append(id)
        approval = change.approval
        if approval is not None and not approval.given and change.kind is not ChangeKind.NORMAL:
            idle.append(id)
    found = [
        _finding(
            "risk-unset",
            ids,
            f"{_some(ids)} in window {window} say no risk, which counts 0 towards the limit of the window; add risk:",
        )
        for window, ids in unset.items()
    ]
    if idle:
        text = "are standard changes or emergencies, whose approval is not waited for; write kind: normal if it should"
        found.append(_finding("approval-without-effect", idle, f"{_some(idle)} {text}"))
    return found


def _some(ids: list[str]) -> str:
    more = len(ids) - NAMED
    return ", ".join(ids[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _finding(code: str, ids: list[str], message: str) -> Finding:
    return Finding(level="warning", code=code, message=message, ids=tuple(ids), count=len(ids))
