"""Commands that this package contributes to ``throttle``, through the entry-point group ``throttle.commands``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import socket

    from throttle_api.settings import Settings
    from throttle_api.storage import Database, Tx
    from throttle_api.storage.keys import Key

HOST = "127.0.0.1"

serve = typer.Typer(add_completion=False, rich_markup_mode="rich")
keys = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Make, list, revoke and rotate keys.",
    epilog="Example: throttle keys create --name ci --scopes read,plan",
)

SettingsOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="Settings as TOML; the environment counts before it.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="Where the embedded database is (throttle-data).")
]


@serve.command("serve", epilog="Example: throttle serve\n\nExample: throttle serve out/plan/plan.json --port 8000")
def _serve(
    plan: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A plan.json, to show it alone and read-only.")
    ] = None,
    portfolio: Annotated[
        Path | None,
        typer.Option("--portfolio", metavar="FILE", help="Its portfolio, where the plan does not carry it."),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="0: any free one (8000).")] = None,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Serve plans over HTTP: the whole service, or, of a PLAN, that one, read-only and to this computer only."""
    if plan is not None:
        if data is not None or settings is not None:
            raise typer.BadParameter("--data and --settings are of the whole service: leave them out, or PLAN")
        _serve_plan(plan, portfolio, 8000 if port is None else port)
        return
    if portfolio is not None:
        raise typer.BadParameter("--portfolio is of a PLAN: name that, or leave it out")
    _serve_all(_settings(settings, data, port))


def _serve_plan(plan: Path, portfolio: Path | None, port: int) -> None:
    import uvicorn

    from throttle.cli import screen
    from throttle_api.app import create_app

    app = create_app(plan, portfolio)
    listening = _listen(HOST, port)
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    screen.say(f"Serving {address}/v1/plan/report (Ctrl-C to end)")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # the way to end it; requests in flight are done
    finally:
        listening.close()


def _settings(file: Path | None, data: Path | None = None, port: int | None = None) -> Settings:
    from throttle_api.settings import load_settings

    given = {"data": data, "port": port}
    return load_settings(file, **{name: value for name, value in given.items() if value is not None})


@contextmanager
def _opened(settings: Settings, serving: bool = False) -> Iterator[Database]:
    """The database; an embedded one is made, and brought to this release. Raises InputError, also where ``serving``
    would be without row-level security."""
    from throttle.errors import InputError
    from throttle_api.storage import Database, StorageError, migrate
    from throttle_models import Finding

    database: Database | None = None
    try:
        try:
            if settings.embedded:
                settings.data.mkdir(parents=True, exist_ok=True)
            database = Database(settings.url)
            if settings.embedded:
                migrate.upgrade(database)
            else:
                migrate.need_current(database)
                if serving and (why := migrate.why_not_safe(database)) is not None:
                    raise StorageError(why)
        except OSError as problem:
            why = (problem.strerror or type(problem).__name__).lower()
            message = f"The data folder {settings.data} cannot be made: {why}. Name another one with --data."
            raise InputError([Finding(level="error", code="cannot-write", message=message)]) from None
        yield database
    except StorageError as problem:
        raise InputError([Finding(level="error", code="database", message=str(problem))]) from None
    finally:
        if database is not None:
            database.close()


def _serve_all(settings: Settings) -> None:
    import signal

    from throttle.cli import screen
    from throttle_api.logs import configure
    from throttle_api.running import Service, run
    from throttle_api.storage import SYSTEM
    from throttle_api.storage import keys as stored

    listening = _listen(settings.host, settings.port)
    before = signal.signal(signal.SIGTERM, _interrupt)  # how systems end a service: in good order, as Ctrl-C does
    try:
        with _opened(settings, serving=True) as database:
            service = Service(settings, database)
            service.start()
            configure(settings)
            with database.read(SYSTEM) as tx:
                some = bool(stored.every(tx))
            host = settings.host if ":" not in settings.host else f"[{settings.host}]"
            screen.say(f"Serving http://{host}:{listening.getsockname()[1]} (Ctrl-C to end)")
            if not some:
                where = f" --data {settings.data}" if settings.embedded else ""
                screen.say(f"There is no key yet. Make one, in another terminal: throttle keys create{where}")
            try:
                run(service, listening)
            except KeyboardInterrupt:
                pass  # the way to end it; requests in flight are done
            finally:
                service.stop()
    finally:
        signal.signal(signal.SIGTERM, before)
        listening.close()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


# ------------------------------------------------------------------------------------------------------------- keys


@keys.command("create", epilog="Example: throttle keys create --tenant default --name ci --scopes read,plan")
def _create(
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="NAME", help="Whose data it opens; made if new.")
    ] = "default",
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What it is for.")] = "key",
    scopes: Annotated[
        str, typer.Option("--scopes", metavar="LIST", help="Of read, plan, decide, admin, metrics; or all.")
    ] = "read,plan,decide",
    days: Annotated[
        float | None, typer.Option("--days", min=0.01, help="Days until it expires; default: never.")
    ] = None,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Make a key and print it, this once; of each name at most two are live, for rotation."""
    from throttle_api.auth import SCOPES, valid_tenant
    from throttle_api.storage import SYSTEM

    asked = (
        tuple(SCOPES)
        if scopes.strip() == "all"
        else tuple(dict.fromkeys(s.strip() for s in scopes.split(",") if s.strip()))
    )
    if unknown := [s for s in asked if s not in SCOPES]:
        raise typer.BadParameter(f"{', '.join(unknown)} is no scope: choose {', '.join(SCOPES)}, or all")
    if not asked:
        raise typer.BadParameter(f"a key needs a scope: choose {', '.join(SCOPES)}, or all")
    if not valid_tenant(tenant):
        raise typer.BadParameter(f"{tenant!r:.70} is no tenant: small letters, digits, - and _")
    known = _settings(settings, data)
    with _opened(known) as database, database.write(SYSTEM) as tx:
        _print_new(tx, known, tenant, name, asked, days)


@keys.command("list", epilog="Example: throttle keys list")
def _list(
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Only this tenant's.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the data as one JSON document.")] = False,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """List keys, without their secrets."""
    import json as encoder

    from throttle.cli import screen
    from throttle_api.storage import SYSTEM
    from throttle_api.storage import keys as stored

    with _opened(_settings(settings, data)) as database, database.read(SYSTEM) as tx:
        found, now = stored.every(tx, tenant), tx.now

    def day(moment: object) -> str | None:
        return str(moment)[:16] if moment else None

    rows = [
        {
            "id": key.id,
            "tenant": key.tenant_id,
            "name": key.name,
            "scopes": list(key.scopes),
            "state": "live" if key.live(now) else "revoked" if key.revoked else "expired",
            "created": day(key.created),
            "expires": day(key.expires),
            "revoked": day(key.revoked),
        }
        for key in found
    ]
    if json:
        screen.emit_json(encoder.dumps(rows, indent=2))
        return
    for row in rows:
        until = f", until {row['expires']} UTC" if row["expires"] else ""
        scopes = ",".join(row["scopes"] or ())
        screen.emit_line(f"{row['id']}  {row['tenant']}  {row['name']}  {scopes}  {row['state']}{until}")
    if not rows:
        screen.say("There are no keys. Make one with: throttle keys create")


@keys.command("revoke", epilog="Example: throttle keys revoke 4cmjeob7uxtb")
def _revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="The part of the key between the underscores.")],
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Let a key open nothing any more, within a second."""
    from dataclasses import replace

    from throttle.cli import screen
    from throttle_api.storage import SYSTEM, audit
    from throttle_api.storage import keys as stored

    with _opened(_settings(settings, data)) as database, database.write(SYSTEM) as tx:
        _find(tx, id)
        key = stored.revoke(tx, id)
        audit.add(replace(tx, tenant=key.tenant_id), "command line", "key.revoked", id)
    screen.say(f"Revoked: {id} ({key.name}).")


@keys.command("rotate", epilog="Example: throttle keys rotate 4cmjeob7uxtb --hours 48")
def _rotate(
    id: Annotated[str, typer.Argument(metavar="ID", help="The part of the key between the underscores.")],
    hours: Annotated[float, typer.Option("--hours", min=0, max=8760, help="So long the old one still opens.")] = 24,
    data: DataOption = None,
    settings: SettingsOption = None,
) -> None:
    """Make a key like another one, which then expires."""
    from datetime import timedelta

    from throttle.cli import screen
    from throttle_api.storage import SYSTEM
    from throttle_api.storage import keys as stored

    known = _settings(settings, data)
    with _opened(known) as database, database.write(SYSTEM) as tx:
        old = _find(tx, id)
        if not old.live(tx.now):
            raise typer.BadParameter(f"the key {id} is not live: make a new one with throttle keys create")
        lasts = (old.expires - tx.now).total_seconds() / 86_400 if old.expires else None
        until = tx.now + timedelta(hours=hours)
        stored.set_expiry(tx, id, until if old.expires is None else min(until, old.expires))
        _print_new(tx, known, old.tenant_id, old.name, old.scopes, lasts)
    screen.say(f"The old one, {id}, expires {until:%Y-%m-%d %H:%M} UTC.")


def _find(tx: Tx, id: str) -> Key:
    from throttle_api.storage import keys as stored

    found = stored.find(tx, id)
    if found is None:
        raise typer.BadParameter(f"there is no key {id!r:.40}: throttle keys list names them")
    return found


def _print_new(tx: Tx, settings: Settings, tenant: str, name: str, scopes: tuple[str, ...], days: float | None) -> None:
    """A new key, in the transaction; the tenant is made where it is new. Prints the key."""
    from dataclasses import replace
    from datetime import timedelta

    from throttle.cli import screen
    from throttle_api.auth import MOST_LIVE, new_key
    from throttle_api.storage import audit, tenants
    from throttle_api.storage import keys as stored

    if tenants.find(tx, tenant) is None:
        tenants.create(tx, tenant, queue_limit=settings.queued_jobs)
    live = [key for key in stored.every(tx, tenant) if key.name == name and key.live(tx.now)]
    if len(live) >= MOST_LIVE:
        ids = ", ".join(key.id for key in live)
        raise typer.BadParameter(f"{tenant} has {len(live)} live keys named {name!r:.60} ({ids}): revoke one first")
    id, whole, digest = new_key()
    expires = tx.now + timedelta(days=days) if days else None
    stored.add(tx, id, tenant=tenant, name=name, hash=digest, scopes=scopes, expires=expires)
    audit.add(replace(tx, tenant=tenant), "command line", "key.created", id, {"scopes": list(scopes)})
    screen.emit_line(whole)
    screen.say(f"This is shown once. Tenant {tenant}; scopes {', '.join(scopes)}; id {id}.")


# ----------------------------------------------------------------------------------------------------------- sockets


def _listen(host: str, port: int) -> socket.socket:
    import socket

    from throttle.errors import InputError
    from throttle_models import Finding

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)  # from here on clients wait instead of being refused
    except OSError as problem:
        listening.close()
        why = (problem.strerror or type(problem).__name__).lower()
        message = f"Cannot listen on port {port}: {why}. Choose another one with --port."
        raise InputError([Finding(level="error", code="cannot-listen", message=message)]) from None
    return listening
