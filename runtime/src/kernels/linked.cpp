// Finds the linked layers, and chooses among the variants of their kernels.
#include "axismask/linked.hpp"

#include <HalideRuntime.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "kernels/added_libraries.hpp"

// The linker makes these for a section of that name. Weak: a program may have no layers at all.
extern "C" {
extern const axismask::layer_library* const __start_axismask_libraries[] __attribute__((weak, visibility("hidden")));
extern const axismask::layer_library* const __stop_axismask_libraries[] __attribute__((weak, visibility("hidden")));
}

namespace axismask {
namespace {

// The variant asked for, as it stands in a kernel's record, which is there for good.
std::atomic<const std::string_view*> forced_variant{nullptr};

// The length of this thread's SVE vectors. Only for a processor that has them.
int processor_vector_bits() {
  std::int64_t bytes = 0;
#ifdef __aarch64__
  asm(".arch_extension sve\n\trdvl %0, #1" : "=r"(bytes));
#endif
  return static_cast<int>(8 * bytes);
}

// A library of which the linker found several records.
struct whole_library {
  layer_library record{};
  std::vector<linked_layer> layers;
  std::deque<std::vector<kernel>> kernels;  // of layers whose kernels stand in several records
};

// A variant that the layer has already is left out: the first record has it.
void add_kernels(whole_library& library, linked_layer& layer, std::span<const kernel> more) {
  std::vector<kernel> all(layer.kernels.begin(), layer.kernels.end());
  for (const kernel& one : more) {
    const auto is_same = [&](const kernel& known) { return known.variant == one.variant; };
    if (std::none_of(layer.kernels.begin(), layer.kernels.end(), is_same)) all.push_back(one);
  }
  if (all.size() == layer.kernels.size()) return;
  std::stable_partition(all.begin(), all.end(), [](const kernel& one) { return one.device == nullptr; });
  layer.kernels = library.kernels.emplace_back(std::move(all));
}

// All libraries, from the records that the linker put into the section.
std::deque<whole_library> put_together() {
  const std::span<const layer_library* const> records(__start_axismask_libraries, __stop_axismask_libraries);
  std::deque<whole_library> all;
  for (const layer_library* record : records) {
    auto library = std::find_if(all.begin(), all.end(),
                                [&](const whole_library& known) { return known.record.name == record->name; });
    if (library == all.end()) {
      library = all.emplace(all.end());
      library->record.name = record->name;
    }
    for (const linked_layer& layer : record->layers) {
      const auto known = std::find_if(library->layers.begin(), library->layers.end(),
                                      [&](const linked_layer& one) { return one.type == layer.type; });
      if (known == library->layers.end()) {
        library->layers.push_back(layer);
      } else {
        add_kernels(*library, *known, layer.kernels);
      }
    }
  }
  for (whole_library& library : all) library.record.layers = library.layers;
  return all;
}

using library_list = std::vector<const layer_library*>;

// The list that is read now. It is never destroyed: a call may come when the program ends.
std::atomic<const library_list*>& current_libraries() {
  static const auto& linked = *new std::deque<whole_library>(put_together());
  static std::atomic<const library_list*> current = [] {
    auto* const found = new library_list;
    for (const whole_library& one : linked) found->push_back(&one.record);
    return found;
  }();
  return current;
}

}  // namespace

std::span<const layer_library* const> linked_libraries() {
  return *current_libraries().load(std::memory_order_acquire);
}

void add_libraries(std::span<const layer_library* const> more, const std::string& where) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  for (const layer_library* library : more) {
    for (const linked_layer& layer : library->layers) {
      const linked_layer* known = find_linked_layer(layer.type->name);
      if (known == nullptr) continue;
      throw error("layer-ambiguous", where, "there is a layer " + std::string(layer.type->name) + " already",
                  "give the struct another name; leave shipped layers out of a plugin's list");
    }
  }
  const library_list& before = *current_libraries().load(std::memory_order_acquire);
  // Never destroyed, as other threads may read the one before.
  auto after = std::make_unique<library_list>(before);
  after->insert(after->end(), more.begin(), more.end());
  current_libraries().store(after.release(), std::memory_order_release);
}

const linked_layer* find_linked_layer(std::string_view type) {
  const linked_layer* found = nullptr;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      if (layer.type->name != type) continue;
      if (found != nullptr && found->type != layer.type) {
        throw error(
            "layer-ambiguous", std::string(type),
            "two of the linked libraries have a layer of this name, " + std::string(library->name) + " the second",
            "give one of the two structs another name");
      }
      if (found == nullptr) found = &layer;
    }
  }
  return found;
}

bool can_run(const std::array<std::uint64_t, 2>& features, int vector_bits) {
  return halide_can_use_target_features(static_cast<int>(features.size()), features.data()) != 0 &&
         (vector_bits == 0 || vector_bits == processor_vector_bits());
}

bool is_usable(const kernel& kernel) {
  if (kernel.device != nullptr) return device_problem(kernel).empty();
  return can_run(kernel.features, kernel.vector_bits);
}

std::string_view asked_variant() {
  const std::string_view* forced = forced_variant.load(std::memory_order_relaxed);
  return forced == nullptr ? std::string_view() : *forced;
}

std::span<const kernel> chosen_kernels(const linked_layer& layer) {
  const std::string_view* forced = forced_variant.load(std::memory_order_relaxed);
  const std::span<const kernel> all = layer.kernels;
  for (std::size_t first = 0; first < all.size();) {
    std::size_t last = first + 1;  // a variant's kernels follow each other, and one answer does for all
    while (last < all.size() && all[last].variant == all[first].variant) ++last;
    const bool is_candidate = forced == nullptr || all[first].variant == *forced;
    if (all[first].device == nullptr && is_candidate && is_usable(all[first])) {
      return all.subspan(first, last - first);
    }
    first = last;
  }
  return {};
}

std::string_view chosen_variant(const linked_layer& layer) {
  const std::span<const kernel> kernels = chosen_kernels(layer);
  return kernels.empty() ? std::string_view() : kernels.front().variant;
}

std::span<const kernel> device_kernels(const linked_layer& layer, std::string_view device) {
  const std::span<const kernel> all = layer.kernels;
  std::vector<std::string_view> known{"cpu"};
  for (std::size_t first = 0; first < all.size();) {
    std::size_t last = first + 1;
    while (last < all.size() && all[last].variant == all[first].variant) ++last;
    const kernel& one = all[first];
    const std::span<const kernel> found = all.subspan(first, last - first);
    first = last;
    if (one.device == nullptr) continue;
    known.push_back(one.variant);
    if (device == "auto" ? !is_usable(one) : one.variant != device) continue;
    if (!is_usable(one)) {
      throw error("device-unusable", "device",
                  "\"" + std::string(device) + "\" cannot be used here: " + device_problem(one),
                  "take cpu, or auto; `axismask kernels` shows what can be used");
    }
    return found;
  }
  if (device == "auto") {
    throw error("device-unusable", "device", "no device for which kernels are linked can be used here",
                "see the reasons in `axismask kernels`");
  }
  throw error("device-unknown", "device",
              "there is no device \"" + std::string(device) + "\"" + did_you_mean(device, known).str() +
                  "; there are " + quoted_list(known).str(),
              "take one of these, or auto; each device's kernels are a library of their own, axismask::layers_DEVICE");
}

void force_variant(std::string_view variant) {
  if (variant.empty()) {
    forced_variant = nullptr;
    return;
  }
  std::vector<std::string_view> known;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (const kernel& kernel : layer.kernels) {
        if (kernel.device != nullptr) {
          if (kernel.variant != variant) continue;
          throw error("variant-unknown", "variant",
                      "\"" + std::string(variant) + "\" is a device, and no variant of the processor's kernels",
                      "ask for it as the device, and leave the variant out");
        }
        if (kernel.variant == variant) {
          if (!is_usable(kernel)) {
            throw error("variant-unusable", "variant",
                        "this machine cannot run \"" + std::string(variant) + "\", which is made for " +
                            std::string(kernel.target),
                        "take one that `axismask kernels` calls usable");
          }
          forced_variant = &kernel.variant;
          return;
        }
        if (std::find(known.begin(), known.end(), kernel.variant) == known.end()) known.push_back(kernel.variant);
      }
    }
  }
  throw error("variant-unknown", "variant",
              "no linked kernel is called \"" + std::string(variant) + "\"" + did_you_mean(variant, known).str(),
              "take one of " + quoted_list(known).str());
}

}  // namespace axismask
