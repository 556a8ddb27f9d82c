"""Whether random portfolios that use every policy are planned, and whether each plan passes the independent checker.

    python -m benchmarks.survey COUNT [--seed N] [--workers 1] [--budget 0.05s] [--items 60] [--limit 2m]

Portfolios of 5 to ``--items`` items, every tenth of 100 to 300, which may ask for buffers and say what a plan in force
has. Each is planned with a repeatable budget; its plan, written and read again, is checked once more against the
portfolio. A JSON line for each one that fails, with what makes it again (``random_portfolio(seed, items, True)``): a
plan that breaks a rule (``violation``), an exception that is no answer (``error``), more than ``--limit``
(``endless``). A portfolio may have no plan (``no-plan``) or be refused (``refused``); these are told, and no failures.
The last line has the sums. Exit code 1 where something failed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.literature import at_most
from benchmarks.options import seconds, whole

from throttle.check import check
from throttle.errors import InputError, NoPlanError, VerificationError
from throttle.planning import make_plan
from throttle_models import Plan

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.portfolios import random_portfolio

LARGE_EVERY = 10
LARGE = (100, 300)
LEAST = 5
ANSWERS = ("no-plan", "refused")
"""What is told of a portfolio instead of a plan, and is no failure."""
PER_PORTFOLIO = 1_000_000
"""Seeds of one run; so runs with different ``--seed`` have no portfolio in common."""


def survey(seed: int, items: int, budget: float, workers: int, limit: float) -> dict[str, Any]:
    """One portfolio: its outcome, and what says where it comes from."""
    row: dict[str, Any] = {"seed": seed, "items": items}
    begun = time.perf_counter()
    try:
        with at_most(limit):
            row |= _planned(seed, items, budget, workers)
    except VerificationError as error:
        row |= {"outcome": "violation", "kinds": sorted({f.code for f in error.findings}), "message": str(error)}
    except NoPlanError as error:
        row |= {"outcome": "no-plan", "message": str(error)}
    except InputError as error:
        row |= {"outcome": "refused", "message": str(error)}
    except TimeoutError as error:
        row |= {"outcome": "endless", "message": str(error), "at": _places(error)}
    except Exception as error:
        row |= {"outcome": "error", "kinds": [type(error).__name__], "message": str(error), "at": _places(error)}
    return row | {"seconds": round(time.perf_counter() - begun, 2)}


def _planned(seed: int, items: int, budget: float, workers: int) -> dict[str, Any]:
    portfolio = random_portfolio(seed, items, buffered=True)
    plan = make_plan(portfolio, budget=budget, workers=workers, deterministic=True)
    again = check(Plan.model_validate_json(plan.model_dump_json()), portfolio)
    if not again.ok:
        raise VerificationError(again)
    return {"outcome": "planned", "scheduled": len(plan.items), "left_out": len(plan.unscheduled)}


def _places(error: BaseException) -> list[str]:
    """The last lines of a traceback, the innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames[-4:])]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=whole(1), help="portfolios")
    parser.add_argument("--seed", type=whole(0), default=1, help="of the portfolios (1)")
    parser.add_argument("--workers", type=whole(1), default=1, help="threads to search with (1)")
    parser.add_argument("--budget", type=seconds, default=0.05, metavar="TIME", help="for each plan (0.05s)")
    parser.add_argument("--items", type=whole(LEAST), default=60, help="most items of those that are not large (60)")
    parser.add_argument("--limit", type=seconds, default=120.0, metavar="TIME", help="for each portfolio (2m)")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    scheduled = left_out = 0
    slowest: dict[str, Any] = {"seconds": 0.0}
    begun = time.perf_counter()
    for number in range(1, given.count + 1):
        large = number % LARGE_EVERY == 0
        items = rng.randint(*LARGE) if large else rng.randint(LEAST, given.items)
        seed = given.seed * PER_PORTFOLIO + number
        row = survey(seed, items, given.budget, given.workers, given.limit)
        outcomes[row["outcome"]] += 1
        kinds.update(row.get("kinds", ()))
        scheduled, left_out = scheduled + row.get("scheduled", 0), left_out + row.get("left_out", 0)
        if row["seconds"] > slowest["seconds"]:
            slowest = {name: row[name] for name in ("seed", "items", "seconds")}
        if row["outcome"] != "planned":
            print(json.dumps(row), flush=True)
        if large:
            print(f"{number} of {given.count} after {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    failed = outcomes.total() - outcomes["planned"] - sum(outcomes[answer] for answer in ANSWERS)
    summary = {
        "portfolios": outcomes.total(),
        "planned": outcomes["planned"],
        "no_plan_percent": round(100 * outcomes["no-plan"] / outcomes.total(), 1),
        "refused": outcomes["refused"],
        "left_out_percent": round(100 * left_out / max(1, scheduled + left_out), 1),
        "violations": outcomes["violation"],
        "errors": outcomes["error"],
        "endless": outcomes["endless"],
        "kinds": dict(sorted(kinds.items())),
        "seconds": round(time.perf_counter() - begun, 1),
        "slowest": slowest,
    }
    print(json.dumps(summary))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
