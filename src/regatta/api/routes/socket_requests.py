"""What a client may say on `/ws`, read and carried out; each request is answered by result, error or pong."""

from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from regatta.api.actions import Actions
from regatta.api.frames import (
    BotRequest,
    ClientFrame,
    ClosePositionRequest,
    Plain,
    ResultData,
    SpeedRequest,
    StopBot,
    Subscribe,
)
from regatta.api.guard import HINT
from regatta.api.problems import Problematic, field_faults, invalid, problem_of
from regatta.api.realtime.client import Client
from regatta.api.schemas import ActionResult, Problem
from regatta.api.views import live_position_view

_READ: TypeAdapter[Any] = TypeAdapter(ClientFrame)


def read(text: str) -> tuple[str | int | None, Any | Problem]:
    """Return a frame's id and the request in it, or the problem with it.

    Fields beside `type` are accepted as data, `bot_version` as `bot`.
    """
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return None, Problematic(400, "bad-input", f"the frame is not JSON: {error}").document
    if not isinstance(frame, dict):
        return None, Problematic(400, "bad-input", "a frame is an object {id, type, data}").document
    given = frame.get("id")
    id_ = given if isinstance(given, str | int) and not isinstance(given, bool) else None
    if "data" not in frame:
        frame = {
            **{name: frame[name] for name in ("id", "type") if name in frame},
            "data": {name: value for name, value in frame.items() if name not in ("id", "type")},
        }
    data = frame["data"]
    if isinstance(data, dict) and "bot_version" in data:
        data.setdefault("bot", data.pop("bot_version"))
    try:
        return id_, _READ.validate_python(frame)
    except ValidationError as error:
        return id_, invalid(field_faults(error.errors(include_url=False, include_input=False)))


class Requests:
    """Carries out the requests of one client."""

    def __init__(self, client: Client, actions: Actions) -> None:
        self._client = client
        self._actions = actions

    async def answer(self, text: str, *, may_write: bool) -> bool:
        """Carry out one frame and queue its answer; False when too many answers wait."""
        id_, request = read(text)
        if isinstance(request, Problem):
            return self._error(id_, request)
        if isinstance(request, Plain) and request.type == "ping":
            return self._client.reply("pong", id_, "{}")
        if isinstance(request, Plain) and request.type == "snapshot":
            self._client.resync()
            return True
        try:
            result = await self._carry_out(request, may_write)
        except Exception as error:
            return self._error(id_, problem_of(error))
        return self._client.reply("result", id_, result.model_dump_json())

    def _error(self, id_: str | int | None, document: Problem) -> bool:
        return self._client.reply("error", id_, document.model_dump_json())

    async def _carry_out(self, request: Any, may_write: bool) -> ResultData:
        if isinstance(request, Subscribe):
            topics = self._client.outbox.topics
            if request.type == "subscribe":
                topics.update(request.data.topics)
            else:
                topics.difference_update(request.data.topics)
            return ResultData.model_validate({"topics": sorted(topics)})
        if isinstance(request, Plain):
            return ResultData(positions=[live_position_view(p) for p in self._actions.positions()])
        if not may_write:
            raise Problematic(401, "sign-in-needed", f"this needs you to be signed in: {HINT}")
        return ResultData.model_validate((await self._write(request)).model_dump())

    async def _write(self, request: Any) -> ActionResult:
        actions = self._actions
        match request:
            case BotRequest(type="start_bot"):
                return await actions.start(request.data.bot)
            case BotRequest(type="pause_bot"):
                return await actions.pause(request.data.bot)
            case BotRequest():
                return await actions.resume(request.data.bot)
            case StopBot():
                return await actions.stop(request.data.bot, request.data.close_positions)
            case ClosePositionRequest():
                data = request.data
                return await actions.close(symbol=data.symbol, position_id=data.position_id, bot=data.bot)
            case SpeedRequest():
                return await actions.set_speed(request.data.speed)
        raise AssertionError(f"no answer to {type(request).__name__}")
