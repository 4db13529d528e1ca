"""Where the dashboard and the API are served, and what is logged."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, field_validator
from pydantic_core import PydanticCustomError

from regatta.settings.section import Section, setting

LOOPBACK = ("127.0.0.1", "localhost", "::1")
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class ServerSettings(Section):
    """The dashboard's address."""

    host: Annotated[
        str,
        setting("Host", "Address to serve on. This version has no password and serves this machine only."),
    ] = "127.0.0.1"
    port: Annotated[int, setting("Port", "Port of dashboard and API.", ge=1, le=65_535)] = 8000

    @field_validator("host", mode="after")
    @classmethod
    def _this_machine_only(cls, host: str) -> str:
        if host not in LOOPBACK:
            raise PydanticCustomError(
                "host",
                "is not allowed: no password can be set yet, so only this machine may be served; allowed: {hosts}",
                {"hosts": ", ".join(LOOPBACK)},
            )
        return host


class LogSettings(Section):
    """How much is written to console and log files."""

    level: Annotated[
        Level,
        BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
        setting("Level", "Least serious kind of message that is written (also LOG_LEVEL).", applies="restart"),
    ] = "INFO"
