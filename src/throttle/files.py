"""Reading and writing the files of a planner: portfolios (YAML 1.2 or JSON, a file or a folder) and plans (JSON)."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from throttle.collector import collector_resting
from throttle.documents import (
    MAX_FINDINGS,
    Loc,
    Span,
    at_most,
    encoding_of,
    error_at,
    read_json,
    read_yaml,
    render_flow,
    render_json,
    render_yaml,
    spans,
)
from throttle.errors import InputError
from throttle.obeyed import children
from throttle_models import Finding, Model, Plan, Portfolio
from throttle_models.references import dangling_references

MAX_BYTES = 256 * 2**20
SUFFIXES = (".yaml", ".yml", ".json")

_M = TypeVar("_M", bound=Model)


# ---------------------------------------------------------------------------------------------------------- reading


@collector_resting()
def load_portfolio(path: Path) -> Portfolio:
    """The portfolio of a file, or of all ``*.yaml``, ``*.yml`` and ``*.json`` of a folder put together.

    In a folder, maps merge and lists follow one another in the order of the file names; the same id twice is an error,
    and so is a value such as ``as_of`` that two files say differently. Raises InputError with every problem found: of
    syntax in any file, else of the shape and the references of what they say.
    """
    sources: list[_Source] = []
    problems: list[Finding] = []
    for file in _files_of(path):
        try:
            sources.append(_source(file, _text(file), Portfolio))
        except InputError as error:
            problems += error.findings
    if problems:
        raise InputError(problems)
    return _portfolio_of(sources)


@collector_resting()
def load_document(path: Path, model: type[_M]) -> _M:
    """One YAML or JSON file as a model, such as a mapping or a team file. Raises InputError with all its problems."""
    source = _source(path, _text(path), model)
    value, problems = _validated(model, source.data, _Locator({(): (source, ())}))
    if value is None:
        raise InputError(_found(problems))
    return value


def load_plan(path: Path) -> Plan:
    """The plan of a ``plan.json``. Raises InputError where it is something else, cut off or changed beyond reading."""
    return load_document(path, Plan)


@dataclass(frozen=True)
class _Source:
    path: Path
    text: str
    data: dict[str, Any]

    @cached_property
    def spans(self) -> dict[Loc, Span]:
        return spans(self.text)


def _portfolio_of(sources: list[_Source]) -> Portfolio:
    merged, origins, problems = _merge(sources)
    portfolio, found = _checked_portfolio(merged, _Locator(origins))
    if problems or found or portfolio is None:
        raise InputError(at_most(problems) + found)
    return portfolio


def portfolio_of(data: dict[str, Any], name: str) -> Portfolio:
    """A portfolio from plain data, as if read from a file of that name. Raises InputError as :func:`load_portfolio`."""
    return _portfolio_of([_Source(Path(name), "", _without_nulls(data))])


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        found = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    except OSError as error:
        raise InputError([error_at("unreadable", f"{path} cannot be read: {error.strerror}", path)]) from None
    if not found:
        raise InputError([error_at("no-file", f"{path} has no .yaml, .yml or .json file; name the portfolio's", path)])
    return found


def need_regular_file(path: Path) -> None:
    """Raise InputError unless it is a file that can be read twice: no folder, device or pipe, and not missing."""
    try:
        if path.is_file():
            return
        exists = path.exists()
    except OSError as error:
        raise InputError([error_at("unreadable", f"{path} cannot be read: {error.strerror}", path)]) from None
    sentence = "is not a regular file; give a file" if exists else "does not exist; check the name"
    raise InputError([error_at("no-file", f"{path} {sentence}", path)])


def _text(path: Path) -> str:
    def wrong(code: str, sentence: str) -> InputError:
        return InputError([error_at(code, f"{path} {sentence}", path)])

    need_regular_file(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise wrong("too-large", f"is larger than {MAX_BYTES // 2**20} MiB; is it the right file?")
        if path.suffix.lower() in _EXPORTS:
            raise _not_it(path, "a portfolio or plan", "a ticket export")
        raw = path.read_bytes()
    except OSError as error:
        raise wrong("unreadable", f"cannot be read: {error.strerror}") from None
    try:
        text = raw.decode(encoding_of(raw))
    except UnicodeDecodeError as error:
        name = error.encoding.upper()
        raise wrong(
            "binary-file",
            f"is not text in {name} (byte {error.start}); name a .yaml or .json file, or save it as UTF-8",
        ) from None
    if "\0" in text:
        raise wrong("binary-file", "is a binary file; name a .yaml or .json file")
    if not text.strip():
        raise wrong("empty-file", "is empty; is it the right file?")
    return text


_EXPORTS = {".csv", ".tsv", ".xlsx", ".xls", ".xml", ".mpp", ".xer", ".zip"}


def _source(path: Path, text: str, model: type[Model]) -> _Source:
    """The map of fields that the text holds. Raises InputError where it is none, or one of another kind of file."""
    what = _WHAT.get(model, _OTHERS)
    if path.suffix.lower() == ".json" or model is Plan:
        data = read_json(text, path)
    elif _tabular(text):
        raise _not_it(path, what, "a ticket export")
    else:
        data = read_yaml(text, path)
    if not isinstance(data, dict | list):
        sentence = f"{path} holds no {what.removeprefix('a ')}: it is one value, not a map of fields; check the name"
        raise InputError([error_at("wrong-kind", sentence, path)])
    kind = _kind(data)
    nearly = model is Portfolio and kind == "something else" and isinstance(data, dict) and _resembles(data)
    if not isinstance(data, dict) or (kind != _WHAT.get(model, kind) and not nearly):
        raise _not_it(path, what, kind)
    return _Source(path, text, _without_nulls(data) if model is Portfolio else data)


_OTHERS = "a mapping or team file"
_WHAT: dict[type[Model], str] = {Portfolio: "a portfolio", Plan: "a plan"}


def _tabular(text: str) -> bool:
    """Whether it is a table, such as CSV: its first line has several delimiters and none of YAML's signs."""
    first = text.lstrip().partition("\n")[0]
    return (
        max(first.count(","), first.count(";"), first.count("\t")) > 2
        and not any(c in first for c in "{[#")
        and (": " not in first)
    )


def _kind(data: Any) -> str:
    if isinstance(data, list) and data and all(isinstance(record, dict) for record in data):
        return "a ticket export"
    if not isinstance(data, dict):
        return "something else"
    if data.get("kind") == "plan":
        return "a plan"
    if "throttle_map" in data:
        return "a mapping"
    if "work" not in data and any(
        isinstance(data.get(name), list) for name in ("result", "records", "issues", "value")
    ):
        return "a ticket export"
    return "a portfolio" if data.keys() & Portfolio.model_fields.keys() else "something else"


def _resembles(data: dict[str, Any]) -> bool:
    """Whether it may be a portfolio with its fields misspelt."""
    return not data or any(get_close_matches(str(key), Portfolio.model_fields, n=1) for key in islice(data, 100))


_REMEDIES = {
    "a ticket export": "`throttle ingest {path} -o portfolio.yaml` makes a portfolio of it",
    "a plan": "`throttle verify`, `why`, `replan` and `export` read it; name the portfolio it was made from",
    "a portfolio": "`throttle plan {path}` makes a plan of it",
    "a mapping": "`throttle ingest EXPORT --map {path}` uses it",
    "something else": "check the name; docs/portfolio.md and docs/plan.md tell what is in these files",
}


def _not_it(path: Path, what: str, kind: str) -> InputError:
    remedy = _REMEDIES[kind].format(path=path)
    return InputError([error_at("wrong-kind", f"{path} is {kind}, not {what}: {remedy}", path)])


def _without_nulls(data: dict[str, Any]) -> dict[str, Any]:
    """A key with nothing behind it says nothing: ``people:`` is no people, ``san:`` a service without particulars."""
    cleaned: dict[str, Any] = {}
    for section, value in data.items():
        if isinstance(value, dict):
            if section == "skills":
                cleaned[section] = {key: "" if inner is None else inner for key, inner in value.items()}
            elif "*" in children(children(Portfolio).get(section)):
                cleaned[section] = {key: _said(inner) for key, inner in value.items()}
            else:
                cleaned[section] = _said(value, MEANT_NULL.get(section, ()))
        elif value is not None:
            cleaned[section] = value
    return cleaned


MEANT_NULL = {"simulation": ("spread",)}
"""Fields by section of which null says something else than nothing."""


def _said(entry: Any, meant: Collection[str] = ()) -> Any:
    if entry is None:
        return {}
    return {k: v for k, v in entry.items() if v is not None or k in meant} if isinstance(entry, dict) else entry


# ---------------------------------------------------------------------------------------------------------- merging


def _merge(sources: list[_Source]) -> tuple[dict[str, Any], dict[Loc, tuple[_Source, Loc]], list[Finding]]:
    """The fields of all files together, where each came from, and what two files say differently."""
    if len(sources) == 1:
        return sources[0].data, {(): (sources[0], ())}, []
    merged: dict[str, Any] = {}
    origins: dict[Loc, tuple[_Source, Loc]] = {}
    problems: list[Finding] = []

    def put(into: dict[str, Any], source: _Source, loc: Loc, value: Any, merges: bool) -> None:
        name = str(loc[-1])
        if name not in into:
            origins[loc] = source, loc
            if not (merges and isinstance(value, dict)) and not isinstance(value, list):
                into[name] = value
                return
            into[name] = type(value)()
        held = into[name]
        if merges and isinstance(held, dict) and isinstance(value, dict):
            for key, inner in value.items():
                put(held, source, (*loc, key), inner, False)
        elif isinstance(held, list) and isinstance(value, list):
            for i, inner in enumerate(value):
                origins[(*loc, len(held))] = source, (*loc, i)
                held.append(inner)
        elif not merges or held != value:
            both = (origins[loc][0], source)
            places = " and ".join(
                f"{s.path}, line {s.spans[loc].line}" if loc in s.spans else str(s.path) for s in both
            )
            sentence = f"{'.'.join(map(str, loc))} is said twice, in {places}; keep one"
            problems.append(error_at("said-twice", sentence, source.path, loc, (name,)))

    for source in sources:
        for section, value in source.data.items():
            listed = section == "skills" and isinstance(value, list) and all(isinstance(v, str) for v in value)
            put(merged, source, (section,), dict.fromkeys(map(str, value), "") if listed else value, True)
    return merged, origins, problems


class _Locator:
    """Finds the file and line of a place in merged data."""

    def __init__(self, origins: Mapping[Loc, tuple[_Source, Loc]]) -> None:
        self.origins = origins
        self.default = next(iter(origins.values()))[0].path if origins else Path()

    def __call__(self, loc: Loc) -> tuple[Path, int | None]:
        known = next((loc[:n] for n in range(len(loc), -1, -1) if loc[:n] in self.origins), None)
        if known is None:
            return self.default, None
        source, local = self.origins[known]
        place = local + loc[len(known) :]
        for n in range(len(place), 0, -1):
            if place[:n] in source.spans:
                return source.path, source.spans[place[:n]].line
        return source.path, None

    def finding(self, code: str, sentence: str, loc: Loc, ids: tuple[str, ...]) -> Finding:
        path, line = self(loc)
        at = f", line {line}" if line else ""
        where = f"{'.'.join(map(str, loc))}: " if loc else ""
        return error_at(code, f"{path}{at}: {where}{sentence}", path, loc, ids)


# -------------------------------------------------------------------------------------------------------- validating


@dataclass(frozen=True)
class _Problem:
    loc: Loc
    """Where in the data, without the steps that only pydantic knows."""
    missing: bool
    finding: Finding | None
    """None where there are more than a reader is told of."""


def _found(problems: list[_Problem]) -> list[Finding]:
    told = [problem.finding for problem in problems if problem.finding]
    return at_most(told, len(problems) - len(told))


def _validated(model: type[_M], data: dict[str, Any], locate: _Locator) -> tuple[_M | None, list[_Problem]]:
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, _problems(model, data, error, locate)


def _checked_portfolio(data: dict[str, Any], locate: _Locator) -> tuple[Portfolio | None, list[Finding]]:
    """The portfolio and its problems. Where the shape is wrong, references are checked in what is left without it."""
    portfolio, problems = _validated(Portfolio, data, locate)
    findings = _found(problems)
    gone: set[str] = set()
    rounds = 0
    rest = portfolio
    while rest is None and rounds < 3:
        data = _pruned(data, problems, gone)
        rest, problems = _validated(Portfolio, data, locate)
        rounds += 1
    dangling = [finding for finding in (dangling_references(rest) if rest else ()) if gone.isdisjoint(finding.ids)]
    told = []
    for finding in dangling[:MAX_FINDINGS]:
        loc = _loc_of(finding.path or "", data)
        sentence = finding.message.removeprefix(f"{finding.path}: ")
        told.append(locate.finding(finding.code, sentence, loc, finding.ids))
    return portfolio, findings + at_most(told, len(dangling) - len(told))


def _pruned(data: dict[str, Any], problems: list[_Problem], gone: set[str]) -> dict[str, Any]:
    """The data without the fields that are wrong, or without the whole entry where that would not do."""
    kept = {k: dict(v) if isinstance(v, dict) else v for k, v in data.items()}
    for problem in problems:
        section, *rest = problem.loc or ("",)
        entries = kept.get(str(section))
        if section == "as_of":
            kept["as_of"] = "2000-01-01"  # any moment will do to check the rest
        elif not rest or not isinstance(entries, dict):
            kept.pop(str(section), None)
        else:
            key = str(rest[0])
            entry = entries.get(key)
            if len(rest) > 1 and isinstance(entry, dict) and not (problem.missing and len(rest) == 2):
                entries[key] = {k: v for k, v in entry.items() if k != rest[1]}
            elif key in entries:
                del entries[key]
                gone.add(key)
    return kept


def _loc_of(path: str, data: Any) -> Loc:
    """The place that a dotted path names; ids may themselves contain dots."""
    found: list[str | int] = []
    rest = path
    while rest:
        if isinstance(data, list) and (head := rest.partition(".")[0]).isdigit() and int(head) < len(data):
            found.append(int(head))
            data, rest = data[int(head)], rest[len(head) + 1 :]
            continue
        keys = [k for k in data if rest == k or rest.startswith(f"{k}.")] if isinstance(data, dict) else []
        key = max(keys, key=len, default=rest.partition(".")[0])
        found.append(key)
        data, rest = data.get(key) if isinstance(data, dict) else None, rest[len(key) + 1 :]
    return tuple(found)


def _problems(model: type[Model], data: Any, error: ValidationError, locate: _Locator) -> list[_Problem]:
    merged: dict[Loc, tuple[str, list[str]]] = {}
    dropped: dict[Loc, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        loc = _clean(detail["loc"], data)
        if detail["type"] == "missing":
            loc = (*loc, detail["loc"][-1])
        if len(merged) >= MAX_FINDINGS and loc not in merged:
            dropped.setdefault(loc, detail["type"])
            continue
        sentence = _sentence(model, loc, detail)
        sentences = merged.setdefault(loc, (detail["type"], []))[1]
        if sentence not in sentences:
            sentences.append(sentence)
    return [
        _Problem(
            loc,
            kind == "missing",
            locate.finding(
                _CODES.get(kind, "bad-value"), " or ".join(sentences), loc, (str(loc[1]),) if len(loc) > 1 else ()
            ),
        )
        for loc, (kind, sentences) in merged.items()
    ] + [_Problem(loc, kind == "missing", None) for loc, kind in dropped.items()]


def _clean(loc: Loc, data: Any) -> Loc:
    """The steps of a place that are in the data: pydantic adds the alternatives of a union and the steps of a text."""
    found: list[str | int] = []
    for part in loc:
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        found.append(part)
    return tuple(found)


_CODES = {"missing": "missing-field", "extra_forbidden": "unknown-field"}
_WHOLE = "must be a whole number"
_DAY = "must be a date such as 2026-12-24"
_SENTENCES: dict[str, str] = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": "is too large a number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_type": "must be text",
    "string_unicode": "must be text without broken characters",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "dict_type": "must be a map of keys to values",
    "model_type": "must be a map of fields",
    "model_attributes_type": "must be a map of fields",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_short": "has too few entries",
    "too_long": "has too many entries",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}


def _sentence(model: type[Model], loc: Loc, detail: Mapping[str, Any]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        names = [name for name in _fields_at(model, loc[:-1]) if name != "*"]
        nearest = get_close_matches(str(loc[-1]), names, n=1, cutoff=0.6)
        if nearest:
            return f"there is no such field; did you mean {nearest[0]}?"
        return f"there is no such field; there are {', '.join(names)}"
    if kind == "literal_error" and loc in (("throttle",), ("throttle_map",), ("throttle_learned",)):
        return "says another version of the format; this program reads 1"
    if kind == "value_error":
        return str(context["error"])
    return _SENTENCES[kind].format(**context) if kind in _SENTENCES else str(detail["msg"])


def _fields_at(model: type[Model], loc: Loc) -> dict[str, Any]:
    annotation: Any = model
    for part in loc:
        inner = children(annotation)
        annotation = inner.get(str(part), inner.get("*"))
    return children(annotation)


# ---------------------------------------------------------------------------------------------------------- writing


def save_portfolio(portfolio: Portfolio, path: Path) -> None:
    """Write a portfolio as YAML or, where the name ends in ``.json``, JSON; what it replaces stays whole until then.

    Defaults are left out; reading it back gives an equal portfolio. Raises InputError where that cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError([error_at("wrong-kind", f"{path} must end in .yaml or .json to be a portfolio", path)])
    data = portfolio_data(portfolio)
    if suffix == ".json":
        text = render_json(data, 2) + "\n"
    else:
        skills = data.get("skills", {})
        text = render_yaml(data if any(skills.values()) else {**data, **({"skills": list(skills)} if skills else {})})
    write_atomic(path, text)


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan as JSON, an entry a line; equal plans give equal bytes. Made and written entry by entry."""
    write_atomic(path, _plan_text(plan))


def _plan_text(plan: Plan) -> Iterator[str]:
    """The parts of the text, so that it is never whole in memory."""
    for k, name in enumerate(Plan.model_fields):
        value = getattr(plan, name)
        if name == "portfolio" and value is None:
            continue
        yield f'{"," if k else "{"}\n "{name}": '
        if isinstance(value, Portfolio):
            yield render_json(portfolio_data(value), 2, {}, " ")
        elif isinstance(value, dict | tuple) and value:
            yield from _entries(value)
        else:
            yield render_json(plan.model_dump(mode="json", include={name})[name], 1, {}, " ")
    yield "\n}\n"


def _entries(value: dict[str, Any] | tuple[Any, ...]) -> Iterator[str]:
    """A map or list of models or words, one a line."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    keyed = isinstance(value, dict)
    before = "{" if keyed else "["
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
        data = entry.model_dump(mode="json") if isinstance(entry, Model) else entry
        yield f"{before}\n  {encode(key)}: {encode(data)}" if keyed else f"{before}\n  {encode(data)}"
        before = ","
    yield "\n }" if keyed else "\n ]"


def portfolio_hash(portfolio: Portfolio) -> str:
    """SHA-256 (hex) of the portfolio's canonical JSON: fields that differ from their default, keys sorted, no spaces.

    Calendars are a list of [id, calendar] there, since their order has a meaning (the first serves whoever names none).
    """
    data = portfolio.model_dump(mode="json", exclude_defaults=True)
    if "calendars" in data:
        data["calendars"] = [[key, calendar] for key, calendar in data["calendars"].items()]
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_atomic(path: Path, data: str | bytes | Iterable[str]) -> None:
    """Put a whole file in place at once: a reader, or a crash, finds the old one or the new one, never a part.

    Text may come in parts, which are written as they come.

    Raises InputError where the folder does not exist or cannot be written to.
    """
    target = path.resolve()  # a link stays one
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name[:40]}.", delete=False) as file:
            temporary = Path(file.name)
            for part in (data,) if isinstance(data, str | bytes) else data:
                file.write(part.encode() if isinstance(part, str) else part)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise InputError([error_at("unwritable", f"{path} cannot be written: {error.strerror}", path)]) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def portfolio_data(portfolio: Portfolio) -> dict[str, Any]:
    """A portfolio as files write it, defaults left out."""
    return {"throttle": portfolio.throttle, **portfolio.model_dump(mode="json", exclude_defaults=True)}


# ---------------------------------------------------------------------------------------------------------- editing


def edit_portfolio(path: Path, changes: Mapping[tuple[str, ...], Any]) -> None:
    """Set fields of a planner's portfolio: ``{("work", "X", "status"): "done"}``; None removes one.

    Only the entries named are written anew, so that comments and layout stay, and every other byte. In a folder, a
    field is set in the file that has the entry; a section of settings that no file has is added to the first. Nothing
    is written unless the whole result is a sound portfolio; raises InputError otherwise, or where an entry is in no
    file.
    """
    left = dict(changes)
    sources, edited = [_source(file, _text(file), Portfolio) for file in _files_of(path)], {}
    said = {section for source in sources for section in (*source.data, *(loc[0] for loc in source.spans if loc))}
    new = {loc for loc in left if len(_entry(loc)) == 1 and loc[0] not in said}
    for k, source in enumerate(sources):
        mine = {
            loc: value
            for loc, value in left.items()
            if _holds(source.data, _entry(loc)) or _entry(loc) in source.spans or (k == 0 and loc in new)
        }
        if mine:
            left = {loc: value for loc, value in left.items() if loc not in mine}
            edited[source.path] = _edited(source, mine)
            sources[k] = _source(source.path, edited[source.path], Portfolio)
    if left:
        missing = {".".join(_entry(loc)): loc for loc in left}
        raise InputError(
            [error_at("no-entry", f"{path} has no {e}; add it", path, loc, loc[1:2]) for e, loc in missing.items()]
        )
    _portfolio_of(sources)
    for file, text in edited.items():
        write_atomic(file, text)


def _entry(loc: tuple[str, ...]) -> tuple[str, ...]:
    """What is written anew to set a field: one entry of a section, ``policy`` or a value by itself."""
    return loc[: min(2, len(loc) - 1)] or loc


def _holds(data: Any, loc: tuple[str, ...]) -> bool:
    for step in loc:
        if not isinstance(data, dict) or step not in data:
            return False
        data = data[step]
    return True


def _edited(source: _Source, changes: Mapping[tuple[str, ...], Any]) -> str:
    """The text of a file with the changes in it."""
    if source.path.suffix.lower() == ".json":
        data = read_json(source.text, source.path)
        _apply(data, changes, dict)
        return render_json(data, 2) + "\n"
    text = source.text
    entries = {_entry(loc) for loc in changes}
    there = sorted(entries & set(source.spans), key=lambda entry: -source.spans[entry].start)
    for entry in there:
        span = source.spans[entry]
        inner = {loc[len(entry) :]: value for loc, value in changes.items() if _entry(loc) == entry}
        old = _trimmed(text[span.start : span.end])
        new = render_flow(inner[()]) if () in inner else _edited_value(old, span.column, inner)
        if "\r\n" in text:
            new = new.replace("\n", "\r\n")
        text = text[: span.start] + ("" if old else " ") + new + text[span.start + len(old) :]
    for entry in sorted(entries - set(there)):
        section: dict[str, Any] = {}
        _apply(section, {loc: value for loc, value in changes.items() if _entry(loc) == entry}, dict)
        added = "\n\n" + render_yaml(section).lstrip("\n")
        text = text.rstrip() + (added.replace("\n", "\r\n") if "\r\n" in text else added)
    wanted = read_yaml(source.text, source.path)
    _apply(wanted, {loc: _as_read(value) for loc, value in changes.items()}, dict)
    if read_yaml(text, source.path) != wanted:
        names = " and ".join(".".join(entry) for entry in sorted(entries))
        message = f"{source.path}: {names} cannot be changed in place, as it is written; change it by hand"
        raise InputError([error_at("not-edited", message, source.path)])
    return text


def _trimmed(value: str) -> str:
    """Without the blank lines and comments after it, which a block's end takes in."""
    lines = value.split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return "\n".join(lines).rstrip("\r")


def _as_read(value: Any) -> Any:
    return None if value is None else read_yaml(render_flow(value), Path())


def _spelt(value: Any) -> Any:
    """Plain data with numbers and truth values as text."""
    if isinstance(value, dict):
        return {key: _spelt(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_spelt(inner) for inner in value]
    return value if value is None or isinstance(value, str) else render_flow(value)


def _edited_value(text: str, column: int, changes: Mapping[tuple[str, ...], Any]) -> str:
    """A map or list as it stands in a file, with changes; ``column`` is where it begins."""
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.resolver import VersionedResolver

    class AsSpelt(VersionedResolver):
        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            return self.DEFAULT_SCALAR_TAG if kind is ScalarNode else super().resolve(kind, value, implicit)

    def flow_map() -> Any:
        fields = CommentedMap()
        fields.fa.set_flow_style()
        return fields

    yaml = YAML(typ="rt")
    yaml.Resolver = AsSpelt
    yaml.width = 2**20
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    first, *rest = text.split("\n")
    dedented = "\n".join((first, *(line.removeprefix(" " * column) for line in rest)))
    try:
        data = yaml.load(dedented) or flow_map()
    except YAMLError:  # an alias of something outside; the comparison that follows tells
        return text
    _apply(data, {loc: _spelt(value) for loc, value in changes.items()}, flow_map)
    out = StringIO()
    yaml.dump(data, out)
    lines = out.getvalue().rstrip("\n").split("\n")
    return "\n".join((lines[0], *(" " * column + line if line else "" for line in lines[1:])))


def _apply(data: Any, changes: Mapping[tuple[str, ...], Any], new_map: Callable[[], Any]) -> None:
    for (*steps, last), value in changes.items():
        at = data
        for step in steps:
            index: Any = int(step) if isinstance(at, list) else step
            if not isinstance(at, list) and at.get(index) is None:
                at[index] = new_map()
            at = at[index]
        if value is not None:
            at[last] = value
        elif last in at:
            del at[last]
