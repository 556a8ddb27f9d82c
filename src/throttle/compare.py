"""Two plans side by side: what they cost, whose dates differ, what moved and why, who has more to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from throttle.graph import WorkGraph, is_in_progress
from throttle.terminal import clean
from throttle.wording import plural
from throttle_models import Move, Plan, Portfolio, ProjectPlan, with_inserted
from throttle_models.comparison import Comparison, DatesChange, Figure, HoldChange, Moved

ROWS = 15
"""Rows of a table that the terminal shows; ``--json`` has all."""
LEAST_HOURS = 0.05
HOUR = timedelta(hours=1)


def compare(a: Plan, b: Plan) -> Comparison:
    """What is different in plan ``b``. Why something moved is told where ``b`` carries its portfolio."""
    work = with_inserted(b, b.portfolio).work if b.portfolio else {}
    begun = {id for id, item in work.items() if is_in_progress(item)}
    in_a, in_b = {*a.items, *a.unscheduled}, {*b.items, *b.unscheduled}
    done = set(b.done)
    moves = [_moved(move) for move in _moves(a, b) if move.item not in begun]
    out = {move.item for move in moves if move.now is None}
    same = [id for id, item in a.items.items() if id in b.items and id not in begun]
    released_a, released_b = {r.item for r in a.releases}, {r.item for r in b.releases}
    return Comparison(
        as_of_a=a.as_of,
        as_of_b=b.as_of,
        week_a=a.week,
        week_b=b.week,
        zone=b.zone,
        currency=b.currency,
        same_work=a.certificate.input_hash == b.certificate.input_hash,
        objective=_change(a.certificate.objective.value, b.certificate.objective.value),
        flow=_change(a.certificate.flow.value, b.certificate.flow.value),
        bound=_change(a.certificate.objective.bound, b.certificate.objective.bound),
        moving=b.previous.cost if b.previous else 0.0,
        projects=tuple(_projects(a, b)),
        moves=tuple(sorted(moves, key=lambda m: (m.now is None, m.now or m.before, m.item))),
        kept=sum(a.items[id].start == b.items[id].start for id in same),
        new=tuple(id for id in b.items | b.unscheduled if id not in in_a and id not in a.done),
        gone=tuple(
            id for id in a.items | a.unscheduled if id not in in_b and id not in done and id not in b.containers
        ),
        begun=tuple(id for id in a.items if id in begun and not _begun(a.portfolio, id)),
        finished=tuple(id for id in a.items | a.unscheduled if id in done),
        left_out=tuple(id for id in a.items if id in out),
        hours=_hours(a, b),
        released=tuple(r.item for r in b.releases if r.item not in released_a),
        no_longer_released=tuple(
            r.item for r in a.releases if r.item not in released_b and r.item in in_b and r.item not in begun
        ),
        holds=tuple(_holds(a, b)),
    )


def _begun(portfolio: Portfolio | None, id: str) -> bool:
    return portfolio is not None and id in portfolio.work and is_in_progress(portfolio.work[id])


def _change(a: float, b: float) -> Figure:
    return Figure(a=a, b=b, change=round(b - a, 6))


def _moved(move: Move) -> Moved:
    hours = None if move.now is None else round((move.now - move.before) / HOUR, 4)
    return Moved(**move.model_dump(), hours=hours)


def _moves(a: Plan, b: Plan) -> Iterable[Move]:
    if b.previous is not None and b.previous.input_hash == a.certificate.input_hash and b.previous.as_of == a.as_of:
        return b.previous.moves
    if b.portfolio is not None and (told := _reasoned(a, b, b.portfolio)) is not None:
        return told
    return [
        Move(item=id, before=item.start, now=b.items[id].start if id in b.items else None, reason=_words(b, id))
        for id, item in a.items.items()
        if (id in b.items and b.items[id].start != item.start) or id in b.unscheduled
    ]


def _reasoned(a: Plan, b: Plan, portfolio: Portfolio) -> Iterable[Move] | None:
    """Moves with what binds each of them in the second plan; None where that cannot be lowered."""
    from throttle.as_planned import as_planned
    from throttle.lift import lower
    from throttle.planning import feasible_instance, moves
    from throttle.reasons import Reasons

    portfolio = as_planned(b, portfolio)
    compiled = feasible_instance(portfolio, WorkGraph(portfolio))
    schedule = lower(compiled, dict(b.items))
    if schedule is None:
        return None
    return moves(compiled, Reasons(compiled, schedule), b.items, a).moves


def _words(plan: Plan, id: str) -> str:
    if id in plan.unscheduled:
        return plan.unscheduled[id].text
    return next((hold.text for hold in plan.holds if hold.item == id), "it is to begin this week")


def _projects(a: Plan, b: Plan) -> Iterator[DatesChange]:
    for name in [*b.projects, *(n for n in a.projects if n not in b.projects)]:
        one, other = a.projects.get(name), b.projects.get(name)
        if other is None and name in b.done:
            continue  # an item that is finished
        if one is not None and other is not None and _same_dates(one, other):
            continue
        first, second = one or ProjectPlan(), other or ProjectPlan()
        yield DatesChange(
            name=name,
            title=second.title or first.title,
            finish_a=first.finish,
            finish_b=second.finish,
            promise_a=first.promise,
            promise_b=second.promise,
            due_b=second.due,
            late_weeks=_change(first.late_weeks, second.late_weeks),
            cost=_change(first.cost, second.cost),
        )


def _same_dates(one: ProjectPlan, other: ProjectPlan) -> bool:
    fields = ("finish", "promise", "late_weeks", "cost")
    return all(getattr(one, field) == getattr(other, field) for field in fields)


def _hours(a: Plan, b: Plan) -> dict[str, Figure]:
    """Person-hours from the later as-of on, an hour at 50 % counting half."""
    since = max(a.as_of, b.as_of)
    one, other = _hours_since(a, since), _hours_since(b, since)
    people = sorted(one.keys() | other.keys())
    found = {p: _change(round(one[p], 4), round(other[p], 4)) for p in people}
    return {p: c for p, c in found.items() if abs(c.change) >= LEAST_HOURS}


def _hours_since(plan: Plan, since: datetime) -> Counter[str]:
    found: Counter[str] = Counter()
    for item in plan.items.values():
        for assigned in item.assignments:
            spans = (max(timedelta(0), to - max(from_, since)) for from_, to in assigned.work)
            found[assigned.person] += sum(span / HOUR for span in spans) * assigned.allocation  # type: ignore[assignment]
    return found


def _holds(a: Plan, b: Plan) -> Iterator[HoldChange]:
    one, other = {h.item: h for h in a.holds}, {h.item: h for h in b.holds}
    for id in [*other, *(id for id in one if id not in other)]:
        before, now = one.get(id), other.get(id)
        if before is None or now is None or before.reason is not now.reason:
            told = now or before
            assert told is not None
            yield HoldChange(
                item=id, a=before.reason if before else None, b=now.reason if now else None, text=told.text
            )


# --- the terminal ----------------------------------------------------------------------------------------------------


def show_comparison(console: Console, found: Comparison) -> None:
    """Print the differences, the money first."""
    for part in _parts(found):
        console.print(part)


def _parts(found: Comparison) -> Iterator[RenderableType]:
    zone = ZoneInfo(found.zone)
    yield Text(f"From the plan of {_when(found.as_of_a, zone)} to that of {_when(found.as_of_b, zone)}", style="bold")
    if not found.same_work:
        yield Text("They were not made from the same portfolio, so their costs are of different work.", style="dim")
    unit = f" {clean(found.currency)}" if found.currency else ""
    table = _table("", ("", "a", "b", "change"))
    for name, change in (("Cost of delay", found.objective), ("Weighted flow", found.flow), ("Bound", found.bound)):
        _row(table, name + unit, *(f"{v:,.0f}" for v in (change.a, change.b)), f"{change.change:+,.0f}")
    yield table
    if found.moving:
        yield Text(f"Of which moving planned starts: {found.moving:,.0f}{unit}")
    if found.projects:
        yield _dates(found, zone)
    yield Text(f"\n{plural(len(found.moves), 'start')} moved, {found.kept:,} kept", style="bold")
    if found.moves:
        yield _moves_table(found, zone)
    for title, ids in (
        ("Finished since", found.finished),
        ("Begun since", found.begun),
        ("New", found.new),
        ("No longer there", found.gone),
        ("Left out now", found.left_out),
        ("Released now", found.released),
        ("No longer to release", found.no_longer_released),
    ):
        if ids:
            shown = ", ".join(ids[:ROWS]) + (f" and {len(ids) - ROWS:,} more" if len(ids) > ROWS else "")
            yield Text(clean(f"{title}: {shown}"))
    if found.hours:
        table = _table("\nHours of work ahead", ("Person", "a", "b", "change"))
        most = sorted(found.hours.items(), key=lambda e: (-abs(e[1].change), e[0]))
        for who, change in most[:ROWS]:
            _row(table, who, f"{change.a:,.1f}", f"{change.b:,.1f}", f"{change.change:+,.1f}")
        yield table
        yield from _more(len(most))
    if found.holds:
        table = _table("\nHolds that changed", ("Item", "a", "b", "Why"))
        for hold in found.holds[:ROWS]:
            was, is_ = (str(r) if r else "not held" for r in (hold.a, hold.b))
            _row(table, hold.item, was, is_, hold.text)
        yield table
        yield from _more(len(found.holds))


def _dates(found: Comparison, zone: ZoneInfo) -> Table:
    table = _table("\nDates", ("Project", "finish a", "finish b", "weeks late", "cost"))
    ordered = sorted(found.projects, key=lambda p: (-abs(p.cost.change), p.name))
    for p in ordered[:ROWS]:
        late = f"{p.late_weeks.a:.1f} to {p.late_weeks.b:.1f}" if p.late_weeks.change else f"{p.late_weeks.b:.1f}"
        dates = (_when(d, zone) if d else "-" for d in (p.finish_a, p.finish_b))
        _row(table, p.title or p.name, *dates, late, f"{p.cost.change:+,.0f}")
    return table


def _moves_table(found: Comparison, zone: ZoneInfo) -> Table:
    table = _table("", ("Item", "was", "is", "by", "Why"))
    for move in found.moves[:ROWS]:
        now = _when(move.now, zone) if move.now else "left out"
        by = f"{move.hours:+,.0f} h" if move.hours is not None else ""
        _row(table, move.item, _when(move.before, zone), now, by, move.reason)
    return table


def _more(count: int) -> Iterator[Text]:
    if count > ROWS:
        yield Text(f"and {count - ROWS:,} more (--json has all)", style="dim")


def _table(title: str, heads: Iterable[str]) -> Table:
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2)
    )
    for k, head in enumerate(heads):
        number = head in ("a", "b", "change", "by", "cost", "weeks late")
        table.add_column(head, justify="right" if number else "left", no_wrap=k == 0, overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    """Cells are texts as they are, no markup."""
    table.add_row(*(Text(clean(cell)) for cell in cells))


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"
