// cuDNN's block mask: a bit for each tile.
#include <string>

#include "forms/form_axes.hpp"
#include "forms/writers.hpp"

namespace axismask {

plan_arrays write_cudnn(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  if (options.tile.queries != 128 || options.tile.keys != 128) {
    throw error("form-tile", "tile",
                "cudnn has tiles of 128 queries and 128 keys, and these have " + std::to_string(options.tile.queries) +
                    " and " + std::to_string(options.tile.keys),
                "leave the tile out");
  }
  const tile_plan plan = exact_plan(layer, options.tile, inputs);
  const form_axes axes("cudnn", options, plan.plane_axes, plan.plane_sizes);
  const std::int64_t bytes = (plan.columns + 7) / 8;
  std::vector<std::uint8_t> bits(elements_of({axes.batch(), axes.heads(), plan.rows_per_plane, bytes}));
  const mask_lines lines = bits_in(bits);
  std::int64_t line = 0;
  for (std::int64_t batch = 0; batch < axes.batch(); ++batch) {
    for (std::int64_t head = 0; head < axes.heads(); ++head) {
      for (std::int64_t row = 0; row < plan.rows_per_plane; ++row, line += 8 * bytes) {
        for (const tile_run& run : plan.row(axes.plane(batch, head), row)) {
          if (run.kept != verdict::none) lines.fill(line + run.begin, run.end - run.begin, true);
        }
      }
    }
  }
  plan_arrays arrays;
  arrays.arrays.push_back({"block_mask", {axes.batch(), axes.heads(), plan.rows_per_plane, bytes}, std::move(bits)});
  return arrays;
}

}  // namespace axismask
