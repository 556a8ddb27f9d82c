"""The example organisation: Parts Unlimited, of the talk "When IT Fails: A Business Novel".

Writes one invented organisation twice: as a portfolio that a planner could have written by hand (``native/``), and
as the files that its trackers would export (``exports/``). The same arguments give the same bytes on every machine.

    python datasets/parts-unlimited/generate.py --out out/parts-unlimited --scale 1 --bottleneck brent

``--scale 1`` is one fifth of the organisation (some forty developers), ``--scale 5`` all of it. ``--bottleneck`` says
where the work piles up: at the lead engineer (``brent``), at the testers (``qa``) or at an environment (``staging``).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from throttle.documents import render_yaml
from throttle.files import write_atomic
from throttle_models import Need, Person, Portfolio, Status

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:  # when it is imported rather than run
    sys.path.insert(0, str(HERE))

from parts_exports import jira_csv, servicenow_csv, servicenow_json, site_map, team_file  # noqa: E402
from parts_exports_planners import planner_files  # noqa: E402
from parts_exports_trackers import tracker_files  # noqa: E402
from parts_organisation import BOTTLENECKS, FULL_SIZE, Bottleneck, able, build_portfolio, is_lead  # noqa: E402

SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "organisation.yaml": (
        "Parts Unlimited: who works there, with what, and when.",
        (
            *("as_of", "zone", "currency", "calendars", "skills", "teams", "people"),
            *("environments", "services", "windows", "freezes"),
        ),
    ),
    "policy.yaml": ("The limits that the plan keeps.", ("policy",)),
    "work.yaml": (
        "The projects and every ticket: finished work, which is history, then what is open.",
        ("projects", "work", "external"),
    ),
}
"""The files of the native form: what each says at its top, and the sections in it."""
NOTES = {
    "calendars": "A quarter of an office day goes to meetings; operations plan six hours of a day, late on "
    "the evenings of a window.",
    "skills": "Level 1 can, level 2 does it alone, level 3 leads. Five skills have one leader.",
    "windows": "People on the calendars ops and weekend are there.",
    "work": "PHX-1 of Jira, CHG0030101 of the service desk: the exports use the same ids.",
    "external": "Vendors' tickets.",
}
"""Comments before sections."""


@dataclass(frozen=True)
class Load:
    """Work that only these people (or this environment) can do, against their hours of an ordinary week."""

    name: str
    people: tuple[str, ...]
    hours: float
    weeks: float


def simple_loads(portfolio: Portfolio) -> list[Load]:
    """Every group of people that some work depends on, and every environment, the most loaded first.

    For a group G: weeks = remaining hours of the needs that nobody outside G can take / planned hours a week of G
    (Hall's condition). For an environment: hours that work occupies it / (capacity * open hours a week). Holidays, time
    off and freezes are left out; this is a measure of the data, not a plan.
    """
    needs: list[tuple[frozenset[str], Need]] = []
    occupied: defaultdict[str, float] = defaultdict(float)
    for item in portfolio.work.values():
        if item.status in (Status.DONE, Status.CANCELLED):
            continue
        for need in item.needs:
            needs.append((frozenset(able(portfolio, need)), need))
        for place, amount in item.environment.items():
            occupied[place] += amount * max(_remaining(need) / (need.people * need.allocation) for need in item.needs)
    weekly = {who: _weekly_hours(portfolio, person) for who, person in portfolio.people.items()}
    loads: list[Load] = []
    for group in {those for those, _ in needs}:
        inside = [need for those, need in needs if those <= group]
        names = sorted(
            {need.skill if need.level == 1 else f"{need.skill}>={need.level}" for need in inside if need.skill}
        )
        hours = sum(map(_remaining, inside))
        loads.append(Load(", ".join(names), tuple(sorted(group)), hours, hours / sum(weekly[w] for w in group)))
    for name, environment in portfolio.environments.items():
        open_hours = _open_hours(portfolio, environment.calendar) if environment.calendar else 168.0
        hours = occupied[name]
        loads.append(Load(name, (), hours, hours / (environment.capacity * open_hours)))
    return sorted(loads, key=lambda load: (-load.weeks, load.name, load.people))


def _remaining(need: Need) -> float:
    span = need.remaining if need.remaining is not None else need.effort.mean if need.effort else timedelta()
    return span / timedelta(hours=1)


def _open_hours(portfolio: Portfolio, calendar: str) -> float:
    return sum(last - first for _, first, last in portfolio.calendars[calendar].hours.ranges) / 60


def _weekly_hours(portfolio: Portfolio, person: Person) -> float:
    calendar = person.calendar or next(iter(portfolio.calendars))
    return _open_hours(portfolio, calendar) * (person.productive or portfolio.calendars[calendar].productive)


# -------------------------------------------------------------------------------------------------------------- files


def native_files(portfolio: Portfolio) -> dict[str, bytes]:
    """The portfolio as a folder of files that a planner could keep by hand."""
    said = portfolio.model_dump(mode="json", exclude_defaults=True)
    files: dict[str, bytes] = {}
    for name, (about, sections) in SECTIONS.items():
        part = {"throttle": portfolio.throttle} | {section: said.pop(section) for section in sections}
        files[name] = _yaml(about, part)
    assert not said, f"no file holds {', '.join(said)}"
    return files


def export_files(portfolio: Portfolio, seed: int) -> dict[str, bytes]:
    """The same organisation as its trackers export it, with what they cannot say."""
    return {
        "jira.csv": jira_csv(portfolio, seed),
        "servicenow_change_request.csv": servicenow_csv(portfolio, seed),
        "servicenow_change_request.json": servicenow_json(portfolio, seed),
        "map.yaml": _yaml("What the fields of this site's service desk mean.", site_map()),
        "team.yaml": _yaml("What the exports cannot say.", team_file(portfolio)),
    }


def _yaml(about: str, data: Mapping[str, Any]) -> bytes:
    text = f"# {about} Written by generate.py.\n{render_yaml(data)}"
    for section, note in NOTES.items() if "throttle" in data else ():
        text = text.replace(f"\n{section}:\n", f"\n# {note}\n{section}:\n")
    return text.encode()


def all_files(scale: int = 1, bottleneck: Bottleneck = "brent", seed: int = 1) -> dict[str, bytes]:
    """Every file of the data set: path within its folder to content."""
    portfolio = build_portfolio(scale, bottleneck, seed)
    files = {f"native/{name}": data for name, data in native_files(portfolio).items()}
    files |= {f"exports/{name}": data for name, data in export_files(portfolio, seed).items()}
    files["README.md"] = readme(portfolio, scale, bottleneck, seed).encode()
    return files


def generate(out: Path, scale: int = 1, bottleneck: Bottleneck = "brent", seed: int = 1) -> list[Path]:
    """Write the data set into a folder, which is made where it is missing, and return the files written."""
    written = []
    for name, data in all_files(scale, bottleneck, seed).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
        written.append(path)
    return written


# ------------------------------------------------------------------------------------------------------------- README


def counts(portfolio: Portfolio) -> dict[str, int]:
    """The figures that the README gives and the tests hold it to."""
    contain = {item.parent for item in portfolio.work.values()}
    alive = [item for item in portfolio.work.values() if item.status not in (Status.DONE, Status.CANCELLED)]
    open_items = [item for t, item in portfolio.work.items() if item in alive and t not in contain]
    kinds = Counter(item.type.value for item in open_items)
    teams = Counter("developers" if (p.team or "").endswith("-dev") else p.team for p in portfolio.people.values())
    lead = [i for i in open_items if any(is_lead(n.skill or "", n.level) for n in i.needs)]
    return {
        "people": len(portfolio.people),
        **{f"people: {team}": n for team, n in sorted(teams.items(), key=str)},
        "tickets": len(portfolio.work),
        "finished": sum(item.status == Status.DONE for item in portfolio.work.values()),
        "containers": sum(t in contain for t in portfolio.work),
        "open": len(open_items),
        **{f"open: {kind}": n for kind, n in sorted(kinds.items())},
        "open, in progress": sum(item.status == Status.IN_PROGRESS for item in open_items),
        "open, in a change window": sum(bool(item.change and item.change.window) for item in open_items),
        "open, estimated in three points": sum(
            any(n.effort and n.effort.low < n.effort.high for n in item.needs) for item in open_items
        ),
        "open, for the lead engineer": len(lead),
    }


def readme(portfolio: Portfolio, scale: int, bottleneck: Bottleneck, seed: int) -> str:
    figures = "\n".join(f"| {name} | {n:,} |" for name, n in counts(portfolio).items())
    options = "\n".join(_option(option, scale, seed) for option in BOTTLENECKS)
    rows = "\n".join(
        f"| {load.name} | {len(load.people) or ''} | {load.hours:,.0f} | {load.weeks:.1f} |"
        for load in narrow_loads(portfolio)
        if load.weeks >= 1
    )
    return README.format(
        scale=scale, bottleneck=bottleneck, seed=seed, figures=figures, options=options, rows=rows, full=FULL_SIZE
    )


def narrow_loads(portfolio: Portfolio) -> list[Load]:
    """The loads without groups that hold a group of more load within them: those only repeat its work."""
    kept: list[Load] = []
    for load in simple_loads(portfolio):
        if not (load.people and any(set(k.people) < set(load.people) for k in kept if k.people)):
            kept.append(load)
    return kept


def _option(option: Bottleneck, scale: int, seed: int) -> str:
    first, second = narrow_loads(build_portfolio(scale, option, seed))[:2]
    return f"| `{option}` | {first.name} | {first.weeks:.1f} | {second.name} | {second.weeks:.1f} |"


README = """# Parts Unlimited

An invented organisation, after the talk "When IT Fails: A Business Novel": one flagship project (Phoenix), the
findings of an audit (SOX-404), a payroll run that failed, changes, incidents, and one lead engineer, Brent Geller,
whom about half of the work needs. `generate.py` wrote `native/`, `exports/` and this file; nobody and nothing in them
is real.

    python datasets/parts-unlimited/generate.py --scale {scale} --bottleneck {bottleneck} --seed {seed}

- `native/`: the portfolio as a planner would keep it (`organisation.yaml`, `policy.yaml`, `work.yaml`).
- `exports/`: the same organisation as its trackers export it.
  - `jira.csv`: all fields, Jira Cloud: repeated headers, CRLF within cells, links by type and from both ends,
    estimates in seconds, logged work, a sub-task for each person of a shared task, links to vendors' tickets that
    are not in the file.
  - `servicenow_change_request.csv`: Windows-1252, every cell quoted, display values, this site's words for the
    kinds of change, dates with the month first. `servicenow_change_request.json`: the same changes from the Table
    API, raw.
  - `map.yaml` and `team.yaml`: what the site's own fields mean, and what no export says: people and their skills,
    calendars, windows, crews of changes, milestones, policy.

With `--trackers` also `trackers/`, which is not kept here: all the work, changes included, as other trackers would
export it (GitHub, Azure DevOps, GitLab, Linear, Asana, Trello, YouTrack, Redmine, AgilePlace, Microsoft Project,
Primavera, tasks of ServiceNow, a plain table and a workbook). `FORMS` in `parts_exports_trackers.py` and
`parts_exports_planners.py` says what each format can carry; tests read each of them back and compare ids, edges,
directions and estimates.

Options: `--scale` 1 to {full} fifths of the full size, `--bottleneck` where the work piles up, `--seed` another
organisation of the same shape, `--out` another folder. The same options give the same bytes.

## Measured by the generator

| | |
|---|---:|
{figures}

Load: remaining work that only a group of people can do (or that occupies an environment), in weeks of their
ordinary hours. Groups that only repeat the load of a smaller group, and loads below a week, are left out.

| what it takes | people | hours | weeks |
|---|---:|---:|---:|
{rows}

With each `--bottleneck`, at this scale and seed:

| option | most loaded | weeks | next | weeks |
|---|---|---:|---|---:|
{options}

## What differs between the two forms

- The exports estimate in one point (the likely one), the native files mostly in three.
- The exports know no lags; the team file gives the one between changes.
- A task for several people is one ticket with a sub-task for each in Jira, which do not have to begin together.
- A milestone (*Phoenix is live*) is no ticket; the team file adds it, with what comes before it.
- Jira's project for operations (OPS) counts as a project in process; the limit in the team file is one higher for it.

Three tickets show reasons for not being planned: *Badge printers* waits for a vendor who names no date, *Retire the
old badge server* waits for it, and *Mail under the new domain* is on hold.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write the example organisation, Parts Unlimited.")
    parser.add_argument("--scale", type=int, choices=range(1, FULL_SIZE + 1), default=1, help="fifths of the full size")
    parser.add_argument("--bottleneck", choices=BOTTLENECKS, default="brent", help="where the work piles up")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trackers", action="store_true", help="also write trackers/: every other tracker's export")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write (default: the committed one)")
    said = parser.parse_args(arguments)
    for path in generate(said.out, said.scale, said.bottleneck, said.seed):
        print(path)
    if said.trackers:
        folder = said.out / "trackers"
        folder.mkdir(parents=True, exist_ok=True)
        portfolio = build_portfolio(said.scale, said.bottleneck, said.seed)
        files = tracker_files(portfolio, said.seed) | planner_files(portfolio, said.seed)
        for name, data in files.items():
            write_atomic(folder / name, data)
            print(folder / name)


if __name__ == "__main__":
    main()
