"""The command line: :func:`main`, and :data:`COMMANDS`, the table of what it can do."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Annotated

import typer

from throttle import __version__
from throttle.cli import screen
from throttle.cli.commands.batch import batch
from throttle.cli.commands.bottleneck import bottleneck
from throttle.cli.commands.changes import changes
from throttle.cli.commands.check import check
from throttle.cli.commands.compare import compare
from throttle.cli.commands.curve import curve
from throttle.cli.commands.demo import demo
from throttle.cli.commands.elevate import elevate
from throttle.cli.commands.export import export
from throttle.cli.commands.feedback import feedback
from throttle.cli.commands.fever import fever
from throttle.cli.commands.forecast import forecast
from throttle.cli.commands.ingest import ingest
from throttle.cli.commands.learn import learn
from throttle.cli.commands.map import map_
from throttle.cli.commands.plan import plan
from throttle.cli.commands.price import price
from throttle.cli.commands.reliance import reliance
from throttle.cli.commands.replan import replan
from throttle.cli.commands.report import report
from throttle.cli.commands.schema import schema
from throttle.cli.commands.verify import verify
from throttle.cli.commands.what_if import what_if
from throttle.cli.commands.why import why
from throttle.cli.group import INTERRUPTED, Commands

COMMANDS = (  # name, function, examples; in the order of --help
    ("demo", demo, ["throttle demo --out out/demo"]),
    ("map", map_, ["throttle map jira.csv -o map.yaml"]),
    ("ingest", ingest, ["throttle ingest jira.csv --map map.yaml -o portfolio.yaml"]),
    ("learn", learn, ["throttle learn jira.csv incidents.json -o learned.yaml"]),
    ("check", check, ["throttle check portfolio.yaml"]),
    ("plan", plan, ["throttle plan jira.csv --team team.yaml", "throttle plan portfolio.yaml --budget 30s"]),
    ("verify", verify, ["throttle verify out/plan/plan.json"]),
    ("replan", replan, ["throttle replan out/plan/plan.json newer.csv --team team.yaml"]),
    ("compare", compare, ["throttle compare out/plan/plan.json out/newer/plan.json"]),
    ("fever", fever, ["throttle fever out/newer/plan.json out/plan/plan.json"]),
    ("why", why, ["throttle why PHX-9 out/plan/plan.json"]),
    ("price", price, ["throttle price out/plan/plan.json --first phoenix"]),
    ("bottleneck", bottleneck, ["throttle bottleneck out/plan/plan.json", "throttle bottleneck portfolio.yaml"]),
    ("changes", changes, ["throttle changes out/plan/plan.json", "throttle changes portfolio.yaml --each 500"]),
    ("forecast", forecast, ["throttle forecast out/plan/plan.json", "throttle forecast portfolio.yaml --runs 200"]),
    ("curve", curve, ["throttle curve out/plan/plan.json --html out/curve.html"]),
    ("elevate", elevate, ["throttle elevate out/plan/plan.json", "throttle elevate portfolio.yaml --menu menu.yaml"]),
    ("reliance", reliance, ["throttle reliance out/plan/plan.json", "throttle reliance portfolio.yaml --person brent"]),
    ("report", report, ["throttle report out/plan/plan.json --with out/forecast.json --with out/curve.json"]),
    ("what-if", what_if, ["throttle what-if portfolio.yaml scenarios.yaml --html out/what-if.html"]),
    ("feedback", feedback, ["throttle feedback portfolio.yaml out/week1/plan.json out/week2/plan.json"]),
    ("batch", batch, ["throttle batch runs.yaml -o out/batch"]),
    ("export", export, ["throttle export out/plan/plan.json --format ics -o plan.ics"]),
    ("schema", schema, ["throttle schema plan"]),
)

SIGNALLED = 130
"""What typer ends with at an interrupt."""

app = typer.Typer(
    name="throttle",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _function, _examples in COMMANDS:
    app.command(_name, epilog="\n\n".join(f"Example: {e}" for e in _examples))(_function)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"throttle {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with: throttle demo")
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks (also: THROTTLE_DEBUG=1).")] = False,
    version: Annotated[  # noqa: ARG001 - done by its callback
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Decide what work to let in, and when: a verified schedule that protects the bottleneck.

    Ends with 0 done, 1 internal error, 2 bad input or output, 3 no feasible plan, 4 interrupted with a plan,
    5 verification failed, 6 interrupted without a plan, 7 some runs of a batch failed. Data goes to standard output,
    messages to standard error.
    """
    if debug:
        os.environ["THROTTLE_DEBUG"] = "1"


def main() -> None:
    """Run the command line and end the process."""
    screen.open_streams()
    gc.set_threshold(100_000, 20, 100)  # what is read stays: searching it for garbage took a third of the time
    try:
        app()
    except KeyboardInterrupt:  # before a command began
        sys.exit(INTERRUPTED)
    except SystemExit as ended:
        if ended.code != SIGNALLED:
            raise
        screen.say("Interrupted.")  # while the arguments were read
        sys.exit(INTERRUPTED)
    except OSError as problem:  # of help and version, which typer prints
        screen.drop(sys.stdout)
        failure = screen.cannot_print(problem)
        screen.show_findings(failure.findings)
        sys.exit(failure.exit_code)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done, and what is left to end takes a moment
