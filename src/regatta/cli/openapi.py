"""`regatta openapi`: the contract of API and realtime frames, for the dashboard's types."""

import sys


def openapi() -> None:
    """Print the OpenAPI document as JSON."""
    # Imported here: the web framework is slow to import, and no other command needs it.
    import orjson

    from regatta.api import ApiOptions, create_app
    from regatta.api.openapi import document

    app = create_app(ApiOptions(port=8000))
    sys.stdout.buffer.write(orjson.dumps(document(app), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
