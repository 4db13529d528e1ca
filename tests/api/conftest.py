"""The API over a small engine with a real journal; over ASGI, or over a real socket for `/ws`."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from regatta.api import ApiOptions, create_app
from regatta.journal import Journal, Reader
from tests.api.engine import SmallEngine, TestClock

PORT = 8000


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SmallEngine]:
    """Return an engine with two registered bots and an empty history."""
    journal = await Journal.open(tmp_path / "journal.sqlite")
    small = SmallEngine(journal)
    await small.register()
    yield small
    await journal.close()


@pytest.fixture
def reader(engine: SmallEngine, tmp_path: Path) -> object:
    return Reader(tmp_path / "journal.sqlite")


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def options(clock: TestClock, tmp_path: Path) -> ApiOptions:
    """Return the demo's options: reading is open."""
    return ApiOptions(port=PORT, open_reads=True, clock=clock, webui=tmp_path / "webui")


@pytest.fixture
async def app(engine: SmallEngine, reader: Reader, options: ApiOptions) -> AsyncIterator[FastAPI]:
    """Return the application with the engine attached."""
    made = create_app(options)
    await made.state.attach(engine, reader)
    yield made
    await made.state.detach()
    reader.close()


@pytest.fixture
async def guest(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a browser that has not signed in, on our own page."""
    async with browser(app) as client:
        yield client


@pytest.fixture
async def owner(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a browser that has signed in by a link."""
    async with browser(app) as client:
        await client.get(f"/signin?token={app.state.options.sessions.issue_link()}")
        yield client


@asynccontextmanager
async def browser(app: FastAPI, port: int = PORT) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a browser on our own page."""
    address = f"http://127.0.0.1:{port}"
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=address, headers={"origin": address}) as client:
        yield client


class Server(uvicorn.Server):
    """A server that says when it is up, and leaves signals to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(
    engine: SmallEngine, reader: Reader, make: Callable[[int], ApiOptions]
) -> AsyncIterator[tuple[FastAPI, int]]:
    """Serve the application on a free port of this machine; yields it and the port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    app = create_app(make(port), engine=engine, reader=reader)
    server = Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(20):
            await server.up.wait()
        yield app, port
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.fixture
async def served(engine: SmallEngine, reader: Reader, clock: TestClock) -> AsyncIterator[tuple[FastAPI, int]]:
    """Serve the demo's application: reading is open."""
    async with listening(engine, reader, lambda port: ApiOptions(port=port, open_reads=True, clock=clock)) as it:
        yield it
    reader.close()
