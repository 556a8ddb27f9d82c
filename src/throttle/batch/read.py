"""What a batch is to run: from a ``RUNS.yaml``, or a folder of portfolio files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from throttle.batch.folder import RUNS, look, look_into, sift
from throttle.documents import error_at
from throttle.errors import InputError
from throttle.files import SUFFIXES, load_document
from throttle_models import Finding, Policy, Portfolio
from throttle_models.batch import Runs
from throttle_models.references import dangling_references


@dataclass(frozen=True, slots=True)
class Run:
    """One plan to make; ``patch`` is what its variant changes in the policy."""

    portfolio: str
    path: Path
    variant: str
    seed: int
    patch: Policy = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """All runs, portfolio by portfolio, and how each one searches; ``budget`` in seconds.

    ``skipped`` are sentences on what was found and is no portfolio.
    """

    runs: tuple[Run, ...]
    budget: float
    workers: int
    deterministic: bool
    skipped: tuple[str, ...] = ()


def read_batch(
    path: Path,
    *,
    seeds: Sequence[int] | None = None,
    budget: float | None = None,
    workers: int | None = None,
    deterministic: bool | None = None,
) -> Batch:
    """The runs of a ``RUNS.yaml``, or one for each portfolio of a folder; what is given replaces what it says.

    Portfolios are not read yet. Raises InputError with every problem of the RUNS file, such as a pattern that finds
    nothing.
    """
    if path.is_dir():
        found, skipped = look_into(path)
        if not found:
            why = f" ({'; '.join(skipped[:5])})" if skipped else ""
            message = f"{path} has no portfolio{why}; name a RUNS file, or a folder of portfolios"
            raise InputError([error_at("no-file", message, path)])
        runs = Runs(portfolios=tuple(found))
    else:
        runs = _load(path)
        found, skipped = _portfolios(path, runs.portfolios)
    given = {"seeds": seeds, "budget": budget, "workers": workers, "deterministic": deterministic}
    runs = runs.model_copy(update={name: value for name, value in given.items() if value is not None})
    every = product(found.items(), runs.variants.items(), runs.seeds)
    return Batch(
        tuple(Run(_text(name), file, variant, seed, patch) for (name, file), (variant, patch), seed in every),
        runs.budget,
        runs.workers,
        runs.deterministic,
        tuple(map(_text, skipped)),
    )


def _text(name: str) -> str:
    """The name of a file as text, also where its bytes are no UTF-8; different names stay so."""
    return name.encode(errors="backslashreplace").decode()


def _load(path: Path) -> Runs:
    try:
        return load_document(path, Runs)
    except InputError as problem:
        found, kind = look(path), ""
        if isinstance(found, str):
            kind = found
        elif any(f.code == "unknown-field" and f.path in ("work", "as_of") for f in problem.findings):
            kind = "a portfolio"
        elif not any(f.code == "wrong-kind" for f in problem.findings):
            raise
        if kind == RUNS:
            raise
        remedy = f"name it in one, as portfolios: [{path.name}]"
        if kind != "a portfolio":
            remedy = "a RUNS file says portfolios: [portfolio.yaml], see docs/batch.md"
        what = f"is {kind}, not a RUNS file" if kind else "is no RUNS file"
        raise InputError([error_at("wrong-kind", f"{path} {what}: {remedy}", path)]) from None


def _portfolios(path: Path, patterns: Sequence[str]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Name (relative to the RUNS file) to file or folder, each once, in the order written; and what was skipped.

    What two patterns find is meant once, but what is named twice is an error, as everywhere.
    """
    found: dict[str, Path] = {}
    named: set[str] = set()
    skipped: list[str] = []
    problems: list[Finding] = []
    for i, pattern in enumerate(patterns):
        problem = ""
        if _exists(path.parent / pattern):
            name = Path(os.path.normpath(pattern)).as_posix()
            if name in named:
                problem = f"{pattern!r} is named twice; keep one"
            named.add(name)
            found.setdefault(name, path.parent / pattern)
        elif names := list(_matches(path, pattern)):
            problem = _sift(path.parent, names, found, skipped)
        else:
            problem = f"{pattern!r} finds no file; it is relative to {path.parent.resolve()}"
        if problem:
            sentence = f"{path}: portfolios.{i}: {problem}"
            problems.append(error_at("no-file", sentence, path, ("portfolios", i)))
    if not (problems or found):
        sentence = f"{path}: portfolios: the patterns find no portfolio ({'; '.join(skipped[:5])})"
        problems.append(error_at("no-file", sentence, path, ("portfolios",)))
    if problems:
        raise InputError(problems)
    return found, tuple(dict.fromkeys(skipped))


def _sift(base: Path, names: Sequence[str], found: dict[str, Path], skipped: list[str]) -> str:
    """Add the portfolios among what a pattern found, folder by folder; a sentence where it found parts of one.

    A file that is there already, by whatever name, is meant once.
    """
    taken = {file.resolve() for file in found.values()}
    by_folder: dict[Path, list[str]] = {}
    for name in names:
        by_folder.setdefault(Path(name).parent, []).append(name)
    for folder, inside in by_folder.items():
        sifted = sift([base / name for name in inside])
        if sifted.parts:
            return f"finds the parts of one portfolio; name its folder instead, as portfolios: [{folder.as_posix()}]"
        skipped += sifted.skipped
        for name in inside:
            if base / name in sifted.portfolios and (base / name).resolve() not in taken:
                found.setdefault(Path(os.path.normpath(name)).as_posix(), base / name)
    return ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a pattern longer than a file name may be, or with a null character
        return False


def _matches(path: Path, pattern: str) -> Iterator[str]:
    found: dict[Path, str] = {}
    for name in sorted(glob.glob(pattern, root_dir=path.parent, recursive=True)):  # noqa: PTH207 - a pattern may be absolute
        file = path.parent / name
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.samefile(path):
            found[file.resolve()] = min(name, found.get(file.resolve(), name), key=lambda n: (n.count(os.sep), n))
    yield from sorted(found.values())  # links may lead to the same file, or round in a ring


def vary(portfolio: Portfolio, run: Run) -> Portfolio:
    """The portfolio with a run's variant of its policy. Raises InputError where that names what is not there."""
    if not run.patch.model_fields_set:
        return portfolio
    varied = portfolio.model_copy(update={"policy": patched(portfolio.policy, run.patch)})
    if dangling := dangling_references(varied):
        raise InputError([f.model_copy(update={"message": f"variant {run.variant}: {f.message}"}) for f in dangling])
    return varied


def patched(policy: Policy, patch: Policy) -> Policy:
    """The policy with every field that was set in the patch: maps merged key by key, an empty one emptying."""
    changes = patch.model_dump(mode="json", exclude_unset=True)
    return Policy.model_validate(merged(policy.model_dump(mode="json", exclude_defaults=True), changes))


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A patch laid over what there is: maps merged key by key, an empty one emptying, all else replacing."""
    found = dict(old)
    for key, value in new.items():
        held = found.get(key)
        found[key] = merged(held, value) if value and isinstance(value, dict) and isinstance(held, dict) else value
    return found
