// `axismask apply`: masks an array of logits with one layer of a model spec.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "axismask/linked.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"

namespace axismask::command {
namespace {

struct apply_options {
  std::string spec;
  std::string layer;
  std::string logits;
  std::vector<std::string> inputs;
  std::string out;
  bool in_place = false;
  std::string device = "auto";
  std::string dtype;
  std::string variant;
  int threads = 0;
};

int run_apply(const apply_options& options) {
  if (!options.dtype.empty() && options.dtype != "bfloat16") {
    throw error("usage", "--dtype", "it is \"" + options.dtype + "\", and a file says all dtypes but bfloat16 itself",
                "give bfloat16, or leave it out");
  }
  if (options.threads < 0) {
    throw error("usage", "--threads", "it is " + std::to_string(options.threads),
                "give at least 1, or leave it out: then there is one for each processor");
  }
  try {
    force_variant(options.variant);
  } catch (const error& problem) {
    throw problem.at("--variant");
  }
  const Model model = Model::load(options.spec);
  const any_layer& layer = named_layer(model, options.layer, "--layer");

  const auto as = options.dtype.empty() ? std::nullopt : std::optional(dtype::bfloat16);
  const named_file logits = read_named_file("--logits", options.logits, as);
  named_inputs given(options.inputs);
  given.read_masks_of(layer);
  const std::vector<side_input>& inputs = given.inputs;

  const any_view logits_view = logits.view();
  const auto elements = static_cast<std::size_t>(logits_view.element_count());
  std::unique_ptr<std::byte[]> out_memory;
  any_view out_view = logits_view;
  if (!options.in_place) {
    out_memory = std::make_unique_for_overwrite<std::byte[]>(elements *
                                                             static_cast<std::size_t>(info(logits_view.type()).bytes));
    out_view = any_view(out_memory.get(), logits_view.type(), logits_view.axes());
  }

  const call_options how{.threads = options.threads, .device = options.device};
  const auto start = std::chrono::steady_clock::now();
  with_places_in_command(layer, inputs, [&] {
    if (options.in_place) {
      layer.apply_in_place(how, logits_view, inputs);
    } else {
      layer.apply(how, logits_view, out_view, inputs);
    }
  });
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;

  write_npy(options.out, logits_view.type(), logits.array.sizes, logits.array.strides, out_view.data());

  const bool on_cpu = options.device == "cpu" || options.device == "auto";
  const std::string by(on_cpu ? chosen_variant(*find_linked_layer(layer.type().name)) : options.device);
  std::array<char, 32> milliseconds;
  std::snprintf(milliseconds.data(), milliseconds.size(), "%.3f", time.count());
  std::cout << on_one_line(layer.name() + ": " + std::string(layer.type().name) + ", " + layer.formula() + ", by " +
                           by + (options.in_place ? ", in place" : "") + ": " + std::to_string(elements) +
                           " elements in " + milliseconds.data() + " ms, written to " + options.out)
            << '\n'
            << std::flush;
  return 0;
}

}  // namespace

subcommand apply_subcommand() {
  const auto options = std::make_shared<apply_options>();
  return {
      "apply",
      "Mask an array of logits with one layer of a model spec",
      {spec_argument(options->spec),
       layer_argument(options->layer),
       {"--logits", &options->logits, "FILE.npy:AXIS,...",
        "The logits and the names of their axes, in the file's order", required},
       inputs_argument(options->inputs),
       {"--out", &options->out, "FILE.npy", "The file for the result; written whole, or not at all", required},
       {"--in-place", &options->in_place, "", "Mask in the memory of the logits, not into another array"},
       {"--device", &options->device, "NAME",
        "Where to compute: cpu, a device such as cuda or opencl, or auto (the default)"},
       {"--dtype", &options->dtype, "NAME", "bfloat16: the logits' 2-byte elements are bfloat16"},
       {"--variant", &options->variant, "NAME", "The processor's kernel variant to use; `axismask kernels` lists them"},
       {"--threads", &options->threads, "N", "At most this many threads; default: one for each processor"}},
      "Example:\n"
      "  axismask apply model.json --layer layers.0 --logits logits.npy:heads,seq,kv_seq \\\n"
      "    --input token_positions=positions.npy:seq --out masked.npy\n"
      "auto is cpu: for arrays of the host, the way to a device and back takes longer than the mask.\n"
      "The result has the logits' dtype and order. The logits are float16, bfloat16, float32 or float64, positions\n"
      "integers, masks bool, integers of 0 and 1, or floats of 0 and -inf, as they are added to logits. An array of\n"
      "an .npz file is FILE.npz/NAME:AXIS,...",
      [options] { return run_apply(*options); }};
}

}  // namespace axismask::command
