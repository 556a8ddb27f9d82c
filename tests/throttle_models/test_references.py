"""Every reference that does not resolve, and every contradiction, is found and named."""

from __future__ import annotations

from typing import Any

import pytest

from throttle_models import Finding, Portfolio
from throttle_models.references import contradictions, dangling_references

SOUND: dict[str, Any] = {
    "as_of": "2026-11-23T08:00",
    "zone": "America/Chicago",
    "calendars": {"office": {"hours": "Mon-Fri 09:00-17:00"}},
    "skills": ["linux", "oracle"],
    "teams": {"ops": {}},
    "people": {
        "brent": {
            "team": "ops",
            "calendar": "office",
            "skills": ["linux"],
            "lent_to": [{"team": "ops", "share": "50%", "until": "2026-12-31"}],
        }
    },
    "rotas": {"call": {"people": ["brent"], "first": "2026-11-23"}},
    "environments": {"staging": {"calendar": "office"}},
    "services": {"san": {}, "payroll": {"depends_on": ["san"]}},
    "windows": {"saturday": {"every": "Sat 22:00-04:00", "overhead": {"linux": "1h"}}},
    "freezes": [{"from": "2026-11-25", "to": "2026-11-25", "services": ["payroll"]}],
    "projects": {"phoenix": {"due": "2026-12-18", "costs": {"tardiness": "5/week"}}},
    "external": {"EXT-1": {"expected": "2026-12-01"}},
    "work": {
        "TOP": {},
        "CHG-1": {
            "project": "phoenix",
            "parent": "TOP",
            "needs": [{"skill": "linux", "who": ["brent"], "effort": "1h"}],
            "after": ["EXT-1", "OLD-1"],
            "environment": "staging",
            "change": {"services": ["san"], "window": "saturday"},
            "verify": {"by": "linux", "for": "1h"},
            "interest": {"linux": "1h/week"},
            "wanted_start": "2026-12-01",
            "due": "2026-12-18",
            "costs": {"earliness": 1, "tardiness": 1},
        },
        "OLD-1": {"status": "done", "started": "2026-11-02T10:00", "finished": "2026-11-02"},
    },
    "policy": {
        "drum": "brent",
        "pins": [{"work": "CHG-1", "who": "brent", "window": "saturday", "on": "2026-12-05"}],
        "overrides": [{"item": "phoenix", "limit": "policy.person_wip", "reason": "agreed"}],
        "rules": [
            {
                "name": "retest",
                "when": {"services": ["payroll"]},
                "require": [
                    {"before": "Test", "needs": [{"skill": "linux", "effort": "1h"}], "environment": "staging"}
                ],
            }
        ],
    },
}


def changed(path: str, value: Any, data: Any = SOUND) -> Any:
    """A copy of the data with one place set."""
    step, _, rest = path.partition("/")
    copy: Any = list(data) if isinstance(data, list) else dict(data)
    key: Any = int(step) if isinstance(data, list) else step
    copy[key] = changed(rest, value, copy[key]) if rest else value
    return copy


def findings(data: dict[str, Any]) -> list[Finding]:
    return dangling_references(Portfolio.model_validate(data))


def test_a_sound_portfolio_has_no_findings() -> None:
    assert findings(SOUND) == []


@pytest.mark.parametrize(
    ("path", "place", "code"),
    [
        ("people/brent/team", "people.brent.team", "unknown-team"),
        ("people/brent/calendar", "people.brent.calendar", "unknown-calendar"),
        ("people/brent/lent_to/0/team", "people.brent.lent_to.0.team", "unknown-team"),
        ("rotas/call/people/0", "rotas.call.people.0", "unknown-person"),
        ("environments/staging/calendar", "environments.staging.calendar", "unknown-calendar"),
        ("services/payroll/depends_on/0", "services.payroll.depends_on.0", "unknown-service"),
        ("freezes/0/services/0", "freezes.0.services.0", "unknown-service"),
        ("work/CHG-1/project", "work.CHG-1.project", "unknown-project"),
        ("work/CHG-1/parent", "work.CHG-1.parent", "unknown-item"),
        ("work/CHG-1/needs/0/skill", "work.CHG-1.needs.0.skill", "unknown-skill"),
        ("work/CHG-1/needs/0/who/0", "work.CHG-1.needs.0.who.0", "unknown-person"),
        ("work/CHG-1/after/1", "work.CHG-1.after.1", "dangling-link"),
        ("work/CHG-1/environment", "work.CHG-1.environment.nobody", "unknown-environment"),
        ("work/CHG-1/change/services/0", "work.CHG-1.change.services.0", "unknown-service"),
        ("work/CHG-1/change/window", "work.CHG-1.change.window", "unknown-window"),
        ("work/CHG-1/verify/by", "work.CHG-1.verify.by", "unknown-skill"),
        ("policy/drum", "policy.drum", "unknown-drum"),
        ("policy/pins/0/work", "policy.pins.0.work", "unknown-item"),
        ("policy/pins/0/who", "policy.pins.0.who.0", "unknown-person"),
        ("policy/pins/0/window", "policy.pins.0.window", "unknown-window"),
        ("policy/overrides/0/item", "policy.overrides.0.item", "unknown-override"),
        ("policy/rules/0/when/services/0", "policy.rules.0.when.services.0", "unknown-service"),
        ("policy/rules/0/require/0/needs/0/skill", "policy.rules.0.require.0.needs.0.skill", "unknown-skill"),
        ("policy/rules/0/require/0/environment", "policy.rules.0.require.0.environment.nobody", "unknown-environment"),
    ],
)
def test_a_reference_to_nothing(path: str, place: str, code: str) -> None:
    (finding,) = findings(changed(path, "nobody"))
    assert (finding.path, finding.code, finding.level) == (place, code, "error")
    assert finding.ids[-1] == "nobody"
    assert finding.message.startswith(f"{place}: names 'nobody', which is not in ")


@pytest.mark.parametrize("path", ["people/brent/skills", "windows/saturday/overhead", "work/CHG-1/interest"])
def test_a_skill_that_is_not_declared(path: str) -> None:
    value = {"linus": 1 if path.endswith("skills") else "1h/week" if path.endswith("interest") else "1h"}
    (finding,) = findings(changed(path, value))
    assert finding.code == "unknown-skill"
    assert finding.path == f"{path.replace('/', '.')}.linus"
    assert "write 'linux' if that is meant" in finding.message
    undeclared = {k: v for k, v in changed(path, value).items() if k != "skills"}
    assert findings(undeclared) == []


@pytest.mark.parametrize(
    ("path", "value", "code", "sentence"),
    [
        ("slot", "7m", "slot", "slot: must divide an hour"),
        ("slot", "5h", "slot", "slot: must divide an hour"),
        ("slot", "90m", "slot", "slot: must divide an hour"),
        ("slot", "0h", "slot", "slot: must divide an hour"),
        ("slot", "0.5m", "slot", "slot: must divide an hour"),
        ("as_of", "3d", "as-of", "as_of: must be a date or a moment itself"),
        ("teams", {"ops": {}, "": {}}, "empty-id", "teams.: an id is not empty"),
        ("teams", {"ops": {}, " x": {}}, "empty-id", "teams. x: an id is not empty and has no space around it"),
        ("external", {"EXT-1": {}, "TOP": {}}, "id-twice", "external.TOP: is also the id of an item in work"),
        ("projects", {"phoenix": {}, "TOP": {}}, "id-twice", "projects.TOP: is also the id of an item in work"),
        ("policy/pins", [{"work": "TOP"}], "empty-pin", "policy.pins.0: pins nothing of TOP; add start, who or window"),
        ("policy/pins", [{"work": "TOP", "on": "1d"}], "pin-window", "policy.pins.0: TOP has no change with a window"),
        ("policy/pins", [{"work": "TOP", "who": "brent"}, {"work": "TOP", "start": "1d"}], "pinned-twice",
         "policy.pins.1: TOP is pinned twice; write one pin that says all"),
        ("freezes/0/to", "2026-11-24", "freeze-reversed", "freezes.0: ends before it begins"),
        ("projects/phoenix/due", None, "cost-without-due", "projects.phoenix.costs.tardiness: counts from a due date"),
        ("work/CHG-1/due", None, "cost-without-due", "work.CHG-1.costs.tardiness: counts from a due date; add due"),
        ("work/CHG-1/wanted_start", None, "cost-without-wanted-start", "costs.earliness: counts from a wanted start"),
        ("projects/phoenix/costs", {"earliness": 1}, "cost-without-wanted-start", "give it to an item"),
        ("work/OLD-1/finished", "2026-11-01", "dates-contradict", "work.OLD-1.finished: lies before started"),
        ("work/CHG-1/not_before", "99999999999d", "date-out-of-range", "work.CHG-1.not_before: lies before 1970"),
        ("work/CHG-1/due", "9999-12-31", "date-out-of-range", "work.CHG-1.due: lies before 1970 or after 2199"),
        ("work/CHG-1/due", "1492-10-12", "date-out-of-range", "work.CHG-1.due: lies before 1970 or after 2199"),
    ],
)  # fmt: skip
def test_a_contradiction(path: str, value: Any, code: str, sentence: str) -> None:
    found = {f.code: f for f in findings(changed(path, value))}
    assert sentence in found[code].message
    assert set(found) - {code} <= {"cost-without-due", "cost-without-wanted-start"}


@pytest.mark.parametrize("slot", ["1m", "15m", "30m", "1h", "2h", "12h", "24h"])
def test_slots_that_fit(slot: str) -> None:
    assert findings(changed("slot", slot)) == []


def test_what_an_importer_read_may_contradict_itself() -> None:
    item = {"started": "2026-11-02", "finished": "2026-11-01", "source": {"file": "x.csv"}}
    assert findings(changed("work/OLD-1", item)) == []


def warnings(**sections: Any) -> list[Finding]:
    portfolio = Portfolio.model_validate({"as_of": "2026-11-23T08:00", "zone": "America/Chicago", **sections})
    assert dangling_references(portfolio) == []
    return contradictions(portfolio)


@pytest.mark.parametrize(
    ("item", "place", "sentence"),
    [
        ({"status": "done", "finished": "2026-11-24"}, "finished", "lies after as_of"),
        ({"created": "2026-11-10", "finished": "2026-11-09"}, "created", "lies after finished"),
        ({"status": "in-progress", "started": "1h"}, "started", "lies after as_of, though it is in progress"),
        ({"due": "2026-12-01", "not_before": "2026-12-02"}, "due", "lies before not_before"),
        (
            {"needs": [{"skill": "s", "effort": "1h/2h/4h", "remaining": "5h"}]},
            "needs.0.remaining",
            "is more than the effort's high",
        ),
    ],
)
def test_what_cannot_all_be_right_is_a_warning(item: dict[str, Any], place: str, sentence: str) -> None:
    (finding,) = warnings(work={"A": {}, "B": item, "C": item})
    assert finding.level == "warning"
    assert (finding.path, finding.ids, finding.count) == (f"work.B.{place}", ("B", "C"), 2)
    assert finding.message.startswith(f"work.B.{place} (and 1 more): {sentence}")


def test_what_may_well_be_right() -> None:
    fine: list[dict[str, Any]] = [
        {"status": "done", "finished": "2026-11-23", "created": "2026-11-23T07:00"},
        {"started": "1h"},
        {"status": "in-progress", "started": "2026-11-23"},
        {"due": "2026-12-01", "not_before": "2026-12-01"},
        {"due": "2026-12-01T10:00", "not_before": "2026-12-01T10:00"},
        {"status": "done", "due": "2026-10-01", "not_before": "2026-10-02"},
        {"needs": [{"skill": "s", "effort": "1h/2h/4h", "remaining": "4h"}]},
    ]
    assert warnings(work={f"W-{i}": item for i, item in enumerate(fine)}) == []


def test_a_project_that_is_due_before_it_may_begin() -> None:
    (finding,) = warnings(projects={"p": {"due": "1d", "not_before": "2d"}})
    assert finding.path == "projects.p.due"


def test_dates_out_of_range_are_no_contradictions() -> None:
    data = {"as_of": "2026-11-23", "work": {"A": {"finished": "9999-12-31", "due": "99999999999d"}}}
    assert contradictions(Portfolio.model_validate(data)) == []


def test_cycles_of_parents_are_chains_of_ids() -> None:
    parents = {"A": "B", "B": "C", "C": "A", "D": "A", "E": "E", "F": None}
    work = {key: {"parent": parent} for key, parent in parents.items()}
    found = dangling_references(Portfolio.model_validate({"as_of": "2026-11-23", "work": work}))
    assert [f.code for f in found] == ["parent-cycle", "parent-cycle"]
    assert "A -> B -> C -> A" in found[0].message
    assert "E -> E" in found[1].message
    assert found[0].ids == ("A", "B", "C")


def test_many_problems_take_little_time() -> None:
    work = {f"W-{i}": {"after": [f"X-{i}"], "project": f"P-{i}"} for i in range(5000)}
    assert len(dangling_references(Portfolio.model_validate({"as_of": "2026-11-23", "work": work}))) == 10_000
