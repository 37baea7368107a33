// `axismask mask`: writes the mask of a layer by itself, as booleans, as numbers to be added to logits, or as bits.
#include "axismask/mask.hpp"

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrays/bind_arrays.hpp"
#include "arrays/whole_parts.hpp"
#include "command/arguments.hpp"
#include "command/made_inputs.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "files/npy_header.hpp"
#include "plan/planned_call.hpp"

namespace axismask::command {
namespace {

struct mask_command_options {
  std::string spec;
  std::string layer;
  std::vector<std::string> inputs;
  wanted_sizes sizes;
  std::string form = "bool";
  std::string dtype;
  bool uses_layer_value = false;
  std::string bit_order = "little";
  std::int64_t pad_keys = 1;
  std::string out;
  int threads = 0;
};

[[noreturn]] void refuse(const std::string& option, const std::string& given, const std::string& cure) {
  throw error("usage", option, "it is \"" + given + "\"", cure);
}

axismask::dtype element_dtype_of(const mask_command_options& options) {
  if (options.form == "bool") return axismask::dtype::boolean;
  const std::string name = options.dtype.empty() ? "float32" : options.dtype;
  for (const auto type : {axismask::dtype::float32, axismask::dtype::float16, axismask::dtype::bfloat16}) {
    if (name == info(type).name) return type;
  }
  refuse("--dtype", name, "give float32, float16 or bfloat16");
}

void check(const mask_command_options& options) {
  if (options.form != "bool" && options.form != "additive" && options.form != "bits") {
    refuse("--form", options.form, "give bool, additive or bits");
  }
  const bool is_additive = options.form == "additive";
  if (!is_additive && !options.dtype.empty()) {
    throw error("usage", "--dtype", "it is for --form additive", "leave it out, or give --form additive");
  }
  if (!is_additive && options.uses_layer_value) {
    throw error("usage", "--layer-value", "it is for --form additive", "leave it out, or give --form additive");
  }
  if (options.bit_order != "little" && options.bit_order != "big") {
    refuse("--bit-order", options.bit_order, "give little or big");
  }
  if (options.pad_keys < 1) refuse("--pad-keys", std::to_string(options.pad_keys), "give at least 1");
}

// The axes of the mask: those of the side inputs and of the layer's numbers, then queries, then keys. Of a layer that
// has no positions, those of its mask.
std::vector<named_axis> axes_of(const made_inputs& made) {
  const position_axes names = position_axes_of(made.values);
  if (names.query.empty() && names.kv.empty()) {
    for (const side_input& input : made.inputs) return {input.array.axes().begin(), input.array.axes().end()};
  }
  planned_call call;
  bind_for_plan(made.values, made.inputs, call);
  made.check_sizes(call.queries(), call.keys());
  return call.axes;
}

// The mask in memory of its own.
struct written_mask {
  std::vector<std::int64_t> sizes;
  std::vector<std::byte> memory;
};

written_mask write(const made_inputs& made, const mask_command_options& options) {
  std::vector<named_axis> axes = axes_of(made);
  mask_options how{.call = {.threads = options.threads}, .pad_keys = true};
  if (options.uses_layer_value) how.masked = made.values.masked_out_value;
  written_mask result;
  if (!axes.empty()) {
    std::int64_t& keys = axes.back().size;
    keys = made_up(keys, options.pad_keys);
  }
  for (const named_axis& axis : axes) result.sizes.push_back(axis.size);
  if (options.form == "bits") {
    const auto order = options.bit_order == "little" ? bit_order::little : bit_order::big;
    const auto bits = [&](void* memory) { return bit_view::with_padded_rows(memory, axes, order); };
    result.memory.resize(static_cast<std::size_t>(bits(nullptr).byte_count()));
    write_mask(made.values, bits(result.memory.data()), made.inputs, how);
    if (!result.sizes.empty()) result.sizes.back() = (result.sizes.back() + 7) / 8;
    return result;
  }
  const axismask::dtype type = element_dtype_of(options);
  const any_view shape = any_view::dense(static_cast<std::byte*>(nullptr), type, axes);
  result.memory.resize(static_cast<std::size_t>(shape.element_count() * info(type).bytes));
  write_mask(made.values, any_view::dense(result.memory.data(), type, axes), made.inputs, how);
  return result;
}

int run_mask(const mask_command_options& options) {
  check(options);
  const Model model = Model::load(options.spec);
  const any_layer& layer = named_layer(model, options.layer, "--layer");
  named_inputs given(options.inputs);
  given.read_masks_of(layer);
  const written_mask mask = with_places_in_command(
      layer, given.inputs, [&] { return write(made_inputs(layer, options.sizes, given.inputs), options); });
  const std::string dtype = options.form == "bits" ? "uint8" : std::string(info(element_dtype_of(options)).name);
  if (options.form == "bits") {
    write_npy(options.out, {.name = "mask", .dtype = dtype, .sizes = mask.sizes, .data = mask.memory.data()});
  } else {
    write_npy(options.out, element_dtype_of(options), mask.sizes, dense_strides(mask.sizes, false), mask.memory.data());
  }

  std::string shape;
  for (const std::int64_t size : mask.sizes) shape += (shape.empty() ? "" : " x ") + std::to_string(size);
  std::cout << on_one_line(layer.name() + ": " + layer.formula() + ", as " + shape + " " + dtype +
                           (options.form == "bits" ? ", eight keys in each" : "") + ", written to " + options.out)
            << '\n';
  finish_output();
  return 0;
}

}  // namespace

subcommand mask_subcommand() {
  const auto options = std::make_shared<mask_command_options>();
  return {
      "mask",
      "Write the mask of a layer by itself to a file",
      {spec_argument(options->spec),
       layer_argument(options->layer),
       {"--seq", &options->sizes.queries, "N", "So many queries, at positions that are made: the last of the keys"},
       {"--kv-seq", &options->sizes.keys, "N", "So many keys, at positions from 0 on; --seq unless given"},
       inputs_argument(options->inputs),
       {"--form", &options->form, "FORM", "bool (true is kept), additive (0 is kept), or bits; bool unless given"},
       {"--dtype", &options->dtype, "NAME", "Of additive masks: float32 (unless given), float16 or bfloat16"},
       {"--layer-value", &options->uses_layer_value, "",
        "Additive masks have the layer's masked value where logits are masked, and not -inf"},
       {"--bit-order", &options->bit_order, "ORDER", "The first bit of a byte: little (unless given) or big"},
       {"--pad-keys", &options->pad_keys, "N", "Fill the key axis up to a multiple of N with what is masked"},
       {"--threads", &options->threads, "N", "At most this many threads; default: one for each processor"},
       {"--out", &options->out, "FILE.npy", "The file for the mask; written whole, or not at all", required}},
      "Its axes are those of the inputs and of numbers for each head, then queries, then keys. Bits are uint8, each\n"
      "row of keys filled up to a byte.\n"
      "Example:\n"
      "  axismask mask model.json --layer layers.0 --seq 4096 --form additive --dtype float16 --out mask.npy\n"
      "  axismask mask model.json --layer layers.0 --input token_positions=positions.npy:batch,seq --out mask.npy",
      [options] { return run_mask(*options); }};
}

}  // namespace axismask::command
