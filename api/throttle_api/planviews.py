"""A plan in the formats that it is served in, and weeks of it; read once, and kept while it is asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import Response

from throttle.errors import InputError
from throttle.exports import EXPORTERS
from throttle_api.negotiation import CSV, ICS, JSON, choose, tag, unchanged
from throttle_api.problems import Problem, of_findings
from throttle_api.week import WeekView, view_week, week_csv, week_ics
from throttle_models import Plan, Portfolio

FORMATS: Mapping[str, str] = {JSON: "json", CSV: "csv", ICS: "ics"}
"""What ``Accept`` chooses among."""
_KEPT = 8
_lock = threading.Lock()
_plans: OrderedDict[str, Plan] = OrderedDict()
_weeks: OrderedDict[tuple[str, str], WeekView] = OrderedDict()


def plan_of(etag: str, body: Callable[[], bytes]) -> Plan:
    """The plan of a document; the ETag is its hash, so that equal ones are the same whoever asks."""
    with _lock:
        if etag in _plans:
            _plans.move_to_end(etag)
            return _plans[etag]
    plan = Plan.model_validate_json(body())
    with _lock:
        _plans[etag] = plan
        while len(_plans) > _KEPT:
            _plans.popitem(last=False)
    return plan


def portfolio_of(plan: Plan) -> Portfolio:
    """Raises Problem where the plan does not carry it."""
    if plan.portfolio is None:
        raise Problem("no-portfolio", "The plan does not carry its portfolio, which this needs.")
    return plan.portfolio


def week_of(etag: str, plan: Plan, week: str) -> WeekView:
    """Raises Problem for a week that the plan does not have."""
    with _lock:
        if (etag, week) in _weeks:
            return _weeks[etag, week]
    if (view := view_week(plan, week)) is None:
        raise Problem("no-such-week", f"The plan has no week {week}.")
    with _lock:
        _weeks[etag, week] = view
        while len(_weeks) > _KEPT * 8:
            _weeks.popitem(last=False)
    return view


def whole(
    accept: str | None,
    if_none_match: str | None,
    etag: str,
    body: Callable[[], bytes],
    formats: Sequence[str] = tuple(FORMATS),
) -> Response:
    """The whole document in one of the formats, by ``Accept``: what is not JSON is made of a plan."""
    media = choose(accept, formats)
    mark = _mark(etag, media)
    if unchanged(if_none_match, mark):
        return Response(status_code=304, headers=_headers(mark))
    if media == JSON:
        return Response(body(), media_type=JSON, headers=_headers(mark))
    plan = plan_of(etag, body)
    text = _exported(FORMATS[media], plan)
    return Response(text, media_type=media, headers=_headers(mark))


def one_week(accept: str | None, if_none_match: str | None, etag: str, plan: Plan, week: str) -> Response:
    """A week as JSON, CSV or iCalendar, by ``Accept``."""
    media = choose(accept, list(FORMATS))
    view = week_of(etag, plan, week)
    mark = _mark(etag, media)
    if unchanged(if_none_match, mark):
        return Response(status_code=304, headers=_headers(mark))
    if media == JSON:
        text = view.model_dump_json()
    elif media == CSV:
        text = week_csv(plan, view)
    else:
        text = week_ics(plan, portfolio_of(plan), view)
    return Response(text, media_type=media, headers=_headers(mark))


def _exported(name: str, plan: Plan) -> Any:
    try:
        return EXPORTERS[name](plan, portfolio_of(plan))
    except InputError as problem:
        raise Problem("conflict", "The plan cannot be written so; see errors.", of_findings(problem.findings)) from None


def _mark(etag: str, media: str) -> str:
    """The formats of one plan are different things to a cache."""
    return etag[:32] if media == JSON else f"{etag[:32]}-{FORMATS[media]}"


def _headers(mark: str) -> dict[str, str]:
    return {"ETag": tag(mark), "Vary": "Accept"}
