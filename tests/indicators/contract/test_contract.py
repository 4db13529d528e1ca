"""The contract of every indicator.

1. It equals TA-Lib to 1e-9 relative, on generated and on recorded candles.
2. Plain Python, a compiled batch, compiled blocks and compiled batches of one agree to the bit,
   in every value and in the whole state.
3. It is known exactly from the candle that its graph says.
4. What lay before its history does not matter any more.
5. NaN, infinity and gaps are refused, and change nothing.
6. An unknown input leaves it as it was.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regatta.engine.code_cache import CodeCache
from regatta.graph import Graph, GraphFunction, Market, Rules, Series, build, checks, deviation, signals
from regatta.graph.nodes import Application, Arithmetic, Node, Previous, before
from regatta.graph.series import HEADER
from regatta.indicators import OPERATORS, Operator
from tests.graph.candles import MINUTE_MS, Block, recorded, rows, same_bits, walk
from tests.indicators.contract.cases import NAMES, Case, Columns, cases

SETS = {"short": (2, 7, 3), "usual": (14, 26, 9), "long": (120, 200, 30)}
RECORDED = {"btc": "BTCUSDT_2025-05_06.parquet", "doge": "DOGEUSDT_2025-05_06.parquet"}


def all_in_one(its: list[Case]) -> Graph:
    """Return one graph that shows every indicator, so that one compilation serves them all."""
    columns = {case.name: case.node for case in its}
    return build(Rules(enter_long=checks(always=Market().close > 0.0), columns=columns))


def values(graph: Graph, function: GraphFunction, X: Block) -> Block:
    """Return every column of the graph over X."""
    V = np.empty((len(graph.columns), X.shape[1]))
    signals(graph, function, X, np.zeros(X.shape[1], np.uint8), V=V)
    return V


def operators_of(node: Node) -> set[str]:
    """Return the names of the operators in a node and in what it is made of."""
    match node:
        case Application(operator, inputs):
            return {operator.name}.union(*(operators_of(i) for i in inputs))
        case Arithmetic(_, a, b):
            return operators_of(a) | operators_of(b)
        case Previous(x):
            return operators_of(x)
    return set()


def test_every_operator_has_a_case() -> None:
    covered = set().union(*(operators_of(case.node) for case in cases(5)))
    assert {operator.name for operator in OPERATORS} == covered


# --- 1 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["walk", "quiet", *RECORDED])
def market(request: pytest.FixtureRequest) -> Block:
    if request.param == "walk":
        return walk(20_000)
    if request.param == "quiet":
        return walk(5_000, seed=11, volatility=0.00005, start=100.0)
    folder: Path = request.getfixturevalue("shared_data")
    return recorded(folder / "candles_1m" / "binance_usdm" / RECORDED[request.param])


@pytest.fixture(scope="module", params=SETS)
def case_set(request: pytest.FixtureRequest) -> list[Case]:
    return cases(*SETS[request.param])


def test_every_indicator_equals_ta_lib(case_set: list[Case], market: Block, code_cache: CodeCache) -> None:
    graph = all_in_one(case_set)
    V = values(graph, code_cache.graph(graph), market)
    columns = Columns(*np.ascontiguousarray(market[2:]))
    for case, own in zip(case_set, V, strict=True):
        theirs = case.oracle(columns)
        first, first_theirs = (int(np.flatnonzero(~np.isnan(x))[0]) for x in (own, theirs))
        assert first == first_theirs - case.early, case.name
        assert not np.isnan(own[first:]).any(), case.name
        wrong = first_theirs + np.flatnonzero(far_apart(case, own[first_theirs:], theirs[first_theirs:], columns.close))
        assert not wrong.size, f"{case.name} at {wrong[0]}: {own[wrong[0]]!r}, TA-Lib {theirs[wrong[0]]!r}"


def far_apart(case: Case, own: Block, theirs: Block, close: Block) -> Any:
    """Return where two columns differ by more than 1e-9 relative and TA-Lib's own rounding."""
    if case.name == "deviation":
        # TA-Lib subtracts the squared mean from the mean square: in a quiet market most digits go.
        return np.abs(own**2 - theirs**2) > 1e-9 * theirs**2 + 1e-15 * close.max() ** 2
    # A difference of averages passes through zero, where the averages' last digits are all there is.
    rounding = 1e-14 * close.max() if case.name.startswith("macd") else 0.0
    return np.abs(own - theirs) > 1e-9 * np.abs(theirs) + rounding


@pytest.mark.parametrize("n", [2, 14, 120])
def test_the_deviation_equals_two_passes_over_each_window(n: int, market: Block, code_cache: CodeCache) -> None:
    graph = all_in_one([Case("deviation", deviation(Market().close, n), lambda *_: None)])
    own = values(graph, code_cache.graph(graph), market)[0, n - 1 :]
    exact = np.lib.stride_tricks.sliding_window_view(market[4], n).std(axis=1)
    # Rounding of prices, enlarged at most by the fall of the deviation to 1/100 at which it is taken anew.
    rounding = 100 * np.finfo(float).eps * market[4].max()
    assert (np.abs(own - exact) <= 1e-9 * exact + rounding).all()


# --- 2 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("periods", SETS.values(), ids=SETS)
def test_plain_batch_blocks_and_single_candles_agree_to_the_bit(
    periods: tuple[int, int, int], code_cache: CodeCache
) -> None:
    X = walk(3_000)
    n = X.shape[1]
    graph = all_in_one(cases(*periods))
    compiled, plain = code_cache.graph(graph), graph.plain()
    results = []
    for function, blocks in ((plain, [n]), (compiled, [n]), (compiled, [1, 7, 64, 500, n]), (plain, [1, 1_500, n])):
        V, SIG, state, first = np.empty((len(graph.columns), n)), np.zeros(n, np.uint8), graph.new_state(), 0
        for end in (*range(min(blocks), n, min(blocks)), n) if len(blocks) > 2 else blocks:
            signals(graph, function, X, SIG, V=V, state=state, first=first, last=end)
            first = end
        results.append((V, SIG, state))
    for V, SIG, state in results[1:]:
        assert same_bits(V, results[0][0])
        assert (results[0][1] == SIG).all()
        assert same_bits(state, results[0][2])


@pytest.mark.parametrize("periods", SETS.values(), ids=SETS)
def test_the_whole_state_agrees_at_every_candle(periods: tuple[int, int, int], code_cache: CodeCache) -> None:
    X = walk(600, seed=3)
    graph = all_in_one(cases(*periods))
    compiled, plain = (Series(graph, f, MINUTE_MS) for f in (code_cache.graph(graph), graph.plain()))
    for candle in rows(X):
        assert compiled.step(*candle) == plain.step(*candle)
        assert same_bits(*(np.array(state_of(s)) for s in (compiled, plain)))


def state_of(series: Series) -> Block:
    """Return the whole state: a snapshot is a head and the state's cells."""
    return np.frombuffer(series.snapshot()[HEADER.size :])


# --- 3 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("periods", SETS.values(), ids=SETS)
def test_it_is_known_exactly_when_its_graph_says(name: str, periods: tuple[int, int, int]) -> None:
    case = next(case for case in cases(*periods) if case.name == name)
    graph = build(Rules(enter_long=checks(known=case.node > -1e300), columns={"value": case.node}))
    X = walk(graph.warmup + 50)
    V, SIG = np.empty((1, X.shape[1])), np.zeros(X.shape[1], np.uint8)
    signals(graph, graph.plain(), X, SIG, V=V)
    assert np.isnan(V[0]).tolist() == [i < graph.warmup - 1 for i in range(X.shape[1])]
    assert SIG.tolist() == [int(i >= graph.warmup - 1) for i in range(X.shape[1])]


# --- 4 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_lay_before_its_history_does_not_matter(name: str) -> None:
    case = next(case for case in cases(*SETS["usual"]) if case.name == name)
    graph = build(Rules(enter_long=checks(known=case.node > 0.0), columns={"value": case.node}))
    X = walk(3_000)
    short = X[:, -graph.history :]
    long, late = (values(graph, graph.plain(), np.ascontiguousarray(x))[0, -1] for x in (X, short))
    # A weight of 1e-9 of what may differ by some percent of the price.
    assert late == pytest.approx(long, rel=1e-9, abs=1e-9 * float(X[4, 0]) * 0.1)
    assert graph.history < 600


# --- 5 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", range(1, 6))
def test_what_is_not_finite_is_refused_and_changes_nothing(bad: float, row: int) -> None:
    graph = all_in_one(cases(5))
    series = Series(graph, graph.plain(), MINUTE_MS)
    X = walk(40)
    series.batch(X[:, :30], np.zeros(30, np.uint8))
    before_it = series.snapshot()
    spoilt = X[:, 30:].copy()
    spoilt[row, 4] = bad
    name = ("open", "high", "low", "close", "volume")[row - 1]
    with pytest.raises(ValueError, match=rf"candle 4: {name} is -?(nan|inf)"):
        series.batch(spoilt, np.zeros(10, np.uint8))
    spoilt[row, 0] = bad
    with pytest.raises(ValueError, match=rf"closed at {int(X[0, 30])}: {name} is -?(nan|inf)"):
        series.step(*rows(spoilt)[0])
    assert series.snapshot() == before_it


@pytest.mark.parametrize("shift_ms", [-2 * MINUTE_MS, -MINUTE_MS, -1, 1, MINUTE_MS])
def test_a_candle_that_does_not_follow_is_refused_and_changes_nothing(shift_ms: int) -> None:
    graph = all_in_one(cases(5))
    series = Series(graph, graph.plain(), MINUTE_MS)
    X = walk(40)
    series.batch(X[:, :30], np.zeros(30, np.uint8))
    before_it = series.snapshot()
    moved = X[:, 30:].copy()
    moved[0] += shift_ms
    wanted = rf"closed at {int(moved[0, 0])} follows the one that closed at {int(X[0, 29])}"
    with pytest.raises(ValueError, match=wanted):
        series.batch(moved, np.zeros(10, np.uint8))
    with pytest.raises(ValueError, match=wanted):
        series.step(*rows(moved)[0])
    assert series.snapshot() == before_it


# --- 6 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", [o for o in OPERATORS if not o.takes_unknown], ids=lambda o: o.name)
def test_an_unknown_input_leaves_an_operator_as_it_was(operator: Operator) -> None:
    """A candle whose input is unknown (a division by zero) is left out, as if it had not been."""
    m = Market()
    x = m.close / (m.volume - 1.0)
    parameters = tuple(max(5, p.low) for p in operator.parameters)
    node = Application(operator, (x,) * len(operator.inputs), parameters)
    graph = build(Rules(enter_long=checks(known=node > 0.0), columns={"value": node}))
    X = walk(200)
    X[5] = np.arange(200) + 2.0
    X[5, [0, 3, 60, 61, 150]] = 1.0
    with_holes = values(graph, graph.plain(), X)[0]
    holes = X[5] == 1.0
    closed_up = values(graph, graph.plain(), np.ascontiguousarray(X[:, ~holes]))[0]
    assert np.isnan(with_holes[holes]).all()
    assert same_bits(with_holes[~holes], closed_up)


def test_a_delay_counts_candles_known_or_not() -> None:
    m = Market()
    node = before(m.close / (m.volume - 1.0), 3)
    graph = build(Rules(enter_long=checks(known=node > 0.0), columns={"value": node}))
    X = walk(20)
    X[5] = 2.0
    X[5, 10] = 1.0
    known = values(graph, graph.plain(), X)[0]
    assert np.isnan(known[[0, 1, 2, 13]]).all()
    assert known[12:16].tolist()[2:] == X[4, 11:13].tolist()
