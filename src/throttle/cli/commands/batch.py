from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models.batch import BatchResults

FIRST = "Stopping; finished runs are kept (once more: end now)."
SECOND = "Interrupted twice: ended at once; finished runs are kept, and the same command goes on with the others."


def batch(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="What to run: a RUNS.yaml, or a folder of portfolios.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the plans and the table of results go.")
    ] = Path("out/batch"),
    engine: Annotated[
        str | None, typer.Option("--engine", metavar="URL", help="dask://host:port: the workers of that cluster.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, max=256, help="Runs at once (default: processors / workers).")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Repeat runs that have a plan from an earlier time.")] = False,
    budget: Annotated[
        float | None,
        typer.Option("--budget", metavar="TIME", parser=o.seconds, help="Time to search for each plan: 30, 30s, 2m."),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option("--seed", min=0, max=o.LARGEST_SEED, help="Seed of every random choice; several: give it again."),
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Threads of each run.")] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="The same plans each time: a fixed amount of work for each run.")
    ] = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Make many plans at once, portfolios x variants of their policy x seeds, and a table of what came of each."""
    from throttle.batch import FILES, RESULTS_CSV, RESULTS_JSON, read_batch, run_batch
    from throttle.cli import output, reading, screen
    from throttle.cli.batch import describe_end, progress_lines, tables
    from throttle.cli.interrupts import INTERRUPTED_WITH_PLAN, interrupts

    output.check_folder(out, FILES, output.BATCHES)
    reading.need_files([runs])
    seeds = tuple(dict.fromkeys(seed)) if seed else None
    todo = read_batch(runs, seeds=seeds, budget=budget, workers=workers, deterministic=deterministic or None)
    if not quiet:
        for sentence in todo.skipped:
            screen.say(f"Skipped: {sentence}", screen.STYLES["warning"])
    with interrupts(FIRST, SECOND) as user:
        with progress_lines(quiet, (run.portfolio for run in todo.runs)) as report:

            def work(stop: threading.Event) -> BatchResults:
                return run_batch(
                    todo, out, engine=engine, jobs=jobs, again=again, report=report, tell=report.tell, stop=stop
                )

            results = user.work(work)
        user.kept()
        text, style, code = describe_end(results)
        try:
            if json:
                screen.emit_json((out / RESULTS_JSON).read_text(encoding="utf-8"))
            else:
                console = screen.out()
                for part in tables(results, console.width):
                    console.print(part)
        except KeyboardInterrupt:  # only of the table
            code = code or INTERRUPTED_WITH_PLAN
        finally:  # also where it cannot be printed
            if code or not quiet:
                screen.say(f"{text}. Written: {out / RESULTS_CSV}, {out / RESULTS_JSON}", style)
    if code:
        raise typer.Exit(code)
