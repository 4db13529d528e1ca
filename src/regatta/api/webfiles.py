"""The built dashboard: its files, and index.html for every address that is a page of it.

Files are read once into memory (the whole dashboard is smaller than a photograph) and served
compressed where the browser takes it. A file that has changed on the disk is read again.
"""

import gzip
import hashlib
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE = "public, max-age=31536000, immutable"
COMPRESSED = ("text/", "application/json", "application/javascript", "image/svg")
NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Regatta</title>
<h1>The dashboard is not built</h1>
<p>Regatta runs, and its API answers under <a href="/api/docs">/api/docs</a>.</p>
<p>Build the dashboard with <code>python3 run.py setup</code>, then reload this page.</p>
</html>
"""

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("application/manifest+json", ".webmanifest")


class _File:
    __slots__ = ("body", "etag", "gzipped", "kind", "stamp")

    def __init__(self, path: Path, stamp: int) -> None:
        self.body = path.read_bytes()
        self.stamp = stamp
        self.kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.etag = f'"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'
        squeezed = gzip.compress(self.body, 6, mtime=0) if self.kind.startswith(COMPRESSED) else self.body
        self.gzipped = squeezed if len(squeezed) < len(self.body) else None


class WebFiles:
    """Serves one folder and nothing outside of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._files: dict[str, _File] = {}

    def serve(self, request: Request) -> Response:
        """Return the file of the address; index.html for pages; 404 for files that don't exist."""
        name = request.url.path.strip("/")
        found = self._file(name) if name else None
        if found is None:
            if "." in name.rpartition("/")[2] or name.startswith("assets/"):
                return Response(f"there is no file /{name[:200]}\n", 404, media_type="text/plain")
            name, found = "index.html", self._file("index.html")
        if found is None:
            return Response(NOT_BUILT, 503, media_type="text/html", headers={"cache-control": "no-cache"})
        headers = {
            # Only what the build named by its content can be kept for ever.
            "cache-control": IMMUTABLE if name.startswith("assets/") else "no-cache",
            "etag": found.etag,
            "vary": "accept-encoding",
        }
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        body = found.body
        if found.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body = found.gzipped
            headers["content-encoding"] = "gzip"
        return Response(body, media_type=found.kind, headers=headers)

    def _file(self, name: str) -> _File | None:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        stamp = path.stat().st_mtime_ns
        held = self._files.get(name)
        if held is None or held.stamp != stamp:
            held = self._files[name] = _File(path, stamp)
        return held
