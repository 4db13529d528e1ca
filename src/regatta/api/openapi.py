"""The OpenAPI document: the endpoints', plus the frames of `/ws`, which OpenAPI has no word for."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from regatta.api.frames import ClientFrame, ServerFrame

_REF = "#/components/schemas/{model}"


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document with `ServerFrame` and `ClientFrame` among its schemas."""
    if app.openapi_schema is None:
        built = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = built.setdefault("components", {}).setdefault("schemas", {})
        server: TypeAdapter[Any] = TypeAdapter(ServerFrame)
        client: TypeAdapter[Any] = TypeAdapter(ClientFrame)
        _add(schemas, "ServerFrame", server.json_schema(mode="serialization", ref_template=_REF))
        _add(schemas, "ClientFrame", client.json_schema(mode="validation", ref_template=_REF))
        # Sorted: the document depends on nothing but the models.
        built["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = built
    return app.openapi_schema


def _add(schemas: dict[str, Any], name: str, schema: dict[str, Any]) -> None:
    for inner, definition in schema.pop("$defs", {}).items():
        schemas.setdefault(inner, definition)
    schemas[name] = schema
