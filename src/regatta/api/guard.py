"""What every request passes first: Host, origin, session; and the headers of every answer.

1. A Host that is not ours is refused: DNS rebinding makes a foreign page look same-origin.
2. A request that may change something comes from our own page: `Sec-Fetch-Site: same-origin`, or an
   `Origin` equal to the Host. One that says neither is refused too. So is a WebSocket's handshake.
3. Writing needs a session; reading does unless `open_reads`.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regatta.api.options import ApiOptions
from regatta.api.problems import problem, respond
from regatta.api.schemas import Problem, SessionView

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
NO_SESSION = "/api/session"
HINT = "sign in with the single-use link that Regatta printed in its terminal at start"


def is_same_origin(headers: Headers) -> bool:
    """Tell whether a browser says that our own page sends this request (invariant 2)."""
    origin = headers.get("origin")
    if origin is not None:
        return origin in (f"http://{headers.get('host')}", f"https://{headers.get('host')}")
    return headers.get("sec-fetch-site") == "same-origin"


def session_of(headers: Headers, cookie: str) -> str | None:
    """Return the session id that the cookie carries, None when there is none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(cookie)
    except CookieError:
        return None
    return morsel.value if morsel is not None else None


class Guard:
    """ASGI middleware: refuses what is not ours, notes who asks, sets the security headers.

    Sets scope["regatta.signed_in"] and scope["regatta.session"].
    """

    def __init__(self, app: ASGIApp, options: ApiOptions, style_hashes: tuple[str, ...] = ()) -> None:
        self._app = app
        self._options = options
        # CSP has no word for IPv6 addresses; there the browser goes by connect-src 'self'.
        sockets = " ".join(f"ws://{host}" for host in sorted(options.hosts) if not host.startswith("["))
        styles = " ".join(("'self'", *(f"'{digest}'" for digest in style_hashes)))
        self._headers = {
            "content-security-policy": (
                "default-src 'none'; script-src 'self'; "
                f"style-src {styles}; img-src 'self' data:; font-src 'self'; connect-src 'self' {sockets}; "
                "manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            ),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        session = session_of(headers, self._options.cookie)
        signed_in = self._options.sessions.holds(session)
        scope["regatta.session"] = session
        scope["regatta.signed_in"] = signed_in
        refused = self._refuse(scope, headers, signed_in)
        secured = self._secured(scope, send)
        if refused is None:
            await self._app(scope, receive, secured)
        elif scope["type"] == "websocket":
            # Closing before accepting answers the handshake with 403.
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": refused.detail})
        else:
            await respond(refused, scope["path"])(scope, receive, secured)

    def _refuse(self, scope: Scope, headers: Headers, signed_in: bool) -> Problem | None:
        host = headers.get("host", "")
        if host not in self._options.hosts:
            allowed = ", ".join(sorted(self._options.hosts))
            return problem(421, "wrong-host", f"host {host[:100]!r} is not served here; allowed: {allowed}")
        websocket = scope["type"] == "websocket"
        changes = not websocket and scope["method"] not in SAFE
        if (changes or websocket) and not is_same_origin(headers):
            return problem(
                403, "wrong-origin", "requests that change something must come from Regatta's own page (same origin)"
            )
        if websocket or not scope["path"].startswith("/api/") or scope["path"] == NO_SESSION:
            return None
        if not signed_in and (changes or not self._options.open_reads):
            return problem(401, "sign-in-needed", f"this needs you to be signed in: {HINT}")
        return None

    def _secured(self, scope: Scope, send: Send) -> Send:
        if scope["type"] != "http":
            return send
        api = scope["path"].startswith("/api") or scope["path"] == "/health"

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if api:
                    headers["cache-control"] = "no-store"
            await send(message)

        return secured


def signed_in(scope: Any) -> bool:
    """Tell whether the guard saw a valid session on this request or handshake."""
    return bool(scope.get("regatta.signed_in"))


def session_view(options: ApiOptions, is_signed_in: bool) -> SessionView:
    """Return what a browser may do, and how it may do more."""
    return SessionView(
        signed_in=is_signed_in,
        can_write=is_signed_in,
        open_reads=options.open_reads,
        hint="" if is_signed_in else HINT,
    )
