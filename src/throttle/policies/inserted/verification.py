"""Those who stay until a change has proved itself (docs/plan.md, Work): ``verify`` as a part of the item's needs."""

from __future__ import annotations

from datetime import timedelta

from throttle.graph import HISTORY, time_of
from throttle.policies.inserted.draft import Insertions
from throttle_models import Need

IMPLEMENTER = "implementer"
NONE = timedelta(0)


def insert(draft: Insertions) -> None:
    """Lengthen the needs of each item with ``verify``, and add its verifier."""
    portfolio = draft.portfolio
    if not any(item.verify for item in portfolio.work.values()):
        return
    parents = {item.parent for item in portfolio.work.values()}
    for id in portfolio.work:
        item = draft.item(id)
        if item.verify is None or item.status in HISTORY:
            continue
        at, by = f"work.{id}.verify", item.verify.by
        if item.wait is not None or (id in parents and not item.needs):
            what = "waits" if item.wait is not None else "contains others"
            draft.error("verify-nobody", f"{at}: {id} {what} and nobody works on it; give it to an item with needs", id)
        elif not item.needs and by == IMPLEMENTER:
            draft.error(
                "verify-nobody", f"{at}: {id} has no needs, so nobody to stay; name a skill in by: or add needs", id
            )
        else:
            times = [time_of(item, need) for need in item.needs]
            some = any(time > NONE for time in times)
            # those who have nothing left to do are gone, unless nothing but verifying is left
            needs = [
                need.model_copy(update={"remaining": NONE if some and time == NONE else None})
                for need, time in zip(item.needs, times, strict=True)
            ]
            if by != IMPLEMENTER:
                needs.append(Need(skill=by))
            draft.change(id, needs=tuple(needs), duration=max(times, default=NONE) + item.verify.for_)
