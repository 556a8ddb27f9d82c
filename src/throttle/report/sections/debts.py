"""Technical debt: what it costs every week until it is paid, and when the plan pays it."""

from __future__ import annotations

from throttle.report.html import Html, join, long_table, tag
from throttle.report.view import View, hours
from throttle.wording import plural

_SHOWN, _CAP = 15, 2000


def render(view: View) -> Html:
    debts = sorted(view.plan.debts.items(), key=lambda entry: (-entry[1].cost, entry[0]))
    if not debts:
        return tag("p", "No debt: no open item has interest.", class_="none")
    rows = [
        (
            view.item(item),
            hours(debt.hours),
            ", ".join(f"{skill} {amount:g}\u00a0h/week" for skill, amount in debt.interest.items()),
            view.money(debt.cost),
            "\u2013" if debt.payback_weeks is None else f"{debt.payback_weeks:,.1f} weeks",
            view.day(debt.finish) if debt.finish else "not planned",
            "\u2013" if debt.paid is None else view.money(debt.paid),
        )
        for item, debt in debts
    ]
    heads = ("Item", "Work", "Interest", "Costs a week", "Pays back in", "Paid off", "Interest until then")
    prices = {skill: price for _, debt in debts for skill, price in debt.price.items()}
    worth = "; ".join(f"{skill} {view.money(price)}" for skill, price in sorted(prices.items()))
    intro = f"{plural(len(debts), 'item')} with interest: unplanned work that it causes until it is paid."
    caption = "The dearest first"
    return join(
        tag("p", intro),
        long_table(caption, heads, rows, shown=_SHOWN, cap=_CAP, look="stack", kinds="wnwnntn"),
        tag(
            "p",
            "An hour of a skill is worth what a week's delay of all that waits for it costs, by the hours of a week: ",
            f"{worth}.",
            class_="note",
        ),
    )
