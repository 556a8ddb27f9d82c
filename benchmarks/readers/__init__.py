"""Instances of the scheduling literature as ordinary portfolios: one format is one file and one line of ``FORMATS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.readers.calendars import read_calendars
from benchmarks.readers.earliness_tardiness import is_earliness_tardiness, read_earliness_tardiness
from benchmarks.readers.imopse import read_imopse
from benchmarks.readers.mslib import read_mslib
from benchmarks.readers.mspsp import is_mspsp, read_mspsp
from benchmarks.readers.multi_project import read_multi_project
from benchmarks.readers.numbers import malformed
from benchmarks.readers.patterson import read_patterson
from benchmarks.readers.psplib import read_psplib

from throttle.calendars import Calendars, Grid
from throttle_models import Portfolio


@dataclass(frozen=True)
class Format:
    suffix: str
    read: Callable[[str, str], Portfolio]
    """Text and name of a file to a portfolio; raises InputError that names file and line."""
    fits: Callable[[str], bool] = lambda _: True
    """Whether a text is in this format, where several share a suffix."""


FORMATS = (
    Format(".rcp", read_patterson),
    Format(".sm", read_psplib),
    Format(".dzn", read_mspsp, is_mspsp),
    Format(".dzn", read_earliness_tardiness, is_earliness_tardiness),
    Format(".def", read_imopse),
    Format(".msrcp", read_mslib),
    Format(".rcmp", read_multi_project),
    Format(".json", read_calendars),
)
END_OF_FILE = "\x1a"
"""DOS wrote it; old instances still end in it."""
SUFFIXES = frozenset(f.suffix for f in FORMATS)


def read(path: Path) -> Portfolio:
    """The portfolio of an instance file. Raises InputError (unknown or malformed) and OSError."""
    text = path.read_text(encoding="utf-8", errors="replace").replace(END_OF_FILE, "")
    for form in FORMATS:
        if form.suffix == path.suffix.lower() and form.fits(text):
            try:
                return form.read(text, path.name)
            except (ValueError, TypeError, OverflowError, RecursionError, LookupError) as problem:
                # what is not a number, or too large or deep to be one; InputError, which says more, is none of these
                kind = type(problem).__name__
                raise malformed(
                    path.name, None, f"it is no {form.suffix} instance: a value is not what it should be ({kind})"
                ) from problem
    raise malformed(path.name, None, f"no reader knows its format; the endings known are {', '.join(sorted(SUFFIXES))}")


def comparable(portfolio: Portfolio, cost: float) -> float:
    """The figure of the literature for the cost, or a bound on the cost, of a plan of a portfolio read here.

    The cost is that figure already, makespan in units of time or weighted earliness and tardiness, except where
    calendars close: then it is a makespan in hours of the clock, and the figure is the hours of work among these.
    """
    if len(portfolio.calendars) == 1 and next(iter(portfolio.calendars)) == "always":
        return round(cost, 6)
    minutes = round(cost * 60, 6)
    grid = Grid.of(portfolio, ceil(minutes) * 60 // int(portfolio.slot.total_seconds()) + 1)
    open_ = Calendars(portfolio, grid).person(next(iter(portfolio.people)))
    slots = minutes / grid.minutes
    worked = float(open_[: int(slots)].sum()) + (slots - int(slots)) * bool(open_[int(slots)])
    return round(worked * grid.minutes / 60, 6)
