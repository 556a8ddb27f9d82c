"""Calendars: change windows as events, and versions of events that calendars can tell apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import icalendar

from support.sample_plan import sample_plan, sample_portfolio
from throttle.exports import EXPORTERS
from throttle_models import Plan

PORTFOLIO = sample_portfolio(items=60)
PLAN = sample_plan(PORTFOLIO)


def events(name: str, plan: Plan = PLAN, **how: Any) -> list[Any]:
    text = EXPORTERS[name](plan, PORTFOLIO, **how)
    assert isinstance(text, str)
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def used() -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = {}
    for key, planned in PLAN.items.items():
        if planned.window is not None:
            found.setdefault(planned.window, []).append(key)
    return found


def test_an_event_for_each_occurrence_that_is_used() -> None:
    found = events("windows")
    assert used()
    assert sorted((e["DTSTART"].dt, e["DTEND"].dt) for e in found) == sorted(used())
    for event in found:
        keys = used()[event["DTSTART"].dt, event["DTEND"].dt]
        text = str(event["DESCRIPTION"])
        assert all(f"{key} " in text for key in keys)
        assert text.endswith("Services: payroll")
        assert str(event["SUMMARY"]).startswith(f"thursday-night: {len(keys)} change")


def test_an_occurrence_keeps_its_id_whatever_goes_in() -> None:
    window = min(used())
    out = used()[window][0]
    fewer = PLAN.model_copy(update={"items": {k: p for k, p in PLAN.items.items() if k != out}})
    before = {e["DTSTART"].dt: str(e["UID"]) for e in events("windows")}
    after = {e["DTSTART"].dt: str(e["UID"]) for e in events("windows", fewer)}
    assert len(set(before.values())) == len(before)
    assert after.items() <= before.items()
    assert not {str(e["UID"]) for e in events("ics")} & set(before.values())


def test_a_newer_plan_has_a_higher_sequence() -> None:
    for name in ("ics", "windows"):
        newer = PLAN.model_copy(update={"as_of": PLAN.as_of + timedelta(days=1)})
        first, second = (int(events(name, plan)[0]["SEQUENCE"]) for plan in (PLAN, newer))
        assert 0 < first < second < 2**31
        assert {int(e["SEQUENCE"]) for e in events(name)} == {first}


def test_one_person_sees_the_windows_they_work_in() -> None:
    busy = {a.person for p in PLAN.items.values() if p.window for a in p.assignments}
    someone = min(busy)
    mine = {p.window for p in PLAN.items.values() if p.window and any(a.person == someone for a in p.assignments)}
    assert {(e["DTSTART"].dt, e["DTEND"].dt) for e in events("windows", person=someone)} == mine
