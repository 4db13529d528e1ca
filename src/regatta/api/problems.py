"""Errors as RFC 9457 problem documents: what was wrong, where, and what is allowed.

What nobody foresaw answers 500 with an id; the log carries the id and the traceback, the answer
neither a traceback nor a value.
"""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from regatta.api.schemas import FieldFault, Problem
from regatta.domain.errors import BadInput, EnvironmentFault, RegattaError

log = structlog.get_logger("regatta.api")

MEDIA_TYPE = "application/problem+json"


class Problematic(Exception):
    """A request that can't be answered as asked; carries its problem document."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        fields: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
        id: str = "",  # noqa: A002 - the document's word
    ) -> None:
        super().__init__(detail)
        self.document = problem(status, kind, detail, fields=fields, id=id)
        self.headers = dict(headers or {})


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    fields: Sequence[FieldFault] = (),
    id: str = "",  # noqa: A002 - the document's word
    instance: str = "",
) -> Problem:
    """Return a problem document. kind: its name in "/problems/<kind>"."""
    return Problem(
        type=f"/problems/{kind}",
        title=kind.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        error=detail,
        instance=instance,
        id=id,
        fields=list(fields),
    )


def bad_input(detail: str) -> Problematic:
    return Problematic(400, "bad-input", detail)


def not_found(detail: str) -> Problematic:
    return Problematic(404, "not-found", detail)


def starting() -> Problematic:
    return Problematic(
        503, "starting", "the engine is still starting; ask again in a second", headers={"Retry-After": "1"}
    )


def problem_of(error: Exception) -> Problem:
    """Return the problem document of whatever was raised; log what nobody foresaw."""
    if isinstance(error, Problematic):
        return error.document
    if isinstance(error, BadInput):
        return problem(400, "bad-input", str(error))
    if isinstance(error, EnvironmentFault):
        return problem(503, "environment", str(error))
    if isinstance(error, RegattaError):
        return problem(502, "venue", str(error))
    return _unforeseen(error)


def _unforeseen(error: Exception) -> Problem:
    # 40 bits name one entry of the log and give nothing away.
    name = secrets.token_hex(5)
    log.error("unforeseen error in a request", error_id=name, exc_info=error)
    return problem(
        500, "unforeseen", f"something went wrong that nobody foresaw; the log says more under {name}", id=name
    )


def field_faults(errors: Sequence[Mapping[str, Any]]) -> list[FieldFault]:
    """Return pydantic's errors as faults: which field, what is wrong, what is allowed."""
    return [
        FieldFault(
            field=".".join(str(part) for part in error["loc"]) or "body",
            problem=error["msg"],
            allowed=_allowed(error.get("type", ""), error.get("ctx") or {}),
        )
        for error in errors
    ]


def _allowed(kind: str, context: Mapping[str, Any]) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = [f"{word} {context[name]}" for name, word in words.items() if name in context]
    if bounds:
        return " and ".join(bounds)
    if "expected" in context:
        return str(context["expected"])
    if "expected_tags" in context:
        return str(context["expected_tags"])
    if "max_length" in context:
        return f"at most {context['max_length']} long"
    if kind == "missing":
        return "the field is required"
    if kind == "extra_forbidden":
        return "no such field"
    return ""


def invalid(faults: Sequence[FieldFault]) -> Problem:
    """Return the problem document of a request whose fields do not validate."""
    said = "; ".join(f"{f.field}: {f.problem}" + (f" (allowed: {f.allowed})" if f.allowed else "") for f in faults)
    return problem(422, "validation", said, fields=faults)


def respond(document: Problem, instance: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the problem document as an HTTP answer."""
    body = document.model_copy(update={"instance": instance}).model_dump_json()
    return Response(body, status_code=document.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Make every error of the application answer with a problem document."""

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return respond(invalid(field_faults(error.errors())), request.url.path)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        kind = status.phrase.lower().replace(" ", "-")
        detail = (
            error.detail
            if error.detail != status.phrase
            else f"{request.method} {request.url.path}: {status.phrase.lower()}"
        )
        return respond(problem(status, kind, detail), request.url.path, error.headers)

    async def ours(request: Request, error: Exception) -> Response:
        headers = error.headers if isinstance(error, Problematic) else None
        return respond(problem_of(error), request.url.path, headers)

    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Problematic, ours)
    app.add_exception_handler(RegattaError, ours)


class Unforeseen:
    """Outermost of the application: what escapes every handler answers 500 with an id.

    Starlette's own last resort raises again after answering, so that the server prints a
    traceback a second time; this one logs once.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Any) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            document = problem_of(error)
            if begun:
                raise
            await respond(document, scope["path"])(scope, receive, send)
