"""What is uncertain, for simulations: what the team file says of it, else what history taught (docs/ingest.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

from throttle.ingest.effort import exactly
from throttle.ingest.meanings import Meanings
from throttle.ingest.notes import Notes, some
from throttle.wording import plural
from throttle_models import ChangeKind, Learned, Person, TeamFile
from throttle_models.quantities import WORK, format_minutes
from throttle_models.simulation import Arrivals, Changes, Simulation

LEAST_CHANGES = 8
"""From fewer changes, no rate of failure is learned."""
MINUTE = timedelta(minutes=1)
Assume = Callable[[str, str, str, str], None]
"""About, value, why, override."""


def simulation_of(
    team: TeamFile, people: Mapping[str, Person], meanings: Meanings, assume: Assume, notes: Notes
) -> Simulation:
    """``simulation`` of the team file; ``unplanned`` and the rates of ``changes`` as learned, where it names none."""
    said, learned = team.simulation, team.defaults.learned
    if learned is None:
        return said
    found: dict[str, object] = {}
    if "unplanned" not in said.model_fields_set:
        held = {skill for person in people.values() for skill in person.skills}
        if come := arrivals(learned, held, assume):
            found["unplanned"] = come
        nobody = sorted(learned.demand.keys() - held)
        if nobody and team.policy.reserve != "learned":  # else the reserve tells it already
            notes.add(
                "info",
                "unplanned-nobody",
                f"unplanned work was learned of {plural(len(nobody), 'skill')} that nobody holds, so no simulation has "
                f"any: {some(nobody)}; write in the team file who holds it, under people",
            )
    if not said.changes.model_fields_set & {"fail", "by"} and (rates := failures(learned, meanings, assume)):
        found["changes"] = Changes.model_validate({**said.changes.model_dump(), **rates})
    return said.model_copy(update=found)


def arrivals(learned: Learned, held: set[str], assume: Assume) -> dict[str, Arrivals]:
    """Of skills that somebody holds: tasks a week, and the mean size that makes the mean hours a week of them."""
    found = {}
    for skill, known in learned.demand.items():
        if skill not in held or known.arrivals <= 0 or not known.mean:
            continue
        size = max(1, round(known.mean / MINUTE / known.arrivals))
        found[skill] = Arrivals(per_week=known.arrivals, effort=exactly(size))
        effort = format_minutes(size * MINUTE, WORK, "hm")
        assume(
            f"simulation.unplanned.{skill}", f"{known.arrivals:g} tasks a week of {effort}",
            f"the mean of {plural(known.weeks, 'week')}",
            f"simulation: {{unplanned: {{{skill}: {{per_week: {known.arrivals:g}, effort: {effort}}}}}}}",
        )  # fmt: skip
    return found


def failures(learned: Learned, meanings: Meanings, assume: Assume) -> dict[str, object]:
    """Share of changes that failed: ``fail`` of all, ``by`` of each kind with enough of them."""
    failed: Counter[ChangeKind] = Counter()
    changes: Counter[ChangeKind] = Counter()
    for row in learned.failures:
        if not row.group:  # rows with a group are parts of these
            kind = meanings.change_kind(row.kind) or ChangeKind.NORMAL
            failed[kind] += row.failed
            changes[kind] += row.changes
    if changes.total() < LEAST_CHANGES:
        return {}
    fail = round(failed.total() / changes.total(), 4)
    by = {kind.value: round(failed[kind] / n, 4) for kind, n in changes.items() if n >= LEAST_CHANGES}
    assume(
        "simulation.changes", ", ".join(f"{kind} {rate:.3g}" for kind, rate in by.items()) or f"{fail:.3g}",
        f"{failed.total()} of {plural(changes.total(), 'change')} failed or were backed out",
        f"simulation: {{changes: {{fail: {fail:.2%}}}}}",
    )  # fmt: skip
    return {"fail": fail, "by": by}
