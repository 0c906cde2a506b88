"""Read a spectrogram from a picture: levels in dB, with Hz and seconds where the picture shows them.

picture = read_picture("epoch_5000.png")
picture.levels_db                        [shape=(bands, frames)]
findings(picture).edges                  bands at the left and right edge, with their seconds
"""

from diagnose.picture.inspection import Findings, Part, findings
from diagnose.picture.read import Picture, read_picture

__all__ = ["Findings", "Part", "Picture", "findings", "read_picture"]
