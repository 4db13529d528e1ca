"""The risk settings of one bot as the rules take them: plain numbers, checked at the edge."""

from math import inf

import msgspec

from regatta.risk.sizing import BY_RISK


class RiskRules(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that every rule of one bot is called with. Fractions, not percents.

    sizing: a code of `sizing.SIZING_MODES`; amount: as `entry_lots` takes it. stop, target:
    distance from the entry as a fraction, infinity = off. slippage: assumed for sizing and
    charged by the simulated venue. startup_candles: no entry before so many candles.
    """

    sizing: int = BY_RISK
    amount: float = 0.01
    allocation: float = 1.0
    leverage: int = 1
    tradable: float = 0.99
    max_notional: float = inf
    stop: float = 0.02
    target: float = 0.05
    max_positions: int = 3
    startup_candles: int = 0

    @property
    def has_stop(self) -> bool:
        """Whether positions get a stop-loss."""
        return self.stop < inf

    @property
    def has_target(self) -> bool:
        """Whether positions get a take-profit."""
        return self.target < inf
