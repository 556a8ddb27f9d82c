"""Jobs and their tickets in the queue of PostgreSQL, without a worker process: ``test_faults.py`` has those."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import sqlalchemy as sa
from benchmarks.postgres import Postgres

from support.databases import Clock, Kept, sqlite_kept, with_tenants
from throttle_api.jobs.states import State
from throttle_api.storage import SYSTEM, Database, StorageError, Tx, jobs
from throttle_api.worker.embedded import EmbeddedWorker
from throttle_api.worker.tickets import TicketQueue, TicketWorker, waiting_without_ticket

_number = count(1)


@pytest.fixture
def site(server: Postgres) -> Iterator[Kept]:
    owner, service = server.database(f"tickets_{next(_number)}")
    clock = Clock()
    kept = with_tenants(Kept(Database(service, clock=clock), Database(owner, clock=clock), clock))
    yield kept
    kept.database.close()
    kept.owner.close()


def submitted(tx: Tx, queue: TicketQueue | None) -> str:
    job, _ = jobs.submit(tx, "solve", {}, {"portfolio": b"{}"}, by="x")
    if queue is not None:
        queue.put(tx, job)
    return job.id


def tickets(site: Kept) -> list[tuple[int, str]]:
    with site.database.read(SYSTEM) as tx:
        rows = tx.execute(
            sa.text("SELECT id, args ->> 'job' FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        )
        return [(row[0], row[1]) for row in rows]


def silence(site: Kept, id: str) -> None:
    """As if its worker had not been heard of for an hour."""
    with site.database.write("acme") as tx:
        tx.execute(sa.text("UPDATE jobs SET seen = seen - 3600000000 WHERE id = :id"), {"id": id})


def test_a_ticket_is_there_when_the_job_is_and_not_before(site: Kept) -> None:
    queue = TicketQueue()

    def half() -> None:
        with site.database.write("acme") as tx:
            submitted(tx, queue)
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        half()
    assert tickets(site) == []
    with site.database.write("acme") as tx:
        id = submitted(tx, queue)
    ((ticket, of),) = tickets(site)
    assert of == id
    with site.database.read("acme") as tx:
        assert jobs.get(tx, id).ticket == ticket


def test_the_jobs_of_a_silent_worker_get_a_new_ticket(site: Kept) -> None:
    worker = TicketWorker(site.database)
    with site.database.write("acme") as tx:
        lost, runs = (submitted(tx, worker.queue) for _ in range(2))
        for id in (lost, runs):
            jobs.claim(tx, id, id)
    before = tickets(site)
    silence(site, lost)
    worker.reap()
    with site.database.read("acme") as tx:
        assert (jobs.get(tx, lost).state, jobs.get(tx, runs).state) == (State.QUEUED, State.RUNNING)
        ticket = jobs.get(tx, lost).ticket
    assert [entry for entry in tickets(site) if entry not in before] == [(ticket, lost)]
    worker.reap()
    assert len(tickets(site)) == len(before) + 1


def test_nobody_counts_as_silent_when_the_database_was_away(site: Kept) -> None:
    worker = TicketWorker(site.database)
    with site.database.write("acme") as tx:
        id = submitted(tx, worker.queue)
        jobs.claim(tx, id, id)
    silence(site, id)
    worker.doubt()
    worker.reap()
    with site.database.read("acme") as tx:
        assert jobs.get(tx, id).state is State.RUNNING


def test_no_tenant_waits_for_all_of_anothers_jobs(site: Kept) -> None:
    worker = TicketWorker(site.database)
    of = {}
    for tenant, n in (("acme", 30), ("other", 3)):
        for _ in range(n):
            with site.database.write(tenant) as tx:
                of[submitted(tx, worker.queue)] = tenant
    begun = []
    for ticket, _ in tickets(site):  # as Procrastinate hands them out: those of acme first
        job = worker.claim(ticket)
        assert job is not None
        assert job.ticket == ticket
        begun.append(job.id)
        with site.database.read(SYSTEM) as tx:
            rows = tx.execute(sa.text("SELECT ticket FROM jobs WHERE state = 'QUEUED'")).scalars().all()
            assert len(set(rows)) == len(rows) == len(of) - len(begun)  # whatever waits has a ticket of its own
    assert sorted(begun) == sorted(of)
    assert [of[id] for id in begun[:7]].count("other") == 3
    for tenant in ("acme", "other"):
        assert [id for id in begun if of[id] == tenant] == [id for id in of if of[id] == tenant]


def test_a_ticket_begins_at_most_one_job_and_only_while_its_own_waits(site: Kept) -> None:
    worker = TicketWorker(site.database)
    with site.database.write("acme") as tx:
        first, second = (submitted(tx, worker.queue) for _ in range(2))
    (one, _), (two, _) = tickets(site)
    with site.database.write("acme") as tx:
        jobs.ask_cancel(tx, first)
    assert worker.claim(one) is None
    with site.database.write(SYSTEM) as tx:
        begun = jobs.claim_by_ticket(tx, "w", two)
        assert begun is not None
        assert begun.id == second
    with site.database.write(SYSTEM) as tx:  # asked again, because the answer was lost
        assert jobs.claim_by_ticket(tx, "w", two) == begun
    assert worker.claim(two) is None


def test_workers_that_claim_at_once_begin_each_job_once(site: Kept) -> None:
    worker = TicketWorker(site.database)
    ids = []
    for n in range(40):
        with site.database.write("acme" if n % 4 else "other") as tx:
            ids.append(submitted(tx, worker.queue))
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(worker.claim, [ticket for ticket, _ in tickets(site)]))
    assert sorted(job.id for job in begun if job is not None) == sorted(ids)


def test_what_waits_without_a_ticket_gets_one(site: Kept) -> None:
    worker = TicketWorker(site.database)
    with site.database.write("acme") as tx:
        id = submitted(tx, None)
        assert [job.id for job in waiting_without_ticket(tx)] == [id]
    worker.reap()
    assert [job for _, job in tickets(site)] == [id]
    with site.database.read("acme") as tx:
        assert waiting_without_ticket(tx) == []


def test_each_worker_is_for_its_own_kind_of_database(site: Kept, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(StorageError, match="throttle worker"):
        EmbeddedWorker(site.database)
    embedded = sqlite_kept(tmp_path_factory.mktemp("embedded"))
    with pytest.raises(StorageError, match="throttle serve"):
        TicketWorker(embedded.database)
    embedded.database.close()
