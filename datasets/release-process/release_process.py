"""A deployment process of more than 1,300 steps over four weeks, and what it is without one habit or another.

    python datasets/release-process/release_process.py --out FILE
        [--batch N] [--approvals board|peer] [--handoffs tickets|together] [--environments by-hand|one-click] [--seed 1]

The talk "When IT Fails: A Business Novel" names a deployment process of 1300+ steps spanning four weeks, and apart from
it deployment times that fell from 6 hours to 45 minutes. The steps, about four weeks and six hours of work by hand on a
deployment to production are put in here; what each habit costs is not, nor are the 45 minutes. Components of a release
go through four environments. Habits:

- ``batch``: components that travel together. All of them are through a stage before any goes on; a batch is tested, put
  before the board and talked about once.
- ``approvals``: a board decides days later, or a colleague reviews (standard changes).
- ``handoffs``: between two teams a ticket waits in a queue, or they sit together.
- ``environments``: few, and made by hand each time, or as many as wanted, made by a script.

The same arguments give the same portfolio on every machine.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from throttle_models import Portfolio

Data = dict[str, Any]

COMPONENTS = 25
TEAMS = {"dev": 8, "release": 2, "ops": 4, "dba": 2, "network": 2, "qa": 4, "security": 2, "change": 1}
"""People, each of one team with one skill."""
OFFICE = (9, 17)
"""Hours of the day, Monday to Friday."""
Step = tuple[str, str, int]
"""Title, team, minutes of work by hand."""

BUILD: tuple[Step, ...] = (
    ("freeze the code", "dev", 30),
    ("compile", "release", 30),
    ("run the unit tests", "dev", 30),
    ("package", "release", 30),
)
MAKE_ENVIRONMENT: tuple[Step, ...] = (
    ("reserve servers", "ops", 30),
    ("install the operating system's packages", "ops", 30),
    ("open the firewall", "network", 30),
    ("create the schema", "dba", 30),
    ("copy the packages", "release", 30),
    ("edit the configuration", "release", 30),
)
"""What a script does where environments are made at one click."""
DEPLOY: tuple[Step, ...] = (
    ("stop the service", "ops", 15),
    ("install", "ops", 45),
    ("change the schema", "dba", 30),
    ("start the service", "ops", 30),
    ("smoke test", "qa", 45),
    ("record the result", "qa", 15),
)
"""With the environment made by hand, six hours (the talk's figure before)."""
STAGES = ("integration", "qa", "staging", "production")
AT_ONCE = 8
"""Components in an environment at the same time, where it is made by hand."""
SCRIPT = "15m"
"""Time that a script takes to make an environment."""
QUEUE = "1h"
"""By the clock, until somebody of another team takes up a ticket."""
DECIDES = {"staging": "24h", "production": "48h"}
"""By the clock, until the board has decided that a batch goes on there."""


@dataclass(frozen=True)
class Habits:
    """How the process is run. The defaults are the process as the talk finds it."""

    batch: int = COMPONENTS
    approvals: Literal["board", "peer"] = "board"
    handoffs: Literal["tickets", "together"] = "tickets"
    environments: Literal["by-hand", "one-click"] = "by-hand"


def build_portfolio(habits: Habits | None = None, components: int = COMPONENTS, seed: int = 1) -> Portfolio:
    """The process of one release. Tags of an item: its component or batch, its stage, ``approval`` or ``script``."""
    return Portfolio.model_validate(build_data(habits or Habits(), components, seed))


def build_data(habits: Habits, components: int = COMPONENTS, seed: int = 1) -> Data:
    """The same as plain data. Raises ValueError for fewer than one component, or in a batch."""
    if components < 1 or habits.batch < 1:
        raise ValueError(f"a release has a component, and a batch too, not {components} and {habits.batch}")
    names = [f"C{k + 1:02}" for k in range(components)]
    process = _Process(habits, random.Random(seed))
    batches = [names[k : k + habits.batch] for k in range(0, components, habits.batch)]
    for k, batch in enumerate(batches):
        process.release(f"B{k + 1:02}", batch)
    places = components if habits.environments == "one-click" else AT_ONCE
    return {
        "as_of": "2026-01-05T09:00",
        "slot": "15m",
        "calendars": {"office": {"hours": f"Mon-Fri {OFFICE[0]:02}:00-{OFFICE[1]}:00"}},
        "skills": list(TEAMS),
        "people": {f"{team}-{k + 1}": {"skills": [team]} for team, count in TEAMS.items() for k in range(count)},
        "environments": {stage: {"capacity": places} for stage in STAGES},
        "projects": {f"B{k + 1:02}": {"title": f"Batch of {len(batch)}"} for k, batch in enumerate(batches)},
        "work": process.work,
    }


@dataclass
class _Process:
    """Writes the steps one after the other."""

    habits: Habits
    rng: random.Random
    work: Data = field(default_factory=dict)
    team: dict[str, str] = field(default_factory=dict)
    """Of each step by hand."""

    def release(self, batch: str, components: Sequence[str]) -> None:
        """A batch from the code to production."""
        worth = {name: self.rng.choice((1, 2, 3, 5, 8)) for name in components}
        last = {name: self.steps(batch, name, "build", BUILD, ()) for name in components}
        gate = self.step(batch, batch, "build", "merge and tag", "release", 60, tuple(last.values()))
        for stage in STAGES:
            if stage in DECIDES:
                gate = self.decision(batch, stage, gate)
            last = {name: self.deployment(batch, name, stage, gate) for name in components}
            ends = tuple(last.values())
            if stage == "integration":
                gate = self.step(batch, batch, stage, "report on integration", "qa", 60, ends)
            elif stage == "qa":
                gate = self.step(batch, batch, stage, "regression test", "qa", 480, ends, stage)
            elif stage == "staging":
                scanned = self.step(batch, batch, stage, "security scan", "security", 240, ends, stage)
                gate = self.step(batch, batch, stage, "rehearse going back", "ops", 120, (scanned,), stage)
        for name, step in last.items():
            self.work[step]["cost_of_delay"] = f"{worth[name]}/hour"

    def deployment(self, batch: str, name: str, stage: str, gate: str) -> str:
        """One component into one environment; the last step."""
        if self.habits.environments == "by-hand":
            return self.steps(batch, name, stage, (*MAKE_ENVIRONMENT, *DEPLOY), (gate,))
        made = f"{name}-{stage}-0"
        self.work[made] = {
            "title": f"Make {stage} at one click",
            "project": batch,
            "wait": SCRIPT,
            "environment": {stage: 1},
            "after": [gate],
            "tags": [name, stage, "script"],
        }
        return self.steps(batch, name, stage, DEPLOY, (made,))

    def decision(self, batch: str, stage: str, gate: str) -> str:
        """That a batch goes on into a stage; the last step."""
        if self.habits.approvals == "peer":
            return self.step(batch, batch, stage, "review by a colleague", "dev", 30, (gate,))
        asked = self.step(batch, batch, stage, "write the change record", "change", 60, (gate,))
        decided = f"{batch}-{stage}-board"
        self.work[decided] = {
            "title": f"Board decides on {stage}",
            "project": batch,
            "wait": DECIDES[stage],
            "after": [asked],
            "tags": [batch, stage, "approval"],
        }
        return decided

    def steps(self, batch: str, name: str, stage: str, steps: Sequence[Step], after: tuple[str, ...]) -> str:
        """Steps of a component, one after the other; the last one."""
        place = None if stage == "build" else stage
        for title, team, minutes in steps:
            after = (self.step(batch, name, stage, title, team, minutes, after, place),)
        return after[0]

    def step(
        self,
        batch: str,
        owner: str,
        stage: str,
        title: str,
        team: str,
        minutes: int,
        after: tuple[str, ...],
        place: str | None = None,
    ) -> str:
        """Work by hand of one of a team; after another team's work by hand it waits in that team's queue first."""
        id = f"{owner}-{stage}-{title.replace(' ', '-')}"
        queued = {"lag": QUEUE, "lag_in": "elapsed"}
        tickets = self.habits.handoffs == "tickets"
        links = [
            {"item": other, **queued} if tickets and self.team.get(other, team) != team else other for other in after
        ]
        self.work[id] = {
            "title": f"{title.capitalize()} ({owner}, {stage})",
            "project": batch,
            "needs": [{"skill": team, "effort": f"{minutes}m"}],
            "tags": [owner, stage],
            **({"environment": {place: 1}} if place else {}),
            **({"after": links} if links else {}),
        }
        self.team[id] = team
        return id


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write a release process as a portfolio (JSON).")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    usual = f"components that travel together, of {COMPONENTS} (all)"
    parser.add_argument("--batch", type=int, default=COMPONENTS, help=usual)
    parser.add_argument("--approvals", choices=("board", "peer"), default="board")
    parser.add_argument("--handoffs", choices=("tickets", "together"), default="tickets")
    parser.add_argument("--environments", choices=("by-hand", "one-click"), default="by-hand")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    habits = Habits(given.batch, given.approvals, given.handoffs, given.environments)
    data = build_portfolio(habits, seed=given.seed).model_dump(mode="json", exclude_defaults=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8", newline="\n")
    print(given.out)


if __name__ == "__main__":
    main()
