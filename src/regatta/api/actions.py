"""What users may ask the engine to do, the same by HTTP and by `/ws`."""

from collections.abc import Sequence
from typing import cast

from regatta.api.backend import Backend, symbol_of
from regatta.api.problems import bad_input, not_found
from regatta.api.schemas import ActionResult, BotState
from regatta.api.views import speed_view
from regatta.engine.control import LivePosition


class Actions:
    """Asks the engine, and says what came of it. by: who asks, for the journal."""

    def __init__(self, backend: Backend, by: str = "dashboard") -> None:
        self._control = backend.control
        self._backend = backend
        self._by = by

    def positions(self) -> Sequence[LivePosition]:
        return self._control.positions()

    async def start(self, bot: str | None) -> ActionResult:
        await self._control.start(self._running(bot), by=self._by)
        return self._result(bot)

    async def pause(self, bot: str | None) -> ActionResult:
        await self._control.pause(self._running(bot), by=self._by)
        return self._result(bot)

    async def resume(self, bot: str | None) -> ActionResult:
        await self._control.resume(self._running(bot), by=self._by)
        return self._result(bot)

    async def stop(self, bot: str | None, close_positions: bool) -> ActionResult:
        await self._control.stop(self._running(bot), close_positions=close_positions, by=self._by)
        return self._result(bot)

    async def kill(self, close_positions: bool) -> ActionResult:
        await self._control.kill(close_positions=close_positions, by=self._by)
        return self._result(None)

    async def close(self, *, symbol: str | None, position_id: str | None = None, bot: str | None) -> ActionResult:
        """Close by symbol, or by the id of one position."""
        if (symbol is None) == (position_id is None):
            raise bad_input("name either symbol or position_id")
        self._running(bot)
        if position_id is not None:
            held = next((p for p in self._control.positions() if p.position_id == position_id), None)
            if held is None or (bot is not None and held.bot != bot):
                raise not_found(f"there is no open position {position_id[:64]!r}")
            symbol, bot = held.symbol, held.bot
        unified = symbol_of(symbol)
        assert unified is not None
        holders = [p for p in self._control.positions() if p.symbol == unified and bot in (None, p.bot)]
        if not holders:
            whose = f"bot {bot} has no" if bot else "no bot has an"
            raise not_found(f"{whose} open position in {unified}")
        orders = await self._control.close_position(unified, bot, by=self._by)
        return ActionResult(orders=list(orders))

    async def set_speed(self, speed: float) -> ActionResult:
        await self._control.set_speed(speed)
        self._backend.hub.tell_speed(speed_view(self._control.status().feeds))
        return ActionResult(speed=speed)

    def _running(self, bot: str | None) -> str | None:
        names = self._backend.bot_names()
        if bot is not None and bot not in names:
            raise bad_input(f"bot: there is no bot {bot[:64]!r}; bots: {', '.join(names)}")
        return bot

    def _result(self, bot: str | None) -> ActionResult:
        states = {one.name: cast(BotState, one.state) for one in self._control.status().bots if bot in (None, one.name)}
        return ActionResult(bots=states)
