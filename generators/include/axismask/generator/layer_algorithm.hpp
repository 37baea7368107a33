// A layer as the generators see it: its record, and its `keep` read as Halide's expressions. This is all of a layer
// that a generator program instantiates; the generators themselves are compiled once.
#pragma once

#include <Halide.h>

#include <cstddef>
#include <span>
#include <type_traits>

#include "axismask/generator/expression.hpp"
#include "axismask/layer/reflection.hpp"

namespace axismask::generator {

// `keep` of operands, each an element of an array of integers, or of booleans as bytes.
using keep_expression = condition (*)(std::span<const Halide::Expr> operands);

struct layer_algorithm {
  const layer_type* type;
  keep_expression keep;         // computes with 64 bits
  keep_expression narrow_keep;  // computes with 32 bits, for calls whose numbers are small
};

template <class Layer, class Number>
[[nodiscard]] condition keep_of(std::span<const Halide::Expr> operands) {
  return read_keep<Layer, Number, condition>(
      [&]<class T>(std::size_t place, std::type_identity<T>) { return T::of_element(operands[place]); });
}

template <class Layer>
inline constexpr layer_algorithm algorithm_of{&layer_type_of<Layer>, keep_of<Layer, number>,
                                              keep_of<Layer, narrow_number>};

}  // namespace axismask::generator
