"""The simulated venue: what an exchange would do, driven by events and a seed, without I/O."""
