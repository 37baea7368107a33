// One kernel, called by hand on an array of one axis: what a call costs when everything about it is known.
#pragma once

#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>

#include "axismask/linked.hpp"
#include "axismask/model.hpp"

namespace axismask::bench {

// For float32 logits in place, dense, of which only "kv_seq" is longer than 1; int32 positions of the query and then of
// the keys; and a layer whose other operands are numbers.
class direct_call {
 public:
  direct_call(const layer_values& layer, const any_view& logits, std::span<const side_input> inputs,
              std::string_view variant) {
    const linked_layer& linked = *find_linked_layer(layer.type->name);
    if (variant.empty()) variant = chosen_variant(linked);
    const auto kernel = std::find_if(linked.kernels.begin(), linked.kernels.end(), [&](const auto& one) {
      return one.variant == variant && one.element_bytes == 4 && one.position_bytes == 4;
    });
    if (kernel == linked.kernels.end()) throw std::runtime_error("no kernel of this variant");
    run_ = kernel->run;

    const auto keys = static_cast<std::int32_t>(logits.element_count());
    const halide_type_t bits(halide_type_uint, 32, 1);
    const auto masked = static_cast<float>(layer.masked_out_value.number());
    std::memcpy(&masked_, &masked, sizeof masked);
    std::size_t argument = 0;
    arguments_[argument++] = static_cast<void*>(&context_);
    arguments_[argument++] = add(logits.data(), bits, keys, 1);
    std::size_t input = 0;
    std::size_t number = 0;
    for (const std::size_t index : layer.type->operands) {
      if (is_side_input(layer.type->attributes[index].kind)) {
        const any_view& positions = inputs[std::min(input++, inputs.size() - 1)].array;
        arguments_[argument++] =
            add(positions.data(), halide_type_t(halide_type_int, 32, 1), keys, positions.element_count() > 1 ? 1 : 0);
      } else {
        numbers_[number] = layer.attributes[index].number;
        arguments_[argument++] = add(&numbers_[number++], halide_type_t(halide_type_int, 64, 1), keys, 0);
      }
    }
    arguments_[argument++] = &masked_;
    arguments_[argument++] = add(logits.data(), bits, keys, 1);
  }
  direct_call(const direct_call&) = delete;
  direct_call& operator=(const direct_call&) = delete;

  // 0, or Halide's error.
  int operator()() { return run_(arguments_.data()); }

 private:
  static constexpr std::size_t rank = 4;  // of every array of a kernel

  halide_buffer_t* add(void* data, halide_type_t type, std::int32_t keys, std::int32_t stride) {
    std::array<halide_dimension_t, rank>& dimensions = dimensions_[arrays_];
    dimensions.fill(halide_dimension_t(0, 1, 0));
    dimensions[0] = halide_dimension_t(0, keys, stride);
    halide_buffer_t& buffer = buffers_[arrays_++];
    buffer.host = static_cast<std::uint8_t*>(data);
    buffer.type = type;
    buffer.dimensions = rank;
    buffer.dim = dimensions.data();
    return &buffer;
  }

  int (*run_)(void**) = nullptr;
  void* context_ = nullptr;
  std::uint64_t masked_ = 0;
  std::size_t arrays_ = 0;
  std::array<std::int64_t, max_operands> numbers_{};
  std::array<std::array<halide_dimension_t, rank>, max_operands + 2> dimensions_{};
  std::array<halide_buffer_t, max_operands + 2> buffers_{};
  std::array<void*, max_operands + 4> arguments_{};
};

}  // namespace axismask::bench
