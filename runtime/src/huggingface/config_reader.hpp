// The room of Hugging Face's files: a model's config.json to the attention of its layers, and from there to a spec.
// config.cpp is the way in, families.cpp the table of model types, rules.cpp what their classes do. It may use the room
// of specs; layers, arrays and kernels never enter.
//
// Here: the keys of a config.json, read as strictly as transformers' classes do.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

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

// The object of the file that describes the text model. Types are as strict as in transformers' classes, where neither
// "512" nor 512.0 nor true is a whole number.
class config_reader {
 public:
  // `source` is the file, in messages.
  config_reader(const nlohmann::json& object, std::string pointer, std::string source)
      : object_(object), pointer_(std::move(pointer)), source_(std::move(source)) {}

  // The value of a key, or nothing where the key is absent. null is a value.
  const nlohmann::json* find(std::string_view key);

  setting whole_number(std::string_view key, std::int64_t if_absent);
  setting whole_number_or_null(std::string_view key, std::optional<std::int64_t> if_absent);
  flag boolean(std::string_view key, bool if_absent);
  // Where null is as good as false.
  bool boolean_or_null(std::string_view key);
  // An array, or nothing where it is null or absent.
  const nlohmann::json* array(std::string_view key, std::string_view of_what);

  [[nodiscard]] bool was_asked(std::string_view key) const { return asked_.contains(key); }
  [[nodiscard]] std::string where(std::string_view key) const;
  // Of the object; the file stands for all of it.
  [[nodiscard]] std::string where() const { return pointer_.empty() ? source_ : pointer_; }

 private:
  const nlohmann::json& object_;
  std::string pointer_;
  std::string source_;
  std::set<std::string_view> asked_;
};

// `or_what`: what else the key takes, " or null".
std::int64_t to_whole_number(const nlohmann::json& value, const std::string& where, std::string_view or_what = "");

[[noreturn]] void throw_wrong_type(const std::string& where, const nlohmann::json& value, std::string_view wanted);

}  // namespace axismask::huggingface
