"""What the journal promises, on a real SQLite file."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.domain.events import (
    AnyRecord,
    EngineStarted,
    EquityMarked,
    HoldsCounted,
    MarketReached,
    PlaceOrder,
    TradeClosed,
)
from regatta.engine.bus import EventBus
from regatta.engine.lane import Lane
from regatta.journal import Journal, MemoryJournal, Reader
from regatta.risk.rules import RiskRules
from regatta.sim.venue import Frictions, SimulatedVenue
from tests.scripted import INITIAL, ListJournal, Market, ScriptedFeed


def trading_records(seed: int = 3) -> list[AnyRecord]:
    """Return everything that one busy bot leaves behind."""
    market = Market(seed, 120, missing=0.02, short=True, busy=0.2)
    journal = ListJournal()
    lane = Lane(
        feed=ScriptedFeed(market.moments()),
        venue=SimulatedVenue("test", market.table, Frictions(split_probability=0.3)),
        bots=[market.bot(RiskRules(max_positions=3, stop=0.005, target=0.008), 0.0002)],
        journal=journal,
        bus=EventBus(),
    )
    asyncio.run(lane.run())
    return [market.registration(), *journal.records]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal.open_now(path)
    yield opened
    opened.close_now()


def started(at_ms: int) -> EngineStarted:
    return EngineStarted(at_ms=at_ms, version="1")


def test_what_was_appended_is_there_after_opening_again(path: Path) -> None:
    records = trading_records()
    journal = Journal.open_now(path)
    for i in range(0, len(records), 7):
        journal.append_now(records[i : i + 7])
    tag = journal.install_tag
    journal.close_now()
    again = Journal.open_now(path)
    assert [record for _, record in again.replay()] == records
    assert [seq for seq, _ in again.replay()] == list(range(1, len(records) + 1))
    assert (again.last_seq, again.install_tag) == (len(records), tag)
    assert again.verify() == len(records)
    again.close_now()


async def test_concurrent_callers_share_commits_and_keep_their_order(path: Path) -> None:
    journal = await Journal.open(path)
    numbers = await asyncio.gather(*(journal.append([started(i), started(i)]) for i in range(50)))
    assert [n for pair in numbers for n in pair] == list(range(1, 101))
    assert [record.at_ms for _, record in journal.replay()] == [i for i in range(50) for _ in range(2)]
    await journal.close()


def test_both_journals_number_and_replay_alike(journal: Journal) -> None:
    records = trading_records(4)
    in_memory = MemoryJournal()
    assert list(journal.append_now(records)) == list(asyncio.run(in_memory.append(records)))
    assert list(journal.replay(after=10)) == list(in_memory.replay(after=10))
    assert journal.last_seq == in_memory.last_seq


@pytest.mark.parametrize("seed", range(5))
def test_a_rebuild_gives_the_same_tables(journal: Journal, seed: int) -> None:
    journal.append_now(trading_records(seed))
    before = journal.tables()
    assert len(before["trades"]) > 10
    assert len(before["orders"]) > 30
    assert journal.rebuild() == journal.last_seq
    assert journal.tables() == before


def test_the_tables_say_what_the_records_say(journal: Journal, path: Path) -> None:
    records = trading_records()
    journal.append_now(records)
    reader = Reader(path)
    trades = [record.trade for record in records if isinstance(record, TradeClosed)]
    rows = reader.trades(limit=1000, sort="closed", descending=False)
    assert sorted((row.trade for row in rows), key=lambda t: t.trade_id) == sorted(trades, key=lambda t: t.trade_id)
    totals = reader.trade_totals()
    assert totals.trades == len(trades)
    assert totals.pnl_e8 == sum(trade.pnl_e8 for trade in trades)
    assert totals.wins == sum(trade.pnl_e8 > 0 for trade in trades)
    (portfolio,) = reader.portfolios()
    assert portfolio.balance_e8 == INITIAL + totals.pnl_e8, "everything is closed at the end"
    assert reader.positions() == []
    orders = [record.order for record in records if isinstance(record, PlaceOrder)]
    assert len(reader.orders(limit=10_000)) == len(orders)
    assert {order.status for order in reader.orders(limit=10_000)} <= {"filled", "canceled", "refused"}
    held = sum(n for r in records if isinstance(r, HoldsCounted) for by in r.holds.values() for n in by.values())
    assert sum(count.count for count in reader.hold_counts()) == held
    assert str(rows[0].entry_price) == format(rows[0].entry_price, "f") != ""
    reader.close()


def test_filters_and_pages_of_trades_fit_their_totals(journal: Journal, path: Path) -> None:
    journal.append_now(trading_records())
    reader = Reader(path)
    wins, losses = reader.trade_totals(result="win"), reader.trade_totals(result="loss")
    assert wins.trades + losses.trades <= reader.trade_totals().trades
    assert wins.pnl_e8 > 0 > losses.pnl_e8
    pages = [reader.trades(limit=5, offset=offset) for offset in range(0, 200, 5)]
    assert [row.seq for page in pages for row in page] == [row.seq for row in reader.trades(limit=1000)]
    with pytest.raises(BadInput, match="can't be sorted by 'colour'; allowed: closed"):
        reader.trades(sort="colour")
    reader.close()


def test_a_second_engine_on_the_same_directory_is_refused(journal: Journal, path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=rf"in use by another engine \(process {os.getpid()}\)"):
        Journal.open_now(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE events SET body = replace(body, '1', '2') WHERE seq = 5", "row 5 was changed"),
        ("DELETE FROM events WHERE seq = 6", "row 6 is missing"),
    ],
)
def test_damage_does_not_go_unnoticed(path: Path, damage: str, message: str) -> None:
    journal = Journal.open_now(path)
    journal.append_now([started(i + 10) for i in range(10)])
    journal.close_now()
    with sqlite3.connect(path) as connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(EnvironmentFault, match=message):
        Journal.open_now(path)


def test_a_file_that_is_no_database_is_refused_by_name(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(EnvironmentFault, match=r"opening the journal .*journal\.sqlite failed: file is not a database"):
        Journal.open_now(path)


def test_somebody_elses_database_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(BadInput, match=r"not a journal of Regatta \(tables: mine\)"):
        Journal.open_now(path)


def test_a_newer_schema_is_refused(path: Path) -> None:
    Journal.open_now(path).close_now()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(BadInput, match="written by a newer version"):
        Journal.open_now(path)


def test_every_commit_is_synced_to_the_disk(journal: Journal) -> None:
    with journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


WRITER = """
    import sys
    from pathlib import Path
    from regatta.domain.events import EngineStarted
    from regatta.journal import Journal
    journal = Journal.open_now(Path(sys.argv[1]))
    for i in range(100_000):
        journal.append_now([EngineStarted(at_ms=i, version="x" * 200)] * (1 + i % 3))
        print(journal.last_seq, flush=True)
"""


def test_a_full_disk_is_one_clear_message_and_nothing_confirmed_is_lost(path: Path) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    script = textwrap.dedent(WRITER).replace(
        "import sys\n", "import signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n", 1
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_disk, timeout=60)
    assert done.returncode == 1
    assert "EnvironmentFault: writing the journal" in done.stderr
    assert "free some space and start again: what was confirmed is safe" in done.stderr
    confirmed = int(done.stdout.split()[-1])
    journal = Journal.open_now(path)
    assert journal.last_seq == confirmed
    assert journal.append_now([started(1)]) == [confirmed + 1]
    journal.close_now()


def test_after_a_failed_commit_the_journal_takes_nothing_more(journal: Journal) -> None:
    journal.append_now([started(1)])
    with journal._engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    journal._connection.exec_driver_sql("PRAGMA query_only = ON")  # type: ignore[union-attr]
    journal._connection.rollback()  # type: ignore[union-attr]
    with pytest.raises(EnvironmentFault, match="readonly"):
        journal.append_now([started(2)])
    with pytest.raises(EnvironmentFault, match="readonly"):
        journal.append_now([started(3)])
    assert journal.last_seq == 1


def test_the_cursor_of_a_market_is_its_newest(journal: Journal) -> None:
    journal.append_now([MarketReached(at_ms=t, feed="m", phase="closed") for t in (60, 120)])
    assert journal.tables()["market_cursor"] == [("m", 120, "closed")]


def test_a_page_of_trades_and_its_totals_are_of_one_moment(journal: Journal, path: Path) -> None:
    journal.append_now(trading_records())
    reader = Reader(path)
    rows, totals = reader.trade_page(bot=["V1"], limit=3, sort="pnl")
    assert rows[0].trade.pnl_e8 == totals.best_e8
    assert reader.trade_page(bot=["V1"], limit=1, sort="pnl", descending=False)[0][0].trade.pnl_e8 == totals.worst_e8
    assert reader.trade_page(bot=["nobody"]) == ([], type(totals)(0, 0, 0, 0, 0, 0, None, None))
    assert reader.trade_page(bot=[])[1].trades == 0
    days = reader.pnl_by_day("V1")
    assert sum(day.pnl_e8 for day in days) == totals.pnl_e8
    assert sum(day.trades for day in days) == totals.trades
    reader.close()


def test_a_trade_tells_its_story(journal: Journal, path: Path) -> None:
    journal.append_now(trading_records())
    reader = Reader(path)
    trade = reader.trades(limit=1)[0].trade
    orders = reader.orders(position_id=trade.trade_id)
    fills = reader.fills(position_id=trade.trade_id)
    assert {order.role for order in orders} >= {"entry"}
    assert sum(row.fill.lots for row in fills) == 2 * trade.lots
    assert sum(row.fill.fee_e8 for row in fills) == trade.fees_e8
    entry = next(order for order in orders if order.role == "entry")
    assert entry.average_ticks == pytest.approx(trade.entry_ticks, abs=1)
    (decision,) = reader.decisions(client_id=entry.client_id)
    assert decision.decision.action == "enter"
    assert reader.trades(trade_id=trade.trade_id)[0].trade == trade
    reader.close()


def test_long_equity_curves_are_thinned_but_keep_both_ends(journal: Journal, path: Path) -> None:
    journal.append_now([EquityMarked(at_ms=i, bot="V1", balance_e8=i, equity_e8=i) for i in range(1_000)])
    reader = Reader(path)
    points = reader.equity("V1", max_points=100)
    assert 90 <= len(points) <= 102
    assert (points[0].at_ms, points[-1].at_ms) == (0, 999)
    assert len(reader.equity("V1", max_points=5_000)) == 1_000
    assert {total.reason: total.count for total in reader.hold_totals()} == {}
    reader.close()
