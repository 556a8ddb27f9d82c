"""Findings of one file, collected while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from throttle import wording
from throttle.errors import InputError
from throttle_models import Finding

_SHOWN = 10


def refusal(code: str, message: str, file: str | None = None, **where: object) -> InputError:
    """The error to raise for one problem with a file."""
    return InputError([Finding.model_validate(dict(level="error", code=code, message=message, file=file, **where))])


def some(ids: list[str] | tuple[str, ...]) -> str:
    """The first ids, and how many more."""
    return wording.some(ids, _SHOWN)


@dataclass
class Notes:
    """Findings in the order they were made."""

    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        level: Literal["error", "warning", "info"],
        code: str,
        message: str,
        *,
        ids: list[str] | tuple[str, ...] = (),
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        count: int | None = None,
    ) -> None:
        self.findings.append(
            Finding(
                level=level,
                code=code,
                message=message,
                ids=tuple(ids[:100]),
                file=file,
                row=row,
                column=column,
                count=count if count is not None else max(1, len(ids)),
            )
        )
