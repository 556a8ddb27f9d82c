"""What became of every row, and what was found in it."""

from __future__ import annotations

from typing import Any

from throttle_models import Finding, LinkType, Model, Status, WorkType


class FileRead(Model):
    """One file, and the choices made to read it."""

    name: str
    reader: str
    rows: int
    """Of which: imported, merged into others, rejected."""
    imported: int = 0
    merged: int = 0
    rejected: int = 0
    encoding: str
    encoding_why: str
    zone: str
    """Of times without an offset."""
    dates: dict[str, str] = {}
    """Format of each date column."""
    columns: dict[str, str] = {}
    """Header to what it was read as; other columns were not read."""


class RejectedRow(Model):
    file: str
    row: int
    column: str | None = None
    reason: str


class ItemRead(Model):
    id: str
    type: WorkType
    status: Status
    project: str | None = None
    parent: str | None = None
    estimate_hours: float | None = None
    """The original estimate that the export states."""
    planned_hours: float | None = None
    """Work that the portfolio holds for it, defaults included; none for history and containers."""
    left_out: str | None = None
    """Why a plan leaves it out: ``unknown status``, ``on hold``, ``waiting`` for such work or for what is outside."""


class EdgeRead(Model):
    """One precedence; ``certainty`` is external where an end is not in the files."""

    predecessor: str
    successor: str
    type: LinkType
    lag: str = "0"
    origin: str
    certainty: str = "stated"


class DanglingLink(Model):
    item: str
    target: str
    direction: str
    """``waits-for``: the item waits for the target; ``blocks``: the target waits for the item."""
    type: LinkType
    origin: str


class IngestReport(Model):
    """The account of one import; rows_read = imported + merged + rejected."""

    rows_read: int
    imported: int
    merged: int
    rejected: int
    rejections: tuple[RejectedRow, ...] = ()
    files: tuple[FileRead, ...] = ()
    items: tuple[ItemRead, ...] = ()
    edges: tuple[EdgeRead, ...] = ()
    dangling: tuple[DanglingLink, ...] = ()
    """Links to what is not in the files; each target is an external stub."""
    estimate_hours: float = 0.0
    """Sum of the original estimates that the export states for its rows, each row counted once."""
    planned_hours: float = 0.0
    """Work in the portfolio that is left to do, defaults included."""
    planned_windows: int = 0
    """Items with a planned start and end (a previous plan, kept as information)."""
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return self.model_dump(mode="json")
