// Tells what a plan was made of from everything else.
#include "plan/fingerprint.hpp"

#include <cstddef>
#include <cstring>
#include <string_view>

#include "arrays/bind_arrays.hpp"
#include "arrays/element_types.hpp"

namespace axismask {
namespace {

// Each number is mixed with how many were before it, by itself: the processor works on several at once.
class mixed_sum {
 public:
  void add(std::uint64_t value) {
    before_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = (value ^ before_) * 0xD6E8FEB86659FD93U;
    mixed ^= mixed >> 32U;
    sum_ += mixed * mixed ^ before_;
  }

  void add_name(std::string_view name) {
    add(name.size());
    for (const char letter : name) add(static_cast<std::uint64_t>(letter));
  }

  void add_array(const any_view& array) {
    add(array.axes().size());
    for (const named_axis& axis : array.axes()) {
      add_name(axis.name);
      add(static_cast<std::uint64_t>(axis.size));
    }
    mixed_sum numbers = *this;  // by itself it stays in registers
    const auto* data = static_cast<const std::byte*>(array.data());
    with_number_type(array.type(), [&]<class Number>(Number number) {
      constexpr auto bytes = static_cast<std::int64_t>(sizeof number);
      for_each_line(array.axes(), [&](std::int64_t offset, std::int64_t count, std::int64_t stride) {
        for (std::int64_t at = 0; at < count; ++at) {
          std::memcpy(&number, data + (offset + at * stride) * bytes, sizeof number);
          numbers.add(static_cast<std::uint64_t>(static_cast<std::int64_t>(number)));
        }
      });
    });
    *this = numbers;
  }

  [[nodiscard]] std::uint64_t sum() const { return sum_; }

 private:
  std::uint64_t sum_ = 0;
  std::uint64_t before_ = 0;
};

}  // namespace

std::uint64_t fingerprint(const layer_values& layer, std::span<const side_input> side_inputs) {
  mixed_sum mixed;
  mixed.add_name(layer.type->name);
  for (std::size_t index = 0; index < layer.type->attributes.size(); ++index) {
    if (is_axis_name(layer.type->attributes[index].kind)) mixed.add_name(layer.attributes[index].name);
  }
  for (const std::size_t index : layer.type->operands) {
    const attribute_value& value = layer.attributes[index];
    if (!is_side_input(layer.type->attributes[index].kind)) {
      if (value.numbers == nullptr) {
        mixed.add(static_cast<std::uint64_t>(value.number));
      } else {
        mixed.add_array(*value.numbers);
      }
      continue;
    }
    for (const side_input& input : side_inputs) {
      if (input.name == value.name) mixed.add_array(input.array);
    }
  }
  return mixed.sum();
}

}  // namespace axismask
