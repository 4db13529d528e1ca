"""How the API is served: set by the command line, fixed while it runs."""

from dataclasses import dataclass, field
from pathlib import Path

from regatta.api.sessions import Sessions
from regatta.domain.clock import Clock
from regatta.engine.clock import RealClock

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """Where the API listens and who may ask.

    open_reads: reading needs no session (demo); only for loopback. webui: folder of the built
    dashboard. sessions: made here unless handed in.
    """

    port: int
    open_reads: bool = False
    webui: Path = Path(__file__).resolve().parent.parent / "webui"
    clock: Clock = field(default_factory=RealClock)
    sessions: Sessions = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.sessions is None:
            object.__setattr__(self, "sessions", Sessions(self.clock))

    @property
    def hosts(self) -> frozenset[str]:
        """Values of the Host header that are answered: others may be a rebound name."""
        plain = LOOPBACK if self.port == 80 else ()
        return frozenset((*plain, *(f"{host}:{self.port}" for host in LOOPBACK)))

    @property
    def cookie(self) -> str:
        """Name of the session cookie. Cookies ignore ports: the name keeps two instances apart."""
        return f"regatta_session_{self.port}"
