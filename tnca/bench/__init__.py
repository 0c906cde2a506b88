"""`tnca bench`: how many steps and training iterations a second each kernel makes, beside the first code.

It needs torch and numpy alone: `python -m tnca.bench` runs it on a bare machine.
"""
