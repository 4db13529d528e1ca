"""The database behind the journal: opening it, its lock, its migrations, and what its errors mean."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.journal.schema import REVISION

BUSY_TIMEOUT_MS = 10_000


def engine_for(path: Path, *, read_only: bool = False) -> sa.Engine:
    """Return an engine on a SQLite file: WAL, every commit synced (`synchronous=FULL`)."""
    url = f"sqlite:///file:{path}?mode=ro&uri=true" if read_only else f"sqlite:///{path}"
    engine = sa.create_engine(url, connect_args={"check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")

    return engine


@contextlib.contextmanager
def faults_of(path: Path, doing: str) -> Iterator[None]:
    """Turn a database error into one message that names the file and the cause."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError) as fault:
        cause = fault.orig if isinstance(fault, sa.exc.DBAPIError) else fault
        hint = ""
        if "full" in str(cause) or "I/O" in str(cause) or getattr(cause, "errno", None) in (27, 28):
            hint = "; free some space and start again: what was confirmed is safe"
        raise EnvironmentFault(f"{doing} {path} failed: {cause}{hint}") from fault


class DirectoryLock:
    """At most one engine writes a journal. Held by the process, so it ends with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+", encoding="utf-8")  # noqa: SIM115 - held open as long as the lock
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise EnvironmentFault(
                f"{path.parent} is in use by another engine (process {holder}); stop it, or use another --data-dir"
            ) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Give the directory free."""
        self._file.close()


def migrate(engine: sa.Engine, path: Path) -> None:
    """Bring the schema to this version. A file that holds anything is copied first."""
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
        found = None
        if "alembic_version" in tables:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        elif tables:
            raise BadInput(f"{path} is a database, but not a journal of Regatta (tables: {', '.join(sorted(tables))})")
    if found == REVISION:
        return
    # Imported here: it costs a fifth of a second, and most starts have nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise BadInput(f"{path} was written by a newer version (schema {found}; this one knows up to {REVISION})")
    if found is not None:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy2(path, path.with_suffix(f".before-{REVISION}.sqlite"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
