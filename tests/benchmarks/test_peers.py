from __future__ import annotations

import json
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from benchmarks.peers import PEERS, main, ratio, summary
from benchmarks.plain_cpsat import beyond_peers, solve_plain_cpsat
from benchmarks.portfolios import synthetic
from benchmarks.pyjobshop_model import available
from benchmarks.variants import portfolio
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from throttle.graph import WorkGraph
from throttle.instance import Instance
from throttle.planning import feasible_instance
from throttle_models import Portfolio

ROOT = Path(__file__).resolve().parents[2]


def instance(made: Portfolio) -> Instance:
    return feasible_instance(made, WorkGraph(made)).instance


def test_each_answer_is_checked_and_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["30", "6", "--budget", "1", "--workers", "1", "--cold"]) == 0
    row, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    peers = [peer for peer in PEERS if peer in row]
    assert "cp-sat" in peers
    assert ("pyjobshop" in peers) == available()
    for peer in peers:
        assert row[peer]["verified"]
        assert row[peer]["bound"] <= row[peer]["objective"]
        assert row["ratios"][peer] == ratio(row[peer]["objective"], row["throttle"]["objective"])
        assert last["summary"][peer]["solved"] == 1


def test_a_folder_of_instances(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.rcp").write_text("4 1\n2\n0 0 2 2 3\n2 2 1 4\n3 2 1 4\n0 0 0\n", encoding="utf-8")
    assert main([str(tmp_path), "--budget", "0.5", "--workers", "1", "--cold"]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (row["throttle"]["objective"], row["cp-sat"]["objective"], row["cp-sat"]["bound"]) == (5, 5, 5)
    assert row["ratios"]["cp-sat"] == 1


def test_what_the_textbook_models_cannot_say_is_not_solved_as_something_else() -> None:
    made = instance(portfolio(30, 6, calendars=True))
    assert "calendars" in beyond_peers(made)
    answer = solve_plain_cpsat(made, 0.1, 1, 1)
    assert (answer.status, answer.start) == ("not modelled", None)
    assert beyond_peers(instance(synthetic(30, 6))) == ""


def test_ratio() -> None:
    assert ratio(150, 100) == 1.5
    assert ratio(0, 0) == 1
    assert ratio(1, 0) is None
    assert ratio(None, 5) is None
    assert ratio(5, None) is None


def test_summary_takes_the_geometric_mean() -> None:
    def row(theirs: float | None) -> dict[str, Any]:
        mine = {"objective": 1.0, "status": "optimal", "verified": True}
        other = {"objective": theirs, "status": "feasible", "verified": theirs is not None}
        return {"throttle": mine, "cp-sat": other, "ratios": {"cp-sat": ratio(theirs, 1.0)}}

    found = summary([row(4.0), row(1.0), row(None)], ["cp-sat"])
    assert found["throttle"] == {"solved": 3, "proved": 3, "verified": 3}
    assert (found["cp-sat"]["solved"], found["cp-sat"]["compared"], found["cp-sat"]["mean_ratio"]) == (2, 2, 2.0)
    assert (found["cp-sat"]["throttle_better"], found["cp-sat"]["equal"]) == (1, 1)


def test_what_only_the_benchmarks_need_is_pinned_beside_them() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}

    extra, common = pins(ROOT / "benchmarks" / "constraints.txt"), pins(ROOT / "constraints.txt")
    assert extra.keys() & common.keys() == set()
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = [Requirement(text) for text in tomllib.load(file)["project"]["optional-dependencies"]["bench"]]
    assert all(r.name in extra and r.specifier.contains(extra[r.name]) for r in wanted)
    if not available():
        return
    found: set[str] = set()
    waiting = [r.name for r in wanted]
    while waiting:
        if (name := canonicalize_name(waiting.pop())) in found | common.keys():
            continue
        found.add(name)
        needs = map(Requirement, metadata.requires(name) or [])
        waiting += [r.name for r in needs if r.marker is None or r.marker.evaluate({"extra": ""})]
    assert found == extra.keys()


def test_a_size_that_cannot_be_made_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["0", "10"])
    assert "0 10 is too small" in capsys.readouterr().err
