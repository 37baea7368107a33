// The sentences for each way to call a layer wrongly. The compiler prints them for arrays whose axes are in their
// type, the runtime throws them for arrays whose axes are known only then.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "axismask/arrays/dtype.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"

namespace axismask::breach {

struct sentence {
  phrase what;
  phrase cure;
};

using names = std::span<const std::string_view>;

[[nodiscard]] constexpr phrase quoted(std::string_view name) { return phrase("\"") + name + "\""; }

// `attribute` is the layer's attribute that names the axis, "seq_axis" or the like. The wanted name is the layer's: an
// axis of the logits that is near to it is the one to rename.
[[nodiscard]] constexpr sentence logits_lack_axis(std::string_view axis, std::string_view attribute,
                                                  names logits_axes) {
  const std::string_view nearest = nearest_name(axis, logits_axes);
  const phrase what = phrase("the logits have no axis ") + quoted(axis) + "; they have " + quoted_list(logits_axes);
  if (nearest.empty()) {
    return {what,
            phrase("give that axis of the logits this name, or the logits' own name to the layer's ") + attribute};
  }
  return {what, phrase("rename ") + quoted(nearest) + " to " + quoted(axis) + ", or set the layer's " + attribute +
                    " to " + quoted(nearest)};
}

[[nodiscard]] constexpr sentence side_input_missing(std::string_view input, std::string_view attribute, names given) {
  // No "did you mean": a misspelt one is unknown, and that is said first.
  return {phrase("the side input ") + quoted(input) + " is missing; given: " + quoted_list(given),
          phrase("give it, or set the layer's ") + attribute};
}

[[nodiscard]] constexpr sentence side_input_unknown(std::string_view input, names taken) {
  return {phrase("there is no side input ") + quoted(input) + "; the layer takes " + quoted_list(taken) +
              did_you_mean(input, taken),
          "leave it out, or give it the name that the layer uses"};
}

[[nodiscard]] constexpr sentence side_input_twice(std::string_view input) {
  return {phrase("the side input ") + quoted(input) + " is given twice", "leave one of them out"};
}

// What stands where in a call of a layer whose type is known.
[[nodiscard]] constexpr sentence side_input_not_last() {
  return {"a side input is given here", "give the logits first, then the result of apply, then the side inputs"};
}

[[nodiscard]] constexpr sentence axes_not_known() {
  return {"the axes of an any_view are known at run time only", "give a named_view, or call a layer of a Model"};
}

[[nodiscard]] constexpr sentence options_not_first() {
  return {"options stand after or in the place of an array", "give them first: layer.apply(options, logits, ...)"};
}

[[nodiscard]] constexpr sentence no_named_axes() {
  return {"the array has no names for its axes", "give a named_view of the memory, with its axes and sizes"};
}

[[nodiscard]] constexpr sentence side_input_without_name(names taken) {
  const phrase what = phrase("an array without a name is given; the layer takes ") + quoted_list(taken);
  if (taken.empty()) return {what, "leave it out"};
  return {what, phrase("write input<") + quoted(taken.front()) + ">(array)"};
}

[[nodiscard]] constexpr sentence positions_not_integers(dtype type) {
  return {phrase("positions are integers, and this array holds ") + info(type).name, "give int32 or int64"};
}

[[nodiscard]] constexpr sentence not_integers(dtype type) {
  return {phrase("this side input holds integers, and this array holds ") + info(type).name, "give int32 or int64"};
}

[[nodiscard]] constexpr sentence mask_not_boolean(dtype type) {
  return {phrase("a mask is boolean, and this array holds ") + info(type).name, "give bool"};
}

[[nodiscard]] constexpr sentence logits_not_floats(dtype type) {
  return {phrase("logits are floats, and this array holds ") + info(type).name,
          "give float16, bfloat16, float32 or float64"};
}

// A mask by itself (mask.hpp).
[[nodiscard]] constexpr bool is_mask_dtype(dtype type) { return type == dtype::boolean || info(type).is_float; }
[[nodiscard]] constexpr sentence not_a_mask(dtype type) {
  return {phrase("a mask is written as booleans or floats, and this array holds ") + info(type).name,
          "give bool, float16, bfloat16, float32 or float64, or a bit_view"};
}

[[nodiscard]] constexpr sentence side_input_lacks_axis(std::string_view axis, names own_axes) {
  const std::string_view nearest = nearest_name(axis, own_axes);
  phrase cure = "positions of queries need the layer's seq_axis";
  if (!nearest.empty()) cure = phrase("rename ") + quoted(nearest) + " to " + quoted(axis) + ": " + cure;
  return {phrase("it has no axis ") + quoted(axis) + "; it has " + quoted_list(own_axes), cure};
}

// Positions of keys that have a name of their own: either axis will do.
[[nodiscard]] constexpr sentence key_positions_lack_axis(std::string_view query_axis, std::string_view kv_axis,
                                                         names own_axes) {
  phrase cure = "positions of keys need the layer's kv_seq_axis or, as in penzai, its seq_axis";
  for (const std::string_view wanted : {query_axis, kv_axis}) {
    const std::string_view nearest = nearest_name(wanted, own_axes);
    if (nearest.empty()) continue;
    cure = phrase("rename ") + quoted(nearest) + " to " + quoted(wanted) + ": " + cure;
    break;
  }
  return {
      phrase("it has no axis ") + quoted(kv_axis) + " or " + quoted(query_axis) + "; it has " + quoted_list(own_axes),
      cure};
}

[[nodiscard]] constexpr sentence foreign_axis(std::string_view axis, names logits_axes) {
  return {phrase("its axis ") + quoted(axis) + " is none of the logits'; they have " + quoted_list(logits_axes) +
              did_you_mean(axis, logits_axes),
          "rename the axis, or take it out of the array"};
}

[[nodiscard]] constexpr sentence axis_twice(std::string_view axis) {
  return {phrase("it has the axis ") + quoted(axis) + " twice", "rename one of the two"};
}

[[nodiscard]] constexpr sentence result_const() {
  return {"its elements are const", "give an array that can be written"};
}

[[nodiscard]] constexpr sentence result_of_other_type(dtype type, dtype logits_type) {
  return {phrase("it holds ") + info(type).name + ", and the logits " + info(logits_type).name,
          "give an array of the logits' element type"};
}

[[nodiscard]] constexpr sentence result_of_other_axes(names own_axes, names logits_axes) {
  return {phrase("its axes are ") + quoted_list(own_axes) + ", and the logits' " + quoted_list(logits_axes),
          "give an array with the logits' axes, in any order"};
}

// Positions of keys lie along the key/value axis, and may call it by the query axis' name.
[[nodiscard]] constexpr sentence key_axis_twice(std::string_view query_axis, std::string_view kv_axis) {
  return {phrase("positions of keys have the axis ") + quoted(query_axis) + ", read as " + quoted(kv_axis) + ", and " +
              quoted(kv_axis) + " too",
          "leave one of the two out"};
}

// Rules for empty rows (empty_rows.hpp).
[[nodiscard]] constexpr sentence no_rows(std::string_view rule) {
  return {quoted(rule) + " is about rows of keys, and this layer has no axis of keys",
          "leave it out, or compose this mask with one that has, such as ApplyCausalAttentionMask"};
}

[[nodiscard]] constexpr sentence no_positions_of_both() {
  return {"\"keep_self\" compares the positions of queries and keys, and this layer does not take both",
          "give \"masked\" or \"error\", or compose this mask with one that does, such as ApplyCausalAttentionMask"};
}

[[nodiscard]] constexpr sentence several_positions(std::string_view one, std::string_view other) {
  return {phrase("\"keep_self\" compares one position of each query and key, and here ") + quoted(one) + " and " +
              quoted(other) + " both give them",
          "give all masks of the layer the same side inputs, or the layer \"masked\" or \"error\""};
}

}  // namespace axismask::breach

namespace axismask {

// Throws a sentence as the error of that ID, at that place.
[[noreturn]] inline void fail(std::string id, std::string_view where, const breach::sentence& sentence) {
  throw error(std::move(id), std::string(where), sentence.what.str(), sentence.cure.str());
}

}  // namespace axismask
