// The kernels of attention: for each the algorithm, then the schedule.
#include "attention_generator.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "axismask/kernel/attention_kernels.hpp"

namespace axismask::generator {
namespace {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

// Halide's types for what is stored. bfloat16 is known to Halide by its bits: it is the upper half of a float.
Halide::Type stored_type(std::size_t index, const Halide::Target& target) {
  const auto type = static_cast<attention::stored>(index);
  if (type == attention::stored::float32) return Halide::Float(32);
  const bool has_float16 = target.has_feature(Halide::Target::F16C);
  return type == attention::stored::float16 && has_float16 ? Halide::Float(16) : Halide::UInt(16);
}

// The number that is stored, as a float.
Expr widened(std::size_t index, const Expr& number) {
  const auto type = static_cast<attention::stored>(index);
  if (!number.type().is_uint()) return Halide::cast<float>(number);
  const Expr bits = Halide::cast<std::uint32_t>(number);
  if (type == attention::stored::bfloat16) return Halide::reinterpret<float>(bits << 16);
  // float16 where the processor has no instruction for it: its exponent is 112 less than a float's, and an infinity
  // or a NaN keeps all its bits set.
  const Expr magnitude = (bits & 0x7fff) << 13;
  const Expr scaled = Halide::reinterpret<std::uint32_t>(Halide::reinterpret<float>(magnitude) * 0x1p112F);
  const Expr is_finite = magnitude < (0x7c00 << 13);
  return Halide::reinterpret<float>(select(is_finite, scaled, magnitude | 0x7f800000U) | ((bits & 0x8000) << 16));
}

// 2^x for x <= 0: 2^n by the exponent's bits, and 2^f for f in [-0.5, 0.5] by a polynomial with a relative error of
// 8e-8. Below 2^-126 it is 0, and so it is of -infinity; of a NaN it is any.
Expr exp2_of(const Expr& x) {
  constexpr std::array coefficients{1.0F,           0.693147182F,   0.240226462F,  0.0555032864F,
                                    0.00961848907F, 0.00133999309F, 0.00015345811F};
  const Expr n = round(x);
  const Expr f = x - n;
  Expr power = coefficients.back();
  for (std::size_t at = coefficients.size() - 1; at-- > 0;) power = power * f + coefficients.at(at);
  const Expr bits = Halide::reinterpret<int>(power) + (Halide::cast<int>(n) << 23);
  return select(x < -126.0F, 0.0F, Halide::reinterpret<float>(bits));
}

// An array whose axes have these sizes; 0: any. It is dense, but for the stride of the outermost axis when that is
// given as any.
template <class Array>
void lay_out(Array array, const std::vector<int>& sizes) {
  int stride = 1;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    auto dimension = array.dim(static_cast<int>(axis));
    dimension.set_min(0);
    if (sizes[axis] > 0) dimension.set_extent(sizes[axis]);
    if (stride > 0) dimension.set_stride(stride);
    stride = sizes[axis] > 0 ? stride * sizes[axis] : 0;
  }
}

// The parts of the kernel of blocks that makes weights and sums of scores.
struct block_softmax {
  ImageParam scores{Halide::Float(32), 2, "scores"};
  ImageParam values{Halide::Float(32), 3, "values"};
  ImageParam state{Halide::Float(32), 2, "state"};
  Var i{"i"}, j{"j"}, c{"c"}, chain{"chain"}, part{"part"}, outer{"outer"}, inner{"inner"};
  Expr count = values.dim(1).extent();
  RDom n{0, count, "n"};
  // Maxima and sums go on side by side in chains.
  RDom groups{0, (count + attention::score_multiple - 1) / attention::score_multiple, "groups"};
  Func maxima{"maxima"}, sizes{"sizes"}, largest{"largest"}, weights{"weights"}, fading{"fading"}, totals{"totals"},
      state_out{"state_out"}, added{"added"}, sums{"sums"};
};

// The same of rows.
struct row_softmax {
  static constexpr int at_once = attention::rows_at_once;  // so that values stay in the cache for all columns

  row_softmax(Halide::Type stored, int lanes)
      : values(stored, 2, "values"), groups(0, (count + lanes - 1) / lanes, "groups"), across(0, lanes, "across") {}

  ImageParam scores{Halide::Float(32), 2, "scores"};
  ImageParam values;
  ImageParam state{Halide::Float(32), 2, "state"};
  // The rows that are read next: asked for meanwhile, so many at each step.
  Halide::Param<std::uint64_t> next_rows{"next_rows"};
  Halide::Param<std::int64_t> next_stride{"next_stride"};
  Halide::Param<std::int32_t> next_bytes{"next_bytes"};
  Halide::Param<std::int32_t> next_count{"next_count"};
  Halide::Param<std::int32_t> next_step{"next_step"};
  Var j{"j"}, r{"r"}, c{"c"}, lane{"lane"}, part{"part"}, block{"block"}, outer{"outer"};
  Expr count = values.dim(1).extent();
  RDom within{0, at_once, "within"};
  RDom blocks{0, count / at_once, "blocks"};
  RDom tail{count / at_once * at_once, count % at_once, "tail"};
  RDom groups;
  RDom across;
  Func maxima{"maxima"}, sizes{"sizes"}, size{"size"}, largest{"largest"}, weights{"weights"}, fading{"fading"},
      totals{"totals"}, total{"total"}, state_out{"state_out"}, added{"added"}, rest{"rest"}, fetched{"fetched"},
      sums{"sums"};
};

// Asks for rows of memory, `bytes` of each; it is 0.
Expr fetch(const Expr& address, const Expr& stride, const Expr& bytes, const Expr& begin, const Expr& end) {
  return Halide::Internal::Call::make(Halide::Float(32), "axismask_attention_fetch",
                                      {address, stride, bytes, begin, end}, Halide::Internal::Call::Extern);
}

class maker {
 public:
  maker(const Halide::Target& target, const attention_blocks& blocks) : target_(target), blocks_(blocks) {}

  Halide::Module widen(const std::string& name, std::size_t type) const {
    ImageParam in(stored_type(type, target_), 2, "in");
    Var d("d");
    Var n("n");
    Func out("out");
    out(d, n) = widened(type, in(d, n));
    in.dim(0).set_stride(Expr());
    out.specialize(in.dim(0).stride() == 1).vectorize(d, blocks_.lanes, TailStrategy::GuardWithIf);
    return module({out}, {in}, name);
  }

  Halide::Module soften(const std::string& name) const {
    ImageParam scores(Halide::Float(32), 1, "scores");
    const Halide::Param<float> cap("cap");
    const Halide::Param<float> inverse("inverse");
    Var at("at");
    Func out("out");
    out(at) = cap * tanh_of(scores(at) * inverse);
    out.vectorize(at, blocks_.lanes, TailStrategy::RoundUp);
    return Halide::Pipeline(out).compile_to_module({scores, cap, inverse}, name, target_);
  }

  // Sums along the projection are those of parts of 64, which are then added: of 256 numbers one after the other the
  // error was up to 3.2 times that of torch's float32.
  Halide::Module block_scores(const std::string& name) const {
    constexpr int part_size = 64;
    const int block = blocks_.block();
    ImageParam queries(Halide::Float(32), 2, "queries");
    ImageParam keys(Halide::Float(32), 2, "keys");
    Var i("i");
    Var j("j");
    Var part("part");
    Var outer("outer");
    Var inner("inner");
    const Expr depth = keys.dim(0).extent();
    const Expr rest_size = depth % part_size;
    const RDom within(0, part_size, "within");
    const RDom parts(0, depth / part_size, "parts");
    const RDom tail(depth - rest_size, rest_size, "tail");
    const RDom any_rest(0, select(rest_size > 0, 1, 0), "any_rest");
    Func of_part("of_part");
    Func rest("rest");
    Func dot("dot");
    Func out("scores");
    of_part(i, j, part) = 0.0F;
    of_part(i, j, part) += queries(i, part * part_size + within) * keys(part * part_size + within, j);
    rest(i, j, part) = 0.0F;
    rest(i, j, part) += queries(i, tail) * keys(tail, j);
    dot(i, j) = 0.0F;
    dot(i, j) += of_part(i, j, parts);
    dot(i, j) += rest(i, j, any_rest);
    out(i, j) = dot(i, j);

    lay_out(queries, {block, 0});
    lay_out(keys, {0, 0});
    lay_out(out.output_buffer(), {block, 0});
    out.split(j, outer, inner, blocks_.keys, TailStrategy::ShiftInwards).reorder(i, inner, outer);
    out.vectorize(i, block).unroll(inner);
    dot.compute_at(out, outer).vectorize(i, block).unroll(j);
    dot.update(0).reorder(i, j, parts).vectorize(i, block).unroll(j);
    dot.update(1).reorder(i, j, any_rest).vectorize(i, block).unroll(j);
    of_part.compute_at(dot, parts).vectorize(i, block).unroll(j);
    of_part.update().reorder(i, j, within).vectorize(i, block).unroll(j).unroll(within, 4);
    rest.compute_at(dot, any_rest).vectorize(i, block).unroll(j);
    rest.update().reorder(i, j, tail).vectorize(i, block).unroll(j);
    return module({out}, {queries, keys}, name);
  }

  Halide::Module block_sums(const std::string& name) const {
    block_softmax parts;
    define(parts);
    schedule(parts);
    return module({parts.weights, parts.state_out, parts.sums}, {parts.scores, parts.values, parts.state}, name);
  }

  // A key at a time, in the order of memory: with two at once float32 keys of 16 MiB took 1.5 times as long (Zen 3).
  // What the processor does not fetch by itself is asked for: keys that come later, and the values of this key, which
  // the sums then find in the cache.
  Halide::Module row_scores(const std::string& name, std::size_t type) const {
    const int step = 2 * blocks_.lanes;
    ImageParam queries(Halide::Float(32), 2, "queries");
    ImageParam keys(stored_type(type, target_), 2, "keys");
    const Halide::Param<std::uint64_t> later_keys("later_keys");
    const Halide::Param<std::int64_t> key_stride("key_stride");
    const Halide::Param<std::uint64_t> values("values");
    const Halide::Param<std::int64_t> value_stride("value_stride");
    const Halide::Param<std::int32_t> value_bytes("value_bytes");
    Var j("j");
    Var r("r");
    Var lane("lane");
    const RDom d(0, keys.dim(0).extent() / step, "d");
    const RDom lanes(0, step, "lanes");
    Func fetched("fetched");
    Func products("products");
    Func dot("dot");
    Func out("scores");
    const Expr key_bytes = keys.dim(0).extent() * keys.type().bytes();
    fetched(j) =
        fetch(later_keys, key_stride, key_bytes, j, j + 1) + fetch(values, value_stride, value_bytes, j, j + 1);
    const Expr at = d * step + lane;
    products(lane, j, r) = 0.0F;
    products(lane, j, r) += queries(at, r) * widened(type, keys(at, j));
    dot(j, r) = 0.0F;
    dot(j, r) += products(lanes, j, r);
    out(j, r) = dot(j, r) + fetched(j);  // 0

    lay_out(queries, {0, attention::rows});
    lay_out(keys, {0, 0});
    lay_out(out.output_buffer(), {0, attention::rows});
    out.reorder(r, j).unroll(r);
    fetched.compute_at(out, j);
    dot.compute_at(out, j).unroll(r);
    dot.update().atomic().reorder(lanes, j, r).vectorize(lanes).unroll(r);
    products.compute_at(out, j).vectorize(lane, blocks_.lanes).unroll(lane).unroll(r);
    products.update().reorder(lane, j, r, d).vectorize(lane, blocks_.lanes).unroll(lane).unroll(r);
    return module({out}, {queries, keys, later_keys, key_stride, values, value_stride, value_bytes}, name);
  }

  Halide::Module row_sums(const std::string& name, std::size_t type) const {
    row_softmax parts(stored_type(type, target_), blocks_.lanes);
    define(parts, type);
    schedule(parts);
    return module({parts.weights, parts.state_out, parts.sums},
                  {parts.scores, parts.values, parts.state, parts.next_rows, parts.next_stride, parts.next_bytes,
                   parts.next_count, parts.next_step},
                  name);
  }

 private:
  void define(block_softmax& k) const {
    constexpr int chains = attention::score_multiple;
    k.maxima(k.i, k.chain) = k.state(k.i, 0);
    k.maxima(k.i, k.chain) = max(k.maxima(k.i, k.chain), k.scores(k.i, k.groups * chains + k.chain));
    k.sizes(k.i, k.chain) = 0;
    k.sizes(k.i, k.chain) = max(k.sizes(k.i, k.chain), size_bits(k.scores(k.i, k.groups * chains + k.chain)));
    k.largest(k.i) = over_chains(k.maxima, k.i, chains, [](const Expr& a, const Expr& b) { return max(a, b); });
    k.weights(k.i, k.j) = exp2_of(k.scores(k.i, k.j) - base_of(k.largest(k.i)));
    k.fading(k.i) = exp2_of(k.state(k.i, 0) - base_of(k.largest(k.i)));
    k.totals(k.i, k.chain) = 0.0F;
    k.totals(k.i, k.chain) += k.weights(k.i, k.groups * chains + k.chain);
    const Expr total = over_chains(k.totals, k.i, chains, [](const Expr& a, const Expr& b) { return a + b; });
    const Expr size = over_chains(k.sizes, k.i, chains, [](const Expr& a, const Expr& b) { return max(a, b); });
    k.state_out(k.i, k.part) =
        select(k.part == 0, k.largest(k.i), with_nan(size, k.state(k.i, 1) * k.fading(k.i) + total));
    k.added(k.i, k.c) = 0.0F;
    k.added(k.i, k.c) += k.weights(k.i, k.n) * k.values(k.c % blocks_.columns, k.n, k.c / blocks_.columns);
    k.sums(k.i, k.c) = Halide::undef<float>();
    k.sums(k.i, k.c) = k.sums(k.i, k.c) * k.fading(k.i) + k.added(k.i, k.c);
  }

  void schedule(block_softmax& k) const {
    constexpr int chains = attention::score_multiple;
    const int block = blocks_.block();
    lay_out(k.scores, {block, 0});
    lay_out(k.values, {blocks_.columns, 0, 0});
    lay_out(k.state, {block, attention::state_rows});
    lay_out(k.weights.output_buffer(), {block, 0});
    lay_out(k.state_out.output_buffer(), {block, attention::state_rows});
    lay_out(k.sums.output_buffer(), {block, 0});
    k.largest.compute_root().bound(k.i, 0, block).vectorize(k.i, block);
    k.maxima.compute_at(k.largest, k.i).vectorize(k.i, block).unroll(k.chain);
    k.maxima.update().reorder(k.i, k.chain, k.groups).vectorize(k.i, block).unroll(k.chain);
    k.sizes.compute_root().bound(k.i, 0, block).bound(k.chain, 0, chains).vectorize(k.i, block).unroll(k.chain);
    k.sizes.update().reorder(k.i, k.chain, k.groups).vectorize(k.i, block).unroll(k.chain);
    k.fading.compute_root().bound(k.i, 0, block).vectorize(k.i, block);
    k.weights.vectorize(k.i, block).unroll(k.j, chains, TailStrategy::RoundUp);
    k.totals.compute_root().bound(k.i, 0, block).bound(k.chain, 0, chains).vectorize(k.i, block).unroll(k.chain);
    k.totals.update().reorder(k.i, k.chain, k.groups).vectorize(k.i, block).unroll(k.chain);
    k.state_out.vectorize(k.i, block).unroll(k.part);
    k.sums.bound(k.i, 0, block);
    k.sums.update().split(k.c, k.outer, k.inner, blocks_.columns, TailStrategy::RoundUp).reorder(k.i, k.inner, k.outer);
    k.sums.update().vectorize(k.i, block).unroll(k.inner);
    k.added.compute_at(k.sums, k.outer).vectorize(k.i, block).unroll(k.c);
    k.added.update().reorder(k.i, k.c, k.n).vectorize(k.i, block).unroll(k.c);
    k.added.update().specialize(k.count % 4 == 0).unroll(k.n, 4);
  }

  void define(row_softmax& k, std::size_t type) const {
    const int lanes = blocks_.lanes;
    constexpr int at_once = row_softmax::at_once;
    k.maxima(k.lane, k.r) = k.state(k.r, 0);
    k.maxima(k.lane, k.r) = max(k.maxima(k.lane, k.r), k.scores(k.groups * lanes + k.lane, k.r));
    k.sizes(k.lane, k.r) = 0;
    k.sizes(k.lane, k.r) = max(k.sizes(k.lane, k.r), size_bits(k.scores(k.groups * lanes + k.lane, k.r)));
    k.size(k.r) = 0;
    k.size(k.r) = max(k.size(k.r), k.sizes(k.across, k.r));
    k.largest(k.r) = k.state(k.r, 0);
    k.largest(k.r) = max(k.largest(k.r), k.maxima(k.across, k.r));
    k.weights(k.j, k.r) = exp2_of(k.scores(k.j, k.r) - base_of(k.largest(k.r)));
    k.fading(k.r) = exp2_of(k.state(k.r, 0) - base_of(k.largest(k.r)));
    k.totals(k.lane, k.r) = 0.0F;
    k.totals(k.lane, k.r) += k.weights(k.groups * lanes + k.lane, k.r);
    k.total(k.r) = k.state(k.r, 1) * k.fading(k.r);
    k.total(k.r) += k.totals(k.across, k.r);
    k.state_out(k.r, k.part) = select(k.part == 0, k.largest(k.r), with_nan(k.size(k.r), k.total(k.r)));
    k.sums(k.c, k.r) = Halide::undef<float>();
    k.sums(k.c, k.r) *= k.fading(k.r);
    k.added(k.c, k.r, k.block) = 0.0F;
    k.added(k.c, k.r, k.block) +=
        k.weights(k.block * at_once + k.within, k.r) * widened(type, k.values(k.c, k.block * at_once + k.within));
    const Expr columns_at_once = 2 * lanes;
    const Expr steps = (k.values.dim(0).extent() + columns_at_once - 1) / columns_at_once;
    const Expr begin = (k.block * steps + k.outer) * k.next_step;
    k.fetched(k.outer, k.block) =
        fetch(k.next_rows, k.next_stride, k.next_bytes, begin, min(begin + k.next_step, k.next_count));
    k.sums(k.c, k.r) += k.added(k.c, k.r, k.blocks) + k.fetched(k.c / columns_at_once, k.blocks);
    k.rest(k.c, k.r) = 0.0F;
    k.rest(k.c, k.r) += k.weights(k.tail, k.r) * widened(type, k.values(k.c, k.tail));
    k.sums(k.c, k.r) += k.rest(k.c, k.r);
  }

  void schedule(row_softmax& k) const {
    const int lanes = blocks_.lanes;
    lay_out(k.scores, {0, attention::rows});
    lay_out(k.values, {0, 0});
    lay_out(k.state, {attention::rows, attention::state_rows});
    lay_out(k.weights.output_buffer(), {0, attention::rows});
    lay_out(k.state_out.output_buffer(), {attention::rows, attention::state_rows});
    lay_out(k.sums.output_buffer(), {0, attention::rows});
    k.maxima.compute_root().bound(k.lane, 0, lanes).bound(k.r, 0, attention::rows).vectorize(k.lane).unroll(k.r);
    k.maxima.update().reorder(k.lane, k.r, k.groups).vectorize(k.lane).unroll(k.r);
    k.sizes.compute_root().bound(k.lane, 0, lanes).bound(k.r, 0, attention::rows).vectorize(k.lane).unroll(k.r);
    k.sizes.update().reorder(k.lane, k.r, k.groups).vectorize(k.lane).unroll(k.r);
    k.size.compute_root().bound(k.r, 0, attention::rows).unroll(k.r);
    k.size.update().atomic().vectorize(k.across).unroll(k.r);
    k.largest.compute_root().bound(k.r, 0, attention::rows).unroll(k.r);
    k.largest.update().atomic().vectorize(k.across).unroll(k.r);
    k.fading.compute_root().bound(k.r, 0, attention::rows).vectorize(k.r);
    k.weights.vectorize(k.j, lanes, TailStrategy::RoundUp).unroll(k.r);
    k.weights.reorder(k.j, k.r);
    k.totals.compute_root().bound(k.lane, 0, lanes).bound(k.r, 0, attention::rows).vectorize(k.lane).unroll(k.r);
    k.totals.update().reorder(k.lane, k.r, k.groups).vectorize(k.lane).unroll(k.r);
    k.total.compute_root().bound(k.r, 0, attention::rows).unroll(k.r);
    k.total.update().atomic().vectorize(k.across).unroll(k.r);
    k.state_out.unroll(k.r).unroll(k.part);
    k.sums.bound(k.r, 0, attention::rows);
    k.sums.update(0).reorder(k.r, k.c).vectorize(k.c, lanes, TailStrategy::RoundUp).unroll(k.r);
    for (const int stage : {1, 2}) {
      Halide::Stage update = k.sums.update(stage);
      update.split(k.c, k.outer, k.c, 2 * lanes, TailStrategy::RoundUp);
      if (stage == 1) {
        update.reorder(k.c, k.r, k.outer, k.blocks);
      } else {
        update.reorder(k.c, k.r, k.outer);
      }
      update.vectorize(k.c, lanes).unroll(k.c).unroll(k.r);
    }
    k.fetched.compute_at(k.sums, k.outer);
    k.added.compute_at(k.sums, k.outer).vectorize(k.c, lanes).unroll(k.c).unroll(k.r);
    k.added.update().reorder(k.c, k.r, k.within).vectorize(k.c, lanes).unroll(k.c).unroll(k.r).unroll(k.within, 2);
    k.rest.compute_at(k.sums, k.outer).vectorize(k.c, lanes).unroll(k.c).unroll(k.r);
    k.rest.update().reorder(k.c, k.r, k.tail).vectorize(k.c, lanes).unroll(k.c).unroll(k.r);
  }

  // What is subtracted from scores: 0 in the place of -infinity, of which nothing can be subtracted.
  static Expr base_of(const Expr& largest) { return max(largest, Expr(-std::numeric_limits<float>::max())); }

  // A score that is a NaN makes its row one. Floats do not tell: Halide's comparisons need not be true to NaNs. By
  // their bits NaNs are larger than infinity.
  static Expr size_bits(const Expr& score) { return Halide::reinterpret<int>(score) & 0x7fffffff; }
  static Expr with_nan(const Expr& size, const Expr& number) {
    return Halide::reinterpret<float>(select(size > 0x7f800000, 0x7fc00000, Halide::reinterpret<int>(number)));
  }

  template <class Combine>
  static Expr over_chains(const Func& chains, const Var& i, int count, Combine combine) {
    Expr all = chains(i, 0);
    for (int chain = 1; chain < count; ++chain) all = combine(all, chains(i, chain));
    return all;
  }

  // tanh by 2^x where that is exact enough, and by a series near 0.
  static Expr tanh_of(const Expr& x) {
    constexpr float log2_e_twice = 2.885390081777927F;
    const Expr size = abs(x);
    const Expr e = exp2_of(size * -log2_e_twice);
    const Expr far = (1.0F - e) / (1.0F + e);
    constexpr std::array series{-0.333332807F, 0.133314416F, -0.0537396893F, 0.0206390005F, -0.00570488395F};
    const Expr square = x * x;
    Expr near = series.back();
    for (std::size_t at = series.size() - 1; at-- > 0;) near = near * square + series.at(at);
    return select(size < 0.625F, x + x * square * near, select(x < 0.0F, -far, far));
  }

  [[nodiscard]] Halide::Module module(const std::vector<Func>& out, const std::vector<Halide::Argument>& in,
                                      const std::string& name) const {
    return Halide::Pipeline(out).compile_to_module(in, name, target_);
  }

  const Halide::Target& target_;
  const attention_blocks& blocks_;
};

}  // namespace

Halide::Target attention_target(const Halide::Target& target) {
  // For SVE Halide 21 makes functions here that LLVM refuses (a sum over fixed lanes). The processors with SVE2 that
  // there are have vectors of 128 bits, as NEON has.
  Halide::Target without_sve = target.without_feature(Halide::Target::SVE2).without_feature(Halide::Target::SVE);
  without_sve.vector_bits = 0;
  return without_sve;
}

attention_blocks attention_blocks_of(const Halide::Target& target) {
  const int lanes = target.natural_vector_size<float>();
  if (target.has_feature(Halide::Target::AVX512_Skylake)) return {lanes, 2, 8, 8};
  if (target.arch == Halide::Target::ARM) return {lanes, 4, 4, 4};
  if (target.has_feature(Halide::Target::AVX2)) return {lanes, 2, 6, 4};
  return {lanes, 2, 4, 4};
}

void for_each_attention_kernel(const Halide::Target& target, const attention_visit& visit) {
  const attention_blocks blocks = attention_blocks_of(target);
  const maker make(target, blocks);
  visit("soften", [&](const std::string& name) { return make.soften(name); });
  visit("block_scores", [&](const std::string& name) { return make.block_scores(name); });
  visit("block_sums", [&](const std::string& name) { return make.block_sums(name); });
  for (std::size_t type = 0; type < attention::stored_count; ++type) {
    const std::string number = "_" + std::to_string(type);
    visit("widen" + number, [&](const std::string& name) { return make.widen(name, type); });
    visit("row_scores" + number, [&](const std::string& name) { return make.row_scores(name, type); });
    visit("row_sums" + number, [&](const std::string& name) { return make.row_sums(name, type); });
  }
}

}  // namespace axismask::generator
