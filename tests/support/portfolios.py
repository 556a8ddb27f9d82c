"""Small random portfolios that use every feature a plan obeys, each one valid and with a feasible plan.

Feasible means: a plan exists in which every item is scheduled or left out for one of the verifiable reasons. Three
shapes are avoided, because in them limits and links wait for each other for ever:

- with a limit on projects in process, links lead only from an earlier project to a later one, and none crosses the
  border of a project that is in process already;
- a finish link (FF, SF) never binds an item in progress, which may hold a place under a person's limit;
- a pinned start stands on an item that nothing delays.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from throttle_models import Portfolio

# Mornings before clock changes (US 8 March and 1 November, EU 29 March and 25 October 2026), holidays and a plain week;
# two of them off the grid.
AS_OF = (
    "2026-03-06T08:00",
    "2026-03-27T08:07",
    "2026-10-22T08:00",
    "2026-10-30T10:10",
    "2026-11-23T08:00",
    "2026-12-21T08:00",
    "2026-06-08T00:00",
)
ZONES = ("America/Chicago", "Europe/Berlin", "UTC", "Asia/Kolkata", "America/Chicago")
SKILLS = ("linux", "oracle", "qa", "deploys")

Data = dict[str, Any]


@dataclass
class _Draft:
    """What is decided so far, in the form of a portfolio file."""

    rng: random.Random
    data: Data
    project_of: dict[str, str | None] = field(default_factory=dict)
    ancestors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    """Container to the activities in it, however deep."""

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability


def random_portfolio(seed: int, items: int | None = None, buffered: bool = False) -> Portfolio:
    """A valid portfolio of about ``items`` activities (default: 3 to 10); the same for the same arguments.

    ``buffered``: it may ask for buffers, and say what a plan in force has; the naive planner knows neither.
    """
    data = random_data(seed, items)
    if buffered:
        _buffers(_Draft(random.Random(seed + 1), data))
    return Portfolio.model_validate(data)


def portfolios(max_items: int = 10) -> st.SearchStrategy[Portfolio]:
    """Hypothesis strategy over :func:`random_portfolio`, buffered; shrinks towards few items."""
    return st.builds(random_portfolio, st.integers(0, 2**32 - 1), st.integers(1, max_items), st.just(True))


def random_data(seed: int, items: int | None = None) -> Data:
    """The same as plain data, as if read from a file."""
    rng = random.Random(seed)
    count = items if items is not None else rng.randint(3, 10)
    draft = _Draft(rng, {"throttle": 1, "as_of": rng.choice(AS_OF), "zone": rng.choice(ZONES)})
    draft.data["slot"] = rng.choice(("30m", "60m", "60m", "15m"))
    draft.data["currency"] = "USD"
    _calendars(draft)
    _people(draft, max(2, min(40, 2 + count // 3)))
    _places(draft)
    _projects(draft, rng.randint(0, 1 + min(6, count // 3)))
    _work(draft, count)
    _policy(draft)
    _links(draft)
    _pins(draft)
    _rules(draft)
    _capacity(draft)
    return draft.data


def _buffers(d: _Draft) -> None:
    rng, policy = d.rng, d.data["policy"]
    if d.chance(0.2):
        kinds = rng.sample(("project", "feeding", "drum"), rng.randint(1, 3))
        policy["buffers"] = {kind: rng.choice(("auto", "auto", "3h", "1d")) for kind in kinds}
    if d.chance(0.2):
        policy["stability"] = {"move": rng.choice(("50/day", "900/week"))}
        names = rng.sample(sorted(d.data["work"]), min(len(d.data["work"]), rng.randint(1, 4)))
        d.data["planned"] = {name: {"start": rng.choice(("1d", "30h", "9d", "-1d"))} for name in names}
    if d.chance(0.2):
        policy["fever"] = {"green": [0.0, 0.5], "red": [0.2, 0.6]}


def _calendars(d: _Draft) -> None:
    if d.chance(0.15):
        return  # Mon-Fri 09:00-17:00 for all
    choices: dict[str, Data] = {
        "office": {"hours": "Mon-Fri 09:00-12:00 13:00-17:00"},
        "berlin": {"hours": "Mon-Fri 08:00-16:30", "zone": "Europe/Berlin", "holidays": "DE-BY"},
        "pune": {"hours": "Mon-Fri 09:30-13:30 14:30-18:30", "zone": "Asia/Kolkata", "holidays": "IN"},
        "nights": {"hours": "Mon-Thu 22:00-06:00", "zone": "America/Chicago"},
        "always": {"hours": "daily 00:00-24:00"},
        "weekend": {"hours": "Sat,Sun 00:00-06:00 10:00-16:00"},
    }
    if d.chance(0.5):
        choices["office"] |= {"holidays": "US"}
    if d.chance(0.4):
        choices["office"] |= {"closed": ["2026-12-24/2027-01-02", "2026-11-24"], "open": ["2026-12-30"]}
    if d.chance(0.3):
        choices["office"] |= {"productive": "65%"}
    # those that hardly overlap with others are rare, or most crews would never meet
    usual, rare = ("berlin", "always"), ("pune", "nights", "weekend")
    names = ["office", *d.rng.sample(usual, d.rng.randint(0, 2)), *d.rng.sample(rare, d.rng.choice((0, 0, 0, 1, 2)))]
    d.data["calendars"] = {name: choices[name] for name in names}


def _people(d: _Draft, count: int) -> None:
    calendars = list(d.data.get("calendars", {}))
    d.data["skills"] = list(SKILLS)
    d.data["teams"] = {"ops": {"name": "Operations"}, "dev": {}}
    people: Data = {}
    for i in range(count):
        held = d.rng.sample(SKILLS, d.rng.randint(1, 3))
        person: Data = {"skills": {skill: d.rng.choice((1, 1, 2, 3)) for skill in held}}
        if calendars and d.chance(0.7):
            person["calendar"] = calendars[0] if d.chance(0.5) else d.rng.choice(calendars)
        if d.chance(0.3):
            person["team"] = d.rng.choice(("ops", "dev"))
        if d.chance(0.25):
            person["away"] = d.rng.sample(
                ["2026-11-25/2026-11-27", "2026-10-26", "2026-03-09/2026-03-10", "2026-12-22", "2026-06-09"], 2
            )
        if d.chance(0.2):
            person["productive"] = d.rng.choice(("65%", "50%", "80%"))
        if d.chance(0.2):
            person["wip"] = d.rng.randint(1, 2)
        people[f"p{i + 1}"] = person
    d.data["people"] = people


def _places(d: _Draft) -> None:
    calendars = list(d.data.get("calendars", {}))
    staging: Data = {"capacity": d.rng.randint(1, 2)}
    if calendars and d.chance(0.5):
        staging["calendar"] = d.rng.choice(calendars)
    places: Data = {"staging": staging, "hosts": {"capacity": 100}}
    if d.chance(0.1):
        places["gone"] = {"capacity": 0}
    d.data["environments"] = places
    d.data["services"] = {"payroll": {"tier": 1, "depends_on": ["san"]}, "san": {"tier": 1}, "intranet": {}}
    d.data["windows"] = {
        "saturday-night": {"every": "Sat 22:00-04:00"},
        "lunch": {"every": "Mon-Fri 12:00-14:00; Wed 16:00-18:00", "zone": d.rng.choice(ZONES)},
        "day": {"every": "daily 06:00-20:00"},
    }
    for window in d.data["windows"].values():
        if d.chance(0.25):
            window["changes"] = d.rng.randint(1, 2)
        if d.chance(0.2):
            window["risk"] = d.rng.randint(3, 8)
        if d.chance(0.1):
            window["closed"] = ["2026-11-28", "2026-12-01/2026-12-03"]
    if d.chance(0.4):
        d.data["boards"] = {"cab": {"every": "Thu 10:00-11:00"}, "board": {"every": "daily 23:00-01:00", "zone": "UTC"}}
    day = d.data["as_of"][:10]
    d.data["freezes"] = d.rng.sample(
        [
            {"from": "2026-11-25", "to": "2026-11-30", "services": ["payroll"], "why": "peak"},
            {"from": f"{day}T12:00", "to": "2d", "services": ["san", "intranet"]},
            {"from": day, "to": day},
            {"from": "2026-12-24", "to": "2027-01-03"},
        ],
        d.rng.randint(0, 2),
    )


def _costs(d: _Draft, entity: Data, due: bool) -> None:
    kinds = d.rng.sample(("cost_of_delay", "tardiness", "flow"), d.rng.choice((0, 1, 1, 2)))
    if due and d.chance(0.5):
        entity["due"] = d.rng.choice(("5d", "2w", "2026-12-18", "2026-11-20T17:00", "1d"))
    for kind in kinds:
        rate = f"{d.rng.choice((100, 2500, 8000))}/{d.rng.choice(('week', 'day'))}"
        if kind == "cost_of_delay":
            entity[kind] = rate
        elif kind == "flow" or "due" in entity:
            entity.setdefault("costs", {})[kind] = rate


def _projects(d: _Draft, count: int) -> None:
    d.data["projects"] = projects = {}
    for i in range(count):
        project: Data = {"title": f"Project {i + 1}"}
        _costs(d, project, due=True)
        if d.chance(0.15):
            project["makespan"] = "300/week"
        if d.chance(0.15):
            project["not_before"] = d.rng.choice(("1d", "4d"))
        if d.chance(0.2):
            project["in_process"] = d.chance(0.5)
        projects[f"proj-{i + 1}"] = project


def _work(d: _Draft, count: int) -> None:
    """Activities in order; containers hold runs of neighbours, so that links along the order close no cycle."""
    d.data["work"] = work = {}
    projects = sorted(d.data["projects"])
    runs = sorted(d.rng.choices([*projects, ""], k=count))
    open_containers: list[str] = []
    for i, run in enumerate(runs):
        project = run or None
        if i and project != d.project_of[f"W-{i}"]:
            open_containers.clear()
        while open_containers and d.chance(0.35):
            open_containers.pop()
        if d.chance(0.15) and len(open_containers) < 2:
            name = f"BOX-{i + 1}"
            box: Data = {"title": f"Box {i + 1}"}
            if open_containers:
                box["parent"] = open_containers[-1]
            elif project:
                box["project"] = project
            if d.chance(0.15):
                box["not_before"] = "2d"
            if d.chance(0.07):
                box["on_hold"] = "waiting for money"
            _costs(d, box, due=d.chance(0.3))
            work[name] = box
            d.ancestors[name] = tuple(open_containers)
            d.members[name] = []
            d.project_of[name] = project
            open_containers.append(name)
        name = f"W-{i + 1}"
        item = _activity(d, i)
        if open_containers:
            item["parent"] = open_containers[-1]
        elif project:
            item["project"] = project
        work[name] = item
        d.ancestors[name] = tuple(open_containers)
        d.project_of[name] = project
        for box_name in open_containers:
            d.members[box_name].append(name)


def _activity(d: _Draft, i: int) -> Data:
    rng = d.rng
    item: Data = {"title": f"Item {i + 1}", "type": rng.choice(("project", "internal", "unplanned"))}
    shape = rng.random()
    if shape < 0.08:
        pass  # a milestone
    elif shape < 0.2:
        item["wait"] = rng.choice(("1d", "5h", "90m", "36h"))
        if d.chance(0.3):
            item["environment"] = "staging"
    else:
        _needs(d, item)
        if d.chance(0.25):
            item["environment"] = rng.choice(({"staging": 1}, {"staging": 2}, {"hosts": 60}, ["staging", "hosts"]))
        if "gone" in d.data["environments"] and d.chance(0.2):
            item["environment"] = "gone"
        if shape > 0.75:
            _change(d, item)
        elif d.chance(0.12):
            item["pausable"] = False
    if d.chance(0.12):
        item["not_before"] = rng.choice(("2d", "1w", "26h", "2026-11-26", "2026-12-23T12:00"))
    if d.chance(0.25):
        _costs(d, item, due=True)
    if d.chance(0.1):
        item["wanted_start"] = rng.choice(("3d", "1w"))
        item.setdefault("costs", {})["earliness"] = "70/week"
    status = rng.random()
    if status < 0.07:
        item["status"] = "done" if d.chance(0.7) else "cancelled"
    elif status < 0.17 and "change" not in item:
        item["status"] = "in-progress"
    elif status < 0.2:
        item["status"] = "unknown"
    elif status < 0.23:
        item["on_hold"] = "not now"
    return item


def _needs(d: _Draft, item: Data) -> None:
    rng = d.rng
    people = sorted(d.data["people"])
    fixed = d.chance(0.15)
    if fixed:
        item["duration"] = rng.choice(("2h", "6h", "1d", "100m"))
    needs = []
    for _ in range(rng.choice((1, 1, 1, 2))):
        need: Data = {}
        if d.chance(0.25):
            need["who"] = rng.sample(people, rng.randint(1, min(2, len(people))))
        else:
            held = d.data["people"][rng.choice(people)]["skills"]
            need["skill"] = rng.choice(SKILLS) if d.chance(0.1) else rng.choice(sorted(held))
            need["level"] = rng.randint(1, held.get(need["skill"], 3))
        if not fixed or d.chance(0.3):
            need["effort"] = rng.choice(("1h", "4h", "8h", "2h/4h/9h", "50m", "16h"))
        if d.chance(0.15) and not fixed:
            need["remaining"] = rng.choice(("30m", "3h", "5h"))
        if d.chance(0.1):
            need["people"] = 2
        if d.chance(0.25):
            need["allocation"] = rng.choice(("50%", "25%", "60%"))
        needs.append(need)
    item["needs"] = needs


def _change(d: _Draft, item: Data) -> None:
    rng = d.rng
    item["type"] = "change"
    change: Data = {"kind": rng.choice(("standard", "normal", "emergency"))}
    change["services"] = rng.sample(("payroll", "san", "intranet"), rng.randint(0, 2))
    if d.chance(0.6):
        change["window"] = rng.choice(("saturday-night", "lunch", "day"))
        if d.chance(0.4):
            change["risk"] = rng.randint(0, 6)
        if d.chance(0.5):
            change["rollback"] = rng.choice(("30m", "1h", "45m"))
    if d.chance(0.4):
        board = rng.choice(sorted(d.data.get("boards", ["cab"])))
        change["approval"] = {"board": board, "lead": rng.choice(("1d", "3d", "6h")), "given": d.chance(0.3)}
    item["change"] = change


def _rules(d: _Draft) -> None:
    """Retest rules, and those who verify a change."""
    rng, work = d.rng, d.data["work"]
    changes = [item for item in work.values() if "change" in item]
    for item in changes:
        if d.chance(0.2) and item.get("needs"):
            item["verify"] = {"for": rng.choice(("1h", "30m", "45m"))}
            if d.chance(0.4):
                item["verify"]["by"] = rng.choice(SKILLS)
    if not changes or not d.chance(0.3):
        return
    rules = []
    for i in range(rng.randint(1, 2)):
        when: Data = rng.choice(
            ({}, {"services": ["payroll"]}, {"kind": ["normal", "standard"]}, {"tier": [1]}, {"risk_at_least": 3})
        )
        rules.append({"name": f"rule {i + 1}", "when": when, "require": [_step(d) for _ in range(rng.randint(1, 3))]})
    d.data["policy"]["rules"] = rules


def _step(d: _Draft) -> Data:
    rng = d.rng
    step: Data = {rng.choice(("before", "before", "after")): rng.choice(("Test", "Review", "Authorisation"))}
    shape = rng.random()
    if shape < 0.3:
        step["lead"] = rng.choice(("4h", "1d", "90m"))
    elif shape < 0.95:
        held = d.data["people"][rng.choice(sorted(d.data["people"]))]["skills"]
        skill = rng.choice(sorted(held))
        step["needs"] = [{"skill": skill, "level": rng.randint(1, held[skill]), "effort": rng.choice(("1h", "3h"))}]
    if d.chance(0.15):
        step["environment"] = "staging"
    return step


def _capacity(d: _Draft) -> None:
    """Rotas, reserves, improvement, work out of hours, lending, and debt."""
    rng, people = d.rng, d.data["people"]
    for person in people.values():
        if d.chance(0.12):
            person["reserve"] = rng.choice(("9h/week", "90m/week", "4h/week"))
        if d.chance(0.15):
            limit, rest = rng.choice(("2h/week", "6h/week", "90m/week")), rng.choice(("0", "8h", "11h"))
            person["out_of_hours"] = {"limit": limit, "rest": rest}
        if d.chance(0.06):
            person["lent_to"] = [{"team": rng.choice(("ops", "dev")), "share": "50%", "until": "2w"}]
    if d.chance(0.2):
        d.data["teams"]["ops"]["improvement"] = rng.choice(("20%", "10%", "50%"))
    if d.chance(0.15):
        turns = rng.sample(sorted(people), min(len(people), rng.randint(1, 3)))
        share = rng.choice(("100%", "50%")) if len(turns) > 1 else "30%"
        rota = {"people": turns, "first": "2026-03-02", "every": rng.choice(("7d", "1d")), "share": share}
        d.data["rotas"] = {"on-call": rota}
    if d.chance(0.15):
        by_day = {rng.choice(SKILLS): {"Mon": "2h", "Tue": "90m"}}
        d.data["policy"]["reserve"] = rng.choice(("learned", {"p1": "5h/week"}, by_day))
    for item in d.data["work"].values():
        if item.get("needs") and d.chance(0.04):
            item["interest"] = {rng.choice(SKILLS): rng.choice(("4h/week", "90m/week"))}


def _policy(d: _Draft) -> None:
    rng = d.rng
    policy: Data = {}
    d.data["policy"] = policy
    if d.chance(0.3) and d.data["projects"]:
        policy["projects_in_process"] = rng.randint(1, 2)
        for name, project in d.data["projects"].items():
            if any(d.project_of[n] == name and i.get("status") == "in-progress" for n, i in d.data["work"].items()):
                project.pop("in_process", None)  # begun work in a project that is not let in: they can block each other
    if d.chance(0.25):
        policy["conflict_hops"] = rng.randint(0, 2)
    if d.chance(0.2):
        policy["person_wip"] = rng.randint(1, 3)
    if d.chance(0.2):
        policy["wip"] = {rng.choice(("project", "internal", "change", "unplanned")): rng.randint(1, 2)}
    if d.chance(0.2):
        d.data["teams"]["ops"]["wip"] = rng.randint(1, 3)
    if d.chance(0.25):
        policy["rope"] = rng.choice(("4h", "8h", "20h"))
    if d.chance(0.2):
        policy["full_kit"] = True
    if ("rope" in policy or "full_kit" in policy) and d.chance(0.5):
        policy["drum"] = rng.choice((*SKILLS, *d.data["people"]))
    if d.chance(0.25):
        named = [*d.data["work"], *d.data["projects"]]
        limits = ["policy.projects_in_process", "policy.person_wip", "policy.rope", "teams.ops.wip", "people.p1.wip"]
        limits += [f"policy.wip.{kind}" for kind in policy.get("wip", ("change",))]
        policy["overrides"] = [
            {"item": rng.choice(named), "limit": rng.choice(limits), "reason": "the board says so"}
            for _ in range(rng.randint(1, 3))
        ]
    if d.chance(0.15):
        policy["makespan"] = "1000/week"
    if d.chance(0.4):
        policy["externals"] = "assume-done"
    if d.chance(0.15):  # nothing has a cost: each activity counts the same
        policy.pop("makespan", None)
        for entity in [*d.data["projects"].values(), *d.data["work"].values()]:
            for key in ("cost_of_delay", "costs", "makespan"):
                entity.pop(key, None)


def _in_process(d: _Draft, project: str) -> bool:
    said = d.data["projects"][project].get("in_process")
    begun = any(
        d.data["work"][name].get("status") in ("done", "in-progress")
        for name, its in d.project_of.items()
        if its == project
    )
    return bool(said) or begun


def _may_link(d: _Draft, before: str, after: str) -> bool:
    """Whether a link keeps a plan possible under the limit on projects."""
    p, q = d.project_of[before], d.project_of[after]
    if "projects_in_process" not in d.data["policy"] or p == q:
        return True
    if p is None or q is None:
        return False
    return not _in_process(d, p) and not _in_process(d, q)


def _links(d: _Draft) -> None:
    rng, work = d.rng, d.data["work"]
    d.data["external"] = {
        "EXT-1": {"status": "done"},
        "EXT-2": {"expected": "3d"},
        "EXT-3": {"status": "unknown"},
        "EXT-4": {"expected": "2026-12-22T10:00", "status": "open"},
    }
    position = {name: i for i, name in enumerate(work)}
    first = {n: min([position[n], *(position[m] for m in d.members.get(n, ()))]) for n in work}
    last = {n: max([position[n], *(position[m] for m in d.members.get(n, ()))]) for n in work}
    for name, item in work.items():
        earlier = [
            other
            for other in work
            if last[other] < first[name] and other not in d.ancestors[name] and _may_link(d, other, name)
        ]
        links: list[Any] = []
        wanted = rng.choice((0, 0, 0, 1, 1, 2))
        for other in rng.sample(earlier, min(len(earlier), wanted)):
            links.append(_link(d, other, name))
        if d.chance(0.08):
            links.append(_link(d, rng.choice(("EXT-1", "EXT-2", "EXT-3", "EXT-4")), name))
        if links:
            item["after"] = links


def _link(d: _Draft, other: str, name: str) -> Any:
    rng, work = d.rng, d.data["work"]
    if d.chance(0.4):
        return other
    bound = [name, *d.members.get(name, ())]
    begun = any(work[n].get("status") == "in-progress" for n in bound)
    link: Data = {"item": other, "type": "FS" if begun else rng.choice(("FS", "FS", "SS", "FF", "SF"))}
    if d.chance(0.6):
        link["lag"] = rng.choice(("1d", "-4h", "2h", "-1d", "90m", "0"))
    if d.chance(0.4):
        link["lag_in"] = rng.choice(("working", "elapsed"))
    return link


def _pins(d: _Draft) -> None:
    rng, data = d.rng, d.data
    work, pins = data["work"], []
    limited = "person_wip" in data["policy"] or any("wip" in p for p in data["people"].values())
    limited |= bool({"wip", "rope"} & set(data["policy"])) or "wip" in data["teams"]["ops"]
    begun = any(item.get("status") == "in-progress" for item in work.values())
    calm = [
        name
        for name, item in work.items()
        if item.get("needs")
        and not d.ancestors[name]
        and not {"after", "not_before", "change", "pausable", "on_hold", "status"} & set(item)
        and not data["projects"].get(d.project_of[name] or "", {}).get("not_before")
    ]
    free = [n for n in calm if "projects_in_process" not in data["policy"] or d.project_of[n] is None]
    if free and not (limited and begun) and d.chance(0.4):
        pins.append({"work": rng.choice(free), "start": rng.choice(("2d", "30h", "5d"))})
    people = data["people"]
    for name, item in work.items():
        needs = item.get("needs", ())
        if len(needs) == 1 and needs[0].get("people", 1) == 1 and "who" not in needs[0] and d.chance(0.15):
            need = needs[0]
            able = [p for p, person in people.items() if person["skills"].get(need["skill"], 0) >= need["level"]]
            if able and name not in {p["work"] for p in pins}:
                pins.append({"work": name, "who": rng.choice(able)})
    for name, item in work.items():
        window = item.get("change", {}).get("window")
        alone = not {"after", "status", "environment"} & set(item) and not d.ancestors[name]
        if window == "day" and alone and not limited and name not in {p["work"] for p in pins} and d.chance(0.3):
            pins.append({"work": name, "on": rng.choice(("3d", "1w")), **({"window": window} if d.chance(0.5) else {})})
    if pins:
        data["policy"]["pins"] = pins
