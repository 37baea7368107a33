// The colour of a layer that the compiler knows.
#pragma once

#include <string>

#include "axismask/layer/reflection.hpp"
#include "axismask/structure/color.hpp"
#include "axismask/structure/fields.hpp"

namespace axismask {

// The colour in which treescope shows the layer, as CSS. The layers that penzai has too have penzai's colour; others
// that of a class with their name.
template <declared_layer Layer>
[[nodiscard]] std::string treescope_color(const Layer&) {
  return detail::color_of_layer(detail::unqualified_name<Layer>());
}

}  // namespace axismask
