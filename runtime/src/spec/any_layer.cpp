// A layer of a model: what it is, its formula, and the door to a call.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/model.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "spec/layer_contents.hpp"

namespace axismask {

const std::string& any_layer::name() const { return contents_->name; }

const std::string& any_layer::place() const { return contents_->place; }
const layer_type& any_layer::type() const { return *contents_->values.type; }
const layer_attention& any_layer::attention() const { return contents_->attention; }
const layer_values& any_layer::values() const {
  const std::span<const attribute_record> attributes = type().attributes;
  for (std::size_t index = 0; index < attributes.size(); ++index) {
    const std::string& label = contents_->memory.at(index).variable;
    if (label.empty()) continue;
    fail("variable-unbound", attributes[index].name, breach::variable_unbound(label));
  }
  return contents_->values;
}

namespace {

// A side input in a formula: q and k for positions, `query_segment_ids` for `query_segment_ids_input_name`.
std::string operand_name(std::string_view attribute) {
  if (attribute == "query_positions_input_name") return "q";
  if (attribute == "kv_positions_input_name") return "k";
  constexpr std::string_view suffix = "_input_name";
  if (attribute.ends_with(suffix)) attribute.remove_suffix(suffix.size());
  return std::string(attribute);
}

}  // namespace

std::string any_layer::formula() const {
  std::vector<std::string> operands;
  for (const std::size_t index : type().operands) {
    const attribute_record& attribute = type().attributes[index];
    const attribute_value& value = contents_->values.attributes[index];
    if (is_boolean_operand(attribute.kind)) {
      operands.emplace_back(value.name);
    } else if (is_side_input(attribute.kind)) {
      operands.push_back(operand_name(attribute.name));
    } else if (!contents_->memory.at(index).variable.empty()) {
      operands.push_back(contents_->memory.at(index).variable);
    } else if (value.numbers == nullptr) {
      operands.push_back(std::to_string(value.number));
    } else {
      operands.push_back(std::string(attribute.name) + "[" + std::string(value.numbers->axes()[0].name) + "]");
    }
  }
  return type().formula(operands);
}

void any_layer::apply(const any_view& logits, const any_view& out, const side_inputs& inputs) const {
  apply({}, logits, out, inputs);
}
void any_layer::apply(const call_options& options, const any_view& logits, const any_view& out,
                      const side_inputs& inputs) const {
  axismask::apply(values(), logits, out, inputs, options);
}

void any_layer::apply_in_place(const any_view& logits, const side_inputs& inputs) const {
  apply_in_place({}, logits, inputs);
}
void any_layer::apply_in_place(const call_options& options, const any_view& logits, const side_inputs& inputs) const {
  axismask::apply(values(), logits, logits, inputs, options);
}

}  // namespace axismask
