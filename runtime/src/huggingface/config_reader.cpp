// The keys of a config.json, with what is to be said of a value of the wrong type.
#include "huggingface/config_reader.hpp"

#include <nlohmann/json.hpp>

#include "axismask/messages/error.hpp"

namespace axismask::huggingface {

using nlohmann::json;

const json* config_reader::find(std::string_view key) {
  asked_.insert(key);
  const json* value = object_;
  for (std::string_view rest = key; value != nullptr && !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('/'));
    rest = one.size() == rest.size() ? std::string_view() : rest.substr(one.size() + 1);
    const auto found = value->is_object() ? value->find(one) : value->end();
    value = found == value->end() ? nullptr : &*found;
  }
  if (value == nullptr) return nullptr;
  const std::string pointer = where(key);
  for (const std::string& twice : file_->duplicates) {
    if (twice.starts_with(pointer) && (twice.size() == pointer.size() || twice[pointer.size()] == '/')) {
      throw error("config-duplicate-key", twice, "the key is there twice", "leave one of the two out");
    }
  }
  return value;
}

const json* config_reader::outer_default(std::string_view key) const {
  if (defaults_ == nullptr) return nullptr;
  const auto found = defaults_->find(key);
  return found == defaults_->end() ? nullptr : &*found;
}

setting config_reader::whole_number(std::string_view key, std::int64_t if_absent) {
  if (const json* value = find(key); value != nullptr) return {key, to_whole_number(*value, where(key)), true};
  const json* outer = outer_default(key);
  return {key, outer == nullptr ? if_absent : outer->get<std::int64_t>(), false};
}

setting config_reader::whole_number_or_null(std::string_view key, std::optional<std::int64_t> if_absent) {
  const json* value = find(key);
  if (value == nullptr) {
    if (const json* outer = outer_default(key); outer != nullptr) {
      if_absent = outer->is_null() ? std::nullopt : std::optional(outer->get<std::int64_t>());
    }
    return {key, if_absent.value_or(0), false, !if_absent};
  }
  if (value->is_null()) return {key, 0, true, true};
  return {key, to_whole_number(*value, where(key), " or null"), true};
}

flag config_reader::boolean(std::string_view key, bool if_absent) {
  const json* value = find(key);
  if (value == nullptr) {
    const json* outer = outer_default(key);
    return {key, outer == nullptr ? if_absent : outer->get<bool>(), false};
  }
  if (!value->is_boolean()) throw_wrong_type(where(key), *value, "true or false");
  return {key, value->get<bool>(), true};
}

bool config_reader::boolean_or_null(std::string_view key) {
  const json* value = find(key);
  if (value != nullptr && value->is_null()) return false;
  return boolean(key, false).value;
}

std::string config_reader::text(std::string_view key, std::string_view wanted) {
  const json* value = find(key);
  if (value == nullptr || value->is_null()) return "";
  if (!value->is_string()) throw_wrong_type(where(key), *value, wanted);
  return value->get<std::string>();
}

const json* config_reader::array(std::string_view key, std::string_view of_what) {
  const json* value = find(key);
  if (value == nullptr || value->is_null()) return nullptr;
  if (!value->is_array()) throw_wrong_type(where(key), *value, "an array of " + std::string(of_what) + " or null");
  return value;
}

std::string config_reader::where(std::string_view key) const {
  std::string result = pointer_;
  for (std::string_view rest = key; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('/'));
    rest = one.size() == rest.size() ? std::string_view() : rest.substr(one.size() + 1);
    result += step(one);
  }
  return result;
}

std::int64_t to_whole_number(const json& value, const std::string& where, std::string_view or_what) {
  if (!value.is_number_integer()) throw_wrong_type(where, value, "a whole number" + std::string(or_what));
  const bool is_beyond = value.is_number_unsigned()
                             ? value.get<std::uint64_t>() > static_cast<std::uint64_t>(largest_count)
                             : value.get<std::int64_t>() < -largest_count;
  if (is_beyond) {
    throw error("config-value", where, "it is " + value.dump() + ", more than JSON carries exactly",
                "give at most " + std::to_string(largest_count) + " (2^53 - 1)");
  }
  return value.get<std::int64_t>();
}

void throw_wrong_type(const std::string& where, const json& value, std::string_view wanted) {
  throw error("config-type", where, "it is " + in_words(value), "give " + std::string(wanted));
}

}  // namespace axismask::huggingface
