"""A small engine for the API's tests: real journal, real bus, bots that do what they are told."""

from collections.abc import Sequence

import msgspec

from regatta.domain.bus import Committed
from regatta.domain.candle import Candle
from regatta.domain.errors import BadInput
from regatta.domain.events import (
    AnyRecord,
    BotRegistered,
    BotStateChanged,
    CandleClosed,
    DecisionTaken,
    EquityMarked,
    HoldsCounted,
    OrderAccepted,
    OrderFilled,
    PlaceOrder,
    PositionChanged,
    TradeClosed,
)
from regatta.domain.order import Fill, Order, OrderKind, OrderRole, Side
from regatta.domain.position import Position, Trade
from regatta.domain.signal import Check, Decision, Signal
from regatta.engine.bus import EventBus
from regatta.engine.control import BotStatus, EngineStatus, FeedStatus, LivePosition, SymbolChecks
from regatta.journal import Journal

START_MS = 1_748_131_200_000
"""2025-05-25T00:00:00Z"""
MINUTE_MS = 60_000
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
E8 = 100_000_000
INITIAL_E8 = 10_000 * E8
UNIT_E8 = 10_000
"""One lot at one tick, of either symbol: 0.1 x 0.001 and 0.01 x 0.01."""


class TestClock:
    """A clock that stands until it is told otherwise."""

    __test__ = False

    def __init__(self, now_ms: int = START_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    async def sleep_until(self, at_ms: int) -> None:
        self.ms = max(self.ms, at_ms)


class Racer:
    """One bot: its state and its counters."""

    def __init__(self, name: str, parameters: dict[str, object]) -> None:
        self.name = name
        self.parameters = parameters
        self.state = "running"
        self.balance_e8 = INITIAL_E8
        self.wins = self.losses = self.trades = self.signals = 0
        self.holds = {"rsi": 12, "trend": 30}
        self.position: Position | None = None


class SmallEngine:
    """Implements Control over a journal: two bots on two symbols; prices are given from outside."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.bus = EventBus()
        self.racers = {"V1": Racer("V1", {"rsi_overbought": 75}), "V2": Racer("V2", {"rsi_overbought": 85})}
        self.last: dict[str, tuple[float, int]] = {BTC: (50_000.0, START_MS), ETH: (2_500.0, START_MS)}
        self.now_ms = START_MS
        self.speed = 60.0
        self.started: list[str] = []
        self.sent = 0
        self.fails = False

    # --- what tests make happen --------------------------------------------------------------

    async def commit(self, *records: AnyRecord) -> list[int]:
        """Journal the records, then publish them, as the engine does."""
        numbers = list(await self.journal.append(records))
        for number, record in zip(numbers, records, strict=True):
            self.bus.publish(Committed(number, record))
        return numbers

    async def register(self) -> None:
        """Register both bots, with the instruments that they trade."""
        settings = {
            "instruments": {
                BTC: {"tick_size": "0.10", "lot_step": "0.001", "contract_size": "1", "quote": "USDT"},
                ETH: {"tick_size": "0.01", "lot_step": "0.01", "contract_size": "1", "quote": "USDT"},
            }
        }
        for racer in self.racers.values():
            await self.commit(
                BotRegistered(
                    at_ms=START_MS,
                    bot=racer.name,
                    mode="virtual",
                    venue="binanceusdm",
                    strategy="ema_rsi",
                    initial_balance_e8=INITIAL_E8,
                    settings=msgspec.json.encode(settings).decode(),
                )
            )

    def price(self, symbol: str, price: float, at_ms: int) -> None:
        """Close a candle at a price."""
        self.last[symbol] = (price, at_ms)
        self.now_ms = max(self.now_ms, at_ms)
        self.bus.publish(CandleClosed(Candle(symbol, "1m", at_ms - MINUTE_MS, at_ms, price, price, price, price, 1.0)))

    async def open_position(self, bot: str, symbol: str, *, ticks: int, lots: int, at_ms: int) -> str:
        """Decide, order, fill an entry; return the position's id."""
        racer = self.racers[bot]
        self.sent += 1
        client_id = f"{bot}-{self.sent:04d}"
        cost = ticks * lots * UNIT_E8
        racer.signals += 1
        racer.position = Position(
            position_id=client_id,
            bot=bot,
            symbol=symbol,
            side=Side.BUY,
            lots=lots,
            entry_ticks=ticks,
            cost_e8=cost,
            fees_e8=cost // 2000,
            funding_e8=0,
            realised_e8=0,
            opened_ms=at_ms,
            stop_ticks=ticks * 98 // 100,
            target_ticks=ticks * 104 // 100,
        )
        await self.commit(
            DecisionTaken(at_ms=at_ms, bot=bot, decision=decision(bot, symbol, at_ms, "enter", client_id=client_id)),
            PlaceOrder(
                at_ms=at_ms,
                bot=bot,
                order=order(client_id, bot, symbol, Side.BUY, OrderRole.ENTRY, lots, ticks, client_id),
            ),
            OrderAccepted(at_ms=at_ms, bot=bot, client_id=client_id, venue_order_id=f"v{client_id}"),
            OrderFilled(
                at_ms=at_ms, bot=bot, fill=fill(client_id, bot, symbol, Side.BUY, lots, ticks, cost // 2000, at_ms)
            ),
            PositionChanged(at_ms=at_ms, bot=bot, position=racer.position),
        )
        racer.balance_e8 -= cost // 2000
        return client_id

    async def close(self, bot: str, *, ticks: int, at_ms: int, reason: str = "signal") -> Trade:
        """Order and fill the exit of the open position; return the trade."""
        racer = self.racers[bot]
        held = racer.position
        assert held is not None
        self.sent += 1
        client_id = f"{bot}-{self.sent:04d}"
        value = ticks * held.lots * UNIT_E8
        fees = held.fees_e8 + value // 2000
        pnl = value - held.cost_e8 - fees
        racer.balance_e8 += value - held.cost_e8 - value // 2000
        racer.trades += 1
        racer.wins += pnl > 0
        racer.losses += pnl < 0
        racer.signals += reason == "signal"
        racer.position = None
        trade = Trade(
            trade_id=held.position_id,
            bot=bot,
            symbol=held.symbol,
            side=Side.BUY,
            lots=held.lots,
            opened_ms=held.opened_ms,
            closed_ms=at_ms,
            entry_ticks=held.entry_ticks,
            exit_ticks=ticks,
            entry_cost_e8=held.cost_e8,
            exit_value_e8=value,
            fees_e8=fees,
            funding_e8=0,
            pnl_e8=pnl,
            reason=reason,
            balance_after_e8=racer.balance_e8,
        )
        records: list[AnyRecord] = [
            PlaceOrder(
                at_ms=at_ms,
                bot=bot,
                order=order(
                    client_id, bot, held.symbol, Side.SELL, OrderRole.EXIT, held.lots, ticks, held.position_id, reason
                ),
            ),
            OrderFilled(
                at_ms=at_ms,
                bot=bot,
                fill=fill(client_id, bot, held.symbol, Side.SELL, held.lots, ticks, value // 2000, at_ms),
            ),
            TradeClosed(at_ms=at_ms, bot=bot, trade=trade),
            EquityMarked(at_ms=at_ms, bot=bot, balance_e8=racer.balance_e8, equity_e8=racer.balance_e8),
        ]
        if reason == "signal":
            wanted = decision(bot, held.symbol, at_ms, "exit", client_id=client_id)
            records.insert(0, DecisionTaken(at_ms=at_ms, bot=bot, decision=wanted))
        await self.commit(*records)
        return trade

    async def hold_back(self, bot: str, symbol: str, at_ms: int) -> None:
        """Take a decision that a rule held back, and count holds."""
        self.racers[bot].signals += 1
        await self.commit(
            DecisionTaken(
                at_ms=at_ms, bot=bot, decision=decision(bot, symbol, at_ms, "held_back", reason="max_positions")
            ),
            HoldsCounted(at_ms=at_ms, bot=bot, from_ms=at_ms - MINUTE_MS, holds={symbol: {"rsi": 3, "trend": 1}}),
        )

    # --- Control ------------------------------------------------------------------------------

    def status(self) -> EngineStatus:
        if self.fails:
            raise RuntimeError("the secret is 1234")
        return EngineStatus(
            version="test",
            started_ms=START_MS,
            now_ms=self.now_ms,
            loop_lag_ms=0.5,
            journal_seq=self.journal.last_seq,
            journal_bytes=4096,
            bots=[self._bot(racer) for racer in self.racers.values()],
            feeds=[
                FeedStatus(
                    name="generated",
                    kind="generated",
                    state="running",
                    symbols=2,
                    market_time_ms=self.now_ms,
                    speed=self.speed,
                    last_event_age_ms=0,
                )
            ],
        )

    def _bot(self, racer: Racer) -> BotStatus:
        unrealised = sum(int(p.unrealised * 1e8) for p in self.positions() if p.bot == racer.name)
        return BotStatus(
            name=racer.name,
            mode="virtual",
            state=racer.state,
            venue="binanceusdm",
            strategy="ema_rsi",
            timeframe="1m",
            quote="USDT",
            symbols=(BTC, ETH),
            parameters=racer.parameters,
            initial_balance_e8=INITIAL_E8,
            balance_e8=racer.balance_e8,
            equity_e8=racer.balance_e8 + unrealised,
            unrealised_e8=unrealised,
            open_positions=int(racer.position is not None),
            max_positions=3,
            trades=racer.trades,
            wins=racer.wins,
            losses=racer.losses,
            signals=racer.signals,
            holds=racer.holds,
        )

    def positions(self) -> Sequence[LivePosition]:
        return [self._live(racer.position) for racer in self.racers.values() if racer.position is not None]

    def _live(self, held: Position) -> LivePosition:
        price, at_ms = self.last[held.symbol]
        tick, lot = (0.1, 0.001) if held.symbol == BTC else (0.01, 0.01)
        notional = price * held.lots * lot
        cost = held.cost_e8 / 1e8
        return LivePosition(
            position_id=held.position_id,
            bot=held.bot,
            mode="virtual",
            symbol=held.symbol,
            side="long",
            quantity=held.lots * lot,
            entry_price=held.entry_ticks * tick,
            price=price,
            stop_price=None if held.stop_ticks is None else held.stop_ticks * tick,
            target_price=None if held.target_ticks is None else held.target_ticks * tick,
            notional=notional,
            unrealised=notional - cost,
            unrealised_pct=100 * (notional - cost) / cost,
            fees=held.fees_e8 / 1e8,
            opened_ms=held.opened_ms,
            price_at_ms=at_ms,
        )

    def prices(self) -> dict[str, tuple[float, int]]:
        return dict(self.last)

    def checks(self, bot: str, symbol: str) -> SymbolChecks:
        if bot not in self.racers:
            raise BadInput(f"there is no bot {bot!r}; bots: V1, V2")
        if symbol not in self.last:
            raise BadInput(f"bot {bot} does not watch {symbol!r}; it watches {BTC}, {ETH}")
        return SymbolChecks(
            bot=bot,
            symbol=symbol,
            close_ms=self.now_ms,
            ready=True,
            outputs={"enter_long": CHECKS, "exit_long": (Check("rsi_high", 61.5, 70.0, ">", False),)},
        )

    async def _change(self, bot: str | None, state: str, by: str) -> None:
        for racer in self.racers.values():
            if bot in (None, racer.name):
                racer.state = state
                await self.commit(BotStateChanged(at_ms=self.now_ms, bot=racer.name, state=state, by=by))

    async def start(self, bot: str | None = None, by: str = "user") -> None:
        self.started.append(bot or "all")
        await self._change(bot, "running", by)

    async def stop(self, bot: str | None = None, close_positions: bool = False, by: str = "user") -> None:
        await self._change(bot, "stopped", by)
        if close_positions:
            await self._close_all(bot, "manual")

    async def pause(self, bot: str | None = None, by: str = "user") -> None:
        await self._change(bot, "paused", by)

    async def resume(self, bot: str | None = None, by: str = "user") -> None:
        await self._change(bot, "running", by)

    async def kill(self, close_positions: bool = False, by: str = "user") -> None:
        await self._change(None, "stopped", f"kill switch, {by}")
        if close_positions:
            await self._close_all(None, "kill")

    async def close_position(self, symbol: str, bot: str | None = None, by: str = "user") -> Sequence[str]:
        ids: list[str] = []
        for racer in self.racers.values():
            if bot in (None, racer.name) and racer.position is not None and racer.position.symbol == symbol:
                await self.close(racer.name, ticks=self._ticks(symbol), at_ms=self.now_ms, reason="manual")
                ids.append(f"{racer.name}-{self.sent:04d}")
        if not ids:
            raise BadInput(f"no open position in {symbol!r}")
        return ids

    async def _close_all(self, bot: str | None, reason: str) -> None:
        for racer in self.racers.values():
            if bot in (None, racer.name) and racer.position is not None:
                await self.close(racer.name, ticks=self._ticks(racer.position.symbol), at_ms=self.now_ms, reason=reason)

    def _ticks(self, symbol: str) -> int:
        return round(self.last[symbol][0] / (0.1 if symbol == BTC else 0.01))

    async def set_speed(self, speed: float) -> None:
        if speed not in (1.0, 10.0, 60.0, 600.0):
            raise BadInput(f"speed {speed:g} is not allowed; choose one of 1, 10, 60, 600")
        self.speed = speed


CHECKS = (Check("trend", 50_100.0, 50_000.0, ">", True), Check("rsi", 71.25, 75.0, "<", True))


def decision(bot: str, symbol: str, at_ms: int, action: str, *, client_id: str = "", reason: str = "") -> Decision:
    signal = Signal(
        bot=bot,
        symbol=symbol,
        timeframe="1m",
        close_ms=at_ms,
        direction="exit_long" if action == "exit" else "long",
        score=100.0,
        price=50_000.0,
        checks=CHECKS,
    )
    detail = "3 of 3 positions are open" if reason else ""
    return msgspec.convert(
        {
            "signal": msgspec.to_builtins(signal),
            "action": action,
            "reason": reason,
            "detail": detail,
            "client_id": client_id,
        },
        Decision,
    )


def order(
    client_id: str,
    bot: str,
    symbol: str,
    side: Side,
    role: OrderRole,
    lots: int,
    ticks: int,
    position_id: str,
    reason: str = "",
) -> Order:
    return Order(
        client_id=client_id,
        bot=bot,
        symbol=symbol,
        side=side,
        kind=OrderKind.MARKET,
        role=role,
        lots=lots,
        position_id=position_id,
        reduce_only=role is OrderRole.EXIT,
        decided_ticks=ticks,
        reason=reason,
    )


def fill(client_id: str, bot: str, symbol: str, side: Side, lots: int, ticks: int, fee_e8: int, at_ms: int) -> Fill:
    return Fill(
        fill_id=f"f-{client_id}",
        client_id=client_id,
        bot=bot,
        symbol=symbol,
        side=side,
        lots=lots,
        price_ticks=ticks,
        fee_e8=fee_e8,
        liquidity="taker",
        at_ms=at_ms,
    )
