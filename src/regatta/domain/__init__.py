"""The words of Regatta: what every other room talks about. Imports nothing of ours.

Times are integer milliseconds since the Unix epoch, UTC (`_ms`). Prices of decisions are
float64; prices and quantities of orders are whole ticks and lots (`_ticks`, `lots`); money
in a bot's books is a whole number of 10**-8 quote units (`_e8`); at the venue and in the
ledger the same amounts are `Decimal`.
"""
