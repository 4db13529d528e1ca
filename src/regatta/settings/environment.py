"""Settings from environment variables: REGATTA_<SECTION>__<FIELD>."""

from collections.abc import Mapping
from typing import Any

from regatta.settings.faults import Fault, Loc

PREFIX = "REGATTA_"
OTHER_NAMES: Mapping[str, Loc] = {"LOG_LEVEL": ("log", "level")}
"""Variables with a name of their own that stand for a setting."""


def overrides(environ: Mapping[str, str], bots: Mapping[str, int]) -> dict[Loc, tuple[str, Any]]:
    """Return location -> (variable, value) of each setting that the environment names.

    bots: names of the bots with their place: REGATTA_BOTS__V1__RISK__STOP_PCT sets risk.stop_pct
    of bot V1, whatever the case of its name. An empty value means "empty" (None). Variables
    without a double underscore are not settings. Raises BadVariable for a bot that isn't there.
    """
    found: dict[Loc, tuple[str, Any]] = {}
    by_lower = {name.lower(): place for name, place in bots.items()}
    for variable, text in sorted(environ.items()):
        if variable in OTHER_NAMES:
            found[OTHER_NAMES[variable]] = (variable, text)
            continue
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        parts: list[str | int] = [part.lower() for part in variable.removeprefix(PREFIX).split("__")]
        if parts[0] == "bots":
            if len(parts) < 3 or parts[1] not in by_lower:
                known = ", ".join(bots) or "none"
                raise BadVariable(Fault(variable, "", f"names no bot with a field; bots: {known}"))
            parts[1] = by_lower[str(parts[1])]
        found[tuple(parts)] = (variable, text or None)
    return found


class BadVariable(Exception):
    """A variable that can't be placed."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


def put(data: dict[str, Any], loc: Loc, value: Any) -> bool:
    """Set the value at a location, making sections on the way; False when something is in the way."""
    at: Any = data
    for part in loc[:-1]:
        at = at[part] if isinstance(part, int) else at.setdefault(part, {})
        if not isinstance(at, dict | list):
            return False
    if not isinstance(at, dict):
        return False
    at[loc[-1]] = value
    return True
