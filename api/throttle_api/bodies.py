"""Bodies of requests: counted in bytes as they come, and for JSON the nesting measured before anything parses it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from throttle.documents import read_json
from throttle.errors import InputError
from throttle_api.problems import MOST_ERRORS, Problem, of_findings
from throttle_api.settings import Settings

UPLOADS = ("/v1/imports",)
"""Addresses that take files; all others take JSON."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")

_M = TypeVar("_M", bound=BaseModel)


def too_deep(body: bytes, depth: int) -> bool:
    """Whether JSON is nested deeper than ``depth``; linear in its length, and safe for what is no JSON at all.

    What is left of it without strings is brackets; each round takes the innermost pairs away.
    """
    left = _STRING.sub(b"", body).translate(_ONE_KIND, _BRACKETS)
    for _ in range(depth):
        shorter = left.replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    # a pair is left of what is too deep; many open ones would take a parser as deep before it finds out
    return b"[]" in left or left.count(b"[") > depth


class LimitBodies:
    """ASGI middleware: refuses bodies of too many bytes, or of another media type than the address takes.

    The header is believed only where it says too much; what arrives is counted.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {k.lower(): v for k, v in scope["headers"]}
        upload = scope["path"].rstrip("/") in UPLOADS
        most = self.settings.upload_bytes if upload else self.settings.json_bytes
        refusal = _refused(headers, upload, most)
        if refusal is not None:
            await refusal.response()(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > most:
                    raise _too_large(most)
            return message

        await self.app(scope, counted, send)


def _too_large(most: int) -> Problem:
    return Problem("too-large", f"The body has more than {most:,} bytes, which is the most that is read.")


def _refused(headers: dict[bytes, bytes], upload: bool, most: int) -> Problem | None:
    length = headers.get(b"content-length", b"0")
    if not re.fullmatch(rb"\d{1,18}", length):
        return Problem("bad-header", "Content-Length is no number of bytes.")
    if int(length) > most:
        return _too_large(most)
    if int(length) == 0 and b"transfer-encoding" not in headers:
        return None
    given = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if upload and given != b"multipart/form-data":
        return Problem("unsupported-media-type", "Send files as multipart/form-data.")
    if not upload and given != b"application/json":
        return Problem("unsupported-media-type", "Send JSON, with Content-Type: application/json.")
    return None


async def json_text(request: Request) -> str:
    """The body as text, of the bytes and depth that are allowed. Raises Problem."""
    settings: Settings = request.app.state.service.settings
    body = await request.body()
    if await run_in_threadpool(too_deep, body, settings.json_depth):
        raise Problem("too-deep", f"The body is nested more than {settings.json_depth} deep; write it flatter.")
    try:
        return body.decode()
    except UnicodeDecodeError as problem:
        message = f"The body is no UTF-8 at byte {problem.start}."
        raise Problem("malformed-request", message) from None


def parsed(text: str, model: type[_M]) -> _M:
    """JSON text as a model. Raises Problem with all that is wrong, and where."""
    try:
        data = read_json(text or "null", Path("body"))
    except InputError as problem:
        raise Problem("malformed-request", "The body is not sound JSON.", of_findings(problem.findings)) from None
    try:
        return model.model_validate_json(json.dumps(data), strict=False)
    except ValidationError as problem:
        errors = [
            {"where": ".".join(("body", *map(str, e["loc"]))), "message": e["msg"]}
            for e in problem.errors(include_input=False, include_url=False)[:MOST_ERRORS]
        ]
        raise Problem("invalid-request", "The body does not fit its description; see errors.", errors) from None
