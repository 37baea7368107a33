// The slots of handles. They lie in blocks that double in size and are never given back; a handle is the address of its
// slot, in whose low bits, which are 0 there, stands how often the slot was taken.
#include "c_api/handles.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>

#include "axismask/messages/error.hpp"

namespace axismask::c_api {
namespace {

constexpr std::uintptr_t turns = 64;
constexpr std::size_t first_block = 256;
constexpr std::size_t block_count = 32;
// So many slots are free before one is taken again: a handle that was freed is then known for long.
constexpr std::size_t most_resting = 128;

struct alignas(turns) slot {
  std::atomic<void*> object{nullptr};
  std::atomic<handle_kind> kind{handle_kind::none};
  std::atomic<std::uintptr_t> turn{0};
};
static_assert(sizeof(slot) == turns);

struct slot_table {
  std::array<std::atomic<slot*>, block_count> blocks{};
  std::mutex mutex;  // of what follows
  std::size_t used_blocks = 0;
  std::size_t used_of_last = 0;
  std::deque<slot*> resting;

  // The slot at an address, or null where there is none.
  [[nodiscard]] slot* at(std::uintptr_t address) const {
    std::size_t size = first_block;
    for (const std::atomic<slot*>& block : blocks) {
      slot* const begin = block.load(std::memory_order_acquire);
      if (begin == nullptr) return nullptr;
      const auto offset = address - reinterpret_cast<std::uintptr_t>(begin);  // wraps below the block
      if (offset < size * sizeof(slot)) return begin + offset / sizeof(slot);
      size *= 2;
    }
    return nullptr;
  }

  [[nodiscard]] slot& take() {
    if (resting.size() > most_resting) {
      slot& taken = *resting.front();
      resting.pop_front();
      return taken;
    }
    if (used_blocks == 0 || used_of_last == first_block << (used_blocks - 1)) {
      blocks.at(used_blocks).store(new slot[first_block << used_blocks], std::memory_order_release);
      ++used_blocks;
      used_of_last = 0;
    }
    return blocks.at(used_blocks - 1).load(std::memory_order_relaxed)[used_of_last++];
  }
};

// Never ended: handles may be freed while the program ends.
slot_table& table() {
  static auto& the_table = *new slot_table;
  return the_table;
}

std::string_view name_of(handle_kind kind) {
  switch (kind) {
    case handle_kind::none:
      return "nothing";
    case handle_kind::model:
      return "an axismask_model";
    case handle_kind::layer:
      return "an axismask_layer";
    case handle_kind::config:
      return "an axismask_config";
    case handle_kind::plan:
      return "an axismask_plan";
    case handle_kind::arrays:
      return "an axismask_arrays";
    case handle_kind::ring:
      break;
  }
  return "an axismask_ring";
}

}  // namespace

void* new_handle(handle_kind kind, void* object) {
  slot_table& slots = table();
  const std::lock_guard lock(slots.mutex);
  slot& taken = slots.take();
  taken.object.store(object, std::memory_order_relaxed);
  taken.kind.store(kind, std::memory_order_release);
  return reinterpret_cast<std::byte*>(&taken) + taken.turn.load(std::memory_order_relaxed);
}

void* object_of(const void* handle, handle_kind kind, std::string_view where) {
  if (handle == nullptr) throw error("c-null", std::string(where), "it is NULL", "give " + std::string(name_of(kind)));
  const auto address = reinterpret_cast<std::uintptr_t>(handle);
  const slot* const known = table().at(address);
  if (known == nullptr) {
    throw error("c-handle", std::string(where), "it is no handle of this library",
                "give " + std::string(name_of(kind)));
  }
  const handle_kind its_kind = known->kind.load(std::memory_order_acquire);
  if (its_kind == handle_kind::none || known->turn.load(std::memory_order_relaxed) != address % turns) {
    throw error("c-handle", std::string(where), "it is a handle that was freed",
                "free a handle when nothing uses it any more; a layer ends with its model");
  }
  if (its_kind != kind) {
    throw error("c-handle", std::string(where), "it is " + std::string(name_of(its_kind)),
                "give " + std::string(name_of(kind)));
  }
  return known->object.load(std::memory_order_relaxed);
}

void end_handle(const void* handle) noexcept {
  slot_table& slots = table();
  const std::lock_guard lock(slots.mutex);
  slot& ended = *slots.at(reinterpret_cast<std::uintptr_t>(handle));
  ended.kind.store(handle_kind::none, std::memory_order_release);
  ended.turn.store((ended.turn.load(std::memory_order_relaxed) + 1) % turns, std::memory_order_relaxed);
  try {
    slots.resting.push_back(&ended);
  } catch (...) {  // NOLINT(bugprone-empty-catch): without memory for the list the slot is not taken again
  }
}

}  // namespace axismask::c_api
