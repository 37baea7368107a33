// The spans by themselves, for kernels of one's own: those of a batch, heads and queries, in this order.
#include <utility>

#include "forms/form_axes.hpp"
#include "forms/writers.hpp"

namespace axismask {

plan_arrays write_spans(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const row_spans spans = axismask::spans(layer, inputs, options.call);
  const form_axes axes("spans", options, spans.plane_axes, spans.plane_sizes);
  std::vector<std::int64_t> starts{0};
  std::vector<std::int64_t> begins;
  std::vector<std::int64_t> ends;
  starts.reserve(spans.starts.size());
  begins.reserve(spans.begins.size());
  ends.reserve(spans.ends.size());
  for (std::int64_t batch = 0; batch < axes.batch(); ++batch) {
    for (std::int64_t head = 0; head < axes.heads(); ++head) {
      const auto first = static_cast<std::size_t>(axes.plane(batch, head) * spans.queries);
      const auto last = first + static_cast<std::size_t>(spans.queries);
      const std::int64_t moved = starts.back() - spans.starts[first];
      for (std::size_t row = first; row < last; ++row) starts.push_back(spans.starts[row + 1] + moved);
      begins.insert(begins.end(), spans.begins.begin() + spans.starts[first],
                    spans.begins.begin() + spans.starts[last]);
      ends.insert(ends.end(), spans.ends.begin() + spans.starts[first], spans.ends.begin() + spans.starts[last]);
    }
  }
  const auto rows = static_cast<std::int64_t>(starts.size());
  const auto count = static_cast<std::int64_t>(begins.size());
  plan_arrays arrays;
  arrays.arrays.push_back({"indptr", {rows}, std::move(starts)});
  arrays.arrays.push_back({"begin", {count}, std::move(begins)});
  arrays.arrays.push_back({"end", {count}, std::move(ends)});
  arrays.arrays.push_back(
      {"shape", {4}, std::vector<std::int64_t>{axes.batch(), axes.heads(), spans.queries, spans.keys}});
  return arrays;
}

}  // namespace axismask
