// The objects that handles stand for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "axismask.h"
#include "axismask/forms.hpp"
#include "axismask/huggingface.hpp"
#include "axismask/model.hpp"
#include "axismask/plan.hpp"
#include "axismask/positions.hpp"
#include "c_api/handles.hpp"

namespace axismask::c_api {

struct layer_object {
  static constexpr auto kind = handle_kind::layer;
  using handle = axismask_layer;

  const any_layer* layer;
  const layer_values* values;
  std::string type;
  std::string formula;
};

struct model_object {
  static constexpr auto kind = handle_kind::model;
  using handle = axismask_model;

  explicit model_object(Model its_model);
  model_object(const model_object&) = delete;
  model_object& operator=(const model_object&) = delete;
  ~model_object();

  Model model;
  std::vector<layer_object> layers;
  std::vector<const axismask_layer*> handles;  // of the layers
};

struct config_object {
  static constexpr auto kind = handle_kind::config;
  using handle = axismask_config;

  huggingface::config config;
  std::string source;
  std::vector<std::string> lines;  // of the warnings
};

struct plan_object {
  static constexpr auto kind = handle_kind::plan;
  using handle = axismask_plan;

  tile_plan plan;
  std::vector<const char*> plane_axes;
};

// An array in memory of its own, with what C sees of it.
struct owned_array {
  std::string name;
  std::int32_t dtype = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::string> axis_names;
  std::vector<const char*> axes;  // none, or as many as the shape
  std::variant<plan_elements, std::shared_ptr<void>> elements;
  void* data = nullptr;
  bool read_only = true;
};

struct arrays_object {
  static constexpr auto kind = handle_kind::arrays;
  using handle = axismask_arrays;

  // Each lives as long as the handle or a tensor that was made of it.
  std::vector<std::shared_ptr<owned_array>> arrays;

  // Throws `error` form-array for a name that there is not.
  [[nodiscard]] const std::shared_ptr<owned_array>& named(std::string_view name) const;
};

struct ring_object {
  static constexpr auto kind = handle_kind::ring;
  using handle = axismask_ring;

  std::variant<positions::ring<std::int32_t>, positions::ring<std::int64_t>> ring;
};

// A handle of arrays that the library made: a form's, or others under these names.
[[nodiscard]] axismask_arrays* give_arrays(plan_arrays made);

// How many bytes an element of an axismask_dtype has. Throws c-dtype.
[[nodiscard]] std::int64_t bytes_of(std::int32_t type, std::string_view where);

}  // namespace axismask::c_api
