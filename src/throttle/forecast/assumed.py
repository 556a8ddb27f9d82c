"""What a forecast rests on, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from throttle.simulate import Model
from throttle.wording import plural
from throttle_models import Portfolio, WorkItem

STARTS = {
    "gained": "an item starts earlier than planned only as the next one of all of its people",
    "planned": "nothing starts earlier than planned",
    "free": "everything starts as soon as it can, in the order of the plan",
}


def assumptions(portfolio: Portfolio, work: Mapping[str, WorkItem], model: Model) -> Iterator[str]:
    """Each with what to write to replace it."""
    said = portfolio.simulation
    yield f"{STARTS[model.settings.start]}; those planned do the work" + (
        ", or others who are able and free where they are late" if model.settings.crews == "able" else ""
    )
    ids = [id for id in model.items if id]
    single = [id for id in ids if any(_single(work[id], q) for q in range(len(work[id].needs)))]
    take = "takes" if len(single) == 1 else "take"
    of = f"{plural(len(single), 'item')} of {len(ids)} without a range {take}"
    if single and said.spread is not None and (said.spread.short < 1 or said.spread.long > 1):
        low, high = said.spread.short, said.spread.long
        yield f"{of} {low:g} to {high:g} times the estimate (10 % and 90 %): simulation.spread"
    elif single:
        yield f"{of} as long as estimated: simulation.spread"
    if len(model.skills) and float(model.arrays.rates[:, 0].sum()) > 0:
        whence = "as reserves expect it" if said.unplanned == "reserve" else "as simulation.unplanned says"
        yield f"unplanned work comes {whence}, and " + (
            "interrupts planned work" if said.interrupts else "comes next when somebody is free"
        )
    else:
        yield "no unplanned work comes: simulation.unplanned"
    for chance, text in (
        (said.absences.per_year, "nobody is absent but on days known: simulation.absences"),
        (float(np.max(model.arrays.chance[:, 0], initial=0.0)), "no test fails: simulation.tests"),
        (
            float(np.max(model.arrays.chance[:, 1], initial=0.0)),
            "no change fails but by overrunning its window: simulation.changes",
        ),
        (said.switching, "switching between items costs nothing: simulation.switching"),
    ):
        if not chance:
            yield text


def _single(item: WorkItem, q: int) -> bool:
    need = item.needs[q]
    if item.duration is not None:
        return False
    return need.remaining is not None or (need.effort is not None and need.effort.low == need.effort.high)
