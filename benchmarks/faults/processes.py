"""Workers that are killed, and workers that are stopped and go on; and a queue that two of them drain."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import Any

from benchmarks.faults.site import BrokenError, Site
from benchmarks.postgres import Postgres

from throttle_api.jobs.states import State

Figures = dict[str, Any]
LATEST = 1.3
"""A process is killed at most so many times the usual time of a job after it has begun one: while it reads, solves,
commits, or has just committed."""


def kills_sqlite(times: int) -> Figures:
    """The serving process is killed at random moments, and begun again; the database is then whole, with each
    schedule once."""
    rng = random.Random(1)
    with Site() as site:
        ids, usual = [], site.usual_seconds()
        for _ in range(times):
            if site.left() < 2:
                ids += site.submit(min(4, times + 1))
            began = site.begun()
            process = site.work()
            site.wait(lambda began=began: site.begun() > began)  # type: ignore[misc]
            time.sleep(rng.uniform(0.0, LATEST * usual))
            site.kill(process)
        site.work()
        site.wait(lambda: site.left() == 0, 120 + 10.0 * len(ids))
        return {"kills": times, "seconds of a job": round(usual, 1), **site.inspect(ids)}


def kills_postgres(times: int, server: Postgres) -> Figures:
    """One of two workers is killed at random moments, and another one begun."""
    rng = random.Random(2)
    with Site(server) as site:
        usual = site.usual_seconds()
        ids = site.submit(min(4, times + 1))
        workers = [site.work(), site.work()]
        for k in range(times):
            process = workers[k % 2]
            site.wait(lambda process=process: site.runs_in(process.pid))  # type: ignore[misc]
            time.sleep(rng.uniform(0.0, LATEST * usual))
            site.kill(process)
            workers[k % 2] = site.work()
            if site.left() < 4:
                ids += site.submit(4)
        site.wait(lambda: site.left() == 0, 120 + 10.0 * len(ids))
        return {"kills": times, "seconds of a job": round(usual, 1), **site.inspect(ids)}


def stops(times: int, server: Postgres) -> Figures:
    """The worker that runs a job is stopped until it counts as gone and another one has begun the job, and then goes
    on: it finds an answer that it may no longer commit."""
    rng = random.Random(3)
    with Site(server) as site:
        for _ in range(2):
            site.work("--silent", "2")
        ids, fenced = [], 0
        for _ in range(times):
            (id,) = site.submit(1, budget=1.0)
            ids.append(id)
            site.wait(lambda id=id: site.job(id).state is State.RUNNING)  # type: ignore[misc]
            time.sleep(rng.uniform(0.0, 0.3))
            job = site.job(id)
            if job.worker is None or job.ended:
                continue
            pid = int(job.worker.split(":")[1])
            os.kill(pid, signal.SIGSTOP)
            try:
                site.wait(lambda id=id, job=job: site.job(id).attempt > job.attempt)  # type: ignore[misc]
                time.sleep(rng.uniform(0.0, 2.0))
            finally:
                os.kill(pid, signal.SIGCONT)
            fenced += 1
            site.wait(lambda id=id: site.job(id).ended)  # type: ignore[misc]
        time.sleep(1.0)  # whoever went on has tried to commit by then
        if fenced < times * 0.8:
            raise BrokenError(f"only {fenced} of {times} workers were stopped in time")
        return {"stops": fenced, **site.inspect(ids)}


def drain(count: int, server: Postgres) -> Figures:
    """Two workers empty a queue."""
    with Site(server) as site:
        ids = site.submit(count, items=6, people=4, budget=0.2)
        began = time.monotonic()
        workers = [site.work("--until-empty", "--silent", "10") for _ in range(2)]
        site.wait(lambda: site.left() == 0, 120 + 10.0 * count)
        seconds = time.monotonic() - began
        for worker in workers:
            worker.wait(60)
        return {"seconds": round(seconds, 1), **site.inspect(ids)}
