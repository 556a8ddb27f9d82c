"""A plan for the terminal: this week's release list, hold list, bottleneck, promises and certificate.

All text from portfolios goes through :func:`clean` and is printed without markup, so that a ticket's title cannot
move the cursor, recolour the screen or turn into a link.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from throttle.wording import plural

if TYPE_CHECKING:
    from throttle.ingest.report import IngestReport
    from throttle_models import (
        Assumption,
        Finding,
        Goal,
        Hold,
        Load,
        Mapping,
        Plan,
        Portfolio,
        ProjectPlan,
        Verdict,
        Week,
    )

ROWS = 12
"""Rows of a list that the terminal shows; the report and ``--json`` have all."""
FINDINGS = 5
"""Kinds of findings that the terminal shows."""
FULL_EFFORT = "full-effort-left"
PEOPLE = 15
"""Above this many busy people, only those of the bottleneck are shown by day."""


def clean(text: str) -> str:
    """The text on one line: blanks as spaces, other control and invisible characters as ``\\x1b`` or ``\\u202e``."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(char: str) -> str:
    if char in "\t\n\r" or unicodedata.category(char) == "Zs":
        return " "
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def show_plan(console: Console, plan: Plan, portfolio: Portfolio | None = None, week: str | None = None) -> None:
    """Print one week of the plan; ``portfolio`` gives titles where the plan does not carry it."""
    view = _View(plan, portfolio or plan.portfolio)
    week = week or plan.week
    for part in view.parts(week):
        console.print(part)


class _View:
    def __init__(self, plan: Plan, portfolio: Portfolio | None) -> None:
        self.plan = plan
        self.zone = ZoneInfo(plan.zone)
        from throttle_models import with_inserted

        portfolio = with_inserted(plan, portfolio) if portfolio else None
        self.work = portfolio.work if portfolio else {id: i.item for id, i in plan.inserted.items()}
        self.real_projects = portfolio.projects if portfolio else plan.projects

    def parts(self, week: str) -> Iterator[RenderableType]:
        first = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
        yield _bold(
            f"Plan of week {week}, {first:%d %b} to {first + timedelta(days=6):%d %b %Y} "
            f"(as of {self._time(self.plan.as_of)}, {self.plan.zone})"
        )
        current = week == self.plan.week
        if current:
            yield from self._releases()
            yield from self._holds()
        yield from self._people(next((w for w in self.plan.weeks if w.week == week), None), all_people=not current)
        yield from self._bottleneck(week)
        yield from self._promises()
        yield from self._debts()
        yield from self._unscheduled()
        yield from self._certificate()
        yield from self._findings()
        yield from self._moves()
        yield from _assumptions(self.plan.assumptions)

    def _title(self, id: str) -> str:
        item = self.work.get(id)
        return clean(item.title) if item else ""

    def _time(self, moment: datetime | None) -> str:
        return f"{moment.astimezone(self.zone):%a %d %b %Y %H:%M}" if moment else "-"

    def _day(self, moment: datetime | None) -> str:
        return f"{moment.astimezone(self.zone):%a %d %b %Y}" if moment else "-"

    def _end(self, moment: datetime | None) -> str:
        """The day on which something ends: midnight is the end of the day before."""
        return self._day(moment - timedelta(minutes=1) if moment else None)

    def _money(self, value: float) -> str:
        return clean(f"{value:,.0f} {self.plan.currency}".rstrip())

    def _releases(self) -> Iterator[RenderableType]:
        releases = self.plan.releases
        yield _heading(f"Let in this week: {len(releases)}")
        if not releases:
            return
        table = _table("start", "item", "title", "project", "who", ">a week's delay costs")
        for release in releases[:ROWS]:
            planned = self.plan.items.get(release.item)
            who = dict.fromkeys(a.person for a in planned.assignments) if planned else {}
            table.add_row(
                *map(_text, (f"{release.start.astimezone(self.zone):%a %d %b %H:%M}", release.item)),
                *map(_text, (self._title(release.item), release.project or "-", ", ".join(who) or "-")),
                _text(self._money(release.value)),
            )
        yield table
        yield from (_text(f"  {release.item}: {release.note}") for release in releases[:ROWS] if release.note)
        yield from _more(len(releases))

    def _holds(self) -> Iterator[RenderableType]:
        holds = [h for h in self.plan.holds if h.item not in self.plan.unscheduled]
        left_out = len(self.plan.holds) - len(holds)
        yield _heading(f"Hold: {len(self.plan.holds)}" + (f", of which {left_out} not in the plan" if left_out else ""))
        groups = [(reason, list(held)) for reason, held in groupby(sorted(holds, key=_by_reason), _reason)]
        # several items may rest on one project's cost, so sums would count it more than once
        groups.sort(key=lambda g: (-max(h.value for h in g[1]), -len(g[1]), g[0]))
        for reason, held in groups:
            yield _text(f"  {reason}: {len(held)}")
            table = _table("item", "title", "why", "until", show_header=False)
            for hold in held[: max(3, ROWS // len(groups))]:
                table.add_row(*map(_text, (hold.item, self._title(hold.item), hold.text, self._day(hold.until))))
            yield Padding(table, (0, 0, 0, 4), expand=False)
            yield from _more(len(held), max(3, ROWS // len(groups)), "    ")

    def _people(self, week: Week | None, all_people: bool) -> Iterator[RenderableType]:
        people = week.people if week else {}
        shown = sorted(people)
        if len(shown) > PEOPLE and not all_people:
            drum = set(self.plan.bottleneck.people) if self.plan.bottleneck else set()
            shown = [p for p in shown if p in drum]
        yield _heading("Who does what" + ("" if len(shown) == len(people) else " (people of the bottleneck)"))
        if not shown or week is None:
            yield _text("  No planned work for anyone." if not people else "  See the report for everyone.")
            return
        days = sorted({day for person in shown for day in week.people[person]})
        table = _table("person", *(f"{day:%a %d}" for day in days))
        for person in shown:
            cells = (week.people[person].get(day, {}) for day in days)
            table.add_row(
                _text(person), *(_text(", ".join(f"{i} {h:.1f}h" for i, h in sorted(cell.items()))) for cell in cells)
            )
        yield table

    def _bottleneck(self, week: str) -> Iterator[RenderableType]:
        yield _heading("Bottleneck")
        load = self.plan.bottleneck
        yield _text(f"  {describe_load(load, week)}" if load else "  None: no work is left.")

    def _promises(self) -> Iterator[RenderableType]:
        known = self.plan.projects
        projects = sorted((p for p in known.items() if p[0] in self.real_projects), key=_by_promise)
        yield _heading(f"Promises: {plural(len(projects), 'project')}")
        if single := len(known) - len(projects):
            yield _text(f"  and {plural(single, 'item')} with an own cost or due date, which the report lists")
        if not projects:
            return
        table = _table("project", "title", "promise", "finish", "due", ">weeks late", ">cost")
        for id, project in projects[:ROWS]:
            late = f"{project.late_weeks:.1f}" if project.late_weeks else "-"
            left_out = f" ({project.unscheduled} of {project.items} not planned)" if project.unscheduled else ""
            table.add_row(
                *map(_text, (id, project.title, self._end(project.promise), self._end(project.finish) + left_out)),
                *map(_text, (self._end(project.due), late, self._money(project.cost))),
            )
        yield table
        yield from _more(len(projects))

    def _debts(self) -> Iterator[RenderableType]:
        """The dearest interest first."""
        debts = sorted(self.plan.debts.items(), key=lambda entry: (-entry[1].cost, entry[0]))
        if not debts:
            return
        yield _heading(f"Technical debt: {plural(len(debts), 'item')} with interest")
        table = _table("item", "title", ">work", "interest", ">costs a week", ">pays back in", "paid off")
        for id, debt in debts[:ROWS]:
            interest = ", ".join(f"{skill} {hours:g} h/week" for skill, hours in debt.interest.items())
            payback = "-" if debt.payback_weeks is None else f"{debt.payback_weeks:.1f} weeks"
            table.add_row(
                *map(_text, (id, self._title(id), f"{debt.hours:g} h", interest, self._money(debt.cost), payback)),
                _text(self._end(debt.finish)),
            )
        yield table
        yield from _more(len(debts))
        prices = {skill: price for _, debt in debts for skill, price in debt.price.items()}
        worth = "; ".join(f"{skill} {self._money(price)}" for skill, price in list(prices.items())[:ROWS])
        yield _text(f"  an hour is worth what a week's delay of all that waits costs, by the hours of a week: {worth}")

    def _unscheduled(self) -> Iterator[RenderableType]:
        left_out = self.plan.unscheduled
        if not left_out:
            return
        yield _heading(f"Not in the plan: {len(left_out)}")
        table = _table("item", "title", "reason", "why")
        for id, why in list(left_out.items())[:ROWS]:
            table.add_row(*map(_text, (id, self._title(id), why.reason, why.text)))
        yield table
        yield from _more(len(left_out))

    def _certificate(self) -> Iterator[RenderableType]:
        seal = self.plan.certificate
        yield _heading("Certificate")
        verdict = "verified, no violation" if seal.checked and not seal.violations else f"{seal.violations} violations"
        yield _text(
            f"  {seal.status}; {verdict}; {seal.scheduled} of {seal.items} items planned, {seal.unscheduled} left out, "
            f"{seal.done} done before; seed {seal.seed}, input {seal.input_hash[:12]}"
        )
        table = _table("goal", ">this plan", ">proven bound", ">gap", ">first come, first served", ">greedy")
        for goal in (seal.objective, seal.flow):
            table.add_row(*map(_text, self._goal(goal)))
        yield table
        yield from self._order()

    def _order(self) -> Iterator[RenderableType]:
        """The goals after the cost, and what each gave up for the next."""
        seal = self.plan.certificate
        if seal.goals_note:
            yield _text(f"  {seal.goals_note}")
        if not seal.goals:
            return
        table = _table("then, in this order", ">by cost alone", ">least found", ">this plan", ">may give up", ">alone")
        for goal in seal.goals[2:]:
            proved = " (proved least)" if goal.proved else ""
            table.add_row(
                _text(goal.name if goal.unit in goal.name else f"{goal.name} ({goal.unit})"),
                *(_text(figure(value)) for value in (goal.found, goal.best)),
                _text(figure(goal.value) + proved),
                _text(f"{goal.tolerance:.0%}".replace("%", " %")),
                _text("-" if goal.alone is None else figure(goal.alone)),
            )
        yield table
        for goal in seal.goals:
            if goal.value - goal.best > 5e-5:
                gave = figure(goal.value - goal.best)
                yield _text(f"  {goal.name} gave up {gave} {goal.unit}".rstrip() + " for the goals after it")
            if goal.note:
                yield _text(f"  {goal.name}: {goal.note}")

    def _moves(self) -> Iterator[RenderableType]:
        previous = self.plan.previous
        if previous is None:
            return
        moves = previous.moves
        since = self._time(previous.as_of)
        yield _heading(f"Since the plan of {since}: {plural(len(moves), 'start')} moved, {previous.kept} kept")
        if moves:
            table = _table("item", "was", "is", "why")
            for move in moves[:ROWS]:
                table.add_row(*map(_text, (move.item, self._time(move.before), self._time(move.now), move.reason)))
            yield table
            yield from _more(len(moves))

    def _findings(self) -> Iterator[RenderableType]:
        """What the reader should mend in the input, told once for each kind; the report has every one."""
        kinds: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.plan.findings:
            if finding.level != "info" or finding.code == FULL_EFFORT:
                kinds.setdefault((finding.level, finding.code), []).append(finding)
        if not kinds:
            return
        yield _heading(f"Findings: {sum(map(len, kinds.values()))}")
        order = sorted(kinds.items(), key=lambda k: ("error", "warning", "info").index(k[0][0]))
        for (level, code), found in order[:FINDINGS]:
            if code == FULL_EFFORT:
                ids = _join(tuple(finding.ids[0] for finding in found))
                about = f"in progress without remaining effort, so planned in full: {ids}"
                yield _text(f"  {level}: {plural(len(found), 'item')} {about}; write remaining: in the needs")
                continue
            others = tuple(finding.ids[0] for finding in found[1:] if finding.ids)
            more = f" (and {len(found) - 1} more such{': ' + _join(others) if others else ''})"
            yield _text(f"  {level}: {found[0].message}{more if len(found) > 1 else ''}")
        yield from _more(len(order), FINDINGS)

    def _goal(self, goal: Goal) -> Iterable[str]:
        gap = "0 % (proved least)" if goal.proved else f"{goal.gap:.1%}".replace("%", " %")
        yield from (goal.name, self._money(goal.value), self._money(goal.bound), gap)
        for baseline in (goal.first_come, goal.greedy):
            saved = f" ({goal.value / baseline - 1:+.0%})".replace("%", " %") if baseline else ""
            yield self._money(baseline) + saved


def figure(value: float) -> str:
    """To one decimal, whole numbers as such."""
    return f"{value:,.1f}".removesuffix(".0")


def describe_load(load: Load, week: str | None = None) -> str:
    """One sentence on what a set of skills or an environment has to do, and its people."""
    text = f"{', '.join(load.members) or load.name}: {load.work_hours:,.0f} hours of work"
    if load.people:
        text += f" that only {_join(load.people)} can do"
    if load.weeks_of_queue is None:
        text += "; no hours for it at all"
    else:
        text += f", {load.weeks_of_queue:.1f} weeks of queue"
    if week is not None and week in load.by_week:
        planned, available = load.by_week[week]
        share = f" ({planned / available:.0%})".replace("%", " %") if available else ""
        text += f"; planned in {week} {planned:,.0f} of {available:,.0f} hours{share}"
    return clean(text)


def _join(names: tuple[str, ...], most: int = 6) -> str:
    shown = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _assumptions(assumptions: tuple[Assumption, ...]) -> Iterator[RenderableType]:
    if not assumptions:
        return
    yield _heading(f"Defaults that this rests on: {len(assumptions)}")
    table = _table("about", "value", ">times", "why", "to replace it")
    for a in assumptions:
        table.add_row(*map(_text, (a.about, a.value, str(a.count), a.why, a.override or "-")))
    yield table


def show_violations(console: Console, verdict: Verdict) -> None:
    """Print what the checker found, one line for each violation."""
    for violation in verdict.violations:
        ids = f" [{', '.join(violation.ids)}]" if violation.ids else ""
        console.print(_text(f"{violation.kind}{ids}: {violation.message}"), soft_wrap=True)


def ingest_summary(report: IngestReport) -> str:
    """One sentence in which every row is accounted for."""
    todo = [item for item in report.items if item.planned_hours is not None]
    left = [item for item in todo if item.left_out is None]
    hours = report.planned_hours - sum(item.planned_hours or 0 for item in todo if item.left_out is not None)
    reasons = Counter(item.left_out for item in todo if item.left_out is not None)
    why = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    out = f" ({reasons.total():,} more left out: {why})" if reasons else ""
    return clean(
        f"{plural(report.rows_read, 'row')} read = {report.imported:,} imported + {report.merged:,} merged + "
        f"{report.rejected:,} rejected; {plural(len(left), 'item')} to plan{out}, {hours:,.0f} hours of work, "
        f"{plural(len(report.edges), 'link')}, {len(report.dangling):,} to what is not in the files"
    )


def show_ingest(console: Console, report: IngestReport, assumptions: tuple[Assumption, ...]) -> None:
    """Print the account of an import: rows, how each file was read, rejections, findings and defaults."""
    console.print(_text(ingest_summary(report)), soft_wrap=True)
    if report.files:
        console.print(_heading(f"Files: {len(report.files)}"))
        table = _table("file", "read as", ">rows", "encoding", "zone", "dates")
        for file in report.files:
            dates = ", ".join(f"{column}: {form}" for column, form in file.dates.items()) or "-"
            how = f"{file.encoding} ({file.encoding_why})"
            table.add_row(*map(_text, (file.name, file.reader, str(file.rows), how, file.zone, dates)))
        console.print(table)
    if report.rejections:
        console.print(_heading(f"Rejected rows: {report.rejected}"))
        table = _table("file", ">row", "column", "reason")
        for row in report.rejections[:ROWS]:
            table.add_row(*map(_text, (row.file, str(row.row), row.column or "-", row.reason)))
        console.print(table)
        for more in _more(len(report.rejections)):
            console.print(more)
    if report.findings:
        console.print(_heading(f"Findings: {len(report.findings)}"))
        for finding in report.findings:
            console.print(_text(f"  {finding.level}: {finding.message}"), soft_wrap=True)
    for part in _assumptions(assumptions):
        console.print(part)


def show_mapping(console: Console, mapping: Mapping) -> None:
    """Print what each column and word is taken to mean, the least certain first."""
    sections: dict[str, dict[str, Any]] = {f"columns of {name}": dict(c) for name, c in mapping.columns.items()}
    for name in ("statuses", "resolutions", "types", "link_types", "priorities", "users"):
        sections[name.replace("_", " ")] = dict(getattr(mapping, name))
    for name, meanings in sections.items():
        if not meanings:
            continue
        console.print(_heading(f"{name}: {len(meanings)}"))
        table = _table("word", "means", ">certain", ">times", "evidence")
        for word, meaning in sorted(meanings.items(), key=lambda m: m[1].confidence):
            certain = f"{meaning.confidence:.0%}".replace("%", " %")
            table.add_row(*map(_text, (word, f"{meaning.means}", certain, f"{meaning.count}", meaning.evidence)))
        console.print(table)


def _by_promise(entry: tuple[str, ProjectPlan]) -> tuple[str, str]:
    """By date, the unknown last."""
    id, project = entry
    return project.promise.isoformat() if project.promise else "~", id


def _reason(hold: Hold) -> str:
    return str(hold.reason)


def _by_reason(hold: Hold) -> tuple[str, float, str]:
    return str(hold.reason), -hold.value, hold.item


def _bold(text: str) -> Text:
    return Text(clean(text), style="bold")


def _heading(text: str) -> Text:
    return Text("\n" + clean(text), style="bold cyan")


def _text(text: str) -> Text:
    return Text(clean(text))


def _more(total: int, shown: int = ROWS, indent: str = "  ") -> Iterator[Text]:
    if total > shown:
        yield Text(f"{indent}and {total - shown} more", style="dim")


def _table(*columns: str, show_header: bool = True) -> Table:
    """Column names; those that start with ``>`` are aligned to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=show_header, header_style="dim")
    for name in columns:
        table.add_column(Text(name.lstrip(">")), justify="right" if name.startswith(">") else "left", overflow="fold")
    return table
