"""What the journal's tables hold, as the API says it. Every method blocks: call it in a thread."""

import csv
import io
from collections.abc import Iterator, Sequence

import msgspec

from regatta.api.board import CURVE_POINTS, LAST, Board
from regatta.api.grids import Grids
from regatta.api.problems import not_found
from regatta.api.records import decision_view, fill_view, order_view, position_view, stats_view, trade_view
from regatta.api.schemas import (
    BotStats,
    Decisions,
    DecisionView,
    Equity,
    EquityCurve,
    EquityPoint,
    HoldReason,
    Orders,
    PnlDay,
    PnlHistoryBot,
    Positions,
    Trades,
    TradeStory,
    TradeTotals,
    TradeView,
)
from regatta.api.sums import TradeSums
from regatta.api.times import day_of, iso
from regatta.api.views import percent
from regatta.domain.money import to_float
from regatta.domain.order import Side
from regatta.domain.position import Trade
from regatta.domain.timeframe import DAY_MS
from regatta.journal import Reader
from regatta.journal.queries import Result, TradeRow
from regatta.journal.queries import TradeTotals as Sums
from regatta.journal.statistics import statistics

PAGE = 5_000
MAX_MARKS = 1_000_000
"""Marks of equity that statistics are made of: more are thinned. At one in 15 minutes these are 28 years."""


class TradeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which trades, and in which order. from_ms, to_ms: of the close, both included."""

    bots: Sequence[str] = ()
    symbol: str | None = None
    side: Side | None = None
    result: Result | None = None
    reason: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    sort: str = "closed"
    descending: bool = True


class History:
    """Queries on the journal's tables."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    # --- the board ---------------------------------------------------------------------------

    def board(self) -> Board:
        """Return a board filled with what the journal holds now."""
        grids = Grids()
        for row in self._reader.bots():
            grids.register(
                row.bot, mode=row.mode, venue=row.venue, initial_e8=row.initial_balance_e8, settings=row.settings
            )
        board = Board(grids)
        rows, totals = self._reader.trade_page(limit=LAST)
        board.fill_trades(_sums(totals), [(row.seq, row.trade) for row in rows])
        board.fill_decisions([(row.seq, row.decision) for row in self._reader.decisions(limit=LAST)])
        for bot in grids.bots:
            points = self._reader.equity(bot, max_points=CURVE_POINTS)
            last_seq = points[-1].seq if points else 0
            board.fill_curve(bot, [(p.at_ms, p.balance_e8, p.equity_e8) for p in points], last_seq)
            if points:
                day = points[-1].at_ms // DAY_MS
                today = sum(row.pnl_e8 for row in self._reader.pnl_by_day(bot, from_ms=day * DAY_MS))
                board.fill_today(bot, day, today)
        return board

    # --- trades ------------------------------------------------------------------------------

    def trades(self, chosen: TradeFilter, grids: Grids, limit: int, offset: int) -> Trades:
        """Return a page of trades, and the totals of the whole filter."""
        rows, totals = self._page(chosen, limit, offset)
        return Trades(
            trades=[trade_view(row.seq, row.trade, grids) for row in rows],
            totals=_totals_view(totals),
            limit=limit,
            offset=offset,
        )

    def trades_csv(self, chosen: TradeFilter, grids: Grids) -> Iterator[str]:
        """Yield the filter's trades as CSV, page by page, each trade once."""
        names = list(TradeView.model_fields)
        yield _line(names)
        seen: set[int] = set()
        offset = 0
        while True:
            rows, _ = self._page(chosen, PAGE, offset)
            # Trades that close meanwhile push the rows on by as many: what comes again is skipped.
            fresh = [row for row in rows if row.seq not in seen]
            seen.update(row.seq for row in fresh)
            if fresh:
                views = [trade_view(row.seq, row.trade, grids).model_dump() for row in fresh]
                yield "".join(_line([view[name] for name in names]) for view in views)
            if len(rows) < PAGE:
                return
            offset += PAGE

    def story(self, trade_id: str, grids: Grids) -> TradeStory:
        """Return everything about one trade."""
        rows = self._reader.trades(trade_id=trade_id, limit=1)
        if not rows:
            raise not_found(f"there is no trade {trade_id[:64]!r}")
        trade = rows[0].trade
        orders = self._reader.orders(bot=trade.bot, position_id=trade_id, limit=1_000)
        fills = self._reader.fills(bot=trade.bot, position_id=trade_id, limit=1_000)
        sent = {role: [o.client_id for o in orders if o.role == role] for role in ("entry", "exit")}
        return TradeStory(
            trade=trade_view(rows[0].seq, trade, grids),
            entry=self._decision_of(sent["entry"], grids),
            exit=self._decision_of(sent["exit"], grids),
            orders=[order_view(order, grids) for order in reversed(orders)],
            fills=[fill_view(row.seq, row.fill, grids) for row in reversed(fills)],
        )

    def _decision_of(self, client_ids: Sequence[str], grids: Grids) -> DecisionView | None:
        for client_id in client_ids:
            rows = self._reader.decisions(client_id=client_id, limit=1)
            if rows:
                return decision_view(rows[0].seq, rows[0].decision, grids)
        return None

    # --- orders, positions, decisions --------------------------------------------------------

    def positions(self, bot: str | None, symbol: str | None, grids: Grids) -> Positions:
        rows = self._reader.positions(bot=bot)
        return Positions(
            positions=[position_view(row.position, grids) for row in rows if symbol in (None, row.position.symbol)]
        )

    def orders(
        self,
        *,
        bot: str | None,
        symbol: str | None,
        status: str | None,
        position_id: str | None,
        limit: int,
        offset: int,
        grids: Grids,
    ) -> Orders:
        rows = self._reader.orders(
            bot=bot, symbol=symbol, status=status, position_id=position_id, limit=limit, offset=offset
        )
        return Orders(orders=[order_view(row, grids) for row in rows], limit=limit, offset=offset)

    def decisions(
        self,
        *,
        bot: str | None,
        symbol: str | None,
        action: str | None = None,
        from_ms: int | None = None,
        to_ms: int | None = None,
        limit: int,
        offset: int = 0,
        grids: Grids,
    ) -> Decisions:
        """Return decisions with signals and checks, newest first; from_ms and to_ms are included."""
        rows = self._reader.decisions(
            bot=bot,
            symbol=symbol,
            action=action,
            from_ms=from_ms,
            to_ms=None if to_ms is None else to_ms + 1,
            limit=limit,
            offset=offset,
        )
        return Decisions(
            decisions=[decision_view(row.seq, row.decision, grids) for row in rows], limit=limit, offset=offset
        )

    def hold_reasons(self, bot: str, symbol: str | None) -> dict[str, int]:
        """Return how often a bot held, by reason."""
        return {row.reason: row.count for row in self._reader.hold_totals(bot=bot, symbol=symbol)}

    # --- curves ------------------------------------------------------------------------------

    def equity(self, bots: Sequence[str], max_points: int, grids: Grids) -> Equity:
        return Equity(
            curves=[
                EquityCurve(
                    bot=bot,
                    quote=grids.quote_of_bot(bot),
                    initial_balance=to_float(grids.initial_e8(bot)),
                    points=[
                        EquityPoint(at=iso(p.at_ms), balance=to_float(p.balance_e8), equity=to_float(p.equity_e8))
                        for p in self._reader.equity(bot, max_points=max_points)
                    ],
                )
                for bot in bots
            ]
        )

    def pnl_days(self, bot: str, last_day: int, days: int, grids: Grids) -> PnlHistoryBot:
        """Return the PnL of the `days` UTC days that end with last_day (days since 1970)."""
        first = last_day - days + 1
        found = {row.day_ms // DAY_MS: row for row in self._reader.pnl_by_day(bot, from_ms=first * DAY_MS)}
        total = 0
        views: list[PnlDay] = []
        for day in range(first, last_day + 1):
            row = found.get(day)
            pnl_e8, trades = (row.pnl_e8, row.trades) if row else (0, 0)
            total += pnl_e8
            views.append(
                PnlDay(day=day_of(day * DAY_MS), trades=trades, pnl=to_float(pnl_e8), pnl_total=to_float(total))
            )
        return PnlHistoryBot(bot=bot, quote=grids.quote_of_bot(bot), days=views)

    # --- statistics --------------------------------------------------------------------------

    def stats(self, bot: str, grids: Grids) -> BotStats:
        """Return all figures of one bot, from all of its trades and marks."""
        marks = [(p.at_ms, p.equity_e8) for p in self._reader.equity(bot, max_points=MAX_MARKS)]
        found = statistics(self._all_trades(bot), marks, grids.initial_e8(bot))
        return stats_view(bot, grids.quote_of_bot(bot), found)

    def _all_trades(self, bot: str) -> list[Trade]:
        trades: list[Trade] = []
        while True:
            # Oldest first: what closes meanwhile comes last and moves nothing.
            rows = self._reader.trades(bot=bot, descending=False, limit=PAGE, offset=len(trades))
            trades.extend(row.trade for row in rows)
            if len(rows) < PAGE:
                return trades

    # --- within ------------------------------------------------------------------------------

    def _page(self, chosen: TradeFilter, limit: int, offset: int) -> tuple[list[TradeRow], Sums]:
        return self._reader.trade_page(
            bot=chosen.bots or None,
            symbol=chosen.symbol,
            side=chosen.side,
            result=chosen.result,
            reason=chosen.reason,
            from_ms=chosen.from_ms,
            to_ms=None if chosen.to_ms is None else chosen.to_ms + 1,
            sort=chosen.sort,
            descending=chosen.descending,
            limit=limit,
            offset=offset,
        )


def hold_reason_views(counts: dict[str, int]) -> list[HoldReason]:
    """Return counts by reason, most frequent first."""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [HoldReason(reason=reason, count=n, share_pct=percent(n, total)) for reason, n in ordered]


def _sums(totals: Sums) -> TradeSums:
    sums = TradeSums()
    sums.trades, sums.wins, sums.losses = totals.trades, totals.wins, totals.losses
    sums.pnl_e8, sums.fees_e8, sums.funding_e8 = totals.pnl_e8, totals.fees_e8, totals.funding_e8
    sums.best_e8, sums.worst_e8 = totals.best_e8, totals.worst_e8
    return sums


def _totals_view(totals: Sums) -> TradeTotals:
    return _sums(totals).view()


def _line(values: Sequence[object]) -> str:
    """Return one line of CSV. Text that a spreadsheet would take for a formula is quoted with '."""
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(value) for value in values])
    return out.getvalue()


def _harmless(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r"):
        return f"'{value}"
    return value
