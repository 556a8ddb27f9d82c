"""Figures for Prometheus. No label has more values than the code has: no tenant, no id."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from throttle_api.jobs.states import State
from throttle_api.storage import SYSTEM, StorageError, jobs

if TYPE_CHECKING:
    from throttle_api.storage import Database

_REQUEST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What one application counts, and what the database says when it is asked."""

    def __init__(self, database: Database) -> None:
        self.collectors = CollectorRegistry()
        names = ("method", "route", "status")
        self._seconds = Histogram(
            "throttle_request_seconds",
            "Time to answer a request",
            names[:2],
            registry=self.collectors,
            buckets=_REQUEST,
        )
        self._count = Counter("throttle_requests", "Requests answered", names, registry=self.collectors)
        self.collectors.register(_Jobs(database))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH") else "other"
        self._seconds.labels(method, route).observe(seconds)
        self._count.labels(method, route, str(status)).inc()

    def text(self) -> bytes:
        """In the text format of Prometheus. Raises StorageError where the database does not answer."""
        return generate_latest(self.collectors)


class _Jobs(Collector):
    """Jobs of all tenants together; the last hour of finished ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterator[Metric]:
        return iter(())  # nothing is read when it is registered

    def collect(self) -> Iterator[Metric]:
        try:
            with self._database.read(SYSTEM) as tx:
                by_state: dict[str, int] = dict.fromkeys((s.value for s in State), 0)
                for (_, state), count in jobs.counts(tx).items():
                    by_state[state.value] += count
                oldest, now = jobs.oldest_waiting(tx), tx.now
                latest = [j for j in jobs.find(tx, limit=200) if j.ended and j.started and j.finished]
        except StorageError:
            yield GaugeMetricFamily("throttle_database_up", "Whether the database answers", 0)
            return
        yield GaugeMetricFamily("throttle_database_up", "Whether the database answers", 1)
        states = GaugeMetricFamily("throttle_jobs", "Jobs that are remembered, by state", labels=["state"])
        for name, count in by_state.items():
            states.add_metric([name], count)
        yield states
        yield GaugeMetricFamily("throttle_queue_depth", "Jobs that wait", by_state["QUEUED"])
        age = (now - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily(
            "throttle_queue_oldest_seconds", "How long the oldest waiting job has waited", max(0.0, age)
        )
        seconds = [(j.finished - j.started).total_seconds() for j in latest if j.finished and j.started]
        gaps = [j.summary["objective"]["gap"] for j in latest if j.summary and "objective" in j.summary]
        for title, what, values in (
            ("throttle_solve_seconds", "Time of the latest jobs, at most 200, from begin to end", seconds),
            ("throttle_solve_gap", "Gap of the latest plans, at most 200: (cost - proven bound) / cost", gaps),
        ):
            family = GaugeMetricFamily(title, what, labels=["quantile"])
            for share in (0.5, 0.9, 1.0):
                if values:
                    family.add_metric([f"{share:g}"], sorted(values)[ceil(share * len(values)) - 1])
            yield family
