"""How a journal is opened: its schema, migrations and backups, its lock, and what died half way."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.journal import Journal, Reader
from regatta.journal.database import SCRIPTS, engine_for, migrate
from regatta.journal.schema import PROJECTIONS, REVISION, TABLES
from tests.journal.test_journal import started, trading_records


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def columns(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in TABLES}


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES}


def broken_scripts(folder: Path) -> Path:
    """Return migrations whose last statement fails."""
    shutil.copytree(SCRIPTS, folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    broken = folder / "scripts" / "versions" / "v9999_broken.py"
    broken.write_text(
        f'from alembic import op\nrevision = "9999"\ndown_revision = "{REVISION}"\n'
        'def upgrade() -> None:\n    op.execute("CREATE TABLE half (x)")\n    op.execute("CREATE TABLE half (x)")\n'
    )
    return folder / "scripts"


def test_the_migrations_lead_to_the_schema_that_the_code_needs(path: Path) -> None:
    Journal.open_now(path).close_now()
    with closing(sqlite3.connect(path)) as migrated, closing(sqlite3.connect(":memory:")) as wanted:
        for name, body in TABLES.items():
            wanted.execute(f"CREATE TABLE {name} ({body})")
        assert columns(migrated) == columns(wanted)
        found = {row[0] for row in migrated.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert found == {*TABLES, "alembic_version"}


def test_a_migration_that_fails_half_way_leaves_no_trace(path: Path, tmp_path: Path) -> None:
    engine = engine_for(path)
    with pytest.raises(sa.exc.OperationalError):
        migrate(engine, path, head="9999", scripts=broken_scripts(tmp_path))
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    journal = Journal.open_now(path)
    assert list(journal.append_now([started(1)])) == [1]
    journal.close_now()


def test_a_failed_migration_of_a_filled_journal_leaves_it_as_it_was(path: Path, tmp_path: Path) -> None:
    journal = Journal.open_now(path)
    journal.append_now(trading_records())
    journal.close_now()
    before = dump(path)
    engine = engine_for(path)
    with pytest.raises(sa.exc.OperationalError):
        migrate(engine, path, head="9999", scripts=broken_scripts(tmp_path))
    engine.dispose()
    assert dump(path) == before
    assert dump(path.with_suffix(".before-9999.sqlite")) == before, "and it was copied first"


def filled_at(path: Path, revision: str) -> dict[str, list[tuple[object, ...]]]:
    """Make a journal as an earlier version left it: its schema, filled with the records of a run."""
    newest = Journal.open_now(path)
    newest.append_now(trading_records())
    newest.close_now()
    contents = dump(path)
    path.unlink()
    engine = engine_for(path)
    migrate(engine, path, head=revision)
    with engine.begin() as connection:
        for name, rows in contents.items():
            for row in rows:
                if (name, row[0]) != ("meta", "projections"):
                    connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    engine.dispose()
    return contents


def test_a_journal_of_the_first_version_keeps_every_trade_signal_position_and_balance(path: Path) -> None:
    contents = filled_at(path, "0001")
    journal = Journal.open_now(path)
    assert dump(path) == contents
    assert len(contents["trades"]) > 10
    assert journal.verify() == journal.last_seq == len(contents["events"])
    journal.append_now([started(1)])
    journal.close_now()
    backup = path.with_suffix(f".before-{REVISION}.sqlite")
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert connection.execute("SELECT COUNT(*) FROM events").fetchone() == (len(contents["events"]),)


def test_tables_that_another_fold_filled_are_filled_again(path: Path) -> None:
    journal = Journal.open_now(path)
    journal.append_now(trading_records())
    tables = journal.tables()
    journal.close_now()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE portfolios SET balance_e8 = 0")
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'projections'")
    journal = Journal.open_now(path)
    assert journal.tables() == tables
    journal.close_now()


def test_opening_what_is_up_to_date_does_not_import_the_migrations_tool(path: Path) -> None:
    Journal.open_now(path).close_now()
    script = """
        import sys
        from pathlib import Path
        from regatta.journal import Journal
        Journal.open_now(Path(sys.argv[1])).close_now()
        print("alembic" in sys.modules)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_opening_and_closing_alone_change_nothing(path: Path) -> None:
    journal = Journal.open_now(path)
    journal.append_now(trading_records())
    journal.close_now()
    contents, written_ns = path.read_bytes(), path.stat().st_mtime_ns
    Journal.open_now(path).close_now()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (contents, written_ns)


def test_statistics_cost_no_database(tmp_path: Path) -> None:
    script = "import sys, regatta.journal.statistics; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_files_are_for_their_owner_only(path: Path) -> None:
    journal = Journal.open_now(path)
    journal.append_now([started(1)])
    for suffix in ("", "-wal", "-shm"):
        assert path.with_name(path.name + suffix).stat().st_mode & 0o077 == 0, suffix
    journal.close_now()


@pytest.mark.parametrize("name", ["with space & ünï", "a#b?c%20", "quote'\"s"])
def test_any_name_of_a_folder_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "journal.sqlite"
    journal = Journal.open_now(path)
    journal.append_now(trading_records())
    reader = Reader(path)
    assert reader.trade_totals().trades > 10
    reader.close()
    journal.close_now()
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_a_forked_child_does_not_keep_the_lock_of_a_dead_engine(path: Path) -> None:
    script = """
        import os, sys, time
        from pathlib import Path
        from regatta.journal import Journal
        journal = Journal.open_now(Path(sys.argv[1]))
        if (child := os.fork()) == 0:
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        with pytest.raises(EnvironmentFault, match=rf"in use by another engine \(process {process.pid}\)"):
            Journal.open_now(path)
        process.kill()
        process.wait()
        Journal.open_now(path).close_now()
    finally:
        os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_reader_reads_after_the_engine_is_gone_and_never_writes(path: Path) -> None:
    journal = Journal.open_now(path)
    journal.append_now(trading_records())
    journal.close_now()
    before = path.read_bytes()
    reader = Reader(path)
    assert reader.trade_totals().trades > 10
    assert set(journal_tables(path)) >= set(PROJECTIONS)
    with pytest.raises(sa.exc.OperationalError, match="readonly"), reader._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM trades")
    reader.close()
    assert path.read_bytes() == before


def journal_tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def test_a_long_read_does_not_hold_up_the_writer(path: Path) -> None:
    journal = Journal.open_now(path, busy_timeout_ms=50)
    journal.append_now(trading_records())
    reader = Reader(path)
    with reader._engine.begin() as connection:
        seen = connection.exec_driver_sql("SELECT COUNT(*) FROM events").scalar()
        half_read = journal.replay()
        next(half_read)
        assert list(journal.append_now([started(1)])) == [(seen or 0) + 1]
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM events").scalar() == seen, "one moment for one reader"
    assert sum(1 for _ in half_read) == (seen or 0) - 1
    reader.close()
    journal.close_now()


def test_views_show_exact_decimals_under_the_old_names(path: Path) -> None:
    journal = Journal.open_now(path)
    journal.append_now(trading_records())
    journal.close_now()
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT v.pnl, t.pnl_e8, v.fees, t.fees_e8 FROM trades_journal v JOIN trades t ON t.trade_id = v.trade_id"
        ).fetchall()
        assert len(rows) > 10
        assert {pnl < 0 for _, pnl, _, _ in rows} == {True, False}
        for pnl, pnl_e8, fees, fees_e8 in rows:
            assert pnl == f"{'-' if pnl_e8 < 0 else ''}{abs(pnl_e8) // 10**8}.{abs(pnl_e8) % 10**8:08d}"
            assert fees == f"{fees_e8 // 10**8}.{fees_e8 % 10**8:08d}"
        ((initial,),) = connection.execute("SELECT initial_balance FROM paper_portfolio").fetchall()
        assert initial == "10000.00000000"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EnvironmentFault, match=r"/file can't be a data directory: a file is in its place"):
        Journal.open_now(tmp_path / "file" / "journal.sqlite")


def test_a_journal_of_a_later_version_is_refused_before_anything_is_touched(path: Path) -> None:
    Journal.open_now(path).close_now()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(BadInput, match=rf"newer version \(schema 9999; this one knows up to {REVISION}\)"):
        Journal.open_now(path)
    assert path.read_bytes() == before
