from __future__ import annotations

from typing import Annotated, Literal

import typer


def schema(
    of: Annotated[
        Literal["portfolio", "plan", "policy"], typer.Argument(metavar="NAME", help="portfolio, plan or policy.")
    ],
) -> None:
    """Print the JSON Schema of a file format."""
    from throttle.cli import screen
    from throttle_models import Model, Plan, Policy, Portfolio

    roots: dict[str, type[Model]] = {"portfolio": Portfolio, "plan": Plan, "policy": Policy}
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **roots[of].model_json_schema(by_alias=True)}
    screen.emit_json(document)
