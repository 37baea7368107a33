// MagiAttention's slices: rectangles of the mask, whole or cut along a diagonal at the top left, the bottom right, or
// both.
#include <algorithm>
#include <array>
#include <string>

#include "forms/form_axes.hpp"
#include "forms/writers.hpp"

namespace axismask {
namespace {

// Consecutive queries with one span each, of which begin and end stand still or move on with each query.
struct slice {
  slice(std::int64_t query, std::int64_t its_begin, std::int64_t its_end)
      : first_query(query), end_query(query + 1), begin(its_begin), last_begin(its_begin), last_end(its_end) {}

  std::int64_t first_query;
  std::int64_t end_query;
  std::int64_t begin;       // of the first query's keys
  std::int64_t last_begin;  // of the last query's keys
  std::int64_t last_end;
  bool has_moves = false;  // from two queries on
  std::int64_t begin_moves = 0;
  std::int64_t end_moves = 0;

  // Takes the next query's span, if it goes on in this slice's way.
  bool take(std::int64_t next_begin, std::int64_t next_end) {
    const std::int64_t begin_step = next_begin - last_begin;
    const std::int64_t end_step = next_end - last_end;
    if (begin_step < 0 || begin_step > 1 || end_step < 0 || end_step > 1) return false;
    if (has_moves && (begin_step != begin_moves || end_step != end_moves)) return false;
    has_moves = true;
    begin_moves = begin_step;
    end_moves = end_step;
    last_begin = next_begin;
    last_end = next_end;
    ++end_query;
    return true;
  }

  // 0 full, 1 causal: the end moves, 2 inverse causal: the begin moves, 3 both.
  [[nodiscard]] std::int32_t type() const { return static_cast<std::int32_t>(end_moves + 2 * begin_moves); }
};

// Cuts the spans of one plane into slices, in the order of their first queries.
std::vector<slice> slices_of(const row_spans& spans, std::int64_t plane) {
  std::vector<slice> slices;
  std::vector<std::size_t> open;  // those that the query before is in, by their keys
  std::vector<std::size_t> next;
  for (std::int64_t query = 0; query < spans.queries; ++query) {
    const auto row = static_cast<std::size_t>(plane * spans.queries + query);
    next.clear();
    auto candidate = open.begin();
    for (auto at = static_cast<std::size_t>(spans.starts[row]); at < static_cast<std::size_t>(spans.starts[row + 1]);
         ++at) {
      const std::int64_t begin = spans.begins[at];
      const std::int64_t end = spans.ends[at];
      // A span goes on at most one to the right of where it was, and spans are apart: one slice can be meant.
      while (candidate != open.end() && slices[*candidate].last_begin < begin - 1) ++candidate;
      if (candidate != open.end() && slices[*candidate].take(begin, end)) {
        next.push_back(*candidate++);
        continue;
      }
      next.push_back(slices.size());
      slices.push_back(slice(query, begin, end));
    }
    std::swap(open, next);
  }
  return slices;
}

}  // namespace

plan_arrays write_magi(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const row_spans spans = axismask::spans(layer, inputs, options.call);
  const form_axes axes("magi", options, spans.plane_axes, spans.plane_sizes);
  axes.refuse_heads("run each head by itself, or ask for flex, splash or flashmask");
  (void)as_int32(axes.batch() * spans.queries, "queries");
  (void)as_int32(axes.batch() * spans.keys, "keys");
  std::vector<std::int32_t> query_ranges;
  std::vector<std::int32_t> key_ranges;
  std::vector<std::int32_t> types;
  for (std::int64_t batch = 0; batch < axes.batch(); ++batch) {
    for (const slice& one : slices_of(spans, axes.plane(batch, 0))) {
      for (const std::int64_t query : {one.first_query, one.end_query})
        query_ranges.push_back(static_cast<std::int32_t>(batch * spans.queries + query));
      for (const std::int64_t key : {one.begin, one.last_end})
        key_ranges.push_back(static_cast<std::int32_t>(batch * spans.keys + key));
      types.push_back(one.type());
    }
  }
  const auto count = static_cast<std::int64_t>(types.size());
  plan_arrays arrays;
  arrays.arrays.push_back({"q_ranges", {count, 2}, std::move(query_ranges)});
  arrays.arrays.push_back({"k_ranges", {count, 2}, std::move(key_ranges)});
  arrays.arrays.push_back({"attn_type_map", {count}, std::move(types)});
  return arrays;
}

}  // namespace axismask
