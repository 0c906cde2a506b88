"""What is no fault of a stage: another sound altogether, and what nothing explains."""

from __future__ import annotations

from diagnose.faults.fault import Fault

DIFFERENT_CONTENT = Fault(
    id="different-content",
    family="content",
    title="another sound: nothing of it is the reference",
    what=(
        "The two files hold another sentence, note or take. It comes from exchanged file names, from the order of a "
        "batch, from a wrong text or prompt, or from a conditioning that the model ignores."
    ),
    told_by=(
        "No part of the waveform fits at any delay, no other reading of the samples gives the reference, and the best "
        "warp to it is as far as the warp to the reference played backwards. Then nothing else is claimed."
    ),
    confused_with={
        "time-stretch": "the same sentence at another tempo can be laid on the reference",
        "bytes-misread": "there another reading of the bytes gives the reference",
        "axes-exchanged": "a mel turned by its axes leaves no likeness either; check its shape",
        "voicing-lost": "a whispered copy can look like another sound",
    },
    fix="compare with the reference of this very sound: check file names, the order of the batch, and the prompt",
    metric="content_distance",
)

UNKNOWN = Fault(
    id="unknown",
    family="content",
    title="a limit is broken, and no known fault explains it",
    what=(
        "The metrics say that the sounds differ, and none of the known causes holds. It is the answer in place of the "
        "nearest name."
    ),
    told_by=(
        "Nothing is recognised, and no chain of operations takes the difference away. Its "
        "evidence is what is over its limit."
    ),
    confused_with={
        "different-content": "there it is known that the sounds have nothing in common",
    },
    fix=(
        "look at the metrics over their limits and at the places in time and frequency (regions), and compare the "
        "stages of the pipeline one by one"
    ),
    no_metric="any metric can be the one whose limit is broken",
)

FAULTS = (DIFFERENT_CONTENT, UNKNOWN)
