"""Plain CP-SAT: the textbook model of an instance, as whoever reaches for the solver first would write it.

An interval for each activity, an optional one for each person who may take a seat of it, no overlap for each person, a
cumulative for each environment, linear costs. No hint, no redundant constraint, default parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ortools.sat.python import cp_model

from throttle.instance import Instance
from throttle.solve.exact.cpsat import new_solver
from throttle.solve.features import always_open, simple_links

if TYPE_CHECKING:
    from throttle.instance import Ints


@dataclass(frozen=True)
class Answer:
    """What a peer returns. Without a schedule: ``start`` None. ``bound`` is on the cost; None where there is none."""

    status: str
    start: Ints | None = None
    crew: Ints | None = None
    """The person in each seat, as in a Schedule."""
    bound: float | None = None
    note: str = ""


def durations(instance: Instance) -> Ints:
    """Slots from start to end of each activity, where nothing ever pauses one."""
    a = instance.arrays
    found = a.wait.copy()
    np.maximum.at(found, np.repeat(np.arange(instance.n), np.diff(a.need_ptr)), a.work)
    return found


def beyond_peers(instance: Instance) -> str:
    """Why the textbook models here cannot express an instance; empty if they can."""
    a = instance.arrays
    if not always_open(instance):
        return "calendars, windows, limits on work in process or shares of people"
    if not simple_links(instance):
        return "links other than finish to start"
    rates = (a.tardiness, a.flow, a.span, a.earliness, a.due, a.wanted)
    if any(np.abs(row - np.round(row)).max(initial=0) > 1e-6 for row in rates):
        return "costs or dates that are not whole"
    return ""


def solve_plain_cpsat(instance: Instance, budget: float, workers: int, seed: int) -> Answer:
    """``budget`` in seconds of search; building the model is not counted."""
    if why := beyond_peers(instance):
        return Answer("not modelled", note=why)
    a, length = instance.arrays, durations(instance)
    model = cp_model.CpModel()
    n, slots = instance.n, instance.slots
    start = [model.new_int_var(int(a.release[j]), slots, f"start{j}") for j in range(n)]
    end = [start[j] + int(length[j]) for j in range(n)]
    interval = [model.new_fixed_size_interval_var(start[j], int(length[j]), f"activity{j}") for j in range(n)]
    for j in range(n):
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            model.add(start[j] >= end[a.pred[e]])
    taken: dict[tuple[int, int], cp_model.IntVar] = {}
    work_of: list[list[cp_model.IntervalVar]] = [[] for _ in instance.people]
    for j in range(n):
        by_person: dict[int, list[cp_model.IntVar]] = {}
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist():
                taken[q, p] = model.new_bool_var(f"need{q} person{p}")
                by_person.setdefault(p, []).append(taken[q, p])
                work_of[p].append(
                    model.new_optional_fixed_size_interval_var(start[j], int(length[j]), taken[q, p], f"{q} {p}")
                )
            model.add(
                sum(taken[q, p] for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()) == int(a.people[q])
            )
        for choices in by_person.values():
            model.add_at_most_one(choices)
    for intervals in work_of:
        model.add_no_overlap(intervals)
    users: list[list[tuple[int, int]]] = [[] for _ in a.capacity]
    for j in range(n):
        for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
            users[a.use[u]].append((j, int(a.amount[u])))
    for capacity, uses in zip(a.capacity.tolist(), users, strict=True):
        model.add_cumulative([interval[j] for j, _ in uses], [amount for _, amount in uses], capacity)
    model.minimize(_cost(model, instance, start, end))
    solver = new_solver()
    solver.parameters.max_time_in_seconds = budget
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(solver.status_name(status).lower())
    crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
    for q in range(len(a.people)):
        able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
        crew[a.crew_ptr[q] : a.crew_ptr[q] + a.people[q]] = [p for p in able if solver.value(taken[q, p])]
    return Answer(
        solver.status_name(status).lower(),
        np.array([solver.value(s) for s in start], np.int64),
        crew,
        solver.best_objective_bound,
    )


def _cost(
    model: cp_model.CpModel, instance: Instance, start: Sequence[cp_model.IntVar], end: Sequence[cp_model.LinearExpr]
) -> cp_model.LinearExprT:
    """Tardiness, flow, span and earliness of the groups, each with a variable that is at least its amount."""
    a, slots = instance.arrays, instance.slots
    terms: list[cp_model.LinearExprT] = []
    for g in range(len(a.due)):
        members = a.member[a.member_ptr[g] : a.member_ptr[g + 1]].tolist()
        rates = {name: round(float(getattr(a, name)[g])) for name in ("tardiness", "flow", "span", "earliness")}
        due, wanted = round(float(a.due[g])), round(float(a.wanted[g]))
        if rates["flow"] or rates["span"]:
            last = model.new_int_var(0, 2 * slots, f"last{g}")
            for j in members:
                model.add(last >= end[j])
            terms.append((rates["flow"] + rates["span"]) * last)
        if rates["tardiness"]:
            late = model.new_int_var(0, 2 * slots + abs(due), f"late{g}")
            for j in members:
                model.add(late >= end[j] - due)
            terms.append(rates["tardiness"] * late)
        if rates["span"]:
            first = model.new_int_var(0, slots, f"first{g}")
            model.add_min_equality(first, [start[j] for j in members])
            terms.append(-rates["span"] * first)
        if rates["earliness"]:
            early = model.new_int_var(0, max(0, wanted), f"early{g}")
            for j in members:
                model.add(early >= wanted - start[j])
            terms.append(rates["earliness"] * early)
    return cp_model.LinearExpr.sum(terms)
