"""Scenarios side by side, for the terminal and as a page."""

from __future__ import annotations

from rich.console import Console

from throttle import figures as t
from throttle.report.html import join, tag
from throttle.report.html import table as html_table
from throttle.report.page import answer_page
from throttle.report.pictures import Bar, bars
from throttle.wording import plural, some
from throttle_models.scenario import AS_IS, Variant, WhatIf

PROJECTS = 12


def show_what_if(console: Console, found: WhatIf) -> None:
    """Print a row for each scenario, what the difference is, and the projects whose dates move."""
    console.print(t.line(_title(found), "bold"))
    table = t.table("scenario", *(f">{head}" for head in _heads(found)))
    for name, one in found.variants.items():
        t.add(table, name, *_figures(found, one), style="red" if one.problem else "")
    t.put(console, table)
    for sentence in _sentences(found):
        console.print(t.line(sentence))
    moved = [(name, one) for name, one in found.variants.items() if name != AS_IS and _moved(one)]
    for name, one in moved:
        console.print(t.heading(f"{name}: dates"))
        dates = t.table("project", "finish", ">", ">cost", ">in time")
        for row in _dates(found, one)[:PROJECTS]:
            t.add(dates, *row)
        t.put(console, dates)


def page_of_what_if(found: WhatIf) -> str:
    """The same as one HTML page."""
    whole = {n: v for n, v in found.variants.items() if not v.left_out}
    simulated = [(n, v) for n, v in whole.items() if v.simulated is not None and v.simulated.difference]
    drawn = [
        Bar(n, v.simulated.difference.mean, v.simulated.difference.low, v.simulated.difference.high)
        for n, v in simulated
        if v.simulated is not None and v.simulated.difference is not None
    ] or [Bar(n, v.change) for n, v in whole.items() if v.change is not None]
    title = "More cost of delay than as it is" + (f", {found.currency}" if found.currency else "")
    rows = [(name, *_figures(found, one)) for name, one in found.variants.items()]
    parts = [
        html_table(
            "Scenarios",
            ("Scenario", *(h.capitalize() for h in _heads(found))),
            rows,
            kinds="w" + "n" * len(_heads(found)),
        )
    ]
    for name, one in found.variants.items():
        if name != AS_IS and _moved(one):
            heads = ("Project", "Finish", "Against as it is", "Cost", "In time")
            parts.append(html_table(f"{name}: dates", heads, _dates(found, one), kinds="wtnnn"))
    return answer_page(
        "What if",
        _title(found),
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", bars(title, drawn, found.currency), *(tag("p", s) for s in _sentences(found))),
        tag("section", join(*parts)),
    )


def _title(found: WhatIf) -> str:
    simulated = f"; {plural(found.runs, 'simulated run')} of each, with the same random numbers" if found.runs else ""
    scenarios = plural(len(found.variants) - 1, "scenario")
    return f"{scenarios} against the portfolio as it is, as of {t.day(found.as_of, found.zone)}{simulated}"


def _heads(found: WhatIf) -> tuple[str, ...]:
    planned = ("planned", "change", "items moved", "left out")
    return (*planned, "simulated mean", "p85", "difference", "95 % sure") if found.runs else planned


def _figures(found: WhatIf, one: Variant) -> tuple[str, ...]:
    if one.problem:
        return ("no plan", *[""] * (len(_heads(found)) - 1))
    star = "*" if one.status == "optimal" else ""
    # what leaves out work is cheaper only since that work costs nothing
    change = "-" if one.left_out else t.signed(one.change)
    planned = (f"{t.money(one.objective)}{star}", change, str(one.moved), str(len(one.left_out)))
    if not found.runs:
        return planned
    if (sim := one.simulated) is None:
        return (*planned, "-", "-", "-", "-")
    told = ("-", "-")
    if sim.difference is not None and not one.left_out:
        told = t.signed(sim.difference.mean), t.range_of(sim.difference.low, sim.difference.high)
    return (*planned, t.money(sim.cost.mean), t.money(sim.cost.p85), *told)


def _sentences(found: WhatIf) -> list[str]:
    said = [f"{name}: {one.problem}" for name, one in found.variants.items() if one.problem]
    for name, one in found.variants.items():
        difference = one.simulated.difference if one.simulated is not None else None
        if one.left_out:
            why = next(iter(one.left_out.values()))
            said.append(
                f"{name} leaves out {some(list(one.left_out))}: {why}. Their delay is in none of its figures, so its "
                "cost cannot be compared."
            )
        elif difference is not None:
            if difference.low > 0:
                said.append(f"{name} costs more: in {t.share(difference.worse)} of runs.")
            elif difference.high < 0:
                said.append(f"{name} costs less: in {t.share(difference.better)} of runs.")
            else:
                said.append(f"{name}: no difference that {plural(found.runs, 'run')} could tell from chance.")
    for name, one in found.variants.items():
        if one.drum is not None:
            said.append(
                f"{name}: the drum is {one.drum}, not that of {AS_IS}, so another is protected (policy.drum names one "
                "for good)."
            )
    if any(one.status == "optimal" for one in found.variants.values()):
        said.append("* proven to be the least")
    doubtful = [n for n, one in found.variants.items() if one.change and one.luck and abs(one.change) < one.luck]
    if doubtful:
        said.append(
            f"Plans are searched for, so a planned change may be luck where less than what is not proven: "
            f"{some(doubtful)}. A longer --budget tells more."
        )
    return said


def _moved(one: Variant) -> bool:
    return any(p.days is None or abs(p.days) >= 0.05 for p in one.projects.values())


def _dates(found: WhatIf, one: Variant) -> list[tuple[str, ...]]:
    rows = sorted(one.projects.items(), key=lambda e: (-(e[1].days if e[1].days is not None else 1e9), e[0]))
    return [
        (p.title or name, t.day(p.finish, found.zone), t.days(p.days), t.money(p.cost), t.share(p.p_in_time))
        for name, p in rows
        if p.days is None or abs(p.days) >= 0.05
    ]
