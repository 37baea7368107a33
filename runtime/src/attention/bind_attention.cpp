// Brings the arrays of a call of attention together by the names of their axes, and says what does not fit.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "arrays/bind_arrays.hpp"
#include "arrays/masked_bits.hpp"
#include "attention/attention_job.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

constexpr double log2_e = 1.4426950408889634;

bool is_attention_dtype(dtype type) {
  return type == dtype::float32 || type == dtype::float16 || type == dtype::bfloat16;
}

void check_array(std::string_view where, const any_view& array, bool is_float32) {
  check_axes(where, array.axes());
  check_memory(where, array);
  if (array.is_in_device_memory()) {
    throw error("device-attention", std::string(where), "it is in a device's memory, and attention is the processor's",
                "give memory of the host; a kernel of your own for the device takes the mask as a plan (forms.hpp)");
  }
  const bool fits = is_float32 ? array.type() == dtype::float32 : is_attention_dtype(array.type());
  if (!fits) {
    throw error("attention-dtype", std::string(where), "it holds " + std::string(info(array.type()).name),
                is_float32 ? "give float32" : "give float32, float16 or bfloat16");
  }
}

void check_result_memory(std::string_view where, const any_view& array) {
  if (!array.is_const()) return;
  throw error("result-const", std::string(where), "its memory is const", "give memory that can be written");
}

[[noreturn]] void refuse_axis(std::string_view where, std::string_view what, std::string_view axis,
                              std::span<const named_axis> has, std::string_view cure) {
  throw error(
      "attention-axes", std::string(where),
      std::string(what) + " axis \"" + std::string(axis) + "\"; it has " + quoted_list(names_of_axes(has)).str(),
      std::string(cure));
}

// The addresses that an array touches.
struct address_range {
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
};
address_range range_of(const any_view& array) {
  if (array.element_count() == 0) return {};
  const std::int64_t bytes = info(array.type()).bytes;
  const auto* data = static_cast<const std::byte*>(array.data());
  address_range range{data, data + bytes};
  for (const named_axis& axis : array.axes()) {
    const std::int64_t reach = (axis.size - 1) * axis.stride * bytes;
    (reach < 0 ? range.begin : range.end) += reach;
  }
  return range;
}

class binder {
 public:
  binder(const layer_values& layer, const attention_arrays& given, const attention_options& options, attention_job& job)
      : layer_(layer), given_(given), options_(options), projection_(options.projection), job_(job) {}

  void bind(std::span<const side_input> inputs) {
    check_arrays();
    collect_axes();
    lay_out(job_.queries, "queries", given_.queries);
    lay_out(job_.keys, "keys", given_.keys);
    lay_out(job_.values, "values", given_.values);
    lay_out(job_.out, "out", given_.out);
    job_.sinks = {};
    job_.log_sum_exp = {};
    if (options_.sinks) lay_out(job_.sinks, "sinks", *options_.sinks);
    if (options_.log_sum_exp) lay_out(job_.log_sum_exp, "log_sum_exp", *options_.log_sum_exp);
    check_result_axes("out", given_.out);
    if (options_.log_sum_exp) check_result_axes("log_sum_exp", *options_.log_sum_exp);
    for (const side_input& input : inputs) {
      if (!input.array.is_in_device_memory()) continue;
      throw error("device-attention", std::string(input.name),
                  "it is in a device's memory, and attention is the processor's", "give memory of the host");
    }
    bind_arrays(layer_, any_view(nullptr, dtype::float32, job_.axes), inputs, job_.mask.bound);
    check_overlap("out", given_.out, inputs);
    if (options_.log_sum_exp) check_overlap("log_sum_exp", *options_.log_sum_exp, inputs);
    take_numbers();
  }

 private:
  void check_arrays() const {
    check_array("queries", given_.queries, false);
    check_array("keys", given_.keys, false);
    check_array("values", given_.values, false);
    check_array("out", given_.out, false);
    check_result_memory("out", given_.out);
    if (options_.sinks) check_array("sinks", *options_.sinks, true);
    if (options_.log_sum_exp) {
      check_array("log_sum_exp", *options_.log_sum_exp, true);
      check_result_memory("log_sum_exp", *options_.log_sum_exp);
    }
    const std::string_view device = options_.call.device;
    if (device == "auto" || device == "cpu") return;
    throw error("device-attention", "call_options::device",
                "it asks for \"" + std::string(device) + "\", and attention is the processor's",
                "leave it at \"auto\"; a kernel of your own for the device takes the mask as a plan (forms.hpp)");
  }

  const named_axis& projection_of(std::string_view where, const any_view& array) const {
    const named_axis* found = find_axis(array.axes(), projection_);
    if (found == nullptr) {
      refuse_axis(where, "it has no", projection_, array.axes(),
                  "give it that axis, or set attention_options::projection to the name of yours");
    }
    if (found->size < 1) {
      throw error("attention-axes", std::string(where), "its axis \"" + std::string(projection_) + "\" is empty",
                  "give it at least one element");
    }
    return *found;
  }

  // An explicit mask names no key axis: it is the one that keys have and queries do not.
  [[nodiscard]] std::string_view axis_of_keys_alone() const {
    std::string_view found;
    for (const named_axis& axis : given_.keys.axes()) {
      if (find_axis(given_.queries.axes(), axis.name) != nullptr) continue;
      if (!found.empty()) {
        throw error("attention-axes", std::string(layer_.type->name),
                    "it has no key axis, and keys have two axes that queries do not, \"" + std::string(found) +
                        "\" and \"" + std::string(axis.name) + "\"",
                    "give the queries one of them, or compose the layer with a mask that has a key axis");
      }
      found = axis.name;
    }
    if (found.empty()) {
      throw error("attention-axes", std::string(layer_.type->name),
                  "it has no key axis, and keys have no axis that queries do not",
                  "give keys and values an axis of their own");
    }
    return found;
  }

  // The axes of the mask: the queries' without the projection, then the keys'.
  void collect_axes() {
    job_.projection = projection_of("queries", given_.queries).size;
    job_.value_projection = projection_of("values", given_.values).size;
    const std::int64_t of_keys = projection_of("keys", given_.keys).size;
    if (of_keys != job_.projection) {
      throw error("attention-axes", "keys",
                  "its axis \"" + std::string(projection_) + "\" has size " + std::to_string(of_keys) +
                      ", and that of the queries has " + std::to_string(job_.projection),
                  "give queries and keys of one projection");
    }
    if (projection_of("out", given_.out).size != job_.value_projection) {
      throw error("attention-axes", "out",
                  "its axis \"" + std::string(projection_) + "\" has size " +
                      std::to_string(projection_of("out", given_.out).size) + ", and that of the values has " +
                      std::to_string(job_.value_projection),
                  "give it the values' projection");
    }
    position_axes names = position_axes_of(layer_);
    if (names.kv.empty()) names.kv = axis_of_keys_alone();
    job_.axes.clear();
    for (const named_axis& axis : given_.queries.axes()) {
      if (axis.name == projection_) continue;
      if (axis.name == names.kv) {
        refuse_axis("queries", "it has the mask's key", names.kv, given_.queries.axes(),
                    "rename it: keys have that axis");
      }
      job_.axes.push_back({axis.name, axis.size, std::int64_t{0}});
    }
    const named_axis* keys = find_axis(given_.keys.axes(), names.kv);
    if (keys == nullptr) {
      refuse_axis("keys", "it lacks the mask's key", names.kv, given_.keys.axes(),
                  "give that axis of the keys this name, or the keys' own name to the layer's kv_seq_axis");
    }
    for (const auto& [where, array] : {std::pair("keys", &given_.keys), std::pair("values", &given_.values)}) {
      if (find_axis(array->axes(), names.kv) == nullptr) {
        refuse_axis(where, "it lacks the mask's key", names.kv, array->axes(), "give it the keys' axis");
      }
      if (!names.query.empty() && names.query != names.kv && find_axis(array->axes(), names.query) != nullptr) {
        refuse_axis(where, "it has the mask's query", names.query, array->axes(),
                    "keys and values are the same for all queries; rename the axis, or take it out");
      }
    }
    job_.axes.push_back({names.kv, keys->size, std::int64_t{0}});
  }

  void lay_out(attention_array& array, std::string_view where, const any_view& view) const {
    array = {};
    array.data = static_cast<std::byte*>(view.data());
    array.type = view.type();
    array.element_bytes = info(view.type()).bytes;
    for (const named_axis& axis : view.axes()) {
      const bool has_projection = where != "sinks" && where != "log_sum_exp";
      if (has_projection && axis.name == projection_) {
        array.projection_stride = axis.stride * array.element_bytes;
        continue;
      }
      const bool of_keys = where == "keys" || where == "values";
      const std::span<const named_axis> common = std::span(job_.axes).first(job_.axes.size() - (of_keys ? 0 : 1));
      const named_axis* known = find_axis(common, axis.name);
      if (known == nullptr) {
        refuse_axis(where, "the queries do not have its", axis.name, view.axes(),
                    "rename the axis, or take it out of the array");
      }
      if (known->size != axis.size) {
        throw error("axis-size", std::string(where),
                    "its axis \"" + std::string(axis.name) + "\" has size " + std::to_string(axis.size) +
                        ", and that of the " + (known == &job_.axes.back() ? "keys" : "queries") + " has " +
                        std::to_string(known->size),
                    "give one element for each index of that axis");
      }
      array.strides.at(static_cast<std::size_t>(known - job_.axes.data())) = axis.stride * array.element_bytes;
    }
  }

  void check_result_axes(std::string_view where, const any_view& array) const {
    for (std::size_t axis = 0; axis < job_.key_axis(); ++axis) {
      if (find_axis(array.axes(), job_.axes[axis].name) != nullptr) continue;
      refuse_axis(where, "it lacks the queries'", job_.axes[axis].name, array.axes(),
                  "give it the queries' axes, in any order");
    }
    std::array<named_axis, max_rank> several;
    std::size_t count = 0;
    for (const named_axis& axis : array.axes()) {
      if (axis.size > 1) several.at(count++) = axis;
    }
    const std::span<named_axis> axes = std::span(several).first(count);
    std::sort(axes.begin(), axes.end(),
              [](const named_axis& a, const named_axis& b) { return std::abs(a.stride) < std::abs(b.stride); });
    std::int64_t reach = 0;
    for (const named_axis& axis : axes) {
      if (std::abs(axis.stride) <= reach) {
        throw error("result-overlap", std::string(where), "several of its elements lie in one place",
                    "give an array whose strides keep its elements apart");
      }
      reach += (axis.size - 1) * std::abs(axis.stride);
    }
  }

  void check_overlap(std::string_view where, const any_view& written, std::span<const side_input> inputs) const {
    const auto check = [&](std::string_view other, const any_view& array) {
      const address_range a = range_of(written);
      const address_range b = range_of(array);
      if (a.begin == nullptr || b.begin == nullptr || a.end <= b.begin || b.end <= a.begin) return;
      throw error("attention-overlap", std::string(where), "it lies over " + std::string(other),
                  "give it memory of its own");
    };
    check("queries", given_.queries);
    check("keys", given_.keys);
    check("values", given_.values);
    if (options_.sinks) check("sinks", *options_.sinks);
    for (const side_input& input : inputs) check(input.name, input.array);
    if (options_.log_sum_exp && where == "out") check("log_sum_exp", *options_.log_sum_exp);
  }

  void take_numbers() const {
    const double scale = options_.scale.value_or(1 / std::sqrt(static_cast<double>(job_.projection)));
    if (!std::isfinite(scale)) {
      throw error("attention-option", "attention_options::scale", "it is no finite number",
                  "give what scores are multiplied by, or none for 1 / sqrt(projection)");
    }
    if (!std::isfinite(options_.softcap) || options_.softcap < 0) {
      throw error("attention-option", "attention_options::softcap", "it is no finite number of at least 0",
                  "give the largest size of a score, or 0 for none");
    }
    job_.scale = static_cast<float>(scale * log2_e);
    job_.softcap = static_cast<float>(options_.softcap * log2_e);
    job_.zeros = layer_.empty_rows == empty_row_rule::zeros;
    const float value = job_.zeros ? -std::numeric_limits<float>::infinity() : masked_value_of_layer();
    job_.masked_value = static_cast<double>(value);
    constexpr double most = std::numeric_limits<float>::max();
    job_.masked = std::isfinite(value) ? static_cast<float>(std::clamp(value * log2_e, -most, most)) : value;
    // While scores are computed, what is masked has no weight; what a masked value weighs is added at the end.
    constexpr float nothing = -std::numeric_limits<float>::infinity();
    std::uint32_t bits = 0;
    std::memcpy(&bits, &nothing, sizeof bits);
    job_.mask.masked = bits;
    job_.mask.in_place = true;
  }

  float masked_value_of_layer() const {
    const auto bits = static_cast<std::uint32_t>(masked_bits(layer_.masked_out_value, dtype::float32));
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  const layer_values& layer_;
  const attention_arrays& given_;
  const attention_options& options_;
  std::string_view projection_;
  attention_job& job_;
};

}  // namespace

void bind_attention(const layer_values& layer, const attention_arrays& arrays, const side_inputs& inputs,
                    const attention_options& options, attention_job& job) {
  binder(layer, arrays, options, job).bind(inputs);
}

}  // namespace axismask
