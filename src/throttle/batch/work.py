"""What a process or a machine elsewhere does for one run: text in, a verified plan as text out."""

from __future__ import annotations

import os
import time
import traceback
import zlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from throttle import __version__
from throttle.errors import ThrottleError, VerificationError
from throttle_models import Certificate, Portfolio


@dataclass(frozen=True, slots=True)
class Task:
    """One plan to make. Texts are packed: they may travel to another machine."""

    portfolio: bytes
    budget: float
    seed: int
    workers: int
    deterministic: bool
    throttle: str = __version__


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan and its certificate, or a message why there is none; ``portfolio`` where the plan does not carry it."""

    seconds: float
    message: str = ""
    certificate: Certificate | None = None
    plan: bytes = b""
    portfolio: bytes = b""


def pack(portfolio: Portfolio) -> bytes:
    """A portfolio as compressed JSON: half the time of a pickle to read, and a twentieth of its bytes."""
    return zlib.compress(portfolio.model_dump_json(exclude_defaults=True).encode(), 1)


def unpack(text: bytes) -> bytes:
    return zlib.decompress(text)


def brief(problem: ThrottleError) -> str:
    """The first of its findings, in one sentence."""
    more = len(problem.findings) - 1
    defect = "a defect of Throttle, please report it: " if isinstance(problem, VerificationError) else ""
    return f"{defect}{problem.findings[0].message}" + (f" (and {more} more)" if more > 0 else "")


def execute(task: Task) -> Outcome:
    """Make one plan. Whatever goes wrong becomes the message, so that it can be told from a process that died."""
    began = time.perf_counter()
    try:
        if task.throttle != __version__:
            message = f"the worker has throttle {__version__}, not {task.throttle}: install the same version there"
            return Outcome(0.0, message)
        return _plan(task, began)
    except ThrottleError as problem:
        message = brief(problem)
    except MemoryError:
        message = "out of memory: run fewer at once with --jobs"
    except Exception as problem:
        if os.environ.get("THROTTLE_DEBUG", "") not in ("", "0"):
            traceback.print_exc()
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        # without the message of the exception, which may quote a ticket
        place = "/".join(Path(frame.filename).parts[-2:])
        message = f"internal error: {type(problem).__name__} at {place}:{frame.lineno}; please report it"
    return Outcome(time.perf_counter() - began, message)


def _plan(task: Task, began: float) -> Outcome:
    from throttle.files import save_plan, save_portfolio
    from throttle.planning import make_plan

    portfolio = Portfolio.model_validate_json(unpack(task.portfolio))
    plan = make_plan(
        portfolio, budget=task.budget, seed=task.seed, workers=task.workers, deterministic=task.deterministic
    )
    seconds = time.perf_counter() - began
    with TemporaryDirectory(prefix="throttle-") as folder:
        file = Path(folder) / "x.json"
        save_plan(plan, file)
        text, carried = zlib.compress(file.read_bytes(), 1), b""
        if plan.portfolio is None:
            save_portfolio(portfolio, file)
            carried = zlib.compress(file.read_bytes(), 1)
    return Outcome(seconds, "", plan.certificate, text, carried)
