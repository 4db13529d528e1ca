"""W1: one backtest of `ema_rsi`, 1,000,000 candles of a random walk, through the real research path.

Timed is the core: signals and trades over candles that lie in memory. The limit is the loop of
`fused`, timed in turn with it; both must make the same trades and the same equity.
"""

from decimal import Decimal

from bench.fused import STARTUP, STOP, TARGET, fused
from bench.measure import best_of, peak_rss_mb
from regatta.domain.instrument import Instrument
from regatta.domain.money import E8
from regatta.engine.code_cache import CodeCache
from regatta.graph import Market, build
from regatta.market.generated import random_walk
from regatta.research.backtest import Setup, replay
from regatta.research.compiled import compile_kernel
from regatta.research.timeline import SymbolData, lay_out
from regatta.risk.rules import RiskRules
from regatta.risk.sizing import BY_QUANTITY
from regatta.strategies import builtin

CANDLES = 1_000_000
INITIAL = 10_000_000
MINUTE_MS = 60_000

INSTRUMENT = Instrument(
    venue="bench",
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    kind="spot",
    tick_size=Decimal("0.01"),
    lot_step=Decimal(1),
    min_quantity=Decimal(1),
    min_notional=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)

RULES = RiskRules(sizing=BY_QUANTITY, amount=1.0, stop=STOP, target=TARGET, max_positions=1, startup_candles=STARTUP)


def run(rounds: int = 20) -> dict[str, object]:
    """Measure and return one line of results."""
    candles = random_walk(CANDLES)
    strategy = builtin()["ema_rsi"]
    graph = build(strategy.rules(Market(), strategy.Parameters()))
    cache = CodeCache()
    setup = Setup(
        graph=graph,
        function=cache.graph(graph),
        kernel=compile_kernel(cache.jit),
        rules=RULES,
        slippage=0.0,
        initial_e8=INITIAL * E8,
    )
    timeline = lay_out({INSTRUMENT.symbol: SymbolData(INSTRUMENT, candles)}, MINUTE_MS)
    columns = (candles.open, candles.high, candles.low, candles.close)

    result = replay(setup, timeline, (INSTRUMENT,))
    trades, equity = fused(*columns, float(INITIAL))
    if len(result.table) != trades or abs(result.balance_e8 / E8 - equity) > 0.001:
        raise AssertionError(
            f"the loops disagree: {len(result.table)} trades and {result.balance_e8 / E8} against {trades} and {equity}"
        )
    core_s, limit_s = best_of(
        rounds, lambda: replay(setup, timeline, (INSTRUMENT,)), lambda: fused(*columns, float(INITIAL))
    )
    return {
        "workload": "W1",
        "candles_per_s": round(CANDLES / core_s),
        "limit_candles_per_s": round(CANDLES / limit_s),
        "ratio_to_limit": round(limit_s / core_s, 3),
        "trades": trades,
        "equity": result.balance_e8 / E8,
        "peak_rss_mb": round(peak_rss_mb()),
    }
