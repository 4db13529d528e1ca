"""How large an entry is: from equity and the distance of the stop to whole lots."""

from regatta.domain.money import floor_steps

BY_RISK = 0
BY_PERCENT = 1
BY_AMOUNT = 2
BY_QUANTITY = 3

SIZING_MODES = {"risk": BY_RISK, "percent": BY_PERCENT, "fixed": BY_AMOUNT, "quantity": BY_QUANTITY}
"""Names in the settings -> codes that the rules take."""

BELOW_MINIMUM = -1
NO_BALANCE = -2
TOO_LARGE = -3

REFUSALS = {BELOW_MINIMUM: "below_minimum", NO_BALANCE: "no_balance", TOO_LARGE: "too_large"}
"""Negative results of `entry_lots` -> the reason that the decision names."""

LARGEST_NOTIONAL = 9e9
"""Quote units of one order; beyond it 10**-8 units might leave int64."""


def risk_quantity(
    equity: float,
    risk_share: float,
    entry: float,
    stop: float,
    fee: float,
    slippage: float,
) -> float:
    """Return the base quantity that loses `risk_share` of equity at a full stop, costs included.

    equity: quote; risk_share: fraction of it (allocation x risk per trade); entry, stop: quote
    per base; fee, slippage: fractions. 0 when entry equals stop and nothing costs.
    Source: specification, risk.md "Size".
    """
    distance = entry - stop
    if distance < 0.0:
        distance = -distance
    loss = distance + fee * entry + (fee + slippage) * stop
    if loss <= 0.0:
        return 0.0
    return equity * risk_share / loss


def entry_lots(
    mode: int,
    amount: float,
    equity: float,
    free: float,
    entry: float,
    stop: float,
    allocation: float,
    leverage: float,
    tradable: float,
    max_notional: float,
    fee: float,
    slippage: float,
    lot_num: int,
    lot_den: int,
    min_lots: int,
    min_notional: float,
) -> int:
    """Return the whole lots of an entry, or a negative refusal (`REFUSALS`).

    mode: one of `SIZING_MODES`; amount: fraction of equity risked (risk), fraction of equity
    (percent), quote (fixed) or base units (quantity). entry: the decision price; stop: the
    planned stop price (0.0 when there is none: then the whole entry is at risk).
    free: equity not bound by positions and entries under way; tradable: share of
    leverage x free that may be used; max_notional: quote, infinity when unlimited.
    lot_num / lot_den: base units of one lot; min_notional: quote.
    """
    if equity <= 0.0 or free <= 0.0:
        return NO_BALANCE
    if mode == BY_RISK:
        quantity = risk_quantity(equity, allocation * amount, entry, stop, fee, slippage)
    elif mode == BY_PERCENT:
        quantity = equity * allocation * amount / entry
    elif mode == BY_AMOUNT:
        quantity = amount / entry
    else:
        quantity = amount
    most = leverage * free * tradable
    if max_notional < most:
        most = max_notional
    if quantity * entry > most:
        quantity = most / entry
    if quantity * entry > LARGEST_NOTIONAL:
        return TOO_LARGE
    lots = floor_steps(quantity, lot_num, lot_den)
    if lots < min_lots:
        return BELOW_MINIMUM
    if float(lots * lot_num) / float(lot_den) * entry < min_notional:
        return BELOW_MINIMUM
    return lots
