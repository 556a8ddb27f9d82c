"""Options as changed portfolios: one kind is one function and one line of :data:`KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from throttle.calendars import as_of
from throttle.compile import prepared
from throttle.graph import HISTORY, WorkGraph
from throttle.loads import skill_label
from throttle.reliance.holders import learners, scarce
from throttle.scenarios.patch import FOR_GOOD, need_comparable, with_scenario
from throttle.wording import plural
from throttle_models import (
    DEFAULT_CALENDAR,
    Days,
    Estimate,
    Hours,
    Person,
    Plan,
    Portfolio,
    Rota,
    Status,
    Window,
    WorkItem,
)
from throttle_models.elevate import Menu, OptionKind
from throttle_models.people import WEEKDAYS

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SCARCE, LEARNERS = 5, 2
"""Most scarce skills that somebody may learn, and most people for each."""
REPEATED = 3
"""An item is a repeated step where so many open ones share a tag."""
TAGS = 6


@dataclass(frozen=True)
class Choice:
    """An option: the portfolio with it, and what it adds and costs."""

    kind: OptionKind
    text: str
    portfolio: Portfolio
    refs: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """Whose hours it adds to."""
    once: float | None = None
    per_week: float | None = None
    per_hour: float | None = None
    """Costs, where they are known."""
    from_: timedelta = timedelta(0)
    """After as-of, from when on it costs."""


@dataclass(frozen=True)
class Organisation:
    """What options are made of."""

    portfolio: Portfolio
    plan: Plan
    menu: Menu
    graph: WorkGraph
    planned: Portfolio
    """With what rules insert."""
    out: list[str] = field(default_factory=list)
    """Options that there are not, and why."""

    @classmethod
    def of(cls, portfolio: Portfolio, plan: Plan, menu: Menu) -> Organisation:
        expanded, graph = prepared(portfolio)
        return cls(portfolio, plan, menu, graph, expanded.portfolio)

    def open(self) -> Iterator[tuple[str, WorkItem]]:
        """Written items that are not history."""
        for id, item in self.portfolio.work.items():
            if item.status not in HISTORY:
                yield id, item

    def able(self) -> dict[str, set[str]]:
        """By skill that open work needs, everyone who can do some of it."""
        found: dict[str, set[str]] = {}
        for id in self.graph.activities:
            for need in self.planned.work[id].needs:
                if need.skill is not None:
                    found.setdefault(need.skill, set()).update(self.graph.able(need))
        return found

    def with_people(self, changed: Mapping[str, Person]) -> Portfolio:
        return self.portfolio.model_copy(update={"people": {**self.portfolio.people, **changed}})

    def today(self) -> date:
        return as_of(self.portfolio).astimezone(ZoneInfo(self.portfolio.zone)).date()


def options(portfolio: Portfolio, plan: Plan, menu: Menu) -> tuple[dict[str, Choice], tuple[str, ...]]:
    """All options by name, and those that there are not, with the reason. Raises InputError of an own one."""
    about = Organisation.of(portfolio, plan, menu)
    found: dict[str, Choice] = {}
    for kind, make in KINDS.items():
        if kind not in menu.leave_out:
            for name, choice in make(about):
                found.setdefault(f"{kind}: {name}", choice)
    return found, tuple(about.out)


# --- hours


def _hours(about: Organisation) -> Iterator[tuple[str, Choice]]:
    wanted = sorted({p for able in about.able().values() for p in able} | _named(about))
    for person in [p for p in about.portfolio.people if p in wanted]:
        changed = longer(about.portfolio, person, about.menu.hour)
        if changed is None:
            about.out.append(f"an hour more of {person}: at work at all times already")
            continue
        text = f"{_hour(about.menu.hour)} a week more of {person}"
        yield person, Choice(OptionKind.HOUR, text, changed, (person,), (person,), per_hour=about.menu.hour_cost)


def _named(about: Organisation) -> set[str]:
    return {p for id in about.graph.activities for need in about.planned.work[id].needs for p in about.graph.able(need)}


def _skills(about: Organisation) -> Iterator[tuple[str, Choice]]:
    for skill, able in sorted(about.able().items()):
        holders = [p for p in about.portfolio.people if p in able]
        if len(holders) < 2:
            continue  # the hour of that one
        changed = about.portfolio
        for person in holders:
            changed = longer(changed, person, about.menu.hour) or changed
        if changed is about.portfolio:
            continue
        text = f"{_hour(about.menu.hour)} a week more of each of the {len(holders)} who do {skill}"
        yield skill, Choice(OptionKind.SKILL, text, changed, (skill,), tuple(holders), per_hour=about.menu.hour_cost)


def _hour(span: timedelta) -> str:
    hours = span / HOUR
    return "an hour" if hours == 1 else f"{hours:g} hours"


def longer(portfolio: Portfolio, person: str, span: timedelta) -> Portfolio | None:
    """So much more planned work a week of somebody, at the end of their first day at work; None where that is full."""
    who = portfolio.people[person]
    name = who.calendar or next(iter(portfolio.calendars), None)
    calendar = portfolio.calendars[name] if name is not None else DEFAULT_CALENDAR
    share = who.productive if who.productive is not None else calendar.productive
    minutes = ceil(span / timedelta(minutes=1) / share)
    ranges = calendar.hours.ranges
    for day in sorted({day for day, _, _ in ranges}):
        end = max(last for on, _, last in ranges if on == day)
        following = [first + 1440 * ((on - day) % 7) for on, first, _ in ranges if on != day]
        if (
            end + minutes <= min([*following, end + minutes])
            and end + minutes < 2880
            and _free(ranges, day, end, minutes)
        ):
            text = f"{calendar.hours.text}; {WEEKDAYS[day]} {_clock(end)}-{_clock(end + minutes)}"
            break
    else:
        return None
    new = f"{name or 'office'}+{person}"
    calendars = dict(portfolio.calendars) or {"default": DEFAULT_CALENDAR}
    calendars[new] = calendar.model_copy(update={"hours": Hours(text=text)})
    people = {**portfolio.people, person: who.model_copy(update={"calendar": new})}
    return portfolio.model_copy(update={"calendars": calendars, "people": people})


def _free(ranges: tuple[tuple[int, int, int], ...], day: int, end: int, minutes: int) -> bool:
    """Whether a range from the end of a day on meets none of the week."""
    begin = day * 1440 + end
    for on, first, last in ranges:
        for week in (-10080, 0, 10080):
            if on * 1440 + first + week < begin + minutes and begin < on * 1440 + last + week:
                return False
    return True


def _clock(minute: int) -> str:
    minute %= 1440
    return f"{minute // 60:02}:{minute % 60:02}" if minute else "24:00"


# --- people


def _hires(about: Organisation) -> Iterator[tuple[str, Choice]]:
    """Of each skill that work needs, one more who can do all of that work."""
    level: dict[str, int] = {}
    for id in about.graph.activities:
        for need in about.planned.work[id].needs:
            if need.skill is not None:
                level[need.skill] = max(level.get(need.skill, 1), need.level)
    first = about.today()
    after = max(1, ceil(about.menu.hire_after / DAY))
    for skill in sorted(level):
        holders = [p for p, who in about.portfolio.people.items() if skill in who.skills]
        like = about.portfolio.people[holders[0]] if holders else Person()
        name = _new(about.portfolio, f"new-{skill}")
        person = Person(
            team=like.team,
            calendar=like.calendar,
            skills={skill: level[skill]},
            productive=like.productive,
            away=(Days(first=first, last=first + timedelta(days=after - 1)),),
        )
        label = skill_label(skill, level[skill])
        text = f"one more for {label}, at work after {_weeks(about.menu.hire_after)}"
        yield (
            label,
            Choice(
                OptionKind.HIRE,
                text,
                about.with_people({name: person}),
                (skill,),
                (name,),
                per_week=about.menu.hire_cost,
                from_=about.menu.hire_after,
            ),
        )


def _trainings(about: Organisation) -> Iterator[tuple[str, Choice]]:
    """Those nearest to what only one or two can do; they and a teacher have less time until they can."""
    for skill, level, holders in scarce(about.planned, about.graph)[:SCARCE]:
        for learner in learners(about.portfolio, about.plan, holders, skill, level)[:LEARNERS]:
            label = skill_label(skill, level)
            text = f"{learner} learns {label} in {_weeks(about.menu.ramp_up)}"
            changed = taught_by(about.portfolio, learner, skill, level, holders, about.menu)
            yield (
                f"{learner}, {label}",
                Choice(OptionKind.TRAINING, text, changed, (learner, skill), once=about.menu.training_cost),
            )


def taught_by(
    portfolio: Portfolio, person: str, skill: str, level: int, holders: tuple[str, ...], menu: Menu
) -> Portfolio:
    """Somebody who can do more after the ramp-up; until then a share of their time, and of a teacher's, is gone.

    Skills have no dates, so the one who learns is two: the first is there until the end of the ramp-up, and the second
    from then on, and can do more. Nothing is worked on by one across that day, so it saves no less than is told.
    """
    zone = ZoneInfo(portfolio.zone)
    now = as_of(portfolio)
    first = now.astimezone(zone).date()
    days = max(1, ceil(menu.ramp_up / DAY))
    able = first + timedelta(days=days)
    who, after = portfolio.people[person], _new(portfolio, f"{person} (trained)")
    gone = Days(first=able, last=able + FOR_GOOD)
    early = Days(first=first - timedelta(days=30), last=able - DAY)
    people = {
        **portfolio.people,
        person: who.model_copy(update={"away": (*who.away, gone)}),
        after: who.model_copy(update={"away": (*who.away, early), "skills": {**who.skills, skill: level}}),
    }
    work = {}
    for id, item in portfolio.work.items():
        needs = tuple(
            n.model_copy(update={"who": (*n.who, after)}) if person in n.who and item.status not in HISTORY else n
            for n in item.needs
        )
        work[id] = item.model_copy(update={"needs": needs}) if needs != item.needs else item
    rotas = dict(portfolio.rotas)
    for name, rota in portfolio.rotas.items():
        if person in rota.people:
            nobody = _new(portfolio, "nobody")
            people[nobody] = Person()
            rotas[f"{name}, {after}"] = rota.model_copy(
                update={"people": tuple(after if p == person else nobody for p in rota.people)}
            )
    teacher = next((p for p in holders if p != person), None)
    for one in filter(None, (person, teacher)):
        rotas[f"ramp-up, {one}"] = Rota(
            people=(one,), first=first, every=timedelta(days=days), share=menu.ramp_share, turns=1
        )
    policy = portfolio.policy
    pins = tuple(
        pin.model_copy(update={"who": ()}) if person in pin.who and pin.start is None else pin for pin in policy.pins
    )
    pins = tuple(pin for pin in pins if pin.who or pin.start or pin.window or pin.on)
    return portfolio.model_copy(
        update={"people": people, "work": work, "rotas": rotas, "policy": policy.model_copy(update={"pins": pins})}
    )


def _new(portfolio: Portfolio, name: str) -> str:
    while name in portfolio.people:
        name += "+"
    return name


def _weeks(span: timedelta) -> str:
    weeks = span / WEEK
    return "a week" if weeks == 1 else f"{weeks:g} weeks"


# --- changes, places, steps, debt


def _approvals(about: Organisation) -> Iterator[tuple[str, Choice]]:
    boards: dict[str, list[str]] = {}
    for id, item in about.open():
        approval = item.change.approval if item.change is not None else None
        if approval is not None and not approval.given and approval.lead:
            boards.setdefault(approval.board or "approval", []).append(id)
    for board, ids in sorted(boards.items()):
        work = dict(about.portfolio.work)
        for id in ids:
            change = work[id].change
            if change is not None and change.approval is not None:
                lead = change.approval.lead * about.menu.shorter
                approval = change.approval.model_copy(update={"lead": _minutes(lead)})
                changed = change.model_copy(update={"approval": approval})
                work[id] = work[id].model_copy(update={"change": changed})
        text = f"{plural(len(ids), 'approval')} of {board} in {about.menu.shorter:.0%} of the time"
        yield board, Choice(OptionKind.APPROVAL, text, about.portfolio.model_copy(update={"work": work}), (board,))
    for k, rule in enumerate(about.portfolio.policy.rules):
        if any(step.lead for step in rule.require):
            steps = tuple(
                s.model_copy(update={"lead": _minutes(s.lead * about.menu.shorter)}) if s.lead else s
                for s in rule.require
            )
            text = f"authorisations that {rule.name} asks for in {about.menu.shorter:.0%} of the time"
            yield rule.name, Choice(OptionKind.APPROVAL, text, _with_rule(about, k, steps), (rule.name,))


def _with_rule(about: Organisation, number: int, steps: tuple[object, ...]) -> Portfolio:
    policy = about.portfolio.policy
    rules = list(policy.rules)
    rules[number] = rules[number].model_copy(update={"require": steps})
    return about.portfolio.model_copy(update={"policy": policy.model_copy(update={"rules": tuple(rules)})})


def _minutes(span: timedelta) -> timedelta:
    return timedelta(minutes=round(span / timedelta(minutes=1)))


def _windows(about: Organisation) -> Iterator[tuple[str, Choice]]:
    used = {item.change.window for _, item in about.open() if item.change is not None and item.change.window}
    for name in [w for w in about.portfolio.windows if w in used]:
        window: Window = about.portfolio.windows[name]
        ranges = window.every.ranges
        taken = {day for day, _, _ in ranges}
        free = [day for day in range(7) if day not in taken]
        if not free:
            about.out.append(f"another occurrence of {name}: it is open every day already")
            continue
        # the day that lies farthest from those there are
        day = max(free, key=lambda d: (min(min((d - k) % 7, (k - d) % 7) for k in taken), -d))
        _, first, last = ranges[0]
        text = f"{window.every.text}; {WEEKDAYS[day]} {_clock_from(first)}-{_clock(last)}"
        changed = window.model_copy(update={"every": Hours(text=text)})
        windows = {**about.portfolio.windows, name: changed}
        yield (
            name,
            Choice(
                OptionKind.WINDOW,
                f"{name} also on {WEEKDAYS[day]}",
                about.portfolio.model_copy(update={"windows": windows}),
                (name,),
            ),
        )


def _clock_from(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _environments(about: Organisation) -> Iterator[tuple[str, Choice]]:
    used = {name for _, item in about.open() for name in item.environment}
    for name in [e for e in about.portfolio.environments if e in used]:
        place = about.portfolio.environments[name]
        more = place.model_copy(update={"capacity": place.capacity + 1})
        environments = {**about.portfolio.environments, name: more}
        yield (
            name,
            Choice(
                OptionKind.ENVIRONMENT,
                f"one more place in {name} ({place.capacity + 1} in all)",
                about.portfolio.model_copy(update={"environments": environments}),
                (name,),
                per_week=about.menu.environment_cost,
            ),
        )


def _automation(about: Organisation) -> Iterator[tuple[str, Choice]]:
    left = about.menu.shorter
    for k, rule in enumerate(about.portfolio.policy.rules):
        if any(step.needs for step in rule.require):
            steps = tuple(
                s.model_copy(update={"needs": tuple(_shortened(n, left) for n in s.needs)}) for s in rule.require
            )
            text = f"steps that {rule.name} asks for take {left:.0%} of their work"
            yield rule.name, Choice(OptionKind.AUTOMATION, text, _with_rule(about, k, steps), (rule.name,))
    tagged: dict[str, list[str]] = {}
    for id, item in about.open():
        for tag in item.tags:
            if item.needs and item.duration is None:
                tagged.setdefault(tag, []).append(id)
    many = sorted((tag for tag, ids in tagged.items() if len(ids) >= REPEATED), key=lambda t: (-len(tagged[t]), t))
    for tag in many[:TAGS]:
        work = dict(about.portfolio.work)
        for id in tagged[tag]:
            work[id] = work[id].model_copy(update={"needs": tuple(_shortened(n, left) for n in work[id].needs)})
        text = f"the {len(tagged[tag])} items tagged {tag} take {left:.0%} of their work"
        yield tag, Choice(OptionKind.AUTOMATION, text, about.portfolio.model_copy(update={"work": work}), (tag,))


def _shortened(need: object, left: float) -> object:
    from throttle_models import Need

    if not isinstance(need, Need):
        raise TypeError(type(need))
    effort = need.effort
    if effort is not None:
        effort = Estimate(
            low=_minutes(effort.low * left), likely=_minutes(effort.likely * left), high=_minutes(effort.high * left)
        )
    remaining = _minutes(need.remaining * left) if need.remaining is not None else None
    return need.model_copy(update={"effort": effort, "remaining": remaining})


def _debts(about: Organisation) -> Iterator[tuple[str, Choice]]:
    for id, item in about.open():
        if item.interest:
            work = {**about.portfolio.work, id: item.model_copy(update={"status": Status.DONE, "interest": {}})}
            hours = sum(
                (need.effort.mean if need.effort else need.remaining or timedelta(0)) / HOUR for need in item.needs
            )
            price = about.menu.debt_cost
            yield (
                id,
                Choice(
                    OptionKind.DEBT,
                    f"{id} paid off by others ({hours:,.0f} h)",
                    about.portfolio.model_copy(update={"work": work}),
                    (id,),
                    once=price * hours if price is not None else None,
                ),
            )


def _own(about: Organisation) -> Iterator[tuple[str, Choice]]:
    for name, own in about.menu.options.items():
        changed = with_scenario(about.portfolio, own, name)
        need_comparable(about.portfolio, changed, name)
        yield name, Choice(OptionKind.OWN, own.title or name, changed, (), once=own.cost, per_week=own.per_week)


KINDS: dict[OptionKind, Callable[[Organisation], Iterator[tuple[str, Choice]]]] = {
    OptionKind.HOUR: _hours,
    OptionKind.SKILL: _skills,
    OptionKind.HIRE: _hires,
    OptionKind.TRAINING: _trainings,
    OptionKind.APPROVAL: _approvals,
    OptionKind.WINDOW: _windows,
    OptionKind.ENVIRONMENT: _environments,
    OptionKind.AUTOMATION: _automation,
    OptionKind.DEBT: _debts,
    OptionKind.OWN: _own,
}
