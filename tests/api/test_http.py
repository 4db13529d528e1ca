"""The endpoints, over a real journal."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from regatta.api import ApiOptions, create_app
from regatta.api.openapi import document
from regatta.api.schemas import (
    BotView,
    Decisions,
    Equity,
    Instruments,
    LivePositions,
    Orders,
    PnlHistory,
    Positions,
    SnapshotData,
    Stats,
    StatusView,
    SymbolChecksView,
    SystemStatusView,
    Trades,
    TradeStory,
    Why,
)
from regatta.cli.openapi import openapi as print_contract
from tests.api.conftest import browser
from tests.api.engine import BTC, ETH, MINUTE_MS, START_MS, SmallEngine

DAY_MS = 24 * 60 * MINUTE_MS


async def race(engine: SmallEngine) -> None:
    """Close a win and a loss of V1 and, a day later, an even-sided loss of V2; leave one position open."""
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS + 1 * MINUTE_MS)
    await engine.close("V1", ticks=510_000, at_ms=START_MS + 5 * MINUTE_MS)
    await engine.open_position("V1", ETH, ticks=250_000, lots=40, at_ms=START_MS + 6 * MINUTE_MS)
    await engine.close("V1", ticks=245_000, at_ms=START_MS + 9 * MINUTE_MS, reason="stop_loss")
    await engine.open_position("V2", BTC, ticks=505_000, lots=10, at_ms=START_MS + DAY_MS)
    await engine.close("V2", ticks=500_000, at_ms=START_MS + DAY_MS + MINUTE_MS)
    await engine.hold_back("V2", ETH, START_MS + DAY_MS + 2 * MINUTE_MS)
    await engine.open_position("V2", ETH, ticks=250_000, lots=8, at_ms=START_MS + DAY_MS + 3 * MINUTE_MS)
    engine.price(ETH, 2_510.0, START_MS + DAY_MS + 4 * MINUTE_MS)


async def get(client: httpx2.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def trades(client: httpx2.AsyncClient, **query: Any) -> Trades:
    return Trades.model_validate(await get(client, "/api/trades", **query))


# --- Display ---------------------------------------------------------------------------------


async def test_status_says_what_runs_and_how_it_stands(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    status = StatusView.model_validate(await get(guest, "/api/status"))
    assert status.is_running
    assert [bot.name for bot in status.bots] == ["V1", "V2"]
    v1, v2 = status.bots
    assert (v1.mode_label, v1.trades, v1.wins, v1.losses, v1.win_rate_pct) == ("Virtual", 2, 1, 1, 50.0)
    assert v1.pnl == pytest.approx(v1.equity - 10_000)
    assert v2.win_rate_pct == 0.0
    assert v2.unrealised == pytest.approx(0.08 * 10)
    totals = status.totals
    assert totals.quote == "USDT"
    assert totals.equity == pytest.approx(v1.equity + v2.equity)
    assert (totals.trades, totals.open_positions, totals.monitored_pairs) == (3, 1, 2)
    assert status.speed.speed == 60
    assert BotView.model_validate((await get(guest, "/api/bots"))[1]) == v2


async def test_live_positions_carry_the_live_price(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    live = LivePositions.model_validate(await get(guest, "/api/positions/live"))
    (position,) = live.positions
    assert (position.bot, position.symbol, position.side) == ("V2", ETH, "long")
    assert position.price == 2_510.0
    assert position.stop_price is not None
    assert position.target_price is not None
    assert position.stop_price < position.entry_price < position.target_price
    assert (await get(guest, "/api/positions/live", bot="V1"))["positions"] == []


async def test_the_machine_and_the_instruments_are_told(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    system = SystemStatusView.model_validate(await get(guest, "/api/system_status"))
    assert system.memory_mb > 1
    assert system.journal_seq == engine.journal.last_seq
    found = Instruments.model_validate(await get(guest, "/api/instruments")).instruments
    assert [(i.symbol, i.price_decimals, i.quantity_decimals) for i in found] == [(BTC, 1, 3), (ETH, 2, 2)]


async def test_every_check_of_a_symbol_is_shown(guest: httpx2.AsyncClient) -> None:
    path = "/api/debug/BTC-USDT-USDT"
    checks = SymbolChecksView.model_validate(await get(guest, path, bot="V1"))
    enter, leave = checks.outputs
    assert (enter.output, enter.passed, len(enter.checks)) == ("enter_long", True, 2)
    assert (leave.passed, leave.checks[0].value, leave.checks[0].threshold) == (False, 61.5, 70.0)
    response = await guest.get(path)
    assert response.status_code == 400
    assert "name one of V1, V2" in response.json()["detail"]


async def test_the_whole_state_has_an_etag_that_changes_with_it(
    guest: httpx2.AsyncClient, engine: SmallEngine, app: FastAPI
) -> None:
    await race(engine)
    await app.state.backend.hub.tick()
    first = await guest.get("/api/data")
    state = SnapshotData.model_validate_json(first.content)
    assert [trade.bot for trade in state.trades] == ["V2", "V1", "V1"]
    assert state.trade_totals.trades == 3
    assert state.session.can_write is False
    etag = first.headers["etag"]
    assert (await guest.get("/api/data", headers={"if-none-match": etag})).status_code == 304
    engine.price(BTC, 51_000.0, START_MS + 2 * DAY_MS)
    assert (await guest.get("/api/data", headers={"if-none-match": etag})).status_code == 200


# --- Trades ----------------------------------------------------------------------------------


async def test_trades_are_exact_and_newest_first(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    newest, _, oldest = (await trades(guest)).trades
    assert (newest.bot, oldest.bot) == ("V2", "V1")
    assert (oldest.quantity, oldest.entry_price, oldest.exit_price) == ("0.020", "50000.00", "51000.00")
    fees = (Decimal(1000) + Decimal(1020)) / 2000
    assert Decimal(oldest.fees) == fees
    assert Decimal(oldest.pnl) == 20 - fees
    assert oldest.pnl_pct == pytest.approx(float(100 * (20 - fees) / 1000))
    assert (oldest.result, oldest.side, oldest.mode_label, oldest.quote) == ("win", "long", "Virtual", "USDT")
    assert oldest.opened_at == "2025-05-25T00:01:00.000Z"
    assert oldest.duration_s == 240


async def test_totals_follow_the_filter_and_not_the_page(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    page = await trades(guest, limit=1, offset=1)
    assert len(page.trades) == 1
    assert (page.totals.trades, page.totals.wins, page.totals.losses) == (3, 1, 2)
    everything = await trades(guest)
    assert Decimal(page.totals.pnl) == sum(Decimal(t.pnl) for t in everything.trades)
    assert page.totals.best == max((t.pnl for t in everything.trades), key=Decimal)
    assert page.totals.worst == min((t.pnl for t in everything.trades), key=Decimal)


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ({"bot": "V1"}, [ETH, BTC]),
        ({"bot": ["V1", "V2"]}, [BTC, ETH, BTC]),
        ({"bot_version": "V2"}, [BTC]),
        ({"symbol": "ETH-USDT-USDT"}, [ETH]),
        ({"symbol": "btc/usdt:usdt"}, [BTC, BTC]),
        ({"result": "win"}, [BTC]),
        ({"result": "even"}, []),
        ({"side": "short"}, []),
        ({"reason": "stop_loss"}, [ETH]),
        ({"from": "2025-05-26"}, [BTC]),
        ({"to": "2025-05-25"}, [ETH, BTC]),
        ({"from": "2025-05-25T00:05:00Z", "to": "2025-05-25T00:05:00Z"}, [BTC]),
        ({"sort": "closed_at"}, [BTC, ETH, BTC]),
        ({"sort": "symbol"}, [BTC, BTC, ETH]),
        ({"sort": "-pnl", "bot": "V1"}, [BTC, ETH]),
        ({"sort": "pnl_pct", "bot": "V1"}, [ETH, BTC]),
        ({"sort": "-duration", "bot": "V1"}, [BTC, ETH]),
    ],
)
async def test_trades_are_filtered_and_sorted(
    guest: httpx2.AsyncClient, engine: SmallEngine, query: dict[str, Any], symbols: list[str]
) -> None:
    await race(engine)
    page = await trades(guest, **query)
    assert [trade.symbol for trade in page.trades] == symbols
    assert page.totals.trades == len(symbols)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"bot": "V9"}, "bots: V1, V2"),
        ({"sort": "luck"}, "allowed: closed_at, opened_at, pnl"),
        ({"from": "soon"}, "from: 'soon' is not a time"),
        ({"symbol": "BTCUSDT"}, "BTC/USDT:USDT"),
    ],
)
async def test_a_filter_that_cannot_be_says_what_is_allowed(
    guest: httpx2.AsyncClient, query: dict[str, str], said: str
) -> None:
    response = await guest.get("/api/trades", params=query)
    assert response.status_code == 400
    assert said in response.json()["detail"]


async def test_the_csv_holds_the_same_trades_and_no_formula(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    await engine.open_position("V1", BTC, ticks=500_000, lots=1, at_ms=START_MS + 3 * DAY_MS)
    await engine.close("V1", ticks=500_000, at_ms=START_MS + 4 * DAY_MS, reason="=cmd()")
    response = await guest.get("/api/trades.csv", params={"sort": "closed_at"})
    assert response.headers["content-type"].startswith("text/csv")
    assert "attachment" in response.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text)))
    listed = (await trades(guest, sort="closed_at")).trades
    assert [row["trade_id"] for row in rows] == [trade.trade_id for trade in listed]
    assert [row["pnl"] for row in rows] == [trade.pnl for trade in listed]
    assert rows[-1]["reason"] == "'=cmd()"


async def test_a_trade_opens_to_its_story(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    won, stopped = (await trades(guest, bot="V1", sort="closed_at")).trades
    story = TradeStory.model_validate(await get(guest, f"/api/trades/{won.trade_id}"))
    assert story.trade == won
    assert story.entry is not None
    assert story.exit is not None
    assert (story.entry.action, story.exit.direction) == ("enter", "exit_long")
    assert [check.name for check in story.entry.checks] == ["trend", "rsi"]
    assert [(order.role, order.status) for order in story.orders] == [("entry", "filled"), ("exit", "filled")]
    assert [fill.price for fill in story.fills] == ["50000.00", "51000.00"]
    assert story.orders[1].average_price == "51000.00"
    assert TradeStory.model_validate(await get(guest, f"/api/trades/{stopped.trade_id}")).exit is None


# --- The rest of the journal -----------------------------------------------------------------


async def test_positions_and_orders_are_exact(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    (position,) = Positions.model_validate(await get(guest, "/api/positions")).positions
    assert (position.bot, position.quantity, position.entry_price) == ("V2", "0.08", "2500.00")
    assert Decimal(position.cost) == 200
    orders = Orders.model_validate(await get(guest, "/api/orders", bot="V2")).orders
    assert [(order.role, order.status) for order in orders] == [
        ("entry", "filled"),
        ("exit", "filled"),
        ("entry", "filled"),
    ]
    assert (await get(guest, "/api/orders", position_id=position.position_id))["orders"][0]["role"] == "entry"
    assert (await get(guest, "/api/orders", status="working"))["orders"] == []


async def test_decisions_say_what_was_done_about_each_signal(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    held = Decisions.model_validate(await get(guest, "/api/decisions", action="held_back")).decisions
    assert [(d.bot, d.symbol, d.reason, d.detail) for d in held] == [
        ("V2", ETH, "max_positions", "3 of 3 positions are open")
    ]
    assert len((await get(guest, "/api/signals", bot="V1"))["decisions"]) == 3
    assert len((await get(guest, "/api/signals", bot="V1", limit=1, offset=1))["decisions"]) == 1


async def test_why_counts_holds_by_reason(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    v1, v2 = Why.model_validate(await get(guest, "/api/why")).bots
    assert (v1.holds, [reason.reason for reason in v1.reasons]) == (42, ["trend", "rsi"])
    assert v2.held_back[0].reason == "max_positions"
    assert v2.last[0].action == "enter"
    (of_symbol,) = Why.model_validate(await get(guest, "/api/why", bot="V2", symbol=ETH)).bots
    assert [(r.reason, r.count, r.share_pct) for r in of_symbol.reasons] == [("rsi", 3, 75.0), ("trend", 1, 25.0)]


async def test_equity_and_days_are_told_by_bot(guest: httpx2.AsyncClient, engine: SmallEngine, app: FastAPI) -> None:
    await race(engine)
    await app.state.backend.hub.tick()
    v1, v2 = Equity.model_validate(await get(guest, "/api/equity")).curves
    assert (len(v1.points), v1.initial_balance, v1.quote) == (2, 10_000, "USDT")
    assert v2.points[0].at == "2025-05-26T00:01:00.000Z"

    first, second = PnlHistory.model_validate(await get(guest, "/api/pnl-history", days=2)).bots
    assert [(day.day, day.trades) for day in first.days] == [("2025-05-24", 0), ("2025-05-25", 2)]
    assert [(day.day, day.trades) for day in second.days] == [("2025-05-25", 0), ("2025-05-26", 1)]
    assert second.days[-1].pnl_total < 0


async def test_statistics_are_those_of_the_journal(guest: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await race(engine)
    v1, v2 = Stats.model_validate(await get(guest, "/api/stats")).bots
    assert (v1.trades, v1.wins, v1.losses, v1.win_rate_pct) == (2, 1, 1, 50.0)
    won, lost = (await trades(guest, bot="V1", sort="-pnl")).trades
    assert (v1.best, v1.worst) == (won.pnl, lost.pnl)
    assert Decimal(v1.pnl) == Decimal(won.pnl) + Decimal(lost.pnl)
    assert v1.profit_factor == pytest.approx(-float(won.pnl) / float(lost.pnl))
    assert v1.average_holding_s == (240 + 180) / 2
    assert v1.max_drawdown_pct is not None
    assert (v1.sharpe, v1.reliable) == (None, False)
    assert (v2.win_rate_pct, v2.profit_factor) == (0.0, 0.0)


async def test_todays_pnl_is_of_the_bots_own_day(guest: httpx2.AsyncClient, engine: SmallEngine, app: FastAPI) -> None:
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    first = await engine.close("V1", ticks=510_000, at_ms=START_MS + MINUTE_MS)
    await app.state.backend.hub.tick()
    assert (await get(guest, "/api/bots"))[0]["pnl_today"] == pytest.approx(first.pnl_e8 / 1e8)
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS + DAY_MS)
    second = await engine.close("V1", ticks=490_000, at_ms=START_MS + DAY_MS)
    await app.state.backend.hub.tick()
    assert (await get(guest, "/api/bots"))[0]["pnl_today"] == pytest.approx(second.pnl_e8 / 1e8)


async def test_a_board_filled_from_the_journal_equals_one_that_followed_it(app: FastAPI, engine: SmallEngine) -> None:
    await race(engine)
    backend = app.state.backend
    await backend.hub.tick()
    assert backend.history.board().parts() == backend.board.parts()
    assert backend.history.board().today_e8() == backend.board.today_e8()


# --- Control ---------------------------------------------------------------------------------


async def test_one_bot_or_all_are_started_paused_and_stopped(owner: httpx2.AsyncClient, engine: SmallEngine) -> None:
    assert (await owner.post("/api/pause", params={"bot": "V2"})).json()["bots"] == {"V2": "paused"}
    assert (await owner.post("/api/resume")).json()["bots"] == {"V1": "running", "V2": "running"}
    assert (await owner.post("/api/stop", params={"bot_version": "V1"})).json()["bots"] == {"V1": "stopped"}
    assert (await owner.post("/api/start")).json()["ok"] is True
    assert engine.racers["V1"].state == "running"
    response = await owner.post("/api/stop", params={"bot": "V9"})
    assert (response.status_code, response.json()["detail"]) == (400, "bot: there is no bot 'V9'; bots: V1, V2")


async def test_stop_and_kill_close_positions_only_when_asked(owner: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    await owner.post("/api/stop")
    assert engine.racers["V1"].position is not None
    await owner.post("/api/kill", params={"close_positions": True})
    assert engine.racers["V1"].position is None
    assert (await trades(owner)).trades[0].reason == "kill"


async def test_a_position_is_closed_once_whatever_is_sent_twice(owner: httpx2.AsyncClient, engine: SmallEngine) -> None:
    await engine.open_position("V1", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    await engine.open_position("V2", BTC, ticks=500_000, lots=20, at_ms=START_MS)
    key = {"idempotency-key": "close-1"}
    body = {"symbol": "BTC-USDT-USDT", "bot": "V1"}
    first = await owner.post("/api/close_position", json=body, headers=key)
    again = await owner.post("/api/close_position", json=body, headers=key)
    assert first.json() == again.json()
    assert len(first.json()["orders"]) == 1
    assert (await trades(owner)).totals.trades == 1
    other = await owner.post("/api/close_position", json={**body, "bot": "V2"}, headers=key)
    assert other.status_code == 409
    gone = await owner.post("/api/close_position", json=body)
    assert (gone.status_code, gone.json()["detail"]) == (404, f"bot V1 has no open position in {BTC}")


async def test_speed_is_one_of_those_allowed(owner: httpx2.AsyncClient, engine: SmallEngine) -> None:
    assert (await owner.post("/api/speed", json={"speed": 600})).json()["speed"] == 600
    assert engine.speed == 600
    response = await owner.post("/api/speed", json={"speed": 7})
    assert response.status_code == 400
    assert "1, 10, 60, 600" in response.json()["detail"]


# --- Pages and contract ----------------------------------------------------------------------


async def test_the_contract_names_every_endpoint_and_every_frame(guest: httpx2.AsyncClient) -> None:
    document = await get(guest, "/api/openapi.json")
    schemas = document["components"]["schemas"]
    for name in ("ServerFrame", "ClientFrame", "SnapshotFrame", "TradeFrame", "SnapshotData", "Problem", "TradeView"):
        assert name in schemas
    refs = {ref["$ref"].rpartition("/")[2] for ref in schemas["ServerFrame"]["oneOf"]}
    assert refs <= set(schemas)
    assert {"/api/status", "/api/trades.csv", "/api/debug/{symbol}", "/api/close_position"} <= set(document["paths"])
    page = (await guest.get("/api/docs")).text
    assert "/api/pnl-history" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://127.0.0.1", "")


async def test_the_dashboard_is_served_for_its_own_pages(app: FastAPI, tmp_path: Path) -> None:
    folder = tmp_path / "webui"
    folder.mkdir()
    (folder / "index.html").write_text("<title>Regatta</title>")
    async with browser(app) as client:
        response = await client.get("/history?bot=V1")
        assert (response.status_code, response.text) == (200, "<title>Regatta</title>")
        assert response.headers["cache-control"] == "no-cache"


def test_the_command_prints_the_contract(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_contract()
    printed = json.loads(capfdbinary.readouterr().out)
    assert printed == document(create_app(ApiOptions(port=1)))
