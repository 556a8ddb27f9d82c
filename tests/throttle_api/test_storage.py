"""What the service keeps, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.databases import Kept
from throttle_api.jobs.states import Move, Outcome, State
from throttle_api.storage import (
    SYSTEM,
    Database,
    KeyReusedError,
    MissingError,
    QueueFullError,
    StaleError,
    StateError,
    StorageError,
    Tx,
    datasets,
    feeds,
    jobs,
    keys,
    plans,
    tenants,
    webhooks,
)
from throttle_api.storage.jobs import Ending

PLAN = b'{"kind": "plan"}'
DONE = Ending(Move.SUCCEED, Outcome.FEASIBLE, PLAN, {"gap": 0.25})


def submitted(tx: Tx, **how: str) -> jobs.Job:
    job, _ = jobs.submit(tx, "solve", {"budget": 1}, {"portfolio": b"{}"}, by="key:1", **how)
    return job


def claimed(kept: Kept, id: str, worker: str = "w") -> jobs.Job:
    with kept.database.write("acme") as tx:
        job = jobs.claim(tx, worker, id)
    assert job is not None
    return job


def test_a_job_goes_from_the_queue_to_its_result(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    job = claimed(kept, id)
    assert (job.state, job.attempt, job.version) == (State.RUNNING, 1, 2)
    with kept.database.write("acme") as tx:
        assert jobs.inputs_of(tx, id) == {"portfolio": b"{}"}
        told = jobs.report(tx, id, 1, {"incumbent": 5.0})
        assert told is not None
        assert told.progress == {"incumbent": 5.0}
        assert jobs.finish(tx, id, 1, DONE, timedelta(days=2))
    with kept.database.read("acme") as tx:
        job, result = jobs.get(tx, id), jobs.result(tx, id)
        events = jobs.events(tx, id)
    assert (job.state, job.outcome, job.summary) == (State.SUCCEEDED, Outcome.FEASIBLE, {"gap": 0.25})
    assert job.expires == kept.clock.now + timedelta(days=2)
    assert result is not None
    assert (result.body, result.attempt) == (PLAN, 1)
    assert [(e.n, e.kind) for e in events] == [(1, "state"), (2, "state"), (3, "progress"), (4, "done")]
    with kept.database.read("acme") as tx:
        assert [e.n for e in jobs.events(tx, id, after=2)] == [3, 4]


def test_an_attempt_that_came_too_late_writes_nothing(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    claimed(kept, id, "first")
    with kept.database.write("acme") as tx:
        jobs.lose(tx, id, 1, "it was not heard of.")
    assert claimed(kept, id, "second").attempt == 2
    with kept.database.write("acme") as tx:
        assert not jobs.finish(tx, id, 1, DONE)
        assert jobs.report(tx, id, 1, {"incumbent": 1}) is None
        assert jobs.hand_back(tx, id, 1) is None
        assert jobs.lose(tx, id, 1, "again") is None
        assert jobs.result(tx, id) is None
        assert jobs.finish(tx, id, 2, DONE)
        assert not jobs.finish(tx, id, 1, DONE)
        found = jobs.result(tx, id)
        assert found is not None
        assert found.attempt == 2


def test_saying_the_end_twice_is_no_harm_because_the_first_answer_may_be_lost(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    claimed(kept, id)
    for _ in range(2):
        with kept.database.write("acme") as tx:
            assert jobs.finish(tx, id, 1, DONE)
    with kept.database.read("acme") as tx:
        assert sum(e.kind == "done" for e in jobs.events(tx, id)) == 1


def test_a_claim_is_repeated_by_its_name_and_by_no_other(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    assert claimed(kept, id, "me").attempt == 1
    assert claimed(kept, id, "me").attempt == 1
    with kept.database.write("acme") as tx:
        assert jobs.claim(tx, "you", id) is None


def test_a_job_that_is_lost_three_times_fails_with_the_reason(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    for attempt in (1, 2, 3):
        claimed(kept, id, f"w{attempt}")
        with kept.database.write("acme") as tx:
            jobs.lose(tx, id, attempt, "its process was killed.")
    with kept.database.read("acme") as tx:
        job = jobs.get(tx, id)
    assert (job.state, job.code) == (State.FAILED, "lost")
    assert job.reason is not None
    assert "3 times" in job.reason
    assert "killed" in job.reason


def test_what_a_worker_hands_back_does_not_count(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    for attempt in range(1, 6):
        claimed(kept, id, f"w{attempt}")
        with kept.database.write("acme") as tx:
            back = jobs.hand_back(tx, id, attempt)
        assert back is not None
        assert (back.state, back.tries) == (State.QUEUED, 0)


def test_cancelling_withdraws_what_waits_asks_what_runs_and_leaves_what_ended(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        waits, runs = submitted(tx).id, submitted(tx).id
        assert jobs.ask_cancel(tx, waits).state is State.CANCELLED
        assert jobs.ask_cancel(tx, waits).version == 2
    claimed(kept, runs)
    with kept.database.write("acme") as tx:
        asked = jobs.ask_cancel(tx, runs)
        assert (asked.state, asked.cancel) == (State.RUNNING, True)
        assert jobs.ask_cancel(tx, runs).version == asked.version
        assert jobs.finish(tx, runs, 1, Ending(Move.STOP, Outcome.FEASIBLE, PLAN))
        assert jobs.get(tx, runs).state is State.CANCELLED
        assert jobs.result(tx, runs) is not None
        with pytest.raises(MissingError):
            jobs.ask_cancel(tx, "job_none")


def test_a_cancelled_job_whose_worker_is_gone_is_not_begun_again(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    claimed(kept, id)
    with kept.database.write("acme") as tx:
        jobs.ask_cancel(tx, id)
        lost = jobs.lose(tx, id, 1, "it is gone.")
    assert lost is not None
    assert lost.state is State.CANCELLED


def test_an_idempotency_key_gives_the_same_job_and_refuses_another_request(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        first = submitted(tx, idempotency_key="k")
    with kept.database.write("acme") as tx:
        again, new = jobs.submit(tx, "solve", {"budget": 1}, {"portfolio": b"{}"}, by="x", idempotency_key="k")
        assert (again.id, new) == (first.id, False)
        for request, body in (({"budget": 2}, b"{}"), ({"budget": 1}, b"[]")):
            with pytest.raises(KeyReusedError):
                jobs.submit(tx, "solve", request, {"portfolio": body}, by="x", idempotency_key="k")
    with kept.database.write("other") as tx:
        assert submitted(tx, idempotency_key="k").id != first.id


def test_a_tenant_may_have_so_many_jobs_waiting_and_no_more(kept: Kept) -> None:
    with kept.database.write(SYSTEM) as tx:
        tenants.change(tx, "acme", queue_limit=2)
    with kept.database.write("acme") as tx:
        first = submitted(tx)
        submitted(tx)
        with pytest.raises(QueueFullError) as full:
            submitted(tx)
        assert full.value.limit == 2
    claimed(kept, first.id)
    with kept.database.write("acme") as tx:
        submitted(tx)
    with kept.database.write("other") as tx:
        submitted(tx)


def test_tenants_take_turns_and_each_one_s_jobs_keep_their_order(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        mine = [submitted(tx).id for _ in range(3)]
    with kept.database.write("other") as tx:
        theirs = submitted(tx).id
    order = []
    for k in range(4):
        with kept.database.write(SYSTEM) as tx:
            job = jobs.claim(tx, f"w{k}")
        assert job is not None
        order.append(job.id)
    assert order == [mine[0], theirs, mine[1], mine[2]]
    with kept.database.write(SYSTEM) as tx:
        assert jobs.claim(tx, "w") is None


def test_results_expire_and_jobs_are_forgotten_later(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        ended, waits = submitted(tx).id, submitted(tx).id
    claimed(kept, ended)
    with kept.database.write("acme") as tx:
        jobs.finish(tx, ended, 1, DONE, timedelta(days=7))
    kept.clock.move(days=6)
    with kept.database.write(SYSTEM) as tx:
        assert jobs.expire(tx) == 0
    kept.clock.move(days=2)
    with kept.database.write(SYSTEM) as tx:
        assert jobs.expire(tx) == 1
    with kept.database.read("acme") as tx:
        assert jobs.get(tx, ended).state is State.EXPIRED
        assert jobs.result(tx, ended) is None
        assert jobs.inputs_of(tx, ended) == {}
    kept.clock.move(days=31)
    with kept.database.write(SYSTEM) as tx:
        jobs.expire(tx)
        assert [job.id for job in jobs.find(tx)] == [waits]


def test_only_what_ended_is_deleted_and_everything_of_it(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
        with pytest.raises(StateError, match="cancel it"):
            jobs.delete(tx, id)
    claimed(kept, id)
    with kept.database.write("acme") as tx:
        jobs.finish(tx, id, 1, DONE)
        jobs.delete(tx, id)
        with pytest.raises(MissingError):
            jobs.get(tx, id)
        assert (jobs.events(tx, id), jobs.inputs_of(tx, id), jobs.result(tx, id)) == ([], {}, None)


def test_jobs_are_listed_newest_first_page_by_page(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        ids = [submitted(tx).id for _ in range(5)]
    with kept.database.write("other") as tx:
        submitted(tx)
    with kept.database.read("acme") as tx:
        first = jobs.find(tx, limit=2)
        second = jobs.find(tx, limit=10, before=first[-1].seq)
        assert [job.id for job in [*first, *second]] == ids[::-1]
        assert jobs.find(tx, state=State.RUNNING) == []
        assert jobs.counts(tx) == {("acme", State.QUEUED): 5}


def test_a_worker_that_beats_is_not_silent(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
    claimed(kept, id)
    with kept.database.write(SYSTEM) as tx:
        assert jobs.silent(tx, 60) == []
        assert [job.id for job in jobs.silent(tx, -60)] == [id]  # as if a minute had passed
        version = jobs.get(tx, id).version
        jobs.beat(tx, id, 1)
        assert jobs.get(tx, id).version == version


def test_nothing_of_a_tenant_is_there_for_another(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id = submitted(tx).id
        datasets.put(tx, "main", b"{}", by="x")
        datasets.add_import(tx, {"rows": 1}, datasets.get(tx, "main"), by="x")
        plans.put_pin(tx, "A", {"start": "x"}, by="x")
        plans.add_progress(tx, "A", {"done": 1}, by="x")
        feeds.add(tx, "cal", person="ana", hash="0", by="x")
        webhooks.put(tx, "https://example.org", "s", by="x")
        keys.add(tx, "k", tenant="acme", name="n", hash="0", scopes=["read"])
    with kept.database.write("other") as tx:
        for missing in (jobs.get, jobs.ask_cancel, jobs.delete, datasets.get, datasets.body, feeds.revoke, keys.get):
            for name in (id, "main", "cal", "k"):
                with pytest.raises(MissingError):
                    missing(tx, name)
        assert jobs.claim(tx, "w", id) is None
        assert jobs.find(tx) == []
        assert datasets.every(tx) == []
        assert plans.every_pin(tx) == []
        assert plans.every_progress(tx) == []
        assert feeds.every(tx) == []
        assert webhooks.find(tx) is None
        assert keys.every(tx) == []
        assert [t.id for t in tenants.every(tx)] == ["other"]


def test_a_dataset_has_versions_that_never_change(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        first, new = datasets.put(tx, "main", b'{"a": 1}', by="x", title="Main")
        assert (first.version, new) == (1, True)
        same, new = datasets.put(tx, "main", b'{"a": 1}', by="y")
        assert (same, new) == (first, False)
        second, new = datasets.put(tx, "main", b'{"a": 2}', by="y", if_match=first.etag)
        assert (second.version, second.title, new) == (2, "Main", False)
        with pytest.raises(StaleError):
            datasets.put(tx, "main", b"{}", by="x", if_match=first.etag)
        with pytest.raises(MissingError):
            datasets.put(tx, "none", b"{}", by="x", if_match=first.etag)
        assert datasets.body(tx, "main") == b'{"a": 2}'
        assert datasets.body(tx, "main", 1) == b'{"a": 1}'
        assert [d.version for d in datasets.versions(tx, "main")] == [2, 1]
        datasets.put(tx, "also", b"{}", by="x")
        assert [d.id for d in datasets.every(tx)] == ["also", "main"]
        assert [d.id for d in datasets.every(tx, after="also")] == ["main"]
        made = datasets.add_import(tx, {"rows": 3}, second, by="x")
        assert datasets.get_import(tx, made.id).dataset_version == 2


def test_an_accepted_plan_is_a_version_that_outlives_its_job(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        id, other = submitted(tx).id, submitted(tx).id
        with pytest.raises(MissingError, match="No plan"):
            plans.get(tx)
        with pytest.raises(StateError, match="QUEUED"):
            plans.accept(tx, id, by="x")
    for job in (id, other):
        claimed(kept, job)
        with kept.database.write("acme") as tx:
            jobs.finish(tx, job, 1, DONE)
    with kept.database.write("acme") as tx:
        accepted, new = plans.accept(tx, id, by="x", if_version=0)
        assert (accepted.version, new) == (1, True)
        assert plans.accept(tx, id, by="x") == (accepted, False)
        with pytest.raises(StaleError):
            plans.accept(tx, other, by="x", if_version=0)
        assert plans.accept(tx, other, by="x", if_version=1)[0].version == 2
        jobs.delete(tx, id)
        assert plans.body(tx, 1) == PLAN
        assert [plan.version for plan in plans.every(tx)] == [2, 1]


def test_pins_are_replaced_and_removed_with_their_version(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        pin, new = plans.put_pin(tx, "A", {"start": "monday"}, by="x", if_version=0)
        assert (pin.version, new) == (1, True)
        with pytest.raises(StaleError):
            plans.put_pin(tx, "A", {"start": "friday"}, by="x", if_version=0)
        assert plans.put_pin(tx, "A", {"start": "friday"}, by="x", if_version=1)[0].version == 2
        plans.remove_pin(tx, "A")
        with pytest.raises(MissingError):
            plans.remove_pin(tx, "A")
        first = plans.add_progress(tx, "A", {"done": 0.5}, by="x")
        plans.add_progress(tx, "A", {"done": 1.0}, by="x")
        assert [p.progress["done"] for p in plans.every_progress(tx)] == [0.5, 1.0]
        assert [p.progress["done"] for p in plans.every_progress(tx, after=first.seq)] == [1.0]


def test_keys_are_live_until_they_expire_or_are_revoked(kept: Kept) -> None:
    with kept.database.write(SYSTEM) as tx:
        until = tx.now + timedelta(days=1)
        key = keys.add(tx, "k", tenant="acme", name="ci", hash="00", scopes=["read", "plan"], expires=until)
        assert key.scopes == ("read", "plan")
        assert key.live(tx.now)
        assert not key.live(until)
        assert not keys.revoke(tx, "k").live(tx.now)
        first = keys.get(tx, "k").revoked
        kept.clock.move(hours=1)
    with kept.database.write(SYSTEM) as tx:
        assert keys.revoke(tx, "k").revoked == first
        assert keys.find(tx, "none") is None


def test_the_end_of_a_job_is_delivered_where_there_is_a_webhook(kept: Kept) -> None:
    with kept.database.write("acme") as tx:
        silent = submitted(tx).id
        jobs.ask_cancel(tx, silent)
        assert webhooks.sent(tx) == []
        webhooks.put(tx, "https://example.org/hook", "secret", by="x")
        told = submitted(tx).id
        jobs.ask_cancel(tx, told)
        (delivery,) = webhooks.sent(tx)
        assert delivery.body["job"] == told
    with kept.database.write(SYSTEM) as tx:
        (due,) = webhooks.due(tx)
        assert webhooks.begin(tx, due, tx.now + timedelta(minutes=1))
        assert not webhooks.begin(tx, due, tx.now)
        assert webhooks.due(tx) == []
    kept.clock.move(minutes=2)
    with kept.database.write(SYSTEM) as tx:
        (due,) = webhooks.due(tx)
        webhooks.settle(tx, due.id, webhooks.SENT, status=200)
        assert webhooks.due(tx) == []
        assert webhooks.forget(tx, tx.now) == 1


def test_what_fails_in_a_transaction_leaves_nothing(kept: Kept) -> None:
    def half() -> None:
        with kept.database.write("acme") as tx:
            submitted(tx)
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        half()
    with kept.database.read("acme") as tx:
        assert jobs.find(tx) == []


@pytest.mark.parametrize("id", ["*", "", "A", "a b", "é", "-a", "a" * 64])
def test_a_tenant_has_a_plain_name(kept: Kept, id: str) -> None:
    with kept.database.write(SYSTEM) as tx, pytest.raises(StorageError, match="not a word"):
        tenants.create(tx, id)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(StorageError, match=r"sqlite:///FILE"):
        Database(url)
