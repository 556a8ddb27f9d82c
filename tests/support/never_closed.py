"""Small random portfolios in which nothing ever closes, for the decoders and searches that need that."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from support.cases import portfolio
from throttle_models import Portfolio

Data = dict[str, Any]
SKILLS = ("a", "b", "c")


def always_open_portfolio(seed: int, items: int, people: int = 6) -> Portfolio:
    """Waits and crews of several needs and people, shared environments, releases, lags; the last end costs."""
    random = Random(seed)
    capacity = {f"env{k}": random.randint(1, 4) for k in range(random.choice((0, 1, 3, 6)))}
    staff: Data = {
        f"p{i}": {"skills": dict.fromkeys(random.sample(SKILLS, random.randint(1, 3)), 1)} for i in range(people)
    }
    work: Data = {}
    for i in range(items):
        item: Data = {}
        if random.random() < 0.5:
            item = _crew(random, staff)
        elif random.random() < 0.9:
            item["wait"] = f"{random.randint(1, 6)}h"
        if capacity and random.random() < 0.7:
            chosen = random.sample(sorted(capacity), random.randint(1, len(capacity)))
            item["environment"] = {name: random.randint(1, capacity[name]) for name in chosen}
        before = random.sample(sorted(work), min(len(work), random.choice((0, 1, 2))))
        item["after"] = [
            {"item": other, "lag": random.choice(("0", "0", "2h")), "lag_in": "elapsed"} for other in before
        ]
        if random.random() < 0.15:
            item["not_before"] = f"{random.randint(1, 20)}h"
        work[f"W{i}"] = item
    rest: Data = {"skills": list(SKILLS), "policy": {"makespan": "168/week"}}
    if capacity:
        rest["environments"] = {name: {"capacity": amount} for name, amount in capacity.items()}
    return portfolio(work, staff, **rest)


def _crew(random: Random, staff: Data) -> Data:
    """Needs of the same length that these people can meet."""
    hours, free = random.randint(1, 5), sorted(staff)
    needs = []
    for skill in random.sample(SKILLS, random.randint(1, 3)):
        able = [p for p in free if skill in staff[p]["skills"]]
        if not able:
            continue
        number = random.randint(1, min(3, len(able)))
        free = [p for p in free if p not in able[:number]]
        needs.append({"skill": skill, "people": number, "effort": f"{hours * number}h"})
    return {"needs": needs} if needs else {"wait": f"{hours}h"}


def always_open_portfolios(max_items: int = 10) -> st.SearchStrategy[Portfolio]:
    return st.builds(
        always_open_portfolio, st.integers(0, 2**32 - 1), st.integers(1, max_items), st.sampled_from((3, 6, 9))
    )
