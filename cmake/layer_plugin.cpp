// What a plugin of layers gives to the program that loads it. Compiled by axismask_add_layers(... PLUGIN).
#include "axismask/kernel/layer_plugin.hpp"

#include "axismask/linked.hpp"

extern "C" __attribute__((visibility("default"))) const axismask::layer_plugin* AXISMASK_PLUGIN_FUNCTION() {
  static const axismask::layer_plugin plugin{axismask::this_plugin_stamp, axismask::linked_libraries()};
  return &plugin;
}
