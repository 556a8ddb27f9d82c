"""One day of deployments at the rates of the talk "When IT Fails: A Business Novel", as a portfolio.

    python datasets/deployments-day/deployments_day.py --out FILE [--share 1] [--hops 1] [--seed 1]

A slide of the talk (Amazon's deployments to production in one May) gives four figures: 11.6 s from one deployment to
the next (mean of a weekday), 1,079 in the busiest hour, 10,000 hosts receiving a deployment at the same time on
average, and 30,000 at most. They are met by construction: the number of deployments, those that become ready in the
busiest hour, the sum of hosts x time, and the capacity of the environment. All else (services, how they depend on
each other, how long a deployment takes, the other hours) is invented. The same arguments give the same portfolio on
every machine.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from throttle_models import Portfolio

Data = dict[str, Any]

DAY = timedelta(days=1)
BETWEEN = timedelta(seconds=11.6)
"""From one deployment to the next, mean of a weekday. The talk."""
PEAK = 1079
"""Deployments in the busiest hour. The talk."""
MEAN_HOSTS, MOST_HOSTS = 10_000, 30_000
"""Hosts that receive a deployment at the same time. The talk."""

BEGIN = datetime(2026, 1, 5)
PEAK_HOUR = 10
OTHER_HOURS = (4, 3, 2, 2, 2, 3, 5, 9, 14, 19, 0, 22, 17, 19, 21, 20, 17, 13, 9, 7, 6, 6, 5, 4)
"""How the deployments outside the busiest hour (0 here) are spread: an office day, and a little at night."""
A_SERVICE = 4
"""Deployments for each service, on average."""
LAYER = 40
"""A service stands on at most two of so many services made before it, so that none carries all the others."""
MINUTES = {5: 20, 8: 25, 12: 25, 20: 15, 30: 10, 60: 5}
"""How long deployments take, and how many of a hundred do."""
FLEETS = {1: 10, 5: 20, 20: 25, 60: 20, 150: 15, 400: 8, 1000: 2}
"""Relative sizes of services in hosts, and how many of a hundred have them."""
ATTENDED = 0.05
"""Share of deployments at which an engineer is present from start to finish; the others need nobody."""
SHIFTS = {"night": ("00:00-08:00", 4), "day": ("08:00-16:00", 20), "evening": ("16:00-24:00", 12)}
"""Hours of the engineers, and how many there are."""
RATES = (1, 2, 3, 5, 8)
"""What an hour of waiting costs."""


@dataclass(frozen=True)
class Size:
    """The talk's figures, or a share of them."""

    deployments: int
    peak: int
    mean_hosts: int
    most_hosts: int

    @classmethod
    def of(cls, share: float) -> Size:
        """A day of so large a share of all deployments, on that share of the hosts."""
        return cls(
            round(share * (DAY / BETWEEN)), round(share * PEAK), round(share * MEAN_HOSTS), round(share * MOST_HOSTS)
        )

    @property
    def host_seconds(self) -> float:
        """Hosts x seconds of a deployment, on average (Little: hosts at once x time between two deployments)."""
        return self.mean_hosts * DAY.total_seconds() / self.deployments


def build_portfolio(share: float = 1.0, hops: int = 1, seed: int = 1) -> Portfolio:
    """A day's deployments. hops: of ``policy.conflict_hops`` (0: on the same service, 1: and on those next to it)."""
    return Portfolio.model_validate(build_data(share, hops, seed))


def build_data(share: float = 1.0, hops: int = 1, seed: int = 1) -> Data:
    """The same as plain data. Raises ValueError for a share of which nothing is left, or above 1."""
    size = Size.of(share)
    if not 0 < share <= 1 or size.peak < 1 or size.mean_hosts < 1:
        raise ValueError(f"a share is above 0.0005 and at most 1, not {share}")
    rng = random.Random(seed)
    services = _services(rng, max(1, size.deployments // A_SERVICE))
    crew = {name: max(1, round(count * share)) for name, (_, count) in SHIFTS.items()}
    return {
        "as_of": f"{BEGIN:%Y-%m-%dT%H:%M}",
        "slot": "1m",
        "calendars": {name: {"hours": f"daily {hours}"} for name, (hours, _) in SHIFTS.items()},
        "skills": ["deploys"],
        "people": {
            f"{name}-{k}": {"calendar": name, "skills": ["deploys"]} for name in SHIFTS for k in range(crew[name])
        },
        "environments": {"hosts": {"capacity": size.most_hosts}},
        "services": services,
        "work": _deployments(rng, size, list(services)),
        "policy": {"conflict_hops": hops},
    }


def _services(rng: random.Random, count: int) -> Data:
    names = [f"svc-{k}" for k in range(count)]
    found: Data = {}
    for k, name in enumerate(names):
        below = names[max(0, k - LAYER) : k]
        chosen = rng.sample(below, min(len(below), rng.choice((0, 1, 1, 2))))
        found[name] = {"depends_on": sorted(chosen)} if chosen else {}
    return found


def _deployments(rng: random.Random, size: Size, services: Sequence[str]) -> Data:
    fleets = {service: rng.choices(list(FLEETS), list(FLEETS.values()))[0] for service in services}
    minutes = rng.choices(list(MINUTES), list(MINUTES.values()), k=size.deployments)
    ready = sorted(60 * hour + rng.randrange(60) for hour, count in enumerate(by_hour(size)) for _ in range(count))
    targets = [rng.choice(services) for _ in minutes]
    hosts = _hosts(size, [fleets[target] for target in targets], minutes)
    found: Data = {}
    for k, (moment, service, length, amount) in enumerate(zip(ready, targets, minutes, hosts, strict=True)):
        begin = BEGIN + timedelta(minutes=moment)
        end = begin + timedelta(minutes=length)
        attended = rng.random() < ATTENDED
        needs = {"needs": [{"skill": "deploys", "effort": f"{length}m"}], "pausable": False}
        found[f"DEP-{k + 1}"] = {
            "type": "change",
            "change": {"kind": "standard", "services": [service]},
            **(needs if attended else {"wait": f"{length}m"}),
            "environment": {"hosts": amount},
            "not_before": f"{begin:%Y-%m-%dT%H:%M}",
            "due": f"{end:%Y-%m-%dT%H:%M}",
            "cost_of_delay": f"{rng.choice(RATES)}/hour",
        }
    return found


def by_hour(size: Size) -> list[int]:
    """Deployments that become ready in each hour of the day: the peak, and the others by largest remainders."""
    rest, total = size.deployments - size.peak, sum(OTHER_HOURS)
    found = [rest * part // total for part in OTHER_HOURS]
    remainders = sorted(range(len(found)), key=lambda hour: (-(rest * OTHER_HOURS[hour] % total), hour))
    for hour in remainders[: rest - sum(found)]:
        found[hour] += 1
    found[PEAK_HOUR] = size.peak
    return found


def _hosts(size: Size, relative: Sequence[int], minutes: Sequence[int]) -> list[int]:
    """Whole hosts in proportion, whose hosts x time come to the mean of the day; what rounding leaves is carried on."""
    wanted = size.mean_hosts * int(DAY / timedelta(minutes=1))
    whole = sum(amount * length for amount, length in zip(relative, minutes, strict=True))
    found, due = [], 0
    for amount, length in zip(relative, minutes, strict=True):
        due += amount * length * wanted  # in host-minutes / whole
        hosts = min(size.most_hosts, max(1, round(due / (whole * length))))
        due -= hosts * length * whole
        found.append(hosts)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write one day of deployments as a portfolio (JSON).")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--share", type=float, default=1.0, help="of the talk's figures, such as 0.1 (1)")
    parser.add_argument("--hops", type=int, choices=(0, 1, 2), default=1, help="how near services conflict (1)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    data = build_portfolio(given.share, given.hops, given.seed).model_dump(mode="json", exclude_defaults=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8", newline="\n")
    print(given.out)


if __name__ == "__main__":
    main()
