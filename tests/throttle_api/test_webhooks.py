"""Webhooks: where they may go, how they are signed, how often they are tried."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from support.service import Kit
from throttle_api import webhooks
from throttle_api.storage import webhooks as store
from throttle_api.webhooks import ATTEMPTS, AddressError, Sender, post, resolve

URL = "https://hooks.example.com/throttle?a=1"


def at(*addresses: str) -> Any:
    """A way to look hosts up that finds these addresses."""

    def lookup(_host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        families = [socket.AF_INET6 if ":" in a else socket.AF_INET for a in addresses]
        return [(f, socket.SOCK_STREAM, 6, "", (a, port)) for f, a in zip(families, addresses, strict=True)]

    return lookup


def test_a_public_host_is_connected_to_by_its_address() -> None:
    assert resolve(URL, at("93.184.216.34")) == (
        "hooks.example.com", 443, "/throttle?a=1", [(int(socket.AF_INET), "93.184.216.34")]
    )  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "192.0.2.1", "198.18.0.1",
    ],
)  # fmt: skip
def test_no_address_of_an_inside_network_is_sent_to(address: str) -> None:
    with pytest.raises(AddressError, match="not on the public internet"):
        resolve(URL, at(address))
    with pytest.raises(AddressError, match="not on the public internet"):
        resolve(URL, at("93.184.216.34", address))  # one of several is enough


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://", "https:///x", "ftp://example.com", "https://user:pass@example.com/",
        "https://example.com/#part", "https://exa mple.com/", "https://example.com:99999/", "https://[::1", "//x", "x",
        "https://example.com/\r\nHost: other", "https://ex\u0430mple.com/",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        resolve(url, at("93.184.216.34"))


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://0x7f.1/", "https://2130706433/"]
)
def test_addresses_in_disguise_are_looked_through(url: str) -> None:
    with pytest.raises(AddressError):
        resolve(url)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose address changes between check and use gains nothing: it is looked up once, and that is used."""
    looked: list[str] = []
    went: list[tuple[str, int]] = []

    def lookup(host: str, port: int, **how: object) -> list[tuple[Any, ...]]:
        looked.append(host)
        found: list[tuple[Any, ...]] = at("93.184.216.34" if len(looked) == 1 else "127.0.0.1")(host, port, **how)
        return found

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        went.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(webhooks.resolve, "__defaults__", (lookup,))
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        post(URL, b"{}", {}, ssl.create_default_context())
    assert (looked, went) == (["hooks.example.com"], [("93.184.216.34", 443)])


class Receiver:
    """Answers with the statuses that it was given, the last one for ever."""

    def __init__(self, *statuses: int | Exception) -> None:
        self.statuses = list(statuses)
        self.got: list[tuple[str, bytes, Mapping[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.got.append((url, body, headers))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, Exception):
            raise status
        return status


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    monkeypatch.setattr(webhooks.resolve, "__defaults__", (at("93.184.216.34"),))
    kit = Kit(tmp_path, {"webhooks": True})
    yield kit
    kit.close()


def test_what_happens_is_told_signed_and_once(kit: Kit) -> None:
    from datetime import UTC, datetime

    kit.clock.now = datetime.now(UTC)  # the library that checks signatures knows no other clock
    client, receiver = kit.client(), Receiver(204)
    secret = client.put("/v1/webhook", json={"url": URL}).json()["secret"]
    id = kit.accepted(client)
    sender = Sender(kit.database, receiver)
    assert sender.send_due() == 2
    assert sender.send_due() == 0
    told = {}
    for url, body, headers in receiver.got:
        assert url == URL
        message = Webhook(secret).verify(body, dict(headers))
        told[message["type"]] = message["data"]
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + "A" * 44).verify(body, dict(headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body + b" ", dict(headers))
    assert told["job.ended"]["job"] == told["plan.accepted"]["job"] == id
    assert len({headers["webhook-id"] for _, _, headers in receiver.got}) == 2


@pytest.mark.parametrize("failure", [500, 302, TimeoutError(), AddressError("not public any more")])
def test_a_failed_message_is_tried_again_with_the_same_id_and_then_given_up(kit: Kit, failure: int | Exception) -> None:
    client, receiver = kit.client(), Receiver(failure)
    client.put("/v1/webhook", json={"url": URL})
    kit.planned(client)
    sender = Sender(kit.database, receiver)
    for pause in ATTEMPTS:
        assert sender.send_due() == 1
        assert sender.send_due() == 0
        kit.clock.forward(seconds=max(pause, timedelta(minutes=1)).total_seconds())
    assert sender.send_due() == 1
    kit.clock.forward(days=3)
    assert sender.send_due() == 0
    assert len(receiver.got) == len(ATTEMPTS) + 1
    assert len({headers["webhook-id"] for _, _, headers in receiver.got}) == 1
    with kit.database.read("default") as tx:
        assert [d.state for d in store.sent(tx)] == [store.GIVEN_UP]


def test_a_message_arrives_at_a_later_attempt(kit: Kit) -> None:
    client, receiver = kit.client(), Receiver(500, 200)
    client.put("/v1/webhook", json={"url": URL})
    kit.planned(client)
    sender = Sender(kit.database, receiver)
    sender.send_due()
    kit.clock.forward(minutes=2)
    assert sender.send_due() == 1
    with kit.database.read("default") as tx:
        assert [(d.state, d.attempt, d.status) for d in store.sent(tx)] == [(store.SENT, 2, 200)]


def test_nothing_is_sent_after_it_was_removed(kit: Kit) -> None:
    client, receiver = kit.client(), Receiver(200)
    client.put("/v1/webhook", json={"url": URL})
    kit.planned(client)
    assert client.delete("/v1/webhook").status_code == 204
    Sender(kit.database, receiver).send_due()
    assert receiver.got == []
    assert client.get("/v1/webhook").status_code == 404


def test_an_address_inside_is_refused_when_it_is_set(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks.resolve, "__defaults__", (at("10.0.0.1"),))
    answer = kit.client().put("/v1/webhook", json={"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (422, "address-not-allowed")


def test_webhooks_are_off_by_default(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    answer = kit.client().put("/v1/webhook", json={"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (403, "off")
    kit.close()


def test_the_secret_is_told_once(kit: Kit) -> None:
    client = kit.client()
    made = client.put("/v1/webhook", json={"url": URL}).json()
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in client.get("/v1/webhook").text
    assert made["secret"] not in json.dumps(client.put("/v1/webhook", json={"url": URL}).json())
