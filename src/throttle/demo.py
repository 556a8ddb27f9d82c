"""Where the example organisation is: in the installed package, or beside the source."""

from __future__ import annotations

from pathlib import Path

from throttle.errors import InputError
from throttle_models import Finding


def demo_folder() -> Path:
    """The portfolio folder of the example organisation. Raises InputError where the installation lacks it."""
    here = Path(__file__).resolve().parent
    places = (here / "demo_data", here.parents[1] / "datasets" / "parts-unlimited" / "native")
    for place in places:
        if place.is_dir():
            return place
    raise InputError(
        [
            Finding(
                level="error",
                code="no-demo-data",
                message="The example organisation is not in this installation; install the throttle-scheduler wheel, "
                "or run from a checkout of the source.",
            )
        ]
    )
