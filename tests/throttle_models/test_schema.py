"""The published JSON Schemas hold for what the program writes."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from support.portfolios import portfolios
from throttle_models import Plan, Policy, Portfolio


@pytest.mark.parametrize("model", [Portfolio, Plan, Policy])
def test_a_schema_is_one(model: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(model.model_json_schema())


_SCHEMA = jsonschema.Draft202012Validator(Portfolio.model_json_schema())


@given(portfolios())
@settings(max_examples=20, deadline=None)
def test_a_portfolio_as_written_obeys_its_schema(portfolio: Portfolio) -> None:
    _SCHEMA.validate(portfolio.model_dump(mode="json", exclude_defaults=True))


@pytest.mark.parametrize(
    "data",
    [
        {"as_of": "2026-11-23", "work": {"A": {"titel": "x"}}},
        {"as_of": "2026-11-23", "slot": "half"},
        {"work": {}},
    ],
)
def test_the_schema_refuses_what_the_program_refuses(data: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        _SCHEMA.validate(data)
    with pytest.raises(ValueError, match="validation error"):
        Portfolio.model_validate(data)
