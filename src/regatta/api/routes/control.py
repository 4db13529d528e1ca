"""Start, stop, pause, kill, close, speed: everything that changes something."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from regatta.api.actions import Actions
from regatta.api.idempotency import MAX_KEY, Idempotency
from regatta.api.routes.answers import PROBLEMS, Bot, Engine, answer
from regatta.api.schemas import ActionResult, ClosePosition, SetSpeed

router = APIRouter(prefix="/api", tags=["Control"], responses=PROBLEMS)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description=f"Up to {MAX_KEY} printable characters: the same request with the same key is carried out once.",
    ),
]
ClosePositions = Annotated[bool, Query(description="Close the open positions at market, too.")]


async def _once(request: Request, key: str | None, what: str, act: Callable[[], Awaitable[ActionResult]]) -> Response:
    """Carry a request out, once for each key."""
    if key is None:
        return answer(await act())
    kept: Idempotency = request.app.state.idempotency
    earlier = kept.begin(key, f"{request.url.path} {what}")
    if earlier is not None:
        return answer(earlier)
    try:
        result = await act()
    except BaseException:
        kept.abandon(key)
        raise
    kept.finish(key, result)
    return answer(result)


@router.post("/start", response_model=ActionResult)
async def start(request: Request, engine: Engine, bot: Bot, key: Key = None) -> Response:
    """Start one bot or all: entries allowed."""
    return await _once(request, key, f"{bot}", lambda: Actions(engine).start(bot))


@router.post("/pause", response_model=ActionResult)
async def pause(request: Request, engine: Engine, bot: Bot, key: Key = None) -> Response:
    """Pause one bot or all: no new entries; exits go on."""
    return await _once(request, key, f"{bot}", lambda: Actions(engine).pause(bot))


@router.post("/resume", response_model=ActionResult)
async def resume(request: Request, engine: Engine, bot: Bot, key: Key = None) -> Response:
    """Allow entries of one bot or all again."""
    return await _once(request, key, f"{bot}", lambda: Actions(engine).resume(bot))


@router.post("/stop", response_model=ActionResult)
async def stop(
    request: Request, engine: Engine, bot: Bot, close_positions: ClosePositions = False, key: Key = None
) -> Response:
    """Stop one bot or all: no new entries; open positions stay protected unless they are closed."""
    return await _once(request, key, f"{bot} {close_positions}", lambda: Actions(engine).stop(bot, close_positions))


@router.post("/kill", response_model=ActionResult)
async def kill(request: Request, engine: Engine, close_positions: ClosePositions = False, key: Key = None) -> Response:
    """Kill switch: halt all bots, cancel all entry orders, optionally close all positions."""
    return await _once(request, key, f"{close_positions}", lambda: Actions(engine).kill(close_positions))


@router.post("/close_position", response_model=ActionResult)
async def close_position(request: Request, engine: Engine, body: ClosePosition, key: Key = None) -> Response:
    """Close the open position of a symbol at market, whichever side it has."""
    what = body.model_dump_json()
    return await _once(request, key, what, lambda: Actions(engine).close(symbol=body.symbol, bot=body.bot))


@router.post("/speed", response_model=ActionResult)
async def speed(request: Request, engine: Engine, body: SetSpeed, key: Key = None) -> Response:
    """Set the speed of the virtual market."""
    return await _once(request, key, body.model_dump_json(), lambda: Actions(engine).set_speed(body.speed))
