"""The tables from release to release and back, with data in them; and who sees what on PostgreSQL."""

from __future__ import annotations

from itertools import count

import pytest
import sqlalchemy as sa
from benchmarks.postgres import ROLE, Postgres

from support.databases import Kept
from throttle_api.jobs.states import Move, Outcome, State
from throttle_api.storage import SYSTEM, Database, StorageError, audit, jobs, migrate, plans, tables, tenants
from throttle_api.storage.jobs import Ending

_number = count(1)


def fill(database: Database) -> str:
    with database.write(SYSTEM) as tx:
        tenants.create(tx, "acme")
    with database.write("acme") as tx:
        id = jobs.submit(tx, "solve", {"budget": 1}, {"portfolio": b"{}"}, by="x")[0].id
        jobs.claim(tx, "w", id)
        jobs.finish(tx, id, 1, Ending(Move.SUCCEED, Outcome.FEASIBLE, b'{"kind": "plan"}'))
        plans.accept(tx, id, by="x")
        audit.add(tx, "x", "plan.accepted", id)
    return id


def test_every_way_up_and_down_keeps_what_there_is_room_for(empty_url: str) -> None:
    database = Database(empty_url)
    assert migrate.current(database) is None
    with pytest.raises(StorageError, match="throttle db upgrade"):
        migrate.need_current(database)
    *_, before, head = migrate.revisions()
    assert migrate.upgrade(database) == head
    assert migrate.differences(database) == []
    id = fill(database)
    for revision in (before, migrate.revisions()[0]):
        assert migrate.downgrade(database, revision) == revision
        with database.read("acme") as tx:
            assert jobs.get(tx, id).state is State.SUCCEEDED
            assert jobs.result(tx, id) is not None
    assert migrate.upgrade(database) == head
    assert migrate.differences(database) == []
    with database.write("acme") as tx:
        assert plans.find(tx) is None
        assert plans.accept(tx, id, by="x")[0].version == 1
        assert audit.verify(tx, "acme").entries == 0
    assert migrate.downgrade(database, migrate.BASE) is None
    with database.read(SYSTEM) as tx:
        assert set(sa.inspect(tx.connection).get_table_names()) <= {"alembic_version"}
    assert migrate.upgrade(database) == head
    fill(database)
    database.close()


def test_a_database_of_a_later_release_is_left_alone(empty_url: str) -> None:
    database = Database(empty_url)
    migrate.upgrade(database)
    with database.write(SYSTEM) as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (migrate.upgrade, migrate.need_current):
        with pytest.raises(StorageError, match="9999"):
            act(database)
    database.close()


def test_revisions_that_do_not_exist_are_refused(kept: Kept) -> None:
    for act in (migrate.upgrade, migrate.downgrade):
        with pytest.raises(StorageError, match="no revision x"):
            act(kept.owner, "x")


def test_every_table_has_its_tenant() -> None:
    assert [t.name for t in tables.metadata.sorted_tables if "tenant_id" not in t.c] == []


def made(server: Postgres) -> Kept:
    owner, service = server.database(f"secured_{next(_number)}")
    return Kept(Database(service), Database(owner))


def test_without_a_tenant_in_the_query_there_are_only_rows_of_one_s_own(server: Postgres) -> None:
    kept = made(server)
    fill(kept.database)
    with kept.database.write(SYSTEM) as tx:
        tenants.create(tx, "other")
    everywhere = [t for t in tables.metadata.sorted_tables if t.name not in ("tenants", "settings")]
    for tenant, sees in (("acme", True), ("other", False), ("", False), ("ACME", False), ("%", False)):
        with kept.database.read(tenant) as tx:
            found = {t.name for t in everywhere if tx.execute(sa.text(f"SELECT 1 FROM {t.name}")).first()}
            assert bool(found) == sees, (tenant, found)
    with kept.database.engine.connect() as connection:  # and where nobody said which tenant, nothing
        for table in everywhere:
            assert connection.execute(sa.text(f"SELECT count(*) FROM {table.name}")).scalar() == 0
        assert connection.execute(sa.text("UPDATE jobs SET cancel = true")).rowcount == 0
        assert connection.execute(sa.text("DELETE FROM schedules")).rowcount == 0
    with kept.database.write("other") as tx:
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"), tx.connection.begin_nested():
            tx.execute(sa.text("INSERT INTO tenants (tenant_id, name, queue_limit, created) VALUES ('z', 'z', 1, 1)"))
        assert tx.execute(sa.text("UPDATE jobs SET tenant_id = 'other'")).rowcount == 0
    kept.database.close()
    kept.owner.close()


def test_the_service_connects_as_whom_row_level_security_holds(server: Postgres) -> None:
    kept = made(server)
    migrate.need_current(kept.database)
    with pytest.raises(StorageError, match="--role"):
        migrate.need_current(kept.owner)
    with pytest.raises(StorageError, match="CREATE ROLE nobody_is"):
        migrate.upgrade(kept.owner, role="nobody_is")
    with pytest.raises(StorageError, match="take a plain role"):
        migrate.upgrade(kept.owner, role="postgres")
    assert migrate.upgrade(kept.owner, role=ROLE) == migrate.revisions()[-1]
    kept.database.close()
    kept.owner.close()
