// The last line of a config header: which of its layers get kernels.
#pragma once

#include <cstddef>
#include <tuple>

#include "axismask/layer/check_layer.hpp"

namespace axismask {

template <class... Layers>
struct layer_list {
  static constexpr void check() { (check_layer<Layers>(), ...); }
};

// The layer at an index of a list.
template <std::size_t Index, class List>
struct layer_at_index;
template <std::size_t Index, class... Layers>
struct layer_at_index<Index, layer_list<Layers...>> : std::tuple_element<Index, std::tuple<Layers...>> {};
template <std::size_t Index, class List>
using layer_at = typename layer_at_index<Index, List>::type;

}  // namespace axismask

// AXISMASK_LAYERS(ApplyChunkedAttentionMask, my::Other) at namespace scope, once in a header that is given to
// axismask_add_layers as its CONFIG. Each layer is checked here, so that a mistake in one is an error in every file
// that includes the header.
#ifndef AXISMASK_LAYERS_ARE_CHECKED
#define AXISMASK_LAYERS(...)                                            \
  using axismask_declared_layers = ::axismask::layer_list<__VA_ARGS__>; \
  inline void axismask_check_declared_layers() { axismask_declared_layers::check(); }
#else  // in the table of a layer's kernels, written by a program that has checked all of them
#define AXISMASK_LAYERS(...) using axismask_declared_layers = ::axismask::layer_list<__VA_ARGS__>;
#endif
