"""Hours kept free for unplanned work that is not known yet: who keeps how many, and when (docs/plan.md, Time)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from throttle_models import Finding, Portfolio
from throttle_models.people import WEEKDAYS
from throttle_models.quantities import WORK, format_minutes

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Reserve:
    """Minutes that some people together keep free each week, or each time on one day of it."""

    about: str
    """A person or a skill."""
    people: tuple[str, ...]
    """In the order of their ids, in which minutes are rounded to slots."""
    minutes: int
    weekday: int | None = None
    """0 is Monday; None: each ISO week, spread over its days."""


def reserves(portfolio: Portfolio) -> list[Reserve]:
    """In the order in which they are taken, each from what those before have left.

    What people keep themselves, unless the policy names them; then what the policy says of people, then of skills.
    """
    said = portfolio.policy.reserve
    policy = said if isinstance(said, Mapping) else {}
    found = [
        Reserve(name, (name,), round(person.reserve / MINUTE))
        for name, person in sorted(portfolio.people.items())
        if person.reserve and name not in policy
    ]
    for about, amount in sorted(policy.items(), key=lambda entry: (entry[0] not in portfolio.people, entry[0])):
        people = (about,) if about in portfolio.people else tuple(sorted(holders(portfolio, about)))
        if isinstance(amount, Mapping):
            found += [
                Reserve(about, people, round(part / MINUTE), weekday)
                for weekday, day in enumerate(WEEKDAYS)
                for name, part in amount.items()
                if name == day and part
            ]
        elif amount:
            found.append(Reserve(about, people, round(amount / MINUTE)))
    return [reserve for reserve in found if reserve.people]


def holders(portfolio: Portfolio, skill: str) -> list[str]:
    return [name for name, person in portfolio.people.items() if skill in person.skills]


def reserve_findings(portfolio: Portfolio) -> list[Finding]:
    """What a reserve rests on that the portfolio does not say outright."""
    found: list[Finding] = []
    said = portfolio.policy.reserve
    if said == "learned":
        own = [name for name, person in portfolio.people.items() if person.reserve]
        then = f"the reserve of {', '.join(own[:8])} stands" if own else "nobody keeps a reserve"
        found.append(
            Finding(
                level="info",
                code="reserve-not-learned",
                message=f"policy.reserve: learned, and there is no history to learn from in the portfolio; {then}. "
                "Write hours per person or per skill to set it.",
                ids=tuple(own),
                path="policy.reserve",
            )
        )
    skills: dict[str, list[Reserve]] = {}
    for reserve in reserves(portfolio):
        if reserve.about not in portfolio.people:
            skills.setdefault(reserve.about, []).append(reserve)
    for skill, kept in skills.items():
        hours = ", ".join(
            format_minutes(r.minutes * MINUTE, WORK, "hm")
            + ("/week" if r.weekday is None else f" {WEEKDAYS[r.weekday]}")
            for r in kept
        )
        found.append(
            Finding(
                level="info",
                code="reserve-carried",
                message=f"policy.reserve.{skill}: {hours} are kept free by {', '.join(kept[0].people)}, each in "
                "proportion to the hours at work then",
                ids=kept[0].people,
                path=f"policy.reserve.{skill}",
            )
        )
    if isinstance(said, Mapping):
        found += [
            Finding(
                level="warning",
                code="reserve-nobody",
                message=f"policy.reserve.{about}: nobody holds {about}, so nobody keeps this reserve",
                ids=(about,),
                path=f"policy.reserve.{about}",
            )
            for about in sorted(said)
            if about not in portfolio.people and not holders(portfolio, about)
        ]
    return found
