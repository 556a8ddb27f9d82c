"""What there is to plan in a folder: portfolios told by their content from their parts and from other files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from throttle.documents import encoding_of, read_yaml
from throttle.errors import InputError
from throttle.files import SUFFIXES, load_document, load_portfolio
from throttle_models import Person, Portfolio, TeamFile, TeamPerson
from throttle_models.batch import Runs

_TOP_LEVEL_KEY = re.compile(r"^[\"']?([A-Za-z_][\w-]*)[\"']?[ \t]*:(?=\s|$)", re.MULTILINE)
_SINGLE = frozenset({"throttle", "zone", "slot", "currency"})
"""Fields that several parts of a portfolio may repeat."""
_EXPORTS = frozenset({"result", "records", "issues", "value"})
EXPORT, MAPPING, RUNS = "a ticket export", "a mapping", "a RUNS file"
_KINDS = {"plan": "a plan", "run": "the facts of a run", "batch": "the table of a batch", "row": "the row of a run"}


@dataclass(frozen=True, slots=True)
class Sifted:
    """The portfolios among some files, and a sentence on each of the others.

    ``parts`` where the files are one portfolio together: then there is nothing else.
    """

    portfolios: tuple[Path, ...]
    skipped: tuple[str, ...] = ()
    parts: bool = False


def sift(files: Iterable[Path]) -> Sifted:
    """Tell portfolios from other files of the same folder. What cannot be told counts as a portfolio that is broken.

    A portfolio says ``as_of``. Where just one file does, others that say what a portfolio says, but not as it does,
    are its parts.
    """
    keys: dict[Path, frozenset[str]] = {}
    skipped: dict[Path, str] = {}
    for file in files:
        found = look(file)
        if isinstance(found, str):
            skipped[file] = f"{file} is {found}"
        else:
            keys[file] = found
    if any(sentence.endswith((EXPORT, MAPPING)) for sentence in skipped.values()):
        for file in [file for file, names in keys.items() if "as_of" in names and _for_exports(file)]:
            del keys[file]
            skipped[file] = f"{file} is a team file"
    whole = [file for file, names in keys.items() if "as_of" in names]
    parts = [file for file, names in keys.items() if "as_of" not in names and names & Portfolio.model_fields.keys()]
    if len(whole) == 1 and parts and _one_portfolio(keys[whole[0]], [keys[part] for part in parts]):
        return Sifted((), parts=True)  # whatever else is there is for whoever reads the folder to refuse
    for part in parts:
        if "work" not in keys[part]:
            skipped[part] = f"{part} has no work and no as_of, so it is a team file or a part of a portfolio"
    return Sifted(tuple(file for file in keys if file not in skipped), tuple(skipped.values()))


def _one_portfolio(whole: frozenset[str], parts: list[frozenset[str]]) -> bool:
    """Whether the file with ``as_of`` and those without are parts of each other: each is of little use alone."""
    if "work" not in whole or any("work" in part for part in parts):
        return True
    return not any(whole & part - _SINGLE for part in parts)


def look_into(folder: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The portfolios of a folder by name: files, and sub-folders that are one portfolio; and what was skipped.

    A folder that is itself one portfolio has only that.
    """
    sifted = sift(_candidates(folder))
    if sifted.parts:
        return {folder.resolve().name: folder}, ()
    found, skipped = {file.name: file for file in sifted.portfolios}, list(sifted.skipped)
    other = []
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        if path.is_dir():
            inside = sift(_candidates(path))
            if inside.parts or len(inside.portfolios) == 1:
                found[path.name] = path if inside.parts else inside.portfolios[0]
                skipped += inside.skipped
            elif inside.portfolios:
                skipped.append(f"{path} holds several portfolios: name them in a RUNS file, as {path.name}/*.yaml")
            else:
                skipped.append(f"{path} is a folder without a portfolio")
        elif path.suffix.lower() not in SUFFIXES:
            other.append(path.name)
    named: dict[Path, str] = {}
    for name, path in list(found.items()):
        if (first := named.setdefault(path.resolve(), name)) != name:
            skipped.append(f"{folder / name} is the same as {folder / first}")
            del found[name]
    if other:
        skipped.append(f"{', '.join(other)}: no .yaml, .yml or .json file")
    return dict(sorted(found.items())), tuple(skipped)


def _for_exports(file: Path) -> bool:
    """Whether it says ``as_of`` and what only a team file says; told by reading it, so asked only beside exports.

    A portfolio that is broken in another way is no team file, even where it could be read as one.
    """
    try:
        load_portfolio(file)
    except InputError as problem:
        if any(f.code == "unknown-field" and _of_team_files(f.path or "") for f in problem.findings):
            with suppress(InputError):
                load_document(file, TeamFile)
                return True
    return False


def _of_team_files(path: str) -> bool:
    first, *_, last = path.split(".")
    of_people = TeamPerson.model_fields.keys() - Person.model_fields.keys()
    return first in TeamFile.model_fields.keys() - Portfolio.model_fields.keys() or (
        first == "people" and last in of_people
    )


def _candidates(folder: Path) -> list[Path]:
    return sorted(
        f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".") and not f.is_dir()
    )


def look(file: Path) -> frozenset[str] | str:
    """The fields of a file, or what it is where it is surely no portfolio; no fields where it cannot be read."""
    try:
        raw = file.read_bytes()
        text = raw.decode(encoding_of(raw))
        data = _parsed(file, text)
    except (OSError, ValueError, RecursionError, InputError):
        return frozenset()  # whoever reads it says what is wrong
    if isinstance(data, list):
        return EXPORT if data and all(isinstance(record, dict) for record in data) else frozenset()
    names = frozenset(map(str, data)) if isinstance(data, dict) else frozenset(_TOP_LEVEL_KEY.findall(text))
    if isinstance(data, dict) and isinstance(kind := data.get("kind"), str) and kind in _KINDS:
        return _KINDS[kind]
    if "throttle_map" in names:
        return MAPPING
    if "portfolios" in names and names <= Runs.model_fields.keys():
        return RUNS
    if "defaults" in names and "as_of" not in names:
        return "a team file"
    if isinstance(data, dict) and "work" not in names and any(isinstance(data.get(n), list) for n in _EXPORTS):
        return EXPORT
    return names


def _parsed(file: Path, text: str) -> Any:
    """The data of JSON and of YAML in braces; None for YAML by lines, whose fields its lines tell, however long."""
    if file.suffix.lower() == ".json":
        return json.loads(text)
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return read_yaml(text, file) if next(lines, "").lstrip().startswith(("{", "[", "-")) else None
