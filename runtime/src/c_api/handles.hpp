// Handles of C: what a caller holds of an object, and how one that is wrong or freed is told.
//
// The room c_api/ is the library in C: axismask.h. It reads what C gives, calls the rooms below, and gives a status for
// each exception. It computes nothing of masks.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace axismask::c_api {

enum class handle_kind : std::uint8_t { none, model, layer, config, plan, arrays, ring };

// Makes a handle of an object, which stays its owner's. A handle is no address of the object: it names a slot that is
// never given back, and how often the slot had been taken before, so that a handle that is freed stays known as such
// (until its slot is taken 64 times more) and no memory is read that is not ours.
[[nodiscard]] void* new_handle(handle_kind kind, void* object);
// Gives the object of a handle. Throws `error` c-null or c-handle, whose WHERE is the argument.
[[nodiscard]] void* object_of(const void* handle, handle_kind kind, std::string_view where);
// Ends a handle that object_of knows.
void end_handle(const void* handle) noexcept;

// What each kind of handle stands for: `static constexpr handle_kind kind`, and `using handle`, the type in C.
template <class Object>
[[nodiscard]] typename Object::handle* handle_of(Object& object) {
  return static_cast<typename Object::handle*>(new_handle(Object::kind, &object));
}

// From now on C owns the object.
template <class Object>
[[nodiscard]] typename Object::handle* give(std::unique_ptr<Object> object) {
  auto* const handle = handle_of(*object);
  static_cast<void>(object.release());  // the handle's
  return handle;
}

template <class Object>
[[nodiscard]] Object& object_of(const typename Object::handle* handle, std::string_view where) {
  return *static_cast<Object*>(object_of(handle, Object::kind, where));
}

// Ends a handle and its object; NULL is fine.
template <class Object>
void free_object(const typename Object::handle* handle, std::string_view where) {
  if (handle == nullptr) return;
  const std::unique_ptr<Object> object(&object_of<Object>(handle, where));
  end_handle(handle);
}

}  // namespace axismask::c_api
