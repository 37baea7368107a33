// What the trees of known layers (structure.hpp) and those of a spec's (layer_structure.hpp) share.
#pragma once

#include <string>
#include <string_view>

namespace axismask {

// The key of a field in the path to a leaf: JAX's `GetAttrKey`.
struct attribute_key {
  std::string_view name;

  // ".sliding_window_size", as JAX prints it in paths.
  [[nodiscard]] std::string str() const { return "." + std::string(name); }

  friend constexpr bool operator==(const attribute_key&, const attribute_key&) = default;
};

struct allow_unused_t {};
// `bind_variables(layer, allow_unused, ...)`: values of variables that the layer does not have are no error.
inline constexpr allow_unused_t allow_unused{};

}  // namespace axismask
