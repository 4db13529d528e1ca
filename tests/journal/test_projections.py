"""The tables are the fold over the records, whatever the records are and however they were batched."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regatta.domain.events import AnyRecord, OrderFilled, PositionChanged
from regatta.engine.bus import EventBus
from regatta.engine.lane import Lane
from regatta.journal import Journal, Reader
from regatta.journal.codec import decode, encode
from regatta.risk.rules import RiskRules
from regatta.sim.venue import Frictions, SimulatedVenue
from tests.journal.generated import ANY_RECORD, HISTORIES
from tests.scripted import INITIAL, Market, ScriptedFeed

LAW = settings(deadline=None, derandomize=True, max_examples=40)


@LAW
@given(HISTORIES, st.lists(st.integers(1, 10), min_size=40, max_size=40), st.integers(0, 40))
def test_any_history_in_any_batches_gives_the_tables_of_its_rebuild(
    history: list[AnyRecord], sizes: list[int], restart: int
) -> None:
    with TemporaryDirectory() as folder:
        batched = Journal.open_now(Path(folder) / "batched" / "journal.sqlite")
        whole = Journal.open_now(Path(folder) / "whole" / "journal.sqlite")
        done = 0
        for number, size in enumerate(sizes):
            if number == restart:
                batched.close_now()
                batched = Journal.open_now(batched.path)
            batched.append_now(history[done : done + size])
            done += size
        whole.append_now(history)
        assert [record for _, record in batched.replay()] == history
        tables = batched.tables()
        assert whole.tables() == tables, "batches and restarts leave no mark"
        assert batched.rebuild() == len(history)
        assert batched.tables() == tables, "tables are the fold"
        batched.close_now()
        whole.close_now()


@given(st.lists(ANY_RECORD, max_size=5))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_every_record_comes_back_equal(records: list[AnyRecord]) -> None:
    assert [decode(encode(record), 1) for record in records] == records


class Watched:
    """A journal that looks at the bot's balance right after each commit."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self.journal = journal
        self.reader = reader
        self.balance: Callable[[], int] = int
        self.looks = 0
        self.partial = 0

    async def append(self, records: list[AnyRecord]) -> list[int]:
        numbers = await self.journal.append(records)
        (portfolio,) = self.reader.portfolios()
        assert portfolio.balance_e8 == self.balance(), f"after record {numbers[-1]}"
        self.looks += 1
        self.partial += any(isinstance(r, PositionChanged) and r.position.realised_e8 for r in records)
        return numbers


@pytest.mark.parametrize("seed", [5, 6])
def test_the_balance_in_the_tables_is_the_bots_own_after_every_commit(tmp_path: Path, seed: int) -> None:
    market = Market(seed, 150, missing=0.02, short=True, busy=0.2)
    journal = Journal.open_now(tmp_path / "journal.sqlite")
    journal.append_now([market.registration()])
    reader = Reader(journal.path)
    watched = Watched(journal, reader)
    bot = market.bot(RiskRules(max_positions=3, stop=0.005, target=0.008), 0.0002)
    watched.balance = lambda: bot.book.balance_e8
    lane = Lane(
        feed=ScriptedFeed(market.moments()),
        venue=SimulatedVenue("test", market.table, Frictions(split_probability=0.6)),
        bots=[bot],
        journal=watched,  # type: ignore[arg-type]
        bus=EventBus(),
    )
    asyncio.run(lane.run())
    assert watched.looks > 100
    assert watched.partial > 3, "some exits were partial"
    reader.close()
    journal.close_now()


def test_a_fill_reported_twice_is_booked_once(tmp_path: Path) -> None:
    market = Market(7, 60, missing=0.0, short=True, busy=0.2)
    journal = Journal.open_now(tmp_path / "journal.sqlite")
    lane = Lane(
        feed=ScriptedFeed(market.moments()),
        venue=SimulatedVenue("test", market.table, Frictions()),
        bots=[market.bot(RiskRules(max_positions=3, stop=0.005, target=0.008), 0.0002)],
        journal=journal,
        bus=EventBus(),
    )
    journal.append_now([market.registration()])
    asyncio.run(lane.run())
    before = journal.tables()
    fills = [record for _, record in journal.replay() if isinstance(record, OrderFilled)]
    assert len(fills) > 10
    journal.append_now(fills)
    after = journal.tables()
    for name in ("fills", "portfolios", "trades"):
        assert [row[:-1] for row in after[name]] == [row[:-1] for row in before[name]], name
    (portfolio,) = Reader(journal.path).portfolios()
    assert portfolio.balance_e8 == INITIAL + portfolio.pnl_e8
    journal.close_now()
