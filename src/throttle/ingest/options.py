"""What the caller knows of the files and they do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from throttle.ingest.dates import DateOrder


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows of the files and they do not say."""

    encoding: str | None = None
    """Declared encoding of files without a byte order mark."""
    date_order: DateOrder | None = None
    """``dmy`` or ``mdy`` for numeric dates that nothing else settles."""
    zone: str | None = None
    """Time zone of times without an offset. Default: the team file's, else UTC."""
    pseudonymise: bool = False
    """Replace people by ``person-1`` and so on, the same one everywhere."""
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    """Person id to pseudonym, of earlier imports."""
    pseudonyms_key: str = ""
    """What tells the table of pseudonyms from others; empty: a new one."""
