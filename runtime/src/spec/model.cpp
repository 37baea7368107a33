// The loader of model specs: JSON to layers. Our own checks go first, in the spec's order, because they know what to
// say; they take the attributes of each layer from its linked type. Then valijson holds the spec against the schema,
// so that nothing gets in which the schema rejects.
#include "axismask/model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/linked.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/structure_breach.hpp"
#include "axismask/messages/text.hpp"
#include "files/new_file.hpp"
#include "spec/json_text.hpp"
#include "spec/layer_contents.hpp"
#include "spec/model_schema.hpp"
#include "spec/spec_text.hpp"

// g++ 12 suspects the strings and regular expressions in valijson when it inlines them.
#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wrestrict"
#endif
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace axismask {
namespace {

using nlohmann::json;

constexpr json_file spec_file{
    .open_id = "spec-open",
    .syntax_id = "spec-json",
    .duplicate_key_id = "spec-duplicate-key",
    .number_id = "spec-value",
    .what = "a model spec",
    .empty_cure = R"(write a spec in it: {"axismask": 1, "model": ..., "layers": [...]})",
    .infinity_cure = R"(for minus infinity write "-inf", with the quotes)",
    .number_cure =
        R"(give one between -1.7976931348623157e308 and 1.7976931348623157e308, or "-inf" for minus infinity)",
    .has_whole_floats = true,
};

// As many as a group can make: more than any model has, and few enough to be held.
constexpr std::int64_t most_layers = 10000;

constexpr std::string_view name_wanted = R"(the layer's name, such as "layers.0")";
constexpr std::string_view masked_value_wanted = R"(a number, "lowest" or "-inf")";
constexpr std::string_view empty_rows_wanted = R"("masked", "error" or "keep_self")";
constexpr std::string_view empty_rows_key = "empty_rows";

// --------------------------------------------------------------------------------------------------------- Checks

struct key {
  std::string_view name;
  bool is_required;
  std::string wanted;  // what its value is, for the message that it is missing
};

[[noreturn]] void throw_wrong_type(const std::string& where, const json& value, std::string_view wanted) {
  throw error("spec-type", where, "it is " + in_words(value), "give " + std::string(wanted));
}

// Has the object these keys, and no others? `owner` is who has them, in messages; `whole` is the object's place.
void check_keys(const json& object, const std::string& pointer, const std::string& whole, const std::string& owner,
                std::span<const key> keys) {
  std::vector<std::string_view> names;
  for (const key& one : keys) names.push_back(one.name);
  for (const auto& [name, value] : object.items()) {
    if (std::count(names.begin(), names.end(), name) > 0) continue;
    throw error("spec-unknown-key", pointer + step(name),
                owner + " has no key " + in_quotes(name) + did_you_mean(name, names).str(),
                "its keys are " + quoted_list(names).str());
  }
  for (const key& one : keys) {
    if (!one.is_required || object.contains(one.name)) continue;
    throw error("spec-missing-key", whole, "the key " + in_quotes(one.name) + " is missing", "add it: " + one.wanted);
  }
}

// A text that is not empty.
const std::string& read_text(const json& value, const std::string& where, std::string_view wanted) {
  if (!value.is_string()) throw_wrong_type(where, value, wanted);
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) throw error("spec-value", where, "it is empty", "give " + std::string(wanted));
  return text;
}

masked_value read_masked_value(const json& value, const std::string& where) {
  static constexpr std::array<std::string_view, 2> names{"lowest", "-inf"};
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) throw_wrong_type(where, value, masked_value_wanted);
  const auto& name = value.get_ref<const std::string&>();
  if (name == names[0]) return masked_value::lowest();
  if (name == names[1]) return masked_value::minus_infinity();
  if (json::parse(name, nullptr, false).is_number()) {
    throw error("spec-value", where, "the number " + in_quotes(name) + " is in quotes", "take the quotes away");
  }
  throw error("spec-value", where,
              R"(it is neither "lowest" nor "-inf": )" + in_quotes(name) + did_you_mean(name, names).str(),
              "give " + std::string(masked_value_wanted));
}

std::string count_wanted(std::int64_t lowest) { return "a whole number of at least " + std::to_string(lowest); }

// A parameter's number, or one of its numbers.
std::int64_t read_count(const json& value, const std::string& where, const attribute_record& attribute,
                        std::string_view wanted) {
  if (!value.is_number()) throw_wrong_type(where, value, wanted);
  const double number = value.get<double>();  // whole numbers beyond 2^53 stay beyond
  if (std::trunc(number) != number) {
    throw error("spec-value", where, "it is " + value.dump() + ", which is no whole number",
                "give " + std::string(wanted));
  }
  if (number < static_cast<double>(attribute.lowest)) {
    const bool is_window = attribute.lowest == 1 && attribute.name.find("window") != std::string_view::npos;
    throw error("spec-value", where, "it is " + value.dump(),
                is_window ? "a window is at least 1; a window of 1 sees the token itself only"
                          : "give " + count_wanted(attribute.lowest));
  }
  if (number > static_cast<double>(largest_count)) {
    throw error("spec-value", where, "it is " + value.dump() + ", more than JSON carries exactly",
                "give at most " + std::to_string(largest_count) + " (2^53 - 1)");
  }
  return value.get<std::int64_t>();
}

attribute_value read_parameter(const json& value, const std::string& where, const attribute_record& attribute,
                               std::string_view wanted, attribute_memory& memory) {
  if (!value.is_object()) return {{}, read_count(value, where, attribute, wanted), nullptr};

  const std::array<key, 2> keys{key{"axis", true, R"(the axis that the numbers lie along, such as "heads")"},
                                key{"values", true, "an array with a number for each index of the axis"}};
  check_keys(value, where, where, std::string(attribute.name), keys);
  memory.text = read_text(value["axis"], where + "/axis", R"(the name of an axis of the logits, such as "heads")");
  const json& values = value["values"];
  if (!values.is_array()) throw_wrong_type(where + "/values", values, keys[1].wanted);
  if (values.empty()) throw error("spec-value", where + "/values", "it is empty", "give " + keys[1].wanted);
  for (const json& one : values) {
    const std::string place = where + "/values" + step(memory.numbers.size());
    memory.numbers.push_back(read_count(one, place, attribute, count_wanted(attribute.lowest)));
  }
  const named_axis axis{memory.text, static_cast<std::int64_t>(memory.numbers.size()), 1};
  memory.view = any_view(memory.numbers.data(), dtype::int64, {axis});
  return {{}, 0, &memory.view};
}

// What an attribute's value is, after "give" or "add it:".
std::string wanted_for(const attribute_record& attribute) {
  const std::string example = attribute.default_name.empty() ? "" : ", such as " + in_quotes(attribute.default_name);
  switch (attribute.kind) {
    case attribute_kind::masked_value:
      return std::string(masked_value_wanted);
    case attribute_kind::parameter:
      return count_wanted(attribute.lowest) +
             R"(, or one for each index of an axis: {"axis": "heads", "values": [512, 1024]})";
    case attribute_kind::query_positions:
    case attribute_kind::kv_positions:
    case attribute_kind::integers:
    case attribute_kind::mask:
      return "the name of a side input" + example;
    case attribute_kind::query_axis:
    case attribute_kind::kv_axis:
      return "the name of an axis of the logits" + example;
  }
  return {};
}

// Only values and parameters must be given; names have a default in the layer's type.
bool is_required(attribute_kind kind) {
  return kind == attribute_kind::masked_value || kind == attribute_kind::parameter;
}

// ---------------------------------------------------------------------------------------------------------- Masks

// A way to compose masks: the key in specs, which is also the word in the names of such types, and its template in C++.
struct composition {
  std::string_view key;
  std::string_view type;
};
constexpr std::array<composition, 3> compositions{
    {{"all", "axismask::all_of"}, {"any", "axismask::any_of"}, {"not", "axismask::not_of"}}};

// The keys of which a mask has exactly one.
constexpr std::array<std::string_view, 4> mask_keys{"type", "all", "any", "not"};

// No C++ type that anyone writes is nested this deep; and reading a spec must not exhaust the stack.
constexpr std::size_t deepest_nesting = 64;

constexpr std::string_view layer_wanted = R"(a layer: {"name": ..., "type": ..., and the attributes of that type})";
constexpr std::string_view part_wanted = R"(a mask: {"type": ..., and the attributes of that type})";

// Only compositions have parentheses in their names: "all(A, B)".
bool is_composition(std::string_view type) { return type.find('(') != std::string_view::npos; }

// The names of the linked types: of the compositions, or of all others.
std::vector<std::string_view> linked_type_names(bool of_compositions) {
  std::vector<std::string_view> names;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      if (is_composition(layer.type->name) == of_compositions) names.push_back(layer.type->name);
    }
  }
  return names;
}

std::string type_wanted() { return "the layer's type, one of " + quoted_list(linked_type_names(false)).str(); }

// The key that says which mask an object is.
std::string read_mask_key(const json& mask, const std::string& where, std::string_view wanted) {
  if (!mask.is_object()) throw_wrong_type(where, mask, wanted);
  std::string found;
  for (const std::string_view one : mask_keys) {
    if (!mask.contains(one)) continue;
    if (!found.empty()) {
      throw error("spec-value", where, "it has both " + in_quotes(found) + " and " + in_quotes(one),
                  "leave one of the two out");
    }
    found = one;
  }
  if (found.empty()) {
    throw error("spec-missing-key", where, "the key \"type\" is missing",
                "add it: " + type_wanted() + R"(; or compose masks with "all", "any" or "not")");
  }
  return found;
}

const layer_type& read_layer_type(const json& value, const std::string& where) {
  const std::vector<std::string_view> linked = linked_type_names(false);
  const std::string& name = read_text(value, where, type_wanted());
  if (is_composition(name)) {
    throw error("spec-layer-type", where, in_quotes(name) + " is a composition of masks and no layer type",
                R"(write it out: {"all": [{"type": ...}, {"type": ...}]}, with "any" or "not" alike)");
  }
  const linked_layer* type = find_linked_layer(name);
  if (type == nullptr) {
    throw error("spec-layer-type", where,
                "this program has no layer type " + in_quotes(name) + did_you_mean(name, linked).str() + "; it has " +
                    quoted_list(linked).str(),
                "use one of these, or link the library that axismask_add_layers made for it");
  }
  return *type->type;
}

// A mask of a linked type: a layer, or a part of one that is composed.
struct plain_mask {
  const json* object;
  std::string where;
  const layer_type* type;
};

// What a layer is: one mask, or a composition.
struct layer_shape {
  const composition* how = nullptr;  // of one mask: none
  std::string names;                 // of the parts: "A, any(B, C)"
  std::string types;                 // the same as C++ has it: "A, axismask::any_of<B, C>"
  std::vector<plain_mask> masks;     // in the spec's order, which is that of the type's attributes

  [[nodiscard]] std::string name() const { return how == nullptr ? names : std::string(how->key) + "(" + names + ")"; }
  [[nodiscard]] std::string type() const { return how == nullptr ? types : std::string(how->type) + "<" + types + ">"; }
};

// A part of a layer has neither the name nor the rule for empty rows nor the masked value, which may be called
// otherwise in the part's own type.
void check_no_layer_keys(const json& part, const std::string& where, std::string_view masked_value_name) {
  for (const auto& [name, value] : part.items()) {
    if (name == "name") {
      throw error("spec-unknown-key", where + step(name), "\"name\" belongs to the layer, and its parts have none",
                  "leave it out here");
    }
    if (name == empty_rows_key) {
      throw error("spec-unknown-key", where + step(name),
                  "\"empty_rows\" belongs to the layer, because a row is empty or not by the whole mask",
                  R"(leave it out here, and give it beside the layer's "masked_out_value")");
    }
    if (name == "masked_out_value" || name == masked_value_name) {
      throw error("spec-unknown-key", where + step(name),
                  in_quotes(name) + " belongs to the layer, which has one value for all its parts",
                  R"(leave it out here, and give "masked_out_value" beside the layer's "name")");
    }
  }
}

// Where a mask stands: it is a layer's own, that of the layers of a group, or a part of one that is composed. A group's
// layers get their names from the group.
enum class place_of_mask { layer, group, part };

// The keys of an object that composes masks.
void check_composition_keys(const json& object, const std::string& where, const layer_shape& shape,
                            place_of_mask place) {
  const bool is_part = place == place_of_mask::part;
  std::vector<key> keys;
  if (place == place_of_mask::layer) keys.push_back({"name", true, std::string(name_wanted)});
  if (!is_part) keys.push_back({"masked_out_value", true, std::string(masked_value_wanted)});
  keys.push_back({shape.how->key, true, {}});
  if (!is_part) keys.push_back({empty_rows_key, false, {}});
  if (is_part) check_no_layer_keys(object, where, {});
  for (const plain_mask& mask : shape.masks) {
    for (const attribute_record& attribute : mask.type->attributes) {
      if (attribute.kind == attribute_kind::masked_value || !object.contains(attribute.name)) continue;
      throw error("spec-unknown-key", where + step(attribute.name),
                  in_quotes(attribute.name) + " belongs to the parts of " + in_quotes(shape.how->key),
                  "give it in each part that has it");
    }
  }
  check_keys(object, where, where, is_part ? "a composed part" : "a composed layer", keys);
}

layer_shape read_shape(const json& mask, const std::string& where, place_of_mask own_place, std::size_t depth = 0) {
  const std::string key = read_mask_key(mask, where, depth == 0 ? layer_wanted : part_wanted);
  const std::string place = where + step(key);
  const json& value = mask.at(key);
  layer_shape shape;
  if (key == "type") {
    const layer_type& type = read_layer_type(value, place);
    shape.names = shape.types = type.name;
    shape.masks.push_back({&mask, where, &type});
    return shape;
  }
  if (depth == deepest_nesting) {
    throw error("spec-value", place, "masks are nested more than " + std::to_string(deepest_nesting) + " deep",
                "compose fewer");
  }
  shape.how =
      std::find_if(compositions.begin(), compositions.end(), [&](const composition& one) { return one.key == key; });
  const auto add = [&](const json& part, const std::string& part_place) {
    layer_shape read = read_shape(part, part_place, place_of_mask::part, depth + 1);
    // `a & b & c` is one composition of three. Of `not` there is but one part.
    const bool is_same = read.how == shape.how && key != "not";
    const std::string separator = shape.masks.empty() ? "" : ", ";
    shape.names += separator + (is_same ? read.names : read.name());
    shape.types += separator + (is_same ? read.types : read.type());
    std::move(read.masks.begin(), read.masks.end(), std::back_inserter(shape.masks));
  };
  if (key == "not") {
    add(value, place);
  } else {
    if (!value.is_array()) throw_wrong_type(place, value, "an array of masks: [{\"type\": ...}, {\"type\": ...}]");
    if (value.size() < 2) {
      throw error(
          "spec-value", place, value.empty() ? "it is empty" : "it has one mask",
          "give at least 2 masks" + std::string(value.empty() ? "" : ", or that one without " + in_quotes(key)));
    }
    for (std::size_t index = 0; index < value.size(); ++index) add(value[index], place + step(index));
  }
  check_composition_keys(mask, where, shape, own_place);
  return shape;
}

// Has the composed type the masked value, and then the other attributes of these masks?
bool has_attributes_of(const layer_type& type, std::span<const plain_mask> masks) {
  std::vector<std::string_view> names{"masked_out_value"};
  for (const plain_mask& mask : masks) {
    for (const attribute_record& attribute : mask.type->attributes) {
      if (attribute.kind != attribute_kind::masked_value) names.push_back(attribute.name);
    }
  }
  return std::equal(names.begin(), names.end(), type.attributes.begin(), type.attributes.end(),
                    [](std::string_view name, const attribute_record& attribute) { return attribute.name == name; });
}

// The linked type of a layer of that shape.
const layer_type& find_type(const layer_shape& shape, const std::string& where) {
  if (shape.how == nullptr) return *shape.masks.front().type;
  const std::string name = shape.name();
  const linked_layer* linked = find_linked_layer(name);
  // Types of two namespaces may have the same name.
  if (linked != nullptr && has_attributes_of(*linked->type, shape.masks)) return *linked->type;

  constexpr std::size_t longest = 1000;
  std::string others;
  for (const std::string_view other : linked_type_names(true)) {
    others += (others.empty() ? "the compositions " : ", ") + std::string(other);
  }
  const std::string what =
      linked == nullptr ? "no kernel of " + shortened(name, longest) + " is linked; this program has " +
                              (others.empty() ? "no compositions" : others)
                        : "the linked " + shortened(name, longest) + " is of other types that have the same names";
  throw error("spec-composition", where + step(shape.how->key), what,
              "add " + shortened(shape.type(), longest) +
                  ", each type with its namespace and template arguments, to AXISMASK_LAYERS in a header, make a "
                  "library of it in CMake with axismask_add_layers(my_layers CONFIG my_layers.hpp), and link that");
}

// Where the attributes of a mask stand among those of its layer.
struct index_range {
  std::size_t begin;
  std::size_t end;
};

// The logits have a query axis and a key axis, so these are two.
void check_axes(const plain_mask& mask, const layer_values& values, index_range range) {
  const std::span<const attribute_record> attributes = values.type->attributes;
  for (std::size_t query = range.begin; query < range.end; ++query) {
    if (attributes[query].kind != attribute_kind::query_axis) continue;
    for (std::size_t kv = range.begin; kv < range.end; ++kv) {
      if (attributes[kv].kind != attribute_kind::kv_axis || values.attributes[query].name != values.attributes[kv].name)
        continue;
      const bool is_given = mask.object->contains(attributes[kv].name);
      throw error("spec-value", mask.where + step(attributes[is_given ? kv : query].name),
                  "queries and keys have the same axis " + in_quotes(values.attributes[kv].name),
                  "give " + in_quotes(attributes[query].name) + " and " + in_quotes(attributes[kv].name) +
                      " the names of two axes of the logits");
    }
  }
}

// The parts of a composed layer lie on the same axes.
void check_same_axes(std::span<const plain_mask> masks, std::span<const index_range> ranges,
                     const layer_values& values) {
  for (const attribute_kind kind : {attribute_kind::query_axis, attribute_kind::kv_axis}) {
    const plain_mask* first = nullptr;
    std::string_view name_in_first;
    for (std::size_t mask = 0; mask < masks.size(); ++mask) {
      for (std::size_t index = ranges[mask].begin; index < ranges[mask].end; ++index) {
        const attribute_record& attribute = values.type->attributes[index];
        if (attribute.kind != kind) continue;
        const std::string_view name = values.attributes[index].name;
        if (first == nullptr) {
          first = &masks[mask];
          name_in_first = name;
        } else if (name != name_in_first) {
          const bool is_given = masks[mask].object->contains(attribute.name);
          throw error("spec-value", masks[mask].where + (is_given ? step(attribute.name) : ""),
                      "its " + in_quotes(attribute.name) + " is " + in_quotes(name) + ", and that of " + first->where +
                          " is " + in_quotes(name_in_first),
                      "give all parts of a layer the same axes");
        }
      }
    }
  }
}

// The attributes of a layer of one type, or of a part of a composed layer.
void read_attributes(const plain_mask& mask, layer_contents& out, index_range range, place_of_mask own_place) {
  const std::span<const attribute_record> attributes = out.values.type->attributes;
  std::vector<key> keys;
  if (own_place == place_of_mask::part) {
    for (const attribute_record& attribute : mask.type->attributes) {
      if (attribute.kind == attribute_kind::masked_value) check_no_layer_keys(*mask.object, mask.where, attribute.name);
    }
  } else if (own_place == place_of_mask::layer) {
    keys.push_back({"name", true, std::string(name_wanted)});
  }
  keys.push_back({"type", true, {}});
  for (std::size_t index = range.begin; index < range.end; ++index) {
    const attribute_record& attribute = attributes[index];
    keys.push_back({attribute.name, is_required(attribute.kind), wanted_for(attribute)});
  }
  if (own_place != place_of_mask::part) keys.push_back({empty_rows_key, false, {}});
  check_keys(*mask.object, mask.where, mask.where, std::string(mask.type->name), keys);
  if (own_place == place_of_mask::layer)
    out.name = read_text(mask.object->at("name"), mask.where + "/name", name_wanted);

  for (std::size_t index = range.begin; index < range.end; ++index) {
    const attribute_record& attribute = attributes[index];
    attribute_memory& memory = out.memory.at(index);
    attribute_value& value = out.values.attributes[index];
    value.name = attribute.default_name;
    const auto found = mask.object->find(attribute.name);
    if (found == mask.object->end()) continue;
    const std::string place = mask.where + step(attribute.name);
    if (attribute.kind == attribute_kind::masked_value) {
      out.values.masked_out_value = read_masked_value(*found, place);
    } else if (attribute.kind == attribute_kind::parameter) {
      value = read_parameter(*found, place, attribute, wanted_for(attribute), memory);
    } else {
      memory.text = read_text(*found, place, wanted_for(attribute));
      value.name = memory.text;
    }
  }
  check_axes(mask, out.values, range);
}

// The rule for empty rows, of which the other attributes must have been read.
void read_empty_rows(const json& layer, const std::string& where, layer_values& out) {
  const auto found = layer.find(empty_rows_key);
  if (found == layer.end()) return;
  const std::string place = where + step(empty_rows_key);
  const std::string& name = read_text(*found, place, empty_rows_wanted);
  const auto* const rule = std::find(empty_row_rule_names.begin(), empty_row_rule_names.end(), name);
  if (rule == empty_row_rule_names.end()) {
    throw error("spec-value", place, "there is no " + in_quotes(name) + did_you_mean(name, empty_row_rule_names).str(),
                "give " + std::string(empty_rows_wanted));
  }
  out.empty_rows = static_cast<empty_row_rule>(rule - empty_row_rule_names.begin());
  if (const auto problem = breach_of(out.empty_rows, out)) {
    throw error("spec-value", place, problem->what.str(), problem->cure.str());
  }
}

void read_layer(const json& layer, const std::string& where, const layer_shape& shape, place_of_mask place,
                layer_contents& out) {
  if (shape.how == nullptr) {
    read_attributes(shape.masks.front(), out, {0, out.values.type->attributes.size()}, place);
    return read_empty_rows(layer, where, out.values);
  }
  if (place == place_of_mask::layer) out.name = read_text(layer["name"], where + "/name", name_wanted);
  out.values.masked_out_value = read_masked_value(layer["masked_out_value"], where + "/masked_out_value");
  std::vector<index_range> ranges;
  std::size_t next = 1;  // after the masked value
  for (const plain_mask& mask : shape.masks) {
    const auto masked_values =
        std::count_if(mask.type->attributes.begin(), mask.type->attributes.end(),
                      [](const attribute_record& attribute) { return attribute.kind == attribute_kind::masked_value; });
    const std::size_t end = next + mask.type->attributes.size() - static_cast<std::size_t>(masked_values);
    ranges.push_back({next, end});
    read_attributes(mask, out, ranges.back(), place_of_mask::part);
    next = end;
  }
  check_same_axes(shape.masks, ranges, out.values);
  read_empty_rows(layer, where, out.values);
}

// Reads a mask of a group for its mistakes alone.
void check_group_mask(const json& mask, const std::string& where) {
  if (!mask.is_object()) throw_wrong_type(where, mask, part_wanted);
  if (mask.contains("name")) {
    throw error("spec-unknown-key", where + "/name", "\"name\" belongs to the layers that have this mask",
                "leave it out here");
  }
  const layer_shape shape = read_shape(mask, where, place_of_mask::group);
  layer_contents contents(find_type(shape, where));
  read_layer(mask, where, shape, place_of_mask::group, contents);
}

// --------------------------------------------------------------------------------------------------------- Groups

// A layer of a spec on its own. It points into the spec: a copy of JSON goes as deep as that is nested.
struct placed_layer {
  const json* mask;
  std::string where;       // the mask's place
  std::string entry;       // that of the layer, or its group, among "layers"
  std::string group_name;  // what a group calls it; empty without a group
};

constexpr std::string_view pattern_wanted =
    R"(an array of masks: each an object {"type": ...}, or the name of one in "masks")";

// One mask of a pattern, which may be the name of another.
placed_layer read_pattern_mask(const json& mask, const std::string& where, const json& masks) {
  if (!mask.is_string()) {
    if (!mask.is_object()) {
      throw_wrong_type(where, mask, R"(a mask: an object {"type": ...}, or the name of one in "masks")");
    }
    check_group_mask(mask, where);
    return {&mask, where, {}, {}};
  }
  const auto& name = mask.get_ref<const std::string&>();
  if (const auto found = masks.find(name); found != masks.end()) return {&*found, "/masks" + step(name), {}, {}};
  std::vector<std::string_view> names;
  for (const auto& item : masks.items()) names.push_back(item.key());
  throw error("spec-value", where, "\"masks\" has no " + in_quotes(name) + did_you_mean(name, names).str(),
              names.empty() ? R"(give the spec "masks": {"name": {"type": ...}})"
                            : "its names are " + quoted_list(names).str());
}

// Appends the layers of a group: its pattern, again and again until there are `count`.
void expand_group(const json& group, const std::string& where, const json& masks, std::vector<placed_layer>& layers) {
  static const std::array<key, 3> keys{key{"name", true, R"(the layers' names, such as "layers.{}")"},
                                       key{"pattern", true, std::string(pattern_wanted)}, key{"count", false, {}}};
  check_keys(group, where, where, "a group of layers", keys);
  const std::string& name = read_text(group["name"], where + "/name", keys[0].wanted);
  const std::size_t mark = name.find("{}");
  if (mark == std::string::npos || name.find("{}", mark + 1) != std::string::npos) {
    throw error("spec-value", where + "/name", "it is " + in_quotes(name),
                R"(write {} once, where the layer's number in the model goes: "layers.{}")");
  }
  const json& pattern = group["pattern"];
  if (!pattern.is_array()) throw_wrong_type(where + "/pattern", pattern, pattern_wanted);
  if (pattern.empty()) {
    throw error("spec-value", where + "/pattern", "it is empty", "give " + std::string(pattern_wanted));
  }
  auto count = static_cast<std::int64_t>(pattern.size());
  if (const auto given = group.find("count"); given != group.end()) {
    const attribute_record record{"count", attribute_kind::parameter, {}, 1};
    count = read_count(*given, where + "/count", record, count_wanted(1));
  }
  if (count > most_layers) {
    throw error("spec-value", where + (group.contains("count") ? "/count" : "/pattern"),
                "it makes " + std::to_string(count) + " layers", "give at most " + std::to_string(most_layers));
  }
  std::vector<placed_layer> round;
  for (std::size_t index = 0; index < pattern.size(); ++index) {
    round.push_back(read_pattern_mask(pattern[index], where + "/pattern" + step(index), masks));
    round.back().entry = where;
  }
  for (std::size_t at = 0; at < static_cast<std::size_t>(count); ++at) {
    layers.push_back(round[at % round.size()]);
    layers.back().group_name = std::string(name).replace(mark, 2, std::to_string(layers.size() - 1));
  }
}

// All layers, one by one.
std::vector<placed_layer> expand_layers(const json& spec) {
  static const json no_masks = json::object();
  const auto found = spec.find("masks");
  const json& masks = found == spec.end() ? no_masks : *found;
  for (const auto& [name, mask] : masks.items()) check_group_mask(mask, "/masks" + step(name));
  std::vector<placed_layer> layers;
  for (std::size_t index = 0; index < spec["layers"].size(); ++index) {
    const json& entry = spec["layers"][index];
    const std::string where = "/layers" + step(index);
    if (entry.is_object() && entry.contains("pattern")) {
      expand_group(entry, where, masks, layers);
    } else {
      layers.push_back({&entry, where, where, {}});
    }
  }
  return layers;
}

// Everything of a spec but its layers.
void check_frame(const json& spec, const std::string& source) {
  static const std::array<key, 5> keys{key{"axismask", true, R"("axismask": 1, the version of the format)"},
                                       key{"model", true, R"(the model's name, such as "gemma-3-1b")"},
                                       key{"layers", true, R"(the model's mask layers: [{"name": ..., "type": ...}])"},
                                       key{"$schema", false, {}}, key{"masks", false, {}}};
  if (!spec.is_object()) {
    throw_wrong_type(source, spec, R"(an object: {"axismask": 1, "model": ..., "layers": [...]})");
  }
  // First of all: with another version, other keys may be right.
  if (const auto version = spec.find("axismask"); version != spec.end()) {
    if (!version->is_number()) throw_wrong_type("/axismask", *version, "1, the version of the format");
    if (*version != 1) {
      throw error("spec-version", "/axismask", "the spec has version " + version->dump() + " of the format",
                  "this program reads version 1; write 1, or get the axismask that reads the spec's version");
    }
  }
  check_keys(spec, "", source, "a spec", keys);
  read_text(spec["model"], "/model", keys[1].wanted);
  if (const auto masks = spec.find("masks"); masks != spec.end() && !masks->is_object()) {
    throw_wrong_type("/masks", *masks, R"(an object of named masks: {"sliding": {"type": ...}})");
  }
  const json& layers = spec["layers"];
  if (!layers.is_array()) throw_wrong_type("/layers", layers, R"(an array of layers: [{"name": ..., "type": ...}])");
  if (layers.empty()) {
    throw error("spec-value", "/layers", "it is empty", R"(give at least one layer: [{"name": ..., "type": ...}])");
  }
}

// --------------------------------------------------------------------------------------------------------- Schema

// The net below the checks: whatever else the schema rejects, said in a general way.
void check_schema(const json& spec, const std::string& source) {
  const json schema = json::parse(model_schema);
  valijson::Schema compiled;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(schema), compiled);
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(compiled, valijson::adapters::NlohmannJsonAdapter(spec), &results)) return;

  // The innermost place comes first: "<root>", "[layers]", "[0]". Beside it goes the nearest part of the schema that
  // describes it.
  valijson::ValidationResults::Error first;
  results.popError(first);
  std::string pointer;
  const json* value = &spec;
  const json* described = &schema;
  const json* node = &schema;
  for (std::size_t index = 1; index < first.context.size(); ++index) {
    const std::string name = first.context[index].substr(1, first.context[index].size() - 2);
    pointer += step(name);
    value = value->is_array() ? &value->at(std::stoul(name)) : &value->at(name);
    if (node == nullptr) continue;
    if (const auto reference = node->find("$ref"); reference != node->end()) {
      node = &schema.at(json::json_pointer(reference->get_ref<const std::string&>().substr(1)));
    }
    const json::json_pointer property = json::json_pointer("/properties") / name;
    node = node->contains(property) ? &node->at(property) : node->contains("items") ? &node->at("items") : nullptr;
    if (node != nullptr && node->contains("description")) described = node;
  }
  const bool is_wrong_type = node != nullptr && node->value("type", value->type_name()) != value->type_name();
  throw error(is_wrong_type ? "spec-type" : "spec-value", pointer.empty() ? source : pointer,
              "it is " + in_words(*value) + ", which schemas/model.schema.json does not allow",
              "its description there: " + described->value("description", ""));
}

}  // namespace

// --------------------------------------------------------------------------------------------------------- Layers

const std::string& any_layer::name() const { return contents_->name; }

const std::string& any_layer::place() const { return contents_->place; }
const layer_type& any_layer::type() const { return *contents_->values.type; }
const layer_values& any_layer::values() const {
  const std::span<const attribute_record> attributes = type().attributes;
  for (std::size_t index = 0; index < attributes.size(); ++index) {
    const std::string& label = contents_->memory.at(index).variable;
    if (label.empty()) continue;
    const breach::sentence sentence = breach::variable_unbound(label);
    throw error("variable-unbound", std::string(attributes[index].name), sentence.what.str(), sentence.cure.str());
  }
  return contents_->values;
}

namespace {

// A side input in a formula: q and k for positions, `query_segment_ids` for `query_segment_ids_input_name`.
std::string short_name(std::string_view attribute) {
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
    if (attribute.kind == attribute_kind::mask) {
      operands.emplace_back(value.name);
    } else if (is_side_input(attribute.kind)) {
      operands.push_back(short_name(attribute.name));
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

void any_layer::apply(const any_view& logits, const any_view& out, std::span<const side_input> side_inputs,
                      const call_options& options) const {
  axismask::apply(values(), logits, out, side_inputs, options);
}

void any_layer::apply_in_place(const any_view& logits, std::span<const side_input> side_inputs,
                               const call_options& options) const {
  axismask::apply(values(), logits, logits, side_inputs, options);
}

// --------------------------------------------------------------------------------------------------------- Models

Model Model::load(const std::filesystem::path& file) { return parse(read_text_file(file, spec_file), file.string()); }

Model Model::parse(std::string_view text, const std::string& source) {
  const json spec = parse_json(text, source, spec_file);
  check_frame(spec, source);

  Model model;
  model.name_ = spec["model"];
  std::map<std::string_view, std::string> places;
  for (const auto& [mask, where, entry, group_name] : expand_layers(spec)) {
    const place_of_mask place = group_name.empty() ? place_of_mask::layer : place_of_mask::group;
    const layer_shape shape = read_shape(*mask, where, place);
    const auto read = std::make_shared<any_layer::contents>(find_type(shape, where));
    read->name = group_name;
    read->place = where;
    read_layer(*mask, where, shape, place, *read);
    const auto [same, is_new] = places.emplace(read->name, entry);
    if (!is_new) {
      throw error("spec-layer-name", entry + "/name",
                  "the layer " + same->second + " is called " + in_quotes(read->name) + " too",
                  "give each layer a name of its own");
    }
    model.layers_.push_back(any_layer(read));
  }
  check_schema(spec, source);
  return model;
}

std::string Model::to_json() const {
  std::vector<named_mask> masks;
  for (const any_layer& layer : layers_) masks.push_back({layer.name(), mask_json(layer, false)});
  return spec_text(name_, masks);
}

void Model::save(const std::filesystem::path& file) const {
  const std::string text = to_json();
  new_file output(file, "spec-write");
  output.write(text.data(), text.size());
  output.place();
}

const any_layer& Model::layer(std::string_view name) const {
  for (const any_layer& layer : layers_) {
    if (layer.name() == name) return layer;
  }
  std::vector<std::string> names;
  for (const any_layer& layer : layers_) names.push_back(escaped(layer.name()));
  const std::vector<std::string_view> views(names.begin(), names.end());
  constexpr std::size_t listed = 5;
  std::string list;
  for (std::size_t index = 0; index < std::min(listed, layers_.size()); ++index) {
    list += (index == 0 ? "" : ", ") + in_quotes(layers_[index].name());
  }
  if (layers_.empty()) list = "none";
  if (layers_.size() > listed) list += ", ... (" + std::to_string(layers_.size()) + " in all)";
  throw error("spec-layer-name", "layer",
              "the model " + in_quotes(name_) + " has no layer " + in_quotes(name) + did_you_mean(name, views).str(),
              "its layers are " + list);
}

}  // namespace axismask
