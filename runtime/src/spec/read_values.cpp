// The values of a spec's keys: texts, numbers, masked values, and rules for empty rows.
#include "spec/read_values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "axismask/call/attribute_rules.hpp"
#include "axismask/call/empty_row_rule.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "spec/json_text.hpp"

namespace axismask::spec {

using nlohmann::json;

void throw_wrong_type(const std::string& where, const json& value, std::string_view wanted) {
  throw error("spec-type", where, "it is " + in_words(value), "give " + std::string(wanted));
}

void throw_empty(const std::string& where, std::string_view wanted) {
  throw error("spec-value", where, "it is empty", "give " + std::string(wanted));
}

// ----------------------------------------------------------------------------------------------------------- Keys

namespace {

// What an attribute's value is, after "give" or "add it:".
std::string wanted_for(const attribute_record& attribute) {
  const std::string example = attribute.default_name.empty() ? "" : ", such as " + in_quotes(attribute.default_name);
  std::string wanted(info(attribute.kind).wanted_in_spec);
  switch (info(attribute.kind).form) {
    case attribute_form::masked_value:
      return wanted;
    case attribute_form::numbers:
      return wanted_number(attribute) + ", " + wanted;
    case attribute_form::name:
      return wanted + example;
  }
  return {};
}

}  // namespace

allowed_key::allowed_key(const attribute_record& attribute)
    : allowed_key(attribute.name, is_leaf(attribute.kind), wanted_for(attribute)) {}  // names have a default

void check_keys(const json& object, const std::string& where, const std::string& owner,
                std::span<const allowed_key> keys) {
  std::vector<std::string_view> names;
  for (const allowed_key& key : keys) names.push_back(key.name);
  for (const auto& [name, value] : object.items()) {
    if (std::count(names.begin(), names.end(), name) > 0) continue;
    throw error("spec-unknown-key", where + step(name),
                owner + " has no key " + in_quotes(name) + did_you_mean(name, names).str(),
                "its keys are " + quoted_list(names).str());
  }
  for (const allowed_key& key : keys) {
    if (!key.is_required || object.contains(key.name)) continue;
    throw error("spec-missing-key", where, "the key " + in_quotes(key.name) + " is missing", "add it: " + key.wanted);
  }
}

void check_keys(const json& object, const std::string& where, const std::string& owner,
                std::span<const spec_key> keys) {
  check_keys(object, where, owner, std::vector<allowed_key>(keys.begin(), keys.end()));
}

// --------------------------------------------------------------------------------------------------------- Values

const std::string& read_text(const json& value, const std::string& where, std::string_view wanted) {
  if (!value.is_string()) throw_wrong_type(where, value, wanted);
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) throw_empty(where, wanted);
  return text;
}

const std::string& read_text(const json& object, const std::string& where, const spec_key& key) {
  return read_text(object.at(key.name), where + step(key.name), key.wanted);
}

namespace {

bool is_json_number(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  return json::accept(text) && text.find_first_of("-0123456789") == text.find_first_not_of(blanks);
}

}  // namespace

masked_value read_masked_value(const json& value, const std::string& where) {
  static constexpr std::array<std::string_view, 2> names{"lowest", "-inf"};
  constexpr std::string_view wanted = keys::masked_out_value.wanted;
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) throw_wrong_type(where, value, wanted);
  const auto& name = value.get_ref<const std::string&>();
  if (name == names[0]) return masked_value::lowest();
  if (name == names[1]) return masked_value::minus_infinity();
  if (is_json_number(name)) {
    throw error("spec-value", where, "the number " + in_quotes(name) + " is in quotes", "take the quotes away");
  }
  throw error("spec-value", where,
              R"(it is neither "lowest" nor "-inf": )" + in_quotes(name) + did_you_mean(name, names).str(),
              "give " + std::string(wanted));
}

std::int64_t read_number(const json& value, const std::string& where, const attribute_record& parameter,
                         std::string_view wanted) {
  if (!value.is_number()) throw_wrong_type(where, value, wanted);
  const double number = value.get<double>();  // whole numbers beyond 2^53 stay beyond
  if (std::trunc(number) != number) {
    throw error("spec-value", where, "it is " + value.dump() + ", which is no whole number",
                "give " + std::string(wanted));
  }
  if (is_too_low(parameter, number)) {
    fail("spec-value", where, number_too_low(parameter, value.dump()));
  }
  if (number > static_cast<double>(largest_count)) {
    throw error("spec-value", where, "it is " + value.dump() + ", more than JSON carries exactly",
                "give at most " + std::to_string(largest_count) + " (2^53 - 1)");
  }
  return value.get<std::int64_t>();
}

namespace {

attribute_value read_parameter(const json& value, const std::string& where, const attribute_record& parameter,
                               attribute_memory& memory) {
  if (!value.is_object()) return {{}, read_number(value, where, parameter, wanted_for(parameter)), nullptr};

  check_keys(value, where, std::string(parameter.name), keys::of_numbers);
  const std::string& axis =
      read_text(value[keys::axis.name], where + step(keys::axis.name),
                std::string(info(attribute_kind::query_axis).wanted_in_spec) + R"(, such as "heads")");
  const json& numbers = value[keys::values.name];
  const std::string value_where = where + step(keys::values.name);
  if (!numbers.is_array()) throw_wrong_type(value_where, numbers, keys::values.wanted);
  if (numbers.empty()) throw_empty(value_where, keys::values.wanted);
  std::vector<std::int64_t> each;
  for (const json& number : numbers) {
    each.push_back(read_number(number, value_where + step(each.size()), parameter, wanted_number(parameter)));
  }
  return {{}, 0, memory.hold(axis, std::move(each))};
}

}  // namespace

void read_attribute(const json& value, const std::string& where, const attribute_record& attribute, layer_values& layer,
                    attribute_value& read, attribute_memory& memory) {
  switch (info(attribute.kind).form) {
    case attribute_form::masked_value:
      layer.masked_out_value = read_masked_value(value, where);
      return;
    case attribute_form::numbers:
      read = read_parameter(value, where, attribute, memory);
      return;
    case attribute_form::name:
      memory.text = read_text(value, where, wanted_for(attribute));
      read.name = memory.text;
      return;
  }
}

void read_empty_rows(const json& layer, const std::string& where, layer_values& read) {
  if (!layer.contains(keys::empty_rows.name)) return;
  const std::string& name = read_text(layer, where, keys::empty_rows);
  const std::string value_where = where + step(keys::empty_rows.name);
  const auto* const rule = std::find(empty_row_rule_names.begin(), empty_row_rule_names.end(), name);
  if (rule == empty_row_rule_names.end()) {
    throw error("spec-value", value_where,
                "there is no " + in_quotes(name) + did_you_mean(name, empty_row_rule_names).str(),
                "give " + std::string(keys::empty_rows.wanted));
  }
  read.empty_rows = static_cast<empty_row_rule>(rule - empty_row_rule_names.begin());
  if (const auto problem = breach_of(read.empty_rows, read)) fail("spec-value", value_where, *problem);
}

}  // namespace axismask::spec
