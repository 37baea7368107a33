// Masked attention: softmax(mask(scale * queries . keys)) . values, without the scores ever being in memory. Tiles that
// the mask hides are skipped, and those that it leaves whole are computed without it; the layer's own kernel decides
// the others while they are in the cache. docs/attention.md says how, and how fast.
//
// Link axismask::attention, which has the kernels. It computes on processors, in float32, from arrays of float32,
// float16 or bfloat16.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "axismask/array.hpp"
#include "axismask/call/call.hpp"
#include "axismask/call/check_attention.hpp"
#include "axismask/empty_rows.hpp"
#include "axismask/layer.hpp"

namespace axismask {

struct attention_options {
  // Threads and pool, as for a call of the layer. A plan is checked; tiles are attention's own.
  call_options call = {};
  // The axis that queries and keys are multiplied along, and along which values and the result have their numbers.
  std::string_view projection = "projection";
  // What scores are multiplied by; none: 1 / sqrt(size of the projection axis of the queries).
  std::optional<double> scale = {};
  // Not 0: a score s becomes softcap * tanh(s / softcap), before the mask (Gemma 2).
  double softcap = 0;
  // A score that each softmax has besides those of its keys, and which has no value (gpt-oss): float32, over some of
  // the queries' axes, without the projection.
  std::optional<any_view> sinks = {};
  // Takes the logarithm of each softmax's denominator, sinks included: float32, the queries' axes without the
  // projection.
  std::optional<any_view> log_sum_exp = {};
};

// The arrays of a call.
struct attention_arrays {
  any_view queries;
  any_view keys;
  any_view values;
  any_view out;
};

// Attends:
//   attend(model.layer("layers.0").values(), {.queries = q, .keys = k, .values = v, .out = o},
//          {{"token_positions", positions}})
// Axes, in any order and of any strides:
//   queries  those that the mask has (its query axis, those of its side inputs), any others, and the projection
//   keys     the mask's key axis, the projection, and any of the queries' other axes but the query axis
//   values   the same, with a projection of any size
//   out      the queries' axes, with the values' projection; it overlaps no other array
// An axis that keys lack is shared: all its queries see the same keys (grouped queries). Dtypes may differ from array
// to array.
//
// Rows of which the mask keeps nothing: by the layer's rule `masked` the result is the literal softmax of the masked
// scores, for a finite masked value the mean of all values, for -infinity NaN; by `zeros` it is 0, and its log_sum_exp
// -infinity; `keep_self` and `error` are as ever. Keys that are masked change nothing, infinities and NaNs included,
// but where a softmax gives masked keys a weight: by `masked`, with a masked value not far below the scores.
//
// The result does not depend on the number of threads. After the first call of its size it allocates no array.
// Throws `error`, and then nothing is written: attention-axes, attention-dtype, attention-overlap, attention-option,
// device-attention for arrays or a call on a device, and those of a call of the layer.
void attend(const layer_values& layer, const attention_arrays& arrays, const side_inputs& inputs,
            const attention_options& options = {});

namespace detail {

template <class Given>
void take_input(const Given& given, attention_options& options, side_input*& next) {
  if constexpr (is_sinks<Given>) {
    options.sinks = given.view.erased();
  } else if constexpr (is_log_sum_exp<Given>) {
    options.log_sum_exp = given.view.erased();
  } else {
    *next++ = given;
  }
}

template <class... Given>
inline constexpr std::size_t input_count = (std::size_t{0} + ... + std::size_t{is_named_input<Given>});

// Attends, if the arrays are such that the compiler has no more to say of them.
template <text Projection, class Layer, class Queries, class Keys, class Values, class Out, class... Given>
// NOLINTNEXTLINE(readability-function-size): the arrays of a call are arguments of their own
void attend_named(attention_options options, const Layer& layer, const Queries& queries, const Keys& keys,
                  const Values& values, Out& out, const Given&... given) {
  if constexpr (is_layer<typename bare<Layer>::type> && are_attention_inputs<Given...>) {
    options.projection = Projection.view();
    std::array<side_input, input_count<Given...>> inputs{};
    [[maybe_unused]] side_input* next = inputs.data();
    (take_input(given, options, next), ...);
    with_ruled_values(layer, [&](const layer_values& of_layer) {
      ::axismask::attend(of_layer,
                         {.queries = as_view(queries).erased(),
                          .keys = as_view(keys).erased(),
                          .values = as_view(values).erased(),
                          .out = as_view(out).erased()},
                         inputs, options);
    });
  }
}

template <text Projection, class Layer, class Queries, class Keys, class Values, class... Given>
[[nodiscard]] auto attend_of(const attention_options& options, const Layer& layer, const Queries& queries,
                             const Keys& keys, const Values& values, const Given&... given) {
  check_attention<typename bare<Layer>::type, Projection, const Queries, const Keys, const Values, void, Given...>();
  if constexpr (have_projection<Projection, const Queries, const Keys, const Values>) {
    using query_axes = axes_of<const Queries>;
    std::array<std::int64_t, query_axes::rank> sizes = as_view(queries).sizes();
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
      if (query_axes::names[axis] == Projection.view()) sizes[axis] = as_view(values).template size<Projection>();
    }
    named_array<element_of<const Queries>, query_axes> out(sizes);
    attend_named<Projection>(options, layer, queries, keys, values, out, given...);
    return out;
  } else {
    return refused_input();  // the call has had its error
  }
}

template <text Projection, class Layer, class Queries, class Keys, class Values, class Out, class... Given>
// NOLINTNEXTLINE(readability-function-size): the arrays of a call are arguments of their own
void attend_to_of(const attention_options& options, const Layer& layer, const Queries& queries, const Keys& keys,
                  const Values& values, Out& out, const Given&... given) {
  check_attention<typename bare<Layer>::type, Projection, const Queries, const Keys, const Values, Out, Given...>();
  if constexpr (named<const Queries> && named<const Keys> && named<const Values> && named<Out>) {
    attend_named<Projection>(options, layer, queries, keys, values, out, given...);
  }
}

}  // namespace detail

// Attends with a layer whose names are known to the compiler, with its rule for empty rows if it has one. The arrays
// are named_views or named_arrays, and all that is said above of their axes is checked at compile time. After them, in
// any order, come the layer's side inputs and, if wanted, sinks(array) and log_sum_exp(array); options come first. The
// projection is a template argument if it has another name, which attention_options::projection then does not say.
//   named_array<float, ...> out = attend(causal, queries, keys, values, input<"token_positions">(positions));
//   attend<"head_dim">(attention_options{.softcap = 50}, causal, queries, keys, values, ...)
// The result is an array with the queries' elements and axes, and the values' size of the projection.
template <text Projection = "projection", detail::any_static_layer Layer, class Queries, class Keys, class Values,
          class... Given>
[[nodiscard]] auto attend(const Layer& layer, const Queries& queries, const Keys& keys, const Values& values,
                          const Given&... given) {
  return detail::attend_of<Projection>({}, layer, queries, keys, values, given...);
}
template <text Projection = "projection", detail::any_static_layer Layer, class Queries, class Keys, class Values,
          class... Given>
[[nodiscard]] auto attend(const attention_options& options, const Layer& layer, const Queries& queries,
                          const Keys& keys, const Values& values, const Given&... given) {
  return detail::attend_of<Projection>(options, layer, queries, keys, values, given...);
}

// The same into memory of the caller: `out` is a named_view or a named_array of float, float16 or bfloat16.
//   attend_to(causal, queries, keys, values, out, input<"token_positions">(positions));
template <text Projection = "projection", detail::any_static_layer Layer, class Queries, class Keys, class Values,
          class Out, class... Given>
void attend_to(const Layer& layer, const Queries& queries, const Keys& keys, const Values& values, Out&& out,
               const Given&... given) {
  detail::attend_to_of<Projection>({}, layer, queries, keys, values, out, given...);
}
template <text Projection = "projection", detail::any_static_layer Layer, class Queries, class Keys, class Values,
          class Out, class... Given>
// NOLINTNEXTLINE(readability-function-size): the arrays of a call are arguments of their own
void attend_to(const attention_options& options, const Layer& layer, const Queries& queries, const Keys& keys,
               const Values& values, Out&& out, const Given&... given) {
  detail::attend_to_of<Projection>(options, layer, queries, keys, values, out, given...);
}

}  // namespace axismask
