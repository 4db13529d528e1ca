"""Positions and trades. A position is open; a trade is a closed position."""

from typing import Literal

import msgspec

from regatta.domain.order import Side


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """An open position as it stands after its last fill.

    side: BUY is long. cost_e8: sum of the entry notionals still open; fees_e8, funding_e8: paid
    so far (funding negative = received); realised_e8: PnL of exits so far, before fees.
    stop_ticks, target_ticks: None when there is none.
    """

    position_id: str
    bot: str
    symbol: str
    side: Side
    lots: int
    entry_ticks: int
    cost_e8: int
    fees_e8: int
    funding_e8: int
    realised_e8: int
    opened_ms: int
    stop_ticks: int | None
    target_ticks: int | None
    leverage: int = 1


ExitReason = Literal["stop_loss", "take_profit", "signal", "manual", "end_of_data", "kill"]


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A closed position: one per position, closed when the quantity reached 0.

    entry_ticks, exit_ticks: of the first entry fill and the last exit fill; entry_cost_e8,
    exit_value_e8: exact notionals of all of them; pnl_e8: net of fees and funding.
    """

    trade_id: str
    bot: str
    symbol: str
    side: Side
    lots: int
    opened_ms: int
    closed_ms: int
    entry_ticks: int
    exit_ticks: int
    entry_cost_e8: int
    exit_value_e8: int
    fees_e8: int
    funding_e8: int
    pnl_e8: int
    reason: str
    balance_after_e8: int
