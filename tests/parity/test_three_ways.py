"""Compiled backtest, event-driven engine and virtual replay: the same trades, none missing, none extra.

A shared balance and at most two positions, so that the order of symbols in a round matters.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from regatta.domain.position import Trade
from regatta.engine.code_cache import CodeCache
from regatta.market.candles import Candles
from regatta.market.generated import GeneratedMarket
from regatta.market.importer import import_file
from regatta.market.instruments import instruments
from regatta.market.settlement import Settlement
from regatta.market.sources import StoredSource
from regatta.market.store import CandleStore, Series
from regatta.research.compare import compare
from regatta.settings.bot import BotSettings
from regatta.settings.platform import Settings
from tests.market.markets import frame
from tests.parity.runs import compiled, event_driven, virtual

MINUTE = 60_000
VENUE = "binanceusdm"
TABLE = instruments(VENUE)
SYMBOLS = tuple(f"{base}/USDT:USDT" for base in ("BTC", "DOGE", "ETH", "SOL", "XRP"))
START = int(datetime(2025, 6, 2, tzinfo=UTC).timestamp()) * 1000


def bot(**changes: object) -> BotSettings:
    fields: dict[str, object] = {
        "name": "V1",
        "strategy": "ema_rsi",
        "symbols": SYMBOLS,
        "risk": {"max_positions": 2, "stop_pct": 0.5, "take_profit_pct": 0.8},
    }
    return BotSettings.model_validate({**fields, **changes})


def assert_same(reference: list[Trade], other: list[Trade]) -> None:
    differences = compare(reference, other)
    assert not differences, f"{len(differences)} differ: " + "; ".join(d.explain() for d in differences[:5])
    assert len(reference) == len(other)


CASES = {
    "defaults of the strategy": bot(risk={"max_positions": 2}),
    "tight levels": bot(),
    "long and short with leverage": bot(
        parameters={"allow_short": True, "use_volume_confirmation": True},
        risk={"max_positions": 2, "leverage": 3, "stop_pct": 0.3, "take_profit_pct": 0.5},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_on_generated_candles_with_gaps_and_funding(name: str, code_cache: CodeCache) -> None:
    settings = CASES[name]
    market = GeneratedMarket(7, {symbol: TABLE[symbol] for symbol in SYMBOLS}, START)
    rng = np.random.default_rng(7)
    candles: dict[str, Candles] = {}
    funding: Mapping[str, list[Settlement]] = {
        symbol: market.settlements(symbol, START, START + 10_000 * MINUTE) for symbol in SYMBOLS
    }
    for symbol in SYMBOLS:
        whole = market.candles(symbol, -600, 4_000)
        keep = np.ones(len(whole), bool)
        for at in rng.integers(700, 4_500, 2):
            keep[at : at + int(rng.integers(1, 90))] = False
        candles[symbol] = Candles(
            symbol, "1m", *(getattr(whole, n)[keep] for n in ("open_ms", "open", "high", "low", "close", "volume"))
        )
    reference = compiled(settings, TABLE, candles, funding, START, code_cache)
    assert len(reference) > 40
    assert_same(reference, event_driven(settings, TABLE, candles, funding, START))


def test_replay_of_a_store_through_the_platform_and_its_journal(tmp_path: Path, code_cache: CodeCache) -> None:
    settings = bot()
    market = GeneratedMarket(11, {symbol: TABLE[symbol] for symbol in SYMBOLS}, START)
    source = fill_store(tmp_path, {symbol: market.candles(symbol, -300, 2_500) for symbol in SYMBOLS})
    candles = {symbol: source.read(symbol, 0, 1 << 60) for symbol in SYMBOLS}
    reference = compiled(settings, TABLE, candles, {}, START, code_cache)
    assert len(reference) > 30
    assert_same(reference, asyncio.run(virtual(replaying(settings, START, START + 2_500 * MINUTE), tmp_path)))


@pytest.mark.shared_data
def test_on_a_month_of_recorded_candles(shared_data: Path, tmp_path: Path, code_cache: CodeCache) -> None:
    """BTC, DOGE, ETH, SOL and XRP, 1m, with recorded funding, 2025-05-25 to 06-24."""
    start = int(datetime(2025, 5, 25, 12, tzinfo=UTC).timestamp()) * 1000
    end = int(datetime(2025, 6, 24, tzinfo=UTC).timestamp()) * 1000
    store = CandleStore(tmp_path)
    for symbol in SYMBOLS:
        name = symbol.split("/")[0] + "USDT"
        folder = shared_data / "candles_1m" / "binance_usdm"
        import_file(store, folder / f"{name}_2025-05_06.parquet", venue=VENUE, symbol=symbol, timeframe="1m")
        funding = shared_data / "funding" / "binance_usdm" / f"{name}_2025-01_08.parquet"
        import_file(store, funding, venue=VENUE, symbol=symbol, kind="funding")
    source = StoredSource(store, VENUE, SYMBOLS, "1m")
    candles = {symbol: source.read(symbol, 0, end) for symbol in SYMBOLS}
    settled = {symbol: source.settlements(symbol, 0, end) for symbol in SYMBOLS}
    settings = bot(risk={"max_positions": 2})
    reference = compiled(settings, TABLE, candles, settled, start, code_cache)
    assert len(reference) > 500
    assert sum(trade.funding_e8 != 0 for trade in reference) > 0
    assert_same(reference, event_driven(settings, TABLE, candles, settled, start, None))
    assert_same(reference, asyncio.run(virtual(replaying(settings, start, end), tmp_path)))


def replaying(settings: BotSettings, from_ms: int, to_ms: int) -> Settings:
    period = {
        "from": datetime.fromtimestamp(from_ms / 1000, UTC).isoformat(),
        "to": datetime.fromtimestamp(to_ms / 1000, UTC).isoformat(),
    }
    market = {"kind": "replay", "venue": "binanceusdm", "speed": 600, "history": 100_000, "replay": period}
    return Settings.model_validate({"market": market, "bots": [settings.model_dump()]})


def fill_store(data_dir: Path, candles: Mapping[str, Candles]) -> StoredSource:
    store = CandleStore(data_dir)
    for symbol, part in candles.items():
        store.write(Series("candles", VENUE, "1m", symbol), frame(part))
    return StoredSource(store, VENUE, tuple(candles), "1m")
