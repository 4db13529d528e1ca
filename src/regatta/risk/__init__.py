"""Risk rules: scalar functions over floats and ints, without objects and without I/O.

Each rule exists once. The live bot calls these functions as plain Python; the research kernel
compiles the very same ones and loops over history. They use + - * / sqrt min max only, so
that both give the same bits.
"""
