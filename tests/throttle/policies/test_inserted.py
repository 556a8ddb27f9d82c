"""Retest rules and verification: what is inserted, and where it lies in a plan."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from rich.console import Console

from support.cases import Data, by, crew, hours, needing, plan_of, portfolio, same
from support.portfolios import portfolios
from throttle.check.inserted import Expansion
from throttle.errors import InputError
from throttle.exports import to_csv, to_ics, to_json
from throttle.policies.inserted import INSERTERS, Insertions, expand
from throttle.replan import advance
from throttle.report import render_report
from throttle.terminal import show_plan
from throttle.why import explain
from throttle_models import Link, Plan, Portfolio, Reason

PEOPLE: Data = {
    "wes": {"skills": {"linux": 2, "deploys": 1}},
    "mei": {"skills": {"qa": 2}},
    "sam": {"skills": {"security": 3}},
    "nia": {"skills": {"dba": 1}},
}
SERVICES: Data = {"payroll": {"tier": 1}, "intranet": {"tier": 3}, "wiki": {}}

REGRESSION = {"before": "Full regression", "needs": [{"skill": "qa", "effort": "8h"}], "environment": "staging"}
AUTHORISATION = {"before": "Authorisation", "lead": "1d"}
REVIEW = {"after": "Review", "needs": [{"skill": "deploys", "effort": "1h"}]}
SECURITY = {"before": "Security test", "needs": [{"skill": "security", "effort": "4h"}]}


def change(effort: str = "2h", **fields: Any) -> Data:
    about = {name: fields.pop(name) for name in ("services", "risk", "kind", "window", "rollback") if name in fields}
    return needing("linux", effort, type="change", change=about, **fields)


def rule(*steps: Data, name: str = "retest", **when: Any) -> Data:
    return {"name": name, "when": when, "require": list(steps)}


def ruled(work: Data, *rules: Data, **rest: Any) -> Portfolio:
    policy = {"rules": list(rules), **rest.pop("policy", {})}
    rest = {"services": SERVICES, "environments": {"staging": {}}, **rest}
    return portfolio(work, rest.pop("people", PEOPLE), policy=policy, **rest)


def inserted(made_from: Portfolio) -> set[str]:
    return set(expand(made_from).inserted)


# --- what is inserted


def test_work_around_a_change() -> None:
    made_from = ruled(
        {"BUILD": needing("linux", "3h"), "CHG": change(services=["payroll"], after="BUILD"), "NEXT": {"after": "CHG"}},
        rule(REGRESSION, AUTHORISATION, REVIEW, services=["payroll"]),
    )
    plan = same(plan_of(made_from))
    assert hours(plan) == {
        "BUILD": (0, 3),
        "CHG~full-regression": (3, 11),  # what will be deployed
        "CHG~authorisation": (11, 35),  # decides about what was tested
        "CHG": (35, 37),
        "CHG~review": (37, 38),
        "NEXT": (37, 37),  # does not wait for the review
    }
    assert crew(plan, "CHG~full-regression") == {"mei"}
    assert [plan.inserted[f"CHG~{step}"].side for step in ("full-regression", "review")] == ["before", "after"]
    assert plan.inserted["CHG~review"].names == ("retest",)
    assert plan.inserted["CHG~full-regression"].item.environment == {"staging": 1}


@pytest.mark.parametrize(
    ("when", "matched"),
    [
        ({}, {"A", "B", "C", "D"}),
        ({"services": ["payroll"]}, {"A"}),
        ({"services": ["payroll", "wiki"]}, {"A", "B"}),
        ({"tier": [1, 3]}, {"A", "B"}),
        ({"tier": [2]}, set()),
        ({"risk_at_least": 4}, {"A"}),
        ({"kind": ["emergency"]}, {"B"}),
        ({"tags": ["pci", "sox"]}, {"C", "D"}),
        ({"tags": ["sox"], "kind": ["normal"]}, {"C", "D"}),
        ({"services": ["payroll"], "kind": ["normal"], "risk_at_least": 4, "tier": [1]}, {"A"}),
        ({"services": ["payroll"], "kind": ["emergency"]}, set()),
    ],
)
def test_all_that_a_rule_names_must_match(when: Data, matched: set[str]) -> None:
    made_from = ruled(
        {
            "A": change(services=["payroll"], risk=4),
            "B": change(services=["intranet", "wiki"], kind="emergency", risk=3),
            "C": change(tags=["sox"]),
            "D": needing("linux", "1h", type="change", tags=["sox"]),  # alters nothing that is known
            "E": needing("linux", "1h", tags=["sox"]),
        },
        rule(REVIEW, **when),
    )
    assert {told.of for told in expand(made_from).inserted.values()} == matched
    assert expand(made_from).portfolio.work["E"] == made_from.work["E"]


def test_equal_work_of_two_rules_is_inserted_once_and_is_the_larger() -> None:
    shorter, longer = AUTHORISATION | {"lead": "2h"}, AUTHORISATION | {"lead": "5h"}
    made_from = ruled(
        {"CHG": change(services=["payroll"])},
        rule(REGRESSION, longer, name="one"),
        rule(SECURITY | {"needs": [{"skill": "security", "effort": "9h"}]}, shorter, name="two"),
    )
    plan = same(plan_of(made_from))
    assert hours(plan) == {
        "CHG~full-regression": (0, 8),
        "CHG~security-test": (0, 9),
        "CHG~authorisation": (9, 14),  # after what either rule lists before it
        "CHG": (14, 16),
    }
    assert plan.inserted["CHG~authorisation"].names == ("one", "two")
    (told,) = [f for f in plan.findings if f.code == "required-twice"]
    assert told.ids == ("CHG",)
    assert "'Authorisation'" in told.message


def test_work_for_others_with_the_same_title_is_other_work() -> None:
    by_qa, by_security = (
        {"before": "Review", "needs": [{"skill": skill, "effort": "1h"}]} for skill in ("qa", "security")
    )
    made_from = ruled({"CHG": change()}, rule(by_qa, name="one"), rule(by_security, REVIEW, name="two"))
    assert inserted(made_from) == {"CHG~review", "CHG~review-2", "CHG~review-3"}
    assert [expand(made_from).inserted[id].side for id in ("CHG~review", "CHG~review-2", "CHG~review-3")] == [
        "before",
        "before",
        "after",
    ]


def test_authorisations_that_rules_list_in_different_orders_close_no_circle() -> None:
    one, two = {"before": "One", "lead": "1h"}, {"before": "Two", "lead": "2h"}
    plan = plan_of(ruled({"CHG": change()}, rule(one, two, name="a"), rule(two, one, name="b")))
    assert hours(same(plan)) == {"CHG~one": (0, 1), "CHG~two": (1, 3), "CHG": (3, 5)}


def test_what_a_rule_lists_twice_is_waited_for_once() -> None:
    signed = {"before": "Signature", "lead": "1h"}
    plan = plan_of(ruled({"CHG": change()}, rule(AUTHORISATION, AUTHORISATION, signed)))
    assert hours(same(plan)) == {"CHG~authorisation": (0, 24), "CHG~signature": (24, 25), "CHG": (25, 27)}
    assert plan.inserted["CHG~signature"].item.after == (Link(item="CHG~authorisation"),)


def test_links_of_a_change_hold_for_the_work_before_it() -> None:
    links = [
        {"item": "A", "lag": "2h", "lag_in": "elapsed"},
        {"item": "A", "type": "SS", "lag": "1h"},
        {"item": "A", "type": "FF"},
        "OUT",
    ]
    made_from = ruled(
        {"A": by("nia", "3h"), "CHG": change(after=links)},
        rule(REGRESSION, REVIEW),
        external={"OUT": {"expected": "7h"}},
    )
    assert hours(same(plan_of(made_from)))["CHG~full-regression"] == (7, 15)
    work = expand(made_from).portfolio.work
    assert work["CHG~full-regression"].after == (*work["CHG"].after[:2], Link(item="OUT"))
    assert work["CHG~review"].after == (Link(item="CHG"),)


def test_inserted_work_belongs_where_the_change_does() -> None:
    made_from = ruled(
        {
            "BOX": {"project": "pay", "cost_of_delay": "5/hour"},
            "CHG": change(parent="BOX"),
            "AFTER-BOX": by("nia", "1h", after="BOX"),
        },
        rule(SECURITY, REVIEW),
        projects={"pay": {"cost_of_delay": "1/hour", "due": "2026-11-23T08:00:00+00:00"}},
    )
    plan = same(plan_of(made_from))
    assert hours(plan)["CHG~review"] == (6, 7)
    assert hours(plan)["AFTER-BOX"] == (7, 8)  # the review is a part of what it waits for
    assert plan.projects["pay"].items == 3
    assert plan.projects["pay"].cost == pytest.approx(7)


def test_a_container_that_is_a_change() -> None:
    work = {
        "CHG": {"type": "change", "change": {}},
        "A": by("wes", "1h", parent="CHG"),
        "B": by("nia", "1h", parent="CHG"),
    }
    assert hours(same(plan_of(ruled(work, rule(SECURITY, REVIEW))))) == {
        "CHG~security-test": (0, 4),
        "A": (4, 5),
        "B": (4, 5),
        "CHG~review": (5, 6),
    }


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"status": "open"}, {"CHG~security-test", "CHG~review"}),
        ({"status": "in-progress"}, {"CHG~review"}),
        ({"status": "done"}, {"CHG~review"}),
        ({"status": "done", "finished": "2026-10-26"}, {"CHG~review"}),  # 28 days less 16 hours ago
        ({"status": "done", "finished": "2026-10-25"}, set()),
        ({"status": "cancelled"}, set()),
        ({"status": "unknown"}, set()),
    ],
)
def test_what_is_still_to_come_of_a_change(state: Data, found: set[str]) -> None:
    made_from = ruled({"CHG": change(**state)}, rule(SECURITY, REVIEW))
    assert inserted(made_from) == found
    assert {"CHG", *found} == set(expand(made_from).portfolio.work)
    plan = same(plan_of(made_from))
    assert {*plan.items, *plan.unscheduled, *plan.done} == {"CHG", *found}


def test_work_for_a_change_on_hold_is_on_hold() -> None:
    plan = same(plan_of(ruled({"CHG": change(on_hold="no money")}, rule(SECURITY, REVIEW))))
    assert {id: left.reason for id, left in plan.unscheduled.items()} == dict.fromkeys(
        ("CHG~security-test", "CHG", "CHG~review"), Reason.ON_HOLD
    )


def test_ids_are_words() -> None:
    steps = [{"before": title} for title in ("Ünder the hood!", "回帰テスト", "---", "2nd  look")]
    assert inserted(ruled({"C 1": change()}, rule(*steps))) == {
        "C 1~ünder-the-hood",
        "C 1~回帰テスト",
        "C 1~work",
        "C 1~2nd-look",
    }


# --- progress of inserted work


def test_a_written_item_of_the_same_id_tells_the_progress() -> None:
    rules = rule(REGRESSION, SECURITY, AUTHORISATION)
    work: Data = {
        "CHG": change(),
        "CHG~full-regression": {"status": "done", "title": "as the tracker says"},
        "CHG~security-test": {
            "status": "in-progress",
            "needs": [{"skill": "security", "who": "sam", "remaining": "1h"}],
        },
    }
    plan = same(plan_of(ruled(work, rules)))
    assert plan.done == ("CHG~full-regression",)
    assert hours(plan) == {"CHG~security-test": (0, 1), "CHG~authorisation": (1, 25), "CHG": (25, 27)}
    work["CHG~security-test"] = {"status": "done"}
    work["CHG~authorisation"] = {"status": "in-progress", "started": "2026-11-23T00:00:00+00:00"}
    assert hours(same(plan_of(ruled(work, rules))))["CHG"] == (16, 18)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"status": "cancelled"}, "open, in-progress or done, not cancelled"),
        ({"needs": [{"skill": "qa", "effort": "10m"}]}, "remove needs.effort"),
        ({"needs": [{"skill": "linux", "remaining": "1h"}]}, "not those of the rule"),
        ({"needs": [{"who": "mei", "remaining": "1h"}, {"who": "sam", "remaining": "1h"}]}, "not those of the rule"),
        ({"wait": "1h"}, "remove wait"),
        ({"after": ["CHG"]}, "remove after"),
    ],
)
def test_nothing_else_may_be_written_of_it(written: Data, message: str) -> None:
    made_from = ruled({"CHG": change(), "CHG~full-regression": written}, rule(REGRESSION))
    with pytest.raises(InputError, match=message):
        plan_of(made_from)


def test_an_id_that_is_another_kind_of_thing() -> None:
    made_from = ruled({"CHG": change()}, rule(REVIEW), projects={"CHG~review": {}})
    with pytest.raises(InputError, match=r"CHG~review is the id of work inserted for CHG"):
        plan_of(made_from)


def test_an_authorisation_that_was_to_be_asked_for_goes_on_in_a_replan() -> None:
    work = {"CHG": change(), "CHG~security-test": {"status": "done"}}
    plan = plan_of(ruled(work, rule(SECURITY, AUTHORISATION, services=[])))
    assert hours(plan)["CHG~authorisation"] == (0, 24)
    later = ruled(work, rule(SECURITY, AUTHORISATION), as_of="2026-11-23T18:00:00+00:00")
    newer, _ = advance(plan, later)
    again = same(plan_of(newer, previous=plan))
    assert again.items["CHG"].start == plan.items["CHG"].start


# --- rules that cannot be met


def test_a_rule_that_matches_nothing_is_told() -> None:
    found = expand(ruled({"CHG": change(services=["wiki"])}, rule(REVIEW, name="pay", services=["payroll"]))).findings
    assert [(f.level, f.code) for f in found] == [("info", "rule-matches-nothing")]
    assert "'pay'" in found[0].message


def test_a_change_that_says_no_risk_is_told() -> None:
    (found,) = expand(ruled({"A": change(), "B": change(risk=9)}, rule(REVIEW, risk_at_least=5))).findings
    assert (found.code, found.ids) == ("rule-risk-unknown", ("A",))


def test_a_rule_that_nobody_can_meet_leaves_its_changes_out() -> None:
    audit = {"before": "Audit", "needs": [{"skill": "law", "effort": "1h"}]}
    plan = same(plan_of(ruled({"CHG": change(), "NEXT": {"after": "CHG"}}, rule(audit, name="legal"))))
    assert plan.unscheduled["CHG~audit"].reason is Reason.NO_HOLDER
    assert plan.unscheduled["CHG"].reason is Reason.UNSCHEDULED
    assert plan.unscheduled["CHG"].refs == ("CHG~audit",)
    assert "legal" in plan.unscheduled["CHG"].text
    assert any(f.code == "rule-never-met" and "'legal'" in f.message for f in plan.findings)
    told = explain(plan, "NEXT")
    assert any("CHG~audit" in line for line in told.text)
    assert any("no one holds law" in line for line in told.text)


def test_a_rule_that_needs_more_of_an_environment_than_there_is() -> None:
    plan = same(plan_of(ruled({"CHG": change()}, rule(REGRESSION | {"environment": {"staging": 2}}))))
    assert plan.unscheduled["CHG~full-regression"].reason is Reason.NO_CAPACITY
    assert any(f.code == "rule-never-met" and "staging" in f.message for f in plan.findings)


def test_an_unknown_service_is_an_error() -> None:
    with pytest.raises(InputError, match=r"policy.rules.0.when.services.0"):
        plan_of(ruled({"CHG": change()}, rule(REVIEW, services=["payrol"])))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"before": "A", "lead": "1d", "needs": [{"skill": "qa", "effort": "1h"}]}, "either a lead"),
        ({"before": "A", "needs": [{"skill": "qa"}]}, "needs.0 says no effort"),
        ({"before": "A", "after": "B"}, "either before"),
    ],
)
def test_a_step_that_says_too_much_or_too_little(step: Data, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ruled({}, rule(step))


# --- verification


def test_everybody_stays_until_the_change_has_proved_itself() -> None:
    needs = [{"skill": "linux", "effort": "4h"}, {"skill": "dba", "effort": "1h"}, {"skill": "qa", "remaining": "0h"}]
    work = {
        "CHG": {"needs": needs, "verify": {"for": "2h"}},
        "DBA": by("nia", "1h", after=[{"item": "CHG", "type": "SS"}]),
    }
    plan = same(plan_of(portfolio(work, PEOPLE)))
    assert hours(plan) == {"CHG": (0, 6), "DBA": (6, 7)}
    assert crew(plan, "CHG") == {"wes", "nia"}  # the third has nothing left to do


def test_a_verifier_is_there_from_the_start_and_is_none_of_the_implementers() -> None:
    people = {"wes": {"skills": ["linux", "deploys"]}, "nia": {"skills": ["deploys"]}}
    made_from = portfolio({"CHG": needing("linux", "2h", verify={"by": "deploys", "for": "1h"})}, people)
    plan = same(plan_of(made_from))
    assert hours(plan) == {"CHG": (0, 3)}
    assert {(a.person, a.need) for a in plan.items["CHG"].assignments} == {("wes", 0), ("nia", 1)}
    alone = portfolio(made_from.model_dump()["work"], {"wes": people["wes"]})
    assert same(plan_of(alone)).unscheduled["CHG"].reason is Reason.NO_HOLDER


def test_the_window_holds_the_verification_and_the_rollback() -> None:
    def planned(window: str) -> Plan:
        work = {"CHG": change(window="night", rollback="1h", verify={"for": "2h"})}
        return same(plan_of(ruled(work, windows={"night": {"every": window}})))

    assert hours(planned("Mon 20:00-01:00"))["CHG"] == (12, 16)
    assert planned("Mon 20:00-00:00").unscheduled["CHG"].reason is Reason.NO_WINDOW


def test_work_after_a_change_follows_its_verification() -> None:
    plan = same(plan_of(ruled({"CHG": change(verify={"for": "3h"})}, rule(REVIEW))))
    assert hours(plan) == {"CHG": (0, 5), "CHG~review": (5, 6)}


@pytest.mark.parametrize(
    ("item", "length"),
    [
        ({"needs": [{"skill": "linux", "remaining": "0h"}], "status": "in-progress"}, 2),  # only verifying is left
        ({"needs": [{"skill": "linux", "effort": "9h", "remaining": "3h"}], "status": "in-progress"}, 5),
        ({"needs": [{"skill": "linux", "effort": "2h", "allocation": "50%"}]}, 6),
        ({"needs": [{"skill": "linux"}], "duration": "90m"}, 4),  # 3 h 30 min, on a grid of hours
        ({"verify": {"by": "dba", "for": "2h"}}, 2),
    ],
)
def test_how_long_a_change_with_verification_takes(item: Data, length: int) -> None:
    plan = same(plan_of(portfolio({"CHG": {"verify": {"for": "2h"}, **item}}, PEOPLE)))
    assert hours(plan) == {"CHG": (0, length)}


@pytest.mark.parametrize(
    "work",
    [
        {"A": {"wait": "1h", "verify": {"for": "1h"}}},
        {"A": {"verify": {"for": "1h"}}},
        {"A": {"verify": {"by": "dba", "for": "1h"}}, "B": by("nia", "1h", parent="A")},
    ],
)
def test_nobody_can_verify_what_nobody_works_on(work: Data) -> None:
    with pytest.raises(InputError, match=r"work.A.verify"):
        plan_of(portfolio(work, PEOPLE))


# --- a portfolio without rules, and what is shown


def test_nothing_is_inserted_where_nothing_asks_for_it() -> None:
    made_from = portfolio({"CHG": change(), "A": by("wes", "1h")}, PEOPLE)
    found = expand(made_from)
    assert found.portfolio is made_from
    assert (dict(found.inserted), found.findings) == ({}, ())
    assert plan_of(made_from).inserted == {}


def test_the_plan_keeps_what_was_written() -> None:
    made_from = ruled({"CHG": change()}, rule(REVIEW))
    plan = plan_of(made_from)
    assert plan.portfolio == made_from
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_inserted_work_is_shown_with_its_title() -> None:
    made_from = ruled({"CHG": change(title="Payroll release", project="pay")}, rule(REGRESSION), projects={"pay": {}})
    plan = plan_of(made_from)
    console = Console(record=True, width=200, file=None)
    with console.capture() as shown:
        show_plan(console, plan)
    texts = [shown.get(), render_report(plan, made_from)]
    texts += [write(plan, made_from) for write in (to_csv, to_ics, to_json)]
    for text in texts:
        assert "Full regression" in text
    assert "pay" in to_csv(plan, made_from).splitlines()[1].split(",")
    told = explain(plan, "CHG~full-regression")
    assert "before CHG, because of retest" in told.text[0]
    assert "CHG~full-regression" in explain(plan, "CHG").refs


# --- any portfolio


@given(portfolios())
@settings(max_examples=60, deadline=None)
def test_the_checker_inserts_the_same_by_itself(made_from: Portfolio) -> None:
    one, other = Insertions(made_from), Expansion(made_from)
    for insert in INSERTERS:
        insert(one)
    assert one.inserted == other.inserted
    assert one.portfolio_with_all().work == other.portfolio.work
    assert set(other.portfolio.work) == {*made_from.work, *one.inserted}
