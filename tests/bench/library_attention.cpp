// The C++ side of the cases of attention in scripts/bench.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "axismask/attention.hpp"
#include "axismask/model.hpp"

namespace axismask::bench {
namespace {

constexpr std::size_t most_axes = 6;

// As attention.py lays them out.
struct attention_record {
  void* data;
  std::int32_t type;
  std::int32_t rank;
  std::array<const char*, most_axes> names;
  std::array<std::int64_t, most_axes> sizes;
  std::array<std::int64_t, most_axes> strides;  // in elements
};

// What a call has besides its arrays. `sinks` and `log_sum_exp` may be null; a scale of 0: the default.
struct attention_extras {
  double scale;
  double softcap;
  const attention_record* sinks;
  const attention_record* log_sum_exp;
  const char* empty_rows;  // the rule
  std::int32_t threads;
};

struct attention_call {
  Model model;
  layer_values layer;
  std::vector<std::unique_ptr<std::string>> names;
  std::array<any_view, 4> arrays;  // queries, keys, values, out
  std::vector<side_input> inputs;
  attention_options options;

  explicit attention_call(const char* spec)
      : model(Model::parse(spec, "the benchmark's spec")), layer(model.layers().front().values()) {}

  const std::string& keep(const char* name) { return *names.emplace_back(std::make_unique<std::string>(name)); }

  any_view view(const attention_record& record) {
    std::vector<named_axis> axes;
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(record.rank); ++axis) {
      axes.push_back({keep(record.names[axis]), record.sizes[axis], record.strides[axis]});
    }
    return {record.data, static_cast<dtype>(record.type), axes};
  }
};

thread_local std::string last_attention_error;

}  // namespace
}  // namespace axismask::bench

using axismask::bench::attention_call;
using axismask::bench::attention_extras;
using axismask::bench::attention_record;

extern "C" {

const char* axismask_bench_attention_error() { return axismask::bench::last_attention_error.c_str(); }

// `arrays` are queries, keys, values and the result; `inputs` are named by `input_names`.
void* axismask_bench_open_attention(const char* spec, const attention_record* arrays, const char* const* input_names,
                                    const attention_record* inputs, std::int64_t input_count,
                                    const attention_extras* extras) {
  try {
    auto call = std::make_unique<attention_call>(spec);
    for (std::size_t rule = 0; rule < axismask::empty_row_rule_names.size(); ++rule) {
      if (axismask::empty_row_rule_names.at(rule) != extras->empty_rows) continue;
      call->layer.empty_rows = static_cast<axismask::empty_row_rule>(rule);
    }
    call->options.call.threads = extras->threads;
    if (extras->scale != 0) call->options.scale = extras->scale;
    call->options.softcap = extras->softcap;
    if (extras->sinks != nullptr) call->options.sinks = call->view(*extras->sinks);
    if (extras->log_sum_exp != nullptr) call->options.log_sum_exp = call->view(*extras->log_sum_exp);
    for (std::size_t at = 0; at < call->arrays.size(); ++at) call->arrays.at(at) = call->view(arrays[at]);
    for (std::int64_t at = 0; at < input_count; ++at) {
      call->inputs.emplace_back(call->keep(input_names[at]), call->view(inputs[at]));
    }
    return call.release();
  } catch (const std::exception& problem) {
    axismask::bench::last_attention_error = problem.what();
    return nullptr;
  }
}

void axismask_bench_close_attention(void* call) { delete static_cast<attention_call*>(call); }

// Nanoseconds of all the calls together, or -1.
std::int64_t axismask_bench_time_attention(void* handle, std::int64_t calls) {
  try {
    auto& call = *static_cast<attention_call*>(handle);
    const auto& [queries, keys, values, out] = call.arrays;
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t at = 0; at < calls; ++at) {
      axismask::attend(call.layer, {queries, keys, values, out}, call.inputs, call.options);
    }
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
  } catch (const std::exception& problem) {
    axismask::bench::last_attention_error = problem.what();
    return -1;
  }
}

}  // extern "C"
