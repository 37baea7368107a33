// Attention with a layer of a model.
#include "axismask/model_attention.hpp"
#include "c_api/given.hpp"
#include "c_api/objects.hpp"
#include "c_api/status.hpp"

namespace axismask::c_api {
namespace {

attention_options attention_options_of(const axismask_attention_options* options, std::int32_t device) {
  attention_options result;
  if (options == nullptr) {
    result.call = options_of(nullptr, device);
    return result;
  }
  check_struct(options->struct_size, sizeof(axismask_attention_options), "options", "axismask_attention_options");
  result.call = options_of(options->call, device);
  if (options->projection != nullptr) result.projection = text_of(options->projection, {"options", "projection"});
  if (options->scale != 0) result.scale = options->scale;
  result.softcap = options->softcap;
  if (options->sinks != nullptr) result.sinks = view_of(options->sinks, "sinks");
  if (options->log_sum_exp != nullptr) result.log_sum_exp = view_of(options->log_sum_exp, "log_sum_exp");
  return result;
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;

axismask_status axismask_attend(const axismask_layer* layer, const axismask_attention_arrays* arrays,
                                const axismask_input* inputs, std::size_t input_count,
                                const axismask_attention_options* options) {
  return guarded([&] {
    const layer_object& its = object_of<layer_object>(layer, "layer");
    const axismask_attention_arrays& all = given(arrays, "arrays");
    const given_inputs side_inputs(inputs, input_count);
    axismask::attend(*its.layer,
                     {.queries = view_of(all.queries, "queries"),
                      .keys = view_of(all.keys, "keys"),
                      .values = view_of(all.values, "values"),
                      .out = view_of(all.out, "out")},
                     side_inputs.all(), attention_options_of(options, side_inputs.device()));
  });
}
