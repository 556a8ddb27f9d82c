"""All rules, one after the other."""

from __future__ import annotations

import hashlib
import json

from throttle.check.buffers import Buffers, by_likely
from throttle.check.changes import Changes, with_overhead
from throttle.check.claims import claims
from throttle.check.debt import Debts
from throttle.check.facts import Facts, unknown_rules
from throttle.check.goals import goals
from throttle.check.inserted import Expansion
from throttle.check.kinds import Violations, clock_text, seconds
from throttle.check.left_out import LeftOut
from throttle.check.limits import limits
from throttle.check.loads import Loads
from throttle.check.money import Money
from throttle.check.out_of_hours import out_of_hours
from throttle.check.schedule import Schedule
from throttle.check.stability import stability
from throttle.check.views import accounts, certificate, projects, this_week, weeks
from throttle.errors import InputError
from throttle_models import Finding, Plan, Portfolio, Verdict


def check(plan: Plan, portfolio: Portfolio | None = None, previous: Plan | None = None) -> Verdict:
    """Every way in which a plan breaks a rule of docs/plan.md, and its objective and flow as recomputed.

    ``portfolio`` is what the plan was made from; without it, the plan's own is taken. ``previous`` is the plan that a
    replan started from: what this one says of it is held against it too. Raises InputError if there is no portfolio, or
    if references in it do not resolve.
    """
    chosen = portfolio if portfolio is not None else plan.portfolio
    if chosen is None:
        message = "the plan does not carry its portfolio: give the portfolio file that it was made from"
        raise InputError([Finding(level="error", code="no-portfolio", message=message)])
    expansion = Expansion(by_likely(chosen))
    expansion.written, expansion.portfolio = chosen, by_likely(expansion.portfolio)
    debts = Debts(Facts(expansion.portfolio))
    facts = Facts(with_overhead(debts.portfolio, expansion, plan), plan.pace.people if plan.pace else ())
    violations = Violations()
    schedule = Schedule(plan, facts, violations)
    money = Money(facts, schedule.items)
    _header(plan, facts, expansion, violations)
    expansion.check(plan, violations)
    accounts(schedule, violations)
    schedule.check()
    limits(schedule, violations)
    Changes(schedule, violations).check()
    out_of_hours(schedule, violations)
    debts.check(plan.debts, schedule, violations)
    buffers = Buffers(schedule, chosen, violations)
    LeftOut(schedule, buffers, violations).check()
    stability(schedule, violations)
    this_week(schedule, violations)
    weeks(schedule, violations)
    projects(schedule, money, violations)
    buffers.check()
    certificate(schedule, money, violations)
    goals(schedule, money, violations)
    Loads(schedule, violations).check()
    claims(schedule, chosen, money, previous, violations)
    if not violations.found and (not plan.certificate.checked or plan.certificate.violations):
        message = "no violation is found; the certificate says that the plan is not checked, or counts some"
        violations.add("counts", ["checked"], message, amount=plan.certificate.violations)
    return Verdict(
        ok=not violations.found,
        violations=tuple(violations.found),
        objective=money.objective,
        flow=money.flow,
        items=len(plan.items) + len(plan.unscheduled),
    )


def _header(plan: Plan, facts: Facts, expansion: Expansion, violations: Violations) -> None:
    portfolio, clock = expansion.written, facts.clock
    found = _hash(portfolio)
    if found != plan.certificate.input_hash:
        message = f"the plan was made from a portfolio with hash {plan.certificate.input_hash}; this one has {found}"
        violations.add("input-hash", [], message)
    as_of = clock.as_of * clock.slot
    if seconds(plan.as_of) != as_of:
        off = (seconds(plan.as_of) - as_of) / 3600
        message = f"as-of is {clock_text(as_of)}; the plan says {clock_text(seconds(plan.as_of))}"
        violations.add("header", ["as_of"], message, seconds(plan.as_of), off)
    for field in ("zone", "slot", "currency"):
        if getattr(plan, field) != getattr(portfolio, field):
            violations.add("header", [field], f"the plan's {field} is not the portfolio's")
    unclear = [("work.verify, where nobody works", tuple(expansion.nobody))] if expansion.nobody else []
    for field, ids in [*unknown_rules(portfolio), *unclear]:
        violations.add("not-checked", ids, f"the portfolio uses {field}, whose rules this checker does not know")


def _hash(portfolio: Portfolio) -> str:
    data = portfolio.model_dump(mode="json", exclude_defaults=True)
    if "calendars" in data:  # their order has a meaning: the first serves whoever names none
        data["calendars"] = [[name, calendar] for name, calendar in data["calendars"].items()]
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
