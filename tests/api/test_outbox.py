import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from regatta.api.realtime.outbox import MAX_EVENTS, MAX_REPLIES, Outbox

AT = "2025-05-25T00:00:00.000Z"


class Board:
    """Values and events of a server, as a client should end up seeing them."""

    def __init__(self) -> None:
        self.prices = 0
        self.events: list[int] = []

    def versions(self) -> Mapping[str, int]:
        return {"price_update": self.prices}

    def since(self, topic: str, version: int) -> str | None:
        assert version < self.prices
        return json.dumps({"price": self.prices, "since": version})

    def snapshot(self) -> str:
        return json.dumps({"price": self.prices, "events": self.events})


def frames(outbox: Outbox, board: Board) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in outbox.take(AT, board, board.snapshot)]


def connected(board: Board) -> Outbox:
    outbox = Outbox()
    assert [f["type"] for f in frames(outbox, board)] == ["snapshot"]
    return outbox


def test_the_first_frame_is_a_snapshot_with_number_1() -> None:
    (frame,) = frames(Outbox(), Board())
    assert frame == {"type": "snapshot", "seq": 1, "at": AT, "data": {"price": 0, "events": []}}


def test_only_the_newest_state_of_a_value_is_sent() -> None:
    board = Board()
    outbox = connected(board)
    board.prices = 7
    (frame,) = frames(outbox, board)
    assert frame["data"] == {"price": 7, "since": 0}
    assert frames(outbox, board) == []
    assert not outbox.has_news(board)


def test_events_come_before_values_in_their_order() -> None:
    board = Board()
    outbox = connected(board)
    board.prices = 1
    outbox.put_event("signal", "1")
    outbox.put_event("trade_closed", "2")
    assert [(f["type"], f["seq"]) for f in frames(outbox, board)] == [
        ("signal", 2),
        ("trade_closed", 3),
        ("price_update", 4),
    ]


def test_what_is_not_subscribed_is_not_sent() -> None:
    board = Board()
    outbox = connected(board)
    outbox.topics -= {"signal", "price_update"}
    outbox.put_event("signal", "1")
    board.prices = 1
    assert not outbox.has_news(board)
    assert frames(outbox, board) == []


def test_events_that_would_overflow_are_replaced_by_one_snapshot() -> None:
    board = Board()
    outbox = connected(board)
    for n in range(MAX_EVENTS + 5):
        board.events.append(n)
        outbox.put_event("signal", str(n))
    (frame,) = frames(outbox, board)
    assert frame["type"] == "snapshot"
    assert frame["data"]["events"] == board.events
    board.events.append(-1)
    outbox.put_event("signal", "-1")
    assert [(f["type"], f["data"]) for f in frames(outbox, board)] == [("signal", -1)]


def test_an_answer_carries_the_id_of_its_request() -> None:
    outbox = Outbox()
    outbox.put_reply("result", 'a"b', '{"ok":true}')
    outbox.put_reply("pong", None, "{}")
    assert [json.loads(frame) for frame in outbox.take_replies(AT)] == [
        {"type": "result", "seq": 1, "at": AT, "id": 'a"b', "data": {"ok": True}},
        {"type": "pong", "seq": 2, "at": AT, "id": None, "data": {}},
    ]


def test_a_client_that_does_not_read_its_answers_is_noticed() -> None:
    outbox = Outbox()
    answers = [outbox.put_reply("pong", n, "{}") for n in range(MAX_REPLIES + 1)]
    assert answers == [True] * MAX_REPLIES + [False]


@given(st.lists(st.sampled_from(["event", "price", "flush", "resync", "slow_flush"]), max_size=200))
def test_a_client_that_folds_its_frames_sees_what_the_server_sees(steps: list[str]) -> None:
    board = Board()
    outbox = Outbox()
    seen: dict[str, Any] = {"price": -1, "events": []}
    last_seq = 0

    def fold(frame: dict[str, Any]) -> None:
        nonlocal last_seq
        assert frame["seq"] == last_seq + 1
        last_seq = frame["seq"]
        if frame["type"] == "snapshot":
            seen.update(price=frame["data"]["price"], events=list(frame["data"]["events"]))
        elif frame["type"] == "price_update":
            assert frame["data"]["since"] <= seen["price"]
            seen["price"] = frame["data"]["price"]
        else:
            seen["events"].append(frame["data"])

    def emit() -> None:
        board.events.append(len(board.events))
        outbox.put_event("signal", str(board.events[-1]))

    for step in steps:
        if step == "event":
            emit()
        elif step == "price":
            board.prices += 1
        elif step == "resync":
            outbox.resync()
        else:
            for text in outbox.take(AT, board, board.snapshot):
                fold(json.loads(text))
                if step == "slow_flush":
                    # While this client's socket is full, the world goes on.
                    emit()
                    board.prices += 1
                    if len(board.events) > 400:
                        break
    for text in outbox.take(AT, board, board.snapshot):
        fold(json.loads(text))
    assert seen == {"price": board.prices, "events": board.events}
