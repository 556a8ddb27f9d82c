"""A plan as a write-back table for Jira: CSV with the old value, the new value, and when the issue was last updated."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from throttle.exports.csv import text_of
from throttle.exports.write_back import changes
from throttle_models import Plan, Portfolio

COLUMNS = (
    "Issue key", "Target start (old)", "Target start", "Target end (old)", "Target end", "Assignee (old)", "Assignee",
    "Updated",
)  # fmt: skip


def to_jira(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """A row for each issue that the plan changes: planned start and end, and who is on it first.

    Moments are ISO 8601 in the plan's zone. ``Updated`` is the guard: an issue that was updated later than that is not
    the one that was planned, and its row is not to be imported. The due date is what others ask for, and is left alone.
    """
    zone = ZoneInfo(plan.zone)

    def shown(moment: datetime | None) -> str:
        return moment.astimezone(zone).isoformat(timespec="minutes") if moment else ""

    return text_of(
        COLUMNS,
        (
            (
                c.item, shown(c.old_start), shown(c.start), shown(c.old_end), shown(c.end), c.old_assignee, c.assignee,
                c.updated.astimezone(zone).isoformat(timespec="seconds") if c.updated else "",
            )
            for c in changes(plan, portfolio, "Jira", person)
        ),
    )  # fmt: skip
