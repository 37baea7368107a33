// Masks composed of masks: `a & b` keeps what both keep, `a | b` what one of them keeps, `!a` what `a` masks. Each is a
// layer like any other, with one kernel, and composes further.
#pragma once

#include <boost/hana/accessors.hpp>
#include <boost/hana/bool.hpp>
#include <boost/hana/filter.hpp>
#include <boost/hana/first.hpp>
#include <boost/hana/flatten.hpp>
#include <boost/hana/pair.hpp>
#include <boost/hana/second.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/transform.hpp>
#include <boost/hana/tuple.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "axismask/declaration/layer_macro.hpp"
#include "axismask/declaration/linking.hpp"
#include "axismask/layer/check_layer.hpp"
#include "axismask/layer/layer_type.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {

namespace detail {

// "all(A, B)": the name by which the runtime finds the kernels.
template <composition How, class... Masks>
[[nodiscard]] constexpr phrase name_of_composition() {
  phrase name = phrase(key_of(How)) + "(";
  bool first = true;
  ((name += first ? "" : ", ", name += unqualified_name<Masks>(), first = false), ...);
  return name + ")";
}

// A composed layer has the masked value once, and then every other attribute of its parts, in their order.
template <composition How, class... Masks>
struct composed {
  masked_value masked_out_value;
  std::tuple<Masks...> masks;

  static constexpr auto composed_name = to_text([] { return name_of_composition<How, Masks...>(); });

  static constexpr void check_parts() { (check_layer<Masks>(), ...); }

  // The operands are the side inputs of all parts, and then the parameters of all parts.
  template <class... Operands>
  static constexpr auto keep(Operands... operands) {
    const std::tuple<Operands...> all(operands...);
    return [&]<std::size_t... Part>(std::index_sequence<Part...>) {
      if constexpr (How == composition::all) {
        return (keep_of_part<Part>(all) && ...);
      } else if constexpr (How == composition::any) {
        return (keep_of_part<Part>(all) || ...);
      } else {
        return !keep_of_part<0>(all);
      }
    }(std::index_sequence_for<Masks...>());
  }

  struct hana_accessors_impl {
    static constexpr auto apply() { return accessors(std::index_sequence_for<Masks...>()); }

   private:
    template <std::size_t Part>
    static constexpr auto accessors_of_part() {
      using part = part_type<Part>;
      constexpr auto is_taken = [](auto accessor) {
        using type = std::remove_cvref_t<decltype(boost::hana::second(accessor)(std::declval<const part&>()))>;
        return boost::hana::bool_c < kind_of<type>() != attribute_kind::masked_value > ;
      };
      constexpr auto through_part = [](auto accessor) {
        return boost::hana::make_pair(boost::hana::first(accessor),
                                      [inner = boost::hana::second(accessor)](const composed& layer) -> const auto& {
                                        return inner(std::get<Part>(layer.masks));
                                      });
      };
      return boost::hana::transform(boost::hana::filter(boost::hana::accessors<part>(), is_taken), through_part);
    }

    template <std::size_t... Part>
    static constexpr auto accessors(std::index_sequence<Part...>) {
      const auto own = boost::hana::make_tuple(
          boost::hana::make_pair(BOOST_HANA_STRING("masked_out_value"),
                                 [](const composed& layer) -> const auto& { return layer.masked_out_value; }));
      return boost::hana::flatten(boost::hana::make_tuple(own, accessors_of_part<Part>()...));
    }
  };

  static void axismask_ask_for_kernels() { axismask_ask_as_part<composition_number(layer_type_of<composed>.name)>(); }
  template <std::uint32_t Composition>
  static void axismask_ask_as_part() {
    (Masks::template axismask_ask_as_part<Composition>(), ...);
  }
  AXISMASK_LAYER_CALLS(composed)

 private:
  template <std::size_t Part>
  using part_type = std::tuple_element_t<Part, std::tuple<Masks...>>;

  // How many side inputs, or parameters, the parts before this one take.
  template <std::size_t Part>
  static constexpr std::size_t before(bool side_inputs) {
    constexpr std::array<std::size_t, sizeof...(Masks)> inputs{side_input_count<Masks>...};
    constexpr std::array<std::size_t, sizeof...(Masks)> operands{operand_count<Masks>...};
    std::size_t count = 0;
    for (std::size_t part = 0; part < Part; ++part) count += side_inputs ? inputs[part] : operands[part] - inputs[part];
    return count;
  }

  template <std::size_t Part, class Operands>
  static constexpr auto keep_of_part(const Operands& all) {
    using part = part_type<Part>;
    constexpr std::size_t first_input = before<Part>(true);
    constexpr std::size_t first_parameter = (side_input_count<Masks> + ...) + before<Part>(false);
    return [&]<std::size_t... Input, std::size_t... Parameter>(std::index_sequence<Input...>,
                                                               std::index_sequence<Parameter...>) {
      return part::keep(std::get<first_input + Input>(all)..., std::get<first_parameter + Parameter>(all)...);
    }(std::make_index_sequence<side_input_count<part>>(),
           std::make_index_sequence<operand_count<part> - side_input_count<part>>());
  }
};

template <composition How, class... Masks>
inline constexpr composition composition_of<composed<How, Masks...>> = How;
template <composition How, class... Masks>
inline constexpr std::array<const layer_type*, sizeof...(Masks)> parts_of_layer<composed<How, Masks...>>{
    &layer_type_of<Masks>...};

// The parts of a composition of the same kind, or the mask itself: `a & b & c` is one composition of three.
template <composition How, class Mask>
[[nodiscard]] constexpr auto parts_of(const Mask& mask) {
  return std::tuple<Mask>(mask);
}
template <composition How, class... Masks>
  requires(How != composition::inverse)
[[nodiscard]] constexpr auto parts_of(const composed<How, Masks...>& mask) {
  return mask.masks;
}

template <composition How, class A, class B>
[[nodiscard]] constexpr auto compose(const A& a, const B& b) {
  const masked_value& value = attribute_of<A, index_of<A>(attribute_kind::masked_value)>(a);
  if (value != attribute_of<B, index_of<B>(attribute_kind::masked_value)>(b)) {
    throw error("masked-values-differ", std::string(name_of<A>() + ", " + name_of<B>()),
                "masks that are composed have one masked_out_value, and these have two", "give both the same");
  }
  return std::apply(
      [&](const auto&... parts) { return composed<How, std::remove_cvref_t<decltype(parts)>...>{value, {parts...}}; },
      std::tuple_cat(parts_of<How>(a), parts_of<How>(b)));
}

template <class A, class B>
[[nodiscard]] constexpr auto compose_all(const A& a, const B& b) {
  return compose<composition::all>(a, b);
}
template <class A, class B>
[[nodiscard]] constexpr auto compose_any(const A& a, const B& b) {
  return compose<composition::any>(a, b);
}
template <class A>
[[nodiscard]] constexpr auto compose_not(const A& a) {
  return composed<composition::inverse, A>{attribute_of<A, index_of<A>(attribute_kind::masked_value)>(a), {a}};
}

}  // namespace detail

// The types of compositions, to name them in AXISMASK_LAYERS: `all_of<ApplyCausalAttentionMask<>, MyMask>`.
template <class... Masks>
using all_of = detail::composed<composition::all, Masks...>;
template <class... Masks>
using any_of = detail::composed<composition::any, Masks...>;
template <class Mask>
using not_of = detail::composed<composition::inverse, Mask>;

}  // namespace axismask
