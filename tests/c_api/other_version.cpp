// A plugin of layers that was made with other headers.
#include "axismask/kernel/layer_plugin.hpp"

extern "C" __attribute__((visibility("default"))) const axismask::layer_plugin* AXISMASK_PLUGIN_FUNCTION() {
  static const axismask::layer_plugin plugin = [] {
    axismask::layer_plugin made{axismask::this_plugin_stamp, {}};
    ++made.stamp[2];
    return made;
  }();
  return &plugin;
}
