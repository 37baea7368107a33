// FlashMask's columns: for each key the queries that do not see it, as one or two ranges of rows.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "forms/form_axes.hpp"
#include "forms/writers.hpp"

namespace axismask {
namespace {

struct row_range {
  std::int32_t begin = 0;
  std::int32_t end = 0;
  [[nodiscard]] bool is_empty() const { return begin >= end; }
};

std::string text_of(const row_range& rows) {
  return "[" + std::to_string(rows.begin) + ", " + std::to_string(rows.end) + ")";
}

// Which queries do not see a key: ascending, and apart from each other.
struct masked_rows {
  std::int32_t off_since = 0;  // -1 while it is seen
  std::int32_t count = 0;
  std::array<row_range, 2> ranges{};
};

// Visits the keys that one of two rows sees and the other does not: visit(begin, end, does the second see them).
template <class Visit>
void for_each_change(const row_spans& spans, std::int64_t before, std::int64_t now, Visit visit) {
  struct cursor {
    std::size_t at;
    std::size_t end;
    bool is_inside = false;
  };
  const auto cursor_of = [&](std::int64_t row) {
    if (row < 0) return cursor{0, 0};  // a row that sees nothing
    const auto index = static_cast<std::size_t>(row);
    return cursor{static_cast<std::size_t>(spans.starts[index]), static_cast<std::size_t>(spans.starts[index + 1])};
  };
  std::array<cursor, 2> rows{cursor_of(before), cursor_of(now)};
  const auto edge = [&](const cursor& row) {
    return row.at == row.end ? spans.keys : row.is_inside ? spans.ends[row.at] : spans.begins[row.at];
  };
  std::int64_t from = 0;
  while (from < spans.keys) {
    const std::int64_t to = std::min(edge(rows[0]), edge(rows[1]));
    if (to > from && rows[0].is_inside != rows[1].is_inside) visit(from, to, rows[1].is_inside);
    for (cursor& row : rows) {
      if (row.at == row.end || edge(row) != to) continue;
      row.at += row.is_inside ? 1 : 0;
      row.is_inside = !row.is_inside;
    }
    from = to;
    if (rows[0].at == rows[0].end && rows[1].at == rows[1].end) return;
  }
}

// The columns of one plane, read row after row.
class column_reader {
 public:
  column_reader(const row_spans& spans, const form_axes& axes, std::int64_t batch, std::int64_t head)
      : spans_(spans), axes_(axes), batch_(batch), head_(head), columns_(static_cast<std::size_t>(spans.keys)) {}

  std::vector<masked_rows> read() {
    const std::int64_t first = axes_.plane(batch_, head_) * spans_.queries;
    for (std::int64_t query = 0; query < spans_.queries; ++query) {
      const auto row = static_cast<std::int32_t>(query);
      for_each_change(spans_, query == 0 ? -1 : first + query - 1, first + query,
                      [&](std::int64_t begin, std::int64_t end, bool is_seen) {
                        for (std::int64_t key = begin; key < end; ++key) {
                          if (is_seen) close(key, row);
                          columns_[static_cast<std::size_t>(key)].off_since = is_seen ? -1 : row;
                        }
                      });
    }
    for (std::int64_t key = 0; key < spans_.keys; ++key) close(key, static_cast<std::int32_t>(spans_.queries));
    return std::move(columns_);
  }

 private:
  // Rows up to `row` do not see the key.
  void close(std::int64_t key, std::int32_t row) {
    masked_rows& column = columns_[static_cast<std::size_t>(key)];
    if (column.off_since < 0 || column.off_since == row) return;
    if (column.count == 2) {
      throw error("form-columns", axes_.place(batch_, head_, "key", key),
                  "the queries that do not see it are " + text_of(column.ranges[0]) + ", " + text_of(column.ranges[1]) +
                      " and " + text_of({column.off_since, row}) + ", and flashmask has two ranges for each key",
                  "ask for flex, flashinfer-packed or magi");
    }
    column.ranges[static_cast<std::size_t>(column.count++)] = {column.off_since, row};
  }

  const row_spans& spans_;
  const form_axes& axes_;
  std::int64_t batch_;
  std::int64_t head_;
  std::vector<masked_rows> columns_;
};

using numbers = std::array<std::int32_t, 4>;

// Ways to write a column. Each gives nothing for a column that it cannot say.
struct encoding {
  int width;
  bool is_causal;
  std::optional<numbers> (*encode)(const masked_rows& column, std::int32_t diagonal, std::int32_t queries);
};

// What is masked from the diagonal on, the first row that a causal mask lets see the key.
std::optional<row_range> below(const masked_rows& column, std::int32_t diagonal) {
  std::optional<row_range> found;
  for (std::int32_t at = 0; at < column.count; ++at) {
    row_range rest = column.ranges[static_cast<std::size_t>(at)];
    rest.begin = std::max(rest.begin, diagonal);
    if (rest.is_empty()) continue;
    if (found) return std::nullopt;
    found = rest;
  }
  return found ? found : row_range{};
}

std::optional<numbers> causal_start(const masked_rows& column, std::int32_t diagonal, std::int32_t queries) {
  const std::optional<row_range> rest = below(column, diagonal);
  if (!rest) return std::nullopt;
  if (rest->is_empty()) return numbers{queries};
  return rest->end == queries ? std::optional(numbers{rest->begin}) : std::nullopt;
}

std::optional<numbers> causal_range(const masked_rows& column, std::int32_t diagonal, std::int32_t queries) {
  const std::optional<row_range> rest = below(column, diagonal);
  if (!rest) return std::nullopt;
  return rest->is_empty() ? numbers{queries, queries} : numbers{rest->begin, rest->end};
}

// A range that reaches the last row is the lower one, one that starts with the first row the upper.
std::optional<numbers> start_and_end(const masked_rows& column, std::int32_t /*diagonal*/, std::int32_t queries) {
  numbers result{queries, 0};
  for (std::int32_t at = 0; at < column.count; ++at) {
    const row_range one = column.ranges[static_cast<std::size_t>(at)];
    if (one.end == queries) {
      result[0] = one.begin;
    } else if (one.begin == 0) {
      result[1] = one.end;
    } else {
      return std::nullopt;
    }
  }
  return result;
}

std::optional<numbers> two_ranges(const masked_rows& column, std::int32_t /*diagonal*/, std::int32_t queries) {
  const auto& [first, second] = column.ranges;
  if (column.count == 2) return numbers{second.begin, second.end, first.begin, first.end};
  if (column.count == 0) return numbers{queries, queries, 0, 0};
  if (first.begin == 0 && first.end < queries) return numbers{queries, queries, first.begin, first.end};
  return numbers{first.begin, first.end, 0, 0};
}

constexpr std::array encodings{encoding{1, true, causal_start}, encoding{2, true, causal_range},
                               encoding{2, false, start_and_end}, encoding{4, false, two_ranges}};

// Does no query see a key past the diagonal that ends with the last query and the last key?
bool is_causal(const row_spans& spans) {
  for (std::size_t row = 0; row + 1 < spans.starts.size(); ++row) {
    if (spans.starts[row] == spans.starts[row + 1]) continue;
    const std::int64_t query = static_cast<std::int64_t>(row) % spans.queries;
    if (spans.ends[static_cast<std::size_t>(spans.starts[row + 1]) - 1] > query + 1 + spans.keys - spans.queries)
      return false;
  }
  return true;
}

// All columns by one way; nothing when one of them cannot be said so.
std::optional<std::vector<std::int32_t>> encode_all(const std::vector<masked_rows>& columns, const row_spans& spans,
                                                    const encoding& how) {
  const auto queries = static_cast<std::int32_t>(spans.queries);
  std::vector<std::int32_t> all;
  all.reserve(columns.size() * static_cast<std::size_t>(how.width));
  for (std::size_t at = 0; at < columns.size(); ++at) {
    const std::int64_t key = static_cast<std::int64_t>(at) % spans.keys;
    const auto diagonal =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(key + spans.queries - spans.keys, 0, spans.queries));
    const std::optional<numbers> column = how.encode(columns[at], diagonal, queries);
    if (!column) return std::nullopt;
    all.insert(all.end(), column->begin(), column->begin() + how.width);
  }
  return all;
}

}  // namespace

plan_arrays write_flashmask(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const row_spans spans = axismask::spans(layer, inputs, options.call);
  const form_axes axes("flashmask", options, spans.plane_axes, spans.plane_sizes);
  (void)as_int32(spans.queries, "queries");
  std::vector<masked_rows> columns;
  for (std::int64_t batch = 0; batch < axes.batch(); ++batch) {
    for (std::int64_t head = 0; head < axes.heads(); ++head) {
      const std::vector<masked_rows> own = column_reader(spans, axes, batch, head).read();
      columns.insert(columns.end(), own.begin(), own.end());
    }
  }
  const bool may_be_causal = is_causal(spans);
  plan_arrays arrays;
  for (const encoding& how : encodings) {
    if (how.is_causal && !may_be_causal) continue;
    std::optional<std::vector<std::int32_t>> rows = encode_all(columns, spans, how);
    if (!rows) continue;
    arrays.arrays.push_back(
        {"startend_row_indices", {axes.batch(), axes.heads(), spans.keys, how.width}, *std::move(rows)});
    arrays.arrays.push_back({"causal", {}, std::vector<bool_byte>{how.is_causal ? bool_byte::yes : bool_byte::no}});
    break;
  }
  return arrays;
}

}  // namespace axismask
