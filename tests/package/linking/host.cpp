// A program with an axismask of its own, whose symbols every plugin sees (-rdynamic), and a plugin.
#include <dlfcn.h>

#include <axismask/linked.hpp>
#include <cstdio>
#include <string>

int main() {
  std::printf("the host's libraries: %zu\n", axismask::linked_libraries().size());
  void* plugin = dlopen("./plugin.so", RTLD_NOW);
  if (plugin == nullptr) {
    std::printf("%s\n", dlerror());
    return 1;
  }
  using function = void (*)(std::string&, std::string&);
  std::string by_type, by_spec;
  reinterpret_cast<function>(dlsym(plugin, "run_plugin"))(by_type, by_spec);
  std::printf("by type: %s\nby spec: %s\n", by_type.c_str(), by_spec.c_str());
}
