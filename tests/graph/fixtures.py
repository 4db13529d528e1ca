"""Fixtures that tests of indicators, graphs and strategies share."""

from collections.abc import Iterator

import pytest

from regatta.engine.code_cache import CodeCache


@pytest.fixture(scope="session")
def code_cache(request: pytest.FixtureRequest) -> Iterator[CodeCache]:
    """A code cache that lasts from one run of the tests to the next."""
    assert request.config.cache is not None
    cache = CodeCache(request.config.cache.mkdir("regatta-code"))
    yield cache
    assert not cache.warnings
