"""What several routes share."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

from fastapi import Header, Path, Query, Request, Response
from pydantic import BaseModel

from throttle_api.problems import Problem, documented

OFTEN = ("no-key", "not-allowed", "too-many-requests", "internal-error", "not-ready")
"""What any call may answer."""
BODY = ("malformed-request", "too-deep", "too-large", "unsupported-media-type", "invalid-request", "no-space")
"""What any call with a body may answer."""

JobIdPath = Annotated[
    str, Path(alias="job_id", pattern=r"^job_[0-9a-f]{24}$", examples=["job_5b1de0a86c1f4bb39f1d2a77"])
]
DatasetIdPath = Annotated[
    str, Path(alias="dataset_id", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", examples=["it-portfolio"])
]
ItemPath = Annotated[
    str, Path(alias="item_id", min_length=1, max_length=500, pattern="^[^\\x00]+$", examples=["PHX-23"])
]
"""PostgreSQL has no text with a zero byte."""
WeekPath = Annotated[str, Path(alias="iso_week", pattern=r"^[0-9]{4}-W[0-9]{2}$", examples=["2026-W48"])]
Accept = Annotated[str | None, Header(include_in_schema=False)]
IfNoneMatch = Annotated[str | None, Header(description="The ETag that is known: 304 where it has not changed.")]
IfMatch = Annotated[str | None, Header(description="The ETag of what is replaced.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Most entries of a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="The `next` of the page before.")]


BODIES: dict[str, type[BaseModel]] = {}
"""Models of bodies that handlers read themselves, for the description."""


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route: what any call may answer, and these codes."""
    return documented(*OFTEN, *codes)


def body_of(model: type[BaseModel], example: Any, required: bool = True) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that reads its JSON body itself."""
    BODIES[model.__name__] = model
    content = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}, "example": example}
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def encode_cursor(*parts: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, kind: type[int] | type[str]) -> Any:
    """What :func:`encode_cursor` was given. Raises Problem for what it did not make."""
    if cursor is None:
        return None
    try:
        [value] = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if (
            isinstance(value, kind)
            and not isinstance(value, bool)
            and (value.isprintable() if isinstance(value, str) else abs(value) < 2**62)
        ):
            return value
    except (ValueError, TypeError, RecursionError):
        pass
    raise Problem("bad-cursor", "The cursor is not one that this service gave; begin without one.")


def next_link(request: Request, response: Response, cursor: str | None) -> None:
    """The Link header (RFC 8288) to the next page, which keeps the other parameters."""
    if cursor is not None:
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
