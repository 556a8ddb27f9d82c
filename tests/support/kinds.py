"""Kinds of jobs that do on purpose what the others must be protected from."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

from throttle.errors import InputError
from throttle_api.jobs.answers import BEST, Answer, Report
from throttle_api.jobs.states import Outcome
from throttle_models import Finding

_NAMES = ("echo", "until_stopped", "deaf", "abort", "hog", "broken", "wrong", "finds", "finds_and_dies")
KINDS = {name: f"support.kinds:{name}" for name in _NAMES}


def echo(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """Answers with its input."""
    report({"incumbent": 7.0, "process": os.getpid()})
    assert not stop.is_set()
    return Answer(Outcome.FEASIBLE, inputs["portfolio"], {"said": request.get("say")})


def until_stopped(
    request: Mapping[str, Any],  # noqa: ARG001 - the signature of a kind
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,
    stop: threading.Event,
) -> Answer:
    """Goes on until it is asked to stop, and then has something."""
    report({"incumbent": 1.0, "process": os.getpid()})
    stop.wait(60)
    return Answer(Outcome.FEASIBLE, b'{"kind": "plan"}')


def deaf(
    request: Mapping[str, Any],  # noqa: ARG001
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,
    stop: threading.Event,  # noqa: ARG001
) -> Answer:
    """Never looks whether it is asked to stop."""
    report({"incumbent": 1.0})
    time.sleep(60)
    return Answer(Outcome.UNKNOWN)


def abort(
    request: Mapping[str, Any],  # noqa: ARG001
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,  # noqa: ARG001
    stop: threading.Event,  # noqa: ARG001
) -> Answer:
    """Dies as native code does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def hog(
    request: Mapping[str, Any],  # noqa: ARG001
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,  # noqa: ARG001
    stop: threading.Event,  # noqa: ARG001
) -> Answer:
    """Takes more memory than there is."""
    held = [bytearray(1 << 24) for _ in range(1 << 12)]
    return Answer(Outcome.UNKNOWN, bytes(held[0]))


def broken(
    request: Mapping[str, Any],
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,  # noqa: ARG001
    stop: threading.Event,  # noqa: ARG001
) -> Answer:
    """Has a defect whose message quotes what a user wrote."""
    raise RuntimeError(request["say"])


def wrong(
    request: Mapping[str, Any],  # noqa: ARG001
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,  # noqa: ARG001
    stop: threading.Event,  # noqa: ARG001
) -> Answer:
    """Cannot be answered as it is asked."""
    raise InputError([Finding(level="error", code="no-work", message="there is no work to plan")])


def finds(
    request: Mapping[str, Any],  # noqa: ARG001
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,
    stop: threading.Event,
) -> Answer:
    """Has a first and then a better plan before it ends, and goes on until it is asked to stop."""
    report({BEST: b"first"})
    report({"incumbent": 2.0})
    report({BEST: b"better"})
    report({"incumbent": 1.0})
    stop.wait(60)
    return Answer(Outcome.FEASIBLE, b"last")


def finds_and_dies(
    request: Mapping[str, Any],  # noqa: ARG001
    inputs: Mapping[str, bytes],  # noqa: ARG001
    report: Report,
    stop: threading.Event,
) -> Answer:
    """Has a plan, and dies as native code does when it is asked to stop."""
    report({BEST: b"first"})
    report({"incumbent": 2.0})
    stop.wait(60)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
