"""The rope: work on the drum that is released and not finished (docs/plan.md, Limits).

Goldratt and Fox, "The Race" (1986): nothing is released that the drum has no time for. Each item with work on the drum
is released together with what leads to it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from throttle.policies.overrides import waived
from throttle.primitives import Draft, Edges, Span

SEVERAL = 2
"""So many different ones are enough to know that there is not one."""


def restrict(draft: Draft) -> None:
    """At most so many drum hours released and unfinished, whenever more are released."""
    rope, drum = draft.portfolio.policy.rope, draft.drum
    if rope is None or drum is None:
        return
    loose = waived(draft.portfolio, draft.graph, "policy.projects_in_process")
    project = {j: None if id in loose else draft.graph.project_of(id) for id, j in draft.number.items()}
    minutes = {draft.number[id]: m for id, m in drum.minutes.items() if id in draft.number}
    groups = released_together(draft.edges, minutes, project)
    begun = _in_process(draft.edges, groups, draft.exempt)
    free = set(draft.members(waived(draft.portfolio, draft.graph, "policy.rope")))
    name = {j: id for id, j in draft.number.items()}
    spans = [
        Span(name[d], [j for j in members if j not in free], minutes[d], d in begun)
        for d, members in groups.items()
        if d not in free
    ]
    draft.add.limit(int(rope / timedelta(minutes=1)), spans, "policy.rope")


def released_together(
    edges: Edges, minutes: Mapping[int, int], project: Mapping[int, str | None]
) -> dict[int, list[int]]:
    """Of each drum item, itself and those of its project that lead to it and to no other drum item before it.

    What also leads, before any drum item, to work of another project releases nothing: that project could need it while
    the drum item waits for a third one, and limits would wait for each other. project: of each activity; numbers that
    are not in it are helpers of links.
    """
    following: dict[int, list[int]] = {}
    waits: dict[int, int] = {}
    for before, after, *_ in edges:
        following.setdefault(before, []).append(after)
        waits[before] = waits.get(before, 0) + 1
    leading: dict[int, list[int]] = {}
    for before, after, *_ in edges:
        leading.setdefault(after, []).append(before)
    drums: dict[int, set[int]] = {}
    through: dict[int, set[str | None]] = {}
    groups: dict[int, list[int]] = {d: [d] for d in minutes}
    numbers = {*project, *following, *leading}
    ready = sorted(j for j in numbers if j not in waits)
    while ready:
        j = ready.pop()
        if j not in minutes:
            first, met = set[int](), set[str | None]()
            for after in following.get(j, ()):
                if after in project:
                    met.add(project[after])
                if after in minutes:
                    first.add(after)
                else:
                    if len(first) < SEVERAL:
                        first |= drums[after]
                    if len(met) < SEVERAL:
                        met |= through[after]
            drums[j], through[j] = first, met
            if j in project and len(first) == 1 and met == {project[j]}:
                groups[next(iter(first))].append(j)
        for before in leading.get(j, ()):
            waits[before] -= 1
            if waits[before] == 0:
                ready.append(before)
    return {d: sorted(members) for d, members in groups.items()}


def _in_process(edges: Edges, groups: Mapping[int, Sequence[int]], exempt: Sequence[bool]) -> set[int]:
    """The drum items that are released at as-of: one of the group is in progress, or such a group waits for it."""
    of = {j: d for d, members in groups.items() for j in members}
    begun = {d for j, d in of.items() if exempt[j]}
    if not begun:
        return begun
    leading: dict[int, list[int]] = {}
    for before, after, *_ in edges:
        leading.setdefault(after, []).append(before)
    stack = [j for d in sorted(begun) for j in groups[d]]
    seen = set(stack)
    while stack:
        for before in leading.get(stack.pop(), ()):
            more = [before]
            if before in of and of[before] not in begun:
                begun.add(of[before])
                more += groups[of[before]]
            stack += [j for j in dict.fromkeys(more) if j not in seen]
            seen.update(more)
    return begun
