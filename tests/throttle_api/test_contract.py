"""The service does what its OpenAPI description says, a few cases of each call; ``make contract`` tries thousands."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from benchmarks.contract import CONFIG
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings

from support.service import Kit, small_portfolio
from throttle_api.routes import ROUTERS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library, while it is imported
    import schemathesis
    from schemathesis.config import SchemathesisConfig


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    kit = Kit(
        tmp_path_factory.mktemp("contract"),
        {"longest_wait": 0, "queued_jobs": 100_000, "rate_unknown": "1000000/second"},
    )
    client = kit.client()
    kit.accepted(client)
    client.put("/v1/datasets/it-portfolio", json=small_portfolio())
    yield kit
    kit.close()


@pytest.fixture(scope="module")
def described(kit: Kit) -> Any:
    config = SchemathesisConfig.from_str(CONFIG)
    return schemathesis.openapi.from_asgi("/openapi.json", kit.app, config=config, headers={"Host": "127.0.0.1"})


@pytest.fixture(scope="module")
def key(kit: Kit) -> str:
    return kit.key()


SLOW = ("createImport", "explainResult", "explainResultItem", "explainPlanItem", "comparePlans")
"""Processes of their own answer these; `make contract` tries them."""
CALLS = [
    str(route.operation_id) for router in ROUTERS for route in router.routes
    if isinstance(route, APIRoute) and route.operation_id not in SLOW
]  # fmt: skip


@pytest.mark.parametrize("id", CALLS)
def test_each_call_keeps_the_contract(described: Any, key: str, id: str) -> None:
    operation = described.find_operation_by_id(id)

    @given(operation.as_strategy())
    @settings(max_examples=2, phases=(Phase.explicit, Phase.generate), deadline=None,
              suppress_health_check=list(HealthCheck), derandomize=True, database=None)  # fmt: skip
    def check(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {key}", "Host": "127.0.0.1"})

    check()
