"""PyJobShop (``pip install pyjobshop``; only for comparison) on an instance.

Activities become tasks, people machines, environments renewable resources, groups with costs jobs. An activity that
several people do together is one task with a mode for each crew while these are few, and otherwise one task for each
seat, all of which start together. Costs that PyJobShop has no word for are reported, not approximated.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from itertools import product
from math import prod
from typing import Any

import numpy as np
from benchmarks.plain_cpsat import Answer, beyond_peers, durations

from throttle.instance import Instance

CREWS = 300
"""Up to so many crews, an activity has a mode for each."""


def available() -> bool:
    return find_spec("pyjobshop") is not None


def solve_pyjobshop(instance: Instance, budget: float, workers: int, seed: int) -> Answer:
    """``budget`` in seconds of search; building the model is not counted."""
    if why := beyond_peers(instance) or _no_word(instance):
        return Answer("not modelled", note=why)
    a, length = instance.arrays, durations(instance)
    model = import_module("pyjobshop").Model()
    people = [model.add_machine(name=p) for p in instance.people]
    places = [model.add_renewable(int(c)) for c in a.capacity]
    jobs, job_of = _jobs(model, instance)
    first_task: list[Any] = []
    seats_of_task: list[list[int]] = []
    modes: list[tuple[int, ...]] = []
    """For each task of the model, in order, the seats that it fills; for each mode the people in these."""

    def add_task(j: int, seats: list[int]) -> Any:
        seats_of_task.append(seats)
        return model.add_task(job=jobs[job_of[j]] if job_of[j] >= 0 else None, earliest_start=int(a.release[j]))

    for j in range(instance.n):
        needs = range(a.need_ptr[j], a.need_ptr[j + 1])
        seats = [seat for q in needs for seat in range(a.crew_ptr[q], a.crew_ptr[q] + a.people[q])]
        able = [a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist() for q in needs for _ in range(int(a.people[q]))]
        uses = [(places[a.use[u]], int(a.amount[u])) for u in range(a.use_ptr[j], a.use_ptr[j + 1])]
        together = len(seats) <= 1 or prod(map(len, able)) <= CREWS
        groups = [list(range(len(seats)))] if together else [[k] for k in range(len(seats))]
        task = None
        for number, group in enumerate(groups):
            seat_task = add_task(j, [seats[k] for k in group])
            crews = {tuple(sorted(c)): c for c in product(*(able[k] for k in group)) if len(set(c)) == len(c)}
            for chosen in crews.values():
                modes.append(chosen)
                shared = uses if number == 0 else []
                model.add_mode(
                    seat_task,
                    [people[p] for p in chosen] + [place for place, _ in shared],
                    int(length[j]),
                    [0] * len(chosen) + [amount for _, amount in shared],
                )
            if task is None:
                task = seat_task
            else:
                model.add_start_at_start(task, seat_task)
                model.add_start_at_start(seat_task, task)
        first_task.append(task)
    for j in range(instance.n):
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            model.add_end_before_start(first_task[a.pred[e]], first_task[j])
    model.set_objective(**_objective(instance))
    result = model.solve(time_limit=budget, num_workers=workers, display=False, random_seed=seed)
    status = result.status.value.lower()
    if not result.best.tasks:
        return Answer(status)
    start = np.zeros(instance.n, np.int64)
    crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
    position = {id(task): k for k, task in enumerate(model.tasks)}
    for j, task in enumerate(first_task):
        start[j] = result.best.tasks[position[id(task)]].start
    for seats, scheduled in zip(seats_of_task, result.best.tasks, strict=True):
        crew[seats] = modes[scheduled.mode]
    return Answer(status, start, crew, result.lower_bound)


def _no_word(instance: Instance) -> str:
    a = instance.arrays
    if (a.earliness > 0).any():
        return "earliness and tardiness with rates of their own"
    if (a.span > 0).any():
        return "the span of a project"
    if _makespan(instance):
        return ""
    if ((a.flow > 0) & (a.tardiness > 0)).any():
        return "flow and tardiness of one project"
    of_job = np.concatenate([a.member[a.member_ptr[g] : a.member_ptr[g + 1]] for g in _groups(instance)])
    return "activities with several costs" if len(np.unique(of_job)) < len(of_job) else ""


def _groups(instance: Instance) -> list[int]:
    a = instance.arrays
    return np.flatnonzero((a.flow > 0) | (a.tardiness > 0)).tolist()


def _makespan(instance: Instance) -> bool:
    return [instance.groups[g] for g in _groups(instance)] == ["portfolio"]


def _jobs(model: Any, instance: Instance) -> tuple[list[Any], list[int]]:
    """Jobs of the model, and for each activity which it belongs to, or -1."""
    a = instance.arrays
    job_of = [-1] * instance.n
    if _makespan(instance):
        return [], job_of
    jobs = []
    for k, g in enumerate(_groups(instance)):
        weight = round(float(max(a.flow[g], a.tardiness[g])))
        jobs.append(model.add_job(weight=weight, due_date=round(float(a.due[g])) if a.tardiness[g] else None))
        for j in a.member[a.member_ptr[g] : a.member_ptr[g + 1]].tolist():
            job_of[j] = k
    return jobs, job_of


def _objective(instance: Instance) -> dict[str, int]:
    a = instance.arrays
    if _makespan(instance):
        return {"weight_makespan": round(float(a.flow.max()))}
    return {
        "weight_total_tardiness": int((a.tardiness > 0).any()),
        "weight_total_flow_time": int((a.flow > 0).any()),
    }
