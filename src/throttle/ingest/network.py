"""Tickets as a network: one ticket for each id, containment without loops, precedence with its direction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from throttle.ingest.meanings import Meanings
from throttle.ingest.notes import Notes, some
from throttle.ingest.report import DanglingLink
from throttle.ingest.tables import Rejection
from throttle.ingest.tickets import Loaded, Ticket
from throttle.wording import plural
from throttle_models import LinkType


@dataclass(frozen=True, slots=True)
class Edge:
    """One precedence; either end may be outside the files."""

    first: str
    second: str
    type: LinkType
    origin: str


def unite(loaded: Sequence[Loaded], notes: Notes) -> tuple[list[Ticket], int, list[Rejection]]:
    """One ticket for each id: of rows with the same id the one updated last counts. Also rows merged, and rejected."""
    kept: dict[str, Ticket] = {}
    merged: list[str] = []
    rejected = [rejection for file in loaded for rejection in file.table.rejections]
    for ticket in (ticket for file in loaded for ticket in file.tickets):
        other = kept.get(ticket.id)
        if other is None:
            kept[ticket.id] = ticket
        elif ticket.reader.system != other.reader.system or (
            ticket.aliases and other.aliases and not set(ticket.aliases) & set(other.aliases)
        ):
            reason = f"has the id of another ticket (row {other.row} of {other.file})"
            rejected.append(Rejection(ticket.file, ticket.row, None, reason))
        else:
            merged.append(ticket.id)
            older, newer = other.updated or other.created, ticket.updated or ticket.created
            if older is None or newer is None or newer >= older:
                kept[ticket.id] = ticket
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
        reason = "has the id of another ticket" if r.reason.startswith("has the id of") else r.reason
        reasons[r.file, r.column, reason].append(r.row)
    for (file, column, reason), rows in reasons.items():
        where = f"column {column!r} " if column else ""
        numbers = some([str(row) for row in rows])
        notes.add(
            "info" if reason == "is blank" else "warning",
            "rejected-row",
            f"{file}: {plural(len(rows), 'row is', 'rows are')} left out: {where}{reason} "
            f"({'row' if len(rows) == 1 else 'rows'} {numbers})",
            file=file,
            row=rows[0],
            column=column,
            count=len(rows),
        )
    return list(kept.values()), len(merged), rejected


class Network:
    """Who contains whom and who waits for whom, by id; what is dropped or dangles is told."""

    def __init__(self, tickets: Sequence[Ticket], meanings: Meanings, notes: Notes) -> None:
        self.tickets, self.meanings, self.notes = tickets, meanings, notes
        self.by_id = {t.id: t for t in tickets}
        self.names = self._aliases()
        """Every name of a ticket to its id."""
        self.parents = self._parents()
        self.children: dict[str, list[str]] = defaultdict(list)
        for id, parent in self.parents.items():
            self.children[parent].append(id)
        self.dangling: list[DanglingLink] = []
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
        edges: dict[tuple[str, str, LinkType], Edge] = {}
        unknown: Counter[str] = Counter()
        own: list[str] = []
        redundant: list[str] = []
        for t in self.tickets:
            for other, outward, kind, origin in t.links:
                meaning = self.meanings.link(kind) if kind else "FS"
                if meaning is None:
                    unknown[kind] += 1
                if meaning is None or meaning == "relates":
                    continue
                type_, _, turned = meaning.partition("-")
                target = self.names.get(other, other)
                first, second = (t.id, target) if outward != bool(turned) else (target, t.id)
                if first == second:
                    own.append(t.id)
                    continue
                if second in self.ancestors(first) and type_ == "FS":
                    redundant.append(first)
                    continue
                edge = Edge(first, second, LinkType(type_), origin)
                if edges.setdefault((first, second, edge.type), edge) is edge and target not in self.by_id:
                    direction = "blocks" if first == t.id else "waits-for"
                    self.dangling.append(
                        DanglingLink(item=t.id, target=target, direction=direction, type=edge.type, origin=origin)
                    )
        for kind, count in unknown.items():
            self.notes.add(
                "warning",
                "unknown-link-type",
                f"{plural(count, 'link')} of type {kind!r} taken not to order work; if such links do, write in "
                f"map.yaml under link_types: {kind!r}: FS (the outward end first) or FS-reversed",
                count=count,
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
