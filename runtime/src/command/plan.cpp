// `axismask plan`: shows which tiles of the logits a layer keeps whole, in part or not at all, or writes its mask as
// the kernels of others take it.
#include "axismask/plan.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "arrays/whole_parts.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "command/arguments.hpp"
#include "command/made_inputs.hpp"
#include "command/plan/form_file.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"

namespace axismask::command {
namespace {

struct plan_options {
  std::string spec;
  std::string layer;
  wanted_sizes sizes;
  std::vector<std::string> inputs;
  std::string tile;
  form_arguments form;
  bool as_json = false;
};

// "64", for both, or "256,128".
tile_size tile_of(const std::string& text) {
  const auto number = [](std::string_view digits) {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure == std::errc() && end == digits.data() + digits.size()) return value;
    throw error("usage", "--tile", "it is \"" + std::string(digits) + "\", which is no whole number",
                "give one for queries and keys, as in 64, or one for each, as in 256,128");
  };
  if (text.empty()) return {};
  const std::size_t comma = text.find(',');
  const std::string_view keys = comma == std::string::npos ? text : std::string_view(text).substr(comma + 1);
  return {number(std::string_view(text).substr(0, comma)), number(keys)};
}

json plan_json(const tile_plan& plan) {
  json sizes = json::object();
  for (std::size_t axis = 0; axis < plan.plane_axes.size(); ++axis)
    sizes[plan.plane_axes[axis]] = plan.plane_sizes[axis];
  const auto list = [&plan](verdict kept) {
    tile_plan::list tiles = plan.list_of(kept);
    return json{{"starts", std::move(tiles.starts)}, {"tiles", std::move(tiles.tiles)}};
  };
  return {{"tile", {{"queries", plan.tile.queries}, {"keys", plan.tile.keys}}},
          {"queries", plan.queries},
          {"keys", plan.keys},
          {"plane_axes", sizes},
          {"planes", plan.planes},
          {"rows_per_plane", plan.rows_per_plane},
          {"columns", plan.columns},
          {"all", list(verdict::all)},
          {"some", list(verdict::some)},
          {"none", plan.count(verdict::none)}};
}

// One plane as a map, each sign for a square of as many tiles as make it fit.
void print_plane(const tile_plan& plan, std::int64_t plane) {
  constexpr std::int64_t widest = 64;
  const std::int64_t step = parts_of(std::max(plan.columns, plan.rows_per_plane), widest);
  for (std::int64_t first_row = 0; first_row < plan.rows_per_plane; first_row += step) {
    std::string line;
    for (std::int64_t first_column = 0; first_column < plan.columns; first_column += step) {
      bool any = false;
      bool every = true;
      for (std::int64_t row = first_row; row < std::min(first_row + step, plan.rows_per_plane); ++row) {
        for (std::int64_t column = first_column; column < std::min(first_column + step, plan.columns); ++column) {
          const verdict kept = plan.at(plane, row, column);
          any = any || kept != verdict::none;
          every = every && kept == verdict::all;
        }
      }
      line += every ? '#' : any ? '/' : '.';
    }
    std::cout << line << '\n';
  }
  if (step > 1) std::cout << "(each sign is " << step << " x " << step << " tiles)\n";
}

void print_plan(const any_layer& layer, const tile_plan& found) {
  std::cout << on_one_line(layer.name() + ": " + layer.formula()) << '\n'
            << found.queries << " queries x " << found.keys << " keys in tiles of " << found.tile.queries << " x "
            << found.tile.keys << ": " << found.count(verdict::all) << " all (#), " << found.count(verdict::some)
            << " some (/), " << found.count(verdict::none) << " none (.)\n";
  constexpr std::int64_t most_planes = 4;
  for (std::int64_t plane = 0; plane < std::min(found.planes, most_planes); ++plane) {
    if (found.planes > 1) {
      std::vector<std::string> indices(found.plane_axes.size());
      split_index(
          plane, indices.size(), [&](std::size_t axis) { return found.plane_sizes[axis]; },
          [&](std::size_t axis, std::int64_t index) {
            indices[axis] = found.plane_axes[axis] + " " + std::to_string(index);
          });
      std::cout << '\n' << on_one_line(joined(indices, ", ")) << '\n';
    }
    print_plane(found, plane);
  }
  if (found.planes > most_planes) std::cout << "and " << found.planes - most_planes << " planes more\n";
}

int run_plan(const plan_options& options) {
  const tile_size tile = tile_of(options.tile);
  options.form.check(!options.tile.empty());
  const Model model = Model::load(options.spec);
  const any_layer& layer = named_layer(model, options.layer, "--layer");
  named_inputs given(options.inputs);
  given.read_masks_of(layer);
  with_places_in_command(layer, given.inputs, [&] {
    const made_inputs made(layer, options.sizes, given.inputs);
    const tile_plan found = plan(made.values, tile, made.inputs);
    made.check_sizes(found.queries, found.keys);
    if (options.form.is_wanted()) {
      write_form_file(options.form, layer, made, tile, options.as_json);
    } else if (options.as_json) {
      print_json(plan_json(found));
    } else {
      print_plan(layer, found);
    }
  });
  finish_output();
  return 0;
}

}  // namespace

subcommand plan_subcommand() {
  const auto options = std::make_shared<plan_options>();
  return {
      "plan",
      "Show which tiles of the logits a layer keeps whole, in part or not",
      {spec_argument(options->spec),
       layer_argument(options->layer),
       {"--seq", &options->sizes.queries, "N", "So many queries, at positions that are made: the last of the keys"},
       {"--kv-seq", &options->sizes.keys, "N", "So many keys, at positions from 0 on; --seq unless given"},
       inputs_argument(options->inputs),
       {"--tile", &options->tile, "Q,K", "Queries and keys of a tile, or one number for both; 128 unless given"},
       {"--form", &options->form.form, "NAME", "Write the mask in another system's own form to --out: " + form_names()},
       {"--out", &options->form.out, "FILE.npz", "The file for the form's arrays; written whole, or not at all"},
       {"--batch", &options->form.batch, "AXIS", "The axis that is the form's batch; batch unless given"},
       {"--heads", &options->form.heads, "AXIS", "The axis that is the form's heads; heads unless given"},
       {"--pages", &options->form.pages, "FILE.npy", "flex-pages: the page in the cache of each page of a sequence"},
       {"--page-count", &options->form.page_count, "N",
        "flex-pages: pages of the cache; those that the table names unless given"},
       json_argument(options->as_json, "Print JSON: the tiles of each row, as lists; of a form, its arrays")},
      "Tiles that are kept whole need no mask, and those that are masked whole need no attention. The arrays of a\n"
      "form have the names of its own arguments: numpy.load(FILE.npz)[NAME]; docs/forms.md says what each holds.\n"
      "Example:\n"
      "  axismask plan model.json --layer layers.0 --seq 4096\n"
      "  axismask plan model.json --layer layers.0 --input token_positions=positions.npy:batch,seq --tile 64\n"
      "  axismask plan model.json --layer layers.0 --seq 4096 --form flex --out plan.npz",
      [options] { return run_plan(*options); }};
}

}  // namespace axismask::command
