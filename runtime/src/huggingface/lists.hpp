// Lists of a config.json with an entry for each layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"

namespace axismask::huggingface {

// More than any model has; a mistake should not fill the memory with layers.
inline constexpr std::int64_t most_layers = 10'000;

// A letter of the table of families, and the entry that says so.
struct listed {
  char letter;
  std::string reason;
};

// Does the family call its one kind of attention, which slides where there is a window, "full_attention"?
bool calls_window_full(const family& of);

// Each gives nothing where the file does not have the list. The entries are not yet as many as the layers, but for
// those of the last two.
std::vector<listed> read_layer_types(config_reader& config, const family& of);
std::vector<listed> read_blocks(config_reader& config, const family& of);
std::vector<listed> read_indices(config_reader& config, const family& of, std::size_t layers);
std::vector<listed> read_flags(config_reader& config, const family& of, std::size_t layers);

// A list that has not an entry for each layer.
[[noreturn]] void throw_wrong_length(const config_reader& config, std::string_view key, std::size_t entries,
                                     std::size_t layers);

}  // namespace axismask::huggingface
