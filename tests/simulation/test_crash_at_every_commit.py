"""Whatever the commit after which the process dies: taken up again, the trades are the same."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from regatta.bot.bot import Bot
from regatta.domain.events import AnyRecord, MarketReached, PlaceOrder, TradeClosed
from regatta.domain.position import Trade
from regatta.engine.bus import EventBus
from regatta.engine.lane import Lane
from regatta.engine.recovery import fold, restore_venue
from regatta.risk.rules import RiskRules
from regatta.sim.dice import Dice
from regatta.sim.venue import Frictions, SimulatedVenue
from tests.scripted import MINUTE, Market, ScriptedFeed

FRICTIONS = Frictions(split_probability=0.3)
RULES = RiskRules(max_positions=2, stop=0.006, target=0.008)


class Killed(Exception):
    """The process is gone: everything that was not committed is lost."""


class MortalJournal:
    """Keeps commits; dies before or right after the commit with a given number."""

    def __init__(self, commits: list[list[AnyRecord]], dies_at: int | None, before: bool) -> None:
        self.commits = commits
        self._dies_at = dies_at
        self._before = before

    async def append(self, records: Sequence[AnyRecord]) -> Sequence[int]:
        if self._before and len(self.commits) == self._dies_at:
            raise Killed
        self.commits.append(list(records))
        if not self._before and len(self.commits) == self._dies_at:
            raise Killed
        return range(len(records))

    def records(self) -> list[AnyRecord]:
        return [record for commit in self.commits for record in commit]


def warm(market: Market, lane: Lane, bot: Bot, at_ms: int, step: str) -> None:
    """Tell the bot the last closes that it had seen, as history does in the engine."""
    for s, symbol in enumerate(market.symbols):
        for i in range(market.n - 1, -1, -1):
            close_ms = int(market.open_ms[i]) + MINUTE
            seen = close_ms < at_ms or (close_ms == at_ms and step in ("closed", "opened", "ending", "ended"))
            if seen and market.c[s, i] == market.c[s, i]:
                bot.warmed(symbol, i + 1, close_ms, float(market.c[s, i]))
                lane.warmed([market.candle(s, i)])
                break


async def live_until_death(market: Market, journal: MortalJournal) -> Bot:
    """Start (or take up again) from the journal and run until the end or the death."""
    bot = market.bot(RULES, FRICTIONS.slippage)
    venue = SimulatedVenue("test", market.table, FRICTIONS, Dice(7))
    lane = Lane(feed=ScriptedFeed(market.moments()), venue=venue, bots=[bot], journal=journal, bus=EventBus())
    cursors = fold(journal.records(), {bot.name: bot})
    if cursor := cursors.get("scripted"):
        warm(market, lane, bot, cursor.at_ms, cursor.step)
        to_place, to_cancel = restore_venue(venue, [bot], cursor.at_ms)
        lane.resume_behind(cursor.at_ms, cursor.step)
        await lane.carry_out(to_place, to_cancel, cursor.at_ms)
    await lane.run()
    return bot


def trades(journal: MortalJournal) -> list[Trade]:
    return [record.trade for record in journal.records() if isinstance(record, TradeClosed)]


def life(market: Market, deaths: Sequence[tuple[int, bool]]) -> MortalJournal:
    """Run to the end through the given deaths; return the journal."""
    commits: list[list[AnyRecord]] = []
    for dies_at, before in deaths:
        journal = MortalJournal(commits, dies_at, before)
        with pytest.raises(Killed):
            asyncio.run(live_until_death(market, journal))
    journal = MortalJournal(commits, None, False)
    asyncio.run(live_until_death(market, journal))
    return journal


@pytest.mark.parametrize("before", [False, True], ids=["right after", "right before"])
def test_dying_at_any_commit_changes_no_trade(before: bool) -> None:
    market = Market(11, 60, missing=0.03, short=True, busy=0.2)
    unharmed = life(market, [])
    assert len(trades(unharmed)) >= 8
    for dies_at in range(1, len(unharmed.commits)):
        harmed = life(market, [(dies_at, before)])
        assert trades(harmed) == trades(unharmed), f"died {'before' if before else 'after'} commit {dies_at}"


def test_dying_again_and_again_changes_no_trade() -> None:
    market = Market(12, 80, missing=0.03, short=True, busy=0.2)
    unharmed = life(market, [])
    harmed = life(market, [(n, n % 2 == 0) for n in range(1, 2 * len(unharmed.commits) // 3, 2)])
    assert trades(harmed) == trades(unharmed)


def test_no_client_id_is_ever_used_twice_for_different_orders() -> None:
    market = Market(13, 80, missing=0.0, short=True, busy=0.2)
    harmed = life(market, [(n, False) for n in range(2, 30, 3)])
    orders = [record.order for record in harmed.records() if isinstance(record, PlaceOrder)]
    assert len({order.client_id for order in orders}) == len(orders)


def test_every_commit_that_a_feed_led_to_carries_its_cursor() -> None:
    market = Market(14, 60, missing=0.0, short=False, busy=0.2)
    cursors = [r for commit in life(market, []).commits for r in commit if isinstance(r, MarketReached)]
    assert cursors
    assert all(a.at_ms <= b.at_ms for a, b in pairwise(cursors))
