"""Uploads and bodies that are wrong in every way known, sent to a running service, which must refuse each and go on.

``python -m benchmarks.contract --malformed N [--seed S]`` sends the corpus below, and then damaged exports of every
format (those of :mod:`benchmarks.fuzz_ingest`) and damaged JSON bodies, N in all. Every answer must be below 500 (but
503 ``busy``, after which it is sent again) and no reader may fail other than by a sentence of what is wrong. The last
line has the answers by status, the rate, and the most memory that the service and all its processes held at once.
"""

from __future__ import annotations

import http.client
import io
import json
import random
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.fuzz_ingest import ODD, case

MOST_MEMORY = 1_000
"""Megabytes."""
SENDERS = 3
BODIES = 4
"""One of so many inputs is a JSON body, and not an upload."""

JIRA = (
    "Issue key,Summary,Status,Issue Type,Created,Assignee,Priority\n"
    "OPS-1,Move the order schema,To Do,Task,2026-11-02 09:00,Brent,High\n"
    "OPS-2,Patch the store servers,In Progress,Task,2026-11-03 09:00,Erik,Low\n"
)


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e SYSTEM "file:///etc/passwd">]><rss><channel>&d;&e;</channel></rss>"""

MALFORMED: dict[str, tuple[str, bytes]] = {
    "empty": ("a.csv", b""),
    "blank": ("a.csv", b"\n\n  \n"),
    "header only half": ("a.csv", b'"Issue key'),
    "cut off in a quote": ("a.csv", JIRA.encode()[:-20] + b'"'),
    "other columns": ("a.csv", b"a,b,c\n1,2,3\n"),
    "binary": ("a.csv", bytes(range(256)) * 40),
    "nul": ("a.csv", b"\x00" * 1000),
    "one long line": ("a.csv", b"a" * 2_000_000),
    "long field": ("a.csv", JIRA.encode() + b"OPS-3," + b"x" * 70_000 + b",To Do,Task,2026-11-03,Erik,Low\n"),
    "too many rows": (
        "a.csv",
        (JIRA + "".join(f"OPS-{n},t,Done,Task,2026-11-03,E,Low\n" for n in range(3, 60))).encode(),
    ),
    "utf-16 without an end": ("a.csv", JIRA.encode("utf-16")[:-1]),
    "a web page": ("a.csv", b"<!doctype html><html><title>Sign in</title></html>"),
    "entities": ("a.xml", ENTITIES),
    "json cut off": ("a.json", b'{"result": [{"number": "CHG1"'),
    "json deep": ("a.json", b"[" * 100_000),
    "json deep and whole": ("a.json", b"[" * 50_000 + b"]" * 50_000),
    "json of numbers": ("a.json", b"[1,2,3]"),
    "json long text": ("a.json", b'[{"number":"CHG1","short_description":"' + b"x" * 70_000 + b'"}]'),
    "json huge number": ("a.json", b'[{"number":' + b"9" * 10_000 + b"}]"),
    "no zip": ("a.zip", b"PK\x03\x04garbage"),
    "zip bomb": ("a.zip", _zip(**{"a.csv": b"\x00" * 30_000_000})),
    "zip in a zip": ("a.zip", _zip(**{"a.zip": _zip(**{"a.zip": _zip(a=b"1")})})),
    "zip that climbs": ("a.zip", _zip(**{"../../evil.csv": b"x"})),
    "no workbook": ("a.xlsx", _zip(**{"xl/workbook.xml": ENTITIES, "[Content_Types].xml": b"<a/>"})),
    "a plan": ("a.json", b'{"throttle": 1, "kind": "plan"}'),
    "yaml aliases": ("a.csv", b"a: &a [1,1,1]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n"),
    "a name that climbs": ("../../../etc/passwd", b"root"),
    "a name of ours": ("task.json", b"{}"),
    "no name to speak of": ("...", b"x"),
    "a long name": ("\U0001f642" * 300 + ".csv", b"x"),
    "code": ("json.py", b"raise SystemExit('never')"),
    "a formula": ("a.csv", b"=cmd|' /C calc'!A0,b\n1,2\n"),
    "many columns": ("a.csv", b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b"," * 99_999 + b"\n"),
    "many columns of an export": (
        "a.csv",
        JIRA.splitlines()[0].encode() + b",x" * 100_000 + b"\n" + JIRA.splitlines()[1].encode() + b",1" * 200_000,
    ),
    "utf-32 of half a character": ("a.csv", JIRA.encode("utf-32")[:-2]),
    "bytes that no encoding has": ("a.csv", JIRA.encode() + b"OPS-3,\xff\xfe\xfd\x81\n"),
    "a nul in a key": ("a.json", b'{"result": [{"number\\u0000": "CHG1", "\\ud800": 1}]}'),
    "json deep in a record": ("a.json", b'{"result": [{"number": ' + b'{"value":' * 40 + b"1" + b"}" * 40 + b"}]}"),
    "xml deep": ("a.xml", b"<rss>" + b"<a>" * 100_000),
    "xml of many attributes": ("a.xml", b"<rss " + b" ".join(b'a%d="1"' % n for n in range(50_000)) + b"/>"),
    "xml in utf-16 that says utf-8": ("a.xml", '<?xml version="1.0" encoding="utf-8"?><rss/>'.encode("utf-16")),
    "zip without its end": ("a.zip", _zip(**{"a.csv": JIRA.encode()})[:-20]),
    "zip of many members": ("a.zip", _zip(**{f"{n}.csv": b"" for n in range(1_500)})),
    "zip with a wrong checksum": ("a.zip", _zip(**{"a.csv": JIRA.encode()}).replace(b"PK\x03\x04", b"PK\x03\x05", 1)),
    "a workbook of nothing": ("a.xlsx", _zip(**{"xl/workbook.xml": b"<workbook/>"})),
    "a calendar without an end": ("a.ics", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:99999999\r\n"),
    "a calendar of every second": (
        "a.ics",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:x\r\nDTSTART:19970101T000000Z\r\n"
        b"RRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    ),
    "primavera cut off": ("a.xer", b"ERMHDR\t8.4\n%T\tTASK\n%F\ttask_id\n%R"),
}
"""What it is, the name of the file and the file."""


# ------------------------------------------------------------------------------------------------------------ inputs


@dataclass(frozen=True)
class Input:
    name: str
    method: str
    path: str
    kind: str
    body: bytes


def inputs(count: int, seed: int) -> Iterator[Input]:
    """The corpus, and then as many damaged files and bodies as are missing."""
    for name, file in [*MALFORMED.items()][:count]:
        yield upload(name, *file)
    for number in range(count - len(MALFORMED)):
        if number % BODIES:
            yield upload(f"{number}", *case(number, seed))
        else:
            yield body(number, seed)


def upload(name: str, file: str, data: bytes) -> Input:
    mark = b"throttle-malformed-9f2b6c"
    said = file.encode().replace(b"\\", b"").replace(b'"', b"")
    head = b'Content-Disposition: form-data; name="file"; filename="' + said + b'"\r\n\r\n'
    whole = b"--" + mark + b"\r\n" + head + data + b"\r\n--" + mark + b"--\r\n"
    return Input(name, "POST", "/v1/imports", f"multipart/form-data; boundary={mark.decode()}", whole)


@cache
def _sound() -> dict[str, tuple[str, str, Any]]:
    """Name to method, path and a body that would do."""
    work = {f"A{n}": {"title": f"t{n}", "needs": [{"skill": "java", "effort": "8h"}]} for n in range(4)}
    people = {"ana": {"skills": {"java": 2}}, "bo": {"skills": {"java": 1}}}
    portfolio = {"throttle": 1, "as_of": "2026-11-23T08:00", "people": people, "work": work, "policy": {"pins": []}}
    job = {"kind": "what-if", "portfolio": portfolio, "options": {"scenarios": {"a": {"drop": ["people.bo"]}}}}
    return {
        "dataset": ("PUT", "/v1/datasets/malformed", portfolio),
        "job": ("POST", "/v1/jobs", job | {"budget": 0.1}),
        "progress": ("POST", "/v1/plan/progress", {"updates": [{"item": "PHX-23", "status": "done"}]}),
        "pin": ("PUT", "/v1/plan/pins/PHX-23", {"who": ["brent"], "start": "2026-12-01"}),
        "replan": ("POST", "/v1/plan/replan", {"budget": 0.1, "as_of": "2026-11-24T08:00"}),
        "calendar": ("POST", "/v1/calendars", {"person": "brent"}),
        "webhook": ("PUT", "/v1/webhook", {"url": "https://example.com/hook"}),
    }


def body(number: int, seed: int) -> Input:
    dice = random.Random(f"{seed} body {number}")
    name = dice.choice(sorted(_sound()))
    method, path, sound = _sound()[name]
    document = json.loads(json.dumps(sound))
    for _ in range(dice.randint(1, 3)):
        document = _changed(document, dice)
    data = json.dumps(document).encode(errors="surrogatepass")
    if dice.random() < 0.3 and data:
        at = dice.randrange(len(data))
        data = dice.choice((data[:at], data[:at] + dice.randbytes(3) + data[at:], data[:at] + data[at + 2 :]))
    return Input(f"{name} {number}", method, path, "application/json", data)


def _changed(value: Any, dice: random.Random) -> Any:
    """One value in it, anywhere, is another one, gone, or there under another name."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(sorted(value))
        if (what := dice.random()) < 0.1:
            del value[key]
        elif what < 0.2:
            value[str(dice.choice(ODD))] = value.pop(key)
        else:
            value[key] = _changed(value[key], dice)
        return value
    if isinstance(value, list) and value and dice.random() < 0.8:
        at = dice.randrange(len(value))
        value[at] = _changed(value[at], dice)
        return value
    return dice.choice(ODD)


# ------------------------------------------------------------------------------------------------------------ sending


class Sender(threading.local):
    """One connection of each thread."""

    def __init__(self, address: str, key: str) -> None:
        self.host, self.key = urlsplit(address).netloc, key
        self.connection = http.client.HTTPConnection(self.host, timeout=180)

    def send(self, one: Input) -> tuple[int, bytes]:
        """Status and body; where the service asks to come again, it does."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": one.kind, "If-Match": "*"}
        for attempt in range(200):
            try:
                self.connection.request(one.method, one.path, one.body, headers)
                answer = self.connection.getresponse()
                said = answer.read()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                if attempt:
                    return 0, b""
                continue  # a connection that was kept too long
            if answer.status in (429, 503) and b'"busy"' in said:
                time.sleep(0.2)
                continue
            return answer.status, said
        return answer.status, said


def tree(root: int) -> int:
    """Bytes that a process and all that it began hold now, what they share counted once (the sum of Pss)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    todo, sum_ = [root], 0
    while todo:
        process = todo.pop()
        todo += children.get(process, [])
        try:
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    sum_ += int(line.split()[1]) * 1024
        except OSError:
            continue
    return sum_


def send_all(address: str, key: str, process: int, count: int, seed: int) -> dict[str, Any]:
    """What came of it; ``bad`` has a few of the answers that must not be."""
    sender, by_status, bad = Sender(address, key), Counter[int](), list[str]()
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.5):
            most = max(most, tree(process))

    def one(given: Input) -> tuple[str, int, bytes]:
        return given.name, *sender.send(given)

    began = time.monotonic()
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with ThreadPoolExecutor(SENDERS) as pool:
            given = inputs(count, seed)
            while some := list(islice(given, 300)):  # not all of them in memory at once
                for name, status, said in pool.map(one, some):
                    by_status[status] += 1
                    if not 200 <= status < 500 or b"reader-failed" in said:
                        bad.append(f"{name}: {status} {said[:300]!r}")
    finally:
        over.set()
        watching.join()
    spent = time.monotonic() - began
    return {
        "inputs": sum(by_status.values()),
        "statuses": {str(status): n for status, n in sorted(by_status.items())},
        "bad": len(bad),
        "first": bad[:10],
        "a_second": round(sum(by_status.values()) / spent, 1),
        "seconds": round(spent, 1),
        "most_megabytes": round(most / 1e6),
    }
