// The writers of the forms, one for each; forms.hpp says what their arrays are.
//
// The room forms/ writes what spans/ knows in the arrays of others: a file for each kind of form. Nothing is computed
// of a layer here, and no file is written.
#pragma once

#include "axismask/forms.hpp"

namespace axismask {

[[nodiscard]] plan_arrays write_flex(const layer_values& layer, const form_options& options, const side_inputs& inputs);
[[nodiscard]] plan_arrays write_flex_pages(const layer_values& layer, const form_options& options,
                                           const side_inputs& inputs);
[[nodiscard]] plan_arrays write_fa4(const layer_values& layer, const form_options& options, const side_inputs& inputs);
[[nodiscard]] plan_arrays write_splash(const layer_values& layer, const form_options& options,
                                       const side_inputs& inputs);
[[nodiscard]] plan_arrays write_flashinfer_ranges(const layer_values& layer, const form_options& options,
                                                  const side_inputs& inputs);
[[nodiscard]] plan_arrays write_flashinfer_packed(const layer_values& layer, const form_options& options,
                                                  const side_inputs& inputs);
[[nodiscard]] plan_arrays write_flashinfer_bsr(const layer_values& layer, const form_options& options,
                                               const side_inputs& inputs);
[[nodiscard]] plan_arrays write_flashmask(const layer_values& layer, const form_options& options,
                                          const side_inputs& inputs);
[[nodiscard]] plan_arrays write_magi(const layer_values& layer, const form_options& options, const side_inputs& inputs);
[[nodiscard]] plan_arrays write_cudnn(const layer_values& layer, const form_options& options,
                                      const side_inputs& inputs);
[[nodiscard]] plan_arrays write_spans(const layer_values& layer, const form_options& options,
                                      const side_inputs& inputs);

}  // namespace axismask
