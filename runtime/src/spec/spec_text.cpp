// Writes specs. Layers "layers.0", "layers.1", ... whose masks recur become one group, whose masks get names.
#include "spec/spec_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

#include "axismask/call/empty_row_rule.hpp"
#include "spec/spec_keys.hpp"

namespace axismask {

namespace keys = spec::keys;

namespace {

// One attribute, unless it is the name that its type has by default.
void add_attribute(spec_json& mask, const any_layer& layer, std::size_t index, bool with_defaults) {
  const attribute_record& record = layer.type().attributes[index];
  const bool is_default = !is_leaf(record.kind) && layer.values().attributes[index].name == record.default_name;
  if (with_defaults || !is_default) mask[std::string(record.name)] = attribute_json(layer, index);
}

// One mask of a composed layer. `next` is the first attribute of the layer that is left; the mask takes its own.
spec_json part_json(const any_layer& layer, const layer_type& part, std::size_t& next, bool with_defaults) {
  spec_json mask;
  const std::string key(key_of(part.how));
  if (part.how == composition::none) {
    mask[key] = part.name;
    for (const attribute_record& attribute : part.attributes) {
      if (attribute.kind != attribute_kind::masked_value) add_attribute(mask, layer, next++, with_defaults);
    }
    return mask;
  }
  spec_json parts = spec_json::array();
  for (const layer_type* inner : part.parts) parts.push_back(part_json(layer, *inner, next, with_defaults));
  mask[key] = part.how == composition::inverse ? parts.front() : parts;
  return mask;
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
std::string short_name(const spec_json& mask) {
  const auto* const key = std::find_if(composition_keys.begin(), composition_keys.end(),
                                       [&](std::string_view one) { return mask.contains(one); });
  if (*key != keys::type.name) return std::string(*key);
  auto name = mask[*key].get<std::string>();
  constexpr std::string_view prefix = "Apply";
  constexpr std::string_view suffix = "AttentionMask";
  if (name.size() > prefix.size() + suffix.size() && name.starts_with(prefix) && name.ends_with(suffix)) {
    name = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  }
  return name;
}

// The name of a mask among the masks of the spec, where it is put if it is new.
std::string name_in(spec_json& masks, const spec_json& mask) {
  const std::string base = short_name(mask);
  std::string name = base;
  for (int number = 2; masks.contains(name) && masks[name] != mask; ++number) {
    name = base + " " + std::to_string(number);
  }
  masks[name] = mask;
  return name;
}

// A float32 as the number that people write for it: 0.1 and not 0.10000000149.
double as_written(float number) {
  std::array<char, 32> text;
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  double result = 0;
  std::from_chars(text.data(), end, result);
  return result;
}

}  // namespace

spec_json masked_value_json(const masked_value& value) {
  switch (value.means()) {
    case masked_value::meaning::lowest:
      return "lowest";
    case masked_value::meaning::minus_infinity:
      return "-inf";
    case masked_value::meaning::number:
      break;
  }
  return value.number();
}

spec_json attribute_json(const any_layer& layer, std::size_t index) {
  const attribute_value& value = layer.values().attributes[index];
  switch (info(layer.type().attributes[index].kind).form) {
    case attribute_form::masked_value:
      return masked_value_json(layer.values().masked_out_value);
    case attribute_form::numbers: {
      if (value.numbers == nullptr) return value.number;
      // The numbers of a parameter in a spec lie along one axis.
      const std::span numbers(static_cast<const std::int64_t*>(value.numbers->data()),
                              static_cast<std::size_t>(value.numbers->element_count()));
      return {{keys::axis.name, value.numbers->axes().front().name}, {keys::values.name, numbers}};
    }
    case attribute_form::name:
      break;
  }
  return value.name;
}

spec_json attention_json(const layer_attention& attention) {
  spec_json result;
  if (attention.scale) result[keys::scale.name] = *attention.scale;
  if (attention.softcap != 0) result[keys::softcap.name] = attention.softcap;
  if (!attention.sinks_axis.empty()) {
    std::vector<double> numbers;
    for (const float sink : attention.sinks) numbers.push_back(as_written(sink));
    result[keys::sinks.name] = {{keys::axis.name, attention.sinks_axis}, {keys::values.name, numbers}};
  }
  return result;
}

spec_json mask_json(const any_layer& layer, bool with_defaults) {
  spec_json mask = spec_json::object();
  if (layer.type().how != composition::none) {
    std::size_t next = 1;  // after the masked value
    mask[keys::masked_out_value.name] = masked_value_json(layer.values().masked_out_value);
    mask.update(part_json(layer, layer.type(), next, with_defaults));
  } else {
    if (!with_defaults) mask[keys::type.name] = layer.type().name;
    for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
      add_attribute(mask, layer, index, with_defaults);
    }
  }
  const empty_row_rule rule = layer.values().empty_rows;
  if (!with_defaults && rule != empty_row_rule::masked) mask[keys::empty_rows.name] = name_of(rule);
  if (!with_defaults && layer.attention() != layer_attention()) {
    mask[keys::attention.name] = attention_json(layer.attention());
  }
  return mask;
}

std::string spec_text(std::string_view model, const std::vector<named_mask>& layers) {
  spec_json masks = spec_json::object();
  spec_json entries = spec_json::array();
  for (std::size_t first = 0; first < layers.size();) {
    const group found = find_group(layers, first);
    spec_json entry;
    if (found.count == 1) {
      entry[keys::name.name] = layers[first].name;
      entry.update(layers[first].mask);
    } else {
      spec_json pattern = spec_json::array();
      for (std::size_t at = first; at < first + found.period; ++at) pattern.push_back(name_in(masks, layers[at].mask));
      entry = {{keys::group_name.name, name_pattern(layers[first].name, first)},
               {keys::count.name, found.count},
               {keys::pattern.name, pattern}};
    }
    entries.push_back(entry);
    first += found.count;
  }
  spec_json spec{{keys::version.name, 1}, {keys::model.name, model}};
  if (!masks.empty()) spec[keys::masks.name] = masks;
  spec[keys::layers.name] = entries;
  return spec.dump(2, ' ', false, spec_json::error_handler_t::replace) + "\n";
}

}  // namespace axismask
