"""Signing in: single-use links, and the sessions that they open.

1. A session is a server-side row under the hash of an opaque 256-bit id; the id itself is only in
   the browser's cookie. It ends after 7 idle days, after 30 days, by signing out, or with the process.
2. A link opens one session, once. Its token is compared in constant time and never logged.
"""

import hashlib
import secrets

from regatta.domain.clock import Clock
from regatta.domain.timeframe import DAY_MS

IDLE_MS = 7 * DAY_MS
ABSOLUTE_MS = 30 * DAY_MS
MAX_SESSIONS = 64
"""Sessions held at once; the one that was idle longest gives way."""


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class Session:
    """One signed-in browser."""

    __slots__ = ("opened_ms", "seen_ms")

    def __init__(self, now_ms: int) -> None:
        self.opened_ms = now_ms
        self.seen_ms = now_ms


class Sessions:
    """Links that were given out, and sessions that were opened by them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._links: set[bytes] = set()
        self._sessions: dict[bytes, Session] = {}

    def issue_link(self) -> str:
        """Return a new single-use token, to be shown as <address>/signin?token=..."""
        token = secrets.token_urlsafe(32)
        self._links.add(_key(token))
        return token

    def open(self, token: str) -> str | None:
        """Spend a link's token; return the id of the new session, None for an unknown or spent token."""
        # Looked up by hash: the time it takes says nothing about the token.
        key = _key(token)
        if key not in self._links:
            return None
        self._links.remove(key)
        now = self._clock.now_ms()
        self._forget(now)
        if len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda k: self._sessions[k].seen_ms)]
        session_id = secrets.token_urlsafe(32)
        self._sessions[_key(session_id)] = Session(now)
        return session_id

    def holds(self, session_id: str | None) -> bool:
        """Tell whether the session is alive, and note that it was used."""
        if not session_id:
            return False
        now = self._clock.now_ms()
        key = _key(session_id)
        session = self._sessions.get(key)
        if session is None:
            return False
        if not self._alive(session, now):
            del self._sessions[key]
            return False
        session.seen_ms = now
        return True

    def close(self, session_id: str | None) -> None:
        """End the session, if there is one."""
        if session_id:
            self._sessions.pop(_key(session_id), None)

    @staticmethod
    def _alive(session: Session, now_ms: int) -> bool:
        return now_ms - session.seen_ms < IDLE_MS and now_ms - session.opened_ms < ABSOLUTE_MS

    def _forget(self, now_ms: int) -> None:
        for key in [key for key, session in self._sessions.items() if not self._alive(session, now_ms)]:
            del self._sessions[key]
