"""Whether what is learned from history holds for what comes after it, on planted histories whose truth is known.

    python -m benchmarks.learning [--histories 20] [--weeks 78] [--seed 1]

Each history is a ServiceNow export of three groups of people who work on several things at once in office hours; one
group logs its time. The first three quarters of the weeks are learned from, as a user would, and what follows is
compared with it: the share of held-out weeks whose unplanned work stays within the reserve (``reserve``), and the share
of held-out items that took no longer than p80 by their true work (``logged``, ``inferred``). ``inflation_inferred`` is
inferred over true work, ``inflation_cycle_time`` that of raw cycle time. Exit code 1 where a share is not within 75 to
85 %.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.options import whole

from throttle.learn import learn
from throttle_models import Learned, TeamFile

BEGIN = datetime(2025, 1, 6)
DAY = (9, 17)
GROUPS = ("network", "database", "desktop")
PEOPLE = 4
"""In each group."""
A_WEEK = (14, 24)
"""Items that come to a group, on average."""
AT_ONCE = 3
"""Most items that one person has in process."""
LOGGED = {"network": 1.0, "database": 0.0, "desktop": 0.0}
"""Share of the items of a group with logged time; a type is told apart by its group here."""
FIELDS = (
    "number", "state", "assigned_to", "assignment_group", "opened_at", "work_start", "work_end", "time_worked",
    "sys_class_name",
)  # fmt: skip
WITHIN = (0.75, 0.85)


@dataclass
class Incident:
    number: int
    group: str
    opened: datetime
    minutes: float
    person: str = ""
    started: datetime | None = None
    ended: datetime | None = None


def history(rng: random.Random, weeks: int) -> list[Incident]:
    """Poisson arrivals in office hours, lognormal work; people share their time equally among what they have begun."""
    found: list[Incident] = []
    for group in GROUPS:
        rate, typical, spread = rng.uniform(*A_WEEK), rng.uniform(60, 150), rng.uniform(0.4, 0.9)
        for week in range(weeks):
            for _ in range(_poisson(rng, rate)):
                minute = rng.randint(0, 5 * 480 - 1)
                opened = BEGIN + timedelta(weeks=week, days=minute // 480, hours=DAY[0], minutes=minute % 480)
                found.append(Incident(len(found), group, opened, rng.lognormvariate(0, spread) * typical))
    for group in GROUPS:
        _worked(sorted((i for i in found if i.group == group), key=lambda i: i.opened), group, weeks)
    return found


def _worked(waiting: list[Incident], group: str, weeks: int) -> None:
    """Executes one group, minute by minute of its office hours."""
    people = [f"{group} {n + 1}" for n in range(PEOPLE)]
    doing: dict[str, list[tuple[Incident, list[float]]]] = {person: [] for person in people}
    queue: list[Incident] = []
    coming = 0
    for day in range(weeks * 7):
        if day % 7 >= 5:
            continue
        for minute in range((DAY[1] - DAY[0]) * 60):
            now = BEGIN + timedelta(days=day, hours=DAY[0], minutes=minute)
            while coming < len(waiting) and waiting[coming].opened <= now:
                queue.append(waiting[coming])
                coming += 1
            for person in people:
                mine = doing[person]
                while queue and len(mine) < AT_ONCE:
                    item = queue.pop(0)
                    item.person, item.started = person, now
                    mine.append((item, [item.minutes]))
                share = 1 / len(mine) if mine else 0.0
                for entry in list(mine):
                    entry[1][0] -= share
                    if entry[1][0] <= 0:
                        entry[0].ended = now + timedelta(minutes=1)
                        mine.remove(entry)


def _poisson(rng: random.Random, mean: float) -> int:
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count, left = count + 1, left + rng.expovariate(1.0)
    return count


def write(path: Path, items: list[Incident], until: datetime) -> None:
    """What the tracker shows at a moment."""

    def text(moment: datetime | None) -> str:
        return f"{moment:%Y-%m-%d %H:%M:%S}" if moment is not None and moment <= until else ""

    rng = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        for item in items:
            if item.opened > until:
                continue
            done = item.ended is not None and item.ended <= until
            begun = item.started is not None and item.started <= until
            logged = done and rng.random() < LOGGED[item.group]
            writer.writerow(
                {
                    "number": f"INC{item.number:07d}",
                    "state": "Closed" if done else "In Progress" if begun else "New",
                    "assigned_to": item.person if begun else "",
                    "assignment_group": item.group,
                    "opened_at": text(item.opened),
                    "work_start": text(item.started),
                    "work_end": text(item.ended),
                    "time_worked": round(item.minutes * 60) if logged else "",
                    "sys_class_name": "incident",
                }
            )


def compare(items: list[Incident], learned: Learned, cut: datetime, weeks: int) -> dict[str, list[float]]:
    """Held-out weeks and items against what was learned; 1 where it was enough."""
    found: dict[str, list[float]] = defaultdict(list)
    totals: dict[tuple[str, int], float] = defaultdict(float)
    for item in items:
        week = (item.opened - BEGIN).days // 7
        if item.opened < cut:
            continue
        totals[item.group, week] += item.minutes
        known = learned.effort_of("Incident", [], item.group)
        if known is not None:
            found[known.basis].append(float(item.minutes <= known.p80 / timedelta(minutes=1)))
    for group in GROUPS:
        reserve = learned.demand[group].reserve / timedelta(minutes=1)
        mean_work = _mean([i.minutes for i in items if i.group == group and i.opened < cut])
        assumed = learned.demand[group].mean / timedelta(minutes=1) / max(1e-9, learned.demand[group].arrivals)
        for week in range((cut - BEGIN).days // 7, weeks):
            # the work as the tracker would show it: inferred effort is compared with itself
            found["reserve"].append(float(totals[group, week] * assumed / mean_work <= reserve))
    return found


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=whole(1), default=20)
    parser.add_argument("--weeks", type=whole(20), default=78)
    parser.add_argument("--seed", type=whole(0), default=1)
    given = parser.parse_args()
    sums: dict[str, list[float]] = defaultdict(list)
    inflation: list[tuple[float, float]] = []
    for number in range(given.histories):
        items = history(random.Random(given.seed * 1000 + number), given.weeks)
        cut = BEGIN + timedelta(weeks=given.weeks * 3 // 4)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "incidents.csv"
            write(path, items, cut)
            learned = learn([path], team=TeamFile(zone="UTC"))
        found = compare(items, learned, cut, given.weeks)
        for name, values in found.items():
            sums[name] += values
        for group in GROUPS:
            known = learned.effort_of("Incident", [], group)
            if known is not None and known.basis == "inferred":
                done = [i for i in items if i.group == group and i.ended is not None and i.ended <= cut]
                true = median(i.minutes for i in done)
                cycle = median(_office(i) for i in done)
                inflation.append((known.effort.likely / timedelta(minutes=1) / true, cycle / true))
        print(json.dumps({"history": number, "items": len(items)} | {n: round(_mean(v), 3) for n, v in found.items()}))
    result = {name: round(_mean(values), 4) for name, values in sums.items()}
    result |= {f"{name}_cases": len(values) for name, values in sums.items()}  # type: ignore[dict-item]
    result |= {
        "inflation_inferred": round(median(a for a, _ in inflation), 3),
        "inflation_cycle_time": round(median(b for _, b in inflation), 3),
    }
    print(json.dumps({"final": True, **result}))
    return int(any(not WITHIN[0] <= result[name] <= WITHIN[1] for name in ("reserve", "logged", "inferred")))


def _office(item: Incident) -> float:
    """Minutes of office hours from start to end."""
    assert item.started is not None
    assert item.ended is not None
    days = (item.ended.date() - item.started.date()).days
    weekend = sum((item.started + timedelta(days=d)).weekday() >= 5 for d in range(days + 1))
    clock = (item.ended - item.started) - timedelta(days=days)
    return clock / timedelta(minutes=1) + (days - weekend) * (DAY[1] - DAY[0]) * 60


if __name__ == "__main__":
    sys.exit(main())
