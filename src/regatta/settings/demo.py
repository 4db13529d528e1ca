"""The demo: two bots race on one generated market."""

from datetime import UTC, datetime

from regatta.settings.bot import BotSettings
from regatta.settings.market import Speed, VirtualMarketSettings
from regatta.settings.platform import Settings
from regatta.settings.risk import RiskSettings
from regatta.settings.server import ServerSettings

BASES = ("ADA", "AVAX", "BNB", "BTC", "DOGE", "DOT", "ETH", "LINK", "LTC", "SOL", "SUI", "XRP")
START = datetime(2026, 1, 17, 7, tzinfo=UTC)
"""A lively hour of the market of seed 7: the bots part ways within minutes of it."""

SYMBOLS = tuple(f"{base}/USDT:USDT" for base in BASES)


def demo_settings(*, seed: int = 7, speed: Speed = 60, port: int = 8000) -> Settings:
    """Return the settings of the demo: V1 is `ema_rsi` with its defaults, V2 is bolder.

    Risk is small enough that all twelve symbols can be held at once: what the race shows is
    the difference of the parameters, not who came first to a full book.
    """
    risk = RiskSettings(risk_per_trade_pct=0.3, leverage=2, max_positions=len(SYMBOLS))
    v1 = BotSettings(name="V1", strategy="ema_rsi", symbols=SYMBOLS, risk=risk)
    v2 = BotSettings(
        name="V2",
        strategy="ema_rsi",
        symbols=SYMBOLS,
        risk=risk,
        parameters={"rsi_overbought": 85.0, "use_ema_filter": False},
    )
    return Settings(
        market=VirtualMarketSettings(symbols=SYMBOLS, seed=seed, start=START, speed=speed),
        server=ServerSettings(port=port),
        bots=(v1, v2),
    )
