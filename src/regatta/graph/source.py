"""The text of a graph's function.

For a strategy with one feeder it reads:

    def graph(X, F, P, S, J, SIG, V):
        x4 = X[4][J[0]:J[1]]
        p3 = P[3]; n4 = int(P[4]) ...            numbers, constants, warm-ups, ring bases
        v7 = S[7]; k8 = int(S[8]) ...            what the last call left
        G = SIG[J[0]:J[1]]
        f1 = J[2]; m1 = J[3]; c1 = J[4]          start, rows and cursor of the feeder
        for i in range(len(x4)):
            w9 = v7                              values of the candle before
            while c1 < m1 and F[f1 + c1] <= x0[i]:
                ...                              steps of the feeder's nodes: all that is known now
            k8, s10, v7 = exponential_step(v6, n4, p3, k8, s10)
            ...
            G[i] = (1 * ((v7 > p11) & ...) + 2 * (...)) * ((t0 >= n0) & (t1 >= n1))
        S[7] = v7 ...
        q2_0 = ...; S[2] = ...                   index of the first failing check of an output

Names have prefixes by what they are, so that none can meet another: x columns, G signals, f m c
start, rows and cursor of a feeder, p n parameters (float, int), s k state (float, int), t candles
or rows seen, v values, w values one candle ago, r rows of V, q checks that pass. Numbers are never text, so that all
symbols and all sets of parameters share one compilation.
"""

from regatta.graph.layout import Clock, Layout

FIRST_FEEDER = 2
"""Where the feeders begin in J: after first candle and end; each has start, rows, cursor."""


def write(layout: Layout, outputs: list[tuple[int, int, list[str]]], columns: list[str]) -> str:
    """Return the source. outputs: bit, cell of the first failing check, conditions; columns: of V."""
    base, *feeders = layout.clocks.values()
    warm = " & ".join(f"(t{c.counter} >= n{c.warmup_parameter})" for c in layout.clocks.values())
    rows = sorted(layout.rows | ({0} if feeders or not layout.rows else set()))

    # Slices from 0: the compiler then knows that no index is negative, which is worth a fifth.
    lines = [f"x{row} = X[{row}][J[0]:J[1]]" for row in rows]
    lines += layout.loads
    lines += ["G = SIG[J[0]:J[1]]"]
    for c in feeders:
        j = FIRST_FEEDER + 3 * (c.number - 1)
        lines += [f"f{c.number} = J[{j}]", f"m{c.number} = J[{j + 1}]", f"c{c.number} = J[{j + 2}]"]
    lines += [f"r{n} = V[{n}][J[0]:J[1]]" for n in range(len(columns))]

    lines += [f"for i in range(len(x{rows[0]})):"]
    loop = base.start()
    for c in feeders:
        loop += merge(c)
    loop += base.steps()
    loop += [f"r{n}[i] = {text}" for n, text in enumerate(columns)]
    signal = " + ".join(f"{bit} * ({' & '.join(texts)})" for bit, _, texts in outputs)
    loop += [f"G[i] = ({signal}) * ({warm})"]
    lines += indented(loop)

    lines += layout.stores
    lines += [f"J[{FIRST_FEEDER + 3 * (c.number - 1) + 2}] = c{c.number}" for c in feeders]
    lines += [f"q = 1.0 * ({warm})"]
    for _, cell, texts in outputs:
        lines += first_failing(cell, texts)
    return "\n".join(["from math import nan", "", "", "def graph(X, F, P, S, J, SIG, V):", *indented(lines), ""])


def first_failing(cell: int, texts: list[str]) -> list[str]:
    """Return the lines that count the checks that pass before one fails; -1 while warming up.

    The sum of running products, without a branch: 1 + 1*1 + 1*1*0 + 1*1*0*1 ... = 2.
    """
    names = [f"q{cell}_{n}" for n in range(len(texts))]
    lines = [f"{names[0]} = q * {texts[0]}"]
    lines += [f"{name} = {last} * {text}" for name, last, text in zip(names[1:], names, texts[1:], strict=False)]
    return [*lines, f"S[{cell}] = {' + '.join(names)} + q - 1.0"]


def merge(c: Clock) -> list[str]:
    """Return the loop over the rows of a feeder that are known by this candle's close."""
    n = c.number
    head = f"while c{n} < m{n} and F[f{n} + c{n}] <= x0[i]:"
    return [head, *indented([*c.start(), *c.steps(), f"c{n} += 1"])]


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
