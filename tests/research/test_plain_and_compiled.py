"""The compiled passes and plain Python leave the same numbers in every array."""

from typing import Any

import numpy as np
import pytest

from regatta.domain.instrument import Instrument
from regatta.engine.code_cache import CodeCache
from regatta.graph import Market as Columns
from regatta.graph import Rules, build, checks, crosses_above, crosses_below, ema
from regatta.market.candles import Candles
from regatta.research import backtest
from regatta.research.backtest import BacktestResult, Setup, run
from regatta.research.compiled import PLAIN, called_by, compile_kernel
from regatta.research.kernel import trade_pass
from regatta.research.timeline import SymbolData
from regatta.risk.rules import RiskRules
from regatta.risk.sizing import BY_PERCENT, entry_lots
from tests.research.scenes import INITIAL, MINUTE, START, Charge, instrument

CASES = {
    "long": (RiskRules(max_positions=2, stop=0.004, target=0.006), False),
    "long and short": (RiskRules(max_positions=3, leverage=3, stop=0.003, target=0.004, amount=0.02), True),
    "by percent, without levels": (
        RiskRules(sizing=BY_PERCENT, amount=0.4, stop=float("inf"), target=float("inf"), max_positions=2),
        True,
    ),
}


def crossing(m: Columns) -> Rules:
    fast, slow = ema(m.close, 3), ema(m.close, 8)
    return Rules(
        enter_long=checks(cross=crosses_above(fast, slow)),
        exit_long=checks(cross=crosses_below(fast, slow)),
        enter_short=checks(cross=crosses_below(fast, slow)),
        exit_short=checks(cross=crosses_above(fast, slow)),
        score=m.volume,
    )


def walks(seed: int, n: int) -> dict[str, SymbolData]:
    """Return three symbols with candles missing here and there, and funding."""
    rng = np.random.default_rng(seed)
    found: dict[str, SymbolData] = {}
    for base, price in (("AAA", 100.0), ("BBB", 30_000.0), ("CCC", 3.0)):
        own: Instrument = instrument(f"{base}/USDT:USDT")
        close = np.maximum(0.5, np.round(price * np.exp(np.cumsum(rng.normal(0, 0.002, n))), 2))
        open_ = np.concatenate([[price], close[:-1]])
        high = np.round(np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.001, n))), 2)
        low = np.maximum(0.5, np.round(np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.001, n))), 2))
        open_ms = START + MINUTE * np.arange(n, dtype=np.int64)
        volume = rng.integers(1, 9, n).astype(np.float64)
        keep = rng.random(n) > 0.01
        keep[[0, -1]] = True
        part = Candles(own.symbol, "1m", open_ms[keep], open_[keep], high[keep], low[keep], close[keep], volume[keep])
        charges = [
            Charge(row, int(rng.integers(-50_000, 50_000)), own.ticks(part.open[row]))
            for row in range(9, len(part), 50)
        ]
        found[own.symbol] = SymbolData(own, part, charges)
    return found


def result_of(seed: int, name: str, cache: CodeCache | None) -> BacktestResult:
    rules, _ = CASES[name]
    graph = build(crossing(Columns()))
    setup = Setup(
        graph=graph,
        function=graph.plain() if cache is None else cache.graph(graph),
        kernel=PLAIN if cache is None else compile_kernel(cache.jit),
        rules=rules,
        slippage=0.0002,
        initial_e8=INITIAL,
    )
    return run(setup, walks(seed, 1_200), MINUTE)


def assert_equal(a: BacktestResult, b: BacktestResult) -> None:
    np.testing.assert_array_equal(a.table, b.table)
    np.testing.assert_array_equal(a.timeline.signals, b.timeline.signals)
    np.testing.assert_array_equal(a.equity(), b.equity())
    assert (a.balance_e8, a.fees_e8, a.funding_e8) == (b.balance_e8, b.fees_e8, b.funding_e8)
    assert a.held_back == b.held_back


@pytest.mark.parametrize("name", CASES)
def test_both_ways_give_the_same_numbers(name: str, code_cache: CodeCache) -> None:
    plain = result_of(3, name, None)
    assert len(plain.table) > 50, "the case must trade"
    assert plain.funding_e8 != 0
    assert_equal(plain, result_of(3, name, code_cache))


@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_the_size_of_a_block_changes_nothing(rows: int, code_cache: CodeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = result_of(4, "long and short", code_cache)
    monkeypatch.setattr(backtest, "block_rows", lambda symbols: rows)
    assert_equal(whole, result_of(4, "long and short", code_cache))


def test_every_rule_that_the_pass_reaches_is_found_for_the_compiler() -> None:
    found: set[Any] = set(called_by(trade_pass))
    assert entry_lots in found, "called by a function that the pass calls"
    assert trade_pass not in found
