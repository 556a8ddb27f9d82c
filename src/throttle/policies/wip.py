"""Work in process by type of work, in teams and on people (docs/plan.md, Limits)."""

from __future__ import annotations

from throttle.policies.overrides import waived
from throttle.primitives import Draft


def by_type(draft: Draft) -> None:
    """At most so many items of a type begun and unfinished."""
    portfolio = draft.portfolio
    for kind, limit in portfolio.policy.wip.items():
        free = waived(portfolio, draft.graph, f"policy.wip.{kind}")
        members = [j for id, j in draft.number.items() if portfolio.work[id].type == kind and id not in free]
        if len(members) > limit:
            begun = any(draft.exempt[j] for j in members)
            draft.add.in_process(limit, members, begun, f"policy.wip.{kind}")


def in_teams(draft: Draft) -> None:
    """At most so many items begun on which somebody of a team still works."""
    for name, team in draft.portfolio.teams.items():
        if team.wip is None:
            continue
        people = [p for id, p in draft.people.items() if draft.portfolio.people[id].team == name]
        if not people:
            continue
        row = draft.add.team(team.wip, people, f"teams.{name}.wip")
        free = waived(draft.portfolio, draft.graph, f"teams.{name}.wip")
        draft.add.waive(draft.members(sorted(free)), row)


def on_people(draft: Draft) -> None:
    """Overrides of the limits of persons, which are a column of the arrays."""
    if not draft.portfolio.policy.overrides:
        return
    for p, id in enumerate(draft.persons):
        own = draft.portfolio.people[id].wip
        limits = [f"people.{id}.wip"] + ([] if own else ["policy.person_wip"])
        draft.add.waive(draft.members(sorted(waived(draft.portfolio, draft.graph, *limits))), p)
