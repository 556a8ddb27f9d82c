from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def verify(
    plan: o.PlanFile,
    portfolio: Annotated[
        Path | None, typer.Argument(metavar="[PORTFOLIO]", help="Its portfolio, where the plan does not carry it.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option("--previous", metavar="PLAN", help="Of a replan: the plan that it started from.")
    ] = None,
    json: o.Json = False,
) -> None:
    """Check a plan against every rule, knowing nothing of how it was made. Ends with 5 if it breaks one."""
    from throttle.check import check
    from throttle.cli import reading, screen
    from throttle.errors import VerificationError

    made = reading.read_plan(plan)
    made_from = reading.read([portfolio], reading.ReadHow())[0] if portfolio else None
    verdict = check(made, made_from, reading.read_plan(previous) if previous else None)
    if json:
        screen.emit_json(verdict.model_dump_json(indent=2))
    elif verdict.ok:
        from throttle.terminal import clean

        screen.out().print(
            clean(
                f"Verified: {verdict.items} items, no violation; objective {verdict.objective:,.2f}, "
                f"flow {verdict.flow:,.2f}."
            ),
            soft_wrap=True,
        )
    else:
        from throttle.terminal import show_violations

        show_violations(screen.out(), verdict)
    if not verdict.ok:
        screen.say(f"error: the plan breaks a rule {len(verdict.violations)} times.", screen.STYLES["error"])
        raise typer.Exit(VerificationError.exit_code)
