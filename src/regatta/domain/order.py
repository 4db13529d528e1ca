"""Orders and fills, in whole ticks and lots.

An order lives Intended -> Working -> (partly) Filled | Canceled | Refused. `Intended` is in the
journal before the venue hears of it; `Refused` needs the venue's proof.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec


class Side(StrEnum):
    """Which way an order or a position points; `sign` is +1 for buy / long."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The side that closes what this one opened."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderKind(StrEnum):
    """How an order is executed. STOP becomes a market order when its trigger is touched."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


class OrderRole(StrEnum):
    """Why an order exists."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop_loss"
    TARGET = "take_profit"


class OrderStatus(StrEnum):
    """Where an order is in its life."""

    INTENDED = "intended"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    REFUSED = "refused"


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of the venue. The client id existed in the journal before the order did.

    price_ticks: limit price (LIMIT only); trigger_ticks: stop price (STOP only);
    decided_ticks: the price that the decision saw (entries and exits at market).
    position_id: the position that the order opens or closes; reason: exit reason, for exits.
    """

    client_id: str
    bot: str
    symbol: str
    side: Side
    kind: OrderKind
    role: OrderRole
    lots: int
    position_id: str
    reduce_only: bool = False
    price_ticks: int | None = None
    trigger_ticks: int | None = None
    decided_ticks: int | None = None
    reason: str = ""


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution. `fill_id` is the venue's and is booked exactly once; fee in quote, exact."""

    fill_id: str
    client_id: str
    bot: str
    symbol: str
    side: Side
    lots: int
    price_ticks: int
    fee_e8: int
    liquidity: Literal["maker", "taker"]
    at_ms: int


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order with what became of it, for outlets and projections."""

    order: Order
    status: OrderStatus
    filled_lots: int
    average_price: Decimal | None
    intended_ms: int
    updated_ms: int
