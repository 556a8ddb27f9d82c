"""Whatever happens to jobs in whatever order, what must always be true of them is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from support.databases import sqlite_kept
from throttle_api.jobs.states import ENDED, MOST_ATTEMPTS, MOVES, Move, Outcome, State
from throttle_api.storage import SYSTEM, KeyReusedError, StateError, jobs
from throttle_api.storage.jobs import Ending

ENDINGS = (
    Ending(Move.SUCCEED, Outcome.FEASIBLE, b"{}"),
    Ending(Move.SUCCEED, Outcome.INFEASIBLE),
    Ending(Move.FAIL, Outcome.UNKNOWN, code="input", reason="It is wrong."),
    Ending(Move.STOP, Outcome.FEASIBLE, b"{}"),
)


class Life(RuleBasedStateMachine):
    """Workers that remember attempts which are long over, clients, a clock that goes both ways."""

    submitted: Bundle[str] = Bundle("submitted")
    begun: Bundle[tuple[str, int]] = Bundle("begun")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.kept = sqlite_kept(Path(self.folder.name))
        self.ended: dict[str, tuple[State, bool]] = {}
        self.deleted: set[str] = set()
        self.of_key: dict[str, tuple[str, int]] = {}
        self.name = 0

    def teardown(self) -> None:
        self.kept.database.close()
        self.folder.cleanup()

    @rule(target=submitted)
    def submit(self) -> str:
        with self.kept.database.write("acme") as tx:
            return jobs.submit(tx, "solve", {}, {"portfolio": b"{}"}, by="x")[0].id

    @rule(target=submitted, key=st.sampled_from("ab"), seed=st.integers(1, 2))
    def submit_with_a_key(self, key: str, seed: int) -> str:
        """The same request again is the same job, for as long as that is known; another request is refused."""
        known = self.of_key.get(key)
        with self.kept.database.write("acme") as tx:
            there = known is not None and any(job.id == known[0] for job in jobs.find(tx, limit=1000))
            try:
                job, new = jobs.submit(tx, "solve", {"seed": seed}, {"portfolio": b"{}"}, by="x", idempotency_key=key)
            except KeyReusedError:
                assert there
                assert known is not None
                assert known[1] != seed
                return known[0]
            assert new != there
            assert new or known == (job.id, seed)
        self.of_key[key] = job.id, seed
        return job.id

    @rule(target=begun)
    def begin_the_next(self) -> tuple[str, int]:
        self.name += 1
        with self.kept.database.write(SYSTEM) as tx:
            waiting = [job for job in jobs.find(tx, limit=1000) if job.state is State.QUEUED]
            job = jobs.claim(tx, f"w{self.name}")
            assert (job is None) == (not waiting)
            if job is None:
                return ("", 0)
            assert job.seq == min(waited.seq for waited in waiting)  # of one tenant: the oldest
            return (job.id, job.attempt)

    @rule()
    def begin_the_service_again(self) -> None:
        """Nothing runs any more that was said to, and everything else is as it was."""
        with self.kept.database.write(SYSTEM) as tx:
            before = {job.id: job for job in jobs.find(tx, limit=1000)}
            jobs.recover(tx, "it is gone.")
            for job in jobs.find(tx, limit=1000):
                old = before[job.id]
                if old.state is not State.RUNNING:
                    assert job == old
                elif old.cancel:
                    assert job.state is State.CANCELLED
                else:
                    assert job.state is (State.FAILED if old.tries >= MOST_ATTEMPTS else State.QUEUED)

    @rule(attempt=begun)
    def keep_the_best_so_far(self, attempt: tuple[str, int]) -> None:
        with self.kept.database.write("acme") as tx:
            runs = any(
                job.id == attempt[0] and job.attempt == attempt[1] and job.state is State.RUNNING
                for job in jobs.find(tx, limit=1000)
            )
            assert jobs.keep_best(tx, *attempt, b"{}") == runs

    @rule(target=begun, id=submitted)
    def begin(self, id: str) -> tuple[str, int]:
        self.name += 1
        with self.kept.database.write("acme") as tx:
            job = jobs.claim(tx, f"w{self.name}", id)
        return (id, job.attempt if job is not None else 0)

    @rule(attempt=begun, ending=st.sampled_from(ENDINGS))
    def finish(self, attempt: tuple[str, int], ending: Ending) -> None:
        with self.kept.database.write("acme") as tx:
            before = [job for job in jobs.find(tx, limit=1000) if job.id == attempt[0]]
            kept = jobs.finish(tx, *attempt, ending)
            runs = bool(before) and before[0].state is State.RUNNING and before[0].attempt == attempt[1]
            again = bool(before) and before[0].attempt == attempt[1] and before[0].state is MOVES[ending.move][1]
            assert kept == (runs or again)

    @rule(attempt=begun)
    def lose(self, attempt: tuple[str, int]) -> None:
        with self.kept.database.write("acme") as tx:
            jobs.lose(tx, *attempt, "it is gone.")

    @rule(attempt=begun)
    def hand_back(self, attempt: tuple[str, int]) -> None:
        with self.kept.database.write("acme") as tx:
            jobs.hand_back(tx, *attempt)

    @rule(attempt=begun)
    def report(self, attempt: tuple[str, int]) -> None:
        with self.kept.database.write("acme") as tx:
            jobs.report(tx, *attempt, {"incumbent": 1})

    @rule(id=submitted)
    def cancel(self, id: str) -> None:
        if id not in self.deleted:
            with self.kept.database.write("acme") as tx:
                job = jobs.ask_cancel(tx, id)
                assert job.ended or job.cancel

    @rule(id=submitted)
    def delete(self, id: str) -> None:
        if id in self.deleted:
            return
        with self.kept.database.write("acme") as tx:
            try:
                jobs.delete(tx, id)
            except StateError:
                assert not jobs.get(tx, id).ended
                return
        self.deleted.add(id)
        self.ended.pop(id, None)

    @rule(hours=st.integers(-200, 400))
    def clock(self, hours: int) -> None:
        self.kept.clock.move(hours=hours)
        with self.kept.database.write(SYSTEM) as tx:
            jobs.expire(tx, forget=timedelta(days=100_000))

    @invariant()
    def holds(self) -> None:
        with self.kept.database.read("acme") as tx:
            for job in jobs.find(tx, limit=1000):
                result, events = jobs.result(tx, job.id), jobs.events(tx, job.id)
                numbers = [event.n for event in events]
                assert numbers == sorted(set(numbers))
                assert numbers[-1] == job.version
                assert job.tries <= MOST_ATTEMPTS + (job.state is State.RUNNING)
                assert result is None or (job.state in ENDED and result.attempt == job.attempt)
                assert job.state is not State.EXPIRED or result is None
                best = jobs.best(tx, job.id)
                assert best is None or (result is None and job.state is not State.EXPIRED)
                assert job.ended == (events[-1].kind == "done")
                if job.id in self.ended:  # an end is for ever, but for its expiry
                    state, had = self.ended[job.id]
                    assert job.state in (state, State.EXPIRED)
                    assert job.state is State.EXPIRED or (result is not None) == had
                if job.ended:
                    self.ended[job.id] = job.state, result is not None


Life.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
test_life = Life.TestCase
