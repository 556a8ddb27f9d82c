"""Parts Unlimited as its trackers would export it, with the quirks that real exports have.

Jira holds all work but changes; the service desk (ServiceNow) holds the changes, and their links to Jira in two fields
of the site's own. What neither knows is in the team file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from parts_organisation import (
    AS_OF,
    EXTERNAL,
    LEAD_SKILLS,
    PROJECTS,
    SERVICES,
    ZONE,
    Dice,
    Fields,
    able,
    evening,
    plain,
    rounded,
    workdays,
)

from throttle_models import Need, Portfolio, Status, When, WorkItem

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
COMPONENTS = {
    "java": "Java",
    "web": "Web",
    "dotnet": ".NET",
    "cobol": "COBOL",
    "qa": "QA",
    "security": "Security",
    "linux": "Linux",
    "windows": "Windows",
    "oracle": "Oracle",
    "networking": "Network",
    "storage": "Storage",
    "deploys": "Release engineering",
    "monitoring": "Monitoring",
    "support": "Service desk",
}
LEVEL_WORDS = {1: "", 2: " (senior)", 3: " (lead)"}
REPORTERS = {
    "PHX": "Sarah Moulton",
    "KSK": "Sarah Moulton",
    "LOY": "Sarah Moulton",
    "SUP": "Chris Allers",
    "SOX": "John Pesche",
    "PAY": "Dick Landry",
}
"""Who writes the tickets; Patty McKee all others."""
PRIORITIES = {"PHX": "Highest", "SOX": "High", "PAY": "High", "STO": "Medium", "AUT": "Medium", "DSK": "Lowest"}
"""Of the tracker's projects; others are low."""
PRIORITY_COSTS = {
    "Highest": "7000/week",
    "High": "3000/week",
    "Medium": "1500/week",
    "Low": "600/week",
    "Lowest": "300/week",
}
"""Cost of delay of a ticket of its own, which stands for no project."""
RISKS = {2: "High", 3: "Moderate", 4: "Low"}
NOTES = (
    "Asked Brent; he will look at it",
    "The café till in Elkhart Grove shows it too",
    "Same as last quarter – see the runbook",
    "Señor Núñez confirmed; moved to the next sprint",
    'Steve: "When?"',
)


OVER = (Status.DONE, Status.CANCELLED)


@dataclass(frozen=True)
class Sources:
    """What all exports of one organisation share."""

    portfolio: Portfolio
    dice: Dice

    def account(self, who: str) -> str:
        """Jira Cloud's account id of a name."""
        digits = hashlib.md5(who.encode(), usedforsecurity=False).hexdigest()
        return f"712020:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def name(self, who: str) -> str:
        return self.portfolio.people[who].name

    def user(self, who: str) -> str:
        """How the service desk shows a person: the name and the user id."""
        given, _, family = plain(self.name(who)).partition(" ")
        return f"{self.name(who)} ({given[0]}{family.replace(' ', '')})"


def sys_id(text: str) -> str:
    """A record id of the service desk."""
    return hashlib.md5(f"parts-unlimited {text}".encode(), usedforsecurity=False).hexdigest()


def component(need: Need) -> str:
    return COMPONENTS[str(need.skill)] + LEVEL_WORDS[need.level]


def _moment_of(when: When) -> datetime:
    return datetime.fromisoformat(when.text)


def jira_date(moment: datetime) -> str:
    """``05/Nov/26 3:04 PM``."""
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.day:02d}/{MONTHS[moment.month - 1]}/{moment:%y} {hour}:{moment.minute:02d} {half}"


Cells = dict[str, list[str]]
"""Of one ticket: header to the values under it."""

# ruff: noqa: SIM905 - lists of headers read better unquoted
JIRA_HEADER = (
    "Summary, Issue key, Issue id, Issue Type, Status, Project key, Project name, Project type, Project lead, "
    "Project lead id, Project description, Project url, Priority, Resolution, Assignee, Assignee Id, Reporter, "
    "Reporter Id, Creator, Creator Id, Created, Updated, Last Viewed, Resolved, Affects versions, Fix versions, "
    "Components, Due date, Votes, Labels, Description, Environment, Watchers, Watchers Id, Log Work, Original "
    "estimate, Remaining Estimate, Time Spent, Work Ratio, Σ Original Estimate, Σ Remaining Estimate, Σ Time "
    "Spent, Security Level, Inward issue link (Blocks), Outward issue link (Blocks), Inward issue link (Gantt "
    "Start to Start), Outward issue link (Gantt Start to Start), Inward issue link (Relates), Outward issue link "
    "(Relates), Attachment, Custom field (Asset type), Custom field (Development), Custom field (Epic Color), "
    "Custom field (Epic Link), Custom field (Epic Name), Custom field (Flagged), Custom field (Issue link count), "
    "Custom field (Rank), Sprint, Custom field (Start date), Custom field (Story Points), Custom field (Story "
    "point estimate), Custom field (${field_Story_Points}), Custom field (Team), Comment, Parent, Parent key, "
    "Parent summary, Status Category, Status Category Changed"
).split(", ")
JIRA_WIDTHS = {"Custom field (Asset type)": 3, "Watchers": 2, "Watchers Id": 2}
"""Columns that are repeated even where they are blank; others as often as the fullest ticket needs."""


@dataclass
class Issue:
    """One row of the Jira export: an item, or one person's part of an item that takes several."""

    key: str
    title: str
    item: WorkItem
    needs: tuple[Need, ...]
    kind: str
    parent: str | None = None
    parts: tuple[str, ...] = ()
    original: float | None = None
    """Estimated hours; ``left`` and ``spent`` are hours as well."""
    left: float | None = None
    spent: float | None = None
    assignee: str | None = None


def is_milestone(ticket: str, portfolio: Portfolio) -> bool:
    """Work that nobody does and that contains none: people plan with it, but no tracker holds it."""
    item = portfolio.work[ticket]
    return not (item.needs or item.wait or any(other.parent == ticket for other in portfolio.work.values()))


def jira_issues(portfolio: Portfolio, dice: Dice) -> dict[str, Issue]:
    """All items but changes and milestones. One for several people is a story with a sub-task for each of them."""
    parents = {item.parent for item in portfolio.work.values()}
    numbers: Counter[str] = Counter(ticket.partition("-")[0] for ticket in portfolio.work)
    issues: dict[str, Issue] = {}
    for ticket, item in portfolio.work.items():
        if item.type == "change" or is_milestone(ticket, portfolio):
            continue
        if ticket in parents:
            kind = "Epic"
        elif item.type == "unplanned":
            kind = "Bug" if item.needs[0].skill in {"java", "dotnet", "cobol", "web"} else "Incident"
        elif item.type == "internal":
            kind = "Maintenance"
        else:
            kind = "Task" if item.needs and item.needs[0].skill in {"qa", "security", *LEAD_SKILLS} else "Story"
        whole = Issue(ticket, item.title, item, item.needs, kind, item.parent)
        issues[ticket] = whole
        if len(item.needs) < 2:
            _effort(whole, portfolio, dice)
            continue
        prefix = ticket.partition("-")[0]
        parts: list[str] = []
        for need in item.needs:
            numbers[prefix] += 1
            part = Issue(
                f"{prefix}-{numbers[prefix]}", f"{item.title}: {component(need)}", item, (need,), "Sub-task", ticket
            )
            _effort(part, portfolio, dice)
            issues[part.key] = part
            parts.append(part.key)
        issues[ticket] = replace(whole, needs=(), parts=tuple(parts))
    return issues


def _effort(issue: Issue, portfolio: Portfolio, dice: Dice) -> None:
    """Estimates and logged time; and who has the ticket: whoever alone can do it, else often nobody."""
    if not issue.needs:
        return
    need = issue.needs[0]
    those = able(portfolio, need)
    issue.assignee = those[0] if len(those) == 1 else dice.pick(those) if dice.chance(0.2) else None
    likely = need.effort.likely / timedelta(hours=1) if need.effort else 0.0
    if issue.item.status in OVER:
        issue.original, issue.left, issue.spent = rounded(likely / dice.within(0.7, 1.6, 0.1)) or 0.5, 0.0, likely
    elif need.remaining is not None:
        issue.left = need.remaining / timedelta(hours=1)
        issue.spent = rounded(issue.left * dice.within(0.4, 1.2, 0.2)) or 0.5
        issue.original = rounded((issue.left + issue.spent) * dice.within(0.7, 1, 0.1))
    else:
        issue.original = issue.left = likely


def jira_rows(portfolio: Portfolio, seed: int) -> list[Cells]:
    """The rows of an all-fields export of Jira Cloud, the newest ticket first."""
    dice = Dice(f"jira {seed}")
    source = Sources(portfolio, dice)
    issues = jira_issues(portfolio, dice)
    order = sorted(issues.values(), key=lambda i: (_created(i), int(i.key.rpartition("-")[2])))
    ids = {issue.key: str(20_301 + 7 * at) for at, issue in enumerate(order)}
    inward, outward = _jira_links(issues)
    rows = [_jira_row(issue, issues, ids, source) for issue in order]
    for issue, row in zip(order, rows, strict=True):
        for kind in ("Blocks", "Gantt Start to Start"):
            row[f"Inward issue link ({kind})"] = inward[kind].get(issue.key, [])
            row[f"Outward issue link ({kind})"] = outward[kind].get(issue.key, [])
        links = sum(len(values) for header, values in row.items() if "issue link (" in header)
        row["Custom field (Issue link count)"] = [str(links)]
    newest = next(row for row in reversed(rows) if row["Status Category"] == ["To Do"])
    newest["Updated"] = [jira_date(AS_OF - timedelta(minutes=2))]
    return rows[::-1]


def _created(issue: Issue) -> datetime:
    assert issue.item.created is not None
    return _moment_of(issue.item.created)


def _jira_links(issues: dict[str, Issue]) -> tuple[dict[str, dict[str, list[str]]], dict[str, dict[str, list[str]]]]:
    """By link type and ticket: what blocks it, and what it blocks.

    Changes are elsewhere; so are the vendors' tickets, but the tracker knows their keys.
    """
    inward: dict[str, dict[str, list[str]]] = {"Blocks": {}, "Gantt Start to Start": {}}
    outward: dict[str, dict[str, list[str]]] = {"Blocks": {}, "Gantt Start to Start": {}}
    for key, issue in issues.items():
        for link in issue.item.after if issue.kind != "Sub-task" else ():
            kind = "Gantt Start to Start" if link.type == "SS" else "Blocks"
            if link.item in issues or link.item in EXTERNAL:
                inward[kind].setdefault(key, []).append(link.item)
            if link.item in issues:
                outward[kind].setdefault(link.item, []).append(key)
    return inward, outward


def _jira_row(issue: Issue, issues: dict[str, Issue], ids: dict[str, str], source: Sources) -> Cells:
    item, dice = issue.item, source.dice
    prefix, _, number = issue.key.partition("-")
    facts = next((f for f in PROJECTS.values() if f.key == prefix), None)
    reporter = REPORTERS.get(prefix, "Patty McKee")
    status, category, changed = _jira_status(issue)
    created = _created(issue)
    updated = min(AS_OF - timedelta(minutes=20), max(changed, created + timedelta(days=dice.within(0, 25))))
    parts = [issues[part] for part in issue.parts]
    service = dice.pick(list(SERVICES))
    row: Cells = {
        "Summary": [issue.title],
        "Issue key": [issue.key],
        "Issue id": [ids[issue.key]],
        "Issue Type": [issue.kind],
        "Status": [status],
        "Project key": [prefix],
        "Project name": [facts.title if facts else "Operations"],
        "Project type": ["software" if facts else "service_desk"],
        "Project lead": ["Chris Allers" if facts and facts.features else "Wes Davis"],
        "Project lead id": [source.account("Chris Allers" if facts and facts.features else "Wes Davis")],
        "Priority": [_priority(item, prefix)],
        "Reporter": [reporter],
        "Reporter Id": [source.account(reporter)],
        "Creator": [reporter],
        "Creator Id": [source.account(reporter)],
        "Created": [jira_date(created)],
        "Updated": [jira_date(updated)],
        "Components": [component(need) for need in issue.needs],
        "Votes": ["0"],
        "Labels": [prefix.lower(), service] if dice.chance(0.4) else [],
        "Description": [
            f"{issue.title}.\r\n\r\nTouches: {service}; see the runbook, “chapter {dice.within(1, 9):g}”.\r\n"
        ],
        "Watchers": ["Bill Palmer"] if prefix in {"PHX", "SOX"} else [],
        "Watchers Id": [source.account("Bill Palmer")] if prefix in {"PHX", "SOX"} else [],
        "Custom field (Development)": ["{}"],
        "Custom field (Rank)": [f"0|i{int(number):05d}:"],
        "Status Category": [category],
        "Status Category Changed": [jira_date(changed)],
    }
    if issue.assignee:
        name = source.name(issue.assignee)
        row |= {"Assignee": [name], "Assignee Id": [source.account(name)]}
        row["Custom field (Team)"] = [source.portfolio.teams[str(source.portfolio.people[issue.assignee].team)].name]
    if item.finished:
        row |= {
            "Resolved": [jira_date(_moment_of(item.finished))],
            "Resolution": ["Done" if item.status == Status.DONE else "Won't Do"],
        }
    if issue.kind == "Epic":
        row |= {"Custom field (Epic Name)": [issue.title], "Custom field (Epic Color)": ["ghx-label-4"]}
    if issue.parent:
        row |= {
            "Parent": [ids[issue.parent]],
            "Parent key": [issue.parent],
            "Parent summary": [issues[issue.parent].title],
        }
        if issues[issue.parent].kind == "Epic":
            row["Custom field (Epic Link)"] = [issue.parent]
    if facts and facts.features and status != "To Do" and issue.kind != "Epic":
        row["Sprint"] = [f"{prefix} Sprint {n}" for n in (22, 23)][: 1 if category == "Done" else 2]
        row["Fix versions"] = [f"{facts.title} 1.0"]
    if item.on_hold or any(link.item in EXTERNAL for link in item.after):
        row["Custom field (Flagged)"] = ["Impediment"]
    if dice.chance(0.3):
        when = jira_date(created + timedelta(hours=3))
        row["Comment"] = [f"{when};{source.account(reporter)};{dice.pick(NOTES)};\r\nplease\nanswer here"]
    for column, own in (("Original estimate", "original"), ("Remaining Estimate", "left"), ("Time Spent", "spent")):
        mine = getattr(issue, own)
        known = [v for v in (mine, *(getattr(part, own) for part in parts)) if v is not None]
        row[column] = [_seconds(mine)] if mine is not None else []
        row["Σ " + column.replace("estimate", "Estimate")] = [_seconds(sum(known))] if known else []
    if issue.original:
        row["Work Ratio"] = [f"{round(100 * (issue.spent or 0) / issue.original)}%"]
    if issue.spent and issue.assignee:
        row["Log Work"] = list(_work_log(issue, source))
    return row


def _priority(item: WorkItem, prefix: str) -> str:
    if item.cost_of_delay is None:
        return PRIORITIES.get(prefix, "Low")
    known = ((float(rate.removesuffix("/week")), word) for word, rate in PRIORITY_COSTS.items())
    return min(known, key=lambda pair: abs(pair[0] - (item.cost_of_delay or 0)))[1]


def _seconds(hours: float) -> str:
    return str(round(hours * 3600))


def _work_log(issue: Issue, source: Sources) -> Iterable[str]:
    """``text;date;account;seconds``, up to six hours a day, which add up to the time spent."""
    assert issue.spent is not None
    assert issue.item.started is not None
    left, moment = issue.spent, _moment_of(issue.item.started)
    while left > 0:
        hours = min(left, 6.0)
        who = source.account(source.name(str(issue.assignee)))
        yield f"worked on it; {hours:g} h;{jira_date(moment)};{who};{_seconds(hours)}"
        left -= hours
        moment = workdays(moment, 6.5).replace(minute=moment.minute)


def _jira_status(issue: Issue) -> tuple[str, str, datetime]:
    """Status, its category, and when the category changed last."""
    item = issue.item
    if item.status in OVER:
        assert item.finished is not None
        return "Done" if item.status == Status.DONE else "Closed", "Done", _moment_of(item.finished)
    if item.status == Status.IN_PROGRESS:
        assert item.started is not None
        return "In Progress", "In Progress", _moment_of(item.started)
    if item.on_hold:
        return "On Hold", "To Do", _created(issue)
    if any(link.item in EXTERNAL for link in item.after):
        return "Waiting for vendor", "To Do", _created(issue)
    return ("To Do" if int(issue.key.rpartition("-")[2]) % 3 else "Selected for Development"), "To Do", _created(issue)


def jira_csv(portfolio: Portfolio, seed: int) -> bytes:
    """UTF-8 without a mark; records end in LF and lines within a cell in CRLF, as Jira writes them."""
    rows = jira_rows(portfolio, seed)
    widths = {h: max(JIRA_WIDTHS.get(h, 1), *(len(row.get(h, ())) for row in rows)) for h in JIRA_HEADER}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([h for h in JIRA_HEADER for _ in range(widths[h])])
    for row in rows:
        cells = ((row.get(h, []) + [""] * widths[h])[: widths[h]] for h in JIRA_HEADER)
        writer.writerow([cell for group in cells for cell in group])
    return text.getvalue().encode()


SITE_TYPES = {"normal": "Comprehensive", "standard": "Pre-approved", "emergency": "Emergency"}
"""The site's words for the three kinds of change."""
DISPLAY_STATES = {
    "-4": "Assess",
    "-3": "Authorize",
    "-2": "Scheduled",
    "-1": "Implement",
    "3": "Closed",
    "4": "Canceled",
}
GROUPS = {
    "linux": "Linux Engineering",
    "windows": "Windows Engineering",
    "oracle": "Database Administration",
    "networking": "Network Engineering",
    "storage": "Storage Engineering",
    "deploys": "Release Engineering",
}
CHANGE_FIELDS = (
    "number type state short_description priority risk impact category cmdb_ci assignment_group assigned_to "
    "requested_by start_date end_date work_start work_end opened_at sys_created_on sys_updated_on closed_at "
    "close_code approval cab_required cab_date on_hold on_hold_reason conflict_status u_waits_for u_blocks "
    "time_worked active sys_id"
).split()
_REFERENCES = {
    "cmdb_ci": "cmdb_ci",
    "assignment_group": "sys_user_group",
    "assigned_to": "sys_user",
    "requested_by": "sys_user",
}


def change_records(portfolio: Portfolio, seed: int) -> list[dict[str, Any]]:
    """The changes in raw values; dates as local moments, references by name, hours worked in seconds."""
    dice = Dice(f"changes {seed}")
    source = Sources(portfolio, dice)
    waiting: dict[str, list[str]] = {}
    for ticket, item in portfolio.work.items():
        for link in item.after:
            waiting.setdefault(link.item, []).append(ticket)
    records: list[dict[str, Any]] = []
    for ticket, item in portfolio.work.items():
        if item.change is None or item.created is None:
            continue
        done = item.status in OVER
        agreed = item.change.kind != "normal" or bool(item.change.approval and item.change.approval.given)
        hours = max(n.effort.likely for n in item.needs if n.effort)
        alone = next((found[0] for n in item.needs if len(found := able(portfolio, n)) == 1), None)
        names = [need.skill for need in item.needs]
        created = _moment_of(item.created)
        record: dict[str, Any] = dict.fromkeys(CHANGE_FIELDS, "")
        record |= {
            "number": ticket,
            "type": item.change.kind.value,
            "state": "4"
            if item.status == Status.CANCELLED
            else "3"
            if done
            else "-2"
            if agreed
            else dice.pick(["-4", "-3"]),
            "short_description": item.title.replace("'", "’") + " – Parts Unlimited",
            "priority": dice.pick("234"),
            "risk": "4" if (item.change.risk or 0) < 4 else "3" if (item.change.risk or 0) < 7 else "2",
            "impact": "3",
            "category": "Other",
            "cmdb_ci": item.change.services[0],
            "assignment_group": GROUPS[str(names[0])],
            "assigned_to": source.user(alone) if alone else "",
            "requested_by": "Patty McKee (pmckee)",
            "opened_at": created,
            "sys_created_on": created,
            "sys_updated_on": created + timedelta(hours=2),
            "approval": "approved" if agreed or done else "requested",
            "cab_required": "true" if item.change.kind == "normal" else "false",
            "on_hold": "false",
            "conflict_status": "Not Run",
            "u_waits_for": ", ".join(link.item for link in item.after if link.item not in EXTERNAL),
            "u_blocks": ", ".join(
                t
                for t in waiting.get(ticket, ())
                if portfolio.work[t].change is None and not is_milestone(t, portfolio)
            ),
            "active": "false" if done else "true",
            "sys_id": sys_id(ticket),
        }
        if done and item.started and item.finished:
            started, finished = _moment_of(item.started), _moment_of(item.finished)
            closed = finished + timedelta(days=1)
            record |= {"work_start": started, "work_end": finished, "closed_at": closed, "sys_updated_on": closed}
            record |= {"close_code": dice.pick(["Successful", "Successful", "Successful with issues"])}
            record |= {
                "start_date": started,
                "end_date": finished,
                "time_worked": str(int(hours / timedelta(seconds=1))),
            }
        elif dice.chance(0.75):
            # an earlier plan, which has slipped or will
            start = evening(datetime(2026, 11, 17) + timedelta(days=dice.within(0, 20)))
            record |= {"start_date": start, "end_date": start + hours}
        records.append(record)
    return records


def servicenow_csv(portfolio: Portfolio, seed: int) -> bytes:
    """A list export: field names as header, display values, every cell quoted, Windows-1252, dates month first."""
    zone_text = io.StringIO()
    writer = csv.writer(zone_text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    fields = [f for f in CHANGE_FIELDS if f != "sys_id"]
    writer.writerow(fields)
    priorities = {"2": "2 - High", "3": "3 - Moderate", "4": "4 - Low"}
    for record in change_records(portfolio, seed):
        shown = record | {
            "type": SITE_TYPES[record["type"]],
            "state": DISPLAY_STATES[record["state"]],
            "priority": priorities[record["priority"]],
            "risk": RISKS[int(record["risk"])],
            "impact": "3 - Low",
            "approval": record["approval"].capitalize(),
        }
        writer.writerow([f"{v:%m-%d-%Y %H:%M:%S}" if isinstance(v := shown[f], datetime) else v for f in fields])
    return zone_text.getvalue().encode("cp1252")


def servicenow_json(portfolio: Portfolio, seed: int) -> bytes:
    """The Table API's answer: raw values in text, UTC, references as link and id or ``""`` where there is none."""
    zone = ZoneInfo(ZONE)
    result: list[dict[str, Any]] = []
    for record in change_records(portfolio, seed):
        raw: dict[str, Any] = {}
        for name, value in record.items():
            if name in _REFERENCES and value:
                key = sys_id(value)
                link = f"https://partsunlimited.service-now.com/api/now/table/{_REFERENCES[name]}/{key}"
                raw[name] = {"link": link, "value": key}
            elif isinstance(value, datetime):
                raw[name] = f"{value.replace(tzinfo=zone).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
            elif name == "time_worked" and value:
                raw[name] = f"{datetime(1970, 1, 1) + timedelta(seconds=int(value)):%Y-%m-%d %H:%M:%S}"
            else:
                raw[name] = value
        result.append(raw)
    return (json.dumps({"result": result}, ensure_ascii=False, indent=1) + "\n").encode()


# --------------------------------------------------------------------------------------- what no export can say


def site_map() -> Fields:
    """The mapping file: what the fields and words of this site mean."""
    return {
        "throttle_map": 1,
        "columns": {"servicenow-change": {"u_waits_for": "waits_for", "u_blocks": "blocks"}},
    }


def team_file(portfolio: Portfolio) -> Fields:
    """The team file: people as the exports write them, calendars, policy, and the crews and windows of changes."""
    source = Sources(portfolio, Dice("unused"))
    said = portfolio.model_dump(mode="json", exclude_defaults=True)
    calendars: Fields = said["calendars"]
    people: Fields = {}
    for who, facts in said["people"].items():
        name = source.name(who)
        ids = [name, source.account(name), source.user(who), sys_id(source.user(who))]
        people[who] = facts | {"aliases": ids if facts["team"] == "operations" else ids[:2]}
    keys = {project: facts.key for project, facts in PROJECTS.items()}
    groups: dict[str, str] = {}
    for skill, group in GROUPS.items():
        groups |= {group: f"{skill}>=2", sys_id(group): f"{skill}>=2"}
    return {
        "throttle": 1,
        "as_of": said["as_of"],
        "zone": said["zone"],
        "currency": said["currency"],
        # hours that are productive throughout are said to be, since an import takes less where nothing is said
        "calendars": {
            name: facts | {"productive": facts.get("productive", "100%")} for name, facts in calendars.items()
        },
        "skills": said["skills"],
        "teams": said["teams"],
        "people": people,
        **{section: said[section] for section in ("environments", "services", "windows", "freezes")},
        "projects": {keys[project]: facts for project, facts in said["projects"].items()},
        "work": {
            ticket: told for ticket, item in said["work"].items() if (told := _told(ticket, item, portfolio, keys))
        },
        "external": said["external"],
        # the service desk's project in Jira counts as one more
        "policy": said["policy"] | {"projects_in_process": said["policy"]["projects_in_process"] + 1},
        "defaults": {
            "cost_of_delay": PRIORITY_COSTS,
            "skills": {
                "component": {
                    component(need): f"{need.skill}>={need.level}"
                    for item in portfolio.work.values()
                    if item.change is None
                    for need in item.needs
                },
                "group": groups,
            },
        },
    }


def _told(ticket: str, item: Fields, portfolio: Portfolio, keys: dict[str, str]) -> Fields:
    """What the team adds to one ticket."""
    if item.get("status") in OVER:
        return {}
    if "change" in item:
        # the cost is the project's; a priority would count it twice
        told: Fields = {"needs": item["needs"], "change": item["change"], "cost_of_delay": item.get("cost_of_delay")}
        if any(isinstance(link, dict) for link in item.get("after", ())):
            told["after"] = item["after"]
        return told | ({"project": keys[item["project"]]} if "project" in item else {})
    if is_milestone(ticket, portfolio):
        return item | ({"project": keys[item["project"]]} if "project" in item else {})
    more: Fields = {field: item[field] for field in ("environment", "wait", "on_hold") if field in item}
    return more
