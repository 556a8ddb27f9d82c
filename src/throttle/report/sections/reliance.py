"""Reliance: who alone holds what the work needs, and what each absence costs."""

from __future__ import annotations

from collections.abc import Mapping

from throttle import figures as t
from throttle.report.html import Html, join, long_table, tag
from throttle.report.html import table as html_table
from throttle.report.pictures import MOST_BARS, Bar, bars
from throttle.wording import plural, some
from throttle_models.reliance import Absent, BusFactor, Reliance

_SHOWN, _CAP = 12, 2000
_ACROSS, _DOWN, _FEW = 20, 20, 4
"""People and skills of the map, and most holders of a skill that is in it."""

Tables = list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]


def render(found: Reliance) -> Html:
    """The whole section: bars of what absences cost, the map of who holds what, and tables that say the same."""
    return join(
        tag("p", f"{title(found)}."),
        *(tag("p", s) for s in sentences(found)),
        _bars(found, "What an absence for good costs", found.good),
        _bars(found, "What a week's absence costs", found.week),
        tag("h3", "Who holds what the work needs"),
        _map(found),
        *(
            long_table(
                heading,
                [h.lstrip(">").capitalize() for h in heads],
                rows,
                shown=_SHOWN,
                cap=_CAP,
                look="stack",
                kinds="".join("n" if h[0] == ">" else "w" for h in heads),
            )
            for heading, heads, rows in tables(found)
            if rows
        ),
    )


def _bars(found: Reliance, what: str, absences: Mapping[str, Absent]) -> Html | None:
    drawn = [
        Bar(p, one.cost, words=t.money(one.cost, found.currency))
        for p, one in absences.items()
        if not one.problem and one.cost > 0
    ]
    unit = f", {found.currency}" if found.currency else ""
    best = f", the dearest {MOST_BARS}" if len(drawn) > MOST_BARS else ""
    return bars(f"{what}{unit}{best}", drawn) if drawn else None


def _map(found: Reliance) -> Html:
    """Skills down, people across: a mark where somebody holds it; those that one alone holds first."""
    skills = [(name, one) for name, one in found.skills.items() if len(one.holders) <= _FEW][:_DOWN]
    people = list(dict.fromkeys(p for _, one in skills for p in one.holders))[:_ACROSS]
    if not skills:
        return tag("p", "Every skill that the work needs has five holders or more.", class_="none")
    rows = [
        (name, f"{one.hours:,.0f} h", *("\u25cf" if p in one.holders else "" for p in people)) for name, one in skills
    ]
    caption = "Skills with four holders or fewer: a dot where somebody holds it"
    return html_table(caption, ("Skill", "Work", *people), rows, kinds="wn" + "w" * len(people))


def title(found: Reliance) -> str:
    return (
        f"On whom the plan leans, as of {t.day(found.as_of, found.zone)}; with everybody it costs "
        f"{t.money(found.objective, found.currency)}"
    )


def sentences(found: Reliance) -> list[str]:
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
        said.append(f"Dearest week: {dearest[0]}, {t.money(dearest[1].cost, found.currency)}.")
    dearest = next(((p, a) for p, a in found.good.items() if a.cost > 0), None)
    if dearest is not None:
        person, absent = dearest
        said.append(f"Dearest for good: {person}, {t.money(absent.cost, found.currency)}{_impossible(absent)}.")
    if found.training and found.training[0].saves > 0:
        best = found.training[0]
        said.append(
            f"What helps most: {best.person} learns {best.skill} to level {best.level}; without {best.against} that "
            f"saves {t.money(best.saves, found.currency)}."
        )
    said.append(f"What nobody can do is charged as if it were finished {found.weeks:g} weeks later than planned.")
    return said


def _impossible(absent: Absent) -> str:
    """What nobody else can do, apart from what only waits for that."""
    waiting = len(absent.waiting)
    alone = len(absent.impossible) - waiting
    words = f"; {plural(alone, 'item')} nobody else can do" if alone else ""
    return words + (f", {waiting} more that wait{'s' if waiting == 1 else ''} for them" if waiting else "")


def tables(found: Reliance) -> Tables:
    """Heading, column heads (those that start with ``>`` head numbers) and rows."""
    absent = ("who", ">costs", ">of it late", ">impossible", ">items nobody can do", ">waiting for them", "late")
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
            rows.append((person, "no plan", "", "", "", "", one.problem))
        elif one.cost > 0 or one.impossible:
            late = [name for name, p in one.late.items() if p.late or p.finish is None]
            figures = (t.money(one.cost), t.money(one.late_cost), t.money(one.impossible_cost))
            counts = str(len(one.impossible) - len(one.waiting)), str(len(one.waiting))
            rows.append((person, *figures, *counts, some(late, 3)))
    return rows


def _factors(factors: Mapping[str, BusFactor]) -> list[tuple[str, ...]]:
    return [
        (name, f"{one.factor}" if one.exact else f"<={one.factor}", some(one.group, 4), str(one.items))
        for name, one in factors.items()
        if one.factor is not None
    ]
