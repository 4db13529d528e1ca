"""Records of the journal as the API says them: exact decimals as text."""

from typing import cast

from regatta.api.grids import Grids
from regatta.api.schemas import BotStats, DecisionView, FillView, Mode, OrderView, PositionView, TradeResult, TradeView
from regatta.api.times import iso
from regatta.api.views import MODE_LABELS, check_view, percent
from regatta.domain.money import to_decimal
from regatta.domain.order import Fill, Side
from regatta.domain.position import Position, Trade
from regatta.domain.signal import Decision
from regatta.journal.queries import OrderRow
from regatta.journal.statistics import Statistics


def amount(amount_e8: int) -> str:
    """Return an amount of quote currency as an exact decimal string with eight places."""
    return format(to_decimal(amount_e8), "f")


def result_of(pnl_e8: int) -> TradeResult:
    return "win" if pnl_e8 > 0 else "loss" if pnl_e8 < 0 else "even"


def trade_view(seq: int, trade: Trade, grids: Grids) -> TradeView:
    mode = grids.mode(trade.bot)
    return TradeView(
        seq=seq,
        trade_id=trade.trade_id,
        bot=trade.bot,
        mode=cast(Mode, mode),
        mode_label=MODE_LABELS[mode],
        symbol=trade.symbol,
        quote=grids.quote(trade.bot, trade.symbol),
        side="long" if trade.side is Side.BUY else "short",
        result=result_of(trade.pnl_e8),
        quantity=grids.quantity(trade.bot, trade.symbol, trade.lots),
        entry_price=grids.price(trade.bot, trade.symbol, trade.entry_ticks),
        exit_price=grids.price(trade.bot, trade.symbol, trade.exit_ticks),
        opened_at=iso(trade.opened_ms),
        closed_at=iso(trade.closed_ms),
        duration_s=(trade.closed_ms - trade.opened_ms) / 1000,
        fees=amount(trade.fees_e8),
        funding=amount(trade.funding_e8),
        pnl=amount(trade.pnl_e8),
        pnl_pct=percent(trade.pnl_e8, trade.entry_cost_e8),
        reason=trade.reason,
        balance_after=amount(trade.balance_after_e8),
    )


def fill_view(seq: int, fill: Fill, grids: Grids) -> FillView:
    return FillView(
        seq=seq,
        fill_id=fill.fill_id,
        client_id=fill.client_id,
        bot=fill.bot,
        mode=cast(Mode, grids.mode(fill.bot)),
        symbol=fill.symbol,
        side=fill.side.value,
        quantity=grids.quantity(fill.bot, fill.symbol, fill.lots),
        price=grids.price(fill.bot, fill.symbol, fill.price_ticks),
        fee=amount(fill.fee_e8),
        liquidity=fill.liquidity,
        at=iso(fill.at_ms),
    )


def decision_view(seq: int, decision: Decision, grids: Grids) -> DecisionView:
    signal = decision.signal
    return DecisionView(
        seq=seq,
        at=iso(signal.close_ms),
        bot=signal.bot,
        mode=cast(Mode, grids.mode(signal.bot)),
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        direction=signal.direction,
        score=signal.score,
        price=signal.price,
        checks=[check_view(check) for check in signal.checks],
        action=decision.action,
        reason=decision.reason,
        detail=decision.detail,
        client_id=decision.client_id,
    )


def position_view(position: Position, grids: Grids) -> PositionView:
    bot, symbol = position.bot, position.symbol
    stop, target = position.stop_ticks, position.target_ticks
    return PositionView(
        position_id=position.position_id,
        bot=bot,
        mode=cast(Mode, grids.mode(bot)),
        symbol=symbol,
        side="long" if position.side is Side.BUY else "short",
        quantity=grids.quantity(bot, symbol, position.lots),
        entry_price=grids.price(bot, symbol, position.entry_ticks),
        cost=amount(position.cost_e8),
        fees=amount(position.fees_e8),
        funding=amount(position.funding_e8),
        realised=amount(position.realised_e8),
        stop_price=None if stop is None else grids.price(bot, symbol, stop),
        target_price=None if target is None else grids.price(bot, symbol, target),
        opened_at=iso(position.opened_ms),
    )


def order_view(row: OrderRow, grids: Grids) -> OrderView:
    """Return an order with what became of it. The row's price is that of its level, where it has one."""
    return OrderView.model_validate(
        {
            "client_id": row.client_id,
            "position_id": row.position_id,
            "bot": row.bot,
            "mode": grids.mode(row.bot),
            "symbol": row.symbol,
            "side": row.side.value,
            "kind": row.kind,
            "role": row.role,
            "status": row.status,
            "reason": row.refusal or row.reason,
            "quantity": row.quantity,
            "filled_quantity": grids.quantity(row.bot, row.symbol, row.filled_lots),
            "average_price": None
            if row.average_ticks is None
            else grids.price(row.bot, row.symbol, round(row.average_ticks)),
            "limit_price": row.price if row.kind == "limit" else None,
            "trigger_price": row.price if row.kind == "stop" else None,
            "intended_at": iso(row.intended_ms),
            "updated_at": iso(row.updated_ms),
        }
    )


def stats_view(bot: str, quote: str, found: Statistics) -> BotStats:
    """Return statistics in the API's units: percent, seconds, amounts."""
    fall = found.drawdown
    return BotStats(
        bot=bot,
        quote=quote,
        trades=found.trades,
        wins=found.wins,
        losses=found.losses,
        win_rate_pct=_percent(found.win_rate),
        pnl=amount(found.pnl_e8),
        fees=amount(found.fees_e8),
        funding=amount(found.funding_e8),
        roi_pct=_percent(found.roi),
        profit_factor=found.profit_factor,
        expectancy=None if found.expectancy_e8 is None else found.expectancy_e8 / 1e8,
        best=None if found.best is None else amount(found.best.pnl_e8),
        worst=None if found.worst is None else amount(found.worst.pnl_e8),
        average_holding_s=None if found.average_holding_ms is None else found.average_holding_ms / 1000,
        longest_win_streak=found.longest_win_streak,
        longest_loss_streak=found.longest_loss_streak,
        exposure_pct=_percent(found.exposure),
        max_drawdown_pct=None if fall is None else _percent(fall.depth),
        max_drawdown_s=None if fall is None else fall.length_ms / 1000,
        annual_return_pct=_percent(found.annual_return),
        sharpe=found.sharpe,
        sortino=found.sortino,
        calmar=found.calmar,
        days=found.days,
        reliable=found.reliable,
    )


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100.0 * fraction
