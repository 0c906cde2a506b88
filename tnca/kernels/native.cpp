// The automaton's rollout on a CPU, fused, and its gradient.  The formulas are those of tnca/kernels/reference.py.
//
// A state lies cell by cell: [rows][columns][channels], with a border of one cell, so that perceiving is arithmetic on
// vectors of channels and every product has the same form: cells x features.  60 cells at a time go through all layers
// while they are in the cache.  Kept for the backward pass is one grid a step, the state before life is applied, and,
// if there is memory for it, the hidden layers but the first; the rest is computed again.  Threads take what is left to
// do; sums of gradients belong to one of 16 shares of the cells, so that a run repeats itself bit for bit on any number
// of them (and more than 16 do not make the backward pass faster).  What is not a number stays so where it is, and
// spreads through what a cell sees, but not through the maximum.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16, ROWS = 12;  // floats of a vector; rows of a block of sums, which fill the registers
#elif defined(__AVX__)
constexpr int LANES = 8, ROWS = 6;
#else
constexpr int LANES = 4, ROWS = 6;
#endif
typedef float Vector __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
typedef int32_t Flags __attribute__((vector_size(LANES * sizeof(float)), may_alias));

constexpr int BLOCK = 2 * LANES;  // columns of a block of sums
constexpr int TILE = 60;          // cells that go through the layers together: a multiple of ROWS
constexpr int SHARES = 32;        // of a phase, taken by a thread one after the other
constexpr int SLOTS = 16;         // shares of the cells that sum their gradients for themselves
constexpr int ALPHA = 1;
constexpr int SEEN = 4;  // itself, Sobel x, Sobel y, Laplacian

inline Vector& at(float* place) { return *reinterpret_cast<Vector*>(place); }
inline const Vector& at(const float* place) { return *reinterpret_cast<const Vector*>(place); }

int rounded(int size, int to) { return (size + to - 1) / to * to; }

float clamped(float value) { return value < 0.f ? 0.f : value > 1.f ? 1.f : value; }

// Threads

// What is left to do in a phase, and where everybody waits for everybody at its end.  It spins, for a phase takes less
// than waking a thread does.
class Phase {
 public:
  explicit Phase(int threads) : threads_(threads) {}

  int take(int count) { return next_.fetch_add(count); }

  void wait() {
    const int turn = turn_.load();
    if (come_.fetch_add(1) + 1 == threads_) {
      come_.store(0);
      next_.store(0);
      turn_.store(turn + 1);
      return;
    }
    for (int spins = 0; turn_.load() == turn; ++spins) {
      if (spins > 2000) std::this_thread::yield();
    }
  }

 private:
  const int threads_;
  std::atomic<int> next_{0}, come_{0}, turn_{0};
};

// One of several threads that go through the same phases.
struct Worker {
  int number, count;
  Phase& phase;

  // body(0), ..., body(size - 1), each by one of the threads.
  template <class Body>
  void share(int size, Body body) const {
    const int few = std::max(1, size / (count * SHARES));
    for (int first = phase.take(few); first < size; first = phase.take(few)) {
      for (int i = first; i < std::min(size, first + few); ++i) body(i);
    }
    phase.wait();
  }
};

template <class Body>
void on_threads(int count, Body body) {
  std::vector<std::thread> others;
  std::atomic<int> begun{0};  // how many there are, once that is known
  std::optional<Phase> phase;
  others.reserve(count - 1);
  try {
    for (int i = 1; i < count; ++i) {
      others.emplace_back([&, i] {
        while (begun.load() == 0) std::this_thread::yield();
        body(Worker{i, begun.load(), *phase});
      });
    }
  } catch (const std::exception&) {  // no more threads are to be had: the bits are the same with fewer
  }
  phase.emplace(int(others.size()) + 1);
  begun.store(int(others.size()) + 1);
  body(Worker{0, begun.load(), *phase});
  for (auto& each : others) each.join();
}

// Products: each is  sum[r][BLOCK] += a[r][k] b[k][BLOCK]

// A block of sums.  Across: a is read along its rows' first axis, a[k * lda + r] in place of a[r * lda + k].
template <int R, bool Across>
struct Sums {
  Vector sum[R][2];

  void add(int depth, const float* a, int64_t lda, const float* b, int64_t ldb) {
    const float* row[Across ? 1 : R];
    for (int r = 0; r < (Across ? 1 : R); ++r) {
      row[r] = a + r * lda;
      asm("" : "+r"(row[r]));  // or the compiler keeps products of lda on the stack, and loads them in the loop
    }
#pragma GCC unroll 2
    for (int64_t k = 0; k < depth; ++k) {
      const Vector one = at(b + k * ldb), other = at(b + k * ldb + LANES);
      for (int r = 0; r < R; ++r) {
        const float factor = Across ? row[0][k * lda + r] : row[r][k];
        sum[r][0] += factor * one;
        sum[r][1] += factor * other;
      }
    }
  }
};

// Calls body with a number of rows known to the compiler, until all are done.
template <class Body>
void by_rows(int rows, Body body) {
  int row = 0;
  for (; rows - row >= ROWS; row += ROWS) body(std::integral_constant<int, ROWS>(), row);
  for (; rows - row >= 4; row += 4) body(std::integral_constant<int, 4>(), row);
  for (; rows - row >= 2; row += 2) body(std::integral_constant<int, 2>(), row);
  for (; row < rows; ++row) body(std::integral_constant<int, 1>(), row);
}

// A layer's weights in blocks of BLOCK outputs: [block][input][BLOCK], what is beyond the last output is zero.
struct Packed {
  int inputs = 0, outputs = 0;
  std::vector<float> weights, bias;

  const float* block(int number) const { return weights.data() + size_t(number) * inputs * BLOCK; }
  int blocks() const { return rounded(outputs, BLOCK) / BLOCK; }
};

// The values of a layer for the cells of a tile, and how far apart they lie.
struct Values {
  float* first;
  int ld;
};

// out = relu(in weights + bias), or without relu.
void layer(const Packed& net, int cells, Values in, Values out, bool relu) {
  for (int block = 0; block < net.blocks(); ++block) {
    const float *weights = net.block(block), *bias = net.bias.data() + block * BLOCK;
    by_rows(cells, [&](auto rows, int row) {
      Sums<rows, false> sums;
      for (int r = 0; r < rows; ++r) sums.sum[r][0] = at(bias), sums.sum[r][1] = at(bias + LANES);
      sums.add(net.inputs, in.first + row * in.ld, in.ld, weights, BLOCK);
      for (int r = 0; r < rows; ++r) {
        for (int half = 0; half < 2; ++half) {
          const Vector value = sums.sum[r][half];
          at(out.first + (row + r) * out.ld + block * BLOCK + half * LANES) = relu ? (value < 0.f ? Vector{} : value) : value;
        }
      }
    });
  }
}

// down = slope weights^T; behind a relu only where the input, which it gave, is over zero.
template <bool Relu>
void back(const Packed& turned, int cells, Values slope, Values input, Values down) {
  for (int block = 0; block < turned.blocks(); ++block) {
    by_rows(cells, [&](auto rows, int row) {
      Sums<rows, false> sums;
      for (int r = 0; r < rows; ++r) sums.sum[r][0] = sums.sum[r][1] = Vector{};
      sums.add(turned.inputs, slope.first + row * slope.ld, slope.ld, turned.block(block), BLOCK);
      for (int r = 0; r < rows; ++r) {
        for (int half = 0; half < 2; ++half) {
          const int column = block * BLOCK + half * LANES;
          Vector value = sums.sum[r][half];
          if (Relu) value = (Vector)((Flags)value & (at(input.first + (row + r) * input.ld + column) > 0.f));
          at(down.first + (row + r) * down.ld + column) = value;
        }
      }
    });
  }
}

// of_weights[block of inputs][output][BLOCK] += slope^T in, over the cells; of_bias += their slopes.
void gather(int cells, Values slope, int outputs, Values in, int inputs, float* of_weights, float* of_bias) {
  for (int block = 0; block * BLOCK < inputs; ++block) {
    float* out = of_weights + size_t(block) * outputs * BLOCK;
    by_rows(outputs, [&](auto rows, int row) {
      Sums<rows, true> sums;
      for (int r = 0; r < rows; ++r) {
        sums.sum[r][0] = at(out + (row + r) * BLOCK), sums.sum[r][1] = at(out + (row + r) * BLOCK + LANES);
      }
      sums.add(cells, slope.first + row, slope.ld, in.first + block * BLOCK, in.ld);
      for (int r = 0; r < rows; ++r) {
        at(out + (row + r) * BLOCK) = sums.sum[r][0], at(out + (row + r) * BLOCK + LANES) = sums.sum[r][1];
      }
    });
  }
  for (int n = 0; n < cells; ++n) {
    for (int m = 0; m < outputs; ++m) of_bias[m] += slope.first[n * slope.ld + m];
  }
}

// What is kept is written once and read once; in large pages the system has it ready in a fraction of the time.
void in_large_pages(float* memory, size_t count) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t PAGE = uintptr_t(1) << 21;
  const uintptr_t first = (reinterpret_cast<uintptr_t>(memory) + PAGE - 1) / PAGE * PAGE;
  const uintptr_t last = reinterpret_cast<uintptr_t>(memory + count) / PAGE * PAGE;
  if (memory != nullptr && first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#else
  (void)memory, (void)count;
#endif
}

// The grid

extern "C" struct Problem {  // as tnca/kernels/native.py writes it
  int32_t rules, batch, channels, high, wide, places, layers, time, frequency, near_life, threads, steps;
  const int32_t* widths;         // of what each layer reads, and of what the last one gives
  const float* const* weights;   // of each layer [rules][out][in]
  const float* const* biases;    // [rules][out]
  const float* where;            // [places][high][wide]
  const uint8_t* fires;          // [steps][batch][high][wide], or null
};

// Which cell stands before the first and behind the last of an axis; -1 for none.
struct Beyond {
  int before, behind;
};

Beyond beyond(int size, int mode) {  // the order of tnca.padding.MODES
  switch (mode) {
    case 1: return {size - 1, 0};
    case 2: return {std::min(1, size - 1), std::max(size - 2, 0)};
    case 3: return {0, size - 1};
    default: return {-1, -1};
  }
}

struct Grid {
  const Problem& p;
  int channels, stride, cells, seen, tiles;  // channels: rounded to whole vectors
  Beyond rows, columns;
  std::vector<int> width;  // of what each layer reads, the first with channels rounded, and of what the last one gives
  std::vector<int> ld;     // floats from cell to cell of each, kept off powers of two, which share a cache line's place

  explicit Grid(const Problem& problem)
      : p(problem),
        channels(rounded(p.channels, LANES)),
        stride(p.wide + 2),
        cells(p.high * p.wide),
        seen(SEEN * channels),
        tiles((cells + TILE - 1) / TILE),
        rows(beyond(p.high, p.frequency)),
        columns(beyond(p.wide, p.time)) {
    for (int l = 0; l <= p.layers; ++l) width.push_back(l == 0 ? seen + p.places : p.widths[l]);
    for (int wide : width) ld.push_back(rounded(wide, BLOCK) + 16);
  }

  size_t state_size() const { return size_t(cells) * channels; }
  bool keeps(int layer) const { return layer > 1 && layer < p.layers; }
  int kept_ld(int layer) const { return rounded(width[layer], BLOCK); }
  size_t hidden_size() const {  // floats of a state and a step
    size_t whole = 0;
    for (int l = 2; l < p.layers; ++l) whole += size_t(cells) * kept_ld(l);
    return whole;
  }
  size_t padded_size() const { return size_t(p.high + 2) * stride * channels; }
  int padded(int cell) const { return (cell / p.wide + 1) * stride + cell % p.wide + 1; }
  int per_rule() const { return p.batch / p.rules; }
  const uint8_t* fires(int step, int state) const {
    return p.fires == nullptr ? nullptr : p.fires + (size_t(step) * p.batch + state) * cells;
  }

  // Column of the packed first layer for one of the weights' own.
  int column(int layer, int own) const {
    if (layer > 0) return own;
    return own < SEEN * p.channels ? own / p.channels * channels + own % p.channels : seen + own - SEEN * p.channels;
  }
};

struct Net {
  std::vector<Packed> layers, turned;
};

// weights: inputs x outputs of a rule, packed; both ways where the backward pass needs it.
Net pack(const Grid& g, int rule, bool turned) {
  Net net;
  for (int l = 0; l < g.p.layers; ++l) {
    const int own_inputs = g.p.widths[l], outputs = g.p.widths[l + 1], inputs = g.width[l];
    const float* weights = g.p.weights[l] + size_t(rule) * outputs * own_inputs;
    Packed ahead{inputs, outputs, {}, std::vector<float>(rounded(outputs, BLOCK))};
    Packed behind{outputs, l == 0 ? g.seen : inputs, {}, {}};  // nobody asks for the gradient of the positions
    ahead.weights.assign(size_t(ahead.blocks()) * inputs * BLOCK, 0.f);
    if (turned) behind.weights.assign(size_t(behind.blocks()) * outputs * BLOCK, 0.f);
    std::copy_n(g.p.biases[l] + size_t(rule) * outputs, outputs, ahead.bias.begin());
    for (int m = 0; m < outputs; ++m) {
      for (int own = 0; own < own_inputs; ++own) {
        const int k = g.column(l, own);
        const float weight = weights[size_t(m) * own_inputs + own];
        ahead.weights[(size_t(m / BLOCK) * inputs + k) * BLOCK + m % BLOCK] = weight;
        if (turned && k < behind.outputs) behind.weights[(size_t(k / BLOCK) * outputs + m) * BLOCK + k % BLOCK] = weight;
      }
    }
    net.layers.push_back(std::move(ahead));
    net.turned.push_back(std::move(behind));
  }
  return net;
}

// [state, Sobel x, Sobel y, Laplacian, positions] of the cells first, first + 1, ...
void perceive(const Grid& g, const float* padded, int first, int count, float* seen) {
  const int c = g.channels, ld = g.ld[0];
  const int64_t line = int64_t(g.stride) * c;
  for (int n = 0; n < count; ++n, seen += ld) {
    const float* here = padded + int64_t(g.padded(first + n)) * c;
    for (int i = 0; i < c; i += LANES) {
      const float *same = here + i, *above = same - line, *below = same + line;
      const Vector left = at(above - c) + 2.f * at(same - c) + at(below - c);
      const Vector right = at(above + c) + 2.f * at(same + c) + at(below + c);
      const Vector top = at(above - c) + 2.f * at(above) + at(above + c);
      const Vector bottom = at(below - c) + 2.f * at(below) + at(below + c);
      at(seen + i) = at(same);
      at(seen + c + i) = right - left;
      at(seen + 2 * c + i) = bottom - top;
      at(seen + 3 * c + i) = top + bottom + 2.f * (at(same - c) + at(same + c)) - 12.f * at(same);
    }
    for (int place = 0; place < g.p.places; ++place) seen[g.seen + place] = g.p.where[size_t(place) * g.cells + first + n];
  }
}

// A state as the step reads it, and what of it life needs.
struct State {
  std::vector<float> padded;       // with its border
  std::vector<float> most;         // 3 x 3 maximum of the clamped alpha [high][wide]
  std::vector<uint8_t> strongest;  // in which of the nine it stands, the first of equals, where gradients ask for it

  State(const Grid& g, bool backward) : padded(g.padded_size()), most(g.cells), strongest(backward ? g.cells : 0) {}

  // Row y, from a state as it is [cells][the problem's channels].
  void take(const Grid& g, const float* state, int y) {
    for (int x = 0, cell = y * g.p.wide; x < g.p.wide; ++x, ++cell) {
      std::copy_n(state + size_t(cell) * g.p.channels, g.p.channels, place(g, cell));
    }
    fill_border(g, y);
  }

  // Row y, from one before life: alpha clamped, times its maximum.
  void live(const Grid& g, const float* unmasked, int y, std::vector<float>& alpha) {
    const int stride = g.stride, around[] = {y == 0 ? g.rows.before : y - 1, y, y == g.p.high - 1 ? g.rows.behind : y + 1};
    for (int k = 0; k < 3; ++k) {
      float* row = alpha.data() + k * stride;
      std::fill_n(row, stride, 0.f);
      if (around[k] < 0) continue;
      const float* from = unmasked + size_t(around[k]) * g.p.wide * g.channels + ALPHA;
      for (int x = 0; x < g.p.wide; ++x) row[x + 1] = clamped(from[size_t(x) * g.channels]);
      if (g.columns.before >= 0) row[0] = row[g.columns.before + 1];
      if (g.columns.behind >= 0) row[stride - 1] = row[g.columns.behind + 1];
    }
    float* highest = alpha.data() + 3 * stride;  // of the three rows
    for (int x = 0; x < stride; ++x) highest[x] = std::max(alpha[x], std::max(alpha[stride + x], alpha[2 * stride + x]));
    for (int x = 0, cell = y * g.p.wide; x < g.p.wide; ++x, ++cell) {
      const float best = std::max(highest[x], std::max(highest[x + 1], highest[x + 2]));
      most[cell] = best;
      if (!strongest.empty()) strongest[cell] = first_of(alpha.data() + x, stride, best);
      const float* from = unmasked + size_t(cell) * g.channels;
      float* to = place(g, cell);
      for (int c = 0; c < g.channels; c += LANES) at(to + c) = at(from + c) * best;
      to[ALPHA] = alpha[stride + x + 1] * best;
    }
    fill_border(g, y);
  }

  // 1 where a cell updates: it fires, and life is near.
  float gate(const Grid& g, const uint8_t* fires, int cell) const {
    if (fires != nullptr && !fires[cell]) return 0.f;
    if (!g.p.near_life) return 1.f;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        if (padded[size_t(g.padded(cell) + dy * g.stride + dx) * g.channels + ALPHA] > 0.f) return 1.f;
      }
    }
    return 0.f;
  }

 private:
  static uint8_t first_of(const float* corner, int stride, float best) {
    uint8_t k = 0;
    while (k < 8 && corner[k / 3 * stride + k % 3] != best) ++k;
    return k;
  }

  float* place(const Grid& g, int cell) { return padded.data() + size_t(g.padded(cell)) * g.channels; }

  // The two ends of row y, and the rows of the border that show it.  A border of zeros was never written.
  void fill_border(const Grid& g, int y) {
    const int c = g.channels;
    const size_t line = size_t(g.stride) * c;
    float* row = padded.data() + (y + 1) * line;
    if (g.columns.before >= 0) std::copy_n(row + (g.columns.before + 1) * c, c, row);
    if (g.columns.behind >= 0) std::copy_n(row + (g.columns.behind + 1) * c, c, row + (g.p.wide + 1) * c);
    if (g.rows.before == y) std::copy_n(row, line, padded.data());
    if (g.rows.behind == y) std::copy_n(row, line, padded.data() + (g.p.high + 1) * line);
  }
};

// What a thread computes a tile in: the inputs of every layer and the last one's output, and their gradients.
struct Scratch {
  std::vector<std::vector<float>> values, slopes;
  std::vector<float> alpha;  // three rows of it, and their maximum

  Scratch(const Grid& g, bool backward) : alpha(size_t(4) * g.stride) {
    for (int ld : g.ld) {
      values.emplace_back(size_t(TILE) * ld);
      slopes.emplace_back(backward ? size_t(TILE) * ld : 0);
    }
  }
};

struct Rollout {
  Grid g;
  std::vector<Net> nets;
  std::vector<State> states;
  std::vector<Scratch> scratch;
  float* hidden;  // what is kept of the hidden layers: [step][batch][layer but the first][cells][width]; or null

  Rollout(const Problem& problem, bool backward, float* kept_hidden) : g(problem), hidden(kept_hidden) {
    for (int rule = 0; rule < g.p.rules; ++rule) nets.push_back(pack(g, rule, backward));
    for (int b = 0; b < g.p.batch; ++b) states.emplace_back(g, backward);
    for (int t = 0; t < g.p.threads; ++t) scratch.emplace_back(g, backward);
  }

  // body(state, first cell, cells) for each tile of each state
  template <class Body>
  void tile(int number, Body body) {
    const int first = number % g.tiles * TILE;
    body(number / g.tiles, first, std::min(TILE, g.cells - first));
  }

  template <class Body>
  void tiles(const Worker& me, Body body) {
    me.share(g.p.batch * g.tiles, [&](int each) { tile(each, body); });
  }

  // body(state, row) for each row of each state
  template <class Body>
  void rows(const Worker& me, Body body) {
    me.share(g.p.batch * g.p.high, [&](int each) { body(each / g.p.high, each % g.p.high); });
  }

  // Where the values of a layer of a tile are.
  Values values(const Worker& me, int layer, int step, int b, int first) {
    if (hidden == nullptr || !g.keeps(layer)) return {scratch[me.number].values[layer].data(), g.ld[layer]};
    size_t place = (size_t(step) * g.p.batch + b) * g.hidden_size();
    for (int l = 2; l < layer; ++l) place += size_t(g.cells) * g.kept_ld(l);
    return {hidden + place + size_t(first) * g.kept_ld(layer), g.kept_ld(layer)};
  }

  // The layers of a tile, until `last`; those that are kept are taken from there where `again` is asked.
  void layers(const Worker& me, int step, int b, int first, int count, int last, bool again) {
    perceive(g, states[b].padded.data(), first, count, scratch[me.number].values[0].data());
    for (int l = 0; l < last; ++l) {
      if (again && hidden != nullptr && g.keeps(l + 1)) continue;
      layer(nets[b / g.per_rule()].layers[l], count, values(me, l, step, b, first), values(me, l + 1, step, b, first),
            l + 1 < g.p.layers);
    }
  }

  void step(const Worker& me, int number, float* unmasked) {
    tiles(me, [&](int b, int first, int count) {
      const Scratch& mine = scratch[me.number];
      layers(me, number, b, first, count, g.p.layers, false);
      for (int n = 0; n < count; ++n) {
        const float gate = states[b].gate(g, g.fires(number, b), first + n);
        const float *own = mine.values[0].data() + n * g.ld[0], *update = mine.values.back().data() + n * g.ld.back();
        float* to = unmasked + b * g.state_size() + size_t(first + n) * g.channels;
        for (int c = 0; c < g.channels; c += LANES) at(to + c) = at(own + c) + gate * at(update + c);
      }
    });
  }
};

// The backward pass

struct Gradient {
  Rollout r;
  const Grid& g;
  std::vector<State> after;  // of each step; those before it are the rollout's
  int line;                  // cells of a row of `seen`, which has a border of two
  std::vector<float> next, before, seen, sums;            // next: of the state after; before: of it before life
  std::vector<std::vector<float>> of_weights, of_biases;  // [slot], all rules and layers one behind another
  std::vector<size_t> weights_at, biases_at;              // of a layer; the last is the size of a rule

  Gradient(const Problem& problem, float* hidden)
      : r(problem, true, hidden),
        g(r.g),
        after(r.states),
        line(g.p.wide + 4),
        next(g.p.batch * g.state_size()),
        before(next.size()),
        seen(size_t(g.p.batch) * (g.p.high + 4) * line * 3 * g.channels),
        sums(size_t(g.p.batch) * g.cells),
        weights_at(1, 0),
        biases_at(1, 0) {
    for (int l = 0; l < g.p.layers; ++l) {
      weights_at.push_back(weights_at.back() + size_t(rounded(g.width[l], BLOCK)) * g.p.widths[l + 1]);
      biases_at.push_back(biases_at.back() + g.p.widths[l + 1]);
    }
    of_weights.assign(SLOTS, std::vector<float>(g.p.rules * weights_at.back()));
    of_biases.assign(SLOTS, std::vector<float>(g.p.rules * biases_at.back()));
  }

  // From the gradient of a row of a state to that of the state before life, but for what alpha's maxima add.
  void through_life(int b, int y, const float* unmasked) {
    for (int cell = y * g.p.wide, last = cell + g.p.wide; cell < last; ++cell) {
      const size_t place = b * g.state_size() + size_t(cell) * g.channels;
      const float most = after[b].most[cell], alpha = unmasked[place + ALPHA];
      Vector sum = {};
      for (int c = 0; c < g.channels; c += LANES) {
        sum += at(next.data() + place + c) * at(unmasked + place + c);
        at(before.data() + place + c) = at(next.data() + place + c) * most;
      }
      float whole = next[place + ALPHA] * (clamped(alpha) - alpha);
      for (int lane = 0; lane < LANES; ++lane) whole += sum[lane];
      sums[size_t(b) * g.cells + cell] = whole;
    }
  }

  // Alpha's gradient: what the maxima it is the strongest of gave, then through the clamp.
  void through_maximum(int b, int cell, const float* unmasked) {
    float& own = before[b * g.state_size() + size_t(cell) * g.channels + ALPHA];
    const float alpha = unmasked[b * g.state_size() + size_t(cell) * g.channels + ALPHA];
    if (alpha < 0.f || alpha > 1.f) {  // at equality the clamp lets through
      own = 0.f;
      return;
    }
    read_by(cell, [&](int row, int column) {
      for (int k = 0; k < 9; ++k) {  // the cell whose k-th neighbour this place is
        const int y = row - k / 3, x = column - k % 3;
        if (y < 0 || x < 0 || y >= g.p.high || x >= g.p.wide) continue;
        const int other = y * g.p.wide + x;
        if (after[b].strongest[other] == k) own += sums[size_t(b) * g.cells + other];
      }
    });
  }

  // body(row, column) for each place of the padded grid that shows this cell.
  template <class Body>
  void read_by(int cell, Body body) const {
    const int y = cell / g.p.wide, x = cell % g.p.wide;
    const auto across = [&](int row) {
      body(row, x + 1);
      if (g.columns.before == x) body(row, 0);
      if (g.columns.behind == x) body(row, g.p.wide + 1);
    };
    across(y + 1);
    if (g.rows.before == y) across(0);
    if (g.rows.behind == y) across(g.p.high + 1);
  }

  // Backwards through the layers: before -> next (as far as a cell reads itself), seen, and the sums of weights.
  void through_layers(const Worker& me, int step, const float* unmasked) {
    const int64_t tiles = int64_t(g.p.batch) * g.tiles;
    me.share(SLOTS, [&](int slot) {
      for (int each = int(tiles * slot / SLOTS), last = int(tiles * (slot + 1) / SLOTS); each < last; ++each) {
        r.tile(each, [&](int b, int first, int count) { tile_back(me, slot, step, b, first, count, unmasked); });
      }
    });
  }

  void tile_back(const Worker& me, int slot, int step, int b, int first, int count, const float* unmasked) {
    Scratch& mine = r.scratch[me.number];
    const int rule = b / g.per_rule(), last = g.p.layers;
    r.layers(me, step, b, first, count, last - 1, true);
    for (int n = 0; n < count; ++n) {
      through_maximum(b, first + n, unmasked);
      const float gate = r.states[b].gate(g, g.fires(step, b), first + n);
      const float* from = before.data() + b * g.state_size() + size_t(first + n) * g.channels;
      float* to = mine.slopes[last].data() + n * g.ld[last];
      for (int c = 0; c < g.channels; c += LANES) at(to + c) = gate * at(from + c);
    }
    for (int l = last - 1; l >= 0; --l) {
      const Values slope{mine.slopes[l + 1].data(), g.ld[l + 1]}, down{mine.slopes[l].data(), g.ld[l]};
      const Values input = r.values(me, l, step, b, first);
      gather(count, slope, g.p.widths[l + 1], input, g.width[l],
             of_weights[slot].data() + rule * weights_at.back() + weights_at[l],
             of_biases[slot].data() + rule * biases_at.back() + biases_at[l]);
      (l > 0 ? back<true> : back<false>)(r.nets[rule].turned[l], count, slope, input, down);
    }
    spread(b, first, count, mine.slopes[0].data());
  }

  // The gradient of what the cells of a tile saw, to where it is gathered from.
  void spread(int b, int first, int count, const float* slope) {
    for (int n = 0; n < count; ++n, slope += g.ld[0]) {
      const int cell = first + n, y = cell / g.p.wide, x = cell % g.p.wide;
      const size_t place = b * g.state_size() + size_t(cell) * g.channels;
      for (int c = 0; c < g.channels; c += LANES) at(next.data() + place + c) = at(before.data() + place + c) + at(slope + c);
      std::copy_n(slope + g.channels, 3 * g.channels, seen_at(b, y + 2, x + 2));
    }
  }

  float* seen_at(int b, int y, int x) {
    return seen.data() + ((size_t(b) * (g.p.high + 4) + y) * line + x) * 3 * g.channels;
  }

  // The transposed stencils: seen -> next.
  void through_perception(int b, int y) {
    for (int cell = y * g.p.wide, last = cell + g.p.wide; cell < last; ++cell) {
      float* to = next.data() + b * g.state_size() + size_t(cell) * g.channels;
      read_by(cell, [&](int row, int column) { unsee(seen_at(b, row, column), to); });
    }
  }

  // Place (y, x) of the padded grid was seen by the cells (y - dy, x - dx), dy and dx in 0..2; corner: that of 2, 2.
  void unsee(const float* corner, float* to) const {
    const int c = g.channels, across = 3 * c;
    const int64_t down = int64_t(line) * across;
    for (int i = 0; i < c; i += LANES) {
      Vector sum = {};
      const float* from = corner + i;
      for (int row = 0; row < 3; ++row, from += down) {  // row 0 is of dy = 2
        const float side = row == 1 ? 2.f : 1.f, vertical = 1.f - row;
        const float *two = from, *one = from + across, *none = from + 2 * across;  // dx = 2, 1, 0
        sum += side * (at(two) - at(none));
        sum += vertical * (at(two + c) + 2.f * at(one + c) + at(none + c));
        sum += side * (at(two + 2 * c) + at(none + 2 * c)) + (row == 1 ? -12.f : 2.f) * at(one + 2 * c);
      }
      at(to + i) += sum;
    }
  }

  // The sums of all slots, in the order of the weights themselves.
  void collect(float* const* weights, float* const* biases) const {
    for (int l = 0; l < g.p.layers; ++l) {
      const int own_inputs = g.p.widths[l], outputs = g.p.widths[l + 1];
      for (int rule = 0; rule < g.p.rules; ++rule) {
        for (int m = 0; m < outputs; ++m) {
          float* row = weights[l] + (size_t(rule) * outputs + m) * own_inputs;
          for (int own = 0; own < own_inputs; ++own) {
            const int k = g.column(l, own);
            const size_t place = rule * weights_at.back() + weights_at[l] + (size_t(k / BLOCK) * outputs + m) * BLOCK + k % BLOCK;
            row[own] = 0.f;
            for (const auto& slot : of_weights) row[own] += slot[place];
          }
          float& bias = biases[l][size_t(rule) * outputs + m];
          bias = 0.f;
          for (const auto& slot : of_biases) bias += slot[rule * biases_at.back() + biases_at[l] + m];
        }
      }
    }
  }
};

template <class Body>
int guarded(Body body) {
  try {
    body();
  } catch (const std::exception&) {  // no memory, no thread
    return 1;
  }
  return 0;
}

}  // namespace

extern "C" {

int64_t tnca_kept_size(const Problem* problem) { return int64_t(Grid(*problem).state_size()); }

int64_t tnca_hidden_size(const Problem* problem) { return int64_t(Grid(*problem).hidden_size()); }

// state, out [batch][cells][channels].  kept [steps, or 1 if `keep` is 0][batch][kept size]; hidden [steps][batch]
// [hidden size], or null.
int32_t tnca_forward(const Problem* problem, const float* state, float* out, float* kept, int32_t keep, float* hidden) {
  return guarded([&] {
    Rollout r(*problem, false, hidden);
    const Grid& g = r.g;
    const size_t plain = size_t(g.cells) * g.p.channels, whole = g.p.batch * g.state_size();
    in_large_pages(kept, keep ? whole * g.p.steps : 0);
    if (hidden != nullptr) in_large_pages(hidden, size_t(g.p.steps) * g.p.batch * g.hidden_size());
    on_threads(g.p.threads, [&](const Worker& me) {
      r.rows(me, [&](int b, int y) { r.states[b].take(g, state + b * plain, y); });
      for (int t = 0; t < g.p.steps; ++t) {
        float* unmasked = kept + (keep ? t * whole : 0);
        r.step(me, t, unmasked);
        r.rows(me, [&](int b, int y) {
          r.states[b].live(g, unmasked + b * g.state_size(), y, r.scratch[me.number].alpha);
        });
      }
      me.share(g.p.batch * g.cells, [&](int each) {
        const float* from = r.states[each / g.cells].padded.data() + size_t(g.padded(each % g.cells)) * g.channels;
        std::copy_n(from, g.p.channels, out + size_t(each) * g.p.channels);
      });
    });
  });
}

// slope: gradient of `out`.  of_state [batch][cells][channels], of_weights and of_biases as the problem's own.
int32_t tnca_backward(const Problem* problem, const float* slope, const float* state, const float* kept, float* hidden,
                      float* of_state, float* const* of_weights, float* const* of_biases) {
  return guarded([&] {
    Gradient d(*problem, hidden);
    const Grid& g = d.g;
    const size_t plain = size_t(g.cells) * g.p.channels, whole = g.p.batch * g.state_size();
    on_threads(g.p.threads, [&](const Worker& me) {
      me.share(g.p.batch * g.cells, [&](int each) {
        std::copy_n(slope + size_t(each) * g.p.channels, g.p.channels, d.next.data() + size_t(each) * g.channels);
      });
      const auto live = [&](State& grown, int t, int b, int y) {
        grown.live(g, kept + t * whole + b * g.state_size(), y, d.r.scratch[me.number].alpha);
      };
      d.r.rows(me, [&](int b, int y) { live(d.after[b], g.p.steps - 1, b, y); });
      for (int t = g.p.steps - 1; t >= 0; --t) {
        const float* unmasked = kept + t * whole;
        d.r.rows(me, [&](int b, int y) {
          d.through_life(b, y, unmasked);
          if (t > 0) {
            live(d.r.states[b], t - 1, b, y);
          } else {
            d.r.states[b].take(g, state + b * plain, y);
          }
        });
        d.through_layers(me, t, unmasked);
        d.r.rows(me, [&](int b, int y) { d.through_perception(b, y); });
        if (me.number == 0) std::swap(d.after, d.r.states);
        me.phase.wait();
      }
      me.share(g.p.batch * g.cells, [&](int each) {
        std::copy_n(d.next.data() + size_t(each) * g.channels, g.p.channels, of_state + size_t(each) * g.p.channels);
      });
    });
    d.collect(of_weights, of_biases);
  });
}
}
