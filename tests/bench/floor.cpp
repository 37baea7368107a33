// The floor's loops. What was tried for them, 8 x 4096 x 4096 float32 with a window of 1024, best of 15 on two cores of
// a Zen 3 that share 22 GB/s:
//   in place    streaming stores of 16 or 32 bytes 18.9 ms, plain stores 29.0, rep stos 32.0; one core alone is as fast
//               as two; threads that take rows in turn, blocks of rows or halves of the array, two rows written at
//               once, the same row of all heads at once: 18.1 to 22, within the noise of each other
//   out         streaming copies with or without prefetch 26.9, memcpy 33.7
//   everything  read-modify-write with plain stores 27.7 (prefetching for a write makes no difference), with streaming
//               stores 39, with masked stores 102
// Arrays that fit in the caches want plain stores, and the smallest want one thread: which, is tried at set-up.
#include "floor.hpp"

#include <emmintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>
#include <string_view>
#include <thread>

#include "axismask/arrays/dtype.hpp"

namespace axismask::bench {
namespace {

constexpr std::size_t line = 64;                             // bytes of a cache line
constexpr std::size_t longest_piece = std::size_t{1} << 16;  // elements: pieces are shared out whole
constexpr std::size_t share_bytes = std::size_t{1} << 20;    // of memory traffic, where there is much
constexpr std::size_t prefetch_ahead = 8 * line;

using vector_of_line [[gnu::vector_size(line)]] = std::uint8_t;

// A build for each width of registers; the linker's loader picks one.
#define AXISMASK_BENCH_WIDEST __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))

std::size_t bytes_to_line(const std::byte* at) { return -reinterpret_cast<std::uintptr_t>(at) & (line - 1); }

AXISMASK_BENCH_WIDEST void fill_plain(std::byte* at, std::byte* end, const std::byte* pattern) {
  vector_of_line masked;
  std::memcpy(&masked, pattern, line);
  for (; at + line <= end; at += line) std::memcpy(at, &masked, line);
  std::memcpy(at, pattern, static_cast<std::size_t>(end - at));
}

void fill_streaming(std::byte* at, std::byte* end, const std::byte* pattern) {
  const std::size_t head = std::min(bytes_to_line(at), static_cast<std::size_t>(end - at));
  std::memcpy(at, pattern, head);
  at += head;
  const __m128i masked = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pattern));
  for (; at + line <= end; at += line) {
    auto* to = reinterpret_cast<__m128i*>(at);
    for (int part = 0; part < 4; ++part) _mm_stream_si128(to + part, masked);
  }
  std::memcpy(at, pattern, static_cast<std::size_t>(end - at));
}

void copy_streaming(const std::byte* from, std::byte* at, std::byte* end) {
  const std::size_t head = std::min(bytes_to_line(at), static_cast<std::size_t>(end - at));
  std::memcpy(at, from, head);
  at += head;
  from += head;
  for (; at + line <= end; at += line, from += line) {
    _mm_prefetch(reinterpret_cast<const char*>(from + prefetch_ahead), _MM_HINT_NTA);
    const auto* source = reinterpret_cast<const __m128i*>(from);
    auto* to = reinterpret_cast<__m128i*>(at);
    const __m128i a = _mm_loadu_si128(source);
    const __m128i b = _mm_loadu_si128(source + 1);
    const __m128i c = _mm_loadu_si128(source + 2);
    const __m128i d = _mm_loadu_si128(source + 3);
    _mm_stream_si128(to, a);
    _mm_stream_si128(to + 1, b);
    _mm_stream_si128(to + 2, c);
    _mm_stream_si128(to + 3, d);
  }
  std::memcpy(at, from, static_cast<std::size_t>(end - at));
}

// Leaves every bit as it is; the compiler cannot know that.
AXISMASK_BENCH_WIDEST void rewrite(std::byte* at, std::byte* end) {
  static const volatile std::uint8_t nothing = 0;
  const vector_of_line change = vector_of_line{} + nothing;
  for (; at + line <= end; at += line) {
    vector_of_line value;
    std::memcpy(&value, at, line);
    value ^= change;
    std::memcpy(at, &value, line);
  }
  for (; at < end; ++at) *at ^= static_cast<std::byte>(change[0]);
}

// Waits awake; on a machine whose processors others want too, it lets them go now and then.
template <class Condition>
void wait_until(Condition condition) {
  for (int turn = 1; !condition(); ++turn) {
    if (turn % 1024 == 0) {
      std::this_thread::yield();
    } else {
      _mm_pause();
    }
  }
}

std::int64_t position_at(const any_view& positions, std::int64_t batch, std::int64_t index) {
  std::int64_t offset = 0;
  for (const named_axis& axis : positions.axes()) offset += axis.stride * (axis.name == "seq" ? index : batch);
  return positions.type() == dtype::int64 ? static_cast<const std::int64_t*>(positions.data())[offset]
                                          : static_cast<const std::int32_t*>(positions.data())[offset];
}

const any_view& find_input(std::span<const side_input> side_inputs, std::string_view name) {
  return std::find_if(side_inputs.begin(), side_inputs.end(), [&](const side_input& one) { return one.name == name; })
      ->array;
}

}  // namespace

floor_loop::floor_loop(floor_kind kind, const any_layer& layer, const any_view& logits, const any_view& out,
                       std::span<const side_input> side_inputs, int threads)
    : kind_(kind),
      element_bytes_(static_cast<std::size_t>(info(logits.type()).bytes)),
      logits_(static_cast<const std::byte*>(logits.data())),
      out_(static_cast<std::byte*>(out.data())),
      bytes_(static_cast<std::size_t>(logits.element_count()) * element_bytes_),
      pattern_(line),
      threads_(threads) {
  const auto masked = static_cast<float>(layer.values().masked_out_value.number());
  for (std::size_t at = 0; at < line; at += element_bytes_) {
    // float32, or bfloat16, which is its upper half (of a value that needs no rounding).
    std::memcpy(&pattern_[at], reinterpret_cast<const std::byte*>(&masked) + sizeof masked - element_bytes_,
                element_bytes_);
  }
  if (kind_ == floor_kind::read_modify_write) {
    for (std::size_t at = 0; at < bytes_ / element_bytes_; at += longest_piece) {
      shares_.push_back({at, 0, 0});
    }
  } else {
    find_pieces(layer, logits, side_inputs);
  }
  choose();
}

void floor_loop::find_pieces(const any_layer& layer, const any_view& logits, std::span<const side_input> side_inputs) {
  // The positions and the numbers that `keep` takes.
  const layer_type& type = layer.type();
  std::vector<std::int64_t> numbers(type.operands.size());
  std::vector<const any_view*> positions;
  for (std::size_t place = 0; place < numbers.size(); ++place) {
    const attribute_value& value = layer.values().attributes[type.operands[place]];
    if (is_side_input(type.attributes[type.operands[place]].kind)) {
      positions.push_back(&find_input(side_inputs, value.name));
    } else {
      numbers[place] = value.number;
    }
  }

  // Axes outside "seq" have planes: one with pieces of its own for each row of a batch, and copies of that for the
  // rest.
  std::int64_t queries = 1;
  std::int64_t keys = 1;
  std::int64_t inner = 1;  // elements that lie together and share a query and a key
  std::int64_t batches = 1;
  std::int64_t batch_stride = 0;
  std::int64_t copies = 1;
  std::int64_t copy_stride = 0;
  bool seen_queries = false;
  for (const named_axis& axis : logits.axes()) {
    if (axis.name == "seq") {
      queries = axis.size;
      seen_queries = true;
    } else if (axis.name == "kv_seq") {
      keys = axis.size;
      inner = axis.stride;
    } else if (axis.name == "batch") {
      batches = axis.size;
      batch_stride = axis.stride;
    } else if (!seen_queries) {
      copies = axis.size;
      copy_stride = axis.stride;
    }
  }

  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const std::size_t first_piece = pieces_.size();
    std::vector<std::vector<piece>> found(static_cast<std::size_t>(queries));
    std::atomic<std::int64_t> next{0};
    const auto find_rows = [&] {
      std::vector<std::int64_t> operands = numbers;
      for (std::int64_t query = next++; query < queries; query = next++) {
        operands[0] = position_at(*positions[0], batch, query);
        std::vector<piece>& row = found[static_cast<std::size_t>(query)];
        const auto start = static_cast<std::uint32_t>(query * keys * inner);
        bool was_kept = false;
        for (std::int64_t key = 0; key < keys; ++key) {
          operands[1] = position_at(*positions[1], batch, key);
          const bool kept = type.keep(operands);
          const auto at = static_cast<std::uint32_t>(start + key * inner);
          if (row.empty() || (kept && !was_kept)) row.push_back({at, at, at});
          row.back().last = static_cast<std::uint32_t>(at + inner);
          if (kept) row.back().kept_until = row.back().last;
          was_kept = kept;
        }
      }
    };
    std::vector<std::thread> threads;
    for (int thread = 1; thread < threads_; ++thread) threads.emplace_back(find_rows);
    find_rows();
    for (std::thread& thread : threads) thread.join();
    // The masked end of a row and the masked start of the next are one run.
    for (const std::vector<piece>& row : found) {
      for (const piece& one : row) {
        const bool joins = pieces_.size() > first_piece && one.kept_until == one.first &&
                           one.last - pieces_.back().first <= longest_piece;
        if (joins) {
          pieces_.back().last = one.last;
        } else {
          pieces_.push_back(one);
        }
      }
    }
    std::vector<std::size_t> plane_starts;
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      plane_starts.push_back(static_cast<std::size_t>(batch * batch_stride + copy * copy_stride));
    }
    share_out(plane_starts, first_piece);
  }
}

// Small enough shares to keep the threads equally busy, large enough to be worth the taking.
void floor_loop::share_out(std::span<const std::size_t> plane_starts, std::size_t first_piece) {
  const std::size_t limit = std::min(share_bytes, std::max<std::size_t>(bytes_ / 16, line));
  for (const std::size_t start : plane_starts) {
    std::size_t first = first_piece;
    std::size_t touched = 0;
    for (std::size_t at = first_piece; at < pieces_.size(); ++at) {
      const piece& one = pieces_[at];
      touched += (kind_ == floor_kind::fill ? one.last - one.kept_until : one.last - one.first) * element_bytes_;
      if (touched < limit && at + 1 < pieces_.size()) continue;
      shares_.push_back({start, first, at + 1});
      first = at + 1;
      touched = 0;
    }
  }
}

// Streaming or plain stores, all threads or one: the fastest of some tries.
void floor_loop::choose() {
  const int all = threads_;
  bool best_streams = false;
  int best_threads = all;
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  const std::int64_t calls = bytes_ < (std::size_t{1} << 24) ? 50 : 1;
  for (int attempt = 0; attempt < 10; ++attempt) {  // other programs may take a processor for a while
    for (const bool streaming : {false, true}) {
      for (const int threads : {1, all}) {
        if (streaming && kind_ == floor_kind::read_modify_write) continue;
        streams_ = streaming;
        threads_ = threads;
        const std::int64_t taken = time(calls);
        if (taken >= best) continue;
        best = taken;
        best_streams = streaming;
        best_threads = threads;
      }
    }
  }
  streams_ = best_streams;
  threads_ = best_threads;
}

void floor_loop::run(const share& what) const {
  if (kind_ == floor_kind::read_modify_write) {
    std::byte* start = out_ + what.plane_start * element_bytes_;
    rewrite(start, std::min(start + longest_piece * element_bytes_, out_ + bytes_));
    return;
  }
  const std::byte* from = logits_ + what.plane_start * element_bytes_;
  std::byte* to = out_ + what.plane_start * element_bytes_;
  for (std::size_t at = what.first_piece; at < what.last_piece; ++at) {
    const std::size_t first = pieces_[at].first * element_bytes_;
    const std::size_t kept_until = pieces_[at].kept_until * element_bytes_;
    const std::size_t last = pieces_[at].last * element_bytes_;
    if (kind_ == floor_kind::fill_and_copy) {
      if (streams_) {
        copy_streaming(from + first, to + first, to + kept_until);
      } else {
        std::memcpy(to + first, from + first, kept_until - first);
      }
    }
    (streams_ ? fill_streaming : fill_plain)(to + kept_until, to + last, pattern_.data());
  }
}

std::int64_t floor_loop::time(std::int64_t calls) const {
  // The threads are there, awake, before the clock starts: no floor without them.
  std::atomic<std::size_t> next{0};
  std::atomic<std::int64_t> call{0};
  std::atomic<int> finished{0};
  std::atomic<int> awake{0};
  const auto work = [&] {
    for (std::size_t at = next++; at < shares_.size(); at = next++) run(shares_[at]);
    _mm_sfence();
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads_; ++thread) {
    others.emplace_back([&] {
      ++awake;
      for (std::int64_t mine = 1; mine <= calls; ++mine) {
        wait_until([&] { return call.load(std::memory_order_acquire) >= mine; });
        work();
        ++finished;
      }
    });
  }
  wait_until([&] { return awake == threads_ - 1; });
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t mine = 1; mine <= calls; ++mine) {
    next.store(0, std::memory_order_relaxed);
    finished.store(0, std::memory_order_relaxed);
    call.store(mine, std::memory_order_release);
    work();
    wait_until([&] { return finished.load(std::memory_order_acquire) == threads_ - 1; });
  }
  const auto end = std::chrono::steady_clock::now();
  for (std::thread& thread : others) thread.join();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(end - start).count();
}

}  // namespace axismask::bench
