"""A plan for other programs: one file each, and one line of :data:`EXPORTERS`."""

from __future__ import annotations

from throttle.exports.common import Exporter
from throttle.exports.csv import to_csv
from throttle.exports.ics import to_ics
from throttle.exports.json import to_json

EXPORTERS: dict[str, Exporter] = {"csv": to_csv, "ics": to_ics, "json": to_json}
"""Name of a format to what writes a plan in it; ``person`` leaves out what the others do."""

__all__ = ["EXPORTERS", "Exporter", "to_csv", "to_ics", "to_json"]
