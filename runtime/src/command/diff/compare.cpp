// Compares masks plane by plane.
#include "command/diff/compare.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>

#include "axismask/arrays/index_walk.hpp"
#include "axismask/layer_structure.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"

namespace axismask::command {
namespace {

// --------------------------------------------------------------------------------------------- Which masks, how large

constexpr std::int64_t most_unasked = 131072;
constexpr std::int64_t few_queries = 4096;
constexpr std::int64_t most_to_read = std::int64_t{1} << 25;                 // unasked; they take about 0.4 s
constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();  // as window.hpp has it

// The largest number of both layers, a window or a chunk; 0 without one.
std::int64_t largest_number(const any_layer& a, const any_layer& b) {
  std::int64_t largest = 0;
  const auto note = [&](std::int64_t number) {
    if (number != no_limit) largest = std::max(largest, number);
  };
  for (const any_layer* layer : {&a, &b}) {
    for (const auto& [name, value] : attributes_dict(*layer)) {
      if (const auto* number = std::get_if<std::int64_t>(&value)) note(*number);
      const auto* counts = std::get_if<axis_counts>(&value);
      if (counts != nullptr) std::for_each(counts->values.begin(), counts->values.end(), note);
    }
  }
  return largest;
}

// Twice as many queries as the largest window has keys: half of them see a whole window.
std::int64_t queries_to_show(std::int64_t largest) {
  return std::min(2 * std::min(largest, most_unasked) + 16, most_unasked);
}

mask_choice default_choice(const two_sides& sides, const mask_choice& wanted) {
  mask_choice choice = wanted;
  choice.queries = queries_to_show(largest_number(sides.a.layer, sides.b.layer));
  if (choice.keys) choice.queries = std::min(*choice.queries, *choice.keys);
  return choice;
}

// Both masks, of one size.
struct two_masks {
  std::unique_ptr<mask_rows> a;
  std::unique_ptr<mask_rows> b;
};

std::unique_ptr<mask_rows> read_mask(const side& one, const mask_choice& choice) {
  return with_places_in_command(one.layer, one.inputs,
                                [&] { return std::make_unique<mask_rows>(one.layer.values(), one.inputs, choice); });
}

// The side inputs tell how many queries and keys there are, those of one side for the other too.
two_masks read_masks(const two_sides& sides, mask_choice choice) {
  const bool b_tells = sides.a.inputs.empty() && !sides.b.inputs.empty();
  std::unique_ptr<mask_rows> telling = read_mask(b_tells ? sides.b : sides.a, choice);
  choice.queries = telling->queries();
  choice.keys = telling->keys();
  std::unique_ptr<mask_rows> told = read_mask(b_tells ? sides.a : sides.b, choice);
  return b_tells ? two_masks{std::move(told), std::move(telling)} : two_masks{std::move(telling), std::move(told)};
}

// A mask that goes on and off all along, as a dilated window does, is read on fewer queries than a plain one.
two_masks read_default_masks(const two_sides& sides, mask_choice choice) {
  while (true) {
    two_masks masks = read_masks(sides, choice);
    const std::int64_t queries = choice.queries.value_or(0);
    if (queries <= few_queries || elements_to_read(*masks.a, *masks.b) <= most_to_read) return masks;
    choice.queries = queries / 2;
  }
}

// Positions that are made are no match for some that are given.
void check_positions(const side& one, const mask_rows& mask, const side& other) {
  if (!mask.makes_positions() || !has_given_positions(other)) return;
  throw error("side-input-missing", one.option,
              "its positions are not among the side inputs, and those of " + other.option + " are",
              "give the positions of both, or of none");
}

// ---------------------------------------------------------------------------------------------------------- Planes

void add_axes(further_planes& planes, const side& one, const mask_rows& mask) {
  for (const mask_rows::further_axis& axis : mask.further_axes()) {
    const auto same = std::find_if(planes.axes.begin(), planes.axes.end(),
                                   [&](const auto& known) { return known.name == axis.name; });
    if (same == planes.axes.end()) {
      planes.axes.push_back(axis);
    } else if (same->size != axis.size) {
      throw error("axis-size", one.option,
                  "its axis \"" + axis.name + "\" has size " + std::to_string(axis.size) + ", and A's has " +
                      std::to_string(same->size),
                  "compare layers that have as many");
    }
  }
}

// The mask's own size, at those indices that are along its axes.
mask_choice choice_for(const mask_rows& mask, const std::vector<std::pair<std::string, std::int64_t>>& at) {
  mask_choice choice{mask.queries(), mask.keys(), {}};
  for (const auto& index : at) {
    for (const mask_rows::further_axis& axis : mask.further_axes()) {
      if (axis.name == index.first) choice.at.push_back(index);
    }
  }
  return choice;
}

// ------------------------------------------------------------------------------------------------------- Comparing

// Adds a query to the runs.
void append(std::vector<query_run>& runs, std::int64_t query, const kept_keys& counts) {
  if (!runs.empty() && runs.back().last == query - 1) {
    query_run& run = runs.back();
    const std::int64_t steps = run.last - run.first;
    const kept_keys step = counts - run.at_last;
    const kept_keys so_far = run.at_last - run.at_first;
    const bool goes_on = steps == 0 || (step.both * steps == so_far.both && step.only_a * steps == so_far.only_a &&
                                        step.only_b * steps == so_far.only_b);
    if (goes_on) {
      run.last = query;
      run.at_last = counts;
      return;
    }
    // Two numbers that differ are no row of numbers: the second begins one with the third.
    if (steps == 1 && so_far != kept_keys{}) {
      const query_run second{run.last, query, run.at_last, counts};
      run.last = run.first;
      run.at_last = run.at_first;
      runs.push_back(second);
      return;
    }
  }
  runs.push_back({query, query, counts, counts});
}

void compare_plane(const two_sides& sides, const two_masks& masks, std::int64_t plane, difference& result) {
  const auto at = result.further.at(plane);
  const two_masks here{read_mask(sides.a, choice_for(*masks.a, at)), read_mask(sides.b, choice_for(*masks.b, at))};
  plane_difference found;
  found.operands_of_a = operands_at(*here.a, 0, 0);
  found.operands_of_b = operands_at(*here.b, 0, 0);
  const auto first = compare_masks(*here.a, *here.b, [&](std::int64_t query, const kept_keys& counts) {
    found.counts += counts;
    if (counts.differing() == 0) return;
    ++found.queries;
    append(found.runs, query, counts);
  });
  if (first && !result.first) {
    result.first = {plane, *first, operands_at(*here.a, first->query, first->key),
                    operands_at(*here.b, first->query, first->key)};
  }
  result.counts += found.counts;
  result.rows += found.queries;
  result.in_planes.push_back(std::move(found));
}

}  // namespace

std::int64_t further_planes::count() const {
  std::int64_t product = 1;
  for (const mask_rows::further_axis& axis : axes) product *= axis.size;
  return product;
}

std::vector<std::pair<std::string, std::int64_t>> further_planes::at(std::int64_t plane) const {
  std::vector<std::pair<std::string, std::int64_t>> result(axes.size());
  split_index(
      plane, axes.size(), [&](std::size_t axis) { return axes[axis].size; },
      [&](std::size_t axis, std::int64_t index) { result[axis] = {axes[axis].name, index}; });
  return result;
}

std::string further_planes::text(std::int64_t plane) const {
  std::vector<std::string> parts;
  for (const auto& [name, index] : at(plane)) parts.push_back(name + " " + std::to_string(index));
  return joined(parts, ", ");
}

difference compare(const two_sides& sides, const mask_choice& wanted) {
  difference result;
  result.is_of_default_size = sides.a.inputs.empty() && sides.b.inputs.empty() && !wanted.queries;
  const two_masks masks =
      result.is_of_default_size ? read_default_masks(sides, default_choice(sides, wanted)) : read_masks(sides, wanted);
  check_positions(sides.a, *masks.a, sides.b);
  check_positions(sides.b, *masks.b, sides.a);

  result.queries = masks.a->queries();
  result.keys = masks.a->keys();
  result.makes_positions = masks.a->makes_positions() || masks.b->makes_positions();
  add_axes(result.further, sides.a, *masks.a);
  add_axes(result.further, sides.b, *masks.b);
  for (std::int64_t plane = 0; plane < result.further.count(); ++plane) compare_plane(sides, masks, plane, result);
  return result;
}

std::string formula_of(const any_layer& layer, const std::vector<std::int64_t>& operands) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < operands.size(); ++at) {
    const std::int64_t number = operands[at];
    const bool is_boolean = is_boolean_operand(layer.type().attributes[layer.type().operands[at]].kind);
    texts.push_back(is_boolean   ? number != 0 ? "true" : "false"
                    : number < 0 ? "(" + std::to_string(number) + ")"
                                 : std::to_string(number));
  }
  return layer.type().formula(texts);
}

}  // namespace axismask::command
