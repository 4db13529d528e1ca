from tests.graph.fixtures import code_cache

__all__ = ["code_cache"]
