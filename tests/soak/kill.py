"""Kill a running engine again and again: the journal stays whole, and nothing is lost or doubled.

After every death the journal is checked by itself; at the end its trades are compared with
those of an engine with the same seed that was never killed.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec

from regatta.domain.events import AnyRecord, BotRegistered, MarketReached, OrderFilled, PlaceOrder, TradeClosed
from regatta.domain.position import Trade
from regatta.engine.platform import JOURNAL_FILE
from regatta.journal import Journal
from tests.soak.victim import live, settings

FOREVER_MS = 1 << 60
LONGEST_LIFE_S = 1.2
STARTING_UP = 0.15
"""Share of the deaths that come while the engine is still taking up what it left."""


class Report(msgspec.Struct):
    """What the cycles came to."""

    cycles: int
    seed: int
    records: int
    orders: int
    fills: int
    trades: int
    market_hours: float
    killed_while_starting: int
    seconds: float


def run(cycles: int, seed: int = 7, *, folder: Path | None = None) -> Report:
    """Run the cycles; raises AssertionError that names the cycle and the seed when a promise is broken."""
    started = time.monotonic()
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        data_dir = Path(name) / "killed"
        data_dir.mkdir()
        early = 0
        for cycle in range(1, cycles + 1):
            early += kill_once(data_dir, dice, seed)
            check(data_dir, f"cycle {cycle}, seed {seed}")
        records = read(data_dir)
        reached_ms = max((r.at_ms for r in records if isinstance(r, MarketReached)), default=0)
        unharmed_dir = Path(name) / "unharmed"
        asyncio.run(live(unharmed_dir, reached_ms + 60_000, seed))
        unharmed = read(unharmed_dir)
    survived, expected = trades(records, reached_ms), trades(unharmed, reached_ms)
    assert survived == expected, (
        f"seed {seed}: {len(survived)} trades after {cycles} deaths, {len(expected)} without; first difference: "
        f"{next((pair for pair in zip(survived, expected, strict=False) if pair[0] != pair[1]), 'one is longer')}"
    )
    first = min(r.at_ms for r in records if isinstance(r, BotRegistered))
    return Report(
        cycles=cycles,
        seed=seed,
        records=len(records),
        orders=sum(isinstance(r, PlaceOrder) for r in records),
        fills=sum(isinstance(r, OrderFilled) for r in records),
        trades=len(survived),
        market_hours=round((reached_ms - first) / 3_600_000, 1),
        killed_while_starting=early,
        seconds=round(time.monotonic() - started, 1),
    )


def kill_once(data_dir: Path, dice: random.Random, seed: int) -> bool:
    """Start an engine and kill it at a random moment; tell whether it had not yet come up."""
    command = [sys.executable, "-m", "tests.soak.victim", str(data_dir), str(FOREVER_MS), str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        if early := dice.random() < STARTING_UP:
            time.sleep(dice.uniform(0.3, 1.5))
        else:
            ready = process.stdout.readline()
            assert ready == "ready\n", f"the engine did not come up: {process.stderr.read()}"
            time.sleep(dice.uniform(0.0, LONGEST_LIFE_S))
        code = process.poll()
        assert code is None, f"the engine ended by itself with {code}: {process.stderr.read()}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    return early


def check(data_dir: Path, where: str) -> None:
    """Check what must hold in a journal at any moment."""
    if not (data_dir / JOURNAL_FILE).is_file():
        return
    journal = Journal.open_now(data_dir / JOURNAL_FILE)
    try:
        assert journal.verify() == journal.last_seq, where
        before = journal.tables()
        journal.rebuild()
        assert journal.tables() == before, f"{where}: the tables are not the fold over the journal"
        check_records([record for _, record in journal.replay()], where)
    finally:
        journal.close_now()


def check_records(records: list[AnyRecord], where: str) -> None:
    """No order twice, no fill twice, no fill without an order that was intended before it."""
    orders = Counter(record.order.client_id for record in records if isinstance(record, PlaceOrder))
    assert all(n == 1 for n in orders.values()), f"{where}: an order was intended twice"
    fills = Counter(record.fill.fill_id for record in records if isinstance(record, OrderFilled))
    assert all(n == 1 for n in fills.values()), f"{where}: a fill was booked twice"
    intended: set[str] = set()
    filled: Counter[str] = Counter()
    lots: dict[str, int] = {}
    for record in records:
        if isinstance(record, PlaceOrder):
            intended.add(record.order.client_id)
            lots[record.order.client_id] = record.order.lots
        elif isinstance(record, OrderFilled):
            assert record.fill.client_id in intended, f"{where}: a fill came before its order's intent"
            filled[record.fill.client_id] += record.fill.lots
    assert all(filled[i] <= lots[i] for i in filled), f"{where}: an order was filled beyond its size"


def read(data_dir: Path) -> list[AnyRecord]:
    """Return all records of a journal that nobody writes."""
    journal = Journal.open_now(data_dir / JOURNAL_FILE)
    try:
        return [record for _, record in journal.replay()]
    finally:
        journal.close_now()


def trades(records: list[AnyRecord], until_ms: int) -> list[Trade]:
    """Return the trades that closed before a moment, in an order that no clock decides."""
    found = [r.trade for r in records if isinstance(r, TradeClosed) and r.trade.closed_ms < until_ms]
    return sorted(found, key=lambda trade: (trade.closed_ms, trade.bot, trade.symbol))


__all__ = ["Report", "run", "settings"]
