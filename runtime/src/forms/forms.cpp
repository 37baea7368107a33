// The table of forms, and what is checked of a request before a form is written.
#include "axismask/forms.hpp"

#include <algorithm>
#include <array>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "forms/writers.hpp"

namespace axismask {
namespace {

constexpr std::array table{
    form_record{.name = "flex",
                .target = "FlexAttention of torch 2.15: BlockMask.from_kv_blocks",
                .has_tiles = true,
                .write = write_flex},
    form_record{.name = "flex-pages",
                .target = "FlexAttention of torch 2.15 over pages: BlockMask.from_kv_blocks",
                .has_tiles = true,
                .has_pages = true,
                .write = write_flex_pages},
    form_record{.name = "fa4",
                .target = "FlashAttention 4.0.0b36: BlockSparseTensorsTorch",
                .has_tiles = true,
                .write = write_fa4},
    form_record{
        .name = "splash", .target = "JAX 0.10 splash attention: MaskInfo", .has_tiles = true, .write = write_splash},
    form_record{.name = "flashinfer-ranges",
                .target = "FlashInfer, as proposed in its issue 5189",
                .write = write_flashinfer_ranges},
    form_record{.name = "flashinfer-packed",
                .target = "FlashInfer 0.7: plan(packed_custom_mask=) of the prefill wrappers",
                .write = write_flashinfer_packed},
    form_record{.name = "flashinfer-bsr",
                .target = "FlashInfer 0.7: BlockSparseAttentionWrapper.plan",
                .has_tiles = true,
                .write = write_flashinfer_bsr},
    form_record{.name = "flashmask", .target = "PaddlePaddle 3.3: flashmask_attention", .write = write_flashmask},
    form_record{.name = "magi", .target = "MagiAttention 1.1: flex_flash_attn_func", .write = write_magi},
    form_record{.name = "cudnn",
                .target = "cuDNN 9.26: SDPA_attributes::set_block_mask",
                .has_tiles = true,
                .write = write_cudnn},
    form_record{.name = "spans", .target = "for kernels of your own", .write = write_spans},
};

const form_record& find_form(std::string_view name) {
  const auto* const found =
      std::find_if(table.begin(), table.end(), [name](const form_record& form) { return form.name == name; });
  if (found != table.end()) return *found;
  std::array<std::string_view, table.size()> names;
  std::transform(table.begin(), table.end(), names.begin(), [](const form_record& form) { return form.name; });
  throw error("form-unknown", "form",
              "there is no form \"" + std::string(name) + "\"" + std::string(did_you_mean(name, names).str()),
              "the forms are " + std::string(quoted_list(names).str()));
}

void check_options(const form_record& form, const form_options& options) {
  const std::string name(form.name);
  if (form.has_tiles && (options.tile.queries < 1 || options.tile.keys < 1)) {
    throw error("form-tile", "tile",
                "a tile of " + std::to_string(options.tile.queries) + " queries and " +
                    std::to_string(options.tile.keys) + " keys is empty",
                "give sizes of at least 1");
  }
  if (!form.has_pages && options.pages) {
    throw error("form-pages", "pages", name + " knows no pages, and a table of them is given",
                "leave it out, or ask for flex-pages");
  }
  if (options.batch_axis == options.heads_axis) {
    throw error("form-axis", "heads_axis", "batch and heads are the same axis, \"" + options.heads_axis + "\"",
                "name two axes");
  }
}

}  // namespace

std::span<const form_record> forms() { return table; }

plan_arrays write_form(std::string_view form, const layer_values& layer, const form_options& options,
                       const side_inputs& inputs) {
  const form_record& found = find_form(form);
  check_options(found, options);
  return found.write(layer, options, inputs);
}

}  // namespace axismask
