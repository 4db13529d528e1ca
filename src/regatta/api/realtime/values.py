"""The newest state of prices, positions, balances and health, made to JSON once for all clients."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from regatta.api.schemas import SpeedView
from regatta.api.times import iso
from regatta.api.views import live_position_view, status_view
from regatta.engine.control import Control

TICK_S = 0.1
"""Time between two looks at the values: at most ten sends a second."""

BALANCE_TICKS = 5
SYSTEM_TICKS = 10


class LiveValues:
    """Values with a version each: a client that holds an older version gets the newest state.

    `note_price` and `note_positions` are called by the bus and only take note; `refresh` makes
    JSON of what changed, at most once a tick.
    """

    def __init__(self, control: Control, today_e8: Callable[[], Mapping[str, int]]) -> None:
        self._control = control
        self._today_e8 = today_e8
        self._versions = {"price_update": 0, "position_update": 0, "balance_update": 0, "system_status": 0}
        self._texts: dict[str, str] = {}
        self._fresh: dict[str, tuple[float, int]] = {}
        self._prices: dict[str, tuple[int, dict[str, Any]]] = {}
        self._price_texts: dict[int, str] = {}
        self._positions_stale = True
        self._ticks = 0
        self.speed: SpeedView | None = None

    def note_price(self, symbol: str, price: float, at_ms: int) -> None:
        """Remember a price; called for every candle, so nothing else."""
        self._fresh[symbol] = (price, at_ms)

    def note_positions(self) -> None:
        """Remember that positions may have changed."""
        self._positions_stale = True

    def refresh(self) -> None:
        """Bring the JSON of the values up to date. Once a tick, while anybody listens."""
        if self._fresh:
            self._refresh_prices()
            self._positions_stale = True
        if self._positions_stale:
            self._positions_stale = False
            positions = [live_position_view(p).model_dump() for p in self._control.positions()]
            self._replace("position_update", {"positions": positions})
        if self._ticks % BALANCE_TICKS == 0:
            status = self._control.status()
            view = status_view(status, self._today_e8())
            self.speed = view.speed
            shown = view.model_dump()
            self._replace("balance_update", {"bots": shown["bots"], "totals": shown["totals"]})
            if self._ticks % SYSTEM_TICKS == 0:
                self._replace(
                    "system_status",
                    {
                        "is_running": view.is_running,
                        "uptime_s": view.uptime_s,
                        "loop_lag_ms": status.loop_lag_ms,
                        "journal_seq": status.journal_seq,
                        "feeds": shown["feeds"],
                        "errors": view.errors,
                    },
                    always=True,
                )
        self._ticks += 1

    def _refresh_prices(self) -> None:
        fresh, self._fresh = self._fresh, {}
        version = self._versions["price_update"] + 1
        for symbol, (price, at_ms) in fresh.items():
            held = self._prices.get(symbol)
            if held is None or held[1]["price"] != price or held[1]["at"] != iso(at_ms):
                self._prices[symbol] = (version, {"symbol": symbol, "price": price, "at": iso(at_ms)})
        self._versions["price_update"] = version
        self._price_texts.clear()

    def _replace(self, topic: str, data: dict[str, Any], *, always: bool = False) -> None:
        text = orjson.dumps(data).decode()
        if always or text != self._texts.get(topic):
            self._texts[topic] = text
            self._versions[topic] += 1

    # --- what outboxes ask ---------------------------------------------------------------------

    def versions(self) -> Mapping[str, int]:
        """Return how often each value has changed."""
        return self._versions

    def since(self, topic: str, version: int) -> str | None:
        """Return the JSON data that brings a client from `version` to now."""
        if topic != "price_update":
            return self._texts.get(topic)
        text = self._price_texts.get(version)
        if text is None:
            changed = [price for changed_in, price in self._prices.values() if changed_in > version]
            text = orjson.dumps({"prices": changed}).decode() if changed else ""
            self._price_texts[version] = text
        return text or None
