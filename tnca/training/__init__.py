"""Training: a run and its files, the loop with its iterations, and the looks at what has been grown so far."""
