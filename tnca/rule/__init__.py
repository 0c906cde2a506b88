"""The automaton's rule: the cell, which one of the kernels carries out, and the pool of states it learns from."""
