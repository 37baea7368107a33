// The values of a spec's keys, read with what is to be said of each mistake.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "axismask/layer/attributes.hpp"
#include "axismask/layer/layer_type.hpp"
#include "spec/layer_contents.hpp"
#include "spec/spec_keys.hpp"

namespace axismask::spec {

[[noreturn]] void throw_wrong_type(const std::string& where, const nlohmann::json& value, std::string_view wanted);
[[noreturn]] void throw_empty(const std::string& where, std::string_view wanted);

// A key that an object may have: one of specs, or an attribute.
struct allowed_key {
  std::string_view name;
  bool is_required;
  std::string wanted;

  allowed_key(const spec_key& key) : allowed_key(key.name, key.is_required, key.wanted) {}  // NOLINT: it is one
  explicit allowed_key(const attribute_record& attribute);
  allowed_key(std::string_view the_name, bool required, std::string_view the_wanted)
      : name(the_name), is_required(required), wanted(the_wanted) {}
};

// Throws unless the object has each required key and no others than these. `owner` names the object in messages.
void check_keys(const nlohmann::json& object, const std::string& where, const std::string& owner,
                std::span<const allowed_key> keys);
void check_keys(const nlohmann::json& object, const std::string& where, const std::string& owner,
                std::span<const spec_key> keys);

// A text that is not empty.
const std::string& read_text(const nlohmann::json& value, const std::string& where, std::string_view wanted);
// The text of a key that the object has.
const std::string& read_text(const nlohmann::json& object, const std::string& where, const spec_key& key);

masked_value read_masked_value(const nlohmann::json& value, const std::string& where);

// A number of a parameter.
std::int64_t read_number(const nlohmann::json& value, const std::string& where, const attribute_record& parameter,
                         std::string_view wanted);

// An attribute of a mask; the value of one that is no masked value goes into `value`, which points into `memory`.
void read_attribute(const nlohmann::json& value, const std::string& where, const attribute_record& attribute,
                    layer_values& layer, attribute_value& read, attribute_memory& memory);

// The rule for empty rows of a layer whose attributes have been read.
void read_empty_rows(const nlohmann::json& layer, const std::string& where, layer_values& read);

}  // namespace axismask::spec
