"""Why there is no plan at all: the smallest set of rules that exclude each other, in words a manager uses.

Deletion filtering (Chinneck and Dravnieks, "Locating minimal infeasible constraint sets", 1991) over groups of rules
that a person would recognise: each is left out in turn; where there still is no plan, it has nothing to do with it.
What is left is minimal: without any one of its parts there is a plan. That there is no plan is *proved* by dates and
links alone, or by CP-SAT on what must hold and nothing else; where neither can say, what is said is that it could not
be proved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from throttle.compile import Compiled, compile_portfolio
from throttle.errors import InputError
from throttle.graph import WorkGraph, time_of
from throttle.instance import with_all_before
from throttle.solve import Settings, Solver
from throttle.solve.bounds import Network
from throttle.solve.rules import Facts
from throttle_models import Finding, Freeze, Need, Portfolio, Reason, WorkItem

if TYPE_CHECKING:
    from throttle.instance import Instance

SECONDS = 5.0
"""For all tests together."""
OF_EACH = 0.5
"""At most, for one test."""


class Answer(Enum):
    PLAN = "there is a plan"
    NONE = "there is none"
    UNKNOWN = "could not prove"


@dataclass(frozen=True)
class Group:
    """A rule, or rules that belong together, as a person would name it."""

    name: str
    repair: str
    without: Callable[[Portfolio], Portfolio]
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """Groups that exclude each other."""

    groups: tuple[Group, ...]
    proved: bool
    """Whether it is proved that they do, all together."""
    minimal: bool
    """Whether without each of them there is a plan; else some of them may have nothing to do with it."""

    @property
    def text(self) -> str:
        names = [group.name for group in self.groups]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        verb = "cannot be kept" if len(names) == 1 else "exclude each other"
        proof = "" if self.proved else " as far as was found (could not prove it)"
        less = "" if self.minimal else "; some of them may have nothing to do with it"
        return f"{listed} {verb}{proof}{less}"

    def findings(self) -> list[Finding]:
        """One error with what excludes each other and its repairs."""
        ids = tuple(dict.fromkeys(id for group in self.groups for id in group.ids))
        repairs = "; or ".join(group.repair for group in self.groups)
        return [Finding(level="error", code="conflict", ids=ids, message=f"{self.text}. To repair it, {repairs}.")]


def find_conflict(compiled: Compiled, seconds: float = SECONDS) -> Conflict | None:
    """The smallest set of groups without a plan; None where none was found that, left out, would let one be found.

    compiled: as planned, on its widest horizon. seconds: of the clock, after which what is left is not minimal.
    """
    test = _Test(compiled, time.monotonic() + seconds)
    kept = groups(compiled)
    first = test.answer(kept, kept)
    if first is Answer.PLAN or test.answer([], kept) is not Answer.PLAN:
        return None
    every, proved = list(kept), first is Answer.NONE
    minimal = False
    while not minimal and not test.over:
        doubtful = False
        size = len(kept)
        for group in list(kept):
            less = [other for other in kept if other is not group]
            answer = test.answer(less, every)
            if answer is Answer.NONE or (answer is Answer.UNKNOWN and not proved and not test.over):
                kept = less
            doubtful |= answer is Answer.UNKNOWN
        # what could not be told with more groups around may be told once there are fewer
        minimal = not doubtful
        if len(kept) == size:
            break
    return Conflict(tuple(kept), proved, minimal)


def groups(compiled: Compiled) -> list[Group]:
    """What could stand in the way, that which seldom does first: it is then left out soon."""
    portfolio, ids = compiled.portfolio, set(compiled.instance.activities)
    found: list[Group] = []

    def policy(field: str, value: object, name: str, repair: str) -> None:
        if getattr(portfolio.policy, field) not in (None, False, {}, value):
            found.append(Group(name, repair, lambda p: _with_policy(p, **{field: value})))

    policy("conflict_hops", None, "policy.conflict_hops", "lower policy.conflict_hops or remove it")
    for kind, most in portfolio.policy.wip.items():
        name, repair = f"limit policy.wip.{kind} ({most})", f"raise policy.wip.{kind}"
        found.append(Group(name, repair, partial(_without_type, kind=kind)))
    policy("person_wip", None, f"limit policy.person_wip ({portfolio.policy.person_wip})", "raise policy.person_wip")
    policy("full_kit", False, "policy.full_kit", "remove policy.full_kit")
    policy("rope", None, "policy.rope", "lengthen policy.rope")
    most_projects = portfolio.policy.projects_in_process
    policy(
        "projects_in_process",
        None,
        f"limit policy.projects_in_process ({most_projects})",
        "raise policy.projects_in_process, or override it",
    )
    for id, person in portfolio.people.items():
        if person.wip:
            found.append(Group(f"limit of {id} (wip {person.wip})", f"raise people.{id}.wip", _person_wip(id), (id,)))
    for id, team in portfolio.teams.items():
        if team.wip:
            found.append(Group(f"limit of team {id} (wip {team.wip})", f"raise teams.{id}.wip", _team_wip(id)))
    for id, window in portfolio.windows.items():
        if window.changes is not None or window.risk is not None:
            name = f"what window {id} may hold"
            found.append(Group(name, f"raise changes or risk of windows.{id}", _window_caps(id), (id,)))
    for freeze in dict.fromkeys(portfolio.freezes):
        name = f"freeze {freeze.why or ', '.join(freeze.services) or 'of everything'}"
        found.append(Group(name, "move or shorten the freeze", _freeze(freeze)))
    for id, environment in portfolio.environments.items():
        if any(id in item.environment for item in portfolio.work.values()):
            name = f"capacity: {id} ({environment.capacity})"
            found.append(Group(name, f"raise the capacity of {id}", _environment(id), (id,)))
    core = {compiled.instance.activities[j] for j in core_of(compiled.instance)} - {""}
    holders = dict.fromkeys(h for id in sorted(core) for h in (id, *compiled.graph.ancestors(id)))
    for id in holders:
        item = portfolio.work[id]
        if item.change and item.change.approval and not item.change.approval.given:
            found.append(Group(f"approval of {id}", f"have {id} approved sooner", _approved(id), (id,)))
        if item.not_before is not None:
            found.append(Group(f"not_before of {id}", f"let {id} begin sooner", _at_once(id), (id,)))
        if item.after:
            names = ", ".join(dict.fromkeys(link.item for link in item.after))
            found.append(Group(f"{id} after {names}", f"remove a link of {id}", _unlinked(id), (id,)))
    for project in dict.fromkeys(compiled.graph.project_of(id) for id in sorted(core)):
        if project is not None and portfolio.projects[project].not_before is not None:
            found.append(
                Group(f"not_before of {project}", f"let {project} begin sooner", _project_at_once(project), (project,))
            )
    a = compiled.instance.arrays
    for id in portfolio.people:
        if any(compiled.instance.people[p] == id for p in a.candidate.tolist()):
            repair = f"free {id} then, or have somebody else do a part"
            found.append(Group(f"capacity: {id}", repair, _beside(id), (id,)))
    for pin in portfolio.policy.pins:
        if pin.work in ids:
            what = " and ".join(field for field in ("start", "who", "window", "on") if getattr(pin, field))
            found.append(
                Group(f"pin of {pin.work} ({what})", f"move the pin of {pin.work}", _unpinned(pin.work), (pin.work,))
            )
    pinned = {pin.work for pin in portfolio.policy.pins}
    for id, planned in portfolio.planned.items():
        if planned.frozen and id in ids and id not in pinned:
            repair = f"let {id} move: take frozen away from planned.{id}, or shorten policy.stability.frozen"
            found.append(Group(f"planned start of {id}, which is frozen", repair, _unfrozen(id), (id,)))
    return found


class _Test:
    """Whether there is a plan with some groups only."""

    def __init__(self, compiled: Compiled, until: float) -> None:
        self.compiled, self.until = compiled, until
        self.known: dict[frozenset[str], Answer] = {}

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.until

    def answer(self, kept: Sequence[Group], all_: Iterable[Group]) -> Answer:
        key = frozenset(group.name for group in kept)
        if key not in self.known:
            self.known[key] = self._answer([group for group in all_ if group.name not in key])
        return self.known[key]

    def _answer(self, out: Sequence[Group]) -> Answer:
        if self.over:
            return Answer.UNKNOWN
        portfolio = self.compiled.portfolio
        for group in out:
            portfolio = group.without(portfolio)
        try:
            known = {id: why for id, why in self.compiled.unscheduled.items() if why.reason is not Reason.UNSCHEDULED}
            compiled = compile_portfolio(portfolio, WorkGraph(portfolio), self.compiled.grid.slots, known)
        except InputError as problem:
            low = any(finding.code == "limit-too-low" for finding in problem.findings)
            return Answer.NONE if low else Answer.UNKNOWN
        instance = compiled.instance
        if Network(instance, Facts(instance)).pinned_too_early():
            return Answer.NONE
        if Solver(instance, Settings(budget=0.02, deterministic=True, workers=1)).solve().best is not None:
            return Answer.PLAN
        from throttle.solve.exact.refuted import refuted

        left = min(OF_EACH, self.until - time.monotonic())
        return Answer.NONE if left > 0 and refuted(instance, core_of(instance), left) else Answer.UNKNOWN


def core_of(instance: Instance) -> list[int]:
    """Pinned activities and those of a pinned day, and all that they wait for: the rest can always come later."""
    a = instance.arrays
    return with_all_before(a, np.flatnonzero((a.pin >= 0) | (a.first & ~a.exempt)).tolist())


# --- the portfolio without one group ----------------------------------------------------------------------------------

Change = Callable[[Portfolio], Portfolio]


def _with_policy(portfolio: Portfolio, **fields: object) -> Portfolio:
    return portfolio.model_copy(update={"policy": portfolio.policy.model_copy(update=fields)})


def _without_type(portfolio: Portfolio, kind: str) -> Portfolio:
    return _with_policy(portfolio, wip={k: v for k, v in portfolio.policy.wip.items() if k != kind})


def _entry(table: str, id: str, **fields: object) -> Change:
    """Sets fields of one entry of a table of the portfolio."""

    def change(portfolio: Portfolio) -> Portfolio:
        entries = getattr(portfolio, table)
        if id not in entries:
            return portfolio
        return portfolio.model_copy(update={table: {**entries, id: entries[id].model_copy(update=fields)}})

    return change


def _person_wip(id: str) -> Change:
    """No limit of their own; that of the policy is a group of its own, so it must not come in its place."""
    return _entry("people", id, wip=10_000)


def _team_wip(id: str) -> Change:
    return _entry("teams", id, wip=None)


def _window_caps(id: str) -> Change:
    return _entry("windows", id, changes=None, risk=None)


def _environment(id: str) -> Change:
    return _entry("environments", id, capacity=1_000_000)


def _at_once(id: str) -> Change:
    return _entry("work", id, not_before=None)


def _project_at_once(id: str) -> Change:
    return _entry("projects", id, not_before=None)


def _unlinked(id: str) -> Change:
    return _entry("work", id, after=())


def _approved(id: str) -> Change:
    def change(portfolio: Portfolio) -> Portfolio:
        item = portfolio.work[id]
        if item.change is None or item.change.approval is None:
            return portfolio
        approval = item.change.approval.model_copy(update={"given": True})
        return _entry("work", id, change=item.change.model_copy(update={"approval": approval}))(portfolio)

    return change


def _freeze(freeze: Freeze) -> Change:
    return lambda p: p.model_copy(update={"freezes": tuple(other for other in p.freezes if other != freeze)})


def _unpinned(id: str) -> Change:
    return lambda p: _with_policy(p, pins=tuple(pin for pin in p.policy.pins if pin.work != id))


def _unfrozen(id: str) -> Change:
    def change(portfolio: Portfolio) -> Portfolio:
        free = portfolio.planned[id].model_copy(update={"frozen": False})
        return portfolio.model_copy(update={"planned": {**portfolio.planned, id: free}})

    return change


def _beside(id: str) -> Change:
    """As if this person could do any number of things at once, each in its time: all take a hundredth of theirs."""

    def change(portfolio: Portfolio) -> Portfolio:
        person, work = portfolio.people[id], dict(portfolio.work)
        for name, item in portfolio.work.items():
            able = [
                id in need.who or (not need.who and person.skills.get(need.skill or "", 0) >= need.level)
                for need in item.needs
            ]
            if any(able):
                needs = tuple(_lightly(item, need) if may else need for need, may in zip(item.needs, able, strict=True))
                work[name] = item.model_copy(update={"needs": needs})
        return portfolio.model_copy(update={"work": work})

    return change


def _lightly(item: WorkItem, need: Need) -> Need:
    """The need for as long as before, at a hundredth of everyone's time."""
    lasts = time_of(item, need)
    spent = lasts if item.duration is not None else lasts * need.people * LITTLE
    return need.model_copy(update={"allocation": LITTLE, "remaining": spent})


LITTLE = 0.01
