"""Parts Unlimited as a portfolio: its people, services and work. ``generate.py`` writes it down."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal, TypeVar

from throttle_models import Estimate, Need, Portfolio

Bottleneck = Literal["brent", "qa", "staging"]
BOTTLENECKS: tuple[Bottleneck, ...] = ("brent", "qa", "staging")
AS_OF = datetime(2026, 11, 23, 8, 0)
ZONE = "America/Chicago"
FULL_SIZE = 5
"""The scale at which the organisation has its nearly 200 developers."""
LEAD_SKILLS = ("linux", "oracle", "networking", "storage", "deploys")
"""What only the lead engineer leads (level 3)."""

T = TypeVar("T")
Fields = dict[str, Any]


class Dice:
    """Draws from ``random.Random.random`` alone, the one method whose sequence Python guarantees for a seed."""

    def __init__(self, seed: str) -> None:
        self._next = Random(seed).random

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._next() * len(options))]

    def chance(self, share: float) -> bool:
        return self._next() < share

    def within(self, low: float, high: float, step: float = 1) -> float:
        """One of low, low + step, ... up to high."""
        return low + step * int(self._next() * (int((high - low) / step + 1e-9) + 1))


# ---------------------------------------------------------------------------------------------------------------- who

CALENDARS: dict[str, Fields] = {
    # a quarter of the day goes to meetings and questions
    "office": {"hours": "Mon-Fri 08:00-12:00 13:00-17:00", "holidays": "US", "productive": "75%"},
    # operations: six planned hours a day; late on the evenings of the maintenance window
    "ops": {"hours": "Mon,Wed,Fri 08:00-12:00 13:00-15:00; Tue,Thu 14:00-16:00 18:00-22:00", "holidays": "US"},
    "weekend": {"hours": "Tue-Fri 13:00-16:00 17:00-20:00; Sat 18:00-24:00", "holidays": "US"},
    "desk": {"hours": "Mon-Fri 07:00-11:00 12:00-16:00", "holidays": "US", "productive": "60%"},
    "pune": {
        "hours": "Mon-Fri 09:30-13:30 14:30-18:30",
        "zone": "Asia/Kolkata",
        "holidays": "IN",
        "productive": "75%",
    },
    "lab": {"hours": "Mon-Fri 08:00-12:00 13:00-17:00", "holidays": "US"},
}

SKILLS = {
    "java": "order management and the web shop",
    "web": "pages and apps",
    "dotnet": "stores and head office",
    "cobol": "payroll and the general ledger",
    "qa": "tests",
    "security": "reviews, evidence for auditors",
    "linux": "",
    "windows": "",
    "oracle": "databases",
    "networking": "",
    "storage": "",
    "deploys": "releases to production",
    "monitoring": "",
    "support": "service desk, work places",
}

TEAMS = {
    "phoenix-dev": "Development, Phoenix",
    "retail-dev": "Development, retail",
    "corporate-dev": "Development, head office",
    "pune-dev": "Development, Pune",
    "qa": "Quality assurance",
    "operations": "Distributed technology operations",
    "security": "Information security",
    "support": "IT service support",
}

NAMED: dict[str, Fields] = {
    "brent": {
        "name": "Brent Geller",
        "team": "operations",
        "calendar": "ops",
        "skills": {"linux": 3, "oracle": 3, "networking": 3, "storage": 3, "deploys": 3, "windows": 2, "monitoring": 2},
        "away": ["2026-12-24"],
        "wip": 5,
    },
    "wes": {
        "name": "Wes Davis",
        "team": "operations",
        "calendar": "ops",
        "skills": {"linux": 2, "deploys": 2},
        "productive": "50%",
    },
    "patty": {
        "name": "Patty McKee",
        "team": "support",
        "calendar": "desk",
        "skills": {"support": 3},
        "productive": "30%",
    },
    "john": {
        "name": "John Pesche",
        "team": "security",
        "calendar": "office",
        "skills": {"security": 3},
        "productive": "50%",
    },
}

# (team, calendar, skills) of each further person, once per unit of scale
POSTS: list[tuple[str, str, dict[str, int]]] = [
    *[("phoenix-dev", "office", s) for s in [{"java": 3, "web": 1}] * 3 + [{"java": 2, "web": 2}] * 5],
    *[("phoenix-dev", "office", s) for s in [{"java": 1, "web": 2}] * 4 + [{"java": 2}] * 4],
    *[("retail-dev", "office", s) for s in [{"dotnet": 3, "web": 2}] * 2 + [{"dotnet": 2, "web": 1}] * 5],
    *[("retail-dev", "office", s) for s in [{"web": 3, "java": 1}] * 2 + [{"dotnet": 1, "java": 2}] * 3],
    *[("corporate-dev", "office", s) for s in [{"cobol": 3}] + [{"cobol": 2, "dotnet": 2}] * 3 + [{"cobol": 1}] * 2],
    *[("pune-dev", "pune", s) for s in [{"java": 3, "web": 2}] + [{"java": 2, "web": 2}] * 3 + [{"web": 2}] * 2],
    *[("qa", "office", s) for s in [{"qa": 3}] + [{"qa": 2}] * 2 + [{"qa": 1}] * 3],
    ("operations", "ops", {"linux": 2, "deploys": 2, "monitoring": 2}),
    ("operations", "ops", {"windows": 2, "deploys": 2}),
    ("operations", "ops", {"oracle": 2, "linux": 1}),
    ("operations", "ops", {"networking": 2, "windows": 1}),
    ("operations", "weekend", {"storage": 2, "linux": 2}),
    ("operations", "weekend", {"oracle": 2, "storage": 1}),
    ("operations", "weekend", {"networking": 2, "linux": 2, "deploys": 2}),
    ("operations", "ops", {"linux": 2, "deploys": 2, "monitoring": 2}),
    ("operations", "ops", {"windows": 2, "storage": 2}),
    ("operations", "ops", {"networking": 2, "deploys": 1, "monitoring": 1}),
    ("security", "office", {"security": 2}),
    ("security", "office", {"security": 2, "networking": 1}),
    *[("support", "desk", s) for s in [{"support": 2, "windows": 1}] * 2 + [{"support": 1}] * 2],
]

# ruff: noqa: SIM905 - a list of words is easier to read unquoted
FIRST = (
    "Adele Boris Camille Dmitri Elena Farid Grace Hannah Ignacio Joyce Karl Leah Marcus Nadia Olivia Pablo Quincy Rosa "
    "Stefan Tess Umberto Valerie Warren Ximena Yusuf Zoë André Beatriz Chen Søren Émile Ingrid José Kateřina Łukasz "
    "Müge Núria Örjan Paweł Renée"
).split()
LAST = (
    "Abbott Baptiste Carver Delgado Eriksen Fontaine Goodwin Hartmann Ivers Jaeger Kowalski Lindqvist Mbeki Novak "
    "Okafor Pereira Quigley Rasmussen Sandoval Tran Underhill Vance Whitaker Xu Young Zimmer Åberg Brännström "
    "Müller Peña"
).split()
INDIAN_FIRST = (
    "Asha Vikram Meera Rohan Kavita Sanjay Divya Anil Priya Nikhil Sunita Arjun Lakshmi Rahul Neha Gaurav".split()
)
INDIAN_LAST = "Kulkarni Deshpande Joshi Patil Rao Iyer Bhat Chavan Gokhale Sharma Menon Naik Shetty Pillai".split()


def plain(text: str) -> str:
    """ASCII letters in lower case, for ids."""
    text = text.translate(str.maketrans("øØłŁ", "oOlL"))
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def make_people(scale: int, bottleneck: Bottleneck, dice: Dice) -> dict[str, Fields]:
    """The four people whom the talk names, and the others, with the time off that they have asked for."""
    people = {who: dict(facts) for who, facts in NAMED.items()}
    taken = {facts["name"] for facts in people.values()}
    posts = [post for _ in range(scale) for post in POSTS]
    if bottleneck == "qa":  # half of the testers have left
        spare = Counter({"qa": 3 * scale})
        posts = [p for p in posts if p[0] != "qa" or not spare["qa"] or spare.subtract(["qa"])]
    if bottleneck != "brent":  # two others have learned what Brent knows
        people["wes"]["skills"] = dict.fromkeys(LEAD_SKILLS, 3)
        people["wes"]["productive"] = "100%"
    for team, calendar, skills in posts:
        first, last = (INDIAN_FIRST, INDIAN_LAST) if team == "pune-dev" else (FIRST, LAST)
        while (name := f"{dice.pick(first)} {dice.pick(last)}") in taken or beyond_cp1252(name, team):
            pass
        taken.add(name)
        given, family = plain(name).split(" ", 1)
        who = given if given not in people else f"{given}-{family}"
        people[who] = {"name": name, "team": team, "calendar": calendar, "skills": dict(skills)}
        if dice.chance(0.25):
            people[who]["away"] = [_time_off(dice)]
    if bottleneck != "brent":
        second = next(w for w, p in people.items() if w not in NAMED and p["calendar"] == "ops")
        people[second]["skills"] |= dict.fromkeys(LEAD_SKILLS, 3)
    return people


def beyond_cp1252(name: str, team: str) -> bool:
    """Operations are in the change export, which an old code page limits to western letters."""
    if team != "operations":
        return False
    try:
        name.encode("cp1252")
    except UnicodeEncodeError:
        return True
    return False


def _time_off(dice: Dice) -> str:
    first = datetime(2026, 11, 27) + timedelta(days=7 * dice.within(0, 7) + dice.pick([0, 3, 4]))
    last = first + timedelta(days=dice.pick([0, 0, 1, 4]))
    return f"{first:%Y-%m-%d}" if first == last else f"{first:%Y-%m-%d}/{last:%Y-%m-%d}"


# --------------------------------------------------------------------------------------------------------------- what

SERVICES: dict[str, Fields] = {
    "order-management": {
        "title": "Order management",
        "tier": 1,
        "depends_on": ["oracle-cluster", "inventory", "network"],
    },
    "web-shop": {"title": "Web shop", "tier": 1, "depends_on": ["order-management", "card-payment", "network"]},
    "point-of-sale": {
        "title": "Point of sale",
        "tier": 1,
        "depends_on": ["store-network", "card-payment", "inventory"],
    },
    "card-payment": {"title": "Card payment", "tier": 1, "depends_on": ["network"]},
    "inventory": {"title": "Inventory", "tier": 1, "depends_on": ["oracle-cluster"]},
    "payroll": {"title": "Payroll", "tier": 1, "depends_on": ["timekeeping", "general-ledger", "san"]},
    "timekeeping": {"title": "Factory timekeeping", "tier": 2, "depends_on": ["san", "network"]},
    "general-ledger": {"title": "General ledger", "tier": 1, "depends_on": ["mainframe"]},
    "mainframe": {"title": "Mainframe", "tier": 1, "depends_on": ["san"]},
    "oracle-cluster": {"title": "Oracle cluster", "tier": 1, "depends_on": ["san", "linux-hosts"]},
    "linux-hosts": {"title": "Linux hosts", "tier": 2, "depends_on": ["san", "network"]},
    "windows-hosts": {"title": "Windows hosts", "tier": 2, "depends_on": ["san", "network"]},
    "san": {"title": "Storage area network", "tier": 1},
    "network": {"title": "Core network", "tier": 1},
    "store-network": {"title": "Store network", "tier": 2, "depends_on": ["network"]},
    "directory": {"title": "Directory and sign-on", "tier": 1, "depends_on": ["windows-hosts"]},
    "mail": {"title": "Mail", "tier": 3, "depends_on": ["directory", "windows-hosts"]},
    "data-warehouse": {"title": "Data warehouse", "tier": 3, "depends_on": ["oracle-cluster"]},
}

WINDOWS = {"maintenance": {"every": "Tue,Thu 18:00-22:00"}, "saturday": {"every": "Sat 18:00-24:00"}}

FREEZES = [
    {
        "from": "2026-11-25",
        "to": "2026-11-30",
        "services": ["point-of-sale", "web-shop", "card-payment", "order-management"],
        "why": "Thanksgiving trading",
    },
    {"from": "2026-12-28", "to": "2027-01-03", "services": ["payroll", "general-ledger"], "why": "Closing of the year"},
]


@dataclass(frozen=True)
class ProjectFacts:
    key: str
    """Prefix of its tickets."""
    title: str
    cost_of_delay: int
    """Currency per week."""
    due: str | None = None
    features: tuple[tuple[str, str, str, str], ...] = ()
    """(title, skill of its developers, service, skill that its environment takes)"""
    type: str = "project"


PROJECTS: dict[str, ProjectFacts] = {
    "phoenix": ProjectFacts(
        "PHX",
        "Phoenix",
        120_000,
        "2026-12-11",
        (
            ("Order capture in the stores", "java", "point-of-sale", "deploys"),
            ("Order capture on the web", "web", "web-shop", "linux"),
            ("Inventory look-up", "java", "inventory", "oracle"),
            ("Prices in real time", "java", "order-management", "oracle"),
            ("Customer profile", "web", "web-shop", "linux"),
            ("Card payment", "java", "card-payment", "networking"),
            ("Promotions", "java", "order-management", "deploys"),
            ("Delivery tracking", "web", "order-management", "networking"),
            ("Returns", "dotnet", "point-of-sale", "deploys"),
            ("Store reports", "java", "data-warehouse", "oracle"),
        ),
    ),
    "kiosk": ProjectFacts(
        "KSK",
        "Parts finder in the stores",
        16_000,
        "2027-01-22",
        (
            ("Search by vehicle", "web", "point-of-sale", "oracle"),
            ("Search by picture", "java", "point-of-sale", "linux"),
            ("Stock of the nearest store", "dotnet", "inventory", "networking"),
            ("Reserve at the counter", "dotnet", "point-of-sale", "deploys"),
            ("Device management", "dotnet", "store-network", "networking"),
        ),
    ),
    "loyalty": ProjectFacts(
        "LOY",
        "Loyalty card",
        12_000,
        "2027-02-05",
        (
            ("Enrolment", "web", "web-shop", "linux"),
            ("Points account", "java", "order-management", "oracle"),
            ("Vouchers at the till", "dotnet", "point-of-sale", "deploys"),
            ("Mailings", "web", "data-warehouse", "storage"),
        ),
    ),
    "supplier": ProjectFacts(
        "SUP",
        "Supplier portal",
        7_000,
        None,
        (
            ("Sign-on for suppliers", "web", "directory", "linux"),
            ("Catalogue upload", "java", "inventory", "storage"),
            ("Order confirmations", "java", "order-management", "networking"),
            ("Invoices", "cobol", "general-ledger", "oracle"),
        ),
    ),
    "sox-404": ProjectFacts("SOX", "Audit findings (SOX-404)", 40_000, "2026-12-31", type="internal"),
    "payroll": ProjectFacts(
        "PAY",
        "A payroll that runs every time",
        30_000,
        "2026-12-18",
        (
            ("Check of the timekeeping feed", "cobol", "timekeeping", "storage"),
            ("Restart after a failed run", "cobol", "payroll", "storage"),
            ("Tokenised social security numbers", "dotnet", "payroll", "oracle"),
            ("Reconciliation with the ledger", "cobol", "general-ledger", "oracle"),
        ),
        type="internal",
    ),
    "storage": ProjectFacts("STO", "Storage refresh", 5_000, type="internal"),
    "automation": ProjectFacts("AUT", "One-click environments", 6_000, type="internal"),
    "monitoring": ProjectFacts("MON", "Monitoring of the production configuration", 3_500, type="internal"),
    "workplace": ProjectFacts("DSK", "Work place renewal", 2_000, type="internal"),
}

# (finding, skill, level, likely hours, service, whether it ends in a change)
FINDINGS: tuple[tuple[str, str, int, float, str, bool], ...] = (
    ("Shared root password on the order hosts", "linux", 3, 5, "linux-hosts", True),
    ("Developers with access to production databases", "oracle", 3, 4, "oracle-cluster", True),
    ("No record of emergency changes", "deploys", 3, 4, "order-management", False),
    ("Firewall rules without an owner", "networking", 3, 5, "network", True),
    ("Backups of the ledger never restored", "storage", 3, 5, "san", False),
    ("Leavers keep their accounts", "windows", 2, 6, "directory", False),
    ("Ledger jobs run under a personal account", "oracle", 3, 4, "general-ledger", False),
    ("Log files can be altered", "linux", 3, 4, "linux-hosts", False),
    ("Releases without a second signature", "deploys", 3, 3, "web-shop", False),
    ("Remote access without a token", "networking", 3, 5, "network", True),
    ("Card data in test copies", "oracle", 3, 5, "card-payment", False),
    ("Store servers out of patch level", "windows", 2, 8, "store-network", False),
)

# (title, needs as (skill, level, hours), positions of the tasks it waits for, change as (service, window) or None)
Task = tuple[str, tuple[tuple[str, int, float], ...], tuple[int, ...], tuple[str, str] | None]
TASKS: dict[str, tuple[Task, ...]] = {
    "storage": (
        ("Plan of the new storage layout", (("storage", 3, 4),), (), None),
        ("Rack and cable the new shelves", (("storage", 2, 6),), (0,), None),
        ("Zoning of the fabric", (("storage", 3, 4), ("networking", 2, 4)), (0,), None),
        ("Attach the new shelves", (("storage", 3, 2), ("linux", 2, 2)), (1, 2), ("san", "maintenance")),
        ("Move the order database", (("oracle", 3, 3), ("storage", 2, 3)), (3,), ("oracle-cluster", "maintenance")),
        ("Move the mainframe volumes", (("storage", 2, 4),), (3,), ("mainframe", "saturday")),
        ("Move the file shares", (("windows", 2, 10),), (3,), None),
        ("Snapshots and retention", (("storage", 3, 4),), (4, 5), None),
        ("Test of a full restore", (("storage", 3, 4), ("oracle", 2, 4)), (7,), None),
        ("Retire the old arrays", (("storage", 2, 2), ("linux", 1, 2)), (8,), ("san", "saturday")),
    ),
    "automation": (
        ("List of what each environment is made of", (("deploys", 3, 3),), (), None),
        ("Golden image for Linux hosts", (("linux", 3, 4),), (0,), None),
        ("Golden image for Windows hosts", (("windows", 2, 12),), (0,), None),
        ("Database copies without personal data", (("oracle", 3, 4),), (0,), None),
        ("Network segments on request", (("networking", 3, 4),), (0,), None),
        ("Packages built by development", (("java", 2, 30),), (0,), None),
        ("One command for a test environment", (("deploys", 2, 16), ("linux", 2, 16)), (1, 2, 3, 4), None),
        ("One command for staging", (("deploys", 3, 5),), (5, 6), None),
        ("Rehearsal with the order system", (("deploys", 3, 4), ("linux", 2, 4)), (7,), None),
        ("Guide for developers", (("deploys", 2, 8),), (8,), None),
    ),
    "monitoring": (
        ("Inventory of the monitored hosts", (("monitoring", 2, 8),), (), None),
        ("Baseline of the Linux configuration", (("linux", 3, 3),), (0,), None),
        ("Baseline of the network configuration", (("networking", 3, 3),), (0,), None),
        ("Agents on the Windows hosts", (("windows", 2, 8),), (0,), None),
        ("Alarms on unapproved changes", (("monitoring", 2, 10),), (1, 2), None),
        ("Thresholds for the order database", (("oracle", 3, 3),), (0,), None),
        ("Collector in the stores", (("networking", 2, 2), ("linux", 1, 2)), (4,), ("store-network", "maintenance")),
        ("Weekly report for the change board", (("monitoring", 2, 12),), (4, 5), None),
    ),
    "workplace": (
        ("Survey of the work places", (("support", 1, 16),), (), None),
        ("Image for the new computers", (("windows", 2, 12),), (0,), None),
        ("Roll-out at head office", (("support", 1, 40),), (1,), None),
        ("Roll-out in the plants", (("support", 2, 40),), (2,), None),
        ("Sign-on with the new directory", (("linux", 3, 3), ("windows", 2, 3)), (1,), ("directory", "maintenance")),
        ("Badge printers", (("support", 1, 12),), (), None),
        ("Retire the old badge server", (("windows", 2, 4),), (5,), None),
        ("Mail under the new domain", (("windows", 2, 10), ("networking", 3, 2)), (), None),
    ),
}

# Changes of everyday operations: (title, kind, service, window, needs)
ROUTINE: tuple[tuple[str, str, str, str | None, tuple[tuple[str, int, float], ...]], ...] = (
    (
        "Quarterly patch of the Oracle cluster",
        "normal",
        "oracle-cluster",
        "saturday",
        (("oracle", 2, 3), ("linux", 2, 3)),
    ),
    ("November patches for Windows hosts", "standard", "windows-hosts", "maintenance", (("windows", 2, 2.5),)),
    ("November patches for Linux hosts", "standard", "linux-hosts", "maintenance", (("linux", 2, 2.5),)),
    ("Firmware of the storage controllers", "normal", "san", "saturday", (("storage", 2, 3), ("linux", 2, 3))),
    ("Second uplink for the core network", "normal", "network", "maintenance", (("networking", 3, 2),)),
    ("New certificates for card payment", "normal", "card-payment", "maintenance", (("networking", 3, 1),)),
    ("Larger mail quota", "standard", "mail", None, (("windows", 1, 1),)),
    ("Registers' time servers", "standard", "point-of-sale", "maintenance", (("networking", 2, 1.5),)),
)

# Unplanned work: (title, skill, level, hours, cost of delay a week)
INCIDENTS: tuple[tuple[str, str, int, float, int], ...] = (
    ("Payroll run rejected 214 time cards", "oracle", 3, 3, 9_000),
    ("Registers of twelve stores off line", "networking", 3, 2, 8_000),
    ("Order queue grows overnight", "deploys", 3, 2, 6_000),
    ("Backup of the ledger did not finish", "storage", 3, 2, 3_000),
    ("Web shop slow after the last release", "linux", 3, 3, 7_000),
    ("Replication to the warehouse stopped", "oracle", 3, 1.5, 2_000),
    ("Certificate warning at head office", "networking", 3, 1, 900),
    ("Disk failures in the old array", "storage", 3, 2, 2_500),
    ("Deployment left two hosts behind", "deploys", 3, 1.5, 2_000),
    ("Clock drift on the order hosts", "linux", 3, 1, 700),
    ("Sign-on refuses new employees", "windows", 2, 3, 1_500),
    ("Prices wrong in one region", "java", 2, 6, 5_000),
    ("Receipt printers print twice", "dotnet", 2, 8, 1_200),
    ("Store reports empty on Mondays", "java", 1, 6, 800),
    ("Phishing mail in accounting", "security", 2, 3, 2_500),
    ("Lost laptop of a buyer", "support", 1, 2, 600),
    ("Shared printer of the plant office", "support", 1, 2, 300),
    ("Access of the auditors expired", "security", 2, 1.5, 1_500),
    ("Month-end job ran out of space", "storage", 3, 1.5, 3_500),
    ("Wrong tax on gift cards", "cobol", 2, 8, 1_800),
)

# Finished work: (tickets' prefix, type, skill, level, how many, likely hours)
HISTORY: tuple[tuple[str, str, str, int, int, float], ...] = (
    ("PHX", "project", "java", 1, 5, 30),
    ("PHX", "project", "web", 1, 3, 24),
    ("PHX", "project", "qa", 1, 3, 10),
    ("PHX", "project", "deploys", 3, 2, 3),
    ("PHX", "project", "oracle", 3, 1, 4),
    ("KSK", "project", "web", 1, 1, 30),
    ("KSK", "project", "dotnet", 1, 1, 36),
    ("KSK", "project", "qa", 1, 1, 9),
    ("SOX", "internal", "security", 2, 2, 5),
    ("SOX", "internal", "linux", 3, 1, 3),
    ("SOX", "internal", "oracle", 3, 1, 4),
    ("SOX", "internal", "windows", 2, 1, 8),
    ("PAY", "internal", "cobol", 1, 3, 28),
    ("PAY", "internal", "qa", 1, 1, 12),
    ("PAY", "internal", "dotnet", 1, 1, 20),
    ("PAY", "internal", "storage", 3, 1, 3),
    ("STO", "internal", "storage", 3, 2, 4),
    ("MON", "internal", "monitoring", 2, 1, 8),
    ("DSK", "internal", "support", 1, 2, 14),
    ("OPS", "unplanned", "oracle", 3, 2, 2),
    ("OPS", "unplanned", "networking", 3, 2, 2),
    ("OPS", "unplanned", "linux", 3, 2, 2),
    ("OPS", "unplanned", "storage", 3, 1, 2),
    ("OPS", "unplanned", "windows", 2, 2, 3),
    ("OPS", "unplanned", "java", 2, 3, 6),
    ("OPS", "unplanned", "support", 1, 3, 2),
    ("OPS", "unplanned", "security", 2, 1, 3),
    ("CHG", "change", "deploys", 3, 3, 1.5),
    ("CHG", "change", "linux", 2, 2, 2),
    ("CHG", "change", "oracle", 2, 2, 2.5),
    ("CHG", "change", "networking", 3, 2, 1.5),
    ("CHG", "change", "windows", 2, 1, 2),
)
# Where work stands on the first day, by title
DELICATE = {"card-payment", "web-shop", "payroll", "directory"}
"""Services whose features are reviewed by security."""
DESIGNED = (
    "order capture in the stores",
    "order capture on the web",
    "inventory look-up",
    "prices in real time",
    "customer profile",
    "search by vehicle",
    "check of the timekeeping feed",
    "restart after a failed run",
)
BEGUN: dict[str, float] = {
    "Develop order capture in the stores": 0.3,
    "Environment and deployment of order capture in the stores": 0.5,
    "Develop order capture on the web": 0.5,
    "Develop inventory look-up": 0.6,
    "Develop prices in real time": 0.8,
    "Develop search by vehicle": 0.7,
    "Develop check of the timekeeping feed": 0.4,
    "Develop restart after a failed run": 0.8,
    "Remedy: Shared root password on the order hosts": 0.5,
    "Remedy: Store servers out of patch level": 0.6,
    "Rack and cable the new shelves": 0.7,
    "Survey of the work places": 0.4,
    "Prices wrong in one region": 0.6,
    "Phishing mail in accounting": 0.5,
    "Shared printer of the plant office": 0.5,
}
"""Title to the share of the work that is left."""
EXTERNAL: dict[str, Fields] = {
    "VEND-3307": {"title": "Delivery of the second shelf", "status": "open", "expected": "2026-12-01"},
    "VEND-3312": {"title": "Badge printers that work with the new directory", "status": "unknown"},
}
AWAITED = {"Zoning of the fabric": "VEND-3307", "Badge printers": "VEND-3312"}

PAST = {
    "java": "Develop",
    "web": "Pages for",
    "dotnet": "Develop",
    "cobol": "Rewrite a step of",
    "qa": "Test",
    "security": "Review",
    "linux": "Hosts for",
    "windows": "Servers for",
    "oracle": "Database of",
    "networking": "Routes for",
    "storage": "Volumes for",
    "deploys": "Release of",
    "monitoring": "Alarms for",
    "support": "Questions about",
}


class Backlog:
    """The work under construction, in the form of a portfolio file."""

    def __init__(self, scale: int, bottleneck: Bottleneck, people: dict[str, Fields], dice: Dice) -> None:
        self.scale, self.bottleneck, self.people, self.dice = scale, bottleneck, people, dice
        self.work: dict[str, Fields] = {}
        self.past: set[str] = set()
        self._begun: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()

    def add(self, prefix: str, title: str, **fields: Any) -> str:
        self._numbers[prefix] += 1
        number = self._numbers[prefix]
        ticket = f"CHG{30_100 + number:07d}" if prefix == "CHG" else f"{prefix}-{number}"
        if fields.get("type") == "project":
            del fields["type"]
        self.work[ticket] = {"title": title, **{k: v for k, v in fields.items() if v not in (None, [], {})}}
        return ticket

    def need(self, skill: str, level: int, hours: float, spread: bool = True) -> Fields:
        """A need, mostly estimated in three points where ``spread``.

        Level 3 of a lead skill is the lead engineer, who has the less time for each item the more work there is.
        """
        if is_lead(skill, level):
            hours = max(0.5, rounded(hours / self.scale))
        if skill == "qa" and self.bottleneck == "qa":
            hours *= 2.5  # tested by hand
        low, high = rounded(0.7 * hours), rounded(hours * self.dice.within(1.4, 2.2, 0.2))
        effort = _hours(hours)
        if spread and hours >= 2 and self.dice.chance(0.6):
            effort = f"{_hours(low)}/{effort}/{_hours(high)}"
        return {"skill": skill, **({"level": level} if level > 1 else {}), "effort": effort}

    def begin(self, ticket: str, left: float, who: str | None = None) -> None:
        """Marks an item as in progress, with a share of it left, in the hands of those who have begun the least."""
        self.work[ticket]["status"] = "in-progress"
        for need in self.work[ticket]["needs"]:
            chosen = who or min(self.holders(need), key=lambda w: self._begun[w])
            self._begun[chosen] += 1
            need["remaining"] = _hours(max(0.5, rounded(left * _likely(need.pop("effort")))))
            need["who"] = [chosen]

    def finish(self, ticket: str) -> None:
        """Marks an item as done; its effort is what was logged."""
        self.work[ticket]["status"] = "done"
        for need in self.work[ticket]["needs"]:
            logged = _likely(need["effort"]) * self.dice.within(0.7, 1.9, 0.1)
            need |= {"effort": _hours(max(0.5, rounded(logged))), "who": [self.dice.pick(self.holders(need))]}

    def holders(self, need: Fields) -> list[str]:
        """Who would be asked: those at the level, and not someone of the talk while there is anybody else."""
        able = [w for w, p in self.people.items() if p["skills"].get(need["skill"], 0) >= need.get("level", 1)]
        return [w for w in able if w not in NAMED] or able


def is_lead(skill: str, level: int) -> bool:
    """Whether only the lead engineer can do it (in the organisation as it is by default)."""
    return skill in LEAD_SKILLS and level == 3


def rounded(hours: float) -> float:
    """To half hours, from four hours on to whole ones."""
    return float(int(hours + 0.5)) if hours >= 4 else int(2 * hours + 0.5) / 2


def _hours(hours: float) -> str:
    return f"{hours:g}h"


def _likely(effort: str) -> float:
    return Estimate.model_validate(effort).likely / timedelta(hours=1)


def make_work(scale: int, bottleneck: Bottleneck, people: dict[str, Fields], dice: Dice) -> dict[str, Fields]:
    """Finished work first, then the open work of each project, of everyday operations and of the incidents."""
    log = Backlog(scale, bottleneck, people, dice)
    _history(log)
    for wave in range(scale):
        suffix = f" ({wave + 1})" if wave else ""
        for project, facts in PROJECTS.items():
            if facts.features:
                _features(log, project, facts, suffix)
        _findings(log, suffix)
        for project, tasks in TASKS.items():
            _tasks(log, project, tasks, suffix)
        _routine(log, suffix)
        _incidents(log, suffix)
    _begin_and_hold(log)
    _date(log)
    return log.work


def _history(log: Backlog) -> None:
    for prefix, kind, skill, level, count, hours in HISTORY:
        for _ in range(count * log.scale):
            service = log.dice.pick(list(SERVICES))
            need = log.need(skill, level, log.dice.within(max(1, hours * 0.5), hours * 1.5, 0.5), spread=False)
            change = {"kind": log.dice.pick(["standard", "normal"]), "services": [service]} if prefix == "CHG" else None
            title = f"{PAST[skill]} {SERVICES[service]['title'].lower()}"
            project = next((p for p, f in PROJECTS.items() if f.key == prefix), None)
            ticket = log.add(prefix, title, type=kind, project=project, needs=[need], change=change)
            log.past.add(ticket)
            log.finish(ticket)
            if log.dice.chance(0.05):
                log.work[ticket]["status"] = "cancelled"


def _features(log: Backlog, project: str, facts: ProjectFacts, suffix: str) -> None:
    """Each feature is designed, developed and given an environment, reviewed where it is delicate, and tested; one
    change releases two features."""
    dice = log.dice
    epics: list[str] = []
    for i, (title, skill, service, lead) in enumerate(facts.features):
        thing = f"{title[0].lower()}{title[1:]}{suffix}"
        epics.append(log.add(facts.key, title + suffix, type=facts.type, project=project))
        common: Fields = {"type": facts.type, "parent": epics[-1]}
        needs = [log.need(skill, 2, dice.within(4, 8), spread=False), log.need(lead, 3, 2.5)]
        design = log.add(facts.key, f"Design {thing}", needs=needs, **common)
        hours = dice.within(12, 24, 4) * (1 if project == "phoenix" else 1.5)
        build = log.add(facts.key, f"Develop {thing}", needs=[log.need(skill, 1, hours)], after=[design], **common)
        setup = log.add(
            facts.key,
            f"Environment and deployment of {thing}",
            needs=[log.need(lead, 3, dice.within(3, 5, 0.5))],
            after=[design],
            environment="pre-production",
            **common,
        )
        if service in DELICATE:
            needs = [log.need("security", 2, dice.within(3, 6))]
            log.add(facts.key, f"Security review of {thing}", needs=needs, after=[build], **common)
        staging = log.bottleneck == "staging" or (log.bottleneck == "brent" and i % 2 == 1)
        log.add(
            facts.key,
            f"Test {thing}",
            needs=[log.need("qa", 1, dice.within(6, 12, 2))],
            after=[build, setup],
            environment="staging" if staging else "test-lab",
            **common,
        )
    releases: list[str] = []
    for i in range(0, len(epics), 2):
        pair = facts.features[i : i + 2]
        needs = [log.need("deploys", 2, 2, spread=False)]
        if i % 4 == 0:
            needs.append(log.need(pair[0][3], 3, 1.5, spread=False))
        release = _change(
            log,
            "Release " + " and ".join(title[0].lower() + title[1:] for title, *_ in pair) + suffix,
            needs,
            services=sorted({service for _, _, service, _ in pair}),
            window="maintenance",
            project=project,
            after=epics[i : i + 2],
        )
        releases.append(release)
    if project == "phoenix":
        log.add(facts.key, f"Phoenix is live{suffix}", project=project, after=releases)


def _change(
    log: Backlog,
    title: str,
    needs: list[Fields],
    services: list[str],
    window: str | None,
    kind: str = "normal",
    **more: Any,
) -> str:
    """A change. Normal ones wait three days for the change board, unless it has agreed already."""
    change: Fields = {"kind": kind, "services": services, "risk": int(log.dice.within(1, 9))}
    if window:
        change |= {"window": window, "rollback": log.dice.pick(["30m", "1h"])}
    if kind == "normal":
        change["approval"] = {"board": "cab", "lead": "3d"} | ({"given": True} if log.dice.chance(0.3) else {})
    return log.add("CHG", title, type="change", needs=needs, change=change, **more)


def _findings(log: Backlog, suffix: str) -> None:
    """Each finding of the auditors is remedied, by a change where production is touched, and proved by evidence."""
    for i, (title, skill, level, hours, service, changes) in enumerate(FINDINGS):
        common: Fields = {"type": "internal", "project": "sox-404"}
        last = log.add("SOX", f"Remedy: {title}{suffix}", needs=[log.need(skill, level, hours)], **common)
        if changes:
            needs = [log.need(skill, 2, 1.5, spread=False)]
            last = _change(log, title + suffix, needs, [service], "maintenance", project="sox-404", after=[last])
        needs = [log.need("security", 2, log.dice.within(3, 6))]
        if i % 4 == 2:
            needs.append(log.need(skill, level, 1, spread=False))
        evidence = log.add("SOX", f"Evidence: {title}{suffix}", needs=needs, after=[last], **common)
        if i == len(FINDINGS) - 1:
            log.add("SOX", f"Auditors look at the evidence{suffix}", wait="3d", after=[evidence], **common)


def _tasks(log: Backlog, project: str, tasks: tuple[Task, ...], suffix: str) -> None:
    made: list[str] = []
    for title, wanted, after, change in tasks:
        needs = [log.need(*want, spread=change is None) for want in wanted]
        more: Fields = {"project": project, "after": [made[i] for i in after]}
        if change:
            made.append(_change(log, title + suffix, needs, [change[0]], change[1], **more))
        else:
            made.append(log.add(PROJECTS[project].key, title + suffix, type="internal", needs=needs, **more))


def _routine(log: Backlog, suffix: str) -> None:
    for title, kind, service, window, wanted in ROUTINE:
        needs = [log.need(*want, spread=False) for want in wanted]
        cost = f"{int(log.dice.within(300, 1500, 100))}/week"
        _change(log, title + suffix, needs, [service], window, kind, cost_of_delay=cost)


def _incidents(log: Backlog, suffix: str) -> None:
    for title, skill, level, hours, cost in INCIDENTS:
        needs = [log.need(skill, level, hours)]
        log.add("OPS", title + suffix, type="unplanned", needs=needs, cost_of_delay=f"{cost}/week")


def _begin_and_hold(log: Backlog) -> None:
    """Where work stands: what is done or begun of the open projects, what is held, and the links between projects."""
    at = {item["title"]: ticket for ticket, item in log.work.items() if ticket not in log.past}
    for wave in range(log.scale):
        suffix = f" ({wave + 1})" if wave else ""
        for title in DESIGNED:
            log.finish(at[f"Design {title}{suffix}"])
        log.finish(at["Plan of the new storage layout" + suffix])
        for title, left in BEGUN.items():
            lead = any(is_lead(*_skill(need)) for need in log.work[at[title]]["needs"])
            if not (lead and wave):
                log.begin(at[title + suffix], left, "brent" if lead else None)
        # storage is in process already, so that it never waits for a project that waits for it
        log.work[at["Release vouchers at the till and mailings" + suffix]]["after"].append(
            at["Attach the new shelves" + suffix]
        )
        # the old arrays go when the moved volumes have run for a while
        log.work[at["Retire the old arrays" + suffix]]["after"].append(
            {"item": at["Move the mainframe volumes" + suffix], "lag": "7d", "lag_in": "elapsed"}
        )
        rehearsal = at["Rehearsal with the order system" + suffix]
        log.work[at["Guide for developers" + suffix]]["after"] = [{"item": rehearsal, "type": "SS", "lag": "4h"}]
    for title, stub in AWAITED.items():
        log.work[at[title]].setdefault("after", []).append(stub)
    log.work[at["Mail under the new domain"]]["on_hold"] = "The board has not decided on the name"


def _skill(need: Fields) -> tuple[str, int]:
    return need["skill"], need.get("level", 1)


def _date(log: Backlog) -> None:
    """Tickets are numbered in the order in which they were written; dates follow the numbers."""
    dice = log.dice
    for prefix in sorted({ticket.rstrip("0123456789").rstrip("-") for ticket in log.work}):
        mine = {t: i for t, i in log.work.items() if t.startswith(prefix)}
        old = sum(1 for t in mine if t in log.past)
        early, late = datetime(2026, 5, 4), datetime(2026, 9, 14)
        recent = datetime(2026, 11, 12) if prefix == "OPS" else late
        weekdays = prefix != "OPS"
        moments = sorted(_moment(dice, early, (late - early).days - 1, weekdays) for _ in range(old))
        last = 9 if prefix == "OPS" else 53
        moments += sorted(_moment(dice, recent, last, weekdays) for _ in range(len(mine) - old))
        for (ticket, item), created in zip(mine.items(), moments, strict=True):
            item["created"] = _stamp(created)
            if ticket in log.past:
                started = evening(created + timedelta(days=3)) if prefix == "CHG" else _later(dice, created, 1, 30)
            elif item.get("status") == "done":
                started = _moment(dice, datetime(2026, 11, 9), 4, True)
            elif item.get("status") == "in-progress":
                started = (
                    created + timedelta(hours=2) if prefix == "OPS" else _moment(dice, datetime(2026, 11, 9), 11, True)
                )
            else:
                continue
            item["started"] = _stamp(started)
            if item["status"] != "in-progress":
                hours = max(_likely(need["effort"]) for need in item["needs"])
                item["finished"] = _stamp(
                    started + timedelta(hours=hours) if prefix == "CHG" else workdays(started, hours)
                )


def _moment(dice: Dice, first: datetime, days: int, weekdays: bool) -> datetime:
    moment = first + timedelta(days=dice.within(0, days), hours=dice.within(8, 16), minutes=dice.within(0, 59))
    return moment - timedelta(days=moment.weekday() - 4) if weekdays and moment.weekday() > 4 else moment


def _later(dice: Dice, moment: datetime, low: int, high: int) -> datetime:
    later = moment + timedelta(days=dice.within(low, high))
    return later + timedelta(days=7 - later.weekday()) if later.weekday() > 4 else later


def workdays(started: datetime, hours: float) -> datetime:
    """When work of that many hours, six a day, is over."""
    finished, left = started, hours
    while left > 6:
        finished += timedelta(days=3 if finished.weekday() == 4 else 1)
        left -= 6
    return finished + timedelta(minutes=round(left * 60))


def evening(moment: datetime) -> datetime:
    """The next maintenance window: Tuesday or Thursday at 18:00."""
    while moment.weekday() not in (1, 3):
        moment += timedelta(days=1)
    return moment.replace(hour=18, minute=0)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


# --------------------------------------------------------------------------------------------------------- portfolio


def build_portfolio(scale: int = 1, bottleneck: Bottleneck = "brent", seed: int = 1) -> Portfolio:
    """The organisation as a portfolio. ``scale`` 1 to 5 fifths of its size; the same for the same arguments."""
    if not 1 <= scale <= FULL_SIZE:
        raise ValueError(f"the scale is 1 to {FULL_SIZE} fifths of the organisation, not {scale}")
    if bottleneck not in BOTTLENECKS:
        raise ValueError(f"the bottleneck is one of {', '.join(BOTTLENECKS)}, not {bottleneck!r}")
    people = make_people(scale, bottleneck, Dice(f"people {seed}"))
    work = make_work(scale, bottleneck, people, Dice(f"work {seed}"))
    titles = {item["title"]: ticket for ticket, item in work.items()}
    reviewed = titles["Security review of tokenised social security numbers"]
    projects: dict[str, Fields] = {}
    for project, facts in PROJECTS.items():
        projects[project] = {"title": facts.title, "cost_of_delay": f"{facts.cost_of_delay}/week"}
        if facts.due:
            projects[project]["due"] = facts.due
    keys = [facts.key for facts in PROJECTS.values()]

    def place(ticket: str) -> int:
        key = ticket.partition("-")[0]
        return keys.index(key) if key in keys else len(keys) + key.startswith("CHG")

    return Portfolio.model_validate(
        {
            "as_of": _stamp(AS_OF),
            "zone": ZONE,
            "currency": "USD",
            "calendars": CALENDARS,
            "skills": SKILLS,
            "teams": {team: {"name": name} for team, name in TEAMS.items()},
            "people": people,
            "environments": {
                "staging": {"capacity": scale if bottleneck == "staging" else 2 * scale, "calendar": "lab"},
                "test-lab": {"capacity": 6 * scale, "calendar": "lab"},
                "pre-production": {"capacity": 3 * scale},
            },
            "services": SERVICES,
            "windows": WINDOWS,
            "freezes": FREEZES,
            "projects": projects,
            "work": {ticket: work[ticket] for ticket in sorted(work, key=place)},
            "external": EXTERNAL,
            "policy": {"projects_in_process": 6, "person_wip": 3, "pins": [{"work": reviewed, "who": "john"}]},
        }
    )


def able(portfolio: Portfolio, need: Need) -> list[str]:
    """The people who hold the skill of a need and are allowed to take it."""
    return [
        who
        for who, person in portfolio.people.items()
        if (need.skill is None or person.skills.get(need.skill, 0) >= need.level) and (not need.who or who in need.who)
    ]
