// The positions of serving, and a ring's slots.
#include <memory>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "arrays.hpp"
#include "module.hpp"

namespace axismask::python {
namespace {

// A ring and the memory of its slots, which it writes until it is freed.
struct ring_in_memory {
  view slots;
  axismask_ring* ring = nullptr;
  explicit ring_in_memory(PyObject* array) : slots(array, axis_names(), "slots") {}
  ring_in_memory(const ring_in_memory&) = delete;
  ring_in_memory& operator=(const ring_in_memory&) = delete;
  ~ring_in_memory() { axismask_ring_free(ring); }
};
constexpr const char* ring_name = "axismask.ring";

axismask_ring* ring_of(PyObject* capsule) {
  void* const its = PyCapsule_GetPointer(capsule, ring_name);
  if (its == nullptr) throw error_is_set();
  return static_cast<ring_in_memory*>(its)->ring;
}

std::vector<std::int64_t> lengths_of(PyObject* given) {
  const object sequence = object::take(PySequence_Tuple(given));
  std::vector<std::int64_t> lengths;
  for (Py_ssize_t at = 0; at < PyTuple_Size(sequence.get()); ++at) {
    lengths.push_back(integer_of(PyTuple_GetItem(sequence.get(), at), "lengths"));
  }
  return lengths;
}

}  // namespace

// (first, out)
PyObject* consecutive(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    const view out(all[1], axis_names(), "out");
    check(axismask_positions_consecutive(integer_of(all[0], "first"), &out.its()));
    return none();
  });
}

// (on the left, lengths, width, out)
PyObject* padded(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 4);
    const view out(all[3], axis_names(), "out");
    const std::vector<std::int64_t> lengths = lengths_of(all[1]);
    const auto write = all[0] == Py_True ? axismask_positions_left_padded : axismask_positions_right_padded;
    check(write(lengths.data(), lengths.size(), integer_of(all[2], "width"), &out.its()));
    return none();
  });
}

// (lengths, documents, out)
PyObject* packed(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 3);
    const view documents(all[1], axis_names(), "documents");
    const view out(all[2], axis_names(), "out");
    const std::vector<std::int64_t> lengths = lengths_of(all[0]);
    check(axismask_positions_packed(lengths.data(), lengths.size(), &documents.its(), &out.its()));
    return none();
  });
}

// (mask, width, out)
PyObject* from_attention_mask(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 3);
    const view mask(all[0], axis_names(), "mask");
    const view out(all[2], axis_names(), "out");
    check(axismask_positions_from_attention_mask(&mask.its(), integer_of(all[1], "width"), &out.its()));
    return none();
  });
}

// (ids, mask, out)
PyObject* from_position_ids(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 3);
    const view ids(all[0], axis_names(), "ids");
    const view mask(all[1], axis_names(), "mask");
    const view out(all[2], axis_names(), "out");
    check(axismask_positions_from_position_ids(&ids.its(), &mask.its(), &out.its()));
    return none();
  });
}

// (cu_seqlens, documents, out)
PyObject* from_cu_seqlens(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 3);
    const view cu_seqlens(all[0], axis_names(), "cu_seqlens");
    const view documents(all[1], axis_names(), "documents");
    const view out(all[2], axis_names(), "out");
    check(axismask_positions_from_cu_seqlens(&cu_seqlens.its(), &documents.its(), &out.its()));
    return none();
  });
}

// (window, longest_chunk, sinks)
PyObject* ring_capacity(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 3);
    std::int64_t slots = 0;
    check(axismask_ring_capacity(integer_of(all[0], "window"), integer_of(all[1], "longest_chunk"),
                                 integer_of(all[2], "sinks"), &slots));
    return object::take(PyLong_FromLongLong(slots));
  });
}

// (slots, window, sinks)
PyObject* ring_make(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 3);
    auto made = std::make_unique<ring_in_memory>(all[0]);
    check(
        axismask_ring_make(&made->slots.its(), integer_of(all[1], "window"), integer_of(all[2], "sinks"), &made->ring));
    return owning_capsule(std::move(made), ring_name);
  });
}

PyObject* ring_tokens(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 1);
    std::int64_t tokens = 0;
    check(axismask_ring_tokens(ring_of(all[0]), &tokens));
    return object::take(PyLong_FromLongLong(tokens));
  });
}

PyObject* ring_append(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    check(axismask_ring_append(ring_of(all[0]), integer_of(all[1], "count")));
    return none();
  });
}

PyObject* ring_trim(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    check(axismask_ring_trim(ring_of(all[0]), integer_of(all[1], "tokens")));
    return none();
  });
}

}  // namespace axismask::python
