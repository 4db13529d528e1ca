"""The database behind the journal: opening it, its lock, its migrations, and what its errors mean."""

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.journal.schema import REVISION

BUSY_TIMEOUT_MS = 10_000
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def engine_for(path: Path, *, read_only: bool = False, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> sa.Engine:
    """Return an engine on a SQLite file: WAL, every commit synced (`synchronous=FULL`).

    Transactions begin when SQLAlchemy says so, statements that make tables included: the driver
    by itself would commit each of those alone. A writer takes its lock at once.
    """

    def connect() -> sqlite3.Connection:
        mode = "ro" if read_only else "rwc"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    engine = sa.create_engine("sqlite+pysqlite://", creator=connect, poolclass=sa.QueuePool)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


@contextlib.contextmanager
def faults_of(path: Path, doing: str) -> Iterator[None]:
    """Turn a database error into one message that names the file and the cause."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError) as fault:
        cause = fault.orig if isinstance(fault, sa.exc.DBAPIError) else fault
        hint = ""
        if "full" in str(cause) or "I/O" in str(cause) or getattr(cause, "errno", None) in FULL:
            hint = "; free some space and start again: what was confirmed is safe"
        elif "malformed" in str(cause):
            hint = "; the file is damaged: restore a backup"
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
        # A forked worker would share the lock and keep it after the engine's death.
        os.register_at_fork(after_in_child=self._file.close)

    def release(self) -> None:
        """Give the directory free."""
        self._file.close()


SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine, path: Path, *, head: str = REVISION, scripts: Path = SCRIPTS) -> None:
    """Bring the schema to this version, whole or not at all. A file that holds anything is copied first."""
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
        found = None
        if "alembic_version" in tables:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        elif tables:
            raise BadInput(f"{path} is a database, but not a journal of Regatta (tables: {', '.join(sorted(tables))})")
    if found == head:
        return
    # Imported here: it costs a fifth of a second, and most starts have nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise BadInput(f"{path} was written by a newer version (schema {found}; this one knows up to {head})")
    if found is not None:
        backup(path, path.with_suffix(f".before-{head}.sqlite"))
    # One transaction: a death half way leaves the file as it was.
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, head)


def backup(source: Path, target: Path) -> None:
    """Copy a journal, in use or not, into a file of its own that is whole or not there."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(source)) as here, contextlib.closing(sqlite3.connect(unfinished)) as there:
        here.backup(there)
    unfinished.chmod(0o600)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(target)
