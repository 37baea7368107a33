// Writes specs. Layers "layers.0", "layers.1", ... whose masks recur become one group, whose masks get names.
#include "spec/spec_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "axismask/call/empty_row_rule.hpp"
#include "spec/json_writing.hpp"
#include "spec/spec_keys.hpp"

namespace axismask {

namespace keys = spec::keys;

namespace {

// One attribute, unless it is the name that its type has by default.
void add_attribute(json_object& mask, const any_layer& layer, std::size_t index, bool with_defaults) {
  const attribute_record& record = layer.type().attributes[index];
  const bool is_default = !is_leaf(record.kind) && layer.values().attributes[index].name == record.default_name;
  if (with_defaults || !is_default) mask.add(record.name, attribute_json(layer, index));
}

// Adds what a mask of a composed layer is: its type and attributes, or its parts. `next` is the first attribute of the
// layer that is left; the mask takes its own.
void add_part(json_object& mask, const any_layer& layer, const layer_type& part, std::size_t& next,
              bool with_defaults) {
  if (part.how == composition::none) {
    mask.add(key_of(part.how), json_of(part.name));
    for (const attribute_record& attribute : part.attributes) {
      if (attribute.kind != attribute_kind::masked_value) add_attribute(mask, layer, next++, with_defaults);
    }
    return;
  }
  std::vector<std::string> parts;
  for (const layer_type* inner : part.parts) {
    json_object one;
    add_part(one, layer, *inner, next, with_defaults);
    parts.push_back(one.str());
  }
  mask.add(key_of(part.how), part.how == composition::inverse ? parts.front() : json_of(parts));
}

// Layers next to each other whose masks recur after `period`.
struct group {
  std::size_t period = 1;
  std::size_t count = 1;
};

// "layers.7" of layer 7 is "layers.{}"; empty when its name does not end with its number.
std::string name_pattern(const std::string& name, std::size_t index) {
  const std::string number = std::to_string(index);
  const std::size_t prefix = name.size() - std::min(name.size(), number.size());
  if (name.substr(prefix) != number || name.find("{}") < prefix) return {};
  return name.substr(0, prefix) + "{}";
}

// The longest group that starts at a layer: of its pattern at least two rounds.
group find_group(const std::vector<named_mask>& layers, std::size_t first) {
  const std::string pattern = name_pattern(layers[first].name, first);
  std::size_t end = first;
  while (end < layers.size() && !pattern.empty() && name_pattern(layers[end].name, end) == pattern) ++end;
  group longest;
  for (std::size_t period = 1; 2 * period <= end - first && longest.count < end - first; ++period) {
    std::size_t next = first + period;
    while (next < end && layers[next].mask == layers[next - period].mask) ++next;
    if (next - first >= 2 * period && next - first > longest.count) longest = {period, next - first};
  }
  return longest;
}

// A name for a mask: how it is composed, or its type without what the names of all types have.
std::string_view short_name(std::string_view kind) {
  constexpr std::string_view prefix = "Apply";
  constexpr std::string_view suffix = "AttentionMask";
  if (kind.size() > prefix.size() + suffix.size() && kind.starts_with(prefix) && kind.ends_with(suffix)) {
    return kind.substr(prefix.size(), kind.size() - prefix.size() - suffix.size());
  }
  return kind;
}

// The masks of a spec that have names.
class mask_names {
 public:
  // The name of a mask, which is put here if it is new.
  const std::string& of(const named_mask& layer) {
    const std::string base(short_name(layer.kind));
    std::string name = base;
    for (int number = 2;; ++number) {
      const auto [known, is_new] = masks_.try_emplace(name, layer.mask);
      if (is_new) json_.add(name, layer.mask);
      if (is_new || known->second == layer.mask) return known->first;
      name = base + " " + std::to_string(number);
    }
  }
  [[nodiscard]] const json_object& json() const { return json_; }

 private:
  std::map<std::string, std::string> masks_;
  json_object json_;
};

// A float32 as the number that people write for it: 0.1 and not 0.10000000149.
double as_written(float number) {
  std::array<char, 32> text;
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  double result = 0;
  std::from_chars(text.data(), end, result);
  return result;
}

// Numbers, one for each index of an axis.
std::string along_axis(std::string_view axis, const std::vector<std::string>& numbers) {
  return json_object().add(keys::axis.name, json_of(axis)).add(keys::values.name, json_of(numbers)).str();
}

}  // namespace

std::string masked_value_json(const masked_value& value) {
  switch (value.means()) {
    case masked_value::meaning::lowest:
      return json_of("lowest");
    case masked_value::meaning::minus_infinity:
      return json_of("-inf");
    case masked_value::meaning::number:
      break;
  }
  return json_of(value.number());
}

std::string attribute_json(const any_layer& layer, std::size_t index) {
  const attribute_value& value = layer.values().attributes[index];
  switch (info(layer.type().attributes[index].kind).form) {
    case attribute_form::masked_value:
      return masked_value_json(layer.values().masked_out_value);
    case attribute_form::numbers: {
      if (value.numbers == nullptr) return json_of(value.number);
      // The numbers of a parameter in a spec lie along one axis.
      const std::span numbers(static_cast<const std::int64_t*>(value.numbers->data()),
                              static_cast<std::size_t>(value.numbers->element_count()));
      std::vector<std::string> texts;
      for (const std::int64_t number : numbers) texts.push_back(json_of(number));
      return along_axis(value.numbers->axes().front().name, texts);
    }
    case attribute_form::name:
      break;
  }
  return json_of(value.name);
}

std::string attention_json(const layer_attention& attention) {
  json_object result;
  if (attention.scale) result.add(keys::scale.name, json_of(*attention.scale));
  if (attention.softcap != 0) result.add(keys::softcap.name, json_of(attention.softcap));
  if (!attention.sinks_axis.empty()) {
    std::vector<std::string> numbers;
    for (const float sink : attention.sinks) numbers.push_back(json_of(as_written(sink)));
    result.add(keys::sinks.name, along_axis(attention.sinks_axis, numbers));
  }
  return result.is_empty() ? "null" : result.str();
}

std::string mask_json(const any_layer& layer, bool with_defaults) {
  json_object mask;
  if (layer.type().how != composition::none) {
    std::size_t next = 1;  // after the masked value
    mask.add(keys::masked_out_value.name, masked_value_json(layer.values().masked_out_value));
    add_part(mask, layer, layer.type(), next, with_defaults);
  } else {
    if (!with_defaults) mask.add(keys::type.name, json_of(layer.type().name));
    for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
      add_attribute(mask, layer, index, with_defaults);
    }
  }
  const empty_row_rule rule = layer.values().empty_rows;
  if (!with_defaults && rule != empty_row_rule::masked) mask.add(keys::empty_rows.name, json_of(name_of(rule)));
  if (!with_defaults && layer.attention() != layer_attention()) {
    mask.add(keys::attention.name, attention_json(layer.attention()));
  }
  return mask.str();
}

std::string spec_text(std::string_view model, const std::vector<named_mask>& layers) {
  mask_names names;
  std::vector<std::string> entries;
  for (std::size_t first = 0; first < layers.size();) {
    const group found = find_group(layers, first);
    json_object entry;
    if (found.count == 1) {
      entry.add(keys::name.name, json_of(layers[first].name)).add_members(layers[first].mask);
    } else {
      std::vector<std::string> pattern;
      for (std::size_t at = first; at < first + found.period; ++at) pattern.push_back(json_of(names.of(layers[at])));
      entry.add(keys::group_name.name, json_of(name_pattern(layers[first].name, first)))
          .add(keys::count.name, json_of(static_cast<std::int64_t>(found.count)))
          .add(keys::pattern.name, json_of(pattern));
    }
    entries.push_back(entry.str());
    first += found.count;
  }
  json_object spec;
  spec.add(keys::version.name, "1").add(keys::model.name, json_of(model));
  if (!names.json().is_empty()) spec.add(keys::masks.name, names.json().str());
  spec.add(keys::layers.name, json_of(entries));
  return on_lines(spec.str()) + "\n";
}

}  // namespace axismask
