// Plans of a layer's mask as the attention kernels of others take them: the arrays of FlexAttention's BlockMask, of JAX
// splash's MaskInfo, of FlashInfer's plan() and so on, with the names that they have there. Each form is exact, or an
// error that says why it cannot be; docs/forms.md has a table of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/layer.hpp"
#include "axismask/plan.hpp"
#include "axismask/spans.hpp"

namespace axismask {

// A bool of one byte, as arrays have it: 0 or 1. A type of its own, since a byte may also be a number.
enum class bool_byte : std::uint8_t { no, yes };

// The elements of an array, in C order.
using plan_elements = std::variant<std::vector<bool_byte>, std::vector<std::int8_t>, std::vector<std::int16_t>,
                                   std::vector<std::int32_t>, std::vector<std::int64_t>, std::vector<std::uint8_t>>;

// An array of a form: dense, in C order; without axes it is one number.
struct plan_array {
  std::string name;  // that of the target's argument
  std::vector<std::int64_t> sizes;
  plan_elements elements;

  [[nodiscard]] const void* data() const;
  [[nodiscard]] std::int64_t element_count() const;
  // "bool", "int8", "int16", "int32", "int64" or "uint8"; NumPy's names.
  [[nodiscard]] std::string_view dtype_name() const;
  [[nodiscard]] std::int64_t element_bytes() const;
};

// The arrays of a form, in the order of the target's arguments.
struct plan_arrays {
  std::vector<plan_array> arrays;

  [[nodiscard]] bool has(std::string_view name) const;
  // Both throw `error` form-array for a name that there is not; `get`, too, for elements that are not T.
  [[nodiscard]] const plan_array& operator[](std::string_view name) const;
  template <class T>
  [[nodiscard]] std::span<const T> get(std::string_view name) const {
    const auto* elements = std::get_if<std::vector<T>>(&(*this)[name].elements);
    if (elements == nullptr) refuse_type(name);
    return *elements;
  }

 private:
  [[noreturn]] void refuse_type(std::string_view name) const;
};

// A table of pages: the keys of a sequence lie in pages of a cache, page after page; this says which.
struct page_table {
  // int32 or int64, in two axes of any names: sequences (or one for all), and the pages of a sequence in order. An
  // element is the page's number in the cache, and -1 where there is none.
  any_view pages;
  // Pages that the cache has; 0: as many as the highest number in the table says.
  std::int64_t count = 0;
};

struct form_options {
  // Queries and keys of a tile, for the forms that have tiles. For pages, the keys are those of a page.
  tile_size tile = {};
  // The names of the axes that are the target's batch and heads. A mask that changes along another axis is an error.
  std::string batch_axis = "batch";
  std::string heads_axis = "heads";
  std::optional<page_table> pages = std::nullopt;
  call_options call = {};  // threads
};

// A form: a row of the table of all.
struct form_record {
  std::string_view name;    // as write_form and the command take it
  std::string_view target;  // whose form it is, in which version, and what takes the arrays there
  bool has_tiles = false;   // does form_options::tile matter?
  bool has_pages = false;   // is form_options::pages needed?
  plan_arrays (*write)(const layer_values& layer, const form_options& options, const side_inputs& inputs) = nullptr;
};

// All forms:
//
// "flex", FlexAttention of torch 2.15: BlockMask.from_kv_blocks. B and H are the sizes of the batch and heads axes, or
// 1
//   where the mask does not change along them; NQ and NK count tiles, those cut off by the end of an axis included.
//     kv_num_blocks int32 [B, H, NQ], kv_indices int32 [B, H, NQ, NK]: tiles of which some is kept, ascending
//     full_kv_num_blocks, full_kv_indices: tiles that are kept whole, alike
//     BLOCK_SIZE int64 [2], seq_lengths int64 [2]: queries and keys of a tile, and of all
//   Behind the last tile of a row stand zeros. A tile that is cut off is never whole, as in create_block_mask. The
//   tiles of which some is kept need a mask_mod: the layer's formula.
// "flex-pages", the same over physical pages, as PagedAttention.convert_logical_block_mask makes it: NK is the number
// of
//   pages of the cache, an index is a page's there (in the order of the sequence), seq_lengths counts all keys of the
//   cache. physical_to_logical int64 [B, NK] has for each page which one of the sequence it is, or -1.
// "fa4", FlashAttention 4 (flash-attn-4 4.0.0b36): BlockSparseTensorsTorch.
//     mask_block_cnt int32 [B, H, NQ], mask_block_idx int32 [B, H, NQ, N], full_block_cnt, full_block_idx, block_size
//   As "flex", but N is as large as the longest list, at least 1. Tiles are multiples of 64 queries and 16 keys; which
//   of them the kernel takes depends on the card and the head's size: on Blackwell 256 x 128.
// "splash", JAX 0.10 splash attention: MaskInfo, for one sequence; equal to what process_mask makes of the dense mask.
//     data_next, mask_next, block_mask [H, NQ, N], of the smallest of int8, int16, int32 each; block_mask is 0, 1 or 2
//     partial_mask_blocks bool [n, queries, keys]: the tiles of which some is kept, each once
//   H is 1, and N the largest number of tiles in a row, if all heads have one mask; else N counts all tiles. Without a
//   tile of which some is kept mask_next and partial_mask_blocks are left out. Tiles divide the queries and the keys.
// "flashinfer-ranges", as proposed for FlashInfer (its issue 5189): mask_ranges int32 [total_q, 2], the first and the
//   last key of each query (both are seen), or -1, -1; one sequence of the batch after the other, keys counted in each.
// "flashinfer-packed", FlashInfer 0.7: packed_custom_mask uint8, a bit for each query and key of a sequence, row after
//   row, the first the lowest bit of a byte; each sequence starts with a byte. mask_indptr int32 [B + 1]: in bytes.
// "flashinfer-bsr", FlashInfer 0.7: BlockSparseAttentionWrapper.plan, for one sequence.
//     indptr int32 [NQ + 1], indices int32 [nnz], M, N, R, C int64 (queries, keys, and those of a tile)
//     mask bool [nnz, R, C], of which what is past the last query is false; left out when all its tiles are whole
//   Tiles divide the keys.
// "flashmask", PaddlePaddle 3.3: flashmask_attention.
//     startend_row_indices int32 [B, H, keys, 1 | 2 | 4], causal bool: for each key the queries that do not see it
//   The shortest that says it: 1 and causal, from there on; 2 and causal, from the first to before the second; 2, from
//   the first on and before the second; 4, two such ranges. Causal is aligned to the last query and key.
// "magi", MagiAttention 1.1: flex_flash_attn_func.
//     q_ranges, k_ranges int32 [n, 2], half-open; attn_type_map int32 [n]: 0 full, 1 causal (aligned to the last query
//     and key), 2 inverse causal (to the first), 3 both
//   Sequences of a batch follow each other in both. Slices do not overlap.
// "cudnn", cuDNN 9.26: SDPA_attributes::set_block_mask. block_mask uint8 [B, H, NQ, ceil(NK / 8)], 1 for a tile to be
//   computed, the first tile the lowest bit. Tiles are 128 x 128. It skips tiles, and masks nothing within one: that is
//   for the attention's own band or bias.
// "spans", for kernels of your own: indptr int64 [rows + 1], begin, end int64 [n]: row r sees the keys from begin[i] to
//   before end[i], for i from indptr[r] to before indptr[r + 1], ascending and apart. shape int64 [4] is B, H, queries,
//   keys; rows are those of B, H and queries, in C order.
[[nodiscard]] std::span<const form_record> forms();

// Makes the arrays of a form:
//   write_form("flex", model.layer("layers.0").values(), {.tile = {128, 128}}, {{"token_positions", positions}})
// Throws `error`: form-unknown; form-axis, form-heads, form-batch for a mask that changes along an axis that the form
// has not; form-tile; form-pages; form-ranges, form-rows and form-columns for a mask that the form cannot say, with the
// first place of it; form-size for what 32 bits do not count; and those of `spans` (spans.hpp).
[[nodiscard]] plan_arrays write_form(std::string_view form, const layer_values& layer, const form_options& options,
                                     const side_inputs& inputs);

// The same for a layer whose names are known to the compiler, with its rule for empty rows if it has one:
// `write_form("flex", local, {}, input<"token_positions">(positions))`.
template <detail::any_static_layer Layer, class... Inputs>
[[nodiscard]] plan_arrays write_form(std::string_view form, const Layer& layer, const form_options& options,
                                     const Inputs&... inputs) {
  return detail::with_given(
      layer, [&](const layer_values& values, const auto& given) { return write_form(form, values, options, given); },
      inputs...);
}

}  // namespace axismask
