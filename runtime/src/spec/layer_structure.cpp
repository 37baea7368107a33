// Layers of a spec taken apart, put together and edited. Each function reads the attributes of a layer's contents as
// values, and writes them into new contents with the checks of the spec loader.
#include "axismask/layer_structure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/linked.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/structure_breach.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/color.hpp"
#include "axismask/structure/structure_words.hpp"
#include "spec/layer_contents.hpp"

namespace axismask {
namespace {

std::span<const attribute_record> records_of(const any_layer& layer) { return layer.type().attributes; }

// Not of `any_layer::values`, which wants a value for every variable.
empty_row_rule rule_of(const any_layer& layer) { return layer_access::of(layer).values.empty_rows; }

std::vector<std::string_view> names_of(std::span<const attribute_record> records, bool leaves_only) {
  std::vector<std::string_view> names;
  for (const attribute_record& record : records) {
    if (!leaves_only || is_leaf(record.kind)) names.push_back(record.name);
  }
  return names;
}

// ---------------------------------------------------------------------------------------------------------- Errors

// A place in a layer: its name, or its type's when it has none, and the key of a field: "layers.0.seq_axis".
std::string place(std::string_view layer, const layer_type& type, std::string_view field) {
  return std::string(layer.empty() ? type.name : layer) + attribute_key{field}.str();
}
std::string place(const layer_contents& layer, std::string_view field) {
  return place(layer.name, *layer.values.type, field);
}

[[noreturn]] void fail(const std::string& id, const std::string& where, const breach::sentence& sentence) {
  throw error(id, where, sentence.what.str(), sentence.cure.str());
}

// The layer's field of that name.
std::size_t field_index(const any_layer& layer, std::string_view field) {
  const std::span<const attribute_record> records = records_of(layer);
  const auto has_name = [&](const attribute_record& record) { return record.name == field; };
  const auto found = std::find_if(records.begin(), records.end(), has_name);
  if (found == records.end()) {
    fail("field-unknown", place(layer.name(), layer.type(), field),
         breach::field_unknown(field, names_of(records, false)));
  }
  return static_cast<std::size_t>(found - records.begin());
}

// ---------------------------------------------------------------------------------------------- Reading and writing

any_attribute read(const layer_contents& layer, std::size_t index) {
  const attribute_memory& memory = layer.memory.at(index);
  const attribute_value& value = layer.values.attributes.at(index);
  const attribute_kind kind = layer.values.type->attributes[index].kind;
  if (!memory.variable.empty()) return any_variable(memory.variable);
  if (kind == attribute_kind::masked_value) return layer.values.masked_out_value;
  if (kind != attribute_kind::parameter) return std::string(value.name);
  if (value.numbers == nullptr) return value.number;
  return axis_counts{memory.text, memory.numbers};
}

// What a field takes, after "give".
std::string wanted_for(const attribute_record& record) {
  if (record.kind == attribute_kind::masked_value) return "a number, a masked_value or a variable";
  if (record.kind == attribute_kind::parameter)
    return "a whole number, numbers for each index of an axis, or a variable";
  return "a name";
}

void write_name(layer_contents& layer, std::size_t index, const std::string& name) {
  const attribute_record& record = layer.values.type->attributes[index];
  if (name.empty()) {
    throw error(
        "field-value", place(layer, record.name), "the name is empty",
        "give the name of " + std::string(is_side_input(record.kind) ? "a side input" : "an axis of the logits"));
  }
  layer.memory.at(index).text = name;
  layer.values.attributes.at(index).name = layer.memory.at(index).text;
}

void check_count(const layer_contents& layer, const attribute_record& record, std::int64_t number) {
  if (number >= record.lowest) return;
  throw error("field-value", place(layer, record.name), "it is " + std::to_string(number),
              "give a whole number of at least " + std::to_string(record.lowest));
}

void write_counts(layer_contents& layer, std::size_t index, const axis_counts& counts) {
  const attribute_record& record = layer.values.type->attributes[index];
  if (counts.axis.empty() || counts.values.empty()) {
    throw error("field-value", place(layer, record.name),
                counts.axis.empty() ? "the axis of the numbers has no name" : "there are no numbers",
                "give an axis of the logits, and a number for each of its indices");
  }
  for (const std::int64_t number : counts.values) check_count(layer, record, number);
  attribute_memory& memory = layer.memory.at(index);
  memory.text = counts.axis;
  memory.numbers = counts.values;
  const named_axis axis{memory.text, static_cast<std::int64_t>(memory.numbers.size()), 1};
  memory.view = any_view(memory.numbers.data(), dtype::int64, {axis});
  layer.values.attributes.at(index).numbers = &memory.view;
}

// The value as a whole number, if it is one. 512.0 is, as in specs.
std::optional<std::int64_t> whole_number(const any_attribute& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const auto* number = std::get_if<masked_value>(&value);
  if (number == nullptr || number->means() != masked_value::meaning::number) return {};
  constexpr double largest = 9007199254740992;  // 2^53: up to there each whole number is a double
  if (std::trunc(number->number()) != number->number() || std::abs(number->number()) > largest) return {};
  return static_cast<std::int64_t>(number->number());
}

void write(layer_contents& layer, std::size_t index, const any_attribute& value) {
  const attribute_record& record = layer.values.type->attributes[index];
  if (!is_leaf(record.kind)) {
    if (const auto* name = std::get_if<std::string>(&value)) return write_name(layer, index, *name);
  } else if (const auto* variable = std::get_if<any_variable>(&value)) {
    if (variable->label.empty()) {
      throw error("field-value", place(layer, record.name), "the variable has no name", "give it one");
    }
    layer.memory.at(index).variable = variable->label;
    return;
  } else if (record.kind == attribute_kind::masked_value) {
    if (const auto* masked = std::get_if<masked_value>(&value)) {
      layer.values.masked_out_value = *masked;
      return;
    }
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      layer.values.masked_out_value = static_cast<double>(*number);
      return;
    }
  } else if (const auto* counts = std::get_if<axis_counts>(&value)) {
    return write_counts(layer, index, *counts);
  } else if (const std::optional<std::int64_t> number = whole_number(value)) {
    check_count(layer, record, *number);
    layer.values.attributes.at(index).number = *number;
    return;
  }
  fail("field-type", place(layer, record.name), breach::field_of_other_type(record.name, wanted_for(record)));
}

// Queries and keys have two axes, each one for all masks of a composition.
void check_axes(const layer_contents& layer) {
  const std::span<const attribute_record> records = layer.values.type->attributes;
  for (std::size_t index = 0; index < records.size(); ++index) {
    for (std::size_t before = 0; before < index; ++before) {
      const auto is_axis = [&](std::size_t at) {
        return records[at].kind == attribute_kind::query_axis || records[at].kind == attribute_kind::kv_axis;
      };
      if (!is_axis(index) || !is_axis(before)) continue;
      const bool should_be_same = records[index].kind == records[before].kind;
      const std::string_view name = layer.values.attributes.at(index).name;
      const std::string_view other = layer.values.attributes.at(before).name;
      if ((name == other) == should_be_same) continue;
      throw error("field-value", place(layer, records[index].name),
                  "it is \"" + std::string(name) + "\", and " + std::string(records[before].name) + " is \"" +
                      std::string(other) + "\"",
                  should_be_same ? "give all masks of a composition the same axes"
                                 : "give these the names of two axes of the logits");
    }
  }
}

// A layer whose attribute at each index is `value_at(index)`.
template <class ValueAt>
any_layer build(const layer_type& type, std::string name, empty_row_rule rule, ValueAt value_at) {
  const auto contents = std::make_shared<layer_access::contents>(type);
  contents->name = std::move(name);
  contents->values.empty_rows = rule;
  for (std::size_t index = 0; index < type.attributes.size(); ++index) write(*contents, index, value_at(index));
  check_axes(*contents);
  if (const auto problem = breach_of(rule, contents->values))
    fail("field-value", place(*contents, "empty_rows"), *problem);
  return layer_access::make(contents);
}

}  // namespace

// ------------------------------------------------------------------------------------------------------ Attributes

any_attributes attributes_dict(const any_layer& layer) {
  any_attributes fields;
  for (std::size_t index = 0; index < records_of(layer).size(); ++index) {
    fields.emplace_back(records_of(layer)[index].name, read(layer_access::of(layer), index));
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
      "layer-type", std::string(type),
      "this program has no such layer type" + did_you_mean(type, types).str() + "; it has " + quoted_list(types).str(),
      "use one of these, or link the library that axismask_add_layers made for it");
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
      fail("field-unknown", place(name, type, field), breach::field_unknown(field, names_of(records, false)));
    }
    if (index == records.size()) fail("field-twice", place(name, type, field), breach::field_twice(field));
    given.at(index) = &value;
  }
  for (std::size_t index = 0; index < records.size(); ++index) {
    if (given.at(index) != nullptr) continue;
    fail("field-missing", place(name, type, records[index].name), breach::field_missing(records[index].name));
  }
  return build(type, std::move(name), empty_row_rule::masked, [&](std::size_t index) { return *given.at(index); });
}

any_layer with_empty_rows(const any_layer& layer, empty_row_rule rule) {
  return build(layer.type(), layer.name(), rule,
               [&](std::size_t index) { return read(layer_access::of(layer), index); });
}

attribute_key key_for_field(const any_layer& layer, std::string_view field) {
  return {records_of(layer)[field_index(layer, field)].name};
}

// ------------------------------------------------------------------------------------------------------ Selections

any_attribute any_leaf_selection::get() const { return read(layer_access::of(layer_), index_); }

any_layer any_leaf_selection::set(const any_attribute& value) const {
  return build(layer_.type(), layer_.name(), rule_of(layer_),
               [&](std::size_t index) { return index == index_ ? value : read(layer_access::of(layer_), index); });
}

any_layer any_leaf_selection::apply(const std::function<any_attribute(const any_attribute&)>& function) const {
  return set(function(get()));
}

any_leaf_selection any_selection::at(std::string_view field) const {
  const std::size_t index = field_index(layer_, field);
  const std::span<const attribute_record> records = records_of(layer_);
  const auto same = std::count_if(records.begin(), records.end(),
                                  [&](const attribute_record& record) { return record.name == field; });
  const std::string where = place(layer_.name(), layer_.type(), field);
  if (same > 1) fail("field-ambiguous", where, breach::field_ambiguous(field));
  if (!is_leaf(records[index].kind)) {
    fail("field-structure", where, breach::field_is_structure(field, names_of(records, true)));
  }
  return {layer_, index};
}

any_selection select(const any_layer& layer) { return any_selection(layer); }

// ----------------------------------------------------------------------------------------------------------- Trees

any_flattened_with_keys tree_flatten_with_keys(const any_layer& layer) {
  any_flattened_with_keys result{{}, {&layer.type(), layer.name(), {}, {}, rule_of(layer)}};
  for (std::size_t index = 0; index < records_of(layer).size(); ++index) {
    const attribute_record& record = records_of(layer)[index];
    any_attribute value = read(layer_access::of(layer), index);
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
  return build(*structure.type, structure.name, structure.rule, [&](std::size_t index) -> any_attribute {
    if (is_leaf(records[index].kind)) return leaves[next_leaf++];
    return structure.static_fields.at(next_name++).second;
  });
}

// ------------------------------------------------------------------------------------------------------- Variables

any_variable_value value(std::string label, any_attribute what) { return {std::move(label), std::move(what)}; }

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
  return build(layer.type(), layer.name(), rule_of(layer), [&](std::size_t index) {
    any_attribute attribute = read(contents, index);
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
                                               const any_view& logits, const any_view& out,
                                               std::span<const side_input> side_inputs) {
  bind_variables(layer, values).apply(logits, out, side_inputs);
  return values;
}

// ---------------------------------------------------------------------------------------------------------- Colour

std::string treescope_color(const any_layer& layer) { return detail::color_of_layer(layer.type().name); }

}  // namespace axismask
