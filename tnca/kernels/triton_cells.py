"""What a cell sees, and the same turned round, on the device; for tnca.kernels.triton_step.

`spot` is a cell's place among all that a kernel has, `home` that of the first cell of its state.  A line (row or
column) beyond the border that no padding maps into the grid is -1: there is nothing to see.
"""

import triton
import triton.language as tl

from tnca.kernels.params import ALPHA

LIFE = tl.constexpr(ALPHA)
SEEN = tl.constexpr(4)  # itself, Sobel x, Sobel y, Laplacian: they lie beside one another for each channel


# Where cells are, and who reads whom


@triton.jit
def cells(tile, high, wide, total, BLOCK: tl.constexpr):
    """(spot, whether it is one, row, column) of the cells of a tile [4 x shape=(BLOCK)]."""
    spot = tile * BLOCK + tl.arange(0, BLOCK)
    real = spot < total
    spot = tl.minimum(spot, total - 1)
    return spot, real, spot // wide % high, spot % wide


@triton.jit
def _beside(line, by: tl.constexpr, size, MODE: tl.constexpr):
    """The line that is seen from a line one further (by = -1 or 1), by tnca.kernels.padding."""
    to = line + by
    if MODE == "zero":
        to = tl.where((to >= 0) & (to < size), to, -1)
    elif MODE == "circular":
        to = (to + size) % size
    elif MODE == "reflect":
        to = tl.where(to < 0, -to, to)
        to = tl.maximum(tl.where(to >= size, 2 * size - 2 - to, to), 0)  # one line is its own mirror image
    else:
        to = tl.minimum(tl.maximum(to, 0), size - 1)
    return to


@triton.jit
def _beyond(line, by: tl.constexpr, size, MODE: tl.constexpr):
    """What the line beside sees and this one may not: the neighbour's other neighbour.

    A neighbour that is a mirror image or a copy of the border looks back into the grid.
    """
    to = _beside(line, by, size, MODE)
    if MODE == "reflect" or MODE == "replicate":
        outside = (line + by < 0) | (line + by >= size)
        to = tl.where(outside, _beside(to, -by, size, MODE), _beside(to, by, size, MODE))
    else:
        to = _beside(to, by, size, MODE)
    return to


@triton.jit
def _way(number: tl.constexpr):
    """In which direction (-1, 0, 1) the reader of that number reads."""
    return number - 1 if number < 3 else 2 * number - 7


@triton.jit
def _reader(line, number: tl.constexpr, size, MODE: tl.constexpr):
    """The line that reads this one in the direction _way(number); -1 for none.  _beside, turned round."""
    if number >= 3:
        border = 0 if number == 3 else size - 1
        by = line * 0 + border
        reader = tl.where(_beside(by, _way(number), size, MODE) == line, by, -1)
    elif MODE == "circular":
        reader = (line - _way(number) + size) % size
    else:
        reader = line - _way(number)
        reader = tl.where((reader >= 0) & (reader < size), reader, -1)
    return reader


# Life


@triton.jit
def _alpha(alpha, home, row, column, wide):
    """Alpha between 0 and 1; 0 for a cell that is none [shape=(BLOCK)]."""
    there = (row >= 0) & (column >= 0)
    value = tl.load(alpha + home + row * wide + column, mask=there, other=0.0)
    return tl.minimum(tl.maximum(value, 0.0), 1.0)


@triton.jit
def _highest(a, b, c):
    return tl.maximum(tl.maximum(a, b), c)


@triton.jit
def _across(alpha, home, row, wide, west, left, column, right, east):
    """Of one row, the maxima of alpha over the three columns around left, column and right."""
    a = _alpha(alpha, home, row, west, wide)
    b = _alpha(alpha, home, row, left, wide)
    c = _alpha(alpha, home, row, column, wide)
    d = _alpha(alpha, home, row, right, wide)
    e = _alpha(alpha, home, row, east, wide)
    return _highest(a, b, c), _highest(b, c, d), _highest(c, d, e)


@triton.jit
def window(alpha, spot, row, column, high, wide, TIME: tl.constexpr, FREQUENCY: tl.constexpr):
    """(3 x 3 maximum of alpha, which of the nine is the first to have it) [2 x shape=(BLOCK)]."""
    home = spot - row * wide - column
    highest = tl.full(spot.shape, -1.0, tl.float32)
    winner = tl.zeros(spot.shape, tl.int32)
    for number in tl.static_range(9):
        line = row if number // 3 == 1 else _beside(row, number // 3 - 1, high, FREQUENCY)
        other = column if number % 3 == 1 else _beside(column, number % 3 - 1, wide, TIME)
        value = _alpha(alpha, home, line, other, wide)
        winner = tl.where(value > highest, number, winner)
        highest = tl.maximum(highest, value)
    return highest, winner


@triton.jit
def clamped(state, CHANNELS: tl.constexpr):
    """The states of cells [shape=(BLOCK, CHANNELS)], alpha between 0 and 1."""
    return tl.where(tl.arange(0, CHANNELS)[None, :] == LIFE, tl.minimum(tl.maximum(state, 0.0), 1.0), state)


# What a cell sees


@triton.jit
def _cell(state, home, row, column, wide, life, CHANNELS: tl.constexpr, LIVE: tl.constexpr):
    """The states of cells, alive [shape=(BLOCK, CHANNELS)]; 0 for a cell that is none."""
    there = (row >= 0) & (column >= 0)
    at = home + row * wide + column
    values = tl.load(state + at[:, None] * CHANNELS + tl.arange(0, CHANNELS)[None, :], mask=there[:, None], other=0.0)
    if LIVE:
        values = clamped(values, CHANNELS) * life[:, None]
    return values


@triton.jit
def _three(
    state, home, row, left, column, right, wide, life_l, life_c, life_r, CHANNELS: tl.constexpr, LIVE: tl.constexpr
):
    """Of one row: (left + 2 centre + right, right - left, centre, the highest of the three)."""
    before = _cell(state, home, row, left, wide, life_l, CHANNELS, LIVE)
    here = _cell(state, home, row, column, wide, life_c, CHANNELS, LIVE)
    after = _cell(state, home, row, right, wide, life_r, CHANNELS, LIVE)
    return before + 2 * here + after, after - before, here, _highest(before, here, after)


@triton.jit
def perceive(
    state, alpha, spot, row, column, high, wide,
    CHANNELS: tl.constexpr, TIME: tl.constexpr, FREQUENCY: tl.constexpr, LIVE: tl.constexpr,
):  # fmt: skip
    """(the cells, what they see, whether life is near) [shapes=(BLOCK, CHANNELS), (BLOCK, 4 CHANNELS), (BLOCK)].

    The Laplacian is what is smoothed by 1 2 1 in both directions, less 16 times the centre.
    """
    home = spot - row * wide - column
    up, down = _beside(row, -1, high, FREQUENCY), _beside(row, 1, high, FREQUENCY)
    left, right = _beside(column, -1, wide, TIME), _beside(column, 1, wide, TIME)
    none = 1.0
    ul, uc, ur, cl, cc, cr, dl, dc, dr = none, none, none, none, none, none, none, none, none
    if LIVE:
        west, east = _beyond(column, -1, wide, TIME), _beyond(column, 1, wide, TIME)
        north, south = _beyond(row, -1, high, FREQUENCY), _beyond(row, 1, high, FREQUENCY)
        al, ac, ar = _across(alpha, home, north, wide, west, left, column, right, east)
        bl, bc, br = _across(alpha, home, up, wide, west, left, column, right, east)
        el, ec, er = _across(alpha, home, row, wide, west, left, column, right, east)
        fl, fc, fr = _across(alpha, home, down, wide, west, left, column, right, east)
        gl, gc, gr = _across(alpha, home, south, wide, west, left, column, right, east)
        ul, uc, ur = _highest(al, bl, el), _highest(ac, bc, ec), _highest(ar, br, er)
        cl, cc, cr = _highest(bl, el, fl), _highest(bc, ec, fc), _highest(br, er, fr)
        dl, dc, dr = _highest(el, fl, gl), _highest(ec, fc, gc), _highest(er, fr, gr)
    smooth_u, slope_u, _, top = _three(state, home, up, left, column, right, wide, ul, uc, ur, CHANNELS, LIVE)
    smooth_c, slope_c, here, mid = _three(state, home, row, left, column, right, wide, cl, cc, cr, CHANNELS, LIVE)
    smooth_d, slope_d, _, low = _three(state, home, down, left, column, right, wide, dl, dc, dr, CHANNELS, LIVE)
    x = slope_u + 2 * slope_c + slope_d
    y = smooth_d - smooth_u
    laplacian = smooth_u + 2 * smooth_c + smooth_d - 16 * here
    seen = tl.reshape(tl.join(tl.join(here, y), tl.join(x, laplacian)), [spot.shape[0], SEEN * CHANNELS])
    highest = tl.where(tl.arange(0, CHANNELS)[None, :] == LIFE, _highest(top, mid, low), 0.0)
    return here, seen, tl.sum(tl.maximum(highest, 0.0), 1) > 0


# Turned round


@triton.jit
def seen_back(
    d_seen, spot, row, column, high, wide, CHANNELS: tl.constexpr, TIME: tl.constexpr, FREQUENCY: tl.constexpr
):
    """The transposed filters: what each cell's readers saw of it, and in which direction [shape=(BLOCK, CHANNELS)]."""
    home = spot - row * wide - column
    entry = tl.arange(0, SEEN * CHANNELS)[None, :]
    kind = entry % SEEN
    total = tl.zeros([spot.shape[0], SEEN * CHANNELS], tl.float32)
    for i in tl.static_range(3 if FREQUENCY == "zero" or FREQUENCY == "circular" else 5):
        dy = _way(i)
        line = _reader(row, i, high, FREQUENCY)
        for j in tl.static_range(3 if TIME == "zero" or TIME == "circular" else 5):
            dx = _way(j)
            other = _reader(column, j, wide, TIME)
            centre = (1 - dx * dx) * (1 - dy * dy)
            across = tl.where(kind == 0, centre, (2 - dx * dx) * (2 - dy * dy) - 16 * centre)
            along = tl.where(kind == 1, dx * (2 - dy * dy), dy * (2 - dx * dx))
            factor = tl.where((kind == 1) | (kind == 2), along, across)
            at = (home + line * wide + other)[:, None] * (SEEN * CHANNELS) + entry
            total += tl.load(d_seen + at, mask=((line >= 0) & (other >= 0))[:, None], other=0.0).to(tl.float32) * factor
    return tl.sum(tl.reshape(total, [spot.shape[0], CHANNELS, SEEN]), 2)


@triton.jit
def alpha_back(shares, winners, spot, row, column, high, wide, TIME: tl.constexpr, FREQUENCY: tl.constexpr):
    """The gradient of alpha [shape=(BLOCK)] from the cells to which it gave life."""
    home = spot - row * wide - column
    total = tl.zeros(spot.shape, tl.float32)
    for i in tl.static_range(3 if FREQUENCY == "zero" or FREQUENCY == "circular" else 5):
        line = _reader(row, i, high, FREQUENCY)
        for j in tl.static_range(3 if TIME == "zero" or TIME == "circular" else 5):
            other = _reader(column, j, wide, TIME)
            there = (line >= 0) & (other >= 0)
            at = home + line * wide + other
            mine = tl.load(winners + at, mask=there, other=-1) == 3 * _way(i) + _way(j) + 4
            total += tl.load(shares + at, mask=mine, other=0.0)
    return total
