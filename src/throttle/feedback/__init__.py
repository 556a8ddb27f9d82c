"""Feedback: earlier plans against what happened since, and proposals to accept or not (docs/foresee.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from throttle.buffers import by_likely
from throttle.buffers.fever import fever, fever_of
from throttle.calendars import Calendars, Grid, as_of, minute_of
from throttle.confidence import interval
from throttle.errors import InputError
from throttle.reserve import reserves
from throttle.wording import iso_week, plural
from throttle_models import Estimate, Fever, Finding, Plan, Portfolio, Status, WorkItem, WorkType
from throttle_models.feedback import Bias, Coverage, Feedback, Planned, Proposal, ReserveCheck, ReserveWeek

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
LEVELS = (0.5, 0.8, 0.85, 0.95)
RUNS = 200
ENOUGH = 12
"""Finished items, or weeks, from which on something is proposed."""
OFF = 0.1
"""Relative difference from which on a spread or a reserve is proposed anew."""


def feedback(
    now: Portfolio,
    plans: Sequence[Plan],
    *,
    current: Plan | None = None,
    runs: int = RUNS,
    seed: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Feedback:
    """Plans (which carry their portfolios) against the portfolio as it is now.

    current: the plan of ``now``, for the fever chart; without it, of projects that are finished only. runs: of each
    earlier plan simulated, for forecasts to check; 0: only its dates are. Raises InputError where a plan carries no
    portfolio or is not earlier.
    """
    ordered = sorted(plans, key=lambda plan: plan.as_of)
    moment = as_of(now)
    for plan in ordered:
        if plan.portfolio is None:
            raise _refused("no-portfolio", "an earlier plan does not carry its portfolio: plan without --no-portfolio")
        if plan.as_of >= moment:
            then, here = (f"{m.astimezone(ZoneInfo(now.zone)):%Y-%m-%d %H:%M}" for m in (plan.as_of, moment))
            message = (
                f"the plan as of {then} is not earlier than the portfolio ({here}, {now.zone}), so nothing has "
                "happened since; leave it out"
            )
            raise _refused("not-earlier", message)
    actual = finished(now)
    told, every = [], dict.fromkeys(LEVELS, (0, 0))
    notes: list[str] = []
    for k, plan in enumerate(ordered, 1):
        tell(f"plan {k} of {len(ordered)}")
        one, counts = _held_against(plan, actual, moment, runs, seed)
        told.append(one)
        every = {level: tuple(np.add(every[level], counts.get(level, (0, 0))).tolist()) for level in LEVELS}
    rows = list(ratios(now, ordered, actual))
    estimates = tuple(_biases(rows))
    reserve = _reserve(now, ordered)
    if not rows:
        notes.append(
            "no item that an earlier plan had and that is finished says how much time was spent, or when it was begun "
            "and finished"
        )
    if reserve.covered is None:
        notes.append("no whole week has passed since the first plan, so nothing is said of the reserve")
    whole = _whole(estimates)
    if whole is not None and abs(log(whole.ratio)) > OFF:
        notes.append(
            f"finished items took {whole.ratio:.2f} times their estimates in the mean, and no range around an estimate "
            "mends that: estimate what is open anew, or learn from what is done (throttle learn)"
        )
    proposals = tuple(_proposals(now, estimates, reserve))
    return Feedback(
        as_of=moment,
        zone=now.zone,
        plans=tuple(told),
        coverage=tuple(_coverage(level, *every[level]) for level in LEVELS if every[level][0]),
        fever=_fever(now, ordered, current),
        estimates=estimates,
        basis=_basis(rows),
        reserve=reserve,
        proposals=proposals,
        patch=_patch(proposals),
        notes=tuple(notes),
    )


def _refused(code: str, message: str) -> InputError:
    return InputError([Finding(level="error", code=code, message=message)])


def finished(portfolio: Portfolio) -> dict[str, datetime]:
    """When items were finished, in UTC, where that is said."""
    now, zone = as_of(portfolio), ZoneInfo(portfolio.zone)
    return {
        id: item.finished.resolve(now, zone, end_of_day=True).astimezone(UTC)
        for id, item in portfolio.work.items()
        if item.status is Status.DONE and item.finished is not None
    }


# --- forecasts


def _held_against(
    plan: Plan, actual: Mapping[str, datetime], now: datetime, runs: int, seed: int
) -> tuple[Planned, dict[float, tuple[int, int]]]:
    forecasts = _forecasts(plan, runs, seed) if runs else {0.5: {id: item.finish for id, item in plan.items.items()}}
    counts: dict[float, tuple[int, int]] = {}
    for level, dates in forecasts.items():
        due = [id for id, date in dates.items() if date <= now and _known(id, plan)]
        counts[level] = len(due), sum(id in actual and actual[id] <= dates[id] for id in due)
    planned = [id for id, item in plan.items.items() if item.finish <= now and _known(id, plan)]
    late = [(actual[id] - plan.items[id].finish) / DAY for id in planned if id in actual]
    return Planned(
        as_of=plan.as_of,
        weeks=round((now - plan.as_of) / WEEK, 4),
        coverage=tuple(_coverage(level, *count) for level, count in counts.items() if count[0]),
        late_days=round(float(np.median(late)), 4) if late else None,
        finished=len(late),
        open=len(planned) - len(late),
    ), counts


def _known(id: str, plan: Plan) -> bool:
    """Whether somebody says of it when it is done: what rules insert nobody does."""
    return id not in plan.inserted


def _forecasts(plan: Plan, runs: int, seed: int) -> dict[float, dict[str, datetime]]:
    """By level, the moment that so many simulated runs have finished each item by."""
    from throttle.simulate import model_of, simulate

    if plan.portfolio is None:
        return {}
    model = model_of(plan.portfolio, plan)
    sample = simulate(model, runs, seed)
    found: dict[float, dict[str, datetime]] = {}
    for level in LEVELS:
        ends = np.quantile(sample.finish, level, axis=0, method="inverted_cdf")
        found[level] = {id: model.moment(float(ends[j])) for j, id in enumerate(model.items) if id in plan.items}
    return found


def _coverage(level: float, due: int, kept: int) -> Coverage:
    if not due:
        return Coverage(level=level, due=0, kept=0, share=None)
    z = NormalDist().inv_cdf(0.975)
    share = kept / due
    middle = (share + z * z / (2 * due)) / (1 + z * z / due)
    half = z * sqrt(share * (1 - share) / due + z * z / (4 * due * due)) / (1 + z * z / due)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Coverage(level=level, due=due, kept=kept, share=round(share, 6), low=round(low, 6), high=round(high, 6))


# --- buffers


def _fever(now: Portfolio, plans: Sequence[Plan], current: Plan | None) -> Fever | None:
    """Each plan against the first promises, and what is now."""
    before: Plan | None = None
    for plan in plans:
        if before is not None and plan.portfolio is not None:
            before = plan.model_copy(update={"fever": fever_of(plan, plan.portfolio, before)})
        else:
            before = plan
    if before is None:
        return None
    if current is not None:
        return fever_of(current, now, before)
    return fever(by_likely(now), {}, as_of(now), before)


# --- estimates

Basis = Literal["logged", "inferred"]


class Ratio(NamedTuple):
    id: str
    item: WorkItem
    """As it was estimated."""
    ratio: float
    """Actual / estimated working time."""
    above: bool | None
    """Its high; ``below``: its low. None without a range."""
    below: bool | None
    team: str | None
    """Of who did it."""
    basis: Basis


def ratios(now: Portfolio, plans: Sequence[Plan], actual: Mapping[str, datetime]) -> Iterable[Ratio]:
    """Of each item that an earlier plan had open and that has been finished since.

    Actual time: what was logged (``spent``), against the estimates of all needs. Where nothing was: working hours of
    the one with the longest need, from started to finished, against the estimate of that need; what else was done in
    between counts too.
    """
    zone, moment = ZoneInfo(now.zone), as_of(now)
    seen: set[str] = set()
    for plan in plans:
        portfolio = plan.portfolio
        if portfolio is None:
            continue
        for id, item in portfolio.work.items():
            done = now.work.get(id)
            if id in seen or id not in plan.items or done is None or id not in actual:
                continue
            if done.spent is None and done.started is None:
                continue
            if item.status is not Status.OPEN or not item.needs or not plan.items[id].assignments:
                continue
            longest = max(
                item.needs, key=lambda n: n.effort.mean / n.people / n.allocation if n.effort else timedelta(0)
            )
            if longest.effort is None or not longest.effort.mean:
                continue
            number = item.needs.index(longest)
            person = next((a.person for a in plan.items[id].assignments if a.need == number), None)
            named = next((p for n in done.needs for p in n.who if p in now.people), None)
            who = named or person
            team = now.people[who].team if who in now.people else None
            if done.spent is not None and all(need.effort is not None for need in item.needs):
                basis: Basis = "logged"
                took = done.spent / HOUR
                estimates = [need.effort for need in item.needs if need.effort is not None]
            elif done.started is not None and who in now.people:
                basis = "inferred"
                began = done.started.resolve(moment, zone).astimezone(UTC)
                took = _worked(now, who, began, actual[id]) * longest.people * longest.allocation
                estimates = [longest.effort]
            else:
                continue
            seen.add(id)
            if took <= 0:
                continue
            low, mean, high = (
                sum((getattr(one, point) for one in estimates), timedelta(0)) / HOUR
                for point in ("low", "mean", "high")
            )
            above, below = (took > high, took < low) if low < high else (None, None)
            yield Ratio(id, item, took / mean, above, below, team, basis)


def _basis(rows: Sequence[Ratio]) -> str:
    """Which actual times there are, in words."""
    logged = sum(row.basis == "logged" for row in rows)
    words = []
    if logged:
        words.append(f"{plural(logged, 'item')} by the working time logged")
    if logged < len(rows) or not rows:
        words.append(
            f"{plural(len(rows) - logged, 'item')} by working hours of who did it from started to finished (inferred)"
        )
    return ", ".join(words)


def _worked(portfolio: Portfolio, person: str, first: datetime, last: datetime) -> float:
    """Working hours of somebody between two moments; at least one slot."""
    minutes = int(portfolio.slot.total_seconds() // 60)
    origin = int(minute_of(first) // minutes) * minutes
    slots = max(1, round((minute_of(last) - origin) / minutes))
    return max(1, int(Calendars(portfolio, Grid(origin, minutes, slots)).person(person).sum())) * minutes / 60


def _biases(rows: Sequence[Ratio]) -> Iterable[Bias]:
    """By group; logged and inferred times apart, since what is inferred has other work in it."""
    groups: dict[tuple[Literal["all", "type", "team", "skill"], str, Basis], list[Ratio]] = {}
    for row in rows:
        groups.setdefault(("all", "all", row.basis), []).append(row)
        groups.setdefault(("type", str(row.item.type), row.basis), []).append(row)
        if row.team is not None:
            groups.setdefault(("team", row.team, row.basis), []).append(row)
        for skill in sorted({need.skill for need in row.item.needs if need.skill is not None}):
            groups.setdefault(("skill", skill, row.basis), []).append(row)
    order = {"all": 0, "type": 1, "team": 2, "skill": 3}
    ranked = sorted(groups.items(), key=lambda e: (e[0][2] != "logged", order[e[0][0]], -len(e[1]), e[0][1]))
    for (of, name, basis), some in ranked:
        logs = np.log([row.ratio for row in some])
        mean, low, high = interval(logs) if len(some) > 1 else (float(logs[0]), log(1e-3), log(1e3))
        p10, p90 = np.quantile(logs, (0.1, 0.9))
        yield Bias(
            of=of,
            name=name,
            basis=basis,
            count=len(some),
            ratio=round(exp(mean), 4),
            low=round(exp(max(low, log(1e-3))), 4),
            high=round(exp(min(high, log(1e3))), 4),
            p10=round(exp(float(p10)), 4),
            p90=round(exp(float(p90)), 4),
            above=_share([row.above for row in some]),
            below=_share([row.below for row in some]),
        )


def _share(marks: Sequence[bool | None]) -> float | None:
    known = [mark for mark in marks if mark is not None]
    return round(sum(known) / len(known), 4) if known else None


# --- reserve


def _reserve(now: Portfolio, plans: Sequence[Plan]) -> ReserveCheck:
    """Unplanned work by the week in which it came, of the whole weeks since the first plan."""
    zone, moment = ZoneInfo(now.zone), as_of(now)
    if not plans:
        return ReserveCheck(weeks=(), covered=None, p80=None)
    first = plans[0].as_of.astimezone(zone).date()
    monday = first + timedelta(days=(-first.weekday()) % 7)
    last = moment.astimezone(zone).date()
    weeks = []
    kept = sum(one.minutes for one in reserves(now)) / 60
    hours: dict[str, float] = {}
    for item in now.work.values():
        if item.type is WorkType.UNPLANNED and item.created is not None:
            day = item.created.resolve(moment, zone).astimezone(zone).date()
            spent = sum((n.effort.mean if n.effort else n.remaining or timedelta(0)) / HOUR for n in item.needs)
            hours[iso_week(day)] = hours.get(iso_week(day), 0.0) + spent
    while monday + timedelta(days=7) <= last:
        name = iso_week(monday)
        weeks.append(ReserveWeek(week=name, hours=round(hours.get(name, 0.0), 4), kept=round(kept, 4)))
        monday += timedelta(days=7)
    if not weeks:
        return ReserveCheck(weeks=(), covered=None, p80=None)
    amounts = [week.hours for week in weeks]
    return ReserveCheck(
        weeks=tuple(weeks),
        covered=round(sum(week.hours <= week.kept for week in weeks) / len(weeks), 6),
        p80=round(float(np.quantile(amounts, 0.8, method="inverted_cdf")), 4),
    )


# --- proposals


def _whole(estimates: Sequence[Bias]) -> Bias | None:
    """Of all items, where there are enough; logged times come first, since what is inferred has other work in it."""
    return next((one for one in estimates if one.of == "all" and one.count >= ENOUGH), None)


def _proposals(now: Portfolio, estimates: Sequence[Bias], reserve: ReserveCheck) -> Iterable[Proposal]:
    whole = _whole(estimates)
    if whole is not None:
        spread = now.simulation.spread
        low, high = min(1.0, round(whole.p10, 2)), max(1.0, round(whole.p90, 2))
        far = spread is None or abs(log(low / spread.short)) > OFF or abs(log(high / spread.long)) > OFF
        if far and low > 0:
            certain = sum(
                item.status is not Status.DONE and any(_without_range(need.effort) for need in item.needs)
                for item in now.work.values()
            )
            within = "" if whole.p10 <= 1 <= whole.p90 else ", and a range has the estimate in it"
            yield Proposal(
                name="spread",
                path=("simulation", "spread"),
                now=spread.model_dump(mode="json") if spread is not None else None,
                value={"short": low, "long": high},
                why=f"finished items took {whole.p10:.2f} to {whole.p90:.2f} times their estimate (10 % and 90 %), by "
                + ("the time logged" if whole.basis == "logged" else "the hours from started to finished")
                + f"{within}; it counts for estimates without a range, of which {plural(certain, 'open item')} "
                + ("has one" if certain == 1 else "have one"),
                samples=whole.count,
            )
    kept = reserve.weeks[0].kept if reserve.weeks else 0.0
    said = now.policy.reserve
    if len(reserve.weeks) >= ENOUGH and reserve.p80 is not None and isinstance(said, Mapping) and kept:
        factor = reserve.p80 / kept
        if abs(factor - 1) > OFF and factor > 0:
            written: dict[str, Any] = now.policy.model_dump(mode="json")["reserve"]
            yield Proposal(
                name="reserve",
                path=("policy", "reserve"),
                now=written,
                value={name: _scaled(amount, factor) for name, amount in written.items()},
                why=f"{reserve.p80:g} h a week would have covered 80 % of the weeks, and {kept:g} h were kept",
                samples=len(reserve.weeks),
            )


def _without_range(effort: Estimate | None) -> bool:
    return effort is not None and effort.low == effort.high


def _scaled(amount: Any, factor: float) -> Any:
    """Hours a week, or by weekday, times a factor, in whole half hours."""
    from throttle_models.quantities import WORK, format_minutes, parse_minutes

    if isinstance(amount, dict):
        return {day: _scaled(part, factor) for day, part in amount.items()}
    text = str(amount)
    tail = "/week" if text.endswith("/week") else ""
    minutes = parse_minutes(text.removesuffix("/week"), WORK) / timedelta(minutes=30)
    return format_minutes(timedelta(minutes=30 * max(1, round(minutes * factor))), WORK, "hm") + tail


def _patch(proposals: Iterable[Proposal]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in proposals:
        at = found
        for step in one.path[:-1]:
            at = at.setdefault(step, {})
        at[one.path[-1]] = one.value
    return found
