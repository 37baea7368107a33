// Finds the tiles of a bound call: bounds of each operand over each row and column of tiles, and `keep` read with them.
// The room holds which tiles there are and how they lie in memory. It computes no mask: nothing of cpu/, device/ or
// call/ may come in here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arrays/bound_call.hpp"
#include "axismask/plan.hpp"
#include "plan/tiled_axes.hpp"

namespace axismask {

// Keeps its memory from plan to plan, so that the next one of the same size allocates nothing.
class tile_planner {
 public:
  // Fills in everything of the plan but the names of its axes.
  void find(const layer_type& type, const bound_call& call, const tiled_axes& axes, tile_size tile, tile_plan& plan);

 private:
  // Tiles are asked about in squares of 64 x 64 first, in those that are undecided in squares of 8 x 8, and in the
  // undecided ones of these one by one: far from a mask's edges one answer does for thousands. A million tokens have 67
  // million tiles of 128 x 128.
  static constexpr std::array<std::int64_t, 3> square{1, 8, 64};

  // The bounds of one operand: for each row, column, or both, along which it changes, at each size of squares.
  struct operand_bounds {
    bool by_row = false;
    bool by_column = false;
    const std::byte* start = nullptr;  // where the plane that they are of starts
    std::array<std::vector<interval>, square.size()> of;
  };

  void add_plane(const tile_plan& plan);
  void measure(const bound_array& array, const tiled_axes& axes, const tile_plan& plan, operand_bounds& bounds) const;
  // The bounds of larger squares from those of smaller ones.
  static void add_squares(const tile_plan& plan, operand_bounds& bounds);
  // What the rows of tiles from `row` to the next multiple of 8 have in common.
  void find_coarse_runs(const tile_plan& plan, std::int64_t row);
  // Answers what is kept of the squares from `begin` to before `end` in a row of squares.
  void ask(std::size_t level, std::int64_t row, std::int64_t begin, std::int64_t end);

  const layer_type* type_ = nullptr;
  std::vector<operand_bounds> operands_;
  std::array<std::vector<verdict>, square.size()> answers_;  // of the row of squares at hand
  std::vector<tile_run> coarse_;
  std::array<interval, max_operands> within_;
  std::array<std::int64_t, max_operands> magnitudes_{};
  tile_plan* result_ = nullptr;
};

// Adds tiles to the runs of a row, which start at `start`: to the last run where the same can be said of them.
void append_run(std::vector<tile_run>& runs, std::size_t start, std::int64_t begin, std::int64_t end, verdict kept);

// The largest magnitude of the numbers that `keep` computes in a call (tile plans know it already).
[[nodiscard]] std::int64_t largest_number(const layer_type& type, const bound_call& call);

}  // namespace axismask
