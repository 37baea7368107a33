// The table of window.hpp's functions, and the layers that their results make.
#include "command/diff/conventions.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <utility>
#include <variant>

#include "axismask/layer_structure.hpp"
#include "axismask/linked.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/window.hpp"

namespace axismask::command {
namespace {

// What a function takes and gives.
using one_to_keys = count (*)(std::int64_t);
using two_to_keys = count (*)(std::int64_t, std::int64_t);
using one_to_sides = window::sides (*)(std::int64_t);
using two_to_sides = window::sides (*)(std::int64_t, std::int64_t);

struct convention {
  std::string_view name;
  std::variant<one_to_keys, two_to_keys, one_to_sides, two_to_sides> convert;
};

// Every function of window.hpp, in its order. A name may stand twice: with one number, and with two.
const convention conventions[] = {
    {"keys", window::keys},
    {"hugging_face", window::hugging_face},
    {"hugging_face_flash_before_pr40163", window::hugging_face_flash_before_pr40163},
    {"gpt_neo", window::gpt_neo},
    {"llama_cpp", window::llama_cpp},
    {"mlx", window::mlx},
    {"mlx_before_pr390", window::mlx_before_pr390},
    {"onnxruntime", window::onnxruntime},
    {"onnxruntime_before_pr25927", window::onnxruntime_before_pr25927},
    {"keras", window::keras},
    {"xformers_window_size", window::xformers_window_size},
    {"maxtext_dense", window::maxtext_dense},
    {"maxtext_splash", window::maxtext_splash},
    {"attention_gym", window::attention_gym},
    {"dilated", window::dilated},
    {"flash", one_to_keys(window::flash)},
    {"flash", two_to_sides(window::flash)},
    {"torch_varlen", one_to_keys(window::torch_varlen)},
    {"torch_varlen", two_to_sides(window::torch_varlen)},
    {"xformers", one_to_keys(window::xformers)},
    {"xformers", two_to_sides(window::xformers)},
    {"splash", one_to_keys(window::splash)},
    {"splash", two_to_sides(window::splash)},
    {"jax_nn", one_to_keys(window::jax_nn)},
    {"jax_nn", two_to_sides(window::jax_nn)},
    {"half", window::half},
    {"hugging_face_bidirectional", window::hugging_face_bidirectional},
    {"modernbert", window::modernbert},
    {"hugging_face_gemma3_bidirectional", window::hugging_face_gemma3_bidirectional},
    {"hugging_face_t5gemma2_bidirectional", window::hugging_face_t5gemma2_bidirectional},
    {"keras_hub_gemma3_bidirectional", window::keras_hub_gemma3_bidirectional},
    {"keras_bidirectional", window::keras_bidirectional},
    {"llama_cpp_symmetric", window::llama_cpp_symmetric},
};
constexpr std::string_view causal = "causal";  // a mask without a window

template <class Function>
const Function* find(std::string_view name) {
  for (const convention& one : conventions) {
    if (one.name == name && std::holds_alternative<Function>(one.convert)) return &std::get<Function>(one.convert);
  }
  return nullptr;
}

any_layer make(std::string_view type, const std::string& name, any_attributes fields) {
  fields.emplace_back("masked_out_value", masked_value::lowest());
  if (const linked_layer* linked = find_linked_layer(type)) {
    for (const attribute_record& attribute : linked->type->attributes) {
      if (!attribute.default_name.empty()) fields.emplace_back(attribute.name, std::string(attribute.default_name));
    }
  }
  return from_attributes(type, fields, name);
}

any_layer causal_layer(const std::string& name) { return make("ApplyCausalAttentionMask", name, {}); }

any_layer window_layer(const std::string& name, count keys) {
  if (keys.value == window::no_limit) return causal_layer(name);
  return make("ApplyCausalSlidingWindowAttentionMask", name, {{"sliding_window_size", keys.value}});
}

any_layer window_layer(const std::string& name, window::sides sides) {
  return make("ApplyBidirectionalWindowAttentionMask", name,
              {{"window_left", sides.left.value}, {"window_right", sides.right.value}});
}

// "4096,0"; none when it is anything else.
std::optional<std::vector<std::int64_t>> parsed_numbers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  while (true) {
    std::int64_t& number = numbers.emplace_back();
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc()) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) return numbers;
    if (text.front() != ',') return {};
    text.remove_prefix(1);
  }
}

// "flash:LEFT", "dilated:KEYS,DILATION".
std::string form(const convention& one) {
  constexpr const char* numbers[] = {":NUMBER", ":KEYS,DILATION", ":NUMBER", ":LEFT,RIGHT"};  // in the variant's order
  return std::string(one.name) + numbers[one.convert.index()];
}

[[noreturn]] void refuse(const std::string& text, std::string_view name, const std::string& what) {
  std::string forms;
  for (const convention& one : conventions) {
    if (one.name == name) forms += (forms.empty() ? "" : " or ") + form(one);
  }
  throw error("window", text, what, "write " + (forms.empty() ? std::string(name) : forms));
}

any_layer layer_of(const std::string& text, std::string_view name, const std::vector<std::int64_t>& numbers) {
  if (numbers.size() == 1) {
    if (const auto* convert = find<one_to_keys>(name)) return window_layer(text, (*convert)(numbers[0]));
    if (const auto* convert = find<one_to_sides>(name)) return window_layer(text, (*convert)(numbers[0]));
  }
  if (numbers.size() == 2) {
    if (const auto* convert = find<two_to_keys>(name)) {
      return make(
          "ApplyDilatedWindowAttentionMask", text,
          {{"sliding_window_size", (*convert)(numbers[0], numbers[1]).value}, {"dilation", std::int64_t{numbers[1]}}});
    }
    if (const auto* convert = find<two_to_sides>(name)) {
      // Nothing on the right is the causal window.
      const auto* to_keys = find<one_to_keys>(name);
      if (numbers[1] == 0 && to_keys != nullptr) return window_layer(text, (*to_keys)(numbers[0]));
      return window_layer(text, (*convert)(numbers[0], numbers[1]));
    }
  }
  refuse(text, name, "it has " + counted(numbers.size(), "number"));
}

}  // namespace

std::optional<any_layer> convention_layer(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = std::string_view(text).substr(0, colon);
  const std::vector<std::string_view> names = convention_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) return {};
  if (name == causal && colon == std::string::npos) return causal_layer(text);
  if (name == causal) refuse(text, name, "causal has no number");
  if (colon == std::string::npos) refuse(text, name, "its number is missing");
  const std::string after = text.substr(colon + 1);
  const auto numbers = parsed_numbers(after);
  if (!numbers) refuse(text, name, "\"" + after + "\" is neither a whole number nor two with a comma between them");
  try {
    return layer_of(text, name, *numbers);
  } catch (const error& problem) {
    if (problem.id() != "window") throw;  // else it is the function's, which does not know the text
    throw problem.at(text);
  }
}

std::vector<std::string_view> convention_names() {
  std::vector<std::string_view> names;
  for (const convention& one : conventions) {
    if (names.empty() || names.back() != one.name) names.push_back(one.name);
  }
  names.push_back(causal);
  return names;
}

std::string convention_help() {
  constexpr std::size_t width = 100;
  std::string help;
  std::string line;
  // In the variant's order.
  const char* const forms[] = {"causal, NAME:NUMBER:", "causal with gaps, NAME:KEYS,DILATION:",
                               "to both sides, NAME:NUMBER:", "to both sides, NAME:LEFT,RIGHT:"};
  for (std::size_t index = 0; index < std::size(forms); ++index) {
    line = "  " + std::string(forms[index]);
    for (const convention& one : conventions) {
      if (one.convert.index() != index) continue;
      if (line.size() + 1 + one.name.size() > width) {
        help += line + "\n";
        line = "   ";
      }
      line += " " + std::string(one.name);
    }
    help += line + "\n";
  }
  return help + "  without a window: " + std::string(causal) + "\n";
}

}  // namespace axismask::command
