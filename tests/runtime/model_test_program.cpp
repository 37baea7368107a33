// The layers that are linked into model_test, and what its files share.
#include "model_test_program.hpp"

#include <HalideRuntime.h>
#include <gtest/gtest.h>

#include <fstream>

#include "layer_library.hpp"
#include "model_test_layers.hpp"

namespace axismask::model_test {
namespace {

window_call last_recorded;

int record(void** arguments) {
  const auto host = [&](int index) { return static_cast<const halide_buffer_t*>(arguments[index])->host; };
  // The context, the logits, the positions of queries and keys, the window, the masked value, the result.
  last_recorded = {host(1), *reinterpret_cast<const std::int64_t*>(host(4)), host(6)};
  return 0;
}
constexpr auto recording_kernels = kernels_that(record);

int fail(void**) { return -1; }
constexpr auto failing_kernels = kernels_that(fail);

const linked_layer shipped_layers[] = {
    {&layer_type_of<ApplyCausalSlidingWindowAttentionMask<>>, recording_kernels},
    {&layer_type_of<ApplyCausalAttentionMask<>>, {}},
    {&layer_type_of<ApplyBidirectionalWindowAttentionMask<>>, {}},
    {&layer_type_of<ApplyBlockCausalAttentionMask<>>, {}},
    {&layer_type_of<ApplyChunkedAttentionMask<>>, {}},
    {&layer_type_of<ApplyDilatedWindowAttentionMask<>>, {}},
    {&layer_type_of<ApplyDocumentAttentionMask<>>, failing_kernels},
    {&layer_type_of<ApplyExplicitAttentionMask<>>, {}},
    {&layer_type_of<ApplyLeftPaddingAttentionMask<>>, {}},
    {&layer_type_of<ApplyPrefixLmAttentionMask<>>, {}},
    {&layer_type_of<ApplyRightPaddingAttentionMask<>>, {}},
    {&layer_type_of<ApplySinksAttentionMask<>>, {}},
};
const linked_layer own_layers[] = {{&layer_type_of<mine::ChunkOrBias>, {}}};
const layer_library shipped{"axismask_shipped", shipped_layers};
const linked_layer composed_layers[] = {
    {&layer_type_of<all_of<window, document>>, {}},
    {&layer_type_of<composed_type>, {}},
    {&layer_type_of<all_of<causal, not_of<window>>>, {}},
    {&layer_type_of<all_of<causal, window, document>>, {}},
    {&layer_type_of<not_of<mine::ChunkOrBias>>, {}},
    {&layer_type_of<any_of<causal, other::ChunkOrBias>>, {}},
    {&layer_type_of<all_of<causal, document>>, {}},
    {&layer_type_of<any_of<causal, document>>, {}},
    {&layer_type_of<all_of<two_sided, any_of<causal, document>>>, {}},
};
const layer_library own{"mine", own_layers};
const layer_library composed{"composed", composed_layers};
AXISMASK_LINKED_LIBRARY const layer_library* const libraries[] = {&shipped, &composed, &own};

}  // namespace

std::span<const linked_layer> linked_shipped_layers() { return shipped_layers; }

const window_call& last_call() { return last_recorded; }

std::string window_spec(const std::string& attributes) {
  return R"({"axismask": 1, "model": "m", "layers": [{"name": "a", )"
         R"("type": "ApplyCausalSlidingWindowAttentionMask", )" +
         attributes + "}]}";
}

Model read(const std::string& spec) { return Model::parse(spec, "spec.json"); }

error error_of(const std::string& spec) {
  try {
    (void)read(spec);
  } catch (const error& caught) {
    return caught;
  }
  ADD_FAILURE() << "no error for " << spec;
  return {"", "", "", ""};
}

std::string text_of(const std::string& spec) { return error_of(spec).what(); }

const attribute_value& attribute(const any_layer& layer, std::string_view name) {
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    if (layer.type().attributes[index].name == name) return layer.values().attributes[index];
  }
  ADD_FAILURE() << "no attribute " << name;
  return layer.values().attributes[0];
}

std::vector<std::int64_t> numbers_of(const attribute_value& value) {
  const auto* first = static_cast<const std::int64_t*>(value.numbers->data());
  return {first, first + value.numbers->element_count()};
}

temporary_file::temporary_file(const std::string& text)
    : path_(std::filesystem::temp_directory_path() /
            (std::string("axismask_model_test_") + ::testing::UnitTest::GetInstance()->current_test_info()->name() +
             ".json")) {
  std::ofstream(path_, std::ios::binary) << text;
}

temporary_file::~temporary_file() { std::filesystem::remove(path_); }

}  // namespace axismask::model_test
