// What a spec says of a layer's attention besides its mask.
#include "spec/read_attention.hpp"

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "axismask/messages/error.hpp"
#include "spec/json_text.hpp"
#include "spec/read_values.hpp"
#include "spec/spec_keys.hpp"

namespace axismask::spec {
namespace {

using nlohmann::json;

// A number that attention, which computes in float32, can take.
double read_float(const json& value, const std::string& where, std::string_view wanted) {
  if (!value.is_number()) throw_wrong_type(where, value, wanted);
  const auto number = value.get<double>();
  if (!std::isfinite(static_cast<float>(number))) {
    throw error("spec-value", where, "it is " + value.dump() + ", which float32 does not hold",
                "give " + std::string(wanted));
  }
  return number;
}

double read_softcap(const json& value, const std::string& where) {
  const double number = read_float(value, where, keys::softcap.wanted);
  if (static_cast<float>(number) <= 0) {
    throw error("spec-value", where, "it is " + value.dump(),
                "give " + std::string(keys::softcap.wanted) + ", or leave it out for none");
  }
  return number;
}

// Queries and keys have each call's lengths, and a spec's numbers have one.
void check_sinks_axis(const layer_contents& layer, const std::string& axis, const std::string& where) {
  for (std::size_t index = 0; index < layer.values.type->attributes.size(); ++index) {
    const attribute_record& record = layer.values.type->attributes[index];
    if (!is_axis_name(record.kind) || layer.values.attributes.at(index).name != axis) continue;
    throw error("spec-value", where,
                "it is " + in_quotes(axis) + ", the layer's " + in_quotes(record.name) +
                    ", which is as long as each call has it",
                R"(name an axis whose length stays, such as "heads")");
  }
}

void read_sinks(const json& value, const std::string& where, layer_contents& read) {
  if (!value.is_object()) throw_wrong_type(where, value, keys::sinks.wanted);
  check_keys(value, where, in_quotes(keys::sinks.name), keys::of_numbers);
  const std::string& axis = read_text(value, where, keys::axis);
  check_sinks_axis(read, axis, where + step(keys::axis.name));
  const json& numbers = value[keys::values.name];
  const std::string numbers_where = where + step(keys::values.name);
  if (!numbers.is_array()) throw_wrong_type(numbers_where, numbers, keys::values.wanted);
  if (numbers.empty()) throw_empty(numbers_where, keys::values.wanted);
  std::vector<float>& sinks = read.attention.sinks;
  for (const json& number : numbers) {
    sinks.push_back(static_cast<float>(
        read_float(number, numbers_where + step(sinks.size()), "a number, the score of the sink of that index")));
  }
  read.attention.sinks_axis = axis;
}

}  // namespace

void read_attention(const json& layer, const std::string& where, layer_contents& read) {
  const auto found = layer.find(keys::attention.name);
  if (found == layer.end()) return;
  const std::string value_where = where + step(keys::attention.name);
  if (!found->is_object()) throw_wrong_type(value_where, *found, keys::attention.wanted);
  check_keys(*found, value_where, in_quotes(keys::attention.name), keys::of_attention);
  const auto read_key = [&](const spec_key& key, auto use) {
    if (const auto value = found->find(key.name); value != found->end()) use(*value, value_where + step(key.name));
  };
  read_key(keys::scale, [&](const json& value, const std::string& at) {
    read.attention.scale = read_float(value, at, keys::scale.wanted);
  });
  read_key(keys::softcap,
           [&](const json& value, const std::string& at) { read.attention.softcap = read_softcap(value, at); });
  read_key(keys::sinks, [&](const json& value, const std::string& at) { read_sinks(value, at, read); });
}

}  // namespace axismask::spec
