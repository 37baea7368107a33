// `axismask show`: masks as pictures, in the terminal or in a file.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays/bind_arrays.hpp"
#include "axismask/layer_structure.hpp"
#include "axismask/messages/text.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "files/new_file.hpp"
#include "picture/mask_map.hpp"
#include "picture/mask_picture.hpp"
#include "picture/mask_text.hpp"

namespace axismask::command {
namespace {

struct show_options {
  std::string spec;
  std::vector<std::string> layers;
  std::optional<std::int64_t> queries;
  std::optional<std::int64_t> keys;
  std::vector<std::string> inputs;
  std::vector<std::string> at;
  std::string out;
};

constexpr std::size_t most_panels = 64;

// A layer to show, and what stands above it.
struct shown_layer {
  const any_layer* layer;
  std::string title;
};

// What a picture of a layer shows: all of it but the masked value.
struct seen_mask {
  const layer_type* type;
  any_attributes fields;
  empty_row_rule rule;

  friend bool operator==(const seen_mask&, const seen_mask&) = default;
};

seen_mask mask_of(const any_layer& layer) {
  any_attributes fields = attributes_dict(layer);
  std::erase_if(fields, [](const auto& field) { return field.first == "masked_out_value"; });
  return {&layer.type(), std::move(fields), layer.values().empty_rows};
}

// Those that were asked for, or one of each mask that the model has.
std::vector<shown_layer> chosen_layers(const Model& model, const std::vector<std::string>& names) {
  std::vector<shown_layer> result;
  if (!names.empty()) {
    for (const std::string& name : names) {
      const any_layer& layer = named_layer(model, name, "--layer");
      result.push_back({&layer, layer.name()});
    }
    return result;
  }
  std::vector<std::pair<seen_mask, std::int64_t>> masks;  // each with the number of layers that have it
  for (const any_layer& layer : model.layers()) {
    seen_mask mask = mask_of(layer);
    const auto known = std::find_if(masks.begin(), masks.end(), [&](const auto& one) { return one.first == mask; });
    if (known != masks.end()) {
      ++known->second;
      continue;
    }
    masks.emplace_back(std::move(mask), 1);
    result.push_back({&layer, layer.name()});
  }
  for (std::size_t at = 0; at < result.size(); ++at) {
    std::string& title = result[at].title;
    constexpr std::string_view named = "/masks/";
    const std::string& place = result[at].layer->place();
    if (place.starts_with(named)) title = place.substr(named.size()) + ": " + title;
    if (masks[at].second > 1) title += " and " + std::to_string(masks[at].second - 1) + " more";
  }
  return result;
}

// `--at AXIS=INDEX`. An axis that is given several times has that many masks.
struct indices {
  std::string axis;
  std::vector<std::int64_t> wanted;
};
std::vector<indices> read_indices(const std::vector<std::string>& arguments) {
  std::vector<indices> result;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.rfind('=');
    std::int64_t index = 0;
    const char* const end = argument.data() + argument.size();
    if (equals == std::string::npos || equals == 0 || equals + 1 == argument.size() ||
        std::from_chars(argument.data() + equals + 1, end, index).ptr != end) {
      throw error("usage", "--at", "\"" + argument + "\" is not AXIS=INDEX", "give an axis' name and a whole number");
    }
    const std::string axis = argument.substr(0, equals);
    const auto known = std::find_if(result.begin(), result.end(), [&](const indices& one) { return one.axis == axis; });
    if (known == result.end()) {
      result.push_back({axis, {index}});
    } else {
      known->wanted.push_back(index);
    }
  }
  return result;
}

// The side inputs that a layer takes: with several layers, not each takes all.
std::vector<side_input> taken_inputs(const any_layer& layer, std::span<const side_input> given) {
  std::vector<side_input> result;
  for (const side_input& input : given) {
    if (takes_input(layer, input.name)) result.push_back(input);
  }
  return result;
}

bool has_inverse(const layer_type& type) {
  return type.how == composition::inverse ||
         std::ranges::any_of(type.parts, [](const layer_type* part) { return has_inverse(*part); });
}

// How far a query sees, by the attributes that say so.
std::optional<mask_reach> reach_of(const any_layer& layer, const mask_rows& rows) {
  if (has_inverse(layer.type())) return std::nullopt;  // what is masked, then
  if (const auto window = rows.number("sliding_window_size")) {
    const std::int64_t step = rows.number("dilation").value_or(1);
    return mask_reach{"window " + std::to_string(*window), (*window - 1) / step * step + 1, step};
  }
  if (const auto chunk = rows.number("attention_chunk_size")) {
    return mask_reach{"chunk " + std::to_string(*chunk), *chunk, 1};
  }
  const auto left = rows.number("window_left");
  const auto right = rows.number("window_right");
  if (!left || !right) return std::nullopt;
  return mask_reach{std::to_string(*left) + " + 1 + " + std::to_string(*right) + " keys", *left + 1 + *right, 1};
}

// The formula with the numbers that hold at the indices that are shown.
std::string formula_at(const any_layer& layer, const mask_rows& rows) {
  std::string formula = layer.formula();
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    const any_view* numbers = layer.values().attributes[index].numbers;
    const std::string name(layer.type().attributes[index].name);
    const auto number = rows.number(name);
    if (numbers == nullptr || !number) continue;
    const std::string written = name + "[" + std::string(numbers->axes()[0].name) + "]";
    for (std::size_t at; (at = formula.find(written)) != std::string::npos;) {
      formula.replace(at, written.size(), std::to_string(*number));
    }
  }
  return formula;
}

// One mask for each combination of indices along the axes that this layer's mask has.
void add_panels(const shown_layer& shown, std::span<const side_input> inputs, const show_options& options,
                const std::vector<indices>& at, std::vector<mask_panel>& panels) {
  const any_layer& layer = *shown.layer;
  const auto read = [&](const mask_choice& choice) {
    return with_places_in_command(layer, inputs,
                                  [&] { return std::make_unique<mask_rows>(layer.values(), inputs, choice); });
  };
  std::vector<mask_choice> choices{{options.queries, options.keys, {}}};
  const auto axes = read(choices[0]);
  for (const indices& one : at) {
    if (std::ranges::none_of(axes->further_axes(), [&](const auto& axis) { return axis.name == one.axis; })) continue;
    std::vector<mask_choice> more;
    for (const mask_choice& choice : choices) {
      for (const std::int64_t index : one.wanted) {
        more.push_back(choice);
        more.back().at.emplace_back(one.axis, index);
      }
    }
    choices = std::move(more);
  }
  for (const mask_choice& choice : choices) {
    mask_panel panel{shown.title, {}, {}, read(choice)};
    for (const mask_rows::further_axis& axis : panel.rows->further_axes()) {
      if (axis.size > 1) panel.title += ", " + axis.name + " " + std::to_string(axis.index);
    }
    panel.title = on_one_line(panel.title);
    panel.formula = on_one_line(formula_at(layer, *panel.rows));
    panel.reach = reach_of(layer, *panel.rows);
    panels.push_back(std::move(panel));
    if (panels.size() > most_panels) {
      throw error("usage", "--layer", "there are more than " + std::to_string(most_panels) + " masks to show",
                  "name some layers, and fewer indices with --at");
    }
  }
}

std::vector<mask_panel> read_panels(const std::vector<shown_layer>& layers, const named_inputs& given,
                                    const show_options& options) {
  const std::vector<indices> at = read_indices(options.at);
  // What no layer takes is a mistake, in the words of the first.
  const any_layer& first = *layers.front().layer;
  for (const side_input& input : given.inputs) {
    if (std::ranges::none_of(layers, [&](const shown_layer& one) { return takes_input(*one.layer, input.name); }))
      with_places_in_command(first, given.inputs, [&] { check_side_inputs(first.values(), {&input, 1}); });
  }
  std::vector<mask_panel> panels;
  for (const shown_layer& shown : layers)
    add_panels(shown, taken_inputs(*shown.layer, given.inputs), options, at, panels);
  for (const indices& one : at) {
    const auto has_axis = [&](const mask_panel& panel) {
      return std::ranges::any_of(panel.rows->further_axes(), [&](const auto& axis) { return axis.name == one.axis; });
    };
    if (std::ranges::any_of(panels, has_axis)) continue;
    const auto inputs = taken_inputs(first, given.inputs);
    with_places_in_command(first, inputs, [&] {
      (void)mask_rows(first.values(), inputs, {options.queries, options.keys, {{one.axis, one.wanted[0]}}});
    });
  }
  return panels;
}

// The terminal that stdout is; else one of 80 columns. COLUMNS says otherwise. Blocks are of UTF-8.
text_screen screen() {
  text_screen result;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) result.columns = size.ws_col;
  if (const char* columns = std::getenv("COLUMNS")) {
    const std::string_view text(columns);
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure == std::errc() && end == text.data() + text.size() && number > 0) result.columns = number;
  }
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == 0) continue;
    locale = value;
    break;
  }
  std::ranges::transform(locale, locale.begin(),
                         [](char one) { return one >= 'A' && one <= 'Z' ? one + ('a' - 'A') : one; });
  result.has_blocks = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  return result;
}

int run_show(const show_options& options) {
  const std::string kind = std::filesystem::path(options.out).extension().string();
  if (!options.out.empty() && kind != ".png" && kind != ".svg") {
    throw error("usage", "--out", "\"" + options.out + "\" is neither a .png nor a .svg file",
                "give a name that ends in .png or .svg");
  }
  const Model model = Model::load(options.spec);
  const std::vector<shown_layer> layers = chosen_layers(model, options.layers);
  named_inputs given(options.inputs);
  for (const shown_layer& shown : layers) given.read_masks_of(*shown.layer);
  const std::vector<mask_panel> panels = read_panels(layers, given, options);
  if (options.out.empty()) {
    std::cout << mask_text(panels, screen());
    finish_output();
    return 0;
  }
  new_file output(options.out, "picture-write");
  const picture drawn = mask_picture(on_one_line(model.name()), panels);
  const std::string file = kind == ".png" ? drawn.png() : drawn.svg();
  output.write(file.data(), file.size());
  output.finish();
  std::cout << on_one_line(counted(panels.size(), "mask") + ", written to " + options.out) << '\n';
  finish_output();
  return 0;
}

}  // namespace

subcommand show_subcommand() {
  const auto options = std::make_shared<show_options>();
  return {
      "show",
      "Show masks as pictures, in the terminal or in a file",
      {spec_argument(options->spec),
       {"--layer", &options->layers, "NAME", "A layer's name in the spec; once for each. Default: one of each mask"},
       {"--seq", &options->queries, "N", "How many queries"},
       {"--kv-seq", &options->keys, "N", "How many keys, of which the queries are the last; default: as many"},
       inputs_argument(options->inputs),
       {"--at", &options->at, "AXIS=INDEX",
        "Which index to show along a further axis; several of one axis are shown side by side"},
       {"--out", &options->out, "FILE.png|.svg", "The picture's file; written whole, or not at all"}},
      "The masks are read by running the layers. Positions count from 0 unless --input gives them.\n"
      "Example:\n"
      "  axismask show model.json --layer layers.0 --layer layers.5 --seq 4096 --out masks.svg",
      [options] { return run_show(*options); }};
}

}  // namespace axismask::command
