// Attention's kernels as functions.
#include "attention/kernel_calls.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "arrays/whole_parts.hpp"

namespace axismask {
namespace {

std::size_t stored_index(dtype type) {
  if (type == dtype::float16) return static_cast<std::size_t>(attention::stored::float16);
  if (type == dtype::bfloat16) return static_cast<std::size_t>(attention::stored::bfloat16);
  return static_cast<std::size_t>(attention::stored::float32);
}

}  // namespace

// Called by the kernels of rows as they go: asks for `bytes` of some rows. Prefetching reads nothing: an address may be
// any.
extern "C" float axismask_attention_fetch(std::uint64_t rows, std::int64_t stride, std::int32_t bytes,
                                          std::int32_t begin, std::int32_t end) {
  constexpr std::int32_t line = 64;
  for (std::int32_t row = begin; row < end; ++row) {
    const std::uint64_t start = rows + static_cast<std::uint64_t>(row * stride);
    for (std::int32_t at = 0; at < bytes; at += line) {
      __builtin_prefetch(reinterpret_cast<const void*>(start + static_cast<std::uint64_t>(at)));  // NOLINT: an address
    }
  }
  return 0;
}

void kernel_calls::set(std::size_t at, const void* data, halide_type_t type, std::initializer_list<axis> axes) {
  array& one = arrays_.at(at);
  one.buffer = {};
  one.buffer.host = static_cast<std::uint8_t*>(const_cast<void*>(data));
  one.buffer.type = type;
  one.buffer.dimensions = static_cast<std::int32_t>(axes.size());
  one.buffer.dim = one.dimensions.data();
  std::size_t index = 0;
  for (const axis& given : axes) {
    one.dimensions[index++] =
        halide_dimension_t(0, static_cast<std::int32_t>(given.size), static_cast<std::int32_t>(given.stride));
  }
  arguments_.at(at + 1) = &one.buffer;
}

// The kernels check no types: what they read is by their own.
halide_type_t kernel_calls::stored_type(dtype type) const {
  return type == dtype::float32 ? halide_type_of<float>() : halide_type_t(halide_type_uint, 16);
}

void kernel_calls::run(halide_entry entry) {
  arguments_[0] = static_cast<void*>(&context_);
  const int code = call_.run([&] { return entry(arguments_.data()); });
  int none = 0;
  if (code != 0 && failure_.code.compare_exchange_strong(none, code)) failure_.message = call_.message;
}

void kernel_calls::widen(const number_matrix& in, float* out, std::int64_t out_stride) {
  // A kernel counts in 32 bits: what lies farther apart is read row by row, or number by number.
  constexpr std::int64_t far = std::int64_t{1} << 20;
  if (in.outer > 1 && std::abs(in.outer_stride) >= far) {
    number_matrix row = in;
    row.outer = 1;
    for (std::int64_t at = 0; at < in.outer; ++at) {
      row.data = static_cast<const std::byte*>(in.data) + at * in.outer_stride * info(in.type).bytes;
      widen(row, out + at * out_stride, out_stride);
    }
    return;
  }
  if (in.inner > 1 && std::abs(in.inner_stride) >= far) {
    number_matrix one = in;
    one.inner = 1;
    for (std::int64_t at = 0; at < in.inner; ++at) {
      one.data = static_cast<const std::byte*>(in.data) + at * in.inner_stride * info(in.type).bytes;
      widen(one, out + at, out_stride);
    }
    return;
  }
  set(0, in.data, stored_type(in.type), {{in.inner, in.inner_stride}, {in.outer, in.outer_stride}});
  set(1, out, {{in.inner, 1}, {in.outer, out_stride}});
  run(kernels_.widen.at(stored_index(in.type)));
}

void kernel_calls::soften(float* scores, std::int64_t count, float cap) {
  float inverse = 1 / cap;
  set(0, scores, {{count, 1}});
  set(3, scores, {{count, 1}});
  arguments_[2] = &cap;
  arguments_[3] = &inverse;
  run(kernels_.soften);
}

void kernel_calls::block_scores(const float* queries, const number_matrix& keys, float* scores) {
  const std::int64_t block = kernels_.block;
  set(0, queries, {{block, 1}, {keys.inner, block}});
  set(1, keys.data, {{keys.inner, 1}, {keys.outer, keys.outer_stride}});
  set(2, scores, {{block, 1}, {keys.outer, block}});
  run(kernels_.block_scores);
}

void kernel_calls::block_sums(const float* scores, const packed_values& values, softmax_state& state, float* weights) {
  const std::int64_t block = kernels_.block;
  const std::int64_t columns = kernels_.columns;
  const std::int64_t keys = made_up(values.keys, attention::score_multiple);
  set(0, scores, {{block, 1}, {keys, block}});
  set(1, values.data, {{columns, 1}, {values.keys, columns}, {values.columns / columns, values.column_stride}});
  set(2, state.before, {{block, 1}, {attention::state_rows, block}});
  set(3, weights, {{block, 1}, {keys, block}});
  set(4, state.after, {{block, 1}, {attention::state_rows, block}});
  set(5, state.sums, {{block, 1}, {values.columns, block}});
  run(kernels_.block_sums);
  state.swap();
}

void kernel_calls::row_scores(const float* queries, const number_matrix& keys, const number_matrix& values,
                              float* scores, std::int64_t stride) {
  // So far ahead that memory has answered, and not so far that the nearest cache has lost it again.
  constexpr std::int64_t ahead = 4096;
  std::int64_t key_stride = keys.outer_stride * info(keys.type).bytes;
  const std::int64_t later = (ahead / std::max<std::int64_t>(std::abs(key_stride), 1) + 1) * key_stride;
  auto later_keys = reinterpret_cast<std::uint64_t>(keys.data) + static_cast<std::uint64_t>(later);
  auto values_address = reinterpret_cast<std::uint64_t>(values.data);
  std::int64_t value_stride = values.outer_stride * info(values.type).bytes;
  auto value_bytes = static_cast<std::int32_t>(values.inner * info(values.type).bytes);
  set(0, queries, {{keys.inner, 1}, {attention::rows, keys.inner}});
  set(1, keys.data, stored_type(keys.type), {{keys.inner, 1}, {keys.outer, keys.outer_stride}});
  set(7, scores, {{keys.outer, 1}, {attention::rows, stride}});
  arguments_[3] = &later_keys;
  arguments_[4] = &key_stride;
  arguments_[5] = &values_address;
  arguments_[6] = &value_stride;
  arguments_[7] = &value_bytes;
  run(kernels_.row_scores.at(stored_index(keys.type)));
}

void kernel_calls::row_sums(const float* scores, const number_matrix& values, const number_matrix& next,
                            softmax_state& state, float* weights, std::int64_t stride) {
  const std::int64_t keys = made_up(values.outer, kernels_.lanes);
  const std::int64_t steps =
      values.outer / attention::rows_at_once * parts_of(values.inner, 2 * std::int64_t{kernels_.lanes});
  auto next_rows = reinterpret_cast<std::uint64_t>(next.data);
  std::int64_t next_stride = next.outer_stride * info(next.type).bytes;
  auto next_bytes = static_cast<std::int32_t>(next.inner * info(next.type).bytes);
  auto next_count = static_cast<std::int32_t>(next.outer);
  auto next_step = static_cast<std::int32_t>(parts_of(next.outer, std::max<std::int64_t>(steps, 1)));
  set(0, scores, {{keys, 1}, {attention::rows, stride}});
  set(1, values.data, stored_type(values.type), {{values.inner, 1}, {values.outer, values.outer_stride}});
  set(2, state.before, {{attention::rows, 1}, {attention::state_rows, attention::rows}});
  arguments_[4] = &next_rows;
  arguments_[5] = &next_stride;
  arguments_[6] = &next_bytes;
  arguments_[7] = &next_count;
  arguments_[8] = &next_step;
  set(8, weights, {{keys, 1}, {attention::rows, stride}});
  set(9, state.after, {{attention::rows, 1}, {attention::state_rows, attention::rows}});
  set(10, state.sums, {{values.inner, 1}, {attention::rows, values.inner}});
  run(kernels_.row_sums.at(stored_index(values.type)));
  state.swap();
}

}  // namespace axismask
