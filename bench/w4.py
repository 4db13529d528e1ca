"""W4: one more candle, live: a step of the graph, and what is read of it.

values: the newest value of every node by name; first failing: what a HOLD is counted by; checks:
the named checks with their numbers, as a signal carries them.

EMA 9/21/50, RSI 14, ATR 14, MACD and Bollinger 20, as one strategy on one symbol.
"""

from collections.abc import Callable
from itertools import islice

from bench.measure import best_of
from regatta.engine.code_cache import CodeCache
from regatta.graph import Market, Rules, Series, atr, bollinger, build, checks, crosses_above, ema, macd, rsi
from regatta.market.generated import random_walk

MINUTE_MS = 60_000
HISTORY = 2_000
STEPS = 20_000


def rules(m: Market) -> Rules:
    """Return a rule that looks at every indicator of the workload."""
    lines, bands = macd(m.close), bollinger(m.close, 20)
    return Rules(
        enter_long=checks(
            ema_cross=crosses_above(ema(m.close, 9), ema(m.close, 21)),
            ema_filter=m.close > ema(m.close, 50),
            rsi=rsi(m.close) < 75,
            volatility=atr(m) > 0.0,
            macd=lines.histogram > 0.0,
            bollinger=m.close < bands.upper,
        )
    )


def run(rounds: int = 5) -> dict[str, object]:
    """Measure and return one line of results; times in µs a candle."""
    graph = build(rules(Market()))
    compiled, plain = (Series(graph, function, MINUTE_MS) for function in (CodeCache().graph(graph), graph.plain()))
    rows = list(random_walk(HISTORY + STEPS * (rounds + 1)).rows())
    bit = graph.outputs[0].bit

    def timed(series: Series, read: Callable[[], object] | None = None) -> float:
        series.reset()
        coming = iter(rows)

        def steps(count: int) -> None:
            for c in islice(coming, count):
                series.step(c.close_ms, c.open, c.high, c.low, c.close, c.volume)
                if read is not None:
                    read()

        steps(HISTORY)
        return round(best_of(rounds, lambda: steps(STEPS))[0] / STEPS * 1e6, 3)

    return {
        "workload": "W4",
        "step_us": timed(compiled),
        "step_and_values_us": timed(compiled, compiled.values),
        "step_and_first_failing_us": timed(compiled, lambda: compiled.first_failing(bit)),
        "step_and_checks_us": timed(compiled, lambda: compiled.checks(bit)),
        "plain_step_us": timed(plain),
    }
