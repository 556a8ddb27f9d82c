"""A mapping proposed from what files hold, with evidence; written for a person to review."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from throttle.ingest import words
from throttle.ingest.meanings import Meanings
from throttle.ingest.people import People
from throttle.ingest.records import Ticket
from throttle.ingest.tickets import Loaded
from throttle.ingest.values import fold
from throttle_models import (
    Column,
    ColumnMeaning,
    LinkMeaning,
    Mapping,
    PersonMeaning,
    RateMeaning,
    Status,
    StatusMeaning,
    TypeMeaning,
)


def propose(loaded: Sequence[Loaded], tickets: Sequence[Ticket], meanings: Meanings) -> Mapping:
    """What every column and word is taken to mean. Given back as a mapping, it changes nothing."""
    return Mapping(
        columns=_columns(loaded),
        statuses=_statuses(tickets, meanings),
        resolutions=_resolutions(tickets, meanings),
        types=_types(tickets, meanings),
        link_types=_links(tickets, meanings),
        priorities=_priorities(tickets, meanings),
        users=_users(tickets, meanings),
        same=meanings.mapping.same,
    )


def _columns(loaded: Sequence[Loaded]) -> dict[str, dict[str, ColumnMeaning]]:
    found: dict[str, dict[str, ColumnMeaning]] = defaultdict(dict)
    for file in loaded:
        columns = found[file.reader.name]
        for use in file.uses:
            count = file.counts[use.header]
            columns[use.header] = use.meaning.model_copy(update={"count": count})
        for header in file.header:
            if header and header not in columns:
                columns[header] = ColumnMeaning(means=Column.IGNORE, confidence=0.5, evidence="not needed or not known")
    return dict(found)


def _statuses(tickets: Sequence[Ticket], meanings: Meanings) -> dict[str, StatusMeaning]:
    seen: dict[str, Counter[tuple[Status, str]]] = defaultdict(Counter)
    for t in tickets:
        if t.status:
            status, why = meanings.base_status(t)
            if status is Status.DONE and words.STATUSES.get(fold(t.status)) is Status.CANCELLED:
                status = Status.CANCELLED  # closed, and its name says that it was not done
            seen[t.status][status, why] += 1
    found = {}
    for word, counts in seen.items():
        (status, why), _ = counts.most_common(1)[0]
        several = len({s for s, _ in counts}) > 1
        certain = 1.0 if why in ("status category", "the mapping") or why.startswith("state of") else 0.8
        found[word] = StatusMeaning(
            means="auto" if several else status,
            confidence=0.6 if several else 0.0 if status is Status.UNKNOWN else certain,
            evidence="differs from item to item" if several else why,
            count=counts.total(),
        )
    return found


def _resolutions(tickets: Sequence[Ticket], meanings: Meanings) -> dict[str, StatusMeaning]:
    found = {}
    for word, count in Counter(t.resolution for t in tickets if t.resolution).items():
        said = meanings.mapping.resolutions.get(word)
        if said is not None:
            found[word] = said.model_copy(update={"count": count})
        elif fold(word) in words.UNRESOLVED:
            found[word] = StatusMeaning(means=Status.OPEN, evidence="well-known name", count=count)
        elif fold(word) in words.CANCELLED_RESOLUTIONS:
            found[word] = StatusMeaning(means=Status.CANCELLED, evidence="well-known name", count=count)
        else:
            found[word] = StatusMeaning(means=Status.DONE, confidence=0.7, evidence="any other resolution", count=count)
    return found


def _types(tickets: Sequence[Ticket], meanings: Meanings) -> dict[str, TypeMeaning]:
    found = {}
    for name, count in Counter(t.type for t in tickets if t.type).items():
        known = meanings.type_known(name)
        found[name] = TypeMeaning(
            means=meanings.type(name) or "parent",
            confidence=0.9 if known else 0.3,
            evidence="well-known name" if known else "unknown name: taken as project work",
            count=count,
        )
    return found


def _links(tickets: Sequence[Ticket], meanings: Meanings) -> dict[str, LinkMeaning]:
    found = {}
    kinds: dict[str, Counter[str | None]] = defaultdict(Counter)
    for t in tickets:
        for tie in t.links:
            if tie.kind and tie.type is None:
                kinds[tie.kind][meanings.tie(tie)] += 1
    for name, counts in kinds.items():
        means, _ = counts.most_common(1)[0]
        found[name] = LinkMeaning(
            means=means or "relates",
            confidence=0.9 if means else 0.2,
            evidence="by its usual verbs" if means else "unknown name: taken not to order work",
            count=counts.total(),
        )
    return found


def _priorities(tickets: Sequence[Ticket], meanings: Meanings) -> dict[str, RateMeaning]:
    found = {}
    for name, count in Counter(t.priority for t in tickets if t.priority).items():
        rate, known = meanings.rate(name)
        evidence = "cost of a week's delay, by rank" if known else "unknown name: taken as medium"
        found[name] = RateMeaning(means=rate, confidence=0.6 if known else 0.2, evidence=evidence, count=count)
    return found


def _users(tickets: Sequence[Ticket], meanings: Meanings) -> dict[str, PersonMeaning]:
    people = People(tickets, meanings.mapping, meanings.team)
    return {
        label: PersonMeaning(means=people.ids.get(label, label), confidence=0.9, evidence="assignee", count=count)
        for label, count in people.labels.items()
        if label in people.ids
    }


_INTRODUCTION = """\
# What the columns and words of the exports mean, as proposed: review it, change it, and give it back with --map.
# After each line: how many cells or items it explains, how certain it is, and why.
"""
_ABOUT = {
    "columns": ["Header: meaning; ignore leaves a column out. Meanings: " + ", ".join(c.value for c in Column) + "."],
    "statuses": ["open, in-progress, done, cancelled; auto: each item by its own evidence; unknown: not planned."],
    "resolutions": ["done, cancelled, or open where it is no resolution."],
    "types": ["project, internal, change, unplanned; parent: the type of the item that contains it."],
    "link_types": [
        "FS: the outward end comes first (I blocks K); FS-reversed: it waits (I depends on K); also SS, FF, SF.",
        "relates: no order.",
    ],
    "priorities": ["Cost of a week's delay, in the portfolio's currency."],
    "users": ["Assignee: id of the person."],
}


_ABOUT_SAME = "Id of a ticket: id of the same ticket in another system."


def save_mapping(mapping: Mapping, path: Path) -> None:
    """Write a mapping as YAML with its evidence as comments. :func:`throttle.files.load_document` reads it back."""
    from throttle.files import write_atomic

    write_atomic(path, "\n".join(_lines(mapping)) + "\n")


def _lines(mapping: Mapping) -> Iterator[str]:
    yield _INTRODUCTION
    yield f"throttle_map: {mapping.throttle_map}"
    for section, about in _ABOUT.items():
        meanings = getattr(mapping, section)
        yield ""
        yield from (f"# {line}" for line in about)
        if not meanings:
            yield f"{section}: {{}}"
            continue
        yield f"{section}:"
        if section == "columns":
            for reader, columns in meanings.items():
                yield from _entry(reader, None, "  ")
                for header, meaning in columns.items():
                    yield from _entry(header, meaning, "    ")
        else:
            for word, meaning in meanings.items():
                yield from _entry(word, meaning, "  ")

    if mapping.same:
        from throttle.documents import render_yaml

        yield ""
        yield f"# {_ABOUT_SAME}"
        yield from render_yaml({"same": dict(mapping.same)}).rstrip("\n").split("\n")


def _entry(key: str, meaning: Any, indent: str) -> Iterator[str]:
    from throttle.documents import render_yaml

    if meaning is None:
        yield f"{indent}{render_yaml({key: 0}).rpartition(':')[0].lstrip()}:"
        return
    value = meaning.model_dump(mode="json", include={"means", "unit", "separator", "decimal"}, exclude_none=True)
    plain = (
        value["means"] if value.get("unit") in (None, "s") and not value.keys() & {"separator", "decimal"} else value
    )
    *first, last = render_yaml({"_": {key: plain}}).strip("\n").split("\n")[1:]
    todo = "  <- please decide" if meaning.confidence < 0.5 else ""
    if plain == Column.IGNORE.value:
        yield from (indent + line[2:] for line in (*first, last))
        return
    comment = re.sub(r"[^\x20-\x7e]+", " ", f"{meaning.count}, {meaning.confidence:.0%}: {meaning.evidence}{todo}")
    yield from (indent + line[2:] for line in first)
    yield f"{indent}{re.sub(r'  +', ' ', last[2:]) if len(first) == 0 and '  ' not in key else last[2:]}  # {comment}"
