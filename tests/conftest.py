"""What all tests share."""

import os
from pathlib import Path

import pytest

from regatta.engine.code_cache import CodeCache

ROOT = Path(__file__).resolve().parent.parent

# Unforeseen network access of libraries (proxies of the environment) has no place in a test.
for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded market data beside the checkout; skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("recorded market data (../shared/data) is not there")
    return folder


@pytest.fixture(scope="session")
def code_cache() -> CodeCache:
    """Return the compiled code that all tests of a machine share."""
    return CodeCache()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: Playwright keeps an event loop in the main thread, where no other can run."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
