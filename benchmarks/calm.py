"""How much of a plan moves after a slip of a day, and what of it moves without the policy that keeps it calm.

    python -m benchmarks.calm ITEMS PEOPLE [--plans N] [--slips N] [--frozen 7d] [--move 200/day] --budget 5s [--cold]

A synthetic portfolio on calendars is planned. A day later all has gone by that plan, except that one item slips: in
progress, it needs a day (8 h) more; still to begin within the frozen zone, it can do so a day later only. It is planned
again. A JSON line for each slip (near: starts within the frozen zone; moved: of these,
those that changed; pins_moved, pins of the policy that did), and a last one with the shares. Exit code 1 where a plan
does not pass the checker, a pin moves, or more than a tenth of all near starts move.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import networkx as nx
from benchmarks.options import add_search, whole
from benchmarks.variants import portfolio
from benchmarks.warm import warm_up

from throttle.graph import WorkGraph
from throttle.planning import make_plan
from throttle.replan import advance
from throttle_models import Plan, Portfolio, When, format_instant

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
PINS = 5
"""Starts of the first plan that the policy pins before it is planned again."""


def a_day_later(plan: Plan, slipped: str, frozen: str | None, move: str, pins: Sequence[str]) -> Portfolio:
    """The portfolio of a plan a day after: all as planned, but for one item that slips by a day."""
    if plan.portfolio is None:
        raise ValueError("the plan carries its portfolio")
    data: dict[str, Any] = plan.portfolio.model_dump(mode="json", exclude_defaults=True)
    now = plan.as_of + DAY
    data["as_of"] = format_instant(now)
    for project in data["projects"].values():
        for field in ("due", "not_before"):  # relative ones count from as_of
            if field in project:
                moment = When.model_validate(project[field]).resolve(plan.as_of, ZoneInfo(plan.zone))
                project[field] = format_instant(moment)
    for id, item in plan.items.items():
        if item.start < now < item.finish:
            data["work"][id] |= {"status": "in-progress", "started": format_instant(item.start)}
            late = DAY / 3 if id == slipped else timedelta(0)  # eight hours of work
            for k, need in enumerate(data["work"][id].get("needs", ())):
                left = max((_left(a.work, now) for a in item.assignments if a.need == k), default=timedelta(0))
                need.pop("effort", None)
                need["remaining"] = f"{(left + late) * need.get('people', 1) / HOUR:g}h"
        elif item.start < now:
            data["work"][id]["status"] = "done"
        elif id == slipped:
            data["work"][id]["not_before"] = format_instant(item.start + DAY)
    data.setdefault("policy", {})["pins"] = [
        {
            "work": id,
            "start": format_instant(plan.items[id].start),
            "who": [a.person for a in plan.items[id].assignments],
        }
        for id in pins
    ]
    if frozen is not None:
        data["policy"]["stability"] = {"frozen": frozen, "move": move}
    return Portfolio.model_validate(data)


def _left(work: Sequence[tuple[datetime, datetime]], now: datetime) -> timedelta:
    return sum((max(timedelta(0), to - max(from_, now)) for from_, to in work), timedelta(0))


def one(plan: Plan, slipped: str, args: argparse.Namespace, calm: bool) -> dict[str, Any]:
    """Replan after one slip. Near: within the frozen zone, whether it is in force or not."""
    now = plan.as_of + DAY
    zone = timedelta(days=int(args.frozen.removesuffix("d")))
    near = [id for id, item in plan.items.items() if now <= item.start < now + zone]
    if plan.portfolio is None:
        raise ValueError("the plan carries its portfolio")
    late = nx.descendants(WorkGraph(plan.portfolio).digraph, slipped)  # nobody would pin what cannot be
    free = [id for id in near if id not in late and id != slipped]
    pins = sorted(free, key=lambda id: (plan.items[id].start, id))[: 2 * PINS : 2]
    newer = a_day_later(plan, slipped, args.frozen if calm else None, args.move, pins)
    made, _ = advance(plan, newer)
    after = make_plan(made, budget=args.budget, workers=args.workers, seed=args.seed, previous=plan)
    moved = [id for id in near if id not in after.items or after.items[id].start != plan.items[id].start]
    return {
        "calm": calm,
        "slipped": slipped,
        "near": len(near),
        "moved": len(moved),
        "pins_moved": sum(id in moved for id in pins),
        "held": after.previous.frozen if after.previous else 0,
        "delay_cost": round(after.certificate.objective.value - (after.previous.cost if after.previous else 0), 2),
        "verified": after.certificate.checked,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("items", type=whole(20))
    parser.add_argument("people", type=whole(4))
    parser.add_argument("--plans", type=whole(1), default=2, help="portfolios (2)")
    parser.add_argument("--slips", type=whole(1), default=3, help="slips of each (3)")
    parser.add_argument("--frozen", default="7d", help="the frozen zone, in days (7d)")
    parser.add_argument("--move", default="200/day", help="what moving a start costs (200/day)")
    add_search(parser, 5.0, "seed of portfolios, slips and search")
    args = parser.parse_args(arguments)
    if not args.cold:
        warm_up(args.workers)
    rows = []
    for k in range(args.plans):
        made_from = portfolio(args.items, args.people, args.seed + k, calendars=True)
        plan = make_plan(made_from, budget=args.budget, workers=args.workers, seed=args.seed)
        until = plan.as_of + DAY + timedelta(days=int(args.frozen.removesuffix("d")))
        going = [
            id for id, i in plan.items.items() if i.assignments and i.finish > plan.as_of + DAY and i.start < until
        ]
        for slipped in random.Random(args.seed + k).sample(going, min(args.slips, len(going))):
            for calm in (True, False):
                rows.append(one(plan, slipped, args, calm))
                print(json.dumps({"plan": k, **rows[-1]}), flush=True)
    shares = {}
    for calm, name in ((True, "moved_percent"), (False, "without_percent")):
        mine = [row for row in rows if row["calm"] is calm]
        shares[name] = round(100 * sum(r["moved"] for r in mine) / max(1, sum(r["near"] for r in mine)), 2)
    pins = sum(row["pins_moved"] for row in rows)
    verified = all(row["verified"] for row in rows)
    print(json.dumps({"final": True, "slips": len(rows) // 2, **shares, "pins_moved": pins, "verified": verified}))
    return 0 if verified and not pins and shares["moved_percent"] <= 10 else 1


if __name__ == "__main__":
    raise SystemExit(main())
