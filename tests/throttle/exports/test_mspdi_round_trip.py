"""Whatever the calendars and links: out to Microsoft Project XML and in again, the same hours and the same order."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.sample_plan import sample_plan, sample_portfolio
from throttle.calendars import Calendars, Grid
from throttle.exports import EXPORTERS
from throttle.ingest import read_exports
from throttle_models import LagKind, Portfolio, parse_minutes
from throttle_models.quantities import ELAPSED, WORK

PLAN = sample_plan(sample_portfolio(items=10)).model_copy(
    update={"items": {}, "as_of": datetime(2026, 11, 23, 14, tzinfo=UTC)}
)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def out_and_in(portfolio: Portfolio) -> Portfolio:
    text = EXPORTERS["mspdi"](PLAN, portfolio)
    assert isinstance(text, str)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.xml"
        path.write_text(text, encoding="utf-8")
        return read_exports([path]).portfolio


@st.composite
def hours(draw: st.DrawFn) -> str:
    """Days, nights and both, which do not touch: where they do, a file that cuts at midnight cannot tell them apart."""
    clauses = []
    for day in draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True)):
        spans = [
            f"{draw(st.sampled_from([6, 8, 9])):02d}:00-{draw(st.sampled_from([12, 17])):02d}:00",
            f"{draw(st.sampled_from([18, 22])):02d}:00-{draw(st.sampled_from([4, 5, 24])):02d}:00",
        ]
        kept = draw(st.sampled_from([spans, spans[:1], spans[1:]]))
        clauses.append(f"{day} {' '.join(kept)}")
    return draw(st.sampled_from(["; ".join(clauses), "daily 00:00-24:00", "Mon-Fri 00:00-24:00"]))


_SOME_DAY = st.integers(0, 50).map(lambda n: date(2026, 11, 20) + timedelta(days=n))
_RANGES = st.lists(
    st.tuples(_SOME_DAY, st.integers(0, 9)).map(lambda p: f"{p[0]}/{p[0] + timedelta(days=p[1])}"), max_size=3
)


@settings(max_examples=40, deadline=None)
@given(hours(), _RANGES, _RANGES, _RANGES, st.sampled_from([None, "US", "DE-BY"]))
def test_everybody_has_the_same_hours(
    week: str, closed: list[str], opened: list[str], away: list[str], holidays: str | None
) -> None:
    calendar: dict[str, Any] = {"hours": week, "closed": closed, "open": opened, "holidays": holidays}
    before = Portfolio.model_validate(
        {
            "as_of": "2026-11-23T08:00",
            "zone": "America/Chicago",
            "calendars": {"own": calendar},
            "people": {"ann": {"calendar": "own", "away": away}, "ben": {"calendar": "own"}},
            "work": {"A": {"needs": [{"who": ["ann"], "effort": "1h"}]}},
        }
    )
    after = out_and_in(before)
    one, two = (Calendars(p, Grid.of(p, 48 * 65)) for p in (before, after))
    for id in before.people:
        assert (one.person(id) == two.person(id)).all(), (id, after.people[id], after.calendars)


_LAGS = st.tuples(
    st.sampled_from(["FS", "SS", "FF", "SF"]),
    st.sampled_from(["0", "30m", "-90m", "4h", "-2d", "1w", "2.5h", "100m"]),
    st.sampled_from([None, "working", "elapsed"]),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), _LAGS), max_size=12),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_every_link_is_the_same(links: list[Any], waits: list[bool]) -> None:
    work: dict[str, dict[str, Any]] = {
        f"W-{i}": {"wait": "1d"} if wait else {"needs": [{"who": ["ann"], "effort": "1h"}]}
        for i, wait in enumerate(waits)
    }
    seen = set()
    for first, second, (type_, lag, lag_in) in links:
        if first < second and (first, second) not in seen:
            seen.add((first, second))
            link = {"item": f"W-{first}", "type": type_, "lag": lag, "lag_in": lag_in}
            work[f"W-{second}"].setdefault("after", []).append(link)
    before = Portfolio.model_validate(
        {"as_of": "2026-11-23T08:00", "zone": "America/Chicago", "people": {"ann": {}}, "work": work}
    )
    assert graph(out_and_in(before)) == graph(before)


def graph(portfolio: Portfolio) -> dict[str, list[Any]]:
    """Links of each item in order, their lag as time and whether it is of the clock."""
    found = {}
    for id, item in portfolio.work.items():
        links: list[Any] = []
        for link in item.after:
            elapsed = link.lag_in is LagKind.ELAPSED if link.lag_in is not None else not item.needs
            span = parse_minutes(link.lag, ELAPSED if elapsed else WORK, signed=True)
            links.append((link.item, link.type, span, bool(span) and elapsed))
        found[id] = links
    return found
