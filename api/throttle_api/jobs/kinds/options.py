"""The ``options`` that each kind of job takes, checked when a job is asked for and again where it runs.

Values only: the serving process imports this, and must not import what plans are made with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from throttle.errors import InputError
from throttle_models import Finding, Model, Policy
from throttle_models.batch import AS_WRITTEN, LARGEST_SEED
from throttle_models.elevate import Menu
from throttle_models.scenario import Scenario

_M = TypeVar("_M", bound=Model)


class NoOptions(Model):
    """Of a kind that takes none."""


class ForecastOptions(Model):
    runs: Annotated[int, Field(ge=1, le=100_000)] = 1000


class CurveOptions(Model):
    runs: Annotated[int, Field(ge=4, le=100_000)] = 400
    limits: tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...] = ()
    """Projects in process to try."""
    ropes: tuple[Annotated[float, Field(gt=0, le=1e9)], ...] = ()
    """Hours of the drum to try."""


class ElevateOptions(Model):
    menu: Menu = Menu()
    resolve: Annotated[int, Field(ge=0, le=1000)] = 12
    """Plan anew with so many options."""
    runs: Annotated[int, Field(ge=0, le=100_000)] = 0


class WhatIfOptions(Model):
    scenarios: Annotated[dict[str, Scenario], Field(min_length=1, max_length=100)]
    runs: Annotated[int, Field(ge=0, le=100_000)] = 0


class BatchOptions(Model):
    variants: Annotated[dict[str, Policy], Field(min_length=1, max_length=100)] = {AS_WRITTEN: Policy()}
    """By name, what each changes in the policy."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, le=LARGEST_SEED)], ...], Field(min_length=1, max_length=100)] = (
        1,
    )


OPTIONS: dict[str, type[Model]] = {
    "solve": NoOptions,
    "forecast": ForecastOptions,
    "curve": CurveOptions,
    "elevate": ElevateOptions,
    "what-if": WhatIfOptions,
    "batch": BatchOptions,
}


WITHOUT_PREVIOUS = frozenset({"batch"})
"""Kinds that begin from no earlier plan."""


def options_of(request: Mapping[str, Any], model: type[_M]) -> _M:
    """The ``options`` of a request. Raises InputError, which names every one that does not fit."""
    try:
        return model.model_validate(request.get("options", {}))
    except ValidationError as problem:
        raise InputError(
            [
                Finding(
                    level="error",
                    code="wrong-option",
                    path=(where := ".".join(("options", *map(str, error["loc"])))),
                    message=f"{where}: {error['msg'].removeprefix('Value error, ')}",
                )
                for error in problem.errors(include_input=False, include_url=False)
            ]
        ) from None
