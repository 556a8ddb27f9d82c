"""Portfolios that are kept here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import RootModel

from throttle_api.bodies import json_text
from throttle_api.context import Planner, Reader
from throttle_api.negotiation import matching, tag, unchanged
from throttle_api.problems import Problem
from throttle_api.routes.common import (
    BODY,
    Cursor,
    DatasetIdPath,
    IfMatch,
    IfNoneMatch,
    Limit,
    body_of,
    decode_cursor,
    encode_cursor,
    next_link,
    problems,
)
from throttle_api.sandbox import read_portfolio
from throttle_api.storage import audit
from throttle_api.storage import datasets as store
from throttle_api.views import DatasetList, DatasetView, dataset_view

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])


class PortfolioBody(RootModel[dict[str, Any]]):
    """A portfolio, as portfolio files write it, in JSON (docs/portfolio.md; `throttle schema portfolio`)."""


EXAMPLE = {
    "throttle": 1,
    "as_of": "2026-11-23T08:00",
    "people": {"ana": {"skills": {"oracle": 3}}, "ben": {"skills": {"java": 2}}},
    "projects": {"shop": {"cost_of_delay": "30000/week"}},
    "work": {
        "SHOP-1": {"title": "Order schema", "project": "shop", "needs": [{"skill": "oracle", "effort": "16h"}]},
        "SHOP-2": {
            "title": "Order screens",
            "project": "shop",
            "needs": [{"skill": "java", "effort": "40h"}],
            "after": ["SHOP-1"],
        },
    },
}


@router.get("", operation_id="listDatasets", responses=problems("bad-cursor", "invalid-request"))
def list_datasets(
    request: Request, response: Response, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> DatasetList:
    """The newest version of each dataset, by id."""
    after = decode_cursor(cursor, str)
    with caller.read() as tx:
        found = store.every(tx, after=after, limit=limit + 1)
    more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    next_link(request, response, more)
    return DatasetList(datasets=[dataset_view(d) for d in found[:limit]], next=more)


@router.get(
    "/{dataset_id}",
    operation_id="getDataset",
    response_class=Response,
    responses={
        200: {"model": PortfolioBody, "description": "The portfolio."},
        304: {"description": "It has not changed."},
        **problems("not-found", "invalid-request"),
    },
)
def get_dataset(caller: Reader, id: DatasetIdPath, if_none_match: IfNoneMatch = None) -> Response:
    """The newest version of a portfolio, as it was put or as an import made it."""
    with caller.read() as tx:
        found = store.get(tx, id)
        headers = {"ETag": tag(found.etag)}
        if unchanged(if_none_match, found.etag):
            return Response(status_code=304, headers=headers)
        body = store.body(tx, id, found.version)
    return Response(body, media_type="application/json", headers=headers)


@router.put(
    "/{dataset_id}",
    operation_id="putDataset",
    response_model=DatasetView,
    openapi_extra=body_of(PortfolioBody, EXAMPLE),
    responses={
        201: {"model": DatasetView, "description": "A new dataset."},
        **problems(*BODY, "bad-header", "changed", "needs-if-match", "invalid-portfolio"),
    },
)
def put_dataset(
    caller: Planner,
    id: DatasetIdPath,
    text: Annotated[str, Depends(json_text)],
    if_match: IfMatch = None,
    if_none_match: Annotated[str | None, Header(description="`*`: only where there is no such dataset yet.")] = None,
) -> Response:
    """Put a portfolio: a new dataset, or, with `If-Match`, the next version of one."""
    expected = matching(if_match)
    with caller.service.scratch() as folder:
        read = read_portfolio(text, folder, caller.service.settings)
    with caller.write() as tx:
        before = store.find(tx, id)
        if before is not None and if_none_match is not None and if_none_match.strip() == "*":
            raise Problem("changed", f"There is a dataset {id} already.")
        if before is not None and expected is None:
            raise Problem("needs-if-match", f"There is a dataset {id}: send If-Match with its ETag to replace it.")
        if expected is not None and (before is None or expected not in ("*", before.etag)):
            raise Problem("changed", f"The dataset {id} has another ETag: get it again.")
        made, new = store.put(tx, id, read.portfolio.encode(), by=caller.actor)
        audit.add(tx, caller.actor, "dataset.put", id, {"version": made.version, "etag": made.etag})
    headers = {"Location": f"/v1/datasets/{id}", "ETag": tag(made.etag)}
    return JSONResponse(dataset_view(made).model_dump(mode="json"), 201 if new else 200, headers)
