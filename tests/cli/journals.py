"""A small journal on disk, as a run of two bots would leave it."""

import json
from decimal import Decimal
from pathlib import Path

from regatta.domain.events import AnyRecord, BotRegistered, BotStateChanged, TradeClosed
from regatta.domain.order import Side
from regatta.domain.position import Trade
from regatta.journal import Journal
from regatta.market.instruments import instruments

SYMBOL = "BTC/USDT:USDT"
OPENED_MS = 1_767_225_600_000


def written(data_dir: Path) -> Path:
    """Write the journal of two bots with three trades; return its file."""
    data_dir.mkdir(parents=True, exist_ok=True)
    journal = Journal.open_now(data_dir / "journal.sqlite")
    journal.append_now(records())
    journal.close_now()
    return data_dir / "journal.sqlite"


def records() -> list[AnyRecord]:
    grid = instruments("binanceusdm")[SYMBOL]
    settings = {
        "instruments": {
            SYMBOL: {
                "tick_size": str(grid.tick_size),
                "lot_step": str(grid.lot_step),
                "contract_size": str(grid.contract_size),
                "quote": "USDT",
            }
        }
    }
    made: list[AnyRecord] = [
        BotRegistered(
            at_ms=OPENED_MS,
            bot=bot,
            mode="virtual",
            venue="binanceusdm",
            strategy="ema_rsi",
            initial_balance_e8=10_000 * 10**8,
            settings=json.dumps(settings),
        )
        for bot in ("V1", "V2")
    ]
    made.append(BotStateChanged(at_ms=OPENED_MS, bot="V2", state="paused", by="user"))
    balances = {"V1": 10_000 * 10**8, "V2": 10_000 * 10**8}
    for n, (bot, pnl) in enumerate([("V1", "12.5"), ("V1", "-3.25"), ("V2", "7")], 1):
        pnl_e8 = int(Decimal(pnl) * 10**8)
        balances[bot] += pnl_e8
        at_ms = OPENED_MS + 60_000 * n
        made.append(TradeClosed(at_ms=at_ms, bot=bot, trade=trade(bot, n, pnl_e8, balances[bot])))
    return made


def trade(bot: str, number: int, pnl_e8: int, balance_e8: int) -> Trade:
    return Trade(
        trade_id=f"{bot}-{number}",
        bot=bot,
        symbol=SYMBOL,
        side=Side.BUY,
        lots=1,
        opened_ms=OPENED_MS,
        closed_ms=OPENED_MS + 60_000 * number,
        entry_ticks=1_000_000,
        exit_ticks=1_001_000,
        entry_cost_e8=100 * 10**8,
        exit_value_e8=101 * 10**8,
        fees_e8=10**7,
        funding_e8=0,
        pnl_e8=pnl_e8,
        reason="signal",
        balance_after_e8=balance_e8,
    )
