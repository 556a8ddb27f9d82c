"""Kernels loaded by several threads at once are what was asked for."""

from __future__ import annotations

import subprocess
import sys

LOADED_AT_ONCE = """
import sys
import threading
from throttle.solve.kernels import kernels

load_anew = kernels.__wrapped__  # without its cache
sys.setswitchinterval(1e-5)
for _ in range(20):
    found = {}

    def load(compiled):
        ready.wait()
        found[compiled] = load_anew(compiled)

    ready = threading.Barrier(2)
    threads = [threading.Thread(target=load, args=(compiled,)) for compiled in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hasattr(found[True].place_activity, "py_func")
    assert not hasattr(found[False].place_activity, "py_func")
"""


def test_plain_and_compiled_kernels_loaded_at_once_are_not_mixed_up() -> None:
    # in a process of its own, since kernels are loaded once in each
    run = subprocess.run([sys.executable, "-c", LOADED_AT_ONCE], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
