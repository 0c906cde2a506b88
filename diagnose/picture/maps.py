"""The colour maps most used for spectrograms, for a picture without a colour bar.

33 points each, evenly spaced from low to high, straight lines between them: fitted by least squares to the maps
(magma, viridis, inferno and plasma by Smith and van der Walt), which they follow to 2.5/255 in the worst channel.
"""

from __future__ import annotations

import numpy as np

_POINTS = {
    "magma": (
        "000003 030311 0a0822 130d33 1d1146 28125a 36106b 430f76 50127c 5d177f 691c81 "
        "762181 822682 8f2a81 9c2e7f a9327d b6377a c33b75 d04170 db486a e65063 ef5c5e "
        "f5695b f9785c fc8761 fd9668 fea571 feb47b fec387 fed194 fde0a1 fceeb0 fcfdbf"
    ),
    "viridis": (
        "440154 470d60 48186a 482374 472d7b 453681 424086 3f4989 3b528b 375a8d 33638d "
        "2f6a8e 2c728e 297a8e 26818e 23898e 21908d 1f988b 1e9f88 21a685 27ae80 31b57b "
        "3dbc74 4cc26c 5cc963 6ece58 81d44c 96d840 abdc32 c0df24 d5e219 eae519 fde724"
    ),
    "inferno": (
        "000003 030312 0a0724 150b37 210c4a 2e0a5b 3c0965 4a0b6b 57106e 63146f 70196e "
        "7d1e6d 89226a 962766 a32b62 af315c bb3755 c63d4d d14545 db4f3c e45932 eb6528 "
        "f1711e f67f14 f98d09 fb9c05 fcab0f fbba1f f9ca32 f5d949 f2e865 f2f586 fcffa5"
    ),
    "plasma": (
        "0e0787 220690 310597 3f049c 4c02a1 5901a5 6600a7 7200a8 7e03a8 8908a6 9511a2 "
        "9f1a9c a92396 b32c8f bb3587 c33e80 cb4778 d25071 d9596a e06263 e66c5c eb7555 "
        "f07f4f f48a48 f89441 fb9f3a fdab33 feb72d fdc328 fcd025 f9dd24 f5eb27 f0f924"
    ),
    "gray": "000000 ffffff",
}

MAPS = {
    name: np.array([list(bytes.fromhex(colour)) for colour in points.split()], np.float64)
    for name, points in _POINTS.items()
}
