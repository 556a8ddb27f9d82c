"""Counted words, for all that is shown to people."""

from __future__ import annotations


def plural(count: int, noun: str, several: str = "") -> str:
    """``1 item``, ``1,200 items``; ``several`` where an s is not enough, such as ``item has`` and ``items have``."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"
