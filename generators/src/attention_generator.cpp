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
    constexpr int chains = attention::score_multiple;  // sums and maxima that go on side by side
    const int block = blocks_.block();
    ImageParam scores(Halide::Float(32), 2, "scores");
    ImageParam values(Halide::Float(32), 3, "values");
    ImageParam state(Halide::Float(32), 2, "state");
    Var i("i");
    Var j("j");
    Var c("c");
    Var chain("chain");
    Var part("part");
    Var outer("outer");
    Var inner("inner");
    const Expr count = values.dim(1).extent();
    const RDom n(0, count, "n");
    const RDom groups(0, (count + chains - 1) / chains, "groups");
    Func maxima("maxima");
    Func sizes("sizes");
    Func largest("largest");
    Func weights("weights");
    Func fading("fading");
    Func totals("totals");
    Func state_out("state_out");
    Func added("added");
    Func sums("sums");
    maxima(i, chain) = state(i, 0);
    maxima(i, chain) = max(maxima(i, chain), scores(i, groups * chains + chain));
    sizes(i, chain) = 0;
    sizes(i, chain) = max(sizes(i, chain), size_bits(scores(i, groups * chains + chain)));
    largest(i) = over_chains(maxima, i, chains, [](const Expr& a, const Expr& b) { return max(a, b); });
    weights(i, j) = exp2_of(scores(i, j) - base_of(largest(i)));
    fading(i) = exp2_of(state(i, 0) - base_of(largest(i)));
    totals(i, chain) = 0.0F;
    totals(i, chain) += weights(i, groups * chains + chain);
    const Expr total = over_chains(totals, i, chains, [](const Expr& a, const Expr& b) { return a + b; });
    const Expr size = over_chains(sizes, i, chains, [](const Expr& a, const Expr& b) { return max(a, b); });
    state_out(i, part) = select(part == 0, largest(i), with_nan(size, state(i, 1) * fading(i) + total));
    added(i, c) = 0.0F;
    added(i, c) += weights(i, n) * values(c % blocks_.columns, n, c / blocks_.columns);
    sums(i, c) = Halide::undef<float>();
    sums(i, c) = sums(i, c) * fading(i) + added(i, c);

    lay_out(scores, {block, 0});
    lay_out(values, {blocks_.columns, 0, 0});
    lay_out(state, {block, attention::state_rows});
    lay_out(weights.output_buffer(), {block, 0});
    lay_out(state_out.output_buffer(), {block, attention::state_rows});
    lay_out(sums.output_buffer(), {block, 0});
    largest.compute_root().bound(i, 0, block).vectorize(i, block);
    maxima.compute_at(largest, i).vectorize(i, block).unroll(chain);
    maxima.update().reorder(i, chain, groups).vectorize(i, block).unroll(chain);
    sizes.compute_root().bound(i, 0, block).bound(chain, 0, chains).vectorize(i, block).unroll(chain);
    sizes.update().reorder(i, chain, groups).vectorize(i, block).unroll(chain);
    fading.compute_root().bound(i, 0, block).vectorize(i, block);
    weights.vectorize(i, block).unroll(j, chains, TailStrategy::RoundUp);
    totals.compute_root().bound(i, 0, block).bound(chain, 0, chains).vectorize(i, block).unroll(chain);
    totals.update().reorder(i, chain, groups).vectorize(i, block).unroll(chain);
    state_out.vectorize(i, block).unroll(part);
    sums.bound(i, 0, block);
    sums.update().split(c, outer, inner, blocks_.columns, TailStrategy::RoundUp).reorder(i, inner, outer);
    sums.update().vectorize(i, block).unroll(inner);
    added.compute_at(sums, outer).vectorize(i, block).unroll(c);
    added.update().reorder(i, c, n).vectorize(i, block).unroll(c);
    added.update().specialize(count % 4 == 0).unroll(n, 4);
    return module({weights, state_out, sums}, {scores, values, state}, name);
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
    const Expr key = Halide::cast<std::int64_t>(j);
    fetched(j) = Halide::Internal::Call::make(Halide::Float(32), "axismask_attention_fetch",
                                              {later_keys + Halide::cast<std::uint64_t>(key * key_stride), key_bytes,
                                               values + Halide::cast<std::uint64_t>(key * value_stride), value_bytes},
                                              Halide::Internal::Call::Extern);
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
    constexpr int at_once = 16;  // keys, so that their values stay in the cache for all columns
    const int lanes = blocks_.lanes;
    ImageParam scores(Halide::Float(32), 2, "scores");
    ImageParam values(stored_type(type, target_), 2, "values");
    ImageParam state(Halide::Float(32), 2, "state");
    Var j("j");
    Var r("r");
    Var c("c");
    Var lane("lane");
    Var part("part");
    Var block("block");
    Var outer("outer");
    const Expr count = values.dim(1).extent();
    const RDom within(0, at_once, "within");
    const RDom blocks(0, count / at_once, "blocks");
    const RDom tail(count / at_once * at_once, count % at_once, "tail");
    const RDom groups(0, (count + lanes - 1) / lanes, "groups");
    const RDom across(0, lanes, "across");
    Func maxima("maxima");
    Func sizes("sizes");
    Func largest("largest");
    Func weights("weights");
    Func fading("fading");
    Func totals("totals");
    Func total("total");
    Func size("size");
    Func state_out("state_out");
    Func added("added");
    Func rest("rest");
    Func sums("sums");
    maxima(lane, r) = state(r, 0);
    maxima(lane, r) = max(maxima(lane, r), scores(groups * lanes + lane, r));
    sizes(lane, r) = 0;
    sizes(lane, r) = max(sizes(lane, r), size_bits(scores(groups * lanes + lane, r)));
    size(r) = 0;
    size(r) = max(size(r), sizes(across, r));
    largest(r) = state(r, 0);
    largest(r) = max(largest(r), maxima(across, r));
    weights(j, r) = exp2_of(scores(j, r) - base_of(largest(r)));
    fading(r) = exp2_of(state(r, 0) - base_of(largest(r)));
    totals(lane, r) = 0.0F;
    totals(lane, r) += weights(groups * lanes + lane, r);
    total(r) = state(r, 1) * fading(r);
    total(r) += totals(across, r);
    state_out(r, part) = select(part == 0, largest(r), with_nan(size(r), total(r)));
    sums(c, r) = Halide::undef<float>();
    sums(c, r) *= fading(r);
    added(c, r, block) = 0.0F;
    added(c, r, block) += weights(block * at_once + within, r) * widened(type, values(c, block * at_once + within));
    sums(c, r) += added(c, r, blocks);
    rest(c, r) = 0.0F;
    rest(c, r) += weights(tail, r) * widened(type, values(c, tail));
    sums(c, r) += rest(c, r);

    lay_out(scores, {0, attention::rows});
    lay_out(values, {0, 0});
    lay_out(state, {attention::rows, attention::state_rows});
    lay_out(weights.output_buffer(), {0, attention::rows});
    lay_out(state_out.output_buffer(), {attention::rows, attention::state_rows});
    lay_out(sums.output_buffer(), {0, attention::rows});
    maxima.compute_root().bound(lane, 0, lanes).bound(r, 0, attention::rows).vectorize(lane).unroll(r);
    maxima.update().reorder(lane, r, groups).vectorize(lane).unroll(r);
    sizes.compute_root().bound(lane, 0, lanes).bound(r, 0, attention::rows).vectorize(lane).unroll(r);
    sizes.update().reorder(lane, r, groups).vectorize(lane).unroll(r);
    size.compute_root().bound(r, 0, attention::rows).unroll(r);
    size.update().atomic().vectorize(across).unroll(r);
    largest.compute_root().bound(r, 0, attention::rows).unroll(r);
    largest.update().atomic().vectorize(across).unroll(r);
    fading.compute_root().bound(r, 0, attention::rows).vectorize(r);
    weights.vectorize(j, lanes, TailStrategy::RoundUp).unroll(r);
    weights.reorder(j, r);
    totals.compute_root().bound(lane, 0, lanes).bound(r, 0, attention::rows).vectorize(lane).unroll(r);
    totals.update().reorder(lane, r, groups).vectorize(lane).unroll(r);
    total.compute_root().bound(r, 0, attention::rows).unroll(r);
    total.update().atomic().vectorize(across).unroll(r);
    state_out.unroll(r).unroll(part);
    sums.bound(r, 0, attention::rows);
    sums.update(0).reorder(r, c).vectorize(c, lanes, TailStrategy::RoundUp).unroll(r);
    for (const int stage : {1, 2}) {
      Halide::Stage update = sums.update(stage);
      update.split(c, outer, c, 2 * lanes, TailStrategy::RoundUp);
      if (stage == 1) {
        update.reorder(c, r, outer, blocks);
      } else {
        update.reorder(c, r, outer);
      }
      update.vectorize(c, lanes).unroll(c).unroll(r);
    }
    added.compute_at(sums, outer).vectorize(c, lanes).unroll(c).unroll(r);
    added.update().reorder(c, r, within).vectorize(c, lanes).unroll(c).unroll(r).unroll(within, 2);
    rest.compute_at(sums, outer).vectorize(c, lanes).unroll(c).unroll(r);
    rest.update().reorder(c, r, tail).vectorize(c, lanes).unroll(c).unroll(r);
    return module({weights, state_out, sums}, {scores, values, state}, name);
  }

 private:
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
