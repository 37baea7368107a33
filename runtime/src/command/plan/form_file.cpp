// Writes a form to an archive of arrays.
#include "command/plan/form_file.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/forms.hpp"
#include "axismask/npy.hpp"
#include "command/print.hpp"
#include "files/npy_elements.hpp"

namespace axismask::command {
namespace {

// A table of one axis is that of one sequence.
npy_array read_table(const std::string& file) {
  npy_array table = read_npy(file);
  if (table.sizes.size() == 1) {
    table.sizes.insert(table.sizes.begin(), 1);
    table.strides.insert(table.strides.begin(), 0);
  }
  if (table.sizes.size() == 2) return table;
  throw error(
      "form-pages", "--pages",
      "a table of pages has two axes, sequences and pages, and " + file + " has the shape " + shape_text(table.sizes),
      "give a row for each sequence, or one for all");
}

void print_arrays(const form_arguments& arguments, const any_layer& layer, const plan_arrays& plan) {
  std::cout << on_one_line(layer.name() + ": " + layer.formula() + ", as " + arguments.form + ", written to " +
                           arguments.out)
            << '\n';
  std::vector<row> rows{{"ARRAY", "DTYPE", "SHAPE"}};
  for (const plan_array& array : plan.arrays)
    rows.push_back({array.name, std::string(array.dtype_name()), shape_text(array.sizes)});
  print_table(std::move(rows));
}

json arrays_json(const form_arguments& arguments, const plan_arrays& plan) {
  json arrays = json::array();
  for (const plan_array& array : plan.arrays)
    arrays.push_back({{"name", array.name}, {"dtype", array.dtype_name()}, {"sizes", array.sizes}});
  return {{"form", arguments.form}, {"file", arguments.out}, {"arrays", std::move(arrays)}};
}

}  // namespace

void form_arguments::check(bool has_tile) const {
  if (!is_wanted()) {
    const std::array options{std::pair("--out", !out.empty()), std::pair("--batch", !batch.empty()),
                             std::pair("--heads", !heads.empty()), std::pair("--pages", !pages.empty()),
                             std::pair("--page-count", page_count.has_value())};
    for (const auto& [option, is_given] : options) {
      if (is_given) throw error("usage", option, "it is for a form, and none is asked for", "give --form, too");
    }
    return;
  }
  if (out.empty()) {
    throw error("usage", "--out", "it is missing, and a form is written to a file", "give the name of an .npz file");
  }
  const auto known =
      std::find_if(forms().begin(), forms().end(), [&](const form_record& one) { return one.name == form; });
  if (has_tile && known != forms().end() && !known->has_tiles) {
    throw error("usage", "--tile", form + " has no tiles", "leave it out");
  }
  if (page_count && *page_count < 1) {
    throw error("usage", "--page-count", "it is " + std::to_string(*page_count), "give at least 1, or leave it out");
  }
}

std::string form_names() {
  std::string names;
  for (std::size_t at = 0; at < forms().size(); ++at) {
    if (at > 0) names += at + 1 < forms().size() ? ", " : " or ";
    names += forms()[at].name;
  }
  return names;
}

void write_form_file(const form_arguments& arguments, const any_layer& layer, const made_inputs& made, tile_size tile,
                     bool as_json) {
  form_options options{.tile = tile};
  if (!arguments.batch.empty()) options.batch_axis = arguments.batch;
  if (!arguments.heads.empty()) options.heads_axis = arguments.heads;
  npy_array table;
  if (!arguments.pages.empty()) {
    table = read_table(arguments.pages);
    constexpr std::array<std::string_view, 2> axes{"sequences", "pages"};
    options.pages = page_table{.pages = table.view(axes), .count = arguments.page_count.value_or(0)};
  }
  const plan_arrays plan = write_form(arguments.form, made.values, options, made.inputs);
  std::vector<npz_array> arrays;
  for (const plan_array& array : plan.arrays)
    arrays.push_back({.name = array.name, .dtype = array.dtype_name(), .sizes = array.sizes, .data = array.data()});
  write_npz(arguments.out, arrays);
  if (as_json) {
    print_json(arrays_json(arguments, plan));
  } else {
    print_arrays(arguments, layer, plan);
  }
}

}  // namespace axismask::command
