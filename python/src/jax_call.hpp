// What one custom call of a compiled JAX program is told, read once when the program is compiled: the layer, and the
// names of its operands' and results' axes. A program holds texts and no pointers, so that it may be kept and shipped.
#pragma once

#include <axismask.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "xla/ffi/api/ffi.h"

namespace axismask::python {

// An operand or a result: what it is called, and its axes from the outermost on.
struct jax_array_name {
  std::string name;
  std::vector<std::string> axes;
  std::vector<const char*> axis_pointers;  // into `axes`
};

// A layer, and the model that it lives in.
struct held_layer {
  std::shared_ptr<axismask_model> model;
  const axismask_layer* layer = nullptr;
};

// The layer's spec may leave out numbers, which are then operands: "@0@" with its quotation marks stands for the first.
// A shard thus has the windows of its own heads, and a program windows that it computes.
class jax_call {
 public:
  static xla::ffi::TypeId id;

  // Attributes: "spec", the text of a spec of one layer; "operands" and "results", a line for each, of its name and its
  // axes with tabs between; "leading", how many operands stand before the side inputs; "numbers", how many are the
  // spec's; "threads"; of a mask "masked"; of attention "projection", "scale", "softcap".
  static xla::ffi::ErrorOr<std::unique_ptr<jax_call>> read(xla::ffi::Dictionary attributes);

  // The layer with the numbers of these operands, which are read where they are: of the host's memory only. Several
  // devices may ask at once.
  xla::ffi::ErrorOr<held_layer> layer(xla::ffi::RemainingArgs& operands, axismask_device device);

  // Views of buffers in `device`'s memory. Operands are read only.
  xla::ffi::ErrorOr<axismask_array> operand(xla::ffi::RemainingArgs& operands, std::size_t index,
                                            axismask_device device) const;
  xla::ffi::ErrorOr<axismask_array> result(xla::ffi::RemainingRets& results, std::size_t index,
                                           axismask_device device) const;
  xla::ffi::ErrorOr<std::vector<axismask_input>> inputs(xla::ffi::RemainingArgs& operands,
                                                        axismask_device device) const;

  std::size_t leading = 0;
  std::int32_t threads = 0;
  std::int32_t masked = AXISMASK_MINUS_INFINITY;
  std::string projection;
  double scale = 0;
  double softcap = 0;
  std::size_t result_count() const { return results_.size(); }
  std::size_t leading_named(std::string_view name) const;  // its index, or `leading` where there is none

 private:
  std::string spec_;
  std::vector<jax_array_name> operands_;
  std::vector<jax_array_name> results_;
  std::size_t numbers_ = 0;

  std::mutex lock_;
  std::unordered_map<std::string, held_layer> layers_;  // by the numbers
};

// The same on CUDA. XLA's part for cards numbers types by itself, so that one number is not for both.
struct jax_call_on_cuda {
  static xla::ffi::TypeId id;
  static xla::ffi::ErrorOr<std::unique_ptr<jax_call_on_cuda>> read(xla::ffi::Dictionary attributes);

  std::unique_ptr<jax_call> call;
};

// The last error of a call of the C library, for XLA: its line, `axismask: error[ID] WHERE: what; cure`.
xla::ffi::Error last_error(axismask_status status);

}  // namespace axismask::python
