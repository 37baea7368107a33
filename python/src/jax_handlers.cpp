// The handlers that a compiled JAX program calls, by XLA's FFI: masking logits, writing a mask, attention. They are for
// the processor; masking is for CUDA, too, with the stream of the program. No header of CUDA is needed, a stream is a
// pointer.
#include "jax_call.hpp"

namespace axismask::python {

namespace ffi = xla::ffi;

namespace {

// Where a handler runs: the memory its arrays are in, and the stream that the work is queued on.
struct place {
  axismask_device device;
  void* stream;
};

axismask_call_options options_of(const jax_call& call, const place& where) {
  axismask_call_options options = AXISMASK_CALL_OPTIONS;
  options.threads = call.threads;
  options.stream = where.stream;
  return options;
}

ffi::Error done(axismask_status status) { return status == AXISMASK_OK ? ffi::Error::Success() : last_error(status); }

// In place where XLA gave the result the logits' memory; they are no longer needed then.
ffi::Error apply(jax_call* call, ffi::RemainingArgs operands, ffi::RemainingRets results, const place& where) {
  const auto layer = call->layer(operands, where.device);
  if (!layer.has_value()) return layer.error();
  const auto logits = call->operand(operands, 0, where.device);
  if (!logits.has_value()) return logits.error();
  const auto out = call->result(results, 0, where.device);
  if (!out.has_value()) return out.error();
  const auto inputs = call->inputs(operands, where.device);
  if (!inputs.has_value()) return inputs.error();
  const axismask_call_options options = options_of(*call, where);
  if (out->data == logits->data) {
    return done(axismask_layer_apply_in_place(layer->layer, &*out, inputs->data(), inputs->size(), &options));
  }
  return done(axismask_layer_apply(layer->layer, &*logits, &*out, inputs->data(), inputs->size(), &options));
}

ffi::Error mask(jax_call* call, ffi::RemainingArgs operands, ffi::RemainingRets results) {
  const auto layer = call->layer(operands, AXISMASK_HOST);
  if (!layer.has_value()) return layer.error();
  const auto out = call->result(results, 0, AXISMASK_HOST);
  if (!out.has_value()) return out.error();
  const auto inputs = call->inputs(operands, AXISMASK_HOST);
  if (!inputs.has_value()) return inputs.error();
  const axismask_call_options options = options_of(*call, {AXISMASK_HOST, nullptr});
  axismask_mask_options mask_options = AXISMASK_MASK_OPTIONS;
  mask_options.call = &options;
  mask_options.masked = call->masked;
  return done(axismask_write_mask(layer->layer, &*out, inputs->data(), inputs->size(), &mask_options));
}

ffi::Error attend(jax_call* call, ffi::RemainingArgs operands, ffi::RemainingRets results) {
  const auto layer = call->layer(operands, AXISMASK_HOST);
  if (!layer.has_value()) return layer.error();
  std::vector<axismask_array> arrays;
  for (std::size_t i = 0; i < call->leading; ++i) {
    const auto one = call->operand(operands, i, AXISMASK_HOST);
    if (!one.has_value()) return one.error();
    arrays.push_back(*one);
  }
  for (std::size_t i = 0; i < call->result_count(); ++i) {
    const auto one = call->result(results, i, AXISMASK_HOST);
    if (!one.has_value()) return one.error();
    arrays.push_back(*one);
  }
  const auto inputs = call->inputs(operands, AXISMASK_HOST);
  if (!inputs.has_value()) return inputs.error();
  const axismask_call_options options = options_of(*call, {AXISMASK_HOST, nullptr});
  const std::size_t sinks = call->leading_named("sinks");
  axismask_attention_options attention_options = AXISMASK_ATTENTION_OPTIONS;
  attention_options.call = &options;
  attention_options.projection = call->projection.c_str();
  attention_options.scale = call->scale;
  attention_options.softcap = call->softcap;
  attention_options.sinks = sinks < call->leading ? &arrays[sinks] : nullptr;
  attention_options.log_sum_exp = call->result_count() > 1 ? &arrays[call->leading + 1] : nullptr;
  const axismask_attention_arrays views{arrays.data(), &arrays[1], &arrays[2], &arrays[call->leading]};
  return done(axismask_attend(layer->layer, &views, inputs->data(), inputs->size(), &attention_options));
}

using stream = void*;

template <class State = jax_call>
auto executes() {
  return ffi::Ffi::Bind().Ctx<ffi::State<State>>();
}

}  // namespace

// Names of C, for who loads the library: each is a handler of the XLA FFI.
#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(axismask_jax_read, jax_call::read, ffi::Ffi::BindInstantiate().Attrs());
XLA_FFI_DEFINE_HANDLER_SYMBOL(axismask_jax_read_cuda, jax_call_on_cuda::read, ffi::Ffi::BindInstantiate().Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    axismask_jax_apply,
    [](jax_call* call, ffi::RemainingArgs operands, ffi::RemainingRets results, ffi::Dictionary) {
      return apply(call, operands, results, {AXISMASK_HOST, nullptr});
    },
    executes().RemainingArgs().RemainingRets().Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    axismask_jax_mask,
    [](jax_call* call, ffi::RemainingArgs operands, ffi::RemainingRets results, ffi::Dictionary) {
      return mask(call, operands, results);
    },
    executes().RemainingArgs().RemainingRets().Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    axismask_jax_attend,
    [](jax_call* call, ffi::RemainingArgs operands, ffi::RemainingRets results, ffi::Dictionary) {
      return attend(call, operands, results);
    },
    executes().RemainingArgs().RemainingRets().Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    axismask_jax_apply_cuda,
    [](jax_call_on_cuda* call, ffi::RemainingArgs operands, ffi::RemainingRets results, ffi::Dictionary, stream queue) {
      return apply(call->call.get(), operands, results, {AXISMASK_CUDA, queue});
    },
    executes<jax_call_on_cuda>().RemainingArgs().RemainingRets().Attrs().Ctx<ffi::PlatformStream<stream>>());

// What jax.ffi.register_ffi_type wants of the states that axismask_jax_read and axismask_jax_read_cuda make.
extern "C" void* axismask_jax_type_id() { return &jax_call::id; }
extern "C" void* axismask_jax_type_id_cuda() { return &jax_call_on_cuda::id; }
extern "C" const void* axismask_jax_type_info() {
  static const XLA_FFI_TypeInfo info = ffi::MakeTypeInfo<jax_call>();
  return &info;
}
extern "C" const void* axismask_jax_type_info_cuda() {
  static const XLA_FFI_TypeInfo info = ffi::MakeTypeInfo<jax_call_on_cuda>();
  return &info;
}

#pragma GCC visibility pop

}  // namespace axismask::python
