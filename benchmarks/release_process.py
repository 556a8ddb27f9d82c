"""Touch and wait of a release process of 1,300 steps, with one habit after the other changed.

    python -m benchmarks.release_process [--batch 5] --budget 2s [--seed 1] [--workers 2] [--cold]

The portfolios are those of ``datasets/release-process``. A JSON line for the process as it is, for each habit changed
alone and for all of them. Of a component, from as-of to the end of its last step, by the clock, in hours (means over
the components): ``touch``, when somebody or a script works on it or its batch; ``wait``, the rest; and of the wait, the
first that holds: ``approval`` (the board has it), ``handoff`` (a ticket lies in a queue), ``batch`` (it is through a
stage and the others of its batch are not), ``closed`` (outside office hours), ``queue`` (people or places are taken by
others). ``flow_efficiency`` = touch / (touch + wait); ``in_office_hours``: the same of office hours alone.
``deployment_hours``: from the first step in production to the last.

A last line has each process against the one as it is, beside the talk's claim of 6 hours to 45 minutes, which is no
goal of the data. Exit code 1 if a plan did not pass.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.options import add_search, whole
from benchmarks.warm import warm_up
from benchmarks.watch import Watch

from throttle.planning import make_plan
from throttle_models import Plan, Portfolio
from throttle_models.quantities import ELAPSED, parse_minutes

FOLDER = str(Path(__file__).resolve().parents[1] / "datasets" / "release-process")
if FOLDER not in sys.path:
    sys.path.insert(0, FOLDER)

from release_process import OFFICE, STAGES, Habits, build_portfolio  # noqa: E402

Row = dict[str, Any]
Span = tuple[datetime, datetime]

SLOT, HOUR = timedelta(minutes=15), timedelta(hours=1)
CLAIM = (6.0, 0.75)
"""Hours of a deployment before and after, of the talk."""


def processes(batch: int) -> dict[str, Habits]:
    """The process as it is, and with habits changed."""
    return {
        "as it is": Habits(),
        "batch": Habits(batch=batch),
        "approvals": Habits(approvals="peer"),
        "handoffs": Habits(handoffs="together"),
        "environments": Habits(environments="one-click"),
        "all": Habits(batch, "peer", "together", "one-click"),
    }


def run(name: str, habits: Habits, seed: int, budget: float, workers: int, **size: int) -> Row:
    """Plan one process and measure it. Raises ThrottleError where there is no plan."""
    watch = Watch()
    made = build_portfolio(habits, seed=seed, **size)
    plan = make_plan(made, budget=budget, seed=seed, workers=workers)
    return {
        "process": name,
        "steps": plan.certificate.items,
        "seconds": watch.seconds,
        "verified": plan.certificate.checked and not plan.certificate.violations,
        "weeks": round((max(item.finish for item in plan.items.values()) - plan.as_of) / timedelta(weeks=1), 2),
        **touch_and_wait(made, plan),
    }


def touch_and_wait(made: Portfolio, plan: Plan) -> Row:
    """Means over the components, in hours by the clock."""
    slots = round((max(item.finish for item in plan.items.values()) - plan.as_of) / SLOT)
    lines = _Lines(made, plan, slots)
    rows = [lines.of(name) for name in lines.components]
    mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    parts = ("approval", "handoff", "batch", "closed", "queue")
    wait = sum(mean[part] for part in parts)
    return {
        "lead_hours": round(mean["touch"] + wait, 1),
        "touch_hours": round(mean["touch"], 2),
        "wait_hours": round(wait, 1),
        "wait_hours_by": {part: round(mean[part], 1) for part in parts},
        "flow_efficiency": round(mean["touch"] / (mean["touch"] + wait), 4),
        "in_office_hours": round(mean["touch"] / mean["open"], 4),
        "deployment_hours": round(mean["deployment"], 2),
        "deployment_touch_hours": round(mean["deployment_touch"], 2),
        "work_hours": round(lines.work_hours, 1),
    }


class _Lines:
    """What happens to each component in each slot of a plan."""

    def __init__(self, made: Portfolio, plan: Plan, slots: int) -> None:
        self.made, self.plan, self.slots = made, plan, slots
        self.of_owner: defaultdict[str, list[str]] = defaultdict(list)
        for id, item in made.work.items():
            self.of_owner[item.tags[0]].append(id)
        self.components = [owner for owner in self.of_owner if owner not in made.projects]
        hours = [a for item in plan.items.values() for a in item.assignments]
        self.work_hours = sum(((to - from_) / HOUR for a in hours for from_, to in a.work), 0.0)
        first = 24 * plan.as_of.weekday() + plan.as_of.hour
        hour = (first + np.arange(slots) // round(HOUR / SLOT)) % 168
        self.open = (hour // 24 < 5) & (hour % 24 >= OFFICE[0]) & (hour % 24 < OFFICE[1])

    def of(self, component: str) -> dict[str, float]:
        """Hours by what happens, and of the deployment to production."""
        own, items, work = self.of_owner[component], self.plan.items, self.made.work
        batch = work[own[0]].project
        shared = self.of_owner[batch] if batch else []
        end = self.at(max(items[id].finish for id in own))
        stages = ("build", *STAGES)
        leaves = {s: max(items[id].finish for id in own if s in work[id].tags) for s in stages}
        goes_on = [min(items[id].start for id in shared if items[id].start >= leaves[s]) for s in stages[:-1]]
        touched = self.worked([*own, *shared])
        holds = {
            "touch": touched,
            "approval": self.mask((items[i].start, items[i].finish) for i in shared if "approval" in work[i].tags),
            "handoff": self.mask(self.tickets([*own, *shared])),
            "batch": self.mask(zip((leaves[s] for s in stages[:-1]), goes_on, strict=True)),
            "closed": ~self.open,
            "queue": np.ones(self.slots, bool),
        }
        left = np.arange(self.slots) < end
        found = {}
        for name, mask in holds.items():
            found[name] = float((left & mask).sum()) * (SLOT / HOUR)
            left &= ~mask
        production = [id for id in own if "production" in work[id].tags]
        begun = min(items[id].start for id in production)
        found["open"] = float((self.open[:end] | touched[:end]).sum()) * (SLOT / HOUR)
        found["deployment"] = (max(items[id].finish for id in production) - begun) / HOUR
        found["deployment_touch"] = float(self.worked(production).sum()) * (SLOT / HOUR)
        return found

    def worked(self, ids: Sequence[str]) -> np.ndarray:
        """Slots in which somebody or a script works on one of them."""
        items, work = self.plan.items, self.made.work
        by_hand = [span for id in ids for a in items[id].assignments for span in a.work]
        return self.mask([*by_hand, *((items[id].start, items[id].finish) for id in ids if "script" in work[id].tags)])

    def tickets(self, ids: Sequence[str]) -> Iterable[Span]:
        """From the end of a step to when another team takes up its ticket."""
        for id in ids:
            for link in self.made.work[id].after:
                if link.lag != "0":
                    done = self.plan.items[link.item].finish
                    yield done, done + parse_minutes(link.lag, ELAPSED)

    def mask(self, spans: Iterable[Span]) -> np.ndarray:
        found = np.zeros(self.slots, bool)
        for from_, to in spans:
            found[self.at(from_) : self.at(to)] = True
        return found

    def at(self, moment: datetime) -> int:
        return round((moment - self.plan.as_of) / SLOT)


def against(rows: Sequence[Row]) -> Row:
    """Each process against the first: how many times shorter."""
    first = rows[0]
    keys = ("lead_hours", "deployment_hours", "deployment_touch_hours")
    return {
        "final": True,
        "times_shorter": {
            row["process"]: {key.removesuffix("_hours"): round(first[key] / row[key], 2) for key in keys}
            for row in rows[1:]
        },
        "talk": {"deployment_hours": CLAIM, "times_shorter": CLAIM[0] / CLAIM[1]},
        "most_seconds": max(row["seconds"] for row in rows),
        "verified": all(row["verified"] for row in rows),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    about = "Touch and wait of a release process."
    parser = argparse.ArgumentParser(prog="benchmarks.release_process", description=about)
    parser.add_argument("--batch", type=whole(1), default=5, help="components in a small batch (5)")
    add_search(parser, 2.0, "of the process and the search")
    given = parser.parse_args(arguments)
    if not given.cold:
        warm_up(given.workers)
    rows = []
    for name, habits in processes(given.batch).items():
        rows.append(run(name, habits, given.seed, given.budget, given.workers))
        print(json.dumps(rows[-1]), flush=True)
    last = against(rows)
    print(json.dumps(last), flush=True)
    return 0 if last["verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
