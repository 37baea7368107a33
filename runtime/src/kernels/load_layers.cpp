// Loads plugins of layers.
#include <dlfcn.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "axismask/kernel/layer_plugin.hpp"
#include "axismask/linked.hpp"
#include "axismask/messages/error.hpp"
#include "kernels/added_libraries.hpp"

#define AXISMASK_TEXT_OF(symbol) #symbol
#define AXISMASK_NAME_OF(symbol) AXISMASK_TEXT_OF(symbol)

namespace axismask {
namespace {

struct close_library {
  void operator()(void* library) const { ::dlclose(library); }
};
using loaded_library = std::unique_ptr<void, close_library>;

// The loader looks for a name without "/" in the system's folders only.
std::string path_of(const std::string& file) {
  std::error_code no_error;
  const bool is_here = file.find('/') == std::string::npos && std::filesystem::exists(file, no_error);
  return is_here ? "./" + file : file;
}

loaded_library open_library(const std::string& file) {
  loaded_library library(::dlopen(path_of(file).c_str(), RTLD_NOW | RTLD_LOCAL));
  if (library != nullptr) return library;
  const char* const reason = ::dlerror();
  throw error("layers-load", file,
              "it cannot be loaded: " + std::string(reason == nullptr ? "no reason is known" : reason),
              "give the path of a shared library that axismask_add_layers(... PLUGIN) made for this machine");
}

const layer_plugin& plugin_in(void* library, const std::string& file) {
  const auto give = reinterpret_cast<plugin_function>(::dlsym(library, AXISMASK_NAME_OF(AXISMASK_PLUGIN_FUNCTION)));
  if (give == nullptr) {
    throw error("layers-load", file, "it is a shared library, but none of layers",
                "give one that axismask_add_layers(... PLUGIN) made");
  }
  const layer_plugin& plugin = *give();
  if (plugin.stamp != this_plugin_stamp) {
    throw error("layers-version", file,
                "it was made with other headers of axismask than this library, or by another compiler",
                "build it again with the headers of the version that loads it");
  }
  return plugin;
}

}  // namespace

void load_layers(const std::string& file) {
  static std::mutex one_at_a_time;
  struct one_plugin {
    loaded_library library;
    const layer_plugin* plugin;
  };
  static auto& loaded = *new std::vector<one_plugin>;  // never destroyed: its layers are used until the program ends
  const std::lock_guard lock(one_at_a_time);
  loaded_library library = open_library(file);
  const layer_plugin& plugin = plugin_in(library.get(), file);
  for (const one_plugin& known : loaded) {
    if (known.plugin == &plugin) return;
  }
  loaded.reserve(loaded.size() + 1);
  add_libraries(plugin.libraries, file);
  loaded.push_back({std::move(library), &plugin});
}

}  // namespace axismask
