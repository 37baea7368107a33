// The program that model_test is: which layers are linked into it, what their kernels record, and how its files read
// specs. bad_specs.json counts on these layers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/linked.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/model.hpp"

namespace axismask::model_test {

inline const std::filesystem::path source_dir = AXISMASK_SOURCE_DIR;

// The library of the shipped layers, in the schema's order. Their kernels record calls of the layer with a window; that
// of documents fails.
std::span<const linked_layer> linked_shipped_layers();

// The last call of a kernel of the layer with a window.
struct window_call {
  const void* logits = nullptr;
  std::int64_t window = 0;
  const void* out = nullptr;
};
const window_call& last_call();

// A spec with one layer of the seed's type and these attributes.
std::string window_spec(const std::string& attributes);

Model read(const std::string& spec);

// The whole error that a spec gives; fails the test when it gives none.
error error_of(const std::string& spec);
std::string text_of(const std::string& spec);

const attribute_value& attribute(const any_layer& layer, std::string_view name);
std::vector<std::int64_t> numbers_of(const attribute_value& value);

// A file that is gone when the test is over.
class temporary_file {
 public:
  explicit temporary_file(const std::string& text);
  ~temporary_file();
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace axismask::model_test
