from __future__ import annotations

import io
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from support.sample_plan import sample_plan, sample_portfolio
from throttle.ingest.report import EdgeRead, IngestReport, ItemRead
from throttle.terminal import clean, describe_load, ingest_summary, show_plan
from throttle_models import Finding, Hold, LinkType, Plan, Reason, Status, WorkType
from throttle_models.plan import Move, Previous

PORTFOLIO = sample_portfolio()
PLAN = sample_plan(PORTFOLIO)


def shown(plan: Plan, week: str | None = None, portfolio: object = PORTFOLIO) -> str:
    stream = io.StringIO()
    show_plan(Console(file=stream, width=200, markup=False), plan, portfolio, week)  # type: ignore[arg-type]
    return stream.getvalue()


@given(st.text(st.characters(codec=None)))
def test_clean_text_is_one_printable_line_with_what_was_printable(text: str) -> None:
    cleaned = clean(text)
    assert all(c.isprintable() for c in cleaned)
    if text.isprintable():
        assert cleaned == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("\x1b[31mred", r"\x1b[31mred"), ("a\u202eb", r"a\u202eb"), ("\x9b2J", r"\x9b2J"), ("a\tb\nc", "a b c")],
)
def test_clean_writes_what_a_terminal_would_obey(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_this_week_has_releases_holds_bottleneck_promises_and_certificate() -> None:
    text = shown(PLAN)
    assert f"Let in this week: {len(PLAN.releases)}" in text
    assert f"Hold: {len(PLAN.holds)}" in text
    for reason in {h.reason for h in PLAN.holds}:
        held = [h for h in PLAN.holds if h.reason is reason]
        assert f"  {reason}: {len(held)}\n" in text
    assert "together" not in text  # a sum would count one project's cost for each of its items
    assert "oracle>=1" in text
    assert "weeks of queue" in text
    assert "Project number 0" in text
    assert "first come, first served" in text
    assert "20.0 %" in text
    assert "(-33 %)" in text
    assert "effort: in the team file" in text


def test_holds_are_in_the_order_of_their_value() -> None:
    text = shown(PLAN)
    of = {reason: [h.value for h in PLAN.holds if h.reason is reason] for reason in {h.reason for h in PLAN.holds}}
    groups = sorted(of, key=lambda r: (-max(of[r]), -len(of[r]), r))
    at = [text.index(f"  {reason}: ") for reason in groups]
    assert at == sorted(at)


def test_what_is_held_but_not_in_the_plan_is_counted_and_listed_apart() -> None:
    out = Hold(item="X-1", reason=Reason.NO_HOLDER, text="Nobody holds cobol.", value=0)
    text = shown(PLAN.model_copy(update={"holds": (*PLAN.holds, out)}))
    assert f"Hold: {len(PLAN.holds) + 1}, of which 1 not in the plan" in text
    assert text.count("Nobody holds cobol.") == 1
    assert "of which" not in shown(PLAN)


def test_what_to_mend_is_told_once_for_each_kind() -> None:
    def finding(level: str, code: str, id: str) -> Finding:
        return Finding.model_validate({"level": level, "code": code, "ids": (id,), "message": f"{code} {id}"})

    full = [finding("info", "full-effort-left", f"F-{n}") for n in range(9)]
    gone = [finding("warning", "waits-for-cancelled", id) for id in ("G-1", "G-2")]
    many = [finding("warning", f"kind-{n}", "K-1") for n in range(4)]
    text = shown(PLAN.model_copy(update={"findings": (*full, *gone, finding("info", "trifle", "T-1"))}))
    lines = text.splitlines()
    at = lines.index("Findings: 11")
    assert lines[at + 1] == "  warning: waits-for-cancelled G-1 (and 1 more such: G-2)"
    assert lines[at + 2].startswith("  info: 9 items in progress without remaining effort, so planned in full: F-0, ")
    assert "trifle" not in text
    capped = shown(PLAN.model_copy(update={"findings": (*full, *gone, *many)}))
    assert "kind-3 K-1" in capped
    assert "in progress without" not in capped
    assert "  and 1 more\n" in capped
    nobodys = Finding(level="warning", code="odd", message="Something is odd.")
    assert "Something is odd. (and 1 more such)\n" in shown(PLAN.model_copy(update={"findings": (nobodys, nobodys)}))
    assert "Findings" not in shown(PLAN.model_copy(update={"findings": ()}))


def test_one_is_singular() -> None:
    item = ItemRead(id="A", type=WorkType.PROJECT, status=Status.OPEN, planned_hours=1)
    edge = EdgeRead(predecessor="A", successor="B", type=LinkType.FS, origin="Blocks")
    report = IngestReport(rows_read=1, imported=1, merged=0, rejected=0, items=(item,), edges=(edge,))
    assert ingest_summary(report).startswith("1 row read = 1 imported")
    assert "1 item to plan, 0 hours of work, 1 link, " in ingest_summary(report)
    key, project = next(iter(PLAN.projects.items()))
    one = PLAN.model_copy(update={"projects": {key: project}})
    assert "Promises: 1 project\n" in shown(one)


def test_times_are_those_of_the_plans_zone() -> None:
    assert "as of Mon 23 Nov 2026 08:00, America/Chicago" in shown(PLAN)


def test_a_due_day_is_the_day_that_was_written() -> None:
    due = datetime(2026, 12, 29, tzinfo=ZoneInfo("America/Chicago"))
    project = PLAN.projects["prj1"].model_copy(update={"due": due})
    text = shown(PLAN.model_copy(update={"projects": {"prj1": project}}))
    assert "Mon 28 Dec 2026" in text
    assert "29 Dec" not in text


def test_another_week_shows_everyones_days_and_no_release_list() -> None:
    text = shown(PLAN, "2026-W50")
    week = next(w for w in PLAN.weeks if w.week == "2026-W50")
    assert all(person in text for person in week.people)
    assert "Let in this week" not in text


def test_titles_are_printed_without_their_markup_and_control_characters() -> None:
    item = PLAN.releases[0].item
    nasty = PORTFOLIO.work[item].model_copy(update={"title": "[red]\x1b]8;;http://x\x07link[/red]"})
    portfolio = PORTFOLIO.model_copy(update={"work": {**PORTFOLIO.work, item: nasty}})
    text = shown(PLAN, portfolio=portfolio)
    assert "\x1b" not in text
    assert r"[red]\x1b]8;;http://x\x07link[/red]" in text


def test_an_empty_plan_can_be_shown() -> None:
    empty = PLAN.model_copy(
        update={"items": {}, "releases": (), "holds": (), "projects": {}, "weeks": (), "loads": (), "bottleneck": None,
                "unscheduled": {}, "assumptions": ()}
    )  # fmt: skip
    text = shown(empty, portfolio=None)
    assert "Let in this week: 0" in text
    assert "None: no work is left." in text


def test_a_replan_says_what_moved() -> None:
    item = PLAN.releases[0].item
    move = Move(item=item, before=PLAN.as_of, now=PLAN.items[item].start, reason="its predecessor is late")
    previous = Previous(as_of=PLAN.as_of, input_hash="0" * 64, moves=(move,), kept=7)
    text = shown(PLAN.model_copy(update={"previous": previous}))
    assert "Since the plan of Mon 23 Nov 2026 08:00: 1 start moved, 7 kept" in text
    assert "its predecessor is late" in text


def test_a_load_without_hours_says_so() -> None:
    load = PLAN.loads[0].model_copy(update={"weeks_of_queue": None, "people": (), "by_week": {}})
    assert "no hours for it at all" in describe_load(load)


def test_the_view_knows_items_that_are_in_no_portfolio() -> None:
    assert PLAN.releases[0].item in shown(PLAN, portfolio=None)
