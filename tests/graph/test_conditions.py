"""What is met, what is not, and what can't be known: conditions over unknown values.

The law: a condition is met only if it would be met whatever the unknown values are taken for,
one comparison at a time; `~` of an unknown comparison is not met either.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regatta.engine.code_cache import CodeCache
from regatta.graph import (
    ENTER_LONG,
    Condition,
    Market,
    Node,
    Rules,
    Series,
    build,
    checks,
    crosses_above,
    crosses_below,
    higher_of,
    lower_of,
    signals,
    where,
)
from tests.graph.candles import MINUTE_MS, START_MS, Block, same_bits, walk

m = Market()
OPEN, HIGH, LOW, CLOSE, VOLUME = range(1, 6)


def block(**columns: list[float]) -> Block:
    """Return candles with these columns; the others are 1."""
    n = len(next(iter(columns.values())))
    X = np.ones((6, n))
    X[0] = START_MS + MINUTE_MS * np.arange(1, n + 1)
    for name, values in columns.items():
        X[["open", "high", "low", "close", "volume"].index(name) + 1] = values
    return X


def met(condition: Condition, X: Block) -> list[bool]:
    """Return where the condition is met."""
    graph = build(Rules(enter_long=checks(it=condition)))
    SIG = np.zeros(X.shape[1], np.uint8)
    signals(graph, graph.plain(), X, SIG)
    return [bool(s & ENTER_LONG) for s in SIG.tolist()]


def number(x: Node, X: Block) -> list[float]:
    graph = build(Rules(enter_long=checks(it=m.close > 0.0), columns={"x": x}))
    V = np.empty((1, X.shape[1]))
    signals(graph, graph.plain(), X, np.zeros(X.shape[1], np.uint8), V=V)
    return [float(x) for x in V[0]]


# --- The law, on random conditions -----------------------------------------------------------

# open / (volume - 1) is unknown where volume is 1; high, low and close are always known.
NODES: list[Node] = [m.open / (m.volume - 1.0), m.high, m.low, m.close]
RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
leaves = st.tuples(st.integers(0, 3), st.sampled_from(sorted(RELATIONS)), st.integers(0, 3))
trees = st.recursive(
    leaves, lambda t: st.one_of(st.tuples(st.just("~"), t), st.tuples(st.sampled_from("&|"), t, t)), max_leaves=8
)


def as_condition(tree: Any) -> Condition:
    match tree:
        case ("~", inner):
            return ~as_condition(inner)
        case (("&" | "|") as operator, a, b):
            one, other = as_condition(a), as_condition(b)
            return one & other if operator == "&" else one | other
        case (a, relation, b):
            return RELATIONS[relation](NODES[a], NODES[b])  # type: ignore[no-any-return]
    raise AssertionError(tree)


def as_truth(tree: Any, values: list[float]) -> bool | None:
    """Return Kleene's value of the tree."""
    match tree:
        case ("~", inner):
            truth = as_truth(inner, values)
            return None if truth is None else not truth
        case (("&" | "|") as operator, a, b):
            both = (as_truth(a, values), as_truth(b, values))
            decisive = operator == "|"
            return decisive if decisive in both else None if None in both else not decisive
        case (a, relation, b):
            one, other = values[a], values[b]
            if math.isnan(one) or math.isnan(other):
                return None
            return bool(RELATIONS[relation](one, other))
    raise AssertionError(tree)


small = st.sampled_from([1.0, 2.0, 3.0])


@given(tree=trees, candles=st.lists(st.tuples(small, small, small, small, small), min_size=1, max_size=6))
def test_a_condition_is_met_exactly_where_it_is_known_to_hold(
    tree: Any, candles: list[tuple[float, float, float, float, float]]
) -> None:
    columns = dict(zip(("open", "high", "low", "close", "volume"), map(list, zip(*candles, strict=True)), strict=True))
    X = block(**columns)
    known = [[o / (v - 1.0) if v != 1.0 else math.nan, h, low, c] for o, h, low, c, v in candles]
    assert met(as_condition(tree), X) == [as_truth(tree, values) is True for values in known]


@given(tree=trees, candle=st.tuples(small, small, small, small, small))
def test_what_checks_show_is_what_the_signal_says(tree: Any, candle: tuple[float, float, float, float, float]) -> None:
    graph = build(Rules(enter_long=checks(it=as_condition(tree))))
    series = Series(graph, graph.plain(), MINUTE_MS)
    o, h, low, c, v = candle
    signal = series.step(START_MS, o, h, low, c, v)
    passed = series.checks(ENTER_LONG)[0].passed
    assert passed is as_truth(tree, [o / (v - 1.0) if v != 1.0 else math.nan, h, low, c])
    assert (signal == ENTER_LONG) is (passed is True)
    assert series.first_failing(ENTER_LONG) == ("" if passed else "it")


# --- Crossings -------------------------------------------------------------------------------


def test_a_cross_needs_a_candle_before_and_takes_equal_for_the_other_side() -> None:
    X = block(close=[2.0, 1.0, 2.0, 2.0, 3.0, 1.0], open=[1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    assert met(crosses_above(m.close, m.open), X) == [False, False, True, False, True, False]
    assert met(crosses_below(m.close, m.open), X) == [False, False, False, False, False, True]


def test_no_cross_is_the_opposite_of_a_cross_once_known() -> None:
    X = walk(300)
    for word in (crosses_above, crosses_below):
        cross, none = word(m.close, m.open), ~word(m.close, m.open)
        assert met(none, X)[1:] == [not c for c in met(cross, X)[1:]]
        assert not met(none, X)[0] or not met(cross, X)[0]


def test_a_level_can_be_crossed() -> None:
    assert met(crosses_above(m.close, 50.0), block(close=[49.0, 50.0, 51.0, 52.0])) == [False, False, True, False]
    with pytest.raises(ValueError, match="both constants"):
        crosses_above(1.0, 2.0)


# --- Numbers ---------------------------------------------------------------------------------


def test_a_division_by_zero_is_unknown_and_only_there() -> None:
    X = block(close=[1.0, 2.0, 3.0], volume=[0.0, 4.0, 0.0])
    assert [math.isnan(x) for x in number(m.close / m.volume, X)] == [True, False, True]
    assert number(m.close / m.volume, X)[1] == 0.5
    assert number(1.0 / m.close, X)[2] == 1.0 / 3.0


def test_lower_and_higher_of_are_unknown_when_a_side_is() -> None:
    X = block(close=[1.0, 2.0, 3.0], volume=[0.0, 4.0, 0.0])
    doubtful = m.close / m.volume
    for x in (
        lower_of(doubtful, m.close),
        lower_of(m.close, doubtful),
        higher_of(doubtful, 9.0),
        higher_of(9.0, doubtful),
    ):
        assert [math.isnan(value) for value in number(x, X)] == [True, False, True]
    assert number(lower_of(m.close, 2.5), X) == [1.0, 2.0, 2.5]
    assert number(higher_of(m.close, 2.5), X) == [2.5, 2.5, 3.0]


def test_where_takes_the_other_value_where_the_condition_is_not_known() -> None:
    X = block(close=[1.0, 2.0, 3.0], volume=[0.0, 4.0, 0.0])
    assert number(where(m.close / m.volume > 0.0, 20.0, -1.0), X) == [-1.0, 20.0, -1.0]


def test_arithmetic_is_as_python_writes_it(code_cache: CodeCache) -> None:
    X = walk(500)
    formulas = {
        "a": 2.0 * m.close - m.open / 3.0 + 1.0,
        "b": -(m.high - m.low) * (m.high - m.low),
        "c": 1.0 - m.close / m.open,
        "d": 5.0 / (m.high - m.low),
        "e": lower_of(m.close, m.open) + higher_of(m.close, 30_000.0),
        "f": where((m.close > m.open) | (m.volume > 9.0), m.close, -m.close),
    }
    graph = build(Rules(enter_long=checks(it=m.close > 0.0), columns=formulas))
    blocks = []
    for function in (graph.plain(), code_cache.graph(graph)):
        V = np.empty((len(formulas), X.shape[1]))
        signals(graph, function, X, np.zeros(X.shape[1], np.uint8), V=V)
        blocks.append(V)
    assert same_bits(*blocks)
    for i, (_, o, h, low, c, v) in enumerate(X.T.tolist()):
        expected = [
            2.0 * c - o / 3.0 + 1.0,
            (0.0 - (h - low)) * (h - low),
            1.0 - c / o,
            5.0 / (h - low) if h > low else math.nan,
            min(c, o) + max(c, 30_000.0),
            c if c > o or v > 9.0 else -c,
        ]
        assert blocks[0][:, i].tolist() == pytest.approx(expected, rel=0.0, abs=0.0, nan_ok=True)
