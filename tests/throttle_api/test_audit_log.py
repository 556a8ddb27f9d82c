"""The audit log: added to, and never changed unnoticed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from support.databases import Kept
from throttle_api.storage import SYSTEM, audit


def write(kept: Kept, entries: int) -> None:
    for k in range(entries):
        with kept.database.write("acme") as tx:
            audit.add(tx, "key:1", "job.submitted", f"job_{k}", {"n": k, "share": 0.1, "text": "é", "none": None})


def test_the_chain_is_whole_and_of_each_tenant(kept: Kept) -> None:
    write(kept, 3)
    with kept.database.write("other") as tx:
        audit.add(tx, "key:2", "plan.accepted", "job_x")
    with kept.database.read(SYSTEM) as tx:
        assert audit.tenants_with_entries(tx) == ["acme", "other"]
        chain = audit.verify(tx, "acme")
        assert (chain.entries, chain.broken) == (3, None)
        assert audit.hash_at(tx, "acme", 3) == chain.head
        assert audit.verify(tx, "other").entries == 1
        assert audit.verify(tx, "nobody").head == audit.FIRST
    with kept.database.read("acme") as tx:
        assert [entry.n for entry in audit.entries(tx, after=1)] == [2, 3]


def test_an_entry_that_is_rolled_back_leaves_no_gap(kept: Kept) -> None:
    def half() -> None:
        with kept.database.write("acme") as tx:
            audit.add(tx, "x", "y", "z")
            raise RuntimeError("half-way")

    write(kept, 1)
    with pytest.raises(RuntimeError, match="half-way"):
        half()
    write(kept, 1)
    with kept.database.read("acme") as tx:
        assert audit.verify(tx, "acme").entries == 2


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'me'", "DELETE FROM audit"])
def test_entries_are_neither_changed_nor_removed(kept: Kept, statement: str) -> None:
    def change() -> None:
        with kept.database.write("acme") as tx:
            tx.execute(sa.text(statement))

    write(kept, 1)
    with pytest.raises(DBAPIError, match=r"append-only|permission denied"):
        change()


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET actor = 'me' WHERE n = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE n = 3", 3),
        ("DELETE FROM audit WHERE n = 2", 2),
        ("DELETE FROM audit WHERE n = 1", 1),
        ("UPDATE audit SET n = n + 10 WHERE n = 4", 4),
        ("UPDATE audit SET tenant_id = 'other' WHERE n = 4", None),
    ],
)
def test_what_whoever_owns_the_database_changes_is_noticed(kept: Kept, statement: str, broken: int | None) -> None:
    write(kept, 4)
    with kept.database.read("acme") as tx:
        head = audit.verify(tx, "acme").head
    with kept.owner.write(SYSTEM) as tx:
        if tx.postgres:
            tx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER audit_append_only"))
        else:
            for what in ("update", "delete"):
                tx.execute(sa.text(f"DROP TRIGGER audit_no_{what}"))
        tx.execute(sa.text(statement))
    with kept.database.read(SYSTEM) as tx:
        chain = audit.verify(tx, "acme")
        assert chain.broken == broken
        if broken is None:  # cut off at the end: the chain is whole, but its end is not the one that was
            assert audit.hash_at(tx, "acme", 4) != head
            assert audit.verify(tx, "other").broken == 1
