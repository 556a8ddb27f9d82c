"""Small portfolios in which nothing ever closes, and their optimum by enumeration of all starts and crews."""

from __future__ import annotations

from itertools import combinations, product
from random import Random
from typing import Any

from support.cases import portfolio
from throttle.instance import FF, FS, SS, Instance
from throttle_models import Portfolio

Data = dict[str, Any]


def open_portfolio(seed: int, items: int = 4) -> Portfolio:
    """Items that wait in environments or need one to three of one to four people, with links and costs of all kinds."""
    random = Random(seed)
    people: Data = {
        f"p{i}": {"skills": random.sample(["a", "b", "c"], random.randint(1, 2))} for i in range(random.randint(1, 4))
    }
    makespan = random.random() < 0.4
    work: Data = {}
    for i in range(items):
        item: Data = {}
        if random.random() < 0.3:
            item["wait"] = f"{random.randint(1, 4)}h"
        else:
            crew = random.sample(sorted(people), random.randint(1, min(3, len(people))))
            wanted: dict[str, int] = {}
            for person in crew:  # so that the crew itself can do it
                skill = random.choice(people[person]["skills"])
                wanted[skill] = wanted.get(skill, 0) + 1
            item["duration"] = f"{random.randint(1, 4)}h"
            item["needs"] = [{"skill": skill, "people": count} for skill, count in wanted.items()]
        if random.random() < 0.4:
            item["environment"] = {"lab": random.randint(1, 2)}
        if random.random() < 0.3:
            item["not_before"] = f"{random.randint(1, 4)}h"
        if i and random.random() < 0.6:
            kind = random.choice(("FS", "FS", "FS", "SS", "FF", "SF"))
            lag = random.choice(("0", "0", "1h", "-1h", "2h"))
            item["after"] = [{"item": f"W{random.randrange(i)}", "type": kind, "lag": lag, "lag_in": "elapsed"}]
        if not makespan and random.random() < 0.8:
            item["cost_of_delay"] = f"{random.randint(1, 9)}/hour"
            if random.random() < 0.7:
                item["due"] = f"{random.randint(1, 8)}h"
            if random.random() < 0.3:
                item["wanted_start"] = f"{random.randint(1, 6)}h"
                item["costs"] = {"earliness": f"{random.randint(1, 5)}/hour"}
        work[f"W{i}"] = item
    policy: Data = {"makespan": "3/hour"} if makespan else {}
    return portfolio(work, people, policy=policy, environments={"lab": {"capacity": 2}}, skills=["a", "b", "c"])


def optimum(instance: Instance, most: float) -> float:
    """The least cost of all schedules, if it is no more than ``most``; independent of solver and decoders."""
    a, n = instance.arrays, instance.n
    duration = [max([int(a.wait[j]), *a.work[a.need_ptr[j] : a.need_ptr[j + 1]].tolist()]) for j in range(n)]
    crews = [_crews(instance, j) for j in range(n)]
    starts: list[int] = []
    horizon = int(max(a.release.max(), a.wanted.max(initial=0)) + sum(duration) + a.lag.clip(min=0).sum())
    best = most + 1e-6
    taken: list[frozenset[int]] = []

    def linked(j: int, start: int) -> bool:
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            i, kind, lag = int(a.pred[e]), int(a.pred_type[e]), int(a.lag[e])
            before = starts[i] + (duration[i] if kind in (FS, FF) else 0)
            after = start + (0 if kind in (FS, SS) else duration[j])
            if after < before + lag:
                return False
        return True

    def room(j: int, start: int, crew: frozenset[int]) -> bool:
        end = start + duration[j]
        for i, other in enumerate(starts):
            if other < end and start < other + duration[i] and crew & taken[i]:
                return False
        for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
            for t in range(start, end):
                amount = int(a.amount[u])
                for i, other in enumerate(starts):
                    if other <= t < other + duration[i]:
                        mine = a.use[a.use_ptr[i] : a.use_ptr[i + 1]] == a.use[u]
                        amount += int(a.amount[a.use_ptr[i] : a.use_ptr[i + 1]][mine].sum())
                if amount > a.capacity[a.use[u]]:
                    return False
        return True

    def place(j: int) -> None:
        nonlocal best
        cost = _cost(instance, starts, duration)
        if cost >= best:
            return  # it only rises with what is added
        if j == n:
            best = cost
            return
        for start in range(int(a.release[j]), horizon - duration[j] + 1):
            if not linked(j, start):
                continue
            for crew in crews[j]:
                if room(j, start, crew):
                    starts.append(start)
                    taken.append(crew)
                    place(j + 1)
                    starts.pop()
                    taken.pop()

    place(0)
    return min(float(best), most)


def _crews(instance: Instance, j: int) -> list[frozenset[int]]:
    a = instance.arrays
    choices = [
        combinations(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist(), int(a.people[q]))
        for q in range(a.need_ptr[j], a.need_ptr[j + 1])
    ]
    size = int(a.people[a.need_ptr[j] : a.need_ptr[j + 1]].sum())
    found = {frozenset(p for part in parts for p in part) for parts in product(*choices)}
    return sorted((crew for crew in found if len(crew) == size), key=sorted)


def _cost(instance: Instance, starts: list[int], duration: list[int]) -> float:
    """Of the activities that have a start."""
    a = instance.arrays
    total = 0.0
    for g in range(len(a.due)):
        members = [j for j in a.member[a.member_ptr[g] : a.member_ptr[g + 1]].tolist() if j < len(starts)]
        if not members:
            continue
        finish, begin = max(starts[j] + duration[j] for j in members), min(starts[j] for j in members)
        total += float(
            a.tardiness[g] * max(0.0, finish - a.due[g])
            + a.flow[g] * finish
            + a.span[g] * (finish - begin)
            + a.earliness[g] * max(0.0, a.wanted[g] - begin)
        )
    return total
