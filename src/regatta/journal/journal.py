"""The append-only journal: what is in it happened, in the order of its numbers.

1. `append` returns when its records are on the disk (fsync), never earlier.
2. Records of one call are committed together; calls that wait at the same time share a commit.
3. After a failed commit nothing is trusted: the journal refuses everything from then on. What
   was confirmed before is safe.
4. Each row's hash covers its predecessor's: a changed or missing row does not go unnoticed.
5. The projections change in the same commit as the journal.
"""

import asyncio
import base64
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from regatta.domain.errors import EnvironmentFault
from regatta.domain.events import AnyRecord, BotRegistered
from regatta.journal.codec import GENESIS, chained, decode, encode, kind_of
from regatta.journal.database import DirectoryLock, engine_for, faults_of, migrate
from regatta.journal.projections import Projector
from regatta.journal.schema import PROJECTIONS, TABLES

INSERT_EVENT = sa.text("INSERT INTO events VALUES (:seq, :at_ms, :kind, :bot, :body, :hash)")
CHECKED_AT_OPEN = 1_000
REPLAY_CHUNK = 5_000


class Journal:
    """A journal in a SQLite file, written by one thread of one process."""

    def __init__(self, path: Path, engine: sa.Engine, lock: DirectoryLock, tag: str, seq: int, last_hash: str) -> None:
        self.path = path
        self.install_tag = tag
        self._engine = engine
        self._lock = lock
        self._seq = seq
        self._hash = last_hash
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[tuple[Sequence[AnyRecord], asyncio.Future[list[int]]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._fault: EnvironmentFault | None = None
        self._projector = Projector()
        self._statements: dict[str, sa.TextClause] = {}
        self._connection: sa.Connection | None = None

    # --- life ----------------------------------------------------------------------------

    @classmethod
    async def open(cls, path: Path) -> "Journal":
        """Open or create the journal at `path`; take the directory's lock; migrate; check the tail.

        Raises EnvironmentFault (in use, unreadable, full disk, broken chain) or BadInput (not a
        journal, or of a newer version).
        """
        return await asyncio.get_running_loop().run_in_executor(None, cls.open_now, path)

    @classmethod
    def open_now(cls, path: Path) -> "Journal":
        """As `open`, without an event loop."""
        with faults_of(path, "opening the journal"):
            lock = DirectoryLock(path.with_suffix(".lock"))
        try:
            with faults_of(path, "opening the journal"):
                engine = engine_for(path)
                migrate(engine, path)
                with engine.begin() as connection:
                    tag = _install_tag(connection)
                    seq, last_hash = _check_tail(connection, path)
                    journal = cls(path, engine, lock, tag, seq, last_hash)
                    journal._learn_grids(connection)
        except BaseException:
            lock.release()
            raise
        return journal

    async def close(self) -> None:
        """Write what waits, then let go of the file. Safe to call twice."""
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self.close_now)

    def close_now(self) -> None:
        """As `close`, without an event loop."""
        self._thread.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()
        self._lock.release()

    # --- writing -------------------------------------------------------------------------

    @property
    def last_seq(self) -> int:
        """Number of the last record that is on the disk; 0 when there is none."""
        return self._seq

    async def append(self, records: Sequence[AnyRecord]) -> list[int]:
        """Commit the records together and return their numbers, once they are on the disk.

        Raises EnvironmentFault when that fails; then the journal takes nothing more.
        """
        if self._fault is not None:
            raise self._fault
        if not records:
            return []
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[int]] = loop.create_future()
        self._waiting.append((records, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = loop.create_task(self._flush(), name="journal")
        # The write goes on even when the caller is cancelled: half a commit does not exist.
        return await asyncio.shield(done)

    def append_now(self, records: Sequence[AnyRecord]) -> list[int]:
        """As `append`, in the calling thread: for programs without an event loop."""
        if self._fault is not None:
            raise self._fault
        return self._write([records])[0] if records else []

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            loop = asyncio.get_running_loop()
            try:
                numbers = await loop.run_in_executor(self._thread, self._write, [records for records, _ in batch])
            except BaseException as fault:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(fault)
                        done.exception()  # looked at here: the caller may be gone
                if not isinstance(fault, Exception):
                    raise
                continue
            for (_, done), numbered in zip(batch, numbers, strict=True):
                if not done.done():
                    done.set_result(numbered)

    def _write(self, groups: Sequence[Sequence[AnyRecord]]) -> list[list[int]]:
        """Commit all groups in one transaction; in the writer's thread."""
        if self._fault is not None:
            raise self._fault
        seq, last_hash = self._seq, self._hash
        rows: list[dict[str, Any]] = []
        numbers: list[list[int]] = []
        try:
            with faults_of(self.path, "writing the journal"):
                if self._connection is None:
                    self._connection = self._engine.connect()
                connection = self._connection
                with connection.begin():
                    for records in groups:
                        numbers.append([])
                        for record in records:
                            seq += 1
                            body = encode(record)
                            last_hash = chained(last_hash, seq, body)
                            rows.append(
                                {"seq": seq, "at_ms": record.at_ms, "kind": kind_of(record), "bot": record.bot,
                                 "body": body, "hash": last_hash}
                            )  # fmt: skip
                            numbers[-1].append(seq)
                            self._project(connection, seq, record)
                    connection.execute(INSERT_EVENT, rows)
        except EnvironmentFault as fault:
            self._fault = fault
            raise
        self._seq, self._hash = seq, last_hash
        return numbers

    def _project(self, connection: sa.Connection, seq: int, record: AnyRecord) -> None:
        for text, values in self._projector.statements(seq, record):
            statement = self._statements.get(text)
            if statement is None:
                statement = self._statements[text] = sa.text(text)
            connection.execute(statement, values)

    def _learn_grids(self, connection: sa.Connection) -> None:
        query = sa.text("SELECT seq, body FROM events WHERE kind = 'BotRegistered' ORDER BY seq")
        for seq, body in connection.execute(query):
            record = decode(body, seq)
            assert isinstance(record, BotRegistered)
            for _ in self._projector.statements(seq, record):
                pass

    # --- reading -------------------------------------------------------------------------

    def replay(self, after: int = 0) -> Iterator[tuple[int, AnyRecord]]:
        """Yield every record with a number above `after`, oldest first."""
        query = sa.text("SELECT seq, body FROM events WHERE seq > :after ORDER BY seq LIMIT :n")
        while True:
            with faults_of(self.path, "reading the journal"), self._engine.connect() as connection:
                rows = connection.execute(query, {"after": after, "n": REPLAY_CHUNK}).all()
            for seq, body in rows:
                yield seq, decode(body, seq)
            if len(rows) < REPLAY_CHUNK:
                return
            after = rows[-1][0]

    def verify(self) -> int:
        """Check the chain from the first row to the last; return how many rows there are.

        Raises EnvironmentFault naming the first row that does not fit.
        """
        with faults_of(self.path, "verifying the journal"), self._engine.connect() as connection:
            return _check(connection, self.path, 0, GENESIS)[0]

    def rebuild(self) -> int:
        """Empty the projections and fill them again from the journal; return the number of records.

        One transaction: either all tables are new or none is.
        """
        count = 0
        with faults_of(self.path, "rebuilding the tables of"), self._engine.begin() as connection:
            for table in PROJECTIONS:
                connection.execute(sa.text(f"DELETE FROM {table}"))
            self._projector = Projector()
            for seq, record in self.replay():
                self._project(connection, seq, record)
                count += 1
        return count

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of every projection, sorted: to compare two journals."""
        with self._engine.connect() as connection:
            return {
                table: sorted((tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}"))), key=repr)
                for table in TABLES
                if table in PROJECTIONS
            }


def _install_tag(connection: sa.Connection) -> str:
    """Return the four characters that mark this installation's client ids; made once."""
    tag = connection.execute(sa.text("SELECT value FROM meta WHERE name = 'install_tag'")).scalar()
    if tag is None:
        tag = base64.b32encode(secrets.token_bytes(5)).decode()[:4]
        connection.execute(sa.text("INSERT INTO meta VALUES ('install_tag', :tag)"), {"tag": tag})
    return str(tag)


def _check_tail(connection: sa.Connection, path: Path) -> tuple[int, str]:
    """Check the last rows of the chain; return the last number and hash."""
    last = connection.execute(sa.text("SELECT COALESCE(MAX(seq), 0) FROM events")).scalar_one()
    after = max(0, last - CHECKED_AT_OPEN)
    previous = GENESIS
    if after:
        found = connection.execute(sa.text("SELECT hash FROM events WHERE seq = :seq"), {"seq": after}).scalar()
        if found is None:
            raise EnvironmentFault(f"the journal {path} is damaged: row {after} is missing")
        previous = str(found)
    return _check(connection, path, after, previous)


def _check(connection: sa.Connection, path: Path, after: int, previous: str) -> tuple[int, str]:
    query = sa.text("SELECT seq, body, hash FROM events WHERE seq > :after ORDER BY seq")
    for seq, body, found in connection.execute(query, {"after": after}):
        if seq != after + 1:
            raise EnvironmentFault(f"the journal {path} is damaged: row {after + 1} is missing")
        if chained(previous, seq, body) != found:
            raise EnvironmentFault(
                f"the journal {path} is damaged: row {seq} was changed after it was written; restore a backup"
            )
        after, previous = seq, found
    return after, previous
