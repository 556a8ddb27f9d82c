"""Which instances a folder has, and what is known of them."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

from benchmarks.readers import SUFFIXES

from throttle.errors import InputError
from throttle_models import Finding

KNOWN_FILE = "best_known.csv"
NAME, LOWER, UPPER = "instance", "lower_bound", "upper_bound"
_PSPLIB = re.compile(r"j(30|60|90|120)(\d+_\d+)")


@dataclass(frozen=True)
class Known:
    """Published or computed bounds on the least objective; None where there is none."""

    lower: float | None = None
    upper: float | None = None


def instances(where: Path, sample: int | None = None, seed: int = 1) -> list[Path]:
    """The instance files in a folder and its sub-folders, by name; or so many of them, drawn with the seed.

    A file is itself. Raises FileNotFoundError where there are none.
    """
    if where.is_file():
        return [where]
    if not where.exists():
        raise FileNotFoundError(f"{where} does not exist; give a folder of instances, or one instance")
    found = sorted(p for p in where.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise FileNotFoundError(f"{where} holds no instance ({', '.join(sorted(SUFFIXES))})")
    if sample is not None and sample < len(found):
        found = sorted(random.Random(seed).sample(found, sample))
    return found


def known(instance: Path) -> Known:
    """What the ``best_known.csv`` beside an instance, or else in the nearest folder above, says of it.

    Raises InputError where that is no such table.
    """
    table = _table_of(instance)
    if table is None:
        return Known()
    rows = _rows(table)
    name = _name_in(rows, instance, table)
    return Known() if name is None else rows[name]


def strangers(paths: Iterable[Path]) -> dict[Path, list[str]]:
    """For each table that the instances are compared with, its names that no instance in its folder or below has.

    Raises InputError where one is no such table.
    """
    found = {}
    for table in sorted({table for path in paths if (table := _table_of(path)) is not None}):
        rows = _rows(table)
        below = (path for path in instances(table.parent) if _table_of(path) == table)
        met = {_name_in(rows, path, table) for path in below}
        found[table] = [name for name in rows if name not in met]
    return found


def _table_of(instance: Path) -> Path | None:
    tables = (folder / KNOWN_FILE for folder in instance.resolve().parents)
    return next((table for table in tables if table.is_file()), None)


def _name_in(rows: dict[str, Known], instance: Path, table: Path) -> str | None:
    """The name under which a table has an instance: with or without its ending, with or without the folders between.

    PSPLIB's own files, such as j3010_1.sm, are found under j30_10_1 as well.
    """
    inside = instance.resolve().relative_to(table.parent)
    names = (inside.as_posix(), inside.with_suffix("").as_posix(), instance.name, instance.stem)
    other = _PSPLIB.sub(r"j\1_\2", instance.stem)
    return next((name for name in (*names, other + instance.suffix, other) if name in rows), None)


def _rows(table: Path) -> dict[str, Known]:
    return _read(table, table.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read(table: Path, _changed: int) -> dict[str, Known]:
    """Name to bounds. Raises InputError."""
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        found = [name.strip() for name in reader.fieldnames or ()]
        if NAME not in found or not {LOWER, UPPER} & set(found):
            raise _refused(
                f"{table}: its first line should name the columns {NAME}, {LOWER} and {UPPER}, separated by commas, "
                f"but has {', '.join(found) or 'nothing'}; rename the columns, or remove the file to compare nothing"
            )
        reader.fieldnames = found
        return {
            (row[NAME] or "").strip(): Known(
                *(_number(row.get(column), column, table, reader) for column in (LOWER, UPPER))
            )
            for row in reader
        }


def _number(text: str | None, column: str, table: Path, reader: csv.DictReader[str]) -> float | None:
    if not text or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise _refused(
            f"{table}, line {reader.line_num}: {column} should be a number, or empty if nothing is known, not {text!r}"
        )
    return value


def _refused(message: str) -> InputError:
    return InputError([Finding(level="error", code="malformed-best-known", message=message)])
