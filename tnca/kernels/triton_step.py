"""What tnca.kernels.triton runs on the device: the step, the life after the last one, and the gradient of a step.

A state is kept as [shape=(states, bands, frames, CHANNELS)], so that a cell is one run of memory, and *before* its
alpha is clamped and it is multiplied by life; both are done where it is read.  Its alpha is kept a second time by
itself [shape=(states, bands, frames)], for life is asked of 25 cells around each.  The very first state is read as it
is (LIVE false).

A program has BLOCK cells of one rule, whichever states they belong to.  Past the last cell it reads the last one again
and writes nothing.
"""

import triton
import triton.language as tl

from tnca.kernels.triton_cells import LIFE, SEEN, alpha_back, cells, clamped, perceive, seen_back, window

INTERPRETED = tl.constexpr(not isinstance(cells, triton.JITFunction))


@triton.jit
def _acting(fires, spot, near, NEAR: tl.constexpr):
    """1 where a cell updates, else 0 [shape=(BLOCK)]."""
    acting = tl.full(spot.shape, 1.0, tl.float32)
    if NEAR:
        acting = near.to(tl.float32)
    if fires is not None:
        acting *= tl.load(fires + spot).to(tl.float32)
    return acting


# The layers


@triton.jit
def _matrix(weights, IN: tl.constexpr, OUT: tl.constexpr):
    return tl.load(weights + tl.arange(0, IN)[:, None] * OUT + tl.arange(0, OUT)[None, :])


@triton.jit
def _dot(a, b):
    """a b, summed in single precision."""
    if INTERPRETED:  # on a CPU, for tests: Triton's interpreter takes the bits of a bfloat16 for an integer
        a, b = a.to(tl.float32), b.to(tl.float32)
    return tl.dot(a, b, input_precision="ieee")


@triton.jit
def _layer(read, where, weights, biases, IN: tl.constexpr, OUT: tl.constexpr, PLACES: tl.constexpr):
    """What a layer gives [shape=(BLOCK, OUT)], in single precision, of what it reads in the weights'."""
    given = _dot(read, _matrix(weights, IN, OUT))
    if PLACES:
        given += _dot(where, _matrix(weights + IN * OUT, PLACES, OUT))
    return given + tl.load(biases + tl.arange(0, OUT))[None, :]


@triton.jit
def _layers(read, where, weights, biases, WIDTHS: tl.constexpr, PLACES: tl.constexpr):
    """What the last layer gives [shape=(BLOCK, CHANNELS)]."""
    given = _layer(read, where, weights, biases, WIDTHS[0], WIDTHS[1], PLACES)
    weights += (WIDTHS[0] + PLACES) * WIDTHS[1]
    biases += WIDTHS[1]
    for layer in tl.static_range(1, len(WIDTHS) - 1):
        hidden = tl.maximum(given, 0.0).to(read.dtype)
        given = _layer(hidden, where, weights, biases, WIDTHS[layer], WIDTHS[layer + 1], 0)
        weights += WIDTHS[layer] * WIDTHS[layer + 1]
        biases += WIDTHS[layer + 1]
    return given


@triton.jit
def _add(sums, read, given, IN: tl.constexpr, OUT: tl.constexpr):
    """sums += read' given [shape=(IN, OUT)]."""
    at = sums + tl.arange(0, IN)[:, None] * OUT + tl.arange(0, OUT)[None, :]
    tl.store(at, tl.load(at) + _dot(tl.trans(read), given))


@triton.jit
def _layers_back(
    read, where, d_last, weights, biases, d_weights, d_biases,
    WIDTHS: tl.constexpr, PLACES: tl.constexpr, LAYER: tl.constexpr,
):  # fmt: skip
    """The gradient of what a layer reads [shape=(BLOCK, its width)] and, on the way, of all from there on.

    It calls itself for the next layer: what each gives is kept just as long as its gradient needs it.
    """
    IN: tl.constexpr = WIDTHS[LAYER]
    OUT: tl.constexpr = WIDTHS[LAYER + 1]
    ROWS: tl.constexpr = IN + PLACES
    d_given = d_last
    if len(WIDTHS) > LAYER + 2:
        hidden = tl.maximum(_layer(read, where, weights, biases, IN, OUT, PLACES), 0.0).to(read.dtype)
        d_given = _layers_back(
            hidden, where, d_last, weights + ROWS * OUT, biases + OUT, d_weights + ROWS * OUT, d_biases + OUT,
            WIDTHS, 0, LAYER + 1,
        )  # fmt: skip
        d_given = tl.where(hidden > 0, d_given, 0.0)
    at = d_biases + tl.arange(0, OUT)
    tl.store(at, tl.load(at) + tl.sum(d_given, 0))
    d_given = d_given.to(read.dtype)
    _add(d_weights, read, d_given, IN, OUT)
    if PLACES:
        _add(d_weights + IN * OUT, where, d_given, PLACES, OUT)
    return _dot(d_given, tl.trans(_matrix(weights, IN, OUT)))


@triton.jit
def _where(places, row, column, wide, like, PLACES: tl.constexpr):
    """The positional channels [shape=(BLOCK, PLACES)], as precise as the weights are; what is never read for none."""
    where = row
    if PLACES:
        at = (row * wide + column)[:, None] * PLACES + tl.arange(0, PLACES)[None, :]
        where = tl.load(places + at).to(like.dtype.element_ty)
    return where


# The kernels


@triton.jit(do_not_specialize=["high", "wide", "total"])
def step(
    state, alpha, state_next, alpha_next, fires, places, weights, biases, high, wide, total,
    CHANNELS: tl.constexpr, PLACES: tl.constexpr, WIDTHS: tl.constexpr, WEIGHTS: tl.constexpr, BIASES: tl.constexpr,
    TIME: tl.constexpr, FREQUENCY: tl.constexpr, NEAR: tl.constexpr, LIVE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The next state from this one.  Programs: tiles x rules."""
    rule = tl.program_id(1)
    spot, real, row, column = cells(tl.program_id(0), high, wide, total, BLOCK)
    spot += rule * total
    here, seen, near = perceive(state, alpha, spot, row, column, high, wide, CHANNELS, TIME, FREQUENCY, LIVE)
    where = _where(places, row, column, wide, weights, PLACES)
    seen = seen.to(weights.dtype.element_ty)
    update = _layers(seen, where, weights + rule * WEIGHTS, biases + rule * BIASES, WIDTHS, PLACES)
    after = here + update * _acting(fires, spot, near, NEAR)[:, None]
    channel = tl.arange(0, CHANNELS)[None, :]
    tl.store(state_next + spot[:, None] * CHANNELS + channel, after, mask=real[:, None])
    tl.store(alpha_next + spot, tl.sum(tl.where(channel == LIFE, after, 0.0), 1), mask=real)


@triton.jit(do_not_specialize=["high", "wide", "total"])
def live(
    state, alpha, alive, high, wide, total,
    CHANNELS: tl.constexpr, TIME: tl.constexpr, FREQUENCY: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """alive = state * 3 x 3 maximum of alpha, alpha clamped in both.  Programs: tiles, of all rules."""
    spot, real, row, column = cells(tl.program_id(0), high, wide, total, BLOCK)
    highest, _ = window(alpha, spot, row, column, high, wide, TIME, FREQUENCY)
    at = spot[:, None] * CHANNELS + tl.arange(0, CHANNELS)[None, :]
    tl.store(alive + at, clamped(tl.load(state + at), CHANNELS) * highest[:, None], mask=real[:, None])


@triton.jit(do_not_specialize=["high", "wide", "total"])
def gather(
    grad, d_seen, state, alpha, shares, winners, high, wide, total,
    CHANNELS: tl.constexpr, TIME: tl.constexpr, FREQUENCY: tl.constexpr,
    READ: tl.constexpr, LIVE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """grad, of a state that is alive and was read by a step, from that of what was seen of it; in place.

    READ: each cell sums over all that saw it.  LIVE: then grad is divided among the cell and the alpha that gave it
    life: shares [shape=(total)] goes to the alpha of the cell's neighbour winners (0..8).  Programs: tiles, all rules.
    """
    spot, real, row, column = cells(tl.program_id(0), high, wide, total, BLOCK)
    at = spot[:, None] * CHANNELS + tl.arange(0, CHANNELS)[None, :]
    d_state = tl.load(grad + at)
    if READ:
        d_state += seen_back(d_seen, spot, row, column, high, wide, CHANNELS, TIME, FREQUENCY)
    if LIVE:
        highest, winner = window(alpha, spot, row, column, high, wide, TIME, FREQUENCY)
        tl.store(shares + spot, tl.sum(clamped(tl.load(state + at), CHANNELS) * d_state, 1), mask=real)
        tl.store(winners + spot, winner, mask=real)
        d_state *= highest[:, None]
    tl.store(grad + at, d_state, mask=real[:, None])


@triton.jit(do_not_specialize=["high", "wide", "total"])
def back(
    state, alpha, alpha_next, grad, d_seen, shares, winners, fires, places, weights, biases, d_weights, d_biases,
    high, wide, total,
    CHANNELS: tl.constexpr, PLACES: tl.constexpr, WIDTHS: tl.constexpr, WEIGHTS: tl.constexpr, BIASES: tl.constexpr,
    TIME: tl.constexpr, FREQUENCY: tl.constexpr, NEAR: tl.constexpr, LIVE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """From gather's grad of the state after a step: grad of that before life and clamp, in place, and of what was seen.

    Adds to the sums of its slot [shape=(rules, slots, ...)], which no other program touches.  Programs: slots x rules;
    each takes every so many-th tile.
    """
    slot, slots, rule = tl.program_id(0), tl.num_programs(0), tl.program_id(1)
    weights += rule * WEIGHTS
    biases += rule * BIASES
    d_weights += (rule * slots + slot) * WEIGHTS
    d_biases += (rule * slots + slot) * BIASES
    channel = tl.arange(0, CHANNELS)[None, :]
    # Addresses are reckoned anew for each tile: those of all weights at once would not fit in registers.
    for tile in tl.range(slot, tl.cdiv(total, BLOCK), slots, disable_licm=True):
        spot, real, row, column = cells(tile, high, wide, total, BLOCK)
        spot += rule * total
        at = spot[:, None] * CHANNELS + channel
        d_alpha = alpha_back(shares, winners, spot, row, column, high, wide, TIME, FREQUENCY)
        before = tl.load(alpha_next + spot)
        passes = (before >= 0) & (before <= 1)
        d_after = tl.load(grad + at) + tl.where(channel == LIFE, d_alpha[:, None], 0.0)
        d_after = tl.where(real[:, None] & ((channel != LIFE) | passes[:, None]), d_after, 0.0)
        tl.store(grad + at, d_after, mask=real[:, None])
        _, seen, near = perceive(state, alpha, spot, row, column, high, wide, CHANNELS, TIME, FREQUENCY, LIVE)
        where = _where(places, row, column, wide, weights, PLACES)
        d_update = d_after * _acting(fires, spot, near, NEAR)[:, None]
        d_read = _layers_back(
            seen.to(weights.dtype.element_ty), where, d_update, weights, biases, d_weights, d_biases, WIDTHS, PLACES, 0
        )
        entry = tl.arange(0, SEEN * CHANNELS)[None, :]
        entries = d_seen + spot[:, None] * (SEEN * CHANNELS) + entry
        tl.store(entries, d_read.to(d_seen.dtype.element_ty), mask=real[:, None])
        tl.debug_barrier()  # a sum that one thread has written may be another's to read for the next tile
