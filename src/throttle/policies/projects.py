"""Projects in process: from the first start of any of a project's work to its last finish (docs/plan.md, Limits)."""

from __future__ import annotations

from throttle.policies.overrides import waived
from throttle.primitives import Draft, Span


def restrict(draft: Draft) -> None:
    """At most so many projects in process, whenever another one starts."""
    limit = draft.portfolio.policy.projects_in_process
    if not limit:
        return
    free = waived(draft.portfolio, draft.graph, "policy.projects_in_process")
    inside: dict[str, list[int]] = {name: [] for name in draft.portfolio.projects}
    for id, j in draft.number.items():
        project = draft.graph.project_of(id)
        if project is not None and id not in free:
            inside[project].append(j)
    spans = [Span(name, members, begun=name in draft.begun) for name, members in inside.items()]
    draft.add.limit(limit, spans, "policy.projects_in_process")
