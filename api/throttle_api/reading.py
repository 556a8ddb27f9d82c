"""What the processes that read uploads do; they import nothing of the web.

``python -m throttle_api.reading FOLDER`` does what ``FOLDER/task.json`` says, and leaves ``answer.json`` (and
``portfolio.json``) there. ``python -m throttle_api.reading --fork N`` imports what that needs, and forks a process for
each folder that it is told of on the socket of number N; it reads no upload itself.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from throttle.errors import InputError
from throttle_models import Finding

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def portfolio(file: Path, folder: Path) -> None:
    """Check a portfolio, and write it as portfolio.json. Raises InputError with all that is wrong with it."""
    from throttle.compile import prepared
    from throttle.files import load_portfolio, save_portfolio

    try:
        read = load_portfolio(file)
        prepared(read)  # no cycles, and nothing that a plan cannot obey
    except InputError as problem:
        raise InputError([_without_folder(f, folder) for f in problem.findings]) from None
    save_portfolio(read, folder / "portfolio.json")


def _without_folder(finding: Finding, folder: Path) -> Finding:
    """The place of a file in our folder is nothing to a client."""
    prefixes = (f"{folder.resolve()}{os.sep}", f"{folder}{os.sep}")
    message, file = finding.message, finding.file
    for prefix in prefixes:
        message = message.replace(prefix, "")
        file = file.replace(prefix, "") if file else file
    return finding.model_copy(update={"message": message, "file": file})


def _exports(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    import csv

    from throttle import ingest
    from throttle.files import load_document, save_portfolio
    from throttle_models import Mapping, TeamFile

    files = [folder / name for name in task["files"]]
    for file in files:
        _check_fields(file, task["field"])
    csv.field_size_limit(task["field"])
    read = ingest.read_exports(
        files,
        mapping=load_document(folder / task["map"], Mapping) if task["map"] else None,
        team=load_document(folder / task["team"], TeamFile) if task["team"] else None,
        options=ingest.ReadOptions(**task["options"]),
    )
    if read.report.rows_read > task["rows"]:
        message = f"The upload has {read.report.rows_read:,} rows; {task['rows']:,} is the most that is read at once."
        raise InputError([Finding(level="error", code="too-many-rows", message=message)])
    if read.report.rejections and read.report.rejected == read.report.rows_read:
        # a dataset of nothing would take the place of one that has something
        raise InputError(
            [
                Finding(
                    level="error", code="rejected-row", message=f"The row {row.reason}.", file=row.file, row=row.row
                )
                for row in read.report.rejections
            ]
        )
    save_portfolio(read.portfolio, folder / "portfolio.json")
    return read.report.to_json()


def _check_fields(file: Path, most: int) -> None:
    """Raise InputError for JSON with a longer text; CSV is counted while it is read."""
    data = file.read_bytes()
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        for match in _STRING.finditer(data):
            if match.end() - match.start() - 2 > most:
                row = data.count(b"\n", 0, match.start()) + 1
                message = f"{file.name}, line {row}, has a field of more than {most:,} characters; leave it out."
                raise InputError([Finding(level="error", code="field-too-long", message=message, file=file.name)])


def _told(finding: Finding) -> dict[str, Any]:
    return finding.model_dump(mode="json", exclude_defaults=True)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"level": "error", "code": code, "message": message}


def _limit_memory(mebibytes: int) -> None:
    """More than what the process has to begin with."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):  # no Linux: the limit on time remains
        return
    most = pages * resource.getpagesize() + (mebibytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(folder: Path) -> None:
    """What the child does. Every way to fail is an answer, as far as there is memory for one."""
    task = json.loads((folder / "task.json").read_bytes())
    _limit_memory(task["memory"])
    answer: dict[str, Any] = {"errors": [], "title": "", "report": {}}
    try:
        if task["kind"] == "portfolio":
            portfolio(folder / task["files"][0], folder)
        else:
            answer["report"] = _exports(task, folder)
    except InputError as problem:
        answer["errors"] = [_told(_without_folder(f, folder)) for f in problem.findings]
    except MemoryError:
        answer["errors"] = [_error("too-heavy", f"Reading needs more than {task['memory']} MiB.")]
    except RecursionError:
        answer["errors"] = [_error("too-deep", "The upload is nested too deep.")]
    except Exception as problem:
        # of the upload or of us: the service goes on in either case, and says what kind of defect it was
        message = f"Reading failed ({type(problem).__name__}); please report it, with the file if you may."
        answer["errors"] = [_error("reader-failed", message)]
    (folder / "answer.part").write_text(json.dumps(answer), encoding="utf-8")
    (folder / "answer.part").replace(folder / "answer.json")


READERS = (
    "throttle.compile",
    "throttle.files",
    "throttle.ingest",
    "throttle.learn",
    "defusedxml.ElementTree",
    "openpyxl",
)
"""What is imported before forking."""
LONGEST_FOLDER = 4096


def fork_for_each(number: int) -> None:
    """Until the other end of the socket is closed: a message is the name of a folder, and comes with the write end of
    a pipe. The process that is forked for it writes its id there, and closes it by ending, however it ends."""
    for name in READERS:
        import_module(name)
    gc.collect()
    gc.freeze()  # what is shared stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(fileno=number) as told:
        while True:
            folder, pipes, _, _ = socket.recv_fds(told, LONGEST_FOLDER, 1)
            if not folder:
                return
            try:
                child = os.fork()
            except OSError:  # the pipe closes without an id
                child = -1
            if child == 0:
                told.close()
                _read_and_end(Path(os.fsdecode(folder)), pipes[0])
            for pipe in pipes:
                os.close(pipe)


def _read_and_end(folder: Path, pipe: int) -> None:
    try:
        os.setsid()
        os.write(pipe, f"{os.getpid()}\n".encode())
        main(folder)
    finally:  # also of what cannot be told: there is no answer then
        os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service ends it
    if sys.argv[1] == "--fork":
        fork_for_each(int(sys.argv[2]))
    else:
        main(Path(sys.argv[1]))
