"""What the commands print: data on standard output, messages and progress on standard error."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text

from throttle.terminal import clean

if TYPE_CHECKING:
    from rich.status import Status

    from throttle.errors import InputError
    from throttle.solve import Progress
    from throttle_models import Finding

STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}
PLAIN_WIDTH = 120
"""Columns where the output is not a terminal."""
PLAIN_EVERY = 5.0
"""Seconds between progress lines where messages do not go to a terminal."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read has gone: what is left is dropped, and the command ends as it would have."""
        drop(self.file)


class _Stream:
    """Standard output or error, whose failures are not those of Throttle: data that cannot be printed is an
    InputError; a message that cannot be is dropped."""

    def __init__(self, stream: TextIO, carries_data: bool) -> None:
        self._stream, self._carries_data = stream, carries_data

    def write(self, text: str) -> int:
        with self._failing():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._failing():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as problem:
            drop(self._stream)
            if self._carries_data:
                raise cannot_print(problem) from None


def cannot_print(problem: OSError) -> InputError:
    """The error to raise or print where standard output takes no more."""
    from throttle.errors import InputError
    from throttle_models import Finding

    why = (problem.strerror or type(problem).__name__).lower()
    message = f"Cannot write to standard output: {why}. Send it elsewhere, such as to a file with room."
    return InputError([Finding(level="error", code="cannot-print", message=message)])


def open_streams() -> None:
    """Give the standard streams that were closed before the start a place, so that no file opened later gets their
    number: messages are dropped, and data printed is refused."""
    for number, how in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, how)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - of the process
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def drop(stream: Any) -> None:
    """Let nothing more that is written to a stream arrive, so that it cannot fail again when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _console(stream: Any) -> Console:
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return _Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=False, width=width)


def out() -> Console:
    """For data."""
    return _console(_Stream(sys.stdout, True))


def err() -> Console:
    """For messages."""
    return _console(_Stream(sys.stderr, False))


def say(message: str, style: str = "") -> None:
    """A message that a reader can do without; not wrapped, so that paths can be copied."""
    err().print(Text(clean(message), style=style), soft_wrap=True)


# control and bidirectional characters that JSON does not escape by itself, but that a terminal obeys
_TERMINAL = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def emit_json(document: Any) -> None:
    """One JSON document on standard output; a string is taken as JSON text already."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, indent=2)
    emit(_TERMINAL.sub(lambda m: f"\\u{ord(m[0]):04x}", text).rstrip("\n") + "\n")


def emit(text: str) -> None:
    """Data on standard output as it is."""
    stream = _Stream(sys.stdout, True)
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        drop(sys.stdout)


def flush() -> None:
    """Send what is buffered; a reader that has gone is no error. Raises InputError where there is no room."""
    for stream in (_Stream(sys.stderr, False), _Stream(sys.stdout, True)):
        try:
            stream.flush()
        except BrokenPipeError:
            drop(stream)


def show_findings(findings: Iterable[Finding], most: int | None = None, least: str = "info") -> None:
    """Print findings as messages, errors first; at most ``most`` that are not errors, of level ``least`` or worse."""
    levels = list(STYLES)
    worst = [f for f in findings if levels.index(f.level) <= levels.index(least)]
    worst.sort(key=lambda f: levels.index(f.level))
    for i, finding in enumerate(worst):
        if most is not None and i >= most and finding.level != "error":
            say(f"and {len(worst) - i} more; --json lists all", "dim")
            return
        say(describe(finding), STYLES[finding.level])


def describe(finding: Finding) -> str:
    """``error: <message> (file, row, column)``; places that the message names already are not repeated."""
    places = [finding.file, finding.path]
    if finding.row is not None and f"row {finding.row}" not in finding.message:
        places.append(f"row {finding.row}")
    places.append(finding.column)
    missing = [p for p in places if p and p not in finding.message]
    where = f" ({', '.join(missing)})" if missing else ""
    times = f" [{finding.count} times]" if finding.count > 1 else ""
    return f"{finding.level}: {finding.message}{where}{times}"


class ProgressLine:
    """What the solver has found so far: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, status: Status | None, console: Console | None) -> None:
        self._status, self._console = status, console
        self._phase, self._printed = "", -PLAIN_EVERY

    def __call__(self, progress: Progress) -> None:
        line = Text(progress_text(progress))
        if self._status is not None:
            self._status.update(line)
        elif self._console is not None:
            now = time.monotonic()
            if progress.phase != self._phase or now - self._printed >= PLAIN_EVERY:
                self._phase, self._printed = progress.phase, now
                self._console.print(line, soft_wrap=True)


def progress_text(progress: Progress) -> str:
    """``12 s  search: incumbent 1,234, bound 1,000, gap 19.0 %``; what is unknown is left out."""
    known = [
        f"{name} {value:,.0f}"
        for name, value in (("incumbent", progress.incumbent), ("bound", progress.bound))
        if value is not None
    ]
    if progress.gap is not None:
        known.append(f"gap {progress.gap * 100:.1f} %")
    return clean(f"{progress.seconds:.0f} s  {progress.phase}" + (f": {', '.join(known)}" if known else ""))


@contextmanager
def progress_line(quiet: bool) -> Iterator[ProgressLine]:
    """A place for progress on standard error while the block runs."""
    console = err()
    if quiet:
        yield ProgressLine(None, None)
    elif console.is_terminal:
        with console.status(Text("starting")) as status:
            yield ProgressLine(status, None)
    else:
        yield ProgressLine(None, console)


def emit_line(text: str) -> None:
    """One line of text as data, safe for a terminal."""
    out().print(Text(clean(text)), soft_wrap=True)
