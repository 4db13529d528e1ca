"""Higher timeframes and outside values: known only once known, live as in history."""

from pathlib import Path

import numpy as np
import pytest
import talib

from regatta.domain.aggregate import Bucket, aggregate
from regatta.domain.candle import Candle
from regatta.domain.timeframe import timeframe_ms
from regatta.engine.code_cache import CodeCache
from regatta.graph import (
    ENTER_LONG,
    Graph,
    GraphFunction,
    Market,
    Rules,
    Series,
    atr,
    build,
    checks,
    crosses_above,
    ema,
    held,
    rsi,
    signals,
    sma,
    where,
)
from regatta.graph.batch import Bytes
from tests.graph.candles import MINUTE_MS, Block, recorded, rows, same_bits, walk

m = Market()
m15, h1 = m.at("15m"), m.at("1h")
funding = m.outside("funding")


def graph_of() -> Graph:
    """Return a graph in which every clock does something, alone and together with others."""
    trend = ema(m15.close, 5)
    return build(
        Rules(
            enter_long=checks(
                trend=trend > ema(m15.close, 12),
                cross=crosses_above(m.close, trend) | crosses_above(ema(m15.close, 3), trend),
                hour=rsi(h1.close, 5) < 80.0,
                funding=funding < 0.0003,
            ),
            exit_long=checks(below=~(m.close > sma(h1.low, 3))),
            columns={
                "trend": trend,
                "range": atr(h1, 5) / m.close,
                "smooth": ema(m.close - trend, 4),
                "points": where(held(trend) > sma(m15.close, 7), 20.0) + where(funding > 0.0, 5.0),
            },
        )
    )


def higher(X: Block, timeframe: str) -> Block:
    """Return the candles of a higher timeframe as rows of a feeder: known at the close of the last minute in them."""
    bucket, made = Bucket(timeframe, timeframe_ms(timeframe)), []
    for t, o, h, low, c, v in X.T.tolist():
        candle = Candle("X", "1m", int(t) - MINUTE_MS, int(t), o, h, low, c, v)
        made += [(t, one.open, one.high, one.low, one.close, one.volume) for one in aggregate(bucket, candle)]
    return np.array(made).T.copy()


def rates(X: Block, seed: int = 3) -> Block:
    """Return funding rates, known some milliseconds after every eighth hour and once in between."""
    times = np.arange(X[0, 0] + 16.0, X[0, -1], 8 * 60 * MINUTE_MS / 16)
    return np.vstack([times, np.random.default_rng(seed).normal(0.0001, 0.0002, len(times))])


def feeds_of(X: Block) -> dict[str, Block]:
    return {"15m": higher(X, "15m"), "1h": higher(X, "1h"), "funding": rates(X)}


def run(function: GraphFunction, X: Block, feeds: dict[str, Block]) -> tuple[Bytes, Block, Block]:
    graph, SIG = graph_of(), np.zeros(X.shape[1], np.uint8)
    V = np.empty((len(graph.columns), X.shape[1]))
    state = signals(graph, function, X, SIG, feeds=feeds, V=V)
    return SIG, V, state


@pytest.fixture(scope="module", params=["walk", "recorded"])
def market(request: pytest.FixtureRequest) -> Block:
    if request.param == "walk":
        return walk(6_000)
    folder: Path = request.getfixturevalue("shared_data")
    return recorded(folder / "candles_1m" / "binance_usdm" / "BTCUSDT_2025-05_06.parquet", 12_000)


def test_plain_and_compiled_agree_to_the_bit(market: Block, code_cache: CodeCache) -> None:
    feeds = feeds_of(market)
    plain, compiled = (run(f, market, feeds) for f in (graph_of().plain(), code_cache.graph(graph_of())))
    assert (plain[0] == compiled[0]).all()
    assert same_bits(plain[1], compiled[1])
    assert same_bits(plain[2], compiled[2])
    assert {1, 2} <= set(plain[0].tolist())


@pytest.mark.parametrize("form", ["plain", "compiled"])
def test_live_is_the_batch(form: str, market: Block, code_cache: CodeCache) -> None:
    X = market[:, :4_000]
    graph, feeds = graph_of(), feeds_of(X)
    function = graph.plain() if form == "plain" else code_cache.graph(graph)
    SIG, V, _ = run(function, np.ascontiguousarray(X), feeds)
    series, waiting = (
        Series(graph, function, MINUTE_MS, make_higher=False),
        {name: its.T.tolist() for name, its in feeds.items()},
    )
    for i, candle in enumerate(rows(X)):
        for name, its in waiting.items():
            while its and its[0][0] <= candle[0]:
                known, *values = its.pop(0)
                series.feed(name, int(known), *values)
        assert series.step(*candle) == SIG[i]
        told = np.array([series.column(name) for name in graph.columns])
        assert same_bits(told, V[:, i].copy())


def test_a_batch_keeps_rows_that_are_not_known_yet(code_cache: CodeCache) -> None:
    X = walk(3_000)
    feeds, function = feeds_of(X), code_cache.graph(graph_of())
    SIG, _, _ = run(function, X, feeds)
    series, first, rest = (
        Series(graph_of(), function, MINUTE_MS, make_higher=False),
        np.zeros(1_777, np.uint8),
        np.zeros(723, np.uint8),
    )
    series.batch(X[:, :1_777], first, feeds)  # every row of the feeders, the future's too
    stepped = [series.step(*candle) for candle in rows(X[:, 1_777:2_277])]
    series.batch(X[:, 2_277:], rest)
    assert first.tolist() + stepped + rest.tolist() == SIG.tolist()


def test_what_is_known_later_changes_nothing(market: Block, code_cache: CodeCache) -> None:
    """Cut off, or spoil, everything after a candle: nothing up to it may differ."""
    function, feeds = code_cache.graph(graph_of()), feeds_of(market)
    SIG, V, _ = run(function, market, feeds)
    dice = np.random.default_rng(5)
    for cut in dice.integers(100, market.shape[1] - 1, 40).tolist():
        now = market[0, cut]
        spoilt = market.copy()
        spoilt[1:, cut + 1 :] *= dice.uniform(0.5, 2.0)
        later = {name: its.copy() for name, its in feeds.items()}
        for its in later.values():
            its[1:, its[0] > now] *= dice.uniform(-2.0, 2.0)
        truncated = {name: np.ascontiguousarray(its[:, its[0] <= now]) for name, its in feeds.items()}
        for X, its_feeds in ((np.ascontiguousarray(market[:, : cut + 1]), truncated), (spoilt, later)):
            again, columns, _ = run(function, X, its_feeds)
            assert (again[: cut + 1] == SIG[: cut + 1]).all()
            assert same_bits(columns[:, : cut + 1].copy(), V[:, : cut + 1].copy())


def test_values_equal_ta_lib_on_the_candles_known_by_then(market: Block, code_cache: CodeCache) -> None:
    feeds = feeds_of(market)
    _, V, _ = run(code_cache.graph(graph_of()), market, feeds)
    quarters, hours = feeds["15m"], feeds["1h"]
    average, true_range = talib.EMA(quarters[4].copy(), 5), talib.ATR(hours[2], hours[3], hours[4], 5)
    for own, feeder, theirs, scale in ((V[0], quarters, average, 1.0), (V[1], hours, true_range, market[4])):
        known = np.searchsorted(feeder[0], market[0], side="right") - 1
        expected = np.where(known >= 0, theirs[known], np.nan) / scale
        np.testing.assert_allclose(own, expected, rtol=1e-9)


def test_nothing_is_decided_before_every_feeder_is_warm() -> None:
    X = walk(2_000)
    graph, feeds = graph_of(), feeds_of(X)
    assert [(f.name, f.warmup) for f in graph.feeders] == [("15m", 12), ("1h", 6), ("funding", 1)]
    feeds["funding"] = np.array([[X[0, 1_000]], [0.0001]])
    SIG, _, _ = run(graph.plain(), X, feeds)
    assert not SIG[:1_000].any()
    assert SIG[1_000:].any()


def test_warm_up_rows_may_lie_before_the_first_candle() -> None:
    """The venue's own 1h history is only more rows: the graph is warm as soon as the minutes are."""
    X = walk(3_000)
    graph, feeds = graph_of(), feeds_of(X)
    late = np.ascontiguousarray(X[:, 2_000:])
    SIG, V, _ = run(graph.plain(), late, feeds)
    whole, columns, _ = run(graph.plain(), X, feeds)
    assert SIG[graph.warmup :].tolist() == whole[2_000 + graph.warmup :].tolist()
    assert same_bits(V[0].copy(), columns[0, 2_000:].copy())


def test_several_rows_at_once_are_taken_in_their_order() -> None:
    graph = build(Rules(enter_long=checks(a=m.close > 0.0, b=funding > -1.0), columns={"mean": sma(funding, 3)}))
    X = walk(5)
    feeds = {"funding": np.array([[X[0, 0] - 9.0, X[0, 0] - 8.0, X[0, 0], X[0, 2]], [1.0, 2.0, 6.0, 10.0]])}
    V, SIG = np.empty((1, 5)), np.zeros(5, np.uint8)
    signals(graph, graph.plain(), X, SIG, feeds=feeds, V=V)
    assert V[0].tolist() == [3.0, 3.0, 6.0, 6.0, 6.0]
    assert SIG.tolist() == [ENTER_LONG] * 5


# --- Higher candles made by the series itself ------------------------------------------------


@pytest.mark.parametrize("form", ["plain", "compiled"])
def test_a_series_makes_its_higher_candles_itself(form: str, market: Block, code_cache: CodeCache) -> None:
    """In steps, in a batch, and across a snapshot in the middle of all of them."""
    X = np.ascontiguousarray(market[:, :3_000])
    graph, feeds = graph_of(), feeds_of(X)
    function = graph.plain() if form == "plain" else code_cache.graph(graph)
    SIG, _, _ = run(function, X, feeds)
    outside = {"funding": feeds["funding"]}
    series, first = Series(graph, function, MINUTE_MS), np.zeros(1_777, np.uint8)
    series.batch(X[:, :1_777], first, outside)
    stepped = [series.step(*candle) for candle in rows(X[:, 1_777:2_277])]
    restored, rest = Series(graph, function, MINUTE_MS), np.zeros(723, np.uint8)
    restored.restore(series.snapshot())
    later = {"funding": feeds["funding"][:, feeds["funding"][0] > X[0, 2_276]]}
    restored.batch(X[:, 2_277:], rest, later)
    assert first.tolist() + stepped + rest.tolist() == SIG.tolist()


def test_a_reset_forgets_the_higher_candle_in_the_making() -> None:
    graph = build(Rules(enter_long=checks(a=m15.close > 0.0), columns={"open": m15.open, "high": m15.high}))
    X = walk(100)
    series, fresh = (Series(graph, graph.plain(), MINUTE_MS) for _ in range(2))
    series.batch(X[:, :40], np.zeros(40, np.uint8))
    series.reset()
    for one in (series, fresh):
        one.batch(X[:, 50:], np.zeros(50, np.uint8))
    assert series.values() == fresh.values()


def test_a_timeframe_that_is_no_multiple_is_refused() -> None:
    graph = build(Rules(enter_long=checks(a=m15.close > 0.0)))
    for own_ms in (15 * MINUTE_MS, 30 * MINUTE_MS, 4 * MINUTE_MS):
        with pytest.raises(ValueError, match=r"candles of 15m can't be made of candles of \d+ minutes"):
            Series(graph, graph.plain(), own_ms)


# --- What is refused -------------------------------------------------------------------------


def fed_graph() -> Graph:
    return build(Rules(enter_long=checks(a=m.close > 0.0, b=funding > 0.0)))


def test_rows_of_an_unknown_a_missing_or_a_wrong_feeder_are_named() -> None:
    graph, X, SIG = fed_graph(), walk(5), np.zeros(5, np.uint8)
    good = np.array([[X[0, 0], X[0, 1]], [1.0, 2.0]])
    for feeds, message in (
        ({}, "rows of the feeder funding are missing"),
        ({"funding": good, "4h": good}, "no feeder 4h; used: funding"),
        ({"funding": good[:1]}, r"feeder funding is \(1, 2\); needed: \(2, rows\): known_ms, value"),
        ({"funding": good[:, ::-1]}, "feeder funding, row 1: known at .* before the row above it"),
        ({"funding": np.array([[1.0, 2.0], [1.0, np.nan]])}, "feeder funding, row 1: value is nan"),
    ):
        with pytest.raises(ValueError, match=message):
            signals(graph, graph.plain(), X, SIG, feeds=feeds)


def test_a_row_that_comes_too_late_is_refused() -> None:
    """Taking it would decide live what the batch decided with it one candle earlier."""
    series, X = Series(fed_graph(), fed_graph().plain(), MINUTE_MS), walk(3)
    series.feed("funding", int(X[0, 0]), 1.0)
    series.step(*rows(X)[0])
    with pytest.raises(ValueError, match=f"known at {int(X[0, 0])} comes after {int(X[0, 0])} was reached"):
        series.feed("funding", int(X[0, 0]), 2.0)
    series.feed("funding", int(X[0, 2]), 3.0)
    with pytest.raises(ValueError, match="comes after"):
        series.feed("funding", int(X[0, 1]), 2.0)
    with pytest.raises(ValueError, match="no feeder sentiment; used: funding"):
        series.feed("sentiment", int(X[0, 2]), 2.0)
    with pytest.raises(ValueError, match="got 2 values; needed: value"):
        series.feed("funding", int(X[0, 2]), 2.0, 3.0)
    with pytest.raises(ValueError, match="finite numbers are needed"):
        series.feed("funding", int(X[0, 2]), float("nan"))


def test_an_outside_value_needs_a_plain_name() -> None:
    with pytest.raises(ValueError, match="outside value '4 h'"):
        m.outside("4 h")
