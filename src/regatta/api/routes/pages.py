"""Pages that are not the API: signing in, the docs, the dashboard's files."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from regatta.api import docs_page
from regatta.api.openapi import document
from regatta.api.problems import not_found
from regatta.api.webfiles import WebFiles

router = APIRouter(include_in_schema=False)

SPENT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Regatta</title>
<h1>This sign-in link does not work any more</h1>
<p>Each link works once. Start Regatta again for a new one; its terminal prints it.</p>
<p><a href="/">Go to the dashboard</a></p></html>
"""


@router.get("/signin")
async def sign_in(request: Request, token: str = "") -> Response:
    """Spend a sign-in link: open a session, and go on to the dashboard without the token."""
    options = request.app.state.options
    if request.scope.get("regatta.signed_in"):
        # Clicked twice: the browser is in already.
        return RedirectResponse("/", 303)
    session = options.sessions.open(token)
    if session is None:
        return HTMLResponse(SPENT, 401, headers={"cache-control": "no-store"})
    response = RedirectResponse("/", 303, headers={"cache-control": "no-store"})
    secure = request.url.scheme == "https"
    response.set_cookie(options.cookie, session, path="/", httponly=True, samesite="strict", secure=secure)
    return response


@router.get("/api/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(document(request.app))


@router.get("/api/docs")
async def docs(request: Request) -> Response:
    """The endpoints on one page."""
    return HTMLResponse(docs_page.page(document(request.app)))


@router.get("/api/docs.css")
async def docs_style() -> Response:
    """Its style."""
    return Response(docs_page.STYLE, media_type="text/css")


@router.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def no_such_endpoint(request: Request, path: str) -> Response:
    """Whatever else is asked below /api."""
    raise not_found(f"there is no endpoint {request.method} /api/{path[:200]}; see /api/docs")


@router.api_route("/{path:path}", methods=["GET", "HEAD"])
async def web(request: Request, path: str) -> Response:
    """The dashboard's files, and its index for every page of it."""
    files: WebFiles = request.app.state.webfiles
    return files.serve(request)
