// Compares masks a row of tiles at a time.
#include "mask/mask_difference.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "arrays/bind_arrays.hpp"
#include "arrays/element_types.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {
namespace {

// A read of a mask costs about as much as it takes for some thousand of its elements.
constexpr tile_size tile{64, 64};

// Binds a call for some queries and keys to logits of that size.
bound_call bind_call(const mask_rows& mask, const mask_rows::partial_call& wanted, std::int64_t queries,
                     std::int64_t keys) {
  const std::array axes{named_axis{mask.query_axis(), queries, keys}, named_axis{mask.kv_axis(), keys, 1}};
  bound_call call;
  bind_arrays(wanted.layer, any_view(nullptr, dtype::float16, axes), wanted.inputs, call);
  return call;
}

tile_plan plan_of(const mask_rows& mask) {
  const mask_rows::partial_call all = mask.call_for({0, mask.queries()}, {0, mask.keys()});
  tiled_axes axes;
  axes.row = 0;
  axes.column = 1;
  tile_plan plan;
  tile_planner().find(*all.layer.type, bind_call(mask, all, mask.queries(), mask.keys()), axes, tile, plan);
  return plan;
}

// A row of tiles of both masks.
class tile_row {
 public:
  tile_row(const mask_rows& a, const mask_rows& b) : a_(a), b_(b) {}

  void compare(index_range queries, std::span<const tile_run> runs_of_a, std::span<const tile_run> runs_of_b) {
    queries_ = queries;
    rows_.assign(static_cast<std::size_t>(queries.count), {});
    const tile_run* in_a = runs_of_a.data();
    const tile_run* in_b = runs_of_b.data();
    std::int64_t undecided = 0;  // from this key on, up to where the walk is
    std::int64_t key = 0;
    while (key < a_.keys()) {
      const std::int64_t end = std::min(std::min(in_a->end, in_b->end) * tile.keys, a_.keys());
      if (in_a->kept != verdict::some && in_b->kept != verdict::some) {
        read({undecided, key - undecided});
        add({key, end - key}, in_a->kept == verdict::all, in_b->kept == verdict::all);
        undecided = end;
      }
      key = end;
      if (in_a->end * tile.keys <= key) ++in_a;
      if (in_b->end * tile.keys <= key) ++in_b;
    }
    read({undecided, key - undecided});
    for (std::size_t at = 0; at < rows_.size(); ++at) apply_rules(at);
  }

  struct row {
    kept_keys counts;
    differing_element first;  // if any is counted
  };
  [[nodiscard]] std::span<const row> rows() const { return rows_; }

 private:
  // Keys of which the same is known for each query.
  void add(index_range keys, bool kept_by_a, bool kept_by_b) {
    if (!kept_by_a && !kept_by_b) return;
    for (std::size_t at = 0; at < rows_.size(); ++at) {
      row& one = rows_[at];
      if (kept_by_a && kept_by_b) {
        one.counts.both += keys.count;
        continue;
      }
      note(one, at, keys.first, kept_by_a);
      (kept_by_a ? one.counts.only_a : one.counts.only_b) += keys.count;
    }
  }

  void read(index_range keys) {
    if (keys.count == 0) return;
    a_.read(queries_, keys, kept_by_a_);
    b_.read(queries_, keys, kept_by_b_);
    for (std::size_t at = 0; at < rows_.size(); ++at) count(at, keys, at);
  }

  // A row that sees nothing, of a mask that has a rule for it, is read whole.
  void apply_rules(std::size_t at) {
    row& one = rows_[at];
    const auto has_rule = [&](const mask_rows& mask, std::int64_t only) {
      return looks_for_rows(mask.empty_rows()) && one.counts.both + only == 0;
    };
    if (!has_rule(a_, one.counts.only_a) && !has_rule(b_, one.counts.only_b)) return;
    const index_range query{queries_.first + static_cast<std::int64_t>(at), 1};
    a_.read(query, kept_by_a_);
    b_.read(query, kept_by_b_);
    one = {};
    count(at, {0, a_.keys()}, 0);
  }

  // Counts the keys of a row. What was read of it is the line `read_row` of what was read.
  void count(std::size_t at, index_range keys, std::size_t read_row) {
    const auto size = static_cast<std::size_t>(keys.count);
    const std::uint8_t* of_a = kept_by_a_.data() + read_row * size;
    const std::uint8_t* of_b = kept_by_b_.data() + read_row * size;
    std::int64_t in_a = 0;
    std::int64_t in_b = 0;
    std::int64_t both = 0;
    for (std::size_t key = 0; key < size; ++key) {
      in_a += of_a[key];
      in_b += of_b[key];
      both += of_a[key] & of_b[key];
    }
    row& one = rows_[at];
    if (in_a != both || in_b != both) {
      const auto key = static_cast<std::size_t>(std::mismatch(of_a, of_a + size, of_b).first - of_a);
      note(one, at, keys.first + static_cast<std::int64_t>(key), of_a[key] != 0);
    }
    one.counts.both += both;
    one.counts.only_a += in_a - both;
    one.counts.only_b += in_b - both;
  }

  // Keys come in ascending order, so what is noted first is the first.
  void note(row& one, std::size_t at, std::int64_t key, bool kept_by_a) const {
    if (one.counts.only_a + one.counts.only_b > 0) return;
    one.first = {queries_.first + static_cast<std::int64_t>(at), key, kept_by_a};
  }

  const mask_rows& a_;
  const mask_rows& b_;
  index_range queries_{};
  std::vector<row> rows_;
  std::vector<std::uint8_t> kept_by_a_;
  std::vector<std::uint8_t> kept_by_b_;
};

}  // namespace

std::optional<differing_element> compare_masks(const mask_rows& a, const mask_rows& b,
                                               const std::function<void(std::int64_t query, const kept_keys&)>& visit) {
  const tile_plan plan_of_a = plan_of(a);
  const tile_plan plan_of_b = plan_of(b);
  std::optional<differing_element> first;
  tile_row tiles(a, b);
  for (std::int64_t row = 0; row < plan_of_a.rows_per_plane; ++row) {
    const std::int64_t query = row * plan_of_a.tile.queries;
    tiles.compare({query, std::min(plan_of_a.tile.queries, a.queries() - query)}, plan_of_a.row(0, row),
                  plan_of_b.row(0, row));
    for (std::size_t at = 0; at < tiles.rows().size(); ++at) {
      const auto& [counts, element] = tiles.rows()[at];
      if (!first && counts.only_a + counts.only_b > 0) first = element;
      visit(query + static_cast<std::int64_t>(at), counts);
    }
  }
  return first;
}

std::int64_t elements_to_read(const mask_rows& a, const mask_rows& b) {
  const std::int64_t tiles = std::max(plan_of(a).count(verdict::some), plan_of(b).count(verdict::some));
  return tiles * tile.queries * tile.keys;
}

std::vector<std::int64_t> operands_at(const mask_rows& mask, std::int64_t query, std::int64_t key) {
  const mask_rows::partial_call element = mask.call_for({query, 1}, {key, 1});
  std::vector<std::int64_t> numbers;
  const bound_call call = bind_call(mask, element, 1, 1);
  for (const bound_array& operand : call.operands()) numbers.push_back(number_at(operand.type, operand.data));
  return numbers;
}

}  // namespace axismask
