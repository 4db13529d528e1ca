"""Delays: the value of some candles ago."""

from regatta.indicators.operator import Operator, Parameter


def delay_step(x: float, n: int, S: list[float], b: int, k: int) -> tuple[int, float]:
    """Return the input of n candles ago, NaN while there is none.

    Unlike the other steps it counts candles, known or not: "three candles ago" is a place in time.
    k: place in the ring, which starts filled with NaN.
    """
    was = S[b + k]
    S[b + k] = x
    k += 1
    return (0 if k == n else k), was


DELAY = Operator(
    name="delay",
    step=delay_step,
    inputs=("x",),
    outputs=("delay",),
    parameters=(Parameter("n", 1),),
    constants=lambda n: (n,),
    state=lambda n: (0,),
    ring=lambda n: n,
    warmup=lambda n: (n + 1,),
    memory=lambda n: n,
    takes_unknown=True,
)
