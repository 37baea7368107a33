// The `axismask` command line: apply, inspect, kernels. It reads arguments and files, calls the runtime, and turns
// whatever goes wrong into one line on stderr.
#include "axismask/command.hpp"

#include <HalideRuntime.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/error.hpp"
#include "axismask/linked.hpp"
#include "axismask/model.hpp"
#include "axismask/npy.hpp"
#include "axismask/plan.hpp"
#include "axismask/text.hpp"

namespace axismask {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* see_help = "see axismask --help";

// ---------------------------------------------------------------------------------------------------------- Output

// A message, a table's row: names of the user's that have line breaks in them must not break it.
std::string on_one_line(std::string_view text) {
  std::string result(text);
  std::replace_if(result.begin(), result.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  return result;
}

// How many characters a text has, if it is UTF-8.
std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

using row = std::vector<std::string>;

// Columns of texts, each as wide as its widest text; the first row is the header.
void print_table(std::vector<row> rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (row& one : rows) {
    for (std::size_t column = 0; column < one.size(); ++column) {
      one[column] = on_one_line(one[column]);
      widths[column] = std::max(widths[column], character_count(one[column]));
    }
  }
  for (const row& one : rows) {
    std::string line;
    for (std::size_t column = 0; column < one.size(); ++column) {
      line += one[column] + std::string(widths[column] - character_count(one[column]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
}

// Names of files and layers may be any bytes; JSON is UTF-8.
void print_json(const json& value) { std::cout << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n'; }

void finish_output() {
  if (!std::cout.flush()) {
    throw error("output", "stdout", "the output cannot be written", "make room, or write to another place");
  }
}

// The shortest text that reads back as the number.
std::string number_text(double number) {
  std::array<char, 32> text;
  const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end};
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string result;
  for (const std::string& part : parts) {
    if (!result.empty()) result += separator;
    result += part;
  }
  return result;
}

// "(2, 3)", as NumPy shows a shape.
std::string shape_text(std::span<const std::int64_t> sizes) {
  std::string result;
  for (const std::int64_t size : sizes) result += (result.empty() ? "" : ", ") + std::to_string(size);
  return "(" + result + (sizes.size() == 1 ? ",)" : ")");
}

// ----------------------------------------------------------------------------------------------------------- apply

struct apply_options {
  std::string spec;
  std::string layer;
  std::string logits;
  std::vector<std::string> inputs;
  std::string out;
  bool in_place = false;
  std::string device = "auto";
  std::string dtype;
  std::string variant;
};

// `FILE.npy:axis,axis,...`, read.
struct named_file {
  std::vector<std::string> axes;
  npy_array array;

  // The names of its axes are those in `axes`.
  [[nodiscard]] any_view view() const {
    const std::vector<std::string_view> names(axes.begin(), axes.end());
    return array.view(names);
  }
};

// `option` is what the argument stands for, in messages: "--logits", "--input token_positions".
named_file read_named_file(const std::string& option, const std::string& argument, std::optional<dtype> as) {
  const std::size_t colon = argument.rfind(':');  // the last: a file's name may have others
  if (colon == std::string::npos || colon == 0) {
    throw error("usage", option, "\"" + argument + "\" is not FILE.npy:axis,axis,...",
                "name each axis of the file's array after a colon, in the file's order");
  }
  named_file result;
  std::string_view rest = std::string_view(argument).substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    result.axes.emplace_back(rest.substr(0, comma));
    // A comma at the end leaves an empty name.
    if (comma == rest.size() - 1) result.axes.emplace_back();
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  if (std::find(result.axes.begin(), result.axes.end(), "") != result.axes.end()) {
    throw error("usage", option, "the name of an axis is empty in \"" + argument + "\"",
                "put one comma between two names");
  }

  result.array = read_npy(argument.substr(0, colon), as);
  const std::size_t rank = result.array.sizes.size();
  if (rank != result.axes.size()) {
    const std::vector<std::string_view> names(result.axes.begin(), result.axes.end());
    throw error("axis-count", option,
                "the array has the shape " + shape_text(result.array.sizes) + ", and " +
                    std::to_string(result.axes.size()) + (result.axes.size() == 1 ? " axis is" : " axes are") +
                    " named: " + quoted_list(names).str(),
                "name each axis of the file's array, in the file's order");
  }
  return result;
}

// The name of a composed layer's type is "all(A, B)", "any(A, B)" or "not(A)".
bool is_composed(const Layer& layer) { return layer.type().name.find('(') != std::string_view::npos; }

// The key of the spec that says what the layer's mask is.
std::string mask_key(const Layer& layer) {
  return is_composed(layer) ? std::string(layer.type().name.substr(0, layer.type().name.find('('))) : "type";
}

// Where a mistake is, for who typed the command. The runtime speaks of the arguments of its calls; here they are
// options, and a layer's attributes are places in the spec.
std::string place_in_command(const std::string& where, const Model& model, const Layer& layer,
                             std::span<const side_input> inputs) {
  if (where == "logits" || where == "out") return "--" + where;
  for (const side_input& input : inputs) {
    if (where == input.name) return "--input " + where;
  }
  const std::string pointer = "/layers/" + std::to_string(&layer - model.layers().data());
  std::string mask = pointer + "/" + mask_key(layer);
  if (where == layer.type().name) return mask;
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    const attribute_record& attribute = layer.type().attributes[index];
    if (is_side_input(attribute.part) && where == layer.values().attributes[index].name) return "--input " + where;
    if (where != attribute.name) continue;
    // Several parts of a composed layer may have an attribute of that name.
    return is_composed(layer) && attribute.part != role::masked_value ? mask + ": " + where : pointer + "/" + where;
  }
  return where;
}

// Calls a function of the runtime whose errors have an argument's name as their place, which here is an option.
template <class Call>
decltype(auto) with_place(const std::string& argument, const std::string& option, Call call) {
  try {
    return call();
  } catch (const error& problem) {
    throw error(problem.id(), problem.where() == argument ? option : problem.where(), problem.what_is_wrong(),
                problem.cure());
  }
}

// The side inputs that `--input NAME=FILE.npy:axis,...` names, and their memory.
struct named_inputs {
  explicit named_inputs(const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
      const std::size_t equals = argument.find('=');
      if (equals == std::string::npos || equals == 0) {
        throw error("usage", "--input", "\"" + argument + "\" is not NAME=FILE.npy:axis,...",
                    "give the side input's name, as the layer has it, before the file");
      }
      const std::string_view name = std::string_view(argument).substr(0, equals);
      files.push_back(read_named_file("--input " + std::string(name), argument.substr(equals + 1), std::nullopt));
      inputs.push_back({name, {}});
    }
    for (std::size_t index = 0; index < inputs.size(); ++index) inputs[index].array = files[index].view();
  }

  std::vector<named_file> files;
  std::vector<side_input> inputs;
};

void run_apply(const apply_options& options) {
  if (options.device != "cpu" && options.device != "auto") {
    throw error("device-unknown", "--device", "there is no device \"" + options.device + "\"; there is \"cpu\"",
                "give cpu, or auto for the best that there is");
  }
  if (!options.dtype.empty() && options.dtype != "bfloat16") {
    throw error("usage", "--dtype", "it is \"" + options.dtype + "\", and a file says all dtypes but bfloat16 itself",
                "give bfloat16, or leave it out");
  }
  with_place("variant", "--variant", [&] { force_variant(options.variant); });
  const Model model = Model::load(options.spec);
  const Layer& layer = with_place("layer", "--layer", [&]() -> const Layer& { return model.layer(options.layer); });

  const auto as = options.dtype.empty() ? std::nullopt : std::optional(dtype::bfloat16);
  const named_file logits = read_named_file("--logits", options.logits, as);
  const named_inputs given(options.inputs);
  const std::vector<side_input>& inputs = given.inputs;

  const any_view logits_view = logits.view();
  const auto elements = static_cast<std::size_t>(logits_view.element_count());
  std::unique_ptr<std::byte[]> out_memory;
  any_view out_view = logits_view;
  if (!options.in_place) {
    out_memory = std::make_unique_for_overwrite<std::byte[]>(elements *
                                                             static_cast<std::size_t>(facts(logits_view.type()).bytes));
    out_view = any_view(out_memory.get(), logits_view.type(), logits_view.axes());
  }

  const auto start = std::chrono::steady_clock::now();
  try {
    if (options.in_place) {
      layer.apply_in_place(logits_view, inputs);
    } else {
      layer.apply(logits_view, out_view, inputs);
    }
  } catch (const error& problem) {
    throw error(problem.id(), place_in_command(problem.where(), model, layer, inputs), problem.what_is_wrong(),
                problem.cure());
  }
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;

  write_npy(options.out, logits_view.type(), logits.array.sizes, logits.array.strides, out_view.data());

  std::array<char, 32> milliseconds;
  std::snprintf(milliseconds.data(), milliseconds.size(), "%.3f", time.count());
  std::cout << on_one_line(layer.name() + ": " + std::string(layer.type().name) + ", " + layer.formula() + ", by " +
                           std::string(chosen_variant(*find_linked_layer(layer.type().name))) +
                           (options.in_place ? ", in place" : "") + ": " + std::to_string(elements) + " elements in " +
                           milliseconds.data() + " ms, written to " + options.out)
            << '\n'
            << std::flush;
}

// ------------------------------------------------------------------------------------------------------------ plan

struct plan_options {
  std::string spec;
  std::string layer;
  std::vector<std::string> inputs;
  std::int64_t tile = 128;
  bool as_json = false;
};

json plan_json(const tile_plan& plan) {
  json sizes = json::object();
  for (std::size_t axis = 0; axis < plan.plane_axes.size(); ++axis)
    sizes[plan.plane_axes[axis]] = plan.plane_sizes[axis];
  const auto list = [](const tile_plan::tile_list& tiles) {
    return json{{"starts", tiles.starts}, {"tiles", tiles.tiles}};
  };
  return {{"tile", {{"queries", plan.tile.queries}, {"keys", plan.tile.keys}}},
          {"queries", plan.queries},
          {"keys", plan.keys},
          {"plane_axes", sizes},
          {"planes", plan.planes},
          {"rows_per_plane", plan.rows_per_plane},
          {"columns", plan.columns},
          {"all", list(plan.full)},
          {"some", list(plan.partial)},
          {"none", plan.masked_count()}};
}

// One plane as a map, each sign for a square of as many tiles as make it fit.
void print_plane(const tile_plan& plan, std::int64_t plane) {
  constexpr std::int64_t widest = 64;
  const std::int64_t step = (std::max(plan.columns, plan.rows_per_plane) + widest - 1) / widest;
  for (std::int64_t first_row = 0; first_row < plan.rows_per_plane; first_row += step) {
    std::string line;
    for (std::int64_t first_column = 0; first_column < plan.columns; first_column += step) {
      bool any = false;
      bool every = true;
      for (std::int64_t row = first_row; row < std::min(first_row + step, plan.rows_per_plane); ++row) {
        for (std::int64_t column = first_column; column < std::min(first_column + step, plan.columns); ++column) {
          const verdict one = plan.at(plane, row, column);
          any = any || one != verdict::none;
          every = every && one == verdict::all;
        }
      }
      line += every ? '#' : any ? '/' : '.';
    }
    std::cout << line << '\n';
  }
  if (step > 1) std::cout << "(each sign is " << step << " x " << step << " tiles)\n";
}

void run_plan(const plan_options& options) {
  const Model model = Model::load(options.spec);
  const Layer& layer = with_place("layer", "--layer", [&]() -> const Layer& { return model.layer(options.layer); });
  const named_inputs given(options.inputs);
  const tile_plan found = [&] {
    try {
      return plan(layer.values(), given.inputs, {options.tile, options.tile});
    } catch (const error& problem) {
      const bool of_tile = problem.where() == "tile";
      throw error(problem.id(), of_tile ? "--tile" : place_in_command(problem.where(), model, layer, given.inputs),
                  problem.what_is_wrong(), problem.cure());
    }
  }();
  if (options.as_json) {
    print_json(plan_json(found));
    return;
  }
  const std::int64_t full = static_cast<std::int64_t>(found.full.tiles.size());
  const std::int64_t partial = static_cast<std::int64_t>(found.partial.tiles.size());
  std::cout << on_one_line(layer.name() + ": " + layer.formula()) << '\n'
            << found.queries << " queries x " << found.keys << " keys in tiles of " << found.tile.queries << " x "
            << found.tile.keys << ": " << full << " all (#), " << partial << " some (/), " << found.masked_count()
            << " none (.)\n";
  constexpr std::int64_t most_planes = 4;
  for (std::int64_t plane = 0; plane < std::min(found.planes, most_planes); ++plane) {
    if (found.planes > 1) {
      std::int64_t rest = plane;
      std::string place;
      for (std::size_t axis = found.plane_axes.size(); axis-- > 0;) {
        place = found.plane_axes[axis] + " " + std::to_string(rest % found.plane_sizes[axis]) +
                (place.empty() ? "" : ", ") + place;
        rest /= found.plane_sizes[axis];
      }
      std::cout << '\n' << on_one_line(place) << '\n';
    }
    print_plane(found, plane);
  }
  if (found.planes > most_planes) std::cout << "and " << found.planes - most_planes << " planes more\n";
}

// --------------------------------------------------------------------------------------------------------- inspect

json masked_value_json(const masked_value& value) {
  switch (value.what()) {
    case masked_value::kind::lowest:
      return "lowest";
    case masked_value::kind::minus_infinity:
      return "-inf";
    case masked_value::kind::number:
      break;
  }
  return value.number();
}

// The numbers of a parameter that lies along one axis, as specs give it.
std::span<const std::int64_t> numbers_of(const any_view& view) {
  return {static_cast<const std::int64_t*>(view.data()), static_cast<std::size_t>(view.element_count())};
}

// An attribute as it stands in a spec.
json attribute_json(const Layer& layer, std::size_t index) {
  const attribute_value& value = layer.values().attributes[index];
  switch (layer.type().attributes[index].part) {
    case role::masked_value:
      return masked_value_json(layer.values().masked_out_value);
    case role::parameter:
      if (value.numbers == nullptr) return value.number;
      return {{"axis", value.numbers->axes().front().name}, {"values", numbers_of(*value.numbers)}};
    default:
      return value.name;
  }
}

// One mask of a composed layer as it stands in a spec. `name` is what is left of the name of the layer's type, such as
// "any(A, not(B)))", and `next` the first attribute that is left; both lose what the mask takes.
json part_json(const Layer& layer, std::string_view& name, std::size_t& next) {
  const std::string word(name.substr(0, name.find_first_of("(,)")));
  name.remove_prefix(word.size());
  json mask;
  if (!name.starts_with('(')) {
    mask["type"] = word;
    // The loader takes parts only whose types are linked.
    for (const attribute_record& attribute : find_linked_layer(word)->type->attributes) {
      if (attribute.part != role::masked_value) mask[std::string(attribute.name)] = attribute_json(layer, next++);
    }
    return mask;
  }
  json parts = json::array();
  while (!name.starts_with(')')) {
    name.remove_prefix(name.starts_with('(') ? 1 : 2);  // "(" or ", "
    parts.push_back(part_json(layer, name, next));
  }
  name.remove_prefix(1);
  mask[word] = word == "not" ? parts.front() : parts;
  return mask;
}

// All attributes of a layer as they stand in a spec.
json attributes_json(const Layer& layer) {
  if (is_composed(layer)) {
    std::string_view name = layer.type().name;
    std::size_t next = 1;  // after the masked value
    json attributes = part_json(layer, name, next);
    attributes["masked_out_value"] = masked_value_json(layer.values().masked_out_value);
    return attributes;
  }
  json attributes = json::object();
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    attributes[std::string(layer.type().attributes[index].name)] = attribute_json(layer, index);
  }
  return attributes;
}

// The window's attribute (of a composed layer, the first), or the number of attributes when the layer has none.
std::size_t window_index(const Layer& layer) {
  const auto& attributes = layer.type().attributes;
  const auto found = std::find_if(attributes.begin(), attributes.end(), [](const attribute_record& attribute) {
    return attribute.name == "sliding_window_size";
  });
  return static_cast<std::size_t>(found - attributes.begin());
}

// `512`, or `512, 1024, ... by heads`.
std::string window_text(const Layer& layer) {
  const std::size_t index = window_index(layer);
  if (index == layer.type().attributes.size()) return "-";
  const attribute_value& value = layer.values().attributes[index];
  if (value.numbers == nullptr) return std::to_string(value.number);
  constexpr std::size_t shown = 4;
  std::vector<std::string> parts;
  for (const std::int64_t number : numbers_of(*value.numbers)) {
    parts.push_back(parts.size() < shown ? std::to_string(number) : "...");
    if (parts.size() > shown) break;
  }
  return joined(parts, ", ") + " by " + std::string(value.numbers->axes().front().name);
}

std::string masked_value_text(const Layer& layer) {
  const masked_value& value = layer.values().masked_out_value;
  switch (value.what()) {
    case masked_value::kind::lowest:
      return "lowest";
    case masked_value::kind::minus_infinity:
      return "-inf";
    case masked_value::kind::number:
      break;
  }
  return number_text(value.number());
}

// The variant of the layer's kernels that would run, or nothing.
std::string_view variant_of(const Layer& layer) {
  const linked_layer* linked = find_linked_layer(layer.type().name);
  return linked == nullptr ? std::string_view() : chosen_variant(*linked);
}

void run_inspect(const std::string& spec, bool as_json) {
  const Model model = Model::load(spec);
  if (!as_json) {
    std::vector<row> rows{{"LAYER", "TYPE", "KEEPS", "WINDOW", "MASKED VALUE", "KERNEL"}};
    for (const Layer& layer : model.layers()) {
      const std::string variant(variant_of(layer));
      rows.push_back({layer.name(), std::string(layer.type().name), layer.formula(), window_text(layer),
                      masked_value_text(layer), variant.empty() ? "none" : variant});
    }
    print_table(rows);
    finish_output();
    return;
  }
  json layers = json::array();
  for (const Layer& layer : model.layers()) {
    const std::string_view variant = variant_of(layer);
    json one;
    one["layer"] = layer.name();
    one["type"] = layer.type().name;
    one["formula"] = layer.formula();
    one["sliding_window_size"] =
        window_index(layer) == layer.type().attributes.size() ? json() : attribute_json(layer, window_index(layer));
    one["masked_out_value"] = masked_value_json(layer.values().masked_out_value);
    one["kernel"] = variant.empty() ? json() : json(variant);
    one["attributes"] = attributes_json(layer);
    layers.push_back(one);
  }
  print_json(layers);
  finish_output();
}

// --------------------------------------------------------------------------------------------------------- kernels

// The features of processors, by the names that targets have; other features ask nothing of a processor.
struct feature_name {
  std::string_view name;
  int number;
};
constexpr std::array<feature_name, 24> processor_features{{
    {"sse41", halide_target_feature_sse41},
    {"avx", halide_target_feature_avx},
    {"f16c", halide_target_feature_f16c},
    {"fma", halide_target_feature_fma},
    {"avx2", halide_target_feature_avx2},
    {"avxvnni", halide_target_feature_avxvnni},
    {"avx512", halide_target_feature_avx512},
    {"avx512_knl", halide_target_feature_avx512_knl},
    {"avx512_skylake", halide_target_feature_avx512_skylake},
    {"avx512_cannonlake", halide_target_feature_avx512_cannonlake},
    {"avx512_zen4", halide_target_feature_avx512_zen4},
    {"avx512_zen5", halide_target_feature_avx512_zen5},
    {"avx512_sapphirerapids", halide_target_feature_avx512_sapphirerapids},
    {"avx10_1", halide_target_feature_avx10_1},
    {"armv8a", halide_target_feature_armv8a},
    {"armv81a", halide_target_feature_armv81a},
    {"armv82a", halide_target_feature_armv82a},
    {"armv83a", halide_target_feature_armv83a},
    {"armv84a", halide_target_feature_armv84a},
    {"arm_dot_prod", halide_target_feature_arm_dot_prod},
    {"arm_fp16", halide_target_feature_arm_fp16},
    {"sve", halide_target_feature_sve},
    {"sve2", halide_target_feature_sve2},
    {"rvv", halide_target_feature_rvv},
}};

bool needs(const kernel& kernel, const feature_name& feature) {
  const auto number = static_cast<std::size_t>(feature.number);
  return (kernel.features[number / 64] >> (number % 64) & 1) != 0;
}

// Does this processor have the feature? As a kernel that needs nothing else would be told.
bool is_there(const kernel& like, const feature_name& feature) {
  const auto number = static_cast<std::size_t>(feature.number);
  kernel probe = like;
  probe.features = {};
  probe.features[number / 64] = std::uint64_t{1} << (number % 64);
  return is_usable(probe);
}

// All kernels of a layer for one target.
struct variant_row {
  const kernel* first;
  std::vector<int> element_bytes;
  std::vector<int> position_bytes;
};

void add_once(std::vector<int>& list, int number) {
  if (std::find(list.begin(), list.end(), number) == list.end()) list.push_back(number);
}

std::vector<variant_row> variants_of(const linked_layer& layer) {
  std::vector<variant_row> rows;
  for (const kernel& kernel : layer.kernels) {
    auto found = std::find_if(rows.begin(), rows.end(),
                              [&](const variant_row& one) { return one.first->variant == kernel.variant; });
    if (found == rows.end()) found = rows.insert(rows.end(), {&kernel, {}, {}});
    add_once(found->element_bytes, kernel.element_bytes);
    add_once(found->position_bytes, kernel.position_bytes);
  }
  return rows;
}

std::vector<std::string> missing_features(const kernel& kernel) {
  std::vector<std::string> missing;
  for (const feature_name& feature : processor_features) {
    if (needs(kernel, feature) && !is_there(kernel, feature)) missing.emplace_back(feature.name);
  }
  return missing;
}

std::string widths_text(const std::vector<int>& widths) {
  std::vector<std::string> parts;
  for (const int width : widths) parts.push_back(std::to_string(width));
  return joined(parts, ",");
}

// What the kernels ask of this machine: the variants that it runs, and the processor features that it has and lacks.
struct machine_report {
  std::vector<std::string> variants;
  std::vector<std::string> features;
  std::vector<std::string> missing;
};

machine_report report_machine() {
  machine_report report;
  const auto add = [](std::vector<std::string>& list, std::string_view name) {
    if (std::find(list.begin(), list.end(), name) == list.end()) list.emplace_back(name);
  };
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (const kernel& kernel : layer.kernels) {
        if (is_usable(kernel)) add(report.variants, kernel.variant);
        for (const feature_name& feature : processor_features) {
          if (needs(kernel, feature)) add(is_there(kernel, feature) ? report.features : report.missing, feature.name);
        }
      }
    }
  }
  return report;
}

void print_kernels() {
  const machine_report machine = report_machine();
  const auto list = [](const std::vector<std::string>& names) {
    return names.empty() ? std::string("none") : joined(names, ", ");
  };
  std::cout << "This machine runs the variants: " << list(machine.variants) << '\n'
            << "Of the processor features that the kernels need it has: " << list(machine.features)
            << "; it lacks: " << list(machine.missing) << "\n\n";
  std::vector<row> rows{
      {"LIBRARY", "LAYER", "VARIANT", "TARGET", "ELEMENT BYTES", "POSITION BYTES", "USABLE", "CHOSEN"}};
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (const variant_row& one : variants_of(layer)) {
        const std::vector<std::string> missing = missing_features(*one.first);
        std::string usable = "yes";
        if (!is_usable(*one.first)) usable = missing.empty() ? "no" : "no: lacks " + joined(missing, ", ");
        rows.push_back({std::string(library->name), std::string(layer.type->name), std::string(one.first->variant),
                        std::string(one.first->target), widths_text(one.element_bytes), widths_text(one.position_bytes),
                        usable, chosen_variant(layer) == one.first->variant ? "chosen" : "-"});
      }
    }
  }
  print_table(rows);
}

void print_kernels_json() {
  const machine_report machine = report_machine();
  json result;
  result["machine"] = {
      {"variants", machine.variants}, {"features", machine.features}, {"missing_features", machine.missing}};
  result["libraries"] = json::array();
  for (const layer_library* library : linked_libraries()) {
    json layers = json::array();
    for (const linked_layer& layer : library->layers) {
      const std::string_view chosen = chosen_variant(layer);
      json kernels = json::array();
      for (const variant_row& one : variants_of(layer)) {
        kernels.push_back({{"variant", one.first->variant},
                           {"target", one.first->target},
                           {"element_bytes", one.element_bytes},
                           {"position_bytes", one.position_bytes},
                           {"usable", is_usable(*one.first)},
                           {"missing_features", missing_features(*one.first)},
                           {"chosen", one.first->variant == chosen}});
      }
      layers.push_back(
          {{"type", layer.type->name}, {"chosen", chosen.empty() ? json() : json(chosen)}, {"kernels", kernels}});
    }
    result["libraries"].push_back({{"name", library->name}, {"layers", layers}});
  }
  print_json(result);
}

// ------------------------------------------------------------------------------------------------------- Arguments

// What CLI11 found wrong, as one of our errors.
error usage_error(const CLI::App& app, const CLI::ParseError& problem) {
  const auto commands = app.get_subcommands();
  const CLI::App& command = commands.empty() ? app : *commands.front();

  // An argument that nobody knows is the cause of most other complaints, so it goes first.
  if (const std::vector<std::string> unknown = app.remaining(true); !unknown.empty()) {
    const std::string name = unknown.front().substr(0, unknown.front().find('='));
    std::vector<std::string_view> names;
    if (name.starts_with("-")) {
      for (const CLI::Option* option : command.get_options()) {
        // A positional's name is not written.
        if (!option->get_positional()) names.emplace_back(option->get_lnames().front());
      }
      const std::string hint = did_you_mean(name.substr(std::min<std::size_t>(2, name.size())), names).str();
      const std::size_t quote = hint.find('"');
      return {
          "usage", name,
          "there is no such option" + (hint.empty() ? "" : hint.substr(0, quote + 1) + "--" + hint.substr(quote + 1)),
          see_help};
    }
    if (!commands.empty()) return {"usage", name, "it is one argument too many", see_help};
    const auto known = app.get_subcommands([](const CLI::App*) { return true; });
    std::vector<std::string> texts;
    for (const CLI::App* one : known) texts.push_back(one->get_name());
    names.assign(texts.begin(), texts.end());
    const std::string hint = did_you_mean(name, names).str();
    return {"usage", name,
            "there is no such command" + (hint.empty() ? "; there are " + quoted_list(names).str() : hint), see_help};
  }

  const std::string text = problem.what();
  if (dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr) {
    return {"usage", text.substr(0, text.find(' ')), "it is missing", see_help};
  }
  const std::size_t colon = text.find(": ");
  if (colon == std::string::npos) return {"usage", command.get_name(), text, see_help};
  const std::string option = text.substr(0, colon);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr) {
    const CLI::Option* given = command.get_option_no_throw(option);
    const bool is_repeated = given != nullptr && given->count() > 1;
    return {"usage", option, is_repeated ? "it is given more than once" : "its value is missing", see_help};
  }
  return {"usage", option, text.substr(colon + 2), see_help};
}

void run(int argc, const char* const* argv) {
  CLI::App app("Attention masks for logits: applies the mask layers of a model spec to arrays in .npy files.",
               "axismask");
  app.require_subcommand(0, 1);  // none at all has a message of its own
  app.set_version_flag("--version", "axismask " AXISMASK_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(
      "Exit status: 0, or 2 with one line on stderr: axismask: error[ID] WHERE: what is wrong; the cure.\n"
      "`axismask COMMAND --help` has more about a command, with an example.\n"
      "Example:\n"
      "  axismask inspect model.json");

  apply_options apply;
  CLI::App* apply_command = app.add_subcommand("apply", "Mask an array of logits with one layer of a model spec");
  apply_command->add_option("SPEC", apply.spec, "The model spec, a JSON file")->required()->type_name("");
  apply_command->add_option("--layer", apply.layer, "The layer's name in the spec")->required()->type_name("NAME");
  apply_command->add_option("--logits", apply.logits, "The logits and the names of their axes, in the file's order")
      ->required()
      ->type_name("FILE.npy:AXIS,...");
  apply_command->add_option("--input", apply.inputs, "A side input and the names of its axes; once for each side input")
      ->type_name("NAME=FILE.npy:AXIS,...")
      ->allow_extra_args(false);
  apply_command->add_option("--out", apply.out, "The file for the result; written whole, or not at all")
      ->required()
      ->type_name("FILE.npy");
  apply_command->add_flag("--in-place", apply.in_place, "Mask in the memory of the logits, not into another array");
  apply_command->add_option("--device", apply.device, "Where to compute: cpu, or auto (the default)")
      ->type_name("NAME");
  apply_command->add_option("--dtype", apply.dtype, "bfloat16: the logits' 2-byte elements are bfloat16")
      ->type_name("NAME");
  apply_command->add_option("--variant", apply.variant, "The kernel variant to use; `axismask kernels` lists them")
      ->type_name("NAME");
  apply_command->footer(
      "Example:\n"
      "  axismask apply model.json --layer layers.0 --logits logits.npy:heads,seq,kv_seq \\\n"
      "    --input token_positions=positions.npy:seq --out masked.npy\n"
      "The result has the logits' dtype and order. The logits are float16, bfloat16, float32 or float64, positions\n"
      "int32 or int64, masks bool.");

  std::string inspect_spec;
  bool inspect_json = false;
  CLI::App* inspect_command = app.add_subcommand("inspect", "List the layers of a model spec");
  inspect_command->add_option("SPEC", inspect_spec, "The model spec, a JSON file")->required()->type_name("");
  inspect_command->add_flag("--json", inspect_json, "Print JSON");
  inspect_command->footer(
      "One row a layer: what it keeps (q and k are the positions of query and key), and the kernel that would run.\n"
      "Example:\n"
      "  axismask inspect model.json");

  plan_options plan;
  CLI::App* plan_command =
      app.add_subcommand("plan", "Show which tiles of the logits a layer keeps whole, in part or not");
  plan_command->add_option("SPEC", plan.spec, "The model spec, a JSON file")->required()->type_name("");
  plan_command->add_option("--layer", plan.layer, "The layer's name in the spec")->required()->type_name("NAME");
  plan_command->add_option("--input", plan.inputs, "A side input and the names of its axes; once for each side input")
      ->type_name("NAME=FILE.npy:AXIS,...")
      ->allow_extra_args(false);
  plan_command->add_option("--tile", plan.tile, "Queries and keys of a tile; 128 unless given")->type_name("N");
  plan_command->add_flag("--json", plan.as_json, "Print JSON: the tiles of each row, as lists");
  plan_command->footer(
      "Tiles that are kept whole need no mask, and those that are masked whole need no attention.\n"
      "Example:\n"
      "  axismask plan model.json --layer layers.0 --input token_positions=positions.npy:batch,seq --tile 64");

  bool kernels_json = false;
  CLI::App* kernels_command = app.add_subcommand("kernels", "List the kernels in this program, and which run here");
  kernels_command->add_flag("--json", kernels_json, "Print JSON");
  kernels_command->footer(
      "Example:\n"
      "  axismask kernels");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help or --version
    app.exit(wanted);
    finish_output();
    return;
  } catch (const CLI::ParseError& problem) {
    throw usage_error(app, problem);
  }

  if (apply_command->parsed()) {
    run_apply(apply);
  } else if (plan_command->parsed()) {
    run_plan(plan);
    finish_output();
  } else if (inspect_command->parsed()) {
    run_inspect(inspect_spec, inspect_json);
  } else if (kernels_command->parsed()) {
    kernels_json ? print_kernels_json() : print_kernels();
    finish_output();
  } else {
    throw error("usage", "axismask", "a command is missing: apply, inspect, plan or kernels", see_help);
  }
}

}  // namespace

int command_line(int argc, const char* const* argv) {
  // A limit on file sizes is then an error of the write, like a full disk, and not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  std::string message;
  try {
    run(argc, argv);
    return 0;
  } catch (const error& problem) {
    message = problem.what();
  } catch (const std::bad_alloc&) {
    message =
        "axismask: error[memory] axismask: the arrays need more memory than there is; use --in-place, or give "
        "smaller arrays";
  } catch (const std::exception& problem) {
    message = error("internal", "axismask", problem.what(), "report this: it is a mistake in axismask").what();
  }
  std::fputs((on_one_line(message) + "\n").c_str(), stderr);
  return 2;
}

}  // namespace axismask
