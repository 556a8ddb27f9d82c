"""A plan for other programs: one file each, and one line of :data:`EXPORTERS`."""

from __future__ import annotations

from throttle.exports.common import Exporter
from throttle.exports.csv import to_csv
from throttle.exports.ics import to_ics
from throttle.exports.jira import to_jira
from throttle.exports.json import to_json
from throttle.exports.mermaid import to_mermaid
from throttle.exports.mspdi import to_mspdi
from throttle.exports.servicenow import to_servicenow
from throttle.exports.windows import to_windows
from throttle.exports.xlsx import to_xlsx

_CSV, _ICS = "text/csv", "text/calendar"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

EXPORTERS: dict[str, Exporter] = {
    "csv": Exporter(to_csv, ".csv", _CSV, "a row for each person, item and day"),
    "xlsx": Exporter(
        to_xlsx, ".xlsx", _XLSX, "an Excel workbook: items, work by day, what to let in, what to hold", True
    ),
    "ics": Exporter(to_ics, ".ics", _ICS, "calendar entries of everyone, or of one person"),
    "windows": Exporter(to_windows, ".ics", _ICS, "calendar entries of the change windows that are used"),
    "mermaid": Exporter(to_mermaid, ".mmd", "text/vnd.mermaid", "a Gantt chart for wikis and Markdown"),
    "mspdi": Exporter(to_mspdi, ".xml", "application/xml", "Microsoft Project XML: work, links, people, calendars"),
    "jira": Exporter(to_jira, ".csv", _CSV, "a write-back table for Jira: old and new values, and a guard"),
    "servicenow": Exporter(
        to_servicenow, ".csv", _CSV, "an import set for ServiceNow: old and new values, and a guard"
    ),
    "json": Exporter(to_json, ".json", "application/json", "every item with its dates, people and reason"),
}
"""Name of a format to what writes a plan in it; ``person`` leaves out what the others do."""

__all__ = ["EXPORTERS", "Exporter", "to_csv", "to_ics", "to_json"]
