"""Running a graph over history: blocks, shapes, gaps."""

import numpy as np
import pytest

from regatta.graph import Graph, Market, Rules, build, check_candles, checks, ema, segments, signals
from tests.graph.candles import MINUTE_MS, walk

m = Market()


def graph_of() -> Graph:
    return build(Rules(enter_long=checks(up=m.close > ema(m.close, 10)), columns={"average": ema(m.close, 10)}))


def test_a_segment_ends_where_a_candle_is_missing() -> None:
    X = np.delete(walk(100), [30, 31, 60], axis=1)
    assert segments(X, MINUTE_MS) == [(0, 30), (30, 58), (58, 97)]
    assert segments(X[:, :30], MINUTE_MS) == [(0, 30)]
    assert segments(X[:, :0], MINUTE_MS) == []


def test_a_gap_restarts_the_warm_up() -> None:
    """Each segment with a state of its own: as if the candles before the gap had never been."""
    graph, X = graph_of(), np.delete(walk(100), [50], axis=1)
    SIG, alone = np.zeros(99, np.uint8), np.zeros(49, np.uint8)
    for first, last in segments(X, MINUTE_MS):
        signals(graph, graph.plain(), X, SIG, first=first, last=last)
    signals(graph, graph.plain(), np.ascontiguousarray(X[:, 50:]), alone)
    assert not SIG[50:59].any()
    assert SIG[50:].tolist() == alone.tolist()
    assert SIG[:50].any()


def test_gaps_and_doubles_are_named() -> None:
    X = walk(10)
    check_candles(X, MINUTE_MS)
    with pytest.raises(ValueError, match=rf"a gap: the candle that closed at {int(X[0, 5])} follows .* {int(X[0, 3])}"):
        check_candles(np.delete(X, 4, axis=1), MINUTE_MS)
    with pytest.raises(ValueError, match="a candle out of order"):
        check_candles(X[:, [0, 1, 1, 2]], MINUTE_MS)
    with pytest.raises(ValueError, match=rf"expected: {int(X[0, 0])}"):
        check_candles(X[:, 1:], MINUTE_MS, after_ms=int(X[0, 0]) - MINUTE_MS)


def test_the_first_value_that_is_not_finite_is_named() -> None:
    X = walk(10)
    X[5, 7] = np.nan
    X[2, 4] = np.inf
    with pytest.raises(ValueError, match="candle 4: high is inf"):
        check_candles(X, MINUTE_MS)


def test_blocks_of_the_wrong_shape_are_refused() -> None:
    graph, X = graph_of(), walk(10)
    for wrong in (X[:5], X[:, :9]):
        with pytest.raises(ValueError, match=r"needed: \(6, n\), \(n,\), \(1, n\)"):
            signals(graph, graph.plain(), wrong, np.zeros(10, np.uint8))
    with pytest.raises(ValueError, match="V "):
        signals(graph, graph.plain(), X, np.zeros(10, np.uint8), V=np.empty((2, 10)))


def test_the_plain_form_also_takes_lists_for_what_it_writes() -> None:
    graph, X = graph_of(), walk(50)
    SIG, V = np.zeros(50, np.uint8), np.empty((1, 50))
    signals(graph, graph.plain(), X, SIG, V=V)
    bytes_, columns = [9] * 50, [[9.0] * 50]
    P, S = graph.parameters().tolist(), graph.new_state().tolist()
    graph.plain()(X.tolist(), [], P, S, [5, 45], bytes_, columns)
    fresh = np.zeros(50, np.uint8)
    signals(graph, graph.plain(), X, fresh, first=5, last=45)
    assert bytes_ == [9] * 5 + fresh[5:45].tolist() + [9] * 5
    assert columns[0][:5] == [9.0] * 5
    assert columns[0][44] == pytest.approx(V[0, 44], rel=1e-3)
