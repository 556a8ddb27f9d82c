"""What every part of the vocabulary shares."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen value with no unknown fields. Maps are keyed by id; an entity does not repeat its id."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Text(StrEnum):
    """A choice written as a word in files."""


class Finding(Model):
    """One thing a reader should know, in a sentence that names what, where and the remedy."""

    level: Literal["error", "warning", "info"]
    code: str
    """A short stable name, such as ``dangling-link``; findings are grouped and tested by it."""
    message: str
    ids: tuple[str, ...] = ()
    """The work items, people or other entities it is about."""
    file: str | None = None
    row: int | None = None
    """Record number in the file, counting from 1 after the header."""
    column: str | None = None
    path: str | None = None
    """Where in a portfolio, such as ``work.PHX-9.needs.0.skill``."""
    count: int = 1
    """How many times, where equal findings were put together."""
