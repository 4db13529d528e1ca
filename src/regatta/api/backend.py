"""A running engine and its journal, as the API holds them: attached when the engine is up."""

import asyncio
from collections.abc import Sequence

from starlette.requests import HTTPConnection

from regatta.api.board import Board
from regatta.api.history import History
from regatta.api.options import ApiOptions
from regatta.api.problems import bad_input, starting
from regatta.api.realtime.hub import Hub
from regatta.domain.instrument import unified_symbol
from regatta.engine.control import Control


class Backend:
    """What the endpoints answer from."""

    def __init__(self, control: Control, history: History, hub: Hub) -> None:
        self.control = control
        self.history = history
        self.hub = hub
        self._task = asyncio.create_task(hub.run(), name="realtime")

    @classmethod
    async def attach(cls, control: Control, history: History, options: ApiOptions) -> "Backend":
        """Fill the board from the journal and start the realtime channel."""

        async def fill() -> Board:
            return await asyncio.to_thread(history.board)

        hub = Hub(control=control, clock=options.clock, refill=fill)
        hub.board = await fill()
        return cls(control, history, hub)

    async def detach(self) -> None:
        """End the realtime channel; connections are closed by their endpoints."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for client in tuple(self.hub.clients):
            client.ended.set()

    @property
    def board(self) -> Board:
        return self.hub.board

    def bot_names(self) -> Sequence[str]:
        """Return the bots that run now."""
        return [bot.name for bot in self.control.status().bots]

    def known_bot(self, name: str | None) -> str | None:
        """Return the name if such a bot runs or ever ran; raises a problem that lists them."""
        if name is None:
            return None
        known = sorted({*self.bot_names(), *self.board.grids.bots})
        if name not in known:
            raise bad_input(f"bot: there is no bot {name[:64]!r}; bots: {', '.join(known)}")
        return name


def symbol_of(text: str | None) -> str | None:
    """Return the unified form of a symbol that a user wrote; BadInput when it has no known form."""
    return None if text is None else unified_symbol(text.upper())


def backend_of(connection: HTTPConnection) -> Backend:
    """Return the attached engine; raises the problem "starting" until there is one."""
    backend: Backend | None = connection.app.state.backend
    if backend is None:
        raise starting()
    return backend
