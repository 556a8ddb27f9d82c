"""Explanations, comparisons and reports: seconds of work in native code, done in a process of their own.

So a defect or a lack of memory there ends that process and not the service, and answers to others do not wait.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from throttle.errors import ThrottleError
from throttle_api.problems import Problem, of_findings
from throttle_api.turns import Turns

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from throttle_models import Plan

KEPT = 200
"""Answers that are kept; a plan never changes, so that they stay right."""
LATEST = 5
"""Late projects that an explanation of a whole plan tells of."""


class Aside:
    """One process, begun when it is first needed, and anew after it died or took too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turns = Turns(1)
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._answers: OrderedDict[tuple[str, ...], str] = OrderedDict()

    def ask(self, task: str, plans: list[tuple[str, bytes]], *arguments: str) -> str:
        """What a task of :data:`TASKS` makes of plans (ETag and plan.json). Raises Problem."""
        key = (task, *(etag for etag, _ in plans), *arguments)
        if (known := self._answers.get(key)) is not None:
            return known
        with self._turns.turn(self._seconds):
            if key not in self._answers:
                self._answers[key] = self._work(task, plans, arguments)
                while len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
            return self._answers[key]

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = self._pipe = None

    def _work(self, task: str, plans: list[tuple[str, bytes]], arguments: tuple[str, ...]) -> str:
        pipe = self._begin()
        try:
            pipe.send((task, plans, arguments))
            if not pipe.poll(self._seconds):
                self.close()
                raise _too_long(self._seconds)
            kind, answer = pipe.recv()
        except (OSError, EOFError):
            self.close()
            detail = "The process that explains plans ended before it had an answer; please report it."
            raise Problem("internal-error", detail) from None
        if kind == "answer":
            return str(answer)
        code, detail, errors = answer
        raise Problem(code, detail, errors)

    def _begin(self) -> Connection:
        if self._process is None or not self._process.is_alive() or self._pipe is None:
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True, name="throttle-aside")
            self._process.start()
            theirs.close()
            self._pipe = ours
        return self._pipe


def _too_long(seconds: float) -> Problem:
    return Problem(
        "took-too-long", f"This took more than {seconds:g} s; try again later.", headers={"Retry-After": "30"}
    )


# ------------------------------------------------------------------------------------------------------- in the child


def _serve(pipe: Connection) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service ends it
    if hasattr(os, "nice"):
        os.nice(5)
    known: OrderedDict[str, Plan] = OrderedDict()
    while True:
        try:
            task, plans, arguments = pipe.recv()
        except EOFError:
            return
        try:
            read = [_plan(known, etag, body) for etag, body in plans]
            pipe.send(("answer", TASKS[task](*read, *arguments)))
        except ThrottleError as problem:
            first = problem.findings[0] if problem.findings else None
            code = "not-found" if first and first.code in NOT_FOUND else "conflict"
            code = "no-portfolio" if first and first.code == "no-portfolio" else code
            pipe.send(("problem", (code, str(problem).split("\n")[0], of_findings(problem.findings))))
        except Exception as problem:
            detail = f"An internal error ({type(problem).__name__}); please report it."
            pipe.send(("problem", ("internal-error", detail, None)))


NOT_FOUND = ("unknown-item", "no-item", "unknown-person")


def _plan(known: OrderedDict[str, Plan], etag: str, body: bytes) -> Plan:
    from throttle_models import Plan

    if etag not in known:
        known[etag] = Plan.model_validate_json(body)
        while len(known) > 4:
            known.popitem(last=False)
    return known[etag]


def _why(plan: Plan, item: str) -> str:
    from throttle.why import explain

    return explain(plan, item).model_dump_json()


def _explanation(plan: Plan) -> str:
    import json

    from throttle.bottleneck import analyse
    from throttle.why import explain

    found = analyse(plan, portfolio_of(plan))
    late = sorted((p for p in plan.projects.items() if p[1].late_weeks > 0), key=lambda p: (-p[1].cost, p[0]))
    told = [explain(plan, id).model_dump(mode="json") for id, _ in late[:LATEST]]
    return json.dumps({"bottleneck": found.model_dump(mode="json"), "late": told}, ensure_ascii=False)


def _compare(one: Plan, other: Plan) -> str:
    from throttle.compare import compare

    return compare(one, other).model_dump_json()


def _report(plan: Plan) -> str:
    from throttle.report import render_report

    return render_report(plan, portfolio_of(plan))


def portfolio_of(plan: Plan) -> Any:
    """What the plan was made from. Raises Problem where it does not carry that."""
    if plan.portfolio is None:
        from throttle.errors import InputError
        from throttle_models import Finding

        message = "The plan does not carry its portfolio, which this needs."
        raise InputError([Finding(level="error", code="no-portfolio", message=message)])
    return plan.portfolio


TASKS: dict[str, Callable[..., str]] = {
    "why": _why,
    "explanation": _explanation,
    "compare": _compare,
    "report": _report,
}
"""Name to what makes the answer of one or two plans and words: JSON, or the page of a report."""
