// `axismask kernels`: lists the kernels in this program, and which run here.
#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/linked.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"

namespace axismask::command {
namespace {

// The features of processors, by the names that targets have; other features ask nothing of a processor.
struct feature_name {
  std::string_view name;
  int number;
};
constexpr std::array<feature_name, 24> processor_features{{
    {"sse41", halide_target_feature_sse41},
    {"avx", halide_target_feature_avx},
    {"f16c", halide_target_feature_f16c},
    {"fma", halide_target_feature_fma},
    {"avx2", halide_target_feature_avx2},
    {"avxvnni", halide_target_feature_avxvnni},
    {"avx512", halide_target_feature_avx512},
    {"avx512_knl", halide_target_feature_avx512_knl},
    {"avx512_skylake", halide_target_feature_avx512_skylake},
    {"avx512_cannonlake", halide_target_feature_avx512_cannonlake},
    {"avx512_zen4", halide_target_feature_avx512_zen4},
    {"avx512_zen5", halide_target_feature_avx512_zen5},
    {"avx512_sapphirerapids", halide_target_feature_avx512_sapphirerapids},
    {"avx10_1", halide_target_feature_avx10_1},
    {"armv8a", halide_target_feature_armv8a},
    {"armv81a", halide_target_feature_armv81a},
    {"armv82a", halide_target_feature_armv82a},
    {"armv83a", halide_target_feature_armv83a},
    {"armv84a", halide_target_feature_armv84a},
    {"arm_dot_prod", halide_target_feature_arm_dot_prod},
    {"arm_fp16", halide_target_feature_arm_fp16},
    {"sve", halide_target_feature_sve},
    {"sve2", halide_target_feature_sve2},
    {"rvv", halide_target_feature_rvv},
}};

bool needs(const kernel& kernel, const feature_name& feature) {
  const auto number = static_cast<std::size_t>(feature.number);
  return (kernel.features[number / 64] >> (number % 64) & 1) != 0;
}

// Does this processor have the feature? As a kernel that needs nothing else would be told.
bool is_there(const kernel& like, const feature_name& feature) {
  const auto number = static_cast<std::size_t>(feature.number);
  kernel probe = like;
  probe.vector_bits = 0;
  probe.features = {};
  probe.features[number / 64] = std::uint64_t{1} << (number % 64);
  return is_usable(probe);
}

// What a kernel needs of the processor.
struct needed_feature {
  std::string name;
  bool there;
};

std::vector<needed_feature> needed_features(const kernel& kernel) {
  std::vector<needed_feature> all;
  for (const feature_name& feature : processor_features) {
    if (needs(kernel, feature)) all.push_back({std::string(feature.name), is_there(kernel, feature)});
  }
  // A length of vectors is there when nothing else is missing and the kernel can be used.
  if (kernel.vector_bits != 0) {
    all.push_back({"vector_bits_" + std::to_string(kernel.vector_bits), is_usable(kernel)});
  }
  return all;
}

// All kernels of a layer for one target.
struct variant_row {
  const kernel* first;
  std::vector<int> element_bytes;
  std::vector<int> position_bytes;
};

template <class T>
void add_once(std::vector<T>& list, const T& one) {
  if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
}

std::vector<variant_row> variants_of(const linked_layer& layer) {
  std::vector<variant_row> rows;
  for (const kernel& kernel : layer.kernels) {
    auto found = std::find_if(rows.begin(), rows.end(),
                              [&](const variant_row& one) { return one.first->variant == kernel.variant; });
    if (found == rows.end()) found = rows.insert(rows.end(), {&kernel, {}, {}});
    add_once(found->element_bytes, kernel.element_bytes);
    add_once(found->position_bytes, kernel.position_bytes);
  }
  return rows;
}

std::vector<std::string> missing_features(const kernel& kernel) {
  std::vector<std::string> missing;
  for (const needed_feature& feature : needed_features(kernel)) {
    if (!feature.there) missing.push_back(feature.name);
  }
  return missing;
}

// Why this machine cannot run a kernel; nothing when it can.
std::string reason_against(const kernel& kernel) {
  if (is_usable(kernel)) return {};
  if (kernel.device != nullptr) return device_problem(kernel);
  return "lacks " + joined(missing_features(kernel), ", ");
}

// What the kernels ask of this machine: the variants that it runs, its devices, and the processor features that it has
// and lacks.
json machine_json() {
  std::vector<std::string_view> variants;
  std::vector<std::string_view> devices;
  std::vector<std::string> features;
  std::vector<std::string> missing;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (const kernel& kernel : layer.kernels) {
        if (is_usable(kernel)) add_once(kernel.device != nullptr ? devices : variants, kernel.variant);
        for (const needed_feature& feature : needed_features(kernel)) {
          add_once(feature.there ? features : missing, feature.name);
        }
      }
    }
  }
  return {{"variants", variants}, {"devices", devices}, {"features", features}, {"missing_features", missing}};
}

json kernels_json() {
  json libraries = json::array();
  for (const layer_library* library : linked_libraries()) {
    json layers = json::array();
    for (const linked_layer& layer : library->layers) {
      const std::string_view chosen = chosen_variant(layer);
      json kernels = json::array();
      for (const variant_row& one : variants_of(layer)) {
        const std::string reason = reason_against(*one.first);
        kernels.push_back({{"variant", one.first->variant},
                           {"target", one.first->target},
                           {"is_device", one.first->device != nullptr},
                           {"element_bytes", one.element_bytes},
                           {"position_bytes", one.position_bytes},
                           {"usable", is_usable(*one.first)},
                           {"reason", reason.empty() ? json() : json(reason)},
                           {"missing_features", missing_features(*one.first)},
                           {"chosen", one.first->variant == chosen}});
      }
      layers.push_back(
          {{"type", layer.type->name}, {"chosen", chosen.empty() ? json() : json(chosen)}, {"kernels", kernels}});
    }
    libraries.push_back({{"name", library->name}, {"layers", layers}});
  }
  return {{"machine", machine_json()}, {"libraries", libraries}};
}

// "2,4,8" or "avx, f16c", as the separator is.
std::string list_text(const json& list, std::string_view separator) {
  std::vector<std::string> parts;
  for (const json& one : list) parts.push_back(one.is_string() ? one.get<std::string>() : json_text(one));
  return joined(parts, separator);
}

std::string usable_text(const json& kernel) {
  return kernel["usable"] ? "yes" : "no: " + kernel["reason"].get<std::string>();
}

void print_kernels(const json& kernels) {
  const auto names = [&](const char* key) {
    const json& list = kernels["machine"][key];
    return list.empty() ? "none" : list_text(list, ", ");
  };
  std::cout << "This machine runs the variants: " << names("variants") << "; and has the devices: " << names("devices")
            << '\n'
            << "Of the processor features that the kernels need it has: " << names("features")
            << "; it lacks: " << names("missing_features") << "\n\n";
  std::vector<row> rows{
      {"LIBRARY", "LAYER", "VARIANT", "TARGET", "ELEMENT BYTES", "POSITION BYTES", "USABLE", "CHOSEN"}};
  for (const json& library : kernels["libraries"]) {
    for (const json& layer : library["layers"]) {
      for (const json& kernel : layer["kernels"]) {
        rows.push_back({library["name"], layer["type"], kernel["variant"], kernel["target"],
                        list_text(kernel["element_bytes"], ","), list_text(kernel["position_bytes"], ","),
                        usable_text(kernel), kernel["chosen"] ? "chosen" : "-"});
      }
    }
  }
  print_table(rows);
}

int run_kernels(bool as_json) {
  const json kernels = kernels_json();
  as_json ? print_json(kernels) : print_kernels(kernels);
  finish_output();
  return 0;
}

}  // namespace

subcommand kernels_subcommand() {
  const auto as_json = std::make_shared<bool>(false);
  return {"kernels",
          "List the kernels in this program, and which run here",
          {json_argument(*as_json)},
          "Example:\n"
          "  axismask kernels",
          [as_json] { return run_kernels(*as_json); }};
}

}  // namespace axismask::command
