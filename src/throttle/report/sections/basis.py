"""Defaults used where the input was silent, work that its rules ask for, and what was found in the input."""

from __future__ import annotations

from throttle.report.html import Html, join, long_table, tag
from throttle.report.view import View, shorten
from throttle.wording import plural
from throttle_models import Finding

_SHOWN, _CAP = 30, 1000
_LEVELS = {"error": 0, "warning": 1, "info": 2}


def render(view: View) -> Html:
    return join(tag("h3", "Defaults used"), _assumptions(view), _inserted(view), tag("h3", "Findings"), _findings(view))


def _assumptions(view: View) -> Html:
    assumptions = view.plan.assumptions or view.portfolio.assumptions
    if not assumptions:
        return tag("p", "None: the portfolio says everything that the plan needed.", class_="none")
    rows = [(a.about, a.value, a.why, f"{a.count:,}", a.override or "\u2013") for a in assumptions]
    heads = ("About", "Value taken", "Why", "Times", "To replace it")
    caption = "Taken because the input was silent"
    return long_table(caption, heads, rows, shown=_SHOWN, cap=_CAP, look="stack", kinds="wwwnw")


def _inserted(view: View) -> Html | None:
    """Nothing where no rule asks for anything."""
    if not view.plan.inserted:
        return None
    rows = [
        (view.item(id), f"{told.side or 'for'} {told.of}", ", ".join(told.names) or told.kind, _planned(view, id))
        for id, told in view.plan.inserted.items()
    ]
    heads = ("Work", "Where", "Because of", "Planned")
    caption = "Work that the rules of the portfolio ask for"
    listed = long_table(caption, heads, rows, shown=_SHOWN, cap=_CAP, look="stack", kinds="wwww")
    return join(tag("h3", "Inserted work"), listed)


def _planned(view: View, item: str) -> str:
    planned = view.plan.items.get(item)
    if planned is not None:
        return view.span(planned.start, planned.finish)
    return "done" if item in view.plan.done else "not scheduled"


def _findings(view: View) -> Html:
    both = (*view.plan.certificate.data_quality, *view.plan.findings)
    found = sorted({f.model_dump_json(): f for f in both}.values(), key=lambda f: _LEVELS[f.level])
    if not found:
        return tag("p", "None.", class_="none")
    rows = [(f.level, shorten(f.message, 400), _where(f), f"{f.count:,}") for f in found]
    counts = [(level, sum(f.level == level for f in found)) for level in _LEVELS]
    caption = ", ".join(plural(n, {"info": "remark"}.get(level, level)) for level, n in counts if n)
    return long_table(
        caption, ("Level", "What", "Where", "Times"), rows, shown=_SHOWN, cap=_CAP, look="stack", kinds="wwwn"
    )


def _where(finding: Finding) -> str:
    row = f"row {finding.row}" if finding.row is not None else None
    column = f"column {finding.column}" if finding.column else None
    ids = shorten(", ".join(finding.ids), 80) or None
    return ", ".join(filter(None, (finding.file, row, column, finding.path or ids))) or "\u2013"
