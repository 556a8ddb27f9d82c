"""Answers of the commands that look ahead, to be shown in the report of the plan that they are about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from throttle.errors import InputError
from throttle.files import load_document, need_regular_file
from throttle_models import Finding, Plan
from throttle_models.curve import Curve
from throttle_models.elevate import Elevate
from throttle_models.forecast import Forecast
from throttle_models.reliance import Reliance

Answer = Forecast | Curve | Elevate | Reliance
KINDS: Mapping[str, type[Answer]] = {"forecast": Forecast, "curve": Curve, "elevate": Elevate, "reliance": Reliance}
"""By ``kind`` of what ``--json`` prints; a section of the report has the same name."""


def load_answers(files: Sequence[Path]) -> tuple[Answer, ...]:
    """What ``throttle forecast --json`` and its like wrote. Raises InputError for everything else."""
    return tuple(load_document(file, KINDS[_kind(file)]) for file in files)


def _kind(file: Path) -> str:
    need_regular_file(file)
    try:
        data: Any = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        data = None
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        names = ", ".join(KINDS)
        message = f"{file} is no answer of {names}: write one with throttle forecast PLAN --json > forecast.json"
        raise InputError([Finding(level="error", code="not-an-answer", message=message, file=str(file))])
    return kind


def foreseen(plan: Plan, answers: Iterable[Answer]) -> dict[str, Answer]:
    """Answers by kind. Raises InputError where two are of one kind, or one is about another portfolio."""
    found: dict[str, Answer] = {}
    for answer in answers:
        if answer.input_hash != plan.certificate.input_hash:
            message = (
                f"the {answer.kind} is not about this plan: it was made from another portfolio (hash "
                f"{answer.input_hash[:12] or 'unknown'}, not {plan.certificate.input_hash[:12]}); run throttle "
                f"{answer.kind} on this plan"
            )
            raise InputError([Finding(level="error", code="other-portfolio", message=message)])
        if answer.kind in found:
            message = f"there are two answers of {answer.kind}: name one of them"
            raise InputError([Finding(level="error", code="named-twice", message=message)])
        found[answer.kind] = answer
    return found


def other_plan(plan: Plan, answer: Answer) -> str:
    """Says that an answer is about another plan of the same portfolio; empty where it is about this one, or about the
    portfolio."""
    if not isinstance(answer, Forecast):
        return ""
    last = max((item.finish for item in plan.items.values()), default=None)
    same = answer.planned == last and all(
        id in plan.projects and one.planned == plan.projects[id].finish for id, one in answer.projects.items()
    )
    return "" if same else "This is the forecast of another plan of the same portfolio: its planned dates differ."


__all__ = ["KINDS", "Answer", "foreseen", "load_answers", "other_plan"]
