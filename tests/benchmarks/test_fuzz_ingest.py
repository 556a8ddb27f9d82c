"""The fuzzer of the readers: its cases repeat, its seeds are sound, it finds a defect, and none in a few cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fuzz_ingest
from throttle.ingest import READERS, reader_of


def test_a_case_is_the_same_again() -> None:
    once, again = ([fuzz_ingest.case(number, 3) for number in range(40)] for _ in range(2))
    assert once == again


def test_the_seeds_are_read_and_of_every_system(tmp_path: Path) -> None:
    systems = {reader.name: reader.system for reader in READERS}
    seen = set()
    for name, data in fuzz_ingest.seeds().items():
        path = tmp_path / name
        path.write_bytes(data)
        assert len(data) < 60_000, name
        assert fuzz_ingest.read(path) == "read", name
        if not name.startswith("plain"):
            seen.add(systems[reader_of(path)])
    assert set(systems.values()) - seen == {systems["plain"]}


def test_a_few_cases_have_no_defect(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz_ingest.main(["250", "--seed", "5"]) == 0
    sums = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sums["read"] > 50
    assert sums["refused"] > 20


@pytest.mark.parametrize(
    ("raised", "outcome"), [(KeyError("x"), "error"), (TimeoutError(), "endless"), (AssertionError("sum"), "account")]
)
def test_a_defect_is_told_and_kept(
    raised: Exception, outcome: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(fuzz_ingest, "read_exports", broken)
    assert fuzz_ingest.main(["2", "--keep", str(tmp_path)]) == 1
    first, _, sums = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["outcome"], first["case"], sums[outcome]) == (outcome, 0, 2)
    assert len(list(tmp_path.iterdir())) == 2
