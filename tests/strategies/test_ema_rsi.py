"""`ema_rsi` against its rules as written in words, worked out once more with TA-Lib."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import talib

from regatta.engine.code_cache import CodeCache
from regatta.graph import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Graph, Market, build, signals
from regatta.strategies import Strategy, builtin
from tests.graph.candles import Block, recorded, walk

STRATEGY: Strategy = builtin()["ema_rsi"]


def graph_of(**parameters: Any) -> Graph:
    return build(STRATEGY.rules(Market(), STRATEGY.Parameters(**parameters)))


def names(graph: Graph) -> dict[int, tuple[str, ...]]:
    return {output.bit: output.names for output in graph.outputs}


def run(graph: Graph, cache: CodeCache, X: Block) -> np.ndarray[Any, Any]:
    SIG = np.zeros(X.shape[1], np.uint8)
    signals(graph, cache.graph(graph), X, SIG)
    return SIG


def test_every_check_has_its_name() -> None:
    assert names(graph_of()) == {
        ENTER_LONG: ("ema_cross", "rsi", "ema_filter"),
        EXIT_LONG: ("ema_cross", "rsi"),
    }
    every = names(graph_of(use_volume_confirmation=True, allow_short=True))
    assert every == {
        ENTER_LONG: ("ema_cross", "rsi", "ema_filter", "volume"),
        EXIT_LONG: ("ema_cross", "rsi"),
        ENTER_SHORT: ("ema_cross", "rsi", "ema_filter", "volume"),
        EXIT_SHORT: ("ema_cross", "rsi"),
    }
    assert names(graph_of(use_ema_filter=False))[ENTER_LONG] == ("ema_cross", "rsi")


def test_defaults_are_those_of_the_specification() -> None:
    assert STRATEGY.Parameters().model_dump() == {
        "ema_short": 9,
        "ema_long": 21,
        "ema_filter": 50,
        "rsi_period": 14,
        "rsi_overbought": 75.0,
        "rsi_oversold": 25.0,
        "volume_avg_period": 20,
        "use_ema_filter": True,
        "use_volume_confirmation": False,
        "allow_short": False,
    }
    assert STRATEGY.defaults["stop_pct"] == 2.0
    assert STRATEGY.defaults["take_profit_pct"] == 5.0
    assert (STRATEGY.defaults["timeframe"], STRATEGY.defaults["symbols"]) == ("1m", ("BTC/USDT",))


def test_every_parameter_is_described_and_bounded() -> None:
    for name, field in STRATEGY.Parameters.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.annotation is bool or {type(rule).__name__ for rule in field.metadata} == {"Ge", "Le"}, name


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ema_short": 21}, "ema_short is 21; allowed: less than ema_long, which is 21"),
        ({"ema_short": 0}, "greater than or equal to 1"),
        ({"rsi_overbought": 101}, "less than or equal to 100"),
        ({"rsi_overbougth": 80}, "Extra inputs are not permitted"),
        ({"rsi_period": "often"}, "valid integer"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        STRATEGY.Parameters(**parameters)


def expected(X: Block) -> np.ndarray[Any, Any]:
    """Return the signals with every option on, after the words of the specification."""
    close, volume = np.ascontiguousarray(X[4]), np.ascontiguousarray(X[5])
    short, long, filter_ = (talib.EMA(close, n) for n in (9, 21, 50))
    rsi, average = talib.RSI(close, 14), talib.SMA(volume, 20)
    up, down = np.zeros(len(close), bool), np.zeros(len(close), bool)
    up[1:] = (short[:-1] <= long[:-1]) & (short[1:] > long[1:])
    down[1:] = (short[:-1] >= long[:-1]) & (short[1:] < long[1:])
    SIG = np.zeros(len(close), np.uint8)
    SIG[up & (rsi < 75) & (close > filter_) & (volume > average)] |= ENTER_LONG
    SIG[down & (rsi > 25)] |= EXIT_LONG
    SIG[down & (rsi > 25) & (close < filter_) & (volume > average)] |= ENTER_SHORT
    SIG[up & (rsi < 75)] |= EXIT_SHORT
    SIG[:49] = 0  # the EMA of 50 is not known yet
    return SIG


@pytest.fixture(params=["walk", "recorded"])
def market(request: pytest.FixtureRequest) -> Block:
    if request.param == "walk":
        return walk(30_000)
    folder: Path = request.getfixturevalue("shared_data")
    return recorded(folder / "candles_1m" / "binance_usdm" / "ETHUSDT_2025-05_06.parquet")


def test_signals_are_those_of_the_rules_in_words(market: Block, code_cache: CodeCache) -> None:
    own = run(graph_of(use_volume_confirmation=True, allow_short=True), code_cache, market)
    assert (own == expected(market)).all()
    assert set(np.unique(own)) == {0, EXIT_LONG, EXIT_LONG + ENTER_SHORT, EXIT_SHORT, EXIT_SHORT + ENTER_LONG}


def test_shorts_are_the_mirror_image(code_cache: CodeCache) -> None:
    """Prices turned upside down around a level: every long becomes a short."""
    graph = graph_of(allow_short=True)
    X = walk(5_000)
    mirrored = X.copy()
    mirrored[1:5] = 2 * 65_536.0 - X[[1, 3, 2, 4]]
    own, other = run(graph, code_cache, X), run(graph, code_cache, mirrored)
    # Averages of mirrored prices round differently: where a line only just crosses, one candle may differ.
    assert (((own & 3) << 2 | own >> 2) != other).sum() <= 2
    assert (own & ENTER_LONG).any()


def test_signals_on_a_fixed_market_are_what_they_were(code_cache: CodeCache) -> None:
    """A change here is a change of what users trade: say so in the change log."""
    SIG = run(graph_of(), code_cache, walk(30_000))
    assert [int((SIG & bit > 0).sum()) for bit in (ENTER_LONG, EXIT_LONG)] == [486, 616]


def test_recorded_bitcoin_gives_the_known_signals(shared_data: Path, code_cache: CodeCache) -> None:
    X = recorded(shared_data / "candles_1m" / "binance_usdm" / "BTCUSDT_2025-05_06.parquet")
    SIG = run(graph_of(), code_cache, X)
    assert [int((SIG & bit > 0).sum()) for bit in (ENTER_LONG, EXIT_LONG)] == [1437, 1728]
