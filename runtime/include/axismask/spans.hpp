// What a layer keeps, exactly: for each query the keys that it sees, as ranges; and tile plans of which each verdict is
// a fact. They are what the plans of other engines are made of (forms.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/empty_rows.hpp"
#include "axismask/layer.hpp"
#include "axismask/plan.hpp"

namespace axismask {

// For each query the keys that it sees, as half-open ranges of indices (not positions) along the key axis: ascending,
// and apart from each other. Rows are those of the mask: planes as in a tile_plan, and in each of them the queries.
// Row `plane * queries + query` has the spans starts[row] ... starts[row + 1] - 1.
struct row_spans {
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::string query_axis;
  std::string kv_axis;
  std::vector<std::string> plane_axes;
  std::vector<std::int64_t> plane_sizes;
  std::int64_t planes = 1;
  std::vector<std::int64_t> starts;  // one for each row, and the end
  std::vector<std::int64_t> begins;  // of each span: its first key
  std::vector<std::int64_t> ends;    // and the first after it
};

// Finds them by tiles: of those that are kept whole or not at all nothing is read, and in the others the mask is
// computed by the layer's kernel. The layer's rule for rows that see nothing is carried out. The sizes of the axes are
// those of the side inputs.
//   spans(model.layer("layers.0").values(), {{"token_positions", positions}})
// Throws `error`: those of `plan`, of a call for the side inputs, and empty-row by the layer's rule.
[[nodiscard]] row_spans spans(const layer_values& layer, const side_inputs& inputs, const call_options& options = {});

// Plans as `plan` does, and looks into each tile that it leaves undecided: "some" is then a fact, too, and the layer's
// rule for rows that see nothing is carried out. A call of the layer takes it, too, and is quicker with a plan of
// bounds. Throws what `spans` throws, and plan-tile.
[[nodiscard]] tile_plan exact_plan(const layer_values& layer, tile_size tile, const side_inputs& inputs);

namespace detail {

template <class Layer, class Use, class... Inputs>
auto with_given(const Layer& layer, Use use, const Inputs&... inputs) {
  check_layer<typename bare<Layer>::type>();
  return with_ruled_values(layer, [&](const layer_values& values) {
    return use(values, std::array<side_input, sizeof...(Inputs)>{side_input(inputs)...});
  });
}

}  // namespace detail

// The same for a layer whose names are known to the compiler, with its rule for empty rows if it has one:
// `spans(local, input<"token_positions">(p))`, with options first if there are any.
template <detail::any_static_layer Layer, class... Inputs>
[[nodiscard]] row_spans spans(const call_options& options, const Layer& layer, const Inputs&... inputs) {
  return detail::with_given(
      layer, [&](const layer_values& values, const auto& given) { return spans(values, given, options); }, inputs...);
}
template <detail::any_static_layer Layer, class... Inputs>
[[nodiscard]] row_spans spans(const Layer& layer, const Inputs&... inputs) {
  return spans(call_options{}, layer, inputs...);
}

template <detail::any_static_layer Layer, class... Inputs>
[[nodiscard]] tile_plan exact_plan(const Layer& layer, tile_size tile, const Inputs&... inputs) {
  return detail::with_given(
      layer, [&](const layer_values& values, const auto& given) { return exact_plan(values, tile, given); }, inputs...);
}

}  // namespace axismask
