"""The options that the benchmarks share, read as the command line of the program reads its own."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable

import typer

from throttle.cli import options


def seconds(text: str) -> float:
    """``30``, ``30s``, ``2m`` or ``1h`` as seconds above 0."""
    try:
        return options.seconds(text)
    except typer.BadParameter as error:
        raise ArgumentTypeError(error.message) from None


def whole(least: int) -> Callable[[str], int]:
    """A reader of whole numbers from the least on."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is no whole number") from None
        if value < least:
            raise ArgumentTypeError(f"{value} is too small: give {least} or more")
        return value

    return read


def add_search(parser: ArgumentParser, budget: float, seed_of: str) -> None:
    """``--budget``, ``--workers``, ``--seed`` and ``--cold``. budget: seconds, where none are given."""
    told = f"time to search, such as 30, 30s or 2m ({budget:g}s)"
    parser.add_argument("--budget", type=seconds, default=budget, metavar="TIME", help=told)
    parser.add_argument("--workers", type=whole(1), default=2, help="threads to search with (2)")
    parser.add_argument("--seed", type=whole(0), default=1, help=f"{seed_of} (1)")
    parser.add_argument("--cold", action="store_true", help="no warm-up: the first seconds have the loading of kernels")
