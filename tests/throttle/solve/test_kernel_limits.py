"""Spans under limits, exclusions and quotas, which no portfolio asks for yet: the kernel against their definitions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
import pytest

from support.cases import by, compiled, portfolio
from throttle.instance import Instance, Schedule
from throttle.solve.decoder import Decoder

ALL = -1


@dataclass
class Limits:
    """What a case asks for, by position of its activities, people and spans."""

    spans: list[tuple[int, int, list[int]]] = field(default_factory=list)
    """(row of ``limits``, demand, activities)."""
    limits: list[int] = field(default_factory=list)
    begun: set[int] = field(default_factory=set)
    before: list[tuple[int, int]] = field(default_factory=list)
    """(span, the one to be let in first)."""
    knots: list[int] | None = None
    exclusions: list[list[int]] = field(default_factory=list)
    quotas: list[tuple[list[int], list[int] | None, list[int]]] = field(default_factory=list)
    """(people, activities or None for all, most slots in each bucket)."""
    bucket: list[int] = field(default_factory=list)
    """Of each slot."""


def limited(instance: Instance, asked: Limits) -> Instance:
    a, n = instance.arrays, instance.n

    def rows(count: int, pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        pairs = sorted(pairs, key=lambda pair: pair[0])
        counts = np.bincount([k for k, _ in pairs], minlength=count) if pairs else np.zeros(count, int)
        return np.r_[0, np.cumsum(counts)].astype(np.int64), np.array([v for _, v in pairs], np.int64)

    span_ptr, spans = rows(n, [(j, s) for s, (_, _, members) in enumerate(asked.spans) for j in members])
    before_ptr, before = rows(len(asked.spans), asked.before)
    use_ptr, use = rows(n, [(j, u) for u, members in enumerate(asked.exclusions) for j in members])
    person_ptr, person_quota = rows(
        len(instance.people), [(p, q) for q, (people, _, _) in enumerate(asked.quotas) for p in people]
    )
    scoped = [q for q, (_, scope, _) in enumerate(asked.quotas) if scope is not None]
    scopes = np.zeros((len(scoped), n), np.uint8)
    for row, q in enumerate(scoped):
        scopes[row, asked.quotas[q][1]] = 1
    plain = a.plain & (np.diff(use_ptr) == 0) & (len(asked.quotas) == 0)
    return replace(
        instance,
        arrays=a._replace(
            span_ptr=span_ptr,
            spans=spans,
            demand=np.array([d for _, d, _ in asked.spans], np.int64),
            span_limit=np.array([row for row, _, _ in asked.spans], np.int64),
            begun=np.array([s in asked.begun for s in range(len(asked.spans))], bool),
            before_ptr=before_ptr,
            before=before,
            knot=np.array(asked.knots or range(len(asked.spans)), np.int64),
            limit=np.array(asked.limits or [0], np.int64),
            use_ptr=use_ptr,
            use=use,
            amount=np.ones(len(use), np.int64),
            capacity=np.ones(len(asked.exclusions), np.int64),
            in_process=np.zeros(len(asked.exclusions), bool),
            plain=plain,
            bucket=np.array([(asked.bucket + [-1] * instance.slots)[: instance.slots]], np.int32),
            quota_ptr=np.r_[0, np.cumsum([len(most) for _, _, most in asked.quotas])].astype(np.int64),
            quota=np.array([100 * v for _, _, most in asked.quotas for v in most], np.int64),
            quota_bucket=np.zeros(len(asked.quotas), np.int64),
            quota_scope=np.array([scoped.index(q) if q in scoped else ALL for q in range(len(asked.quotas))], np.int64),
            scopes=scopes,
            person_quota_ptr=person_ptr,
            person_quota=person_quota,
        ),
    )


def decoded(instance: Instance, key: list[float], compiled_: bool = False) -> Schedule:
    schedule = Decoder(instance, compiled_).decode(np.array(key, float)).schedule
    assert schedule is not None
    return schedule


def worked(instance: Instance, schedule: Schedule, j: int) -> list[tuple[int, int, int]]:
    """(person, slot, percent) of activity j, by docs/plan.md, Work."""
    a = instance.arrays
    seats = [
        (int(schedule.crew[a.crew_ptr[q] + i]), q)
        for q in range(a.need_ptr[j], a.need_ptr[j + 1])
        for i in range(a.people[q])
    ]
    found, done = [], 0
    for t in range(schedule.start[j], schedule.end[j]):
        busy = [(p, q) for p, q in seats if done < a.work[q]]
        if all(a.masks[a.person_mask[p], t] for p, _ in busy):
            found += [(p, t, int(a.share[q])) for p, q in busy]
            done += 1
    return found


def broken(instance: Instance, asked: Limits, schedule: Schedule) -> list[str]:
    """The definitions, word for word."""
    problems = []
    begin, end = {}, {}
    for s, (_, _, members) in enumerate(asked.spans):
        begin[s] = 0 if s in asked.begun else min(int(schedule.start[j]) for j in members)
        end[s] = max([begin[s] + 1, *(int(schedule.end[j]) for j in members)])
    for s, (row, demand, _) in enumerate(asked.spans):
        others = [
            r
            for r, (other, _, _) in enumerate(asked.spans)
            if r != s and other == row and begin[r] <= begin[s] < end[r]
        ]
        total = demand + sum(asked.spans[r][1] for r in others)
        if s not in asked.begun and demand and total > asked.limits[row] and total > demand:
            problems.append(f"span {s} starts at {begin[s]} beside {others}: {total} > {asked.limits[row]}")
    for members in asked.exclusions:
        for i in members:
            for j in members:
                if i < j and schedule.start[i] < schedule.end[j] and schedule.start[j] < schedule.end[i]:
                    problems.append(f"{i} and {j} overlap")
    for people, scope, most in asked.quotas:
        spent = [0] * len(most)
        for j in range(instance.n):
            for p, t, share in worked(instance, schedule, j):
                if p in people and (scope is None or j in scope) and t < len(asked.bucket):
                    spent[asked.bucket[t]] += share
        problems += [
            f"bucket {b}: {s} > {100 * m}" for b, (s, m) in enumerate(zip(spent, most, strict=True)) if s > 100 * m
        ]
    return problems


def oracle(instance: Instance, asked: Limits, key: list[float]) -> Schedule:
    """One activity after the other at the first slot, and of those with the same end with the first person, that
    breaks nothing. For activities of one person, without spans."""
    a, n = instance.arrays, instance.n
    start, end = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
    placed: list[int] = []
    while len(placed) < n:
        ready = [
            j
            for j in range(n)
            if j not in placed and all(int(i) in placed for i in a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]])
        ]
        j = min(ready, key=lambda i: (key[i], i))
        est = max([int(a.release[j]), *(int(end[i]) for i in a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]])])
        best = None
        q = int(a.need_ptr[j])
        for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist():
            crew[a.crew_ptr[q]] = p
            for s in range(est, instance.slots):
                open_ = [t for t in range(s, instance.slots) if a.masks[a.person_mask[p], t]][: int(a.work[q])]
                if len(open_) < a.work[q] or open_[0] != s:
                    continue
                start[j], end[j] = s, open_[-1] + 1
                trial = Schedule(start, end, crew, 0, 0)
                load: dict[tuple[int, int], int] = {}
                for i in [*placed, j]:
                    for person, t, share in worked(instance, trial, i):
                        load[person, t] = load.get((person, t), 0) + share
                if all(v <= 100 for v in load.values()) and not broken(instance, asked, trial):
                    if best is None or end[j] < best[1]:
                        best = (s, int(end[j]), p)
                    break
        assert best is not None
        start[j], end[j], crew[a.crew_ptr[q]] = best
        placed.append(j)
    return Schedule(start, end, crew, 0, 0)


def random_case(random: Random) -> tuple[Instance, int]:
    people = random.randint(1, 3)
    work = {}
    for i in range(random.randint(3, 7)):
        able = random.sample([f"p{p + 1}" for p in range(people)], random.randint(1, people))
        item = {"needs": [{"who": able, "effort": f"{random.randint(1, 4)}h"}]}
        if random.random() < 0.3:
            item["needs"][0]["allocation"] = "50%"
        if i and random.random() < 0.4:
            item["after"] = [f"W{random.randrange(i)}"]
        work[f"W{i}"] = item
    calendars = {"day": {"hours": random.choice(("daily 00:00-24:00", "daily 09:00-17:00"))}}
    return compiled(portfolio(work, people, calendars=calendars), slots=24 * 12).instance, people


@pytest.mark.parametrize("seed", range(60))
def test_exclusions_and_quotas_are_kept_as_early_as_can_be(seed: int) -> None:
    random = Random(seed)
    instance, people = random_case(random)
    everything = range(instance.n)
    asked = Limits(bucket=[t // 24 for t in range(instance.slots)])
    asked.exclusions = [random.sample(everything, random.randint(2, min(4, instance.n))) for _ in range(seed % 3)]
    for _ in range((seed + 1) % 3):
        scope = random.sample(everything, random.randint(1, instance.n)) if random.random() < 0.5 else None
        most = [random.choice((0, 3, 5, 8)) for _ in range(4)] + [99] * 8
        asked.quotas.append((random.sample(range(people), random.randint(1, people)), scope, most))
    case = limited(instance, asked)
    key = [random.random() for _ in everything]
    for compiled_ in (False, True):
        schedule = decoded(case, key, compiled_)
        assert broken(case, asked, schedule) == []
        expected = oracle(case, asked, key)
        assert schedule.start.tolist() == expected.start.tolist()
        assert schedule.end.tolist() == expected.end.tolist()
        assert schedule.crew.tolist() == expected.crew.tolist()


@pytest.mark.parametrize("seed", range(60))
def test_spans_keep_to_their_limits(seed: int) -> None:
    """Every activity in a project under one limit, and some in an inner span under another."""
    random = Random(seed)
    instance, _ = random_case(random)
    project = [random.randrange(3) for _ in range(instance.n)]
    outer = [[j for j in range(instance.n) if project[j] == p] for p in range(3)]
    inner = [members[: random.randint(1, 3)] for members in outer if members]
    outer = [members for members in outer if members]
    count = len(outer)
    asked = Limits(limits=[random.randint(1, 2), random.randint(2, 6)])
    asked.spans = [(0, 1, members) for members in outer] + [(1, random.randint(1, 8), members) for members in inner]
    asked.begun = {0, count} if random.random() < 0.3 else set()
    # an inner span after its outer one; and all spans in an order that work across projects does not turn round
    loose = instance.arrays._replace(
        pred_ptr=np.zeros(instance.n + 1, np.int64), succ_ptr=np.zeros(instance.n + 1, np.int64)
    )
    asked.before = [(count + k, k) for k in range(count)]
    case = limited(replace(instance, arrays=loose), asked)
    key = [random.random() for _ in range(instance.n)]
    one, two = decoded(case, key), decoded(case, key, True)
    assert broken(case, asked, one) == []
    assert one.start.tolist() == two.start.tolist()


def three(*hours: int, people: int = 3) -> Instance:
    """Activities for one person each."""
    return compiled(
        portfolio({f"W{i}": by(f"p{i + 1}", f"{h}h") for i, h in enumerate(hours)}, people), slots=60
    ).instance


@pytest.mark.parametrize(
    ("demands", "limit", "starts"),
    [
        ((4, 3, 4), 8, [0, 0, 3]),  # the third waits until the second, which ends first, gives back enough
        ((5, 3, 6), 8, [0, 0, 4]),
        ((9, 3, 4), 8, [0, 4, 4]),  # larger than the limit: alone
        ((3, 9, 4), 8, [0, 4, 7]),
        ((0, 9, 0), 8, [0, 0, 0]),
    ],
)
def test_demands_on_a_limit(demands: tuple[int, ...], limit: int, starts: list[int]) -> None:
    instance = three(4, 3, 2)
    asked = Limits(spans=[(0, d, [j]) for j, d in enumerate(demands)], limits=[limit])
    schedule = decoded(limited(instance, asked), [0, 1, 2])
    assert schedule.start.tolist() == starts
    assert broken(instance, asked, schedule) == []


def test_what_is_in_process_may_exceed_a_limit_but_keeps_others_out() -> None:
    asked = Limits(spans=[(0, 5, [0]), (0, 5, [1]), (0, 1, [2])], limits=[6], begun={0, 1})
    assert decoded(limited(three(4, 3, 2), asked), [2, 1, 0]).start.tolist() == [0, 0, 3]


def test_a_span_without_a_limit_is_open() -> None:
    asked = Limits(spans=[(0, 1, [0]), (0, 1, [1]), (1, 1, [2])], limits=[0, 1])
    assert decoded(limited(three(4, 3, 2), asked), [0, 1, 2]).start.tolist() == [0, 0, 0]


def waiting_for_each_other(asked: Limits) -> Instance:
    """W0 and W1 in one span, W2 in another; W1 waits for W2."""
    work = {"W0": by("p1", "2h"), "W1": by("p1", "2h", after=["W2"]), "W2": by("p2", "2h")}
    asked.spans, asked.limits = [(0, 1, [0, 1]), (0, 1, [2])], [1]
    return limited(compiled(portfolio(work, 2), slots=60).instance, asked)


def test_a_span_waits_until_those_it_needs_are_let_in() -> None:
    schedule = decoded(waiting_for_each_other(Limits(before=[(0, 1)])), [0, 1, 2])
    assert schedule.start.tolist() == [2, 4, 0]


def test_projects_that_wait_through_work_of_no_project() -> None:
    """P waits for L, which is in no project and waits for Q; P comes first in the order, but Q must be let in."""
    work = {
        "A": by("p1", "2h", project="P"),
        "B": by("p1", "2h", project="P", after=["L"]),
        "L": by("p2", "1h", after=["C"]),
        "C": by("p2", "2h", project="Q"),
    }
    made_from = portfolio(work, 2, projects={"P": {}, "Q": {}}, policy={"projects_in_process": 1})
    assert decoded(compiled(made_from).instance, [0, 1, 2, 3]).start.tolist() == [2, 4, 2, 0]


@pytest.mark.parametrize("knots", [None, [0, 0]])
def test_spans_that_block_each_other_are_told(knots: list[int] | None) -> None:
    """Let in alone, or too many to be let in together."""
    outcome = Decoder(waiting_for_each_other(Limits(knots=knots)), compiled=False).decode(np.arange(3.0))
    assert outcome.schedule is None
    assert outcome.locked


def test_work_larger_than_a_quota_waits_for_a_bucket_that_takes_it() -> None:
    asked = Limits(quotas=[([0], None, [2, 5, 9])], bucket=[t // 10 for t in range(30)])
    instance = compiled(portfolio({"W0": by("p1", "6h"), "W1": by("p1", "2h")}), slots=30).instance
    schedule = decoded(limited(instance, asked), [0, 1])
    # two slots in the first bucket and four in the second; then one is left of the second
    assert schedule.start.tolist() == [8, 19]
    assert broken(instance, asked, schedule) == []


def test_a_quota_that_nothing_fits() -> None:
    asked = Limits(quotas=[([0], None, [1])], bucket=[0] * 30)
    instance = compiled(portfolio({"W0": by("p1", "2h")}), slots=30).instance
    outcome = Decoder(limited(instance, asked), compiled=False).decode(np.zeros(1))
    assert (outcome.schedule, outcome.missing, outcome.locked) == (None, (0,), False)


def test_a_shorter_horizon_keeps_the_limits() -> None:
    asked = Limits(quotas=[([0], None, [2, 5, 9])], bucket=[t // 10 for t in range(30)])
    instance = compiled(portfolio({"W0": by("p1", "6h"), "W1": by("p1", "2h")}), slots=30).instance
    assert decoded(limited(instance, asked).trimmed(22), [0, 1]).start.tolist() == [8, 19]
