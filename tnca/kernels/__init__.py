"""The step of the automaton, by several ways that give the same: plain, compiled, in C++, in Triton."""
