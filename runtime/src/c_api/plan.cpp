// Plans of tiles, spans, and the forms of other systems.
#include "axismask/plan.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "axismask/forms.hpp"
#include "axismask/spans.hpp"
#include "c_api/given.hpp"
#include "c_api/objects.hpp"
#include "c_api/status.hpp"

namespace axismask::c_api {
namespace {

axismask_plan* give_plan(tile_plan plan) {
  auto made = std::make_unique<plan_object>(plan_object{std::move(plan), {}});
  for (const std::string& axis : made->plan.plane_axes) made->plane_axes.push_back(axis.c_str());
  return give(std::move(made));
}

template <class Make>
axismask_status make_plan(const axismask_layer* layer, const axismask_input* inputs, std::size_t input_count,
                          axismask_plan** plan, Make make) {
  return guarded([&] {
    there(plan, "plan") = nullptr;
    const layer_object& its = object_of<layer_object>(layer, "layer");
    const given_inputs all(inputs, input_count);
    *plan = give_plan(make(*its.values, all.all()));
  });
}

static_assert(static_cast<int>(verdict::none) == AXISMASK_NONE && static_cast<int>(verdict::some) == AXISMASK_SOME &&
              static_cast<int>(verdict::all) == AXISMASK_ALL);

form_options form_options_of(const axismask_form_options* given, std::int32_t device) {
  form_options result;
  if (given == nullptr) {
    result.call = options_of(nullptr, device);
    return result;
  }
  check_struct(given->struct_size, sizeof(axismask_form_options), "options", "axismask_form_options");
  result.call = options_of(given->call, device);
  result.tile = {given->tile_queries, given->tile_keys};
  if (given->batch_axis != nullptr) result.batch_axis = text_of(given->batch_axis, {"options", "batch_axis"});
  if (given->heads_axis != nullptr) result.heads_axis = text_of(given->heads_axis, {"options", "heads_axis"});
  if (given->pages != nullptr) {
    axismask_array pages = *given->pages;
    static constexpr const char* any_names[] = {"sequences", "pages"};  // NOLINT(modernize-avoid-c-arrays): C's
    if (pages.axes == nullptr && pages.ndim >= 0 && pages.ndim <= 2) pages.axes = any_names + (2 - pages.ndim);
    result.pages = page_table{view_of(&pages, "options.pages"), given->page_count};
  }
  return result;
}

// What C is told of the forms, with texts that end with 0.
struct form_texts {
  std::string name;
  std::string target;
  bool has_tiles;
  bool has_pages;
};

const std::vector<form_texts>& texts_of_forms() {
  static const std::vector<form_texts> all = [] {
    std::vector<form_texts> texts;
    for (const form_record& form : forms()) {
      texts.push_back({std::string(form.name), std::string(form.target), form.has_tiles, form.has_pages});
    }
    return texts;
  }();
  return all;
}

plan_array array_of(std::string name, std::vector<std::int64_t> elements) {
  const auto size = static_cast<std::int64_t>(elements.size());
  return {std::move(name), {size}, std::move(elements)};
}

// An initialiser list would copy them.
template <class... Arrays>
plan_arrays in_order(Arrays... each) {
  plan_arrays made;
  made.arrays.reserve(sizeof...(each));
  (made.arrays.push_back(std::move(each)), ...);
  return made;
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;

axismask_status axismask_plan_make(const axismask_layer* layer, std::int64_t tile_queries, std::int64_t tile_keys,
                                   const axismask_input* inputs, std::size_t input_count, axismask_plan** plan) {
  return make_plan(layer, inputs, input_count, plan, [&](const auto& values, const auto& given) {
    return axismask::plan(values, {tile_queries, tile_keys}, given);
  });
}

axismask_status axismask_plan_make_exact(const axismask_layer* layer, std::int64_t tile_queries, std::int64_t tile_keys,
                                         const axismask_input* inputs, std::size_t input_count, axismask_plan** plan) {
  return make_plan(layer, inputs, input_count, plan, [&](const auto& values, const auto& given) {
    return axismask::exact_plan(values, {tile_queries, tile_keys}, given);
  });
}

axismask_status axismask_plan_free(axismask_plan* plan) {
  return guarded([&] { free_object<plan_object>(plan, "plan"); });
}

axismask_status axismask_plan_describe(const axismask_plan* plan, axismask_plan_info* info) {
  return guarded([&] {
    const plan_object& its = object_of<plan_object>(plan, "plan");
    const axismask::tile_plan& tiles = its.plan;
    axismask_plan_info& said = there(info, "info");
    said = {};
    said.tile_queries = tiles.tile.queries;
    said.tile_keys = tiles.tile.keys;
    said.queries = tiles.queries;
    said.keys = tiles.keys;
    said.planes = tiles.planes;
    said.rows = tiles.rows_per_plane;
    said.columns = tiles.columns;
    said.none = tiles.count(axismask::verdict::none);
    said.some = tiles.count(axismask::verdict::some);
    said.all = tiles.count(axismask::verdict::all);
    said.query_axis = tiles.query_axis.c_str();
    said.kv_axis = tiles.kv_axis.c_str();
    said.plane_axis_count = its.plane_axes.size();
    said.plane_axes = its.plane_axes.data();
    said.plane_sizes = tiles.plane_sizes.data();
  });
}

axismask_status axismask_plan_at(const axismask_plan* plan, std::int64_t plane, std::int64_t row, std::int64_t column,
                                 std::int32_t* verdict) {
  return guarded([&] {
    const axismask::tile_plan& tiles = object_of<plan_object>(plan, "plan").plan;
    there(verdict, "verdict") = static_cast<std::int32_t>(tiles.at(plane, row, column));
  });
}

axismask_status axismask_plan_verdicts(const axismask_plan* plan, std::uint8_t* verdicts, std::size_t bytes) {
  return guarded([&] {
    const axismask::tile_plan& tiles = object_of<plan_object>(plan, "plan").plan;
    if (bytes != static_cast<std::size_t>(tiles.tile_count())) {
      throw axismask::error("c-size", "bytes",
                            "there are " + axismask::counted(tiles.tile_count(), "tile") + ", and the memory has " +
                                std::to_string(bytes),
                            "give a byte for each tile: planes * rows * columns of axismask_plan_describe");
    }
    if (bytes == 0) return;
    std::uint8_t* next = &there(verdicts, "verdicts");
    for (const axismask::tile_run& run : tiles.runs) {
      next = std::fill_n(next, run.end - run.begin, static_cast<std::uint8_t>(run.kept));
    }
  });
}

axismask_status axismask_plan_list(const axismask_plan* plan, std::int32_t verdict, axismask_arrays** arrays) {
  return guarded([&] {
    there(arrays, "arrays") = nullptr;
    const axismask::tile_plan& tiles = object_of<plan_object>(plan, "plan").plan;
    check_choice(verdict, AXISMASK_ALL, "verdict", "an axismask_verdict");
    axismask::tile_plan::list list = tiles.list_of(static_cast<axismask::verdict>(verdict));
    const auto count = static_cast<std::int64_t>(list.tiles.size());
    *arrays = give_arrays(in_order(array_of("starts", std::move(list.starts)),
                                   axismask::plan_array{"tiles", {count}, std::move(list.tiles)}));
  });
}

axismask_status axismask_spans(const axismask_layer* layer, const axismask_input* inputs, std::size_t input_count,
                               const axismask_call_options* options, axismask_arrays** arrays) {
  return guarded([&] {
    there(arrays, "arrays") = nullptr;
    const layer_object& its = object_of<layer_object>(layer, "layer");
    const given_inputs all(inputs, input_count);
    axismask::row_spans found = axismask::spans(*its.values, all.all(), options_of(options, all.device()));
    std::vector<std::int64_t> shape = found.plane_sizes;
    shape.push_back(found.queries);
    shape.push_back(found.keys);
    *arrays =
        give_arrays(in_order(array_of("starts", std::move(found.starts)), array_of("begins", std::move(found.begins)),
                             array_of("ends", std::move(found.ends)), array_of("shape", std::move(shape))));
  });
}

axismask_status axismask_form_count(std::size_t* count) {
  return guarded([&] { there(count, "count") = axismask::forms().size(); });
}

axismask_status axismask_form_describe(std::size_t index, axismask_form_info* info) {
  return guarded([&] {
    const std::vector<form_texts>& all = texts_of_forms();
    check_index(index, all.size(), "form");
    const form_texts& form = all[index];
    there(info, "info") = {form.name.c_str(), form.target.c_str(), form.has_tiles ? 1 : 0, form.has_pages ? 1 : 0};
  });
}

axismask_status axismask_write_form(const axismask_layer* layer, const char* form, const axismask_input* inputs,
                                    std::size_t input_count, const axismask_form_options* options,
                                    axismask_arrays** arrays) {
  return guarded([&] {
    there(arrays, "arrays") = nullptr;
    const layer_object& its = object_of<layer_object>(layer, "layer");
    const std::string_view name = text_of(form, {"form"});
    const given_inputs all(inputs, input_count);
    *arrays = give_arrays(axismask::write_form(name, *its.values, form_options_of(options, all.device()), all.all()));
  });
}
