// `axismask diff`: where two masks differ, and by how much.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/layer_structure.hpp"
#include "axismask/messages/text.hpp"
#include "command/arguments.hpp"
#include "command/conventions.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "mask/mask_difference.hpp"

namespace axismask::command {
namespace {

struct diff_options {
  std::string a;
  std::string b;
  std::vector<std::string> inputs;
  std::optional<std::int64_t> queries;
  std::optional<std::int64_t> keys;
  bool as_json = false;
};

// ------------------------------------------------------------------------------------------------- What to compare

// One of the two masks.
struct side {
  std::string option;    // "A"
  std::string argument;  // as it was typed
  any_layer layer;
  bool is_convention;
  std::vector<side_input> inputs;  // those of the given that the layer takes
};

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

any_layer layer_of_spec(const std::string& option, const std::string& argument) {
  // A layer's name may have colons, and a file's too.
  for (std::size_t colon = argument.rfind(':'); colon != std::string::npos && colon > 0;
       colon = argument.rfind(':', colon - 1)) {
    const std::string file = argument.substr(0, colon);
    if (!exists(file)) continue;
    const Model model = Model::load(file);
    return with_place("layer", option, [&] { return model.layer(argument.substr(colon + 1)); });
  }
  if (exists(argument)) {
    const Model model = Model::load(argument);
    if (model.layers().size() == 1) return model.layers().front();
    throw error("usage", option,
                "\"" + argument + "\" has " + counted(model.layers().size(), "layer") + ", and none is named",
                model.layers().empty() ? "give a spec that has layers"
                                       : "name one after a colon: " + argument + ":" + model.layers().front().name());
  }
  const std::string name = argument.substr(0, argument.find(':'));
  if (name.find_first_of("./") == std::string::npos) {
    const std::vector<std::string_view> names = convention_names();
    throw error("usage", option,
                "there is neither a file nor a convention \"" + name + "\"" + did_you_mean(name, names).str(),
                "give SPEC:LAYER, or a convention of those that axismask diff --help lists");
  }
  const std::string file = argument.substr(0, argument.rfind(':'));
  return Model::load(file).layer(argument.substr(std::min(argument.size(), file.size() + 1)));  // there is no such file
}

side read_side(const std::string& option, const std::string& argument) {
  if (argument.empty()) throw error("usage", option, "it is empty", "give SPEC:LAYER, or a convention: flash:4096,0");
  if (std::optional<any_layer> layer = convention_layer(argument))
    return {option, argument, *std::move(layer), true, {}};
  return {option, argument, layer_of_spec(option, argument), false, {}};
}

// The layer with the names of side inputs and axes that the other one has, so that what is given serves both.
any_layer with_names_of(const any_layer& other, const any_layer& layer) {
  const any_attributes others = attributes_dict(other);
  any_attributes fields = attributes_dict(layer);
  for (auto& [name, value] : fields) {
    const auto same =
        std::find_if(others.begin(), others.end(), [&name = name](const auto& one) { return one.first == name; });
    if (same != others.end() && std::holds_alternative<std::string>(value)) value = same->second;
  }
  return from_attributes(layer.type(), fields, layer.name());
}

bool takes(const any_layer& layer, std::string_view input, bool (*plays)(const attribute_record&)) {
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    if (plays(layer.type().attributes[index]) && layer.values().attributes[index].name == input) return true;
  }
  return false;
}

// Gives each side those inputs that it takes.
void share_inputs(side& a, side& b, const std::vector<side_input>& given) {
  const auto any_part = [](const attribute_record& one) { return is_side_input(one.kind); };
  for (const side_input& input : given) {
    const bool b_takes = takes(b.layer, input.name, any_part);
    if (b_takes) b.inputs.push_back(input);
    // What neither takes is an error of A's.
    if (!b_takes || takes(a.layer, input.name, any_part)) a.inputs.push_back(input);
  }
}

bool has_given_positions(const side& one) {
  return std::any_of(one.inputs.begin(), one.inputs.end(),
                     [&](const side_input& input) { return takes(one.layer, input.name, counts_tokens); });
}

// ---------------------------------------------------------------------------------------------------- Its positions

constexpr std::int64_t most_unasked = 131072;
constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();  // as window.hpp has it

// The numbers of both layers, windows or chunks, in ascending order.
std::vector<std::int64_t> numbers_of(const any_layer& a, const any_layer& b) {
  std::vector<std::int64_t> numbers;
  for (const any_layer* layer : {&a, &b}) {
    for (const auto& [name, value] : attributes_dict(*layer)) {
      if (const auto* number = std::get_if<std::int64_t>(&value)) numbers.push_back(*number);
      const auto* counts = std::get_if<axis_counts>(&value);
      if (counts != nullptr) numbers.insert(numbers.end(), counts->values.begin(), counts->values.end());
    }
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  std::erase(numbers, no_limit);
  return numbers;
}

// Twice as many queries as the largest window has keys: half of them see a whole window.
std::int64_t queries_to_show(const std::vector<std::int64_t>& numbers) {
  const std::int64_t largest = numbers.empty() ? 0 : std::min(numbers.back(), most_unasked);
  return std::min(2 * largest + 16, most_unasked);
}

// A side's mask, at the index of each further axis that it has.
std::unique_ptr<mask_rows> mask_of(const side& one, const mask_choice& choice) {
  try {
    return std::make_unique<mask_rows>(one.layer.values(), one.inputs, choice);
  } catch (const error& problem) {
    const std::string where = problem.where() == "queries" ? "--seq"
                              : problem.where() == "keys"  ? "--kv-seq"
                                                           : place_in_command(problem.where(), one.layer, one.inputs);
    throw error(problem.id(), where, problem.what_is_wrong(), problem.cure());
  }
}

// The further axes of both masks, as they are counted in planes: the last one fastest.
struct planes {
  std::vector<mask_rows::further_axis> axes;

  void add(const side& one, const mask_rows& mask) {
    for (const mask_rows::further_axis& axis : mask.further_axes()) {
      const auto same =
          std::find_if(axes.begin(), axes.end(), [&](const auto& known) { return known.name == axis.name; });
      if (same == axes.end()) {
        axes.push_back(axis);
      } else if (same->size != axis.size) {
        throw error("axis-size", one.option,
                    "its axis \"" + axis.name + "\" has size " + std::to_string(axis.size) + ", and A's has " +
                        std::to_string(same->size),
                    "compare layers that have as many");
      }
    }
  }

  [[nodiscard]] std::int64_t count() const {
    std::int64_t product = 1;
    for (const mask_rows::further_axis& axis : axes) product *= axis.size;
    return product;
  }

  // The index along each axis, in a plane.
  [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> at(std::int64_t plane) const {
    std::vector<std::pair<std::string, std::int64_t>> result(axes.size());
    for (std::size_t axis = axes.size(); axis-- > 0;) {
      result[axis] = {axes[axis].name, plane % axes[axis].size};
      plane /= axes[axis].size;
    }
    return result;
  }

  [[nodiscard]] std::string text(std::int64_t plane) const {
    std::vector<std::string> parts;
    for (const auto& [name, index] : at(plane)) parts.push_back(name + " " + std::to_string(index));
    return joined(parts, ", ");
  }
};

mask_choice choice_for(const mask_rows& mask, const std::vector<std::pair<std::string, std::int64_t>>& at) {
  mask_choice choice{mask.queries(), mask.keys(), {}};
  for (const auto& index : at) {
    for (const mask_rows::further_axis& axis : mask.further_axes()) {
      if (axis.name == index.first) choice.at.push_back(index);
    }
  }
  return choice;
}

// ------------------------------------------------------------------------------------------------ What comes of it

// Queries next to each other in which both masks keep the same number of keys, or a number that grows or falls by as
// much from each to the next.
struct query_run {
  std::int64_t first;
  std::int64_t last;
  kept_keys at_first;
  kept_keys at_last;

  friend bool operator==(const query_run&, const query_run&) = default;
};

kept_keys operator-(const kept_keys& a, const kept_keys& b) {
  return {a.both - b.both, a.only_a - b.only_a, a.only_b - b.only_b};
}

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

struct plane_difference {
  kept_keys counts;
  std::int64_t queries = 0;  // that differ
  std::vector<query_run> runs;
};

struct difference {
  bool is_of_default_size = false;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  bool makes_positions = false;
  std::vector<std::int64_t> hidden;  // those numbers of the layers that no distance between positions reaches
  planes further;
  std::vector<plane_difference> in_planes;
  kept_keys counts;
  std::int64_t rows = 0;  // that differ, in all planes

  struct example {
    std::int64_t plane;
    differing_element element;
    std::vector<std::int64_t> operands_of_a;
    std::vector<std::int64_t> operands_of_b;
  };
  std::optional<example> first;

  [[nodiscard]] std::int64_t differing() const { return counts.only_a + counts.only_b; }
  [[nodiscard]] std::int64_t elements() const { return further.count() * queries * keys; }
};

difference compare(const side& a, const side& b, mask_choice choice) {
  // The side inputs tell how many queries and keys there are, those of one side for the other too.
  const bool b_tells = a.inputs.empty() && !b.inputs.empty();
  const bool is_of_default_size = a.inputs.empty() && b.inputs.empty() && !choice.queries;
  if (is_of_default_size) {
    choice.queries = queries_to_show(numbers_of(a.layer, b.layer));
    if (choice.keys) choice.queries = std::min(*choice.queries, *choice.keys);
  }
  const std::unique_ptr<mask_rows> leading = mask_of(b_tells ? b : a, choice);
  choice.queries = leading->queries();
  choice.keys = leading->keys();
  const std::unique_ptr<mask_rows> other = mask_of(b_tells ? a : b, choice);
  const mask_rows& of_a = b_tells ? *other : *leading;
  const mask_rows& of_b = b_tells ? *leading : *other;

  for (const auto& [made, given] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    const mask_rows& mask = made == &a ? of_a : of_b;
    if (!mask.makes_positions() || !has_given_positions(*given)) continue;
    throw error("side-input-missing", made->option,
                "its positions are not among the side inputs, and those of " + given->option + " are",
                "give the positions of both, or of none");
  }

  difference result;
  result.is_of_default_size = is_of_default_size;
  result.queries = *choice.queries;
  result.keys = *choice.keys;
  result.makes_positions = of_a.makes_positions() || of_b.makes_positions();
  if (result.makes_positions) {
    result.hidden = numbers_of(a.layer, b.layer);
    std::erase_if(result.hidden, [&](std::int64_t number) { return number < result.keys; });
  }
  result.further.add(a, of_a);
  result.further.add(b, of_b);
  for (std::int64_t plane = 0; plane < result.further.count(); ++plane) {
    const auto at = result.further.at(plane);
    const std::unique_ptr<mask_rows> plane_of_a = mask_of(a, choice_for(of_a, at));
    const std::unique_ptr<mask_rows> plane_of_b = mask_of(b, choice_for(of_b, at));
    plane_difference found;
    const auto first = compare_masks(*plane_of_a, *plane_of_b, [&](std::int64_t query, const kept_keys& counts) {
      found.counts.both += counts.both;
      if (counts.only_a + counts.only_b == 0) return;
      found.counts.only_a += counts.only_a;
      found.counts.only_b += counts.only_b;
      ++found.queries;
      append(found.runs, query, counts);
    });
    result.counts.both += found.counts.both;
    result.counts.only_a += found.counts.only_a;
    result.counts.only_b += found.counts.only_b;
    result.rows += found.queries;
    result.in_planes.push_back(std::move(found));
    if (first && !result.first) {
      result.first = {plane, *first, operands_at(*plane_of_a, first->query, first->key),
                      operands_at(*plane_of_b, first->query, first->key)};
    }
  }
  return result;
}

// ------------------------------------------------------------------------------------------------------- Saying so

// "512"; "1 ... 530" and "1, 3 ... 1059" for numbers that change from query to query.
std::string progression(std::int64_t first, std::int64_t last, std::int64_t queries) {
  if (first == last) return std::to_string(first);
  const std::int64_t step = (last - first) / (queries - 1);
  if (queries == 2) return std::to_string(first) + " and " + std::to_string(last);
  const bool by_one = step == 1 || step == -1;
  return std::to_string(first) + (by_one ? "" : ", " + std::to_string(first + step)) + " ... " + std::to_string(last);
}

std::string run_text(const query_run& run) {
  const std::int64_t queries = run.last - run.first + 1;
  const auto number = [&](std::int64_t kept_keys::* which) {
    return progression(run.at_first.*which, run.at_last.*which, queries);
  };
  const auto sees = [&](std::int64_t kept_keys::* only) {
    return progression(run.at_first.both + run.at_first.*only, run.at_last.both + run.at_last.*only, queries);
  };
  const auto keys = [&](std::int64_t kept_keys::* only, const char* which) {
    const std::string text = number(only);
    return text == "0" ? "" : text + (text == "1" ? " key" : " keys") + " only in " + which;
  };
  const std::string in_a = keys(&kept_keys::only_a, "A");
  const std::string in_b = keys(&kept_keys::only_b, "B");
  return (queries == 1 ? "query " + std::to_string(run.first)
                       : "queries " + std::to_string(run.first) + " ... " + std::to_string(run.last)) +
         ": " + in_a + (in_a.empty() || in_b.empty() ? "" : ", ") + in_b + " (A sees " + sees(&kept_keys::only_a) +
         ", B " + sees(&kept_keys::only_b) + ")";
}

// What a formula is the `&&` of.
std::vector<std::string> conditions(std::string_view formula) {
  std::vector<std::string> parts{""};
  int depth = 0;
  for (std::size_t at = 0; at < formula.size(); ++at) {
    depth += formula[at] == '(' ? 1 : formula[at] == ')' ? -1 : 0;
    if (depth == 0 && formula.substr(at).starts_with(" || ")) return {std::string(formula)};
    if (depth == 0 && formula.substr(at).starts_with(" && ")) {
      parts.emplace_back();
      at += 3;
    } else {
      parts.back() += formula[at];
    }
  }
  return parts;
}

// The layer's formula with the numbers of an element.
std::string formula_of(const any_layer& layer, const std::vector<std::int64_t>& operands) {
  std::vector<std::string> texts;
  for (std::size_t place = 0; place < operands.size(); ++place) {
    const std::int64_t number = operands[place];
    const bool is_boolean = layer.type().attributes[layer.type().operands[place]].kind == attribute_kind::mask;
    texts.push_back(is_boolean   ? number != 0 ? "true" : "false"
                    : number < 0 ? "(" + std::to_string(number) + ")"
                                 : std::to_string(number));
  }
  return layer.type().formula(texts);
}

// The position of an element's query or key, if the layer knows positions.
std::optional<std::int64_t> position_of(attribute_kind kind, const any_layer& layer,
                                        const std::vector<std::int64_t>& operands) {
  for (std::size_t place = 0; place < operands.size(); ++place) {
    const attribute_record& attribute = layer.type().attributes[layer.type().operands[place]];
    if (attribute.kind == kind && counts_tokens(attribute)) return operands[place];
  }
  return {};
}

// "first: query 512 (position 512), key 0 (position 0): kept by B, as 512 - 0 < 513; not by A, as 512 - 0 < 512 is
// false". The conditions that both masks have are true for both, so they are left out.
std::string example_text(const side& a, const side& b, const planes& further, const difference::example& first) {
  const differing_element& element = first.element;
  const auto place = [&](const char* what, std::int64_t index, attribute_kind kind) {
    auto position = position_of(kind, a.layer, first.operands_of_a);
    if (!position) position = position_of(kind, b.layer, first.operands_of_b);
    return std::string(what) + " " + std::to_string(index) +
           (position ? " (position " + std::to_string(*position) + ")" : "");
  };
  const bool by_a = element.kept_by_a;
  const any_layer& keeper = by_a ? a.layer : b.layer;
  const std::vector<std::int64_t>& operands = by_a ? first.operands_of_a : first.operands_of_b;
  const std::vector<std::string> of_keeper = conditions(formula_of(keeper, operands));
  const std::vector<std::string> of_other =
      conditions(formula_of(by_a ? b.layer : a.layer, by_a ? first.operands_of_b : first.operands_of_a));
  const auto without = [](std::vector<std::string> some, const std::vector<std::string>& others) {
    std::erase_if(some,
                  [&](const std::string& one) { return std::find(others.begin(), others.end(), one) != others.end(); });
    return joined(some, " && ");
  };
  const bool by_rule = !keeper.type().keep(operands);
  const std::string why = by_rule ? "its row sees nothing else" : without(of_keeper, of_other);
  const std::string why_not = by_rule ? joined(of_other, " && ") : without(of_other, of_keeper);
  return "first: " + further.text(first.plane) + (further.axes.empty() ? "" : ", ") +
         place("query", element.query, attribute_kind::query_positions) + ", " +
         place("key", element.key, attribute_kind::kv_positions) + ": kept by " + (by_a ? "A" : "B") +
         (why.empty() ? "" : ", as " + why) + "; not by " + (by_a ? "B" : "A") + ", as " + why_not + " is false";
}

// What becomes of rows that see nothing, if it is not that they are masked.
std::string rule_text(const any_layer& layer) {
  switch (layer.values().empty_rows) {
    case empty_row_rule::masked:
      break;
    case empty_row_rule::error:
      return "; a row that sees nothing is an error, here it is compared as masked";
    case empty_row_rule::keep_self:
      return "; a row that sees nothing keeps itself";
  }
  return "";
}

void print_text(const side& a, const side& b, const difference& found) {
  for (const side* one : {&a, &b}) {
    std::cout << on_one_line(one->option + ": " + one->argument + ": " + one->layer.formula() + rule_text(one->layer))
              << '\n';
  }
  if (found.makes_positions) {
    std::cout << "positions " << found.keys - found.queries << " ... " << found.keys - 1;
    if (found.queries != found.keys) std::cout << " of queries, 0 ... " << found.keys - 1 << " of keys";
    std::cout << (found.is_of_default_size ? "; --seq N for others\n" : "\n");
  }
  if (!found.hidden.empty()) {
    std::vector<std::string> texts;
    for (const std::int64_t number : found.hidden) texts.push_back(std::to_string(number));
    std::cout << "no two of them are as far apart as these numbers of A and B: " << joined(texts, ", ") << '\n';
  }
  std::string size;
  for (const mask_rows::further_axis& axis : found.further.axes) {
    size += std::to_string(axis.size) + " " + axis.name + " x ";
  }
  size += std::to_string(found.queries) + " queries x " + std::to_string(found.keys) + " keys";
  if (!found.first) {
    std::cout << on_one_line("equal on " + size) << '\n';
    return;
  }
  std::cout << on_one_line(size) << ": " << found.differing() << " of " << found.elements() << " elements differ, in "
            << found.rows << " of " << found.further.count() * found.queries << " rows: " << found.counts.only_a
            << " kept only by A, " << found.counts.only_b << " only by B\n";

  std::vector<std::string> lines;
  for (std::int64_t plane = 0; plane < found.further.count();) {
    const std::vector<query_run>& runs = found.in_planes[static_cast<std::size_t>(plane)].runs;
    std::int64_t last = plane;  // of those that are alike
    while (last + 1 < found.further.count() && found.in_planes[static_cast<std::size_t>(last + 1)].runs == runs) ++last;
    if (!found.further.axes.empty()) {
      lines.push_back(found.further.text(plane) + (last == plane ? "" : " ... " + found.further.text(last)) +
                      (runs.empty() ? ": equal" : ":"));
    }
    for (const query_run& run : runs) lines.push_back(run_text(run));
    plane = last + 1;
  }
  constexpr std::size_t most_lines = 24;
  for (std::size_t line = 0; line < std::min(lines.size(), most_lines); ++line) {
    std::cout << on_one_line(lines[line]) << '\n';
  }
  if (lines.size() > most_lines) {
    std::cout << "and " << lines.size() - most_lines << " such lines more, which --json has\n";
  }
  std::cout << on_one_line(example_text(a, b, found.further, *found.first)) << '\n';
}

json side_json(const side& one) {
  return {{"argument", one.argument},
          {"type", one.layer.type().name},
          {"formula", one.layer.formula()},
          {"empty_rows", name_of(one.layer.values().empty_rows)}};
}

json difference_json(const side& a, const side& b, const difference& found) {
  const auto place_in = [&](std::int64_t plane) {
    json place = json::object();
    for (const auto& [name, index] : found.further.at(plane)) place[name] = index;
    return place;
  };
  json planes = json::array();
  for (std::int64_t plane = 0; plane < found.further.count(); ++plane) {
    json runs = json::array();
    for (const query_run& run : found.in_planes[static_cast<std::size_t>(plane)].runs) {
      const auto pair = [&](std::int64_t kept_keys::* which) {
        return json::array({run.at_first.*which, run.at_last.*which});
      };
      runs.push_back({{"queries", {run.first, run.last}},
                      {"both", pair(&kept_keys::both)},
                      {"only_a", pair(&kept_keys::only_a)},
                      {"only_b", pair(&kept_keys::only_b)}});
    }
    planes.push_back({{"at", place_in(plane)}, {"runs", std::move(runs)}});
  }
  json further = json::object();
  for (const mask_rows::further_axis& axis : found.further.axes) further[axis.name] = axis.size;
  json result{{"a", side_json(a)},
              {"b", side_json(b)},
              {"equal", !found.first},
              {"further_axes", std::move(further)},
              {"queries", found.queries},
              {"keys", found.keys},
              {"hidden_numbers", found.hidden},
              {"elements", found.elements()},
              {"both", found.counts.both},
              {"only_a", found.counts.only_a},
              {"only_b", found.counts.only_b},
              {"rows", found.rows},
              {"planes", std::move(planes)},
              {"first", nullptr}};
  if (found.first) {
    const auto& [plane, element, operands_of_a, operands_of_b] = *found.first;
    result["first"] = {{"at", place_in(plane)},
                       {"query", element.query},
                       {"key", element.key},
                       {"kept_by", element.kept_by_a ? "a" : "b"},
                       {"formula_of_a", formula_of(a.layer, operands_of_a)},
                       {"formula_of_b", formula_of(b.layer, operands_of_b)}};
  }
  return result;
}

// Gives the exit status.
int run_diff(const diff_options& options) {
  side a = read_side("A", options.a);
  side b = read_side("B", options.b);
  if (a.is_convention && !b.is_convention) a.layer = with_names_of(b.layer, a.layer);
  if (b.is_convention && !a.is_convention) b.layer = with_names_of(a.layer, b.layer);
  const named_inputs given(options.inputs);
  share_inputs(a, b, given.inputs);
  const difference found = compare(a, b, {options.queries, options.keys, {}});
  if (options.as_json) {
    print_json(difference_json(a, b, found));
  } else {
    print_text(a, b, found);
  }
  finish_output();
  return found.first ? 1 : 0;
}

}  // namespace

void add_diff(CLI::App& app, int& status) {
  const auto options = std::make_shared<diff_options>();
  CLI::App* command = app.add_subcommand("diff", "Compare two masks: where they differ, and by how much");
  command->add_option("A", options->a, "SPEC:LAYER, or a convention")->required()->type_name("");
  command->add_option("B", options->b, "SPEC:LAYER, or a convention: what to compare it with")
      ->required()
      ->type_name("");
  command->add_option("--seq", options->queries, "So many queries; unless given, enough to show the windows")
      ->type_name("N");
  command->add_option("--kv-seq", options->keys, "So many keys, of which the queries are the last; --seq unless given")
      ->type_name("N");
  command->add_option("--input", options->inputs, "A side input and the names of its axes; once for each side input")
      ->type_name("NAME=FILE.npy:AXIS,...")
      ->allow_extra_args(false);
  command->add_flag("--json", options->as_json,
                    "Print JSON: of runs of queries, the numbers of keys at the first and at the last");
  command->footer(
      "Exit status: 0 if the masks are equal, 1 if they differ, 2 for bad input.\n"
      "A spec of one layer needs no :LAYER. A convention is a window as another system writes it;\n"
      "axismask/window.hpp says what each means:\n" +
      convention_help() +
      "Example:\n"
      "  axismask diff model.json:layers.0 flash:4096,0");
  command->callback([options, &status] { status = run_diff(*options); });
}

}  // namespace axismask::command
