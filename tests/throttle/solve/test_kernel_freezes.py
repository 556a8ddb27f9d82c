"""When a milestone touches a freeze: the kernel and both checkers agree (docs/plan.md, Order)."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from support.cases import MONDAY, by, compiled, plan_of, portfolio
from throttle.check import check
from throttle.check.fast import check_schedule
from throttle.solve.decoder import Decoder


@pytest.mark.parametrize("to", [2, 2.5, 5])
@pytest.mark.parametrize("from_", [-2, 1, 1.5])
def test_all_agree_on_a_milestone_and_a_freeze(from_: float, to: float) -> None:
    """It is touched where it lies strictly within; so at the moments themselves it is not."""

    def moment(hours: float) -> str:
        return (MONDAY + timedelta(hours=hours)).isoformat()

    allowed = []
    for at in range(8):
        work = {"M": {"needs": [], "not_before": moment(at), "change": {}}, "A": by("p1", "9h")}
        made_from = portfolio(work, freezes=[{"from": moment(from_), "to": moment(to)}])
        c = compiled(made_from)
        m = c.instance.activities.index("M")
        starts = []
        for compiled_ in (False, True):
            schedule = Decoder(c.instance, compiled_).decode(np.zeros(2)).schedule
            assert schedule is not None
            starts.append(int(schedule.start[m]))
            assert not list(check_schedule(c.instance, schedule))
        assert starts[0] == starts[1]
        allowed.append(starts[0] == at)
        schedule.start[m] = schedule.end[m] = at
        told = {b.kind for b in check_schedule(c.instance, schedule)}
        assert ("freeze" in told) == (not allowed[-1]), at
        plan = plan_of(made_from)
        there = MONDAY + timedelta(hours=at)
        moved = plan.items["M"].model_copy(update={"start": there, "finish": there})
        verdict = check(plan.model_copy(update={"items": {**plan.items, "M": moved}}), made_from)
        assert ("freeze" in {v.kind for v in verdict.violations}) == (not allowed[-1]), at
    assert allowed == [not from_ < at < to for at in range(8)]
