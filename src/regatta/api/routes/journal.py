"""What the journal holds: trades, positions, orders, decisions, why, curves, statistics."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from regatta.api.backend import Backend
from regatta.api.history import TradeFilter, hold_reason_views
from regatta.api.problems import bad_input
from regatta.api.routes.answers import PROBLEMS, Bot, Engine, Limit, Offset, Symbol, answer
from regatta.api.schemas import (
    Action,
    Decisions,
    Equity,
    Orders,
    PnlHistory,
    Positions,
    PositionSide,
    Stats,
    TradeResult,
    Trades,
    TradeStory,
    Why,
    WhyBot,
)
from regatta.api.times import when_ms
from regatta.domain.order import Side
from regatta.domain.timeframe import DAY_MS

router = APIRouter(prefix="/api", tags=["Journal"], responses=PROBLEMS)

SORTS = {
    "closed_at": "closed",
    "opened_at": "opened",
    "pnl": "pnl",
    "pnl_pct": "pnl_pct",
    "duration": "duration",
    "symbol": "symbol",
    "bot": "bot",
}
"""By what trades can be sorted, and the journal's word for it."""

Since = Annotated[str | None, Query(alias="from", description="ISO 8601 or a date; included.", max_length=40)]
Until = Annotated[
    str | None, Query(alias="to", description="ISO 8601, or a date: its whole day; included.", max_length=40)
]


def _since(since: Since = None) -> int | None:
    return None if since is None else when_ms(since, "from")


def _until(until: Until = None) -> int | None:
    if until is None:
        return None
    is_date = len(until) == len("2025-05-25")
    return when_ms(until, "to") + (DAY_MS - 1 if is_date else 0)


From = Annotated[int | None, Depends(_since)]
To = Annotated[int | None, Depends(_until)]


def _trade_filter(
    engine: Engine,
    symbol: Symbol,
    from_ms: From,
    to_ms: To,
    bot: Annotated[
        list[str] | None, Query(description="Name of a bot; may be given several times.", max_length=50)
    ] = None,
    bot_version: Annotated[list[str] | None, Query(description="Alias of bot.", deprecated=True, max_length=50)] = None,
    side: Annotated[PositionSide | None, Query()] = None,
    result: Annotated[TradeResult | None, Query()] = None,
    reason: Annotated[str | None, Query(description="Reason of the exit.", max_length=64)] = None,
    sort: Annotated[
        str, Query(description=f"{', '.join(SORTS)}; with - before it: descending.", max_length=20)
    ] = "-closed_at",
) -> TradeFilter:
    bots = [*(bot or ()), *(bot_version or ())]
    for name in bots:
        engine.known_bot(name)
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise bad_input(f"sort: {sort!r} is not known; allowed: {', '.join(SORTS)}, each with - before it, too")
    return TradeFilter(
        bots=bots,
        symbol=symbol,
        side=None if side is None else Side.BUY if side == "long" else Side.SELL,
        result=result,
        reason=reason,
        from_ms=from_ms,
        to_ms=to_ms,
        sort=SORTS[name],
        descending=sort.startswith("-"),
    )


Filter = Annotated[TradeFilter, Depends(_trade_filter)]


# --- Trades ----------------------------------------------------------------------------------


@router.get("/trades", response_model=Trades)
async def get_trades(engine: Engine, chosen: Filter, limit: Limit = 100, offset: Offset = 0) -> Response:
    """Closed trades; the totals are of the whole filter, not of the page."""
    return answer(await asyncio.to_thread(engine.history.trades, chosen, engine.board.grids, limit, offset))


@router.get("/trades.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def get_trades_csv(engine: Engine, chosen: Filter) -> Response:
    """All trades of the filter as CSV."""
    lines: Iterator[str] = engine.history.trades_csv(chosen, engine.board.grids)
    headers = {"content-disposition": 'attachment; filename="trades.csv"'}
    return StreamingResponse(lines, media_type="text/csv", headers=headers)


@router.get("/trades/{trade_id}", response_model=TradeStory)
async def get_trade(engine: Engine, trade_id: str) -> Response:
    """One trade with its signals, orders and fills."""
    return answer(await asyncio.to_thread(engine.history.story, trade_id, engine.board.grids))


@router.get("/stats", response_model=Stats)
async def get_stats(engine: Engine, bot: Bot) -> Response:
    """Statistics of one bot or of each."""
    names = _bots(engine, bot)
    grids = engine.board.grids
    return answer(Stats(bots=[await asyncio.to_thread(engine.history.stats, name, grids) for name in names]))


# --- Curves ----------------------------------------------------------------------------------


@router.get("/equity", response_model=Equity)
async def get_equity(engine: Engine, bot: Bot, max_points: Annotated[int, Query(ge=2, le=10_000)] = 1_000) -> Response:
    """Balance and equity of one bot or of each, thinned to max_points."""
    names = _bots(engine, bot)
    return answer(await asyncio.to_thread(engine.history.equity, names, max_points, engine.board.grids))


@router.get("/pnl-history", response_model=PnlHistory)
async def get_pnl_history(engine: Engine, bot: Bot, days: Annotated[int, Query(ge=1, le=3_650)] = 30) -> Response:
    """Net PnL by UTC day, up to the newest day that each bot has reached."""
    grids = engine.board.grids
    histories = []
    for name in _bots(engine, bot):
        last = engine.board.day(name)
        if last is not None:
            histories.append(await asyncio.to_thread(engine.history.pnl_days, name, last, days, grids))
    return answer(PnlHistory(bots=histories))


# --- Positions, orders -----------------------------------------------------------------------


@router.get("/positions", response_model=Positions)
async def get_positions(engine: Engine, bot: Bot, symbol: Symbol) -> Response:
    """Open positions as the journal holds them, exact."""
    engine.known_bot(bot)
    return answer(await asyncio.to_thread(engine.history.positions, bot, symbol, engine.board.grids))


@router.get("/orders", response_model=Orders)
async def get_orders(
    engine: Engine,
    bot: Bot,
    symbol: Symbol,
    status: Annotated[Literal["intended", "working", "filled", "canceled", "refused"] | None, Query()] = None,
    position_id: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Orders with what became of them, newest first."""
    engine.known_bot(bot)
    orders = await asyncio.to_thread(
        engine.history.orders,
        bot=bot,
        symbol=symbol,
        status=status,
        position_id=position_id,
        limit=limit,
        offset=offset,
        grids=engine.board.grids,
    )
    return answer(orders)


# --- Decisions, why --------------------------------------------------------------------------


@router.get("/signals", response_model=Decisions)
@router.get("/decisions", response_model=Decisions)
async def get_decisions(
    engine: Engine,
    bot: Bot,
    symbol: Symbol,
    from_ms: From,
    to_ms: To,
    action: Annotated[Action | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Signals with their checks, and what the bot did about each, newest first."""
    engine.known_bot(bot)
    decisions = await asyncio.to_thread(
        engine.history.decisions,
        bot=bot,
        symbol=symbol,
        action=action,
        from_ms=from_ms,
        to_ms=to_ms,
        limit=limit,
        offset=offset,
        grids=engine.board.grids,
    )
    return answer(decisions)


@router.get("/why", response_model=Why)
async def get_why(engine: Engine, bot: Bot, symbol: Symbol, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> Response:
    """Why bots do not trade: holds by first failing check, and the last decisions."""
    return answer(Why(bots=[await _why(engine, name, symbol, limit) for name in _bots(engine, bot)]))


async def _why(engine: Backend, bot: str, symbol: str | None, limit: int) -> WhyBot:
    history, grids = engine.history, engine.board.grids
    running = next((one for one in engine.control.status().bots if one.name == bot), None)
    if running is not None and symbol is None:
        # The engine's own count is ahead of the journal's, which is written with the next commit.
        counts = dict(running.holds)
    else:
        counts = await asyncio.to_thread(history.hold_reasons, bot, symbol)
    held_back = await asyncio.to_thread(
        history.decisions, bot=bot, symbol=symbol, action="held_back", limit=limit, grids=grids
    )
    last = await asyncio.to_thread(history.decisions, bot=bot, symbol=symbol, limit=limit, grids=grids)
    return WhyBot(
        bot=bot,
        holds=sum(counts.values()),
        reasons=hold_reason_views(counts),
        held_back=held_back.decisions,
        last=last.decisions,
    )


def _bots(engine: Backend, bot: str | None) -> list[str]:
    """Return the one bot that was asked for, or all that run now or ever ran."""
    if bot is not None:
        engine.known_bot(bot)
        return [bot]
    return list(dict.fromkeys((*engine.bot_names(), *engine.board.grids.bots)))
