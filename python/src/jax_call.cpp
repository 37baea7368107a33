// Reads what a custom call is told, and gives the layer and the arrays of one execution.
#include "jax_call.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace axismask::python {

namespace ffi = xla::ffi;

ffi::TypeId jax_call::id = XLA_FFI_UNKNOWN_TYPE_ID;
ffi::TypeId jax_call_on_cuda::id = XLA_FFI_UNKNOWN_TYPE_ID;

ffi::ErrorOr<std::unique_ptr<jax_call_on_cuda>> jax_call_on_cuda::read(ffi::Dictionary attributes) {
  auto call = jax_call::read(attributes);
  if (!call.has_value()) return ffi::Unexpected(call.error());
  auto made = std::make_unique<jax_call_on_cuda>();
  made->call = std::move(*call);
  return made;
}

namespace {

// A program that computes its windows may compute many: past so many, all are made anew when they are met again.
constexpr std::size_t most_layers = 256;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::vector<jax_array_name> names_of(std::string_view lines) {
  std::vector<jax_array_name> names;
  for (const std::string& line : split(lines, '\n')) {
    std::vector<std::string> words = split(line, '\t');
    if (words.empty()) continue;
    jax_array_name one{words.front(), {words.begin() + 1, words.end()}, {}};
    names.push_back(std::move(one));
  }
  for (jax_array_name& one : names) {
    for (const std::string& axis : one.axes) one.axis_pointers.push_back(axis.c_str());
  }
  return names;
}

int dtype_of(ffi::DataType type) {
  switch (type) {
    case ffi::DataType::F16:
      return AXISMASK_FLOAT16;
    case ffi::DataType::BF16:
      return AXISMASK_BFLOAT16;
    case ffi::DataType::F32:
      return AXISMASK_FLOAT32;
    case ffi::DataType::F64:
      return AXISMASK_FLOAT64;
    case ffi::DataType::S32:
      return AXISMASK_INT32;
    case ffi::DataType::S64:
      return AXISMASK_INT64;
    case ffi::DataType::PRED:
      return AXISMASK_BOOL;
    case ffi::DataType::S8:
      return AXISMASK_INT8;
    case ffi::DataType::S16:
      return AXISMASK_INT16;
    case ffi::DataType::U8:
      return AXISMASK_UINT8;
    default:
      return 0;  // none of ours, which the call refuses by its name
  }
}

ffi::ErrorOr<axismask_array> view(const ffi::AnyBuffer& buffer, const jax_array_name& name, axismask_device device,
                                  bool read_only) {
  const auto sizes = buffer.dimensions();
  if (sizes.size() != name.axes.size()) {
    return ffi::Unexpected(ffi::Error::Internal("axismask: " + name.name + " has another number of axes than names"));
  }
  return axismask_array{buffer.untyped_data(),
                        dtype_of(buffer.element_type()),
                        device,
                        static_cast<std::int32_t>(sizes.size()),
                        read_only ? 1 : 0,
                        sizes.begin(),
                        nullptr,
                        name.axis_pointers.data()};
}

template <class Number>
void write_number(std::string& text, Number number) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(number)) {
      text += number < 0 ? "\"-inf\"" : "\"not finite\"";
      return;
    }
  }
  std::array<char, 32> digits{};
  text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

template <class Number>
std::string json_of(const ffi::AnyBuffer& buffer) {
  const Number* const numbers = buffer.reinterpret_data<Number>();
  const std::size_t count = buffer.element_count();
  std::string text;
  if (buffer.dimensions().size() != 0) text += '[';
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) text += ',';
    write_number(text, numbers[i]);
  }
  if (buffer.dimensions().size() != 0) text += ']';
  return text;
}

std::string json_of_any(const ffi::AnyBuffer& buffer) {
  switch (buffer.element_type()) {
    case ffi::DataType::S32:
      return json_of<std::int32_t>(buffer);
    case ffi::DataType::S64:
      return json_of<std::int64_t>(buffer);
    case ffi::DataType::F32:
      return json_of<float>(buffer);
    case ffi::DataType::F64:
      return json_of<double>(buffer);
    default:
      return "\"not a number\"";  // which the spec refuses
  }
}

ffi::ErrorOr<held_layer> parse(const std::string& text) {
  axismask_model* model = nullptr;
  held_layer held;
  axismask_status status = axismask_model_parse(text.data(), text.size(), "layer", &model);
  if (status == AXISMASK_OK) {
    held.model = std::shared_ptr<axismask_model>(model, axismask_model_free);
    status = axismask_model_layer_at(model, 0, &held.layer);
  }
  if (status != AXISMASK_OK) return ffi::Unexpected(last_error(status));
  return held;
}

}  // namespace

ffi::Error last_error(axismask_status status) {
  const ffi::ErrorCode code = status == AXISMASK_REFUSED     ? ffi::ErrorCode::kInvalidArgument
                              : status == AXISMASK_NO_MEMORY ? ffi::ErrorCode::kResourceExhausted
                                                             : ffi::ErrorCode::kInternal;
  return {code, axismask_last_error()->line};
}

ffi::ErrorOr<std::unique_ptr<jax_call>> jax_call::read(ffi::Dictionary attributes) {
  auto call = std::make_unique<jax_call>();
  std::string missing;
  const auto text = [&](const char* name) {
    const auto found = attributes.get<std::string_view>(name);
    if (found.has_value()) return std::string(*found);
    missing = name;
    return std::string();
  };
  const auto whole = [&](const char* name) {
    const auto found = attributes.get<std::int64_t>(name);
    if (!found.has_value()) missing = name;
    return found.has_value() ? *found : 0;
  };
  const auto number = [&](const char* name) {
    const auto found = attributes.get<double>(name);
    if (!found.has_value()) missing = name;
    return found.has_value() ? *found : 0.0;
  };
  call->spec_ = text("spec");
  call->operands_ = names_of(text("operands"));
  call->results_ = names_of(text("results"));
  call->leading = static_cast<std::size_t>(whole("leading"));
  call->numbers_ = static_cast<std::size_t>(whole("numbers"));
  call->threads = static_cast<std::int32_t>(whole("threads"));
  if (attributes.contains("masked")) call->masked = static_cast<std::int32_t>(whole("masked"));
  if (attributes.contains("projection")) {
    call->projection = text("projection");
    call->scale = number("scale");
    call->softcap = number("softcap");
  }
  if (!missing.empty() || call->leading + call->numbers_ > call->operands_.size()) {
    return ffi::Unexpected(ffi::Error::Internal("axismask: a custom call of another version, at attribute " + missing));
  }
  if (call->numbers_ == 0) {
    const ffi::ErrorOr<held_layer> held = parse(call->spec_);
    if (!held.has_value()) return ffi::Unexpected(held.error());
    call->layers_.emplace(std::string(), *held);
  }
  return call;
}

ffi::ErrorOr<held_layer> jax_call::layer(ffi::RemainingArgs& operands, axismask_device device) {
  if (numbers_ == 0) return layers_.begin()->second;
  if (device != AXISMASK_HOST) {
    return ffi::Unexpected(
        ffi::Error(ffi::ErrorCode::kUnimplemented,
                   "axismask: a layer's numbers are an array in a device's memory; give the layer one "
                   "number, or apply it on a processor"));
  }
  std::vector<std::string> numbers;
  std::string key;
  for (std::size_t i = operands_.size() - numbers_; i < operands_.size(); ++i) {
    const auto buffer = operands.get<ffi::AnyBuffer>(i);
    if (!buffer.has_value()) return ffi::Unexpected(buffer.error());
    numbers.push_back(json_of_any(*buffer));
    key += numbers.back() + '\n';
  }
  const std::lock_guard<std::mutex> guard(lock_);
  if (const auto found = layers_.find(key); found != layers_.end()) return found->second;
  std::string text = spec_;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string mark = "\"@" + std::to_string(i) + "@\"";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + numbers[i].size())) {
      text.replace(at, mark.size(), numbers[i]);
    }
  }
  ffi::ErrorOr<held_layer> held = parse(text);
  if (!held.has_value()) return held;
  if (layers_.size() >= most_layers) layers_.clear();
  layers_.emplace(key, *held);
  return held;
}

ffi::ErrorOr<axismask_array> jax_call::operand(ffi::RemainingArgs& operands, std::size_t index,
                                               axismask_device device) const {
  const auto buffer = operands.get<ffi::AnyBuffer>(index);
  if (!buffer.has_value()) return ffi::Unexpected(buffer.error());
  return view(*buffer, operands_[index], device, true);
}

ffi::ErrorOr<axismask_array> jax_call::result(ffi::RemainingRets& results, std::size_t index,
                                              axismask_device device) const {
  auto buffer = results.get<ffi::AnyBuffer>(index);
  if (!buffer.has_value()) return ffi::Unexpected(buffer.error());
  return view(**buffer, results_[index], device, false);
}

ffi::ErrorOr<std::vector<axismask_input>> jax_call::inputs(ffi::RemainingArgs& operands, axismask_device device) const {
  std::vector<axismask_input> found;
  for (std::size_t i = leading; i + numbers_ < operands_.size(); ++i) {
    const ffi::ErrorOr<axismask_array> one = operand(operands, i, device);
    if (!one.has_value()) return ffi::Unexpected(one.error());
    found.push_back({operands_[i].name.c_str(), *one});
  }
  return found;
}

std::size_t jax_call::leading_named(std::string_view name) const {
  const auto begin = operands_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(leading);
  return static_cast<std::size_t>(std::find_if(begin, end, [&](const auto& one) { return one.name == name; }) - begin);
}

}  // namespace axismask::python
