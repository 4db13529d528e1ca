"""Compiled code, kept on disk under a hash of everything it was made from.

The compiler's own cache looks at one file's date and never notices that a function called from
another file has changed. So everything compiled lies in a folder named by a hash of all the
sources that could be compiled, and of the compiler; a change anywhere is a new folder.

A cache that can't be read is emptied, one that can't be written is done without: both leave a
warning in `warnings` and never stop the caller. The compiler is imported when first needed.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import regatta
from regatta.domain.errors import BadInput
from regatta.graph import Graph, GraphFunction
from regatta.graph.fingerprint import called_by

ROOMS = ("domain", "indicators", "graph", "risk", "sim", "research")
"""Packages whose functions are compiled, or shape what is."""

# No fastmath: it lets results differ from plain Python's. error_model: divisions are guarded in
# the source, so no check is needed at each of them.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}

# A step that is not inlined hands its state over in memory, candle by candle: twice as slow.
STEP_OPTIONS = OPTIONS | {"forceinline": True}

# X, F, P, S, J, SIG, V: one signature for all graphs.
SIGNATURE = "void(f8[:,::1], f8[::1], f8[::1], f8[::1], i8[::1], u1[::1], f8[:,::1])"

_callable: set[Callable[..., Any]] = set()
_lock = threading.RLock()  # the compiler's cache folder is a setting of the process


def default_directory() -> Path:
    """Return where compiled code is kept: $REGATTA_CACHE_DIR, else the user's cache folder."""
    own = os.environ.get("REGATTA_CACHE_DIR")
    if own:
        return Path(own)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "regatta"


class CodeCache:
    """Compiles functions and graphs once, for this process and the next ones.

    directory: its folder; None: see default_directory. `folder` is the part of it that holds
    what belongs to the present sources. `warnings`: what went wrong with the disk, in words.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.folder = (directory or default_directory()).absolute() / sources_hash()
        self.warnings: list[str] = []
        self._on_disk = True
        self._functions: dict[Callable[..., Any], Any] = {}
        self._graphs: dict[str, GraphFunction] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._do_without(error)

    def jit(self, function: Callable[..., Any]) -> Any:
        """Return the function compiled on first call for each set of types; the same one each time."""
        return self._once(function, OPTIONS)

    def graph(self, graph: Graph) -> GraphFunction:
        """Return the compiled form of a graph: from memory, else from disk, else compiled now."""
        with _lock:
            if graph.key not in self._graphs:
                self._graphs[graph.key] = self._graph(graph)
            return self._graphs[graph.key]

    def warm(self, graph: Graph) -> "Warming":
        """Compile a graph in a process of its own, while plain Python serves here."""
        return Warming(self, graph)

    def known(self, graph: Graph) -> bool:
        """Return whether the graph was compiled before, so that `graph` takes milliseconds."""
        return graph.key in self._graphs or (self.folder / f"{_module_name(graph.key)}.done").exists()

    # --- Compiling ---------------------------------------------------------------------------

    def _once(self, function: Callable[..., Any], options: dict[str, Any]) -> Any:
        with _lock:
            if function not in self._functions:
                self._functions[function] = self._jit(function, options)
            return self._functions[function]

    def _jit(self, function: Callable[..., Any], options: dict[str, Any]) -> Any:
        import numba

        if self._on_disk:
            numba.config.CACHE_DIR = str(self.folder)  # type: ignore[attr-defined]
            # Refused for a function without a file, such as one typed at a prompt.
            with contextlib.suppress(RuntimeError, OSError):
                return numba.njit(cache=True, **options)(function)
        return numba.njit(**options)(function)

    def _graph(self, graph: Graph) -> GraphFunction:
        from numba.core.errors import NumbaError

        try:
            if self._on_disk:
                try:
                    return self._compiled(graph)
                except OSError as error:
                    self._do_without(error)
                except NumbaError:
                    raise
                except Exception as error:  # what unpickling a damaged file raises has no common type
                    self._empty(error)
            return self._compiled(graph)
        except NumbaError as error:
            steps = ", ".join(sorted({f"{step.__module__}.{step.__name__}" for step in graph.operators.values()}))
            raise BadInput(f"a step among {steps} can't be compiled: {_words(error)}") from error

    def _compiled(self, graph: Graph) -> GraphFunction:
        module = self._module(graph)
        for name, step in graph.operators.items():
            make_callable(step)
            setattr(module, name, self._once(step, STEP_OPTIONS))
        dispatcher = self._jit(module.graph, OPTIONS)
        dispatcher.compile(SIGNATURE)
        dispatcher.disable_compile()
        if self._on_disk:
            (self.folder / f"{module.__name__}.done").touch()
        return GraphFunction(graph.key, dispatcher, live_entry(dispatcher), lists=False)

    def _module(self, graph: Graph) -> ModuleType:
        """Return the graph's source as a module: of a file, so that the compiler can cache it."""
        name = _module_name(graph.key)
        if not self._on_disk:
            module = ModuleType(name)
            exec(compile(graph.source, f"<graph {graph.key}>", "exec"), module.__dict__)
            return module
        path = self.folder / f"{name}.py"
        # An equal file is left alone: a new date would make the compiler throw its cache away.
        if not path.exists() or path.read_text(encoding="utf-8") != graph.source:
            _write(path, graph.source)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # what is read from the cache refers to its module by name
        spec.loader.exec_module(module)
        return module

    # --- When the disk does not serve --------------------------------------------------------

    def _empty(self, error: Exception) -> None:
        self.warnings.append(f"cache of compiled code in {self.folder} can't be read ({_words(error)}): compiled anew")
        self._functions.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as again:
            self._do_without(again)

    def _do_without(self, error: Exception) -> None:
        self.warnings.append(
            f"cache of compiled code in {self.folder} can't be used ({_words(error)}): "
            "each start compiles anew; set REGATTA_CACHE_DIR to a folder that can be written"
        )
        self._on_disk = False
        self._functions.clear()


class Warming:
    """A graph that is being compiled by another process."""

    def __init__(self, cache: CodeCache, graph: Graph) -> None:
        self._cache, self._graph = cache, graph
        task = {
            "source": graph.source,
            "key": graph.key,
            "directory": str(cache.folder.parent),
            "steps": {name: _address(step) for name, step in graph.operators.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        if not cache.known(graph):
            arguments = [sys.executable, "-m", "regatta.engine.compile_graph"]
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it has died: `function` compiles here
                self._process.stdin.write(json.dumps(task).encode())
                self._process.stdin.close()

    def ready(self) -> bool:
        """Return whether `function` is quick now: the other process has ended, well or not."""
        return self._process is None or self._process.poll() is not None

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for the other process. Raises subprocess.TimeoutExpired."""
        if self._process is not None:
            self._process.wait(timeout_s)

    def stop(self) -> None:
        """End the other process, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def function(self) -> GraphFunction:
        """Return the compiled form; compiles here what the other process did not."""
        return self._cache.graph(self._graph)


def make_callable(step: Callable[..., Any]) -> None:
    """Make the plain functions that a step calls known to the compiler, as they stand."""
    from numba.extending import register_jitable

    for function in called_by(step):
        if function not in _callable:
            _callable.add(function)
            register_jitable(function)


def live_entry(dispatcher: Any) -> Callable[..., None]:
    """Return the compiled code's own entry: a third faster than the dispatcher, which looks types up.

    Not public in the compiler, and it does not check its arguments: only for `Series`, whose
    blocks never change. The dispatcher where it isn't there.
    """
    entry = getattr(next(iter(dispatcher.overloads.values()), None), "entry_point", None)
    return entry if callable(entry) else dispatcher  # type: ignore[no-any-return]


def sources_hash(root: Path = Path(regatta.__path__[0])) -> str:
    """Return a hash of all sources that may be compiled, of the compiler, Python and the options."""
    digest = sha256(f"{metadata.version('numba')} {sys.version} {STEP_OPTIONS} {SIGNATURE}".encode())
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def _module_name(key: str) -> str:
    return f"graph_{key}"


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all: another process may read it at the same moment."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])}"


def _address(step: Callable[..., Any]) -> tuple[str, str, str]:
    """Return module, file and name of a step, by which another process finds it."""
    file = getattr(sys.modules.get(step.__module__), "__file__", None) or ""
    return step.__module__, file, step.__qualname__


def found(address: tuple[str, str, str]) -> Callable[..., Any]:
    """Return the step of an address. A module that can't be imported by name is run from its file."""
    module_name, file, name = address
    try:
        module = import_module(module_name)
    except ImportError:
        spec = importlib.util.spec_from_file_location(module_name, file)
        if spec is None or spec.loader is None:
            raise
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    function: Callable[..., Any] = getattr(module, name)
    return function
