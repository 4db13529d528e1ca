"""The application: one FastAPI app over a running engine and its journal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, WebSocket
from starlette.middleware import Middleware

from regatta import __version__
from regatta.api.backend import Backend
from regatta.api.guard import Guard
from regatta.api.history import History
from regatta.api.idempotency import Idempotency
from regatta.api.openapi import document
from regatta.api.options import ApiOptions
from regatta.api.problems import Unforeseen, install
from regatta.api.routes import control, journal, pages, status
from regatta.api.routes.socket import serve
from regatta.api.webfiles import WebFiles
from regatta.engine.control import Control
from regatta.journal import Reader

STYLE_HASHES = ("sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY=",)
"""Inline styles that the dashboard may use: lightweight-charts 5.2.1 writes one for its logo."""


def create_app(options: ApiOptions, *, engine: Control | None = None, reader: Reader | None = None) -> FastAPI:
    """Return the application.

    Without engine and reader it answers 503 "starting" (and serves the dashboard's files) until
    `await app.state.attach(engine, reader)`; `await app.state.detach()` takes them away again.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if engine is not None and reader is not None:
            await attach(app, engine, reader)
        yield
        await detach(app)

    app = FastAPI(
        title="Regatta",
        version=__version__,
        description=(
            "Times are ISO 8601 UTC. Money is a decimal string in journal answers and a number in display answers, "
            "as each field says. Errors are RFC 9457 problem documents. "
            "Realtime frames of /ws: ServerFrame, ClientFrame."
        ),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(Guard, options=options, style_hashes=STYLE_HASHES),
            Middleware(Unforeseen),
        ],
    )
    app.state.options = options
    app.state.attach = partial(attach, app)
    app.state.detach = partial(detach, app)
    app.state.backend = None
    app.state.idempotency = Idempotency(options.clock)
    app.state.webfiles = WebFiles(options.webui)
    install(app)
    for router in (status.health, status.router, journal.router, control.router):
        app.include_router(router)

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await serve(websocket, options)

    app.include_router(pages.router)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


async def attach(app: FastAPI, engine: Control, reader: Reader) -> None:
    """Give the application its running engine: from now on it answers."""
    app.state.backend = await Backend.attach(engine, History(reader), app.state.options)


async def detach(app: FastAPI) -> None:
    """Take the engine away: the application answers "starting" again, connections are closed."""
    backend: Backend | None = app.state.backend
    app.state.backend = None
    if backend is not None:
        await backend.detach()
