"""The append-only journal: what is in it happened, in the order of its numbers.

1. `append` returns when its records are on the disk (fsync), never earlier.
2. Records of one call are committed together; calls that wait at the same time share a commit.
3. After a failed commit nothing is trusted: the journal refuses everything from then on. What
   was confirmed before is safe.
4. Each row's hash covers its predecessor's: a changed or missing row does not go unnoticed, and
   the tip beside the journal tells when its end is missing.
5. The projections change in the same commit as the journal.
"""

import asyncio
import base64
import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog

from regatta.domain.errors import EnvironmentFault
from regatta.domain.events import AnyRecord
from regatta.journal.codec import GENESIS, Stored, chained, checked, encode, kind_of
from regatta.journal.database import BUSY_TIMEOUT_MS, DirectoryLock, engine_for, faults_of, migrate
from regatta.journal.projections import Projector
from regatta.journal.schema import PROJECTIONS, PROJECTIONS_VERSION
from regatta.journal.tip import Tip, TipFile

log = structlog.get_logger("regatta.journal")

INSERT_EVENT = sa.text("INSERT INTO events VALUES (:seq, :at_ms, :kind, :bot, :body, :hash)")
CHECKED_AT_OPEN = 1_000
REPLAY_CHUNK = 5_000


class Batch(NamedTuple):
    """What one caller wants to be committed together."""

    records: Sequence[AnyRecord]
    bodies: Sequence[str]


class Journal:
    """A journal in a SQLite file, written by one thread of one process."""

    def __init__(self, path: Path, engine: sa.Engine, lock: DirectoryLock, tip: TipFile, tag: str, end: Tip) -> None:
        self.path = path
        self.install_tag = tag
        self._engine = engine
        self._reading = engine_for(path, read_only=True)
        self._lock = lock
        self._tip = tip
        self._end = end
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[tuple[Batch, asyncio.Future[list[int]]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._fault: EnvironmentFault | None = None
        self._closed = False
        self._projector = Projector()
        self._statements: dict[str, sa.TextClause] = {}
        self._connection: sa.Connection | None = None

    # --- life ----------------------------------------------------------------------------

    @classmethod
    async def open(cls, path: Path) -> "Journal":
        """Open or create the journal at `path`; take the directory's lock; migrate; check the end.

        Raises EnvironmentFault (in use, unreadable, full disk, broken chain) or BadInput (not a
        journal, or of a newer version).
        """
        return await asyncio.get_running_loop().run_in_executor(None, cls.open_now, path)

    @classmethod
    def open_now(cls, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> "Journal":
        """As `open`, without an event loop. busy_timeout_ms: how long to wait for other programs' locks."""
        with contextlib.ExitStack() as undo, faults_of(path, "opening the journal"):
            _make_folder(path.parent)
            lock = DirectoryLock(path.with_suffix(".lock"))
            undo.callback(lock.release)
            tip = TipFile(path.with_suffix(".tip"))
            undo.callback(tip.close)
            # Made here, not by SQLite: the log beside it takes over its permissions.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
            engine = engine_for(path, busy_timeout_ms=busy_timeout_ms)
            undo.callback(engine.dispose)
            migrate(engine, path)
            with engine.begin() as connection:
                tag = _install_tag(connection)
                end = _check_end(connection, path, tip.read())
                journal = cls(path, engine, lock, tip, tag, end)
                if _meta(connection, "projections") != PROJECTIONS_VERSION:
                    journal._project_all(connection)
                    _set_meta(connection, "projections", PROJECTIONS_VERSION)
                journal._learn_grids(connection)
            tip.write(end)
            undo.pop_all()
        return journal

    async def close(self) -> None:
        """Write what waits, then let go of the file. Safe to call twice."""
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self.close_now)

    def close_now(self) -> None:
        """As `close`, without an event loop."""
        if self._closed:
            return
        self._closed = True
        self._thread.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._reading.dispose()
        self._engine.dispose()
        self._tip.close()
        self._lock.release()

    # --- writing -------------------------------------------------------------------------

    @property
    def last_seq(self) -> int:
        """Number of the last record that is on the disk; 0 when there is none."""
        return self._end.seq

    async def append(self, records: Sequence[AnyRecord]) -> list[int]:
        """Commit the records together and return their numbers, once they are on the disk.

        Raises EnvironmentFault when that fails; then the journal takes nothing more. ValueError or
        BadInput, with nothing written and the journal as good as before, for a record that can't
        be kept.
        """
        batch = self._batch(records)
        if not records:
            return []
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[int]] = loop.create_future()
        self._waiting.append((batch, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = loop.create_task(self._flush(), name="journal")
        # The write goes on even when the caller is cancelled: half a commit does not exist.
        return await asyncio.shield(done)

    def append_now(self, records: Sequence[AnyRecord]) -> list[int]:
        """As `append`, waiting in the calling thread: for programs without an event loop."""
        batch = self._batch(records)
        return self._thread.submit(self._write, [batch]).result()[0] if records else []

    def _batch(self, records: Sequence[AnyRecord]) -> Batch:
        if self._closed:
            raise EnvironmentFault(f"the journal {self.path} is closed")
        if self._fault is not None:
            raise self._fault
        return Batch(tuple(records), [encode(record) for record in records])

    async def _flush(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            try:
                await self._settle(waiting)
            except Exception as fault:
                if len(waiting) == 1 or self._fault is not None:
                    _refuse(waiting, fault)
                    continue
                # One of them can't be kept: each for itself, so that the others are.
                for one in waiting:
                    try:
                        await self._settle([one])
                    except Exception as own:
                        _refuse([one], own)
            except BaseException as fault:
                _refuse(waiting, fault)
                raise

    async def _settle(self, waiting: Sequence[tuple[Batch, asyncio.Future[list[int]]]]) -> None:
        loop = asyncio.get_running_loop()
        numbers = await loop.run_in_executor(self._thread, self._write, [batch for batch, _ in waiting])
        for (_, done), numbered in zip(waiting, numbers, strict=True):
            if not done.done():
                done.set_result(numbered)

    def _write(self, batches: Sequence[Batch]) -> list[list[int]]:
        """Commit all batches in one transaction; in the writer's thread."""
        if self._fault is not None:
            raise self._fault
        seq, last_hash = self._end
        rows: list[dict[str, Any]] = []
        numbers: list[list[int]] = []
        try:
            with faults_of(self.path, "writing the journal"), self._own_connection().begin() as transaction:
                connection = transaction.connection
                for records, bodies in batches:
                    numbers.append([])
                    for record, body in zip(records, bodies, strict=True):
                        seq += 1
                        last_hash = chained(last_hash, seq, body)
                        rows.append(
                            {"seq": seq, "at_ms": record.at_ms, "kind": kind_of(record), "bot": record.bot,
                             "body": body, "hash": last_hash}
                        )  # fmt: skip
                        numbers[-1].append(seq)
                        self._project(connection, seq, record)
                connection.execute(INSERT_EVENT, rows)
        except EnvironmentFault as fault:
            if isinstance(fault.__cause__, sa.exc.IntegrityError | sa.exc.DataError):
                # Not the disk: an order intended twice, say. Nothing was written.
                raise ValueError(f"a record contradicts the journal: {fault.__cause__.orig}") from fault
            self._fault = fault
            raise
        except OverflowError as fault:
            raise ValueError(f"a record holds a number beyond 64 bits: {fault}") from fault
        self._end = Tip(seq, last_hash)
        self._note_end()
        return numbers

    def _own_connection(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _note_end(self) -> None:
        try:
            self._tip.write(self._end)
        except OSError as fault:
            log.warning("the tip of the journal was not written", file=str(self._tip.path), cause=fault.strerror)

    # --- projections ---------------------------------------------------------------------

    def _project(self, connection: sa.Connection, seq: int, record: AnyRecord) -> None:
        for text, values in self._projector.statements(seq, record):
            statement = self._statements.get(text)
            if statement is None:
                statement = self._statements[text] = sa.text(text)
            connection.execute(statement, values)

    def _project_all(self, connection: sa.Connection) -> int:
        """Empty the projections and fill them again, within the caller's transaction."""
        for table in PROJECTIONS:
            connection.execute(sa.text(f"DELETE FROM {table}"))
        self._projector = Projector()
        count = 0
        for row, record in checked(_rows(partial(_chunk, connection), 0, self._end.seq), self.path, 0, GENESIS):
            self._project(connection, row.seq, record)
            count += 1
        return count

    def _learn_grids(self, connection: sa.Connection) -> None:
        for bot, settings in connection.execute(sa.text("SELECT bot, settings FROM settings_history ORDER BY seq")):
            self._projector.learn(bot, settings)

    def rebuild(self) -> int:
        """Empty the projections and fill them again from the journal; return the number of records.

        One transaction between two commits: either all tables are new or none is.
        """
        return self._thread.submit(self._rebuild).result()

    def _rebuild(self) -> int:
        with faults_of(self.path, "rebuilding the tables of"), self._own_connection().begin() as transaction:
            return self._project_all(transaction.connection)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of every projection, sorted: to compare two journals."""
        with self._reading.connect() as connection:
            return {
                table: sorted((tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}"))), key=repr)
                for table in PROJECTIONS
            }

    # --- reading -------------------------------------------------------------------------

    def replay(self, after: int = 0) -> Iterator[tuple[int, AnyRecord]]:
        """Yield every record with a number above `after`, oldest first, up to the last one now.

        Checks the chain on the way: EnvironmentFault at the first row that is not what was written.
        """
        until = self._end.seq
        with faults_of(self.path, "reading the journal"), self._reading.connect() as connection:
            previous = _hash_of(connection, self.path, after)
        for row, record in checked(_rows(self._read_chunk, after, until), self.path, after, previous):
            yield row.seq, record

    def _read_chunk(self, after: int, until: int) -> Sequence[sa.Row[Any]]:
        # A transaction of its own for each chunk: a slow reader holds up no checkpoint.
        with faults_of(self.path, "reading the journal"), self._reading.connect() as connection:
            return _chunk(connection, after, until)

    def verify(self) -> int:
        """Check the file's pages, and the chain from the first row to the last; return how many rows there are.

        Raises EnvironmentFault naming the first row that does not fit.
        """
        with faults_of(self.path, "verifying the journal"), self._reading.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
            if found != "ok":
                raise EnvironmentFault(f"the journal {self.path} is damaged: {found}; restore a backup")
            rows = _rows(partial(_chunk, connection), 0, self._end.seq)
            return sum(1 for _ in checked(rows, self.path, 0, GENESIS))


def _refuse(waiting: Sequence[tuple[Batch, asyncio.Future[list[int]]]], fault: BaseException) -> None:
    for _, done in waiting:
        if not done.done():
            done.set_exception(fault)
            done.exception()  # looked at here: the caller may be gone


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise EnvironmentFault(f"{folder} can't be a data directory: a file is in its place") from None


# --- The file's contents -------------------------------------------------------------------------


def _chunk(connection: sa.Connection, after: int, until: int) -> Sequence[sa.Row[Any]]:
    query = sa.text(
        f"SELECT {', '.join(Stored._fields)} FROM events WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :n"
    )
    return connection.execute(query, {"after": after, "until": until, "n": REPLAY_CHUNK}).all()


def _rows(read: Callable[[int, int], Sequence[sa.Row[Any]]], after: int, until: int) -> Iterator[sa.Row[Any]]:
    """Yield the rows of `events` in order, a chunk at a time."""
    while after < until:
        chunk = read(after, until)
        yield from chunk
        if len(chunk) < REPLAY_CHUNK:
            return
        after = chunk[-1].seq


def _hash_of(connection: sa.Connection, path: Path, seq: int) -> str:
    if seq == 0:
        return GENESIS
    found = connection.execute(sa.text("SELECT hash FROM events WHERE seq = :seq"), {"seq": seq}).scalar()
    if found is None:
        raise EnvironmentFault(f"the journal {path} is damaged: row {seq} is missing; restore a backup")
    return str(found)


def _check_end(connection: sa.Connection, path: Path, tip: Tip | None) -> Tip:
    """Check the last rows against each other and the tip; return where the journal ends."""
    last = connection.execute(sa.text("SELECT COALESCE(MAX(seq), 0) FROM events")).scalar_one()
    name = path.with_suffix(".tip").name
    if tip is not None and tip.seq > last:
        raise EnvironmentFault(
            f"the journal {path} ends at row {last}, but row {tip.seq} had been confirmed: its end is missing. Restore "
            f"the newest backup; to go on without the missing rows, delete {name} beside it"
        )
    after = max(0, last - CHECKED_AT_OPEN)
    end = Tip(after, _hash_of(connection, path, after))
    for row, _ in checked(_rows(partial(_chunk, connection), after, last), path, *end):
        end = Tip(row.seq, row.hash)
    if tip is not None and _hash_of(connection, path, tip.seq) != tip.hash:
        raise EnvironmentFault(
            f"the journal {path} is another one than was written here: row {tip.seq} differs. "
            f"If that is meant, delete {name} beside it"
        )
    return end


def _install_tag(connection: sa.Connection) -> str:
    """Return the four characters that mark this installation's client ids; made once."""
    tag = _meta(connection, "install_tag")
    if tag is None:
        tag = base64.b32encode(secrets.token_bytes(5)).decode()[:4]
        _set_meta(connection, "install_tag", tag)
    return tag


def _meta(connection: sa.Connection, name: str) -> str | None:
    found = connection.execute(sa.text("SELECT value FROM meta WHERE name = :name"), {"name": name}).scalar()
    return None if found is None else str(found)


def _set_meta(connection: sa.Connection, name: str, value: str) -> None:
    connection.execute(
        sa.text("INSERT INTO meta VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"),
        {"name": name, "value": value},
    )
