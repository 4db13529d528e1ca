"""The instruments that Regatta knows without asking a venue, and what users call them.

The tables hold the most traded instruments of each venue, one row each. They serve backtests,
virtual markets and the demo; live trading asks the venue.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from regatta.domain.errors import BadInput
from regatta.domain.instrument import Instrument, path_symbol

VENUES = ("binance", "binanceusdm", "kucoinfutures", "mexc")


@cache
def instruments(venue: str) -> Mapping[str, Instrument]:
    """Return the known instruments of a venue by unified symbol, sorted.

    Raises BadInput for a venue that has no table.
    """
    table = _table(venue)
    kind: Literal["spot", "swap"] = "spot" if table["kind"] == "spot" else "swap"
    found: dict[str, Instrument] = {}
    for values in table["rows"]:
        row = dict(zip(table["columns"], values, strict=True))
        symbol: str = row["symbol"]
        base, rest = symbol.split("/")
        found[symbol] = Instrument(
            venue=venue,
            symbol=symbol,
            base=base,
            quote=rest.split(":")[0],
            kind=kind,
            tick_size=Decimal(row["tick_size"]),
            lot_step=Decimal(row["lot_step"]),
            min_quantity=Decimal(row["min_quantity"]),
            min_notional=Decimal(row["min_notional"]),
            contract_size=Decimal(row.get("contract_size", "1")),
            max_leverage=int(row.get("max_leverage", 1)),
            maker_fee=Decimal(row.get("maker_fee", table["maker_fee"])),
            taker_fee=Decimal(row.get("taker_fee", table["taker_fee"])),
        )
    return MappingProxyType(dict(sorted(found.items())))


def source(venue: str) -> str:
    """Return where the venue's table comes from and how sure it is."""
    return str(_table(venue)["source"])


def resolve(venue: str, name: str) -> Instrument:
    """Return the instrument that a user means.

    name: BTC/USDT, BTC/USDT:USDT, BTC-USDT, BTC-USDT-USDT, BTCUSDT or the venue's own name,
    without regard to case. Raises BadInput with near matches when there is none, and with all
    of them when the name fits several.
    """
    known = instruments(venue)
    if name in known:
        return known[name]
    fits = sorted(_names(venue).get(_plain(name), ()))
    if len(fits) == 1:
        return known[fits[0]]
    if fits:
        raise BadInput(f"{name!r} is ambiguous at {venue}: it may be {' or '.join(fits)}; write one of these")
    near = get_close_matches(_plain(name), list(_names(venue)), n=3, cutoff=0.6)
    meant = sorted({symbol for candidate in near for symbol in _names(venue)[candidate]})
    hint = f"did you mean {', '.join(meant)}?" if meant else f"known are {', '.join(list(known)[:5])} and others"
    raise BadInput(f"{venue} has no instrument {name!r}; {hint}")


@cache
def _names(venue: str) -> Mapping[str, frozenset[str]]:
    """Return all names of a venue's instruments, reduced by `_plain`, with what they may mean."""
    names: dict[str, set[str]] = {}
    table = _table(venue)
    own = table["columns"].index("id")
    for values in table["rows"]:
        symbol: str = values[0]
        for name in (symbol, symbol.split(":")[0], path_symbol(symbol), values[own]):
            names.setdefault(_plain(name), set()).add(symbol)
    return {name: frozenset(symbols) for name, symbols in names.items()}


def _plain(name: str) -> str:
    return "".join(c for c in name.upper() if c.isalnum())


@cache
def _table(venue: str) -> dict[str, Any]:
    if venue not in VENUES:
        near = get_close_matches(venue, VENUES, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise BadInput(f"there is no venue {venue!r}{hint}; allowed: {', '.join(VENUES)}")
    text = files("regatta.market").joinpath(f"tables/{venue}.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
