// Rows of which a mask keeps nothing, by each rule: every linked layer, in random layouts, against plain loops over
// `keep` read with whole numbers.
#include "axismask/empty_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/model.hpp"
#include "axismask/plan.hpp"
#include "layers.hpp"

namespace axismask {
namespace {

using random_source = std::mt19937_64;

std::int64_t pick(random_source& random, std::int64_t lowest, std::int64_t highest) {
  return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random);
}

// ---------------------------------------------------------------------------------------------------------- Arrays

enum axis_number : std::size_t { seq, kv_seq, heads, batch };
constexpr std::array<std::string_view, 4> axis_names{"seq", "kv_seq", "heads", "batch"};
using indices = std::array<std::int64_t, 4>;  // along these

std::size_t number_of(std::string_view axis) {
  return static_cast<std::size_t>(std::find(axis_names.begin(), axis_names.end(), axis) - axis_names.begin());
}

// An array with memory around it that must stay as it is.
struct test_array {
  std::vector<std::byte> memory;
  std::vector<named_axis> axes;
  dtype type = dtype::float32;
  std::int64_t origin = 0;  // of the first element, in elements
  indices strides{};        // along the logits' axes: of keys, "seq" is their "kv_seq"

  [[nodiscard]] std::int64_t width() const { return info(type).bytes; }
  [[nodiscard]] any_view view() { return {memory.data() + origin * width(), type, axes}; }
  [[nodiscard]] std::byte* at(const indices& index) {
    std::int64_t place = origin;
    for (std::size_t axis = 0; axis < index.size(); ++axis) place += index[axis] * strides[axis];
    return memory.data() + place * width();
  }
  [[nodiscard]] std::int64_t number_at(const indices& index) {
    std::int64_t number = 0;
    std::memcpy(&number, at(index), static_cast<std::size_t>(width()));
    return type == dtype::int32 ? static_cast<std::int32_t>(number) : number;
  }
  void set_number(const indices& index, std::int64_t number) {
    std::memcpy(at(index), &number, static_cast<std::size_t>(width()));
  }
};

// Calls `visit` with each index of these axes, in C order.
template <class Visit>
void for_each_index(const std::vector<named_axis>& axes, Visit visit) {
  indices index{};
  while (true) {
    visit(std::as_const(index));
    std::size_t at = axes.size();
    while (at > 0 && ++index[number_of(axes[at - 1].name)] == axes[at - 1].size) index[number_of(axes[--at].name)] = 0;
    if (at == 0) return;
  }
}

// Lays axes out in memory in a random order: dense, with gaps, backwards or, of an input, repeating.
test_array make_array(random_source& random, std::vector<named_axis> axes, dtype type, bool may_repeat,
                      bool of_keys = false) {
  std::vector<named_axis*> order;
  for (named_axis& axis : axes) order.push_back(&axis);
  if (pick(random, 0, 1) == 0) std::shuffle(order.begin(), order.end(), random);
  std::int64_t stride = pick(random, 0, 3) == 0 ? 2 : 1;
  std::int64_t before = 8;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    named_axis& one = **axis;
    const std::int64_t kind = pick(random, 0, 9);
    one.stride = may_repeat && kind == 0 ? 0 : kind == 1 ? -stride : stride;
    if (one.stride < 0) before += (one.size - 1) * stride;
    if (one.stride != 0) stride = stride * one.size + (kind == 2 ? 3 : 0);
  }
  test_array array{{}, std::move(axes), type, before, {}};
  for (const named_axis& axis : array.axes) {
    array.strides[of_keys && axis.name == "seq" ? kv_seq : number_of(axis.name)] = axis.stride;
  }
  array.memory.resize(static_cast<std::size_t>((stride + 16) * array.width()));
  for (std::byte& one : array.memory) one = static_cast<std::byte>(random());
  return array;
}

// ---------------------------------------------------------------------------------------------------------- Calls

// A random call of a layer: its arrays, and what its mask says of each logit.
struct test_call {
  std::vector<named_axis> axes;  // the logits', in their order
  layer_values values;
  std::map<std::string, test_array> inputs;      // by their names
  std::map<std::size_t, test_array> parameters;  // that have axes, by their attribute
  std::vector<std::unique_ptr<any_view>> views;
  std::vector<std::unique_ptr<std::string>> names;

  [[nodiscard]] std::vector<side_input> side_inputs() {
    std::vector<side_input> given;
    for (auto& [name, array] : inputs) given.push_back({name, array.view()});
    return given;
  }
};

std::int64_t random_number(random_source& random, const attribute_record& record, std::int64_t place, bool ascending) {
  if (record.kind == attribute_kind::integers) return pick(random, 0, 5);
  if (record.are_ids) return pick(random, -1, 2);
  // Left padding; or anything, with repetitions and padding in between.
  return ascending ? std::max<std::int64_t>(place, -1) : pick(random, -2, 6);
}

test_call make_call(random_source& random, const layer_type& type, bool is_large) {
  test_call call{{}, {&type, masked_value::lowest(), {}}, {}, {}, {}, {}};
  call.axes = {{"seq", is_large ? pick(random, 60, 110) : pick(random, 1, 9), 0},
               {"kv_seq", is_large ? pick(random, 60, 110) : pick(random, 1, 9), 0},
               {"heads", pick(random, 1, 3), 0},
               {"batch", pick(random, 1, 3), 0}};
  std::shuffle(call.axes.begin(), call.axes.end(), random);
  const auto over = [&](std::string_view always) {
    std::vector<named_axis> chosen;
    for (const named_axis& axis : call.axes) {
      const bool may = axis.name == "batch" || (axis.name == "heads" && pick(random, 0, 3) == 0);
      if (axis.name == always || (may && pick(random, 0, 1) == 0)) chosen.push_back(axis);
    }
    return chosen;
  };
  const bool ascending = pick(random, 0, 2) != 0;
  for (std::size_t index = 0; index < type.attributes.size(); ++index) {
    const attribute_record& record = type.attributes[index];
    attribute_value& value = call.values.attributes[index];
    value.name = record.default_name;
    if (record.kind == attribute_kind::parameter) {
      value.number = pick(random, record.lowest, 6);
      if (record.name != "sliding_window_size" || type.name == "ApplyDilatedWindowAttentionMask") continue;
      test_array& numbers = call.parameters[index] = make_array(random, over("heads"), dtype::int64, false);
      for_each_index(call.axes, [&](const indices& at) { numbers.set_number(at, pick(random, 1, 6)); });
      call.views.push_back(std::make_unique<any_view>(numbers.view()));
      value.numbers = call.views.back().get();
    } else if (is_side_input(record.kind)) {
      // Arrays of their own for queries and keys, so that these may differ in number.
      const bool of_keys = record.kind == attribute_kind::kv_positions;
      call.names.push_back(std::make_unique<std::string>((of_keys ? "key_" : "") + std::string(record.default_name)));
      value.name = *call.names.back();
      if (call.inputs.contains(*call.names.back())) continue;
      const dtype holds = record.kind == attribute_kind::mask ? dtype::boolean
                          : pick(random, 0, 1) == 0           ? dtype::int32
                                                              : dtype::int64;
      std::vector<named_axis> axes = record.kind == attribute_kind::mask              ? call.axes
                                     : record.kind == attribute_kind::query_positions ? over("seq")
                                     : of_keys                                        ? over("kv_seq")
                                                                                      : over("batch");
      for (named_axis& axis : axes) {
        if (of_keys && axis.name == "kv_seq") axis.name = "seq";
      }
      test_array& array = call.inputs[*call.names.back()] = make_array(random, axes, holds, true, of_keys);
      const std::int64_t padding = pick(random, 0, 40);
      for_each_index(call.axes, [&](const indices& at) {
        const std::int64_t place = at[of_keys ? kv_seq : seq] - padding * at[batch];
        const std::int64_t number = record.kind == attribute_kind::mask
                                        ? (pick(random, 0, 9) == 0 ? 1 : 0)
                                        : random_number(random, record, place, ascending);
        array.set_number(at, number);
      });
    }
  }
  return call;
}

// The reference: `keep` of one logit.
bool is_kept(test_call& call, const indices& index) {
  std::vector<std::int64_t> operands;
  for (const std::size_t attribute : call.values.type->operands) {
    const attribute_value& value = call.values.attributes.at(attribute);
    const attribute_kind kind = call.values.type->attributes[attribute].kind;
    if (kind == attribute_kind::parameter) {
      const auto found = call.parameters.find(attribute);
      operands.push_back(found == call.parameters.end() ? value.number : found->second.number_at(index));
      continue;
    }
    test_array& array = call.inputs.at(std::string(value.name));
    operands.push_back(kind == attribute_kind::mask ? static_cast<std::int64_t>(*array.at(index) != std::byte{0})
                                                    : array.number_at(index));
  }
  return call.values.type->keep(operands);
}

// The position of a logit's query, or of its key, by the first attribute that has it.
std::int64_t position_of(test_call& call, const indices& index, attribute_kind kind) {
  for (std::size_t attribute = 0; attribute < call.values.type->attributes.size(); ++attribute) {
    const attribute_record& record = call.values.type->attributes[attribute];
    if (record.kind != kind || record.are_ids) continue;
    return call.inputs.at(std::string(call.values.attributes.at(attribute).name)).number_at(index);
  }
  ADD_FAILURE() << "the layer has no positions";
  return 0;
}

// Does any array of the call change along this axis of the logits?
bool changes_along(const test_call& call, const named_axis& axis) {
  const auto changes = [&](const auto& one) { return axis.size > 1 && one.second.strides[number_of(axis.name)] != 0; };
  return std::any_of(call.inputs.begin(), call.inputs.end(), changes) ||
         std::any_of(call.parameters.begin(), call.parameters.end(), changes);
}

// "error[empty-row] ..." for the first row of which nothing is kept; nothing when there is none.
std::optional<std::string> expected_error(test_call& call, const std::vector<indices>& empty_rows) {
  if (empty_rows.empty()) return {};
  std::string place;
  for (const named_axis& axis : call.axes) {
    if (axis.name == "kv_seq" || (axis.name != "seq" && !changes_along(call, axis))) continue;
    place += (place.empty() ? "" : ", ") + ("\"" + std::string(axis.name) + "\" ") +
             std::to_string(empty_rows.front()[number_of(axis.name)]);
  }
  return "axismask: error[empty-row] logits: the mask keeps nothing of the row at " + place;
}

constexpr std::array<empty_row_rule, 3> rules{empty_row_rule::masked, empty_row_rule::error, empty_row_rule::keep_self};

// What the random cases came across: each must be there, or the cases prove little.
struct seen {
  int empty_rows = 0;
  int without_empty_rows = 0;
  int kept_selves = 0;
  int refused = 0;
};

void check_random_call(random_source& random, const layer_type& type, empty_row_rule rule, dtype element, bool is_large,
                       seen& seen) {
  test_call call = make_call(random, type, is_large);
  call.values.empty_rows = rule;
  test_array logits = make_array(random, call.axes, element, pick(random, 0, 3) == 0);
  const bool repeats = std::any_of(logits.axes.begin(), logits.axes.end(),
                                   [](const named_axis& axis) { return axis.stride == 0 && axis.size > 1; });
  const bool in_place = !repeats && pick(random, 0, 1) == 0;
  std::vector<named_axis> out_axes = call.axes;
  std::shuffle(out_axes.begin(), out_axes.end(), random);
  test_array out = in_place ? logits : make_array(random, out_axes, element, false);

  // What should come out.
  const std::uint64_t masked = element == dtype::float16    ? 0xFBFF
                               : element == dtype::bfloat16 ? 0xFF7F
                               : element == dtype::float32  ? 0xFF7FFFFF
                                                            : 0xFFEFFFFFFFFFFFFF;
  const auto width = static_cast<std::size_t>(logits.width());
  test_array want = out;
  std::vector<named_axis> row_axes = call.axes;
  std::erase_if(row_axes, [](const named_axis& axis) { return axis.name == "kv_seq"; });
  const std::int64_t keys = std::find_if(call.axes.begin(), call.axes.end(), [](const named_axis& axis) {
                              return axis.name == "kv_seq";
                            })->size;
  std::vector<indices> empty;
  for_each_index(row_axes, [&](const indices& row) {
    indices index = row;
    bool is_empty = true;
    for (std::int64_t key = 0; key < keys; ++key) {
      index[kv_seq] = key;
      const bool keeps = is_kept(call, index);
      is_empty = is_empty && !keeps;
      std::memcpy(want.at(index), keeps ? static_cast<const void*>(logits.at(index)) : &masked, width);
    }
    if (!is_empty) return;
    empty.push_back(row);
    for (std::int64_t key = 0; rule == empty_row_rule::keep_self && key < keys; ++key) {
      index[kv_seq] = key;
      if (position_of(call, index, attribute_kind::query_positions) !=
          position_of(call, index, attribute_kind::kv_positions))
        continue;
      std::memcpy(want.at(index), logits.at(index), width);
      ++seen.kept_selves;
    }
  });
  ++(empty.empty() ? seen.without_empty_rows : seen.empty_rows);

  call_options options{.threads = static_cast<int>(pick(random, 1, 3))};
  std::optional<tile_plan> tiles;
  if (pick(random, 0, 1) == 0) {
    try {
      tiles = plan(call.values, {pick(random, 1, 40), pick(random, 1, 40)}, call.side_inputs());
      options.plan = &*tiles;
    } catch (const error& problem) {
      ASSERT_EQ(problem.id(), "plan-axes");  // nothing tells how many queries or keys there are
    }
  }
  const std::optional<std::string> refused =
      rule == empty_row_rule::error ? expected_error(call, empty) : std::optional<std::string>();
  if (refused) want = out;
  std::string said = "no error";
  try {
    apply(call.values, logits.view(), in_place ? logits.view() : out.view(), call.side_inputs(), options);
  } catch (const error& problem) {
    said = problem.what();
    ++seen.refused;
  }
  EXPECT_EQ(said.substr(0, refused ? refused->size() : said.size()), refused ? *refused : "no error");
  ASSERT_EQ((in_place ? logits : out).memory, want.memory)
      << type.name << " " << info(element).name << (in_place ? " in place" : "") << " rule "
      << empty_row_rule_names[static_cast<std::size_t>(rule)];
}

TEST(EmptyRows, EqualTheReferenceInEveryLayerAndWidth) {
  random_source random(11);
  int layers = 0;
  std::array<seen, 3> all;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      ++layers;
      for (const empty_row_rule rule : rules) {
        // Positions of one name for all masks of a composition.
        const auto name_at = [&](std::size_t index) { return layer.type->attributes[index].default_name; };
        if (breach_of(rule, layer.type->attributes, name_at)) continue;
        for (const dtype element : {dtype::float16, dtype::bfloat16, dtype::float32, dtype::float64}) {
          for (int repeat = 0; repeat < 24; repeat += AXISMASK_TEST_CASE_STEP) {
            SCOPED_TRACE(std::string(layer.type->name) + ", case " + std::to_string(repeat));
            check_random_call(random, *layer.type, rule, element, repeat >= 20, all[static_cast<std::size_t>(rule)]);
            if (testing::Test::HasFailure()) return;
          }
        }
      }
    }
  }
  EXPECT_GE(layers, 20);
  for (const empty_row_rule rule : rules) {
    const seen& of_rule = all[static_cast<std::size_t>(rule)];
    EXPECT_GT(of_rule.empty_rows * AXISMASK_TEST_CASE_STEP, 300);
    EXPECT_GT(of_rule.without_empty_rows * AXISMASK_TEST_CASE_STEP, 50);
    EXPECT_EQ(of_rule.kept_selves > 100, rule == empty_row_rule::keep_self);
    EXPECT_EQ(of_rule.refused, rule == empty_row_rule::error ? of_rule.empty_rows : 0);
  }
}

}  // namespace
}  // namespace axismask
