"""Tasks in other processes: results, errors, processes that die, and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

import pytest

from support import tasks
from throttle import executors
from throttle.errors import InputError
from throttle.executors import open_executor, why_lost

LINUX = pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
PATH = {"PYTHONPATH": os.pathsep.join(sys.path)}


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has asked for its end yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def soon(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_tasks_run_in_processes_and_one_that_dies_takes_only_itself_along(tmp_path: Path) -> None:
    with open_executor(workers=2) as executor:
        assert executor.width == 2
        once = executor.submit(tasks.die_once, tmp_path / "tried")
        always = executor.submit(tasks.die)
        squares = [executor.submit(tasks.square, i, plus=1) for i in range(6)]
        error = executor.submit(tasks.fail, "not here")
        wait([once, always, error, *squares])
        assert [s.result() for s in squares] == [1, 2, 5, 10, 17, 26]
        assert once.result() != os.getpid()
        with pytest.raises(LookupError, match="not here"):
            error.result()
        lost, own = always.exception(), error.exception()
        assert lost is not None
        assert own is not None
        assert "died" in str(why_lost(lost))
        assert why_lost(own) is None


@LINUX
def test_leaving_on_an_error_ends_what_runs(tmp_path: Path) -> None:
    marker, began = tmp_path / "pid", time.monotonic()
    futures: list[Future[int]] = []
    with pytest.raises(KeyboardInterrupt), open_executor(workers=1) as executor:  # noqa: PT012 - what leaving does
        futures.append(executor.submit(tasks.pid_then_sleep, marker, 60.0))
        futures.append(executor.submit(tasks.square, 2))
        assert soon(lambda: marker.exists() and marker.read_text(encoding="utf-8") != "")
        raise KeyboardInterrupt
    assert time.monotonic() - began < 20
    assert futures[0].exception() is not None
    assert futures[1].cancelled()
    assert gone(int(marker.read_text(encoding="utf-8")))


@LINUX
def test_processes_end_with_the_one_that_started_them_however_that_ends(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\nfrom support import tasks\nfrom throttle.executors import open_executor\n"
        "if __name__ == '__main__':\n    with open_executor(workers=1) as executor:\n"
        f"        executor.submit(tasks.pid_then_sleep, Path({str(tmp_path / 'pid')!r}), 60.0).result()\n"
    )
    program = tmp_path / "program.py"
    program.write_text(script, encoding="utf-8")
    marker = tmp_path / "pid"
    with subprocess.Popen([sys.executable, program], env=os.environ | PATH, stderr=subprocess.DEVNULL) as parent:
        try:
            assert soon(lambda: marker.exists() and marker.read_text(encoding="utf-8") != "")
            child = int(marker.read_text(encoding="utf-8"))
            assert not gone(child)
        finally:
            parent.send_signal(signal.SIGKILL)
    assert soon(lambda: gone(child))


@pytest.mark.parametrize("engine", ["dask", "ray://host:1", "dask://host", "tcp://host:8786"])
def test_an_unknown_engine_is_refused(engine: str) -> None:
    with pytest.raises(InputError, match="dask://host:port"), open_executor(engine):
        pass


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'throttle-scheduler\[dask\]'"), open_executor("dask://host:1"):
        pass


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "CONNECT_SECONDS", 0.3)
    with pytest.raises(InputError, match=r"No Dask scheduler answers at 127\.0\.0\.1:9"):
        open_executor("dask://127.0.0.1:9").__enter__()


def test_what_is_not_installed_elsewhere_is_told() -> None:
    assert "cannot import throttle: install" in str(why_lost(ModuleNotFoundError(name="throttle")))
