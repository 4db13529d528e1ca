"""The platform as the demo and `regatta run` start it, in simulated time."""

import asyncio
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from regatta.bot.bot import Bot
from regatta.domain.bus import BusEvent, Committed
from regatta.domain.candle import Candle
from regatta.domain.errors import BadInput
from regatta.domain.events import (
    BotRegistered,
    BotStateChanged,
    EngineStarted,
    EngineStopped,
    MarketReached,
    PlaceOrder,
)
from regatta.domain.position import Trade
from regatta.engine.clock import SimulatedClock
from regatta.engine.platform import JOURNAL_FILE, Platform
from regatta.journal import Journal, Reader
from regatta.settings.demo import demo_settings
from regatta.settings.platform import Settings
from tests.soak import victim

MINUTE = 60_000


def market_ms(platform: Platform) -> int:
    return platform.control.status().feeds[0].market_time_ms


async def run_until(platform: Platform, at_ms: int) -> None:
    while market_ms(platform) < at_ms:
        await asyncio.sleep(0)


async def live(
    data_dir: Path, settings: Settings, minutes: int, then: Callable[[Platform], Awaitable[None]] | None = None
) -> None:
    """Run a platform for some minutes of market time, do something with it, and end it in order."""
    platform = Platform(settings, data_dir, clock=SimulatedClock(), compiling=False)
    await platform.start()
    try:
        await run_until(platform, settings.market.start_ms + minutes * MINUTE)
        if then is not None:
            await then(platform)
    finally:
        await platform.stop("test")


async def test_within_a_minute_of_the_demo_each_bot_has_closed_three_trades(tmp_path: Path) -> None:
    """At 60x a minute of the clock is an hour of the market; the engine gets 58 of the 60 minutes."""
    settings = demo_settings(seed=7)
    assert settings.market.seed == 7
    assert len(settings.market_symbols) >= 10
    assert settings.market.history == 1_500
    assert [bot.name for bot in settings.bots] == ["V1", "V2"]

    async def count(platform: Platform) -> None:
        status = platform.control.status()
        assert {bot.name: bot.trades >= 3 for bot in status.bots} == {"V1": True, "V2": True}
        assert status.bots[0].trades != status.bots[1].trades, "the two bots differ"
        assert status.errors == []

    await live(tmp_path, settings, 58, count)


async def test_a_platform_goes_on_where_it_stopped(tmp_path: Path) -> None:
    settings = victim.settings(3)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    await live(whole, settings, 240)
    for minutes in (60, 61, 150, 240):
        await live(parts, settings, minutes)

    def trades(folder: Path) -> list[Trade]:
        reader = Reader(folder / JOURNAL_FILE)
        found = [row.trade for row in reader.trades(limit=10_000, descending=False)]
        reader.close()
        end_ms = settings.market.start_ms + 240 * MINUTE
        return sorted((t for t in found if t.closed_ms < end_ms), key=lambda t: (t.closed_ms, t.bot, t.symbol))

    assert len(trades(whole)) > 6
    assert trades(parts) == trades(whole)


async def test_the_journal_says_when_the_engine_came_and_went(tmp_path: Path) -> None:
    await live(tmp_path, victim.settings(3), 5)
    journal = await Journal.open(tmp_path / JOURNAL_FILE)
    records = [record for _, record in journal.replay()]
    assert sum(isinstance(record, BotRegistered) for record in records) == 2
    assert isinstance(records[2], EngineStarted)
    assert isinstance(records[-1], EngineStopped)
    await journal.close()


async def test_only_changed_settings_are_registered_again(tmp_path: Path) -> None:
    settings = victim.settings(3)
    await live(tmp_path, settings, 5)
    changed = settings.bots[0].model_copy(update={"risk": settings.bots[0].risk.model_copy(update={"stop_pct": 1.0})})
    await live(tmp_path, settings.model_copy(update={"bots": (changed, settings.bots[1])}), 8)
    journal = await Journal.open(tmp_path / JOURNAL_FILE)
    names = [record.bot for _, record in journal.replay() if isinstance(record, BotRegistered)]
    assert names == ["busy", "calm", "busy"]
    await journal.close()


async def test_another_market_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    await live(tmp_path, victim.settings(3), 120)
    with pytest.raises(BadInput, match=r"holds a run on another market .* or another --data-dir"):
        await live(tmp_path, victim.settings(4), 120)
    await live(tmp_path, victim.settings(3), 121)


async def test_a_paused_bot_enters_no_more_and_a_resumed_one_does(tmp_path: Path) -> None:
    settings = victim.settings(3)

    async def pause(platform: Platform) -> None:
        entries: list[int] = []

        def listen(event: BusEvent) -> None:
            if isinstance(event, Committed) and isinstance(event.record, PlaceOrder):
                entries.append(event.record.order.role == "entry")

        await platform.control.pause("busy", by="test")
        await platform.control.pause("calm", by="test")
        platform.control.bus.subscribe(listen)
        await run_until(platform, market_ms(platform) + 200 * MINUTE)
        assert sum(entries) == 0
        assert [bot.state for bot in platform.control.status().bots] == ["paused", "paused"]
        await platform.control.resume(by="test")
        await run_until(platform, market_ms(platform) + 200 * MINUTE)
        assert sum(entries) > 0

    await live(tmp_path, settings, 60, pause)


async def test_the_kill_switch_halts_all_and_closes_what_is_open(tmp_path: Path) -> None:
    async def kill(platform: Platform) -> None:
        assert platform.control.positions()
        await platform.control.kill(close_positions=True, by="test")
        await run_until(platform, market_ms(platform) + 3 * MINUTE)
        assert platform.control.positions() == []
        assert {bot.state for bot in platform.control.status().bots} == {"stopped"}
        trades = platform.reader.trades(limit=10)
        assert "kill" in {row.trade.reason for row in trades}

    await live(tmp_path, victim.settings(3), 130, kill)
    # It survives a restart: a stopped bot stays stopped.
    platform = Platform(victim.settings(3), tmp_path, clock=SimulatedClock(), compiling=False)
    await platform.start()
    assert {bot.state for bot in platform.control.status().bots} == {"stopped"}
    await platform.stop("test")


async def test_closing_a_position_by_hand_goes_the_way_of_every_order(tmp_path: Path) -> None:
    async def close(platform: Platform) -> None:
        position = platform.control.positions()[0]
        (client_id,) = await platform.control.close_position(position.symbol, position.bot, by="test")
        assert list(await platform.control.close_position(position.symbol, position.bot, by="test")) == []
        await run_until(platform, market_ms(platform) + 2 * MINUTE)
        (row,) = platform.reader.trades(trade_id=position.position_id)
        assert row.trade.reason in ("manual", "stop_loss", "take_profit")
        assert client_id in {order.client_id for order in platform.reader.orders(position_id=position.position_id)}
        with pytest.raises(BadInput, match="has no open position in 'NO/PE'"):
            await platform.control.close_position("NO/PE", "busy")
        with pytest.raises(BadInput, match="there is no bot 'nobody'; bots: busy, calm"):
            await platform.control.pause("nobody")

    await live(tmp_path, victim.settings(3), 130, close)


async def test_a_bot_that_raises_stops_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = victim.settings(3)
    broken_from = settings.market.start_ms + 30 * MINUTE
    real = Bot._candle

    mended = False

    def fragile(bot: Bot, candle: Candle) -> object:
        if bot.name == "busy" and candle.close_ms > broken_from and not mended:
            raise ZeroDivisionError("a strategy's own mistake")
        return real(bot, candle)

    monkeypatch.setattr(Bot, "_candle", fragile)

    async def look(platform: Platform) -> None:
        busy, calm = platform.control.status().bots
        assert (busy.state, calm.state) == ("failed", "running")
        assert busy.last_error == "ZeroDivisionError: a strategy's own mistake"
        assert calm.trades > 0
        nonlocal mended
        mended = True
        await platform.control.start(by="test")
        assert platform.control.status().bots[0].state == "failed", "all means all that are well"
        await platform.control.start("busy", by="test")
        signals = busy.signals
        await run_until(platform, market_ms(platform) + 300 * MINUTE)
        (busy, _) = platform.control.status().bots
        assert (busy.state, busy.last_error) == ("running", "")
        assert busy.signals > signals, "warmed up again, it decides again"

    await live(tmp_path, settings, 300, look)
    journal = await Journal.open(tmp_path / JOURNAL_FILE)
    changes = [record for _, record in journal.replay() if isinstance(record, BotStateChanged)]
    assert [(change.bot, change.state) for change in changes] == [("busy", "failed"), ("busy", "running")]
    await journal.close()


FULL_DISK = """
    import asyncio, signal, sys
    from pathlib import Path
    from regatta.domain.errors import RegattaError
    from tests.soak import victim
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        asyncio.run(victim.live(Path(sys.argv[1]), 1 << 60, 3))
    except RegattaError as fault:
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(fault.exit_code)
"""


async def test_a_disk_that_fills_while_the_engine_runs_ends_it_with_one_message(tmp_path: Path) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, preexec_fn=small_disk, timeout=120
    )
    assert done.returncode == 3, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert "journal.sqlite failed" in line
    assert "free some space and start again: what was confirmed is safe" in line
    # With space again it goes on, and has lost nothing: the chain and the tables are whole.
    journal = await Journal.open(tmp_path / JOURNAL_FILE)
    before = journal.tables()
    assert journal.verify() == journal.last_seq > 20
    journal.rebuild()
    assert journal.tables() == before
    settings = victim.settings(3)
    reached = max(record.at_ms for _, record in journal.replay() if isinstance(record, MarketReached))
    await journal.close()
    await live(tmp_path, settings, (reached - settings.market.start_ms) // MINUTE + 60)
