"""What a portfolio must satisfy beyond its shape: every reference resolves, and no two statements contradict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from throttle_models.base import Finding
from throttle_models.policy import Pin
from throttle_models.portfolio import Portfolio
from throttle_models.quantities import When
from throttle_models.work import ChangeKind, Costs, Need, Status, WorkType

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
"""Moments outside are refused: the grid of a plan counts from the first, and no horizon reaches the other."""
_OUT_OF_RANGE = "lies before 1970 or after 2199; correct the date"

_SUGGESTIONS = 50
"""Nearest names are looked for this often at most: it takes time in proportion to the number of names."""

Path = tuple[str | int, ...]


def dangling_references(portfolio: Portfolio) -> list[Finding]:
    """Every reference that does not resolve and every contradiction, as errors in the order of the portfolio.

    Covered: references between the maps (links reach ``work`` and ``external``), empty ids, ids that are both work and
    external or project, cycles of ``parent``, slots that do not fit an hour or a day, costs without the date they count
    from, freezes that end before they begin, finishes before starts, dates that cannot be reckoned with, and pins of
    nothing or of an item that has one. Cycles of links are not: they need the graph. Skills are only checked against
    ``skills`` where that declares any.
    """
    check = _Check(portfolio)
    check.basics()
    check.people()
    check.places()
    check.work()
    check.policy()
    return check.findings


def contradictions(portfolio: Portfolio) -> list[Finding]:
    """Dates and amounts of one item that cannot all be right, though a plan can be made: a warning for each kind.

    A finding names the first place and counts the rest; ``ids`` has all. Dates that cannot be reckoned with are left to
    :func:`dangling_references`.
    """
    zone = ZoneInfo(portfolio.zone)
    as_of = _instant(portfolio.as_of, FIRST, zone) or LAST
    found: dict[tuple[str, str], list[Path]] = {}

    def when(value: When | None, end_of_day: bool = False) -> datetime | None:
        return _instant(value, as_of, zone, end_of_day) if value else None

    def before(one: When | None, other: When | None) -> bool:
        """Whether all of the one, which may be a whole day, lies before the other."""
        first, last, then = when(one), when(one, True), when(other)
        return first is not None and last is not None and then is not None and first < then and last <= then

    def note(field_: str, sentence: str, *at: str | int) -> None:
        found.setdefault((field_, sentence), []).append((*at, *field_.split(".")))

    for key, item in portfolio.work.items():
        started, finished = when(item.started), when(item.finished)
        if finished and finished > as_of:
            note("finished", "lies after as_of; correct one of them", "work", key)
        if before(item.finished, item.created):
            note("created", "lies after finished; correct one of them", "work", key)
        if started and started > as_of and item.status == Status.IN_PROGRESS:
            note("started", "lies after as_of, though it is in progress; correct one of them", "work", key)
        for i, need in enumerate(item.needs):
            if need.remaining is not None and need.effort is not None and need.remaining > need.effort.high:
                note("remaining", "is more than the effort's high; correct one of them", "work", key, "needs", i)
    planned = {key: item for key, item in portfolio.work.items() if item.status not in (Status.DONE, Status.CANCELLED)}
    for name, entries in (("projects", portfolio.projects), ("work", planned)):
        for key, entry in entries.items():
            if before(entry.due, entry.not_before):
                note("due", "lies before not_before; correct one of them", name, key)
    return [
        Finding(
            level="warning",
            code="contradiction",
            message=f"{_dotted(places[0])}{f' (and {len(places) - 1} more)' if len(places) > 1 else ''}: {sentence}",
            ids=tuple(dict.fromkeys(str(path[1]) for path in places)),
            path=_dotted(places[0]),
            count=len(places),
        )
        for (_, sentence), places in found.items()
    ]


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def _instant(when: When, as_of: datetime, zone: ZoneInfo, end_of_day: bool = False) -> datetime | None:
    """The moment in UTC; None where it cannot be reckoned with."""
    try:
        instant = when.resolve(as_of, zone, end_of_day).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return instant if FIRST <= instant < LAST else None


@dataclass
class _Check:
    p: Portfolio
    findings: list[Finding] = field(default_factory=list)
    near: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.p.zone)
        self.as_of = FIRST
        self.linkable = {**self.p.work, **self.p.external}

    def error(self, code: str, path: Path, sentence: str, *ids: str) -> None:
        where = _dotted(path)
        self.findings.append(
            Finding(level="error", code=code, message=f"{where}: {sentence}", ids=tuple(map(str, ids)), path=where)
        )

    def names(
        self, kind: str, targets: Iterable[str | None], known: Collection[str], path: Path, several: bool
    ) -> None:
        """Each target must be known. ``path`` leads to the field, ``several`` says that it is a list."""
        for i, target in enumerate(targets):
            if target is None or target in known:
                continue
            place = _PLACES[kind]
            nearest = self.nearest(kind, target, known)
            remedy = (
                f"write {nearest!r} if that is meant, or declare it there" if nearest else "declare it or correct it"
            )
            self.error(
                f"unknown-{kind}" if kind != "link" else "dangling-link",
                (*path, i) if several else path,
                f"names {target!r}, which is not in {place}; {remedy}",
                *(str(part) for part in path[1:2]),
                target,
            )

    def nearest(self, kind: str, target: str, known: Collection[str]) -> str:
        if (kind, target) not in self.near:
            if len(self.near) >= _SUGGESTIONS:
                return ""
            self.near[kind, target] = next(iter(get_close_matches(target, known, n=1, cutoff=0.6)), "")
        return self.near[kind, target]

    def skills(self, skills: Iterable[str | None], path: Path, several: bool = False) -> None:
        if self.p.skills:
            self.names("skill", skills, self.p.skills, path, several)

    def moment(self, when: When | None, path: Path, end_of_day: bool = False) -> datetime | None:
        if when is None:
            return None
        if instant := _instant(when, self.as_of, self.zone, end_of_day):
            return instant
        self.error("date-out-of-range", path, _OUT_OF_RANGE, *map(str, path[1:2]))
        return None

    def basics(self) -> None:
        p = self.p
        try:
            datetime.fromisoformat(p.as_of.text)
        except ValueError:
            self.error("as-of", ("as_of",), "must be a date or a moment itself: other dates are counted from it")
        else:
            self.as_of = self.moment(p.as_of, ("as_of",)) or FIRST
        minutes = p.slot.total_seconds() / 60
        if minutes < 1 or minutes % 1 or (60 % minutes and (minutes % 60 or 1440 % minutes)):
            self.error(
                "slot",
                ("slot",),
                "must divide an hour, such as 15m or 30m, or be whole hours that divide a day, such as 2h",
            )
        for name in _MAPS:
            for key in getattr(p, name):
                if not key or key != key.strip():
                    self.error("empty-id", (name, key), "an id is not empty and has no space around it; rename it", key)

    def people(self) -> None:
        p = self.p
        for key, person in p.people.items():
            at = ("people", key)
            self.names("team", [person.team], p.teams, (*at, "team"), False)
            self.names("calendar", [person.calendar], p.calendars, (*at, "calendar"), False)
            for skill in person.skills:
                self.skills([skill], (*at, "skills", skill))
            for i, lending in enumerate(person.lent_to):
                self.names("team", [lending.team], p.teams, (*at, "lent_to", i, "team"), False)
                self.moment(lending.until, (*at, "lent_to", i, "until"), True)
            if sum(lending.share for lending in person.lent_to if lending.until is None) > 1 + 1e-9:
                self.error("lent-too-much", (*at, "lent_to"), "lends more than all time there is; correct it", key)
        for key, rota in p.rotas.items():
            self.names("person", rota.people, p.people, ("rotas", key, "people"), True)
            if not rota.people:
                self.error("rota-of-nobody", ("rotas", key, "people"), "names nobody; say who is on call, in turn", key)
            if rota.every < timedelta(hours=1):
                sentence = "a turn takes an hour at least; write for example 7d"
                self.error("rota-without-turns", ("rotas", key, "every"), sentence, key)
            if not FIRST.date() <= rota.first <= LAST.date():
                self.error("date-out-of-range", ("rotas", key, "first"), _OUT_OF_RANGE, key)

    def places(self) -> None:
        p = self.p
        for key, environment in p.environments.items():
            self.names("calendar", [environment.calendar], p.calendars, ("environments", key, "calendar"), False)
        for key, service in p.services.items():
            self.names("service", service.depends_on, p.services, ("services", key, "depends_on"), True)
        for key, window in p.windows.items():
            for skill in window.overhead:
                self.skills([skill], ("windows", key, "overhead", skill))
        for i, freeze in enumerate(p.freezes):
            self.names("service", freeze.services, p.services, ("freezes", i, "services"), True)
            first = self.moment(freeze.from_, ("freezes", i, "from"))
            last = self.moment(freeze.to, ("freezes", i, "to"), True)
            if first and last and last <= first:
                self.error("freeze-reversed", ("freezes", i), "ends before it begins; exchange from and to")

    def work(self) -> None:
        p = self.p
        for key, project in p.projects.items():
            at = ("projects", key)
            if key in p.work:  # a plan names both by id
                self.error("id-twice", at, "is also the id of an item in work; rename one of them", key)
            self.moment(project.not_before, (*at, "not_before"))
            self.costs(project.costs, self.moment(project.due, (*at, "due"), True), None, at)
        for key, external in p.external.items():
            self.moment(external.expected, ("external", key, "expected"))
            if key in p.work:
                self.error("id-twice", ("external", key), "is also the id of an item in work; remove one of them", key)
        for key, item in p.work.items():
            at = ("work", key)
            self.names("project", [item.project], p.projects, (*at, "project"), False)
            self.names("item", [item.parent], p.work, (*at, "parent"), False)
            self.needs(item.needs, (*at, "needs"))
            for i, link in enumerate(item.after):
                self.names("link", [link.item], self.linkable, (*at, "after", i), False)
            for environment in item.environment:
                self.names("environment", [environment], p.environments, (*at, "environment", environment), False)
            if item.change:
                self.names("service", item.change.services, p.services, (*at, "change", "services"), True)
                self.names("window", [item.change.window], p.windows, (*at, "change", "window"), False)
                if p.boards and item.change.approval:
                    board = [item.change.approval.board]
                    self.names("board", board, p.boards, (*at, "change", "approval", "board"), False)
            if item.verify and item.verify.by != "implementer":
                self.skills([item.verify.by], (*at, "verify", "by"))
            for skill in item.interest:
                self.skills([skill], (*at, "interest", skill))
            if item.change and item.change.approval:
                self.moment(item.change.approval.asked, (*at, "change", "approval", "asked"))
            self.moment(item.not_before, (*at, "not_before"))
            self.moment(item.created, (*at, "created"))
            wanted = self.moment(item.wanted_start, (*at, "wanted_start"))
            self.costs(item.costs, self.moment(item.due, (*at, "due"), True), wanted, at)
            started = self.moment(item.started, (*at, "started"))
            finished = self.moment(item.finished, (*at, "finished"), True)
            # What an importer read is history that no plan rests on; importers report it themselves.
            if started and finished and finished < started and item.source is None:
                self.error("dates-contradict", (*at, "finished"), "lies before started; correct one of them", key)
        for chain in _cycles({key: item.parent for key, item in p.work.items()}):
            self.error(
                "parent-cycle",
                ("work", chain[0], "parent"),
                f"contains itself: {' -> '.join((*chain, chain[0]))}; remove one of these parents",
                *chain,
            )

    def needs(self, needs: Iterable[Need], path: Path) -> None:
        for i, need in enumerate(needs):
            self.skills([need.skill], (*path, i, "skill"))
            self.names("person", need.who, self.p.people, (*path, i, "who"), True)

    def costs(self, costs: Costs | None, due: datetime | None, wanted: datetime | None, at: Path) -> None:
        if costs and costs.tardiness is not None and due is None:
            self.error("cost-without-due", (*at, "costs", "tardiness"), "counts from a due date; add due", str(at[1]))
        if costs and costs.earliness is not None and wanted is None:
            where = "add wanted_start" if at[0] == "work" else "give it to an item with wanted_start instead"
            self.error(
                "cost-without-wanted-start",
                (*at, "costs", "earliness"),
                f"counts from a wanted start; {where}",
                str(at[1]),
            )

    def limit(self, limit: str, at: Path) -> None:
        """A limit that an override names."""
        p = self.p
        known = ["policy.projects_in_process", "policy.person_wip", "policy.rope"]
        known += [f"policy.wip.{kind}" for kind in WorkType]
        known += [f"{section}.{key}.wip" for section in ("teams", "people") for key in getattr(p, section)]
        if limit not in known:
            nearest = self.nearest("limit", limit, known)
            remedy = f"write {nearest!r} if that is meant" if nearest else "write policy.rope or teams.ID.wip, say"
            self.error(
                "unknown-limit", at, f"names {limit!r}, which is no limit that can be overridden; {remedy}", limit
            )

    def simulation(self) -> None:
        p, said = self.p, self.p.simulation
        held = {*p.skills, *(skill for person in p.people.values() for skill in person.skills)}
        unplanned = said.unplanned if isinstance(said.unplanned, dict) else {}
        for skill in unplanned:
            self.names("skill", [skill], held, ("simulation", "unplanned", skill), True)
        self.names("skill", said.tests.skills, held, ("simulation", "tests", "skills"), True)
        tests = [id for id in said.tests.by if "~" not in id]  # inserted work is not in the portfolio
        self.names("item", tests, p.work, ("simulation", "tests", "by"), False)
        changes = [id for id in said.changes.by if "~" not in id]
        known = {*p.work, *p.services, *ChangeKind}
        self.names("risk", changes, known, ("simulation", "changes", "by"), False)

    def policy(self) -> None:
        p, policy = self.p, self.p.policy
        if policy.drum != "auto":
            held = {skill for person in p.people.values() for skill in person.skills}
            self.names(
                "drum", [policy.drum], {**p.people, **p.skills, **dict.fromkeys(held)}, ("policy", "drum"), False
            )
        if isinstance(policy.reserve, dict):
            held = {skill for person in p.people.values() for skill in person.skills}
            for about in policy.reserve:
                known = {**p.people, **p.skills, **dict.fromkeys(held)}
                self.names("reserve", [about], known, ("policy", "reserve", about), False)
        pinned: set[str] = set()
        for i, pin in enumerate(policy.pins):
            at = ("policy", "pins", i)
            if pin.work in pinned:
                self.error("pinned-twice", at, f"{pin.work} is pinned twice; write one pin that says all", pin.work)
            elif pin.start is None and not pin.who and pin.window is None and pin.on is None:
                self.error("empty-pin", at, f"pins nothing of {pin.work}; add start, who or window", pin.work)
            pinned.add(pin.work)
            self.names("item", [pin.work], p.work, (*at, "work"), False)
            self.names("person", pin.who, p.people, (*at, "who"), True)
            self.names("window", [pin.window], p.windows, (*at, "window"), False)
            self.moment(pin.start, (*at, "start"))
            on = self.moment(pin.on, (*at, "on"))
            if pin.window is not None or on is not None:
                self.pinned_window(pin, on, at)
        self.simulation()
        for key, planned in p.planned.items():
            if "~" not in key:  # inserted work is not in the portfolio
                self.names("item", [key], p.work, ("planned", key), False)
            self.names("person", planned.who, p.people, ("planned", key, "who"), True)
            self.moment(planned.start, ("planned", key, "start"))
        for i, override in enumerate(policy.overrides):
            at = ("policy", "overrides", i)
            self.names("override", [override.item], {**p.work, **p.projects}, (*at, "item"), False)
            self.limit(override.limit, (*at, "limit"))
        for i, rule in enumerate(policy.rules):
            at = ("policy", "rules", i)
            self.names("service", rule.when.services, p.services, (*at, "when", "services"), True)
            for j, inserted in enumerate(rule.require):
                self.needs(inserted.needs, (*at, "require", j, "needs"))
                for name in inserted.environment:
                    self.names("environment", [name], p.environments, (*at, "require", j, "environment", name), False)

    def pinned_window(self, pin: Pin, on: datetime | None, at: Path) -> None:
        """The window is that of the change, and has an occurrence that begins on the day."""
        item = self.p.work.get(pin.work)
        own = item.change.window if item and item.change else None
        known = {*self.p.windows, None}
        if item is None or pin.window not in known or own not in known:
            return  # told already
        if own is None or pin.window not in (None, own):
            what = "has no change with a window" if own is None else f"runs in window {own}"
            self.error("pin-window", at, f"{pin.work} {what}; write the window in its change: too", pin.work)
        elif on is not None and own in self.p.windows:
            day = on.astimezone(self.zone).date()
            if all(weekday != day.weekday() for weekday, _, _ in self.p.windows[own].every.ranges):
                self.error(
                    "pin-day", (*at, "on"), f"no occurrence of {own} begins on {day:%a %Y-%m-%d}; correct it", pin.work
                )


_MAPS = (
    "calendars", "skills", "teams", "people", "rotas", "environments",
    "services", "windows", "boards", "projects", "work", "external",
)  # fmt: skip

_PLACES = {
    "team": "teams",
    "calendar": "calendars",
    "skill": "skills",
    "person": "people",
    "service": "services",
    "project": "projects",
    "item": "work",
    "risk": "work, services or the kinds of changes",
    "link": "work or external",
    "environment": "environments",
    "window": "windows",
    "board": "boards",
    "drum": "people or skills",
    "reserve": "people or skills",
    "override": "work or projects",
}


def _cycles(parents: dict[str, str | None]) -> Iterator[tuple[str, ...]]:
    """The loops of a map of each one's parent, each once, from its first id in the order of the map."""
    seen: set[str] = set()
    for start in parents:
        chain: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in seen and at not in chain:
            chain[at] = None
            at = parents.get(at)
        if at in chain and at is not None:
            loop = list(chain)
            yield tuple(loop[loop.index(at) :])
        seen.update(chain)
