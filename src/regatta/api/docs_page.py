"""`/api/docs`: the endpoints on one plain page, from the OpenAPI document; needs no script, no CDN."""

from html import escape
from typing import Any

STYLE = """:root { color-scheme: dark light; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: #0c0e12; color: #e6e8ec;
  font: 15px/1.5 Inter, system-ui, sans-serif; }
a { color: #f0b90b; }
code { font-family: 'Space Mono', ui-monospace, monospace; font-size: .92em; }
h2 { margin: 2rem 0 .5rem; border-bottom: 1px solid #2a2f3a; }
details { margin: .3rem 0; border: 1px solid #2a2f3a; border-radius: 6px; padding: .4rem .8rem; }
summary { cursor: pointer; }
.verb { display: inline-block; min-width: 3.6rem; color: #f0b90b; }
table { border-collapse: collapse; margin: .5rem 0; }
td, th { padding: .15rem .9rem .15rem 0; text-align: left; vertical-align: top; }
.dim { color: #9aa3b2; }
@media (prefers-color-scheme: light) { body { background: #fff; color: #14171d; } a, .verb { color: #8a6500; }
  .dim { color: #566072; } h2, details { border-color: #d6dae2; } }
"""


def page(document: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    sections: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            tag = (operation.get("tags") or ["Other"])[0]
            sections.setdefault(tag, []).append(_operation(verb, path, operation))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(parts)}" for tag, parts in sections.items())
    info = document["info"]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(info["title"])} API</title><link rel="stylesheet" href="/api/docs.css">'
        f'<h1>{escape(info["title"])} API <span class="dim">{escape(info["version"])}</span></h1>'
        f"<p>{escape(info.get('description', ''))}</p>"
        '<p>The whole contract with all models: <a href="/api/openapi.json">/api/openapi.json</a>.</p>'
        f"{body}</html>"
    )


def _operation(verb: str, path: str, operation: dict[str, Any]) -> str:
    shown = f"<code>{escape(path)}</code>"
    if verb == "get" and "{" not in path:
        shown = f'<a href="{escape(path)}">{shown}</a>'
    rows = "".join(_parameter(parameter) for parameter in operation.get("parameters", ()))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        rows += f"<tr><td>body<td><code>{escape(_kind(body))}</code><td>"
    answers = operation.get("responses", {}).get("200", {}).get("content", {})
    kinds = ", ".join(f"{media}: {_kind(content.get('schema', {}))}" for media, content in answers.items())
    return (
        f'<details><summary><span class="verb">{verb.upper()}</span> {shown} '
        f'<span class="dim">{escape(operation.get("description", ""))}</span></summary>'
        f"<table>{rows}</table><p>Answers <code>{escape(kinds)}</code></p></details>"
    )


def _parameter(parameter: dict[str, Any]) -> str:
    needed = " (required)" if parameter.get("required") else ""
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code>{needed}"
        f"<td><code>{escape(_kind(parameter.get('schema', {})))}</code><td>{escape(parameter.get('description', ''))}"
    )


def _kind(schema: dict[str, Any]) -> str:
    """Return a schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_kind(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    default = f" = {schema['default']}" if "default" in schema else ""
    return f"{schema.get('type', 'any')}{default}"
