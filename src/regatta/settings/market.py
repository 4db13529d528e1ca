"""The market that virtual bots trade on: generated, or stored history replayed."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from regatta.domain.timeframe import timeframe_ms
from regatta.settings.section import Section, setting
from regatta.settings.symbols import Symbols, Timeframe

MarketKind = Literal["generated", "replay"]
Speed = Literal[1, 10, 60, 600]


def _utc(value: object) -> object:
    """Read "2025-05-25" and times without a zone as UTC."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError(
                "not_a_time", "must be a UTC date or time such as 2025-05-25 or 2025-05-25T14:30Z"
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    raise PydanticCustomError("not_a_time", "must be a UTC date or time such as 2025-05-25 or 2025-05-25T14:30Z")


def _whole_minute(value: datetime) -> datetime:
    if value.second or value.microsecond:
        raise PydanticCustomError("not_a_minute", "must be a whole minute")
    return value.astimezone(UTC)


UtcTime = Annotated[AwareDatetime, BeforeValidator(_utc), AfterValidator(_whole_minute)]


def _number(value: object) -> object:
    """Take "60" from the environment for 60."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def epoch_ms(moment: datetime) -> int:
    """Return milliseconds since the Unix epoch."""
    return int(moment.timestamp()) * 1000


class ReplayPeriod(Section):
    """Which part of the stored history is replayed."""

    from_: Annotated[
        UtcTime,
        setting("From", "First moment that is replayed; candles before it are the bots' history.", "UTC"),
    ] = Field(validation_alias="from", serialization_alias="from")
    to: Annotated[UtcTime, setting("To", "The replay ends before this moment.", "UTC")]

    @property
    def from_ms(self) -> int:
        """Start of the period, milliseconds since the Unix epoch."""
        return epoch_ms(self.from_)

    @property
    def to_ms(self) -> int:
        """End of the period (exclusive), milliseconds since the Unix epoch."""
        return epoch_ms(self.to)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to <= self.from_:
            raise PydanticCustomError("period", "the period must end after it begins")
        return self


class VirtualMarketSettings(Section):
    """A market without a network: the same for all virtual bots."""

    kind: Annotated[
        MarketKind,
        setting("Kind", "A market generated from the seed, or stored candles replayed."),
    ] = "generated"
    venue: Annotated[
        str,
        setting("Venue", "Whose instruments, fees and stored candles are used.", min_length=1, max_length=40),
    ] = "binanceusdm"
    symbols: Annotated[
        Symbols,
        setting("Symbols", "What the market holds; empty: what the bots trade."),
    ] = ()
    timeframe: Annotated[Timeframe, setting("Timeframe", "Length of the market's own candles.")] = "1m"
    seed: Annotated[
        int,
        setting("Seed", "The same seed gives the same generated market.", ge=0, le=2**53),
    ] = 7
    history: Annotated[
        int,
        setting("History", "Candles of each symbol before the market begins.", "candles", ge=0, le=100_000),
    ] = 1500
    start: Annotated[
        UtcTime,
        setting(
            "Start",
            "When the generated market begins; its history lies before. The same start and seed repeat a run.",
            "UTC",
        ),
    ] = datetime(2026, 1, 1, tzinfo=UTC)
    speed: Annotated[
        Speed,
        BeforeValidator(_number),
        setting("Speed", "Market time per real time.", "x", applies="at_once"),
    ] = 60
    replay: Annotated[
        ReplayPeriod | None,
        setting("Replay", "The period of stored history to replay (kind: replay)."),
    ] = None

    @property
    def start_ms(self) -> int:
        """When the market begins: of the replay, or of the generated market."""
        return self.replay.from_ms if self.kind == "replay" and self.replay else epoch_ms(self.start)

    @property
    def timeframe_ms(self) -> int:
        """Length of the market's candles."""
        return timeframe_ms(self.timeframe)

    @model_validator(mode="after")
    def _period_given(self) -> Self:
        if self.kind == "replay" and self.replay is None:
            raise PydanticCustomError(
                "replay", "kind: replay needs the period, such as replay: {{from: 2025-05-25, to: 2025-06-24}}"
            )
        if self.kind == "generated" and self.replay is not None:
            raise PydanticCustomError("replay", "replay is only allowed with kind: replay")
        if self.start_ms % self.timeframe_ms:
            raise PydanticCustomError("start", "the market must start at a multiple of its timeframe")
        return self
