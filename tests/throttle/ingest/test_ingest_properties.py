"""Whatever the bytes: a portfolio that accounts for its rows, or a sentence; never another exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from throttle.errors import InputError
from throttle.ingest import propose_mapping, read_exports

JIRA = '''\
Summary,Issue key,Issue id,Issue Type,Status,Status Category,Priority,Resolution,Assignee,Created,Resolved,Due date,\
Labels,Labels,Outward issue link (Blocks),Inward issue link (Blocks),Parent key,Original estimate,Remaining Estimate,\
Time Spent,Story Points
"One, ""quoted""",ABC-1,101,Story,UAT,In Progress,Medium,,Ann Lee,12/Mar/21 3:04 PM,,27/Nov/21 12:00 AM,red,,\
ABC-2,,,36000,7200,,3
Två,ABC-2,102,Bug,Limbo,,Frantic,,,13/Mar/21 3:04 PM,,,,,,ABC-1,ABC-1,,,,5.0
"Three
lines",ABC-3,103,Sub-task,Done,Done,High,Won't Do,Bob,03/04/2021,25/04/2021,,,,XYZ-1,,ABC-3,7200,0,3600,
'''.encode()
CHANGES = json.dumps(
    {
        "result": [
            {"number": "CHG0030001", "state": "-3", "type": "normal", "risk": "2",
             "cmdb_ci": {"link": "x", "value": "y"}, "assigned_to": "", "start_date": "2026-11-20 22:00:00",
             "end_date": "2026-11-20 23:30:00"},
            {"number": "CHG0030002", "state": "3", "type": {"display_value": "Normal", "value": "normal"},
             "risk": None},
        ]
    }
).encode()  # fmt: skip

PIECES = [
    *(b'"', b",", b"\n", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b";", b"(", b")", b"#", b"\x1a", b"<"),
    *(b"{", b"}", b"[", b"]", b":", b"null", b"true", b"\xc3", "é".encode(), b"ABC-2", b"ABC-1", b"-1", b"nan"),
    *(b"99/99/9999", b"13/13/2021", b"0000-00-00", b"12/Mar/21 13:99 PM", b"9999-12-31T23:59:59-2359"),
    *(b"sep=;\n", b"PT1H", b"99:99:99", b"1e999", b"9" * 40),
]

edits = st.lists(
    st.tuples(st.integers(0, 999), st.integers(0, 6), st.one_of(st.sampled_from(PIECES), st.binary(max_size=4))),
    min_size=1,
    max_size=3,
)
"""Per mille of the file at which bytes are taken out, how many, and what is put in."""


def mutated(seed: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, put in changes:
        place = at * len(seed) // 1000
        seed = seed[:place] + put + seed[place + removed :]
    return seed


@pytest.mark.parametrize("seed", [JIRA, CHANGES], ids=["jira", "servicenow"])
def test_mutated_exports(seed: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("mutated") / "export"
    outcomes = {"read": 0, "refused": 0}

    @settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(edits)
    def holds(changes: list[tuple[int, int, bytes]]) -> None:
        path.write_bytes(mutated(seed, changes))
        findings = ()
        try:
            ingested = read_exports([path])
        except InputError as error:
            findings = error.findings
        if findings:
            assert all(f.message and "\n" not in f.message for f in findings)
            outcomes["refused"] += 1
            return
        report = ingested.report
        assert report.rows_read == report.imported + report.merged + report.rejected
        assert all(d.target in ingested.portfolio.external for d in report.dangling)
        mapping = propose_mapping([path])
        again = read_exports([path], mapping=mapping).portfolio.work
        assert {id: item.status for id, item in again.items()} == {
            id: item.status for id, item in ingested.portfolio.work.items()
        }
        assert {id: item.after for id, item in again.items()} == {
            id: item.after for id, item in ingested.portfolio.work.items()
        }
        outcomes["read"] += 1

    holds()
    assert min(outcomes.values()) > 20  # otherwise the mutations test nothing


quick = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(data=st.binary(max_size=300))
def test_any_bytes(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_exports([path])


cells: Any = st.sampled_from(
    ["", "ABC-1", "ABC-2", "ABC-3", "XYZ-1", "To Do", "Done", "Epic", "12/Mar/21", "3600", "0", "Ann"]
)


@quick
@given(rows=st.lists(st.lists(cells, min_size=9, max_size=9), min_size=1, max_size=12))
def test_any_rows_account_and_resolve(rows: list[list[str]], tmp_path: Path) -> None:
    """Also those with loops, self-links, repeated ids and words in the wrong column."""
    header = (
        "Issue key,Status,Issue Type,Created,Original estimate,Assignee,Parent key,Outward issue link (Blocks),"
        "Inward issue link (Depends)"
    )
    path = tmp_path / "export.csv"
    lines = [f"ABC-{1 + i % 5}," + ",".join(row[1:]) for i, row in enumerate(rows)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    ingested = read_exports([path])
    work, external = ingested.portfolio.work, ingested.portfolio.external
    assert ingested.report.rows_read == len(rows)
    for id, item in work.items():
        assert item.parent is None or item.parent in work
        assert all(link.item in work or link.item in external for link in item.after)
        assert id not in {link.item for link in item.after}
        seen = {id}
        while (parent := work[id].parent) is not None:
            assert parent not in seen
            seen.add(parent)
            id = parent  # noqa: PLW2901
