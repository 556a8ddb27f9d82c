"""Text to plain data and back: YAML 1.2 and JSON, with limits, line numbers and strict keys.

Scalars of YAML keep their spelling until the field's own type reads them, so that ``010``, ``1:30``, ``off`` and ``NO``
stay what was written wherever text is meant, as in YAML 1.2. Reading goes through libyaml's events (PyYAML): 10,000
items take 0.6 s, and 16 s with ruamel.yaml, which only edits (its own libyaml cannot read ``[2026-12-01T10:00]``).
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from throttle.errors import InputError
from throttle_models import Finding

MAX_NODES = 10_000_000
"""Scalars, lists and maps."""
MAX_ALIASED = 500_000
"""The same in all that YAML's aliases stand for: a few lines of nested aliases can stand for billions."""
MAX_DEPTH = 40
MAX_DIGITS = 4_000
"""Of a whole number, fewer than Python itself reads."""
MAX_FINDINGS = 100
"""Of one file; a reader mends these and looks again."""
_MAX_LOCATED = 2**23
"""Characters of JSON that are read a second time to tell the lines of keys that are there twice (10 s)."""

Loc = tuple[str | int, ...]
"""A place in a document: the keys and positions that lead to it."""


def error_at(code: str, message: str, path: Path, loc: Loc = (), ids: tuple[str, ...] = ()) -> Finding:
    """An error in a file; the message is to name the file. Bytes of its name that are no UTF-8 show as ``?``."""

    def shown(text: str) -> str:
        return text.encode(errors="replace").decode()

    where = ".".join(map(str, loc)) or None
    return Finding(level="error", code=code, message=shown(message), ids=ids, file=shown(str(path)), path=where)


def at_most(findings: Iterable[Finding], more: int = 0) -> list[Finding]:
    """The first :data:`MAX_FINDINGS` of each file, and for the rest (and ``more`` that were not made) their number."""
    kept: list[Finding] = []
    seen: Counter[str | None] = Counter()
    left: Counter[str | None] = Counter()
    for finding in findings:
        seen[finding.file] += 1
        if seen[finding.file] <= MAX_FINDINGS:
            kept.append(finding)
        else:
            left[finding.file] += 1
    if more > 0 and kept:
        left[kept[-1].file] += more
    for file, count in left.items():
        sentence = f"{file}: and {count} more; mend these and look again"
        kept.append(Finding(level="error", code="more", message=sentence, file=file))
    return kept


def encoding_of(raw: bytes) -> str:
    """The encoding of text by its first bytes: UTF-16 where these are its mark, else UTF-8."""
    return "utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


# ------------------------------------------------------------------------------------------------------------- JSON


def read_json(text: str, path: Path) -> Any:
    """Plain data. Raises InputError where the text is cut off, is no JSON, says a key twice or is nested too deep."""
    repeated: Counter[str] = Counter()

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(items)
        if len(fields) < len(items):
            counts = Counter(key for key, _ in items)
            repeated.update({key: count - 1 for key, count in counts.items() if count > 1})
        return fields

    def no_number(name: str) -> Any:
        raise ValueError(f"{name} is not a number that JSON knows")

    def finite(spelt: str) -> float:
        return float(spelt) if isfinite(float(spelt)) else no_number("one that is out of range")

    def whole(spelt: str) -> int:
        if len(spelt) > MAX_DIGITS:
            raise ValueError(f"a number has more than {MAX_DIGITS} digits")
        return int(spelt)

    def wrong(code: str, sentence: str) -> InputError:
        return InputError([error_at(code, f"{path}{sentence}", path)])

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=no_number, parse_float=finite, parse_int=whole)
        if _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise wrong(
                "truncated", f", line {error.lineno}: the JSON ends too early; the file is cut off, fetch it again"
            ) from None
        where = f", line {error.lineno}, column {error.colno}"
        raise wrong("not-json", f"{where}: not JSON: {error.msg}; correct it there, or fetch the file again") from None
    except RecursionError:
        raise wrong("too-deep", f" is nested more than {MAX_DEPTH} deep; write it flatter") from None
    except UnicodeEncodeError:
        raise wrong("not-json", ": has half of a \\u surrogate pair, which is no character; correct it") from None
    except ValueError as error:  # of those above
        raise wrong("not-json", f": not JSON: {error}; correct it, or fetch the file again") from None
    if repeated:
        if len(text) <= _MAX_LOCATED:
            with suppress(_NotYamlError):  # nearly all JSON is YAML, whose reader knows lines and places
                _Builder(text, path).document()
        findings = (
            error_at("duplicate-key", f"{path}: {key!r} {_TWICE[count > 1]} in one map; keep one", path).model_copy(
                update={"count": count + 1 if count > 1 else 1}
            )
            for key, count in repeated.items()
        )
        raise InputError(at_most(islice(findings, MAX_FINDINGS), len(repeated) - MAX_FINDINGS))
    if _too_deep(data):
        raise wrong("too-deep", f" is nested more than {MAX_DEPTH} deep; write it flatter")
    return data


_TWICE = ("is there twice", "is there more than once")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _too_deep(data: Any) -> bool:
    layer, depth = [data], 0
    while layer:
        depth += 1
        if depth > MAX_DEPTH:
            return True
        inner = (v.values() if isinstance(v, dict) else v for v in layer if isinstance(v, dict | list))
        layer = [v for values in inner for v in values if isinstance(v, dict | list)]
    return False


# ------------------------------------------------------------------------------------------------------------- YAML


class _NotYamlError(Exception):
    """The text is not YAML; the arguments are the line, the parser's words and the position; or None."""


def read_yaml(text: str, path: Path) -> Any:
    """Plain data whose scalars are text or None. Raises InputError as :func:`read_json`, and for what only YAML has."""
    try:
        return _Builder(text, path).document()
    except _NotYamlError as error:
        line, problem, index = error.args
        at = f", line {line}" if line else ""
        if index is not None and index >= len(text.rstrip()):
            sentence = f"{path}{at}: the YAML ends too early; the file is cut off, or a bracket or quote is not closed"
            raise InputError([error_at("truncated", sentence, path)]) from None
        raise InputError([error_at("not-yaml", f"{path}{at}: not YAML: {problem}", path)]) from None


def _events(text: str) -> Iterator[Any]:
    """The events of a YAML text, from libyaml where it is installed. Raises _NotYamlError."""
    import yaml

    loader = (yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise _NotYamlError(mark.line + 1 if mark else None, problem, mark.index if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else None
        raise _NotYamlError(line, str(error.reason), None) from None
    finally:
        loader.dispose()


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


_NULLS = ("", "~", "null", "Null", "NULL")
_INT = re.compile(r"[-+]?\d+|0o[0-7]+|0x[\da-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")


def _core(value: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2.2, chapter 10.3 (without infinities)."""
    if value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return value[0] in "tT"
    if _INT.fullmatch(value) and len(value) < 20:
        return int(value, {"0o": 8, "0x": 16}.get(value[:2], 10))
    return float(value) if _FLOAT.fullmatch(value) and isfinite(float(value)) else value


class _Builder:
    """Plain data from the events of one YAML document: maps, lists, text and None, with limits on size and depth.

    Two places have no type that would read text, and are resolved here: ``throttle`` and ``policy.reserve``.
    """

    def __init__(self, text: str, path: Path) -> None:
        import yaml

        self.path = path
        self.next = _events(text).__next__
        self.scalar, self.alias = yaml.ScalarEvent, yaml.AliasEvent
        self.mapping, self.sequence = yaml.MappingStartEvent, yaml.SequenceStartEvent
        self.ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        self.document_start, self.stream_end = yaml.DocumentStartEvent, yaml.StreamEndEvent
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = self.aliased = 0
        self.problems: dict[tuple[str, Loc], Finding] = {}
        self.more = 0

    def document(self) -> Any:
        """Raises _NotYamlError, or InputError with what is YAML but no document of ours, such as a key twice."""
        self.next()
        if isinstance(start := self.next(), self.stream_end):
            raise self.stop("empty-file", start, "the file holds nothing but comments; is it the right file?")
        data = self.node(self.next(), (), False)
        self.next()
        if isinstance(more := self.next(), self.document_start):
            raise self.stop("several-documents", more, "a second document begins here; write one per file")
        if self.problems:
            raise InputError(self.found())
        return data

    def found(self) -> list[Finding]:
        return at_most(self.problems.values(), self.more)

    def stop(self, code: str, event: Any, sentence: str, loc: Loc = ()) -> InputError:
        return InputError([*self.found(), self.problem(code, event, sentence, loc)])

    def note(self, code: str, event: Any, sentence: str, loc: Loc) -> None:
        """Something wrong, with which reading goes on. What is wrong in the same place again only counts."""
        if known := self.problems.get((code, loc)):
            message = known.message.replace(*_TWICE)
            self.problems[code, loc] = known.model_copy(update={"message": message, "count": max(3, known.count + 1)})
        elif len(self.problems) < MAX_FINDINGS:
            self.problems[code, loc] = self.problem(code, event, sentence, loc)
        else:
            self.more += 1

    def problem(self, code: str, event: Any, sentence: str, loc: Loc) -> Finding:
        where = f"{'.'.join(map(str, loc))}: " if loc else ""
        return error_at(code, f"{self.path}, line {_line(event)}: {where}{sentence}", self.path, loc)

    def node(self, event: Any, loc: Loc, typed: bool) -> Any:
        kind = type(event)
        if kind is self.alias:
            if event.anchor not in self.anchors:
                raise self.stop("unknown-alias", event, f"*{event.anchor} stands for nothing before it", loc)
            known, size = self.anchors[event.anchor]
            self.nodes += size
            self.aliased += size
            if self.aliased > MAX_ALIASED:
                raise self.stop(
                    "too-large", event, f"aliases stand for more than {MAX_ALIASED} values; write them out", loc[:2]
                )
            return known
        self.nodes += 1
        if self.nodes - self.aliased > MAX_NODES:
            raise self.stop("too-large", event, f"more than {MAX_NODES} values; is it the right file?", loc[:2])
        if event.tag is not None and event.tag != "!":
            self.note("tag", event, "tags (!) have no meaning here; remove it", loc)
        before = self.nodes
        value: Any
        if kind is self.scalar:
            value = event.value
            if not event.style:
                value = None if value in _NULLS else _core(value) if typed else value
        elif kind is self.mapping:
            value = self.map(event, loc, typed)
        else:
            value = []
            self.shallow(event, loc)
            while not isinstance(inner := self.next(), self.ends):
                value.append(self.node(inner, (*loc, len(value)), typed))
        if event.anchor is not None:
            self.anchors[event.anchor] = value, self.nodes - before + 1
        return value

    def map(self, event: Any, loc: Loc, typed: bool) -> dict[str, Any]:
        self.shallow(event, loc)
        fields: dict[str, Any] = {}
        while not isinstance(key := self.next(), self.ends):
            if type(key) is not self.scalar:
                raise self.stop("key", key, "a key must be a word or quoted text", loc)
            name: str = key.value
            inner = (*loc, name)
            value = self.node(self.next(), inner, typed or inner in _TYPED)
            if name in fields:
                self.note("duplicate-key", key, f"{_TWICE[0]}; keep one", inner)
            else:
                fields[name] = value
        return fields

    def shallow(self, event: Any, loc: Loc) -> None:
        if len(loc) >= MAX_DEPTH:
            raise self.stop("too-deep", event, f"nested more than {MAX_DEPTH} deep; write it flatter", loc[:2])


_TYPED: set[Loc] = {
    ("throttle",),
    ("throttle_map",),
    ("throttle_team",),
    ("throttle_learned",),
    ("throttle_pseudonyms",),
    ("policy", "reserve"),
}


class Span(NamedTuple):
    """Where something stands in a text: the line of its key (or itself) from 1, the characters of its value from 0."""

    line: int
    column: int
    start: int
    end: int


def spans(text: str) -> dict[Loc, Span]:
    """Every place of the text, as far as it is YAML (nearly all JSON is); of a key said twice, the first."""
    import yaml

    node: Any = yaml.NodeEvent
    collection: Any = yaml.CollectionStartEvent
    end: Any = yaml.CollectionEndEvent
    found: dict[Loc, Span] = {}
    stack: list[tuple[Loc, list[Any], int]] = []  # of each open list or map: place, [position or key to come], start
    with suppress(_NotYamlError):
        for event in _events(text):
            if isinstance(event, end):
                at, _, start = stack.pop()
                if found[at].start == start:
                    found[at] = found[at]._replace(end=event.end_mark.index)
            elif isinstance(event, node):
                here: Loc = ()
                if stack:
                    at, state, _ = stack[-1]
                    key: Any = state[0]
                    if key is None:
                        state[0] = key = str(getattr(event, "value", ""))
                        found.setdefault((*at, key), Span(_line(event), 0, 0, -1))  # its value is to come
                        continue
                    here = (*at, key)
                    state[0] = key + 1 if isinstance(key, int) else None
                mark = event.start_mark
                if here not in found or found[here].end < 0:
                    line = found[here].line if here in found else _line(event)
                    found[here] = Span(line, mark.column, mark.index, event.end_mark.index)
                if isinstance(event, collection):
                    stack.append((here, [0 if isinstance(event, yaml.SequenceStartEvent) else None], mark.index))
    return found


# ---------------------------------------------------------------------------------------------------------- writing


def render_json(value: Any, depth: int, deeper: Mapping[str, int] = {}, indent: str = "") -> str:
    """JSON with an entry a line down to ``depth`` (``deeper``: further down, by key) and one line for the rest."""
    if depth == 0 or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = indent + " "
    if isinstance(value, list):
        lines = [render_json(v, depth - 1, {}, inner) for v in value]
    else:
        lines = [
            f"{json.dumps(k, ensure_ascii=False)}: {render_json(v, deeper.get(k, depth - 1), {}, inner)}"
            for k, v in value.items()
        ]
    first, last = "[]" if isinstance(value, list) else "{}"
    return f"{first}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{last}"


_PLAIN = re.compile(r"\w(?:[\w ./%+@()'&-]|(?<=\d):(?=\d))*(?<! )")
_TYPED_WORD = re.compile(r"(?i:null|true|false)|[\d_.,:]+([eE][-+]?\d+)?|0[xob][\da-fA-F]+")
_OLD_WORD = re.compile(r"(?i:yes|no|on|off|y|n)")
"""No words to readers of YAML 1.1."""
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LONG = 500
"""Longer keys need YAML's explicit form (a simple key has at most 1,024 bytes)."""


def _scalar(value: Any, key: bool = False) -> str:
    """A value that every YAML reader takes for what it is: plain where that is safe, else a JSON string."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and not _TYPED_WORD.fullmatch(value) and (key or not _OLD_WORD.fullmatch(value)):
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", quoted)
    return json.dumps(value, allow_nan=False)


def render_flow(value: Any) -> str:
    """Plain data in one line of YAML."""
    if isinstance(value, dict):
        pairs = ((_scalar(k, True), render_flow(v)) for k, v in value.items())
        return "{" + ", ".join(f"? {k} : {v}" if len(k) > _LONG else f"{k}: {v}" for k, v in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(render_flow, value)) + "]"
    return _scalar(value)


def render_yaml(data: Mapping[str, Any]) -> str:
    """A map of plain data as YAML 1.2: scalars first, then a block for each section with one line for each entry."""
    lines: list[str] = []
    for section, value in data.items():
        if isinstance(value, dict) and value:
            lines += ["", f"{_scalar(section)}:", *_entries(value, "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines += ["", f"{_scalar(section)}:", *(f"  - {render_flow(entry)}" for entry in value)]
        else:
            lines.append(f"{_scalar(section)}: {render_flow(value)}")
    return "\n".join(lines) + "\n"


def _entries(entries: dict[str, Any], indent: str) -> Iterator[str]:
    keys = {key: _scalar(key, True) for key in entries}
    short = [len(k) for k in keys.values() if len(k) <= 24]
    width = max(short, default=0) + 1
    for key, value in entries.items():
        if len(keys[key]) > _LONG:
            yield f"{indent}? {keys[key]}"
            yield f"{indent}: {render_flow(value)}"
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{keys[key]}:"
            yield from (f"{indent}  - {render_flow(entry)}" for entry in value)
        else:
            yield f"{indent}{keys[key] + ':':{width}} {render_flow(value)}"
