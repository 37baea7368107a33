// A plugin of layers: a shared library, made by `axismask_add_layers(... PLUGIN)`, whose layers a running program takes
// in (load_layers, linked.hpp). What it must have in common with that program, and what it gives.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "axismask/kernel/kernel.hpp"

namespace axismask {

// Differs wherever records or values may lie otherwise in memory: the compiler's ABI, and what records take.
using plugin_stamp = std::array<std::uint32_t, 6>;
inline constexpr plugin_stamp this_plugin_stamp{
    1,  // of this file
    __GXX_ABI_VERSION,
    sizeof(kernel),
    sizeof(linked_layer),
    sizeof(layer_type),
    sizeof(attribute_record),
};

struct layer_plugin {
  plugin_stamp stamp;  // comes first, and is read before the rest
  std::span<const layer_library* const> libraries;
};

// The only symbol that a plugin shows: `extern "C" const layer_plugin* axismask_layer_plugin()`.
#define AXISMASK_PLUGIN_FUNCTION axismask_layer_plugin
using plugin_function = const layer_plugin* (*)();

}  // namespace axismask
