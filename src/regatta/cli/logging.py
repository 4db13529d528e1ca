"""Logs: structured, to the console and to rotating files; secrets never reach either."""

import logging
import os
import re
from collections.abc import MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from regatta.domain.errors import EnvironmentFault

FILE = "regatta.log"
FILE_BYTES = 10_000_000
FILES_KEPT = 5

SECRET_NAME = re.compile(r"secret|password|passphrase|token|api_?key|authorization|cookie|signature", re.IGNORECASE)
_IN_TEXT = re.compile(
    r"((?:secret|password|passphrase|token|api_?key|authorization|cookie|signature)[\w-]*[\"']?\s*[=:]\s*[\"']?(?:Bearer\s+)?)"
    r"[^\s\"'&,;)}]+",
    re.IGNORECASE,
)
HIDDEN = "***"
_SHORTEST_SECRET = 6


def set_up_logging(folder: Path, level: str, *, console: bool = True) -> Path:
    """Send all logs to `folder` (JSON lines, rotating) and to stderr; return the file.

    Raises EnvironmentFault when the folder can't be written.
    """
    import structlog

    try:
        folder.mkdir(parents=True, exist_ok=True)
        to_file = RotatingFileHandler(
            folder / FILE, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=False
        )
    except OSError as fault:
        raise EnvironmentFault(f"cannot write logs into {folder}: {fault.strerror or fault}") from fault
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    to_file.setFormatter(_formatter(shared, structlog.processors.JSONRenderer()))
    handlers: list[logging.Handler] = [to_file]
    if console:
        to_console = logging.StreamHandler()
        colors = to_console.stream.isatty() and "NO_COLOR" not in os.environ
        to_console.setFormatter(_formatter(shared, structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0)))
        handlers.append(to_console)
    _install(handlers, level)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return folder / FILE


def redacted(text: str) -> str:
    """Return the text without secrets: `token=...`, and whatever the environment calls a secret."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and SECRET_NAME.search(name):
            text = text.replace(value, HIDDEN)
    return _IN_TEXT.sub(rf"\g<1>{HIDDEN}", text)


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        event[name] = HIDDEN if SECRET_NAME.search(name) else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: HIDDEN if SECRET_NAME.search(str(key)) else _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


def _formatter(shared: list[Any], renderer: Any) -> logging.Formatter:
    import structlog

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _install(handlers: list[logging.Handler], level: str) -> None:
    root = logging.getLogger()
    for old in tuple(root.handlers):
        if getattr(old, "of_regatta", False):
            root.removeHandler(old)
            old.close()
    for handler in handlers:
        handler.of_regatta = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("uvicorn", "alembic", "sqlalchemy", "asyncio", "numba", "websockets"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    # A full disk must not make every log line a traceback on the console.
    logging.raiseExceptions = False
