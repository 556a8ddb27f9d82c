"""The portfolio to plan now: that of the accepted plan, with what was reported and pinned since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from throttle.errors import InputError
from throttle_api.problems import Problem, of_findings
from throttle_api.storage.plans import Pin as StoredPin
from throttle_api.storage.plans import ProgressUpdate
from throttle_models import Finding, Pin, Plan, Portfolio, Status, WorkItem

_DIRECT = ("status", "started", "finished", "on_hold")


def newer_portfolio(
    plan: Plan,
    newer: bytes | None,
    as_of: str | None,
    pins: Sequence[StoredPin],
    progress: Iterable[ProgressUpdate],
    now: datetime,
) -> tuple[bytes, list[Finding]]:
    """The portfolio as JSON, and what has happened since the plan, as ``throttle replan`` tells it.

    ``newer``: a portfolio in place of the plan's. Updates and pins of items that there are not, or not any more, count
    for nothing and are told. Raises Problem where what was reported does not fit.
    """
    from throttle.replan import advance

    assert plan.portfolio is not None
    base = Portfolio.model_validate_json(newer) if newer is not None else plan.portfolio
    data = base.model_dump(mode="json", exclude_defaults=True)
    data["as_of"] = as_of or _written(now, plan, base)
    missing = []
    for update in progress:
        item = data.get("work", {}).get(update.item)
        if item is None or not _apply(item, update.progress):
            missing.append(update.item)
    try:
        portfolio = Portfolio.model_validate_json(json.dumps(data))
    except ValidationError as problem:
        errors = [{"where": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in problem.errors()[:100]]
        raise Problem(
            "invalid-portfolio", "What was reported does not fit the portfolio; see errors.", errors
        ) from None
    try:
        advanced, findings = advance(plan, portfolio)
    except InputError as problem:
        raise Problem(
            "conflict", "The accepted plan cannot be planned again so.", of_findings(problem.findings)
        ) from None
    advanced, gone = _pinned(advanced, plan, pins)
    findings += [_left_out("progress", missing)] if missing else []
    findings += [_left_out("pins", gone)] if gone else []
    text = json.dumps({"throttle": 1, **advanced.model_dump(mode="json", exclude_defaults=True)}, ensure_ascii=False)
    return text.encode(), findings


def _left_out(what: str, items: list[str]) -> Finding:
    message = f"{what} of items that are not there, or done by now, count for nothing: {', '.join(items[:8])}"
    return Finding(level="warning", code="left-out", message=message, ids=tuple(items[:100]), count=len(items))


def _written(now: datetime, plan: Plan, base: Portfolio) -> str:
    """Now, in the zone of the portfolio, to the next whole minute; never before the plan."""
    moment = max(now, plan.as_of).astimezone(ZoneInfo(base.zone))
    return (moment + timedelta(seconds=59)).strftime("%Y-%m-%dT%H:%M")


def does_not_fit(item: WorkItem, said: Mapping[str, Any]) -> str | None:
    """What is wrong with an update of an item, where it would make the item one that cannot be; None where nothing is.

    What was written down counts for every replan, so that a wrong one would stand in the way of all.
    """
    data = item.model_dump(mode="json", exclude_defaults=True)
    _apply(data, said)
    try:
        WorkItem.model_validate_json(json.dumps(data))
    except ValidationError as problem:
        return problem.errors()[0]["msg"].removeprefix("Value error, ")[:200]
    return None


def _apply(item: dict[str, Any], said: Any) -> bool:
    """What an update says of an item; what it does not say stays. False where it does not fit the item any more."""
    for name in _DIRECT:
        if name in said:
            item[name] = said[name]
    if item.get("on_hold") == "" or item.get("status") in ("done", "cancelled"):
        item.pop("on_hold", None)
    if "remaining" in said:
        left = said["remaining"] if isinstance(said["remaining"], list) else [said["remaining"]]
        if len(left) != len(item.get("needs", ())):
            return False
        for need, hours in zip(item["needs"], left, strict=True):
            need.pop("effort", None)
            need["remaining"] = hours
    return True


def _pinned(portfolio: Portfolio, plan: Plan, pins: Sequence[StoredPin]) -> tuple[Portfolio, list[str]]:
    """With the pins, each in place of one that the policy has; and the items of those that count for nothing."""
    made, gone = [], []
    for pin in pins:
        item = portfolio.work.get(pin.item)
        if (item is None and pin.item not in plan.inserted) or (item is not None and item.status in _OVER):
            gone.append(pin.item)
            continue
        said = dict(pin.pin)
        if item is not None and item.status is Status.IN_PROGRESS:
            said = {"who": said["who"]} if "who" in said else {}  # it has begun: only who goes on is left to decide
        if said:
            made.append(Pin.model_validate({"work": pin.item, **said}))
    ours = {pin.item for pin in pins}
    kept = tuple(p for p in portfolio.policy.pins if p.work not in ours)
    if not pins:
        return portfolio, gone
    return portfolio.model_copy(update={"policy": portfolio.policy.model_copy(update={"pins": (*kept, *made)})}), gone


_OVER = (Status.DONE, Status.CANCELLED)
