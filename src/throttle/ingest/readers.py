"""What a reader is: how one system writes its exports. Everything else is shared."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from throttle.ingest.tables import Table
from throttle_models import Column, ColumnMeaning, Status


@dataclass(frozen=True, slots=True)
class Use:
    """One column of a file, and what it means."""

    index: int
    header: str
    meaning: ColumnMeaning
    preference: int = 0
    """Among columns with one meaning, the lowest that is not blank counts."""
    outward: bool = True
    """Direction of a link column."""
    link_type: str = ""


@dataclass(frozen=True)
class Reader:
    """One kind of export. To add one: a file with such a value, and a line in ``READERS``."""

    name: str
    """In map.yaml and in reports."""
    system: str
    propose: Callable[[Table], list[Use]]
    """The meaning of each column that is known, by header and content."""
    certainty: Callable[[Table, list[Use]], float]
    """How surely the file is of this kind, 0 to 1."""
    objection: Callable[[Table, list[Use]], str | None]
    """Why the file, though of this system, cannot be read; a sentence that begins after the file's name."""
    id_pattern: re.Pattern[str]
    id_is: str
    """What an id looks like, for messages."""
    project_of: Callable[[str], str] = lambda _id: ""
    """The project that an id names, for exports without such a column."""
    states: Mapping[str, Status] = field(default_factory=dict)
    """The system's own states, folded, before the well-known names."""
    review_states: frozenset[str] = frozenset()
    """States, folded, in which the work is done and its review is left."""
    authorised_states: frozenset[str] = frozenset()
    """States, folded, that a change reaches only when it is approved; none: the system does not say."""
    default_type: str = ""
    """The tracker's type of a row that names none."""
    midnight_is_date: bool = False
    """Whether a due date at 00:00 means the whole day."""


def known(index: int, header: str, means: Column, evidence: str, confidence: float = 1.0, preference: int = 0) -> Use:
    return Use(index, header, ColumnMeaning(means=means, evidence=evidence, confidence=confidence), preference)
