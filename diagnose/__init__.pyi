# What users call, and the types that it takes, returns and raises.  lazy_loader reads this file at run time too: a
# name is loaded when it is first used, and this is the only list of them.
from . import batch, faults, gate
from .audio import Audio, read
from .comparison import compare, measure
from .errors import DiagnoseError, InputError, NotComparable
from .mel.candidate import Candidate, Inference
from .mel.check import ContractCheck, ContractMismatch, check_contract
from .mel.contract import MelContract
from .mel.conversion import CannotConvert
from .mel.differences import Difference
from .mel.inference import infer_contract
from .metrics import Measurement
from .results.cause import Cause
from .results.limit import Limit, Profile, Threshold
from .results.region import Region
from .results.repair import LeftUndone, Repair, Undone
from .results.report import AlignmentFacts, LimitLevels, MetricRow, Report, SoundFacts
from .results.report_json import read_report
from .results.timeline import Observation, SegmentFacts, TimelineFacts

__version__: str

__all__ = [
    "AlignmentFacts",
    "Audio",
    "Candidate",
    "CannotConvert",
    "Cause",
    "ContractCheck",
    "ContractMismatch",
    "DiagnoseError",
    "Difference",
    "Inference",
    "InputError",
    "LeftUndone",
    "Limit",
    "LimitLevels",
    "Measurement",
    "MelContract",
    "MetricRow",
    "NotComparable",
    "Observation",
    "Profile",
    "Region",
    "Repair",
    "Report",
    "SegmentFacts",
    "SoundFacts",
    "Threshold",
    "TimelineFacts",
    "Undone",
    "__version__",
    "batch",
    "check_contract",
    "compare",
    "faults",
    "gate",
    "infer_contract",
    "measure",
    "read",
    "read_report",
]
