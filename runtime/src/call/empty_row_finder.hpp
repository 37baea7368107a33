// Finds the rows of a call of which its mask keeps nothing, and carries out the layer's rule for them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "arrays/mask_job.hpp"
#include "axismask/call/call.hpp"
#include "axismask/plan.hpp"
#include "plan/tile_layout.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {

// Keeps its memory from call to call.
class empty_row_finder {
 public:
  // To be called before anything is written, for a layer whose rule is not `masked`. `axes` are the logits', and
  // `given` is the plan that the call was given, if any. Throws `error` when the layer refuses empty rows and there is
  // one. With keep_self notes what is to be kept; in place, a copy of it.
  void find(const layer_values& layer, std::span<const named_axis> axes, const mask_job& job, const tile_plan* given,
            tile_planner& planner);
  // To be called when the result is written: puts into it what is to be kept.
  void put_back() const;
  // The same for who writes the result otherwise: visits keys next to each other that are to be kept, by the place of
  // the first in the result, how many they are, and how far apart. In bytes.
  void visit_kept(const std::function<void(std::int64_t at, std::int64_t count, std::int64_t stride)>& visit) const;

 private:
  using row_index = std::array<std::int64_t, max_rank>;  // along each axis of the logits

  // Keys next to each other in an empty row, at its query's position. Offsets of the first are in bytes.
  struct kept_keys {
    std::int64_t from;
    std::int64_t to;
    std::int64_t count;
  };
  // An axis of the logits and the result. Strides are in bytes.
  struct kept_axis {
    std::int64_t size = 1;
    std::int64_t from = 0;
    std::int64_t to = 0;
  };

  [[nodiscard]] bool is_empty(const bound_call& call, const row_index& row, std::span<const tile_run> runs,
                              std::int64_t tile_keys) const;
  void note_job(const layer_values& layer, std::span<const named_axis> axes, const mask_job& job);
  void note_kept_keys(const bound_call& call, const row_index& row);
  template <class Visit>
  void for_each_empty_row(const bound_call& call, const tile_plan& plan, std::span<const std::size_t> planes,
                          Visit visit) const;
  [[noreturn]] void refuse(const layer_values& layer, std::span<const named_axis> axes, const bound_call& call,
                           const row_index& row) const;
  void copy_what_is_kept();
  template <class Visit>
  void for_each_kept(Visit visit) const;

  const layer_type* type_ = nullptr;
  std::size_t query_axis_ = no_axis;
  std::size_t key_axis_ = no_axis;
  std::size_t query_operand_ = 0;
  std::size_t key_operand_ = 0;
  tiled_axes tiled_;
  tile_plan plan_;

  // What is kept, and where: a job's axes are folded while it is carried out.
  std::vector<kept_keys> kept_;
  kept_axis keys_;
  std::array<kept_axis, max_rank> others_;  // those along which the mask does not change
  std::size_t other_count_ = 0;
  std::byte* from_ = nullptr;
  std::byte* to_ = nullptr;
  dtype element_type_ = dtype::float32;
  bool in_place_ = false;
  std::vector<std::byte> copy_;
};

}  // namespace axismask
