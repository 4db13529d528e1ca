"""What dashboards show of the journal, held in memory: the last trades and decisions, sums, curves.

1. Filled once from the journal, then kept by the committed records, in their order: a snapshot
   needs no database, and is exact as of the last record applied.
2. Every record is applied once: one that the filling from the journal had already seen is skipped.
3. Bounded: a curve that grows too long loses every other point of its older half.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from regatta.api.frames import BotStatusData, Topic
from regatta.api.grids import Grids
from regatta.api.records import decision_view, fill_view, trade_view
from regatta.api.schemas import EquityPoint, TradeTotals
from regatta.api.sums import TradeSums
from regatta.api.times import iso
from regatta.domain.bus import Committed
from regatta.domain.events import (
    AnyRecord,
    BotRegistered,
    BotStateChanged,
    DecisionTaken,
    EquityMarked,
    OrderFilled,
    TradeClosed,
)
from regatta.domain.money import to_float
from regatta.domain.position import Trade
from regatta.domain.signal import Decision
from regatta.domain.timeframe import DAY_MS

LAST = 50
"""Trades and decisions that a snapshot holds."""

CURVE_POINTS = 500
"""Points of equity that a snapshot holds for each bot."""

SHOWN: frozenset[type] = frozenset(
    (BotRegistered, BotStateChanged, DecisionTaken, EquityMarked, OrderFilled, TradeClosed)
)
"""Records that change the board."""

Event = tuple[Topic, dict[str, Any]]
"""A realtime frame to be: its type and its data."""


class Board:
    """The journal's newest part, as the dashboard shows it."""

    def __init__(self, grids: Grids) -> None:
        self.grids = grids
        self._sums = TradeSums()
        self._trades: deque[dict[str, Any]] = deque(maxlen=LAST)
        self._decisions: deque[dict[str, Any]] = deque(maxlen=LAST)
        self._curves: dict[str, list[dict[str, Any]]] = {}
        self._today: dict[str, tuple[int, int]] = {}
        self._seen: dict[type | tuple[type, str], int] = {}

    # --- filling from the journal ----------------------------------------------------------

    def fill_trades(self, sums: TradeSums, newest_first: Sequence[tuple[int, Trade]]) -> None:
        """Take sums over all trades and the newest of them."""
        self._sums = sums
        for seq, trade in reversed(newest_first):
            self._trades.appendleft(trade_view(seq, trade, self.grids).model_dump())
            self._seen[TradeClosed] = seq

    def fill_decisions(self, newest_first: Sequence[tuple[int, Decision]]) -> None:
        """Take the newest decisions."""
        for seq, decision in reversed(newest_first):
            self._decisions.appendleft(decision_view(seq, decision, self.grids).model_dump())
            self._seen[DecisionTaken] = seq

    def fill_curve(self, bot: str, points: Iterable[tuple[int, int, int]], last_seq: int) -> None:
        """Take (at_ms, balance_e8, equity_e8) of one bot, oldest first; last_seq: of the newest."""
        self._curves[bot] = [_point(*point) for point in points]
        self._seen[EquityMarked, bot] = last_seq

    def fill_today(self, bot: str, day: int, pnl_e8: int) -> None:
        """Take what the trades closed on a day (days since 1970) have brought."""
        self._today[bot] = (day, pnl_e8)

    # --- keeping up --------------------------------------------------------------------------

    def apply(self, committed: Committed) -> Event | None:
        """Apply one record; return the realtime event that tells of it, None when it is not shown."""
        record, seq = committed.record, committed.seq
        kind = type(record)
        if seq <= self._seen.get(kind, 0) or seq <= self._seen.get((kind, record.bot), 0):
            return None
        self._seen[kind] = seq
        return self._apply(seq, record)

    def _apply(self, seq: int, record: AnyRecord) -> Event | None:
        match record:
            case TradeClosed(trade=trade):
                self._sums.add(trade.pnl_e8, trade.fees_e8, trade.funding_e8)
                self._note_day(trade.bot, trade.closed_ms, trade.pnl_e8)
                view = trade_view(seq, trade, self.grids).model_dump()
                self._trades.appendleft(view)
                return "trade_closed", {"trade": view, "totals": self._sums.view().model_dump()}
            case OrderFilled(fill=fill):
                return "bot_trade_executed", fill_view(seq, fill, self.grids).model_dump()
            case DecisionTaken(decision=decision):
                view = decision_view(seq, decision, self.grids).model_dump()
                self._decisions.appendleft(view)
                return "signal", view
            case EquityMarked():
                self._note_day(record.bot, record.at_ms, 0)
                point = _point(record.at_ms, record.balance_e8, record.equity_e8)
                curve = self._curves.setdefault(record.bot, [])
                curve.append(point)
                if len(curve) > CURVE_POINTS:
                    half = len(curve) // 2
                    curve[:half] = curve[:half:2]
                return "equity", {"bot": record.bot, "points": [point]}
            case BotStateChanged():
                data = BotStatusData.model_validate(
                    {"bot": record.bot, "state": record.state, "by": record.by, "at": iso(record.at_ms)}
                )
                return "bot_status", data.model_dump()
            case BotRegistered():
                self.grids.register(
                    record.bot,
                    mode=record.mode,
                    venue=record.venue,
                    initial_e8=record.initial_balance_e8,
                    settings=record.settings,
                )
                return None
            case _:
                return None

    def _note_day(self, bot: str, at_ms: int, pnl_e8: int) -> None:
        day = at_ms // DAY_MS
        held, total = self._today.get(bot, (day, 0))
        if day > held:
            held, total = day, 0
        if day == held:
            total += pnl_e8
        self._today[bot] = (held, total)

    # --- what it shows -----------------------------------------------------------------------

    def today_e8(self) -> dict[str, int]:
        """Return each bot's net PnL of the trades closed on the newest UTC day it has reached."""
        return {bot: pnl_e8 for bot, (_, pnl_e8) in self._today.items()}

    def day(self, bot: str) -> int | None:
        """Return the newest UTC day (days since 1970) that a bot has reached, None before its first mark."""
        return self._today[bot][0] if bot in self._today else None

    def totals(self) -> TradeTotals:
        return self._sums.view()

    def parts(self) -> dict[str, Any]:
        """Return the journal's parts of a snapshot."""
        return {
            "equity": [
                {
                    "bot": bot,
                    "quote": self.grids.quote_of_bot(bot),
                    "initial_balance": to_float(self.grids.initial_e8(bot)),
                    "points": self._curves.get(bot, []),
                }
                for bot in self.grids.bots
            ],
            "trades": list(self._trades),
            "trade_totals": self._sums.view().model_dump(),
            "decisions": list(self._decisions),
            "instruments": [view.model_dump() for view in self.grids.views()],
        }


def _point(at_ms: int, balance_e8: int, equity_e8: int) -> dict[str, Any]:
    point = EquityPoint(at=iso(at_ms), balance=to_float(balance_e8), equity=to_float(equity_e8))
    return point.model_dump()
