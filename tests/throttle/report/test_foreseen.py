"""What was foreseen, in the report of the plan that it is about."""

from __future__ import annotations

import re
from collections import Counter
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from throttle.cli import app
from throttle.curve.show import show_curve
from throttle.elevate.show import show_elevate
from throttle.errors import InputError
from throttle.files import save_plan
from throttle.reliance.show import show_reliance
from throttle.report import SECTIONS, render_report
from throttle.report.foreseen import KINDS

RUNS = 20


@pytest.fixture(scope="module")
def page(ahead: Any) -> str:
    return render_report(ahead.plan, ahead.portfolio, ahead.answers)


def section(page: str, ident: str) -> str:
    found = re.search(rf'<section id="{ident}".*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


def test_every_answer_has_a_section_with_a_picture_and_its_text_twin(page: str, ahead: Any) -> None:
    for kind in KINDS:
        part = section(page, kind)
        assert part.count("<svg") >= 1, kind
        assert part.count("<table") >= 1, kind
        assert f'href="#{kind}"' in page
        assert "Project <" not in part
        assert not re.search(r"\son\w+=|style=|<script", part)
    assert (
        page.count("<svg") - render_report(ahead.plan, ahead.portfolio).count("<svg") >= 6
    )  # fans, hours, fever, curve, bars, absences
    for kind in ("forecast", "curve", "elevate"):
        assert f"{RUNS} runs" in section(page, kind), kind


def test_ids_are_one_each_and_headings_go_down_by_one(page: str) -> None:
    ids = Counter(re.findall(r'\sid="([^"]+)"', page))
    assert set(ids.values()) == {1}
    named = {name for some in re.findall(r'aria-labelledby="([^"]+)"', page) for name in some.split()}
    assert named <= set(ids)
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_without_answers_the_report_has_no_such_section(ahead: Any, page: str) -> None:
    plain = render_report(ahead.plan, ahead.portfolio)
    assert {s.ident for s in SECTIONS if f'<section id="{s.ident}"' not in plain} == set(KINDS)
    assert all(f'<section id="{s.ident}"' in page for s in SECTIONS)


def test_the_same_answers_give_the_same_page(ahead: Any, page: str) -> None:
    again = tuple(type(answer).model_validate_json(answer.model_dump_json()) for answer in ahead.answers)
    assert render_report(ahead.plan, ahead.portfolio, again[::-1]) == page


def test_an_answer_about_something_else_is_told(ahead: Any) -> None:
    other = ahead.answers[0].model_copy(update={"input_hash": "0" * 64})
    with pytest.raises(InputError, match="the forecast is not about this plan"):
        render_report(ahead.plan, ahead.portfolio, (other,))
    with pytest.raises(InputError, match="there are two answers of forecast"):
        render_report(ahead.plan, ahead.portfolio, (ahead.answers[0], ahead.answers[0]))
    moved = ahead.answers[0].model_copy(update={"planned": ahead.plan.as_of})
    assert "forecast of another plan" in section(render_report(ahead.plan, ahead.portfolio, (moved,)), "forecast")


def test_the_command(tmp_path: Path, ahead: Any) -> None:
    save_plan(ahead.plan, tmp_path / "plan.json")
    files = []
    for answer in ahead.answers:
        files.append(tmp_path / f"{answer.kind}.json")
        files[-1].write_text(answer.model_dump_json(), encoding="utf-8")
    out = tmp_path / "report.html"
    common = ["report", str(tmp_path / "plan.json"), "-o", str(out)]
    done = CliRunner().invoke(app, [*common, *(word for file in files for word in ("--with", str(file)))])
    assert done.exit_code == 0, done.output
    assert all(f'<section id="{kind}"' in out.read_text(encoding="utf-8") for kind in KINDS)
    wrong = CliRunner().invoke(app, [*common, "--force", "--with", str(tmp_path / "plan.json")])
    assert wrong.exit_code == 2
    assert "is no answer of forecast, curve, elevate, reliance" in " ".join(wrong.output.split())


def test_tables_of_the_terminal_fit_and_break_no_number(ahead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of millions in 100 columns, which is what there is where the output is not a terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)
    curve, options, leant_on = (grown(answer) for answer in ahead.answers[1:])
    for show, answer in ((show_curve, curve), (show_elevate, options), (show_reliance, leant_on)):
        console = Console(file=StringIO(), width=120)
        show(console, answer)
        text = console.file.getvalue()
        assert max(map(len, text.splitlines())) <= 100, show
        numbers = set(re.findall(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,.])", text))
        assert numbers, show
        assert not re.search(r"\d,\s*$", text, re.MULTILINE), show


def grown(answer: Any) -> Any:
    """With a million times the money."""

    def more(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {k: more(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [more(v, name) for v in value]
        return (
            value * 1e6 if isinstance(value, float) and name not in ("confidence", "orphaned", "unfinished") else value
        )

    return type(answer).model_validate(more(answer.model_dump(mode="json")))
