"""What an instance has and has not: which decoders, searches and models can take it."""

from __future__ import annotations

import numpy as np

from throttle.instance import ELAPSED, FS, Instance


def simple_links(instance: Instance) -> bool:
    """Whether all links are finish to start, without lag."""
    a = instance.arrays
    return bool(((a.pred_type == FS) & (a.lag == 0) & (a.lag_kind == ELAPSED)).all())


def always_open(instance: Instance) -> bool:
    """Whether nothing but other work ever keeps people and environments from an activity once it is released.

    No calendar, window, freeze, pin, working lag, part-time share, limit on projects, on a person's items or on hours a
    week, and nothing in progress; every need of an activity takes the same time. Then an activity runs without pause
    for one fixed number of slots.
    """
    a = instance.arrays
    work = np.repeat(np.arange(instance.n), np.diff(a.need_ptr))
    least, most = np.full(instance.n, 1 << 60), np.zeros(instance.n, np.int64)
    np.minimum.at(least, work, a.work)
    np.maximum.at(most, work, a.work)
    return bool(
        (a.masks[np.unique(a.person_mask)] == 1).all()
        and (a.pin < 0).all()
        and (a.occurrence < 0).all()
        and (a.frozen < 0).all()
        and (a.place < 0).all()
        and not a.exempt.any()
        and (a.person_wip == 0).all()
        and (a.limit == 0).all()
        and not len(a.team_wip)
        and len(a.person_quota) == 0
        and (a.share == 100).all()
        and (least[most > 0] == most[most > 0]).all()
        and (a.lag_kind == ELAPSED).all()
    )


def makespan_only(instance: Instance) -> bool:
    """Whether the cost is the end of the last of all activities, times a rate."""
    a = instance.arrays
    return bool(
        (a.tardiness == 0).all()
        and (a.earliness == 0).all()
        and (a.span == 0).all()
        and (a.flow > 0).sum() == 1
        and len(np.unique(a.member[a.member_ptr[int(a.flow.argmax())] : a.member_ptr[int(a.flow.argmax()) + 1]]))
        == sum(id != "" for id in instance.activities)
    )
