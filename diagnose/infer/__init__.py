"""Which convention is a mel array in?  From its values, and better with the sound it was made from."""

from diagnose.infer.candidate import Candidate, Inference, Sign
from diagnose.infer.inference import infer_contract

__all__ = ["Candidate", "Inference", "Sign", "infer_contract"]
