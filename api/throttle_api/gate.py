"""The way in, which every request takes: name of the host, sign-in, rates, log line, headers, and what goes wrong.

Outermost first: :class:`Outside` (headers, log, figures, defects), :class:`Gate` (host, key, rate). Both are ASGI
middleware around all routes, so that no route can be without them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from secure import (
    ContentSecurityPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from throttle_api.auth import Principal, bearer, unknown
from throttle_api.logs import log, place_of
from throttle_api.problems import Problem

if TYPE_CHECKING:
    from throttle_api.settings import Settings

OPEN = re.compile(r"/(healthz|readyz|openapi\.json|v1/calendars/feed/[^/]*)?")
"""Addresses that need no key. A calendar's token is in its address, since calendars cannot send headers."""

_HOST = re.compile(r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""A name or address, and a port: calendars are told their own address, which begins with it."""

SECURITY: dict[str, str] = dict(
    Secure(
        csp=ContentSecurityPolicy().default_src("'none'").frame_ancestors("'none'").base_uri("'none'"),
        hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains(),
        referrer=ReferrerPolicy().no_referrer(),
        xcto=XContentTypeOptions(),
        xfo=XFrameOptions().deny(),
    ).headers
) | {"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "private, no-cache"}
"""Of every answer, unless it says something else itself: what is shown may run nothing and be framed by nobody."""


class Outside:
    """Headers and a log line for every answer; an exception becomes a problem that does not quote it."""

    def __init__(self, app: ASGIApp, observe: Callable[[str, str, int, float], None]) -> None:
        """observe: called with method, route (never the address, which has ids), status and seconds."""
        self.app, self.observe = app, observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 0

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except Problem as problem:
            if status:
                raise
            await problem.response()(scope, receive, with_headers)
        except Exception as problem:
            log().error("defect", **place_of(problem))
            if status:
                raise  # too late for another answer: the connection ends
            detail = f"An internal error ({type(problem).__name__}); please report it with the X-Request-ID."
            await Problem("internal-error", detail).response()(scope, receive, with_headers)
        finally:
            route = _route(scope)
            seconds = time.perf_counter() - begun
            self.observe(scope["method"], route, status, seconds)
            principal: Principal | None = scope.get("state", {}).get("principal")
            log().info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 1),
                actor=principal.actor if principal else None,
                tenant=principal.tenant if principal else None,
            )


def _route(scope: Scope) -> str:
    """The address as it is written in the code, with ``{id}`` for what differs; one word for what is no route."""
    route = scope.get("route")
    return str(getattr(route, "path_format", None) or getattr(route, "path", None) or "unknown")


class Rates:
    """How often who may come; kept in the memory of this process."""

    def __init__(self, settings: Settings) -> None:
        self._known, self._unknown = parse(settings.rate), parse(settings.rate_unknown)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def known(self, who: str) -> Problem | None:
        return self._hit(self._known, who)

    def unknown(self, address: str) -> Problem | None:
        return self._hit(self._unknown, f"unknown:{address}")

    def _hit(self, item: RateLimitItem, who: str) -> Problem | None:
        if self._limiter.hit(item, who):
            return None
        reset = self._limiter.get_window_stats(item, who).reset_time
        wait = max(1, round(reset - time.time()))
        return Problem(
            "too-many-requests",
            f"More than {item} requests; come again in {wait} s.",
            headers={"Retry-After": str(wait)},
        )


class Gate:
    """Host, key and rate, before anything else looks at the request."""

    def __init__(self, app: ASGIApp, settings: Settings, rates: Rates, identify: Callable[[str], Any]) -> None:
        """identify: awaited with what the Authorization header carries, gives a Principal or None."""
        self.app, self.settings, self.rates, self.identify = app, settings, rates, identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._named(headers.get("host", "")):
            raise Problem("unknown-host", f"This service is known as {' or '.join(self.settings.names)}.")
        address = scope["client"][0] if scope.get("client") else "unknown"
        if OPEN.fullmatch(scope["path"]):
            refusal = self.rates.known(f"address:{address}")
        else:
            text = bearer(headers.get("authorization"))
            principal: Principal | None = await self.identify(text) if text else None
            if principal is None:
                raise self.rates.unknown(address) or unknown()
            scope.setdefault("state", {})["principal"] = principal
            refusal = self.rates.known(f"{principal.tenant}:{principal.actor}")
        if refusal is not None:
            raise refusal
        await self.app(scope, receive, send)

    def _named(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        return match is not None and ("*" in self.settings.names or match[1].lower() in self.settings.names)
