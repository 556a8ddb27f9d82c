"""What came of a batch: a row for each run, the best variant of each portfolio, and the files that hold them."""

from __future__ import annotations

import csv
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import file_digest, sha256
from io import StringIO
from math import isclose
from pathlib import Path
from statistics import fmean
from typing import Any

from throttle import __version__
from throttle.batch.read import Batch, Run
from throttle.batch.work import Outcome, unpack
from throttle.documents import error_at, render_json
from throttle.errors import InputError
from throttle.exports.csv import safe
from throttle.files import load_document, write_atomic
from throttle.wording import plural
from throttle_models import Certificate, Policy
from throttle_models.batch import BatchResults, Best, File, Kept, Row, RunStatus

RESULTS_CSV, RESULTS_JSON = "results.csv", "results.json"
RUN_JSON = "run.json"
"""Facts of the last time, and the sign that the folder is ours."""
FILES = (RESULTS_CSV, RESULTS_JSON, RUN_JSON)
RUNS_FOLDER, PLAN, ROW, PORTFOLIO = "runs", "plan.json", "row.json", "portfolio.json"
PRICES = frozenset({"makespan", "stability"})
"""Fields of a policy that are part of the objective."""
LIMITS = frozenset({"projects_in_process", "wip", "person_wip", "rope"})
"""Fields of a policy that only limit: what a plan may do under one, it may under a larger one."""
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


# --- one run on disk -----------------------------------------------------------------------------------------------


def key_of(run: Run, batch: Batch, portfolio: str) -> str:
    """SHA-256 of all that a run's plan depends on (of the portfolio with its variant, its hash).

    Runs with the same key need not be repeated.
    """
    parts = (run.portfolio, run.variant, portfolio, run.seed, batch.budget, batch.workers)
    return sha256(json.dumps((*parts, batch.deterministic, __version__)).encode()).hexdigest()


def folder_of(run: Run, key: str) -> Path:
    """Where a run's files are, relative to the folder of the batch; a name that people can read."""
    return Path(RUNS_FOLDER) / f"{_name_of(run)}-{key[:12]}"


def _name_of(run: Run) -> str:
    return _ODD.sub("-", f"{Path(run.portfolio).stem}-{run.variant}-{run.seed}")[:80].strip("-.")


def begun_before(out: Path, run: Run) -> bool:
    """Whether there is a plan for a run of that name, of this or another content; a guess, without reading anything."""
    return any((out / RUNS_FOLDER).glob(f"{_name_of(run)}-{'[0-9a-f]' * 12}/{ROW}"))


def finished(out: Path, run: Run, key: str) -> tuple[Row | None, str]:
    """The row of a run that has a plan from an earlier time; or None, and where there was one, why it is no good."""
    folder = out / folder_of(run, key)
    if not (folder / ROW).exists():  # never begun, or not ended
        return None, ""
    again = "made again, since its {} of an earlier time was changed or cut off"
    try:
        kept = load_document(folder / ROW, Kept)
    except InputError:
        return None, again.format(ROW)
    if kept.row.key != key or PLAN not in kept.files:
        return None, again.format(ROW)
    for name, file in kept.files.items():
        if Path(name).name != name or not _is(folder / name, file):
            return None, again.format(name)
    return kept.row, ""


def _is(path: Path, file: File) -> bool:
    """Whether a file is still what it was."""
    try:
        if path.stat().st_size != file.bytes:
            return False
        with path.open("rb") as opened:
            return file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def store(out: Path, run: Run, key: str, outcome: Outcome) -> Row:
    """Keep the plan of a run, and its row last, since that says that all is there. Raises InputError.

    A row from before goes first: it is of other files.
    """
    if outcome.certificate is None:
        return failed(run, outcome.message, key, outcome.seconds)
    folder = folder_of(run, key)
    row = _row(run, key, outcome.certificate, outcome.seconds, (folder / PLAN).as_posix())
    make_folder(out / folder)
    remove(out / folder / ROW)
    remove_torn(out / folder)
    texts = {PLAN: unpack(outcome.plan)} | ({PORTFOLIO: unpack(outcome.portfolio)} if outcome.portfolio else {})
    for name, text in texts.items():
        write_atomic(out / folder / name, text)
    files = {name: File(bytes=len(text), sha256=sha256(text).hexdigest()) for name, text in texts.items()}
    kept = Kept(row=row, files=files)
    write_atomic(out / folder / ROW, render_json(kept.model_dump(mode="json"), 1) + "\n")
    return row


def make_folder(path: Path) -> None:
    """Make a folder if there is none. Raises InputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        message = f"{path} cannot be made: {problem.strerror}"
        raise InputError([error_at("unwritable", message, path)]) from None


def remove(path: Path) -> None:
    """Remove a file, if there is one. Raises InputError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        raise InputError([error_at("unwritable", f"{path} cannot be removed: {problem.strerror}", path)]) from None


def remove_torn(folder: Path) -> None:
    """Remove what a process that was killed had begun to write into a folder of ours."""
    for name in (*FILES, PLAN, ROW, PORTFOLIO):
        for torn in folder.glob(f".{name}.*"):
            with suppress(OSError):
                torn.unlink()


def failed(run: Run, message: str, key: str | None = None, seconds: float | None = None) -> Row:
    return Row(
        portfolio=run.portfolio,
        variant=run.variant,
        seed=run.seed,
        status=RunStatus.FAILED,
        seconds=None if seconds is None else round(seconds, 3),
        message=message,
        key=key,
    )


def not_run(run: Run) -> Row:
    message = "not done; the same command goes on with it"
    return Row(portfolio=run.portfolio, variant=run.variant, seed=run.seed, status=RunStatus.NOT_RUN, message=message)


def _row(run: Run, key: str, seal: Certificate, seconds: float, plan: str) -> Row:
    return Row(
        portfolio=run.portfolio,
        variant=run.variant,
        seed=run.seed,
        status=RunStatus(seal.status),
        objective=seal.objective.value,
        bound=seal.objective.bound,
        gap=seal.objective.gap,
        first_come=seal.objective.first_come,
        greedy=seal.objective.greedy,
        flow=seal.flow.value,
        flow_bound=seal.flow.bound,
        flow_gap=seal.flow.gap,
        items=seal.items,
        scheduled=seal.scheduled,
        checked=seal.checked,
        seconds=round(seconds, 3),
        plan=plan,
        key=key,
    )


# --- the whole batch -----------------------------------------------------------------------------------------------


def summarise(
    rows: Iterable[Row], patches: Mapping[str, Policy], policies: Mapping[tuple[str, str], Policy] | None = None
) -> BatchResults:
    """All rows, with the best variant of each portfolio marked.

    ``patches`` by variant; ``policies`` that came of them, by portfolio and variant, as far as they are known.
    """
    by_portfolio: dict[str, dict[str, list[Row]]] = {}
    rows = tuple(rows)
    for row in rows:
        by_portfolio.setdefault(row.portfolio, {}).setdefault(row.variant, []).append(row)
    priced = any(PRICES & patch.model_fields_set for patch in patches.values())
    best = {}
    for name, variants in by_portfolio.items():
        known = {v: p for v in variants if (p := (policies or {}).get((name, v)))}
        if found := _best(variants, known, priced):
            best[name] = found
    winners = {(name, variant) for name, found in best.items() for variant in (found.variant, *found.equal)}
    marked = tuple(row.model_copy(update={"best": (row.portfolio, row.variant) in winners}) for row in rows)
    return BatchResults(rows=marked, best=best)


def _best(variants: Mapping[str, Sequence[Row]], policies: Mapping[str, Policy], priced: bool) -> Best | None:
    """The least standing; of equals, the one written first. None before all runs ended, or where none has a plan."""
    if any(row.status is RunStatus.NOT_RUN for rows in variants.values() for row in rows):
        return None
    goal = "flow" if priced else "objective"
    own = variants
    variants, counted = _with_plans_of_tighter(variants, policies)
    rank = {name: standing for name, rows in variants.items() if (standing := _standing(rows, priced))}
    if not rank:
        return None
    first, *others = sorted(rank, key=lambda name: rank[name])  # stable
    decided = "least flow, since variants change prices in the objective" if priced else "least objective, then flow"
    seeds = max(map(len, variants.values()))
    decided = f"mean of {plural(seeds, 'seed')}: {decided}" if seeds > 1 else decided
    if len({standing[:2] for standing in rank.values()}) > 1 or len(rank) < len(variants):
        decided = f"most runs with a plan, then most items planned, then {decided}"
    values = {name: [getattr(row, goal) for row in variants[name] if row.plan is not None] for name in rank}
    mean = _mean(values[first])
    if not others:
        return Best(variant=first, decided=decided, mean=mean, counted=counted)
    second = others[0]
    if rank[first][:2] != rank[second][:2]:
        return Best(variant=first, decided=decided, mean=mean, next=second, counted=counted)
    margin = float(f"{_mean(values[second]) - mean:.10g}")
    spread = max(max(values[name]) - min(values[name]) for name in (first, second))
    gap = None if priced else _gap(variants[first], own[second])
    return Best(
        variant=first,
        decided=decided,
        mean=mean,
        next=second,
        margin=margin,
        spread=spread,
        equal=tuple(name for name in others if rank[name] == rank[first]),
        doubt=_doubt(second, margin, spread, len(values[first]), gap) if margin else "",
        counted=counted,
    )


def _gap(first: Sequence[Row], second: Sequence[Row]) -> float | None:
    """How far the proven bound of the second is below its best plan; 0 where it proves that the first is better.

    None where nothing is known. The second with its own runs only: what bounds tighter limits does not bound these.
    """
    least = min(row.objective for row in first if row.objective is not None)
    found = min(row.objective for row in second if row.objective is not None)
    bound = max((row.bound for row in second if row.bound is not None), default=None)
    if bound is None:
        return None
    return 0.0 if bound > least else (found - bound) / abs(found) if found else None


def _doubt(second: str, margin: float, spread: float, seeds: int, gap: float | None) -> str:
    """Why the second may truly be as good as the first; nothing where it is proven not to be."""
    if gap == 0:
        return ""
    of = "" if gap is None else f" (gap {gap * 100:.0f} %)"
    found = f"the difference is not proven: the search for {second} may have fallen short{of}"
    if seeds == 1:
        return f"{found}, and one seed says little: take several before you believe the difference"
    if spread > margin:
        return f"{found}, and seeds of one variant differ by more than that, so do not believe the difference"
    return found


def _with_plans_of_tighter(
    variants: Mapping[str, Sequence[Row]], policies: Mapping[str, Policy]
) -> tuple[dict[str, Sequence[Row]], dict[str, tuple[str, ...]]]:
    """The rows that count for each variant, and for which ones plans of which others do.

    A plan that obeys tighter limits obeys looser ones too. So where the search with the looser ones found less with the
    same seed, the plan of the tighter variant counts, and no limit looks better than none.
    """
    counted: dict[str, Sequence[Row]] = {}
    taken: dict[str, tuple[str, ...]] = {}
    for name, rows in variants.items():
        tighter = [other for other in policies if name in policies and _only_lifts(policies[name], policies[other])]
        by_seed: dict[int, list[Row]] = {}
        for other in tighter:
            for row in variants[other]:
                by_seed.setdefault(row.seed, []).append(row)
        counted[name] = [_least([row, *by_seed.get(row.seed, ())]) for row in rows]
        found = {row.variant for row in counted[name]} - {name}
        if found:
            taken[name] = tuple(other for other in variants if other in found)
    return counted, taken


def _least(rows: Sequence[Row]) -> Row:
    """The first of the rows, unless it has a plan and a later one has a better one of as many items."""
    best = rows[0]
    for row in rows[1:]:
        if best.plan is None or row.plan is None or row.scheduled != best.scheduled:
            continue
        if not isclose(row.objective or 0.0, best.objective or 0.0, rel_tol=1e-9):
            best = row if (row.objective or 0.0) < (best.objective or 0.0) else best
        elif (row.flow or 0.0) < (best.flow or 0.0):
            best = row
    return best


def _only_lifts(looser: Policy, tighter: Policy) -> bool:
    """Whether policies differ in limits alone, and no limit of the first is tighter."""
    if looser == tighter or looser.model_copy(update={f: getattr(tighter, f) for f in LIMITS}) != tighter:
        return False
    pairs: list[tuple[Any, Any]] = [(getattr(looser, f), getattr(tighter, f)) for f in sorted(LIMITS - {"wip"})]
    pairs += [(most, tighter.wip.get(kind)) for kind, most in looser.wip.items()]
    return all(wide is None or (narrow is not None and narrow <= wide) for wide, narrow in pairs)


def _standing(rows: Sequence[Row], priced: bool) -> tuple[float, ...] | None:
    """What is compared, the less the better; None without a plan."""
    planned = [row for row in rows if row.plan is not None]
    if not planned:
        return None
    objective, flow = (_mean(getattr(row, goal) for row in planned) for goal in ("objective", "flow"))
    first = -float(len(planned)), -_mean(row.scheduled for row in planned)
    return (*first, flow) if priced else (*first, objective, flow)


def _mean(values: Iterable[float | None]) -> float:
    """To ten digits, so that the order of adding makes no difference."""
    return float(f"{fmean(v for v in values if v is not None):.10g}")


def write_results(out: Path, results: BatchResults) -> None:
    """Write ``results.json`` and ``results.csv``. Raises InputError where they cannot be written."""
    write_atomic(out / RESULTS_JSON, render_json(results.model_dump(mode="json"), 2) + "\n")
    write_atomic(out / RESULTS_CSV, to_csv(results.rows))


def host() -> dict[str, Any]:
    """What ran it, without the name of the computer."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }


def write_facts(out: Path, facts: Mapping[str, Any]) -> None:
    """Write ``run.json``. Raises InputError where it cannot be written."""
    write_atomic(out / RUN_JSON, json.dumps({"throttle": __version__, "kind": "run", **facts}, indent=1) + "\n")


def to_csv(rows: Iterable[Row]) -> str:
    """One line for each run, under the names of :class:`Row`; what is unknown is empty."""
    text = StringIO()
    table = csv.writer(text)
    table.writerow(Row.model_fields)
    for row in rows:
        values = row.model_dump(mode="json").values()
        table.writerow("" if v is None else safe(v) if isinstance(v, str) else v for v in values)
    return text.getvalue()
