"""Which fields of the vocabulary a plan obeys, and the refusal, by name, of those it does not obey yet.

:data:`REFUSED` and :data:`KNOWN` together name every field; a test compares them with the vocabulary, so that a new
field cannot be ignored in silence. In a field's name, ``*`` stands for an id or a position: ``people.*.reserve``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from inspect import isclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from throttle_models import Estimate, Finding, Hours, Portfolio, When
from throttle_models.quantities import Days

_TEXTS = (Days, Estimate, Hours, When)
"""Models that files write as one text: their fields are no fields of the file."""


def parts(annotation: Any) -> Iterator[Any]:
    """The alternatives of a type: members of a union, without ``Annotated`` and ``None``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from parts(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from parts(member)
    elif annotation is not type(None):
        yield annotation


def children(annotation: Any) -> dict[str, Any]:
    """Field name as written in files (``*`` for an id or position) to its type; empty for what has no fields."""
    found: dict[str, Any] = {}
    for part in parts(annotation):
        if isclass(part) and issubclass(part, BaseModel):
            if part not in _TEXTS:
                found |= {f.alias or name: f.annotation for name, f in part.model_fields.items()}
        elif get_origin(part) in (dict, tuple) and len(args := get_args(part)) == 2:
            element = args[1] if get_origin(part) is dict else args[0]
            if children(element):
                found["*"] = element
    return found


@cache
def vocabulary() -> tuple[str, ...]:
    """Every field of a portfolio file, with the fields within it: ``work``, ``work.*.needs.*.skill``."""

    def walk(annotation: Any, at: str) -> Iterator[str]:
        for name, inner in children(annotation).items():
            path = f"{at}.{name}" if at else name
            if name != "*":
                yield path
            yield from walk(inner, path)

    return tuple(walk(Portfolio, ""))


@dataclass(frozen=True)
class Refusal:
    """A field that is not obeyed yet, when its value counts as used, and how to go on without it."""

    field: str
    sentence: str
    used: Callable[[Any], bool] = lambda value: value not in (None, (), {}) and value is not False


_LATER = "remove it to plan without it"

REFUSED = (
    Refusal("people.*.reserve", f"time kept free for unplanned work is not planned yet; {_LATER}, or set productive"),
    Refusal("people.*.out_of_hours", f"work outside the calendar is not planned yet; {_LATER}, or widen the calendar"),
    Refusal("people.*.lent_to", f"lending people to teams is not planned yet; {_LATER}"),
    Refusal("teams.*.wip", f"limits per team are not obeyed yet; {_LATER}, or give wip to its people"),
    Refusal("teams.*.improvement", f"a share for improvement is not planned yet; {_LATER}"),
    Refusal("rotas", f"on-call duty is not planned yet; {_LATER}, or write the days as away"),
    Refusal("windows.*.changes", f"limits on the changes in a window are not obeyed yet; {_LATER}"),
    Refusal("windows.*.risk", f"limits on the risk in a window are not obeyed yet; {_LATER}"),
    Refusal("windows.*.overhead", f"work for each window that is used is not planned yet; {_LATER}"),
    Refusal(
        "work.*.verify", f"staying until a change has proved itself is not planned yet; {_LATER}, or write an item"
    ),
    Refusal("work.*.interest", f"the interest of debt is not weighed yet; {_LATER}, or write a cost_of_delay"),
    Refusal("policy.wip", f"limits per type of work are not obeyed yet; {_LATER}, or set person_wip"),
    Refusal("policy.drum", "a chosen drum is not obeyed yet; write auto", lambda value: value != "auto"),
    Refusal("policy.rope", f"a rope is not obeyed yet; {_LATER}, or set projects_in_process"),
    Refusal("policy.full_kit", f"full kit is not obeyed yet; {_LATER}, or write links"),
    Refusal("policy.buffers", f"buffers are not planned yet; {_LATER}"),
    Refusal("policy.reserve", f"a reserve is not planned yet; {_LATER}, or set productive"),
    Refusal("policy.stability", f"the cost of moving starts is not weighed yet; {_LATER}, or pin the starts"),
    Refusal("policy.pins.*.window", "pins of a window are not obeyed yet; pin the start instead"),
    Refusal("policy.pins.*.on", "pins of a window's day are not obeyed yet; pin the start instead"),
    Refusal("policy.rules", f"retest rules are not obeyed yet; {_LATER}, or write the work and its links"),
    Refusal("policy.overrides", f"overrides of limits are not obeyed yet; {_LATER}"),
    Refusal(
        "policy.conflict_hops", f"keeping changes on near services apart is not obeyed yet; {_LATER}, or link them"
    ),
    Refusal("policy.fever", f"fever charts are not drawn yet; {_LATER}"),
)

_FATES = {
    "container": """calendars skills teams people environments services windows freezes projects work external policy
        policy.pins work.*.change work.*.change.approval work.*.costs work.*.source projects.*.costs""",
    "header": """throttle as_of zone slot currency assumptions assumptions.*.about assumptions.*.value assumptions.*.why
        assumptions.*.count assumptions.*.override""",
    "obeyed": """calendars.*.hours calendars.*.zone calendars.*.holidays calendars.*.closed calendars.*.open
        calendars.*.productive people.*.calendar people.*.skills people.*.away people.*.productive people.*.wip
        environments.*.capacity environments.*.calendar windows.*.every windows.*.zone
        freezes.*.from freezes.*.to freezes.*.services projects.*.not_before projects.*.in_process
        work.*.status work.*.project work.*.parent work.*.duration work.*.wait work.*.pausable work.*.environment
        work.*.not_before work.*.on_hold work.*.needs work.*.needs.*.skill work.*.needs.*.level work.*.needs.*.effort
        work.*.needs.*.remaining work.*.needs.*.people work.*.needs.*.allocation work.*.needs.*.who
        work.*.after work.*.after.*.item work.*.after.*.type work.*.after.*.lag work.*.after.*.lag_in
        work.*.change.services work.*.change.window work.*.change.rollback
        work.*.change.approval.lead work.*.change.approval.asked work.*.change.approval.given
        external.*.status external.*.expected
        policy.projects_in_process policy.person_wip policy.externals
        policy.pins.*.work policy.pins.*.start policy.pins.*.who""",
    "cost": """projects.*.cost_of_delay projects.*.makespan projects.*.due projects.*.costs.tardiness
        projects.*.costs.earliness projects.*.costs.flow work.*.cost_of_delay work.*.due work.*.wanted_start
        work.*.costs.tardiness work.*.costs.earliness work.*.costs.flow policy.makespan""",
    "shown": """people.*.name people.*.team people.*.inferred teams.*.name services.*.title services.*.tier
        services.*.depends_on freezes.*.why projects.*.title projects.*.inferred work.*.title work.*.type
        work.*.raw_status work.*.priority work.*.created work.*.started work.*.finished work.*.tags work.*.inferred
        work.*.after.*.origin work.*.change.kind work.*.change.risk work.*.change.approval.board work.*.source.file
        work.*.source.row work.*.source.system external.*.title""",
}
KNOWN = {field: fate for fate, fields in _FATES.items() for field in fields.split()}
"""Field to what becomes of it: a container of others, a rule obeyed, a cost that counts, or data shown or kept."""


def refusals(portfolio: Portfolio) -> list[Finding]:
    """One error for each field of :data:`REFUSED` that the portfolio uses, with the number of places and the first."""
    found = []
    for refusal in REFUSED:
        places = [path for path, value in _values(portfolio, refusal.field.split("."), ()) if refusal.used(value)]
        if places:
            first = ".".join(places[0])
            more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
            found.append(
                Finding(
                    level="error",
                    code="not-obeyed",
                    message=f"{first}{more}: {refusal.sentence}",
                    ids=tuple(path[1] for path in places if len(path) > 2 and path[0] != "policy"),
                    path=first,
                    count=len(places),
                )
            )
    return found


def _values(value: Any, names: list[str], at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not names:
        yield at, value
    elif names[0] == "*":
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _values(inner, names[1:], (*at, str(key)))
    else:
        yield from _values(getattr(value, names[0]), names[1:], (*at, names[0]))
