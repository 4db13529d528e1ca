"""The reference of all settings, written from the models: docs/reference/settings.md.

`python -m regatta.settings.reference` prints it; a test fails when the committed page is older
than the models.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from regatta.settings.bot import BotSettings
from regatta.settings.faults import in_words
from regatta.settings.market import ReplayPeriod, VirtualMarketSettings
from regatta.settings.risk import RiskSettings
from regatta.settings.server import LogSettings, ServerSettings

_HEAD = """\
# Settings

<!-- Written by `python -m regatta.settings.reference`; change the models, not this page. -->

Settings lie in two places of the config folder: `regatta.yaml` (the platform) and one
`bots/<name>.yaml` per bot. What is not written there has the default below. Names that are not
settings, values out of bounds and doubled names are refused, all at once, with file and line.

What wins: command line, then environment, then file, then the strategy's own defaults, then the
default below. In the environment a setting is `REGATTA_<SECTION>__<FIELD>`, for example
`REGATTA_SERVER__PORT=9000` or, for bot V1, `REGATTA_BOTS__V1__RISK__STOP_PCT=1.5`; an empty value
means "empty". `LOG_LEVEL` stands for `REGATTA_LOG__LEVEL`. `regatta doctor --config DIR` checks
the files without running anything.

*Applies* says when a change takes effect: `at_once`, `next_entry` (open positions keep the stop
and target of their entry) or `restart`.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("`regatta.yaml`: `market`", VirtualMarketSettings),
    ("`regatta.yaml`: `market.replay`", ReplayPeriod),
    ("`regatta.yaml`: `server`", ServerSettings),
    ("`regatta.yaml`: `log`", LogSettings),
    ("`bots/<name>.yaml`", BotSettings),
    ("`bots/<name>.yaml`: `risk`", RiskSettings),
)


def reference() -> str:
    """Return the whole page, in Markdown."""
    from regatta.strategies import builtin

    parts = [_HEAD]
    for title, model in _SECTIONS:
        parts.append(f"## {title}\n\n{_summary(model)}\n\n{_table(model)}\n")
    for strategy in builtin().values():
        own = ", ".join(f"`{name}` {_code(value)}" for name, value in strategy.defaults.items())
        defaults = f"\n\nUnless the file says otherwise: {own}." if own else ""
        parts.append(
            f"## `bots/<name>.yaml`: `parameters` of `{strategy.name}`\n\n"
            f"{strategy.title}. {strategy.description}{defaults}\n\n{_table(strategy.Parameters)}\n"
        )
    return "\n".join(parts)


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n\n")[0]


def _table(model: type[BaseModel]) -> str:
    rows = [
        "| setting | default | allowed | applies | what it is |",
        "|---|---|---|---|---|",
        *_rows(model),
    ]
    return "\n".join(rows)


def _rows(model: type[BaseModel]) -> Iterator[str]:
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        needed = name in schema.get("required", ())
        default = "needed" if needed else _default(field.get("default", {}))
        what = f"**{field['title']}.** {field['description']}"
        cells = (f"`{name}`", default, in_words(field, schema), f"`{field['applies']}`", what)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: object) -> str:
    if isinstance(value, Mapping):
        return ""
    if value is None or value == []:
        return "empty"
    return _code(value)


def _code(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(_code(one) for one in value)
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
