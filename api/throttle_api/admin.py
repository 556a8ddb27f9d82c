"""Commands of whoever runs the service: its database, its workers, its audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from throttle_api.settings import Settings
    from throttle_api.storage import Database
    from throttle_api.worker.lock import ServiceLock

db = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Upgrade, back up and restore.",
    epilog="Example: throttle db backup backups/monday.db",
)
worker = typer.Typer(add_completion=False, rich_markup_mode="rich")
audit = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Verify the audit log.",
    epilog="Example: throttle audit verify",
)

SettingsOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="Settings as TOML; the environment counts before it.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="Where the embedded database is (throttle-data).")
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Another one, such as PostgreSQL's as its owner.")
]


# --------------------------------------------------------------------------------------------------------------- db


@db.command("upgrade", epilog="Example: throttle db upgrade --database postgresql://owner@db/throttle --role throttle")
def _upgrade(
    role: Annotated[
        str | None, typer.Option("--role", metavar="NAME", help="PostgreSQL: give the service's role its rights.")
    ] = None,
    to: Annotated[str, typer.Option("--to", metavar="REVISION", help="Another one than this release's.")] = "head",
    database: DatabaseOption = None,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Bring the tables, with what is in them, to this release."""
    from throttle.cli import screen
    from throttle_api.storage import migrate

    with _opened(database, data, settings, new=True) as opened:
        if role is not None and not opened.postgres:
            raise typer.BadParameter("--role is for PostgreSQL: leave it out")
        screen.say(f"The database is at revision {migrate.upgrade(opened, to, role=role)}.")


@db.command("downgrade", epilog="Example: throttle db downgrade 0002")
def _downgrade(
    to: Annotated[str, typer.Argument(metavar="REVISION", help="An earlier one; base removes all tables.")],
    database: DatabaseOption = None,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Bring the tables back to an earlier revision. What only later ones know is lost: take a backup first."""
    from throttle.cli import screen
    from throttle_api.storage import migrate

    with _opened(database, data, settings) as opened, _alone(opened):
        screen.say(f"The database is at revision {migrate.downgrade(opened, to) or 'none'}.")


@db.command("current", epilog="Example: throttle db current")
def _current(database: DatabaseOption = None, data: DataOption = None, settings: SettingsOption = None) -> None:
    """Print the revision that the database is at, and this release's."""
    from throttle.cli import screen
    from throttle_api.storage import migrate

    with _opened(database, data, settings) as opened:
        screen.emit_line(f"{migrate.current(opened) or 'none'} (this release: {migrate.revisions()[-1]})")


@db.command("backup", epilog="Example: throttle db backup backups/monday.db")
def _backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new one.")],
    portable: Annotated[
        bool, typer.Option("--portable", help="Of SQLite too: a copy that PostgreSQL can be restored from.")
    ] = False,
    database: DatabaseOption = None,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Copy the database, also while it is served."""
    from throttle.cli import screen
    from throttle_api.storage.backup import backup

    with _opened(database, data, settings) as opened:
        size = backup(opened, file, portable=portable)
    screen.say(f"Written: {file} ({size / 1e6:,.1f} MB).")


@db.command("restore", epilog="Example: throttle db restore backups/monday.db --data new")
def _restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What throttle db backup wrote.")],
    database: DatabaseOption = None,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Bring a copy into an empty database, of this or an earlier release. Jobs that ran then wait again."""
    from throttle.cli import screen
    from throttle.wording import plural
    from throttle_api.storage.backup import restore

    with _opened(database, data, settings, new=True) as opened, _alone(opened):
        back = restore(opened, file)
    again = f" {plural(back, 'job that ran waits', 'jobs that ran wait')} again." if back else ""
    screen.say(f"Restored: {file}.{again}")


# ----------------------------------------------------------------------------------------------------------- worker


@worker.command("worker", epilog="Example: throttle worker --jobs 2")
def _worker(
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, max=64, help="How many at once (1).")] = None,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when no job waits any more.")] = False,
    database: DatabaseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Run jobs of a PostgreSQL database, beside any number of other workers, until interrupted."""
    from datetime import timedelta

    from throttle.cli import screen
    from throttle_api.jobs.runner import Running
    from throttle_api.logs import configure
    from throttle_api.storage import migrate

    known = _settings(None, settings)
    try:
        from throttle_api.worker.tickets import TicketWorker
    except ImportError as missing:
        raise _refuse(
            "no-postgres", f"{missing.name} is not installed: pip install 'throttle-scheduler[postgres]'."
        ) from None
    with _opened(database, None, settings) as opened:
        if opened.postgres:
            migrate.need_current(opened)
        configure(known)
        how = Running(memory=known.job_memory, attempts=known.attempts, keep=timedelta(days=known.keep_days))
        made = TicketWorker(opened, how, concurrency=jobs or max(1, known.workers))
        screen.say(f"Working on {made.concurrency} at once (Ctrl-C to end).")
        made.run(patience=known.shutdown, until_empty=until_empty)


# ------------------------------------------------------------------------------------------------------------ audit


@audit.callback(invoke_without_command=True)
def _audit() -> None:
    """Verify the audit log."""


@audit.command("verify", epilog="Example: throttle audit verify --tenant default --expect 412:9f2c...")
def _verify(
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Only this tenant's.")] = None,
    expect: Annotated[
        str | None,
        typer.Option("--expect", metavar="N:HASH", help="What was printed before: entry N must still have that hash."),
    ] = None,
    database: DatabaseOption = None,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Verify that no entry was changed or removed, and print the number and hash of the last one of each tenant.

    Ends with 5 where the chain is broken. Entries that were cut off at the end are noticed with --expect.
    """
    from throttle.cli import screen
    from throttle_api.storage import audit as log

    if expect is not None and tenant is None:
        raise typer.BadParameter("--expect is of one tenant: name it with --tenant")
    broken = False
    with _opened(database, data, settings) as opened, opened.snapshot() as tx:
        for name in [tenant] if tenant is not None else log.tenants_with_entries(tx):
            chain = log.verify(tx, name)
            why = chain.why
            if not why and expect is not None:
                number, _, hash = expect.partition(":")
                if not number.isdecimal() or log.hash_at(tx, name, int(number)) != hash:
                    why = f"entry {number} is not there as it was"
            broken = broken or bool(why)
            screen.emit_line(f"{name}  {chain.entries}:{chain.head}  {f'BROKEN: {why}' if why else 'whole'}")
        if tenant is None and not log.tenants_with_entries(tx):
            screen.say("The audit log has no entries.")
    if broken:
        raise typer.Exit(5)


# ------------------------------------------------------------------------------------------------------------ parts


def _refuse(code: str, message: str) -> Exception:
    from throttle.errors import InputError
    from throttle_models import Finding

    return InputError([Finding(level="error", code=code, message=message)])


def _settings(data: Path | None, file: Path | None) -> Settings:
    from throttle_api.settings import load_settings

    return load_settings(file, data=data) if data is not None else load_settings(file)


@contextmanager
def _opened(url: str | None, data: Path | None, settings: Path | None, new: bool = False) -> Iterator[Database]:
    """The database that is meant, which may be ``new``; what it cannot do becomes an error of the command."""
    from throttle_api.storage import Database, StorageError

    known = _settings(data, settings)
    try:
        opened = Database(url or known.url)
        if opened.file is not None and new:
            opened.file.parent.mkdir(parents=True, exist_ok=True)
        elif opened.file is not None and not opened.file.exists():
            raise _refuse("no-database", f"There is no database {opened.file}: name its folder with --data.")
        try:
            yield opened
        finally:
            opened.close()
    except StorageError as problem:
        raise _refuse("database", str(problem)) from None
    except OSError as problem:
        why = (problem.strerror or type(problem).__name__).lower()
        raise _refuse("cannot-write", f"The data folder cannot be used: {why}. Name another one with --data.") from None


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """While nothing serves a SQLite database."""
    from throttle_api.worker.lock import ServiceLock

    lock: ServiceLock | None = ServiceLock(database.file) if database.file is not None else None
    if lock is not None:
        lock.take()
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
