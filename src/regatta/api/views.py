"""What a running engine tells, as the API says it: display answers, money and prices as numbers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from regatta.api.schemas import (
    BotState,
    BotView,
    CheckView,
    FeedView,
    LivePositionView,
    Mode,
    OutputChecks,
    PositionSide,
    PriceView,
    SpeedView,
    StatusView,
    SymbolChecksView,
    Totals,
)
from regatta.api.times import iso
from regatta.domain.money import to_float
from regatta.domain.signal import Check
from regatta.engine.control import BotStatus, EngineStatus, FeedStatus, LivePosition, SymbolChecks
from regatta.engine.engine import SPEEDS

MODE_LABELS = {"backtest": "Backtest", "virtual": "Virtual", "paper": "Real (Paper)", "live": "Real (Live)"}


def percent(part: float, whole: float) -> float:
    """Return part of whole in percent; 0 when there is no whole."""
    return 100.0 * part / whole if whole else 0.0


def win_rate(wins: int, trades: int) -> float | None:
    return 100.0 * wins / trades if trades else None


def bot_view(bot: BotStatus, today_e8: int) -> BotView:
    """Return a bot for display. today_e8: net PnL of the trades it closed today."""
    pnl_e8 = bot.equity_e8 - bot.initial_balance_e8
    return BotView(
        name=bot.name,
        mode=cast(Mode, bot.mode),
        mode_label=MODE_LABELS[bot.mode],
        state=cast(BotState, bot.state),
        venue=bot.venue,
        strategy=bot.strategy,
        timeframe=bot.timeframe,
        quote=bot.quote,
        symbols=list(bot.symbols),
        parameters=cast(dict[str, Any], bot.parameters),
        initial_balance=to_float(bot.initial_balance_e8),
        balance=to_float(bot.balance_e8),
        equity=to_float(bot.equity_e8),
        unrealised=to_float(bot.unrealised_e8),
        pnl=to_float(pnl_e8),
        pnl_pct=percent(pnl_e8, bot.initial_balance_e8),
        pnl_today=to_float(today_e8),
        open_positions=bot.open_positions,
        max_positions=bot.max_positions,
        trades=bot.trades,
        wins=bot.wins,
        losses=bot.losses,
        win_rate_pct=win_rate(bot.wins, bot.trades),
        signals=bot.signals,
        holds=dict(sorted(bot.holds.items(), key=lambda item: (-item[1], item[0]))),
        last_error=bot.last_error,
    )


def totals_view(bots: Sequence[BotStatus], today_e8: Mapping[str, int]) -> Totals:
    """Return all bots together; money only where they share one quote currency."""
    quotes = {bot.quote for bot in bots}
    quote = quotes.pop() if len(quotes) == 1 else None
    summed = bots if quote is not None else ()
    initial = sum(bot.initial_balance_e8 for bot in summed)
    equity = sum(bot.equity_e8 for bot in summed)
    trades = sum(bot.trades for bot in bots)
    wins = sum(bot.wins for bot in bots)
    return Totals(
        quote=quote,
        initial_balance=to_float(initial),
        balance=to_float(sum(bot.balance_e8 for bot in summed)),
        equity=to_float(equity),
        unrealised=to_float(sum(bot.unrealised_e8 for bot in summed)),
        pnl=to_float(equity - initial),
        pnl_pct=percent(equity - initial, initial),
        pnl_today=to_float(sum(today_e8.get(bot.name, 0) for bot in summed)),
        open_positions=sum(bot.open_positions for bot in bots),
        max_positions=sum(bot.max_positions for bot in bots),
        trades=trades,
        wins=wins,
        losses=sum(bot.losses for bot in bots),
        win_rate_pct=win_rate(wins, trades),
        signals=sum(bot.signals for bot in bots),
        monitored_pairs=len({(bot.venue, symbol) for bot in bots for symbol in bot.symbols}),
    )


def feed_view(feed: FeedStatus) -> FeedView:
    return FeedView(
        name=feed.name,
        kind=feed.kind,
        state=feed.state,
        symbols=feed.symbols,
        market_time=iso(feed.market_time_ms),
        speed=feed.speed,
        last_event_age_ms=feed.last_event_age_ms,
    )


def speed_view(feeds: Iterable[FeedStatus]) -> SpeedView:
    """Return the speed of the virtual market: of the first feed that has one."""
    speed = next((feed.speed for feed in feeds if feed.speed is not None), None)
    return SpeedView(speed=speed, allowed=list(SPEEDS) if speed is not None else [])


def is_running(status: EngineStatus) -> bool:
    return any(bot.state == "running" for bot in status.bots)


def status_view(status: EngineStatus, today_e8: Mapping[str, int]) -> StatusView:
    return StatusView(
        is_running=is_running(status),
        version=status.version,
        started_at=iso(status.started_ms),
        now=iso(status.now_ms),
        uptime_s=(status.now_ms - status.started_ms) / 1000,
        bots=[bot_view(bot, today_e8.get(bot.name, 0)) for bot in status.bots],
        totals=totals_view(status.bots, today_e8),
        feeds=[feed_view(feed) for feed in status.feeds],
        speed=speed_view(status.feeds),
        errors=list(status.errors),
    )


def live_position_view(position: LivePosition) -> LivePositionView:
    return LivePositionView(
        position_id=position.position_id,
        bot=position.bot,
        mode=cast(Mode, position.mode),
        mode_label=MODE_LABELS[position.mode],
        symbol=position.symbol,
        side=cast(PositionSide, position.side),
        quantity=position.quantity,
        entry_price=position.entry_price,
        price=position.price,
        stop_price=position.stop_price,
        target_price=position.target_price,
        notional=position.notional,
        unrealised=position.unrealised,
        unrealised_pct=position.unrealised_pct,
        fees=position.fees,
        opened_at=iso(position.opened_ms),
        price_at=iso(position.price_at_ms),
    )


def price_views(prices: Mapping[str, tuple[float, int]]) -> list[PriceView]:
    return [PriceView(symbol=symbol, price=price, at=iso(at_ms)) for symbol, (price, at_ms) in sorted(prices.items())]


def check_view(check: Check) -> CheckView:
    return CheckView(
        name=check.name,
        value=check.value,
        threshold=check.threshold,
        relation=check.relation,
        passed=check.passed,
    )


def symbol_checks_view(checks: SymbolChecks, price: float | None) -> SymbolChecksView:
    return SymbolChecksView(
        bot=checks.bot,
        symbol=checks.symbol,
        close_at=iso(checks.close_ms) if checks.close_ms else None,
        price=price,
        ready=checks.ready,
        outputs=[
            OutputChecks(
                output=output,
                passed=bool(found) and all(check.passed is True for check in found),
                checks=[check_view(check) for check in found],
            )
            for output, found in checks.outputs.items()
        ],
    )
