"""Whether the goals after the cost are as low as any order of the work and any crews could make them, on small cases.

    python -m benchmarks.goals COUNT [--seed N] [--budget 0.5s]

Portfolios of three or four items, small enough to decode every order with every choice of people. Of all these
schedules that cost the least (and have the least flow measure), subordination begins at the one that is worst by drum
hours lost, drum hours in other work and switches, and should find the best. A JSON line for each case in which it does
not; the last line has the sums. Exit code 1 if a schedule breaks a rule, costs more than the one it began with, or is
worse by these goals.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.options import seconds, whole

from throttle.check.fast import check_schedule
from throttle.errors import ThrottleError
from throttle.instance import Schedule
from throttle.solve import Settings
from throttle.solve.decoder import Decoder
from throttle.subordinate import Measure, subordinate
from throttle.subordinate.measure import drum_people
from throttle_models import Goals

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.cases import compiled, small

NAMES = ("drum hours lost", "drum on other work", "context switches")


def case(seed: int, budget: float) -> dict[str, Any] | None:
    """What was there, what was found and what is the least; None where the portfolio cannot be planned."""
    made = small(seed)
    strict = Goals(drum=0.0, switches=0.0)
    made = made.model_copy(update={"policy": made.policy.model_copy(update={"goals": strict})})
    try:
        c = compiled(made)
    except ThrottleError:
        return None
    every = schedules(c.instance.arrays, Decoder(c.instance, compiled=False), c.instance.n)
    if not every:
        return None
    least = min(every, key=lambda s: (s.cost, s.flow))
    alike = [s for s in every if s.cost <= least.cost * (1 + 1e-9) and s.flow <= least.flow * (1 + 1e-9)]
    measure = Measure(c, drum_people(c, least), c.instance, native=False)

    def of(schedule: Schedule) -> tuple[int, ...]:
        return tuple(measure.of_schedule(schedule)[: len(NAMES)])

    before = max(alike, key=of)
    found = subordinate(c, before, Settings(budget=budget, deterministic=True)).schedule
    broken = bool(check_schedule(c.instance, found)) or found.cost > before.cost * (1 + 1e-9) or of(found) > of(before)
    return {"before": of(before), "found": of(found), "least": min(map(of, alike)), "broken": broken}


def schedules(a: Any, decoder: Decoder, n: int) -> list[Schedule]:
    """Of every order and every choice of people that has a place for all."""
    able = [
        a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist() for q in np.repeat(np.arange(len(a.work)), a.people)
    ]
    crews = [np.array(crew, np.int64) for crew in product(*able)]
    orders = [np.array(order, float) for order in permutations(range(n))]
    found = (decoder.decode(order, crew).schedule for order in orders for crew in crews)
    return [schedule for schedule in found if schedule is not None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=whole(1), help="portfolios")
    parser.add_argument("--seed", type=whole(0), default=0, help="of the first portfolio (0)")
    parser.add_argument("--budget", type=seconds, default=0.5, metavar="TIME", help="for each, as work (0.5s)")
    given = parser.parse_args()
    begun, sums = time.perf_counter(), {"cases": 0, "improvable": 0, "least": 0, "broken": 0}
    for seed in range(given.seed, given.seed + given.count):
        row = case(seed, given.budget)
        if row is None:
            continue
        sums["cases"] += 1
        sums["improvable"] += row["before"] > row["least"]
        sums["least"] += row["found"] <= row["least"]
        sums["broken"] += row["broken"]
        if row["broken"] or row["found"] > row["least"]:
            print(json.dumps({"seed": seed, "goals": NAMES, **row}), flush=True)
    print(json.dumps({**sums, "seconds": round(time.perf_counter() - begun, 1)}))
    return int(sums["broken"] > 0)


if __name__ == "__main__":
    sys.exit(main())
