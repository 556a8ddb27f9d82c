"""Counted words and names of weeks, for all that is shown to people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date


def plural(count: int, noun: str, several: str = "") -> str:
    """``1 item``, ``1,200 items``; ``several`` where an s is not enough, such as ``item has`` and ``items have``."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more: ``a, b and 3 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def iso_week(day: date) -> str:
    """``2026-W48``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
