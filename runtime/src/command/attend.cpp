// `axismask attend`: attends with one layer of a model spec, from arrays of queries, keys and values.
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "arrays/bind_arrays.hpp"
#include "axismask/linked.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/model_attention.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "files/new_file.hpp"
#include "files/npy_elements.hpp"
#include "files/npy_header.hpp"

namespace axismask::command {
namespace {

struct attend_options {
  std::string spec;
  std::string layer;
  std::string queries;
  std::string keys;
  std::string values;
  std::string projection = "projection";
  std::vector<std::string> inputs;
  std::string out;
  std::string lse;
  std::string scale;
  std::string dtype;
  std::string variant;
  int threads = 0;
};

std::optional<double> scale_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc() && end == text.data() + text.size()) return number;
  throw error("usage", "--scale", "it is \"" + text + "\", which is no number", "give one, such as 0.125");
}

void check(const attend_options& options) {
  if (!options.dtype.empty() && options.dtype != "bfloat16") {
    throw error("usage", "--dtype", "it is \"" + options.dtype + "\", and a file says all dtypes but bfloat16 itself",
                "give bfloat16, or leave it out");
  }
  if (options.threads < 0) {
    throw error("usage", "--threads", "it is " + std::to_string(options.threads),
                "give at least 1, or leave it out: then there is one for each processor");
  }
  if (!options.lse.empty() &&
      std::filesystem::path(options.lse).lexically_normal() == std::filesystem::path(options.out).lexically_normal()) {
    throw error("usage", "--lse", "it is the file of --out", "give a file of its own");
  }
  try {
    force_variant(options.variant);
  } catch (const error& problem) {
    throw problem.at("--variant");
  }
}

// An array that the command writes, in C order.
struct written_array {
  axismask::dtype type;
  std::vector<named_axis> axes;
  std::vector<std::byte> memory;

  written_array(axismask::dtype its_type, std::vector<named_axis> its_axes)
      : type(its_type), axes(std::move(its_axes)) {
    memory.resize(
        static_cast<std::size_t>(any_view::dense(static_cast<std::byte*>(nullptr), type, axes).element_count()) *
        static_cast<std::size_t>(info(type).bytes));
  }

  [[nodiscard]] any_view view() { return any_view::dense(memory.data(), type, axes); }

  void write(new_file& file) const {
    std::vector<std::int64_t> sizes;
    for (const named_axis& axis : axes) sizes.push_back(axis.size);
    const std::string header = npy_header_bytes(descr_of(type), false, sizes);
    file.write(header.data(), header.size());
    file.write(memory.data(), memory.size());
  }
};

// The queries' axes, with the values' projection or, of logarithms, without.
std::vector<named_axis> axes_of_result(const any_view& queries, const any_view& values, const std::string& projection,
                                       bool has_projection) {
  std::vector<named_axis> axes;
  for (named_axis axis : queries.axes()) {
    if (axis.name == projection) {
      if (!has_projection) continue;
      axis.size = find_axis(values.axes(), projection)->size;
    }
    axes.push_back(axis);
  }
  return axes;
}

void check_projection(const std::string& option, const any_view& array, const std::string& projection) {
  if (find_axis(array.axes(), projection) != nullptr) return;
  throw error("attention-axes", option,
              "it has no axis \"" + projection + "\"; it has " + quoted_list(names_of_axes(array.axes())).str(),
              "give it that axis, or name yours with --projection");
}

// The WHERE of an error of attention as the user of the command knows it.
std::string place_of(const error& problem, const any_layer& layer, const attend_options& options) {
  const std::string& where = problem.where();
  if (where == "queries" || where == "keys" || where == "values") return "--" + where;
  if (where == "log_sum_exp") return "--lse";
  if (where == "sinks") return layer.place() + "/attention/sinks";
  if (where == "attention_options::scale") {
    return options.scale.empty() ? layer.place() + "/attention/scale" : "--scale";
  }
  return where;
}

// Both files, or none.
void write_files(const attend_options& options, const written_array& out, const std::optional<written_array>& lse) {
  new_file out_file(options.out, "npy-write");
  out.write(out_file);
  if (!lse) return out_file.finish();
  new_file lse_file(options.lse, "npy-write");
  lse->write(lse_file);
  out_file.finish();
  lse_file.finish();
}

int run_attend(const attend_options& options) {
  check(options);
  const Model model = Model::load(options.spec);
  const any_layer& layer = named_layer(model, options.layer, "--layer");
  const auto as = options.dtype.empty() ? std::nullopt : std::optional(dtype::bfloat16);
  const named_file queries = read_named_file("--queries", options.queries, as);
  const named_file keys = read_named_file("--keys", options.keys, as);
  const named_file values = read_named_file("--values", options.values, as);
  named_inputs given(options.inputs);
  given.read_masks_of(layer);

  const attention_arrays arrays_without_out{queries.view(), keys.view(), values.view(), {}};
  check_projection("--queries", arrays_without_out.queries, options.projection);
  check_projection("--keys", arrays_without_out.keys, options.projection);
  check_projection("--values", arrays_without_out.values, options.projection);
  const auto axes_with = [&](bool projection) {
    return axes_of_result(arrays_without_out.queries, arrays_without_out.values, options.projection, projection);
  };
  written_array out(queries.array.type, axes_with(true));
  std::optional<written_array> lse;
  attention_options how{.call = {.threads = options.threads}, .projection = options.projection};
  how.scale = scale_of(options.scale);
  if (!options.lse.empty()) how.log_sum_exp = lse.emplace(dtype::float32, axes_with(false)).view();

  const auto start = std::chrono::steady_clock::now();
  with_places_in_command(layer, given.inputs, [&] {
    try {
      attention_arrays arrays = arrays_without_out;
      arrays.out = out.view();
      attend(layer, arrays, given.inputs, how);
    } catch (const error& problem) {
      throw problem.at(place_of(problem, layer, options));
    }
  });
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  write_files(options, out, lse);

  std::array<char, 32> milliseconds;
  std::snprintf(milliseconds.data(), milliseconds.size(), "%.3f", time.count());
  std::cout << on_one_line(layer.name() + ": attention by " + layer.formula() + ": " +
                           std::to_string(out.view().element_count()) + " elements in " + milliseconds.data() +
                           " ms, written to " + options.out + (lse ? " and " + options.lse : ""))
            << '\n'
            << std::flush;
  return 0;
}

}  // namespace

subcommand attend_subcommand() {
  const auto options = std::make_shared<attend_options>();
  return {
      "attend",
      "Attend with one layer of a model spec: softmax(mask(queries . keys)) . values",
      {spec_argument(options->spec),
       layer_argument(options->layer),
       {"--queries", &options->queries, "FILE.npy:AXIS,...", "The queries and the names of their axes", required},
       {"--keys", &options->keys, "FILE.npy:AXIS,...", "The keys, likewise", required},
       {"--values", &options->values, "FILE.npy:AXIS,...", "The values, likewise", required},
       {"--projection", &options->projection, "AXIS",
        "The axis that queries and keys are multiplied along; \"projection\" unless given"},
       inputs_argument(options->inputs),
       {"--out", &options->out, "FILE.npy", "The file for the result; written whole, or not at all", required},
       {"--lse", &options->lse, "FILE.npy", "A file for the logarithm of each softmax's denominator, float32"},
       {"--scale", &options->scale, "NUMBER",
        "What scores are multiplied by; else the spec's, else 1 / sqrt(size of the projection)"},
       {"--dtype", &options->dtype, "NAME", "bfloat16: the 2-byte elements of the arrays are bfloat16"},
       {"--variant", &options->variant, "NAME", "The processor's kernel variant to use; `axismask kernels` lists them"},
       {"--threads", &options->threads, "N", "At most this many threads; default: one for each processor"}},
      "An axis that keys and values lack is shared: all its queries see the same keys. The arrays are float32, "
      "float16\n"
      "or bfloat16; the result has the queries' dtype and axes, with the values' projection. Scale, softcap and sinks\n"
      "are those of the layer's \"attention\" in the spec.\n"
      "Example:\n"
      "  axismask attend model.json --layer layers.0 --queries q.npy:groups,heads,seq,projection \\\n"
      "    --keys k.npy:groups,kv_seq,projection --values v.npy:groups,kv_seq,projection \\\n"
      "    --input token_positions=positions.npy:seq --out attended.npy",
      [options] { return run_attend(*options); }};
}

}  // namespace axismask::command
