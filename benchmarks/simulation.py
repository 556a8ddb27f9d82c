"""The simulator against theory, its laws, its speed, the table of push against limits, and calibrated forecasts.

``python -m benchmarks.simulation [theory] [laws] [speed] [table] [calibration]``: all, or those named. Prints JSON
lines, and ends with 1 where something that must hold does not.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from benchmarks.calibration import cpu_seconds
from benchmarks.portfolios import synthetic

from throttle.demo import demo_folder
from throttle.files import load_portfolio
from throttle.planning import make_plan
from throttle.simulate import Release, Sample, Settings, model_of, simulate
from throttle_models import Portfolio

Line = dict[str, Any]
SURE = 2.878
"""Student's t of 18 degrees at 99 %."""
RUNS, WEEKS = 19, 40
CORES = 2
"""Of the machine that the limits of time are meant for."""
MOST_SECONDS = {"example": 10.0, "1000 items": 60.0}
RANGE = (1.0, 2.0, 6.0)
"""Hours not exceeded with a chance of 10, 50 and 90 %."""


def of(**data: Any) -> Portfolio:
    """A portfolio whose people are always at work."""
    return Portfolio.model_validate(
        {"as_of": "2026-11-23T08:00", "calendars": {"always": {"hours": "daily 00:00-24:00"}}, **data}
    )


# --- queues --------------------------------------------------------------------------------------------------------


def theory() -> Iterator[Line]:
    """Waiting before unplanned work begins, in hours, against what queueing theory says."""
    first, second = moments(*RANGE)
    cases: list[tuple[str, int, float, Line, float]] = [
        ("M/M/1", 1, 0.7, {"effort": "60m", "law": "exponential"}, 0.7 / 0.3),
        ("M/M/1", 1, 0.8, {"effort": "60m", "law": "exponential"}, 0.8 / 0.2),
        ("M/M/2", 2, 0.8, {"effort": "60m", "law": "exponential"}, erlang(2, 1.6) / 0.4),
        ("M/M/3", 3, 0.8, {"effort": "60m", "law": "exponential"}, erlang(3, 2.4) / 0.6),
        ("M/D/1", 1, 0.8, {"effort": "60m", "law": "fixed"}, 0.8 / 0.4),
        ("M/G/1", 1, 0.7, {"effort": "1h/2h/6h", "law": "range"}, 0.7 / first * second / (2 * 0.3)),
    ]
    plan = made(of(slot="1m", people={"p0": {}}, work={"W": {"wait": f"{WEEKS}w"}}))
    for name, servers, load, task, wait in cases:
        mean = first if task["law"] == "range" else 1.0
        made_from = of(
            slot="1m",
            people={f"p{k}": {"skills": ["a"]} for k in range(servers)},
            work={"W": {"wait": f"{WEEKS}w"}},
            simulation={"unplanned": {"a": {**task, "per_week": load * servers * 168 / mean}}},
        )
        model = model_of(made_from, plan, Settings(weeks=WEEKS + 0.1))  # the plan is to wait, whoever is there
        sample = simulate(model, RUNS, 1, compiled=True)
        found = sample.waiting[:, 0]
        error = float(found.std(ddof=1) / math.sqrt(RUNS))
        yield {
            "part": "theory", "case": name, "load": load, "waits": round(float(found.mean()), 4),
            "theory": round(wait, 4), "half_width_99": round(SURE * error, 4), "tasks": int(sample.arrivals.sum()),
            "ok": abs(float(found.mean()) - wait) <= SURE * error,
        }  # fmt: skip


def erlang(servers: int, offered: float) -> float:
    """Chance that a task must wait (Erlang's C)."""
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(terms) + last)


def moments(low: float, likely: float, high: float) -> tuple[float, float]:
    """Mean and mean square of the two-piece lognormal distribution: E[X^k; z > 0] = likely^k exp(k^2 s^2 / 2) Phi(k s)
    with s = ln(high / likely) / 1.2816, and alike below."""

    def phi(z: float) -> float:
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))

    up, down = (math.log(side) / 1.2815515655446004 for side in (high / likely, likely / low))
    found = [
        likely**k * (math.exp(k * k * up * up / 2) * phi(k * up) + math.exp(k * k * down * down / 2) * phi(-k * down))
        for k in (1, 2)
    ]
    return found[0], found[1]


def made(portfolio: Portfolio, budget: float = 0.2) -> Any:
    return make_plan(portfolio, budget=budget, deterministic=True, workers=1)


# --- laws and speed ------------------------------------------------------------------------------------------------

EVERYTHING: Line = {
    "unplanned": {"oracle": {"per_week": 4, "effort": "1h/2h/8h"}},
    "absences": {"per_year": 4},
    "tests": {"skills": ["qa"], "fail": "15%"},
    "changes": {"fail": "10%", "incident": "50%"},
    "correlation": "20%",
    "switching": 0.002,
}


def example(said: Line | None = None) -> tuple[Portfolio, Any]:
    """The example organisation and a plan of it."""
    portfolio = load_portfolio(demo_folder())
    if said is not None:
        portfolio = portfolio.model_copy(update={"simulation": type(portfolio.simulation).model_validate(said)})
    return portfolio, make_plan(portfolio, budget=4, deterministic=True)


def laws() -> Iterator[Line]:
    """Residuals of Little's law and of the conservation of work, with everything that can go wrong."""
    portfolio, plan = example(EVERYTHING)
    for start in ("gained", "planned", "free"):
        sample = simulate(model_of(portfolio, plan, Settings(start=start)), 200, 1)
        yield {
            "part": "laws", "start": start, "little": float(sample.little.max()), "work": float(sample.balance.max()),
            "failed_tests": float(sample.failures[:, 0].mean()), "unplanned_hours": float(sample.unplanned.mean()),
            "ok": bool(sample.little.max() < 0.02 and sample.balance.max() < 1e-6),
        }  # fmt: skip


def speed() -> Iterator[Line]:
    """Processor seconds of 1,000 runs, on so many cores."""
    large = synthetic(1000, 40, seed=1)
    office = {next(iter(large.calendars), "office"): {"hours": "Mon,Wed,Fri 09:00-13:00"}}  # so that it takes 26 weeks
    large = Portfolio.model_validate({**large.model_dump(mode="json", exclude_defaults=True), "calendars": office})
    for name, (portfolio, plan) in (
        ("example", example()),
        ("1000 items", (large, make_plan(large, budget=10, deterministic=True))),
    ):
        model = model_of(portfolio, plan)
        simulate(model, 32, 2, compiled=True)  # loads the compiled code
        began, wall = cpu_seconds(), time.perf_counter()
        sample = simulate(model, 1000, 1, compiled=True, workers=CORES)
        cpu, wall = cpu_seconds() - began, time.perf_counter() - wall
        last = float(model.schedule.end.max()) * model.instance.weeks
        yield {
            "part": "speed", "case": name, "items": model.instance.n, "weeks": round(last, 1), "runs": sample.runs,
            "cpu_seconds": round(cpu, 2), "seconds_on_2_cores": round(cpu / CORES, 2), "wall_seconds": round(wall, 2),
            "unfinished": float(sample.unfinished.mean()), "ok": cpu / CORES <= MOST_SECONDS[name],
        }  # fmt: skip


# --- push against limits -------------------------------------------------------------------------------------------

COSTS, LIMITS = (0.0, 0.005, 0.01), (2, 3, 4, 5, 6, 8, 10, 12, 15)
JOBS, LOAD = 1200, 0.88


def table() -> Iterator[Line]:
    """Mean hours from arrival to done at one drum, 88 % loaded, by switching cost for each item that waits."""
    found: dict[float, dict[str, float]] = {}
    for cost in COSTS:
        rows: list[dict[str, float]] = []
        for seed in (1, 2, 3):
            portfolio = jobs(seed, cost)
            model = model_of(portfolio, made(portfolio, 0.5), Settings(start="free", crews="able", weeks=60))
            rows.append(
                {
                    "push" if limit is None else str(limit): lead(
                        model, simulate(model, 12, seed, release=Release(projects=limit), compiled=True)
                    )
                    for limit in (None, *LIMITS)
                }
            )
        found[cost] = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        yield {"part": "table", "switching": cost, "hours": {k: round(v, 2) for k, v in found[cost].items()}}
    best = {cost: min(v for k, v in row.items() if k != "push") for cost, row in found.items()}
    yield {
        "part": "table", "case": "shape",
        "none": "no gain, and a limit of 3 does harm", "half": "a limit gains", "whole": "push is unstable",
        "ok": best[0.0] >= 0.97 * found[0.0]["push"] and found[0.0]["3"] >= 1.1 * found[0.0]["push"]
        and best[0.005] <= 0.8 * found[0.005]["push"] and best[0.01] <= 0.25 * found[0.01]["push"],
    }  # fmt: skip


def jobs(seed: int, cost: float) -> Portfolio:
    """Projects that come at random: an hour of anyone of six, then an hour of the drum, on the average."""
    drawn = random.Random(seed)
    low, likely, high = 0.35, 0.75, 1.9
    mean, _ = moments(low, likely, high)
    at, work, projects = 0.0, {}, {}
    estimate = "/".join(f"{round(60 * x)}m" for x in (low, likely, high))
    for k in range(JOBS):
        at += drawn.expovariate(LOAD / mean)
        fields = {"project": f"P{k}"}
        projects[f"P{k}"] = {"cost_of_delay": "100/week"}
        work[f"A{k}"] = {**fields, "needs": [{"skill": "any", "effort": estimate}], "not_before": f"{round(at)}h"}
        work[f"B{k}"] = {**fields, "needs": [{"skill": "drum", "effort": estimate}], "after": [f"A{k}"]}
    people: Line = {f"p{k}": {"skills": ["any"]} for k in range(6)}
    people["drum"] = {"skills": ["drum"]}
    return of(slot="5m", people=people, work=work, projects=projects, simulation={"switching": cost})


def lead(model: Any, sample: Sample) -> float:
    """Mean hours from arrival to done; the first and last sixth of the jobs are left out."""
    number = {id: j for j, id in enumerate(model.items) if id}
    kept = range(JOBS // 6, JOBS - JOBS // 6)
    a, b = [number[f"A{k}"] for k in kept], [number[f"B{k}"] for k in kept]
    return float((sample.finish[:, b] - model.instance.arrays.release[a]).mean() * model.hours_per_slot)


# --- calibration ---------------------------------------------------------------------------------------------------


def calibration() -> Iterator[Line]:
    """How many held-out histories end by the p80 of forecasts: with the true ranges, and with ranges learned from 60
    finished items of each kind."""
    true = {"a": (3.0, 8.0, 20.0), "b": (2.0, 3.0, 9.0), "c": (10.0, 16.0, 24.0)}
    inside: dict[str, list[float]] = {"true ranges": [], "learned ranges": []}
    for seed in range(20):
        history = forecast_of(true, seed, 400, 1000 + seed)
        inside["true ranges"].append(_covered(forecast_of(true, seed, 400, 1), history))
        learned = {kind: learn(estimate, seed * 7 + k) for k, (kind, estimate) in enumerate(true.items())}
        inside["learned ranges"].append(_covered(forecast_of(learned, seed, 400, 1), history))
    for name, shares in inside.items():
        line = {
            "part": "calibration", "case": name, "histories": 400 * len(shares),
            "covered_by_p80": round(float(np.mean(shares)), 4),
        }  # fmt: skip
        if name == "true ranges":  # errors of what is learned come on top, and nothing in a forecast knows them
            line["ok"] = 0.75 <= float(np.mean(shares)) <= 0.85
        yield line


def _covered(forecast: Sample, history: Sample) -> float:
    p80 = np.quantile(forecast.projects, 0.8, axis=0, method="inverted_cdf")
    return float((history.projects <= p80).mean())


def learn(estimate: tuple[float, float, float], seed: int) -> tuple[float, float, float]:
    """Points of 10, 50 and 90 % of 60 finished items."""
    from throttle.solve.kernels import kernels

    kernel, drawn = kernels(False, "execution"), np.random.default_rng(seed)
    times = [kernel.from_range(*estimate, float(z)) for z in drawn.standard_normal(60)]
    low, likely, high = np.quantile(times, (0.1, 0.5, 0.9))
    return float(low), float(likely), float(high)


def forecast_of(ranges: dict[str, tuple[float, float, float]], seed: int, runs: int, draws: int) -> Sample:
    """Three projects of ten items of these kinds, two people of each skill, an office calendar."""
    drawn = random.Random(seed)
    work: Line = {}
    for project in "PQR":
        for k in range(10):
            kind = drawn.choice("abc")
            effort = "/".join(f"{max(1, round(60 * x))}m" for x in ranges[kind])
            after = [f"{project}{drawn.randrange(k)}"] if k and drawn.random() < 0.6 else []
            work[f"{project}{k}"] = {"project": project, "needs": [{"skill": kind, "effort": effort}], "after": after}
    data = {
        "as_of": "2026-11-23T08:00",
        "slot": "15m",
        "calendars": {"office": {"hours": "Mon-Fri 09:00-17:00"}},
        "people": {f"{kind}{k}": {"skills": [kind]} for kind in "abc" for k in range(2)},
        "projects": {p: {"cost_of_delay": "10/week"} for p in "PQR"},
        "work": work,
    }
    portfolio = Portfolio.model_validate(data)
    return simulate(model_of(portfolio, made(portfolio)), runs, draws, compiled=True)


PARTS: dict[str, Callable[[], Iterator[Line]]] = {
    "theory": theory, "laws": laws, "speed": speed, "table": table, "calibration": calibration,
}  # fmt: skip


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    ok = True
    for name in parser.parse_args().parts or PARTS:
        for line in PARTS[name]():
            print(json.dumps(line), flush=True)
            ok &= line.get("ok", True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
