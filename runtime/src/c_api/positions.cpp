// Positions of serving, and the ring of a cache.
#include "axismask/positions.hpp"

#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "arrays/bind_arrays.hpp"
#include "c_api/given.hpp"
#include "c_api/objects.hpp"
#include "c_api/status.hpp"

namespace axismask::c_api {
namespace {

// An array whose elements lie one after another in the host's memory. Throws c-layout for another.
struct dense_array {
  void* data;
  std::int32_t type;
  std::size_t count;

  template <class T>
  [[nodiscard]] std::span<T> as() const {
    return {static_cast<T*>(data), count};
  }
};

dense_array dense(const axismask_array* array, std::string_view where) {
  const axismask_array& its = given(array, where);
  const std::int64_t bytes = bytes_of(its.dtype, where);
  if (its.ndim < 0 || its.ndim > AXISMASK_MAX_AXES || its.device != AXISMASK_HOST) {
    throw error("c-layout", std::string(where), "it is no array in the host's memory of up to 16 axes",
                "give memory of the host");
  }
  if (its.ndim > 0 && its.shape == nullptr) refuse_null({where, "shape"}, "give a size for each axis");
  std::int64_t count = 1;
  for (std::int32_t axis = its.ndim; axis-- > 0;) {
    const std::int64_t size = its.shape[axis];
    if (size < 0) {
      throw error("axis-size", place{where, "shape", axis}.text(), "it is " + std::to_string(size),
                  "give sizes of at least 0");
    }
    if (its.strides != nullptr && size > 1 && its.strides[axis] != count) {
      throw error("c-layout", place{where, "strides", axis}.text(),
                  "it is " + std::to_string(its.strides[axis]) + ", and in C order it is " + std::to_string(count),
                  "give an array in C order");
    }
    std::int64_t in_bytes = 0;
    if (__builtin_mul_overflow(count, size, &count) || __builtin_mul_overflow(count, bytes, &in_bytes)) {
      throw error("c-size", std::string(where), "its shape reaches further than addresses do", "give the array's own");
    }
  }
  if (count > 0 && its.data == nullptr) refuse_null({where, "data"}, "give a pointer to its first element");
  const std::size_t beyond = bytes_beyond_alignment(its.data, bytes);
  if (count > 0 && beyond > 0) refuse_alignment(where, beyond, bytes);
  return {its.data, its.dtype, static_cast<std::size_t>(count)};
}

// Calls act(span of the positions) with their type. Throws positions-dtype and result-const.
template <class Act>
void with_positions(const axismask_array* array, std::string_view where, Act act) {
  const dense_array its = dense(array, where);
  if (array->read_only != 0) {
    throw error("result-const", std::string(where), "it is read only", "give an array that can be written");
  }
  if (its.type == AXISMASK_INT32) return act(its.as<std::int32_t>());
  if (its.type == AXISMASK_INT64) return act(its.as<std::int64_t>());
  throw error("positions-dtype", std::string(where), "positions are integers of 32 or 64 bits",
              "give AXISMASK_INT32 or AXISMASK_INT64");
}

// The whole numbers of an array.
std::vector<std::int64_t> numbers_of(const axismask_array* array, std::string_view where) {
  const dense_array its = dense(array, where);
  const auto widened = [&]<class T>(std::type_identity<T>) {
    const std::span<const T> numbers = its.as<const T>();
    return std::vector<std::int64_t>(numbers.begin(), numbers.end());
  };
  switch (its.type) {
    case AXISMASK_INT32:
      return widened(std::type_identity<std::int32_t>());
    case AXISMASK_INT64:
      return widened(std::type_identity<std::int64_t>());
    case AXISMASK_INT8:
      return widened(std::type_identity<std::int8_t>());
    case AXISMASK_INT16:
      return widened(std::type_identity<std::int16_t>());
    case AXISMASK_BOOL:  // any byte: the numbers are checked
    case AXISMASK_UINT8:
      return widened(std::type_identity<std::uint8_t>());
    default:
      break;
  }
  throw error("c-dtype", place{where, "dtype"}.text(), "its elements are floats", "give bool or integers");
}

std::span<const std::int64_t> lengths_of(const std::int64_t* lengths, std::size_t count) {
  if (count > 0 && lengths == nullptr) refuse_null({"lengths"}, "give a length for each row");
  return {lengths, count};
}

void check_width(std::int64_t width) {
  if (width >= 0) return;
  throw error("positions-length", "width", "it is " + std::to_string(width), "give a width of at least 0");
}

// Calls act(documents, out) for two arrays of the same dtype.
template <class Act>
void with_documents(const axismask_array* documents, const axismask_array* out, Act act) {
  with_positions(out, "out", [&]<class Position>(std::span<Position> positions) {
    with_positions(documents, "documents", [&]<class Number>(std::span<Number> numbers) {
      if constexpr (std::is_same_v<Position, Number>) {
        act(numbers, positions);
      } else {
        throw error("positions-dtype", "documents", "it has another dtype than `out`", "give both the same");
      }
    });
  });
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;
namespace positions = axismask::positions;

axismask_status axismask_positions_consecutive(std::int64_t first, const axismask_array* out) {
  return guarded([&] { with_positions(out, "out", [&](auto span) { positions::consecutive(span, first); }); });
}

axismask_status axismask_positions_left_padded(const std::int64_t* lengths, std::size_t count, std::int64_t width,
                                               const axismask_array* out) {
  return guarded([&] {
    check_width(width);
    const auto all = lengths_of(lengths, count);
    with_positions(out, "out", [&](auto span) { positions::left_padded(all, width, span); });
  });
}

axismask_status axismask_positions_right_padded(const std::int64_t* lengths, std::size_t count, std::int64_t width,
                                                const axismask_array* out) {
  return guarded([&] {
    check_width(width);
    const auto all = lengths_of(lengths, count);
    with_positions(out, "out", [&](auto span) { positions::right_padded(all, width, span); });
  });
}

axismask_status axismask_positions_packed(const std::int64_t* lengths, std::size_t count,
                                          const axismask_array* documents, const axismask_array* out) {
  return guarded([&] {
    const auto all = lengths_of(lengths, count);
    with_documents(documents, out, [&](auto numbers, auto span) { positions::packed(all, numbers, span); });
  });
}

axismask_status axismask_positions_from_attention_mask(const axismask_array* mask, std::int64_t width,
                                                       const axismask_array* out) {
  return guarded([&] {
    const std::vector<std::int64_t> flags = numbers_of(mask, "mask");
    with_positions(out, "out", [&](auto span) { positions::from_attention_mask(std::span(flags), width, span); });
  });
}

axismask_status axismask_positions_from_position_ids(const axismask_array* ids, const axismask_array* mask,
                                                     const axismask_array* out) {
  return guarded([&] {
    const std::vector<std::int64_t> numbers = numbers_of(ids, "ids");
    const std::vector<std::int64_t> flags = numbers_of(mask, "mask");
    with_positions(out, "out",
                   [&](auto span) { positions::from_position_ids(std::span(numbers), std::span(flags), span); });
  });
}

axismask_status axismask_positions_from_cu_seqlens(const axismask_array* cu_seqlens, const axismask_array* documents,
                                                   const axismask_array* out) {
  return guarded([&] {
    const std::vector<std::int64_t> offsets = numbers_of(cu_seqlens, "cu_seqlens");
    with_documents(documents, out,
                   [&](auto numbers, auto span) { positions::from_cu_seqlens(std::span(offsets), numbers, span); });
  });
}

axismask_status axismask_ring_capacity(std::int64_t window, std::int64_t longest_chunk, std::int64_t sinks,
                                       std::int64_t* slots) {
  return guarded([&] {
    there(slots, "slots") = 0;
    constexpr std::int64_t most = std::int64_t{1} << 60;
    for (const auto& [number, name, lowest] :
         {std::tuple(window, "window", 1), std::tuple(longest_chunk, "longest_chunk", 1),
          std::tuple(sinks, "sinks", 0)}) {
      if (number >= lowest && number <= most) continue;
      throw axismask::error("ring-capacity", name, "it is " + std::to_string(number),
                            "give at least " + std::to_string(lowest) + ", and no more than memory has");
    }
    *slots = positions::ring_capacity(window, longest_chunk, sinks);
  });
}

axismask_status axismask_ring_make(const axismask_array* slots, std::int64_t window, std::int64_t sinks,
                                   axismask_ring** ring) {
  return guarded([&] {
    there(ring, "ring") = nullptr;
    with_positions(slots, "slots", [&]<class Position>(std::span<Position> span) {
      *ring = give(std::make_unique<ring_object>(ring_object{positions::ring<Position>(span, window, sinks)}));
    });
  });
}

axismask_status axismask_ring_tokens(const axismask_ring* ring, std::int64_t* tokens) {
  return guarded([&] {
    const ring_object& its = object_of<ring_object>(ring, "ring");
    there(tokens, "tokens") = std::visit([](const auto& one) { return one.tokens(); }, its.ring);
  });
}

axismask_status axismask_ring_append(axismask_ring* ring, std::int64_t count) {
  return guarded([&] { std::visit([&](auto& one) { one.append(count); }, object_of<ring_object>(ring, "ring").ring); });
}

axismask_status axismask_ring_trim(axismask_ring* ring, std::int64_t tokens) {
  return guarded([&] { std::visit([&](auto& one) { one.trim(tokens); }, object_of<ring_object>(ring, "ring").ring); });
}

axismask_status axismask_ring_free(axismask_ring* ring) {
  return guarded([&] { free_object<ring_object>(ring, "ring"); });
}
