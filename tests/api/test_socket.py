"""`/ws` over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from regatta.api import ApiOptions
from regatta.api.frames import ServerFrame
from regatta.api.realtime import hub as hub_module
from regatta.journal import Reader
from tests.api.conftest import listening
from tests.api.engine import BTC, ETH, MINUTE_MS, START_MS, SmallEngine, TestClock

Served = tuple[FastAPI, int]
FRAME: TypeAdapter[Any] = TypeAdapter(ServerFrame)


class Dashboard:
    """A client that checks every frame against the contract and the numbering."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seq = 0

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            text = await self.socket.recv(decode=True)
        frame: dict[str, Any] = json.loads(text)
        FRAME.validate_python(frame)
        assert frame["seq"] == self.seq + 1
        self.seq = frame["seq"]
        return frame

    async def until(self, *kinds: str) -> dict[str, Any]:
        """Return the next frame of one of these kinds."""
        while True:
            frame = await self.next()
            if frame["type"] in kinds:
                return frame

    async def ask(self, kind: str, id_: int = 1, **data: Any) -> dict[str, Any]:
        await self.socket.send(json.dumps({"id": id_, "type": kind, "data": data}))
        frame = await self.until("result", "error", "pong")
        assert frame["id"] == id_
        return frame


@asynccontextmanager
async def dashboard(served: Served, *, signed_in: bool = False) -> AsyncIterator[Dashboard]:
    app, port = served
    headers = {}
    if signed_in:
        sessions = app.state.options.sessions
        headers["cookie"] = f"{app.state.options.cookie}={sessions.open(sessions.issue_link())}"
    origin = Origin(f"http://127.0.0.1:{port}")
    address = f"ws://127.0.0.1:{port}/ws"
    async with connect(address, origin=origin, additional_headers=headers, proxy=None) as socket:
        yield Dashboard(socket)


async def closed(client: Dashboard) -> tuple[int, str]:
    """Return the code and the reason with which the server closes."""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionClosed):
            async for _ in client.socket:
                pass
    return client.socket.close_code or 0, client.socket.close_reason or ""


async def test_the_whole_state_comes_first_then_what_changes(served: Served, engine: SmallEngine) -> None:
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    async with dashboard(served) as client:
        first = await client.next()
        assert first["type"] == "snapshot"
        state = first["data"]
        assert [bot["name"] for bot in state["status"]["bots"]] == ["V1", "V2"]
        assert len(state["positions"]) == 1
        assert state["session"]["can_write"] is False

        engine.price(BTC, 50_500.0, START_MS + MINUTE_MS)
        prices = await client.until("price_update")
        assert prices["data"]["prices"] == [{"symbol": BTC, "price": 50_500.0, "at": "2025-05-25T00:01:00.000Z"}]
        positions = await client.until("position_update")
        assert positions["data"]["positions"][0]["unrealised"] == pytest.approx(10.0)


async def test_a_closed_trade_is_told_with_its_fill_its_totals_and_the_new_equity(
    served: Served, engine: SmallEngine
) -> None:
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    async with dashboard(served) as client:
        await client.until("snapshot")
        trade = await engine.close("V1", ticks=510_000, at_ms=START_MS + MINUTE_MS)
        signal = await client.until("signal")
        assert (signal["data"]["action"], signal["data"]["bot"]) == ("exit", "V1")
        filled = await client.until("bot_trade_executed")
        assert filled["data"]["price"] == "51000.00"
        told = await client.until("trade_closed")
        assert told["data"]["trade"]["trade_id"] == trade.trade_id
        assert told["data"]["totals"]["trades"] == 1
        equity = await client.until("equity")
        assert equity["data"]["points"][0]["equity"] == pytest.approx(trade.balance_after_e8 / 1e8)


async def test_health_comes_at_least_once_a_second_without_any_change(served: Served) -> None:
    async with dashboard(served) as client:
        await client.until("snapshot")
        await client.until("system_status")
        await client.until("system_status")


async def test_what_happened_is_neither_missed_nor_told_twice_across_a_reconnect(
    served: Served, engine: SmallEngine
) -> None:
    async def happen(n: int) -> None:
        await engine.open_position("V1", BTC, ticks=500_000, lots=1, at_ms=START_MS + n * MINUTE_MS)
        await engine.close("V1", ticks=500_000 + n, at_ms=START_MS + (n + 1) * MINUTE_MS)

    async def trade_along(times: int) -> None:
        for n in range(times):
            await happen(n)
            await asyncio.sleep(0)

    trading = asyncio.create_task(trade_along(12))
    seen: list[int] = []
    for _ in range(3):
        async with dashboard(served) as client:
            state = await client.until("snapshot")
            seen = [trade["seq"] for trade in reversed(state["data"]["trades"])]
            totals = state["data"]["trade_totals"]["trades"]
            assert totals == len(seen)
            for _ in range(4):
                if totals == 12:
                    break
                told = await client.until("trade_closed")
                seen.append(told["data"]["trade"]["seq"])
                totals += 1
                assert told["data"]["totals"]["trades"] == totals
            assert seen == sorted(set(seen))
    await trading


async def test_only_what_is_subscribed_comes(served: Served, engine: SmallEngine) -> None:
    async with dashboard(served) as client:
        await client.until("snapshot")
        every = (await client.ask("subscribe", topics=[]))["data"]["topics"]
        left = (await client.ask("unsubscribe", topics=[t for t in every if t != "bot_status"]))["data"]["topics"]
        assert left == ["bot_status"]
        engine.price(BTC, 51_000.0, START_MS + MINUTE_MS)
        await engine.open_position("V1", ETH, ticks=250_000, lots=4, at_ms=START_MS + MINUTE_MS)
        await engine.pause("V2")
        frame = await client.next()
        assert (frame["type"], frame["data"]["bot"], frame["data"]["state"]) == ("bot_status", "V2", "paused")


async def test_a_guest_may_ask_but_not_change(served: Served, engine: SmallEngine) -> None:
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    async with dashboard(served) as client:
        assert (await client.ask("ping", 5))["type"] == "pong"
        assert len((await client.ask("get_positions"))["data"]["positions"]) == 1
        for kind, data in (
            ("stop_bot", {}),
            ("start_bot", {}),
            ("close_position", {"symbol": BTC}),
            ("set_speed", {"speed": 1}),
        ):
            refused = await client.ask(kind, **data)
            assert refused["type"] == "error"
            assert refused["data"]["status"] == 401
        assert engine.racers["V1"].state == "running"


async def test_the_owner_controls_bots_positions_and_speed(served: Served, engine: SmallEngine) -> None:
    position_id = await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    async with dashboard(served, signed_in=True) as client:
        assert (await client.until("snapshot"))["data"]["session"]["can_write"] is True
        assert (await client.ask("stop_bot", bot="V2"))["data"]["bots"] == {"V2": "stopped"}
        assert (await client.ask("start_bot", bot_version="V2"))["data"]["bots"] == {"V2": "running"}
        assert (await client.ask("set_speed", speed=600))["data"]["speed"] == 600
        assert (await client.ask("close_position", position_id=position_id))["data"]["orders"] == ["V1-0002"]
        again = await client.ask("close_position", position_id=position_id)
        assert again["data"]["status"] == 404
        assert engine.racers["V1"].position is None


async def test_everybody_hears_of_a_new_speed(served: Served) -> None:
    async with dashboard(served) as guest, dashboard(served, signed_in=True) as owner:
        await guest.until("snapshot")
        await owner.ask("set_speed", speed=10)
        assert (await guest.until("speed"))["data"] == {"speed": 10.0, "allowed": [1.0, 10.0, 60.0, 600.0]}


async def test_a_request_may_have_its_fields_beside_its_type_and_no_id(served: Served) -> None:
    async with dashboard(served, signed_in=True) as client:
        await client.socket.send('{"type": "stop_bot", "bot": "V1"}')
        answer = await client.until("result")
        assert (answer["id"], answer["data"]["bots"]) == (None, {"V1": "stopped"})


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ("not json", 400, "not JSON"),
        ("[1]", 400, "object"),
        ('{"type": "sing"}', 422, "subscribe"),
        ('{"id": 3, "type": "set_speed", "data": {"speed": "fast"}}', 422, "speed"),
        ('{"id": 3, "type": "stop_bot", "data": {"bott": "V1"}}', 422, "bott"),
    ],
)
async def test_a_wrong_request_is_answered_and_the_connection_stays(
    served: Served, sent: str, status: int, said: str
) -> None:
    async with dashboard(served, signed_in=True) as client:
        await client.socket.send(sent)
        answer = await client.until("error")
        assert answer["data"]["status"] == status
        assert said in answer["data"]["detail"]
        assert (await client.ask("ping"))["type"] == "pong"


async def test_a_snapshot_can_be_asked_for(served: Served) -> None:
    async with dashboard(served) as client:
        await client.until("snapshot")
        await client.socket.send('{"type": "snapshot"}')
        assert (await client.until("snapshot"))["seq"] > 1


async def test_frames_above_64_kb_close_the_connection(served: Served) -> None:
    async with dashboard(served) as client:
        await client.until("snapshot")
        await client.socket.send(json.dumps({"type": "ping", "data": {"x": "y" * 70_000}}))
        assert (await closed(client))[0] == 1009


async def test_more_than_50_messages_a_second_close_the_connection(served: Served) -> None:
    async with dashboard(served) as client:
        await client.until("snapshot")
        for _ in range(60):
            await client.socket.send('{"type": "ping"}')
        code, reason = await closed(client)
        assert (code, "50 messages" in reason) == (1008, True)


async def test_an_address_has_64_connections_at_most(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (hub_module.MAX_PER_ADDRESS, hub_module.MAX_CLIENTS) == (64, 1000)
    monkeypatch.setattr(hub_module, "MAX_PER_ADDRESS", 2)
    async with dashboard(served) as one, dashboard(served) as two:
        await one.until("snapshot")
        await two.until("snapshot")
        async with dashboard(served) as three:
            assert await closed(three) == (1013, "too many connections")
        assert (await one.ask("ping"))["type"] == "pong"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", None])
async def test_a_handshake_from_another_origin_is_refused(served: Served, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{served[1]}/ws", origin=Origin(origin) if origin else None, proxy=None)
    assert refused.value.response.status_code == 403


async def test_without_open_reads_a_session_is_needed_and_signing_out_ends_the_connection(
    engine: SmallEngine, reader: Reader, clock: TestClock
) -> None:
    async with listening(engine, reader, lambda port: ApiOptions(port=port, clock=clock)) as served:
        async with dashboard(served) as guest:
            assert (await closed(guest))[0] == 4401
        async with dashboard(served, signed_in=True) as owner:
            await owner.until("snapshot")
            app = served[0]
            (client,) = app.state.backend.hub.clients
            app.state.options.sessions.close(client.session)
            client.ended.set()
            assert (await closed(owner))[0] == 4401
    reader.close()


async def test_a_client_that_came_before_the_engine_gets_its_snapshot_when_it_is_up(
    served: Served, engine: SmallEngine, tmp_path: Any
) -> None:
    app, _ = served
    await app.state.detach()
    async with dashboard(served) as client:
        await client.socket.send('{"type": "ping"}')
        again = Reader(tmp_path / "journal.sqlite")
        await app.state.attach(engine, again)
        assert (await client.next())["type"] == "snapshot"
        again.close()


async def test_when_the_engine_goes_connections_are_closed(served: Served) -> None:
    async with dashboard(served) as client:
        await client.until("snapshot")
        await served[0].state.detach()
        assert (await closed(client))[0] == 1001
