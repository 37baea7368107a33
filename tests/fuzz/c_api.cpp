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
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "axismask.h"
#include "must.hpp"

namespace axismask::fuzz {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): must

constexpr const char* spec = R"({"axismask": 1, "model": "m", "layers": [
  {"name": "window", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1e4, "sliding_window_size": 3},
  {"name": "heads", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": "lowest", "empty_rows": "error",
   "sliding_window_size": {"axis": "heads", "values": [1, 2, 3]}},
  {"name": "explicit", "type": "ApplyExplicitAttentionMask", "masked_out_value": "-inf"},
  {"name": "self", "type": "ApplyCausalAttentionMask", "masked_out_value": 0, "empty_rows": "keep_self"}]})";

// Memory of the caller: arrays lie in it, of any shape and strides that it holds.
constexpr std::size_t memory_bytes = 4096;
alignas(64) std::array<std::byte, memory_bytes> memory;

// Axes that calls have, and what bit is which.
constexpr std::array axis_names{"batch", "heads", "seq", "kv_seq", "projection"};
constexpr unsigned batch = 1;
constexpr unsigned heads = 2;
constexpr unsigned queries = 4;
constexpr unsigned keys = 8;
constexpr unsigned projection = 16;

class caller {
 public:
  caller(const std::uint8_t* bytes, std::size_t count) : data_(bytes, count) { fill_memory(); }

  void run(const axismask_model* model) {
    while (data_.remaining_bytes() > 0) {
      names_.clear();
      sizes_.clear();
      axis_names_.clear();
      can_be_ = true;
      for (std::int64_t& one : lengths_) one = data_.ConsumeIntegralInRange<std::int64_t>(0, 5);
      // Prompts: as many keys as queries, whose positions are the same array.
      if (data_.ConsumeIntegralInRange(0, 7) > 0) lengths_[3] = lengths_[2];
      act(model);
    }
  }

 private:
  // Of few of the input's bytes, so that calls get the others: positions of either width, a mask, or anything.
  void fill_memory() {
    const int what = data_.ConsumeIntegralInRange(0, 3);
    const auto first = data_.ConsumeIntegral<std::uint8_t>();
    std::minstd_rand random(first + 1U);
    for (std::size_t at = 0; at < memory_bytes; ++at) {
      const std::size_t width = what == 0 ? 4 : 8;
      const std::size_t position = at / width % 6 + first % 3;
      const std::size_t byte = what == 3         ? random()
                               : what == 2       ? at * (first + 1U) / 3 % 2
                               : at % width == 0 ? position
                                                 : 0;
      memory[at] = static_cast<std::byte>(byte);
    }
  }

  // A status: of a failure the message is looked at, and that nothing has changed since `before`.
  bool done(axismask_status status, const std::array<std::byte, memory_bytes>& before) {
    if (status == AXISMASK_OK) return true;
    const axismask_error& told = *axismask_last_error();
    must(status == AXISMASK_REFUSED || status == AXISMASK_NO_MEMORY, told.line);
    check_line(told.line, "axismask: error[");
    must(std::strlen(told.id) > 0 && std::strlen(told.where) > 0 && std::strlen(told.cure) > 0,
         std::string("a message has its parts: ") + told.line);
    must(memory == before, std::string("a call that is refused writes nothing: ") + told.line);
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

  // Mostly what a call could be right with: axes by the bits of `axes` among axis_names, each as long as this call has
  // it.
  std::vector<const char*> some_axes(unsigned axes, bool& are_usual) {
    std::vector<const char*> chosen;
    are_usual = data_.ConsumeIntegral<std::uint8_t>() < 220;
    for (std::size_t axis = 0; are_usual && axis < axis_names.size(); ++axis) {
      if ((axes >> axis & 1U) != 0) chosen.push_back(axis_names.at(axis));
    }
    if (are_usual && data_.ConsumeIntegralInRange(0, 3) == 0) std::reverse(chosen.begin(), chosen.end());
    if (are_usual) return chosen;
    for (int left = data_.ConsumeIntegralInRange(0, 4); left > 0; --left) chosen.push_back(text());
    return chosen;
  }

  std::int64_t size_of(const char* axis) {
    for (std::size_t known = 0; axis != nullptr && known < axis_names.size(); ++known) {
      if (axis == std::string_view(axis_names.at(known)) && data_.ConsumeIntegral<std::uint8_t>() < 245) {
        return lengths_.at(known);
      }
    }
    return size();
  }

  // An array in the memory. One that does not fit in there sets can_be_ to false, unless no memory could hold it: that
  // is to be refused.
  axismask_array array(std::int32_t dtype, unsigned axes) {
    bool are_usual = false;
    std::vector<const char*>& names = axis_names_.emplace_back(some_axes(axes, are_usual));
    axismask_array made{};
    made.ndim = static_cast<std::int32_t>(names.size());
    made.dtype = data_.ConsumeIntegral<std::uint8_t>() < 235 ? dtype : data_.ConsumeIntegralInRange(-1, 11);
    made.read_only = data_.ConsumeIntegralInRange(0, 30) == 0 ? 1 : 0;
    made.device = data_.ConsumeIntegral<std::uint8_t>() < 250 ? AXISMASK_HOST : 9;
    std::vector<std::int64_t>& shape = sizes_.emplace_back(names.size());
    std::vector<std::int64_t>& strides = sizes_.emplace_back(names.size());
    for (std::size_t axis = 0; axis < names.size(); ++axis) shape[axis] = size_of(names[axis]);
    const bool has_strides = data_.ConsumeIntegralInRange(0, 3) == 0;
    for (std::int64_t& one : strides)
      one = data_.ConsumeBool() ? size() : -std::max(size(), -std::numeric_limits<std::int64_t>::max());
    place(made, shape, has_strides ? strides.data() : nullptr);
    made.axes = data_.ConsumeIntegral<std::uint8_t>() < 250 ? names.data() : nullptr;
    // Numbers of axes that no array has: the lists are not to be read.
    if (data_.ConsumeIntegral<std::uint8_t>() == 255) made.ndim = data_.ConsumeBool() ? -1 : AXISMASK_MAX_AXES + 1;
    return made;
  }

  void place(axismask_array& made, std::vector<std::int64_t>& shape, const std::int64_t* strides) {
    made.shape = shape.data();
    made.strides = strides;
    constexpr __int128 no_memory_holds = static_cast<__int128>(1) << 63U;
    constexpr __int128 far = static_cast<__int128>(1) << 100U;
    constexpr std::array<__int128, 11> widths{1, 2, 2, 4, 8, 4, 8, 1, 1, 2, 1};
    const __int128 width = widths.at(static_cast<std::size_t>(std::clamp(made.dtype, 0, 10)));
    __int128 lowest = 0;
    __int128 highest = 0;
    __int128 stride = 1;
    __int128 count = 1;
    bool is_empty = false;
    for (std::int32_t axis = made.ndim; axis-- > 0;) {
      const __int128 length = made.shape[axis];
      // Beyond that it does not matter how far; no product of two is too large.
      const __int128 step = made.strides != nullptr ? __int128{made.strides[axis]} : std::min(stride, no_memory_holds);
      if (length <= 0) is_empty = true;
      count = std::min(count, no_memory_holds) * std::max<__int128>(length, 1);
      if (length > 1) (step < 0 ? lowest : highest) += std::clamp((length - 1) * step, -far, far);
      stride = std::min(stride, no_memory_holds) * std::max<__int128>(length, 1);
    }
    const __int128 bytes = (highest - lowest + 1) * width;
    const auto most = static_cast<__int128>(memory_bytes);
    if (!is_empty && bytes > most && bytes < no_memory_holds) can_be_ = false;
    // One that repeats its elements may be of any size in little memory: calls of large ones take long.
    if (!is_empty && bytes <= most && count > 1024) can_be_ = false;
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
    for (int left = data_.ConsumeIntegralInRange(0, 2); left > 0; --left) {
      const bool is_mask = data_.ConsumeIntegralInRange(0, 3) == 0;
      const char* const usual = is_mask ? "mask" : "token_positions";
      const char* const name = data_.ConsumeIntegral<std::uint8_t>() < 235 ? usual : text();
      const auto integers = data_.ConsumeBool() ? AXISMASK_INT32 : AXISMASK_INT64;
      all.push_back({name, is_mask ? array(AXISMASK_BOOL, data_.ConsumeIntegralInRange(0U, 15U))
                                   : array(integers, queries | (data_.ConsumeBool() ? batch : 0U))});
    }
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

  // What the first array of a call usually is: positions, a ring's, a mask, or logits.
  static std::int32_t type_of_first(int what, std::int32_t type) {
    return what == 2 ? AXISMASK_BOOL : what == 6 || what == 7 ? AXISMASK_INT32 : type;
  }
  static unsigned axes_of_first(int what, unsigned rows) {
    if (what == 3) return rows | queries | projection;
    return what == 6 || what == 7 ? queries | (rows & batch) : rows | queries | keys;
  }

  void act(const axismask_model* model) {
    const axismask_layer* const one = layer(model);
    const std::vector<axismask_input> given = inputs();
    const axismask_call_options options = call_options();
    const int what = data_.ConsumeIntegralInRange(0, 10);
    const unsigned rows = (data_.ConsumeBool() ? batch : 0U) | (data_.ConsumeBool() ? heads : 0U);
    const auto type = data_.ConsumeIntegralInRange<std::int32_t>(AXISMASK_FLOAT16, AXISMASK_FLOAT32);
    const axismask_array first = array(type_of_first(what, type), axes_of_first(what, rows));
    const axismask_array second =
        array(what == 6 ? AXISMASK_INT32 : type, what == 3 ? rows | keys | projection : axes_of_first(what, rows));
    const std::array<std::byte, memory_bytes> before = memory;
    const std::int64_t tile_queries = size();
    const std::int64_t tile_keys = size();
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
        const axismask_array third = array(type, rows | keys | projection);
        const axismask_array out = array(type, rows | queries | projection);
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

  void plans(const axismask_layer* one, const std::vector<axismask_input>& given, std::int64_t tile_queries,
             std::int64_t tile_keys, const std::array<std::byte, memory_bytes>& before) {
    axismask_plan* plan = nullptr;
    const bool is_exact = data_.ConsumeBool();
    const bool is_made = done((is_exact ? axismask_plan_make_exact : axismask_plan_make)(
                                  one, tile_queries, tile_keys, given.data(), given.size(), &plan),
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

  void arrays_of(const std::vector<axismask_input>& given, const axismask_layer* one, std::int64_t tile_queries,
                 std::int64_t tile_keys, const std::array<std::byte, memory_bytes>& before) {
    axismask_arrays* arrays = nullptr;
    bool is_made = false;
    if (data_.ConsumeBool()) {
      is_made = done(axismask_spans(one, given.data(), given.size(), nullptr, &arrays), before);
    } else {
      axismask_form_info info{};
      axismask_form_options form = AXISMASK_FORM_OPTIONS;
      form.tile_queries = tile_queries;
      form.tile_keys = tile_keys;
      // Of those between, a form asks for memory that may be there.
      constexpr std::int64_t refused = std::int64_t{1} << 62;
      for (const std::int64_t tile : {tile_queries, tile_keys}) {
        if (tile > 4096 && tile < refused) return;
      }
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
      const std::array<std::byte, memory_bytes> now = memory;
      if (!done(axismask_arrays_at(arrays, at, &name, &view), now)) continue;
      done(axismask_arrays_copy(arrays, name, memory.data(), data_.ConsumeIntegralInRange<std::size_t>(0, 64)), now);
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
    const int axes = data_.ConsumeIntegralInRange(-1, 3);
    std::array<std::int64_t, 3> shape{size(), size(), size()};
    constexpr __int128 no_memory_holds = static_cast<__int128>(1) << 63U;
    __int128 count = 1;
    for (int axis = 0; axis < axes; ++axis) {
      count = std::min(count, no_memory_holds) * std::max<__int128>(shape.at(static_cast<std::size_t>(axis)), 0);
    }
    if (count > 4096 && count < no_memory_holds) return;
    axismask_arrays* arrays = nullptr;
    if (!done(axismask_arrays_new(text(), data_.ConsumeIntegralInRange(-1, 9), axes, shape.data(), nullptr, &arrays),
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
  std::array<std::int64_t, 5> lengths_{};  // of axis_names in this call
  bool can_be_ = true;                     // every array that was made lies in the memory
};

}  // namespace
}  // namespace axismask::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static axismask_model* const model = [] {
    axismask_model* made = nullptr;
    axismask::test::must(
        axismask_model_parse(axismask::fuzz::spec, std::strlen(axismask::fuzz::spec), "fuzz", &made) == AXISMASK_OK,
        axismask_last_error()->line);
    return made;
  }();
  axismask::fuzz::caller(data, bytes).run(model);
  return 0;
}
