// Layers of a spec as trees of values, by the methods that penzai's layers inherit from `Struct`. They are those of
// axismask/structure.hpp, for names of fields and variables that are known at run time only. Each throws `error`; the
// IDs are listed after "Errors:".
//
// A layer's leaves are its values; the names of side inputs and axes are its structure, as in penzai. A layer never
// changes: each edit gives a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/model.hpp"
#include "axismask/structure/structure_words.hpp"

namespace axismask {

// A leaf whose value comes later.
struct any_variable {
  explicit any_variable(std::string the_label) : label(std::move(the_label)) {}
  std::string label;

  friend bool operator==(const any_variable&, const any_variable&) = default;
};

// One number for each index of an axis of the logits.
struct axis_counts {
  std::string axis;
  std::vector<std::int64_t> values;

  friend bool operator==(const axis_counts&, const axis_counts&) = default;
};

// The value of a field: the masked value, a parameter of one number or of several, the name of a side input or an axis,
// or a variable instead of a leaf.
using any_attribute = std::variant<masked_value, std::int64_t, axis_counts, std::string, any_variable>;

// ------------------------------------------------------------------------------------------------------ Attributes

// Fields with their values.
using any_attributes = std::vector<std::pair<std::string, any_attribute>>;

// Returns every field of a layer with its value, in its type's order.
[[nodiscard]] any_attributes attributes_dict(const any_layer& layer);

// Makes a layer from a value for each of its fields, names too, in any order. `type` is a linked layer type, or its
// name; `name` is the layer's own. Errors: layer-type, field-unknown, field-missing, field-twice, field-type,
// field-value.
[[nodiscard]] any_layer from_attributes(std::string_view type, const any_attributes& fields, std::string name = {});
[[nodiscard]] any_layer from_attributes(const layer_type& type, const any_attributes& fields, std::string name = {});

// Returns the layer with another rule for rows of which nothing is kept. The rule is no field, and edits keep it; so
// they do what a spec says of the layer's attention.
// Errors: field-value when the layer lacks what the rule needs.
[[nodiscard]] any_layer with_empty_rows(const any_layer& layer, empty_row_rule rule);

// Returns the key that stands for a field in the path to a leaf. Errors: field-unknown.
[[nodiscard]] attribute_key key_for_field(const any_layer& layer, std::string_view field);

// ------------------------------------------------------------------------------------------------------ Selections

// One leaf of a layer.
class any_leaf_selection {
 public:
  any_leaf_selection(any_layer layer, std::size_t index) : layer_(std::move(layer)), index_(index) {}

  // Returns the leaf's value.
  [[nodiscard]] any_attribute get() const;
  // Returns the layer with this value for the leaf. Errors: field-type, field-value.
  [[nodiscard]] any_layer set(const any_attribute& value) const;
  // Returns the layer with what the function makes of the leaf's value. Errors: those of `set`.
  [[nodiscard]] any_layer apply(const std::function<any_attribute(const any_attribute&)>& function) const;

 private:
  any_layer layer_;
  std::size_t index_;
};

// A layer, from which a leaf can be selected.
class any_selection {
 public:
  explicit any_selection(any_layer layer) : layer_(std::move(layer)) {}

  // Selects the leaf of that name. Errors: field-unknown; field-structure for a field that is a name; field-ambiguous
  // when several masks of a composition have it.
  [[nodiscard]] any_leaf_selection at(std::string_view field) const;
  [[nodiscard]] const any_layer& get() const { return layer_; }

 private:
  any_layer layer_;
};

// Selects a layer, to get or set a leaf:
//   const any_layer wider = select(layer).at("sliding_window_size").set(1024);
[[nodiscard]] any_selection select(const any_layer& layer);

// ----------------------------------------------------------------------------------------------------------- Trees

// A layer without its leaves.
struct any_structure {
  const layer_type* type;
  std::string name;  // the layer's own
  // The leaves' fields, and every other field with its value, a name; both in the type's order.
  std::vector<std::string> child_field_names;
  std::vector<std::pair<std::string, std::string>> static_fields;
  empty_row_rule rule = empty_row_rule::masked;  // what becomes of rows of which nothing is kept
  layer_attention attention = {};                // what a spec says of the layer's attention

  friend bool operator==(const any_structure&, const any_structure&) = default;
};

struct any_flattened {
  std::vector<any_attribute> leaves;
  any_structure structure;
};
struct any_flattened_with_keys {
  std::vector<std::pair<attribute_key, any_attribute>> leaves;
  any_structure structure;
};

// Takes a layer apart: `const auto [leaves, structure] = tree_flatten(layer)`. The leaves are in the type's order.
[[nodiscard]] any_flattened tree_flatten(const any_layer& layer);
[[nodiscard]] any_flattened_with_keys tree_flatten_with_keys(const any_layer& layer);
// Puts a layer together again, from as many leaves as the structure has. Errors: leaf-count, field-type, field-value.
[[nodiscard]] any_layer tree_unflatten(const any_structure& structure, std::span<const any_attribute> leaves);

// ------------------------------------------------------------------------------------------------------- Variables

// A variable with its value: `value("window", 512)`.
struct any_variable_value {
  std::string label;
  any_attribute value;
};
[[nodiscard]] any_variable_value value(std::string label, any_attribute leaf);

// Replaces variables by values, in each leaf that has one of these variables. Variables that get no value stay, and a
// call of a layer that has one left is the error variable-unbound. Errors: variable-unknown for a value whose variable
// the layer lacks, unless `allow_unused` is given; variable-twice; field-type; field-value.
[[nodiscard]] any_layer bind_variables(const any_layer& layer, const std::vector<any_variable_value>& values);
[[nodiscard]] any_layer bind_variables(const any_layer& layer, allow_unused_t,
                                       const std::vector<any_variable_value>& values);

// Calls the layer with values for its variables, for this call only. Writes the result to `out`, as `any_layer::apply`
// does, and returns the variables' values after the call, as penzai does; a mask changes none. Errors: those of
// `bind_variables` and of `any_layer::apply`.
std::vector<any_variable_value> stateless_call(const any_layer& layer, const std::vector<any_variable_value>& values,
                                               const any_view& logits, const any_view& out, const side_inputs& inputs);

// ---------------------------------------------------------------------------------------------------------- Colour

// Returns the colour in which treescope shows the layer, as CSS: penzai's for a layer that penzai has too, and for
// others that of a class with their type's name.
[[nodiscard]] std::string treescope_color(const any_layer& layer);

}  // namespace axismask
