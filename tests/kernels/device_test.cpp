// Calls on devices, besides what every kernel is tested for: arrays in the device's memory, what is kept from call to
// call, and plans. Each test runs on every device whose kernels are linked, or says why it cannot.
#include <HalideRuntime.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/plan.hpp"
#include "devices.hpp"

// Halide asks here for the functions of a driver; those that allocate are counted.
namespace {
std::atomic<int> device_allocations{0};
void* real_create_buffer = nullptr;  // of OpenCL
void* real_alloc = nullptr;          // of CUDA

void* counted_create_buffer(void* context, std::uint64_t flags, std::size_t size, void* host, std::int32_t* status) {
  ++device_allocations;
  return reinterpret_cast<decltype(&counted_create_buffer)>(real_create_buffer)(context, flags, size, host, status);
}
int counted_alloc(std::uint64_t* pointer, std::size_t size) {
  ++device_allocations;
  return reinterpret_cast<decltype(&counted_alloc)>(real_alloc)(pointer, size);
}
void* find_symbol(void* library, const char* name) {
  void* symbol = ::dlsym(library, name);
  if (symbol != nullptr && name == std::string_view("clCreateBuffer")) {
    real_create_buffer = symbol;
    return reinterpret_cast<void*>(counted_create_buffer);
  }
  if (symbol != nullptr && name == std::string_view("cuMemAlloc_v2")) {
    real_alloc = symbol;
    return reinterpret_cast<void*>(counted_alloc);
  }
  return symbol;
}
const auto set_before_any_device_is_used = halide_set_custom_get_library_symbol(find_symbol);
}  // namespace

namespace axismask::test {
namespace {

// Two GiB of a device's memory, of which only parts are sent and fetched, by the device's own copies.
class two_gib {
 public:
  explicit two_gib(const halide_device_interface_t* interface) {
    auto axes = whole;
    buffer_.type = halide_type_of<std::uint8_t>();
    buffer_.dimensions = 2;
    buffer_.dim = axes.data();
    EXPECT_EQ(halide_device_malloc(nullptr, &buffer_, interface), 0);
    buffer_.dim = nullptr;
  }
  two_gib(const two_gib&) = delete;
  two_gib& operator=(const two_gib&) = delete;
  ~two_gib() {
    auto axes = whole;
    buffer_.dim = axes.data();
    halide_device_free(nullptr, &buffer_);
  }

  [[nodiscard]] void* handle() { return handle_of(buffer_); }

  void send(std::int64_t offset, const void* from, std::size_t bytes) {
    at(offset, const_cast<void*>(from), bytes, [&](halide_buffer_t& place) {
      place.set_host_dirty();
      EXPECT_EQ(halide_copy_to_device(nullptr, &place, buffer_.device_interface), 0);
    });
  }
  void fetch(std::int64_t offset, void* to, std::size_t bytes) {
    at(offset, to, bytes, [&](halide_buffer_t& place) {
      place.set_device_dirty();
      EXPECT_EQ(halide_copy_to_host(nullptr, &place), 0);
    });
  }

 private:
  const std::array<halide_dimension_t, 2> whole{halide_dimension_t(0, 1 << 30, 1), halide_dimension_t(0, 2, 1 << 30)};

  template <class Copy>
  void at(std::int64_t offset, void* host, std::size_t bytes, Copy copy) {
    auto axes = whole;
    halide_buffer_t source = buffer_;
    source.dim = axes.data();
    auto part = whole;
    part[0].min = static_cast<std::int32_t>(offset & ((1 << 30) - 1));
    part[1].min = static_cast<std::int32_t>(offset >> 30);
    halide_buffer_t place{};
    place.type = buffer_.type;
    place.dimensions = 2;
    place.dim = part.data();
    ASSERT_EQ(halide_device_crop(nullptr, &source, &place), 0);
    halide_dimension_t line(0, static_cast<std::int32_t>(bytes), 1);
    place.dimensions = 1;
    place.dim = &line;
    place.host = static_cast<std::uint8_t*>(host);
    copy(place);
    halide_device_release_crop(nullptr, &place);
  }

  halide_buffer_t buffer_{};
};

constexpr std::int64_t heads = 3;
constexpr std::int64_t queries = 200;
constexpr std::int64_t keys = 384;
using logits_axes = axes<"heads", "seq", "kv_seq">;
using array_of_logits = named_array<float, logits_axes>;

std::vector<float> some_logits() {
  std::vector<float> logits(static_cast<std::size_t>(heads * queries * keys));
  std::iota(logits.begin(), logits.end(), 1.0F);
  return logits;
}
template <class T>
std::vector<T> positions_from(std::int64_t first, std::int64_t count) {
  std::vector<T> positions(static_cast<std::size_t>(count));
  std::iota(positions.begin(), positions.end(), static_cast<T>(first));
  return positions;
}

const ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "kv_positions"> local{.masked_out_value = -7,
                                                                                            .sliding_window_size = 50};

// The window as loops say it: queries at 100 ..., keys at -3 ...
std::vector<float> masked_by_hand() {
  std::vector<float> logits = some_logits();
  for (std::int64_t at = 0; at < heads * queries * keys; ++at) {
    const std::int64_t q = at / keys % queries + 100;
    const std::int64_t k = at % keys - 3;
    if (!(q >= k && q - k < 50 && k >= 0)) logits[static_cast<std::size_t>(at)] = -7;
  }
  return logits;
}

TEST_P(devices, arrays_in_their_memory_are_masked_in_place_and_out_of_place) {
  auto q = positions_from<std::int32_t>(100, queries);
  auto k = positions_from<std::int32_t>(-3, keys);
  const named_view<std::int32_t, axes<"seq">> q_view(q.data(), {queries});
  const named_view<std::int32_t, axes<"seq">> k_view(k.data(), {keys});
  // Left open, it is the first device that can be used.
  const bool is_first = device_kernels(layer_of(layer_type_of<window>.name), "auto").front().variant == GetParam();
  for (const std::string& device : {GetParam(), is_first ? std::string("auto") : GetParam()}) {
    device_vector logits(interface(), some_logits());
    device_vector out(interface(), std::vector<float>(some_logits().size(), 3.0F));
    const call_options options{.device = device};
    const auto view = named_view<float, logits_axes>(logits.data(), {heads, queries, keys}).in_device_memory();
    const auto out_view = named_view<float, logits_axes>(out.data(), {heads, queries, keys}).in_device_memory();
    local.apply(options, view, out_view, input<"token_positions">(q_view), input<"kv_positions">(k_view));
    EXPECT_EQ(out.fetch(), masked_by_hand());
    EXPECT_EQ(logits.fetch(), some_logits());
    local.apply_in_place(options, view, input<"token_positions">(q_view), input<"kv_positions">(k_view));
    EXPECT_EQ(logits.fetch(), masked_by_hand());
  }
}

TEST_P(devices, side_inputs_may_be_in_their_memory_too) {
  device_vector q(interface(), positions_from<std::int64_t>(100, queries));
  device_vector k(interface(), positions_from<std::int32_t>(-3, keys));
  device_vector logits(interface(), some_logits());
  const auto view = named_view<float, logits_axes>(logits.data(), {heads, queries, keys}).in_device_memory();
  const auto q_view = named_view<std::int64_t, axes<"seq">>(q.data(), {queries}).in_device_memory();
  const auto k_view = named_view<std::int32_t, axes<"seq">>(k.data(), {keys}).in_device_memory();
  local.apply_in_place(on_device(), view, input<"token_positions">(q_view), input<"kv_positions">(k_view));
  EXPECT_EQ(logits.fetch(), masked_by_hand());

  // A mask, which stays there; and logits of the host beside it.
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(queries * keys));
  for (std::size_t at = 0; at < kept.size(); ++at) kept[at] = at % 3 == 0 || at % 7 == 0 ? 1 : 0;
  device_vector mask(interface(), kept);
  std::vector<float> want = some_logits();
  for (std::size_t at = 0; at < want.size(); ++at) {
    if (kept[at % kept.size()] == 0) want[at] = -7;
  }
  const any_view mask_view =
      any_view::dense(mask.data(), dtype::boolean, std::array<named_axis, 2>{{{"seq", queries}, {"kv_seq", keys}}})
          .in_device_memory();
  const layer_values values = explicit_values(-7);
  const std::array<side_input, 1> inputs{{{"mask", mask_view}}};
  device_vector again(interface(), some_logits());
  const any_view again_view =
      named_view<float, logits_axes>(again.data(), {heads, queries, keys}).in_device_memory().erased();
  apply(values, again_view, again_view, inputs, on_device());
  EXPECT_EQ(again.fetch(), want);
  std::vector<float> host = some_logits();
  const any_view host_view = named_view<float, logits_axes>(host.data(), {heads, queries, keys}).erased();
  apply(values, host_view, host_view, inputs, on_device());
  EXPECT_EQ(host, want);
}

TEST_P(devices, plans_of_any_tiles_serve) {
  auto q = positions_from<std::int32_t>(100, queries);
  auto k = positions_from<std::int32_t>(-3, keys);
  const named_view<std::int32_t, axes<"seq">> q_view(q.data(), {queries});
  const named_view<std::int32_t, axes<"seq">> k_view(k.data(), {keys});
  device_vector out(interface(), std::vector<float>(some_logits().size(), 3.0F));
  device_vector logits(interface(), some_logits());
  const auto view = named_view<float, logits_axes>(logits.data(), {heads, queries, keys}).in_device_memory();
  const auto out_view = named_view<float, logits_axes>(out.data(), {heads, queries, keys}).in_device_memory();
  for (const tile_size tile : {tile_size{32, 128}, tile_size{64, 256}, tile_size{128, 128}, tile_size{1000, 1000},
                               tile_size{32, 1000}, tile_size{20, 30}, tile_size{1, 1}}) {
    const tile_plan tiles = plan(local, tile, input<"token_positions">(q_view), input<"kv_positions">(k_view));
    call_options options = on_device();
    options.plan = &tiles;
    local.apply(options, view, out_view, input<"token_positions">(q_view), input<"kv_positions">(k_view));
    EXPECT_EQ(out.fetch(), masked_by_hand()) << tile.queries << " x " << tile.keys;
  }
}

TEST_P(devices, positions_that_differ_by_batch_and_windows_that_differ_by_head) {
  constexpr std::int64_t batch = 4;
  const std::vector<std::int64_t> sizes{batch, heads, 40, 160};
  std::vector<std::int32_t> positions(batch * 160);
  for (std::int64_t at = 0; at < batch * 160; ++at) {
    positions[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(at % 160 - 17 * (at / 160));
  }
  std::vector<std::int64_t> windows{1, 30, 1000};
  layer_values values{&layer_type_of<window>, masked_value(-7), {}};
  const any_view of_heads(windows.data(), dtype::int64, {{"heads", heads, 1}});
  for (std::size_t index = 0; index < values.type->attributes.size(); ++index) {
    values.attributes[index].name = values.type->attributes[index].default_name;
    if (values.type->attributes[index].kind == attribute_kind::parameter) values.attributes[index].numbers = &of_heads;
    if (values.type->attributes[index].kind == attribute_kind::kv_positions) values.attributes[index].name = "kv";
  }
  const std::array<side_input, 2> inputs{
      {{"token_positions", any_view(positions.data() + 120, dtype::int32, {{"batch", batch, 160}, {"seq", 40, 1}})},
       {"kv", any_view(positions.data(), dtype::int32, {{"batch", batch, 160}, {"seq", 160, 1}})}}};
  std::vector<float> elements(static_cast<std::size_t>(batch * heads * 40 * 160));
  std::iota(elements.begin(), elements.end(), 1.0F);
  const std::array<named_axis, 4> axes{{{"batch", batch}, {"heads", heads}, {"seq", 40}, {"kv_seq", 160}}};
  std::vector<float> host = elements;
  const any_view host_view = any_view::dense(host.data(), dtype::float32, axes);
  apply(values, host_view, host_view, inputs);
  EXPECT_NE(host, elements);
  device_vector there(interface(), elements);
  const any_view view = any_view::dense(there.data(), dtype::float32, axes).in_device_memory();
  apply(values, view, view, inputs, on_device());
  EXPECT_EQ(there.fetch(), host);
}

TEST_P(devices, arrays_of_more_than_a_kernel_can_count) {
  // Heads that lie a GiB apart: each is a box of its own, the second beyond the first 2^30 bytes.
  constexpr std::int64_t apart = std::int64_t{1} << 28;  // elements
  auto q = positions_from<std::int32_t>(100, queries);
  auto k = positions_from<std::int32_t>(-3, keys);
  two_gib memory(interface());
  std::vector<float> one = some_logits();
  one.resize(static_cast<std::size_t>(queries * keys));
  for (const std::int64_t head : {0, 1}) memory.send(head << 30, one.data(), one.size() * sizeof(float));
  const named_view<float, logits_axes> view(static_cast<float*>(memory.handle()), {2, queries, keys}, {apart, keys, 1});
  local.apply_in_place(on_device(), view.in_device_memory(),
                       input<"token_positions">(named_view<std::int32_t, axes<"seq">>(q.data(), {queries})),
                       input<"kv_positions">(named_view<std::int32_t, axes<"seq">>(k.data(), {keys})));
  std::vector<float> want = masked_by_hand();
  want.resize(one.size());
  for (const std::int64_t head : {0, 1}) {
    std::vector<float> got(one.size());
    memory.fetch(head << 30, got.data(), got.size() * sizeof(float));
    EXPECT_EQ(got, want) << head;
  }
}

TEST_P(devices, boxes_narrower_than_a_tile_are_not_seen_as_words) {
  // Columns of a mask so far apart that a box has three of them.
  constexpr std::int64_t columns = 8;
  constexpr std::int64_t apart = std::int64_t{1} << 28;
  two_gib memory(interface());
  for (std::int64_t column = 0; column < columns; ++column) {
    const std::uint8_t keep = column % 3 == 0 ? 1 : 0;
    memory.send(column * apart, &keep, 1);
  }
  const layer_values values = explicit_values(-7);
  const any_view mask = any_view(memory.handle(), dtype::boolean, {{"kv_seq", columns, apart}}).in_device_memory();
  const std::array<side_input, 1> inputs{{{"mask", mask}}};
  std::vector<float> logits(2 * columns, 1.0F);
  const any_view view(logits.data(), dtype::float32, {{"seq", 2, columns}, {"kv_seq", columns, 1}});
  apply(values, view, view, inputs, on_device());
  for (std::size_t at = 0; at < logits.size(); ++at) EXPECT_EQ(logits[at], at % columns % 3 == 0 ? 1.0F : -7.0F) << at;
}

TEST_P(devices, masks_of_bytes_far_apart) {
  // Two bytes of a mask that lie a GiB apart: Halide takes two such for 2^31, and refuses.
  two_gib memory(interface());
  const layer_values values = explicit_values(-7);
  const any_view mask = any_view(memory.handle(), dtype::boolean, {{"heads", 2, 1 << 30}}).in_device_memory();
  const std::array<side_input, 1> inputs{{{"mask", mask}}};
  std::array<float, 2> logits{1, 2};
  const any_view view(logits.data(), dtype::float32, {{"heads", 2, 1}, {"seq", 1, 1}, {"kv_seq", 1, 1}});
  EXPECT_NO_THROW(apply(values, view, view, inputs, on_device()));
}

TEST_P(devices, nothing_is_allocated_on_them_once_a_call_of_its_size_was_made) {
  auto q = positions_from<std::int32_t>(100, queries);
  auto k = positions_from<std::int32_t>(-3, keys);
  std::vector<float> host = some_logits();
  device_vector logits(interface(), some_logits());
  const auto view = named_view<float, logits_axes>(logits.data(), {heads, queries, keys}).in_device_memory();
  const named_view<float, logits_axes> host_view(host.data(), {heads, queries, keys});
  const auto call = [&] {
    for (std::int32_t& one : q) ++one;  // decoding goes on
    const named_view<std::int32_t, axes<"seq">> q_view(q.data(), {queries});
    const named_view<std::int32_t, axes<"seq">> k_view(k.data(), {keys});
    local.apply_in_place(on_device(), view, input<"token_positions">(q_view), input<"kv_positions">(k_view));
    local.apply_in_place(on_device(), host_view, input<"token_positions">(q_view), input<"kv_positions">(k_view));
  };
  device_allocations = 0;
  call();
  EXPECT_GT(device_allocations, 0);
  device_allocations = 0;
  for (int step = 0; step < 5; ++step) call();
  EXPECT_EQ(device_allocations, 0);
  release_device_memory();
  call();
  EXPECT_GT(device_allocations, 0);
}

TEST_P(devices, threads_do_not_disturb_each_other) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&] {
      auto q = positions_from<std::int32_t>(100, queries);
      auto k = positions_from<std::int32_t>(-3, keys);
      for (int repeat = 0; repeat < 5; ++repeat) {
        std::vector<float> host = some_logits();
        local.apply_in_place(on_device(), named_view<float, logits_axes>(host.data(), {heads, queries, keys}),
                             input<"token_positions">(named_view<std::int32_t, axes<"seq">>(q.data(), {queries})),
                             input<"kv_positions">(named_view<std::int32_t, axes<"seq">>(k.data(), {keys})));
        if (host == masked_by_hand()) ++right;
      }
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(right, 15);
}

INSTANTIATE_TEST_SUITE_P(device, devices, testing::ValuesIn(linked_devices()),
                         [](const testing::TestParamInfo<std::string>& info) { return info.param; });

}  // namespace
}  // namespace axismask::test
