// The floor of a case: a loop, written by hand, that touches the bytes that must be touched and no others. What is
// masked, and where, is found before the clock starts; the loop itself asks no question about any element.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "axismask/model.hpp"

namespace axismask::bench {

// What a call must do to memory.
enum class floor_kind : std::int32_t {
  fill,               // in place: writes the masked elements
  fill_and_copy,      // out of place: writes the masked elements, copies the others
  read_modify_write,  // in place where no run of elements is masked: reads and writes everything
};

class floor_loop {
 public:
  // The positions' axes are "seq" and, for some, "batch"; the logits' are those, "kv_seq", and any number of others.
  // The logits and `out` are dense in the same order, and "kv_seq" stands after "seq".
  floor_loop(floor_kind kind, const any_layer& layer, const any_view& logits, const any_view& out,
             std::span<const side_input> side_inputs, int threads);

  // Nanoseconds of all the `calls` together.
  [[nodiscard]] std::int64_t time(std::int64_t calls) const;

  [[nodiscard]] bool streams() const { return streams_; }
  [[nodiscard]] int threads() const { return threads_; }

 private:
  // Elements first ... kept_until - 1 are kept, those up to `last` are masked. From the start of a plane.
  struct piece {
    std::uint32_t first;
    std::uint32_t kept_until;
    std::uint32_t last;
  };
  // Pieces that one thread takes at a time, on one plane.
  struct share {
    std::size_t plane_start;  // in elements
    std::size_t first_piece;
    std::size_t last_piece;
  };

  void find_pieces(const any_layer& layer, const any_view& logits, std::span<const side_input> side_inputs);
  void share_out(std::span<const std::size_t> plane_starts, std::size_t first_piece);
  void choose();
  void run(const share& what) const;

  floor_kind kind_;
  std::size_t element_bytes_;
  const std::byte* logits_;
  std::byte* out_;
  std::size_t bytes_;
  std::vector<std::byte> pattern_;  // one cache line of masked elements
  std::vector<piece> pieces_;
  std::vector<share> shares_;
  int threads_;
  bool streams_ = true;
};

}  // namespace axismask::bench
