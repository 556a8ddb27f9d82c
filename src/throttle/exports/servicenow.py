"""A plan as an import set for ServiceNow: CSV with field names, which a transform map writes to the records."""

from __future__ import annotations

from datetime import UTC, datetime

from throttle.exports.csv import text_of
from throttle.exports.write_back import changes
from throttle_models import Plan, Portfolio

COLUMNS = (
    "number", "sys_id", "start_date", "end_date", "assigned_to", "u_old_start_date", "u_old_end_date",
    "u_old_assigned_to", "u_sys_updated_on",
)  # fmt: skip


def to_servicenow(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """A row for each record that the plan changes, to be coalesced on ``sys_id``, or on ``number`` where that is blank.

    Times are UTC, ``2026-11-23 14:00:00``, as the Table API writes them. ``u_sys_updated_on`` is the guard: a transform
    script is to skip a row whose record was updated later than that. ``u_old_*`` is what the export said.
    """

    def shown(moment: datetime | None) -> str:
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else ""

    return text_of(
        COLUMNS,
        (
            (
                c.item, c.source.other_id or "", shown(c.start), shown(c.end), c.assignee, shown(c.old_start),
                shown(c.old_end), c.old_assignee, shown(c.updated),
            )
            for c in changes(plan, portfolio, "ServiceNow", person)
        ),
    )  # fmt: skip
