"""What the endpoints share: parameters, and how an answer becomes JSON."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from regatta.api.backend import Backend, backend_of, symbol_of
from regatta.api.schemas import Problem

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in (
        (400, "The request is wrong: what, where, what is allowed"),
        (401, "Sign-in needed"),
        (422, "A field is wrong"),
        (503, "The engine is still starting"),
    )
}
"""Problem documents that the OpenAPI document names for every endpoint."""


def answer(model: BaseModel) -> Response:
    """Return a model as JSON. The declared model describes it; it is not validated twice."""
    return Response(model.model_dump_json(), media_type="application/json")


def one_bot(
    bot: Annotated[str | None, Query(description="Name of a bot; all without it.", max_length=64)] = None,
    bot_version: Annotated[str | None, Query(description="Alias of bot.", max_length=64, deprecated=True)] = None,
) -> str | None:
    """Return which bot is asked for; None: all."""
    return bot if bot is not None else bot_version


def one_symbol(
    symbol: Annotated[str | None, Query(description="BTC/USDT:USDT or BTC-USDT-USDT.", max_length=64)] = None,
) -> str | None:
    """Return the unified symbol that is asked for; None: all."""
    return symbol_of(symbol)


def _backend(request: Request) -> Backend:
    return backend_of(request)


Bot = Annotated[str | None, Depends(one_bot)]
Symbol = Annotated[str | None, Depends(one_symbol)]
Engine = Annotated[Backend, Depends(_backend)]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows of the page.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Rows before the page.")]
