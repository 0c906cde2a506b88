"""The neural cellular automaton that grows a mel spectrogram, and the vocoders behind it."""
