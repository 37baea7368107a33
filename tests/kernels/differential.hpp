// Random calls of every linked layer: shapes, strides, positions to the ends of 64 bits, windows. Applying, masks,
// spans, plans and forms are compared with the layer's `keep` over plain loops (random_call.hpp). A test gives seeds
// (differential_test.cpp), and a fuzzer bytes (tests/fuzz/differential.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "axismask/forms.hpp"
#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/mask.hpp"
#include "axismask/plan.hpp"
#include "axismask/spans.hpp"
#include "must.hpp"
#include "random_call.hpp"

namespace axismask::test {

inline const linked_layer& random_layer(random_source& random) {
  std::vector<const linked_layer*> all;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) all.push_back(&layer);
  }
  return *all[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(all.size()) - 1))];
}

// What a call does that has no plan, as it has no axis that tells how many queries or keys there are.
template <class Call>
bool has_sizes(Call call) {
  try {
    call();
    return true;
  } catch (const error& problem) {
    check_error(problem);
    must(problem.id() == "plan-axes", problem.what());
    return false;
  }
}

inline void check_apply(random_source& random, const random_call& call, const std::vector<named_axis>& axes,
                        const call_options& options) {
  const dtype type = pick(random, 0, 1) == 0 ? dtype::float32 : dtype::float16;
  const std::uint32_t masked = type == dtype::float32 ? 0xFF7FFFFF : 0xFBFF;
  const auto width = static_cast<std::size_t>(info(type).bytes);
  test_array logits = make_array(random, axes, type, false);
  fill_with_random_bytes(random, logits);
  test_array want = logits;
  const element_offsets wanted_at(want, axes);
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    if (!call.keeps(index)) std::memcpy(want.memory.data() + wanted_at(index), &masked, width);
  });
  test_array out = make_array(random, axes, type, false);
  const element_offsets out_at(out, axes);
  fill_with_random_bytes(random, out);
  apply(call.values, logits.view(), out.view(), call.inputs, options);
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    must(std::memcmp(out.memory.data() + out_at(index), want.memory.data() + wanted_at(index), width) == 0,
         "out of place each logit is kept or masked as keep says");
  });
  apply(call.values, logits.view(), logits.view(), call.inputs, options);
  must(logits.memory == want.memory,
       "in place each logit is kept or masked as keep says, and nothing around them changes");
}

inline void check_mask(random_source& random, const random_call& call, const std::vector<named_axis>& axes,
                       const call_options& options) {
  test_array out = make_array(random, axes, dtype::boolean, false);
  std::fill(out.memory.begin(), out.memory.end(), std::byte{1});
  test_array want = out;
  const element_offsets offset_of(want, axes);
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    want.memory[static_cast<std::size_t>(offset_of(index))] = call.keeps(index) ? std::byte{1} : std::byte{0};
  });
  write_mask(call.values, out.view(), call.inputs, mask_options{.call = options});
  must(out.memory == want.memory, "a mask has what keep says, and nothing around it changes");
}

// Where a row of a plan or of spans lies among the axes: the indices of its plane, and for axes that are no plane's
// any.
inline std::vector<std::int64_t> place_of(const std::vector<named_axis>& axes, const std::vector<std::string>& planes,
                                          const std::vector<std::int64_t>& sizes, std::int64_t plane,
                                          std::int64_t query, std::int64_t key) {
  std::vector<std::int64_t> index(axes.size(), 0);
  for (std::size_t at = planes.size(); at-- > 0;) {
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      if (axes[axis].name == planes[at]) index[axis] = plane % sizes[at];
    }
    plane /= sizes[at];
  }
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (axes[axis].name == "seq") index[axis] = query;
    if (axes[axis].name == "kv_seq") index[axis] = key;
  }
  return index;
}

// What is kept of a tile: `keeps(query, key)` is the truth.
template <class Keeps>
verdict truth_of_tile(tile_size tile, std::int64_t queries, std::int64_t keys, std::int64_t row, std::int64_t column,
                      Keeps keeps) {
  bool any = false;
  bool all = true;
  for (std::int64_t q = row * tile.queries; q < std::min((row + 1) * tile.queries, queries); ++q) {
    for (std::int64_t k = column * tile.keys; k < std::min((column + 1) * tile.keys, keys); ++k) {
      const bool kept = keeps(q, k);
      any = any || kept;
      all = all && kept;
    }
  }
  return !any ? verdict::none : all ? verdict::all : verdict::some;
}

inline void check_plan(const tile_plan& tiles, const random_call& call, const std::vector<named_axis>& axes,
                       bool is_exact) {
  for (std::int64_t plane = 0; plane < tiles.planes; ++plane) {
    for (std::int64_t row = 0; row < tiles.rows_per_plane; ++row) {
      for (std::int64_t column = 0; column < tiles.columns; ++column) {
        const verdict truth =
            truth_of_tile(tiles.tile, tiles.queries, tiles.keys, row, column, [&](std::int64_t q, std::int64_t k) {
              return call.keeps(place_of(axes, tiles.plane_axes, tiles.plane_sizes, plane, q, k));
            });
        const verdict said = tiles.at(plane, row, column);
        must(said != verdict::none || truth == verdict::none, "of a tile that is none nothing is kept");
        must(said != verdict::all || truth == verdict::all, "a tile that is all is kept whole");
        must(!is_exact || said != verdict::some || truth == verdict::some, "some is a fact in an exact plan");
      }
    }
  }
}

inline void check_spans(const row_spans& found, const random_call& call, const std::vector<named_axis>& axes) {
  for (std::int64_t row = 0; row < found.planes * found.queries; ++row) {
    std::int64_t at = found.starts[static_cast<std::size_t>(row)];
    const std::int64_t end = found.starts[static_cast<std::size_t>(row) + 1];
    for (std::int64_t key = 0; key < found.keys; ++key) {
      while (at < end && key >= found.ends[static_cast<std::size_t>(at)]) ++at;
      const bool seen = at < end && key >= found.begins[static_cast<std::size_t>(at)];
      must(seen == call.keeps(place_of(axes, found.plane_axes, found.plane_sizes, row / found.queries,
                                       row % found.queries, key)),
           "a row's spans are the keys that keep says");
    }
  }
}

// What a form's arrays say, read back by the target's own words (forms.hpp).
struct form_shape {
  std::int64_t batch, heads, queries, keys;
};

// Lists of tiles (FlexAttention's, FlashAttention 4's): those of which some is kept, and those that are kept whole.
class tile_lists {
 public:
  tile_lists(const plan_arrays& arrays, const form_shape& of, const char* some, const char* whole, const char* count,
             const char* index, tile_size tile)
      : tile_(tile),
        rows_((of.queries + tile.queries - 1) / tile.queries),
        columns_((of.keys + tile.keys - 1) / tile.keys),
        said_(static_cast<std::size_t>(of.batch * of.heads * rows_ * columns_), verdict::none) {
    for (const auto& [list, kept] : {std::pair{some, verdict::some}, std::pair{whole, verdict::all}}) {
      const auto counts = arrays.get<std::int32_t>(std::string(list) + count);
      const auto indices = arrays.get<std::int32_t>(std::string(list) + index);
      const std::size_t longest = counts.empty() ? 0 : indices.size() / counts.size();
      for (std::size_t row = 0; row < counts.size(); ++row) {
        for (std::size_t one = 0; one < static_cast<std::size_t>(counts[row]); ++one) {
          said_.at(row * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(indices[row * longest + one])) =
              kept;
        }
      }
    }
  }

  [[nodiscard]] verdict at(std::int64_t plane, std::int64_t row, std::int64_t column) const {
    return said_.at(static_cast<std::size_t>((plane * rows_ + row) * columns_ + column));
  }

  // `keeps(plane, query, key)` is the truth.
  template <class Keeps>
  void check(const form_shape& of, Keeps keeps) const {
    for (std::int64_t plane = 0; plane < of.batch * of.heads; ++plane) {
      for (std::int64_t row = 0; row < rows_; ++row) {
        for (std::int64_t column = 0; column < columns_; ++column) {
          const verdict truth = truth_of_tile(tile_, of.queries, of.keys, row, column,
                                              [&](std::int64_t q, std::int64_t k) { return keeps(plane, q, k); });
          must((truth == verdict::none) == (at(plane, row, column) == verdict::none),
               "the lists have the tiles of which some is kept");
          must(at(plane, row, column) != verdict::all || truth == verdict::all, "a full block is kept whole");
        }
      }
    }
  }

 private:
  tile_size tile_;
  std::int64_t rows_, columns_;
  std::vector<verdict> said_;
};

// Does the form show a key to a query?
using form_reader = std::function<bool(std::int64_t batch, std::int64_t head, std::int64_t query, std::int64_t key)>;

inline form_reader read_spans(const plan_arrays& arrays, const form_shape& of) {
  return [&arrays, of](auto batch, auto head, auto query, auto key) {
    const auto row = static_cast<std::size_t>((batch * of.heads + head) * of.queries + query);
    const auto starts = arrays.get<std::int64_t>("indptr");
    for (auto at = static_cast<std::size_t>(starts[row]); at < static_cast<std::size_t>(starts[row + 1]); ++at) {
      if (arrays.get<std::int64_t>("begin")[at] <= key && key < arrays.get<std::int64_t>("end")[at]) return true;
    }
    return false;
  };
}

inline form_reader read_ranges(const plan_arrays& arrays, const form_shape& of) {
  return [&arrays, of](auto batch, auto, auto query, auto key) {
    const auto row = static_cast<std::size_t>(2 * (batch * of.queries + query));
    const auto ranges = arrays.get<std::int32_t>("mask_ranges");
    return ranges[row] >= 0 && ranges[row] <= key && key <= ranges[row + 1];
  };
}

inline form_reader read_packed(const plan_arrays& arrays, const form_shape& of) {
  return [&arrays, of](auto batch, auto, auto query, auto key) {
    const std::int64_t bit = query * of.keys + key;
    const auto start = arrays.get<std::int32_t>("mask_indptr")[static_cast<std::size_t>(batch)];
    const auto bits = arrays.get<std::uint8_t>("packed_custom_mask");
    return (bits[static_cast<std::size_t>(start + bit / 8)] >> (bit % 8) & 1) == 1;
  };
}

inline form_reader read_blocks(const plan_arrays& arrays, const form_shape& /*of*/) {
  return [&arrays](auto, auto, auto query, auto key) {
    const std::int64_t rows = arrays.get<std::int64_t>("R")[0];
    const std::int64_t columns = arrays.get<std::int64_t>("C")[0];
    const auto starts = arrays.get<std::int32_t>("indptr");
    const auto row = static_cast<std::size_t>(query / rows);
    for (auto at = static_cast<std::size_t>(starts[row]); at < static_cast<std::size_t>(starts[row + 1]); ++at) {
      if (arrays.get<std::int32_t>("indices")[at] != key / columns) continue;
      if (!arrays.has("mask")) return true;
      const auto inside = (static_cast<std::int64_t>(at) * rows + query % rows) * columns + key % columns;
      return arrays.get<bool_byte>("mask")[static_cast<std::size_t>(inside)] == bool_byte::yes;
    }
    return false;
  };
}

inline form_reader read_flashmask(const plan_arrays& arrays, const form_shape& of) {
  return [&arrays, of](auto batch, auto head, auto query, auto key) {
    const auto count = static_cast<std::size_t>(arrays["startend_row_indices"].sizes[3]);
    const auto rows = arrays.get<std::int32_t>("startend_row_indices")
                          .subspan(static_cast<std::size_t>((batch * of.heads + head) * of.keys + key) * count, count);
    const bool is_causal = arrays.get<bool_byte>("causal")[0] == bool_byte::yes;
    if (is_causal && key - of.keys > query - of.queries) return false;
    if (count == 1) return query < rows[0];
    const auto is_within = [&](std::size_t first) { return rows[first] <= query && query < rows[first + 1]; };
    if (count == 4) return !is_within(0) && !is_within(2);
    return is_causal ? !is_within(0) : query < rows[0] && query >= rows[1];
  };
}

inline form_reader read_magi(const plan_arrays& arrays, const form_shape& of) {
  return [&arrays, of](auto batch, auto, auto query, auto key) {
    const std::int64_t q = batch * of.queries + query;
    const std::int64_t k = batch * of.keys + key;
    const auto queries = arrays.get<std::int32_t>("q_ranges");
    const auto keys = arrays.get<std::int32_t>("k_ranges");
    const auto types = arrays.get<std::int32_t>("attn_type_map");
    for (std::size_t at = 0; at < types.size(); ++at) {
      if (q < queries[2 * at] || q >= queries[2 * at + 1] || k < keys[2 * at] || k >= keys[2 * at + 1]) continue;
      const bool is_before_end = k - keys[2 * at + 1] <= q - queries[2 * at + 1];
      const bool is_after_start = k - keys[2 * at] >= q - queries[2 * at];
      if (((types[at] & 1) == 0 || is_before_end) && ((types[at] & 2) == 0 || is_after_start)) return true;
    }
    return false;
  };
}

inline void check_forms(random_source& random, const random_call& call, const std::vector<named_axis>& axes,
                        tile_size tile) {
  form_options options{.tile = tile};
  options.heads_axis = pick(random, 0, 1) == 0 ? "heads" : "group";
  const auto write = [&](const char* form, plan_arrays& arrays) {
    return succeeds([&] { arrays = write_form(form, call.values, options, call.inputs); });
  };
  plan_arrays arrays;
  if (!write("spans", arrays)) return;
  const std::span<const std::int64_t> sizes = arrays.get<std::int64_t>("shape");
  const form_shape of{sizes[0], sizes[1], sizes[2], sizes[3]};
  const auto keeps = [&](std::int64_t plane, std::int64_t query, std::int64_t key) {
    return call.keeps(
        place_of(axes, {options.batch_axis, options.heads_axis}, {of.batch, of.heads}, plane, query, key));
  };
  constexpr std::array<std::pair<const char*, form_reader (*)(const plan_arrays&, const form_shape&)>, 6> readers{
      {{"spans", read_spans},
       {"flashinfer-ranges", read_ranges},
       {"flashinfer-packed", read_packed},
       {"flashinfer-bsr", read_blocks},
       {"flashmask", read_flashmask},
       {"magi", read_magi}}};
  for (const auto& [form, reader] : readers) {
    if (!write(form, arrays)) continue;
    const form_reader shows = reader(arrays, of);
    for (std::int64_t plane = 0; plane < of.batch * of.heads; ++plane) {
      for (std::int64_t query = 0; query < of.queries; ++query) {
        for (std::int64_t key = 0; key < of.keys; ++key) {
          must(shows(plane / of.heads, plane % of.heads, query, key) == keeps(plane, query, key), form);
        }
      }
    }
  }
  if (write("flex", arrays)) {
    tile_lists(arrays, of, "kv", "full_kv", "_num_blocks", "_indices", tile).check(of, keeps);
  }
  options.tile = {64 * pick(random, 1, 2), 16 * pick(random, 1, 3)};
  if (write("fa4", arrays)) {
    tile_lists(arrays, of, "mask", "full", "_block_cnt", "_block_idx", options.tile).check(of, keeps);
  }
  options.tile = {128, 128};
  if (write("cudnn", arrays)) {
    const std::span<const std::uint8_t> bits = arrays.get<std::uint8_t>("block_mask");
    std::vector<bool> seen(8 * bits.size(), false);
    const std::vector<std::int64_t>& lines = arrays["block_mask"].sizes;  // batch, heads, rows, bytes of a row
    for (std::int64_t plane = 0; plane < of.batch * of.heads; ++plane) {
      for (std::int64_t query = 0; query < of.queries; ++query) {
        for (std::int64_t key = 0; key < of.keys; ++key) {
          const auto bit = static_cast<std::size_t>((plane * lines[2] + query / 128) * lines[3] * 8 + key / 128);
          if (keeps(plane, query, key)) seen[bit] = true;
        }
      }
    }
    for (std::size_t bit = 0; bit < seen.size(); ++bit) must((bits[bit / 8] >> bit % 8 & 1) == seen[bit], "cudnn");
  }
  // Splash takes what its tiles divide.
  options.tile = {of.queries, of.keys};
  static_cast<void>(write("splash", arrays));
}

// One call, whose error would be a fault.
inline void check_random_call(random_source& random) {
  const std::vector<named_axis> axes = random_axes(random, pick(random, 0, 40) == 0);
  std::int64_t count = 1;
  for (const named_axis& axis : axes) count *= axis.size;
  if (count > 60'000) return;  // the plain loops take seconds for more
  const random_call call(random, random_layer(random), axes);
  call_options options;
  options.threads = static_cast<int>(pick(random, 1, 2));
  const tile_size tile{pick(random, 1, 40), pick(random, 1, 40)};
  std::optional<tile_plan> tiles;
  const bool is_planned = has_sizes([&] { tiles = plan(call.values, tile, call.inputs); });
  if (is_planned && pick(random, 0, 1) == 0) options.plan = &*tiles;
  check_apply(random, call, axes, options);
  check_mask(random, call, axes, options);
  if (!is_planned || count == 0) return;
  check_plan(*tiles, call, axes, false);
  check_plan(exact_plan(call.values, tile, call.inputs), call, axes, true);
  check_spans(spans(call.values, call.inputs, call_options{.threads = options.threads}), call, axes);
  check_forms(random, call, axes, tile);
}

}  // namespace axismask::test
