"""Sending webhooks: to public https addresses only, looked up anew and connected to by address at each send."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from throttle_api.logs import log, place_of
from throttle_api.storage import SYSTEM, Database, StorageError
from throttle_api.storage import webhooks as store

ATTEMPTS = (timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
            timedelta(hours=10), timedelta(hours=14))  # fmt: skip
"""Pauses after each failed attempt, as Standard Webhooks proposes; then a message is given up."""
SECONDS = 15.0
"""For one attempt."""
_MOST_ANSWER = 65_536
_LOOK = 2.0

Addresses = list[tuple[int, str]]
"""Address family and address."""


class AddressError(ValueError):
    """An address that nothing is sent to; the message says why."""


def resolve(url: str, lookup: Callable[..., Sequence[Any]] = socket.getaddrinfo) -> tuple[str, int, str, Addresses]:
    """Host, port, path and the addresses of the host. Raises AddressError unless all of them are public."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        raise AddressError("The address is no URL.") from None
    if parts.scheme != "https" or not parts.hostname:
        raise AddressError("The address must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressError("The address must not carry a user, a password or a fragment.")
    if any(ord(c) <= 32 or ord(c) > 126 for c in url):
        raise AddressError("The address must be plain ASCII without blanks.")
    try:
        found = lookup(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressError("The host of the address is not known.") from None
    addresses = [(int(f[0]), str(f[4][0])) for f in found]
    if not addresses or not all(_public(address) for _, address in addresses):
        raise AddressError("The host of the address is not on the public internet.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.hostname, port, path, addresses


def _public(text: str) -> bool:
    address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None and not inner.is_global:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class _ToAddress(http.client.HTTPSConnection):
    """A connection to an address that was looked at, with the certificate of the host that was asked for."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds, context=context)
        self._to, self._tls = address, context

    def connect(self) -> None:
        plain = socket.create_connection((self._to, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def post(url: str, body: bytes, headers: Mapping[str, str], context: ssl.SSLContext | None = None) -> int:
    """The status of the answer; redirects are not followed. Raises AddressError, OSError, http.client.HTTPException."""
    host, port, path, addresses = resolve(url)
    connection = _ToAddress(host, port, addresses[0][1], context or ssl.create_default_context(), SECONDS)
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(_MOST_ANSWER)
        return answer.status
    finally:
        connection.close()


class Sender:
    """A thread that sends what is due. Several may run, on several hosts: each attempt is counted before it is made."""

    def __init__(self, database: Database, post: Callable[[str, bytes, Mapping[str, str]], int] = post) -> None:
        self._database, self._post = database, post
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends after the attempt that is being made."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(SECONDS + 1)

    def _run(self) -> None:
        while not self._ending.wait(_LOOK):
            try:
                self.send_due()
            except StorageError as problem:
                log().warning("webhooks wait", why=str(problem))
            except Exception as problem:
                log().error("defect", **place_of(problem))

    def send_due(self) -> int:
        """Try everything that is due now, once; how many were tried."""
        tried = 0
        with self._database.read(SYSTEM) as tx:
            waiting, now = store.due(tx), tx.now
        for delivery in waiting:
            pause = ATTEMPTS[min(delivery.attempt, len(ATTEMPTS) - 1)]
            with self._database.write(delivery.tenant_id) as tx:
                mine = store.begin(tx, delivery, now + max(pause, timedelta(minutes=1)))
                hook = store.find(tx)
            if mine:
                tried += 1
                self._try(delivery, hook, now, pause)
        return tried

    def _try(self, delivery: store.Delivery, hook: store.Webhook | None, now: datetime, pause: timedelta) -> None:
        status, reason, state = None, None, store.SENT
        if hook is None or not hook.active:
            reason, state = "the webhook was removed", store.GIVEN_UP
        else:
            try:
                status = self._post(hook.url, *_message(delivery, hook.secret, now))
                if not 200 <= status < 300:
                    reason = f"the answer was {status}"
            except AddressError as problem:
                reason = str(problem)
            except (OSError, http.client.HTTPException) as problem:
                reason = f"no answer ({type(problem).__name__})"
            if reason is not None:
                gone = status == 410 or delivery.attempt + 1 > len(ATTEMPTS)
                state = store.GIVEN_UP if gone else store.PENDING
        log().info("webhook", delivery=delivery.id, tenant=delivery.tenant_id, state=state, status=status)
        with self._database.write(delivery.tenant_id) as tx:
            due = now + pause if state == store.PENDING else None
            store.settle(tx, delivery.id, state, status=status, reason=reason, due=due)


def _message(delivery: store.Delivery, secret: str, now: datetime) -> tuple[bytes, dict[str, str]]:
    """Body and headers (Standard Webhooks): the id stays the same from attempt to attempt."""
    body = json.dumps({"type": delivery.event, "timestamp": delivery.created.isoformat(), "data": delivery.body})
    signed = Webhook(secret).sign(delivery.id, now, body)
    return body.encode(), {
        "Content-Type": "application/json",
        "User-Agent": "throttle",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }
