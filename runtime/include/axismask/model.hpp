// Models: the mask layers of a JSON spec, ready to be applied. The format is schemas/model.schema.json.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/declaration/linking.hpp"
#include "axismask/layer_attention.hpp"

// Whoever reads specs names no layer's type, and so wants all of the shipped layers, if their library is linked.
AXISMASK_ASK_LINKER_FOR_OPTIONAL("axismask_library_axismask_layers");

namespace axismask {

// A layer of a model: a name, and a linked layer type with the values that the spec gives its attributes.
class any_layer {
 public:
  [[nodiscard]] const std::string& name() const;
  // Returns where the layer's mask stands in the spec, as a JSON pointer: "/layers/3", or "/masks/sliding" when a group
  // names it. Empty for a layer that is not of a spec.
  [[nodiscard]] const std::string& place() const;
  [[nodiscard]] const layer_type& type() const;
  // Returns the values of its attributes. Throws `error` when a variable has no value yet (layer_structure.hpp).
  [[nodiscard]] const layer_values& values() const;

  // Returns what the spec says of the layer's attention besides its mask: its scale, softcap and sinks.
  [[nodiscard]] const layer_attention& attention() const;

  // Returns the mask as the type's author wrote it, with this layer's numbers: "q >= k && q - k < 512 && k >= 0".
  [[nodiscard]] std::string formula() const;

  // Writes to `out` the logits where they are kept and the masked value elsewhere. Shapes, dtypes and errors are those
  // of `axismask::apply`. In place, `logits` is also `out`. Arrays are any_view, named_view or named_array; options
  // come first, as in calls of a layer whose type is known.
  //   layer.apply_in_place(logits, {{"token_positions", positions}})
  //   layer.apply_in_place(call_options{.threads = 4}, logits, input<"token_positions">(positions))
  void apply(const any_view& logits, const any_view& out, const side_inputs& inputs) const;
  void apply(const call_options& options, const any_view& logits, const any_view& out, const side_inputs& inputs) const;
  void apply_in_place(const any_view& logits, const side_inputs& inputs) const;
  void apply_in_place(const call_options& options, const any_view& logits, const side_inputs& inputs) const;

  template <std::convertible_to<side_input>... Inputs>
  void apply(const any_view& logits, const any_view& out, const Inputs&... inputs) const {
    apply(logits, out, std::array<side_input, sizeof...(Inputs)>{inputs...});
  }
  template <std::convertible_to<side_input>... Inputs>
  void apply(const call_options& options, const any_view& logits, const any_view& out, const Inputs&... inputs) const {
    apply(options, logits, out, std::array<side_input, sizeof...(Inputs)>{inputs...});
  }
  template <std::convertible_to<side_input>... Inputs>
  void apply_in_place(const any_view& logits, const Inputs&... inputs) const {
    apply_in_place(logits, std::array<side_input, sizeof...(Inputs)>{inputs...});
  }
  template <std::convertible_to<side_input>... Inputs>
  void apply_in_place(const call_options& options, const any_view& logits, const Inputs&... inputs) const {
    apply_in_place(options, logits, std::array<side_input, sizeof...(Inputs)>{inputs...});
  }

 private:
  friend class Model;
  friend struct layer_access;
  struct contents;  // keeps its address when the model is moved, so that the values can point into it

  explicit any_layer(std::shared_ptr<const contents> own) : contents_(std::move(own)) {}

  std::shared_ptr<const contents> contents_;
};

// The mask layers of a model, in the spec's order.
class Model {
 public:
  // Reads a spec. Throws `error`, whose WHERE is a JSON pointer into the file, for the first fault in it.
  [[nodiscard]] static Model load(const std::filesystem::path& file);
  // Reads the text of a spec; `source` stands for the file in messages.
  [[nodiscard]] static Model parse(std::string_view spec, const std::string& source);

  // Returns the spec of this model: layers whose masks recur are in groups, and names that are their type's defaults
  // are left out. Read again, it gives the same layers.
  [[nodiscard]] std::string to_json() const;
  // Writes that spec to a file, whole or not at all. Errors: spec-write.
  void save(const std::filesystem::path& file) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::span<const any_layer> layers() const { return layers_; }
  // Finds the layer of that name. Throws `error`, which names the nearest, when there is none.
  [[nodiscard]] const any_layer& layer(std::string_view name) const;

 private:
  std::string name_;
  std::vector<any_layer> layers_;
};

}  // namespace axismask
