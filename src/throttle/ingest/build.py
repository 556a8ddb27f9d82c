"""Tickets to a portfolio: an item for each ticket, links with their direction, containment, and defaults as told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from throttle.errors import InputError
from throttle.ingest.again import Known, Stated, patched, problem, reading_of
from throttle.ingest.crew import Crew
from throttle.ingest.effort import Effort, Estimator, divided, exactly, summed
from throttle.ingest.made import made, utc_text, when
from throttle.ingest.meanings import DEFAULT_RATES, Meanings
from throttle.ingest.network import Network, unite
from throttle.ingest.notes import Notes, some
from throttle.ingest.options import ReadOptions
from throttle.ingest.people import People
from throttle.ingest.records import Share, Ticket
from throttle.ingest.report import EdgeRead, FileRead, IngestReport, ItemRead, RejectedRow
from throttle.ingest.skills import Skills
from throttle.ingest.tickets import Loaded
from throttle.ingest.uncertain import simulation_of
from throttle.ingest.values import fold, slug
from throttle.ingest.words import EPICS, RANKS, WAITING, rank, risk_points
from throttle.wording import plural
from throttle_models import (
    DEFAULT_CALENDAR,
    Approval,
    Assumption,
    Change,
    ChangeKind,
    Column,
    Estimate,
    External,
    Finding,
    Link,
    Need,
    Person,
    Pin,
    Policy,
    Portfolio,
    Project,
    Service,
    Source,
    Status,
    Team,
    TeamFile,
    When,
    WorkItem,
    WorkType,
)
from throttle_models.quantities import LEAST_SHARE
from throttle_models.references import dangling_references

HISTORY = frozenset({Status.DONE, Status.CANCELLED})
PRODUCTIVE = 0.65


_LINKS = (Column.LINK, Column.WAITS_FOR, Column.BLOCKS)


class Builder:
    """One import, in the order of its steps."""

    def __init__(
        self,
        loaded: Sequence[Loaded],
        meanings: Meanings,
        team: TeamFile,
        options: ReadOptions,
        notes: Notes,
        known: Known | None = None,
    ) -> None:
        self.loaded, self.meanings, self.team, self.notes = loaded, meanings, team, notes
        self.options, self.known = options, known or Known()
        self.tickets, self.merged, self.rejections = unite(loaded, meanings, notes)
        self.net = Network(self.tickets, meanings, notes, self.known.names)
        self.onto: dict[str, tuple[Link, ...]] = {}
        """Links by which known items that are in no file wait."""
        self.by_id = self.net.by_id
        self._tell_projects_apart()
        self.used: Counter[tuple[str, str, str, str]] = Counter()
        """Assumptions: (about, value, why, override) and how often."""
        self.rated = 0
        """Items whose cost of delay is from the table."""
        said = next((file.said_zone for file in loaded if file.said_zone), None)
        self.zone = team.zone or options.zone or said or "UTC"
        self.status = self._statuses()
        self.types = self._types()
        self.dated = False
        """Whether the files hold a timestamp at all."""
        self.as_of = self._as_of()
        resources = [(resource, file.file, file.reader.system) for file in loaded for resource in file.resources]
        self.people = People(self.tickets, meanings.mapping, team, resources)
        self.crew = Crew(loaded, self.people, team, notes)
        self.rejections += self.crew.rejections

    def _tell_projects_apart(self) -> None:
        """A plan names projects and items by id: a project with the id of an item gets another one."""
        taken = {project for t in self.tickets if (project := t.project) in self.by_id}
        if not taken:
            return
        apart = {project: f"project {project}" for project in sorted(taken)}
        for t in self.tickets:
            t.project = apart.get(t.project, t.project)
        pairs = [f"{old} is {new!r}" for old, new in apart.items()]
        self.notes.add(
            "info",
            "project-id",
            f"{plural(len(apart), 'project has', 'projects have')} the id of an item, and get another: {some(pairs)}",
            ids=list(apart.values()),
        )

    # ---------------------------------------------------------------------------------------------- what items are

    def _statuses(self) -> dict[str, Status]:
        found: dict[str, Status] = {}
        unknown: dict[str, list[str]] = defaultdict(list)
        opposed: list[str] = []
        unsaid: list[str] = []
        backwards: list[str] = []
        waiting: list[str] = []
        resolved = {t.file for t in self.tickets if t.resolution and self.meanings.is_resolved(t)}
        unresolved: list[str] = []
        for t in self.tickets:
            status, why = self.meanings.status(t)
            found[t.id] = status
            if status is Status.UNKNOWN:
                unknown[t.status].append(t.id)
            if status in (Status.OPEN, Status.IN_PROGRESS) and (self.meanings.is_resolved(t)):
                opposed.append(t.id)
            within = (t.id, *self.net.ancestors(t.id))
            held = any(self.by_id[id].on_hold or "on_hold" in self.team.work.get(id, {}) for id in within)
            if status in (Status.OPEN, Status.IN_PROGRESS) and not held and fold(t.status) in WAITING:
                waiting.append(t.id)
            if why.startswith("the export says no"):
                unsaid.append(t.id)
            if status is Status.DONE and t.file in resolved and not self.meanings.is_resolved(t):
                unresolved.append(t.id)
            if t.created and t.finished and t.finished < t.created:
                backwards.append(t.id)
        for word, ids in unknown.items():
            self.notes.add(
                "warning",
                "unknown-status",
                f"{plural(len(ids), 'item has', 'items have')} status {word!r}, which is not known; such work is not "
                f"planned; write in map.yaml under statuses: {word!r}: open (or in-progress, done, cancelled)",
                ids=ids,
            )
        if opposed:
            self.notes.add(
                "warning",
                "status-contradiction",
                f"{plural(len(opposed), 'item has', 'items have')} a resolution and a status that says not done; "
                f"taken as not done: {some(opposed)}",
                ids=opposed,
            )
        if unresolved:
            self.notes.add(
                "info",
                "done-without-resolution",
                f"{plural(len(unresolved), 'item is', 'items are')} done by status and without a resolution, which "
                f"others in the file have; taken as done: {some(unresolved)}",
                ids=unresolved,
            )
        if backwards:
            self.notes.add(
                "warning",
                "finished-before-created",
                f"{plural(len(backwards), 'item')} with a finish before the creation: {some(backwards)}",
                ids=backwards,
            )
        if waiting:
            self.notes.add(
                "info",
                "waiting",
                f"{plural(len(waiting), 'item has', 'items have')} a status that says waiting; taken as any "
                f"other open work ({some(waiting)}); to leave one out of the plan, write in the team file "
                f"work: {{{waiting[0]}: {{on_hold: why}}}}",
                ids=waiting,
            )
        self.unsaid = frozenset(unsaid)
        """Items of whose status the files say nothing."""
        if unsaid:
            self._assume(
                "status", "open", "the export says no status, resolution or closing date",
                "export with the column Status, or work: {ID: {status: done}}", len(unsaid),
            )  # fmt: skip
        return found

    @cached_property
    def words(self) -> dict[str, Status]:
        """What states mean in histories, by the tickets that are in them now."""
        return self.meanings.words_of(self.tickets)

    def _types(self) -> dict[str, WorkType]:
        types: dict[str, WorkType] = {}
        unknown: dict[str, list[str]] = defaultdict(list)

        def of(id: str) -> WorkType:
            if id not in types:
                own = self.meanings.type(self.by_id[id].type)
                parent, outside = self.net.parents.get(id), self.net.parents_known.get(id)
                if own is None and outside is not None and self.known.portfolio is not None:
                    own = self.known.portfolio.work[outside].type
                types[id] = own if own is not None else of(parent) if parent else WorkType.PROJECT
            return types[id]

        for t in self.tickets:
            trail = [t.id, *self.net.ancestors(t.id)]
            for id in reversed(trail):  # from the outside in, so that deep containment needs no deep recursion
                of(id)
            if not self.meanings.type_known(t.type):
                unknown[t.type].append(t.id)
        for name, ids in unknown.items():
            self.notes.add(
                "info",
                "unknown-type",
                f"{plural(len(ids), 'item has', 'items have')} type {name!r}, which is not known, taken as project "
                f"work; to change that, write in map.yaml under types: {name!r}: internal (or change, unplanned)",
                ids=ids,
            )
        return types

    def _as_of(self) -> datetime:
        moments = [
            m
            for t in self.tickets
            for m in (t.created, t.updated, t.started, t.finished, t.category_changed, t.viewed)
            if m is not None
        ]
        if moments:
            self.dated = True
            return max(moments)
        return datetime.fromtimestamp(int(max(file.modified for file in self.loaded)), UTC)

    # -------------------------------------------------------------------------------------------------- the result

    def portfolio(self) -> Portfolio:
        """Raises InputError for a team file that does not fit what was read."""
        team = self.team
        as_of = team.as_of or When(text=utc_text(self.as_of))
        if team.as_of is None:
            why = (
                "the newest timestamp in the files"
                if self.dated
                else "the files hold no timestamp; when they were written"
            )
            self._assume("as_of", str(as_of), why, "as_of: 2026-11-23T08:00")
        for file in self.loaded:
            if not file.zone_known and file.dates:
                self._assume(
                    "zone", "UTC", f"times in {file.file} have no offset, and nothing says of which zone "
                    "they are",
                    "zone: America/Chicago, or --zone",
                )  # fmt: skip
        as_of_moment = as_of.resolve(self.as_of, _zone(self.zone))
        if team.as_of is not None and self.dated and as_of_moment < self.as_of:
            self.notes.add(
                "warning",
                "as-of-before-files",
                f"the team file says as_of: {as_of} ({utc_text(as_of_moment.astimezone(UTC))}), but the newest "
                f"timestamp in the files is {utc_text(self.as_of.astimezone(UTC))}; the plan begins at the older "
                "moment, when some of this had not happened: take as_of out of the team file, or write a newer one",
            )
        estimator = Estimator(
            self.tickets, self.status, set(self.net.children), team.defaults, lambda t: self.types[t.id]
        )
        skills = Skills(self.tickets, self.status, self.people, team, as_of_moment.astimezone(UTC))
        work = self._work(estimator, skills)
        people = self.crew.away(self._people(skills))
        projects = self._projects()
        work = self._patched(work)
        external = self._external(work)
        policy = self._reserved(self._policy(as_of_moment), people)
        simulation = simulation_of(team, people, self.meanings, self._assume, self.notes)
        assumptions = self._assumptions()
        try:
            portfolio = Portfolio(
                as_of=as_of,
                zone=self.zone,
                **({"slot": team.slot} if team.slot is not None else {}),
                currency=team.currency,
                calendars=self.crew.with_days(self.crew.calendars() or {"default": DEFAULT_CALENDAR}),
                skills=dict(team.skills)
                | {
                    skill: f"inferred: {needed.why}"
                    for skill, needed in skills.needed.items()
                    if skill not in team.skills
                }
                | {
                    s: ""
                    for p in (*team.people.values(), *people.values())
                    for s in p.skills
                    if s not in team.skills and s not in skills.needed
                }
                | {n.skill: "" for t in self.tickets for n in t.needs if n.skill and n.skill not in team.skills},
                teams={p.team: Team() for p in people.values() if p.team} | team.teams,
                people=people,
                rotas=team.rotas,
                environments=team.environments,
                services=self._services() | team.services,
                windows=team.windows,
                boards=team.boards,
                freezes=team.freezes,
                projects=projects,
                work=work,
                external=external,
                policy=policy,
                simulation=simulation,
                assumptions=assumptions,
                reading=reading_of(self.meanings.mapping, team, self.options, self.people.also_written()),
            )
        except ValidationError as error:
            raise InputError([problem(e, "the team file") for e in error.errors()]) from None
        whole = self.known.whole(portfolio)
        if unresolved := dangling_references(whole):
            raise InputError(unresolved)
        self._remark(whole)
        self._idle_pins(whole)
        return portfolio

    def _work(self, estimator: Estimator, skills: Skills) -> dict[str, WorkItem]:
        waits: dict[str, list[Link]] = defaultdict(list)
        for edge in self.net.edges:
            waits[edge.second].append(
                made(Link, item=edge.first, type=edge.type, lag=edge.lag, lag_in=edge.lag_in, origin=edge.origin)
            )
        earlier = self.known.portfolio
        known = earlier.work if earlier is not None else {}
        self.onto = {id: tuple(links) for id, links in waits.items() if id not in self.by_id and id in known}
        leaves = self._leaves()
        bearers: Counter[str] = Counter()
        for id in leaves:
            bearers[self._bearer(id)] += 1
        costed = {key for key, project in self.team.projects.items() if _costs(project)}
        doubled: list[str] = []
        work = {}
        for t in self.tickets:
            if (
                t.id not in leaves
                and not t.container
                and (t.original or t.remaining)
                and self.status[t.id] not in HISTORY
            ):
                doubled.append(t.id)
            share = bearers[bearer] if (bearer := self._bearer(t.id)) in bearers else 1
            work[t.id] = self._item(
                t, t.id in leaves, tuple(waits.get(t.id, ())), bearer, share, costed, estimator, skills
            )
        if doubled:
            self.notes.add(
                "info",
                "estimate-of-container",
                f"{plural(len(doubled), 'item has', 'items have')} an own estimate and parts that hold the work; the "
                f"own one is not counted: {some(doubled)}",
                ids=doubled,
            )
        return work

    def _leaves(self) -> set[str]:
        """Open items that hold work themselves: without children, or with finished ones only and an estimate left."""
        leaves = set()
        for t in self.tickets:
            if self.status[t.id] in HISTORY:
                continue
            parts = self.net.children.get(t.id, ())
            if t.container and not parts:
                continue
            if not parts or (t.remaining and all(self._over(part) for part in parts)):
                leaves.add(t.id)
        return leaves

    def _over(self, id: str) -> bool:
        """Whether an item and all it contains are history."""
        seen, stack = set(), [id]
        while stack:
            at = stack.pop()
            if self.status[at] not in HISTORY:
                return False
            if at not in seen:
                seen.add(at)
                stack += self.net.children.get(at, [])
        return True

    def _alive(self, id: str) -> bool:
        """Whether an item is open and so is some of what it contains."""
        return self.status[id] not in HISTORY and not all(map(self._over, self.net.children.get(id, ())))

    def _bearer(self, id: str) -> str:
        """Whose priority counts: the outermost container that is no epic. Its parts share its cost of delay."""
        bearer = id
        for parent in self.net.ancestors(id):
            if fold(self.by_id[parent].type) in EPICS:
                break
            bearer = parent
        return bearer

    def _item(
        self, t: Ticket, leaf: bool, after: tuple[Link, ...], bearer: str, share: int, costed: set[str],
        estimator: Estimator, skills: Skills,
    ) -> WorkItem:  # fmt: skip
        status, type_ = self.status[t.id], self.types[t.id]
        inferred: list[str] = []
        fields: dict[str, Any] = {}
        if not self.meanings.type_known(t.type) or (not t.type):
            inferred.append("type")
        if t.id in self.unsaid:
            inferred.append("status")
        said = self.team.work.get(t.id, {})
        if t.exact and t.needs:
            fields["needs"] = tuple(t.needs)
            if t.duration is not None:
                fields["duration"] = timedelta(minutes=round(t.duration))
        elif t.wait is not None and (leaf or t.exact):
            fields["wait"] = timedelta(minutes=t.wait)
        elif leaf and not t.exact and not t.milestone and not said.keys() & {"needs", "wait"}:
            needs, rests_on = self._needs(t, status, estimator, skills)
            if needs:
                fields["needs"] = needs
                if t.duration is not None and t.original is not None and status is Status.OPEN:
                    fields["duration"] = timedelta(minutes=round(t.duration))
            inferred += rests_on
        # a date weighs nothing without a rate, and that of a project counts from the project's own date
        dated = said["due"] is not None if "due" in said else t.due is not None
        rated = (dated or t.project not in costed) if leaf else (dated and t.project in costed and self._alive(t.id))
        if t.rate is not None:
            fields["cost_of_delay"] = t.rate
        elif rated and not t.exact and "cost_of_delay" not in said:
            priority = self.by_id[bearer].priority if leaf else t.priority
            rate, known = self.meanings.rate(priority)
            if not known:
                self._unknown_priority(priority)
            self.rated += 1
            fields["cost_of_delay"] = rate / share if leaf else rate
            inferred.append("cost_of_delay")
        due = t.due
        if due is None and leaf and not t.exact:
            due = next((d for p in self.net.ancestors(t.id) if (d := self.by_id[p].due) is not None), None)
            if due is not None:
                inferred.append("due")
        if due is not None:
            fields["due"] = when(due)
        if t.planned[0] is not None and status not in HISTORY:
            fields["wanted_start"] = when(t.planned[0])
        if t.not_before is not None and status not in HISTORY:
            fields["not_before"] = when(t.not_before)
        if t.created is not None:
            fields["created"] = when(t.created)
        begun, over = self.meanings.times(t, self.words) if t.history else (None, None)
        started = t.started or begun or (t.category_changed if status is Status.IN_PROGRESS else None)
        if started is not None:
            fields["started"] = when(started)
        if status in HISTORY:
            finished = t.finished or over or t.category_changed
            if finished is not None:
                fields["finished"] = when(finished)
            if t.spent:
                fields["spent"] = timedelta(minutes=t.spent)
        if type_ is WorkType.CHANGE and not t.exact:
            fields["change"] = self._change(t, status)
        if t.on_hold and status not in HISTORY:
            fields["on_hold"] = t.hold or f"on hold in {t.reader.system}"
        return made(
            WorkItem,
            title=t.title,
            type=type_,
            status=status,
            raw_status=t.status or None,
            project=t.project or None,
            parent=self.net.parents.get(t.id) or self.net.parents_known.get(t.id),
            after=after,
            priority=t.priority or None,
            tags=tuple(dict.fromkeys([*t.labels, t.sprint] if t.sprint else t.labels)),
            inferred=tuple(inferred),
            source=self._source(t),
            **fields,
        )

    def _source(self, t: Ticket) -> Source:
        """Where it was read, and what whoever writes back must know."""
        start, end = t.planned
        return made(
            Source,
            file=t.file,
            row=t.row,
            system=t.reader.system,
            other_id=t.aliases[0] if t.aliases else None,
            updated=when(t.updated) if t.updated is not None else None,
            assignee=t.assignee if t.assignee and "@" not in t.assignee else None,  # no address is kept
            planned_start=when(start) if start is not None else None,
            planned_end=when(end) if end is not None else None,
            due=when(t.due) if t.due is not None else None,
        )

    def _needs(
        self, t: Ticket, status: Status, estimator: Estimator, skills: Skills
    ) -> tuple[tuple[Need, ...], list[str]]:
        """Who is needed for how much; and which fields of that are inferred."""
        begun = status is Status.IN_PROGRESS
        name = "remaining" if begun else "effort"
        effort = self._effort(t, begun, estimator)
        if effort.estimate.high == timedelta(0):
            return (), []
        inferred = [f"needs.0.{name}"] if effort.source else []
        if (shares := self._shares(t, effort.estimate)) is not None:
            needs = tuple(
                Need(who=(who,), allocation=units, **({name: work.mean} if begun else {name: work}))
                for who, units, work in shares
            )
            return needs, [f"needs.{i}.{name}" for i in range(len(needs))] if effort.source else []
        amount: dict[str, Any] = {"remaining": effort.estimate.mean} if begun else {"effort": effort.estimate}
        whos = self.people.several(t)
        if len(whos) > 1:
            self._assume(
                "assignees", "any one of them does it", "the export names several people and not who does what",
                "work: {ID: {needs: [{who: NAME, effort: 8h}, {who: OTHER, effort: 8h}]}}",
            )  # fmt: skip
            return (made(Need, who=whos, **amount),), [*inferred, "needs.0.people"]
        if whos:
            ruled = skills.ruled(t)
            known = self.team.people.get(whos[0])
            if ruled is not None and known is not None and known.skills.get(ruled.skill, 0) >= ruled.level:
                return (Need(skill=ruled.skill, level=ruled.level, who=whos, **amount),), inferred
            return (made(Need, who=whos, **amount),), inferred
        rule = skills.needed_by(t)
        stated = rule.skill in {slug(skill) for skill in t.skills}
        return (made(Need, skill=rule.skill, level=rule.level, **amount),), inferred + (
            [] if stated else ["needs.0.skill"]
        )

    def _effort(self, t: Ticket, begun: bool, estimator: Estimator) -> Effort:
        if begun and fold(t.status) in t.reader.review_states:
            self._assume(
                "effort.review", "30m", "the change is implemented, its review is left",
                "work: {CHG1: {needs: [{who: NAME, remaining: 2h}]}}",
            )  # fmt: skip
            return Effort(_HALF_HOUR, "review")
        effort = estimator.remaining(t) if begun else estimator.effort(t)
        if effort.exhausted:
            self._assume(
                "effort.remaining", "30m", "nothing remains of the estimate, but the item is not done",
                "work: {ID: {needs: [{who: NAME, remaining: 8h}]}}",
            )  # fmt: skip
        elif effort.source:
            value, why, override = estimator.reasons[effort.source]
            self._assume(effort.source, value, why, override)
        return effort

    def _shares(self, t: Ticket, whole: Estimate) -> list[tuple[str, float, Estimate]] | None:
        """(person, share of their time, work) of those who work together; None where the export does not say that."""
        together = [share for share in t.crew if share.units is not None or share.minutes is not None]
        if not together:
            return None
        found: dict[str, tuple[float, Estimate]] = {}
        for share in together:
            work = exactly(share.minutes) if share.minutes is not None else divided(whole, len(together))
            if work.high > timedelta(0) and (who := self._member(share, t)) is not None:
                units = min(1.0, max(LEAST_SHARE, 1.0 if share.units is None else share.units))
                if who in found:  # the same person twice, as in two roles
                    work = summed(found[who][1], work)
                found[who] = (units, work)
        return [(who, units, work) for who, (units, work) in found.items()] or None

    def _member(self, share: Share, t: Ticket) -> str | None:
        return self.people.member(share, t.file, t.reader.system)

    def _change(self, t: Ticket, status: Status) -> Change:
        said = self.team.work.get(t.id, {}).get("change") or {}
        told = said.keys() if isinstance(said, dict) else ()
        kind = self.meanings.change_kind(t.change_kind)
        if kind is None and "kind" not in told:
            self._assume(
                "change.kind", "normal", f"kind of change {t.change_kind!r} is not known",
                "work: {CHG1: {change: {kind: standard}}}",
            )  # fmt: skip
        kind = kind or ChangeKind.NORMAL
        risk = risk_points(t.risk) if t.risk else None
        if risk is not None and "risk" not in told:
            self._assume(
                "change.risk", "1 low, 2 moderate, 3 high, 4 very high", "the export rates risk in words or ranks",
                "work: {CHG1: {change: {risk: 8}}}",
            )  # fmt: skip
        approval = None
        if t.reader.authorised_states and status not in HISTORY:
            word = fold(t.approval)
            given = (
                kind is ChangeKind.STANDARD
                or fold(t.status) in t.reader.authorised_states
                or word.startswith(("approved", "aprob", "genehm", "approuv", "aprov"))
            )
            if given:
                approval = Approval(given=True)
            elif kind is ChangeKind.NORMAL and "approval" not in told:
                lead = self.team.defaults.approval_lead
                self._assume(
                    "change.approval", f"{lead / timedelta(days=1):g}d", "normal changes that are not authorised yet",
                    "defaults: {approval_lead: 5d}",
                )  # fmt: skip
                approval = Approval(lead=lead)
        services = tuple(dict.fromkeys(slug(s) or s for s in t.services))
        return Change(kind=kind, services=services, risk=risk, approval=approval)

    def _services(self) -> dict[str, Service]:
        found: dict[str, Service] = {}
        for t in self.tickets:
            if self.types[t.id] is WorkType.CHANGE:
                for name in t.services:
                    found.setdefault(slug(name) or name, Service(title=name))
        return found

    def _unknown_priority(self, priority: str) -> None:
        what = f"priority {priority!r} is not known" if priority else "the item states no priority"
        self._assume(
            f"priority.{priority}" if priority else "priority",
            "medium",
            what,
            f"defaults: {{cost_of_delay: {{{priority or 'medium'!r}: 3000/week}}}}",
        )

    def _people(self, skills: Skills) -> dict[str, Person]:
        held: dict[str, dict[str, int]] = defaultdict(dict)
        for skill, needed in skills.needed.items():
            for person in sorted(needed.holders):
                held[person][skill] = 1
        default = self.team.defaults.productive
        assumed = 0
        people: dict[str, Person] = {}
        for id in [*self.team.people, *(p for p in self.people.names if p not in self.team.people)]:
            known = self.team.people.get(id)
            said: dict[str, Any] = {}
            inferred: list[str] = []
            if known is not None:
                said = {name: getattr(known, name) for name in Person.model_fields if name in known.model_fields_set}
            else:
                said["name"] = self.people.names[id]
                said |= self.crew.said(id)
                if "calendar" not in said:
                    inferred.append("calendar")
            if more := held.get(id):
                said["skills"] = {**more, **said.get("skills", {})}
                inferred.append("skills")
            if said.get("productive") is None:
                calendars = self.crew.calendars()
                calendar = calendars.get(said.get("calendar") or next(iter(calendars), ""))
                if calendar is not None and "productive" in calendar.model_fields_set:
                    pass
                elif default is not None:
                    said["productive"] = default
                elif not calendars:  # calendars that a person wrote are taken as written
                    said["productive"] = PRODUCTIVE
                    inferred.append("productive")
                    assumed += 1
            people[id] = Person(**said | {"inferred": tuple(inferred)})
        if assumed:
            self._assume(
                "productive-hours", f"{PRODUCTIVE:.0%}", "meetings, mail and small things take the rest",
                "defaults: {productive: 75%}, or productive of a person or calendar", assumed,
            )  # fmt: skip
        invented: list[str] = []
        for skill, needed in skills.needed.items():
            if not needed.holders and not any(skill in person.skills for person in people.values()):
                id, n = f"{skill}-1", 1
                while id in people:
                    n += 1
                    id = f"{skill}-{n}"
                people[id] = Person(
                    name=f"someone for {skill}", skills={skill: 1},
                    productive=default or (None if self.crew.calendars() else PRODUCTIVE),
                    inferred=("name", "skills", "calendar", "productive"),
                )  # fmt: skip
                invented.append(skill)
        if invented:
            self._assume(
                "placeholder-people", "one person for each such skill", "nobody in the files did or holds such work: "
                f"{some(invented)}", f"people: {{NAME: {{skills: [{invented[0]}]}}}}", len(invented),
            )  # fmt: skip
        if len(people) > len(self.team.people) and not self.crew.calendars():
            self._assume(
                "calendar", "Mon-Fri 09:00-17:00", "the export knows no working hours", "calendars: "
                "{office: {hours: ...}}",
                len(people),
            )  # fmt: skip
        unknown = [id for id in self.people.names if id not in self.team.people]
        if self.team.people and unknown and self.known.portfolio is None:  # else replanning tells who is new
            held_by = Counter(dict.fromkeys(unknown, 0))
            for label, id in self.people.ids.items():
                held_by[id] += self.people.labels[label]
            counted = [f"{id} ({plural(held_by[id], 'item')})" for id in unknown]
            self.notes.add(
                "info",
                "unknown-person",
                f"{plural(len(unknown), 'assignee is', 'assignees are')} not in the team file, with default hours: "
                f"{some(counted)}; write in the team file people: {{{unknown[0]}: {{skills: [...]}}}}, or the name "
                "under aliases of somebody who is there",
                ids=unknown,
            )
        self.people.tell(self.notes)
        if self.people.namesakes:
            self.notes.add(
                "info", "namesakes",
                f"{plural(len(self.people.namesakes), 'assignee name stands', 'assignee names stand')} "
                "for several accounts, taken as several people", count=len(self.people.namesakes),
            )  # fmt: skip
        return people

    def _projects(self) -> dict[str, Project]:
        projects: dict[str, Project] = {}
        for t in self.tickets:
            if t.project and t.project not in projects:
                projects[t.project] = Project(title=t.project_title)
        for file in self.loaded:
            projects |= file.projects
        for key, said in self.team.projects.items():
            old = projects.get(key)
            projects[key] = said if old is None or said.title else said.model_copy(update={"title": old.title})
        return projects

    def _policy(self, as_of: datetime) -> Policy:
        """The team file's policy, and the starts that the files fix; a decision of the team file counts first."""
        decided = {pin.work for pin in self.team.policy.pins}
        pins, past = [], []
        for t in self.tickets:
            if t.pinned is None or self.status[t.id] is not Status.OPEN or t.id in decided:
                continue
            if t.pinned < as_of:
                past.append(t.id)
            else:
                pins.append(Pin(work=t.id, start=when(t.pinned)))
        if past:
            self.notes.add(
                "warning",
                "pinned-in-the-past",
                f"{plural(len(past), 'item', 'items')} must start at a moment that has passed, and has not begun; not "
                f"held to it: {some(past)}",
                ids=past,
            )
        return (
            self.team.policy.model_copy(update={"pins": (*self.team.policy.pins, *pins)}) if pins else self.team.policy
        )

    def _reserved(self, policy: Policy, people: Mapping[str, Person]) -> Policy:
        """``reserve: learned`` as the hours that were learned, of skills that somebody holds."""
        learned = self.team.defaults.learned
        if learned is None or policy.reserve != "learned":
            return policy
        held = {skill for person in people.values() for skill in person.skills}
        kept = {skill: known.weekdays for skill, known in learned.demand.items() if skill in held and known.weekdays}
        for skill in kept:
            known = learned.demand[skill]
            self._assume(
                f"reserve.{skill}", f"{known.reserve / timedelta(hours=1):.4g}h/week",
                f"enough for the unplanned work of 80 % of {known.weeks} weeks",
                f"policy: {{reserve: {{{skill}: 6h/week}}}}",
            )  # fmt: skip
        if nobody := sorted(learned.demand.keys() - held):
            self.notes.add(
                "warning",
                "reserve-nobody",
                f"unplanned work was learned of {plural(len(nobody), 'skill')} that nobody holds, and no reserve is "
                f"kept for it: {some(nobody)}; write in the team file who holds it, under people",
            )
        return policy.model_copy(update={"reserve": kept})

    def _external(self, work: Mapping[str, WorkItem]) -> dict[str, External]:
        stubs = dict.fromkeys(d.target for d in self.net.dangling)
        known = {id: stub for file in self.loaded for id, stub in file.outside.items()}
        for id, (title, status) in self.net.stubs.items():
            shown, last = known.get(id, ("", Status.UNKNOWN))
            known[id] = title or shown, status if status is not Status.UNKNOWN else last
        found = {target: _external(*known.get(target, ("", Status.UNKNOWN))) for target in stubs}
        for file in self.loaded:
            found |= file.external
        if self.known.portfolio is not None:
            before = self.known.portfolio.external
            found = {id: before.get(id, stub) if _nothing_known(stub) else stub for id, stub in found.items()}
        found |= self.team.external
        return {id: stub for id, stub in found.items() if id not in work}

    def _patched(self, work: dict[str, WorkItem]) -> dict[str, WorkItem]:
        """What the team file says of items, field by field."""
        problems: list[Finding] = []
        absent: list[str] = []
        for id, said in self.team.work.items():
            if id not in work and "title" not in said:
                if self.known.portfolio is None or id not in self.known.portfolio.work:
                    absent.append(id)
                continue
            try:
                work[id] = patched(work.get(id), said, f"the team file, work.{id}", f"work.{id}")
            except InputError as error:
                problems += error.findings
        if problems:
            raise InputError(problems)
        if absent:
            self.notes.add(
                "warning",
                "not-in-files",
                f"the team file speaks of {plural(len(absent), 'item')} not in the files, and is not followed there: "
                f"{some(absent)}; a new item needs a title",
                ids=absent,
            )
        return work

    # ----------------------------------------------------------------------------------------------- what to tell

    def _assume(self, about: str, value: str, why: str, override: str, count: int = 1) -> None:
        self.used[about, value, why, override] += count

    def _assumptions(self) -> tuple[Assumption, ...]:
        if self.rated:
            rates = [self.meanings.rate(name)[0] for name in RANKS]
            table = ", ".join(f"{name} {rate:g}" for name, rate in zip(RANKS, rates, strict=True))
            why = "an export states priorities, not costs" if tuple(rates) == DEFAULT_RATES else "the team file says so"
            self._assume(
                "cost_of_delay", f"{table} a week", why, "defaults: {cost_of_delay: {highest: 20000/week}}", self.rated
            )
        return tuple(
            Assumption(about=about, value=value, why=why, override=override, count=count)
            for (about, value, why, override), count in self.used.items()
        )

    def _remark(self, portfolio: Portfolio) -> None:
        from throttle.graph import WorkGraph

        work = portfolio.work
        live = {id: item for id, item in work.items() if item.status not in HISTORY}
        if not live:
            what = "all items are done or cancelled" if work else "the files hold no work"
            self.notes.add("warning", "nothing-open", f"{what}: there is nothing to plan")
        if any(item.after for item in live.values()):
            for chain in WorkGraph(portfolio).cycles():
                self.notes.add(
                    "warning",
                    "cycle",
                    f"{' -> '.join(chain)} wait for each other; take one of these links out before planning",
                    ids=chain[:-1],
                    count=1,
                )
        blocked = defaultdict(list)
        for id, item in live.items():
            for link in item.after:
                stub = portfolio.external.get(link.item)
                if stub is not None and stub.status is not Status.DONE and stub.expected is None:
                    blocked[link.item].append(id)
        if blocked and portfolio.policy.externals == "hold":
            ids = list(dict.fromkeys(id for found in blocked.values() for id in found))
            self.notes.add(
                "warning",
                "external-blocker",
                f"{plural(len(ids), 'item waits', 'items wait')} for {plural(len(blocked), 'ticket')} not in the "
                f"files, of unknown state: the plan leaves such work out ({some(list(blocked))}); write in the team "
                f"file external: {{{next(iter(blocked))}: "
                "{status: done}} or expected: a date, or for all of them policy: {externals: assume-done}",
                ids=ids,
            )
        planned = [item for id, item in live.items() if item.needs]
        rates = {item.cost_of_delay for item in planned}
        ranks = {rank(item.priority) if item.priority else None for item in planned}
        due = any(item.due for item in live.values()) or any(p.due for p in portfolio.projects.values())
        linked = any(link.item in live for item in live.values() for link in item.after)
        costed = any(map(_costs, portfolio.projects.values()))
        if len(planned) > 1 and not due and not linked and not costed and (len(rates) <= 1 or len(ranks) <= 1):
            self.notes.add(
                "warning",
                "defaults-decide-order",
                "no due dates, no links and no differing priorities: defaults alone decide the order of work; "
                "give costs "
                "or due dates in the team file, such as projects: {ABC: {cost_of_delay: 20000/week, due: 2026-12-18}}",
            )

    def _idle_pins(self, portfolio: Portfolio) -> None:
        """Pins that hold nothing: of containers, of what is over, and of what no plan has."""
        containers = {item.parent for item in portfolio.work.values()}
        kinds: dict[str, list[str]] = defaultdict(list)
        for pin in portfolio.policy.pins:
            item = portfolio.work.get(pin.work)
            if item is None:
                continue
            if item.status in HISTORY:
                if self.known.portfolio is None:  # later on it is in the nature of things
                    kinds["done or cancelled: take the pin out"].append(pin.work)
            elif item.status is Status.UNKNOWN:
                kinds["of unknown status, and not planned: say what the status means, in map.yaml"].append(pin.work)
            elif pin.work in containers and not item.needs:
                kinds["made of other items, which hold the work: pin those"].append(pin.work)
        for what, ids in kinds.items():
            self.notes.add(
                "warning",
                "pin-without-effect",
                f"{plural(len(ids), 'pin')} of policy.pins without effect: {some(ids)} "
                f"{'is' if len(ids) == 1 else 'are'} {what}",
                ids=ids,
            )

    def stated(self) -> dict[str, Stated]:
        """By file, what it has columns or fields for; a document has those that any of its records shows."""
        found: dict[str, Stated] = {}
        for file in self.loaded:
            means = {use.meaning.means for use in file.uses}
            links = {use.header for use in file.uses if use.meaning.means in _LINKS}
            links |= {tie.origin for t in file.tickets for tie in t.links}
            due = Column.DUE in means or any(t.due is not None for t in file.tickets)
            before = found.get(file.file, Stated())
            found[file.file] = Stated(before.due or due, before.links | links)
        return found

    def report(self, portfolio: Portfolio) -> IngestReport:
        """The account. Raises AssertionError where rows are lost, which would be a defect of ours."""
        read = sum(file.rows_read for file in self.loaded)
        others = sum(len(file.resources) + len(file.days_off) for file in self.loaded) - len(self.crew.rejections)
        imported = len(self.tickets) + others
        if read != imported + self.merged + len(self.rejections):
            raise AssertionError(
                f"{read} rows read, but {imported} imported, {self.merged} merged, {len(self.rejections)} rejected"
            )
        kept = Counter(t.file for t in self.tickets)
        for file in self.loaded:
            kept[file.file] += len(file.resources) + len(file.days_off)
        for rejection in self.crew.rejections:
            kept[rejection.file] -= 1
        refused = Counter(rejection.file for rejection in self.rejections)
        planned = {
            id: sum(((n.remaining if n.remaining is not None else n.effort.mean if n.effort else timedelta(0)) for n in
                     item.needs), timedelta(0)) / timedelta(hours=1)
            for id, item in portfolio.work.items()
            if item.needs
        }  # fmt: skip
        whole = self.known.whole(portfolio).work
        edges = tuple(
            made(
                EdgeRead,
                predecessor=e.first,
                successor=e.second,
                type=e.type,
                lag=e.lag,
                origin=e.origin,
                certainty="stated" if {e.first, e.second} <= whole.keys() else "external",
            )
            for e in self.net.edges
        )
        out = left_out(portfolio)
        items = tuple(
            made(
                ItemRead,
                id=t.id,
                type=portfolio.work[t.id].type,
                status=portfolio.work[t.id].status,
                project=portfolio.work[t.id].project,
                parent=portfolio.work[t.id].parent,
                estimate_hours=None if t.original is None else round(t.original / 60, 4),
                planned_hours=round(planned[t.id], 4) if t.id in planned else None,
                left_out=out.get(t.id) if t.id in planned else None,
            )
            for t in self.tickets
        )
        return IngestReport(
            rows_read=read,
            imported=imported,
            merged=self.merged,
            rejected=len(self.rejections),
            rejections=tuple(
                RejectedRow(file=r.file, row=r.row, column=r.column, reason=r.reason) for r in self.rejections
            ),
            files=tuple(
                FileRead(
                    name=f.file,
                    reader=f.reader.name,
                    rows=f.rows_read,
                    imported=kept[f.file],
                    merged=f.rows_read - kept[f.file] - refused[f.file],
                    rejected=refused[f.file],
                    encoding=f.encoding.name,
                    encoding_why=f.encoding.why,
                    zone=f.zone,
                    dates={d.header: d.name for d in f.dates if d.name},
                    columns={u.header: m for u in f.uses if (m := u.meaning.means.value) != "ignore"},
                )
                for f in self.loaded
            ),
            items=items,
            edges=edges,
            dangling=tuple(self.net.dangling),
            estimate_hours=round(sum(t.original or 0 for t in self.tickets) / 60, 4),
            planned_hours=round(sum(planned.values()), 4),
            planned_windows=sum(None not in t.planned for t in self.tickets),
            findings=tuple(self.notes.findings),
        )


def left_out(portfolio: Portfolio) -> dict[str, str]:
    """Items that a plan leaves out, as far as an import can tell, to the reason."""
    work, children = portfolio.work, defaultdict(list)
    waiting: dict[str, list[str]] = defaultdict(list)
    found: dict[str, str] = {}
    for id, item in work.items():
        if item.parent is not None:
            children[item.parent].append(id)
        for link in item.after:
            waiting[link.item].append(id)
        if item.status is Status.UNKNOWN:
            found[id] = "unknown status"
        elif item.on_hold and item.status not in HISTORY:
            found[id] = "on hold"
    stack = list(found)
    if portfolio.policy.externals == "hold":
        outside = portfolio.external.items()
        stack += [id for id, stub in outside if stub.status not in HISTORY and stub.expected is None and id in waiting]
    while stack:
        at = stack.pop()
        why = found.get(at, "waiting")
        within = [(id, why) for id in children.get(at, ()) if why != "unknown status"]
        later = [(id, "waiting") for id in waiting.get(at, ())]
        if at in work and (parent := work[at].parent) is not None:  # what waits for a container waits for all in it
            later += [(id, "waiting") for id in waiting.get(parent, ())]
        for id, reason in [*within, *later]:
            if id not in found and work[id].status not in HISTORY:
                found[id] = reason
                stack.append(id)
    return found


def _nothing_known(stub: External) -> bool:
    return stub.status is Status.UNKNOWN and stub.expected is None


def _external(title: str, status: Status) -> External:
    """A stub; cancelled work will not come, so nothing waits for it: as good as done."""
    return External(title=title, status=Status.DONE if status is Status.CANCELLED else status)


_HALF_HOUR = Estimate(low=timedelta(minutes=30), likely=timedelta(minutes=30), high=timedelta(minutes=30))


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _costs(project: Project) -> bool:
    return bool(project.cost_of_delay or project.costs or project.makespan)
