// The mask of a layer by itself, written into memory of the caller: as booleans, as numbers to be added to logits, or
// as bits. What is written is what a call of the layer keeps, by its rule for rows that see nothing, and no logits are
// read for it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "axismask/array.hpp"
#include "axismask/call/call.hpp"
#include "axismask/empty_rows.hpp"
#include "axismask/layer.hpp"

namespace axismask {

struct mask_options {
  // Threads, pool and plan, as for a call of the layer. Masks are written by the processor.
  call_options call = {};
  // What an additive mask has where logits are masked; it is 0 where they are kept. The layer's own masked value is
  // not looked at, which need not be a number that can be added.
  masked_value masked = masked_value::minus_infinity();
  // Lets the key axis of the result be longer than the layer's keys, as engines want that whose caches grow in steps:
  // what is past the last key is masked. Without it a longer axis is an error.
  bool pad_keys = false;
};

// Writes the mask of a layer. `out` has the axes that logits have, in any order and of any strides: the query and the
// key axis, those of the side inputs and of windows, and any others, along which the mask repeats. Its dtype says the
// form: bool has true where a logit is kept; a float dtype has 0 there, and `masked` elsewhere.
//   write_mask(model.layer("layers.0").values(), out, {{"token_positions", positions}})
// After the first call of its size it allocates no array. `out` may not lie over a side input.
// Throws `error`, and then nothing is written: mask-dtype for another dtype, those of a call of the layer, where `out`
// stands for the logits, and masked-value for a value that the dtype cannot hold.
void write_mask(const layer_values& layer, const any_view& out, const side_inputs& inputs,
                const mask_options& options = {});

// Which bit of a byte is the first.
enum class bit_order : std::uint8_t {
  little,  // bit 0, of the value 1: NumPy's packbits(bitorder="little"), FlashInfer
  big,     // bit 7, of the value 128: NumPy's packbits
};

// Bits in memory that are a mask: 1 where a logit is kept. It owns neither the memory nor the names.
class bit_view {
 public:
  // Axes outermost first, each with a stride that counts bits and is not negative. Bits between them are left alone.
  bit_view(void* data, std::span<const named_axis> axes, bit_order order);

  // In C order; each row along the last axis starts with a byte, and bits that fill its last byte are written as 0.
  [[nodiscard]] static bit_view with_padded_rows(void* data, std::span<const named_axis> axes, bit_order order);
  // In C order without a gap: only the end of all is filled to a byte, with 0.
  [[nodiscard]] static bit_view packed(void* data, std::span<const named_axis> axes, bit_order order);

  // How many bytes they take, from the first bit to the last.
  [[nodiscard]] std::int64_t byte_count() const;
  [[nodiscard]] const any_view& bits() const { return bits_; }  // strides in bits
  [[nodiscard]] bit_order order() const { return order_; }

 private:
  friend void write_mask(const layer_values& layer, const bit_view& out, const side_inputs& inputs,
                         const mask_options& options);
  enum class padding : std::uint8_t { none, rows, end };

  any_view bits_;
  bit_order order_;
  padding padding_ = padding::none;
};

// The same as bits. Errors besides: mask-bits for strides that bits cannot have.
void write_mask(const layer_values& layer, const bit_view& out, const side_inputs& inputs,
                const mask_options& options = {});

namespace detail {

// What the checks of the compiler ask. They name in their arguments what a compiler should print.
template <class Layer, class Element>
inline constexpr bool is_element_of_a_mask = breach::is_mask_dtype(element_dtype<Element>::value);

template <class Layer, class Out, class... Inputs>
constexpr void check_mask_call() {
  check_is_array<Layer, "result", std::remove_const_t<Out>>();
  if constexpr (named<Out>) {
    (check_has_name<Layer, Inputs>(), ...);
    using view = decltype(as_view(std::declval<Out&>()));
    using element = std::remove_const_t<typename view::element_type>;
    AXISMASK_REQUIRE((is_element_of_a_mask<Layer, element>),
                     said_of<Layer>("result", breach::not_a_mask(element_dtype<element>::value)),
                     "a mask is written as bool or as floats; give an array of bool, float, float16 or bfloat16");
    AXISMASK_REQUIRE((result_can_be_written<Layer, typename view::element_type>),
                     said_of<Layer>("result", breach::result_const()),
                     "the result requires memory that can be written; give an array of elements that are not const");
    if constexpr (are_side_inputs<Inputs...>) {
      check_call<Layer, named_view<float, typename view::axes_type>, Inputs...>();
    }
  }
}

template <class Layer, class Out, class... Inputs>
void write_mask_of(const mask_options& options, const Layer& layer, Out& out, const Inputs&... inputs) {
  using bare_layer = typename bare<Layer>::type;
  if constexpr (!std::is_same_v<std::remove_const_t<Out>, bit_view>) check_mask_call<bare_layer, Out, Inputs...>();
  if constexpr (is_layer<bare_layer> && are_side_inputs<Inputs...>) {
    with_ruled_values(layer, [&](const layer_values& values) {
      const std::array<side_input, sizeof...(Inputs)> given{side_input(inputs)...};
      if constexpr (std::is_same_v<std::remove_const_t<Out>, bit_view>) {
        ::axismask::write_mask(values, out, given, options);
      } else if constexpr (named<Out>) {
        ::axismask::write_mask(values, as_view(out).erased(), given, options);
      }
    });
  }
}

}  // namespace detail

// Writes the mask of a layer whose names are known to the compiler, with its rule for empty rows if it has one. `out`
// is a named_view, a named_array or a bit_view. Options come first, as in calls of the layer.
//   write_mask(local, out, input<"token_positions">(p))
//   write_mask(mask_options{.pad_keys = true}, local, out, input<"token_positions">(p))
template <detail::any_static_layer Layer, class Out, class... Inputs>
void write_mask(const Layer& layer, Out&& out, const Inputs&... inputs) {
  detail::write_mask_of({}, layer, out, inputs...);
}
template <detail::any_static_layer Layer, class Out, class... Inputs>
void write_mask(const mask_options& options, const Layer& layer, Out&& out, const Inputs&... inputs) {
  detail::write_mask_of(options, layer, out, inputs...);
}

}  // namespace axismask
