// The library in C: calls in any order with any arguments that a caller may have in memory. What is refused leaves a
// message, and all memory as it was.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "axismask.h"
#include "check.hpp"

namespace axismask::fuzz {
namespace {

constexpr const char* spec = R"({"axismask": 1, "model": "m", "layers": [
  {"name": "window", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1e4, "sliding_window_size": 3},
  {"name": "heads", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": "lowest", "empty_rows": "error",
   "sliding_window_size": {"axis": "heads", "values": [1, 2, 3]}},
  {"name": "explicit", "type": "ApplyExplicitAttentionMask", "masked_out_value": "-inf"},
  {"name": "self", "type": "ApplyCausalAttentionMask", "masked_out_value": 0, "empty_rows": "keep_self"}]})";

// Memory of the caller: arrays lie in it, of any shape and strides that it holds.
constexpr std::size_t memory_bytes = 4096;
alignas(64) std::array<std::byte, memory_bytes> memory;

class caller {
 public:
  caller(const std::uint8_t* bytes, std::size_t count) : data_(bytes, count) {
    for (std::byte& one : memory) one = static_cast<std::byte>(data_.ConsumeIntegral<std::uint8_t>() % 7);
  }

  void run(const axismask_model* model) {
    while (data_.remaining_bytes() > 0) {
      names_.clear();
      sizes_.clear();
      can_be_ = true;
      act(model);
    }
  }

 private:
  // A status: of a failure the message is looked at, and that nothing has changed since `before`.
  bool done(axismask_status status, const std::array<std::byte, memory_bytes>& before) {
    if (status == AXISMASK_OK) return true;
    const axismask_error& told = *axismask_last_error();
    must(status == AXISMASK_REFUSED || status == AXISMASK_NO_MEMORY, told.line);
    check_line(told.line, "axismask: error[");
    must(std::strlen(told.id) > 0 && std::strlen(told.where) > 0 && std::strlen(told.cure) > 0,
         "a message has its parts");
    must(memory == before, "a call that is refused writes nothing");
    return false;
  }

  const char* text() {
    constexpr std::array all{"seq", "kv_seq", "heads", "batch", "projection", "token_positions", "mask", ""};
    if (data_.ConsumeIntegral<std::uint8_t>() < 230) return data_.PickValueInArray(all);
    if (data_.ConsumeBool()) return nullptr;
    return names_.emplace_back(data_.ConsumeRandomLengthString(300)).c_str();
  }

  std::int64_t size() {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (data_.ConsumeIntegral<std::uint8_t>() < 235) return data_.ConsumeIntegralInRange<std::int64_t>(0, 5);
    return data_.PickValueInArray({most, most / 2, -most - 1, std::int64_t{-1}, std::int64_t{1} << 31,
                                   std::int64_t{1} << 32, std::int64_t{3'037'000'500}});
  }

  // An array in the memory. One that does not fit in there sets can_be_ to false, unless no memory could hold it: that
  // is to be refused.
  axismask_array array() {
    axismask_array made{};
    made.ndim = data_.ConsumeIntegral<std::uint8_t>() < 240 ? data_.ConsumeIntegralInRange(0, 4)
                                                            : data_.ConsumeIntegralInRange(-1, 40);
    made.dtype = data_.ConsumeIntegralInRange(-1, 9);
    made.read_only = data_.ConsumeIntegralInRange(0, 9) == 0 ? 1 : 0;
    made.device = data_.ConsumeIntegral<std::uint8_t>() < 250 ? AXISMASK_HOST : 9;
    const auto count = static_cast<std::size_t>(std::max(made.ndim, 0));
    std::vector<std::int64_t>& shape = sizes_.emplace_back(count);
    std::vector<std::int64_t>& strides = sizes_.emplace_back(count);
    for (std::int64_t& one : shape) one = size();
    const bool has_strides = data_.ConsumeIntegralInRange(0, 3) == 0;
    for (std::int64_t& one : strides) one = data_.ConsumeBool() ? size() : -size();
    axis_names_.emplace_back();
    for (std::size_t axis = 0; axis < count; ++axis) axis_names_.back().push_back(text());
    made.shape = shape.data();
    made.strides = has_strides ? strides.data() : nullptr;
    made.axes = data_.ConsumeIntegral<std::uint8_t>() < 250 ? axis_names_.back().data() : nullptr;
    place(made);
    return made;
  }

  void place(axismask_array& made) {
    constexpr std::array<__int128, 10> widths{1, 2, 2, 4, 8, 4, 8, 1, 8, 8};
    const __int128 width = widths.at(static_cast<std::size_t>(std::clamp(made.dtype, 0, 9)));
    __int128 lowest = 0;
    __int128 highest = 0;
    __int128 stride = 1;
    bool is_empty = false;
    for (std::int32_t axis = made.ndim; axis-- > 0;) {
      const __int128 length = made.shape[axis];
      const __int128 step = made.strides != nullptr ? __int128{made.strides[axis]} : stride;
      if (length <= 0) is_empty = true;
      if (length > 1) (step < 0 ? lowest : highest) += (length - 1) * step;
      stride *= std::max<__int128>(length, 1);
    }
    const __int128 bytes = (highest - lowest + 1) * width;
    const auto most = static_cast<__int128>(memory_bytes);
    constexpr __int128 no_memory_holds = static_cast<__int128>(1) << 63U;
    if (!is_empty && bytes > most && bytes < no_memory_holds) can_be_ = false;
    const __int128 start = is_empty || bytes > most ? 0 : -lowest * width;
    const __int128 left = is_empty || bytes > most ? 0 : most - bytes;
    const auto offset = data_.ConsumeIntegralInRange<std::int64_t>(0, static_cast<std::int64_t>(left));
    // Misaligned memory is refused, or works; both may be.
    const std::int64_t aligned = data_.ConsumeIntegralInRange(0, 15) == 0 ? offset : offset / 8 * 8;
    made.data = data_.ConsumeIntegral<std::uint8_t>() < 252 ? memory.data() + static_cast<std::int64_t>(start) + aligned
                                                            : nullptr;
  }

  std::vector<axismask_input> inputs() {
    std::vector<axismask_input> all;
    for (int left = data_.ConsumeIntegralInRange(0, 2); left > 0; --left) all.push_back({text(), array()});
    return all;
  }

  const axismask_layer* layer(const axismask_model* model) {
    const axismask_layer* found = nullptr;
    static_cast<void>(axismask_model_layer_at(model, data_.ConsumeIntegralInRange<std::size_t>(0, 4), &found));
    return found;
  }

  axismask_call_options call_options() {
    axismask_call_options options = AXISMASK_CALL_OPTIONS;
    options.threads = data_.ConsumeIntegralInRange(-1, 2);
    if (data_.ConsumeIntegralInRange(0, 30) == 0) options.struct_size = data_.ConsumeIntegral<std::uint8_t>();
    if (data_.ConsumeIntegralInRange(0, 30) == 0) options.device = text();
    return options;
  }

  void act(const axismask_model* model) {
    const axismask_layer* const one = layer(model);
    const std::vector<axismask_input> given = inputs();
    const axismask_call_options options = call_options();
    const axismask_array first = array();
    const axismask_array second = array();
    const std::array<std::byte, memory_bytes> before = memory;
    const std::int64_t tile_queries = size();
    const std::int64_t tile_keys = size();
    const int what = data_.ConsumeIntegralInRange(0, 10);
    if (what < 9 && !can_be_) return;
    switch (what) {
      case 0:
        done(axismask_layer_apply(one, &first, &second, given.data(), given.size(), &options), before);
        break;
      case 1:
        done(axismask_layer_apply_in_place(one, &first, given.data(), given.size(), &options), before);
        break;
      case 2: {
        axismask_mask_options mask = AXISMASK_MASK_OPTIONS;
        mask.call = &options;
        mask.masked = data_.ConsumeIntegralInRange(-1, 3);
        mask.pad_keys = data_.ConsumeIntegralInRange(0, 1);
        mask.number = data_.ConsumeFloatingPoint<double>();
        done(axismask_write_mask(one, &first, given.data(), given.size(), &mask), before);
        break;
      }
      case 3: {
        const axismask_array third = array();
        const axismask_array out = array();
        if (!can_be_) return;
        const axismask_attention_arrays arrays{&first, &second, &third, &out};
        axismask_attention_options attention = AXISMASK_ATTENTION_OPTIONS;
        attention.call = &options;
        attention.scale = data_.ConsumeFloatingPoint<double>();
        done(axismask_attend(one, &arrays, given.data(), given.size(), &attention), before);
        break;
      }
      case 4:
        plans(one, given, tile_queries, tile_keys, before);
        break;
      case 5:
        arrays_of(given, one, tile_queries, tile_keys, before);
        break;
      case 6:
        positions(first, second, before);
        break;
      case 7:
        ring(first, before);
        break;
      case 8: {
        axismask_bits bits{memory.data(), memory_bytes, data_.ConsumeIntegralInRange(-1, 3), 0, first.ndim, first.shape,
                           first.strides, first.axes};
        bits.bytes = data_.ConsumeIntegralInRange<std::size_t>(0, memory_bytes);
        axismask_mask_options mask = AXISMASK_MASK_OPTIONS;
        done(axismask_write_mask_bits(one, &bits, given.data(), given.size(), &mask), before);
        break;
      }
      case 9:
        models(before);
        break;
      default:
        made_arrays(before);
    }
  }

  void plans(const axismask_layer* one, const std::vector<axismask_input>& given, std::int64_t queries,
             std::int64_t keys, const std::array<std::byte, memory_bytes>& before) {
    axismask_plan* plan = nullptr;
    const bool is_exact = data_.ConsumeBool();
    const bool is_made = done((is_exact ? axismask_plan_make_exact : axismask_plan_make)(
                                  one, queries, keys, given.data(), given.size(), &plan),
                              before);
    must(is_made == (plan != nullptr), "a handle is there if and only if the call succeeds");
    if (!is_made) return;
    std::int32_t verdict = -1;
    if (done(axismask_plan_at(plan, size(), size(), size(), &verdict), before)) {
      must(verdict >= 0 && verdict <= 2, "a verdict is one of three");
    }
    axismask_arrays* arrays = nullptr;
    if (done(axismask_plan_list(plan, data_.ConsumeIntegralInRange(-1, 3), &arrays), before)) {
      done(axismask_arrays_free(arrays), before);
    }
    done(axismask_plan_free(plan), before);
  }

  void arrays_of(const std::vector<axismask_input>& given, const axismask_layer* one, std::int64_t queries,
                 std::int64_t keys, const std::array<std::byte, memory_bytes>& before) {
    axismask_arrays* arrays = nullptr;
    bool is_made = false;
    if (data_.ConsumeBool()) {
      is_made = done(axismask_spans(one, given.data(), given.size(), nullptr, &arrays), before);
    } else {
      axismask_form_info info{};
      axismask_form_options form = AXISMASK_FORM_OPTIONS;
      form.tile_queries = queries;
      form.tile_keys = keys;
      if (!done(axismask_form_describe(data_.ConsumeIntegralInRange<std::size_t>(0, 12), &info), before)) return;
      is_made = done(axismask_write_form(one, info.name, given.data(), given.size(), &form, &arrays), before);
    }
    must(is_made == (arrays != nullptr), "a handle is there if and only if the call succeeds");
    if (!is_made) return;
    std::size_t count = 0;
    must(axismask_arrays_count(arrays, &count) == AXISMASK_OK && count > 0, "there are arrays");
    for (std::size_t at = 0; at <= count; ++at) {
      const char* name = nullptr;
      axismask_array view{};
      if (!done(axismask_arrays_at(arrays, at, &name, &view), before)) continue;
      done(axismask_arrays_copy(arrays, name, memory.data(), data_.ConsumeIntegralInRange<std::size_t>(0, 8)), memory);
    }
    static_cast<void>(axismask_arrays_free(arrays));
  }

  void positions(const axismask_array& first, const axismask_array& second,
                 const std::array<std::byte, memory_bytes>& before) {
    std::array<std::int64_t, 3> lengths{size(), size(), size()};
    switch (data_.ConsumeIntegralInRange(0, 5)) {
      case 0:
        done(axismask_positions_consecutive(data_.ConsumeIntegral<std::int64_t>(), &first), before);
        break;
      case 1:
        done(axismask_positions_left_padded(lengths.data(), data_.ConsumeIntegralInRange<std::size_t>(0, 3), size(),
                                            &first),
             before);
        break;
      case 2:
        done(axismask_positions_right_padded(lengths.data(), data_.ConsumeIntegralInRange<std::size_t>(0, 3), size(),
                                             &first),
             before);
        break;
      case 3:
        done(
            axismask_positions_packed(lengths.data(), data_.ConsumeIntegralInRange<std::size_t>(0, 3), &first, &second),
            before);
        break;
      case 4:
        done(axismask_positions_from_attention_mask(&first, size(), &second), before);
        break;
      default: {
        std::int64_t capacity = -1;
        done(axismask_ring_capacity(size(), size(), size(), &capacity), before);
      }
    }
  }

  void ring(const axismask_array& slots, const std::array<std::byte, memory_bytes>& before) {
    axismask_ring* made = nullptr;
    if (!done(axismask_ring_make(&slots, size(), size(), &made), before)) return;
    for (int left = data_.ConsumeIntegralInRange(0, 8); left > 0; --left) {
      const std::array<std::byte, memory_bytes> now = memory;
      std::int64_t tokens = 0;
      std::int64_t after = 0;
      must(axismask_ring_tokens(made, &tokens) == AXISMASK_OK, "a ring knows its tokens");
      const bool is_done = data_.ConsumeBool() ? done(axismask_ring_append(made, size()), now)
                                               : done(axismask_ring_trim(made, size()), now);
      must(axismask_ring_tokens(made, &after) == AXISMASK_OK && (is_done || after == tokens),
           "a refusal changes nothing");
    }
    static_cast<void>(axismask_ring_free(made));
  }

  void models(const std::array<std::byte, memory_bytes>& before) {
    const std::string given = data_.ConsumeRandomLengthString(400);
    axismask_model* model = nullptr;
    const bool is_read =
        done(axismask_model_parse(given.data(), given.size(), data_.ConsumeBool() ? "fuzz" : nullptr, &model), before);
    must(is_read == (model != nullptr), "a handle is there if and only if the call succeeds");
    if (is_read) static_cast<void>(axismask_model_free(model));
    axismask_config* config = nullptr;
    if (done(axismask_config_parse(given.data(), given.size(), "fuzz", &config), before)) {
      static_cast<void>(axismask_config_free(config));
    }
  }

  void made_arrays(const std::array<std::byte, memory_bytes>& before) {
    // No memory is taken for what no memory can hold.
    std::array<std::int64_t, 3> shape{size(), size(), size()};
    __int128 count = 1;
    for (const std::int64_t one : shape) count *= std::max<std::int64_t>(one, 0);
    if (count > 4096 && count < static_cast<__int128>(1) << 62U) return;
    axismask_arrays* arrays = nullptr;
    if (!done(axismask_arrays_new(text(), data_.ConsumeIntegralInRange(-1, 9), data_.ConsumeIntegralInRange(-1, 3),
                                  shape.data(), nullptr, &arrays),
              before)) {
      return;
    }
    axismask_array view{};
    done(axismask_arrays_get(arrays, text(), &view), before);
    static_cast<void>(axismask_arrays_free(arrays));
  }

  FuzzedDataProvider data_;
  std::list<std::string> names_;
  std::list<std::vector<std::int64_t>> sizes_;
  std::list<std::vector<const char*>> axis_names_;
  bool can_be_ = true;  // every array that was made lies in the memory
};

}  // namespace
}  // namespace axismask::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static axismask_model* const model = [] {
    axismask_model* made = nullptr;
    axismask::fuzz::must(
        axismask_model_parse(axismask::fuzz::spec, std::strlen(axismask::fuzz::spec), "fuzz", &made) == AXISMASK_OK,
        axismask_last_error()->line);
    return made;
  }();
  axismask::fuzz::caller(data, bytes).run(model);
  return 0;
}
