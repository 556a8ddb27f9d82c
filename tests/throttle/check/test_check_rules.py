"""The checker on schedules worked out by hand: each is right, and wrong with a known kind when moved or changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.naive import Naive, Placed
from throttle.check import check
from throttle_models import Plan, Portfolio, Reason

OFFICE: dict[str, Any] = {
    "calendars": {"office": {"hours": "Mon-Fri 09:00-17:00"}},
    "people": {"ann": {"skills": ["linux"]}},
}
MONDAY: dict[str, Any] = {"as_of": "2026-11-23T09:00", "zone": "UTC", "slot": "60m"}


@dataclass(frozen=True)
class Case:
    """A portfolio and where its items lie; ``work`` gives each person's pieces, from and to, in UTC."""

    portfolio: dict[str, Any]
    schedule: dict[str, dict[str, Any]]
    left: dict[str, Reason] | None = None

    def plan(self) -> Plan:
        """The schedule as it is, with lists, weeks and figures that fit it."""
        naive = Naive(Portfolio.model_validate(self.portfolio), days=60)
        for name, told in self.schedule.items():
            work = {who: _slots(pieces, naive.size) for who, (_, pieces) in told.get("work", {}).items()}
            crew = tuple((who, need) for who, (need, _) in told.get("work", {}).items())
            window = _window(told["window"]) if "window" in told else None
            start, finish = (_slot(told[end], naive.size) for end in ("start", "finish"))
            naive.placed[name] = Placed(start, finish, crew, work, window)
        naive.left = dict(self.left or {})
        return naive.plan()


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _slot(text: str, size: int) -> int:
    assert _at(text) % size == 0
    return _at(text) // size


def _slots(pieces: list[str], size: int) -> list[int]:
    """``2026-11-23T09:00/17:00`` (to the same day) or with a whole second moment."""
    slots: list[int] = []
    for piece in pieces:
        start, _, end = piece.partition("/")
        slots += range(_slot(start, size), _slot(end if "T" in end else start[:11] + end, size))
    return slots


def _window(text: str) -> tuple[int, int]:
    start, _, end = text.partition("/")
    return _at(start), _at(end)


def one(who: str, *pieces: str, need: int = 0, window: str | None = None) -> dict[str, Any]:
    """An item that one person works on; start and finish are those of the pieces."""
    first, last = pieces[0].partition("/")[0], pieces[-1]
    end = last.partition("/")[2]
    told = {
        "start": first,
        "finish": end if "T" in end else last[:11] + end,
        "work": {who: (need, list(pieces))},
    }
    return told | ({"window": window} if window else {})


def kinds(case: Case) -> set[str]:
    return {violation.kind for violation in check(case.plan()).violations}


RIGHT: dict[str, Case] = {
    "work pauses over the night and the weekend": Case(
        MONDAY | OFFICE | {"work": {"A": {"needs": [{"skill": "linux", "effort": "44h"}]}}},
        {
            "A": one(
                "ann",
                *(f"2026-11-{day}T09:00/17:00" for day in (23, 24, 25, 26, 27)),
                "2026-11-30T09:00/13:00",
            )
        },
    ),
    "a holiday is closed": Case(
        MONDAY
        | {
            "as_of": "2026-11-25T09:00",
            "calendars": {"us": {"hours": "Mon-Fri 09:00-17:00", "holidays": "US"}},
            "people": {"ann": {"skills": ["linux"]}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "10h"}]}},
        },
        {"A": one("ann", "2026-11-25T09:00/17:00", "2026-11-27T09:00/11:00")},  # Thanksgiving is the 26th
    ),
    "a closed day opens again, and a Saturday takes Monday's hours": Case(
        MONDAY
        | {
            "as_of": "2026-11-27T09:00",
            "calendars": {
                "c": {"hours": "Mon 10:00-12:00; Tue-Fri 09:00-17:00", "closed": ["2026-11-27"], "open": ["2026-11-28"]}
            },
            "people": {"ann": {"skills": ["linux"]}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "4h"}]}},
        },
        {"A": one("ann", "2026-11-28T10:00/12:00", "2026-11-30T10:00/12:00")},
    ),
    "the night on which clocks go forward is an hour shorter": Case(
        {
            "as_of": "2026-03-07T12:00",
            "zone": "America/Chicago",
            "slot": "60m",
            "calendars": {"night": {"hours": "Sat 22:00-06:00"}},
            "people": {"ann": {"skills": ["linux"]}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "7h"}], "pausable": False}},
        },
        {"A": one("ann", "2026-03-08T04:00/11:00")},
    ),
    "the night on which they go back is an hour longer": Case(
        {
            "as_of": "2026-10-31T12:00",
            "zone": "America/Chicago",
            "slot": "60m",
            "calendars": {"night": {"hours": "Sat 22:00-06:00"}},
            "people": {"ann": {"skills": ["linux"]}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "9h"}], "pausable": False}},
        },
        {"A": one("ann", "2026-11-01T03:00/12:00")},
    ),
    "a crew in two zones works where their hours meet": Case(
        MONDAY
        | {
            "calendars": {
                "chicago": {"hours": "Mon-Fri 08:00-16:00", "zone": "America/Chicago"},  # 14:00-22:00 UTC
                "pune": {"hours": "Mon-Fri 13:30-21:30", "zone": "Asia/Kolkata"},  # 08:00-16:00 UTC
            },
            "people": {"ann": {"skills": ["linux"]}, "asha": {"skills": ["java"], "calendar": "pune"}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "3h"}, {"skill": "java", "effort": "3h"}]}},
        },
        {
            "A": {
                "start": "2026-11-23T14:00",
                "finish": "2026-11-24T15:00",
                "work": {
                    "ann": (0, ["2026-11-23T14:00/16:00", "2026-11-24T14:00/15:00"]),
                    "asha": (1, ["2026-11-23T14:00/16:00", "2026-11-24T14:00/15:00"]),
                },
            }
        },
    ),
    "those whose need is done leave first": Case(
        MONDAY
        | {
            "calendars": {"office": {"hours": "Mon-Fri 09:00-17:00"}, "late": {"hours": "Mon-Fri 15:00-19:00"}},
            "people": {"ann": {"skills": ["linux"]}, "lee": {"skills": ["java"], "calendar": "late"}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "2h"}, {"skill": "java", "effort": "4h"}]}},
        },
        {
            "A": {
                "start": "2026-11-23T15:00",
                "finish": "2026-11-23T19:00",
                "work": {"ann": (0, ["2026-11-23T15:00/17:00"]), "lee": (1, ["2026-11-23T15:00/19:00"])},
            }
        },
    ),
    "work slows down with allocation, and two halves fit into one person": Case(
        MONDAY
        | OFFICE
        | {
            "work": {
                "A": {"needs": [{"skill": "linux", "effort": "4h", "allocation": "50%"}]},
                "B": {"needs": [{"skill": "linux", "effort": "2h", "allocation": "50%"}]},
            }
        },
        {"A": one("ann", "2026-11-23T09:00/17:00"), "B": one("ann", "2026-11-23T11:00/15:00")},
    ),
    "only the productive share of a day is open": Case(
        MONDAY
        | {
            "calendars": {
                "office": {"hours": "Mon-Fri 09:00-12:00 13:00-17:00", "productive": "65%"}
            },  # 273 of 420 min: 5 slots of an hour
            "people": {"ann": {"skills": ["linux"]}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "6h"}]}},
        },
        {"A": one("ann", "2026-11-23T09:00/12:00", "2026-11-23T13:00/15:00", "2026-11-24T09:00/10:00")},
    ),
    "an environment that is closed makes work pause": Case(
        MONDAY
        | OFFICE
        | {
            "calendars": OFFICE["calendars"] | {"lab": {"hours": "daily 11:00-14:00"}},
            "environments": {"lab": {"calendar": "lab"}},
            "work": {"A": {"needs": [{"skill": "linux", "effort": "4h"}], "environment": "lab"}},
        },
        {"A": one("ann", "2026-11-23T11:00/14:00", "2026-11-24T11:00/12:00")},
    ),
    "a working lag counts the hours of whoever waits": Case(
        MONDAY
        | OFFICE
        | {
            "work": {
                "A": {"needs": [{"skill": "linux", "effort": "8h"}]},
                "B": {"needs": [{"skill": "linux", "effort": "1h"}], "after": [{"item": "A", "lag": "1d"}]},
            }
        },
        {"A": one("ann", "2026-11-23T09:00/17:00"), "B": one("ann", "2026-11-25T09:00/10:00")},
    ),
    "a negative working lag counts them backwards": Case(
        MONDAY
        | OFFICE
        | {
            "people": {"ann": {"skills": ["linux"]}, "bob": {"skills": ["qa"]}},
            "work": {
                "A": {"needs": [{"skill": "linux", "effort": "10h"}]},  # until Tuesday 11:00
                "B": {"needs": [{"skill": "qa", "effort": "8h"}], "after": [{"item": "A", "lag": "-4h"}]},
            },
        },
        {
            "A": one("ann", "2026-11-23T09:00/17:00", "2026-11-24T09:00/11:00"),
            "B": one("bob", "2026-11-23T15:00/17:00", "2026-11-24T09:00/15:00"),
        },
    ),
    "an elapsed lag counts the clock, and a wait needs nobody": Case(
        MONDAY
        | OFFICE
        | {
            "work": {
                "A": {"wait": "30h"},
                "B": {
                    "needs": [{"skill": "linux", "effort": "1h"}],
                    "after": [{"item": "A", "lag": "1h", "lag_in": "elapsed"}],
                },
            }
        },
        {
            "A": {"start": "2026-11-23T09:00", "finish": "2026-11-24T15:00"},
            "B": one("ann", "2026-11-24T16:00/17:00"),
        },
    ),
    "a finish link binds the finish": Case(
        MONDAY
        | OFFICE
        | {
            "people": {"ann": {"skills": ["linux"]}, "bob": {"skills": ["qa"]}},
            "work": {
                "A": {"needs": [{"skill": "linux", "effort": "6h"}]},
                "B": {"needs": [{"skill": "qa", "effort": "2h"}], "after": [{"item": "A", "type": "FF"}]},
            },
        },
        {"A": one("ann", "2026-11-23T09:00/15:00"), "B": one("bob", "2026-11-23T13:00/15:00")},
    ),
    "a change with its rollback lies in one occurrence across midnight": Case(
        {
            "as_of": "2026-11-28T12:00",
            "zone": "America/Chicago",
            "slot": "30m",
            "calendars": {"always": {"hours": "daily 00:00-24:00"}},
            "people": {"ann": {"skills": ["linux"]}},
            "windows": {"w": {"every": "Sat 22:00-04:00"}},  # 04:00-10:00 UTC on Sunday
            "work": {
                "A": {
                    "needs": [{"skill": "linux", "effort": "2h"}],
                    "change": {"window": "w", "rollback": "1h"},
                }
            },
        },
        {"A": one("ann", "2026-11-29T07:00/09:00", window="2026-11-29T04:00/2026-11-29T10:00")},
    ),
    "a change without a window keeps clear of a freeze": Case(
        MONDAY
        | OFFICE
        | {
            "services": {"payroll": {}},
            "freezes": [{"from": "2026-11-23", "to": "2026-11-23", "services": ["payroll"]}],
            "work": {
                "A": {"needs": [{"skill": "linux", "effort": "2h"}], "change": {"services": ["payroll"]}},
            },
        },
        {"A": one("ann", "2026-11-24T09:00/11:00")},
    ),
    "a pinned start is the first slot at which the crew can": Case(
        MONDAY
        | OFFICE
        | {
            "work": {"A": {"needs": [{"skill": "linux", "effort": "2h"}]}},
            "policy": {"pins": [{"work": "A", "start": "2026-11-24T18:00", "who": "ann"}]},
        },
        {"A": one("ann", "2026-11-25T09:00/11:00")},
    ),
    "what is in progress is not bound by not_before, nor by links to its start": Case(
        MONDAY
        | OFFICE
        | {
            "work": {
                "A": {
                    "needs": [{"skill": "linux", "effort": "8h", "remaining": "2h"}],
                    "status": "in-progress",
                    "not_before": "1w",
                    "after": ["B"],
                },
                "B": {"needs": [{"skill": "linux", "effort": "2h"}]},
            }
        },
        {"A": one("ann", "2026-11-23T09:00/11:00"), "B": one("ann", "2026-11-23T11:00/13:00")},
    ),
    "work in process may exceed the limit": Case(
        MONDAY
        | OFFICE
        | {
            "projects": {"p": {}, "q": {"in_process": True}, "r": {}},
            "work": {
                "A": {"project": "p", "status": "in-progress", "needs": [{"skill": "linux", "effort": "1h"}]},
                "B": {"project": "q", "needs": [{"skill": "linux", "effort": "1h"}]},
                "C": {"project": "r", "needs": [{"skill": "linux", "effort": "1h"}]},
            },
            "policy": {"projects_in_process": 1},
        },
        {
            "A": one("ann", "2026-11-23T09:00/10:00"),
            "B": one("ann", "2026-11-23T10:00/11:00"),
            "C": one("ann", "2026-11-23T11:00/12:00"),
        },
    ),
    "a container hands down its links, its hold and its not_before": Case(
        MONDAY
        | OFFICE
        | {
            "work": {
                "A": {"needs": [{"skill": "linux", "effort": "1h"}]},
                "BOX": {"after": ["A"], "not_before": "1d"},
                "B": {"parent": "BOX", "needs": [{"skill": "linux", "effort": "1h"}]},
                "HOLD": {"on_hold": "no money"},
                "C": {"parent": "HOLD", "needs": [{"skill": "linux", "effort": "1h"}]},
                "D": {"after": ["HOLD"], "needs": [{"skill": "linux", "effort": "1h"}]},
            }
        },
        {"A": one("ann", "2026-11-23T09:00/10:00"), "B": one("ann", "2026-11-24T09:00/10:00")},
        {"C": Reason.ON_HOLD, "D": Reason.UNSCHEDULED},
    ),
    "a need that takes no time asks for nobody": Case(
        MONDAY | OFFICE | {"work": {"A": {"needs": [{"skill": "linux", "effort": "8h", "remaining": "0"}]}}},
        {"A": {"start": "2026-11-23T09:00", "finish": "2026-11-23T09:00"}},
    ),
    "as-of is rounded up to the grid, and a relative date counts from what was written": Case(
        MONDAY | OFFICE | {"as_of": "2026-11-23T09:10", "work": {"A": {"wait": "1h", "not_before": "1h"}}},
        {"A": {"start": "2026-11-23T11:00", "finish": "2026-11-23T12:00"}},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_plan_has_no_violation(name: str) -> None:
    verdict = check(RIGHT[name].plan())
    assert [v.message for v in verdict.violations] == []
    assert verdict.ok


def moved(name: str, item: str, hours: float) -> Case:
    """The same with one item and all its work at another time."""
    case, shift = RIGHT[name], timedelta(hours=hours)

    def later(text: str, day: str = "") -> str:
        return (datetime.fromisoformat(text if "T" in text else day + text) + shift).isoformat()

    told = dict(case.schedule[item])
    told["start"], told["finish"] = later(told["start"]), later(told["finish"])
    told["work"] = {
        who: (need, ["/".join((later(a), later(b, a[:11]))) for a, _, b in (p.partition("/") for p in pieces)])
        for who, (need, pieces) in told.get("work", {}).items()
    }
    return Case(case.portfolio, case.schedule | {item: told}, case.left)


@pytest.mark.parametrize(
    ("name", "item", "hours", "kind"),
    [
        ("a holiday is closed", "A", 24, "start-closed"),
        ("a closed day opens again, and a Saturday takes Monday's hours", "A", -24, "start-closed"),
        ("the night on which clocks go forward is an hour shorter", "A", -1, "start-closed"),
        ("the night on which they go back is an hour longer", "A", 1, "wrong-work"),
        ("a crew in two zones works where their hours meet", "A", -1, "start-closed"),
        ("those whose need is done leave first", "A", 1, "wrong-work"),
        ("only the productive share of a day is open", "A", 1, "wrong-work"),
        ("an environment that is closed makes work pause", "A", -1, "start-closed"),
        ("a working lag counts the hours of whoever waits", "B", -1, "start-closed"),
        ("a working lag counts the hours of whoever waits", "B", -18, "precedence"),
        ("a negative working lag counts them backwards", "B", -1, "precedence"),
        ("an elapsed lag counts the clock, and a wait needs nobody", "B", -1, "precedence"),
        ("an elapsed lag counts the clock, and a wait needs nobody", "A", 1, "precedence"),
        ("a finish link binds the finish", "B", -1, "precedence"),
        ("a change with its rollback lies in one occurrence across midnight", "A", 0.5, "outside-window"),
        ("a change with its rollback lies in one occurrence across midnight", "A", -3.5, "outside-window"),
        ("a change without a window keeps clear of a freeze", "A", -24, "freeze"),
        ("a pinned start is the first slot at which the crew can", "A", 1, "pin-start"),
        ("a pinned start is the first slot at which the crew can", "A", -24, "pin-start"),
        ("work slows down with allocation, and two halves fit into one person", "B", 3, "wrong-work"),
        ("work in process may exceed the limit", "C", -1, "projects-in-process"),
        ("a container hands down its links, its hold and its not_before", "B", -24, "not-before"),
        ("a container hands down its links, its hold and its not_before", "A", 26, "precedence"),
        ("as-of is rounded up to the grid, and a relative date counts from what was written", "A", -1, "not-before"),
    ],
)
def test_a_moved_item_breaks_the_rule(name: str, item: str, hours: float, kind: str) -> None:
    assert kind in kinds(moved(name, item, hours))


def test_one_more_half_is_too_much() -> None:
    case = RIGHT["work slows down with allocation, and two halves fit into one person"]
    work = case.portfolio["work"] | {"C": {"needs": [{"skill": "linux", "effort": "1h", "allocation": "60%"}]}}
    busy = Case(case.portfolio | {"work": work}, case.schedule | {"C": one("ann", "2026-11-23T14:00/16:00")})
    verdict = check(busy.plan())
    (overload,) = [v for v in verdict.violations if v.kind == "person-overload"]
    assert overload.ids == ("ann", "A", "B", "C")
    assert overload.at == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert overload.amount == pytest.approx(0.6)


def test_an_item_frees_its_place_under_the_limit_with_the_last_work_of_the_person() -> None:
    """Ann's part of A ends at 11:00, A itself at 13:00."""
    portfolio = MONDAY | {
        "calendars": OFFICE["calendars"],
        "people": {"ann": {"skills": ["linux"], "wip": 1}, "bob": {"skills": ["qa"]}},
        "work": {
            "A": {"needs": [{"skill": "linux", "effort": "2h"}, {"skill": "qa", "effort": "4h"}]},
            "B": {"needs": [{"skill": "linux", "effort": "1h", "allocation": "50%"}]},
        },
    }
    a = {
        "start": "2026-11-23T09:00",
        "finish": "2026-11-23T13:00",
        "work": {"ann": (0, ["2026-11-23T09:00/11:00"]), "bob": (1, ["2026-11-23T09:00/13:00"])},
    }
    assert kinds(Case(portfolio, {"A": a, "B": one("ann", "2026-11-23T11:00/13:00")})) == set()
    assert "person-wip" in kinds(Case(portfolio, {"A": a, "B": one("ann", "2026-11-23T10:00/12:00")}))
