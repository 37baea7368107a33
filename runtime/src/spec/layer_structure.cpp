// Layers of a spec taken apart, put together and edited. Each function reads a layer's fields, and makes a new layer of
// them (edit_layer.hpp).
#include "axismask/layer_structure.hpp"

#include <algorithm>
#include <array>

#include "axismask/linked.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/color.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "axismask/structure/structure_words.hpp"
#include "spec/edit_layer.hpp"
#include "spec/layer_contents.hpp"
#include "spec/mask_shape.hpp"

namespace axismask {

using spec::beside_fields;
using spec::build_layer;
using spec::field_place;
using spec::read_field;

namespace {

std::span<const attribute_record> records_of(const any_layer& layer) { return layer.type().attributes; }

// Not of `any_layer::values`, which wants a value for every variable.
beside_fields beside_fields_of(const any_layer& layer) {
  return {layer_access::of(layer).values.empty_rows, layer.attention()};
}

std::vector<std::string_view> names_of(std::span<const attribute_record> records, bool leaves_only) {
  std::vector<std::string_view> names;
  for (const attribute_record& record : records) {
    if (!leaves_only || is_leaf(record.kind)) names.push_back(record.name);
  }
  return names;
}

// The layer's field of that name.
std::size_t field_index(const any_layer& layer, std::string_view field) {
  const std::span<const attribute_record> records = records_of(layer);
  const auto has_name = [&](const attribute_record& record) { return record.name == field; };
  const auto found = std::find_if(records.begin(), records.end(), has_name);
  if (found == records.end()) {
    fail("field-unknown", field_place(layer.name(), layer.type(), field),
         breach::field_unknown(field, names_of(records, false)));
  }
  return static_cast<std::size_t>(found - records.begin());
}

}  // namespace

// ------------------------------------------------------------------------------------------------------ Attributes

any_attributes attributes_dict(const any_layer& layer) {
  any_attributes fields;
  for (std::size_t index = 0; index < records_of(layer).size(); ++index) {
    fields.emplace_back(records_of(layer)[index].name, read_field(layer_access::of(layer), index));
  }
  return fields;
}

any_layer from_attributes(std::string_view type, const any_attributes& fields, std::string name) {
  const linked_layer* linked = find_linked_layer(type);
  if (linked != nullptr) return from_attributes(*linked->type, fields, std::move(name));
  std::vector<std::string_view> types;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) types.push_back(layer.type->name);
  }
  throw error(
      "layer-type", type.empty() ? "\"\"" : std::string(type),
      "this program has no such layer type" + did_you_mean(type, types).str() + "; it has " + quoted_list(types).str(),
      std::string(spec::how_to_link_a_type));
}

any_layer from_attributes(const layer_type& type, const any_attributes& fields, std::string name) {
  const std::span<const attribute_record> records = type.attributes;
  // Masks of a composition may have fields of one name: the first that is given is the first mask's.
  std::array<const any_attribute*, max_attributes> given{};
  for (const auto& [field, value] : fields) {
    bool is_known = false;
    std::size_t index = 0;
    for (; index < records.size(); ++index) {
      if (records[index].name != field) continue;
      is_known = true;
      if (given.at(index) == nullptr) break;
    }
    if (!is_known) {
      fail("field-unknown", field_place(name, type, field), breach::field_unknown(field, names_of(records, false)));
    }
    if (index == records.size()) fail("field-twice", field_place(name, type, field), breach::field_twice(field));
    given.at(index) = &value;
  }
  for (std::size_t index = 0; index < records.size(); ++index) {
    if (given.at(index) != nullptr) continue;
    fail("field-missing", field_place(name, type, records[index].name), breach::field_missing(records[index].name));
  }
  return build_layer(type, std::move(name), {}, [&](std::size_t index) { return *given.at(index); });
}

any_layer with_empty_rows(const any_layer& layer, empty_row_rule rule) {
  return build_layer(layer.type(), layer.name(), {rule, layer.attention()},
                     [&](std::size_t index) { return read_field(layer_access::of(layer), index); });
}

attribute_key key_for_field(const any_layer& layer, std::string_view field) {
  return {records_of(layer)[field_index(layer, field)].name};
}

// ------------------------------------------------------------------------------------------------------ Selections

any_attribute any_leaf_selection::get() const { return read_field(layer_access::of(layer_), index_); }

any_layer any_leaf_selection::set(const any_attribute& value) const {
  return build_layer(layer_.type(), layer_.name(), beside_fields_of(layer_), [&](std::size_t index) {
    return index == index_ ? value : read_field(layer_access::of(layer_), index);
  });
}

any_layer any_leaf_selection::apply(const std::function<any_attribute(const any_attribute&)>& function) const {
  return set(function(get()));
}

any_leaf_selection any_selection::at(std::string_view field) const {
  const std::size_t index = field_index(layer_, field);
  const std::span<const attribute_record> records = records_of(layer_);
  const auto same = std::count_if(records.begin(), records.end(),
                                  [&](const attribute_record& record) { return record.name == field; });
  const std::string where = field_place(layer_.name(), layer_.type(), field);
  if (same > 1) fail("field-ambiguous", where, breach::field_ambiguous(field));
  if (!is_leaf(records[index].kind)) {
    fail("field-structure", where, breach::field_is_structure(field, names_of(records, true)));
  }
  return {layer_, index};
}

any_selection select(const any_layer& layer) { return any_selection(layer); }

// ----------------------------------------------------------------------------------------------------------- Trees

any_flattened_with_keys tree_flatten_with_keys(const any_layer& layer) {
  const beside_fields beside = beside_fields_of(layer);
  any_flattened_with_keys result{{}, {&layer.type(), layer.name(), {}, {}, beside.empty_rows, beside.attention}};
  for (std::size_t index = 0; index < records_of(layer).size(); ++index) {
    const attribute_record& record = records_of(layer)[index];
    any_attribute value = read_field(layer_access::of(layer), index);
    if (is_leaf(record.kind)) {
      result.structure.child_field_names.emplace_back(record.name);
      result.leaves.emplace_back(attribute_key{record.name}, std::move(value));
    } else {
      result.structure.static_fields.emplace_back(record.name, std::get<std::string>(std::move(value)));
    }
  }
  return result;
}

any_flattened tree_flatten(const any_layer& layer) {
  any_flattened_with_keys with_keys = tree_flatten_with_keys(layer);
  any_flattened result{{}, std::move(with_keys.structure)};
  for (auto& [key, leaf] : with_keys.leaves) result.leaves.push_back(std::move(leaf));
  return result;
}

any_layer tree_unflatten(const any_structure& structure, std::span<const any_attribute> leaves) {
  const std::span<const attribute_record> records = structure.type->attributes;
  const std::vector<std::string_view> wanted = names_of(records, true);
  if (leaves.size() != wanted.size()) {
    fail("leaf-count", structure.name.empty() ? std::string(structure.type->name) : structure.name,
         breach::leaves_of_other_number(wanted));
  }
  std::size_t next_leaf = 0;
  std::size_t next_name = 0;
  return build_layer(*structure.type, structure.name, {structure.rule, structure.attention},
                     [&](std::size_t index) -> any_attribute {
                       if (is_leaf(records[index].kind)) return leaves[next_leaf++];
                       return structure.static_fields.at(next_name++).second;
                     });
}

// ------------------------------------------------------------------------------------------------------- Variables

any_variable_value value(std::string label, any_attribute bound) { return {std::move(label), std::move(bound)}; }

namespace {

any_layer bind(const any_layer& layer, const std::vector<any_variable_value>& values, bool allows_unused) {
  const layer_contents& contents = layer_access::of(layer);
  std::vector<std::string_view> labels;
  for (std::size_t index = 0; index < records_of(layer).size(); ++index) {
    const std::string& label = contents.memory.at(index).variable;
    if (!label.empty() && std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
  }
  const std::string where(layer.name().empty() ? layer.type().name : std::string_view(layer.name()));
  for (const any_variable_value& one : values) {
    const auto has_label = [&](const any_variable_value& other) { return other.label == one.label; };
    if (std::count_if(values.begin(), values.end(), has_label) > 1) {
      fail("variable-twice", where, breach::variable_twice(one.label));
    }
    if (!allows_unused && std::find(labels.begin(), labels.end(), one.label) == labels.end()) {
      fail("variable-unknown", where, breach::variable_unknown(one.label, labels));
    }
  }
  return build_layer(layer.type(), layer.name(), beside_fields_of(layer), [&](std::size_t index) {
    any_attribute attribute = read_field(contents, index);
    const auto* variable = std::get_if<any_variable>(&attribute);
    if (variable == nullptr) return attribute;
    const auto found = std::find_if(values.begin(), values.end(),
                                    [&](const any_variable_value& one) { return one.label == variable->label; });
    return found == values.end() ? attribute : found->value;
  });
}

}  // namespace

any_layer bind_variables(const any_layer& layer, const std::vector<any_variable_value>& values) {
  return bind(layer, values, false);
}

any_layer bind_variables(const any_layer& layer, allow_unused_t, const std::vector<any_variable_value>& values) {
  return bind(layer, values, true);
}

std::vector<any_variable_value> stateless_call(const any_layer& layer, const std::vector<any_variable_value>& values,
                                               const any_view& logits, const any_view& out, const side_inputs& inputs) {
  bind_variables(layer, values).apply(logits, out, inputs);
  return values;
}

// ---------------------------------------------------------------------------------------------------------- Colour

std::string treescope_color(const any_layer& layer) { return detail::color_of_layer(layer.type().name); }

}  // namespace axismask
