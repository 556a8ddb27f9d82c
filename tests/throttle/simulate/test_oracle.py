"""The simulator against a second one, written plainly from the rules: hour by hour, without events and without arrays.

Only random numbers are taken from the simulator, which are a function of seed, run, item, purpose and count; everything
else (who works on what in which hour, what waits for what, what is done again) is worked out anew. Portfolios are small
and random: some people, needs of one or two of them, links with lags, projects in process, a place, windows, ranges of
times that share a part, failed tests and changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from support.cases import ALWAYS, OFFICE, plan_of, portfolio
from throttle.simulate import Model, Settings, model_of, simulate
from throttle.solve.kernels import kernels
from throttle_models import Plan, Portfolio

KERNEL: Any = kernels(False, "execution")
SEED, RUNS = 7, 12
OPENS, CLOSES = 20, 24
"""Hours of the day between which the window is open."""


def random_one(seed: int) -> Portfolio:
    drawn = Random(seed)
    people: dict[str, Any] = {f"p{k}": {} for k in range(drawn.randint(1, 3))}
    office = drawn.random() < 0.3
    work: dict[str, Any] = {}
    for k in range(drawn.randint(3, 9)):
        project = drawn.choice("XY")
        low, likely, high = sorted(drawn.randint(1, 12) for _ in range(3))
        crew = drawn.sample(list(people), min(len(people), drawn.choice((1, 1, 2))))
        before = [i for i in range(k) if work[f"W{i}"]["project"] == project and drawn.random() < 0.4]
        item: dict[str, Any] = {
            "project": project,
            "needs": [{"who": who, "effort": f"{low}h/{likely}h/{high}h"} for who in crew],
            "after": [{"item": f"W{i}", "lag": f"{drawn.choice((0, 0, 3, 30))}h", "lag_in": "elapsed"} for i in before],
        }
        kind = drawn.random()
        if kind < 0.25 and before:
            item["tags"] = ["test"]
        elif kind < 0.5 and not office:
            item |= {"type": "change", "change": {"kind": "standard", "window": "night"}}
            item["needs"] = [{"who": crew[0], "effort": drawn.choice(("2h", "1h/2h/5h"))}]
        elif kind < 0.7:
            item["environment"] = ["stage"]
        work[f"W{k}"] = item
    return portfolio(
        work,
        people,
        projects={"X": {"cost_of_delay": "30/hour"}, "Y": {"cost_of_delay": "10/hour"}},
        environments={"stage": {}},
        windows={"night": {"every": f"daily {OPENS}:00-{CLOSES}:00"}},
        calendars=OFFICE if office else ALWAYS,
        policy={"projects_in_process": 1} if drawn.random() < 0.4 else {},
        simulation={
            "unplanned": "none",
            "spread": None,
            "correlation": drawn.choice(("0%", "60%")),
            "tests": {"fail": "40%", "rework": 0.5},
            "changes": {"fail": "30%"},
        },
    )


@dataclass
class Job:
    """An item in one run."""

    id: str
    state: str = "waiting"
    """waiting, running, again (another attempt), held (for what it opened again) or done."""
    attempt: int = 0
    first: int = -1
    """When it began first, was ``done`` first, and ended last (``end``)."""
    done: int = -1
    end: int = -1
    left: dict[str, int] = field(default_factory=dict)
    """Hours that each of the crew has still to work in this attempt."""
    overruns: int = 0
    failing: bool = False
    rework_for: str | None = None


class Oracle:
    """One run of a plan, everything starting as soon as it can and is let in."""

    def __init__(self, made: Portfolio, plan: Plan, model: Model, run: int) -> None:
        self.made, self.plan, self.base = made, plan, KERNEL.base_of(SEED, run)
        self.number = {id: j for j, id in enumerate(model.items) if id}
        self.jobs = {id: Job(id) for id in plan.items}
        self.order = sorted(self.jobs, key=lambda i: (plan.items[i].start, plan.items[i].finish, self.number[i]))
        self.open_projects: set[str] = set()
        self.failed_tests = self.failed_changes = 0

    def run(self) -> None:
        t = 0
        while any(job.state != "done" for job in self.jobs.values()):
            assert t < 10_000
            for id in sorted(self.jobs, key=self.number.__getitem__):
                if self.jobs[id].state == "running" and not any(self.jobs[id].left.values()):
                    self.finish(self.jobs[id], t)
            for id in self.order:
                if self.ready(self.jobs[id], t) and self.let_in(self.jobs[id]) and self.can_begin(self.jobs[id], t):
                    self.begin(self.jobs[id], t)
            if self.at_work(t):
                for job in self.jobs.values():
                    if job.state == "running":
                        job.left = {who: max(0, hours - 1) for who, hours in job.left.items()}
            t += 1

    def at_work(self, t: int) -> bool:
        if "always" in self.made.calendars:
            return True
        return 9 <= (t + 8) % 24 < 17 and ((t + 8) // 24) % 7 < 5

    # --- beginning

    def ready(self, job: Job, t: int) -> bool:
        if job.state == "again":
            return True
        links = self.made.work[job.id].after
        done = [(self.jobs[link.item].done, int(str(link.lag).rstrip("h"))) for link in links]
        return job.state == "waiting" and all(end >= 0 and end + lag <= t for end, lag in done)

    def let_in(self, job: Job) -> bool:
        """At most so many projects are begun and unfinished."""
        project, most = self.made.work[job.id].project, self.made.policy.projects_in_process
        assert project is not None
        if job.state == "again" or project in self.open_projects or most is None:
            return True
        unfinished = {
            p
            for p in self.open_projects
            if any(self.jobs[i].done < 0 for i in self.jobs if self.made.work[i].project == p)
        }
        if len(unfinished) >= most:
            return False
        self.open_projects.add(project)
        return True

    def can_begin(self, job: Job, t: int) -> bool:
        running = [other for other in self.jobs.values() if other.state == "running"]
        busy = {who for other in running for who, hours in other.left.items() if hours}
        if not self.at_work(t) or busy & set(self.crew(job)):
            return False
        place = self.made.work[job.id].environment
        if place and any(self.made.work[other.id].environment for other in running):
            return False
        return not self.windowed(job) or OPENS <= (t + 8) % 24 <= CLOSES - self.planned(job)

    def crew(self, job: Job) -> list[str]:
        return [who for need in self.made.work[job.id].needs for who in need.who]

    def windowed(self, job: Job) -> bool:
        return self.made.work[job.id].change is not None

    def planned(self, job: Job) -> int:
        item = self.plan.items[job.id]
        return round((item.finish - item.start) / timedelta(hours=1))

    def begin(self, job: Job, t: int) -> None:
        item, j = self.made.work[job.id], self.number[job.id]
        job.state = "running"
        job.first = t if job.first < 0 else job.first
        z = KERNEL.normal(KERNEL.draw(self.base, j, KERNEL.DURATION, job.attempt))
        r = self.made.simulation.correlation
        if r:
            shared = KERNEL.draw(self.base, list(self.made.projects).index(item.project or ""), KERNEL.COMMON, 0)
            z = r**0.5 * KERNEL.normal(shared) + (1 - r) ** 0.5 * z
        for need in item.needs:
            assert need.effort is not None
            points = [point / timedelta(hours=1) for point in (need.effort.low, need.effort.likely, need.effort.high)]
            part = self.made.simulation.tests.rework if job.rework_for else 1.0
            hours = max(1, int(part * (KERNEL.from_range(*points, z) if points[0] < points[2] else points[1]) + 0.5))
            job.left[need.who[0]] = min(hours, self.planned(job)) if job.overruns >= KERNEL.MOST_OVERRUNS else hours
        job.failing = False
        if self.windowed(job):
            if job.rework_for is None:
                job.failing = KERNEL.draw(self.base, j, KERNEL.CHANGE, job.attempt) < 0.3
            room = CLOSES - (t + 8) % 24
            if max(job.left.values()) > room:
                job.overruns += 1
                job.failing, job.left = True, {who: min(hours, room) for who, hours in job.left.items()}

    # --- ending

    def finish(self, job: Job, t: int) -> None:
        j = self.number[job.id]
        if job.failing:
            self.failed_changes += 1
            job.attempt += 1
            job.state = "again"
        elif job.rework_for is not None:
            self.jobs[job.rework_for].state = "again"
            job.state, job.end, job.rework_for = "done", t, None
        elif "test" in self.made.work[job.id].tags and KERNEL.draw(self.base, j, KERNEL.TEST, job.attempt) < 0.4:
            self.failed_tests += 1
            job.attempt += 1
            before = [link.item for link in self.made.work[job.id].after]
            some = [i for i in sorted(before, key=self.number.__getitem__) if self.jobs[i].state == "done"]
            if not some:
                job.state = "again"
                return
            upstream = self.jobs[some[int(KERNEL.draw(self.base, j, KERNEL.UPSTREAM, job.attempt) * len(some))]]
            upstream.rework_for, upstream.state = job.id, "again"
            upstream.attempt += 1
            job.state = "held"
        else:
            job.state, job.done, job.end = "done", t, t


@pytest.mark.parametrize("seed", range(1, 41))
def test_runs_are_those_of_a_plain_simulation(seed: int) -> None:
    made = random_one(seed)
    plan = plan_of(made, budget=0.02)
    model = model_of(made, plan, Settings(start="free"))
    sample = simulate(model, RUNS, SEED, compiled=False)
    for run in range(RUNS):
        oracle = Oracle(made, plan, model, run)
        oracle.run()
        shown = [oracle.number[id] for id in oracle.jobs]
        assert [job.first for job in oracle.jobs.values()] == sample.start[run, shown].tolist(), run
        assert [job.end for job in oracle.jobs.values()] == sample.finish[run, shown].tolist(), run
        assert (oracle.failed_tests, oracle.failed_changes) == tuple(sample.failures[run].tolist()), run
    assert np.all(sample.unfinished == 0)
