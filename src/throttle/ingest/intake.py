"""What a document reader is given beside its source: values as the shared layer reads them, with account kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timezone
from typing import Any
from zoneinfo import ZoneInfo

from throttle.ingest.dates import DateOrder, Stamp, read_stamp
from throttle.ingest.effort import MOST_MINUTES
from throttle.ingest.notes import Notes, refusal, some
from throttle.ingest.options import ReadOptions
from throttle.ingest.people import name_and_account
from throttle.ingest.records import Rejection, Ticket, Tie
from throttle.ingest.values import blank, current_sprint, fold, minutes, number, several, yes
from throttle.ingest.words import UNASSIGNED
from throttle.wording import plural
from throttle_models import Calendar, Column, ColumnMeaning, External, Mapping, Project

C = Column


@dataclass
class Unread:
    """Cells that were left out, by column and reason; told once for each."""

    file: str
    cells: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, header: str, code: str, what: str, row: int) -> None:
        self.cells[header, code, what].append(row)

    def tell(self, notes: Notes) -> None:
        for (header, code, what), numbers in self.cells.items():
            where = some([str(n) for n in numbers])
            notes.add(
                "info" if code == "unread-viewed" else "warning",
                code,
                f"{self.file}: {plural(len(numbers), 'cell')} of column {header!r} left out for {what} "
                f"({'row' if len(numbers) == 1 else 'rows'} {where})",
                file=self.file,
                row=numbers[0],
                column=header,
                count=len(numbers),
            )


_TEXTS = frozenset(
    {"title", "type", "status", "resolution", "project", "project_title", "group", "team", "priority", "change_kind"}
    | {"risk", "approval"}
)
LISTS = {
    C.ALIAS: "aliases",
    C.COMPONENT: "components",
    C.LABEL: "labels",
    C.SERVICE: "services",
    C.SKILL: "skills",
    C.PARENT: "parents",
    C.SAME_AS: "same_as",
}
_MOMENTS = frozenset({"created", "updated", "started", "finished", "category_changed", "viewed"})
MINUTES = {
    C.ORIGINAL_ESTIMATE: "original",
    C.REMAINING_ESTIMATE: "remaining",
    C.TIME_SPENT: "spent",
    C.DURATION: "duration",
}


@dataclass
class Intake:
    """One source being read."""

    file: str
    reader: str
    mapping: Mapping
    options: ReadOptions
    zone: ZoneInfo
    """Of times without an offset."""
    notes: Notes
    unread: Unread
    calendars: dict[str, Calendar] = field(default_factory=dict)
    """Calendars that the file defines, by the id that its resources use."""
    said_zone: str | None = None
    """The zone that the file itself names, for the portfolio where nobody names another."""
    projects: dict[str, Project] = field(default_factory=dict)
    """What the file says of projects, by their key."""
    external: dict[str, External] = field(default_factory=dict)
    """What it says of work outside itself, by the id that links name."""
    columns: dict[str, ColumnMeaning] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    naive: bool = False
    """Whether any time without an offset was read."""

    @property
    def order(self) -> DateOrder | None:
        return self.options.date_order

    def reject(self, row: int, reason: str, field: str | None = None) -> Rejection:
        """The entry for a record that becomes nothing. The reason begins after ``row N`` and quotes no text of it."""
        return Rejection(self.file, row, field, reason)

    def warn(self, code: str, message: str, **more: Any) -> None:
        """A finding about this file; the message begins after the file's name."""
        self.notes.add("warning", code, f"{self.file}: {message}", file=self.file, **more)

    def tell(self, code: str, message: str, **more: Any) -> None:
        """As :meth:`warn`, for what is only good to know."""
        self.notes.add("info", code, f"{self.file}: {message}", file=self.file, **more)

    def saw(self, name: str, means: Column, evidence: str = "field known") -> None:
        """That a field of this name was read as this; for the report and the proposed mapping."""
        self.counts[name] += 1
        if name not in self.columns:
            self.columns[name] = ColumnMeaning(means=means, evidence=evidence)

    def custom(self, id: str, name: str = "") -> ColumnMeaning | None:
        """What ``map.yaml`` says of a field, by its id or its name; None where it says nothing, or to ignore it."""
        said = self.mapping.columns.get(self.reader, {})
        found = said.get(id) or (said.get(name) if name else None)
        return None if found is None or found.means is C.IGNORE else found

    # ------------------------------------------------------------------------------------------------------- values

    def moment(self, value: Any, name: str, row: int) -> datetime | None:
        """The instant in UTC of a text or an epoch; a date alone is the start of that day. Counts what is no date."""
        stamp = self._stamp(value, name, row)
        return None if stamp is None else self._instant(stamp)

    def when(self, value: Any, name: str, row: int, midnight_is_date: bool = False) -> date | datetime | None:
        """A date where no time of day is meant, else the instant."""
        stamp = self._stamp(value, name, row)
        if stamp is None:
            return None
        if stamp.clock is None or (midnight_is_date and stamp.clock == time()):
            return stamp.day(self.order)
        return self._instant(stamp)

    def _stamp(self, value: Any, name: str, row: int) -> Stamp | None:
        if value is None or isinstance(value, bool | dict | list) or blank(text := str(value)):
            return None
        stamp = read_stamp(text)
        if stamp is not None and not stamp.settled and self.order is None and stamp.first != stamp.second:
            raise refusal(
                "date-order",
                f"{self.file}: nothing tells whether the day or the month comes first in {name!r}; say "
                "--date-order dmy or mdy (date_order), or export with ISO dates",
                self.file,
                column=name,
            )
        if stamp is None or stamp.day(self.order) is None:
            self.unread.add(name, "unread-date", "no date that is understood", row)
            return None
        return stamp

    def _instant(self, stamp: Stamp) -> datetime | None:
        day = stamp.day(self.order)
        if day is None:
            return None
        self.naive = self.naive or (stamp.offset is None and stamp.clock is not None)
        zone = self.zone if stamp.offset is None else timezone(stamp.offset)
        return datetime.combine(day, stamp.clock or time(), zone).astimezone(UTC)

    def minutes(self, value: Any, name: str, row: int, unit: str = "s") -> float | None:
        """Working minutes of a number in ``unit`` or of a text with its own; counts what is no duration that can be."""
        if value is None or isinstance(value, bool | dict | list) or blank(text := str(value)):
            return None
        found = minutes(text, unit)
        if found is not None and 0 <= found <= MOST_MINUTES:
            return found
        self.unread.add(name, "unread-duration", "no duration that can be", row)
        return None

    def fill(
        self, ticket: Ticket, means: Column, values: Any, name: str, unit: str | None = None,
        separator: str | None = None,
    ) -> None:  # fmt: skip
        """Raw texts of one field into the ticket, as a column of that meaning would be. What is there already stays.

        For custom fields that a mapping explains, and for plain fields. ``values``: a text, a number or a list of them.
        """
        listed = values if isinstance(values, list | tuple) else [values]
        texts = [str(v).strip() for v in listed if isinstance(v, str | int | float) and not isinstance(v, bool)]
        texts += ["true" if v else "false" for v in listed if isinstance(v, bool)]
        if separator:
            texts = [part for text in texts for part in several(text, separator)]
        texts = [text for text in texts if not blank(text)]
        if not texts:
            return
        self.saw(name, means)
        self._put(ticket, means, texts, name, unit)

    def _put(self, ticket: Ticket, means: Column, texts: list[str], name: str, unit: str | None) -> None:
        first, row = texts[0], ticket.row
        if means.value in _TEXTS or means is C.STATUS_CATEGORY:
            attribute = "category" if means is C.STATUS_CATEGORY else means.value
            setattr(ticket, attribute, getattr(ticket, attribute) or first)
        elif means in LISTS:
            setattr(ticket, LISTS[means], list(dict.fromkeys([*getattr(ticket, LISTS[means]), *texts])))
        elif means.value in _MOMENTS:
            if getattr(ticket, means.value) is None:
                setattr(ticket, means.value, self.moment(first, name, row))
        elif means in MINUTES:
            if getattr(ticket, MINUTES[means]) is None:
                setattr(ticket, MINUTES[means], self.minutes(first, name, row, unit or "s"))
        elif means in (C.LOW_ESTIMATE, C.HIGH_ESTIMATE):
            value, old = self.minutes(first, name, row, unit or "s"), ticket.range or (-1.0, -1.0)
            if value is not None:
                ticket.range = (value, old[1]) if means is C.LOW_ESTIMATE else (old[0], value)
        elif means is C.DUE:
            ticket.due = ticket.due or self.when(first, name, row)
        elif means is C.NOT_BEFORE:
            ticket.not_before = ticket.not_before or self.when(first, name, row)
        elif means is C.PLANNED_START:
            ticket.planned = (ticket.planned[0] or self.moment(first, name, row), ticket.planned[1])
        elif means is C.PLANNED_END:
            ticket.planned = (ticket.planned[0], ticket.planned[1] or self.moment(first, name, row))
        elif means is C.POINTS:
            value = number(first)
            if ticket.points is None and value is not None and 0 < value < 10_000:
                ticket.points = value
        elif means is C.ASSIGNEE:
            who, account = name_and_account(first)
            if not ticket.assignee and fold(who) not in UNASSIGNED:
                ticket.assignee, ticket.assignee_id = who, ticket.assignee_id or account
        elif means is C.ASSIGNEE_ID:
            if fold(first) not in UNASSIGNED:
                ticket.assignee_id = ticket.assignee_id or first
        elif means is C.SPRINT:
            ticket.sprint = current_sprint(texts)
        elif means is C.ACTIVE:
            ticket.active = yes(first)
        elif means is C.ON_HOLD:
            ticket.on_hold = ticket.on_hold or yes(first)
        elif means is C.VERSION:
            value = number(first)
            ticket.version = None if value is None else int(value)
        elif means in (C.WAITS_FOR, C.BLOCKS):
            ids = [part for text in texts for part in several(text, ",; \t\n")]
            ticket.links += [Tie(id, means is C.BLOCKS, origin=name) for id in ids]


def texts(values: Iterable[Any]) -> list[str]:
    """Those values that are texts or numbers and not blank, as text."""
    found = (str(v).strip() for v in values if isinstance(v, str | int | float) and not isinstance(v, bool))
    return [text for text in found if not blank(text)]
