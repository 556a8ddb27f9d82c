"""Work for each occurrence that is used: fewer and fuller ones where that is cheaper, none for those not used."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from support.cases import Data, by, compiled, hour, needing, plan_of, portfolio
from throttle.check import check
from throttle.errors import InputError, NoPlanError
from throttle_models import Plan, Portfolio

PEOPLE: Data = {"wes": {"skills": ["deploys"]}, "mei": {"skills": ["linux"]}, "ann": {"skills": ["linux"]}}


def change(**fields: Any) -> Data:
    return needing("linux", "2h", type="change", change={"window": "night", "risk": 2}, **fields)


def nights(work: Data, people: Data | None = None, **window: Any) -> Portfolio:
    """A window each night from 22 to 4 o'clock, whose use takes three hours of deploys."""
    windows = {"night": {"every": "daily 22:00-04:00", "overhead": {"deploys": "3h"}, **window}}
    return portfolio(work, people or PEOPLE, windows=windows)


def overheads(plan: Plan) -> list[str]:
    return sorted(id for id, told in plan.inserted.items() if told.kind == "overhead")


def used(plan: Plan) -> set[date]:
    return {i.window[0].date() for id, i in plan.items.items() if i.window and id not in plan.inserted}


def stream(rate: str) -> Data:
    """Three changes, ready one day after the other, beside a project that needs the same person without a break."""
    changes = {f"C{i}": change(not_before=f"{i}d", cost_of_delay=rate) for i in range(3)}
    return changes | {"P": by("wes", "70h", cost_of_delay="9000/week")}


def test_each_day_that_is_used_has_its_overhead_in_an_occurrence_of_it() -> None:
    plan = plan_of(nights({f"C{i}": change(not_before=f"{2 * i}d", cost_of_delay="500/day") for i in range(3)}))
    assert used(plan) == {date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 27)}
    assert overheads(plan) == [f"night@2026-11-{day}~overhead" for day in (23, 25, 27)]
    for id in overheads(plan):
        item = plan.items[id]
        assert item.window is not None
        assert item.window[0] <= item.start < item.finish <= item.window[1]
        assert [a.person for a in item.assignments] == ["wes"]
    assert plan.portfolio is not None
    assert not plan.portfolio.policy.pins
    assert not plan.portfolio.windows["night"].closed


def test_occurrences_are_closed_where_the_work_for_them_costs_more_than_waiting() -> None:
    cheap, dear = plan_of(nights(stream("10/week"))), plan_of(nights(stream("99999/week")))
    assert len(used(cheap)) == 1
    assert (hour(cheap, cheap.items["P"].start), hour(cheap, cheap.items["P"].finish)) == (0, 70)
    assert len(used(dear)) == 3
    for plan in (cheap, dear):
        assert len(overheads(plan)) == len(used(plan))
        assert plan.certificate.objective.bound <= plan.certificate.objective.value


def test_a_window_without_changes_takes_no_work() -> None:
    plan = plan_of(nights({"P": by("wes", "4h")}))
    assert not plan.inserted
    assert hour(plan, plan.items["P"].finish) == 4


def test_overhead_does_not_count_among_changes_and_risk() -> None:
    plan = plan_of(nights({f"C{i}": change() for i in range(2)}, changes=2, risk=4))
    assert len(used(plan)) == 1


def test_nobody_for_the_overhead_is_an_error_and_no_time_for_it_too() -> None:
    with pytest.raises(InputError, match="nobody holds deploys"):
        plan_of(nights({"C": change()}, {"mei": {"skills": ["linux"]}}))
    office = {"calendars": {"always": {"hours": "daily 00:00-24:00"}, "office": {"hours": "Mon-Fri 09:00-17:00"}}}
    people = {"wes": {"skills": ["deploys"], "calendar": "office"}, "mei": {"skills": ["linux"]}}
    made_from = nights({"C": change()}, people)
    with pytest.raises(NoPlanError, match="room for the changes and people for the overhead"):
        plan_of(made_from.model_copy(update={"calendars": portfolio({}, **office).calendars}))


def test_without_overhead_nothing_is_inserted_and_the_instance_is_the_same() -> None:
    work = {f"C{i}": change() for i in range(3)}
    one = compiled(nights(work, overhead={}))
    two = compiled(nights(work))  # openings are chosen before compile
    assert all((a == b).all() for a, b in zip(one.instance.arrays, two.instance.arrays, strict=True))


@pytest.mark.parametrize(
    ("change_of", "kind"),
    [
        (lambda p: p["items"].pop("night@2026-11-23~overhead"), "window-overhead"),
        (lambda p: p["inserted"].pop("night@2026-11-23~overhead"), "missing-inserted"),
        (
            lambda p: p["inserted"]["night@2026-11-23~overhead"]["item"]["needs"][0].update(effort="1h"),
            "wrong-inserted",
        ),
        (
            lambda p: p["inserted"].update({"night@2026-11-30~overhead": next(iter(p["inserted"].values()))}),
            "unknown-inserted",
        ),
    ],
)
def test_missing_overhead_is_caught(change_of: Any, kind: str) -> None:
    plan = plan_of(nights({"C": change()}))
    data = json.loads(plan.model_dump_json())
    change_of(data)
    assert kind in {v.kind for v in check(Plan.model_validate(data)).violations}
    assert check(plan).ok


def test_the_same_input_gives_the_same_plan() -> None:
    one, two = (plan_of(nights(stream("300/week"))) for _ in range(2))
    assert one.model_dump_json() == two.model_dump_json()
