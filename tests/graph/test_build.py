"""What a graph is made of: shared nodes, numbers as parameters, warm-up and history."""

import re

import pytest

from regatta.graph import (
    Checks,
    Condition,
    Graph,
    Market,
    Rules,
    adx,
    atr,
    before,
    bollinger,
    build,
    checks,
    crosses_above,
    crosses_below,
    ema,
    highest,
    macd,
    rsi,
    sma,
    where,
)
from regatta.graph.fingerprint import fingerprint
from regatta.graph.nodes import Application, Constant
from regatta.indicators import Operator, residual_candles

m = Market()


def graph_of(**named: Condition) -> Graph:
    return build(Rules(enter_long=checks(**named)))


def calls(graph: Graph) -> int:
    return len(re.findall(r"_step\(", graph.source))


# --- Sharing ---------------------------------------------------------------------------------


def test_equal_nodes_are_one_however_often_they_are_written() -> None:
    twice = graph_of(a=ema(m.close, 9) > 1.0, b=ema(Market().close, 9) < 2.0, c=crosses_above(ema(m.close, 9), m.close))
    assert calls(twice) == 1


def test_all_outputs_of_an_operator_come_from_one_call() -> None:
    its = adx(m, 14)
    assert calls(graph_of(a=its.adx > 20.0, b=its.plus_di > its.minus_di, c=adx(m, 14).minus_di < 30.0)) == 1


def test_bands_share_what_they_are_made_of() -> None:
    two, three = bollinger(m.close, 20, 2.0), bollinger(m.close, 20, 3.0)
    assert calls(graph_of(a=m.close > two.lower, b=m.close < three.upper)) == 1


def test_what_differs_is_not_shared() -> None:
    assert calls(graph_of(a=ema(m.close, 9) > ema(m.open, 9), b=ema(m.close, 10) > sma(m.close, 9))) == 4


def test_the_fast_average_of_macd_is_not_the_ema_of_the_same_length() -> None:
    """TA-Lib seeds it late; shared nodes would be wrong for the first hundred candles."""
    graph = graph_of(a=macd(m.close, 12, 26, 9).line > 0.0, b=ema(m.close, 12) > ema(m.close, 26))
    assert calls(graph) == 3  # the slow average is shared, the fast one is not


def test_a_crossing_keeps_one_number_of_each_side() -> None:
    fast, slow = ema(m.close, 9), ema(m.close, 21)
    graph = graph_of(up=crosses_above(fast, slow), or_down=~crosses_below(fast, slow))
    assert len(re.findall(r"w\d+ = v\d+", graph.source)) == 2


# --- Numbers are parameters ------------------------------------------------------------------


def test_graphs_that_differ_in_numbers_only_are_one_text_and_one_key() -> None:
    one = graph_of(a=crosses_above(ema(m.close, 9), ema(m.close, 21)), b=rsi(m.close, 14) < 75.0)
    other = graph_of(a=crosses_above(ema(m.close, 12), ema(m.close, 200)), b=rsi(m.close, 7) < 60.5)
    assert one.source == other.source
    assert one.key == other.key
    assert one.parameters().tolist() != other.parameters().tolist()


def test_constants_that_happen_to_be_equal_do_not_shape_the_text() -> None:
    same = graph_of(a=rsi(m.close, 14) < 50.0, b=adx(m, 14).adx > 50.0)
    apart = graph_of(a=rsi(m.close, 14) < 75.0, b=adx(m, 14).adx > 20.0)
    assert same.key == apart.key


def test_graphs_of_another_shape_have_another_key() -> None:
    keys = {graph_of(a=m.close > 1.0).key, graph_of(a=m.close >= 1.0).key, graph_of(a=m.open > 1.0).key}
    assert len(keys) == 3


def test_the_text_does_not_depend_on_the_order_in_which_nodes_were_made() -> None:
    a, b = ema(m.close, 9), sma(m.close, 21)
    first = graph_of(x=a > b)
    b, a = sma(m.close, 21), ema(m.close, 9)
    assert graph_of(x=a > b).source == first.source


def test_the_names_of_checks_are_not_in_the_text() -> None:
    assert graph_of(a=m.close > 1.0).key == graph_of(b=m.close > 1.0).key


# --- Steps are part of the key ---------------------------------------------------------------


def own_operator(body: str) -> Operator:
    """Return an operator whose step does what `body` says, with a helper in the same file."""
    namespace: dict[str, object] = {}
    exec(f"def helper(x):\n    return x * 2.0\ndef own_step(x, k):\n    {body}\n", namespace)
    step = namespace["own_step"]
    assert callable(step)
    return Operator("own", step, ("x",), ("own",), (), lambda: (), lambda: (0,), lambda: (1,), lambda: 0)


def key_with(body: str) -> str:
    return graph_of(a=Application(own_operator(body), (m.close,), ()) > 0.0).key


def test_the_key_changes_when_a_step_changes() -> None:
    assert key_with("return k, x") == key_with("return k, x  # the same")
    assert key_with("return k, x") != key_with("return k, x + 1.0")
    assert key_with("return k, x + 1.0") != key_with("return k, x + 2.0")


def test_the_key_changes_when_a_function_that_a_step_calls_changes() -> None:
    def namespace_of(factor: str) -> dict[str, object]:
        namespace: dict[str, object] = {}
        exec(f"def helper(x):\n    return x * {factor}\ndef step(x, k):\n    return k, helper(x)\n", namespace)
        return namespace

    two, again, three = (namespace_of(f)["step"] for f in ("2.0", "2.0", "3.0"))
    assert callable(two)
    assert callable(again)
    assert callable(three)
    assert fingerprint(two) == fingerprint(again) != fingerprint(three)


def test_two_steps_of_one_name_are_both_called() -> None:
    one, other = own_operator("return k, x + 1.0"), own_operator("return k, x + 2.0")
    graph = graph_of(a=Application(one, (m.close,), ()) > 0.0, b=Application(other, (m.close,), ()) > 0.0)
    assert len(set(graph.operators.values())) == 2


# --- Warm-up and history ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "candles"),
    [
        (m.close > 1.0, 1),
        (before(m.close) > 1.0, 2),
        (before(m.close, 5) > 1.0, 6),
        (ema(m.close, 21) > 1.0, 21),
        (rsi(m.close, 14) > 1.0, 15),
        (atr(m, 14) > 1.0, 15),
        (adx(m, 14).adx > 1.0, 28),
        (adx(m, 14).plus_di > 1.0, 15),
        (macd(m.close).line > 1.0, 26),
        (macd(m.close).histogram > 1.0, 34),
        (ema(sma(m.close, 10), 5) > 1.0, 14),
        (m.close > before(highest(m.high, 20)), 21),
        (crosses_above(ema(m.close, 9), ema(m.close, 21)), 22),
        ((ema(m.close, 9) > 1.0) & (sma(m.close, 30) > 1.0), 30),
        (where(rsi(m.close, 14) > 50.0, 20.0) > 1.0, 15),
    ],
    ids=lambda value: value.label if isinstance(value, Condition) else str(value),
)
def test_the_warm_up_follows_from_the_graph(condition: Condition, candles: int) -> None:
    assert graph_of(it=condition).warmup == candles


def test_the_history_of_windows_is_exact_and_of_averages_reaches_the_residual() -> None:
    assert graph_of(a=sma(m.close, 20) > 1.0).history == 20
    assert graph_of(a=sma(sma(m.close, 20), 5) > 1.0).history == 24
    left = (1.0 - 2.0 / 51.0) ** residual_candles(1.0 - 2.0 / 51.0)
    assert 0.9e-9 < left <= 1e-9
    assert graph_of(a=ema(m.close, 50) > 1.0).history == 50 + residual_candles(1.0 - 2.0 / 51.0)


# --- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1, 2.5, True, 100_001, "9"])
def test_a_period_that_is_not_allowed_is_named(n: object) -> None:
    with pytest.raises(ValueError, match=r"ema: n is .*; allowed: a whole number from 1 to 100000"):
        ema(m.close, n)  # type: ignore[arg-type]


def test_words_for_and_or_not_are_refused() -> None:
    a, b = m.close > 1.0, m.open > 1.0
    for wrong in (lambda: a and b, lambda: a or b, lambda: not a, lambda: 1.0 < m.close < 2.0):
        with pytest.raises(TypeError, match=r"write & \| ~ instead of and, or, not"):
            wrong()


def test_a_check_that_is_no_condition_is_named() -> None:
    with pytest.raises(TypeError, match=r"check trend: .* is not a condition"):
        checks(trend=m.close)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="check trend: False is not a condition"):
        checks(trend=(m.close == m.open))  # type: ignore[arg-type]


def test_a_power_is_refused_because_it_differs_between_plain_and_compiled() -> None:
    with pytest.raises(TypeError, match=r"write x \* x"):
        m.close**2


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "75", None, True])
def test_a_threshold_that_is_no_finite_number_is_refused(bad: object) -> None:
    with pytest.raises(TypeError, match=r"neither a node .* nor a finite number"):
        rsi(m.close, 14) < bad  # type: ignore[operator]  # noqa: B015


def test_switched_off_checks_are_left_out_and_none_left_is_an_error() -> None:
    its = checks(a=None, b=m.close > 1.0)
    assert its.names == ("b",)
    with pytest.raises(ValueError, match="no check is left: a, b"):
        checks(a=None, b=None)


def test_rules_without_an_entry_are_refused() -> None:
    with pytest.raises(ValueError, match="enter_long or enter_short"):
        Rules(exit_long=checks(a=m.close > 1.0))
    with pytest.raises(TypeError, match=r"enter_long is .*; write checks"):
        Rules(enter_long=m.close > 1.0)  # type: ignore[arg-type]


def test_an_average_of_a_constant_is_refused() -> None:
    with pytest.raises(ValueError, match="a constant has no past"):
        ema(Constant(1.0), 9)


def test_an_unknown_timeframe_is_refused() -> None:
    with pytest.raises(Exception, match="timeframe '7m' is not known"):
        m.at("7m")


def test_checks_keep_their_order() -> None:
    its: Checks = checks(b=m.close > 1.0, a=m.open > 1.0)
    assert its.names == ("b", "a")
    assert len(its) == 2
