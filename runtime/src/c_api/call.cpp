// Calls of layers, and their masks by themselves.
#include "axismask/call/call.hpp"

#include "axismask/mask.hpp"
#include "c_api/given.hpp"
#include "c_api/objects.hpp"
#include "c_api/status.hpp"

namespace axismask::c_api {
namespace {

void apply_layer(const axismask_layer* layer, const axismask_array* logits, const axismask_array* out,
                 const given_inputs& inputs, const axismask_call_options* options) {
  const layer_object& its = object_of<layer_object>(layer, "layer");
  const any_view from = view_of(logits, "logits");
  std::int32_t device = one_device(inputs.device(), logits->device, "logits");
  if (out == nullptr) {
    apply(*its.values, from, from, inputs.all(), options_of(options, device));
    return;
  }
  const any_view to = view_of(out, "out");
  device = one_device(device, out->device, "out");
  apply(*its.values, from, to, inputs.all(), options_of(options, device));
}

mask_options mask_options_of(const axismask_mask_options* options, std::int32_t device) {
  mask_options result;
  if (options == nullptr) {
    result.call = options_of(nullptr, device);
    return result;
  }
  check_struct(options->struct_size, sizeof(axismask_mask_options), "options", "axismask_mask_options");
  check_choice(options->masked, AXISMASK_NUMBER, "options.masked", "an axismask_masked");
  result.call = options_of(options->call, device);
  result.pad_keys = options->pad_keys != 0;
  if (options->masked == AXISMASK_LOWEST) result.masked = masked_value::lowest();
  if (options->masked == AXISMASK_NUMBER) result.masked = options->number;
  return result;
}

bit_view bits_of(const axismask_bits& out) {
  check_choice(out.layout, AXISMASK_BITS_STRIDED, "out.layout", "an axismask_bit_layout");
  const bool is_strided = out.layout == AXISMASK_BITS_STRIDED;
  if (is_strided && out.ndim > 0 && out.strides == nullptr) {
    refuse_null({"out", "strides"}, "give strides in bits, or another layout");
  }
  const read_axes its_axes({"out", out.ndim, out.shape, is_strided ? out.strides : nullptr, out.axes}, 1);
  const std::span<const named_axis> axes = its_axes.all();
  const bit_order order = out.big_endian != 0 ? bit_order::big : bit_order::little;
  bit_view view = is_strided                           ? bit_view(out.data, axes, order)
                  : out.layout == AXISMASK_BITS_PACKED ? bit_view::packed(out.data, axes, order)
                                                       : bit_view::with_padded_rows(out.data, axes, order);
  if (static_cast<std::uint64_t>(view.byte_count()) > out.bytes) {
    throw error(
        "c-size", "out.bytes",
        "the bits take " + std::to_string(view.byte_count()) + " bytes, and there are " + std::to_string(out.bytes),
        "give memory for all of them");
  }
  return view;
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;

axismask_status axismask_layer_apply(const axismask_layer* layer, const axismask_array* logits,
                                     const axismask_array* out, const axismask_input* inputs, std::size_t input_count,
                                     const axismask_call_options* options) {
  return guarded([&] {
    if (out == nullptr) refuse_null({"out"}, "give memory for the result, or mask in place");
    apply_layer(layer, logits, out, given_inputs(inputs, input_count), options);
  });
}

axismask_status axismask_layer_apply_in_place(const axismask_layer* layer, const axismask_array* logits,
                                              const axismask_input* inputs, std::size_t input_count,
                                              const axismask_call_options* options) {
  return guarded([&] { apply_layer(layer, logits, nullptr, given_inputs(inputs, input_count), options); });
}

axismask_status axismask_release_device_memory(void) {
  return guarded([] { axismask::release_device_memory(); });
}

axismask_status axismask_write_mask(const axismask_layer* layer, const axismask_array* out,
                                    const axismask_input* inputs, std::size_t input_count,
                                    const axismask_mask_options* options) {
  return guarded([&] {
    const layer_object& its = object_of<layer_object>(layer, "layer");
    const axismask::any_view to = view_of(out, "out");
    const given_inputs all(inputs, input_count);
    const std::int32_t device = one_device(all.device(), out->device, "out");
    axismask::write_mask(*its.values, to, all.all(), mask_options_of(options, device));
  });
}

axismask_status axismask_write_mask_bits(const axismask_layer* layer, const axismask_bits* out,
                                         const axismask_input* inputs, std::size_t input_count,
                                         const axismask_mask_options* options) {
  return guarded([&] {
    const layer_object& its = object_of<layer_object>(layer, "layer");
    const axismask::bit_view to = bits_of(given(out, "out"));
    const given_inputs all(inputs, input_count);
    axismask::write_mask(*its.values, to, all.all(), mask_options_of(options, all.device()));
  });
}
