"""Who can do what, by what they finished; and when they work, by when they do it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from throttle_models import Hours
from throttle_models.learned import LearnedPerson, LearnedSkill
from throttle_models.people import WEEKDAYS

FEW = 3
"""Finished items that show a skill."""
STALE = timedelta(weeks=26)
LEAST_EVENTS = 30
"""Timestamps that show hours."""
SELDOM = 0.05
"""Weekdays with a smaller share of what happens are not worked."""
EDGE = 0.01
"""So much of what happens is cut off at each end of the day; more would make hours, and inferred work, too short."""


def people(frame: pd.DataFrame, moments: pd.DataFrame, as_of: datetime, zone: str) -> dict[str, LearnedPerson]:
    """Each with skills or hours that history shows; ``as_of`` in the zone, without one."""
    done = frame[(frame.status == "done") & frame.finished.notna()].explode("people").dropna(subset=["people"])
    skills: dict[str, dict[str, LearnedSkill]] = {}
    for (who, skill), rows in done.groupby(["people", "skill"], sort=True):
        if len(rows) >= FEW:
            last = rows.finished.max()
            known = LearnedSkill(finished=len(rows), last=last.date(), stale=bool(as_of - last >= STALE))
            skills.setdefault(str(who), {})[str(skill)] = known
    hours = {str(who): _hours(rows, zone) for who, rows in moments.groupby("person", sort=True)}
    return {
        who: LearnedPerson.model_validate({"skills": skills.get(who, {}), **hours.get(who, {})})
        for who in sorted(skills.keys() | hours.keys())
        if skills.get(who) or hours.get(who)
    }


def _hours(rows: pd.DataFrame, zone: str) -> dict[str, object]:
    """Nothing where there are too few timestamps, or where most are dates at midnight."""
    at = pd.to_datetime(rows["at"], utc=True)
    local = at.dt.tz_convert(ZoneInfo(zone)).dt
    exact = (local.hour != 0) | (local.minute != 0)
    at, local = at[exact], at[exact].dt.tz_convert(ZoneInfo(zone)).dt
    if len(at) < LEAST_EVENTS:
        return {}
    share = local.day_of_week.value_counts(normalize=True).reindex(range(7), fill_value=0.0)
    days = [d for d in range(7) if share[d] >= SELDOM]
    minutes = (local.hour * 60 + local.minute).to_numpy(float)
    middle = _middle(minutes)
    around = (minutes - middle + 720) % 1440 - 720  # hours may go over midnight
    first = 30 * int((middle + float(np.quantile(around, EDGE))) // 30)
    end = -30 * int(-(middle + float(np.quantile(around, 1 - EDGE))) // 30)
    utc = at.dt.hour * 60 + at.dt.minute
    offset = round((13 * 60 - _middle(utc.to_numpy(float))) / 60)
    found: dict[str, object] = {"events": len(at), "utc_offset": (offset + 11) % 24 - 11}
    if first < end:
        found["hours"] = f"{_named(days)} {_clock(first)}-{_clock(end)}"
    return found


def _middle(minutes: np.ndarray) -> float:
    """Mean of times of day, on the circle (Mardia, 1972)."""
    angle = minutes * (2 * np.pi / 1440)
    return float(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()) * 1440 / (2 * np.pi)) % 1440


def _named(days: list[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(WEEKDAYS[run[0]] + (f"-{WEEKDAYS[run[-1]]}" if len(run) > 1 else "") for run in runs)


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def ranges_of(hours: str) -> list[tuple[int, int]]:
    """(first, end) in minutes from Monday 00:00, of what :attr:`LearnedPerson.hours` says."""
    return [(day * 1440 + first, day * 1440 + end) for day, first, end in Hours.model_validate(hours).ranges]
