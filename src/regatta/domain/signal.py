"""Signals and decisions: what a strategy says, and what the bot did about it."""

from typing import Literal

import msgspec

Direction = Literal["long", "short", "exit_long", "exit_short"]


class Check(msgspec.Struct, frozen=True):
    """One named condition of a strategy with the numbers behind it.

    value `relation` threshold is what was tested ("rsi 71.2 < 75"); both NaN-free: None while
    the indicator warms up, and then `passed` is None too and counts as failed.
    """

    name: str
    value: float | None
    threshold: float | None
    relation: str
    passed: bool | None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy says on one closed candle of one symbol. score: 0-100."""

    bot: str
    symbol: str
    timeframe: str
    close_ms: int
    direction: Direction
    score: float
    price: float
    checks: tuple[Check, ...]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot did with a signal: acted (order's client id) or held back (with the reason).

    action: "enter", "exit" or "held_back"; reason: the named rule when held back, else "".
    detail: the numbers behind the reason, in words for the user.
    """

    signal: Signal
    action: Literal["enter", "exit", "held_back"]
    reason: str = ""
    detail: str = ""
    client_id: str = ""
