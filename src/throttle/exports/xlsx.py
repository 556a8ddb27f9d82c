"""A plan as an Excel workbook: what is in it, who does what by day, what to let in and what to hold."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from throttle.exports.common import id_of
from throttle.exports.csv import COLUMNS, day_rows, safe
from throttle.exports.json import item_rows
from throttle_models import Plan, Portfolio, with_inserted

_ITEMS = ("item", "title", "type", "project", "parent", "state", "start", "finish", "hours", "people", "window begins",
          "window ends", "reason", "why")  # fmt: skip
_LET_IN = ("item", "project", "start", "a week's delay costs", "note")
_HOLD = ("item", "project", "reason", "why", "until", "a week's delay costs")
_WIDEST = 60
_LONGEST = 32_767
"""Characters of a cell that Excel takes."""
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first moment of a zip archive, so that equal plans give equal bytes."""


def to_xlsx(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> bytes:
    """Sheets Items, Work, Let in and Hold, with dates as dates, local to the plan's zone.

    Text is text: what looks like a formula is stored as a string, with the apostrophe of the CSV export, so that it
    stays harmless when the workbook is saved as CSV.
    """
    from openpyxl import Workbook

    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    zone = ZoneInfo(plan.zone)
    items = item_rows(plan, portfolio, person)
    book = Workbook(write_only=True)
    _sheet(book, "Items", _ITEMS, (_item(item, zone) for item in items))
    _sheet(
        book,
        "Work",
        COLUMNS,
        (
            (r.week, r.day, r.person, r.item, r.title, r.project, round(r.hours, 6), _naive(r.start), _naive(r.finish))
            for r in day_rows(plan, portfolio, person)
        ),
    )
    mine = {item["id"] for item in items}
    _sheet(
        book,
        "Let in",
        _LET_IN,
        (
            (r.item, r.project, _naive(r.start.astimezone(zone)), round(r.value, 2), r.note)
            for r in plan.releases
            if r.item in mine
        ),
    )
    _sheet(
        book,
        "Hold",
        _HOLD,
        (
            (h.item, h.project, h.reason.value, h.text, h.until and _naive(h.until.astimezone(zone)), round(h.value, 2))
            for h in plan.holds
            if h.item in mine
        ),
    )
    out = BytesIO()
    book.save(out)
    return _repeatable(out, plan.as_of)


def _item(item: dict[str, Any], zone: ZoneInfo) -> tuple[Any, ...]:
    begins, ends = item["window"] or (None, None)
    start, finish, begins, ends = (
        _naive(datetime.fromisoformat(text).astimezone(zone)) if text else None
        for text in (item["start"], item["finish"], begins, ends)
    )
    people = ", ".join(f"{name} {hours:g}h" for name, hours in item["people"].items())
    return (
        item["id"], item["title"], item["type"], item["project"], item["parent"], item["state"], start, finish,
        item["hours"] or None, people, begins, ends, item["reason"], item["reason_text"],
    )  # fmt: skip


def _naive(moment: datetime) -> datetime:
    """Excel knows no zones: the time on the wall."""
    return moment.replace(tzinfo=None)


def _sheet(book: Any, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(name)
    kept = [header, *rows]
    for column, values in enumerate(zip(*kept, strict=True), 1):
        width = max(len(v) if isinstance(v, str) else 16 if isinstance(v, datetime) else 10 for v in values)
        sheet.column_dimensions[get_column_letter(column)].width = min(width, _WIDEST) + 2
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{len(kept)}"
    bold = Font(bold=True)
    for number, row in enumerate(kept):
        cells = [_cell(sheet, value) for value in row]
        if not number:
            for cell in cells:
                cell.font = bold
        sheet.append(cells)


def _cell(sheet: Any, value: Any) -> Any:
    """A cell of the value's own kind; text is never taken for a formula or an error."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or value == "":
        return WriteOnlyCell(sheet)
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, safe(value)[:_LONGEST])
        cell.data_type = "s"
        return cell
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    return cell


def _repeatable(data: BytesIO, as_of: datetime) -> bytes:
    """The workbook without the clock: openpyxl writes when it was saved, and zip archives when each part was."""
    stamp = as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    out = BytesIO()
    with zipfile.ZipFile(data) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            info = zipfile.ZipInfo(name, _OLDEST)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return out.getvalue()
