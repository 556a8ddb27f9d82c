"""Commands that this package contributes to ``throttle``, through the entry-point group ``throttle.commands``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import socket

HOST = "127.0.0.1"

serve = typer.Typer(add_completion=False, rich_markup_mode="rich")


@serve.command("serve", epilog="Example: throttle serve out/plan/plan.json --port 8000")
def _serve(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.json.")],
    portfolio: Annotated[
        Path | None,
        typer.Option("--portfolio", metavar="FILE", help="Its portfolio, where the plan does not carry it."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 8000,
) -> None:
    """Serve a plan, read-only and to this computer only: as JSON, week by week, and as its report."""
    import uvicorn

    from throttle.cli import screen
    from throttle_api.app import create_app

    app = create_app(plan, portfolio)
    listening = _listen(port)
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    screen.say(f"Serving {address}/v1/plan/report (Ctrl-C to end)")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # the way to end it; requests in flight are done
    finally:
        listening.close()


def _listen(port: int) -> socket.socket:
    import socket

    from throttle.errors import InputError
    from throttle_models import Finding

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)  # from here on clients wait instead of being refused
    except OSError as problem:
        listening.close()
        why = (problem.strerror or type(problem).__name__).lower()
        message = f"Cannot listen on port {port}: {why}. Choose another one with --port."
        raise InputError([Finding(level="error", code="cannot-listen", message=message)]) from None
    return listening
