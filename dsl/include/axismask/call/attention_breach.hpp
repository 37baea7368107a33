// The sentences for each way to attend wrongly with arrays whose axes the compiler knows (attention.hpp). What the
// runtime says of arrays whose axes are known only then stands where it binds them, in the same words.
#pragma once

#include <string_view>

#include "axismask/arrays/dtype.hpp"
#include "axismask/call/call_breach.hpp"
#include "axismask/messages/text.hpp"

namespace axismask::breach {

[[nodiscard]] constexpr bool is_attention_dtype(dtype type) {
  return type == dtype::float32 || type == dtype::float16 || type == dtype::bfloat16;
}

[[nodiscard]] constexpr sentence no_attention_array() {
  return {
      "it is no array with names for its axes",
      "give a named_view of the memory; queries, keys and values come first, then the result of attend_to, then side "
      "inputs, sinks and log_sum_exp"};
}

[[nodiscard]] constexpr sentence no_attention_input() {
  return {"an array or an option is given that says not what it is",
          "write input<\"name\">(array), sinks(array) or log_sum_exp(array), and options first: attend(options, layer, "
          "...)"};
}

[[nodiscard]] constexpr sentence attention_input_twice() { return {"it is given twice", "leave one of them out"}; }

[[nodiscard]] constexpr sentence not_attention_floats(dtype type) {
  return {phrase("it holds ") + info(type).name, "give float, float16 or bfloat16"};
}

[[nodiscard]] constexpr sentence not_float32(dtype type) {
  return {phrase("it holds ") + info(type).name, "give float"};
}

[[nodiscard]] constexpr sentence lacks_projection(std::string_view projection, names own_axes) {
  return {phrase("it has no axis ") + quoted(projection) + "; it has " + quoted_list(own_axes),
          "give it that axis, or the call the name of yours: attend<\"name\">(...)"};
}

[[nodiscard]] constexpr sentence no_key_axis() {
  return {"it has no key axis to attend along",
          "compose it with a mask that has one, such as ApplyCausalAttentionMask"};
}

[[nodiscard]] constexpr sentence queries_have_key_axis(std::string_view axis, names own_axes) {
  return {phrase("it has the mask's key axis ") + quoted(axis) + "; it has " + quoted_list(own_axes),
          "rename it: keys have that axis"};
}

// `attribute` is the layer's attribute that names the axis, "seq_axis" or the like.
[[nodiscard]] constexpr sentence lacks_mask_axis(std::string_view axis, std::string_view attribute, names own_axes) {
  const std::string_view nearest = nearest_name(axis, own_axes);
  const phrase what = phrase("it has no axis ") + quoted(axis) + "; it has " + quoted_list(own_axes);
  if (nearest.empty()) {
    return {what, phrase("give that axis of the array this name, or the array's own name to the layer's ") + attribute};
  }
  return {what, phrase("rename ") + quoted(nearest) + " to " + quoted(axis) + ", or set the layer's " + attribute +
                    " to " + quoted(nearest)};
}

[[nodiscard]] constexpr sentence keys_have_query_axis(std::string_view axis, names own_axes) {
  return {phrase("it has the mask's query axis ") + quoted(axis) + "; it has " + quoted_list(own_axes),
          "keys and values are the same for all queries: rename the axis, or take it out"};
}

[[nodiscard]] constexpr sentence not_an_axis_of_queries(std::string_view axis, names query_axes) {
  return {phrase("its axis ") + quoted(axis) + " is none of the queries'; they have " + quoted_list(query_axes) +
              did_you_mean(axis, query_axes),
          "rename the axis, or take it out of the array"};
}

[[nodiscard]] constexpr sentence not_the_axes_of_queries(names own_axes, names query_axes) {
  return {phrase("its axes are ") + quoted_list(own_axes) + ", and the queries' " + quoted_list(query_axes),
          "give an array with the queries' axes, in any order"};
}

}  // namespace axismask::breach
