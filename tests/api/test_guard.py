"""Who may ask: Host, origin, session, and the headers of every answer."""

import httpx2
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from regatta.api import ApiOptions, create_app
from regatta.api.schemas import Problem
from tests.api.conftest import browser
from tests.api.engine import BTC, SmallEngine


def problem(response: httpx2.Response) -> Problem:
    assert response.headers["content-type"] == "application/problem+json"
    document = Problem.model_validate_json(response.content)
    assert document.status == response.status_code
    assert document.error == document.detail
    return document


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:9999", "localhost", "127.0.0.1.evil.example:8000"])
async def test_a_foreign_host_is_refused_so_that_names_cannot_be_rebound(guest: httpx2.AsyncClient, host: str) -> None:
    response = await guest.get("/api/status", headers={"host": host})
    assert response.status_code == 421
    assert "127.0.0.1:8000" in problem(response).detail


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
async def test_every_loopback_name_with_our_port_is_served(guest: httpx2.AsyncClient, host: str) -> None:
    assert (await guest.get("/api/status", headers={"host": host})).status_code == 200


async def test_a_guest_of_the_demo_reads_everything_and_changes_nothing(
    guest: httpx2.AsyncClient, engine: SmallEngine
) -> None:
    assert (await guest.get("/api/status")).status_code == 200
    for path in ("start", "stop", "pause", "resume", "kill", "signout"):
        response = await guest.post(f"/api/{path}")
        assert response.status_code == 401
        assert (
            "sign-in link" in problem(response).detail or "sign in with the single-use link" in problem(response).detail
        )
    response = await guest.post("/api/close_position", json={"symbol": BTC})
    assert response.status_code == 401
    assert engine.racers["V1"].state == "running"


async def test_without_open_reads_nothing_but_health_session_and_files_answers(
    engine: SmallEngine, app: FastAPI
) -> None:
    closed = create_app(ApiOptions(port=8000))
    async with browser(closed) as client:
        for path in ("/api/status", "/api/trades", "/api/openapi.json", "/api/docs", "/api/data"):
            assert (await client.get(path)).status_code == 401
        assert (await client.get("/health")).status_code == 503
        session = (await client.get("/api/session")).json()
        assert session["signed_in"] is False
        assert "link" in session["hint"]


async def test_a_link_signs_in_once_and_leaves_no_token_behind(app: FastAPI, guest: httpx2.AsyncClient) -> None:
    token = app.state.options.sessions.issue_link()
    response = await guest.get(f"/signin?token={token}")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith("regatta_session_8000=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (await guest.get("/api/session")).json()["can_write"] is True

    async with browser(app) as other:
        again = await other.get(f"/signin?token={token}")
        assert again.status_code == 401
        assert "set-cookie" not in again.headers


async def test_signing_out_ends_the_session_on_the_server(owner: httpx2.AsyncClient) -> None:
    kept = dict(owner.cookies)
    assert (await owner.post("/api/signout")).json()["signed_in"] is False
    response = await owner.post("/api/pause", headers={"cookie": "; ".join(f"{k}={v}" for k, v in kept.items())})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"origin": "http://localhost:8000"},  # another origin than the page's 127.0.0.1
    ],
)
async def test_a_change_from_another_origin_is_refused_even_with_the_cookie(
    owner: httpx2.AsyncClient, engine: SmallEngine, headers: dict[str, str]
) -> None:
    response = await owner.post("/api/pause", headers=headers)
    assert response.status_code == 403
    assert problem(response).type == "/problems/wrong-origin"
    assert engine.racers["V1"].state == "running"


async def test_without_an_origin_the_browser_must_say_same_origin(app: FastAPI, owner: httpx2.AsyncClient) -> None:
    del owner.headers["origin"]
    assert (await owner.post("/api/pause")).status_code == 403
    assert (await owner.post("/api/pause", headers={"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await owner.post("/api/pause", headers={"sec-fetch-site": "same-site"})).status_code == 403
    assert (await owner.post("/api/pause", headers={"sec-fetch-site": "same-origin"})).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/status", "/api/nothing", "/health", "/signin?token=x", "/missing.js"])
async def test_every_answer_carries_the_security_headers(guest: httpx2.AsyncClient, path: str) -> None:
    headers = (await guest.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


async def test_answers_of_the_api_are_never_stored(guest: httpx2.AsyncClient) -> None:
    for path in ("/api/status", "/api/nothing", "/api/trades.csv", "/health"):
        assert (await guest.get(path)).headers["cache-control"] == "no-store"


async def test_a_request_that_does_not_validate_names_each_field_and_what_is_allowed(
    owner: httpx2.AsyncClient,
) -> None:
    response = await owner.get("/api/trades?limit=0&side=up&offset=-1")
    assert response.status_code == 422
    faults = {fault.field: fault.allowed for fault in problem(response).fields}
    assert faults["query.limit"] == "at least 1"
    assert "long" in faults["query.side"]
    assert faults["query.offset"] == "at least 0"

    response = await owner.post("/api/speed", json={"speed": "fast", "sped": 1})
    fields = {fault.field for fault in problem(response).fields}
    assert fields == {"body.speed", "body.sped"}


async def test_what_nobody_foresaw_answers_500_with_an_id_and_no_secret(
    guest: httpx2.AsyncClient, engine: SmallEngine
) -> None:
    engine.fails = True
    with capture_logs() as logged:
        response = await guest.get("/api/status")
    assert response.status_code == 500
    document = problem(response)
    assert len(document.id) == 10
    assert document.id in document.detail
    (entry,) = [one for one in logged if one["log_level"] == "error"]
    assert (entry["error_id"], str(entry["exc_info"])) == (document.id, "the secret is 1234")
    assert "secret" not in response.text
    assert "Traceback" not in response.text


async def test_an_unknown_endpoint_is_a_problem_and_not_the_dashboard(guest: httpx2.AsyncClient) -> None:
    response = await guest.get("/api/nothing")
    assert response.status_code == 404
    assert "/api/docs" in problem(response).detail
    assert problem(await guest.get("/api/trades/none")).status == 404


async def test_until_the_engine_is_attached_the_api_says_starting(options: ApiOptions) -> None:
    async with browser(create_app(options)) as client:
        response = await client.get("/api/status")
        assert response.status_code == 503
        assert problem(response).type == "/problems/starting"
        assert response.headers["retry-after"] == "1"
        assert (await client.get("/health")).json()["status"] == "starting"
        assert (await client.get("/api/session")).status_code == 200
