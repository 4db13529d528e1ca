"""Hand-written markets: candles that carry their own signals, so that results can be worked out by hand."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from regatta.domain.instrument import Instrument
from regatta.domain.position import Trade
from regatta.graph import Graph, Market, Rules, build, checks
from regatta.market.candles import Candles
from regatta.research.backtest import BacktestResult, Setup, run
from regatta.research.compiled import PLAIN, Kernel
from regatta.research.timeline import SymbolData
from regatta.risk.rules import RiskRules
from regatta.risk.sizing import BY_QUANTITY

MINUTE = 60_000
START = 1_750_000_000_000 // 86_400_000 * 86_400_000
E8 = 100_000_000
INITIAL = 10_000 * E8

WAIT, BUY, SELL, SHORT, COVER = 0, 1, 2, 3, 4
"""What a candle of a scene signals at its close: it stands in its volume."""


class Bar(NamedTuple):
    """One candle of a scene; missing: it is not there."""

    open: float
    high: float
    low: float
    close: float
    signal: float = WAIT
    missing: bool = False


class Charge(NamedTuple):
    row: int
    rate_e8: int
    mark_ticks: int


GAP = Bar(0, 0, 0, 0, missing=True)


def flat(price: float, signal: float = WAIT) -> Bar:
    """Return a candle that does not move."""
    return Bar(price, price, price, price, signal)


def volume_rules(m: Market) -> Rules:
    """Return rules that say what the volume says."""

    def means(code: int) -> Any:
        return (m.volume > code - 0.25) & (m.volume < code + 0.25)

    return Rules(
        enter_long=checks(script=means(BUY)),
        exit_long=checks(script=means(SELL)),
        enter_short=checks(script=means(SHORT)),
        exit_short=checks(script=means(COVER)),
    )


SCRIPT = build(volume_rules(Market()))


def instrument(symbol: str = "AAA/USDT:USDT", **changes: Any) -> Instrument:
    fields: dict[str, Any] = {
        "venue": "test",
        "symbol": symbol,
        "base": symbol.split("/")[0],
        "quote": "USDT",
        "kind": "swap",
        "tick_size": Decimal("0.01"),
        "lot_step": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "min_notional": Decimal(5),
        "max_leverage": 20,
        "maker_fee": Decimal("0.0005"),
        "taker_fee": Decimal("0.001"),
    }
    return Instrument(**{**fields, **changes})


def candles(bars: Sequence[Bar], symbol: str = "AAA/USDT:USDT", start: int = START) -> Candles:
    rows = [(start + i * MINUTE, *bar[:5]) for i, bar in enumerate(bars) if not bar.missing]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 6).T
    return Candles(symbol, "1m", columns[0].astype(np.int64), *(np.ascontiguousarray(c) for c in columns[1:]))


ONE_COIN = RiskRules(sizing=BY_QUANTITY, amount=1.0, stop=0.02, target=0.05, max_positions=1)
"""Rules that buy one coin, with a stop 2 % below and a target 5 % above."""


def setup(
    rules: RiskRules = ONE_COIN, *, slippage: float = 0.0, graph: Graph = SCRIPT, kernel: Kernel = PLAIN
) -> Setup:
    return Setup(
        graph=graph, function=graph.plain(), kernel=kernel, rules=rules, slippage=slippage, initial_e8=INITIAL, bot="T"
    )


def play(
    *bars: Bar,
    rules: RiskRules = ONE_COIN,
    slippage: float = 0.0,
    charges: Sequence[Charge] = (),
    graph: Graph = SCRIPT,
    from_ms: int | None = None,
) -> BacktestResult:
    """Run one symbol over these candles."""
    data = {"AAA/USDT:USDT": SymbolData(instrument(), candles(bars), charges)}
    return run(setup(rules, slippage=slippage, graph=graph), data, MINUTE, from_ms=from_ms)


def play_together(bars: Mapping[str, Sequence[Bar]], rules: RiskRules, graph: Graph = SCRIPT) -> BacktestResult:
    """Run several symbols (by base name) with a shared balance."""
    data = {
        f"{base}/USDT:USDT": SymbolData(instrument(f"{base}/USDT:USDT"), candles(own, f"{base}/USDT:USDT"))
        for base, own in bars.items()
    }
    return run(setup(rules, graph=graph), data, MINUTE)


def only(result: BacktestResult) -> Trade:
    """Return the one trade that was made."""
    trades = result.trades()
    assert len(trades) == 1, f"{len(trades)} trades"
    return trades[0]


def at(row: int) -> int:
    """Return when candle `row` of a scene opens."""
    return START + row * MINUTE
