"""What API and command line may ask of a running engine, and what it tells about itself."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regatta.domain.bus import Bus
from regatta.domain.signal import Check


class BotStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One bot as it is now. Money in 10**-8 of its quote currency.

    state: running, paused, stopped, failed; mode: backtest, virtual, paper, live.
    holds: how often it held since start, by first failing check.
    """

    name: str
    mode: str
    state: str
    venue: str
    strategy: str
    timeframe: str
    quote: str
    symbols: Sequence[str]
    parameters: dict[str, object]
    initial_balance_e8: int
    balance_e8: int
    equity_e8: int
    unrealised_e8: int
    open_positions: int
    max_positions: int
    trades: int
    wins: int
    losses: int
    signals: int
    holds: dict[str, int]
    last_error: str = ""


class LivePosition(msgspec.Struct, frozen=True, kw_only=True):
    """An open position with its live price. Prices and quantity as floats, for display."""

    position_id: str
    bot: str
    mode: str
    symbol: str
    side: str
    quantity: float
    entry_price: float
    price: float
    stop_price: float | None
    target_price: float | None
    notional: float
    unrealised: float
    unrealised_pct: float
    fees: float
    opened_ms: int
    price_at_ms: int


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A market feed. state: running, paused, ended, stale; speed: None for real venues."""

    name: str
    kind: str
    state: str
    symbols: int
    market_time_ms: int
    speed: float | None
    last_event_age_ms: int


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The engine as a whole. loop_lag_ms: the latest measured delay of the event loop."""

    version: str
    started_ms: int
    now_ms: int
    loop_lag_ms: float
    journal_seq: int
    journal_bytes: int
    bots: Sequence[BotStatus]
    feeds: Sequence[FeedStatus]
    errors: Sequence[str] = ()


class SymbolChecks(msgspec.Struct, frozen=True, kw_only=True):
    """Every check of a bot's strategy on one symbol, as of its last closed candle."""

    bot: str
    symbol: str
    close_ms: int
    ready: bool
    outputs: dict[str, tuple[Check, ...]]


class Control(Protocol):
    """A running engine, seen from outside. Unknown bots or symbols raise BadInput."""

    @property
    def bus(self) -> Bus:
        """Where records and candles are published."""
        ...

    def status(self) -> EngineStatus:
        """Return the state of everything, cheap enough for four calls a second."""
        ...

    def positions(self) -> Sequence[LivePosition]:
        """Return all open positions with live prices."""
        ...

    def prices(self) -> dict[str, tuple[float, int]]:
        """Return the last price and its time (ms) by symbol."""
        ...

    def checks(self, bot: str, symbol: str) -> SymbolChecks:
        """Return every check of the bot's strategy on the symbol: why it does not trade."""
        ...

    async def start(self, bot: str | None = None, by: str = "user") -> None:
        """Start one bot or all: entries allowed."""
        ...

    async def stop(self, bot: str | None = None, close_positions: bool = False, by: str = "user") -> None:
        """Stop one bot or all: no new entries; open positions stay protected unless closed."""
        ...

    async def pause(self, bot: str | None = None, by: str = "user") -> None:
        """Pause entries of one bot or all."""
        ...

    async def resume(self, bot: str | None = None, by: str = "user") -> None:
        """Allow entries again."""
        ...

    async def close_position(self, symbol: str, bot: str | None = None, by: str = "user") -> Sequence[str]:
        """Close the open position(s) of the symbol at market; return the client ids of the orders."""
        ...

    async def kill(self, close_positions: bool = False, by: str = "user") -> None:
        """Halt all bots, cancel all entry orders, optionally close all positions."""
        ...

    async def set_speed(self, speed: float) -> None:
        """Set the speed of the virtual market (1, 10, 60, 600). BadInput when there is none."""
        ...
