// Layers made of values: what each kind of attribute takes, and the rules that all attributes of a layer keep.
#include "spec/edit_layer.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "axismask/call/attribute_rules.hpp"
#include "axismask/call/call_breach.hpp"
#include "axismask/call/empty_row_rule.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "spec/spec_keys.hpp"

namespace axismask::spec {

std::string field_place(std::string_view layer, const layer_type& type, std::string_view field) {
  return std::string(layer.empty() ? type.name : layer) + attribute_key{field}.str();
}

any_attribute read_field(const layer_contents& layer, std::size_t index) {
  const attribute_memory& memory = layer.memory.at(index);
  const attribute_value& value = layer.values.attributes.at(index);
  if (!memory.variable.empty()) return any_variable(memory.variable);
  switch (info(layer.values.type->attributes[index].kind).form) {
    case attribute_form::masked_value:
      return layer.values.masked_out_value;
    case attribute_form::numbers:
      if (value.numbers == nullptr) return value.number;
      return axis_counts{memory.text, memory.numbers};
    case attribute_form::name:
      break;
  }
  return std::string(value.name);
}

namespace {

std::string field_place(const layer_contents& layer, std::string_view field) {
  return spec::field_place(layer.name, *layer.values.type, field);
}

// Each `write_` says whether the value is of a type that the field takes.
bool write_name(layer_contents& layer, std::size_t index, const any_attribute& value) {
  const auto* name = std::get_if<std::string>(&value);
  if (name == nullptr) return false;
  const attribute_record& record = layer.values.type->attributes[index];
  if (name->empty()) {
    throw error("field-value", field_place(layer, record.name), "the name is empty",
                "give " + std::string(info(record.kind).wanted));
  }
  layer.memory.at(index).text = *name;
  layer.values.attributes.at(index).name = layer.memory.at(index).text;
  return true;
}

bool write_masked_value(layer_contents& layer, const any_attribute& value) {
  if (const auto* masked = std::get_if<masked_value>(&value)) {
    layer.values.masked_out_value = *masked;
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    layer.values.masked_out_value = static_cast<double>(*number);
  } else {
    return false;
  }
  return true;
}

void check_number(const layer_contents& layer, const attribute_record& record, std::int64_t number) {
  if (const auto problem = breach_of_number(record, number)) {
    throw error("field-value", field_place(layer, record.name), problem->what.str(), "give " + wanted_number(record));
  }
}

void write_numbers(layer_contents& layer, std::size_t index, const axis_counts& counts) {
  const attribute_record& record = layer.values.type->attributes[index];
  if (counts.axis.empty() || counts.values.empty()) {
    throw error("field-value", field_place(layer, record.name),
                counts.axis.empty() ? "the axis of the numbers has no name" : "there are no numbers",
                "give an axis of the logits, and a number for each of its indices");
  }
  for (const std::int64_t number : counts.values) check_number(layer, record, number);
  layer.values.attributes.at(index).numbers = layer.memory.at(index).hold(counts.axis, counts.values);
}

// The value as a whole number, if it is one. 512.0 is, as in specs. Edits take any int64, and doubles up to 2^53, while
// specs stop at 2^53 - 1 (`largest_count`): a layer edited to a larger number runs, and its spec can be saved but not
// loaded again.
std::optional<std::int64_t> number_in(const any_attribute& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const auto* number = std::get_if<masked_value>(&value);
  if (number == nullptr || number->means() != masked_value::meaning::number) return {};
  return whole_number(number->number());
}

bool write_parameter(layer_contents& layer, std::size_t index, const any_attribute& value) {
  if (const auto* counts = std::get_if<axis_counts>(&value)) {
    write_numbers(layer, index, *counts);
    return true;
  }
  const std::optional<std::int64_t> number = number_in(value);
  if (!number) return false;
  check_number(layer, layer.values.type->attributes[index], *number);
  layer.values.attributes.at(index).number = *number;
  return true;
}

void write_variable(layer_contents& layer, std::size_t index, const any_variable& variable) {
  if (variable.label.empty()) {
    const std::string_view field = layer.values.type->attributes[index].name;
    throw error("field-value", field_place(layer, field), "the variable has no name", "give it one");
  }
  layer.memory.at(index).variable = variable.label;
}

bool write_value(layer_contents& layer, std::size_t index, const any_attribute& value) {
  switch (info(layer.values.type->attributes[index].kind).form) {
    case attribute_form::masked_value:
      return write_masked_value(layer, value);
    case attribute_form::numbers:
      return write_parameter(layer, index, value);
    case attribute_form::name:
      break;
  }
  return write_name(layer, index, value);
}

void write_field(layer_contents& layer, std::size_t index, const any_attribute& value) {
  const attribute_record& record = layer.values.type->attributes[index];
  const auto* variable = std::get_if<any_variable>(&value);
  if (variable != nullptr && is_leaf(record.kind)) return write_variable(layer, index, *variable);
  if (write_value(layer, index, value)) return;
  fail("field-type", field_place(layer, record.name),
       breach::field_of_other_type(record.name, info(record.kind).wanted_in_edit));
}

void check_axes_of(const layer_contents& layer) {
  const std::span<const attribute_record> records = layer.values.type->attributes;
  const std::optional<axis_clash> clash = clash_of_axes(layer.values, 0, records.size());
  if (!clash) return;
  const auto name = [&](std::size_t index) {
    return "\"" + std::string(layer.values.attributes.at(index).name) + "\"";
  };
  throw error(
      "field-value", field_place(layer, records[clash->second].name),
      "it is " + name(clash->second) + ", and " + std::string(records[clash->first].name) + " is " + name(clash->first),
      clash->should_be_same ? "give all masks of a composition the same axes"
                            : "give these the names of two axes of the logits");
}

}  // namespace

any_layer build_layer(const layer_type& type, std::string name, beside_fields beside,
                      const std::function<any_attribute(std::size_t index)>& value_at) {
  const auto contents = std::make_shared<layer_access::contents>(type);
  contents->name = std::move(name);
  contents->values.empty_rows = beside.empty_rows;
  contents->attention = std::move(beside.attention);
  for (std::size_t index = 0; index < type.attributes.size(); ++index) write_field(*contents, index, value_at(index));
  check_axes_of(*contents);
  if (const auto problem = breach_of(beside.empty_rows, contents->values)) {
    fail("field-value", field_place(*contents, keys::empty_rows.name), *problem);
  }
  return layer_access::make(contents);
}

}  // namespace axismask::spec
