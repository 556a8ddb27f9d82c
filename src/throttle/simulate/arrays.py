"""What the kernel of a simulation reads and writes: arrays only, so that compiled code takes each as one argument.

Times are slots from as-of. Many figures of one thing are columns of one table, which the kernel names
(``throttle.solve.kernels.execution``): compiled code handles a dozen tables far faster than a hundred arrays. Columns
with pointers point into ``flat``, which holds all ragged lists, unless said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Floats, Ints

    Marks = NDArray[np.uint8]
    Slots = NDArray[np.int32]


class Extra(NamedTuple):
    """What a run reads."""

    item: Ints
    """Activities (columns A): release (or pin), wait, in progress, may not pause, rows of window, freeze and place or
    -1, planned start, mode, order in the plan, hidden, group of correlated times or -1, rollback, class of an
    incident or -1, row of all occurrences of its window (whatever day it is pinned to) or -1."""
    ptr: Ints
    """Activities and one more (AT): first seat (of ``seat``), outgoing links (column OUT of ``link``), decisions, uses
    (of ``uses``), links (of ``link``), waivers, spans, batches (of ``batch_use``)."""
    chance: Floats
    """Activities: chances that it is a test that fails, and a change that fails."""
    seat: Ints
    """Seats (Q): need, person as planned, place of it in the order of that person, and that order."""
    need: Ints
    """Needs and one more (N): work, share, set of people, candidates."""
    range_: Floats
    """Needs: slots not exceeded with a chance of 10, 50 and 90 %; negative where it is certain."""
    link: Ints
    """Links by the activity that waits (L): activity waited for, type, lag, kind of lag, activity that waits; whether
    the plan uses a negative lag to begin before what it waits for begins, so that it does not bind; links by the
    activity waited for."""
    uses: Ints
    """Row of ``cap`` and amount."""
    cap: Ints
    """Capacities: amount, whether what is in progress has it from as-of, what waiting for it is called."""
    person: Ints
    """Rows of people and one more (P): row of ``masks``, limit, team, row of ``following``, whose they are, order (of
    column ORDER of ``seat``), sets they are in, quotas."""
    flat: Ints
    batch_use: Ints
    """Row of ``batch_row`` and amount."""
    batch_row: Ints
    """Most in one occurrence, and where its occurrences begin."""
    team_wip: Ints
    set_ptr: Ints
    """Sets of people."""
    kind: Ints
    """Classes of unplanned work and one more (K): people, hours of theirs (of ``open_slot``), law."""
    rates: Floats
    """Classes: tasks in such a slot; size not exceeded with a chance of 10, 50 and 90 %, mean size."""
    open_slot: Slots
    span: Ints
    """Spans and one more (Z): demand, row of the limit, begun, spans let in before it, let in with it, activities."""
    group: Ints
    """Groups with a cost and one more: activities; whether it is cost of delay."""
    rate_of: Floats
    """Groups: tardiness, due, flow, span, earliness, wanted, as in ``throttle.instance.Arrays``."""
    project_ptr: Ints
    """Projects and one more: activities."""
    quota_row: Ints
    """Quotas and one more: their part of ``quota``, row of ``bucket``, row of ``scopes`` or -1."""
    quota: Ints
    bucket: Slots
    scopes: Marks
    masks: Marks
    next_open: Slots
    occurrences: Slots
    frosts: Marks
    codes: Marks
    """People x slots: 0 where they are open, SHUT, or KEPT."""
    following: Slots
    """For each slot of each different row of codes, the first at or after it that is not SHUT."""
    push: bool
    """Whether what is ready is let in before its people are free."""
    able: bool
    """Whether others may take the place of those planned who are not free."""
    interrupts: bool
    rho: float
    """Correlation of normal scores within a group."""
    rework: float
    incident: float
    mend: float
    """Mean work of an incident."""
    deferred: float
    switching: float
    absences: float
    """Spells in a slot of each person."""
    away: float
    """Mean length of a spell."""
    week: int
    """Slots of a week."""
    resources: int
    """What an activity may wait for: people, their limits, teams, capacities, spans, sets of people, and nothing."""


class Space(NamedTuple):
    """Working space of one run, nobody else's."""

    load: Marks
    """People x slots: percent booked, or as in ``codes``."""
    item: Ints
    """Activities: state, links missing to its start and end, when it was ready and by whose end (or start), earliest
    finish, release; begin, end of the first pass, first done, last end; version of its events, passes before this one,
    since when it waits for which cause; length of the first pass and of this one; the test that it is worked again
    for; whether this pass fails; whether it waits for its turn, is counted in queues, is counted by limits already; its
    first and last piece of work; its place in a heap; times that it overran its window; 1 + the cause that holds it up
    at the end of the run; why it was worked again."""
    waits: Ints
    """Activities x causes."""
    seat: Ints
    """Seats: work of this pass, until when, whether left, person, next seat of that person."""
    person: Ints
    """First seat, items begun and unfinished, next in the order of the plan, when looked at again."""
    queue: Floats
    """Of each person, items that wait."""
    piece: Ints
    """First and last slot of a piece of work, and the next piece."""
    task: Ints
    """Unplanned: class, came, work, begun, done, next in the queue."""
    kind: Ints
    """Classes: first and last task of the queue, tasks that came, when looked at again."""
    class_next: Floats
    """Classes: the next task comes after so many slots in which somebody is at work."""
    resource: Ints
    """First of the heap, whether woken, list of those woken."""
    aside: Ints
    used: Ints
    team_held: Ints
    span: Ints
    """Whether let in; activities unfinished."""
    booked: Ints
    """Limits: demand in process."""
    quota: Ints
    batch: Ints
    satisfied: Ints
    """Links."""
    heap: Ints
    """Events."""
    counts: Ints
    area: Floats
    """Integrals of items ready and unfinished, and begun and unfinished, over time."""
    tally: Floats
    """Booked, overtime, sampled, unplanned, absent: in slots of one person; failed tests; failed changes, those of them
    that overran their window, changes taken as long as planned after too many of those."""


class Rows(NamedTuple):
    """Results, a row for each run; as in throttle.simulate.types.Sample, times in slots."""

    start: Slots
    finish: Slots
    work: Slots
    stuck: NDArray[np.uint8]
    overran: NDArray[np.uint8]
    projects: Slots
    begun: Slots
    costs: Floats
    where: NDArray[np.float32]
    waits: NDArray[np.float32]
    area: Floats
    """Of items ready and unfinished, of items begun and unfinished; last finish; items done; sum of their times."""
    tally: Floats
    arrivals: Ints
    sojourn: Floats
    waiting: Floats
    unfinished: Ints
    full: Ints
