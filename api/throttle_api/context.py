"""What a handler has at hand: the service, who asks, and transactions of that tenant only."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from throttle_api.aside import Aside
from throttle_api.auth import SCOPES, Principal, StoredKey, Tokens, by_key
from throttle_api.gate import Rates
from throttle_api.problems import Problem
from throttle_api.storage import SYSTEM, Database, Tx, keys, tenants, webhooks

if TYPE_CHECKING:
    from throttle_api.jobs.queue import Queue
    from throttle_api.metrics import Metrics
    from throttle_api.settings import Settings

_REMEMBERED = 1.0
"""Seconds for which a key that was found is not looked up again; so long a revoked one may still open."""
_MOST_REMEMBERED = 1000


@dataclass
class Service:
    """Everything that lives as long as the application."""

    settings: Settings
    database: Database
    metrics: Metrics
    queue: Queue
    rates: Rates = field(init=False)
    tokens: Tokens = field(init=False)
    aside: Aside = field(init=False)
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the service ends: event streams and waits end then too."""
    streams: asyncio.Semaphore = field(init=False)
    ready: bool = False

    def __post_init__(self) -> None:
        self.rates, self.tokens = Rates(self.settings), Tokens(self.settings)
        self.aside = Aside(self.settings.heavy_seconds)
        self.streams = asyncio.Semaphore(self.settings.streams)
        self._known: dict[str, tuple[float, Principal]] = {}

    async def identify(self, text: str) -> Principal | None:
        """Whose key or token this is."""
        if not text.startswith("thr_"):
            signed = self.tokens.principal(text)
            known = signed is not None and await run_in_threadpool(self._has_tenant, signed.tenant)
            return signed if known else None
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        found = self._known.get(digest)
        if found is not None and time.monotonic() - found[0] < _REMEMBERED:
            return found[1]
        principal = await run_in_threadpool(self._by_key, text)
        self._known.pop(digest, None)
        if principal is not None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[digest] = (time.monotonic(), principal)
        return principal

    def _by_key(self, text: str) -> Principal | None:
        with self.database.read(SYSTEM) as tx:

            def find(id: str) -> StoredKey | None:
                key = keys.find(tx, id)
                if key is None:
                    return None
                return StoredKey(key.tenant_id, key.id, key.hash, key.scopes, key.expires, key.revoked)

            principal = by_key(text, find, tx.now)
            return principal if principal and _live(tx, principal.tenant) else None

    def _has_tenant(self, tenant: str) -> bool:
        with self.database.read(tenant) as tx:
            return _live(tx, tenant)

    def tell(self, tx: Tx, event: str, data: dict[str, Any]) -> None:
        """Let the tenant's webhook know, if it has one, once the transaction is committed."""
        if self.settings.webhooks:
            webhooks.enqueue(tx, event, data)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for what is being read; gone afterwards."""
        place = self.settings.data / "uploads"
        place.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=place))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _live(tx: Tx, tenant: str) -> bool:
    found = tenants.find(tx, tenant)
    return found is not None and not found.disabled


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and their transactions: no handler can open one of another tenant."""

    service: Service
    principal: Principal

    @property
    def actor(self) -> str:
        return self.principal.actor

    def read(self) -> AbstractContextManager[Tx]:
        return self.service.database.read(self.principal.tenant)

    def write(self) -> AbstractContextManager[Tx]:
        return self.service.database.write(self.principal.tenant)

    def now(self) -> datetime:
        return self.service.database.clock()


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


class Needs:
    """The dependency of a route that needs a scope; gives the :class:`Caller`. Raises Problem without it."""

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"{scope} is no scope")
        self.scope = scope

    def __call__(self, request: Request) -> Caller:
        principal: Principal = request.state.principal
        if self.scope not in principal.scopes:
            raise Problem("not-allowed", f"This needs a key with the scope {self.scope}.")
        return Caller(service_of(request), principal)


def needs(scope: str) -> Any:
    """For the annotation of a handler's argument."""
    return Depends(Needs(scope))


Reader = Annotated[Caller, Depends(Needs("read"))]
Planner = Annotated[Caller, Depends(Needs("plan"))]
Decider = Annotated[Caller, Depends(Needs("decide"))]
Admin = Annotated[Caller, Depends(Needs("admin"))]
