// What a mask of a spec is: of one linked type, or composed of masks; and the linked type of a composition.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/layer/layer_type.hpp"

namespace axismask::spec {

// Where a mask stands: it is a layer's own, that of the layers of a group, or a part of one that is composed. A group's
// layers get their names from the group.
enum class mask_role { layer, group, part };

struct mask_shape {
  const nlohmann::json* object;  // in the spec, which is not copied: a copy goes as deep as it is nested
  std::string where;
  const layer_type* type = nullptr;  // of a mask that is not composed
  composition how = composition::none;
  std::vector<mask_shape> parts;  // a part that is composed in the same way is replaced by its own parts
};

// Reads which mask an object is, without its attributes.
mask_shape read_shape(const nlohmann::json& mask, const std::string& where, mask_role role, std::size_t depth = 0);

// The masks of a shape that are not composed, in the spec's order, which is that of the type's attributes.
std::vector<const mask_shape*> plain_masks(const mask_shape& shape);

// The cure where a type is not linked. A spec names no C++ type that could ask the linker for its library.
inline constexpr std::string_view how_to_link_a_type =
    "use one of these, or link the library that axismask_add_layers made for it; without CMake that takes "
    "-Wl,--undefined=axismask_library_NAME -lNAME, and the shipped layers' NAME is axismask_layers";

// The linked type of a layer of that shape.
const layer_type& find_type(const mask_shape& shape);

// The parts of a composition have none of the layer's own keys; of these the masked value has a name of its own in the
// part's type.
void check_no_layer_keys(const nlohmann::json& part, const std::string& where, std::string_view masked_value_name);

}  // namespace axismask::spec
