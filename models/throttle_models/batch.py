"""Many plans at once: what is to be run (``RUNS.yaml``), and what came of each run."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from throttle_models.base import Model, Text
from throttle_models.policy import Policy
from throttle_models.work import _several

_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|min|h)?")
_FACTOR = {None: 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LONGEST = 1000 * 3600.0
"""Seconds: no budget is longer."""
LARGEST_SEED = 2**31 - 1
"""What all generators of random numbers take, that of CP-SAT too."""

AS_WRITTEN = "as-written"
"""The variant that there is where none is named: each portfolio with its own policy."""


def _seconds(value: Any) -> Any:
    match = _SECONDS.fullmatch(str(value).strip().lower()) if isinstance(value, str | int | float) else None
    seconds = float(match[1]) * _FACTOR[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST:
        said = f"{value!r:.40} is not" if isinstance(value, str | int | float) else "must be"
        raise ValueError(f"{said} a time above 0 and up to 1000h: write seconds such as 30 or 30s, or 2m")
    return seconds


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("has too few entries")
    if twice := sorted({v for v in values if values.count(v) > 1}):
        raise ValueError(f"has {', '.join(map(str, twice))} more than once; keep one")
    return values


def _patches(value: Any) -> Any:
    """A variant with nothing behind its name changes nothing."""
    if isinstance(value, dict) and any(not str(name).strip() for name in value):
        raise ValueError("has one without a name; name it, so that the table can")
    return {name: {} if v is None else v for name, v in value.items()} if isinstance(value, dict) else value


def _named(values: tuple[str, ...]) -> tuple[str, ...]:
    if any(not value.strip() for value in values):
        raise ValueError("has one that is empty; write the name of a file or folder")
    return values


class Runs(Model):
    """The root of ``RUNS.yaml``: each portfolio is planned with each variant of its policy and each seed."""

    portfolios: Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_distinct), AfterValidator(_named)]
    """Files, folders or patterns such as ``plans/*.yaml``, relative to the folder of this file."""
    variants: Annotated[dict[str, Policy], BeforeValidator(_patches), Field(min_length=1)] = {AS_WRITTEN: Policy()}
    """What each variant changes in ``policy``. A map is merged key by key (an empty one empties it), null removes a
    limit, and everything else replaces what the portfolio says."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, le=LARGEST_SEED)], ...], AfterValidator(_distinct)] = (1,)
    budget: Annotated[float, BeforeValidator(_seconds)] = 10.0
    """Seconds of search for each run; reading, lifting and checking come on top. Where it is deterministic, the amount
    of work that so many seconds stand for."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of each run."""
    deterministic: bool = False
    """The same plans each time: a fixed amount of work for each run, instead of time."""


class RunStatus(Text):
    """What came of a run: what its certificate says, or why there is none."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    FAILED = "failed"
    NOT_RUN = "not-run"
    """Not done yet, or the batch was interrupted before."""


class Row(Model):
    """One run of a batch. The figures are those of the plan's certificate, and None where there is no plan."""

    portfolio: str
    """As named in the RUNS file, or found by its pattern: relative to its folder."""
    variant: str
    seed: int
    status: RunStatus
    best: bool = False
    """Whether its variant is the best for the portfolio, or equal to it; see :class:`Best`."""
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    first_come: float | None = None
    """The objective of first come, first served."""
    greedy: float | None = None
    """The objective of always the most cost of delay per remaining hour first."""
    flow: float | None = None
    flow_bound: float | None = None
    flow_gap: float | None = None
    items: int | None = None
    scheduled: int | None = None
    checked: bool | None = None
    """Whether the independent checker found no violation."""
    seconds: float | None = None
    """From the portfolio to the verified plan, where it ran. The first runs of each process also load the compiled
    inner loops, which takes seconds."""
    message: str = ""
    """Why there is no plan, or why it was made again."""
    plan: str | None = None
    """Its plan.json, relative to the folder of the batch."""
    key: str | None = None
    """SHA-256 of what it was made from; None where that could not be read."""


class File(Model):
    """What a file was when it was written."""

    bytes: int
    sha256: str


class Kept(Model):
    """The root of a run's ``row.json``: its row, and the files beside it, so that one that was changed is found."""

    throttle: Literal[1] = 1
    kind: Literal["row"] = "row"
    row: Row
    files: dict[str, File]


class Best(Model):
    """The best variant for a portfolio, and how that was decided."""

    variant: str
    decided: str
    mean: float
    """Of its runs: the goal that decided, the objective or, where variants change prices, flow."""
    next: str | None = None
    """The variant that comes second."""
    margin: float | None = None
    """By how much the mean of the second is more; None where it has fewer runs or items planned."""
    spread: float | None = None
    """The largest difference between seeds of one of these two; where it is more than the margin, luck may decide."""
    equal: tuple[str, ...] = ()
    """Variants that are as good in all that was compared; the best one is the one written first."""
    doubt: str = ""
    """Why the margin says little, where it does."""
    counted: dict[str, tuple[str, ...]] = {}
    """Variants that only lift limits of others, which are named: every plan of those is allowed under them too, and
    counts for them where theirs cost more, since only their search fell short."""


class BatchResults(Model):
    """The root of a batch's ``results.json``: a row for each run, always."""

    throttle: Literal[1] = 1
    kind: Literal["batch"] = "batch"
    rows: tuple[Row, ...]
    best: dict[str, Best] = {}
    """By portfolio; none where no run of it has a plan, and none before all its runs were done or have failed."""
