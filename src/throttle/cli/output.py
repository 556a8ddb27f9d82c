"""Writing results: all of a plan's files or none, and never over what Throttle did not write."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from throttle.errors import InputError
from throttle_models import Finding

PLAN, REPORT, RUN = "plan.json", "index.html", "run.json"
_STAMP = re.compile(r"# Written by throttle \S+ \(([0-9a-f]{16})\)\n")


def _refuse(code: str, message: str, path: Path) -> InputError:
    return InputError([Finding(level="error", code=code, message=message, file=str(path))])


def check_folder(folder: Path) -> None:
    """Raise InputError unless the folder is new, empty, or holds an earlier output of ours."""
    remedy = "choose another one with --out"
    nearest = next((p for p in (folder, *folder.absolute().parents) if p.exists()), Path())
    if nearest != folder and not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        why = "no right to write there" if nearest.is_dir() else "it is a file"
        raise _refuse("cannot-write", f"Cannot make {folder} in {nearest}: {why}; {remedy}.", folder)
    if folder.exists() and not folder.is_dir():
        raise _refuse("not-a-folder", f"The output {folder} is a file; {remedy}.", folder)
    if folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder / RUN):
        raise _refuse(
            "not-our-output",
            f"The folder {folder} is not empty and has no {RUN} written by throttle, so nothing in it was changed; "
            f"{remedy}.",
            folder,
        )


def _is_ours(run: Path) -> bool:
    try:
        content = json.loads(run.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == "run" and "throttle" in content


def publish(folder: Path, writers: Mapping[str, Callable[[Path], Any]]) -> None:
    """Have each writer write its file, and only then put all of them in the folder, replacing those of before.

    Raises InputError where the folder is not ours or cannot be written.
    """
    check_folder(folder)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".throttle-", dir=folder))
        try:
            for name, write in writers.items():
                write(scratch / name)
            for name in writers:
                os.replace(scratch / name, folder / name)  # noqa: PTH105 - the same call as in write_atomic
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        message = f"Cannot write {path}: {why.lower()}. Make room there, or choose another place."
        raise _refuse("cannot-write", message, path) from None


def check_file(path: Path, force: bool, suffixes: Sequence[str] = ()) -> None:
    """Raise InputError if writing would lose a file that Throttle did not write, or that was edited since.

    Also where the name does not end in one of ``suffixes``, which tell the format.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise _refuse("unknown-format", f"The output {path} must end in one of {', '.join(suffixes)}.", path)
    if path.is_dir():
        raise _refuse("not-a-file", f"The output {path} is a folder; name a file.", path)
    if path.exists() and not force and not _unedited(path):
        raise _refuse(
            "exists",
            f"The file {path} exists and is not an unedited output of throttle; name another one, or add --force to "
            "replace it.",
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
