"""EMA cross with RSI: enters when a short average crosses a long one and the market is not overheated.

Copy this file to write a strategy of your own. It has three parts: the parameters that a user
may set, the rules, and STRATEGY, which names them.
"""

from typing import Self

from pydantic import model_validator

from regatta.graph import Market, Rules, checks, crosses_above, crosses_below, ema, rsi, sma
from regatta.strategies.strategy import Strategy, StrategyParameters, parameter


class Parameters(StrategyParameters):
    """What a user may set, with bounds."""

    ema_short: int = parameter(
        9, "Short EMA", "Length of the average that crosses; less than the long one.", "candles", ge=1, le=500
    )
    ema_long: int = parameter(21, "Long EMA", "Length of the average that is crossed.", "candles", ge=2, le=1000)
    ema_filter: int = parameter(
        50, "EMA filter", "Length of the average that the price must be beyond.", "candles", ge=2, le=2000
    )
    rsi_period: int = parameter(14, "RSI period", "Length of the relative strength index.", "candles", ge=2, le=500)
    rsi_overbought: float = parameter(
        75.0, "RSI overbought", "No long entry, and no exit of a short, at or above this RSI.", ge=0, le=100
    )
    rsi_oversold: float = parameter(
        25.0, "RSI oversold", "No short entry, and no exit of a long, at or below this RSI.", ge=0, le=100
    )
    volume_avg_period: int = parameter(
        20, "Volume average", "Length of the average that the volume is compared with.", "candles", ge=1, le=1000
    )
    use_ema_filter: bool = parameter(True, "Use EMA filter", "Enter only when the close is beyond the EMA filter.")
    use_volume_confirmation: bool = parameter(
        False, "Use volume confirmation", "Enter only when the volume is above its average."
    )
    allow_short: bool = parameter(False, "Allow short", "Also trade the mirror image; needs a futures market.")

    @model_validator(mode="after")
    def _short_before_long(self) -> Self:
        if self.ema_short >= self.ema_long:
            raise ValueError(f"ema_short is {self.ema_short}; allowed: less than ema_long, which is {self.ema_long}")
        return self


def rules(m: Market, p: Parameters) -> Rules:
    """Return when to enter and when to leave, on the close of a candle."""
    short = ema(m.close, p.ema_short)
    long = ema(m.close, p.ema_long)
    filter_ = ema(m.close, p.ema_filter)
    strength = rsi(m.close, p.rsi_period)
    busy = m.volume > sma(m.volume, p.volume_avg_period)

    # Every check has a name, under which the dashboard and the journal show it, and all must
    # pass. None is a check that is switched off.
    enter_long = checks(
        ema_cross=crosses_above(short, long),
        rsi=strength < p.rsi_overbought,
        ema_filter=m.close > filter_ if p.use_ema_filter else None,
        volume=busy if p.use_volume_confirmation else None,
    )
    exit_long = checks(
        ema_cross=crosses_below(short, long),
        rsi=strength > p.rsi_oversold,
    )
    if not p.allow_short:
        return Rules(enter_long, exit_long)

    enter_short = checks(
        ema_cross=crosses_below(short, long),
        rsi=strength > p.rsi_oversold,
        ema_filter=m.close < filter_ if p.use_ema_filter else None,
        volume=busy if p.use_volume_confirmation else None,
    )
    exit_short = checks(
        ema_cross=crosses_above(short, long),
        rsi=strength < p.rsi_overbought,
    )
    return Rules(enter_long, exit_long, enter_short, exit_short)


STRATEGY = Strategy(
    name="ema_rsi",
    title="EMA cross with RSI",
    description="Enters when the short EMA crosses above the long one while the RSI is not overbought; "
    "leaves on the opposite cross, at a stop of 2 % or a target of 5 %.",
    Parameters=Parameters,
    rules=rules,
    defaults={
        "timeframe": "1m",
        "symbols": ("BTC/USDT",),
        "sizing": "risk",
        "risk_per_trade_pct": 1.0,
        "capital_allocation": 1.0,
        "stop_pct": 2.0,
        "take_profit_pct": 5.0,
    },
)
