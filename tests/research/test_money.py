"""Money is exact: whatever the market does, the books balance to the last unit."""

from itertools import pairwise
from math import inf

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regatta.research.backtest import BacktestResult, run
from regatta.research.timeline import SymbolData
from regatta.risk.rules import RiskRules
from regatta.risk.sizing import BY_AMOUNT, BY_PERCENT, BY_QUANTITY, BY_RISK
from tests.research.scenes import GAP, INITIAL, MINUTE, Bar, Charge, candles, instrument, setup


@st.composite
def bars(draw: st.DrawFn) -> list[Bar]:
    """Candles on the grid of 0.01, with jumps, gaps and signals."""
    made: list[Bar] = []
    price = draw(st.integers(50, 1_000_000))
    for _ in range(draw(st.integers(2, 25))):
        open_ = max(1, price + draw(st.integers(-price // 20, price // 20)))
        close = max(1, open_ + draw(st.integers(-open_ // 15, open_ // 15)))
        high = max(open_, close) + draw(st.integers(0, price // 20))
        low = max(1, min(open_, close) - draw(st.integers(0, price // 20)))
        signal = draw(st.sampled_from([0, 0, 1, 2, 3, 4]))
        made.append(Bar(open_ / 100, high / 100, low / 100, close / 100, signal))
        price = close
    for row in draw(st.lists(st.integers(1, len(made)), max_size=2)):
        if row < len(made) - 1:
            made[row] = GAP
    return made


rules = st.builds(
    RiskRules,
    sizing=st.sampled_from([BY_RISK, BY_PERCENT, BY_AMOUNT, BY_QUANTITY]),
    amount=st.floats(0.001, 3.0),
    leverage=st.integers(1, 20),
    stop=st.one_of(st.just(inf), st.floats(0.0005, 0.5)),
    target=st.one_of(st.just(inf), st.floats(0.0005, 2.0)),
    max_positions=st.integers(1, 2),
)


def played(markets: list[list[Bar]], chosen: RiskRules, slippage: float, rate_e8: int) -> BacktestResult:
    data = {}
    for base, own in zip(("AAA", "BBB"), markets, strict=False):
        symbol = f"{base}/USDT:USDT"
        part = candles(own, symbol)
        charges = [Charge(row, rate_e8, instrument().ticks(part.open[row])) for row in range(2, len(part), 3)]
        data[symbol] = SymbolData(instrument(symbol), part, charges)
    return run(setup(chosen, slippage=slippage), data, MINUTE)


@given(st.lists(bars(), min_size=1, max_size=2), rules, st.floats(0, 0.01), st.integers(-100_000, 100_000))
def test_the_balance_is_the_initial_one_and_all_net_gains(
    markets: list[list[Bar]], chosen: RiskRules, slippage: float, rate_e8: int
) -> None:
    result = played(markets, chosen, slippage, rate_e8)
    trades = result.trades()
    assert result.balance_e8 == INITIAL + sum(t.pnl_e8 for t in trades)
    assert result.fees_e8 == sum(t.fees_e8 for t in trades)
    assert result.funding_e8 == sum(t.funding_e8 for t in trades)
    for t in trades:
        gross = t.side.sign * (t.exit_value_e8 - t.entry_cost_e8)
        assert t.pnl_e8 == gross - t.fees_e8 - t.funding_e8
        assert t.opened_ms < t.closed_ms


@given(st.lists(bars(), min_size=1, max_size=2), rules, st.integers(-100_000, 100_000))
def test_equity_ends_at_the_balance_and_starts_at_the_initial_one(
    markets: list[list[Bar]], chosen: RiskRules, rate_e8: int
) -> None:
    result = played(markets, chosen, 0.0, rate_e8)
    equity = result.equity()
    assert equity[0] == INITIAL
    assert equity[-1] == result.balance_e8
    assert equity.dtype == np.int64


@given(bars(), rules)
def test_positions_of_one_symbol_never_overlap(market: list[Bar], chosen: RiskRules) -> None:
    trades = played([market], chosen, 0.0, 0).trades()
    for earlier, later in pairwise(trades):
        assert earlier.closed_ms <= later.opened_ms
