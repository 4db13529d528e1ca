"""The API: one FastAPI application over a running engine and its journal, and `/ws`."""

from regatta.api.app import attach, create_app, detach
from regatta.api.options import ApiOptions

__all__ = ["ApiOptions", "attach", "create_app", "detach"]
