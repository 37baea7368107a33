// Random calls of every linked layer, by a fuzzer's bytes: shapes, strides, positions to the ends of 64 bits, windows.
// Applying, masks, spans, plans and forms are compared with the layer's `keep` over plain loops (random_call.hpp).
#include <algorithm>
#include <cstring>
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
#include "check.hpp"
#include "random_call.hpp"

namespace axismask::fuzz {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): random calls

const linked_layer& random_layer(random_source& random) {
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

void check_apply(random_source& random, const random_call& call, const std::vector<named_axis>& axes,
                 const call_options& options) {
  const dtype type = pick(random, 0, 1) == 0 ? dtype::float32 : dtype::float16;
  const std::uint32_t masked = type == dtype::float32 ? 0xFF7FFFFF : 0xFBFF;
  const auto width = static_cast<std::size_t>(info(type).bytes);
  test_array logits = make_array(random, axes, type, false);
  fill_with_random_bytes(random, logits);
  test_array want = logits;
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    if (!call.keeps(index)) std::memcpy(want.memory.data() + offset_of(want, axes, index), &masked, width);
  });
  test_array out = make_array(random, axes, type, false);
  fill_with_random_bytes(random, out);
  apply(call.values, logits.view(), out.view(), call.inputs, options);
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    must(std::memcmp(out.memory.data() + offset_of(out, axes, index), want.memory.data() + offset_of(want, axes, index),
                     width) == 0,
         "out of place each logit is kept or masked as keep says");
  });
  apply(call.values, logits.view(), logits.view(), call.inputs, options);
  must(logits.memory == want.memory,
       "in place each logit is kept or masked as keep says, and nothing around them changes");
}

void check_mask(random_source& random, const random_call& call, const std::vector<named_axis>& axes,
                const call_options& options) {
  test_array out = make_array(random, axes, dtype::boolean, false);
  std::fill(out.memory.begin(), out.memory.end(), std::byte{1});
  test_array want = out;
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    want.memory[static_cast<std::size_t>(offset_of(want, axes, index))] =
        call.keeps(index) ? std::byte{1} : std::byte{0};
  });
  write_mask(call.values, out.view(), call.inputs, mask_options{.call = options});
  must(out.memory == want.memory, "a mask has what keep says, and nothing around it changes");
}

// Where a row of a plan or of spans lies among the axes: the indices of its plane, and for axes that are no plane's
// any.
std::vector<std::int64_t> place_of(const std::vector<named_axis>& axes, const std::vector<std::string>& planes,
                                   const std::vector<std::int64_t>& sizes, std::int64_t plane, std::int64_t query,
                                   std::int64_t key) {
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

void check_plan(const tile_plan& tiles, const random_call& call, const std::vector<named_axis>& axes, bool is_exact) {
  for (std::int64_t plane = 0; plane < tiles.planes; ++plane) {
    for (std::int64_t row = 0; row < tiles.rows_per_plane; ++row) {
      for (std::int64_t column = 0; column < tiles.columns; ++column) {
        bool any = false;
        bool all = true;
        for (std::int64_t q = row * tiles.tile.queries; q < std::min((row + 1) * tiles.tile.queries, tiles.queries);
             ++q) {
          for (std::int64_t k = column * tiles.tile.keys; k < std::min((column + 1) * tiles.tile.keys, tiles.keys);
               ++k) {
            const bool kept = call.keeps(place_of(axes, tiles.plane_axes, tiles.plane_sizes, plane, q, k));
            any = any || kept;
            all = all && kept;
          }
        }
        const verdict said = tiles.at(plane, row, column);
        must(said != verdict::none || !any, "of a tile that is none nothing is kept");
        must(said != verdict::all || all, "a tile that is all is kept whole");
        must(!is_exact || said != verdict::some || (any && !all), "some is a fact in an exact plan");
      }
    }
  }
}

void check_spans(const row_spans& found, const random_call& call, const std::vector<named_axis>& axes) {
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

// FlexAttention's lists: full ones are kept whole, the others in part, and of what is in neither nothing is kept.
void check_flex(random_source& random, const random_call& call, const std::vector<named_axis>& axes, tile_size tile) {
  form_options options{.tile = tile};
  options.heads_axis = pick(random, 0, 1) == 0 ? "heads" : "group";
  plan_arrays arrays;
  if (!succeeds([&] { arrays = write_form("flex", call.values, options, call.inputs); })) return;
  const std::vector<std::int64_t>& sizes = arrays["kv_indices"].sizes;
  const std::span<const std::int64_t> block = arrays.get<std::int64_t>("BLOCK_SIZE");
  const std::span<const std::int64_t> lengths = arrays.get<std::int64_t>("seq_lengths");
  const auto columns = static_cast<std::size_t>(sizes[3]);
  for (std::int64_t row = 0; row < sizes[0] * sizes[1] * sizes[2]; ++row) {
    std::vector<verdict> said(columns, verdict::none);
    for (const auto& [list, kept] : {std::pair{"kv", verdict::some}, std::pair{"full_kv", verdict::all}}) {
      const auto at = static_cast<std::size_t>(row);
      const std::int32_t count = arrays.get<std::int32_t>(std::string(list) + "_num_blocks")[at];
      const auto indices = arrays.get<std::int32_t>(std::string(list) + "_indices");
      for (std::size_t one = 0; one < static_cast<std::size_t>(count); ++one) {
        said.at(static_cast<std::size_t>(indices[at * columns + one])) = kept;
      }
    }
    const std::int64_t q_begin = row % sizes[2] * block[0];
    for (std::int64_t column = 0; column < sizes[3]; ++column) {
      bool any = false;
      bool all = true;
      for (std::int64_t q = q_begin; q < std::min(q_begin + block[0], lengths[0]); ++q) {
        for (std::int64_t k = column * block[1]; k < std::min((column + 1) * block[1], lengths[1]); ++k) {
          const bool kept = call.keeps(
              place_of(axes, {options.batch_axis, options.heads_axis}, {sizes[0], sizes[1]}, row / sizes[2], q, k));
          any = any || kept;
          all = all && kept;
        }
      }
      const verdict of_list = said[static_cast<std::size_t>(column)];
      must(any == (of_list != verdict::none), "FlexAttention's lists have the tiles of which some is kept");
      must(of_list != verdict::all || all, "a full block is kept whole");
    }
  }
}

void check_others(random_source& random, const random_call& call) {
  const std::span<const form_record> all = forms();
  const form_record& form = all[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(all.size()) - 1))];
  if (form.has_pages) return;
  form_options options{.tile = {pick(random, 1, 40), pick(random, 1, 40)}};
  succeeds([&] { static_cast<void>(write_form(form.name, call.values, options, call.inputs)); });
}

void check(random_source& random) {
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
  check_flex(random, call, axes, tile);
  check_others(random, call);
}

}  // namespace
}  // namespace axismask::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  axismask::test::random_source random(data, bytes);
  try {
    axismask::fuzz::check(random);
  } catch (const axismask::error& problem) {
    axismask::fuzz::must(false, problem.what());
  }
  return 0;
}
