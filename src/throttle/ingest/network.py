"""Tickets as a network: one ticket for each id, containment without loops, precedence with its direction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from throttle.ingest.meanings import Meanings
from throttle.ingest.notes import Notes, some
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import Rejection, Step, Ticket, Tie
from throttle.ingest.report import DanglingLink
from throttle.ingest.same import fill_blanks, same_tickets
from throttle.ingest.tickets import FIELDS, Loaded
from throttle.wording import plural
from throttle_models import LagKind, LinkType, Status
from throttle_models.quantities import WORK, parse_minutes


@dataclass(frozen=True, slots=True)
class Edge:
    """One precedence; either end may be outside the files."""

    first: str
    second: str
    type: LinkType
    origin: str
    lag: str = "0"
    lag_in: LagKind | None = None


def unite(loaded: Sequence[Loaded], meanings: Meanings, notes: Notes) -> tuple[list[Ticket], int, list[Rejection]]:
    """One ticket for each id, and one for what two systems hold of the same. Also the rows merged, and rejected.

    Of rows with the same id the one of the highest version, else the one updated last counts; the states of all of them
    become its history.
    """
    kept: dict[str, Ticket] = {}
    rows: dict[str, list[Ticket]] = {}
    merged: list[str] = []
    rejected = [rejection for file in loaded for rejection in file.rejections]
    for ticket in (ticket for file in loaded for ticket in file.tickets):
        other = kept.get(ticket.id)
        if other is None:
            kept[ticket.id] = ticket
        elif ticket.reader.system != other.reader.system or (
            ticket.aliases and other.aliases and not set(ticket.aliases) & set(other.aliases)
        ):
            reason = f"has the id of another ticket (row {other.row} of {other.file})"
            rejected.append(Rejection(ticket.file, ticket.row, None, reason))
        elif _unexplained(ticket, other):
            reason = f"has the id of row {other.row} and another title, and nothing says which is newer"
            rejected.append(Rejection(ticket.file, ticket.row, None, reason))
        else:
            merged.append(ticket.id)
            rows.setdefault(ticket.id, [other]).append(ticket)
            if _not_older(ticket, other):
                kept[ticket.id] = ticket
    silent = {file.file: _silent(file) for file in loaded} if rows else {}
    for id, several in rows.items():
        _fold(kept[id], several, silent)
    if merged:
        notes.add(
            "info",
            "merged",
            f"{plural(len(merged), 'row repeats', 'rows repeat')} an id; the row updated last counts "
            f"({some(list(dict.fromkeys(merged)))})",
            ids=list(dict.fromkeys(merged)),
            count=len(merged),
        )
    reasons: dict[tuple[str, str | None, str], list[int]] = defaultdict(list)
    for r in rejected:
        reason = r.reason if not r.reason.startswith("has the id of") else "has the id of another ticket"
        reasons[r.file, r.column, reason].append(r.row)
    for (file, column, reason), numbers in reasons.items():
        where = f"column {column!r} " if column else ""
        where_rows = some([str(number) for number in numbers])
        notes.add(
            "info" if reason == "is blank" else "warning",
            "rejected-row",
            f"{file}: {plural(len(numbers), 'row is', 'rows are')} left out: {where}{reason} "
            f"({'row' if len(numbers) == 1 else 'rows'} {where_rows})",
            file=file,
            row=numbers[0],
            column=column,
            count=len(numbers),
        )
    tickets = list(kept.values())
    same = same_tickets(tickets, meanings.mapping.same, notes)
    return [ticket for ticket in tickets if ticket.id not in same], len(merged) + len(same), rejected


def _unexplained(ticket: Ticket, other: Ticket) -> bool:
    """Whether two rows of one file share an id and are neither an event log nor pages that overlap."""
    dated = any(t.updated or t.version is not None for t in (ticket, other))
    return ticket.file == other.file and not dated and bool(ticket.title) and ticket.title != other.title


@lru_cache(maxsize=4096)
def _is_lag(text: str) -> bool:
    try:
        parse_minutes(text, WORK, signed=True)
    except ValueError:
        return False
    return True


def _not_older(ticket: Ticket, other: Ticket) -> bool:
    if _is_view(ticket, other):
        return False
    if ticket.version is not None and other.version is not None and ticket.version != other.version:
        return ticket.version > other.version
    older, newer = other.updated or other.created, ticket.updated or ticket.created
    return older is None or newer is None or newer >= older


def _is_view(row: Ticket, whole: Ticket) -> bool:
    """Whether a row shows a part of a ticket, as a query's relations or a board's fields do, and is no state of it."""
    bare = not (row.title or row.status) and bool(whole.title or whole.status)
    return bare or (not (row.updated or row.created) and bool(whole.updated or whole.created))


def _silent(file: Loaded) -> list[str]:
    """Fields of a ticket of which a table has no column; a document holds all that there is of a record."""
    if isinstance(file.reader, DocumentReader):
        return []
    there = {use.meaning.means for use in file.uses}
    return [name for name, columns in FIELDS.items() if not there.intersection(columns)]


def _fold(last: Ticket, rows: Sequence[Ticket], silent: Mapping[str, list[str]]) -> None:
    """The history of all rows of one ticket; and what another file says beside the last row.

    Its blanks are news, but for what its file has no column for.
    """
    steps = {step: None for row in rows for step in row.history}
    dated = sorted((row for row in rows if row.updated is not None), key=lambda row: (row.updated, row.version or 0))
    state = ""
    for row in dated:
        if row.updated is not None and row.status and row.status != state:
            steps[Step(row.updated, "status", state, row.status)] = None
            state = row.status
    last.history = sorted(steps, key=lambda step: step.at) if len({s.after for s in steps}) > 1 else list(last.history)
    for row in rows:
        if row.file != last.file:
            if last.category == "to do" and row.category == "in progress" and row.updated is None:
                last.status, last.category = row.status, row.category  # a board knows what has begun; an issue is open
            if _is_view(row, last):
                fill_blanks(last, row)
            else:
                fill_blanks(last, row, silent[last.file])


class Network:
    """Who contains whom and who waits for whom, by id; what is dropped or dangles is told."""

    def __init__(
        self, tickets: Sequence[Ticket], meanings: Meanings, notes: Notes, known: Mapping[str, str] | None = None
    ) -> None:
        """``known``: names of items that an earlier import knows, to their ids."""
        self.tickets, self.meanings, self.notes = tickets, meanings, notes
        self.by_id = {t.id: t for t in tickets}
        self.names = self._aliases()
        """Every name of a ticket to its id."""
        self.known = {name: id for name, id in (known or {}).items() if id not in self.by_id and name not in self.names}
        self.parents_known: dict[str, str] = {}
        """Item to what contains it, of what is known and in no file."""
        self.parents = self._parents()
        self.children: dict[str, list[str]] = defaultdict(list)
        for id, parent in self.parents.items():
            self.children[parent].append(id)
        self.dangling: list[DanglingLink] = []
        self.stubs: dict[str, tuple[str, Status]] = {}
        """Of what is in no file: title and status, where a link shows them."""
        self.edges = self._edges()

    def _aliases(self) -> dict[str, str]:
        """A name that two tickets share is nobody's."""
        names: dict[str, str] = {}
        shared: set[str] = set()
        for t in self.tickets:
            for alias in t.aliases:
                if names.setdefault(alias, t.id) != t.id:
                    shared.add(alias)
        return {a: id for a, id in names.items() if a not in shared} | {id: id for id in self.by_id}

    def _parents(self) -> dict[str, str]:
        """Containment that resolves, without loops."""
        parents: dict[str, str] = {}
        missing: dict[str, str] = {}
        own: list[str] = []
        for t in self.tickets:
            found = [self.names[p] for p in t.parents if p in self.names]
            if t.id in found:
                own.append(t.id)
            elif found:
                parents[t.id] = found[0]
            elif outside := [self.known[p] for p in t.parents if p in self.known]:
                self.parents_known[t.id] = outside[0]
            elif t.parents:
                missing[t.id] = t.parents[0]
        if own:
            self.notes.add(
                "warning",
                "own-parent",
                f"{plural(len(own), 'item')} with itself as parent; dropped: {some(own)}",
                ids=own,
            )
        if missing:
            targets = list(dict.fromkeys(missing.values()))
            self.notes.add(
                "info",
                "parent-not-in-file",
                f"{plural(len(missing), 'item belongs', 'items belong')} to {plural(len(targets), 'parent')} not in "
                f"the files: {some(targets)}; planned without",
                ids=list(missing),
            )
        done: set[str] = set()
        for start in list(parents):
            trail: dict[str, None] = {}
            at: str | None = start
            while at is not None and at not in done:
                if at in trail:
                    chain = [*list(trail)[list(trail).index(at) :], at]
                    self.notes.add(
                        "warning",
                        "containment-loop",
                        f"{' > '.join(chain)} contain each other; {at} is taken out of {parents[at]}",
                        ids=chain[:-1],
                        count=1,
                    )
                    del parents[at]
                    break
                trail[at] = None
                at = parents.get(at)
            done |= trail.keys()
        return parents

    def ancestors(self, id: str) -> Iterator[str]:
        """The containers around an item, innermost first."""
        while (parent := self.parents.get(id)) is not None:
            yield parent
            id = parent

    def _edges(self) -> list[Edge]:
        edges: dict[tuple[str, str, LinkType, str, LagKind | None], Edge] = {}
        unknown: Counter[str] = Counter()
        own: list[str] = []
        redundant: list[str] = []
        strange: list[str] = []
        for t in self.tickets:
            for tie in t.links:
                meaning = self.meanings.tie(tie)
                if meaning is None:
                    unknown[tie.kind] += 1
                if meaning is None or meaning == "relates":
                    continue
                word, _, turned = meaning.partition("-")
                type_ = tie.type or LinkType(word)
                target = self.names.get(tie.other) or self.known.get(tie.other, tie.other)
                first, second = (t.id, target) if tie.outward != bool(turned) else (target, t.id)
                if first == second:
                    own.append(t.id)
                    continue
                if type_ is LinkType.FS and second in self.ancestors(first):
                    redundant.append(first)
                    continue
                lag = tie.lag
                if lag != "0" and not _is_lag(lag):
                    strange.append(t.id)
                    lag = "0"
                key = (first, second, type_, lag, tie.lag_in)
                if key in edges:
                    continue
                edges[key] = edge = Edge(first, second, type_, tie.origin, lag, tie.lag_in)
                if target not in self.by_id and target not in self.known:
                    direction = "blocks" if first == t.id else "waits-for"
                    self.dangling.append(
                        DanglingLink(item=t.id, target=target, direction=direction, type=edge.type, origin=edge.origin)
                    )
                    self._stub(target, tie, t)
        for kind, count in unknown.items():
            self.notes.add(
                "warning",
                "unknown-link-type",
                f"{plural(count, 'link')} of type {kind!r} taken not to order work; if such links do, write in "
                f"map.yaml under link_types: {kind!r}: FS (the outward end first) or FS-reversed",
                count=count,
            )
        if strange:
            self.notes.add(
                "warning",
                "unread-lag",
                f"{plural(len(strange), 'link has', 'links have')} a lag that is no length of time; read without: "
                f"{some(strange)}",
                ids=strange,
            )
        if own:
            ids = list(dict.fromkeys(own))
            self.notes.add(
                "warning",
                "own-link",
                f"{plural(len(own), 'link leads', 'links lead')} from an item to itself; dropped: {some(ids)}",
                ids=ids,
            )
        if redundant:
            ids = list(dict.fromkeys(redundant))
            self.notes.add(
                "info", "link-to-own-container", "links from parts to what contains them say no more than "
                "containment and "
                f"are left out: {some(ids)}", ids=ids,
            )  # fmt: skip
        return list(edges.values())

    def _stub(self, target: str, tie: Tie, holder: Ticket) -> None:
        """What a link shows of its other end; where several differ, a known status counts."""
        seen = Ticket(target, "", 0, holder.reader, status=tie.status, category=tie.category)
        status = self.meanings.status(seen)[0] if tie.status or tie.category else Status.UNKNOWN
        title, old = self.stubs.get(target, ("", Status.UNKNOWN))
        self.stubs[target] = (title or tie.title, status if status is not Status.UNKNOWN else old)
