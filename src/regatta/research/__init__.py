"""Research: backtests at full speed over the same strategies, risk rules and matching rules."""
