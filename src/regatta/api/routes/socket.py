"""The endpoint `/ws`: one connection's life, and its limits.

Limits: frames <= 64 kB, 50 messages a second, 64 connections an address, 1,000 in all; beyond:
closed with a reason. The guard has checked Host and Origin before.
"""

import asyncio
from collections import deque

from starlette.websockets import WebSocket, WebSocketDisconnect

from regatta.api.actions import Actions
from regatta.api.backend import Backend
from regatta.api.guard import HINT, session_view, signed_in
from regatta.api.options import ApiOptions
from regatta.api.realtime.client import Client
from regatta.api.routes.socket_requests import Requests
from regatta.engine.clock import monotonic_s

MAX_FRAME = 64 * 1024
MAX_PER_SECOND = 50
SESSION_CHECK_S = 60.0
STARTING_POLL_S = 0.2

TOO_LARGE, TOO_FAST, FULL, TEXT_ONLY, SIGN_IN = 1009, 1008, 1013, 1003, 4401


class Pace:
    """At most `MAX_PER_SECOND` messages in any second."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MAX_PER_SECOND)

    def allows(self, now_s: float) -> bool:
        """Count a message; False when it is one too many."""
        too_fast = len(self._times) == MAX_PER_SECOND and now_s - self._times[0] < 1.0
        self._times.append(now_s)
        return not too_fast


async def serve(websocket: WebSocket, options: ApiOptions) -> None:
    """Accept the connection and serve it until it ends."""
    await websocket.accept()
    session: str | None = websocket.scope.get("regatta.session")
    if not signed_in(websocket.scope):
        session = None
        if not options.open_reads:
            await websocket.close(SIGN_IN, HINT)
            return
    backend = await _attached(websocket)
    if backend is None:
        return
    hub = backend.hub
    address = websocket.client.host if websocket.client else ""
    if not hub.room_for(address):
        await websocket.close(FULL, "too many connections")
        return
    client = Client(address, session)
    hub.clients.add(client)
    try:
        await _run(websocket, options, backend, client)
    finally:
        hub.clients.discard(client)


async def _attached(websocket: WebSocket) -> Backend | None:
    """Wait until the engine is up; None when the client goes before."""
    state = websocket.app.state
    receiving = asyncio.create_task(websocket.receive())
    try:
        while state.backend is None:
            await asyncio.wait([receiving], timeout=STARTING_POLL_S)
            if receiving.done():
                if receiving.result()["type"] == "websocket.disconnect":
                    return None
                receiving = asyncio.create_task(websocket.receive())
    finally:
        # A message that came in the very moment of starting is lost; the client gets a snapshot anyway.
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
    backend: Backend = state.backend
    return backend


async def _run(websocket: WebSocket, options: ApiOptions, backend: Backend, client: Client) -> None:
    hub = backend.hub

    def state() -> str:
        view = session_view(options, options.sessions.holds(client.session))
        return f'{hub.state()},"session":{view.model_dump_json()}}}'

    tasks = (
        asyncio.create_task(client.serve(websocket.send_text, hub.values, state, hub.now), name="ws send"),
        asyncio.create_task(_listen(websocket, options, backend, client), name="ws receive"),
        asyncio.create_task(_watch(websocket, options, client), name="ws session"),
    )
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception()
        # A client that has gone may show itself as a failed send.
        if error is not None and not isinstance(error, WebSocketDisconnect | RuntimeError | OSError):
            raise error


async def _listen(websocket: WebSocket, options: ApiOptions, backend: Backend, client: Client) -> None:
    requests = Requests(client, Actions(backend))
    pace = Pace()
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if not pace.allows(monotonic_s()):
            await websocket.close(TOO_FAST, f"more than {MAX_PER_SECOND} messages in a second")
            return
        if text is None:
            await websocket.close(TEXT_ONLY, "frames are JSON text")
            return
        # A character is at most four bytes: most frames need not be encoded to be measured.
        if len(text) > MAX_FRAME or (len(text) > MAX_FRAME // 4 and len(text.encode()) > MAX_FRAME):
            await websocket.close(TOO_LARGE, f"frames may be at most {MAX_FRAME} bytes long")
            return
        if not await requests.answer(text, may_write=options.sessions.holds(client.session)):
            await websocket.close(TOO_FAST, "answers are not being read")
            return


async def _watch(websocket: WebSocket, options: ApiOptions, client: Client) -> None:
    """Close the connection when its session is over (or the server goes away)."""
    while True:
        try:
            await asyncio.wait_for(client.ended.wait(), SESSION_CHECK_S)
            break
        except TimeoutError:
            if not options.open_reads and not options.sessions.holds(client.session):
                break
    await websocket.close(SIGN_IN if client.session and not options.sessions.holds(client.session) else 1001, "")
