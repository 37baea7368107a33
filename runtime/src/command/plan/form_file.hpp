// `axismask plan --form`: the mask of a layer as the kernels of others take it, in a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "axismask/model.hpp"
#include "axismask/plan.hpp"
#include "command/made_inputs.hpp"

namespace axismask::command {

// The arguments that are for forms only.
struct form_arguments {
  std::string form;
  std::string out;
  std::string batch;
  std::string heads;
  std::string pages;
  std::optional<std::int64_t> page_count;

  [[nodiscard]] bool is_wanted() const { return !form.empty(); }
  // Throws `error` usage for what does not go together. `has_tile`: is a size of tiles given?
  void check(bool has_tile) const;
};

// "flex, fa4 or spans", of all forms.
std::string form_names();

// Writes the arrays and says what they are.
void write_form_file(const form_arguments& arguments, const any_layer& layer, const made_inputs& made, tile_size tile,
                     bool as_json);

}  // namespace axismask::command
