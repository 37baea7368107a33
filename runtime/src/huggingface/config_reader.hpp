// The room of Hugging Face's files: a model's config.json to the attention of its layers, and from there to a spec.
// config.cpp is the way in, text_model.cpp finds the text model in a file, families.hpp is the table of model types,
// rules.cpp and layer_types.cpp say what a row means. It may use the room of specs; layers, arrays and kernels never
// enter.
//
// Here: the keys of a config.json, read as strictly as transformers' classes do.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/json_text.hpp"

namespace axismask::huggingface {

inline constexpr std::string_view layer_types_key = "layer_types";
inline constexpr std::string_view window_key = "sliding_window";
inline constexpr std::string_view chunk_key = "attention_chunk_size";

// A whole number that the file gives, or that is a class's default. Python's None, JSON's null, is no number.
struct setting {
  std::string_view key;
  std::int64_t number;
  bool is_given;
  bool is_null = false;

  [[nodiscard]] std::string text() const {
    const std::string value = !is_null ? std::to_string(number) : is_given ? "null" : "None";
    return std::string(key) + (is_given ? " is " : " was absent, the class default is ") + value;
  }
};

struct flag {
  std::string_view key;
  bool value;
  bool is_given;

  [[nodiscard]] std::string text() const {
    return std::string(key) + (is_given ? " is " : " was absent, the class default is ") + (value ? "true" : "false");
  }
};

// A file, in messages, and the keys in it that are there twice: JSON pointers.
struct config_file {
  std::string source;
  std::vector<std::string> duplicates;
};

// An object of the file. Types are as strict as in transformers' classes, where neither "512" nor 512.0 nor true is a
// whole number.
class config_reader {
 public:
  // `object` is the one at `pointer`; it and `file` live as long as the reader.
  config_reader(const nlohmann::json& object, std::string pointer, const config_file& file)
      : object_(&object), pointer_(std::move(pointer)), file_(&file) {}

  // What an outer class gives for keys that are absent. They count as class defaults.
  void set_defaults(json_document defaults) { defaults_ = std::move(defaults); }

  // The value of a key, or nothing where the key is absent. null is a value. `key` may go into objects: "a/b". Throws
  // `error` where the key, or one within, is there twice.
  const nlohmann::json* find(std::string_view key);

  setting whole_number(std::string_view key, std::int64_t if_absent);
  setting whole_number_or_null(std::string_view key, std::optional<std::int64_t> if_absent);
  flag boolean(std::string_view key, bool if_absent);
  // true; false where it is false, null or absent.
  bool boolean_or_null(std::string_view key);
  // A text; empty where it is null or absent.
  std::string text(std::string_view key, std::string_view wanted);
  // An array, or nothing where it is null or absent.
  const nlohmann::json* array(std::string_view key, std::string_view of_what);

  [[nodiscard]] bool was_asked(std::string_view key) const { return asked_.contains(key); }
  [[nodiscard]] std::string where(std::string_view key) const;
  // Of the object; the file stands for all of it.
  [[nodiscard]] const std::string& where() const { return pointer_.empty() ? file_->source : pointer_; }
  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  [[nodiscard]] const nlohmann::json& object() const { return *object_; }
  [[nodiscard]] const config_file& file() const { return *file_; }

  // A default of the outer class, or nothing.
  [[nodiscard]] const nlohmann::json* outer_default(std::string_view key) const;

 private:
  const nlohmann::json* object_;
  std::string pointer_;
  const config_file* file_;
  json_document defaults_;
  std::set<std::string_view> asked_;
};

// `or_what`: what else the key takes, " or null".
std::int64_t to_whole_number(const nlohmann::json& value, const std::string& where, std::string_view or_what = "");

[[noreturn]] void throw_wrong_type(const std::string& where, const nlohmann::json& value, std::string_view wanted);

}  // namespace axismask::huggingface
