// Layers made of values: the attributes of a layer's contents are read as values, and written into new contents with
// the checks of the spec loader. Errors name the layer and its field as their WHERE.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "axismask/layer_structure.hpp"
#include "spec/layer_contents.hpp"

namespace axismask::spec {

// A layer, by its name, or by its type's when it has none, and the key of a field: "layers.0.seq_axis".
std::string field_place(std::string_view layer, const layer_type& type, std::string_view field);

// The value of the field with that index.
any_attribute read_field(const layer_contents& layer, std::size_t index);

// What a layer has besides its fields; edits keep it.
struct beside_fields {
  empty_row_rule empty_rows = empty_row_rule::masked;
  layer_attention attention = {};
};

// A layer whose field at each index is `value_at(index)`.
any_layer build_layer(const layer_type& type, std::string name, beside_fields beside,
                      const std::function<any_attribute(std::size_t index)>& value_at);

}  // namespace axismask::spec
