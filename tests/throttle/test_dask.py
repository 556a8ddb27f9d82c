"""Batches on a real Dask cluster of separate processes, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support import tasks
from support.portfolios import random_portfolio
from throttle import executors
from throttle.batch import Event, read_batch, run_batch
from throttle.check import check
from throttle.errors import InputError
from throttle.executors import open_executor, why_lost
from throttle.files import load_plan, save_portfolio
from throttle.planning import make_plan
from throttle.simulate import model_of, simulate
from throttle_models.batch import RunStatus

pytest.importorskip("distributed", reason="an optional extra")

PATH = {"PYTHONPATH": os.pathsep.join(sys.path)}


class Cluster:
    """A scheduler, and workers of one thread without a nanny, so that what is killed stays so."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        until = time.monotonic() + 30
        while not self.file.exists():
            assert time.monotonic() < until
            time.sleep(0.05)

    @property
    def engine(self) -> str:
        return json.loads(self.file.read_bytes())["address"].replace("tcp://", "dask://")  # type: ignore[no-any-return]

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{len(self.processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments, "--no-dashboard", "--scheduler-file", str(self.file)],
                cwd=self.folder, env=os.environ | PATH, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def add(self, count: int) -> None:
        for _ in range(count):
            self.workers.append(self._start("worker", "--no-nanny", "--nthreads", "1"))

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield found
    finally:
        found.close()


def test_a_cluster_plans_a_batch_though_a_worker_is_killed_in_the_middle(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(executors, "WORKERS_SECONDS", 0.1)
        with pytest.raises(InputError, match="has no worker: start some with dask worker"):
            open_executor(cluster.engine).__enter__()
    cluster.add(2)
    save_portfolio(random_portfolio(7, 5), tmp_path / "portfolio.json")
    (tmp_path / "runs.yaml").write_text(
        "portfolios: portfolio.json\nseeds: [1, 2]\nvariants: {as-is: , loose: {person_wip: null}}\nbudget: 0.1\n",
        encoding="utf-8",
    )
    with open_executor(cluster.engine) as executor:
        assert executor.submit(tasks.square, 3, plus=1).result() == 10
        with pytest.raises(LookupError, match="not here"):
            executor.submit(tasks.fail, "not here").result()
        until = time.monotonic() + 30
        while executor.width < 2 and time.monotonic() < until:  # counted now and then
            time.sleep(0.1)
        assert executor.width == 2
    begun: list[Event] = []

    def report(event: Event) -> None:
        if event.kind == "started":
            begun.append(event)
            if len(begun) == 2:  # both have begun to import what they need
                time.sleep(0.2)
                cluster.workers[0].kill()

    batch = read_batch(tmp_path / "runs.yaml")
    results = run_batch(batch, tmp_path / "out", engine=cluster.engine, report=report)
    assert [row.message for row in results.rows] == [""] * 4
    assert cluster.workers[0].wait(5) != 0
    for row in results.rows:
        assert row.checked
        assert check(load_plan(tmp_path / "out" / str(row.plan))).ok

    stop = threading.Event()
    began = time.monotonic()
    interrupted = run_batch(
        read_batch(tmp_path / "runs.yaml", budget=60), tmp_path / "out", engine=cluster.engine,
        report=lambda _: stop.set(), stop=stop,
    )  # fmt: skip
    assert time.monotonic() - began < 20
    assert {row.status for row in interrupted.rows} == {RunStatus.NOT_RUN}


def test_a_cluster_simulates_the_same_runs_as_one_thread(cluster: Cluster) -> None:
    cluster.add(1)
    made = random_portfolio(7, 5)
    model = model_of(made, make_plan(made, budget=0.1, deterministic=True))
    with open_executor(cluster.engine) as executor:
        there = simulate(model, 12, 5, executor=executor)
    here = simulate(model, 12, 5, workers=1)
    assert np.array_equal(there.projects, here.projects)
    assert np.array_equal(there.cost, here.cost)


def test_what_a_cluster_gives_up_is_told() -> None:
    from distributed.scheduler import KilledWorker

    assert "each worker of the cluster that tried it died" in str(why_lost(KilledWorker("task", None, 3)))
