"""Which instances a folder has, and what is known of them."""

from __future__ import annotations

import csv
import random
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.readers import SUFFIXES

KNOWN_FILE = "best_known.csv"
_PSPLIB = re.compile(r"j(30|60|90|120)(\d+_\d+)")


@dataclass(frozen=True)
class Known:
    """Published or computed bounds on the least objective; None where there is none."""

    lower: float | None = None
    upper: float | None = None


def instances(folder: Path, sample: int | None = None, seed: int = 1) -> list[Path]:
    """The instance files in a folder and its sub-folders, by name; or so many of them, drawn with the seed.

    Raises FileNotFoundError where there are none.
    """
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise FileNotFoundError(f"{folder} holds no instance ({', '.join(sorted(SUFFIXES))})")
    if sample is not None and sample < len(found):
        found = sorted(random.Random(seed).sample(found, sample))
    return found


def known(instance: Path) -> Known:
    """What the ``best_known.csv`` beside an instance, or else in the nearest folder above, says of it.

    PSPLIB's own files, such as j3010_1.sm, are found under j30_10_1 as well.
    """
    for folder in instance.resolve().parents:
        table = folder / KNOWN_FILE
        if table.is_file():
            rows = _table(table)
            other = _PSPLIB.sub(r"j\1_\2", instance.stem)
            return rows.get(instance.stem, rows.get(other, Known()))
    return Known()


def _table(path: Path) -> dict[str, Known]:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["instance"]: Known(_number(row.get("lower_bound")), _number(row.get("upper_bound")))
            for row in csv.DictReader(file)
        }


def _number(text: str | None) -> float | None:
    return float(text) if text and text.strip() else None
