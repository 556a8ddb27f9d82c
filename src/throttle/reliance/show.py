"""Reliance for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from throttle.report.html import Html, join, tag
from throttle.report.html import table as html_table
from throttle.report.page import answer_page
from throttle.report.pictures import Bar, bars
from throttle.scenarios import text as t
from throttle.wording import plural, some
from throttle_models.reliance import Absent, BusFactor, Reliance

ROWS = 12


def show_reliance(console: Console, found: Reliance) -> None:
    """Print whom the plan leans on, the dearest absences, scarce skills and the training that helps most."""
    console.print(t.line(_title(found), "bold"))
    for sentence in _sentences(found):
        console.print(t.line(sentence))
    t.show_tables(console, _tables(found), ROWS)


def page_of_reliance(found: Reliance) -> str:
    """The same as one HTML page, with a map of who holds what."""
    dear = [(p, a) for p, a in found.good.items() if not a.problem and a.cost > 0]
    drawn = [Bar(p, a.cost, words=f"{t.money(a.cost, found.currency)}") for p, a in dear]
    week = [Bar(p, a.cost, words=f"{t.money(a.cost, found.currency)}") for p, a in found.week.items() if a.cost > 0]
    tables = [
        html_table(
            heading, [h.lstrip(">") for h in heads], rows, kinds="".join("n" if h[0] == ">" else "w" for h in heads)
        )
        for heading, heads, rows in _tables(found)
        if rows
    ]
    unit = f", {found.currency}" if found.currency else ""
    return answer_page(
        "Reliance",
        _title(found),
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", *(tag("p", s) for s in _sentences(found))),
        tag(
            "section",
            bars(f"What an absence for good costs{unit}", drawn) if drawn else None,
            bars(f"What a week's absence costs{unit}", week) if week else None,
        ),
        tag("section", tag("h2", "Who holds what the work needs"), _map(found)),
        tag("section", join(*tables)),
    )


def _map(found: Reliance) -> Html:
    """Skills down, people across: a mark where somebody holds it; those that one alone holds first."""
    skills = [(name, one) for name, one in found.skills.items() if len(one.holders) <= 4][:20]
    people = list(dict.fromkeys(p for _, one in skills for p in one.holders))[:20]
    if not skills:
        return tag("p", "Every skill that the work needs has five holders or more.", class_="none")
    rows = [
        (name, f"{one.hours:,.0f} h", *("\u25cf" if p in one.holders else "" for p in people)) for name, one in skills
    ]
    return html_table(
        "Skills with four holders or fewer", ("Skill", "Work", *people), rows, kinds="wn" + "w" * len(people)
    )


def _title(found: Reliance) -> str:
    return (
        f"On whom the plan leans, as of {t.day(found.as_of, found.zone)}; with everybody it costs "
        f"{t.money(found.objective, found.currency)}"
    )


def _sentences(found: Reliance) -> list[str]:
    said = []
    whole = found.whole
    if whole.factor is not None:
        exact = "" if whole.exact else " or fewer"
        people = plural(whole.factor, "person", "people")
        said.append(
            f"Bus factor {whole.factor}{exact}: without {some(whole.group)} ({people}) nobody can do "
            f"{t.share(whole.orphaned)} of the {whole.items} items."
        )
    dearest = next(((p, a) for p, a in found.week.items() if a.cost > 0), None)
    if dearest is not None:
        said.append(f"Dearest week: {dearest[0]}, {_cost(found, dearest[1])}.")
    dearest = next(((p, a) for p, a in found.good.items() if a.cost > 0), None)
    if dearest is not None:
        person, absent = dearest
        items = f"; {plural(len(absent.impossible), 'item')} nobody else can do" if absent.impossible else ""
        said.append(f"Dearest for good: {person}, {_cost(found, absent)}{items}.")
    if found.training and found.training[0].saves > 0:
        best = found.training[0]
        said.append(
            f"What helps most: {best.person} learns {best.skill} to level {best.level}; without {best.against} that "
            f"saves {t.money(best.saves, found.currency)}."
        )
    said.append(f"What nobody can do is charged as if it were finished {found.weeks:g} weeks later than planned.")
    return said


def _cost(found: Reliance, absent: Absent) -> str:
    return t.money(absent.cost, found.currency)


def _tables(found: Reliance) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    absent = ("who", ">costs", ">of it late", ">impossible", ">items nobody can do", "late")
    return [
        ("Absent for a week from now", absent, _absences(found.week)),
        ("Absent for good", absent, _absences(found.good)),
        (
            "Training: what an absence for good costs, before and after",
            ("who learns", "what", "against the absence of", ">before", ">after", ">saves"),
            [
                (k.person, f"{k.skill}>={k.level}", k.against, t.money(k.before), t.money(k.after), t.money(k.saves))
                for k in found.training
            ],
        ),
        (
            "Skills that the work needs, the fewest holders first",
            ("skill", ">holders", "who", ">items", ">hours"),
            [
                (name, str(len(one.holders)), some(one.holders, 4), str(one.items), f"{one.hours:,.0f}")
                for name, one in found.skills.items()
            ],
        ),
        ("Bus factor by skill", ("skill", ">people", "who", ">of items"), _factors(found.skill_factors)),
        ("Bus factor by service", ("service", ">people", "who", ">of items"), _factors(found.service_factors)),
    ]


def _absences(absences: Mapping[str, Absent]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for person, one in absences.items():
        if one.problem:
            rows.append((person, "no plan", "", "", "", one.problem))
        elif one.cost > 0 or one.impossible:
            late = [name for name, p in one.late.items() if p.late or p.finish is None]
            figures = (t.money(one.cost), t.money(one.late_cost), t.money(one.impossible_cost))
            rows.append((person, *figures, str(len(one.impossible)), some(late, 3)))
    return rows


def _factors(factors: Mapping[str, BusFactor]) -> list[tuple[str, ...]]:
    return [
        (name, f"{one.factor}" if one.exact else f"<={one.factor}", some(one.group, 4), str(one.items))
        for name, one in factors.items()
        if one.factor is not None
    ]
