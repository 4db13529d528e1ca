"""The built-in strategies, one a file. `ema_rsi` is the one to copy for a strategy of your own."""

from regatta.strategies import ema_rsi
from regatta.strategies.strategy import Strategy, StrategyParameters, parameter


def builtin() -> dict[str, Strategy]:
    """Return the built-in strategies by name."""
    every = (ema_rsi.STRATEGY,)
    return {strategy.name: strategy for strategy in every}


__all__ = ["Strategy", "StrategyParameters", "builtin", "parameter"]
