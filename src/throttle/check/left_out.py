"""Whether what is left out of the schedule is left out for a reason that holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from throttle.check.buffers import Buffers
from throttle.check.clock import OpenTime, Span, intersection, pieces
from throttle.check.facts import Facts
from throttle.check.kinds import Violations
from throttle.check.schedule import Schedule, expected_work
from throttle_models import Need, Reason, Status, Unscheduled

CREWS = 5000
"""Most crews, whole or in part, that are tried for one item; people with the same open time count as one."""

DEPTH = 200
"""Most different open times in one crew that are looked at."""


class _TooManyCrewsError(Exception):
    pass


class LeftOut:
    """The plan's ``unscheduled`` activities, each against the one reason that it gives."""

    def __init__(self, schedule: Schedule, buffers: Buffers, violations: Violations) -> None:
        self._schedule, self._facts, self._say = schedule, schedule.facts, violations.add
        self._buffers = buffers
        self._holds: dict[Reason, Callable[[str], bool]] = {
            Reason.NO_HOLDER: self._no_holder,
            Reason.NO_COMMON_TIME: lambda name: self._impossible(name, windows=False),
            Reason.NO_WINDOW: self._no_window,
            Reason.NO_CAPACITY: self._no_capacity,
            Reason.EXTERNAL: self._external,
            Reason.UNSCHEDULED: self._waits,
            Reason.STATUS: lambda name: self._facts.work[name].status is Status.UNKNOWN,
            Reason.ON_HOLD: self._facts.held,
            Reason.BEYOND: lambda name: self._impossible(name, windows=True, links=True),
        }

    def check(self) -> None:
        activities = set(self._facts.activities)
        for name, left in self._schedule.plan.unscheduled.items():
            if name in activities:
                self._check(name, left)

    def _check(self, name: str, left: Unscheduled) -> None:
        holds = self._holds.get(left.reason)
        if holds is None:
            message = f"{name} is left out because of {left.reason}, which is a reason to begin later, not to leave out"
            self._say("wrong-reason", [name], message)
            return
        try:
            if not holds(name):
                self._say("wrong-reason", [name], f"{name} is left out because of {left.reason}, which does not hold")
        except _TooManyCrewsError:
            message = f"{name}: {left.reason} cannot be verified, as there are more than {CREWS} crews to try"
            self._say("unverifiable", [name], message, amount=CREWS)

    # one reason each

    def _no_capacity(self, name: str) -> bool:
        environments = self._facts.portfolio.environments
        return any(n > environments[e].capacity for e, n in self._facts.work[name].environment.items())

    def _external(self, name: str) -> bool:
        return (self._facts.portfolio.policy.externals == "hold" or name in self._facts.kit) and any(
            bound.external is not None and bound.external.expected is None for bound in self._facts.bounds(name)
        )

    def _waits(self, name: str) -> bool:
        left = self._schedule.plan.unscheduled
        return any(n in left for bound in self._facts.bounds(name) for n in bound.befores)

    def _no_window(self, name: str) -> bool:
        change = self._facts.work[name].change
        if change is not None and change.window is not None:
            most = self._facts.portfolio.windows[change.window].risk
            if most is not None and (change.risk or 0) > most:
                return True
        bound = change is not None and (change.window is not None or bool(self._facts.freezes(name)))
        return bound and self._impossible(name, windows=True)

    def _no_holder(self, name: str) -> bool:
        seats = [self._able(name, need) for need, _ in self._facts.needs(name).values() for _ in range(need.people)]
        if any(len(crew) != len(seats) for crew in self._pinned(name)):
            return True  # all who are pinned must work on it
        return not _covered(seats)

    def _able(self, name: str, need: Need) -> list[str]:
        pinned, people = self._pinned(name), self._facts.portfolio.people
        return [p for p in people if self._facts.may_do(p, need) and all(p in crew for crew in pinned)]

    def _pinned(self, name: str) -> list[set[str]]:
        return [set(pin.who) for pin in self._facts.pins(name) if pin.who]

    # no crew at any time

    def _impossible(self, name: str, windows: bool, links: bool = False) -> bool:
        """Whether there are crews and none can do it between its earliest bound and the horizon, alone in the plan.

        Open time counts; with ``windows`` the windows and freezes, with ``links`` what it waits for.
        """
        facts = self._facts
        if self._no_holder(name):
            return False
        room = _Room(facts, name, self._earliest(name, links), self._schedule.horizon, windows)
        choices = [_Choice(need, slots, tuple(self._able(name, need))) for need, slots in facts.needs(name).values()]

        # Calendars alone allow more than days off and productive hours, and are few: often they decide already.
        def times(calendar: bool) -> list[dict[str, list[OpenTime]]]:
            return [
                {p: facts.times_for(name, p, choice.slots, choice.need.allocation, calendar) for p in choice.able}
                for choice in choices
            ]

        return not _some_crew(room, choices, times(True)) or not _some_crew(room, choices, times(False))

    def _earliest(self, name: str, links: bool) -> int:
        """A slot before which the item cannot start; beyond the horizon where a finish is bound to be."""
        facts, clock = self._facts, self._facts.clock
        first = max([clock.as_of, *(clock.up(moment) for _, _, moment in facts.earliest(name))])
        for bound in facts.bounds(name) if links else ():
            base, before = self._schedule.base(bound)
            if bound.external is not None and bound.external.expected is not None:
                base, before = clock.up(clock.moment(bound.external.expected)), bound.link.item
            end = base + facts.lag(name, bound.link)[0]  # working time passes no faster than the clock
            if before is not None and (bound.bounds_start or end > self._schedule.horizon):
                first = max(first, end)
        for earlier, slots in self._buffers.before_drum(name) if links else ():
            first = max(first, self._schedule.placed[earlier].finish + slots)
        return first


@dataclass(frozen=True)
class _Choice:
    """A need, its slots, and who could do it."""

    need: Need
    slots: int
    able: tuple[str, ...]


class _Room:
    """Where in time one item could lie if it were alone."""

    def __init__(self, facts: Facts, name: str, first: int, horizon: int, windows: bool) -> None:
        self._clock, self._first, self._horizon = facts.clock, first, horizon
        self._total = facts.slots_of(name)
        self._places = facts.environment_times(name)
        self._freezes = facts.freezes(name) if windows else []
        self._may_pause = facts.may_pause(name) and self._total > 0
        change = facts.work[name].change
        self._occurrences: list[Span] | None = None
        if windows and change is not None and change.window is not None:
            rollback = change.rollback.total_seconds() if change.rollback else 0
            slot = self._clock.slot
            around = facts.occurrences(change.window, first * slot, horizon * slot)
            for day in facts.pinned_days(name):
                zone = facts.window_zone(change.window)
                around = [(a, b) for a, b in around if datetime.fromtimestamp(a, zone).date() == day]
            fits = ((self._clock.up(a), self._clock.down(b - rollback) - self._total + 1) for a, b in around)
            self._occurrences = sorted({(a, b) for a, b in fits if a < b})

    def holds(self, crew: Mapping[int, list[OpenTime]]) -> bool:
        """Whether the people with these open times, by the slots that they work, could do it together."""
        return self._with_pauses(crew) if self._may_pause else self._in_one_run(crew)

    def _with_pauses(self, crew: Mapping[int, list[OpenTime]]) -> bool:
        """From the first open slot after each freeze: a later start before the next freeze finishes no earlier."""
        slot = self._clock.slot
        everybody = [*dict.fromkeys(time for times in crew.values() for time in times), *self._places]
        for after in {self._first, *(max(self._first, self._clock.up(until)) for _, until in self._freezes)}:
            start = next((a for a, _ in pieces(everybody, after, self._horizon)), None)
            work = None
            if start is not None:
                work = expected_work({self._total: [], **crew}, self._places, start, self._horizon)
            if work is not None and start is not None:
                finish = work[self._total][-1][1]
                if not any(start * slot < until and finish * slot > freeze for freeze, until in self._freezes):
                    return True
        return False

    def _in_one_run(self, crew: Mapping[int, list[OpenTime]]) -> bool:
        starts: list[Span] = [(self._first, self._horizon - self._total + 1)]
        if starts[0][0] >= starts[0][1]:
            return False
        if self._occurrences is not None:
            # occurrences may overlap, and are not put together: a change lies within one of them
            return any(self._among([span], crew) for span in _parts(starts[0], self._occurrences))
        return self._among(starts, crew)

    def _among(self, starts: list[Span], crew: Mapping[int, list[OpenTime]]) -> bool:
        low, high = starts[0][0], starts[-1][1]
        for freeze, until in self._freezes:
            before, after = self._clock.down(freeze) - self._total + 1, self._clock.up(until)
            starts = intersection(starts, [(min(low, before) - 1, before), (after, max(high, after) + 1)])
        for slots, times in [*crew.items(), (self._total, self._places)]:
            for time in dict.fromkeys(times):
                long_enough = [(a, b - slots + 1) for a, b in time.spans(low, high + slots) if b - a >= slots]
                starts = intersection(starts, long_enough)
        return bool(starts)


def _parts(span: Span, others: Sequence[Span]) -> list[Span]:
    """The part of each of the others that lies in a span."""
    clipped = ((max(span[0], a), min(span[1], b)) for a, b in others)
    return [(a, b) for a, b in clipped if a < b]


def _some_crew(room: _Room, choices: Sequence[_Choice], times: Sequence[Mapping[str, Sequence[OpenTime]]]) -> bool:
    """Whether different people cover all needs and find room together.

    Only which open times take part matters to the room, and fewer leave more of it. So sets of (need, open time) grow
    one by one, and one for which there is no room grows no further. No need uses more open times than it has people.
    """
    different = [dict.fromkeys(time for some in by.values() for time in some) for by in times]
    options = [(i, time) for i, some in enumerate(different) for time in some]
    tried = 0

    def grow(chosen: tuple[tuple[int, OpenTime], ...], next_option: int) -> bool:
        nonlocal tried
        tried += 1
        if tried > CREWS or len(chosen) > DEPTH:
            raise _TooManyCrewsError
        crew: dict[int, list[OpenTime]] = {}
        for i, time in chosen:
            crew.setdefault(choices[i].slots, []).append(time)
        if not room.holds(crew):
            return False
        seats = [
            [p for p in choice.able if any((i, time) in chosen for time in times[i][p])]
            for i, choice in enumerate(choices)
            for _ in range(choice.need.people)
        ]
        if _covered(seats):
            return True
        return any(
            grow((*chosen, option), k + 1)
            for k, option in enumerate(options)
            if k >= next_option and sum(i == option[0] for i, _ in chosen) < choices[option[0]].need.people
        )

    return grow((), 0)


def _covered(seats: Sequence[Sequence[str]]) -> bool:
    """Whether each seat can be given to one of its people, all different: bipartite matching by augmenting paths."""
    seat_of: dict[str, int] = {}
    person_in: dict[int, str] = {}
    for seat in range(len(seats)):
        asked_by: dict[str, int] = {}
        queue, mover = [seat], None
        while queue and mover is None:
            at = queue.pop()
            for person in seats[at]:
                if person not in asked_by:
                    asked_by[person] = at
                    if person not in seat_of:
                        mover = person
                        break
                    queue.append(seat_of[person])
        if mover is None:
            return False
        while mover is not None:  # into the seat that asked; whoever sat there moves on in the same way
            at = asked_by[mover]
            seat_of[mover] = at
            person_in[at], mover = mover, person_in.get(at)
    return True
