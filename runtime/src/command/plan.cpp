// `axismask plan`: shows which tiles of the logits a layer keeps whole, in part or not at all.
#include "axismask/plan.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "axismask/arrays/index_walk.hpp"
#include "command/arguments.hpp"
#include "command/made_inputs.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"

namespace axismask::command {
namespace {

struct plan_options {
  std::string spec;
  std::string layer;
  wanted_sizes sizes;
  std::vector<std::string> inputs;
  std::int64_t tile = 128;
  bool as_json = false;
};

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
  const std::int64_t step = (std::max(plan.columns, plan.rows_per_plane) + widest - 1) / widest;
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

tile_plan find_plan(const any_layer& layer, const plan_options& options, const std::vector<side_input>& given) {
  const made_inputs made(layer, options.sizes, given);
  tile_plan found = plan(made.values, {options.tile, options.tile}, made.inputs);
  made.check_sizes(found.queries, found.keys);
  return found;
}

int run_plan(const plan_options& options) {
  const Model model = Model::load(options.spec);
  const any_layer& layer = named_layer(model, options.layer, "--layer");
  named_inputs given(options.inputs);
  given.read_masks_of(layer);
  const tile_plan found =
      with_places_in_command(layer, given.inputs, [&] { return find_plan(layer, options, given.inputs); });
  if (options.as_json) {
    print_json(plan_json(found));
    finish_output();
    return 0;
  }
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
  finish_output();
  return 0;
}

}  // namespace

subcommand plan_subcommand() {
  const auto options = std::make_shared<plan_options>();
  return {"plan",
          "Show which tiles of the logits a layer keeps whole, in part or not",
          {spec_argument(options->spec),
           layer_argument(options->layer),
           {"--seq", &options->sizes.queries, "N", "So many queries, at positions that are made: the last of the keys"},
           {"--kv-seq", &options->sizes.keys, "N", "So many keys, at positions from 0 on; --seq unless given"},
           inputs_argument(options->inputs),
           {"--tile", &options->tile, "N", "Queries and keys of a tile; 128 unless given"},
           json_argument(options->as_json, "Print JSON: the tiles of each row, as lists")},
          "Tiles that are kept whole need no mask, and those that are masked whole need no attention.\n"
          "Example:\n"
          "  axismask plan model.json --layer layers.0 --seq 4096\n"
          "  axismask plan model.json --layer layers.0 --input token_positions=positions.npy:batch,seq --tile 64",
          [options] { return run_plan(*options); }};
}

}  // namespace axismask::command
