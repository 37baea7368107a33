// For each query the keys that it sees, as ranges.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <exception>

#include "axismask/spans.hpp"
#include "cpu/packed_bits.hpp"
#include "cpu/workers.hpp"
#include "spans/mask_reader.hpp"

namespace axismask {
namespace {

// Tall, since one call of the kernel tells of all rows of a tile, and narrow, since it tells of whole tiles along an
// edge. A million tokens, a window of 1024, one thread: see docs/speed.md.
constexpr tile_size tile{32, 32};

// The spans of some rows.
struct found_spans {
  std::vector<std::int64_t> starts;  // of each row, and not of the end
  std::vector<std::int64_t> begins;
  std::vector<std::int64_t> ends;

  void reserve(std::size_t rows) {
    starts.reserve(rows + 1);
    begins.reserve(rows);
    ends.reserve(rows);
  }
};

// The spans of one row, as its keys are told from the first to the last.
class open_row {
 public:
  void clear() {
    spans_.clear();
    begin_ = none;
  }
  void keep_from(std::int64_t key) {
    if (begin_ == none) begin_ = key;
  }
  void end_at(std::int64_t key) {
    if (begin_ == none) return;
    spans_.push_back({begin_, key});
    begin_ = none;
  }

  // Bytes that tell of keys from `first` on.
  void take(const std::uint8_t* kept, std::int64_t first, std::int64_t count) {
    for (; count > 0; kept += word_bits, first += word_bits, count -= word_bits) {
      if (count >= word_bits) {
        take_word(packed_sixty_four(kept), first, ~std::uint64_t{0});
      } else {
        std::array<std::uint8_t, word_bits> rest{};
        std::memcpy(rest.data(), kept, static_cast<std::size_t>(count));
        take_word(packed_sixty_four(rest.data()), first, (std::uint64_t{1} << count) - 1);
      }
    }
  }

  [[nodiscard]] std::vector<key_range>& spans() { return spans_; }

 private:
  static constexpr std::int64_t none = -1;

  static constexpr std::int64_t word_bits = 64;

  // Where a bit differs from the one before it, a span begins or ends.
  void take_word(std::uint64_t word, std::int64_t first, std::uint64_t of) {
    const std::uint64_t before = word << 1U | (begin_ != none ? 1U : 0U);
    for (std::uint64_t changes = (word ^ before) & of; changes != 0; changes &= changes - 1) {
      const int at = std::countr_zero(changes);
      if ((word >> at & 1U) != 0) {
        keep_from(first + at);
      } else {
        end_at(first + at);
      }
    }
  }

  std::vector<key_range> spans_;
  std::int64_t begin_ = none;
};

// Each thread has as many rows of tiles as another, next to each other, so that what they find need only be joined.
class span_finder {
 public:
  span_finder(const readable_mask& mask, std::int64_t threads)
      : mask_(mask), plan_(mask.tiles()), rows_(plan_.planes * plan_.rows_per_plane) {
    // 4096 queries take 0.2 ms by one thread, and 0.35 ms by two (two AMD EPYC cores), as long as waking one takes.
    constexpr std::int64_t least = 256;
    found_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(rows_ / least, 1, threads)));
  }

  [[nodiscard]] int shares() const { return static_cast<int>(found_.size()); }
  [[nodiscard]] std::vector<found_spans>& found() { return found_; }
  [[nodiscard]] const kernel_failure& failure() const { return failure_; }
  [[nodiscard]] std::exception_ptr problem() const { return problem_; }

  // One share. Memory may run out, and tasks must not throw.
  void work(int share) {
    try {
      const std::int64_t begin = rows_ * share / shares();
      const std::int64_t end = rows_ * (share + 1) / shares();
      found_spans& found = found_[static_cast<std::size_t>(share)];
      // Most masks have a span in each row.
      found.reserve(static_cast<std::size_t>((end - begin) * plan_.tile.queries));
      mask_bytes bytes(mask_, plan_.tile.queries);
      open_rows rows;
      for (std::int64_t row = begin; row < end; ++row) find_row(bytes, rows, row, found);
    } catch (...) {
      if (!has_problem_.exchange(true)) problem_ = std::current_exception();
    }
  }

 private:
  using open_rows = std::array<open_row, static_cast<std::size_t>(tile.queries)>;

  void find_row(mask_bytes& bytes, open_rows& rows, std::int64_t row, found_spans& found) {
    const std::int64_t plane = row / plan_.rows_per_plane;
    const std::int64_t query = row % plan_.rows_per_plane * plan_.tile.queries;
    const std::int64_t queries = std::min(plan_.tile.queries, plan_.queries - query);
    for (open_row& one : rows) one.clear();
    for (const tile_run& run : plan_.row(plane, row % plan_.rows_per_plane)) {
      add_run(bytes, rows, {plane, query, queries}, run);
    }
    for (std::int64_t index = 0; index < queries; ++index) {
      open_row& one = rows[static_cast<std::size_t>(index)];
      one.end_at(plan_.keys);
      add_row(found, plane * plan_.queries + query + index, one.spans());
    }
  }

  // A row of tiles.
  struct tile_row {
    std::int64_t plane;
    std::int64_t query;
    std::int64_t queries;
  };

  void add_run(mask_bytes& bytes, open_rows& rows, const tile_row& of, const tile_run& run) {
    const std::int64_t begin = run.begin * plan_.tile.keys;
    const std::int64_t end = std::min(run.end * plan_.tile.keys, plan_.keys);
    const std::span<open_row> used = std::span(rows).first(static_cast<std::size_t>(of.queries));
    if (run.kept != verdict::some) {
      for (open_row& one : used) run.kept == verdict::all ? one.keep_from(begin) : one.end_at(begin);
      return;
    }
    for (std::int64_t first = 0; first < of.queries; first += bytes.rows()) {
      const std::int64_t count = std::min(bytes.rows(), of.queries - first);
      for (std::int64_t key = begin; key < end; key += bytes.columns()) {
        const std::int64_t columns = std::min(bytes.columns(), end - key);
        const std::uint8_t* kept = bytes.read(of.plane, of.query + first, key, {count, columns}, failure_);
        for (std::int64_t row = 0; row < count; ++row) {
          used[static_cast<std::size_t>(first + row)].take(kept + row * bytes.columns(), key, columns);
        }
      }
    }
  }

  void add_row(found_spans& found, std::int64_t row, std::vector<key_range>& spans) const {
    const auto& kept = mask_.kept_in_empty_rows();
    if (spans.empty() && !kept.empty()) {
      if (const auto own = kept.find(row); own != kept.end()) spans = own->second;
    }
    found.starts.push_back(static_cast<std::int64_t>(found.begins.size()));
    for (const key_range& one : spans) {
      found.begins.push_back(one.begin);
      found.ends.push_back(one.end);
    }
  }

  const readable_mask& mask_;
  const tile_plan& plan_;
  std::int64_t rows_;  // of tiles, in all planes
  std::vector<found_spans> found_;
  kernel_failure failure_;
  std::atomic<bool> has_problem_{false};
  std::exception_ptr problem_;
};

// Joins what the shares have found: the first is taken over as it is.
void join(std::vector<found_spans>& shares, row_spans& result) {
  result.starts = std::move(shares.front().starts);
  result.begins = std::move(shares.front().begins);
  result.ends = std::move(shares.front().ends);
  for (const found_spans& share : std::span(shares).subspan(1)) {
    const auto before = static_cast<std::int64_t>(result.begins.size());
    for (const std::int64_t start : share.starts) result.starts.push_back(before + start);
    result.begins.insert(result.begins.end(), share.begins.begin(), share.begins.end());
    result.ends.insert(result.ends.end(), share.ends.begin(), share.ends.end());
  }
  result.starts.push_back(static_cast<std::int64_t>(result.begins.size()));
}

}  // namespace

row_spans spans(const layer_values& layer, const side_inputs& inputs, const call_options& options) {
  const readable_mask mask(layer, inputs, tile);
  const tile_plan& plan = mask.tiles();
  row_spans result;
  result.queries = plan.queries;
  result.keys = plan.keys;
  result.query_axis = plan.query_axis;
  result.kv_axis = plan.kv_axis;
  result.plane_axes = plan.plane_axes;
  result.plane_sizes = plan.plane_sizes;
  result.planes = plan.planes;
  if (plan.keys == 0) {
    result.starts.assign(static_cast<std::size_t>(plan.planes * plan.queries + 1), 0);
    return result;
  }
  span_finder finder(mask, thread_count(options));
  run_on_workers(
      options, finder.shares(), [](void* context, int share) { static_cast<span_finder*>(context)->work(share); },
      &finder);
  if (finder.problem() != nullptr) std::rethrow_exception(finder.problem());
  check_failure(finder.failure(), mask.type());
  join(finder.found(), result);
  return result;
}

}  // namespace axismask
