"""What the demo promises: within an hour of its market (a minute at speed 60) both bots have traded."""

import asyncio
from pathlib import Path

from regatta.cli.demo import demo_dir
from regatta.domain.timeframe import HOUR_MS
from regatta.engine.clock import SimulatedClock
from regatta.engine.control import BotStatus
from regatta.engine.platform import Platform
from regatta.settings.demo import demo_settings


async def first_hour(data_dir: Path) -> list[BotStatus]:
    """Run the demo's first hour as fast as it goes; return the bots as they are then."""
    settings = demo_settings()
    platform = Platform(settings, data_dir, clock=SimulatedClock(settings.market.start_ms))
    await platform.start()
    try:
        while platform.control.status().feeds[0].market_time_ms < settings.market.start_ms + HOUR_MS:
            await asyncio.sleep(0)
        return list(platform.control.status().bots)
    finally:
        await platform.stop("test")


async def test_each_bot_closes_three_trades_in_the_first_minute_and_they_differ(tmp_path: Path) -> None:
    v1, v2 = await first_hour(tmp_path)
    assert (v1.name, v2.name) == ("V1", "V2")
    assert v1.trades >= 3
    assert v2.trades >= 3
    assert v1.balance_e8 != v2.balance_e8, "it is a race"


def test_each_seed_has_a_folder_of_its_own() -> None:
    assert demo_dir(7).name == "demo"
    assert demo_dir(8).name == "demo-8"
