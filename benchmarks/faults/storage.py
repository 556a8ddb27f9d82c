"""The database goes away, the disk is full, many write at once, and the clock steps."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.faults.processes import Figures
from benchmarks.faults.site import ROOT, TENANT, BrokenError, Site, document
from benchmarks.postgres import Postgres

from throttle_api.jobs.runner import Running
from throttle_api.jobs.states import State
from throttle_api.storage import Database, FullError, UnavailableError, audit, jobs, keys
from throttle_api.worker.embedded import EmbeddedWorker

FILLER = "filler"


def restarts(times: int, server: Postgres) -> Figures:
    """PostgreSQL is restarted at once while two workers solve and commit; they wait for it, and lose nothing."""
    rng = random.Random(4)
    with Site(server) as site:
        ids = site.submit(4)
        for _ in range(2):
            site.work("--silent", "20")
        site.wait(lambda: site.left() < 4)
        for _ in range(times):
            site.wait(lambda: True)
            ids += site.submit(2)
            time.sleep(rng.uniform(0.0, 2.0))
            server.restart()
        site.wait(lambda: site.left() == 0, 120 + 10.0 * len(ids))
        figures = site.inspect(ids)
        return {"restarts": times, **figures, "begun again": figures["attempts"] - len(ids)}


class SmallDisk:
    """A folder on a file system of its own that can be filled up; where that may not be mounted, one in which this
    process may write no file further than it is."""

    def __init__(self, folder: Path, megabytes: int = 6) -> None:
        folder.mkdir()
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
        try:
            self.mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        except OSError:
            self.mounted = False
        self.text = f"tmpfs of {megabytes} MB" if self.mounted else "no file may grow (RLIMIT_FSIZE)"

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self.empty()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)

    def fill(self) -> None:
        if not self.mounted:
            most = max(file.stat().st_size for file in self.folder.glob("throttle.db*"))
            self._limit(most)
            return
        with (self.folder / FILLER).open("wb", buffering=0) as out:
            for size in (1 << 16, 1 << 10, 1):
                with suppress(OSError):
                    while True:
                        out.write(b"\0" * size)

    def empty(self) -> None:
        if self.mounted:
            (self.folder / FILLER).unlink(missing_ok=True)
        else:
            self._limit(None)

    @staticmethod
    def _limit(most: int | None) -> None:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard if most is None else most, hard))


def disk_full(folder: Path) -> Figures:
    """The disk fills up while a job is solved: whoever writes is told so, readers are served, and when there is room
    again the job ends as if nothing had been."""
    with SmallDisk(folder) as disk, Site(folder=folder) as site:
        key = _key(site)
        worker = EmbeddedWorker(site.database, Running(nice=0))
        worker.start()
        try:
            (id,) = site.submit(1, items=40, people=6, budget=1.0)
            worker.wake()
            site.wait(lambda: site.job(id).state is State.RUNNING)
            disk.fill()
            told = 0
            for _ in range(20):
                try:
                    site.submit(1)
                except (FullError, UnavailableError):
                    told += 1
            if not told:
                raise BrokenError("the disk was not full")
            answers = _ask(site, key)
            time.sleep(3.0)  # the solve has ended, and cannot say so
            state = site.job(id).state
            if told == 20 and state is not State.RUNNING:
                raise BrokenError(f"the job was to wait for room, and is {state}")
            disk.empty()
            site.wait(lambda: site.left() == 0)
            with site.database.read(TENANT) as tx:
                ids = [job.id for job in jobs.find(tx)]
            return {"disk": disk.text, "writes refused": told, "answers": answers, **site.inspect(ids)}
        finally:
            disk.empty()
            worker.stop(0)


def _ask(site: Site, key: str) -> str:
    """What the service answers over HTTP: to a write, and to a read."""
    from fastapi.testclient import TestClient

    from throttle_api.service import create_service
    from throttle_api.settings import Settings

    settings = Settings(data=site.folder, names=("testserver",))
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(create_service(settings, site.database, site.queue), headers=headers) as client:
        request = {"portfolio": json.loads(document(16, 4)), "budget": 1}
        wrote, read = client.post("/v1/jobs", json=request), client.get("/v1/jobs")
    if wrote.status_code not in (503, 507) or read.status_code != 200:
        raise BrokenError(f"a write was answered {wrote.status_code}, a read {read.status_code}")
    return f"write {wrote.status_code}, read {read.status_code}"


def _key(site: Site) -> str:
    from throttle_api.auth import new_key

    id, key, hash = new_key()
    with site.database.write(TENANT) as tx:
        keys.add(tx, id, tenant=TENANT, name="faults", hash=hash, scopes=["read", "plan"])
    return key


def writers(count: int, seconds: float, server: Postgres | None = None) -> Figures:
    """So many processes write to one database as fast as they can: no error, and every commit is there."""
    with Site(server) as site:
        command = [sys.executable, "-m", "benchmarks.faults.storage", site.url, str(seconds)]
        running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(count)]
        said = [json.loads(process.communicate()[0] or b"{}") for process in running]
        if any("commits" not in one for one in said):
            raise BrokenError("a writer ended with an error")
        commits, errors = sum(one["commits"] for one in said), sum(one["errors"] for one in said)
        with site.database.read(TENANT) as tx:
            chain = audit.verify(tx, TENANT)
        if chain.broken or chain.entries != commits:
            raise BrokenError(f"{commits} commits, and {chain.entries} entries; {chain.why}")
        return {"writers": count, "commits": commits, "errors": errors}


def _write(url: str, seconds: float) -> dict[str, int]:
    """Add entries to the one chain of the audit log, each of which rests on the one before."""
    database, until = Database(url), time.monotonic() + seconds
    commits = errors = 0
    while time.monotonic() < until:
        try:
            with database.write(TENANT) as tx:
                audit.add(tx, "writer", "wrote", str(os.getpid()), {"n": commits})
            commits += 1
        except UnavailableError:
            errors += 1
    database.close()
    return {"commits": commits, "errors": errors}


def clock_steps(count: int) -> Figures:
    """The clock jumps by up to two days, back and forth, at every look: jobs end all the same, in the order of their
    numbers, and each once."""
    rng, lock = random.Random(5), threading.Lock()

    def clock() -> datetime:
        with lock:
            return datetime.now(UTC) + timedelta(seconds=rng.uniform(-172_800, 172_800))

    with Site() as site:
        database = Database(site.url, clock=clock)
        worker = EmbeddedWorker(database, Running(nice=0))
        worker.start()
        try:
            ids = site.submit(count, budget=0.3)
            site.wait(lambda: site.left() == 0, 120 + 10.0 * count)
        finally:
            worker.stop(0)
        with database.read(TENANT) as tx:
            for id in ids:
                numbers = [event.n for event in jobs.events(tx, id)]
                if numbers != sorted(set(numbers)):
                    raise BrokenError(f"the events of {id} are not in order")
        database.close()
        return {"steps": "up to 2 days, at every transaction", **site.inspect(ids)}


def cancels(times: int, portfolio: bytes) -> Figures:
    """Solves of the example organisation are cancelled at random moments: from the request to the end of the job."""
    rng, waited, kept = random.Random(6), [], 0
    with Site() as site:
        site.work()
        for seed in range(times):
            with site.database.write(TENANT) as tx:
                request = {"budget": 60, "seed": seed, "workers": 2}
                job, _ = jobs.submit(tx, "solve", request, {"portfolio": portfolio}, by="faults")
            site.wait(lambda job=job: site.job(job.id).progress is not None)  # type: ignore[misc]
            time.sleep(rng.uniform(0.2, 2.0))
            began = time.monotonic()
            with site.database.write(TENANT) as tx:
                jobs.ask_cancel(tx, job.id)
            site.wait(lambda job=job: site.job(job.id).ended)  # type: ignore[misc]
            waited.append(time.monotonic() - began)
            with site.database.read(TENANT) as tx:
                kept += jobs.result(tx, job.id) is not None
    waited.sort()
    return {
        "cancels": times,
        "with a plan": kept,
        "p50": round(waited[len(waited) // 2], 2),
        "p99": round(waited[min(len(waited) - 1, int(len(waited) * 0.99))], 2),
        "most": round(waited[-1], 2),
    }


if __name__ == "__main__":
    print(json.dumps(_write(sys.argv[1], float(sys.argv[2]))))
