"""The process that is killed: a virtual engine on a generated market, as fast as it can.

`python -m tests.soak.victim DATA_DIR [UNTIL_MS]` prints "ready" when the market runs.
"""

import asyncio
import sys
from pathlib import Path

from regatta.engine.clock import SimulatedClock
from regatta.engine.platform import Platform
from regatta.settings.bot import BotSettings
from regatta.settings.market import VirtualMarketSettings
from regatta.settings.platform import Settings
from regatta.settings.risk import RiskSettings

SYMBOLS = tuple(f"{base}/USDT:USDT" for base in ("BTC", "DOGE", "ETH", "SOL"))


def settings(seed: int) -> Settings:
    """Return two busy bots: tight levels, both directions, a shared market."""
    busy = RiskSettings(stop_pct=0.25, take_profit_pct=0.3, risk_per_trade_pct=0.2, max_positions=3)
    calm = RiskSettings(stop_pct=0.5, take_profit_pct=0.7, risk_per_trade_pct=0.3, max_positions=2, leverage=3)
    both_ways = {"allow_short": True, "use_ema_filter": False}
    return Settings(
        market=VirtualMarketSettings(symbols=SYMBOLS, seed=seed, speed=600, history=300),
        bots=(
            BotSettings(name="busy", strategy="ema_rsi", symbols=SYMBOLS, risk=busy, parameters=both_ways),
            BotSettings(name="calm", strategy="ema_rsi", symbols=SYMBOLS, risk=calm),
        ),
    )


async def live(data_dir: Path, until_ms: int, seed: int, *, announce: bool = False) -> None:
    """Run until the market has reached a time; the process is usually dead before."""
    platform = Platform(settings(seed), data_dir, clock=SimulatedClock(), compiling=False)
    await platform.start()
    if announce:
        print("ready", flush=True)
    ended = asyncio.create_task(platform.wait())
    try:
        while not ended.done() and platform.control.status().feeds[0].market_time_ms < until_ms:
            await asyncio.sleep(0)
        if ended.done():
            ended.result()  # raises what ended the engine
    finally:
        ended.cancel()
        await platform.stop("it lived to the end")


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), announce=True))
