"""Calendars, skills, teams and days off that files say of people, beside their tickets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from throttle.ingest.notes import Notes
from throttle.ingest.people import People
from throttle.ingest.records import DayOff, Rejection, Share
from throttle.ingest.tickets import Loaded
from throttle.ingest.values import slug
from throttle_models import Calendar, Days, Person, TeamFile


class Crew:
    """What all files say of people; the team file counts before it."""

    def __init__(self, loaded: Sequence[Loaded], people: People, team: TeamFile, notes: Notes) -> None:
        self.people, self.team, self.notes = people, team, notes
        self.rejections: list[Rejection] = []
        """Days off of somebody who is in no file."""
        self._calendars: dict[str, Calendar] = {}
        self._said: dict[str, dict[str, Any]] = defaultdict(dict)
        self._days: list[DayOff] = []
        """Of everybody."""
        self._away: dict[str, list[DayOff]] = defaultdict(list)
        for file in loaded:
            names = self._take_calendars(file)
            for resource in file.resources:
                who = people.member(Share(resource.name, resource.account), file.file, file.reader.system)
                if who is None:
                    continue
                said = self._said[who]
                if resource.calendar in names:
                    said.setdefault("calendar", names[resource.calendar])
                if resource.productive is not None:
                    said.setdefault("productive", resource.productive)
                if resource.team:
                    said.setdefault("team", resource.team if resource.id else slug(resource.team) or resource.team)
                if resource.skills:
                    keys = {skill: skill if resource.id else slug(skill) or skill for skill in resource.skills}
                    levels = {keys[skill]: min(9, max(1, level)) for skill, level in resource.skills.items()}
                    said["skills"] = levels | said.get("skills", {})
            for day in file.days_off:
                if not day.who:
                    self._days.append(day)
                elif (who := people.named(day.who)) is not None:
                    self._away[who].append(day)
                else:
                    reason = "is of somebody who is in no other file: give a team file with that name or alias"
                    self.rejections.append(Rejection(file.file, day.row, None, reason))

    def _take_calendars(self, file: Loaded) -> dict[str | None, str]:
        """Keys of the file's calendars to those of the portfolio; of two with one name the second gets a number."""
        names: dict[str | None, str] = {}
        for key, calendar in file.calendars.items():
            base = name = slug(key) or "calendar"
            more = 2
            while self._calendars.get(name, calendar) != calendar or name in self.team.calendars:
                name, more = f"{base}-{more}", more + 1
            self._calendars[name] = calendar
            names[key] = name
        return names

    def calendars(self) -> dict[str, Calendar]:
        """The team file's first, so that its first one serves whoever has none."""
        return self.team.calendars | self._calendars

    def said(self, person: str) -> dict[str, Any]:
        """Fields of a person that files state."""
        return dict(self._said.get(person, {}))

    def with_days(self, calendars: dict[str, Calendar]) -> dict[str, Calendar]:
        """Holidays and working days of everybody, in every calendar."""
        if not self._days:
            return calendars
        closed = _days(day for day in self._days if not day.working)
        opened = _days(day for day in self._days if day.working)
        return {
            name: calendar.model_copy(
                update={
                    "closed": tuple(dict.fromkeys((*calendar.closed, *closed))),
                    "open": tuple(dict.fromkeys((*calendar.open, *opened))),
                }
            )
            for name, calendar in calendars.items()
        }

    def away(self, people: dict[str, Person]) -> dict[str, Person]:
        """Days off of each, added to what the team file says."""
        return {
            id: person.model_copy(update={"away": tuple(dict.fromkeys((*person.away, *_days(self._away[id]))))})
            if id in self._away
            else person
            for id, person in people.items()
        }


def _days(days: Any) -> list[Days]:
    return [Days(first=day.first, last=max(day.first, day.last)) for day in days]
