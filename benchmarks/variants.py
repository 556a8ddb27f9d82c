"""The synthetic portfolios of ``benchmarks.portfolios`` under another goal and on calendars, by the same seeds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from benchmarks.portfolios import synthetic_data

from throttle_models import Portfolio

Data = dict[str, Any]

OFFICES = {
    "berlin": ("Europe/Berlin", "Mon-Fri 09:00-17:00", "DE"),
    "lisbon": ("Europe/Lisbon", "Mon-Thu 08:30-17:30; Fri 08:30-12:30", "PT"),
    "chicago": ("America/Chicago", "Mon-Fri 08:00-12:00 13:00-17:00", "US"),
    "kolkata": ("Asia/Kolkata", "Mon-Fri 10:00-18:30", "IN"),
    "weekend": ("America/New_York", "Wed-Sun 10:00-18:00", "US"),
}
"""Zone, hours and public holidays of the calendars on which people work."""
STRETCH = 168 / 40
"""Hours of the clock for each hour of work: releases and due dates move out by it."""
ABSENCES_A_YEAR = 3
LONGEST_ABSENCE = 15
"""Days."""


def portfolio(items: int, people: int, seed: int = 1, goal: str = "tardiness", calendars: bool = False) -> Portfolio:
    """The same for the same arguments.

    goal: ``tardiness`` as generated; ``flow``: each project is due when it is released, and its cost of delay counts
    from there. calendars: people work the hours of five offices, in their zones, and are absent at times.
    """
    data = synthetic_data(items, people, seed)
    if calendars:
        _put_on_calendars(data, np.random.default_rng([seed, 1]))
    if goal == "flow":
        for project in data["projects"].values():
            project["due"] = project.get("not_before", "0h")
    return Portfolio.model_validate(data)


def _put_on_calendars(data: Data, rng: np.random.Generator) -> None:
    first = date.fromisoformat(data["as_of"][:10])
    data["slot"] = "30m"
    data["calendars"] = {
        name: {"zone": zone, "hours": hours, "holidays": holidays} for name, (zone, hours, holidays) in OFFICES.items()
    }
    span = 0
    for project in data["projects"].values():
        for moment in ("due", "not_before"):
            if moment in project:
                hours = round(int(project[moment].removesuffix("h")) * STRETCH)
                project[moment] = f"{hours}h"
                span = max(span, hours)
    days = max(365, 2 * span // 24)
    for person in data["people"].values():
        person["calendar"] = str(rng.choice(list(OFFICES)))
        away = []
        for _ in range(round(ABSENCES_A_YEAR * days / 365)):
            begin = first + timedelta(days=int(rng.integers(days)))
            away.append(f"{begin}/{begin + timedelta(days=int(rng.integers(LONGEST_ABSENCE)))}")
        person["away"] = sorted(away)
