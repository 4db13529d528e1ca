"""Dice without state: a number in [0, 1) for each (seed, name), the same on every machine."""

_MASK = (1 << 64) - 1


class Dice:
    """A counter-based random generator (splitmix64 over an FNV-1a hash of the name)."""

    def __init__(self, seed: int) -> None:
        self._seed = seed & _MASK

    def uniform(self, name: str) -> float:
        """Return a float in [0, 1) with 53 random bits, determined by seed and name alone."""
        h = 0xCBF29CE484222325
        for byte in name.encode():
            h = ((h ^ byte) * 0x100000001B3) & _MASK
        z = (h + self._seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((z ^ (z >> 31)) >> 11) / float(1 << 53)
