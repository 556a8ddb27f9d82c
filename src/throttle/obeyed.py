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

from throttle_models import Estimate, Finding, Hours, Portfolio, Reading, When
from throttle_models.quantities import Days

_TEXTS = (Days, Estimate, Hours, When, Reading)
"""Models that files write as one text: their fields are no fields of the file. And how exports were read."""


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

REFUSED: tuple[Refusal, ...] = ()

_FATES = {
    "container": """rotas people.*.out_of_hours people.*.lent_to calendars skills teams people environments services
        windows boards freezes projects work external policy
        simulation simulation.spread simulation.absences simulation.tests simulation.changes simulation.approvals
        planned policy.stability policy.buffers policy.goals policy.fever policy.pins policy.rules policy.rules.*.when
        policy.rules.*.require work.*.verify work.*.change work.*.change.approval work.*.costs work.*.source
        projects.*.costs""",
    "header": """throttle as_of zone slot currency pseudonyms reading assumptions assumptions.*.about
        assumptions.*.value assumptions.*.why assumptions.*.count assumptions.*.override""",
    "obeyed": """rotas.*.people rotas.*.first rotas.*.every rotas.*.share rotas.*.turns people.*.reserve policy.reserve
        people.*.out_of_hours.limit people.*.out_of_hours.rest people.*.team people.*.lent_to.*.team
        people.*.lent_to.*.share people.*.lent_to.*.until teams.*.improvement work.*.type
        policy.rules.*.name policy.rules.*.when.services policy.rules.*.when.tier
        policy.rules.*.when.risk_at_least policy.rules.*.when.kind policy.rules.*.when.tags
        policy.rules.*.require.*.before policy.rules.*.require.*.after policy.rules.*.require.*.lead
        policy.rules.*.require.*.environment policy.rules.*.require.*.needs policy.rules.*.require.*.needs.*.skill
        policy.rules.*.require.*.needs.*.level policy.rules.*.require.*.needs.*.effort
        policy.rules.*.require.*.needs.*.remaining policy.rules.*.require.*.needs.*.people
        policy.rules.*.require.*.needs.*.allocation policy.rules.*.require.*.needs.*.who
        work.*.verify.by work.*.verify.for services.*.tier work.*.change.kind work.*.change.risk work.*.tags
        work.*.finished calendars.*.hours calendars.*.zone calendars.*.holidays calendars.*.closed calendars.*.open
        calendars.*.productive people.*.calendar people.*.skills people.*.away people.*.productive people.*.wip
        environments.*.capacity environments.*.calendar windows.*.every windows.*.zone windows.*.closed
        windows.*.changes windows.*.risk windows.*.overhead boards.*.every boards.*.zone services.*.depends_on
        freezes.*.from freezes.*.to freezes.*.services projects.*.not_before projects.*.in_process
        work.*.status work.*.project work.*.parent work.*.duration work.*.wait work.*.pausable work.*.environment
        work.*.not_before work.*.on_hold work.*.needs work.*.needs.*.skill work.*.needs.*.level work.*.needs.*.effort
        work.*.needs.*.remaining work.*.needs.*.people work.*.needs.*.allocation work.*.needs.*.who
        work.*.after work.*.after.*.item work.*.after.*.type work.*.after.*.lag work.*.after.*.lag_in
        work.*.change.services work.*.change.window work.*.change.rollback
        work.*.change.approval.board policy.conflict_hops policy.pins.*.window policy.pins.*.on
        work.*.change.approval.lead work.*.change.approval.asked work.*.change.approval.given
        external.*.status external.*.expected
        policy.projects_in_process policy.person_wip policy.wip policy.drum policy.rope policy.full_kit policy.overrides
        policy.overrides.*.item policy.overrides.*.limit policy.overrides.*.reason teams.*.wip policy.externals
        policy.pins.*.work policy.pins.*.start policy.pins.*.who
        policy.buffers.project policy.buffers.feeding policy.buffers.drum policy.stability.frozen policy.goals.cost
        policy.goals.flow policy.goals.drum policy.goals.switches policy.goals.start planned.*.start
        planned.*.who planned.*.frozen""",
    "cost": """work.*.interest projects.*.cost_of_delay projects.*.makespan projects.*.due projects.*.costs.tardiness
        projects.*.costs.earliness projects.*.costs.flow work.*.cost_of_delay work.*.due work.*.wanted_start
        work.*.costs.tardiness work.*.costs.earliness work.*.costs.flow policy.makespan policy.stability.move""",
    "shown": """people.*.name people.*.inferred teams.*.name services.*.title
        freezes.*.why projects.*.title projects.*.inferred work.*.title
        work.*.raw_status work.*.priority work.*.created work.*.started work.*.spent work.*.inferred
        work.*.after.*.origin work.*.source.file
        work.*.source.row work.*.source.system work.*.source.other_id work.*.source.updated work.*.source.assignee
        work.*.source.planned_start work.*.source.planned_end work.*.source.due external.*.title planned.*.why
        policy.fever.green policy.fever.red""",
    "simulated": """simulation.spread.short simulation.spread.long simulation.correlation simulation.unplanned
        simulation.unplanned.*.per_week simulation.unplanned.*.effort simulation.unplanned.*.law simulation.task
        simulation.interrupts simulation.absences.per_year simulation.absences.days simulation.tests.skills
        simulation.tests.tags simulation.tests.fail simulation.tests.rework simulation.tests.by
        simulation.changes.fail simulation.changes.by simulation.changes.incident simulation.changes.effort
        simulation.approvals.deferred simulation.switching""",
}
KNOWN = {field: fate for fate, fields in _FATES.items() for field in fields.split()}
"""Field to what becomes of it: a container of others, a rule obeyed, a cost that counts, data shown or kept, or
what only simulations use."""


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
