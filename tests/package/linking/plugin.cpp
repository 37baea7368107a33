// A plugin with an axismask of its own.
#include "engine.hpp"

extern "C" void run_plugin(std::string& by_type, std::string& by_spec) {
  by_type = masked_by_type();
  by_spec = masked_by_spec("causal.json");
}
