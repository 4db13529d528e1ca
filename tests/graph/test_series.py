"""A graph on candles as they come: signals, what it tells, snapshots, restarts."""

import numpy as np
import pytest

from regatta.engine.code_cache import CodeCache
from regatta.graph import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    WARMING_UP,
    Graph,
    GraphFunction,
    Market,
    Rules,
    Series,
    build,
    checks,
    crosses_above,
    crosses_below,
    ema,
    rsi,
    signals,
    sma,
)
from tests.graph.candles import MINUTE_MS, Block, rows, walk

m = Market()


def graph_of(fast: int = 5, slow: int = 12, below: float = 70.0) -> Graph:
    short, long = ema(m.close, fast), ema(m.close, slow)
    return build(
        Rules(
            enter_long=checks(
                cross=crosses_above(short, long), rsi=rsi(m.close, 7) < below, quiet=(m.volume < 50.0) | (short > long)
            ),
            exit_long=checks(cross=crosses_below(short, long)),
            score=rsi(m.close, 7),
            columns={"average": sma(m.close, 3)},
        )
    )


@pytest.fixture(params=["plain", "compiled"])
def function(request: pytest.FixtureRequest, code_cache: CodeCache) -> GraphFunction:
    return graph_of().plain() if request.param == "plain" else code_cache.graph(graph_of())


def series_of(function: GraphFunction, graph: Graph | None = None) -> Series:
    return Series(graph or graph_of(), function, MINUTE_MS)


def batch_signals(X: Block) -> list[int]:
    graph, SIG = graph_of(), np.zeros(X.shape[1], np.uint8)
    signals(graph, graph.plain(), X, SIG)
    return [int(s) for s in SIG]


# --- Live is the batch -----------------------------------------------------------------------


def test_steps_give_the_signals_of_the_batch(function: GraphFunction) -> None:
    X, series = walk(500), series_of(function)
    assert [series.step(*candle) for candle in rows(X)] == batch_signals(X)


def test_history_in_a_batch_and_the_rest_in_steps_is_the_same(function: GraphFunction) -> None:
    X = walk(500)
    series, SIG = series_of(function), np.zeros(300, np.uint8)
    series.batch(X[:, :300], SIG)
    assert SIG.tolist() + [series.step(*candle) for candle in rows(X[:, 300:])] == batch_signals(X)
    assert series.last_ms == int(X[0, -1])


def test_no_signal_comes_before_the_warm_up_is_over(function: GraphFunction) -> None:
    """`quiet` alone could be known from the first candle on; a bit waits for every check."""
    graph = build(Rules(enter_long=checks(any_=(m.close > 0.0) | (sma(m.close, 20) > 0.0))))
    series = Series(graph, graph.plain(), MINUTE_MS)
    assert [series.step(*candle) for candle in rows(walk(25))] == [0] * 19 + [ENTER_LONG] * 6


def test_a_plain_series_goes_on_compiled_in_the_middle(code_cache: CodeCache) -> None:
    X, graph = walk(400), graph_of()
    series = series_of(graph.plain())
    first = [series.step(*candle) for candle in rows(X[:, :200])]
    series.use(code_cache.graph(graph))
    assert first + [series.step(*candle) for candle in rows(X[:, 200:])] == batch_signals(X)


def test_the_function_of_another_graph_is_refused() -> None:
    other = build(Rules(enter_long=checks(a=m.close > 1.0)))
    with pytest.raises(ValueError, match=f"function of the graph {other.key}; needed: {graph_of().key}"):
        series_of(graph_of().plain()).use(other.plain())


def test_a_reset_starts_the_warm_up_again(function: GraphFunction) -> None:
    X = walk(600)
    series = series_of(function)
    series.batch(X[:, :300], np.zeros(300, np.uint8))
    series.reset()
    assert series.last_ms is None
    assert not series.warm
    later = X[:, 350:]
    assert [series.step(*candle) for candle in rows(later)] == batch_signals(np.ascontiguousarray(later))


def test_the_first_candle_may_close_at_any_time(function: GraphFunction) -> None:
    series_of(function).step(*rows(walk(1))[0])


# --- What it tells ---------------------------------------------------------------------------


def test_checks_carry_the_numbers_of_the_newest_candle(function: GraphFunction) -> None:
    X = walk(200)
    series = series_of(function)
    for candle in rows(X):
        signal = series.step(*candle)
        cross, strength, quiet = series.checks(ENTER_LONG)
        values = series.values()
        assert (cross.name, cross.relation) == ("cross", "crosses above")
        assert (strength.relation, strength.threshold) == ("<", 70.0)
        assert cross.value == values["ema(close, 5)"] or np.isnan(values["ema(close, 5)"])
        assert strength.value == values["rsi(close, 7)"] or strength.value is None
        assert (quiet.relation, quiet.threshold) == (">=", 1.0)
        assert bool(signal & ENTER_LONG) == (all(c.passed for c in (cross, strength, quiet)) and series.warm)


def test_checks_are_unknown_while_they_warm_up(function: GraphFunction) -> None:
    series = series_of(function)
    series.step(*rows(walk(1))[0])
    cross, strength, quiet = series.checks(ENTER_LONG)
    assert (cross.value, cross.passed) == (None, None)
    assert (strength.value, strength.threshold, strength.passed) == (None, 70.0, None)
    assert quiet.passed is True  # the volume is known at once


def test_the_first_failing_check_is_named_in_the_order_of_the_rules(function: GraphFunction) -> None:
    series, seen = series_of(function), set()
    assert series.first_failing(ENTER_LONG) == WARMING_UP
    for candle in rows(walk(3_000)):
        series.step(*candle)
        failing = next((c.name for c in series.checks(ENTER_LONG) if c.passed is not True), "")
        assert series.first_failing(ENTER_LONG) == (failing if series.warm else WARMING_UP)
        seen.add(series.first_failing(ENTER_LONG))
    assert seen == {WARMING_UP, "cross", "rsi", ""}


def test_an_output_that_the_rules_do_not_have_is_an_error(function: GraphFunction) -> None:
    series = series_of(function)
    assert series.first_failing(EXIT_LONG) == WARMING_UP
    with pytest.raises(KeyError):
        series.first_failing(ENTER_SHORT)
    with pytest.raises(KeyError, match="no output for bit 4"):
        series.checks(ENTER_SHORT)


def test_columns_are_told_after_steps_and_after_a_batch(function: GraphFunction) -> None:
    X = walk(100)
    stepped, batched = series_of(function), series_of(function)
    V = np.empty((2, 100))
    batched.batch(X, np.zeros(100, np.uint8), V=V)
    for candle in rows(X):
        stepped.step(*candle)
    assert stepped.column("average") == batched.column("average") == V[1, -1] == stepped.values()["sma(close, 3)"]
    assert stepped.column("score") == batched.column("score") == V[0, -1]


# --- Snapshots -------------------------------------------------------------------------------


def test_a_snapshot_restores_the_series_exactly(function: GraphFunction, code_cache: CodeCache) -> None:
    X = walk(400)
    series = series_of(function)
    series.batch(X[:, :250], np.zeros(250, np.uint8))
    expected = batch_signals(X)[250:]
    for form in (graph_of().plain(), code_cache.graph(graph_of())):
        restored = series_of(form)
        restored.restore(series.snapshot())
        assert restored.last_ms == series.last_ms
        assert restored.values() == series.values()
        assert [restored.step(*candle) for candle in rows(X[:, 250:])] == expected


def test_a_snapshot_of_other_rules_or_other_numbers_is_refused() -> None:
    series = series_of(graph_of().plain())
    series.step(*rows(walk(1))[0])
    other = graph_of(below=60.0)
    with pytest.raises(ValueError, match="other rules or other parameters"):
        Series(other, other.plain(), MINUTE_MS).restore(series.snapshot())
    with pytest.raises(ValueError, match="not a snapshot"):
        series.restore(b"something else")
    with pytest.raises(ValueError, match="a snapshot of"):
        series.restore(series.snapshot()[:-8])
