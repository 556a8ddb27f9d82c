from __future__ import annotations

from typing import Annotated, Literal

import typer


def schema(
    of: Annotated[
        Literal["portfolio", "plan", "policy", "scenarios", "menu"],
        typer.Argument(metavar="NAME", help="portfolio, plan, policy, scenarios or menu."),
    ],
) -> None:
    """Print the JSON Schema of a file format."""
    from throttle.cli import screen
    from throttle_models import Model, Plan, Policy, Portfolio
    from throttle_models.elevate import Menu
    from throttle_models.scenario import Scenarios

    roots: dict[str, type[Model]] = {"portfolio": Portfolio, "plan": Plan, "policy": Policy}
    roots |= {"scenarios": Scenarios, "menu": Menu}
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **roots[of].model_json_schema(by_alias=True)}
    screen.emit_json(document)
