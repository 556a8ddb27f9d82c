"""A small client of the service (``throttle serve``): typed, and nothing but the standard library.

client = Client("https://throttle.example.com", "thr_...")
client.put_dataset("it", portfolio)
job = client.wait(client.solve(dataset="it", budget=20)["id"])
client.accept(job["id"])
week = client.week("2026-W48")
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from throttle.errors import InputError, ThrottleError
from throttle_models import Finding, Plan

Document = dict[str, Any]
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
"""States in which a job stays."""
_AGAIN = (429, 503)
_LONGEST_PAUSE = 30.0


class ServiceError(ThrottleError):
    """The service answered with a problem; ``code`` is its stable word, ``problem`` the whole document."""

    exit_code = 2

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status, self.problem = status, dict(problem)
        self.code = str(problem.get("code", "unknown"))
        detail = str(problem.get("detail", "")) or f"the service answered {status}"
        messages = [str(e.get("message", "")) for e in problem.get("errors") or [] if isinstance(e, dict)]
        super().__init__(
            [Finding(level="error", code=self.code, message=message) for message in (detail, *messages) if message]
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job."""

    id: int
    kind: str
    data: Document


@dataclass(frozen=True)
class Client:
    """Calls one service with one key. Raises ServiceError for what the service refuses, InputError where it is away.

    Calls that only read, and those with an idempotency key, are tried again ``attempts`` times while the service is
    busy or away.
    """

    address: str
    key: str = field(repr=False)
    timeout: float = 60.0
    """Seconds for one answer."""
    attempts: int = 4

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _away(self.address, "it is no address such as https://throttle.example.com")

    # --- portfolios

    def put_dataset(self, id: str, portfolio: Mapping[str, Any], etag: str | None = None) -> Document:
        """A portfolio as a new dataset, or, with the ETag that is known, as its next version."""
        headers = {"If-Match": f'"{etag}"'} if etag else {}
        return self._json("PUT", f"/v1/datasets/{quote(id, safe='')}", portfolio, headers)

    def dataset(self, id: str) -> Document:
        """A portfolio, as it is kept."""
        return self._json("GET", f"/v1/datasets/{quote(id, safe='')}")

    def import_exports(
        self, files: Sequence[Path], *, team: Path | None = None, mapping: Path | None = None, **words: str
    ) -> Document:
        """Ticket exports to a dataset, and the report of every row. words: dataset, zone, date_order, encoding."""
        parts = [("file", f) for f in files] + [(n, f) for n, f in (("team", team), ("map", mapping)) if f]
        body, kind = _form(parts, words)
        return self._parsed(self._send("POST", "/v1/imports", body, {"Content-Type": kind}))

    # --- jobs

    def solve(
        self,
        *,
        portfolio: Mapping[str, Any] | None = None,
        dataset: str | None = None,
        idempotency_key: str | None = None,
        wait: float = 0,
        kind: str = "solve",
        **how: Any,
    ) -> Document:
        """Ask for a plan: the job, which has ended if that was within ``wait`` seconds. how: budget, seed and so on."""
        given = {"portfolio": portfolio, "dataset": dataset}
        body = {"kind": kind, **{k: v for k, v in given.items() if v is not None}, **how}
        return self._submit("/v1/jobs", body, idempotency_key, wait)

    def _submit(self, path: str, body: Document, key: str | None, wait: float) -> Document:
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}  # so that it can be sent again
        if wait:
            headers["Prefer"] = f"wait={wait:.0f}"
        return self._json("POST", path, body, headers)

    def job(self, id: str) -> Document:
        return self._json("GET", f"/v1/jobs/{id}")

    def jobs(self, state: str | None = None) -> Iterator[Document]:
        """All jobs, the newest first, page by page."""
        query: dict[str, str] = {"limit": "100"} | ({"state": state} if state else {})
        while True:
            page = self._json("GET", f"/v1/jobs?{urlencode(query)}")
            yield from page["jobs"]
            if not page["next"]:
                return
            query["cursor"] = page["next"]

    def wait(self, id: str, seconds: float = 3600.0) -> Document:
        """The job, once it has ended. Raises TimeoutError."""
        until, pause = time.monotonic() + seconds, 0.1
        while (job := self.job(id))["state"] not in ENDED:
            if time.monotonic() > until:
                raise TimeoutError(f"The job {id} is {job['state']} after {seconds:g} s.")
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)
        return job

    def events(self, id: str, after: int = 0) -> Iterator[Event]:
        """What happens to a job, until it has ended; goes on where it was when the connection is lost."""
        ended, lost = False, 0
        while not ended:
            before = after
            try:
                for event in self._events(id, after):
                    after, ended = event.id, event.kind == "done"
                    yield event
            except (OSError, http.client.HTTPException):
                pass  # asked again below
            if not ended and after == before:
                if self.job(id)["state"] in ENDED:
                    return  # seen to its end before
                lost += 1
                if lost >= self.attempts:
                    raise _away(self.address, "its stream of events ends again and again")
                time.sleep(0.5 * lost)

    def _events(self, id: str, after: int) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": str(after)} if after else {})}
        with self._open("GET", f"/v1/jobs/{id}/events", None, headers) as answer:
            fields: dict[str, str] = {}
            for raw in answer:
                line = raw.decode().rstrip("\r\n")
                if line and not line.startswith(":"):
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif not line and "data" in fields:
                    yield Event(int(fields.get("id", "0")), fields.get("event", ""), json.loads(fields["data"]))
                    fields = {}

    def cancel(self, id: str) -> Document:
        """Stop a job; the best plan it has found is kept."""
        return self._json("POST", f"/v1/jobs/{id}/cancel")

    def delete(self, id: str) -> None:
        self._send("DELETE", f"/v1/jobs/{id}")

    def result(self, id: str, incumbent: bool = False) -> bytes:
        """What came of a job; of solve, the plan as plan.json has it."""
        return self._send("GET", f"/v1/jobs/{id}/result" + ("?incumbent=true" if incumbent else ""))

    def plan_of(self, id: str, incumbent: bool = False) -> Plan:
        """The plan that a job has found."""
        return Plan.model_validate_json(self.result(id, incumbent))

    def why(self, item: str, job: str | None = None) -> Document:
        """Why an item does not begin earlier: of a job's plan, or of the accepted one."""
        root = f"/v1/jobs/{job}" if job else "/v1/plan"
        return self._json("GET", f"{root}/items/{quote(item, safe='')}/why")

    def compare(self, base: str, other: str) -> Document:
        """What is different between the plans of two jobs."""
        return self._json("GET", f"/v1/compare?{urlencode({'base': base, 'other': other})}")

    # --- the accepted plan

    def accept(self, id: str) -> Document:
        """Make the plan of a job the accepted one."""
        return self._json("POST", f"/v1/jobs/{id}/accept")

    def plan(self) -> Plan:
        """The accepted plan."""
        return Plan.model_validate_json(self._send("GET", "/v1/plan"))

    def week(self, week: str, job: str | None = None) -> Document:
        """A week of the accepted plan, or of a job's."""
        return self._json("GET", f"/v1/jobs/{job}/week/{week}" if job else f"/v1/week/{week}")

    def pin(self, item: str, **pin: Any) -> Document:
        """Pin an item for the next replan. pin: start, who, window, on."""
        return self._json("PUT", f"/v1/plan/pins/{quote(item, safe='')}", pin)

    def unpin(self, item: str) -> None:
        self._send("DELETE", f"/v1/plan/pins/{quote(item, safe='')}")

    def progress(self, updates: Sequence[Mapping[str, Any]]) -> Document:
        """Report what became of items: each with item, and status, started, finished, remaining, on_hold."""
        return self._json("POST", "/v1/plan/progress", {"updates": [dict(u) for u in updates]})

    def replan(self, *, idempotency_key: str | None = None, wait: float = 0, **how: Any) -> Document:
        """Plan again from the accepted plan: the job. how: as_of, dataset, budget, seed, deterministic."""
        return self._submit("/v1/plan/replan", how, idempotency_key, wait)

    # --- how a call is made

    def _json(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] = {}
    ) -> Document:
        data = json.dumps(body).encode() if body is not None else None
        kind = {"Content-Type": "application/json"} if data is not None else {}
        return self._parsed(self._send(method, path, data, {**kind, **headers}))

    def _parsed(self, answer: bytes) -> Document:
        try:
            found = json.loads(answer)
        except ValueError:
            raise _away(self.address, "it answers with what is no JSON; is this a Throttle service?") from None
        if not isinstance(found, dict):
            raise _away(self.address, "it answers with what is no document; is this a Throttle service?")
        return found

    def _send(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> bytes:
        repeatable = method in ("GET", "PUT", "DELETE") or "Idempotency-Key" in headers
        for attempt in range(1, self.attempts + 1):
            last = attempt == self.attempts or not repeatable
            try:
                with self._open(method, path, body, headers) as answer:
                    content: bytes = answer.read()
                    return content
            except _RefusedError as refused:
                if last or refused.status not in _AGAIN:
                    raise ServiceError(refused.status, refused.problem) from None
                time.sleep(min(_LONGEST_PAUSE, refused.retry_after or 0.5 * attempt))
            except (OSError, http.client.HTTPException) as problem:
                if last:
                    raise _away(self.address, _reason(problem)) from None
                time.sleep(0.5 * attempt)
        raise AssertionError  # the last attempt has ended it

    def _open(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        url = self.address.rstrip("/") + path
        sent = {"Authorization": f"Bearer {self.key}", "User-Agent": "throttle-client", **headers}
        request = urllib.request.Request(url, data=body, method=method, headers=sent)
        try:
            return _OPENER.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as problem:
            with problem:
                raise _RefusedError(problem.code, problem.headers.get("Retry-After"), problem.read(1 << 20)) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A key is sent where it was meant to be sent, and nowhere else."""


_OPENER = urllib.request.build_opener(_NoRedirect)


class _RefusedError(Exception):
    def __init__(self, status: int, retry_after: str | None, body: bytes) -> None:
        self.status = status
        self.retry_after = float(retry_after) if (retry_after or "").isdigit() else None  # type: ignore[arg-type]
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        self.problem: Document = found if isinstance(found, dict) else {}


def _reason(problem: Exception) -> str:
    inner = problem.reason if isinstance(problem, urllib.error.URLError) else problem
    return str(getattr(inner, "strerror", None) or type(inner).__name__).lower()


def _away(address: str, why: str) -> InputError:
    shown = address if len(address) < 200 else f"{address[:200]}..."
    message = f"The service at {shown} cannot be used: {why}."
    return InputError([Finding(level="error", code="service", message=message)])


def _form(files: Sequence[tuple[str, Path]], words: Mapping[str, str]) -> tuple[bytes, str]:
    """A body of multipart/form-data (RFC 7578) and its media type."""
    boundary = secrets.token_hex(16)
    parts = []
    for name, path in files:
        try:
            data = path.read_bytes()
        except OSError as problem:
            message = f"{path} cannot be read: {(problem.strerror or type(problem).__name__).lower()}."
            raise InputError([Finding(level="error", code="unreadable", message=message, file=str(path))]) from None
        shown = path.name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")
        head = f'Content-Disposition: form-data; name="{name}"; filename="{shown}"\r\n'
        parts.append((head + "Content-Type: application/octet-stream\r\n", data))
    for name, word in words.items():
        parts.append((f'Content-Disposition: form-data; name="{name}"\r\n', word.encode()))
    body = b"".join(f"--{boundary}\r\n{head}\r\n".encode() + data + b"\r\n" for head, data in parts)
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
