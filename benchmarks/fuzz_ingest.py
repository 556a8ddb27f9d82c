"""Whether damaged exports of every kind are read or refused in a sentence, and never anything else.

    python -m benchmarks.fuzz_ingest COUNT [--seed N] [--first N] [--only NAME] [--keep FOLDER] [--limit 20s]

The seeds are the synthetic exports of the example organisation in every format, each cut to a few records; a case takes
one of them and changes bytes, cells, values, tags or members, a few times. It is read as ``throttle ingest`` reads it.
Allowed: a portfolio whose account adds up (``read``), or InputError (``refused``). A JSON line for each defect, with
the number that makes it again (``--first N 1``): any other exception (``error``), an account that does not add up
(``account``), more than ``--limit`` (``endless``). The last line has the sums and the most memory that the process ever
held, which must stay below 1 GB. Exit code 1 where something failed. ``--keep``: the inputs of defects are written
there.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import json
import random
import re
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring, register_namespace, tostring

from benchmarks.literature import at_most
from benchmarks.options import seconds, whole

from throttle.errors import InputError
from throttle.ingest import read_exports
from throttle_models import Mapping

FOLDER = Path(__file__).resolve().parents[1] / "datasets" / "parts-unlimited"
FEW = 5
MOST_MEMORY = 1_000
"""Megabytes."""

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, 2**63, -(2**70), "", " ", "None", "nan", "?", "\x00", "\ud800", "é\u0301", "𝟘"),
    *("ABC-1", "-1", "99999999999999999999", "1e999", "PT8H", "P1Y", "P99999999D", "99:99:99", "1970-01-99 25:61:61"),
    *("9999-12-31T23:59:59-23:59", "0000-00-00", "01/02/03", "13/13/2021", "2021-02-30", "1700000000000", "12/Mar/21"),
    *("=1+1", "@x", "-5", "#12", "a,b;c", "x" * 70_000, "(" * 500, "[" * 500, "Blocks #1, Follows #2 (99999999 days)"),
    *("RRULE:FREQ=SECONDLY", "DTSTART:19970101", "Europe/Nowhere", "<b>", "&amp;", "&x;", "../../x", "C:\\x"),
    *([], {}, [[]], [{}], {"value": None}, {"display_value": []}, {"name": {}}, [None], {"key": 7}, {"id": {}}),
)
PIECES = (
    *(b'"', b",", b";", b"\t", b"\n", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"(", b")", b"#", b"\x1a"),
    *(b"{", b"}", b"[", b"]", b":", b"null", b"<", b">", b"</", b"/>", b"<!--", b"]]>", b"&", b"<!DOCTYPE a [<!ENTITY"),
    *(b"%T\t", b"%R\t", b"%F\t", b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"RRULE:FREQ=YEARLY;COUNT=99999999\r\n"),
    *(b"PK\x03\x04", b"PK\x05\x06", b"\x7f\x7f", b"sep=;\n", b"\xc3", "é".encode(), b"0" * 40, b"-"),
)


# -------------------------------------------------------------------------------------------------------------- seeds

_ICS = b"""\
BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Example//Leave//EN\r
BEGIN:VEVENT\r
UID:1@example\r
SUMMARY:Ann Lee - leave\r
DTSTART;VALUE=DATE:20261224\r
DTEND;VALUE=DATE:20261227\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2@example\r
SUMMARY:Christmas\r
DTSTART:20251225\r
RRULE:FREQ=YEARLY;COUNT=5\r
EXDATE:20271225\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3@example\r
SUMMARY:Course\r
DTSTART;TZID=Europe/Berlin:20261201T090000\r
DURATION:P2DT4H\r
END:VEVENT\r
END:VCALENDAR\r
"""
_HOLIDAYS = b"""\
{"england-and-wales": {"division": "england-and-wales", "events": [
 {"title": "New Year's Day", "date": "2026-01-01", "notes": "", "bunting": true},
 {"title": "Good Friday", "date": "2026-04-03", "notes": "", "bunting": false}]}}
"""
_SERVICE_MANAGER = b"""\
CI Name (aff);CI Type (aff);Change ID;Change Type;Risk Assessment;Planned Start;Planned End;Actual Start;Actual End;\
Change record Open Time;Change record Close Time
SUB000113;subapplication;C00000056;Release Type 08;Minor Change;13-09-2013 10:00;15-09-2013 12:00;;;\
22-08-2013 07:33;16-09-2013 08:05
WBA000124;application;C00000056;Release Type 08;Minor Change;13-09-2013 10:00;15-09-2013 12:00;;;\
22-08-2013 07:33;16-09-2013 08:05
DTA000616;application;C00003013;Standard Change Type 16;Business Criticality;;;;;05-09-2013 07:33;
"""


@cache
def seeds() -> dict[str, bytes]:
    """Name to content: every synthetic export, cut to a few records."""
    sys.path.insert(0, str(FOLDER))
    trackers, planners = map(importlib.import_module, ("parts_exports_trackers", "parts_exports_planners"))

    from throttle.files import load_portfolio

    portfolio = load_portfolio(FOLDER / "native")
    committed = [path for path in sorted((FOLDER / "exports").iterdir()) if path.suffix != ".yaml"]
    whole_ones = {path.name: path.read_bytes() for path in committed}
    whole_ones |= trackers.tracker_files(portfolio) | planners.planner_files(portfolio)
    found = {name: few(data) for name, data in whole_ones.items()}
    found |= {"holidays.ics": _ICS, "holidays.json": _HOLIDAYS, "service-manager.csv": _SERVICE_MANAGER}
    found["exports.zip"] = _zipped({name: found[name] for name in ("jira.csv", "servicenow_change_request.json")})
    return found


def few(data: bytes) -> bytes:
    """The same file with a few records of each list."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _zipped({name: _few_tags(archive.read(name)) for name in archive.namelist()})
    text, encoding = _text(data)
    if text.lstrip("\ufeff \n").startswith(("{", "[")):
        return _json([_few_values(document) for document in _documents(text)]).encode()
    if text.lstrip("\ufeff \n").startswith("<"):
        return _few_tags(data)
    if text.startswith("ERMHDR"):
        return _few_lines(text).encode()
    if "BEGIN:VCALENDAR" in text[:100]:
        events = re.split(r"(?=BEGIN:VEVENT)", text)
        return ("".join(events[: FEW + 1]) + ("END:VCALENDAR\r\n" if len(events) > FEW + 1 else "")).encode()
    dialect = max(",;\t", key=text.split("\n", 1)[0].count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect))
    return _csv(rows[: FEW + 2], dialect, encoding)


def _text(data: bytes) -> tuple[str, str]:
    """It, and how to write it back."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _documents(text: str) -> list[Any]:
    """JSON documents one after another; mostly it is one."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text) and (at := len(text) - len(text[at:].lstrip())) < len(text):
        document, at = decoder.raw_decode(text, at)
        found.append(document)
    return found


def _json(documents: list[Any], ascii_only: bool = False) -> str:
    return "\n".join(json.dumps(document, ensure_ascii=ascii_only) for document in documents)


def _few_values(value: Any) -> Any:
    if isinstance(value, list):
        return [_few_values(one) for one in value[:FEW]]
    return {k: _few_values(v) for k, v in value.items()} if isinstance(value, dict) else value


def _few_tags(data: bytes) -> bytes:
    try:
        root = fromstring(data)
    except SyntaxError:
        return data
    for element in list(root.iter()):
        seen: Counter[str] = Counter()
        for child in list(element):
            seen[str(child.tag)] += 1
            if seen[str(child.tag)] > FEW + 2:
                element.remove(child)
    return _written(root)


def _written(root: Element) -> bytes:
    if root.tag.startswith("{"):
        register_namespace("", root.tag[1:].partition("}")[0])
    return bytes(tostring(root, encoding="utf-8"))


def _few_lines(text: str) -> str:
    kept, rows = [], 0
    for line in text.split("\n"):
        rows = rows + 1 if line.startswith("%R") else 0
        if rows <= FEW:
            kept.append(line)
    return "\n".join(kept)


def _zipped(members: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return raw.getvalue()


def _csv(rows: list[list[str]], delimiter: str, encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding, "replace")


# ---------------------------------------------------------------------------------------------------------- mutations


def mutated(name: str, data: bytes, dice: random.Random) -> bytes:
    """The seed, changed a few times: by its structure, by its bytes, or both."""
    by_structure = _structure(name, data)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        if by_structure is not None and dice.random() < 0.7:
            data = by_structure(data, dice)
        else:
            data = _bytes(data, dice)
            by_structure = None  # it may no longer parse
    return data


def _structure(name: str, data: bytes) -> Callable[[bytes, random.Random], bytes] | None:
    if data.startswith(b"PK"):
        return _members
    if name.endswith(".json"):
        return _values
    if name.endswith(".xml"):
        return _tags
    return _cells if name.endswith((".csv", ".xer")) else None


def _bytes(data: bytes, dice: random.Random) -> bytes:
    at, length = dice.randrange(len(data) + 1), dice.choice((0, 0, 1, 2, 5, 40, 400))
    match dice.randrange(6):
        case 0:
            put = dice.choice(PIECES)
        case 1:
            put = dice.randbytes(dice.randint(0, 4))
        case 2:
            start = dice.randrange(len(data) + 1)
            put = data[start : start + dice.randint(1, 300)]
        case 3:
            return data[:at]
        case 4:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case _:
            put = b""
    return data[:at] + put + data[at + length :]


def _values(data: bytes, dice: random.Random) -> bytes:
    content = _documents(data.decode("utf-8-sig", "surrogatepass"))
    places: list[tuple[Any, Any]] = []
    stack = [content]
    while stack:
        at = stack.pop()
        for key in at if isinstance(at, dict) else range(len(at)):
            places.append((at, key))
            if isinstance(at[key], dict | list):
                stack.append(at[key])
    if not places:
        return data
    holder, key = dice.choice(places)
    match dice.randrange(5):
        case 0 if isinstance(holder, dict):
            holder[dice.choice(("", "id", "key", "fields", "x\ud800", "state"))] = holder.pop(key)
        case 1:
            other, place = dice.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))
        case 2:
            del holder[key]
        case 3 if isinstance(holder, list):
            holder.append(holder[key])
        case _:
            holder[key] = dice.choice(ODD)
    try:
        return _json(content, dice.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return data


def _tags(data: bytes, dice: random.Random) -> bytes:
    try:
        root = fromstring(data)
    except SyntaxError:
        return _bytes(data, dice)
    elements = list(root.iter())
    element = dice.choice(elements)
    odd = dice.choice(ODD)
    text = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "", str(odd))
    match dice.randrange(6):
        case 0 if element.attrib:
            element.set(dice.choice(list(element.attrib)), text)
        case 1 if len(element):
            element.remove(dice.choice(list(element)))
        case 2:
            element.append(_copy(dice.choice(elements)))
        case 3:
            element.tag = dice.choice(("x", "item", "Task", "key", "UID"))
        case _:
            element.text = text
    return _written(root)


def _copy(element: Element) -> Element:
    return fromstring(tostring(element))


def _cells(data: bytes, dice: random.Random) -> bytes:
    text, encoding = _text(data)
    delimiter = max(",;\t", key=text[:2000].count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    row = dice.choice(rows) if dice.random() < 0.8 else rows[0]
    if not row:
        return data
    at = dice.randrange(len(row))
    match dice.randrange(6):
        case 0:
            row.insert(at, "" if dice.random() < 0.5 else row[at])
        case 1:
            del row[at]
        case 2:
            for each in rows:  # a column twice, or gone
                if at < len(each):
                    each.append(each[at])
        case 3:
            rows.insert(dice.randrange(1, len(rows) + 1), list(row))
        case 4:
            row[at] = dice.choice(dice.choice(rows) or [""])
        case _:
            row[at] = str(dice.choice(ODD)).replace("\ud800", "")
    if text.startswith("ERMHDR"):
        lines = ("\t".join(cell.replace("\n", " ") for cell in each) for each in rows)
        return "\n".join(lines).encode(encoding, "replace")
    return _csv(rows, delimiter, encoding)


def _members(data: bytes, dice: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if not members:
        return data
    name = dice.choice(list(members))
    if dice.random() < 0.15:
        del members[name]
    elif members[name][:1] == b"<" and dice.random() < 0.7:
        members[name] = _tags(members[name], dice)
    else:
        members[name] = _bytes(members[name], dice)
    return _zipped(members)


# -------------------------------------------------------------------------------------------------------------- cases


def case(number: int, seed: int, only: str | None = None) -> tuple[str, bytes]:
    """Name and content of the case of this number."""
    dice = random.Random(f"{seed}-{number}")
    names = sorted(name for name in seeds() if only is None or only in name)
    name = names[number % len(names)]
    return name, mutated(name, seeds()[name], dice)


@cache
def _plain_map() -> Mapping:
    seeds()
    return Mapping.model_validate(importlib.import_module("parts_exports_trackers").PLAIN_MAP)


def read(path: Path) -> str:
    """``read`` or ``refused``. Whatever else is raised is a defect, and so is a report that does not add up."""
    try:
        report = read_exports([path], mapping=_plain_map() if path.name.startswith("plain") else None).report
    except InputError as error:
        if not error.findings or not all(finding.message for finding in error.findings):
            raise AssertionError("refused without a sentence") from None
        return "refused"
    each = all(f.merged >= 0 and f.rows == f.imported + f.merged + f.rejected for f in report.files)
    if not each or report.rows_read != report.imported + report.merged + report.rejected:
        raise AssertionError("the account does not add up")
    return "read"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("count", type=whole(1))
    parser.add_argument("--seed", type=whole(0), default=1)
    parser.add_argument("--first", type=whole(0), default=0, help="number of the first case")
    parser.add_argument("--only", help="only seeds whose name holds this")
    parser.add_argument("--keep", type=Path, help="folder for the inputs of defects")
    parser.add_argument("--limit", type=seconds, default=20.0)
    how = parser.parse_args(arguments)
    done: Counter[str] = Counter()
    by_seed: dict[str, Counter[str]] = {}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(how.first, how.first + how.count):
            name, data = case(number, how.seed, how.only)
            path = Path(folder) / name
            path.write_bytes(data)
            defect, start = "", time.perf_counter()
            try:
                with at_most(how.limit):
                    outcome = read(path)
            except TimeoutError:
                outcome = defect = "endless"
            except AssertionError as problem:
                outcome, defect = "account", str(problem)
            except Exception as problem:
                where = traceback.extract_tb(problem.__traceback__)[-1]
                outcome = "error"
                defect = f"{type(problem).__name__} at {Path(where.filename).name}:{where.lineno}"
            if time.perf_counter() - start > how.limit:  # where a library took the signal for an error of its own
                outcome = defect = "endless"
            done[outcome] += 1
            by_seed.setdefault(name, Counter())[outcome] += 1
            if defect:
                print(json.dumps({"case": number, "seed": how.seed, "name": name, "outcome": outcome, "what": defect}))
                if how.keep is not None:
                    how.keep.mkdir(parents=True, exist_ok=True)
                    (how.keep / f"{number}-{name}").write_bytes(data)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "cases": how.count,
                **{outcome: done[outcome] for outcome in ("read", "refused", "error", "account", "endless")},
                "seconds": round(time.perf_counter() - began, 1),
                "most_megabytes": round(memory),
                "read_by_seed": {name: counts["read"] for name, counts in sorted(by_seed.items())},
            }
        )
    )
    failed = done["error"] + done["account"] + done["endless"]
    return 1 if failed or memory >= MOST_MEMORY else 0


if __name__ == "__main__":
    sys.exit(main())
