// Reads what C gives: each mistake is an error before anything is done.
#include "c_api/given.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "axismask/plan.hpp"
#include "c_api/objects.hpp"

namespace axismask::c_api {

static_assert(AXISMASK_MAX_AXES == any_view::max_rank && AXISMASK_MAX_INPUTS == max_attributes);

std::string place::text() const {
  std::string result(argument);
  if (!member.empty()) result += "." + std::string(member);
  if (index >= 0) result += "[" + std::to_string(index) + "]";
  return result;
}

void refuse_null(const place& where, std::string_view cure) {
  throw error("c-null", where.text(), "it is NULL", std::string(cure));
}

std::string_view text_of(const char* text, const place& where, std::size_t longest) {
  if (text == nullptr) refuse_null(where, "give a text that ends with 0");
  const std::size_t size = strnlen(text, longest + 1);
  if (size <= longest) return {text, size};
  throw error("c-text", where.text(), "the text has no end within " + std::to_string(longest) + " bytes",
              "end it with 0, and make it no longer");
}

void check_choice(std::int64_t number, std::int64_t last, std::string_view where, std::string_view type) {
  if (number >= 0 && number <= last) return;
  throw error("c-option", std::string(where), "it is " + std::to_string(number),
              "give " + std::string(type) + ", from 0 to " + std::to_string(last));
}

void check_struct(std::size_t given_size, std::size_t size, std::string_view where, std::string_view type) {
  if (given_size == size) return;
  throw error("c-struct", std::string(where) + ".struct_size",
              "it is " + std::to_string(given_size) + ", and this library's " + std::string(type) + " has " +
                  std::to_string(size) + " bytes",
              "start with the initialiser of axismask.h, and compile with the library's own header");
}

dtype layer_dtype(std::int32_t type, std::string_view where) {
  switch (type) {
    case AXISMASK_FLOAT16:
      return dtype::float16;
    case AXISMASK_BFLOAT16:
      return dtype::bfloat16;
    case AXISMASK_FLOAT32:
      return dtype::float32;
    case AXISMASK_FLOAT64:
      return dtype::float64;
    case AXISMASK_INT32:
      return dtype::int32;
    case AXISMASK_INT64:
      return dtype::int64;
    case AXISMASK_BOOL:
      return dtype::boolean;
    default:
      break;
  }
  const std::string at = place{where, "dtype"}.text();
  if (type == AXISMASK_INT8 || type == AXISMASK_INT16 || type == AXISMASK_UINT8) {
    throw error("c-dtype", at, "layers take no integers of 8 or 16 bits",
                "give floats, AXISMASK_INT32, AXISMASK_INT64 or AXISMASK_BOOL");
  }
  throw error("c-dtype", at, "there is no dtype " + std::to_string(type),
              "give an axismask_dtype, such as AXISMASK_FLOAT32");
}

namespace {

void check_rank(const given_axes& given) {
  if (given.ndim < 0 || given.ndim > AXISMASK_MAX_AXES) {
    throw error("array-rank", place{given.where, "ndim"}.text(),
                "it has " + std::to_string(given.ndim) + " axes, and from 0 to " + std::to_string(AXISMASK_MAX_AXES) +
                    " are possible",
                "fold axes that lie next to each other in memory into one");
  }
  if (given.ndim > 0 && given.shape == nullptr) refuse_null({given.where, "shape"}, "give a size for each axis");
  if (given.ndim > 0 && given.names == nullptr) refuse_null({given.where, "axes"}, "give a name for each axis");
}

// How far an array reaches, in bytes; false when that is further than addresses do.
class array_reach {
 public:
  explicit array_reach(std::int64_t element_bytes) : bytes_(element_bytes), count_(element_bytes) {}

  [[nodiscard]] bool add(std::int64_t size, std::int64_t stride) {
    const std::int64_t steps = std::max<std::int64_t>(size, 1);
    if (__builtin_mul_overflow(count_, steps, &count_)) return false;
    if (stride == named_axis::no_stride) return true;
    std::int64_t far = 0;
    return !__builtin_mul_overflow(stride < 0 ? -stride : stride, steps, &far) &&
           !__builtin_mul_overflow(far, bytes_, &far) && !__builtin_add_overflow(reach_, far, &reach_);
  }

 private:
  std::int64_t bytes_;
  std::int64_t count_;
  std::int64_t reach_ = 0;
};

}  // namespace

read_axes::read_axes(const given_axes& given, std::int64_t element_bytes) {
  check_rank(given);
  array_reach reach(element_bytes);
  for (const auto rank = static_cast<std::size_t>(given.ndim); count_ < rank; ++count_) {
    const auto at = static_cast<std::int64_t>(count_);
    const std::int64_t size = given.shape[count_];
    if (size < 0) {
      throw error("axis-size", place{given.where, "shape", at}.text(), "it is " + std::to_string(size),
                  "give sizes of at least 0");
    }
    auto* const axis = new (memory_.data() + count_ * sizeof(named_axis))
        named_axis(text_of(given.names[count_], {given.where, "axes", at}), size);
    if (given.strides != nullptr) axis->stride = given.strides[count_];
    const bool has_no_stride = given.strides != nullptr && axis->stride == named_axis::no_stride;
    if (!has_no_stride && reach.add(size, axis->stride)) continue;
    throw error("c-size", std::string(given.where), "its shape and strides reach further than addresses do",
                "give the array's own");
  }
}

any_view view_of(const axismask_array* array, std::string_view where) {
  const axismask_array& its = given(array, where);
  const dtype type = layer_dtype(its.dtype, where);
  if (its.device < AXISMASK_HOST || its.device > AXISMASK_OPENCL) {
    throw error("c-device", place{where, "device"}.text(), "there is no device " + std::to_string(its.device),
                "give an axismask_device: AXISMASK_HOST, AXISMASK_CUDA or AXISMASK_OPENCL");
  }
  const read_axes axes({where, its.ndim, its.shape, its.strides, its.axes}, info(type).bytes);
  const void* const to_read = its.data;
  if (its.device != AXISMASK_HOST) {
    const any_view view =
        its.read_only != 0 ? any_view(to_read, type, axes.all()) : any_view(its.data, type, axes.all());
    return view.in_device_memory();
  }
  if (its.read_only != 0) return {to_read, type, axes.all()};
  return {its.data, type, axes.all()};
}

given_inputs::given_inputs(const axismask_input* inputs, std::size_t count) {
  if (count > AXISMASK_MAX_INPUTS) {
    throw error("c-size", "input_count",
                "there are " + std::to_string(count) + " side inputs, and a layer has at most " +
                    std::to_string(AXISMASK_MAX_INPUTS),
                "give the number of elements of `inputs`");
  }
  if (count > 0 && inputs == nullptr) refuse_null({"inputs"}, "give the side inputs, or 0 as their number");
  for (; count_ < count; ++count_) {
    const axismask_input& one = inputs[count_];
    const auto at = static_cast<std::int64_t>(count_);
    const std::string_view name = text_of(one.name, {"inputs", "name", at});
    const std::string_view where = name.empty() ? "\"\"" : name;
    new (memory_.data() + count_ * sizeof(side_input)) side_input{name, view_of(&one.array, where)};
    device_ = one_device(device_, one.array.device, where);
  }
}

std::int32_t one_device(std::int32_t first, std::int32_t second, std::string_view where) {
  if (first == AXISMASK_HOST || second == AXISMASK_HOST || first == second)
    return first == AXISMASK_HOST ? second : first;
  throw error("c-device", std::string(where), "the arrays of the call are on CUDA and on OpenCL",
              "give all of them in memory of one device, or of the host");
}

call_options options_of(const axismask_call_options* options, std::int32_t device) {
  call_options result;
  const std::string_view of_arrays = device == AXISMASK_CUDA ? "cuda" : device == AXISMASK_OPENCL ? "opencl" : "auto";
  result.device = of_arrays;
  if (options == nullptr) return result;
  check_struct(options->struct_size, sizeof(axismask_call_options), "options", "axismask_call_options");
  if (options->plan != nullptr) result.plan = &object_of<plan_object>(options->plan, "options.plan").plan;
  if (options->threads < 0) {
    throw error("c-option", "options.threads", "it is " + std::to_string(options->threads),
                "give a number of threads, or 0 for one for each processor");
  }
  result.threads = options->threads;
  result.run_tasks = options->run_tasks;
  result.pool = options->pool;
  result.context = options->context;
  result.stream = options->stream;
  if (options->device == nullptr) return result;
  const std::string_view asked = text_of(options->device, {"options", "device"});
  if (device != AXISMASK_HOST && asked != "auto" && asked != of_arrays) {
    throw error("c-device", "options.device",
                "it asks for \"" + std::string(asked) + "\", and arrays of the call are in memory of \"" +
                    std::string(of_arrays) + "\"",
                "leave it NULL, or give arrays of that device");
  }
  if (device == AXISMASK_HOST || asked != "auto") result.device = asked;
  return result;
}

void check_index(std::size_t index, std::size_t count, std::string_view one) {
  if (index < count) return;
  throw error("c-index", "index", "there is no " + std::string(one) + " " + std::to_string(index),
              "give an index below " + std::to_string(count));
}

void give_text(std::string_view text, char* memory, std::size_t capacity, std::size_t* bytes) {
  there(bytes, "bytes") = text.size() + 1;
  if (capacity == 0) return;
  if (capacity < text.size() + 1) {
    throw error(
        "c-size", "capacity",
        "the text takes " + std::to_string(text.size() + 1) + " bytes, and there are " + std::to_string(capacity),
        "give the bytes that a call with a capacity of 0 tells");
  }
  char* const out = &there(memory, "text");
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = 0;
}

}  // namespace axismask::c_api
