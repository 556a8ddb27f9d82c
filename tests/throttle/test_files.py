"""Portfolios and plans as files: what is read, what is refused and with which words, and that nothing is lost."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from support.portfolios import portfolios
from support.sample_plan import sample_plan, sample_portfolio
from throttle import documents
from throttle.errors import InputError
from throttle.files import (
    edit_portfolio,
    load_document,
    load_plan,
    load_portfolio,
    portfolio_hash,
    save_plan,
    save_portfolio,
    write_atomic,
)
from throttle.obeyed import parts
from throttle_models import Days, Estimate, Finding, Hours, Link, Need, Plan, Portfolio, Reading, When, WorkItem
from throttle_models.people import Rota
from throttle_models.policy import Inserted, Zones

CERTAIN = """\
throttle: 1
as_of: 2026-11-23T08:00
zone: America/Chicago
people: {brent: {skills: [oracle]}}
work: {A-1: {needs: [{skill: oracle, effort: 16h}]}}
simulation: {spread: null, tests: null}
"""

SMALL = """\
# our portfolio
throttle: 1
as_of: 2026-11-23T08:00
zone: America/Chicago
skills: [linux, oracle]
people:
  brent: {skills: {linux: 3, oracle: 3}}   # everything needs him
  wes:   {skills: [linux]}
work:
  A-1: {title: Order schema, needs: [{skill: oracle, effort: 16h/24h/60h}]}
  # waits for the schema
  A-2: {title: Deploy, needs: [{skill: linux, effort: 8h}], after: [A-1]}
policy:
  person_wip: 2
"""


def errors_of(path: Path) -> list[str]:
    """The messages of a file that is refused, without the folder it lies in."""
    with pytest.raises(InputError) as caught:
        load_portfolio(path)
    assert all(f.level == "error" and f.code for f in caught.value.findings)
    folder = path if path.is_dir() else path.parent
    return [f.message.replace(f"{folder}{os.sep}", "") for f in caught.value.findings]


def written(folder: Path, text: str | bytes, name: str = "portfolio.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# ---------------------------------------------------------------------------------------------------- what is read


def test_null_is_kept_where_it_says_something_else_than_nothing(tmp_path: Path) -> None:
    (tmp_path / "certain.yaml").write_text(CERTAIN, encoding="utf-8")
    read = load_portfolio(tmp_path / "certain.yaml")
    assert read.simulation.spread is None
    assert read.simulation.tests.fail == 0


def test_a_portfolio_written_by_hand(tmp_path: Path) -> None:
    portfolio = load_portfolio(written(tmp_path, SMALL))
    assert list(portfolio.work) == ["A-1", "A-2"]
    assert portfolio.work["A-1"].needs[0].effort == Estimate.model_validate("16h/24h/60h")
    assert portfolio.work["A-2"].after == (Link(item="A-1"),)
    assert portfolio.people["wes"].skills == {"linux": 1}


def test_words_of_yaml_1_2_stay_words(tmp_path: Path) -> None:
    text = """\
as_of: 2026-11-23
teams: {NO: {}, on: {name: off}, 010: {name: 1:30}, 1e3: {name: 0x1F}, y: {name: 2026-11-23}}
people: {brent: {team: NO}, wes: {team: 010, skills: {linux: 03}}}
"""
    portfolio = load_portfolio(written(tmp_path, text))
    assert {key: team.name for key, team in portfolio.teams.items()} == {
        "NO": "", "on": "off", "010": "1:30", "1e3": "0x1F", "y": "2026-11-23",
    }  # fmt: skip
    assert portfolio.people["wes"].team == "010"
    assert portfolio.people["wes"].skills == {"linux": 3}


def test_a_key_without_value_says_nothing(tmp_path: Path) -> None:
    portfolio = load_portfolio(
        written(tmp_path, "as_of: 2026-11-23\npeople:\nskills: {linux: }\nservices: {san: , web: {title: , tier: 2}}\n")
    )
    assert portfolio.people == {}
    assert portfolio.skills == {"linux": ""}
    assert portfolio.services["san"].tier is None
    assert portfolio.services["web"].tier == 2


def test_anchors_stand_for_what_they_name(tmp_path: Path) -> None:
    text = "as_of: 2026-11-23\npeople:\n  a: &both {skills: [linux]}\n  b: *both\n"
    assert load_portfolio(written(tmp_path, text)).people["b"].skills == {"linux": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark(tmp_path: Path, encoding: str) -> None:
    text = "as_of: 2026-11-23\nteams: {ops: {name: Überwachung}}\n"
    assert load_portfolio(written(tmp_path, text.encode(encoding))).teams["ops"].name == "Überwachung"


def test_the_same_without_libyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, SMALL)
    expected = load_portfolio(path)
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    assert load_portfolio(path) == expected
    bad = written(tmp_path, SMALL.replace("oracle, effort", "oracel, effort"), "bad.yaml")
    assert errors_of(bad) == [
        "bad.yaml, line 10: work.A-1.needs.0.skill: names 'oracel', which is not in skills; "
        "write 'oracle' if that is meant, or declare it there"
    ]


# -------------------------------------------------------------------------------------------------- several files


def test_a_folder_is_one_portfolio(tmp_path: Path) -> None:
    written(tmp_path, "as_of: 2026-11-23\nskills: [linux]\npeople: {brent: {skills: {linux: 3}}}\n", "a.yaml")
    written(tmp_path, json.dumps({"as_of": "2026-11-23", "work": {"A": {"after": ["B"]}}}), "b.json")
    written(
        tmp_path,
        "work: {B: {}}\nskills: {qa: testers}\npolicy: {person_wip: 2, pins: [{work: A, start: 1d}]}\n",
        "c.yml",
    )
    written(
        tmp_path, "policy: {pins: [{work: B, start: 1d}]}\nfreezes: [{from: 2026-12-24, to: 2026-12-26}]\n", "d.yaml"
    )
    written(tmp_path, "not: read", ".hidden.yaml")
    written(tmp_path, "not read either", "notes.md")
    portfolio = load_portfolio(tmp_path)
    assert portfolio.skills == {"linux": "", "qa": "testers"}
    assert list(portfolio.work) == ["A", "B"]
    assert [pin.work for pin in portfolio.policy.pins] == ["A", "B"]
    assert portfolio.policy.person_wip == 2


def test_an_id_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    written(tmp_path, "as_of: 2026-11-23\nwork:\n  A: {}\n", "a.yaml")
    written(tmp_path, "as_of: 2026-11-24\nwork:\n  B: {}\n  A: {}\n", "b.yaml")
    assert errors_of(tmp_path) == [
        "as_of is said twice, in a.yaml, line 1 and b.yaml, line 1; keep one",
        "work.A is said twice, in a.yaml, line 3 and b.yaml, line 4; keep one",
    ]


def test_problems_in_a_folder_are_placed_in_their_file(tmp_path: Path) -> None:
    written(tmp_path, "as_of: 2026-11-23\npolicy:\n  pins:\n    - {work: A, start: 1d}\n", "a.yaml")
    written(
        tmp_path,
        "work: {A: {}, B: {}}\n\npolicy:\n  pins:\n    - {work: B, start: 1d}\n    - {work: AA, start: 1d}\n",
        "b.yaml",
    )
    (message,) = errors_of(tmp_path)
    assert message.startswith("b.yaml, line 6: policy.pins.2.work: names 'AA'")


def test_an_empty_folder(tmp_path: Path) -> None:
    assert errors_of(tmp_path)[0].endswith("has no .yaml, .yml or .json file; name the portfolio's")


# --------------------------------------------------------------------------------------------------- what is refused


def test_all_problems_of_a_file_are_reported_together(tmp_path: Path) -> None:
    text = """\
as_of: 2026-11-23
people:
  brent: {skils: {linux: 3}, wip: none}
calendars:
  office: {zone: America/Chicago}
work:
  A-1:
    needs:
      - {skill: linux, efort: 3h}
    status: dnoe
    due: tomorrow
  A-2: {after: [A-1, A-3], project: phoenix}
  A-4: 7
policy: {buffers: {project: much}, drum: 3, person_wip: 0}
"""
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_portfolio(path)
    found = {f.path: f for f in caught.value.findings}
    assert {p: f.message.removeprefix(f"{path}, ") for p, f in found.items()} == {
        "people.brent.skils": "line 3: people.brent.skils: there is no such field; did you mean skills?",
        "people.brent.wip": "line 3: people.brent.wip: must be a whole number",
        "calendars.office.hours": "line 5: calendars.office.hours: is missing; add it",
        "work.A-1.needs.0.efort": "line 9: work.A-1.needs.0.efort: there is no such field; did you mean effort?",
        "work.A-1.status": "line 10: work.A-1.status: must be 'open', 'in-progress', 'done', 'cancelled' or 'unknown'",
        "work.A-1.due": "line 11: work.A-1.due: 'tomorrow' is not a date: write 2026-12-18, 2026-12-18T17:00 or, "
        "counted from as_of, 3d",
        "work.A-4": "line 13: work.A-4: must be a map of fields",
        "policy.buffers.project": "line 14: policy.buffers.project: 'much' is not a duration: write a number and m, h, "
        "d or w, such as 90m, 16h or 3d or must be 'auto'",
        "policy.person_wip": "line 14: policy.person_wip: must be at least 1",
        "work.A-2.after.1": "line 12: work.A-2.after.1: names 'A-3', which is not in work or external; write 'A-2' if "
        "that is meant, or declare it there",
        "work.A-2.project": "line 12: work.A-2.project: names 'phoenix', which is not in projects; declare it or "
        "correct it",
        "policy.drum": "line 14: policy.drum: names '3', which is not in people or skills; declare it or correct it",
    }
    assert {f.file for f in found.values()} == {str(path)}
    assert found["work.A-1.status"].ids == ("A-1",)
    assert found["people.brent.skils"].code == "unknown-field"


def test_what_is_wrong_in_json_has_a_line_too(tmp_path: Path) -> None:
    text = '{\n "as_of": "2026-11-23",\n "work": {\n  "A": {"after": ["B"]},\n  "C": {"pausable": "perhaps"}\n }\n}\n'
    messages = errors_of(written(tmp_path, text, "p.json"))
    assert messages == [
        "p.json, line 5: work.C.pausable: must be true or false",
        "p.json, line 4: work.A.after.0: names 'B', which is not in work or external; declare it or correct it",
    ]


def test_a_wrong_entry_does_not_make_others_dangle(tmp_path: Path) -> None:
    text = "as_of: 2026-11-23\ncalendars: {office: {}}\npeople: {brent: {calendar: office}}\n"
    assert errors_of(written(tmp_path, text)) == ["portfolio.yaml, line 2: calendars.office.hours: is missing; add it"]


def test_ids_with_dots_are_found(tmp_path: Path) -> None:
    text = "as_of: 2026-11-23\nwork:\n  a.b: {}\n  a.b.0:\n    title: x\n    after:\n      - a.b\n      - a.c\n"
    assert errors_of(written(tmp_path, text))[0].startswith("portfolio.yaml, line 8: work.a.b.0.after.1: names 'a.c'")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("work:\n  A: {title: x}\n  A: {title: y}\n", "line 3: work.A: is there twice; keep one"),
        ("work: {A: {title: x, title: x}}\n", "line 1: work.A.title: is there twice; keep one"),
        ("work: {A: {title: x\n", "line 2: the YAML ends too early; the file is cut off, or a bracket"),
        ('work: {A: {title: "x\n', "the YAML ends too early; the file is cut off"),
        ("work:\n\tA: {}\n", "line 2: not YAML: while scanning for the next token found character that cannot start"),
        ("work: {A: *base}\n", "not YAML: found undefined alias|line 1: work.A: .base stands for nothing before it"),
        ("work: &w {A: *w}\n", "line 1: work.A: .w stands for nothing before it"),
        ("work: {A: !!python/name:os.system x}\n", "line 1: work.A: tags .!. have no meaning here; remove it"),
        ("as_of: 2026-11-23\n---\nas_of: 2026-11-24\n", "line 2: a second document begins here; write one per file"),
        ("? [a, b]\n: c\n", "line 1: a key must be a word or quoted text"),
        ("work: " + "[" * 100 + "]" * 100, "nested more than 40 deep; write it flatter"),
        ("# nothing but this\n", "the file holds nothing but comments"),
        ("just a sentence\n", "holds no portfolio: it is one value, not a map of fields; check the name"),
        ("null\n", "holds no portfolio: it is one value"),
        ("as_of: 2026-11-23\nwork: {A: {environment: [{a: b}]}}\n", "A.environment: a list here holds names"),
        ("as_of: 2026-11-23\npeople: {a: {skills: [{x: 1}]}}\n", "a.skills: a list here holds names alone"),
        ("as_of: 2026-11-23\nskills: [[a]]\n", "line 2: skills: a list here holds names alone; write a map"),
        ("throttle: 2\nas_of: 2026-11-23\n", "line 1: throttle: says another version of the format; .* reads 1"),
        ("throttle: " + "9" * 5000 + "\nas_of: 2026-11-23\n", "throttle: says another version of the format"),
        ("throttle_map: 1\ncolumns: {}\n", "is a mapping, not a portfolio: `throttle ingest EXPORT --map"),
        ("Key,Summary,Status,Assignee\nA-1,Fix,Open,me\n", "is a ticket export, not a portfolio: `throttle ingest"),
        ("\x07as_of: 2026-11-23\n", "line 1: not YAML: .*control characters|special characters are not allowed"),
        ("zone: UTC\n", "as_of: is missing; add it"),
        ("{}\n", "as_of: is missing; add it"),
        ("as_of: 2026-11-23\nwrok: {}\n", "line 2: wrok: there is no such field; did you mean work"),
        ("as_of: 3d\n", "line 1: as_of: must be a date or a moment itself: other dates are counted from it"),
        ("as_of: 2026-11-23\nzone: Mars/Olympus\n", "line 2: zone: 'Mars/Olympus' is not a time zone"),
        ("as_of: 2026-11-23\nwork: {A: {due: 999999999999d}}\n", "work.A.due: lies before 1970 or after 2199"),
        ("as_of: 2026-11-23\nwork: {A: {<<: {title: x}}}\n", "work.A.<<: there is no such field"),
        ("as_of: 2026-11-23\nwork: [A, B]\n", "line 2: work: must be a map of keys to values"),
    ],
)  # fmt: skip
def test_yaml_that_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (message,) = errors_of(written(tmp_path, text))
    assert re.search(sentence, message), message
    assert message.startswith("portfolio.yaml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"as_of": "2026-11-23", "work": {"A": {}, "A": {}}}', "line 1: work.A: is there twice; keep one"),
        ('{"as_of": "2026-11-23", "work": {"A"', "line 1: the JSON ends too early; the file is cut off"),
        ('{"as_of": "2026-11-23", "work": {"A": {"title": "x', "line 1: the JSON ends too early; the file is cut off"),
        ('{"as_of": "2026-11-23",\n "work": }', "line 2, column 10: not JSON: Expecting value; correct it there"),
        ('{"as_of": NaN}', "not JSON: NaN is not a number that JSON knows"),
        ('{"as_of": 1e999}', "not JSON: one that is out of range is not a number that JSON knows"),
        ('{"as_of": ' + "9" * 5000 + "}", "not JSON: a number has more than 4000 digits"),
        ('{"work": ' + "[" * 60 + "]" * 60 + "}", "is nested more than 40 deep; write it flatter"),
        ('{"work": ' + "[" * 100_000 + "]" * 100_000 + "}", "is nested more than 40 deep; write it flatter"),
        ('{"as_of": "2026-11-23", "teams": {"\\ud800": {}}}', "half of a .u surrogate pair"),
        ('[{"key": "A-1"}]', "is a ticket export, not a portfolio: `throttle ingest"),
        ('{"result": [{"number": "CHG1"}]}', "is a ticket export, not a portfolio: `throttle ingest"),
        ('{"throttle": 1, "kind": "plan"}', "is a plan, not a portfolio: `throttle verify`"),
        ("7", "holds no portfolio: it is one value"),
        ("null", "holds no portfolio: it is one value"),
        ('{"dependencies": {}, "version": 3}', "is something else, not a portfolio: check the name"),
    ],
)  # fmt: skip
def test_json_that_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (message,) = errors_of(written(tmp_path, text, "p.json"))
    assert re.search(sentence, message), message
    assert message.startswith("p.json")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("p.yaml", b"", "is empty; is it the right file?"),
        ("p.yaml", b" \n\t\n", "is empty; is it the right file?"),
        ("p.yaml", b"\x89PNG\r\n\x1a\n\x00", "is not text in UTF-8 .byte 0."),
        ("p.yaml", b"as_of: 2026\x00", "is a binary file"),
        ("p.yaml", b"\xff\xfea", "is not text in UTF-16"),
        ("p.csv", b"Key,Summary\n", "is a ticket export"),
        ("p.xlsx", b"PK\x03\x04", "is a ticket export"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (message,) = errors_of(written(tmp_path, content, name))
    assert re.search(sentence, message), message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert errors_of(tmp_path / "no.yaml") == ["no.yaml does not exist; check the name"]


def test_aliases_of_aliases_are_stopped_soon(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    (message,) = errors_of(written(tmp_path, "\n".join(lines)))
    assert "aliases stand for more than 500000 values; write them out" in message


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")  # opening it would wait for ever
    sentence = "pipe.yaml is not a regular file; give a file"
    assert errors_of(tmp_path / "pipe.yaml") == [sentence]
    assert errors_of(tmp_path) == [sentence]
    for path in (Path("/dev/zero"), Path("/dev/null")):
        assert errors_of(path) == [f"{path.name} is not a regular file; give a file"]
    for what in (load_plan, lambda path: load_document(path, Portfolio)):
        with pytest.raises(InputError, match="is not a regular file; give a file"):
            what(tmp_path)


# ------------------------------------------------------------------------------------------------- much that is wrong


def findings_of(path: Path) -> list[Finding]:
    with pytest.raises(InputError) as caught:
        load_portfolio(path)
    return list(caught.value.findings)


@pytest.mark.parametrize("name", ["p.json", "p.yaml"])
def test_a_key_repeated_often_is_one_finding(tmp_path: Path, name: str) -> None:
    text = '{"as_of": "2026-11-23", "work": {"A": {}, ' + '"B": {}, ' * 999 + '"B": {}}}'
    (finding,) = findings_of(written(tmp_path, text, name))
    assert (finding.code, finding.path, finding.count) == ("duplicate-key", "work.B", 1000)
    assert finding.message.endswith(f"{name}, line 1: work.B: is there more than once; keep one")


def test_a_key_repeated_in_json_that_is_no_yaml(tmp_path: Path) -> None:
    (finding,) = findings_of(written(tmp_path, '{"a": "\\/", "work":\t{"B": 1, "B": 1, "B": 1}}', "p.json"))
    assert (finding.code, finding.count) == ("duplicate-key", 3)
    assert finding.message.endswith("'B' is there more than once in one map; keep one")


@pytest.mark.parametrize("name", ["p.json", "p.yaml"])
def test_many_repeated_keys_take_little_time(tmp_path: Path, name: str) -> None:
    keys = "".join(f'"k{i}": 1,\n"k{i}": 1,\n' for i in range(10_000))
    found = findings_of(written(tmp_path, f'{{"as_of": 1, "work": {{{keys} "z": 1}}}}', name))
    assert len(found) == 101
    assert found[-1].code == "more"
    assert found[-1].message.endswith(f"{name}: and 9900 more; mend these and look again")


@pytest.mark.parametrize(
    ("entry", "first"),
    [
        ("{titel: x}", "work.W-0.titel: there is no such field; did you mean title?"),
        ("{due: x}", "work.W-0.due: 'x' is not a date"),
        ("{parent: X}", "work.W-0.parent: names 'X', which is not in work"),
    ],
)
def test_a_file_tells_of_a_hundred_mistakes(tmp_path: Path, entry: str, first: str) -> None:
    work = "".join(f"  W-{i}: {entry}\n" for i in range(2000))
    found = findings_of(written(tmp_path, f"as_of: 2026-11-23\nwork:\n{work}"))
    assert len(found) == 101
    assert first in found[0].message
    assert found[-1].message.endswith("portfolio.yaml: and 1900 more; mend these and look again")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_an_error_and_no_traceback(tmp_path: Path, content: bytes) -> None:
    for name in ("p.yaml", "p.json"):
        errors_of(written(tmp_path, content, name))


# ------------------------------------------------------------------------------------------------- nothing is lost

_HOSTILE = st.sampled_from(
    ["", " ", "a: b", "- x", "#1", "NO", "null", "~", "1e3", "010", "1:30", "x #y", "{", "[a]", "'", '"', "\\", "a\nb",
     "\t", "=1+1", "\x85", "\u2028", "\ufeff", "\x7f", "ü", "日本", "😀", "a  b", "a ", "*x", "&x", "!x", "%x", "@x",
     "`x", "<<", "true", "0x1F", "2026-11-23", "? x", "x" * 1200, "x: " * 300, "-", "--- x", "...", "a,b",
     "09:00", "\x00", "\r\n"]
)  # fmt: skip
_TEXT = _HOSTILE | st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_UNITS = [timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1), timedelta(seconds=7)]
_SPANS = st.builds(lambda n, unit: n * unit, st.integers(0, 10_000), st.sampled_from(_UNITS))
_DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXT,
    int: st.integers(1, 3),
    float: st.floats(0.01, 1),
    bool: st.booleans(),
    date: _DAYS,
    timedelta: _SPANS,
    Any: _TEXT,
    Hours: st.sampled_from(["Mon-Fri 09:00-12:00 13:00-17:00", "daily 00:00-24:00; Sat 22:00-04:00"]),
    When: _DAYS.map(str) | st.sampled_from(["3d", "-2w", "2026-12-18T17:00", "2026-12-18T17:00:30+05:30"]),
    Days: st.tuples(_DAYS, _DAYS).map(lambda pair: {"first": min(pair), "last": max(pair)}),
    Estimate: st.lists(_SPANS, min_size=3, max_size=3).map(
        lambda s: dict(zip(("low", "likely", "high"), sorted(s), strict=True))
    ),
    Reading: st.sampled_from(
        [{}, {"date_order": "mdy", "work": {"A": {"due": "2026-12-01"}}, "aliases": {"p": ["P Q"]}}]
    ),
}
_SPELT = {"zone": st.sampled_from(["UTC", "Asia/Kolkata"]), "lag": st.sampled_from(["0", "3d", "-4h"]),
          "cost_of_delay": st.floats(0, 1e14), "makespan": st.floats(0, 1e14), "throttle": st.just(1),
          "conflict_hops": st.integers(0, 2), "long": st.floats(1, 100)}  # fmt: skip


def anything(annotation: Any) -> st.SearchStrategy[Any]:
    """Valid input for a type of the vocabulary: a field that is added there is tested here."""
    return st.one_of(*(_one(part) for part in parts(annotation)))


def _one(part: Any) -> st.SearchStrategy[Any]:
    if part in _LEAVES:
        return _LEAVES[part]
    if isinstance(part, type) and issubclass(part, BaseModel):
        optional = {
            name: _SPELT.get(name, st.deferred(lambda field=field: anything(field.annotation)))
            for name, field in part.model_fields.items()
        }
        return st.fixed_dictionaries({}, optional=optional).map(lambda fields: _completed(part, fields))
    if isinstance(part, type):
        return st.sampled_from(list(part))  # type: ignore[call-overload,no-any-return]  # an enumeration
    arguments = part.__args__
    if part.__origin__ is dict:
        return st.dictionaries(anything(arguments[0]), st.deferred(lambda: anything(arguments[1])), max_size=2)
    if part.__origin__ is tuple:
        if arguments[-1] is ...:
            return st.lists(st.deferred(lambda: anything(arguments[0])), max_size=2)
        return st.tuples(*(anything(a) for a in arguments))
    return st.sampled_from(arguments)  # a Literal


_REQUIRED: dict[str, Any] = {
    "as_of": "2026-11-23", "hours": "daily 00:00-24:00", "every": "daily 00:00-24:00", "limit": timedelta(0),
    "team": "t", "share": 0.5, "people": [], "first": "2026-11-23", "item": "x", "for_": timedelta(0),
    "from_": "2026-11-23", "to": "2026-11-23", "start": "2026-11-23", "name": "n", "when": {}, "require": [],
    "work": "w", "reason": "r", "about": "a", "value": "v", "why": "w", "per_week": 1.0,
    "effort": "1h"}  # fmt: skip


def _completed(model: type[BaseModel], fields: dict[str, Any]) -> dict[str, Any]:
    """With what is required, and without what contradicts itself."""
    for name, info in model.model_fields.items():
        if info.is_required() and name not in fields:
            fields[name] = "l" if model.__name__ == "Override" and name == "limit" else _REQUIRED[name]
    if model is Need:
        fields |= {"skill": fields.get("skill", "s"), "effort": fields.get("effort", "1h")}
    if model is WorkItem and (fields.get("needs") or "duration" in fields):
        fields.pop("wait", None)
    if model is Rota:
        fields["people"] = fields.get("people") or ["p"]
        fields.pop("every", None)
    if model is Zones:
        fields["red"] = (2.0, 2.0)
    if model is Inserted:
        fields.pop("after", None)
        fields.setdefault("before", "x")
        if fields.get("needs"):
            fields.pop("lead", None)
    return fields


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_round_trip_loses_nothing(tmp_path: Path, data: st.DataObject) -> None:
    portfolio = Portfolio.model_validate(data.draw(anything(Portfolio)))
    for name in ("p.yaml", "p.json"):
        save_portfolio(portfolio, tmp_path / name)
        again = load_document(tmp_path / name, Portfolio)
        assert again == portfolio
        assert list(again.calendars) == list(portfolio.calendars)
        assert portfolio_hash(again) == portfolio_hash(portfolio)


@given(portfolios())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_folder_of_parts_is_the_whole(tmp_path: Path, portfolio: Portfolio) -> None:
    save_portfolio(portfolio, tmp_path / "whole.yaml")
    save_portfolio(portfolio, tmp_path / "whole.json")
    assert load_portfolio(tmp_path / "whole.yaml") == load_portfolio(tmp_path / "whole.json") == portfolio
    folder = tmp_path / "parts"
    folder.mkdir(exist_ok=True)
    data = json.loads((tmp_path / "whole.json").read_text())
    halves: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for section, value in data.items():
        for i, half in enumerate(halves):
            if not isinstance(value, dict | list):
                half[section] = value
            else:
                cut = len(value) // 2
                pairs: Iterable[Any] = value.items() if isinstance(value, dict) else value
                half[section] = type(value)(list(pairs)[:cut] if i == 0 else list(pairs)[cut:])
    (folder / "1.yaml").write_text(documents.render_yaml(halves[0]))
    (folder / "2.json").write_text(json.dumps(halves[1]))
    assert load_portfolio(folder) == portfolio


def test_a_saved_file_is_for_reading(tmp_path: Path) -> None:
    save_portfolio(load_portfolio(written(tmp_path, SMALL)), tmp_path / "saved.yaml")
    assert (
        (tmp_path / "saved.yaml").read_text()
        == """\
throttle: 1
as_of: 2026-11-23T08:00
zone: America/Chicago
skills: [linux, oracle]

people:
  brent: {skills: {linux: 3, oracle: 3}}
  wes:   {skills: {linux: 1}}

work:
  A-1: {title: Order schema, needs: [{skill: oracle, effort: 16h/24h/60h}]}
  A-2: {title: Deploy, needs: [{skill: linux, effort: 8h}], after: [A-1]}

policy:
  person_wip: 2
"""
    )


def test_other_readers_of_yaml_read_what_is_saved(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    words = ("NO", "off", "1e3", "010", "09:00", "a: b", "ü", "#x", "x\ny", "null", "3")
    teams = {text: {"name": text} for text in words}
    save_portfolio(Portfolio.model_validate({"as_of": "2026-11-23", "teams": teams}), tmp_path / "p.yaml")
    read = YAML(typ="safe", pure=True).load((tmp_path / "p.yaml").read_text())
    assert read["teams"] == teams


def test_the_hash_follows_meaning_not_layout(tmp_path: Path) -> None:
    one = load_portfolio(written(tmp_path, SMALL))
    two = load_portfolio(written(tmp_path, SMALL.replace("  person_wip: 2", "  person_wip: 2\n  full_kit: false")))
    three = load_portfolio(written(tmp_path, SMALL.replace("person_wip: 2", "person_wip: 3")))
    assert portfolio_hash(one) == portfolio_hash(two) != portfolio_hash(three)
    assert re.fullmatch("[0-9a-f]{64}", portfolio_hash(one))
    calendars = {"a": {"hours": "daily 00:00-24:00"}, "b": {"hours": "Mon 09:00-17:00"}}
    swapped = dict(reversed(calendars.items()))
    assert portfolio_hash(Portfolio.model_validate({"as_of": "2026-11-23", "calendars": calendars})) != portfolio_hash(
        Portfolio.model_validate({"as_of": "2026-11-23", "calendars": swapped})
    )


# ---------------------------------------------------------------------------------------------------------- writing


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "old")
    path.chmod(0o640)
    write_atomic(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_atomic(path, "newer")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path = written(tmp_path, "old")
    (tmp_path / "link.yaml").symlink_to(path)
    write_atomic(tmp_path / "link.yaml", b"new")
    assert (tmp_path / "link.yaml").is_symlink()
    assert path.read_text() == "new"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    portfolio = Portfolio.model_validate({"as_of": "2026-11-23"})
    with pytest.raises(InputError, match=r"p\.yaml cannot be written: No such file or directory"):
        save_portfolio(portfolio, tmp_path / "no" / "p.yaml")
    with pytest.raises(InputError, match=r"p\.csv must end in \.yaml or \.json"):
        save_portfolio(portfolio, tmp_path / "p.csv")


# ---------------------------------------------------------------------------------------------------------- editing


def test_an_edit_keeps_every_other_byte(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    edit_portfolio(
        path,
        {
            ("work", "A-1", "status"): "in-progress",
            ("work", "A-1", "started"): "2026-11-24T09:00",
            ("work", "A-1", "needs", "0", "remaining"): "10h",
            ("as_of",): "2026-11-25T08:00",
        },
    )
    expected = SMALL.replace("as_of: 2026-11-23T08:00", "as_of: 2026-11-25T08:00").replace(
        "effort: 16h/24h/60h}]}",
        "effort: 16h/24h/60h, remaining: 10h}], status: in-progress, started: 2026-11-24T09:00}",
    )
    assert path.read_text() == expected


def test_an_edit_of_blocks_and_of_what_is_not_there_yet(tmp_path: Path) -> None:
    text = """\
as_of: 2026-11-23
work:
  A:            # first
    title: "One"     # its title
    needs:
      - who: [brent]
        effort: 8h

  # second
  B:
  C: {}
people: {brent: {}}
policy:
  person_wip: 2  # each
"""
    path = written(tmp_path, text)
    edit_portfolio(
        path,
        {
            ("work", "A", "status"): "done",
            ("work", "A", "needs", "0", "remaining"): "0h",
            ("work", "B", "on_hold"): "no budget: ask",
            ("policy", "person_wip"): None,
            ("policy", "makespan"): "5/week",
        },
    )
    after = path.read_text()
    assert "  A:            # first\n" in after
    assert 'title: "One"     # its title\n' in after
    assert "\n\n  # second\n" in after
    portfolio = load_portfolio(path)
    assert portfolio.work["A"].status == "done"
    assert portfolio.work["A"].needs[0].remaining == timedelta(0)
    assert portfolio.work["B"].on_hold == "no budget: ask"
    assert portfolio.policy.person_wip is None
    assert portfolio.policy.makespan == 5


def test_an_edit_finds_the_file_of_a_folder(tmp_path: Path) -> None:
    written(tmp_path, "as_of: 2026-11-23\nwork: {A: {}}\n", "a.yaml")
    written(tmp_path, '{"work": {"B": {"after": ["A"]}}}', "b.json")
    edit_portfolio(tmp_path, {("work", "A", "status"): "done", ("work", "B", "status"): "in-progress"})
    assert (tmp_path / "a.yaml").read_text() == "as_of: 2026-11-23\nwork: {A: {status: done}}\n"
    assert load_portfolio(tmp_path).work["B"].status == "in-progress"


def test_an_edit_keeps_the_line_ends(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL.replace("\n", "\r\n"))
    edit_portfolio(path, {("work", "A-2", "status"): "done", ("policy", "makespan"): "5/week"})
    assert re.findall("[^\r]\n", path.read_bytes().decode()) == []
    assert load_portfolio(path).work["A-2"].status == "done"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("simulation: {}\n", "simulation: {spread: {short: 0.8, long: 1.5}}\n"),
        ("simulation:\n", "simulation: {spread: {short: 0.8, long: 1.5}}\n"),
        (
            "simulation:\n  task: 2h  # each\n",
            "simulation:\n  task: 2h  # each\n  spread:\n    short: 0.8\n    long: 1.5\n",
        ),
        (
            "simulation: {spread: {short: 1, long: 2}}  # mine\n",
            "simulation: {spread: {short: 0.8, long: 1.5}}  # mine\n",
        ),
        ("", "\nsimulation:\n  spread: {short: 0.8, long: 1.5}\n"),
    ],
)
def test_numbers_are_written_as_numbers_into_sections_that_are_there_or_not(
    tmp_path: Path, before: str, after: str
) -> None:
    for ends in ("\n", "\r\n"):
        path = written(tmp_path, ("as_of: 2026-11-23\n" + before).replace("\n", ends))
        edit_portfolio(path, {("simulation", "spread"): {"short": 0.8, "long": 1.5}})
        assert path.read_bytes().decode() == ("as_of: 2026-11-23\n" + after).replace("\n", ends)
        spread = load_portfolio(path).simulation.spread
        assert spread is not None
        assert (spread.short, spread.long) == (0.8, 1.5)


def test_a_new_section_goes_into_the_first_file_of_a_folder(tmp_path: Path) -> None:
    written(tmp_path, '{"as_of": "2026-11-23"}', "a.json")
    written(tmp_path, "work: {A: {}}\n", "b.yaml")
    edit_portfolio(tmp_path, {("policy", "person_wip"): 2})
    assert load_portfolio(tmp_path).policy.person_wip == 2
    assert (tmp_path / "b.yaml").read_text() == "work: {A: {}}\n"


def test_an_edit_that_would_not_be_sound_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    with pytest.raises(InputError, match=r"line 10: work\.A-1\.status: must be 'open'"):
        edit_portfolio(path, {("work", "A-1", "status"): "finished"})
    with pytest.raises(InputError, match=r"has no work\.A-9; add it"):
        edit_portfolio(path, {("work", "A-9", "status"): "done"})
    assert path.read_text() == SMALL
    aliased = "as_of: 2026-11-23\nwork:\n  A: {needs: &n [{skill: x, effort: 1h}]}\n  B: {needs: *n}\n"
    path = written(tmp_path, aliased)
    with pytest.raises(InputError, match=r"work\.B cannot be changed in place, as it is written; change it by hand"):
        edit_portfolio(path, {("work", "B", "status"): "done"})
    assert path.read_text() == aliased


# ------------------------------------------------------------------------------------------------------------ plans


def test_a_plan_survives_and_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    portfolio = sample_portfolio(items=20)
    plan = sample_plan(portfolio)
    save_plan(plan, tmp_path / "plan.json")
    again = load_plan(tmp_path / "plan.json")
    assert again == plan
    save_plan(again, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "plan.json").read_bytes()
    lines = (tmp_path / "plan.json").read_text().splitlines()
    assert sum(line.startswith('  "') and '"start"' in line and '"assignments"' in line for line in lines) == len(
        plan.items
    )
    json.loads((tmp_path / "plan.json").read_text())


@pytest.mark.parametrize("carried", [True, False])
def test_a_plan_written_entry_by_entry_is_the_whole_of_it(tmp_path: Path, carried: bool) -> None:
    portfolio = sample_portfolio(items=20)
    plan = sample_plan(portfolio).model_copy(update={"portfolio": portfolio if carried else None})
    save_plan(plan, tmp_path / "plan.json")
    whole = plan.model_dump(mode="json", exclude={"portfolio"})
    if carried:
        whole["portfolio"] = {"throttle": 1, **portfolio.model_dump(mode="json", exclude_defaults=True)}
    assert (tmp_path / "plan.json").read_text() == documents.render_json(whole, 2, {"portfolio": 2}) + "\n"


def _with_list(whole: str) -> str:
    """The plan with an environment that is a list of maps, in the portfolio within it."""
    data = json.loads(whole)
    data["portfolio"] = {"as_of": "2026-11-23", "work": {"W-0": {"environment": [{"a": "b"}]}}}
    return json.dumps(data)


def test_plans_that_are_none(tmp_path: Path) -> None:
    save_plan(sample_plan(sample_portfolio(items=20)), tmp_path / "plan.json")
    whole = (tmp_path / "plan.json").read_text()
    cases = {
        whole[: len(whole) // 2]: "the JSON ends too early; the file is cut off",
        whole.replace('"kind": "plan"', '"kind": "plot"'): "is a portfolio, not a plan",
        whole.replace('"zone": "America/Chicago",\n', "", 1): "zone: is missing; add it",
        whole.replace('"finish": "2026', '"finish": "x2026', 1): "finish: .*Invalid isoformat|finish: ",
        SMALL: "not JSON",
        '{"as_of": "2026-11-23", "work": {}}': "is a portfolio, not a plan: `throttle plan",
        "[1]": "is something else, not a plan",
        "null": "holds no plan: it is one value",
        _with_list(whole): "portfolio.work.W-0.environment: a list here holds names alone",
        '{"seconds": 1}': "is something else, not a plan: check the name",
    }
    for text, sentence in cases.items():
        assert text != whole
        with pytest.raises(InputError, match=sentence):
            load_plan(written(tmp_path, text, "bad.json"))
    with pytest.raises(InputError, match="does not exist"):
        load_plan(tmp_path / "no.json")
    assert isinstance(load_plan(tmp_path / "plan.json"), Plan)
