"""Writing results: all of a plan's files or none, and never over what Throttle did not write."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from throttle.errors import InputError
from throttle_models import Finding

PLAN, REPORT, RUN = "plan.json", "index.html", "run.json"
PLANS, BATCHES = "throttle plan", "throttle batch"
"""What an output folder is of."""
_STAMP = re.compile(r"# Written by throttle \S+ \(([0-9a-f]{16})\)\n")


def _refuse(code: str, message: str, path: Path) -> InputError:
    return InputError([Finding(level="error", code=code, message=message, file=str(path))])


def check_folder(folder: Path, names: Iterable[str] = (PLAN, REPORT, RUN), made_by: str = PLANS) -> None:
    """Raise InputError unless the folder is new, empty, or holds an earlier output of ``made_by``, to be replaced."""
    remedy = "choose another one with --out"
    with _writing(folder):
        _check_place(folder, remedy)
        if not folder.exists():
            return
        if not folder.is_dir():
            raise _refuse("not-a-folder", f"The output {folder} is a file; {remedy}.", folder)
        for target in (folder / name for name in names):
            if os.path.lexists(target) and (target.is_symlink() or not target.is_file()):
                what = "a link" if target.is_symlink() else "a folder" if target.is_dir() else "no plain file"
                message = f"{target} is {what}, so nothing in {folder} was changed; remove it, or {remedy}."
                raise _refuse("not-our-output", message, target)
        if not any(folder.iterdir()):
            return
        found = _made_by(folder / RUN)
        if found is None:
            why = f"is not empty and has no {RUN} written by throttle"
        elif found != made_by:
            why = f"holds an output of {found}, not of {made_by}"
        else:
            return
        raise _refuse("not-our-output", f"The folder {folder} {why}, so nothing in it was changed; {remedy}.", folder)


def _check_place(path: Path, remedy: str) -> None:
    """Raise InputError or OSError if nothing can be made or replaced at a path."""
    try:
        whole = path.absolute()
    except FileNotFoundError:
        message = "The current folder exists no longer: change to one that does."
        raise _refuse("no-current-folder", message, path) from None
    nearest = next(p for p in (whole, *whole.parents) if os.path.lexists(p))
    if not nearest.exists():
        raise _refuse("dangling-link", f"{nearest} is a link to what does not exist; {remedy}.", path)
    if nearest != whole and not nearest.is_dir():
        raise _refuse("cannot-write", f"Cannot make {path} in {nearest}: it is a file; {remedy}.", path)
    for part in whole.parts[len(nearest.parts) :]:
        with suppress(FileNotFoundError):
            os.lstat(nearest / part)  # a name that is too long, or that this place cannot hold
    within = nearest if nearest.is_dir() else nearest.parent
    if not os.access(within, os.W_OK | os.X_OK):
        raise _refuse("cannot-write", f"Cannot make {path} in {within}: no right to write there; {remedy}.", path)


def _made_by(run: Path) -> str | None:
    """What wrote a ``run.json``, whose batches count their runs; None where it is not ours."""
    try:
        content = json.loads(run.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("kind") != "run" or "throttle" not in content:
        return None
    return BATCHES if "runs" in content else PLANS


def publish(folder: Path, writers: Mapping[str, Callable[[Path], Any]]) -> None:
    """Have each writer write its file, and only then put all of them in the folder, replacing those of before.

    Raises InputError where the folder is not ours or cannot be written.
    """
    check_folder(folder, writers)
    new = not folder.exists()
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            scratch = Path(tempfile.mkdtemp(prefix=".throttle-", dir=folder))
            try:
                with _named(scratch, folder):
                    for name, write in writers.items():
                        write(scratch / name)
                _replace_all([(scratch / name, folder / name) for name in writers])
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        except BaseException:
            if new:
                with suppress(OSError):
                    folder.rmdir()
            raise


@contextmanager
def _named(scratch: Path, folder: Path) -> Iterator[None]:
    """Errors name a file by the place that it is for."""
    try:
        yield
    except InputError as problem:
        findings = [
            f.model_copy(update={"message": f.message.replace(str(scratch), str(folder)), "file": str(folder)})
            for f in problem.findings
        ]
        raise InputError(findings) from None


def _replace_all(moves: Sequence[tuple[Path, Path]]) -> None:
    """Put each new file in the place of the old one; if one cannot be, the old ones come back."""
    for new, target in moves:
        if target.exists():
            shutil.copy2(target, _before(new))
    replaced: list[tuple[Path, Path]] = []
    try:
        for new, target in moves:
            replaced.append((new, target))
            os.replace(new, target)  # noqa: PTH105 - the same call as in write_atomic
    except BaseException:
        for new, target in replaced:
            if _before(new).exists():
                os.replace(_before(new), target)  # noqa: PTH105
            elif not new.exists():
                target.unlink()
        raise


def _before(new: Path) -> Path:
    return new.with_name(f"{new.name}.before")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        message = f"Cannot write {path}: {why.lower()}. Make room there, or choose another place or name."
        raise _refuse("cannot-write", message, path) from None


def check_file(path: Path, force: bool, suffixes: Sequence[str] = ()) -> None:
    """Raise InputError if writing would lose a file that Throttle did not write, or that was edited since.

    Also where the name does not end in one of ``suffixes``, which tell the format.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise _refuse("unknown-format", f"The output {path} must end in one of {', '.join(suffixes)}.", path)
    with _writing(path):
        _check_place(path, "name another file")
        if path.is_dir():
            raise _refuse("not-a-file", f"The output {path} is a folder; name a file.", path)
        if path.exists() and not path.is_file():
            raise _refuse("not-a-file", f"The output {path} is a device or a pipe; name a file.", path)
        if path.exists() and not force and not _unedited(path):
            raise _refuse(
                "exists",
                f"The file {path} exists and is not an unedited output of throttle; name another one, or add --force "
                "to replace it.",
                path,
            )


def write_file(path: Path, write: Callable[[Path], Any], force: bool = False) -> None:
    """Have the writer write the file beside its place, then put it there. See :func:`check_file`."""
    check_file(path, force)
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".throttle-", dir=path.parent) as scratch:
            # the same name, since the format is told by its ending
            new = Path(scratch) / path.name
            write(new)
            if path.suffix in (".yaml", ".yml"):
                body = new.read_bytes()
                new.write_bytes(f"# Written by throttle 1 ({_digest(body)})\n".encode() + body)
            os.replace(new, path)  # noqa: PTH105


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _unedited(path: Path) -> bool:
    """Whether it is YAML that we wrote, and nobody edited since."""
    content = path.read_bytes()
    stamp = _STAMP.match(content[:80].decode("ascii", "replace"))
    return stamp is not None and _digest(content[stamp.end() :]) == stamp[1]
