"""The report as text: everything escaped, every section there, its numbers those of the plan, nothing loaded."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from typing import NamedTuple

import pytest

from support.sample_plan import sample_plan, sample_portfolio
from throttle.errors import InputError
from throttle.report import SECTIONS, render_report
from throttle.report.foreseen import KINDS
from throttle.report.view import REASONS
from throttle_models import Goal, Hold, Plan, PlanStatus, Portfolio, Reason

PLAIN = [s for s in SECTIONS if s.ident not in KINDS]
"""Those of a report of nothing but the plan; test_foreseen.py has the others."""
_VOID = {"meta", "link", "br", "hr"}


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]
    parents: tuple[int, ...]
    text: list[str]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text)).strip()


class Page(HTMLParser):
    """A page as elements in order; fails on what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[int] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open), []))
        if tag not in _VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open = [i for i in self._open if i != len(self.elements) - 1]

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()].tag == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.elements[index].text.append(data)

    def all(self, tag: str, within: str | None = None) -> list[Element]:
        """Elements with this tag, of the whole page or of the section with this id."""
        return [
            e
            for e in self.elements
            if e.tag == tag
            and (within is None or any(self.elements[i].attributes.get("id") == within for i in e.parents))
        ]

    def section(self, ident: str) -> str:
        return next(e.words for e in self.elements if e.attributes.get("id") == ident)

    def rows(self, ident: str) -> list[list[str]]:
        """Every body row of every table in a section."""
        found: dict[int, list[str]] = {}
        for e in self.elements:
            if e.tag in {"td", "th"} and any(self.elements[i].attributes.get("id") == ident for i in e.parents):
                found.setdefault(e.parents[-1], []).append(e.words)
        return [cells for row, cells in found.items() if self.elements[self.elements[row].parents[-1]].tag == "tbody"]


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    return sample_portfolio()


@pytest.fixture(scope="module")
def plan(portfolio: Portfolio) -> Plan:
    return sample_plan(portfolio)


@pytest.fixture(scope="module")
def html(plan: Plan, portfolio: Portfolio) -> str:
    return render_report(plan, portfolio)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_sections_are_there_in_the_order_of_the_table_and_linked(page: Page) -> None:
    idents = [s.ident for s in PLAIN]
    assert [e.attributes["id"] for e in page.all("section")] == idents
    assert [e.attributes["href"] for e in page.all("a")] == ["#main", *(f"#{ident}" for ident in idents)]
    assert [e.words for e in page.all("h2")] == [s.heading for s in PLAIN]
    for s in PLAIN:
        assert len(page.section(s.ident)) > len(s.heading) + 10


def test_landmarks_and_unique_ids(page: Page) -> None:
    assert [len(page.all(tag)) for tag in ("h1", "main", "nav", "header", "footer")] == [1] * 5
    ids = Counter(e.attributes["id"] for e in page.elements if "id" in e.attributes)
    assert set(ids.values()) == {1}
    named = {i for e in page.elements for i in e.attributes.get("aria-labelledby", "").split()}
    assert named <= set(ids)
    for e in page.elements:
        if e.attributes.get("role") == "region":
            assert e.attributes["tabindex"] == "0"
            assert e.attributes["aria-label"]


def test_headline_names_week_bottleneck_and_certificate(plan: Plan, page: Page) -> None:
    head, goal = page.all("header")[0].words, plan.certificate.objective
    assert "Week 48 23–29 Nov 2026" in head
    assert "The bottleneck is oracle, 388 h of work that only Person 0 Example can do, " in head
    assert plan.bottleneck is not None
    assert f"{plan.bottleneck.weeks_of_queue:.1f} weeks of queue" in head
    assert f"This plan costs USD {goal.value:,.0f} of delay: 33.3 % less than first come" in head
    assert f"at least USD {goal.bound:,.0f}, so at most 20 % of it could still be saved" in head
    assert "9.1 % less than the greedy rule" in head
    assert "Verified." in head


def test_release_list_is_the_plans_most_valuable_first(plan: Plan, page: Page) -> None:
    rows = [row for row in page.rows("week") if len(row) == 5 and row[4].startswith("USD")]
    assert Counter(row[0].split()[0] for row in rows) == Counter(r.item for r in plan.releases)
    values = [float(row[4].removeprefix("USD ").replace(",", "")) for row in rows]
    assert values == sorted((r.value for r in plan.releases), reverse=True)


def test_people_by_day_adds_up_to_the_plans_first_week(plan: Plan, page: Page) -> None:
    totals = [float(row[-1].removesuffix(" h")) for row in page.rows("week") if row[-1].endswith(" h")]
    week = plan.weeks[0]
    assert len(totals) == len(week.people)
    expected = sum(h for days in week.people.values() for jobs in days.values() for h in jobs.values())
    assert sum(totals) == pytest.approx(expected)
    cells = [float(h) for row in page.rows("week") if row[-1].endswith(" h") for c in row[1:-1] for h in _hours(c)]
    assert sum(cells) == pytest.approx(expected)


def _hours(cell: str) -> list[str]:
    return re.findall(r"([\d.]+) h(?![a-z])", cell)


def test_hold_list_has_every_hold_once_under_its_reason(plan: Plan, page: Page) -> None:
    held = Counter(row[0].split()[0] for row in page.rows("hold"))
    assert held == Counter(h.item for h in plan.holds)
    for reason in {h.reason for h in plan.holds}:
        group = next(e.words for e in page.all("details", "hold") if e.words.startswith(REASONS[reason]))
        mine = [h for h in plan.holds if h.reason == reason]
        assert f"{len(mine)} item" in group
        assert "/week" not in group  # a sum would count one project's cost for each of its items
        assert all(f"{h.item} " in group for h in mine)


def test_what_is_held_is_counted_alike_in_the_tile_and_the_list(plan: Plan, portfolio: Portfolio) -> None:
    out = Hold(item="X-1", reason=Reason.NO_HOLDER, text="Nobody holds cobol.", value=0)
    held = len(plan.holds) + 1
    page = Page(render_report(plan.model_copy(update={"holds": (*plan.holds, out)}), portfolio))
    tiles = [e.words for e in page.all("dl") if e.attributes.get("class") == "figures"]
    assert f"{held} not to begin this week, of which 1 not in the plan" in tiles[0]
    assert f"{held} items not to begin this week, of which 1 not in the plan" in page.section("hold")


def test_what_is_let_in_is_not_summed_in_money(page: Page) -> None:
    assert "rests on them" not in page.section("week")


def test_late_projects_come_first_with_the_plans_numbers(plan: Plan, page: Page) -> None:
    rows = {row[0].split()[0]: row for row in page.rows("late")}
    assert set(rows) == set(plan.projects)
    for key, project in plan.projects.items():
        if project.late_weeks > 0:
            assert rows[key][4] == f"{project.late_weeks:.1f} weeks late"
        if project.cost >= 1000:
            assert rows[key][5] == f"USD {project.cost:,.0f}"
    late = [plan.projects[key].late_weeks > 0 for key in rows]
    assert late == sorted(late, reverse=True)
    assert rows["prj0"][3] == "Mon 14 Dec"  # due at 08:00 of that day


def test_midnight_belongs_to_the_day_that_ends(plan: Plan, portfolio: Portfolio) -> None:
    due = plan.as_of.replace(hour=6, minute=0) + timedelta(days=25)  # 2026-12-19 00:00 in Chicago
    project = plan.projects["prj1"].model_copy(update={"due": due, "late_weeks": 0.0, "finish": due, "cost": 0.0})
    changed = plan.model_copy(update={"projects": {**plan.projects, "prj1": project}})
    row = next(r for r in Page(render_report(changed, portfolio)).rows("late") if r[0].startswith("prj1 "))
    assert (row[1], row[3], row[4]) == ("Fri 18 Dec", "Fri 18 Dec", "on time, 0 days to spare")


def test_every_picture_has_title_description_and_a_table(page: Page) -> None:
    pictures = [(i, e) for i, e in enumerate(page.elements) if e.tag == "svg"]
    assert len(pictures) >= 4
    for index, svg in pictures:
        inside = [e for e in page.elements if e.parents[-1:] == (index,)]
        named = {e.attributes.get("id"): e.words for e in inside if e.tag in {"title", "desc"}}
        assert all(named[i] for i in svg.attributes["aria-labelledby"].split())
        holder = next(i for i in reversed(svg.parents) if page.elements[i].tag in {"figure", "section", "details"})
        later = [e for e in page.elements[index:] if holder in e.parents]
        assert any(e.tag == "details" for e in later)
        assert any(e.tag == "table" for e in later)


def test_text_twins_hold_all_work(plan: Plan, page: Page) -> None:
    hours = sum(
        a.allocation * (b - s).total_seconds() / 3600
        for p in plan.items.values()
        for a in p.assignments
        for s, b in a.work
    )
    people = page.rows("people")
    assert sum(float(row[4].removesuffix(" h")) for row in people) == pytest.approx(hours)
    assert len(people) == sum(len(p.assignments) for p in plan.items.values())
    projects = [row for row in page.rows("projects") if len(row) == 7]
    assert sum(float(row[6].removesuffix(" h").replace(",", "")) for row in projects) == pytest.approx(hours)
    assert {row[0].split()[0] for row in page.rows("projects") if len(row) == 5} == set(plan.items)


def test_waiting_is_not_drawn_as_work(html: str) -> None:
    bars = re.findall(r'<rect class="([^"]*)"[^>]*><title>WAIT-1: Mon 23 Nov 08:00 – Wed 25 Nov 08:00</title>', html)
    assert bars == ["pale c0"]


def test_load_table_has_the_plans_hours_and_marks_the_bottleneck(plan: Plan, page: Page) -> None:
    facts = {row[0]: row for row in page.rows("load") if len(row) == 5}
    weeks = {row[0]: row[1:] for row in page.rows("load") if len(row) > 5}
    for load in plan.loads:
        name = f"{load.name} bottleneck" if load == plan.bottleneck else load.name
        assert facts[name][4] == f"{load.weeks_of_queue:.1f}"
        assert weeks[load.name][0] == "{:,.4g} / {:,.4g}".format(*load.by_week["2026-W48"])
    assert next(iter(weeks)) == plan.bottleneck.name if plan.bottleneck else False


def test_changes_stand_under_their_window(plan: Plan, page: Page) -> None:
    windows = {p.window for p in plan.items.values() if p.window}
    titles = [row[0] for row in page.rows("changes") if len(row) == 1]
    assert len(titles) == len(windows)
    assert titles[0] == "thursday-night, Thu 26 Nov 18:00–23:00: 3 changes of at most 3"
    changes = {row[0].split()[0] for row in page.rows("changes") if len(row) > 1}
    assert changes == {key for key, p in plan.items.items() if p.window}


def test_unscheduled_defaults_findings_and_certificate(plan: Plan, page: Page) -> None:
    assert page.rows("unscheduled") == [["X-1 Nobody can do this", "–", "Nobody holds cobol.", "cobol"]]
    assert ["effort", "16h", "the export has no estimates", "41", "effort: in the team file"] in page.rows("basis")
    assert ["warning", "W-3 has no estimate.", "W-3", "1"] in page.rows("basis")
    certificate = page.section("certificate")
    assert plan.certificate.input_hash in certificate
    for fact in ("ortools 9.14", "Seed1; deterministic", "feasible; not proven optimal", "no violation found"):
        assert fact in certificate


def test_a_plan_that_failed_the_check_says_so_first(plan: Plan, portfolio: Portfolio) -> None:
    certificate = plan.certificate.model_copy(update={"checked": False, "violations": 3})
    page = Page(render_report(plan.model_copy(update={"certificate": certificate}), portfolio))
    head = page.all("header")[0].words
    assert "Not verified: 3 violations." in head
    assert "Verified." not in head
    assert "found no violation" not in head
    assert "checker has confirmed" not in page.section("unscheduled")


@pytest.mark.parametrize(
    ("goal", "sentence"),
    [
        ({"proved": True, "bound": 1000, "gap": 0}, "It is proven that no plan costs less."),
        ({"bound": 0, "gap": 1}, "How much less another plan could cost is not proven."),
        ({"bound": 999.6, "gap": 0.0004}, "at most 0.1 % of it could still be saved."),
        ({"greedy": 1000}, "as much as the greedy rule (USD 1,000)"),
        ({"first_come": 500}, "100 % more than first come, first served (USD 500)"),
    ],
)
def test_certificate_in_words(plan: Plan, portfolio: Portfolio, goal: dict[str, object], sentence: str) -> None:
    base = {
        "name": "cost",
        "value": 1000,
        "bound": 900,
        "gap": 0.1,
        "proved": False,
        "first_come": 2000,
        "greedy": 1500,
    }
    certificate = plan.certificate.model_copy(update={"objective": Goal.model_validate({**base, **goal})})
    page = Page(render_report(plan.model_copy(update={"certificate": certificate}), portfolio))
    assert sentence in page.all("header")[0].words


def test_without_costs_the_unit_is_item_weeks(plan: Plan, portfolio: Portfolio) -> None:
    free = {key: p.model_copy(update={"cost_of_delay": None}) for key, p in portfolio.projects.items()}
    page = Page(render_report(plan, portfolio.model_copy(update={"projects": free})))
    text = page.all("body")[0].words
    assert f"{plan.certificate.objective.value:,.1f} item-weeks" in text
    assert "USD" not in text


def test_an_empty_plan_renders_each_section(plan: Plan) -> None:
    nothing: dict[str, object] = {
        "items": {},
        "unscheduled": {},
        "releases": (),
        "holds": (),
        "projects": {},
        "weeks": (),
        "loads": (),
    }
    empty = plan.model_copy(update={**nothing, "bottleneck": None, "findings": (), "assumptions": ()})
    page = Page(render_report(empty, Portfolio(as_of="2026-11-23T08:00")))
    assert len(page.all("section")) == len(PLAIN)
    assert "No bottleneck" in page.all("header")[0].words
    assert [e.words for e in page.all("svg", "projects")] == []


@pytest.mark.parametrize("status", [PlanStatus.INFEASIBLE, PlanStatus.UNKNOWN])
def test_without_a_plan_the_status_is_said(plan: Plan, portfolio: Portfolio, status: PlanStatus) -> None:
    certificate = plan.certificate.model_copy(update={"status": status})
    head = Page(render_report(plan.model_copy(update={"certificate": certificate}), portfolio)).all("header")[0].words
    assert f"No plan: the status is {status.value}." in head


def test_every_reason_has_a_heading() -> None:
    assert set(REASONS) == set(Reason)
    assert len(set(REASONS.values())) == len(REASONS)


def test_the_same_plan_gives_the_same_page(html: str, plan: Plan, portfolio: Portfolio) -> None:
    again = Plan.model_validate_json(plan.model_dump_json())
    assert render_report(again, portfolio) == html


def test_another_portfolio_is_refused(plan: Plan, portfolio: Portfolio) -> None:
    without = {key: item for key, item in portfolio.work.items() if key != "W-3"}
    with pytest.raises(InputError, match="such as W-3, are not in the portfolio: give the portfolio"):
        render_report(plan, portfolio.model_copy(update={"work": without}))


def test_nothing_is_loaded_and_nothing_runs(html: str, page: Page) -> None:
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    assert not page.all("script")
    loads = {"src", "srcset", "href", "xlink:href", "data", "action", "style", "background", "poster"}
    for e in page.elements:
        assert not [name for name in e.attributes if name.startswith("on")]
        for name in loads & set(e.attributes):
            assert name == "href", (e.tag, name)
            assert e.attributes[name].startswith("#") or (e.tag, e.attributes[name]) == ("link", "data:,")


def test_the_security_policy_allows_this_style_and_nothing_else(html: str, page: Page) -> None:
    policy = next(e.attributes["content"] for e in page.all("meta") if "http-equiv" in e.attributes)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.S)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["style-src"] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"
    assert len(rules) == 5


_HOSTILE = (
    "</title></style></script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--", "]]>", "&lt;b&gt; &amp; &#x41;", "{{7*7}} ${x} %s {0}", "\x00\x07\u202egnp.exe\u2066",
)  # fmt: skip
_UNSHOWABLE = re.compile("[\x00-\x08\u202a-\u202e\u2066-\u2069]")
_TEXTS = frozenset(
    ("title", "name", "text", "message", "why", "value", "override", "method", "currency", "about", "team", "services")
)


def spoiled(value: object, words: str, fields: frozenset[str], at: str = "") -> object:
    """The same JSON with these words in every one of these fields."""
    if isinstance(value, dict):
        return {key: spoiled(v, words, fields, key) for key, v in value.items()}
    if isinstance(value, list):
        return [spoiled(v, words, fields, at) for v in value]
    return words if at in fields and isinstance(value, str) else value


def spoiled_report(words: str, fields: frozenset[str]) -> str:
    portfolio = sample_portfolio(30)
    plan = sample_plan(portfolio)
    return render_report(
        Plan.model_validate(spoiled(plan.model_dump(mode="json"), words, fields)),
        Portfolio.model_validate(spoiled(portfolio.model_dump(mode="json"), words, fields)),
    )


@pytest.mark.parametrize("words", _HOSTILE, ids=range(len(_HOSTILE)))
def test_hostile_text_is_only_ever_text(words: str) -> None:
    """In place of every free text of a plan and its portfolio."""
    html = spoiled_report(words, _TEXTS)
    page, calm = Page(html), Page(spoiled_report("calm words", _TEXTS))
    assert Counter(e.tag for e in page.elements) == Counter(e.tag for e in calm.elements)
    assert {n for e in page.elements for n in e.attributes} == {n for e in calm.elements for n in e.attributes}
    assert not _UNSHOWABLE.search(html)
    assert re.sub(r"\s+", " ", _UNSHOWABLE.sub("\ufffd", words)) in page.section("hold")


def test_long_texts_are_cut() -> None:
    page = Page(spoiled_report("a" * 3000, frozenset({"title", "text", "team"})))
    for s in PLAIN:
        assert "a" * 450 not in page.section(s.ident), s.ident
    assert "a" * 100 in page.section("hold")


def test_hostile_ids_are_only_ever_text() -> None:
    """Ids are the user's as well; the page's own ids are not made of them."""
    evil = '"><script>alert(1)</script>'
    portfolio = sample_portfolio(30)
    plan = sample_plan(portfolio)

    def renamed(text: str) -> str:
        return re.sub(r'"(W-\d+|p\d+|prj\d+|thursday-night|oracle|cobol)(>=1)?"', lambda m: _quoted(m[1] + evil), text)

    html = render_report(
        Plan.model_validate_json(renamed(plan.model_dump_json())),
        Portfolio.model_validate_json(renamed(portfolio.model_dump_json())),
    )
    page = Page(html)
    assert not page.all("script")
    assert f"W-0{evil}" in page.section("week")
    assert all("alert" not in e.attributes.get(n, "") for e in page.elements for n in ("id", "href", "class"))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def test_ten_thousand_items_stay_usable() -> None:
    portfolio = sample_portfolio(10_000, people=400, projects=120)
    plan = sample_plan(portfolio)
    html = render_report(plan, portfolio)
    assert len(html.encode()) < 15_000_000
    page = Page(html)
    held = len(page.rows("hold"))
    assert held == 5000
    assert f"{len(plan.holds) - held:,} more items not shown here; plan.json has everything." in page.section("hold")
    drawn = next(e for e in page.all("desc") if e.attributes["id"] == "by-project-desc").words
    assert drawn.startswith("40 rows")
    groups = len(plan.projects) + 1
    assert f"{groups - 40} more projects not shown here; the table below has them." in page.section("projects")
    assert "more people not shown here; the table below goes on." in page.section("people")
