"""The hub between bus and clients: nobody waits for a slow one, and nothing is lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from regatta.api.board import Board
from regatta.api.history import History
from regatta.api.realtime import hub as hub_module
from regatta.api.realtime.client import Client
from regatta.api.realtime.hub import Hub
from regatta.api.realtime.outbox import MAX_EVENTS
from regatta.journal import Reader
from tests.api.engine import BTC, ETH, MINUTE_MS, START_MS, SmallEngine, TestClock


class Socket:
    """A client's socket that takes frames only while it is open."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.frames: list[dict[str, Any]] = []

    async def send(self, text: str) -> None:
        await self.open.wait()
        self.frames.append(json.loads(text))

    def taken(self) -> list[dict[str, Any]]:
        frames, self.frames = self.frames, []
        return frames


@pytest.fixture
def hub(engine: SmallEngine, tmp_path: Path) -> Iterator[Hub]:
    """Return a hub that works when the test says so: `run` is not running."""
    reader = Reader(tmp_path / "journal.sqlite")
    history = History(reader)

    async def refill() -> Board:
        return await asyncio.to_thread(history.board)

    made = Hub(control=engine, clock=TestClock(), refill=refill)
    made.board = history.board()
    yield made
    reader.close()


class Joined:
    """A client that is served by the hub, over a socket of ours."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.client = Client("127.0.0.1", None)
        self.socket = Socket()
        self.hub.clients.add(self.client)
        state = lambda: self.hub.state() + "}"  # noqa: E731
        self.task = asyncio.create_task(
            self.client.serve(self.socket.send, self.hub.values, state, self.hub.now), name="serve"
        )

    async def tick(self) -> list[dict[str, Any]]:
        """Let the hub work once; return what the client got by it."""
        await self.hub.tick()
        for _ in range(5):
            await asyncio.sleep(0)
        return self.socket.taken()

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def joined(hub: Hub) -> AsyncIterator[Joined]:
    one = Joined(hub)
    yield one
    await one.leave()


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


async def test_of_many_prices_within_a_tick_only_the_last_is_sent(joined: Joined, engine: SmallEngine) -> None:
    await joined.tick()
    for n in range(100):
        engine.price(BTC, 50_000.0 + n, START_MS + n * MINUTE_MS)
    frames = await joined.tick()
    (prices,) = [frame for frame in frames if frame["type"] == "price_update"]
    assert [(price["symbol"], price["price"]) for price in prices["data"]["prices"]] == [(BTC, 50_099.0)]


async def test_a_price_that_stays_is_not_sent_again(joined: Joined, engine: SmallEngine) -> None:
    await joined.tick()
    engine.price(BTC, 50_001.0, START_MS)
    assert "price_update" in kinds(await joined.tick())
    engine.price(BTC, 50_001.0, START_MS)
    assert "price_update" not in kinds(await joined.tick())


async def test_a_slow_client_loses_values_but_no_event_and_nobody_waits_for_it(
    hub: Hub, joined: Joined, engine: SmallEngine
) -> None:
    slow = Joined(hub)
    await joined.tick()
    slow.socket.taken()
    slow.socket.open.clear()
    quick: list[str] = []
    for n in range(20):
        engine.price(ETH, 2_500.0 + n, START_MS + n * MINUTE_MS)
        await engine.hold_back("V1", BTC, START_MS + n * MINUTE_MS)
        quick += kinds(await joined.tick())
    assert quick.count("signal") == 20
    assert quick.count("price_update") == 20
    assert slow.socket.taken() == []

    slow.socket.open.set()
    late = [frame for _ in range(3) for frame in await slow.tick()]
    assert kinds(late).count("signal") == 20
    assert kinds(late).count("price_update") <= 2
    assert [frame["seq"] for frame in late] == list(range(late[0]["seq"], late[0]["seq"] + len(late)))
    newest = [frame for frame in late if frame["type"] == "price_update"][-1]
    assert newest["data"]["prices"][0]["price"] == 2_519.0
    await slow.leave()


async def test_a_client_that_stands_still_costs_bounded_memory_and_resumes_with_a_snapshot(
    hub: Hub, joined: Joined, engine: SmallEngine
) -> None:
    await joined.tick()
    joined.socket.open.clear()
    data = "{}"
    for _ in range(MAX_EVENTS * 3):
        joined.client.outbox.put_event("signal", data)
    await engine.hold_back("V1", BTC, START_MS)
    await joined.tick()
    assert len(joined.client.outbox._events) <= MAX_EVENTS
    joined.socket.open.set()
    frames = [frame for _ in range(3) for frame in await joined.tick()]
    assert "snapshot" in kinds(frames)
    snapshot = next(frame for frame in frames if frame["type"] == "snapshot")
    assert snapshot["data"]["decisions"][0]["reason"] == "max_positions"


async def test_records_beyond_the_bound_make_everybody_start_over_from_the_journal(
    joined: Joined, engine: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await joined.tick()
    monkeypatch.setattr(hub_module, "MAX_WAITING", 10)
    for n in range(30):
        await engine.hold_back("V1", BTC, START_MS + n * MINUTE_MS)
    frames = await joined.tick()
    assert kinds(frames)[0] == "snapshot"
    assert len(frames[0]["data"]["decisions"]) == 30
    await engine.hold_back("V2", ETH, START_MS + MINUTE_MS)
    (signal,) = [frame for frame in await joined.tick() if frame["type"] == "signal"]
    assert signal["data"]["bot"] == "V2"


async def test_a_listener_that_only_takes_note_builds_nothing_while_nobody_looks(hub: Hub, engine: SmallEngine) -> None:
    for n in range(1000):
        engine.price(BTC, 50_000.0 + n, START_MS + n)
    await hub.tick()
    assert hub.values.versions() == dict.fromkeys(hub.values.versions(), 0)


async def test_a_snapshot_during_a_long_list_of_records_is_followed_by_the_rest_of_them(
    hub: Hub, engine: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The hub gives way after each record: clients that join meanwhile see the board half done.
    monkeypatch.setattr(hub_module, "SLICE", 1)
    early, late = Joined(hub), Joined(hub)
    for client in (early, late):
        client.client.offer(hub.values)
    for n in range(10):
        await engine.hold_back("V1", BTC, START_MS + n * MINUTE_MS)
    told: dict[str, list[int]] = {}
    for name, client in (("early", early), ("late", late)):
        frames = await client.tick() + await client.tick()
        assert frames[0]["type"] == "snapshot"
        first = [decision["seq"] for decision in reversed(frames[0]["data"]["decisions"])]
        told[name] = first + [frame["data"]["seq"] for frame in frames if frame["type"] == "signal"]
    expected = [decision["seq"] for decision in reversed(hub.board.parts()["decisions"])]
    assert told == {"early": expected, "late": expected}
    await early.leave()
    await late.leave()
