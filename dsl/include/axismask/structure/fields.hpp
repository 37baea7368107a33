// The fields of a layer by their names: a field with its value, and the checks of a name that an edit gives.
//
// The room structure/ holds layers as trees of values: fields, edits, variables, colours.
// What may never enter it: kernels and specs.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "axismask/layer/attributes.hpp"
#include "axismask/layer/check_layer.hpp"
#include "axismask/layer/layer_type.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/readings/integer.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "axismask/structure/structure_words.hpp"

namespace axismask {

// A struct with AXISMASK_LAYER, or a composition of such.
template <class T>
concept declared_layer = requires { typename T::hana_accessors_impl; };

// A field and its value, to give to from_attributes: `field<"sliding_window_size">(512)`; for a field that is a name,
// `field<"seq_axis", "seq">()`.
template <text Name, class T>
struct named_field {
  static constexpr std::string_view field_name = Name.view();
  T value;
};
template <text Name, class T>
[[nodiscard]] constexpr named_field<Name, T> field(T value) {
  return {value};
}

template <text Name>
struct plain_name {
  static constexpr std::string_view name = Name.view();
};
template <text Field, text Name>
[[nodiscard]] constexpr named_field<Field, plain_name<Name>> field() {
  return {};
}

namespace detail {

// Names of a layer's fields that pass a test, as a list.
class field_names {
 public:
  constexpr field_names(std::span<const attribute_record> records, bool (*passes)(attribute_kind)) {
    for (const attribute_record& record : records) {
      if (passes(record.kind)) names_[size_++] = record.name;
    }
  }
  constexpr operator breach::names() const { return {names_.data(), size_}; }  // NOLINT: it is a list of names
  [[nodiscard]] constexpr std::size_t size() const { return size_; }

 private:
  std::array<std::string_view, max_attributes> names_{};
  std::size_t size_ = 0;
};
template <class Layer>
inline constexpr field_names all_fields(attribute_records<Layer>, [](attribute_kind) { return true; });
template <class Layer>
inline constexpr field_names leaf_fields(attribute_records<Layer>, is_leaf);

template <class Layer>
[[nodiscard]] constexpr std::size_t fields_of_name(std::string_view name) {
  std::size_t count = 0;
  for (const attribute_record& record : attribute_records<Layer>) count += record.name == name ? 1U : 0U;
  return count;
}

// The field of that name, or the number of fields.
template <class Layer>
[[nodiscard]] constexpr std::size_t field_index(std::string_view name) {
  std::size_t index = 0;
  while (index < attribute_count<Layer> && attribute_records<Layer>[index].name != name) ++index;
  return index;
}

template <class Layer>
inline constexpr auto leaf_indices = [] {
  std::array<std::size_t, leaf_fields<Layer>.size()> indices{};
  std::size_t next = 0;
  for (std::size_t index = 0; index < attribute_count<Layer>; ++index) {
    if (is_leaf(attribute_records<Layer>[index].kind)) indices[next++] = index;
  }
  return indices;
}();

// The index among the leaves of the leaf that is the attribute at `attribute`.
template <class Layer>
[[nodiscard]] constexpr std::size_t leaf_index(std::size_t attribute) {
  std::size_t index = 0;
  while (index < leaf_indices<Layer>.size() && leaf_indices<Layer>[index] < attribute) ++index;
  return index;
}

// `select(ApplyCausalAttentionMask): what; cure`.
template <class Layer>
[[nodiscard]] constexpr phrase said_in(std::string_view function, const breach::sentence& sentence) {
  return phrase(function) + "(" + name_of<Layer>() + "): " + sentence.what + "; " + sentence.cure;
}

// What the checks below ask. Each names in its arguments what a compiler should print.
template <class Layer, text Field>
inline constexpr bool layer_has_field = fields_of_name<Layer>(Field.view()) > 0;
template <class Layer, text Field>
inline constexpr bool layer_has_field_once = fields_of_name<Layer>(Field.view()) < 2;
template <class Layer, text Field>
inline constexpr bool field_is_leaf =
    is_leaf(attribute_records<Layer>[smaller(field_index<Layer>(Field.view()), attribute_count<Layer> - 1)].kind);

// The checks of a field that a call of `Function` names. They stand apart from what the call then does, which must
// compile after an error too, so that the error is the only one.
template <class Layer, text Function, text Field>
constexpr void check_field() {
  AXISMASK_REQUIRE((layer_has_field<Layer, Field>),
                   said_in<Layer>(Function.view(), breach::field_unknown(Field.view(), all_fields<Layer>)),
                   "a field requires the name of one of the layer's; name one of these");
  AXISMASK_REQUIRE((layer_has_field_once<Layer, Field>),
                   said_in<Layer>(Function.view(), breach::field_ambiguous(Field.view())),
                   "a field of a composition requires a name that only one of its masks has; edit that mask, and "
                   "compose afterwards");
}

template <class Layer, text Function, text Field>
constexpr void check_leaf() {
  check_field<Layer, Function, Field>();
  if constexpr (layer_has_field<Layer, Field>) {
    AXISMASK_REQUIRE((field_is_leaf<Layer, Field>),
                     said_in<Layer>(Function.view(), breach::field_is_structure(Field.view(), leaf_fields<Layer>)),
                     "a selection requires a leaf, and a name is structure; for another name build the layer with "
                     "from_attributes");
  }
}

// The index of the field, or of the leaf, of that name. Without such a field an error is reported already, and the
// index is that of some other.
template <class Layer, text Field>
inline constexpr std::size_t field_at = smaller(field_index<Layer>(Field.view()), attribute_count<Layer> - 1);
template <class Layer, text Field>
inline constexpr std::size_t leaf_at =
    layer_has_field<Layer, Field> && field_is_leaf<Layer, Field> ? field_at<Layer, Field>
                                                                 : index_of<Layer>(attribute_kind::masked_value);

}  // namespace detail

}  // namespace axismask
