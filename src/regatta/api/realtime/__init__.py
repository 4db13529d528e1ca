"""`/ws`: the bus and the engine's state as frames for dashboards."""
