"""The shell: event loop, order dispatch, recovery, clocks, loading of strategies, code cache."""
