"""Jobs: asked for, watched, cancelled, deleted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import Field, field_validator, model_validator

from throttle.errors import InputError
from throttle_api.bodies import json_text, parsed
from throttle_api.context import Caller, Planner, Reader
from throttle_api.jobs.kinds import KINDS
from throttle_api.jobs.kinds.options import OPTIONS, WITHOUT_PREVIOUS, options_of
from throttle_api.jobs.states import State
from throttle_api.negotiation import choose, tag, unchanged, wait_of
from throttle_api.problems import Problem
from throttle_api.routes.common import (
    BODY,
    Accept,
    Cursor,
    IfNoneMatch,
    JobIdPath,
    Limit,
    body_of,
    decode_cursor,
    encode_cursor,
    next_link,
    problems,
)
from throttle_api.sandbox import read_portfolio
from throttle_api.storage import MissingError, audit, datasets
from throttle_api.storage import jobs as store
from throttle_api.views import Body, DatasetId, JobId, JobList, JobView, job_view

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_LOOK = 0.1
"""Seconds between looks at a job that is waited for."""
_EVENTS = "text/event-stream"
_KEEPALIVE = 15.0
_KEY = r"^[\x21-\x7e]{1,200}$"


EVENT = {
    "type": "object",
    "description": "One event of the stream; `data` is JSON.",
    "required": ["data", "event", "id"],
    "properties": {
        "event": {"type": "string", "enum": ["state", "progress", "done"]},
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}


class JobRequest(Body):
    """What to compute, and from what: either a dataset that is kept here, or a portfolio in the request."""

    kind: Annotated[str, Field(json_schema_extra={"enum": sorted(KINDS)})] = "solve"
    dataset: DatasetId | None = None
    dataset_version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """Default: the newest."""
    portfolio: dict[str, Any] | None = None
    """As portfolio files write it, in JSON (docs/portfolio.md)."""
    previous: JobId | None = None
    """A job whose plan the search starts from, where it still fits."""
    budget: Annotated[float, Field(gt=0, le=3_600_000)] = 10.0
    """Seconds to search."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1
    deterministic: bool = False
    """The same plan for the same request: a fixed amount of work."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads to search with."""
    options: dict[str, Any] = {}
    """What other kinds than solve need besides; docs/service.md says what each takes."""

    @field_validator("kind")
    @classmethod
    def _is_kind(cls, value: str) -> str:
        if value not in KINDS:
            raise ValueError(f"is one of {', '.join(sorted(KINDS))}")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> JobRequest:
        if (self.dataset is None) == (self.portfolio is None):
            raise ValueError("name either a dataset or a portfolio")
        if self.dataset is None and self.dataset_version is not None:
            raise ValueError("dataset_version needs a dataset")
        if self.previous is not None and self.kind in WITHOUT_PREVIOUS:
            raise ValueError(f"{self.kind} begins from no earlier plan: leave previous out")
        return self


EXAMPLE = {"kind": "solve", "dataset": "it-portfolio", "budget": 20, "seed": 1}


@router.post(
    "",
    operation_id="createJob",
    status_code=202,
    response_model=JobView,
    openapi_extra=body_of(JobRequest, EXAMPLE),
    responses={
        200: {"model": JobView, "description": "Done within the wait that was asked for."},
        **problems(
            *BODY,
            "bad-header",
            "not-found",
            "in-flight",
            "not-a-plan",
            "key-reused",
            "invalid-portfolio",
            "queue-full",
            "busy",
        ),
    },
)
async def create_job(
    caller: Planner,
    text: Annotated[str, Depends(json_text)],
    idempotency_key: Annotated[
        str | None,
        Header(pattern=_KEY, description="The same key and request again give the same job, and not another one."),
    ] = None,
    prefer: Annotated[
        str | None,
        Header(max_length=200, description="`wait=N`: answer when it is done, after N seconds at the latest."),
    ] = None,
) -> Response:
    """Ask for a computation. It goes on in the background: watch the job at `Location`."""
    return await answer_with(caller, lambda: _submit(caller, text, idempotency_key), prefer)


async def answer_with(caller: Caller, submit: Callable[[], store.Job], prefer: str | None) -> Response:
    """Submit a job in a thread: 202, or 200 for one that ends while it is waited for."""
    job = await run_in_threadpool(submit)
    wait = wait_of(prefer, caller.service.settings.longest_wait)
    until = time.monotonic() + wait
    while not job.ended and time.monotonic() < until and not caller.service.stopping.is_set():
        await asyncio.sleep(_LOOK)
        job = await run_in_threadpool(_get, caller, job.id)
    headers = {"Location": f"/v1/jobs/{job.id}", "ETag": tag(str(job.version))}
    if wait:
        headers["Preference-Applied"] = f"wait={wait:g}"
    if not job.ended:
        headers["Retry-After"] = "1"
    return JSONResponse(job_view(job).model_dump(mode="json"), 200 if job.ended else 202, headers)


def _submit(caller: Caller, text: str, key: str | None) -> store.Job:
    asked = parsed(text, JobRequest)
    settings = caller.service.settings
    _check_options(asked)
    if asked.budget > settings.longest_budget:
        detail = f"The budget is at most {settings.longest_budget:g} s."
        raise Problem("invalid-request", detail, [{"where": "body.budget", "message": detail}])
    inputs: dict[str, bytes] = {}
    if asked.portfolio is not None:
        with caller.service.scratch() as folder:
            inputs["portfolio"] = read_portfolio(json.dumps(asked.portfolio), folder, settings).portfolio.encode()
    request = asked.model_dump(exclude={"kind", "portfolio", "dataset", "dataset_version"}, exclude_none=True)
    request["workers"] = min(asked.workers, settings.solver_threads)
    with caller.read() as tx:
        if asked.dataset is not None:
            found = datasets.get(tx, asked.dataset, asked.dataset_version)
            request["dataset"] = {"id": found.id, "version": found.version}
        if asked.previous is not None:
            earlier = store.get(tx, asked.previous)
            if earlier.kind != "solve":
                detail = f"The job {earlier.id} is of kind {earlier.kind}, whose result is no plan to start from."
                raise Problem("not-a-plan", detail)
            before = store.result(tx, earlier.id)
            if before is None:
                raise Problem("not-found", f"The job {asked.previous} has no plan to start from.")
            inputs["previous"] = before.body
    return enqueue(caller, asked.kind, request, inputs, key, text)


def _check_options(asked: JobRequest) -> None:
    """Raises Problem with every option that does not fit, before a job waits in vain."""
    try:
        options_of({"options": asked.options}, OPTIONS[asked.kind])
    except InputError as problem:
        errors = [
            {"where": f"body.{f.path}", "message": f.message.removeprefix(f"{f.path}: ")} for f in problem.findings
        ]
        raise Problem("invalid-request", f"The options do not fit {asked.kind}; see errors.", errors) from None


def enqueue(
    caller: Caller, kind: str, request: dict[str, Any], inputs: dict[str, bytes], key: str | None, text: str
) -> store.Job:
    """A job in the queue, in the audit log, and known to the workers.

    With a key, what the client sent (``text``) tells requests apart, and not what it meant at that moment.
    """
    digest = hashlib.sha256(text.encode()).hexdigest() if key is not None else None
    queue = caller.service.queue
    with caller.write() as tx:
        job, new = store.submit(tx, kind, request, inputs, by=caller.actor, idempotency_key=key, digest=digest)
        if new:
            queue.put(tx, job)
            audit.add(tx, caller.actor, "job.submitted", job.id, {"kind": kind})
    if new:
        queue.committed()
    return job


@router.get("", operation_id="listJobs", responses=problems("bad-cursor", "invalid-request"))
def list_jobs(
    request: Request,
    response: Response,
    caller: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[State | None, Query(description="Only jobs in this state.")] = None,
) -> JobList:
    """The jobs of this tenant, the newest first. `Link` leads to the next page."""
    before = decode_cursor(cursor, int)
    with caller.read() as tx:
        found = store.find(tx, before=before, limit=limit + 1, state=state)
    more = encode_cursor(found[limit - 1].seq) if len(found) > limit else None
    next_link(request, response, more)
    return JobList(jobs=[job_view(job) for job in found[:limit]], next=more)


def _get(caller: Caller, id: str) -> store.Job:
    with caller.read() as tx:
        return store.get(tx, id)


@router.get(
    "/{job_id}",
    operation_id="getJob",
    response_model=JobView,
    responses={304: {"description": "It has not changed."}, **problems("not-found", "invalid-request")},
)
def get_job(caller: Reader, id: JobIdPath, if_none_match: IfNoneMatch = None) -> Response:
    """How a job stands. With `If-None-Match` this is a cheap way to watch it."""
    job = _get(caller, id)
    headers = {"ETag": tag(str(job.version))}
    if unchanged(if_none_match, str(job.version)):
        return Response(status_code=304, headers=headers)
    return JSONResponse(job_view(job).model_dump(mode="json"), headers=headers)


@router.get(
    "/{job_id}/events",
    operation_id="watchJob",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `state`, `progress` and, as the last, `done`; each with an id.",
            "content": {
                _EVENTS: {
                    "schema": EVENT,
                    "example": 'id: 3\nevent: state\ndata: {"state": "RUNNING"}\n\n',
                }
            },
        },
        **problems("not-found", "not-acceptable", "too-many-streams", "invalid-request", "bad-header"),
    },
)
async def watch_job(
    caller: Reader,
    id: JobIdPath,
    accept: Accept = None,
    last_event_id: Annotated[str | None, Header(description="The id of the last event seen: go on after it.")] = None,
) -> StreamingResponse:
    """What happens to a job, as it happens. A finished job sends what is left, and closes."""
    choose(accept, [_EVENTS])
    after = _event_id(last_event_id)
    await run_in_threadpool(_get, caller, id)
    streams = caller.service.streams
    if streams.locked():
        raise Problem("too-many-streams", "Too many event streams are open.", headers={"Retry-After": "5"})
    return StreamingResponse(
        _events(caller, id, after), media_type=_EVENTS, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    )


def _event_id(text: str | None) -> int:
    if text is None or not text.strip():
        return 0
    if not text.strip().isascii() or not text.strip().isdigit() or len(text.strip()) > 9:
        raise Problem("bad-header", "Last-Event-ID is the number of an event.")
    return int(text)


async def _events(caller: Caller, id: str, after: int) -> AsyncIterator[bytes]:
    def look() -> tuple[list[store.Event], bool]:
        with caller.read() as tx:
            ended = store.get(tx, id).ended  # first: what it ended with is among the events then
            return store.events(tx, id, after), ended

    told = time.monotonic()
    async with caller.service.streams:
        while not caller.service.stopping.is_set():
            try:
                found, ended = await run_in_threadpool(look)
            except MissingError:
                return  # deleted meanwhile
            for event in found:
                after, told = event.n, time.monotonic()
                yield format_sse_event(data_str=json.dumps(event.data), event=event.kind, id=str(event.n))
            if ended and not found:
                return
            if time.monotonic() - told > _KEEPALIVE:
                told = time.monotonic()
                yield b": still here\n\n"
            if not ended:
                await asyncio.sleep(_LOOK)


@router.post(
    "/{job_id}/cancel",
    operation_id="cancelJob",
    status_code=202,
    response_model=JobView,
    responses={
        200: {"model": JobView, "description": "It has ended."},
        **problems("not-found", "invalid-request", "too-large", "unsupported-media-type"),
    },
)
def cancel_job(caller: Planner, id: JobIdPath) -> Response:
    """Stop a job. The best plan that it has found is its result."""
    with caller.write() as tx:
        before = store.get(tx, id)
        job = store.ask_cancel(tx, id, timedelta(days=caller.service.settings.keep_days))
        if job.version != before.version:
            audit.add(tx, caller.actor, "job.cancelled", id)
    headers = {"Location": f"/v1/jobs/{id}", "ETag": tag(str(job.version))}
    return JSONResponse(job_view(job).model_dump(mode="json"), 200 if job.ended else 202, headers)


@router.delete(
    "/{job_id}",
    operation_id="deleteJob",
    status_code=204,
    responses=problems("not-found", "running", "invalid-request"),
)
def delete_job(caller: Planner, id: JobIdPath) -> Response:
    """Forget a job that has ended, and its result."""
    with caller.write() as tx:
        if not store.get(tx, id).ended:
            raise Problem("running", "The job waits or runs: cancel it, and delete it when it has ended.")
        store.delete(tx, id)
        audit.add(tx, caller.actor, "job.deleted", id)
    return Response(status_code=204)
