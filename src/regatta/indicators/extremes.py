"""Rolling extremes: the highest and the lowest of the last n values."""

from math import nan

from regatta.indicators.operator import Operator, Parameter


def highest_step(
    x: float, n: int, S: list[float], b: int, k: int, age: int, best: float
) -> tuple[int, int, float, float]:
    """Return the highest of the last n inputs, this one included.

    k: below n the number of inputs seen, then n + the place in the ring; best: the highest,
    which came `age` inputs ago. The ring is searched only when it drops out: that was faster
    than a queue of candidates for the usual lengths.
    """
    j = k if k < n else k - n
    S[b + j] = x
    k += 1
    if k == 2 * n:
        k = n
    age += 1
    if k == 1 or x >= best:
        best = x
        age = 0
    elif age == n:
        best = x
        age = 0
        for back in range(1, n):
            i = j - back if back <= j else j - back + n
            if S[b + i] > best:
                best = S[b + i]
                age = back
    return k, age, best, (best if k >= n else nan)


def lowest_step(
    x: float, n: int, S: list[float], b: int, k: int, age: int, best: float
) -> tuple[int, int, float, float]:
    """Return the lowest of the last n inputs, this one included; the mirror of highest_step."""
    j = k if k < n else k - n
    S[b + j] = x
    k += 1
    if k == 2 * n:
        k = n
    age += 1
    if k == 1 or x <= best:
        best = x
        age = 0
    elif age == n:
        best = x
        age = 0
        for back in range(1, n):
            i = j - back if back <= j else j - back + n
            if S[b + i] < best:
                best = S[b + i]
                age = back
    return k, age, best, (best if k >= n else nan)


HIGHEST = Operator(
    name="highest",
    step=highest_step,
    inputs=("x",),
    outputs=("highest",),
    parameters=(Parameter("n", 1),),
    constants=lambda n: (n,),
    state=lambda n: (0, 0, 0.0),
    ring=lambda n: n,
    warmup=lambda n: (n,),
    memory=lambda n: n - 1,
)

LOWEST = Operator(
    name="lowest",
    step=lowest_step,
    inputs=("x",),
    outputs=("lowest",),
    parameters=(Parameter("n", 1),),
    constants=lambda n: (n,),
    state=lambda n: (0, 0, 0.0),
    ring=lambda n: n,
    warmup=lambda n: (n,),
    memory=lambda n: n - 1,
)
