// A layer's mask, read exactly: by tiles, and by the layer's kernel where these leave it open.
// The room holds what of masks is told as ranges and tiles. It writes no memory of a caller's; that is call/.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "arrays/mask_job.hpp"
#include "arrays/number_width.hpp"
#include "axismask/call/call.hpp"
#include "axismask/plan.hpp"
#include "call/empty_row_finder.hpp"
#include "cpu/keep_reader.hpp"
#include "plan/planned_call.hpp"

namespace axismask {

// Keys next to each other, as half-open ranges of indices.
struct key_range {
  std::int64_t begin;
  std::int64_t end;
};

// A mask that is ready to be read. Its members are not changed by reading, so that threads may share it.
class readable_mask {
 public:
  // Binds the arrays, finds the tiles, and carries out the layer's rule for rows that see nothing. Throws `error`:
  // those of a plan, empty-row, kernel-missing.
  readable_mask(const layer_values& layer, std::span<const side_input> side_inputs, tile_size tile);
  readable_mask(const readable_mask&) = delete;
  readable_mask& operator=(const readable_mask&) = delete;

  // Undecided tiles are undecided, whatever is kept in empty rows.
  [[nodiscard]] const tile_plan& tiles() const { return plan_; }
  [[nodiscard]] tile_plan take_tiles() { return std::move(plan_); }

  // What the layer's rule keeps in rows that are empty, by the row's number: plane * queries + query.
  [[nodiscard]] const std::map<std::int64_t, std::vector<key_range>>& kept_in_empty_rows() const { return kept_; }

  // Where each array of the mask starts at a place.
  [[nodiscard]] array_offsets offsets_at(std::int64_t plane, std::int64_t query, std::int64_t key) const;
  // Is one element kept, by `keep` itself? `start` is where it is.
  [[nodiscard]] bool keeps(const array_offsets& start) const;

  [[nodiscard]] const mask_job& job() const { return job_; }
  [[nodiscard]] const tiled_axes& axes() const { return call_.tiled; }
  [[nodiscard]] const layer_type& type() const { return *type_; }

 private:
  void carry_out_rule(const layer_values& layer);

  const layer_type* type_;
  planned_call call_;
  tile_plan plan_;
  mask_job job_;
  converted_numbers converted_;
  std::map<std::int64_t, std::vector<key_range>> kept_;
};

// Reads boxes of a mask as bytes. Each thread has its own.
class mask_bytes {
 public:
  // Of at most these rows; `columns()` is how many columns can be read at once.
  mask_bytes(const readable_mask& mask, std::int64_t rows);

  [[nodiscard]] std::int64_t rows() const { return box_.rows; }
  [[nodiscard]] std::int64_t columns() const { return box_.columns; }
  // Row r of the box starts at r * columns(). 1: kept.
  const std::uint8_t* read(std::int64_t plane, std::int64_t query, std::int64_t key, const mask_box& box,
                           kernel_failure& failure);

 private:
  const readable_mask& mask_;
  mask_box box_;
  std::vector<std::uint8_t> bytes_;
  keep_reader reader_;
};

}  // namespace axismask
