"""The group of all commands: those contributed by installed packages are found only when asked for, and every way in
which a command can fail becomes a sentence and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from throttle.cli import screen

GROUP = "throttle.commands"
"""Each entry point of this group names a :class:`typer.Typer`, in a module that imports quickly (for ``--help``)."""
INTERNAL_ERROR, INTERRUPTED = 1, 6


@cache
def contributed() -> dict[str, metadata.EntryPoint]:
    """The commands of installed packages, by name."""
    return {point.name: point for point in sorted(metadata.entry_points(group=GROUP), key=lambda p: p.name)}


def debugging() -> bool:
    """Whether errors show their traceback."""
    return os.environ.get("THROTTLE_DEBUG", "") not in ("", "0")


class Commands(TyperGroup):
    """Built-in commands first, then those of the entry-point group."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        return [*self.commands, *(name for name in contributed() if name not in self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        point = contributed().get(cmd_name)
        return _load(point) if point else None

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                screen.flush()
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise  # ends of a command and usage errors, which typer prints
        except KeyboardInterrupt:
            screen.say("Interrupted.")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as problem:
            raise typer.Exit(_explain(problem)) from None


def _load(point: metadata.EntryPoint) -> Any:
    try:
        command = typer.main.get_command(point.load())
    except Exception as problem:
        # one broken package must not take the other commands away
        command = typer.main.get_command(_broken(point, type(problem).__name__))
    command.name = point.name
    return command


def _broken(point: metadata.EntryPoint, problem: str) -> typer.Typer:
    why = f"The command {point.name} of {point.value} cannot be loaded ({problem})."
    app = typer.Typer(add_completion=False)

    @app.command(help=why, epilog=f"Example: throttle {point.name}")
    def fail() -> None:
        screen.say(f"error: {why} Install that package again, or remove it.", screen.STYLES["error"])
        raise typer.Exit(INTERNAL_ERROR)

    return app


def _explain(problem: Exception) -> int:
    """Print what went wrong and return the exit code."""
    from throttle.errors import ThrottleError, VerificationError

    if debugging():
        traceback.print_exception(problem, file=sys.stderr)
    if isinstance(problem, ThrottleError):
        screen.show_findings(problem.findings)
        if isinstance(problem, VerificationError):
            screen.say(
                "The plan found breaks these rules, so it was not written: a defect of Throttle. Please report it."
            )
        return problem.exit_code
    frame = traceback.extract_tb(problem.__traceback__)[-1]
    place = "/".join(Path(frame.filename).parts[-2:])
    # without the message of the exception, which may quote a ticket
    screen.say(
        f"internal error: {type(problem).__name__} at {place}:{frame.lineno}. Please report it, with what this prints: "
        "throttle --debug, then the same command.",
        screen.STYLES["error"],
    )
    return INTERNAL_ERROR
