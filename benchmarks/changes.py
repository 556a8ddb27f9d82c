"""Joint planning of changes against taking the first available slot, on the same generated changes.

    python -m benchmarks.changes CHANGES --budget 10s [--seed 1] [--workers 2] [--alike]

First available slot, as change calendars of service desks give it: one change after the other, in the order in which
they were asked for, each in the first slot that its window, the limits of the window, its implementers and other
changes on the same services leave. Joint: all at once, with changes on services up to two hops apart kept from
overlapping as well. Both obey the same limits on changes and risk in an occurrence, and the same checkers. One JSON
line: overlapping pairs within two hops, hours that changes wait from when they could begin, the cost of that, and the
risk of occurrences. ``ratio`` is first available / joint.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from benchmarks.options import add_search, whole
from benchmarks.warm import warm_up
from benchmarks.watch import Watch

from throttle.check.fast import check_schedule
from throttle.compile import Compiled, compile_portfolio, prepared
from throttle.instance import Schedule
from throttle.lift import lift
from throttle.planning import feasible_instance, make_plan
from throttle.policies.conflicts import distances
from throttle.solve.decoder import Decoder
from throttle_models import PlannedItem, Portfolio

Row = dict[str, Any]

HOPS = 2
WEEKS = 6
"""Over which changes are asked for."""
WINDOWS: Row = {
    "saturday-night": {"every": "Sat 22:00-06:00", "changes": 12, "risk": 40},
    "weeknight": {"every": "Tue,Thu 20:00-24:00", "changes": 5, "risk": 12},
    "lunch": {"every": "Mon-Fri 12:00-14:00", "changes": 3, "risk": 5},
}


def portfolio(changes: int, seed: int = 1, hops: int = HOPS, alike: bool = False) -> Portfolio:
    """The same changes for the same arguments: a service for four of them, an implementer for twelve.

    alike: an hour of waiting costs the same for all. A third of the changes are on a tenth of the services, those on
    which the others stand most often.
    """
    rng = np.random.default_rng(seed)
    names = [f"svc-{k}" for k in range(max(6, changes // 4))]
    services = {}
    for k, name in enumerate(names):
        below = {names[int(k * rng.random() ** 2)] for _ in range(int(rng.integers(0, 3)))}
        services[name] = {"depends_on": sorted(below - {name})}
    work: Row = {}
    for k, asked in enumerate(np.sort(rng.integers(0, WEEKS * 168, changes)).tolist()):
        popular = rng.random() < 1 / 3
        among = names[: max(1, len(names) // 10)] if popular else names
        change: Row = {"services": sorted({str(s) for s in rng.choice(among, int(rng.integers(1, 3)))})}
        change["risk"] = int(rng.integers(1, 6))
        shape = rng.random()
        if shape < 0.85:
            change["window"] = "saturday-night" if shape < 0.4 else "weeknight" if shape < 0.7 else "lunch"
            change["rollback"] = f"{int(rng.choice([0, 30]))}m"
        rate = int(rng.choice([1, 2, 3, 5, 8]))
        longest = 2 if change.get("window") == "lunch" else 5
        work[f"CHG-{k}"] = {
            "type": "change",
            "change": change,
            "not_before": f"{asked}h",
            "cost_of_delay": f"{1 if alike else rate}/hour",
            "needs": [{"skill": f"team-{int(rng.integers(3))}", "effort": f"{30 * int(rng.integers(1, longest))}m"}],
        }
    people = {f"p{k}": {"skills": [f"team-{k % 3}"]} for k in range(max(6, changes // 12))}
    return Portfolio.model_validate(
        {
            "as_of": "2026-01-05T00:00Z",
            "slot": "30m",
            "calendars": {"always": {"hours": "daily 00:00-24:00"}},
            "people": people,
            "services": services,
            "windows": WINDOWS,
            "work": work,
            "policy": {"conflict_hops": hops},
        }
    )


def first_available(made_from: Portfolio) -> tuple[Compiled, Schedule]:
    """In the order of the portfolio, each as early as it can. Raises ValueError where one has no place."""
    expanded, graph = prepared(made_from)
    compiled = feasible_instance(expanded.portfolio, graph)
    for _ in range(4):
        instance = compiled.instance
        found = Decoder(instance).decode(np.arange(instance.n, dtype=np.float64)).schedule
        if found is not None:
            if broken := check_schedule(instance, found):
                raise ValueError(f"the first available slots break a rule: {broken[0].message}")
            return compiled, found
        compiled = compile_portfolio(expanded.portfolio, graph, 3 * compiled.grid.slots, compiled.unscheduled)
    raise ValueError("a change has no place")


def figures(made_from: Portfolio, compiled: Compiled, items: dict[str, PlannedItem]) -> Row:
    """What a plan of the changes comes to."""
    near = {service: set(away) for service, away in distances(made_from, HOPS).items()}
    services = {id: set(change.services) for id in items if (change := made_from.work[id].change)}
    reach = {id: set().union(*(near[s] for s in own)) for id, own in services.items()}
    conflicts = sum(
        max(items[one].start, items[two].start) < min(items[one].finish, items[two].finish)
        and bool(reach[one] & services[two])
        for one, two in combinations(services, 2)
    )
    release = dict(zip(compiled.instance.activities, compiled.instance.arrays.release.tolist(), strict=True))
    waits = {id: (item.start - compiled.grid.instant(release[id])).total_seconds() / 3600 for id, item in items.items()}
    rates = {id: (made_from.work[id].cost_of_delay or 0.0) / 168 for id in items}
    risks: dict[object, int] = {}
    for id, item in items.items():
        change = made_from.work[id].change
        if item.window is not None and change is not None:
            key = change.window, item.window
            risks[key] = risks.get(key, 0) + (change.risk or 0)
    return {
        "two_hop_conflicts": conflicts,
        "waiting_hours": round(sum(waits.values()), 1),
        "waiting_cost": round(sum(rates[id] * hours for id, hours in waits.items()), 1),
        "most_risk": max(risks.values(), default=0),
        "mean_risk": round(sum(risks.values()) / max(1, len(risks)), 2),
    }


def compare(changes: int, seed: int, budget: float, workers: int, alike: bool = False) -> Row:
    """Both ways, and their ratios."""
    direct = portfolio(changes, seed, 0, alike)
    compiled, schedule = first_available(direct)
    first = figures(direct, compiled, lift(compiled, schedule))
    joint_portfolio = portfolio(changes, seed, HOPS, alike)
    watch = Watch()
    plan = make_plan(joint_portfolio, budget=budget, seed=seed, workers=workers)
    joint = figures(joint_portfolio, compiled, dict(plan.items))
    return {
        "changes": changes,
        "seed": seed,
        "alike": alike,
        "first_available": first,
        "joint": joint,
        "ratio": {
            name: round(first[name] / joint[name], 3) if joint[name] else None
            for name in ("two_hop_conflicts", "waiting_hours", "waiting_cost")
        },
        "seconds": round(watch.seconds, 2),
        "verified": plan.certificate.checked,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.changes", description="Joint plans of changes and first slots.")
    parser.add_argument("changes", type=whole(2), metavar="CHANGES", help="how many; 100 to 1,000 are usual")
    parser.add_argument("--alike", action="store_true", help="an hour of waiting costs the same for all changes")
    add_search(parser, 10.0, "of the changes and the search")
    options = parser.parse_args(arguments)
    if not options.cold:
        warm_up(options.workers)
    row = compare(options.changes, options.seed, options.budget, options.workers, options.alike)
    print(json.dumps(row), flush=True)
    return 0 if row["verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
