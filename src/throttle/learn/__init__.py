"""What the history in exports teaches, each figure with its evidence: effort, skills, hours, reserve, bias, failures.

``history`` makes a table of the tickets; ``working`` and ``effort`` say how much work they were, ``demand`` what comes
unplanned and what fails, ``crew`` who does what and when. :func:`learn` puts it together. A plan uses what was learned
where neither the export nor the team file says anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from throttle.ingest import ReadOptions
    from throttle_models import Learned, Mapping, TeamFile

USUAL = "Mon-Fri 09:00-17:00"
"""Hours of whom history does not show any."""


def learn(
    paths: Sequence[Path],
    *,
    mapping: Mapping | None = None,
    team: TeamFile | None = None,
    options: ReadOptions | None = None,
) -> Learned:
    """What these exports teach. Raises InputError as reading them does."""
    from zoneinfo import ZoneInfo

    from throttle.ingest import ReadOptions, read_tickets
    from throttle.ingest.made import when
    from throttle.learn.crew import people, ranges_of
    from throttle.learn.demand import demands, failures
    from throttle.learn.effort import actual_minutes, back_test, biases, efforts
    from throttle.learn.history import history, moments
    from throttle.learn.working import WorkClock
    from throttle_models import Learned

    builder = read_tickets(paths, mapping=mapping, team=team, options=options or ReadOptions())
    frame = history(builder)
    zone = builder.zone
    as_of = builder.as_of
    local = as_of.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    known = people(frame, moments(builder), local, zone)
    clocks = {who: WorkClock(ranges_of(person.hours)) for who, person in known.items() if person.hours}
    done = actual_minutes(frame, clocks, WorkClock(ranges_of(USUAL)))
    demand, notes = demands(frame, done)
    tested, covered = back_test(done)
    found = efforts(done)
    unknown = int(((frame.status == "done") & ~frame.index.isin(done.index)).sum())
    if unknown:
        notes.append(
            f"{unknown} done items teach no effort: no logged time, and no start, finish and person to infer it from"
        )
    return Learned(
        as_of=when(as_of),
        zone=zone,
        tickets=len(done),
        effort=tuple(found),
        effort_tested=tested,
        effort_covered=None if covered is None else round(covered, 4),
        people=known,
        demand=demand,
        bias=tuple(biases(done)),
        failures=tuple(failures(frame)),
        notes=tuple(notes),
    )
