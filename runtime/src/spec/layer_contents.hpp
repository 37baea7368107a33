// What an `any_layer` holds, for the files that make layers: the spec loader, and the functions that edit them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/layer_attention.hpp"
#include "axismask/model.hpp"

namespace axismask {

// One attribute of a layer: the memory that its value points into.
struct attribute_memory {
  std::string text;  // a name, or the axis of the numbers
  std::vector<std::int64_t> numbers;
  any_view view;
  std::string variable;  // of an attribute that has no value yet: the variable's label

  // Keeps the numbers of a parameter, one for each index of an axis, and gives their view.
  const any_view* hold(std::string axis, std::vector<std::int64_t> each) {
    text = std::move(axis);
    numbers = std::move(each);
    view = any_view(numbers.data(), dtype::int64, {{text, static_cast<std::int64_t>(numbers.size()), 1}});
    return &view;
  }
};

// A layer. Its values point into its memory, so it stays where it is.
struct layer_contents {
  std::string name;
  std::string place;  // of its mask in a spec
  layer_values values;
  std::array<attribute_memory, max_attributes> memory;
  layer_attention attention;

  explicit layer_contents(const layer_type& type) : values{&type, masked_value(0), {}} {}
  layer_contents(const layer_contents&) = delete;
  layer_contents& operator=(const layer_contents&) = delete;
};

struct any_layer::contents : layer_contents {
  using layer_contents::layer_contents;
};

// From a layer to its contents and back.
struct layer_access {
  using contents = any_layer::contents;

  [[nodiscard]] static const contents& of(const any_layer& layer) { return *layer.contents_; }
  [[nodiscard]] static any_layer make(std::shared_ptr<const contents> of) { return any_layer(std::move(of)); }
};

}  // namespace axismask
