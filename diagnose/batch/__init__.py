"""Many pairs: from a manifest to results and a summary, in bounded memory, on local processes or a Dask cluster.

outcome = batch.run(batch.source_of(["pairs.csv"]), "out", batch.Options(jobs=4))
outcome.verdict, outcome.verdicts["FAIL"]
"""

from diagnose.batch.manifest import Matches, PairPaths, Source, Table, source_of
from diagnose.batch.runner import Options, Outcome, run

__all__ = ["Matches", "Options", "Outcome", "PairPaths", "Source", "Table", "run", "source_of"]
