// What a mask of a spec is: the key "type" names a linked type, the keys of compositions hold masks.
#include "spec/mask_shape.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "axismask/linked.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "spec/json_text.hpp"
#include "spec/read_values.hpp"
#include "spec/spec_keys.hpp"

namespace axismask::spec {
namespace {

using nlohmann::json;

// No C++ type that anyone writes is nested this deep; and reading a spec must not exhaust the stack.
constexpr std::size_t deepest_nesting = 64;

bool is_composed(const layer_type& type) { return type.how != composition::none; }

// The linked types: the compositions, or all others.
std::vector<const layer_type*> linked_types(bool that_are_composed) {
  std::vector<const layer_type*> types;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      if (is_composed(*layer.type) == that_are_composed) types.push_back(layer.type);
    }
  }
  return types;
}

std::vector<std::string_view> names_of(const std::vector<const layer_type*>& types) {
  std::vector<std::string_view> names;
  for (const layer_type* type : types) names.push_back(type->name);
  return names;
}

std::string type_wanted() {
  return std::string(keys::type.wanted) + ", one of " + quoted_list(names_of(linked_types(false))).str();
}

// How the mask is made, which its one key of `composition_keys` says.
composition read_how(const json& mask, const std::string& where, std::string_view wanted) {
  if (!mask.is_object()) throw_wrong_type(where, mask, wanted);
  const auto is_given = [&](std::string_view key) { return mask.contains(key); };
  const auto* const end = composition_keys.end();
  const auto* const found = std::find_if(composition_keys.begin(), end, is_given);
  if (found == end) {
    throw error("spec-missing-key", where, "the key " + in_quotes(keys::type.name) + " is missing",
                "add it: " + type_wanted() + R"(; or compose masks with "all", "any" or "not")");
  }
  const auto* const second = std::find_if(found + 1, end, is_given);
  if (second != end) {
    throw error("spec-value", where, "it has both " + in_quotes(*found) + " and " + in_quotes(*second),
                "leave one of the two out");
  }
  return static_cast<composition>(found - composition_keys.begin());
}

const layer_type& read_layer_type(const json& value, const std::string& where) {
  const std::string& name = read_text(value, where, type_wanted());
  if (name.find('(') != std::string::npos) {  // as compositions are written in messages
    throw error("spec-layer-type", where, in_quotes(name) + " is a composition of masks and no layer type",
                R"(write it out: {"all": [{"type": ...}, {"type": ...}]}, with "any" or "not" alike)");
  }
  const linked_layer* linked = find_linked_layer(name);
  if (linked == nullptr) {
    const std::vector<std::string_view> names = names_of(linked_types(false));
    throw error("spec-layer-type", where,
                "this program has no layer type " + in_quotes(name) + did_you_mean(name, names).str() + "; it has " +
                    quoted_list(names).str(),
                std::string(how_to_link_a_type));
  }
  return *linked->type;
}

// The keys of an object that composes masks.
void check_composition_keys(const mask_shape& shape, mask_role role) {
  const json& object = *shape.object;
  const spec_key how{key_of(shape.how), true, {}};
  std::vector<allowed_key> allowed;
  switch (role) {
    case mask_role::layer:
      allowed = {keys::name, keys::masked_out_value, how, keys::empty_rows, keys::attention};
      break;
    case mask_role::group:
      allowed = {keys::masked_out_value, how, keys::empty_rows, keys::attention};
      break;
    case mask_role::part:
      allowed = {how};
      check_no_layer_keys(object, shape.where, {});
      break;
  }
  for (const mask_shape* mask : plain_masks(shape)) {
    for (const attribute_record& attribute : mask->type->attributes) {
      if (attribute.kind == attribute_kind::masked_value || !object.contains(attribute.name)) continue;
      throw error("spec-unknown-key", shape.where + step(attribute.name),
                  in_quotes(attribute.name) + " belongs to the parts of " + in_quotes(how.name),
                  "give it in each part that has it");
    }
  }
  // A key that is missing here may stand in the parts.
  if (role != mask_role::part) {
    for (const mask_shape* mask : plain_masks(shape)) {
      for (const attribute_record& attribute : mask->type->attributes) {
        if (attribute.kind != attribute_kind::masked_value) continue;
        check_no_layer_keys(*mask->object, mask->where, attribute.name);
      }
    }
  }
  check_keys(object, shape.where, role == mask_role::part ? "a composed part" : "a composed layer", allowed);
}

// `a & b & c` is one composition of three. Of `not` there is but one part.
void add_part(mask_shape& shape, mask_shape part) {
  if (part.how == shape.how && shape.how != composition::inverse) {
    std::move(part.parts.begin(), part.parts.end(), std::back_inserter(shape.parts));
  } else {
    shape.parts.push_back(std::move(part));
  }
}

}  // namespace

void check_no_layer_keys(const json& part, const std::string& where, std::string_view masked_value_name) {
  for (const auto& [name, value] : part.items()) {
    for (const layer_key& key : keys::of_layer) {
      const bool is_masked_value =
          key.name == keys::masked_out_value.name && !masked_value_name.empty() && name == masked_value_name;
      if (name != key.name && !is_masked_value) continue;
      throw error("spec-unknown-key", where + step(name),
                  in_quotes(name) + " belongs to the layer, " + std::string(key.why_not_of_parts),
                  std::string(key.cure_in_parts));
    }
  }
}

mask_shape read_shape(const json& mask, const std::string& where, mask_role role, std::size_t depth) {
  mask_shape shape{&mask, where, nullptr, read_how(mask, where, depth == 0 ? layer_wanted : part_wanted), {}};
  const std::string_view key = key_of(shape.how);
  const std::string value_where = where + step(key);
  const json& value = mask.at(key);
  if (shape.how == composition::none) {
    shape.type = &read_layer_type(value, value_where);
    return shape;
  }
  if (depth == deepest_nesting) {
    throw error("spec-value", value_where, "masks are nested more than " + std::to_string(deepest_nesting) + " deep",
                "compose fewer");
  }
  if (shape.how == composition::inverse) {
    add_part(shape, read_shape(value, value_where, mask_role::part, depth + 1));
  } else {
    if (!value.is_array()) throw_wrong_type(value_where, value, parts_wanted);
    if (value.size() < 2) {
      throw error(
          "spec-value", value_where, value.empty() ? "it is empty" : "it has one mask",
          "give at least 2 masks" + std::string(value.empty() ? "" : ", or that one without " + in_quotes(key)));
    }
    for (std::size_t index = 0; index < value.size(); ++index) {
      add_part(shape, read_shape(value[index], value_where + step(index), mask_role::part, depth + 1));
    }
  }
  check_composition_keys(shape, role);
  return shape;
}

std::vector<const mask_shape*> plain_masks(const mask_shape& shape) {
  if (shape.how == composition::none) return {&shape};
  std::vector<const mask_shape*> masks;
  for (const mask_shape& part : shape.parts) {
    const std::vector<const mask_shape*> more = plain_masks(part);
    masks.insert(masks.end(), more.begin(), more.end());
  }
  return masks;
}

// ------------------------------------------------------------------------------------- The linked type of a shape

namespace {

using types_match = bool (*)(const layer_type& a, const layer_type& b);

bool have_same_name(const layer_type& a, const layer_type& b) { return a.name == b.name; }

// Types of two namespaces may have the same name.
bool are_same(const layer_type& a, const layer_type& b) {
  const auto has_same_name = [](const attribute_record& one, const attribute_record& other) {
    return one.name == other.name;
  };
  return a.name == b.name &&
         std::equal(a.attributes.begin(), a.attributes.end(), b.attributes.begin(), b.attributes.end(), has_same_name);
}

// Is the type made as the shape is, of plain masks whose types match?
bool has_shape(const layer_type& type, const mask_shape& shape, types_match match) {
  if (type.how != shape.how) return false;
  if (shape.how == composition::none) return match(*shape.type, type);
  return std::equal(
      shape.parts.begin(), shape.parts.end(), type.parts.begin(), type.parts.end(),
      [&](const mask_shape& part, const layer_type* of_type) { return has_shape(*of_type, part, match); });
}

// "all(A, any(B, C))", as the linked types are called.
std::string name_of(const mask_shape& shape) {
  if (shape.how == composition::none) return std::string(shape.type->name);
  std::string names;
  for (const mask_shape& part : shape.parts) names += (names.empty() ? "" : ", ") + name_of(part);
  return std::string(key_of(shape.how)) + "(" + names + ")";
}

std::string_view template_of(composition how) {
  switch (how) {
    case composition::all:
      return "axismask::all_of";
    case composition::any:
      return "axismask::any_of";
    case composition::inverse:
      return "axismask::not_of";
    case composition::none:
      break;
  }
  return {};
}

// "axismask::all_of<A, axismask::any_of<B, C>>"
std::string cpp_type_of(const mask_shape& shape) {
  if (shape.how == composition::none) return std::string(shape.type->name);
  std::string types;
  for (const mask_shape& part : shape.parts) types += (types.empty() ? "" : ", ") + cpp_type_of(part);
  return std::string(template_of(shape.how)) + "<" + types + ">";
}

}  // namespace

const layer_type& find_type(const mask_shape& shape) {
  if (shape.how == composition::none) return *shape.type;
  const std::vector<const layer_type*> linked = linked_types(true);
  const auto find = [&](types_match match) {
    return std::find_if(linked.begin(), linked.end(),
                        [&](const layer_type* type) { return has_shape(*type, shape, match); });
  };
  // A call finds the kernels by the name: two layers must not have it.
  if (const auto found = find(are_same); found != linked.end()) return *find_linked_layer((*found)->name)->type;

  constexpr std::size_t longest = 1000;
  const std::string name = shortened(name_of(shape), longest);
  std::string others;
  for (const layer_type* other : linked) {
    others += (others.empty() ? "the compositions " : ", ") + std::string(other->name);
  }
  const std::string what =
      find(have_same_name) == linked.end()
          ? "no kernel of " + name + " is linked; this program has " + (others.empty() ? "no compositions" : others)
          : "the linked " + name + " is of other types that have the same names";
  throw error("spec-composition", shape.where + step(key_of(shape.how)), what,
              "add " + shortened(cpp_type_of(shape), longest) +
                  ", each type with its namespace and template arguments, to AXISMASK_LAYERS in a header, make a "
                  "library of it in CMake with axismask_add_layers(my_layers CONFIG my_layers.hpp), and link that");
}

}  // namespace axismask::spec
