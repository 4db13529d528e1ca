"""What runs and how it is: status, bots, live positions, checks, the whole state at once."""

import hashlib
from collections.abc import Sequence
from typing import Annotated

import orjson
import psutil
from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from regatta import __version__
from regatta.api.backend import symbol_of
from regatta.api.guard import session_view, signed_in
from regatta.api.problems import bad_input
from regatta.api.routes.answers import PROBLEMS, Bot, Engine, Symbol, answer
from regatta.api.schemas import (
    BotView,
    Health,
    Instruments,
    LivePositions,
    SessionView,
    SnapshotData,
    StatusView,
    SymbolChecksView,
    SystemStatusView,
)
from regatta.api.times import iso
from regatta.api.views import feed_view, live_position_view, status_view, symbol_checks_view

health = APIRouter(tags=["Health"])
router = APIRouter(prefix="/api", tags=["Status"], responses=PROBLEMS)
_process = psutil.Process()


@health.get("/health", response_model=Health, responses={503: {"model": Health}})
async def get_health(request: Request) -> Response:
    """Tell whether the engine is up; no details."""
    up = request.app.state.backend is not None
    health_now = Health(status="ok" if up else "starting", version=__version__)
    return Response(health_now.model_dump_json(), 200 if up else 503, media_type="application/json")


@router.get("/session", response_model=SessionView)
async def get_session(request: Request) -> Response:
    """Tell who is asking, and what may be asked. Needs no session."""
    return answer(session_view(request.app.state.options, signed_in(request.scope)))


@router.post("/signout", response_model=SessionView)
async def sign_out(request: Request) -> Response:
    """End the session of this browser, and its realtime connections."""
    options = request.app.state.options
    session = request.scope.get("regatta.session")
    options.sessions.close(session)
    backend = request.app.state.backend
    for client in backend.hub.clients if backend is not None else ():
        if client.session == session:
            client.ended.set()
    response = answer(session_view(options, False))
    response.delete_cookie(options.cookie, path="/", httponly=True, samesite="strict")
    return response


@router.get("/status", response_model=StatusView)
async def get_status(engine: Engine) -> Response:
    """Bots, feeds, totals, errors."""
    return answer(status_view(engine.control.status(), engine.board.today_e8()))


@router.get("/bots", response_model=list[BotView])
async def get_bots(engine: Engine) -> Response:
    """Every bot as it is now."""
    view = status_view(engine.control.status(), engine.board.today_e8())
    return Response(orjson.dumps([bot.model_dump() for bot in view.bots]), media_type="application/json")


@router.get("/system_status", response_model=SystemStatusView)
async def get_system_status(engine: Engine) -> Response:
    """The process: CPU, memory, event-loop lag, journal, feeds."""
    status = engine.control.status()
    return answer(
        SystemStatusView(
            version=status.version,
            uptime_s=(status.now_ms - status.started_ms) / 1000,
            cpu_pct=_process.cpu_percent(),
            memory_mb=_process.memory_info().rss / 1e6,
            loop_lag_ms=status.loop_lag_ms,
            journal_seq=status.journal_seq,
            journal_mb=status.journal_bytes / 1e6,
            clients=len(engine.hub.clients),
            feeds=[feed_view(feed) for feed in status.feeds],
        )
    )


@router.get("/data", response_model=SnapshotData, responses={304: {"description": "Unchanged"}})
async def get_data(request: Request, engine: Engine, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The whole state of the dashboard in one document, with an ETag."""
    whole = engine.hub.whole()
    whole["session"] = session_view(request.app.state.options, signed_in(request.scope)).model_dump()
    # That time has passed is no change.
    timeless = {**whole, "status": {**whole["status"], "now": "", "uptime_s": 0.0}}
    etag = f'"{hashlib.blake2b(orjson.dumps(timeless), digest_size=12).hexdigest()}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"etag": etag})
    return Response(orjson.dumps(whole), media_type="application/json", headers={"etag": etag})


@router.get("/positions/live", response_model=LivePositions)
async def get_live_positions(engine: Engine, bot: Bot, symbol: Symbol) -> Response:
    """Open positions with live prices and unrealised PnL."""
    engine.known_bot(bot)
    chosen = [
        live_position_view(position)
        for position in engine.control.positions()
        if bot in (None, position.bot) and symbol in (None, position.symbol)
    ]
    return answer(LivePositions(positions=chosen, now=iso(engine.control.status().now_ms)))


@router.get("/debug/{symbol}", response_model=SymbolChecksView)
async def get_checks(engine: Engine, symbol: str, bot: Bot) -> Response:
    """Every check of a bot's strategy on a symbol, as of its last closed candle."""
    unified = symbol_of(symbol)
    assert unified is not None
    watching: Sequence[str] = [one.name for one in engine.control.status().bots if unified in one.symbols]
    if bot is None:
        if not watching:
            raise bad_input(f"symbol: no bot watches {unified}")
        if len(watching) > 1:
            raise bad_input(f"bot: several bots watch {unified}; name one of {', '.join(watching)}")
        bot = watching[0]
    checks = engine.control.checks(bot, unified)
    price = engine.control.prices().get(unified)
    return answer(symbol_checks_view(checks, price[0] if price else None))


@router.get("/instruments", response_model=Instruments)
async def get_instruments(engine: Engine) -> Response:
    """Grids and display precision of the instruments that bots trade."""
    return answer(Instruments(instruments=engine.board.grids.views()))
