// Random calls for the tests of kernels: layers, widths of positions, orders of axes, strides, broadcasts. What a layer
// keeps is told by its `keep` read with whole numbers, over plain loops that know nothing of folding, tiles or boxes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/kernel/kernel.hpp"
#include "axismask/plan.hpp"

namespace axismask::test {

// Numbers of a seed, or first those that a fuzzer gives, two bytes for each.
class random_source {
 public:
  using result_type = std::uint64_t;

  explicit random_source(std::uint64_t seed) : more_(seed) {}
  random_source(const std::uint8_t* given, std::size_t bytes) : given_(given), bytes_(bytes), more_(bytes) {}

  static constexpr result_type min() { return std::mt19937_64::min(); }
  static constexpr result_type max() { return std::mt19937_64::max(); }
  result_type operator()() {
    if (bytes_ < 2) return more_();
    const auto two = static_cast<result_type>(given_[0]) << 8U | given_[1];
    given_ += 2;
    bytes_ -= 2;
    return two * 0x0001000100010001U;
  }

 private:
  const std::uint8_t* given_ = nullptr;
  std::size_t bytes_ = 0;
  std::mt19937_64 more_;
};

inline std::int64_t pick(random_source& random, std::int64_t lowest, std::int64_t highest) {
  return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random);
}

// An array with memory around it that must stay as it is.
struct test_array {
  std::vector<std::byte> memory;
  std::vector<named_axis> axes;
  dtype type = dtype::float32;
  std::ptrdiff_t origin = 0;  // of the first element, in bytes

  [[nodiscard]] any_view view() { return {memory.data() + origin, type, axes}; }
};

// Which of the axes has this name.
inline std::size_t axis_named(const std::vector<named_axis>& axes, std::string_view name) {
  const auto named = [&](const named_axis& axis) { return axis.name == name; };
  return static_cast<std::size_t>(std::find_if(axes.begin(), axes.end(), named) - axes.begin());
}

// Where the elements of an array lie, in bytes, by their index along each axis of `over`, of which the array may lack
// some. The array's axis `from` is called `to` there. Names are compared once: compared for each element, they were
// most of the time of the tests.
class element_offsets {
 public:
  element_offsets(const test_array& array, const std::vector<named_axis>& over, std::string_view from = {},
                  std::string_view to = {})
      : origin_(array.origin), strides_(over.size(), 0) {
    for (const named_axis& axis : array.axes) {
      const std::string_view name = axis.name == from ? to : axis.name;
      for (std::size_t at = 0; at < over.size(); ++at) {
        if (over[at].name == name) strides_[at] = axis.stride * info(array.type).bytes;
      }
    }
  }

  std::ptrdiff_t operator()(const std::vector<std::int64_t>& index) const {
    std::ptrdiff_t offset = origin_;
    for (std::size_t at = 0; at < strides_.size(); ++at) offset += index[at] * strides_[at];
    return offset;
  }

 private:
  std::ptrdiff_t origin_;
  std::vector<std::ptrdiff_t> strides_;
};

// Lays the axes out in memory in a random order, with gaps, and sometimes backwards or, for inputs, repeating.
inline test_array make_array(random_source& random, std::vector<named_axis> axes, dtype type, bool may_repeat) {
  std::vector<std::size_t> order(axes.size());
  for (std::size_t axis = 0; axis < axes.size(); ++axis) order[axis] = axis;
  if (pick(random, 0, 1) == 0) std::shuffle(order.begin(), order.end(), random);
  std::int64_t stride = pick(random, 0, 3) == 0 ? pick(random, 1, 3) : 1;
  std::int64_t before = 0;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    named_axis& one = axes[*axis];
    if (may_repeat && pick(random, 0, 9) == 0) {
      one.stride = 0;
      continue;
    }
    one.stride = stride;
    stride = stride * std::max<std::int64_t>(one.size, 1) + (pick(random, 0, 4) == 0 ? pick(random, 1, 5) : 0);
    if (pick(random, 0, 9) == 0) {
      before += (std::max<std::int64_t>(one.size, 1) - 1) * one.stride;
      one.stride = -one.stride;
    }
  }
  test_array array;
  array.axes = std::move(axes);
  array.type = type;
  const std::int64_t margin = 16;
  array.origin = (margin + before) * info(type).bytes;
  array.memory.resize(static_cast<std::size_t>((stride + 2 * margin) * info(type).bytes));
  return array;
}

inline void fill_with_random_bytes(random_source& random, test_array& array) {
  for (std::byte& one : array.memory) one = static_cast<std::byte>(random());
}

inline std::int64_t random_position(random_source& random, dtype type, int manner) {
  switch (manner) {
    case 0:
      return pick(random, -2, 40);
    case 1:
      return type == dtype::int32
                 ? pick(random, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max())
                 : static_cast<std::int64_t>(random());
    default: {
      // The ends of 32 and 64 bits, and where kernels of 32 bits no longer do.
      const std::int64_t edge = pick(random, 0, 2) == 0 ? narrow_magnitude >> pick(random, 0, 2)
                                : type == dtype::int32  ? std::numeric_limits<std::int32_t>::max()
                                                        : std::numeric_limits<std::int64_t>::max();
      const std::int64_t near = pick(random, 0, 5);
      return pick(random, 0, 1) == 0 ? edge - near : -edge - 1 + near;
    }
  }
}

inline void fill_with_positions(random_source& random, test_array& array) {
  const int manner = static_cast<int>(pick(random, 0, 5));
  const auto width = static_cast<std::size_t>(info(array.type).bytes);
  const bool ascending = pick(random, 0, 1) == 0;  // as models have them: then tiles are all, some and none
  std::int64_t next = pick(random, -40, 0);
  for (std::size_t at = 0; at + width <= array.memory.size(); at += width) {
    const std::int64_t value = ascending ? next++ : random_position(random, array.type, std::max(0, manner - 3));
    std::memcpy(array.memory.data() + at, &value, width);  // little-endian: the low bytes of an int64 are the int32
  }
}

inline std::int64_t position_at(const test_array& array, std::ptrdiff_t offset) {
  if (array.type == dtype::boolean) return array.memory[static_cast<std::size_t>(offset)] != std::byte{0} ? 1 : 0;
  if (array.type == dtype::int32) {
    std::int32_t value = 0;
    std::memcpy(&value, array.memory.data() + offset, sizeof value);
    return value;
  }
  std::int64_t value = 0;
  std::memcpy(&value, array.memory.data() + offset, sizeof value);
  return value;
}

inline std::string describe(const std::vector<named_axis>& axes) {
  std::string text;
  for (const named_axis& axis : axes) {
    text += std::string(axis.name) + ":" + std::to_string(axis.size) + "/" + std::to_string(axis.stride) + " ";
  }
  return text;
}

// The axes of random logits: seq and kv_seq, heads always (a window may lie along it), and others. Strides are not set.
inline std::vector<named_axis> random_axes(random_source& random, bool are_large) {
  const std::array<std::int64_t, 12> sizes =
      are_large ? std::array<std::int64_t, 12>{1, 64, 65, 96, 100, 127, 128, 130, 200, 257, 1, 300}
                : std::array<std::int64_t, 12>{0, 1, 1, 2, 3, 5, 7, 16, 31, 63, 64, 65};
  const std::array<std::string_view, 6> further{"heads", "batch", "beam", "group", "depth", "copy"};
  std::vector<named_axis> axes{{"seq", sizes[static_cast<std::size_t>(pick(random, 0, 11))], 0},
                               {"kv_seq", sizes[static_cast<std::size_t>(pick(random, 0, 11))], 0}};
  const std::int64_t more = are_large ? pick(random, 1, 2) : pick(random, 1, pick(random, 1, 6));
  for (std::int64_t axis = 0; axis < more; ++axis) {
    axes.push_back({further[static_cast<std::size_t>(axis)], pick(random, 1, 3), 0});
  }
  if (pick(random, 0, 30) == 0) axes[2].size = 0;
  std::shuffle(axes.begin(), axes.end(), random);
  return axes;
}

// Calls visit(index) with the index along each axis.
template <class Visit>
void for_each_index(const std::vector<named_axis>& axes, Visit visit) {
  if (std::any_of(axes.begin(), axes.end(), [](const named_axis& axis) { return axis.size == 0; })) return;
  std::vector<std::int64_t> index(axes.size(), 0);
  while (true) {
    visit(index);
    std::size_t axis = 0;
    while (axis < axes.size() && ++index[axis] == axes[axis].size) index[axis++] = 0;
    if (axis == axes.size()) return;
  }
}

// A layer with numbers and side inputs over some of the logits' axes. It keeps its address: the values point into it.
class random_call {
 public:
  random_call(random_source& random, const linked_layer& layer, const std::vector<named_axis>& axes)
      : values{layer.type, masked_value::lowest(), {}}, axes_(axes) {
    for (const std::size_t index : layer.type->operands) {
      if (layer.type->attributes[index].kind == attribute_kind::parameter) {
        add_parameter(random, index);
      } else {
        add_side_input(random, index);
      }
    }
    for (std::size_t index = 0; index < layer.type->attributes.size(); ++index) {
      const attribute_kind kind = layer.type->attributes[index].kind;
      if (kind == attribute_kind::query_axis) values.attributes[index].name = "seq";
      if (kind == attribute_kind::kv_axis) values.attributes[index].name = "kv_seq";
    }
  }
  random_call(const random_call&) = delete;
  random_call& operator=(const random_call&) = delete;

  layer_values values;
  std::vector<side_input> inputs;

  // Is the logit with this index along each axis kept?
  [[nodiscard]] bool keeps(const std::vector<std::int64_t>& index) const {
    std::vector<std::int64_t> numbers;
    numbers.reserve(operands_.size());
    for (const operand& one : operands_) numbers.push_back(number_of(one, index));
    return values.type->keep(numbers);
  }

  // Is the key at the query's own position?
  [[nodiscard]] bool is_self(const std::vector<std::int64_t>& index) const {
    return number_of(positions(attribute_kind::query_positions), index) ==
           number_of(positions(attribute_kind::kv_positions), index);
  }

 private:
  // An array, whose elements lie by the logits' axes, or a number.
  struct operand {
    const test_array* array = nullptr;
    std::optional<element_offsets> offset_of = std::nullopt;
    std::int64_t number = 0;
    attribute_kind kind = attribute_kind::parameter;
  };

  static std::int64_t number_of(const operand& one, const std::vector<std::int64_t>& index) {
    return one.array == nullptr ? one.number : position_at(*one.array, (*one.offset_of)(index));
  }

  // The operand that is positions of this kind, and no ids.
  [[nodiscard]] const operand& positions(attribute_kind kind) const {
    std::size_t number = 0;
    while (operands_[number].kind != kind || values.type->attributes[values.type->operands[number]].are_ids) ++number;
    return operands_[number];
  }

  [[nodiscard]] std::vector<named_axis> over_some_axes(random_source& random, std::string_view always,
                                                       std::vector<std::string_view> never) const {
    std::vector<named_axis> chosen;
    for (const named_axis& axis : axes_) {
      const bool must_not = std::find(never.begin(), never.end(), axis.name) != never.end();
      if (axis.name == always || (!must_not && pick(random, 0, 2) == 0)) chosen.push_back(axis);
    }
    std::shuffle(chosen.begin(), chosen.end(), random);
    return chosen;
  }

  void add_parameter(random_source& random, std::size_t index) {
    operand one;
    if (values.type->attributes[index].name == "sliding_window_size") {
      arrays_.push_back(std::make_unique<test_array>(
          make_array(random, over_some_axes(random, "heads", {"seq", "kv_seq"}), dtype::int64, true)));
      for (std::size_t at = 0; at + 8 <= arrays_.back()->memory.size(); at += 8) {
        const std::int64_t value = pick(random, 1, 20);
        std::memcpy(arrays_.back()->memory.data() + at, &value, 8);
      }
      one.array = arrays_.back().get();
      one.offset_of.emplace(*one.array, axes_);
      numbers_.push_back(std::make_unique<any_view>(arrays_.back()->view()));
      values.attributes[index].numbers = numbers_.back().get();
    } else {
      one.number = pick(random, 0, 6) == 0 ? pick(random, 1, std::int64_t{1} << 53) : pick(random, 1, 20);
      values.attributes[index].number = one.number;
    }
    operands_.push_back(one);
  }

  void add_side_input(random_source& random, std::size_t index) {
    // A name of its own for each, so that queries and keys may differ in length.
    names_.push_back(std::make_unique<std::string>("input_" + std::to_string(index)));
    values.attributes[index].name = *names_.back();
    const attribute_kind kind = values.type->attributes[index].kind;
    std::vector<named_axis> chosen;
    dtype holds = pick(random, 0, 1) == 0 ? dtype::int32 : dtype::int64;
    if (kind == attribute_kind::mask || kind == attribute_kind::integers) {
      chosen = over_some_axes(random, "", {});
      if (kind == attribute_kind::mask) holds = dtype::boolean;
    } else if (kind == attribute_kind::query_positions) {
      chosen = over_some_axes(random, "seq", {"kv_seq"});
    } else {
      chosen = over_some_axes(random, "kv_seq", {"seq"});
      for (named_axis& axis : chosen) {
        if (axis.name == "kv_seq") axis.name = "seq";
      }
    }
    arrays_.push_back(std::make_unique<test_array>(make_array(random, chosen, holds, true)));
    if (kind == attribute_kind::mask) {
      for (std::byte& one : arrays_.back()->memory) one = static_cast<std::byte>(pick(random, 0, 1));
    } else {
      fill_with_positions(random, *arrays_.back());
    }
    inputs.push_back({*names_.back(), arrays_.back()->view()});
    const bool of_keys = kind == attribute_kind::kv_positions;
    operands_.push_back({arrays_.back().get(),
                         element_offsets(*arrays_.back(), axes_, of_keys ? "seq" : "", of_keys ? "kv_seq" : ""), 0,
                         kind});
  }

  std::vector<named_axis> axes_;
  std::vector<operand> operands_;
  std::vector<std::unique_ptr<test_array>> arrays_;
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<std::unique_ptr<any_view>> numbers_;
};

}  // namespace axismask::test
