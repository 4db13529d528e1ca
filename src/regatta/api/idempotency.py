"""`Idempotency-Key`: a request that is sent twice is carried out once.

1. The first request with a key is carried out; its answer is kept for a day (in memory: a restart
   forgets it) and given again to the same request with the same key.
2. The same key with another request, or while the first is still under way, is refused (409).
3. What was refused (4xx, 5xx) is not kept: it changed nothing and may be tried again.
"""

import hashlib
from collections import OrderedDict

from regatta.api.problems import Problematic
from regatta.api.schemas import ActionResult
from regatta.domain.clock import Clock
from regatta.domain.timeframe import DAY_MS

KEPT = 10_000
MAX_KEY = 128


class Answered:
    """What a key stands for: the request's fingerprint, and its answer once there is one."""

    __slots__ = ("answer", "fingerprint", "since_ms")

    def __init__(self, fingerprint: bytes, since_ms: int) -> None:
        self.fingerprint = fingerprint
        self.since_ms = since_ms
        self.answer: ActionResult | None = None


class Idempotency:
    """Keys of the last day with their answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, Answered] = OrderedDict()

    def begin(self, key: str, request: str) -> ActionResult | None:
        """Return the kept answer, or None: then the caller carries the request out.

        request: everything that makes it the same request. Raises a problem by invariant 2.
        """
        if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
            raise Problematic(
                400, "bad-input", f"header Idempotency-Key: 1 to {MAX_KEY} printable ASCII characters are allowed"
            )
        self._forget()
        fingerprint = hashlib.sha256(request.encode()).digest()
        held = self._kept.get(key)
        if held is None:
            self._kept[key] = Answered(fingerprint, self._clock.now_ms())
            return None
        if held.fingerprint != fingerprint:
            raise Problematic(409, "idempotency-conflict", "this Idempotency-Key was used for another request")
        if held.answer is None:
            raise Problematic(409, "idempotency-conflict", "the request with this Idempotency-Key is still under way")
        return held.answer

    def finish(self, key: str, answer: ActionResult) -> None:
        """Keep the answer of the request that `begin` let through."""
        self._kept[key].answer = answer

    def abandon(self, key: str) -> None:
        """Forget the key: the request changed nothing."""
        self._kept.pop(key, None)

    def _forget(self) -> None:
        limit = self._clock.now_ms() - DAY_MS
        while self._kept and (next(iter(self._kept.values())).since_ms < limit or len(self._kept) >= KEPT):
            self._kept.popitem(last=False)
