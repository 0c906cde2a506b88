"""The two spaces in which a chain may live: samples where the waveform is kept, log-mel cells where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.faults import CATALOGUE
from diagnose.log_mel import detail, overdriven, scale_curve, smoothed
from diagnose.log_mel import level as levels
from diagnose.operations import added, echo, gain_curve, law, level, local, resampled, spectrum
from diagnose.operations.operation import Operation  # noqa: TC001 - msgspec reads the types

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Space(msgspec.Struct, frozen=True, eq=False):
    """Operations of one space.

    local: of some moments, worth a step however little of the whole they are.  unordered: it does not matter where in
    a chain they stand.  alike: groups, among which the order does not matter.  of_all_at_once: too costly for a long
    sound, for each transforms all of it, several times.  one_of: groups of which a chain has one at most.
    least_fall_db: of the distance: a chain that is no proof and leaves more is no explanation.
    """

    name: str
    operations: tuple[Operation, ...]
    by_cause: dict[str, tuple[Operation, ...]]
    local: tuple[Operation, ...] = ()
    unordered: tuple[Operation, ...] = ()
    alike: tuple[tuple[Operation, ...], ...] = ()
    of_all_at_once: tuple[Operation, ...] = ()
    one_of: tuple[tuple[Operation, ...], ...] = ()
    least_fall_db: float = 6.0

    def allowed(self, chain: Sequence[Operation], operations: Sequence[Operation]) -> list[Operation]:
        """Those of the operations that may be a further step of a chain."""
        used = {operation for group in self.one_of for operation in group if set(group) & set(chain)}
        return [operation for operation in operations if operation not in chain and operation not in used]

    def without(self, ids: Collection[str]) -> Space:
        """The space without the operations of these causes."""
        unknown = set(self.of(list(ids)))
        known = tuple(operation for operation in self.operations if operation not in unknown)
        return msgspec.structs.replace(self, operations=known)

    def of(self, ids: Sequence[str]) -> tuple[Operation, ...]:
        """The operations that these causes are, in their order."""
        named = dict.fromkeys(operation for id in ids for operation in self.by_cause.get(id, ()))  # noqa: A001
        return tuple(operation for operation in named if operation in self.operations)

    def is_ordered(self, operation: Operation, others: Sequence[Operation]) -> bool:
        """Whether it makes a difference where among the others the operation stands."""
        if operation in self.unordered:
            return False
        same = next((group for group in self.alike if operation in group), ())
        return any(other not in same and other not in self.unordered for other in others)


WAVEFORM = Space(
    "waveform",
    (
        level.gain,
        level.polarity,
        level.dc_offset,
        level.hard_clipping,
        level.soft_clipping,
        level.wrapped,
        level.quantisation,
        law.companded,
        resampled.aliased,
        spectrum.filtered,
        echo.echoed,
        gain_curve.periodic_gain,
        gain_curve.slow_gain,
        local.dropout,
        local.clicks,
        added.noise,
        added.lines,
    ),
    {fault.id: fault.fits for fault in CATALOGUE.values() if fault.fits},
    local=(local.dropout, local.clicks),
    unordered=(level.gain, level.polarity, added.noise),
    alike=((level.dc_offset, local.clicks, added.lines), (spectrum.filtered, echo.echoed)),
    of_all_at_once=(echo.echoed, resampled.aliased, gain_curve.periodic_gain, law.companded),
)
LOG_MEL = Space(
    "log-mel",
    (
        levels.gain,
        scale_curve.scaled,
        scale_curve.scaled_and_clipped,
        scale_curve.linear,
        overdriven.overdriven,
        levels.bands,
        levels.moments,
        levels.hole,
        levels.noise,
        smoothed.smoothed_in_time,
        smoothed.smoothed_in_frequency,
        detail.lost_detail,
        detail.regressed,
    ),
    {fault.id: fault.fits_log_mel for fault in CATALOGUE.values() if fault.fits_log_mel},
    local=(levels.hole,),
    alike=(
        (levels.gain, levels.bands, levels.moments),
        (smoothed.smoothed_in_time, smoothed.smoothed_in_frequency, detail.lost_detail),
    ),
    one_of=(
        (
            levels.gain,
            scale_curve.scaled,
            scale_curve.scaled_and_clipped,
            scale_curve.linear,
        ),
        (scale_curve.scaled_and_clipped, scale_curve.linear, overdriven.overdriven),
        (smoothed.smoothed_in_time, smoothed.smoothed_in_frequency, detail.lost_detail, detail.regressed),
        (scale_curve.scaled, detail.regressed),
    ),
    least_fall_db=4.0,
)
