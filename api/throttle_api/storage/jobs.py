"""Jobs as clients see them, and the one place where their state changes.

Each change is one ``UPDATE`` that names the state (and for a worker, the attempt) it starts from, raises the job's
version, and writes an event with that version as its number. So whoever comes too late changes nothing: a worker that
was thought dead and goes on cannot commit once another attempt has begun.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from throttle_api.jobs.states import ENDED, MOST_ATTEMPTS, MOVES, Move, Outcome, State, after_a_loss
from throttle_api.storage import webhooks
from throttle_api.storage.database import Tx
from throttle_api.storage.errors import KeyReusedError, MissingError, QueueFullError, StateError
from throttle_api.storage.packing import etag_of, new_id, pack, unpack
from throttle_api.storage.tables import best_so_far, job_events, job_inputs, jobs, schedules, tenants

KEEP = timedelta(days=7)
"""How long a result is kept after the job has ended."""
FORGET = timedelta(days=30)
"""How long after its expiry a job is remembered."""
_CLAIMS = 7310579
"""Of PostgreSQL's advisory locks."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job, without its inputs and result. ``version`` rises with every change: its ETag."""

    seq: int
    id: str
    tenant_id: str
    kind: str
    state: State
    attempt: int
    handed_back: int
    cancel: bool
    version: int
    request: Mapping[str, Any]
    request_hash: str
    idempotency_key: str | None
    progress: Mapping[str, Any] | None
    outcome: Outcome | None
    summary: Mapping[str, Any] | None
    code: str | None
    """Why it failed, as a word."""
    reason: str | None
    """The same as a sentence."""
    worker: str | None
    ticket: int | None
    seen: int | None
    """When its worker was last heard of, in microseconds of the database's clock."""
    created: datetime
    created_by: str
    started: datetime | None
    finished: datetime | None
    expires: datetime | None

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def tries(self) -> int:
        """Beginnings that count against the limit."""
        return self.attempt - self.handed_back


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job; ``n`` rises, with gaps."""

    n: int
    kind: str
    """``state``, ``progress`` or ``done``."""
    data: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job: a JSON document."""

    job_id: str
    attempt: int
    etag: str
    created: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Ending:
    """What a worker has to say at the end of an attempt: the move, and what came of it."""

    move: Move
    """SUCCEED, FAIL or STOP."""
    outcome: Outcome | None = None
    document: bytes | None = None
    summary: Mapping[str, Any] | None = None
    code: str | None = None
    reason: str | None = None


def _job(row: Mapping[str, Any]) -> Job:
    fields = dict(row)
    fields["state"] = State(fields["state"])
    fields["outcome"] = Outcome(fields["outcome"]) if fields["outcome"] else None
    return Job(**fields)


def hash_of(kind: str, request: Mapping[str, Any], inputs: Mapping[str, bytes]) -> str:
    """What tells two requests apart: SHA-256 of the kind, the request and its inputs."""
    text = json.dumps([kind, request, {name: etag_of(body) for name, body in inputs.items()}], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def submit(
    tx: Tx,
    kind: str,
    request: Mapping[str, Any],
    inputs: Mapping[str, bytes],
    *,
    by: str,
    idempotency_key: str | None = None,
    digest: str | None = None,
) -> tuple[Job, bool]:
    """A new job in the queue, or the one that the same key has asked for before; whether it is new.

    ``request`` is small and kept as it is; ``inputs`` are documents by name (``portfolio``, ``previous``). ``digest``
    tells requests of one key apart; default: a hash of what is asked. Raises KeyReusedError where the key stands for
    another request, QueueFullError, and MissingError for an unknown tenant.
    """
    limit = tx.value(sa.select(tenants.c.queue_limit).where(tenants.c.tenant_id == tx.tenant).with_for_update())
    if limit is None:
        raise MissingError("There is no such tenant.")
    digest = digest or hash_of(kind, request, inputs)
    if idempotency_key is not None:
        of_key = sa.select(jobs).where(tx.only_mine(jobs), jobs.c.idempotency_key == idempotency_key)
        if (row := tx.row(of_key)) is not None:
            if row["request_hash"] != digest:
                raise KeyReusedError("This idempotency key was used for another request: use a new one.")
            return _job(row), False
    waiting = tx.value(
        sa.select(sa.func.count()).select_from(jobs).where(tx.only_mine(jobs), jobs.c.state == State.QUEUED)
    )
    if waiting >= limit:
        raise QueueFullError(limit)
    values = {
        "id": new_id("job"),
        "tenant_id": tx.tenant,
        "kind": kind,
        "state": State.QUEUED,
        "request": dict(request),
        "request_hash": digest,
        "idempotency_key": idempotency_key,
        "created": tx.now,
        "created_by": by,
    }
    job = _job(tx.rows(sa.insert(jobs).values(values).returning(jobs))[0])
    for name, body in inputs.items():
        tx.execute(sa.insert(job_inputs).values(job_id=job.id, name=name, tenant_id=tx.tenant, body=pack(body)))
    _tell(tx, job, "state", {"state": job.state})
    return job, True


def get(tx: Tx, id: str) -> Job:
    """Raises MissingError."""
    row = tx.row(sa.select(jobs).where(tx.only_mine(jobs), jobs.c.id == id))
    if row is None:
        raise MissingError(f"There is no job {id}.")
    return _job(row)


def find(
    tx: Tx, *, before: int | None = None, limit: int = 50, state: State | None = None, kind: str | None = None
) -> list[Job]:
    """The newest first; ``before`` is the ``seq`` of the last one seen (keyset pagination)."""
    query = sa.select(jobs).where(tx.only_mine(jobs)).order_by(jobs.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(jobs.c.seq < before)
    if state is not None:
        query = query.where(jobs.c.state == state)
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    return [_job(row) for row in tx.rows(query)]


def inputs_of(tx: Tx, id: str) -> dict[str, bytes]:
    rows = tx.rows(
        sa.select(job_inputs.c.name, job_inputs.c.body)
        .where(tx.only_mine(job_inputs), job_inputs.c.job_id == id)
        .order_by(job_inputs.c.name)
    )
    return {row["name"]: unpack(row["body"]) for row in rows}


def result(tx: Tx, id: str) -> Result | None:
    """What came of it; None where there is nothing (yet, or any more)."""
    columns = schedules.c
    row = tx.row(
        sa.select(columns.job_id, columns.attempt, columns.etag, columns.created, columns.body).where(
            tx.only_mine(schedules), columns.job_id == id
        )
    )
    return Result(**{**row, "body": unpack(row["body"])}) if row is not None else None


def best(tx: Tx, id: str) -> Result | None:
    """The best that a job has found so far, while there is no result; None where there is nothing."""
    columns = best_so_far.c
    row = tx.row(
        sa.select(columns.job_id, columns.attempt, columns.etag, columns.created, columns.body).where(
            tx.only_mine(best_so_far), columns.job_id == id
        )
    )
    return Result(**{**row, "body": unpack(row["body"])}) if row is not None else None


def events(tx: Tx, id: str, after: int = 0, limit: int = 1000) -> list[Event]:
    """What happened after the event of number ``after``, in order."""
    columns = job_events.c
    rows = tx.rows(
        sa.select(columns.n, columns.kind, columns.data, columns.created)
        .where(tx.only_mine(job_events), columns.job_id == id, columns.n > after)
        .order_by(columns.n)
        .limit(limit)
    )
    return [Event(**row) for row in rows]


def counts(tx: Tx) -> dict[tuple[str, State], int]:
    """Jobs by tenant and state."""
    query = sa.select(jobs.c.tenant_id, jobs.c.state, sa.func.count().label("jobs")).where(tx.only_mine(jobs))
    rows = tx.rows(query.group_by(jobs.c.tenant_id, jobs.c.state).order_by(jobs.c.tenant_id, jobs.c.state))
    return {(row["tenant_id"], State(row["state"])): row["jobs"] for row in rows}


def oldest_waiting(tx: Tx) -> datetime | None:
    """Since when the job has waited that waits longest."""
    at: datetime | None = tx.value(
        sa.select(jobs.c.created).where(tx.only_mine(jobs), jobs.c.state == State.QUEUED).order_by(jobs.c.seq).limit(1)
    )
    return at


# --- what a client asks for ----------------------------------------------------------------------------------------


def ask_cancel(tx: Tx, id: str, keep: timedelta = KEEP) -> Job:
    """Withdraw a job that waits, ask one that runs to stop and keep its best, and leave one that has ended."""
    if job := _move(tx, id, Move.WITHDRAW, {"finished": tx.now, "expires": tx.now + keep}):
        return job
    asked = _change(tx, [jobs.c.id == id, jobs.c.state == State.RUNNING, ~jobs.c.cancel], {"cancel": True})
    if asked is not None:
        _tell(tx, asked, "state", {"state": asked.state, "cancel": True})
        return asked
    return get(tx, id)


def delete(tx: Tx, id: str) -> None:
    """Forget a job and its result. Raises StateError while it waits or runs, MissingError."""
    job = get(tx, id)
    gone = tx.execute(sa.delete(jobs).where(tx.only_mine(jobs), jobs.c.id == id, jobs.c.state.in_(sorted(ENDED))))
    if not gone.rowcount:
        raise StateError(f"The job {id} is {job.state}: cancel it, and delete it when it has ended.")


# --- what a worker does --------------------------------------------------------------------------------------------


def claim(tx: Tx, worker: str, id: str | None = None) -> Job | None:
    """Begin the job ``id``, or the next one; None where there is none, or it is not waiting.

    ``worker`` is a name that no other attempt has: to claim again by it, because the answer to the first was lost,
    gives the same attempt. Next is the oldest job of the tenant that had its turn longest ago, so that no tenant waits
    for all of another's.
    """
    by_turn = id is None
    if id is None:
        waiting = (
            sa.select(jobs.c.id)
            .join(tenants, tenants.c.tenant_id == jobs.c.tenant_id)
            .where(tx.only_mine(jobs), jobs.c.state == State.QUEUED)
            .order_by(tenants.c.turn, jobs.c.seq)
            .limit(1)
            .with_for_update(of=jobs, skip_locked=True)
        )
        id = tx.value(waiting)
        if id is None:
            return None
    begin = {"attempt": jobs.c.attempt + 1, "worker": worker, "started": tx.now, "progress": sa.null()}
    job = _move(tx, id, Move.BEGIN, {**begin, "seen": tx.server_clock})
    if job is None:
        return _begun_by(tx, worker, id)
    if by_turn:
        last = sa.select(sa.func.max(tenants.c.turn)).scalar_subquery()
        tx.execute(sa.update(tenants).where(tenants.c.tenant_id == job.tenant_id).values(turn=last + 1))
    return job


def _begun_by(tx: Tx, worker: str, id: str | None = None) -> Job | None:
    where = [jobs.c.state == State.RUNNING, jobs.c.worker == worker]
    row = tx.row(sa.select(jobs).where(tx.only_mine(jobs), *where, *([jobs.c.id == id] if id is not None else ())))
    return _job(row) if row is not None else None


def claim_by_ticket(tx: Tx, worker: str, ticket: int) -> Job | None:
    """Begin the next job of all tenants, as :func:`claim` chooses it, for a ticket of PostgreSQL's queue.

    The ticket says that a job is to be begun; which one is a matter of turns. The job that the ticket was written for
    gets the ticket of the one that begins instead, so that each job that waits has one. None where the job of the
    ticket waits no more.
    """
    claims_wait(tx)
    if (begun := _begun_by(tx, worker)) is not None:
        return begun
    own = tx.value(sa.select(jobs.c.id).where(jobs.c.ticket == ticket, jobs.c.state == State.QUEUED))
    job = claim(tx, worker) if own is not None else None
    if job is None or job.id == own:
        return job
    set_ticket(tx, own, job.ticket)
    set_ticket(tx, job.id, ticket)
    return replace(job, ticket=ticket)


def claims_wait(tx: Tx) -> None:
    """One transaction at a time that begins jobs or gives them tickets, on PostgreSQL: both take several rows."""
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIMS})


def report(tx: Tx, id: str, attempt: int, progress: Mapping[str, Any]) -> Job | None:
    """Write down how far an attempt is; None where it is no longer the one that runs."""
    job = _change(tx, _running(id, attempt), {"progress": dict(progress)})
    if job is not None:
        _tell(tx, job, "progress", progress)
    return job


def keep_best(tx: Tx, id: str, attempt: int, document: bytes) -> bool:
    """The best of an attempt so far, in place of an earlier one; False where it is no longer the one that runs."""
    alive = sa.update(jobs).where(tx.only_mine(jobs), *_running(id, attempt)).values(seen=tx.server_clock)
    job = tx.row(alive.returning(jobs))
    if job is None:
        return False
    _drop(tx, best_so_far, id)
    values = {"job_id": id, "tenant_id": job["tenant_id"], "attempt": attempt, "created": tx.now}
    tx.execute(sa.insert(best_so_far).values(**values, etag=etag_of(document), body=pack(document)))
    return True


def _drop(tx: Tx, table: sa.Table, id: str) -> None:
    tx.execute(sa.delete(table).where(tx.only_mine(table), table.c.job_id == id))


def finish(tx: Tx, id: str, attempt: int, ending: Ending, keep: timedelta = KEEP) -> bool:
    """End an attempt, and keep its result; False where it was no longer the one that runs: then nothing is written.

    Saying the same twice (because the answer to the first was lost) is true both times.
    """
    values: dict[str, Any] = {
        "outcome": ending.outcome,
        "summary": dict(ending.summary) if ending.summary is not None else sa.null(),
        "code": ending.code,
        "reason": ending.reason,
        "finished": tx.now,
        "expires": tx.now + keep,
    }
    job = _move(tx, id, ending.move, values, attempt)
    if job is None:
        ended = tx.row(sa.select(jobs.c.state, jobs.c.attempt).where(tx.only_mine(jobs), jobs.c.id == id))
        return ended is not None and ended["attempt"] == attempt and ended["state"] == MOVES[ending.move][1]
    if ending.document is not None:
        _drop(tx, best_so_far, id)
        tx.execute(
            sa.insert(schedules).values(
                job_id=id,
                tenant_id=job.tenant_id,
                attempt=attempt,
                etag=etag_of(ending.document),
                created=tx.now,
                size=len(ending.document),
                body=pack(ending.document),
            )
        )
    return True


def beat(tx: Tx, id: str, attempt: int) -> None:
    """The worker of an attempt is alive. No change for clients, so the version stays."""
    tx.execute(sa.update(jobs).where(tx.only_mine(jobs), *_running(id, attempt)).values(seen=tx.server_clock))


def hand_back(tx: Tx, id: str, attempt: int, keep: timedelta = KEEP) -> Job | None:
    """Put a job back into the queue by a worker that ends in good order: the attempt does not count.

    None where the attempt is no longer the one that runs. A job that was cancelled meanwhile ends.
    """
    job = _job_running(tx, id, attempt)
    if job is None or job.cancel:
        return lose(tx, id, attempt, "", keep=keep) if job else None
    return _move(tx, id, Move.REQUEUE, {"handed_back": jobs.c.handed_back + 1, "worker": None}, attempt)


def lose(tx: Tx, id: str, attempt: int, why: str, attempts: int = MOST_ATTEMPTS, keep: timedelta = KEEP) -> Job | None:
    """An attempt whose worker or process is gone: queued again, failed after so many attempts, or cancelled if asked.

    None where the attempt is no longer the one that runs. ``why`` is a sentence, without its first capital.
    """
    job = _job_running(tx, id, attempt)
    if job is None:
        return None
    move = after_a_loss(job.tries, job.cancel, attempts)
    values: dict[str, Any] = {"worker": None}
    if move is not Move.REQUEUE:
        values |= {"finished": tx.now, "expires": tx.now + keep, "outcome": Outcome.UNKNOWN}
    if move is Move.FAIL:
        values |= {"code": "lost", "reason": f"Begun {job.tries} times, and lost each time; the last time, {why}"}
    return _move(tx, id, move, values, attempt)


def running(tx: Tx, besides: Collection[str] = ()) -> list[Job]:
    """The jobs that run, or are said to; without those of the ids ``besides``."""
    query = sa.select(jobs).where(tx.only_mine(jobs), jobs.c.state == State.RUNNING).order_by(jobs.c.seq)
    return [job for row in tx.rows(query) if (job := _job(row)).id not in besides]


def recover(
    tx: Tx, why: str, besides: Collection[str] = (), attempts: int = MOST_ATTEMPTS, keep: timedelta = KEEP
) -> list[Job]:
    """Every running job that nobody runs (``besides`` are run), as :func:`lose` leaves it."""
    lost = [lose(tx, job.id, job.attempt, why, attempts, keep) for job in running(tx, besides)]
    return [job for job in lost if job is not None]


def silent(tx: Tx, seconds: float) -> list[Job]:
    """The jobs that are said to run, and whose worker was not heard of for so long."""
    limit = tx.server_clock - sa.literal(int(seconds * 1e6), sa.BigInteger)
    query = sa.select(jobs).where(tx.only_mine(jobs), jobs.c.state == State.RUNNING, jobs.c.seen < limit)
    return [_job(row) for row in tx.rows(query.order_by(jobs.c.seq))]


def set_ticket(tx: Tx, id: str, ticket: int | None) -> None:
    """Which job of PostgreSQL's queue stands for it."""
    tx.execute(sa.update(jobs).where(tx.only_mine(jobs), jobs.c.id == id).values(ticket=ticket))


def expire(tx: Tx, limit: int = 500, forget: timedelta = FORGET) -> int:
    """Drop results whose time is over, and forget the jobs that expired long ago; how many expired."""
    over = sa.select(jobs.c.id).where(
        tx.only_mine(jobs), jobs.c.state.in_(sorted(MOVES[Move.EXPIRE][0])), jobs.c.expires <= tx.now
    )
    ids = [row["id"] for row in tx.rows(over.order_by(jobs.c.seq).limit(limit))]
    for id in ids:
        if _move(tx, id, Move.EXPIRE, {}) is not None:
            for table in (schedules, best_so_far, job_inputs):
                _drop(tx, table, id)
    tx.execute(
        sa.delete(jobs).where(tx.only_mine(jobs), jobs.c.state == State.EXPIRED, jobs.c.expires <= tx.now - forget)
    )
    return len(ids)


# --- how a change is made ------------------------------------------------------------------------------------------


def _running(id: str, attempt: int) -> list[sa.ColumnElement[bool]]:
    return [jobs.c.id == id, jobs.c.attempt == attempt, jobs.c.state == State.RUNNING]


def _job_running(tx: Tx, id: str, attempt: int) -> Job | None:
    row = tx.row(sa.select(jobs).where(tx.only_mine(jobs), *_running(id, attempt)))
    return _job(row) if row is not None else None


def _change(tx: Tx, where: Sequence[sa.ColumnElement[bool]], values: Mapping[str, Any]) -> Job | None:
    statement = sa.update(jobs).where(tx.only_mine(jobs), *where).values(**values, version=jobs.c.version + 1)
    row = tx.row(statement.returning(jobs))
    return _job(row) if row is not None else None


def _move(tx: Tx, id: str, move: Move, values: Mapping[str, Any], attempt: int | None = None) -> Job | None:
    """The job after the move, and the event of it; None where it is not in a state (or attempt) to make it."""
    sources, to = MOVES[move]
    where = [jobs.c.id == id, jobs.c.state.in_(sorted(sources))]
    if attempt is not None:
        where.append(jobs.c.attempt == attempt)
    job = _change(tx, where, {"state": to, **values})
    if job is not None:
        data: dict[str, Any] = {"state": job.state, "attempt": job.attempt}
        if job.ended:
            data |= {"outcome": job.outcome, "code": job.code, "reason": job.reason}
        _tell(tx, job, "done" if job.ended else "state", data)
        if job.ended and move is not Move.EXPIRE:
            webhooks.enqueue(tx, "job.ended", {"job": job.id, "kind": job.kind, **data}, job.tenant_id)
    return job


def _tell(tx: Tx, job: Job, kind: str, data: Mapping[str, Any]) -> None:
    values = {"job_id": job.id, "n": job.version, "tenant_id": job.tenant_id, "kind": kind}
    tx.execute(sa.insert(job_events).values(**values, data=dict(data), created=tx.now))
