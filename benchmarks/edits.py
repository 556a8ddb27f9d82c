"""Whether the checker notices when one figure, name, date or list of a plan is edited.

    python -m benchmarks.edits [PLAN.json ...] [--per 3] [--seed N]

Each leaf of plan.json (without the portfolio in it, which has a hash) is changed by itself and within its type: numbers
more and less, names swapped, dates moved, flags flipped, lists shortened and emptied. Leaves of one kind
(``items.*.start``) are sampled, ``--per`` of each plan's. Without files, plans and replans of random portfolios that
use every policy are taken. A JSON line for each kind whose edits go unnoticed; ``allowed`` says why where that is known
(``ALLOWED``). The last line has the sums. Exit code 1 where an edit goes unnoticed that should not.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.options import whole
from pydantic import BaseModel, ValidationError

import throttle_models
from throttle.check import check
from throttle.errors import InputError, NoPlanError
from throttle.planning import make_plan
from throttle.replan import advance
from throttle_models import Plan, Portfolio

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.portfolios import random_portfolio

ALLOWED: Mapping[str, str] = {
    r"certificate\.(seed|deterministic|method|versions.*|data_quality.*)": "provenance of the run",
    r"certificate\.goals_note|certificate\.goals\.#\.note": "words",
    r"(.*\.)?(text|reason_text|why|message)|previous\.moves\.#\.reason": "words",
    r"findings.*": "what a planner should know, in words",
    r"fever\.projects\.\*\.title": "a title as it was",
    r"certificate\.(objective|flow)\.(first_come|greedy)": "a search's figure: held to the bound and the value",
    r"certificate\.goals\.#(\.(found|best|alone))?": "a search's figure: held to bound, value, tolerance; or left out",
    r"horizon": "how far is looked: held to the last finish and five years",
    r"holds\.#(\.(reason|refs.*))?": "a reason is held to rules that concern the item; which binds needs a search",
    r"unscheduled\.\*\.refs(\.#)?": "a reason may leave out what it refers to",
    r"drum": "a first plan need not name it; held to the earlier plan where it is given",
    r"fever(\.zones)?": "held to the earlier plan where it is given",
    r"previous\.moves": "order",
    r"containers|done|weeks\.#\.(starts|finishes)|releases|holds|loads|overrides|drum\.members|pace\.people": "order",
    r"fever\.projects.*": "what an earlier plan said: held to it where it is given",
    r"previous\.(as_of|input_hash|frozen|moves\.#\.before)": "the same",
    r"drum\.since": "the same",
}
"""Kinds of leaves (regular expressions) whose edits may go unnoticed, and why."""
FIELDS = {
    name
    for model in vars(throttle_models).values()
    if isinstance(model, type) and issubclass(model, BaseModel)
    for name in model.model_fields
}
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$")
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Unnoticed:
    """An edit that the checker lets pass."""

    kind: str
    path: str
    edit: str
    was: Any
    now: Any

    @property
    def allowed(self) -> str | None:
        return next((why for kind, why in ALLOWED.items() if re.fullmatch(kind, self.kind)), None)


@dataclass(frozen=True)
class Case:
    plan: Plan
    previous: Plan | None = None


def unnoticed(case: Case, per: int, rng: random.Random) -> tuple[int, list[Unnoticed]]:
    """How many edits of a plan were tried, and those that the checker lets pass."""
    document = case.plan.model_dump(mode="json", exclude={"portfolio"})
    kinds: dict[str, list[tuple[Path_, Any]]] = defaultdict(list)
    for path, kind, value in _leaves(document):
        kinds[kind].append((path, value))
    tried, found = 0, []
    for kind, some in sorted(kinds.items()):
        names = sorted({value for _, value in some if isinstance(value, str)})
        for path, value in rng.sample(some, min(per, len(some))):
            for edit, changed in _edits(value, names, rng):
                if changed == value:
                    continue
                tried += 1
                if _passes(case, _put(document, path, changed)):
                    found.append(Unnoticed(kind, ".".join(map(str, path)), edit, value, changed))
    return tried, found


def _passes(case: Case, document: Any) -> bool:
    try:
        plan = Plan.model_validate(document).model_copy(update={"portfolio": case.plan.portfolio})
    except ValidationError:
        return False
    return plan != case.plan and check(plan, previous=case.previous).ok


def _leaves(value: Any, path: Path_ = (), kind: tuple[str, ...] = ()) -> Iterator[tuple[Path_, str, Any]]:
    """Every value but the whole, with its path and that path without ids and numbers."""
    if path:
        yield path, ".".join(kind), value
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name), (*kind, name if name in FIELDS else "*"))
    elif isinstance(value, list):
        for i, part in enumerate(value):
            yield from _leaves(part, (*path, i), (*kind, "#"))


def _edits(value: Any, names: Sequence[str], rng: random.Random) -> Iterator[tuple[str, Any]]:
    """What a value is changed to; ``names``: all values of its kind."""
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int):
        yield from (("more", value + 1), ("less", value - 1))
    elif isinstance(value, float):
        yield from (("more", value * 1.5 + 1), ("less", value * 0.5 - 1), ("a tenth more", value * 1.1 + 0.01))
    elif isinstance(value, str) and INSTANT.match(value):
        for hours in (1, -1, 960, -960):
            moved = datetime.fromisoformat(value) + timedelta(hours=hours)
            yield f"{hours} h", moved.strftime("%Y-%m-%dT%H:%MZ")
    elif isinstance(value, str):
        yield from (("longer", value + " x"), ("empty", ""))
        if others := [name for name in names if name != value]:
            yield "swapped", rng.choice(others)
    elif isinstance(value, list) and value:
        yield from (("shorter", value[:-1]), ("none", []), ("one twice", [*value, value[-1]]), ("turned", value[::-1]))
    elif isinstance(value, dict) and value:
        gone = rng.choice(sorted(value))
        yield from (("one less", {k: v for k, v in value.items() if k != gone}), ("none", {}))
    if value is not None:
        yield "null", None


def _put(document: Any, path: Path_, value: Any) -> Any:
    """A copy that differs at one place."""
    if not path:
        return value
    new = document.copy()
    new[path[0]] = _put(document[path[0]], path[1:], value)
    return new


def replanned(seed: int, items: int) -> list[Case]:
    """A plan of a random portfolio that asks for buffers and calm, and the one of the next day, if there are."""
    data = random_portfolio(seed, items, buffered=True).model_dump(mode="json", exclude_defaults=True)
    policy = data.setdefault("policy", {})
    policy["buffers"] = {"project": "auto", "feeding": "auto"}
    policy["stability"] = {"frozen": "2d", "move": "50/day"}
    try:
        first = make_plan(Portfolio.model_validate(data), budget=0.05, workers=1, deterministic=True)
        data["as_of"] = (first.as_of + timedelta(days=1)).isoformat()
        newer, _ = advance(first, Portfolio.model_validate(data))
        second = make_plan(newer, budget=0.05, workers=1, deterministic=True, previous=first)
    except (InputError, NoPlanError):
        return []
    return [Case(first), Case(second, first)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plans", nargs="*", type=Path, help="plan.json files")
    parser.add_argument("--per", type=whole(1), default=3, help="leaves of each kind and plan (3)")
    parser.add_argument(
        "--portfolios", type=whole(1), default=10, help="random portfolios, where no plans are given (10)"
    )
    parser.add_argument("--seed", type=whole(0), default=1, help="of portfolios and samples (1)")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    cases = [Case(Plan.model_validate_json(path.read_bytes())) for path in given.plans]
    for number in range(given.portfolios if not cases else 0):
        cases += replanned(given.seed * 1000 + number, rng.randint(4, 16))
    tried, wrong = 0, 0
    told: dict[str, list[Unnoticed]] = defaultdict(list)
    for case in cases:
        more, found = unnoticed(case, given.per, rng)
        tried += more
        for one in found:
            told[one.kind].append(one)
    for kind, some in sorted(told.items()):
        wrong += sum(one.allowed is None for one in some)
        first = some[0]
        row = {"kind": kind, "unnoticed": len(some), "edits": sorted({one.edit for one in some}), "path": first.path}
        print(json.dumps(row | {"was": str(first.was)[:80], "now": str(first.now)[:80], "allowed": first.allowed}))
    print(json.dumps({"plans": len(cases), "edits": tried, "unnoticed": sum(map(len, told.values())), "wrong": wrong}))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
