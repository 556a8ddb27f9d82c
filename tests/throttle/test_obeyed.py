"""No field of the vocabulary is ignored in silence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from support.portfolios import portfolios
from throttle.files import load_portfolio
from throttle.obeyed import KNOWN, REFUSED, Refusal, refusals, vocabulary
from throttle_models import Portfolio

FIELDS = {refusal.field for refusal in REFUSED}


def test_every_field_is_known_or_refused() -> None:
    within = tuple(f"{field}." for field in FIELDS)
    unaccounted = [f for f in vocabulary() if f not in KNOWN and f not in FIELDS and not f.startswith(within)]
    assert unaccounted == [], "name the new fields in KNOWN or in REFUSED of throttle.obeyed"


def test_no_table_names_a_field_that_is_gone() -> None:
    assert (set(KNOWN) | FIELDS) - set(vocabulary()) == set()
    assert set(KNOWN) & FIELDS == set()


def test_the_vocabulary_is_walked_to_its_leaves() -> None:
    assert {"as_of", "work.*.needs.*.who", "work.*.change.approval.given", "policy.rules.*.require.*.needs.*.effort",
            "freezes.*.from", "policy.fever.green"} <= set(vocabulary())  # fmt: skip
    assert not any(field.endswith((".text", ".low", ".last")) for field in vocabulary())


USES: dict[str, Any] = {}


def test_each_refusal_is_tried() -> None:
    assert set(USES) == FIELDS


@pytest.mark.parametrize("field", sorted(USES))
def test_a_field_that_is_not_obeyed_is_refused_by_its_name(field: str) -> None:
    (finding,) = refusals(Portfolio.model_validate({"as_of": "2026-11-23", **USES[field]}))
    assert (finding.level, finding.code) == ("error", "not-obeyed")
    assert finding.path is not None
    assert re.fullmatch(field.replace(".", r"\.").replace("*", "(x|0)"), finding.path)
    assert finding.message.startswith(f"{finding.path}: ")
    assert " not " in finding.message
    assert ";" in finding.message


def test_all_of_them_at_once() -> None:
    data: dict[str, Any] = {"as_of": "2026-11-23"}
    for use in USES.values():
        for section, entries in use.items():
            for key, entry in entries.items():
                held = data.setdefault(section, {}).setdefault(key, type(entry)())
                if isinstance(entry, dict):
                    held.update(entry)
                elif isinstance(entry, list):
                    held.extend(entry)
                else:
                    data[section][key] = entry
    found = refusals(Portfolio.model_validate(data))
    assert len(found) == len(REFUSED)


def test_uses_of_one_field_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Refusal("people.*.wip", "limits are not obeyed; remove it")
    monkeypatch.setattr("throttle.obeyed.REFUSED", (refused,))
    people = {name: {"wip": 2} for name in ("brent", "wes", "mei")}
    (finding,) = refusals(Portfolio.model_validate({"as_of": "2026-11-23", "people": people}))
    assert finding.count == 3
    assert finding.ids == ("brent", "wes", "mei")
    assert finding.message.startswith("people.brent.wip (and 2 more): ")


@given(portfolios())
@settings(max_examples=30, deadline=None)
def test_what_a_plan_obeys_is_not_refused(portfolio: Portfolio) -> None:
    assert refusals(portfolio) == []


PAGE = (Path(__file__).parents[2] / "docs" / "portfolio.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    (text,) = re.findall(rf"^## `?{title}`?\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    return str(text)


@pytest.mark.parametrize("field", sorted(Portfolio.model_fields))
def test_the_page_for_planners_explains_every_field(field: str) -> None:
    head = field in ("throttle", "as_of", "zone", "slot", "currency")
    words = set(re.findall(r"`([a-z_]+)`", section("Head" if head else field)))
    # the needs of work that a rule inserts are those of any item
    inner = {f.rpartition(".")[2] for f in vocabulary() if f.startswith(f"{field}.") and ".require.*.needs." not in f}
    assert ({field} if head else inner) - words == set()


def test_the_example_of_the_page_is_a_portfolio_that_is_obeyed(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    assert refusals(load_portfolio(tmp_path / "example.yaml")) == []


def test_the_page_says_what_is_refused() -> None:
    assert set(re.findall(r"`([a-z_.]+)`", section("Not obeyed yet"))) == {f.replace(".*", "") for f in FIELDS}
