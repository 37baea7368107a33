// What the classes of transformers do where a file has no layer_types: each makes a layer's choice for every layer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"

namespace axismask::huggingface {

std::vector<layer_choice> every_nth_is_full(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> first_of_n_is_full(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> every_nth_is_full_of_exaone4(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> layers_above_slide(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> layers_with_rope_are_chunked(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> layers_without_rope_slide(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> all_slide_or_none(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> all_are_full(config_reader& config, const family& of, std::size_t layers);
std::vector<layer_choice> by_general_rule(config_reader& config, const family& of, std::size_t layers);

// A list that has not an entry for each layer.
[[noreturn]] void throw_wrong_length(const config_reader& config, std::string_view key, std::size_t entries,
                                     std::size_t layers);

}  // namespace axismask::huggingface
