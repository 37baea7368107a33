// The loader of model specs: what it reads, and what it says of each mistake, word by word. The mistakes that a JSON
// value can show are in bad_specs.json, which schema_test.py reads too; those of the text itself are here.
//
// This file is the program that the loader runs in: it brings the layers that are linked, with kernels that record
// their call.
#include "axismask/model.hpp"

#include <HalideRuntime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/huggingface.hpp"
#include "axismask/layer.hpp"
#include "axismask/layer_structure.hpp"
#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "layer_library.hpp"
#include "spec/model_schema.hpp"

namespace mine {

// Layers of a user's own. The names of their attributes are no one else's.
struct ChunkOrBias {
  AXISMASK_LAYER(ChunkOrBias,
                 (axismask::masked_value, fill),
                 (axismask::count, chunk),
                 (axismask::mask, visible_input_name, "visible"),
                 (axismask::query_positions, query_input_name, "positions"),
                 (axismask::kv_positions, kv_input_name, "positions"),
                 (axismask::query_axis, rows, "rows"),
                 (axismask::kv_axis, columns, "columns"))

  template <class Boolean, class Position, class Chunk>
  static constexpr auto keep(Boolean visible, Position query, Position key, Chunk chunk) {
    return visible || query / chunk == key / chunk;
  }
};

}  // namespace mine

namespace other {

// A type with the name of another.
struct ChunkOrBias {
  AXISMASK_LAYER(ChunkOrBias, (axismask::masked_value, fill), (axismask::mask, visible_input_name, "visible"))

  template <class Boolean>
  static constexpr auto keep(Boolean visible) {
    return visible;
  }
};

}  // namespace other

namespace axismask {
namespace {

// The last call of a kernel of the layer with a window.
struct window_call {
  const void* logits = nullptr;
  std::int64_t window = 0;
  const void* out = nullptr;
};
window_call last_call;

int record(void** arguments) {
  const auto host = [&](int index) { return static_cast<const halide_buffer_t*>(arguments[index])->host; };
  // The context, the logits, the positions of queries and keys, the window, the masked value, the result.
  last_call = {host(1), *reinterpret_cast<const std::int64_t*>(host(4)), host(6)};
  return 0;
}
constexpr auto recording_kernels = kernels_that(record);

int fail(void**) { return -1; }
constexpr auto failing_kernels = kernels_that(fail);

const linked_layer shipped_layers[] = {
    {&layer_type_of<ApplyCausalSlidingWindowAttentionMask<>>, recording_kernels},
    {&layer_type_of<ApplyCausalAttentionMask<>>, {}},
    {&layer_type_of<ApplyBidirectionalWindowAttentionMask<>>, {}},
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
using causal = ApplyCausalAttentionMask<>;
using window = ApplyCausalSlidingWindowAttentionMask<>;
using document = ApplyDocumentAttentionMask<>;
using composed_type = all_of<causal, any_of<window, ApplySinksAttentionMask<>>>;
const linked_layer composed_layers[] = {
    {&layer_type_of<all_of<window, document>>, {}},       {&layer_type_of<composed_type>, {}},
    {&layer_type_of<all_of<causal, not_of<window>>>, {}}, {&layer_type_of<all_of<causal, window, document>>, {}},
    {&layer_type_of<not_of<mine::ChunkOrBias>>, {}},      {&layer_type_of<any_of<causal, other::ChunkOrBias>>, {}},
};
const layer_library own{"mine", own_layers};
const layer_library composed{"composed", composed_layers};
AXISMASK_LINKED_LIBRARY const layer_library* const libraries[] = {&shipped, &composed, &own};

using nlohmann::json;

const std::filesystem::path source_dir = AXISMASK_SOURCE_DIR;

// A spec with one layer of the seed's type and these attributes.
std::string window_spec(const std::string& attributes) {
  return R"({"axismask": 1, "model": "m", "layers": [{"name": "a", )"
         R"("type": "ApplyCausalSlidingWindowAttentionMask", )" +
         attributes + "}]}";
}

Model read(const std::string& spec) { return Model::parse(spec, "spec.json"); }

// The whole error that a spec gives; fails the test when it gives none.
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

// A file that is gone when the test is over.
class temporary_file {
 public:
  explicit temporary_file(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  ~temporary_file() { std::filesystem::remove(path_); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() /
      (std::string("axismask_model_test_") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".json");
};

// ----------------------------------------------------------------------------------------------------- Good specs

TEST(Model, MinimumHasTheDefaults) {
  const Model model = Model::load(source_dir / "schemas/examples/minimum.json");
  EXPECT_EQ(model.name(), "gemma-3-1b");
  ASSERT_EQ(model.layers().size(), 1);
  const any_layer& layer = model.layer("layers.0");
  EXPECT_EQ(&layer, &model.layers()[0]);
  EXPECT_EQ(layer.name(), "layers.0");
  EXPECT_EQ(&layer.type(), &layer_type_of<ApplyCausalSlidingWindowAttentionMask<>>);
  EXPECT_EQ(layer.values().type, &layer.type());
  EXPECT_EQ(layer.values().masked_out_value.means(), masked_value::meaning::number);
  EXPECT_EQ(layer.values().masked_out_value.number(), -2.3819763e38);
  EXPECT_EQ(attribute(layer, "sliding_window_size").number, 512);
  EXPECT_EQ(attribute(layer, "sliding_window_size").numbers, nullptr);
  EXPECT_EQ(attribute(layer, "query_positions_input_name").name, "token_positions");
  EXPECT_EQ(attribute(layer, "kv_positions_input_name").name, "token_positions");
  EXPECT_EQ(attribute(layer, "seq_axis").name, "seq");
  EXPECT_EQ(attribute(layer, "kv_seq_axis").name, "kv_seq");
  EXPECT_EQ(layer.formula(), "q >= k && q - k < 512 && k >= 0");
}

TEST(Model, NamesInTheSpecTakeThePlaceOfDefaults) {
  const Model model = Model::load(source_dir / "schemas/examples/all_attributes.json");
  ASSERT_EQ(model.layers().size(), 2);
  for (const any_layer& layer : model.layers()) {
    EXPECT_EQ(layer.values().masked_out_value.number(), -1e9);
    EXPECT_EQ(attribute(layer, "query_positions_input_name").name, "query_positions");
    EXPECT_EQ(attribute(layer, "kv_positions_input_name").name, "key_positions");
    EXPECT_EQ(attribute(layer, "seq_axis").name, "tokens");
    EXPECT_EQ(attribute(layer, "kv_seq_axis").name, "kv_tokens");
  }
  EXPECT_EQ(attribute(model.layer("window"), "sliding_window_size").number, 4096);
  EXPECT_EQ(model.layer("causal").formula(), "q >= k && k >= 0");
}

TEST(Model, WindowForEachHead) {
  const Model model = Model::load(source_dir / "schemas/examples/window_per_head.json");
  const any_layer& layer = model.layer("layers.0");
  const attribute_value& window = attribute(layer, "sliding_window_size");
  ASSERT_NE(window.numbers, nullptr);
  EXPECT_EQ(window.numbers->type(), dtype::int64);
  ASSERT_EQ(window.numbers->axes().size(), 1);
  EXPECT_EQ(window.numbers->axes()[0].name, "heads");
  EXPECT_EQ(window.numbers->axes()[0].size, 4);
  EXPECT_EQ(window.numbers->axes()[0].stride, 1);
  EXPECT_EQ(numbers_of(window), (std::vector<std::int64_t>{512, 512, 1024, 4096}));
  EXPECT_EQ(layer.formula(), "q >= k && q - k < sliding_window_size[heads] && k >= 0");
}

TEST(Model, MaskedValues) {
  const Model model = Model::load(source_dir / "schemas/examples/masked_values.json");
  ASSERT_EQ(model.layers().size(), 3);
  EXPECT_EQ(model.layers()[0].values().masked_out_value.means(), masked_value::meaning::number);
  EXPECT_EQ(model.layers()[0].values().masked_out_value.number(), -65504);
  EXPECT_EQ(model.layers()[1].values().masked_out_value.means(), masked_value::meaning::lowest);
  EXPECT_EQ(model.layers()[2].values().masked_out_value.means(), masked_value::meaning::minus_infinity);
}

TEST(Model, AnyNumberIsAMaskedValue) {
  const auto value = [](const std::string& number) {
    const Model model = read(window_spec(R"("sliding_window_size": 1, "masked_out_value": )" + number));
    return model.layers()[0].values().masked_out_value.number();
  };
  EXPECT_EQ(value("0"), 0.0);
  EXPECT_TRUE(std::signbit(value("-0.0")));
  EXPECT_EQ(value("1.5"), 1.5);
  EXPECT_EQ(value("18446744073709551615"), 18446744073709551616.0);
  EXPECT_EQ(value("-1.7976931348623157e308"), -1.7976931348623157e308);
  EXPECT_EQ(value("1e-400"), 0.0);
}

TEST(Model, WholeNumbersMayBeWrittenWithAPoint) {
  const auto window = [](const std::string& number) {
    const Model model = read(window_spec(R"("masked_out_value": 0, "sliding_window_size": )" + number));
    return attribute(model.layers()[0], "sliding_window_size").number;
  };
  EXPECT_EQ(window("1"), 1);
  EXPECT_EQ(window("512.0"), 512);
  EXPECT_EQ(window("5.12e2"), 512);
  EXPECT_EQ(window("9007199254740991"), 9007199254740991);
  EXPECT_EQ(window("9007199254740991.0"), 9007199254740991);
  const Model model =
      read(window_spec(R"("masked_out_value": 0, "sliding_window_size": {"axis": "h", "values": [1.0, 2]})"));
  EXPECT_EQ(numbers_of(attribute(model.layers()[0], "sliding_window_size")), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(Model::parse(R"({"axismask": 1.0, "model": "m", "layers": [{"name": "a", "type": )"
                         R"("ApplyCausalAttentionMask", "masked_out_value": 0}]})",
                         "spec.json")
                .layers()
                .size(),
            1);
}

TEST(Model, LayersOfAUser) {
  const Model model = read(R"({"axismask": 1, "model": "m", "layers": [
      {"name": "a", "type": "ChunkOrBias", "fill": "lowest", "chunk": 8192},
      {"name": "b", "type": "ChunkOrBias", "fill": -1, "chunk": {"axis": "batch", "values": [3]},
       "visible_input_name": "prefix", "rows": "q"}]})");
  EXPECT_EQ(model.layer("a").formula(), "visible || query / 8192 == kv / 8192");
  EXPECT_EQ(model.layer("b").formula(), "prefix || query / chunk[batch] == kv / chunk[batch]");
  EXPECT_EQ(attribute(model.layer("a"), "rows").name, "rows");
  EXPECT_EQ(attribute(model.layer("b"), "rows").name, "q");
  EXPECT_EQ(attribute(model.layer("b"), "columns").name, "columns");
}

// The names of a layer's attributes with the names and numbers that it gives them.
std::vector<std::string> attributes_of(const any_layer& layer) {
  std::vector<std::string> all;
  for (std::size_t index = 1; index < layer.type().attributes.size(); ++index) {
    const attribute_value& value = layer.values().attributes[index];
    all.push_back(std::string(layer.type().attributes[index].name) + " " +
                  (value.name.empty() ? std::to_string(value.number) : std::string(value.name)));
  }
  return all;
}

TEST(Model, ComposedLayers) {
  const Model model = Model::load(source_dir / "schemas/examples/composed.json");
  ASSERT_EQ(model.layers().size(), 3);
  const any_layer& in_document = model.layers()[0];
  EXPECT_EQ(&in_document.type(), (&layer_type_of<all_of<window, document>>));
  EXPECT_EQ(in_document.values().masked_out_value.means(), masked_value::meaning::lowest);
  EXPECT_EQ(in_document.formula(),
            "q >= k && q - k < 512 && k >= 0 && (query_segment_ids == kv_segment_ids && kv_segment_ids >= 0)");
  EXPECT_EQ(attributes_of(in_document),
            (std::vector<std::string>{"sliding_window_size 512", "query_positions_input_name token_positions",
                                      "kv_positions_input_name token_positions", "seq_axis seq", "kv_seq_axis kv_seq",
                                      "query_segment_ids_input_name segment_ids",
                                      "kv_segment_ids_input_name segment_ids", "seq_axis seq", "kv_seq_axis kv_seq"}));
  EXPECT_EQ(model.layers()[1].type().name,
            "all(ApplyCausalAttentionMask, any(ApplyCausalSlidingWindowAttentionMask, ApplySinksAttentionMask))");
  EXPECT_EQ(model.layers()[1].formula(), "q >= k && k >= 0 && (q >= k && q - k < 1020 && k >= 0 || k >= 0 && k < 4)");
  EXPECT_EQ(model.layers()[2].values().masked_out_value.means(), masked_value::meaning::minus_infinity);
  EXPECT_EQ(model.layers()[2].formula(), "q >= k && k >= 0 && !(q >= k && q - k < 512 && k >= 0)");
}

TEST(Model, PartsHaveTheirOwnAttributes) {
  const Model model = read(R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": -1, "all": [
      {"type": "ApplyCausalAttentionMask", "seq_axis": "q", "query_positions_input_name": "ours"},
      {"any": [{"type": "ApplyCausalSlidingWindowAttentionMask", "seq_axis": "q",
                "sliding_window_size": {"axis": "heads", "values": [3, 4]}},
               {"type": "ApplySinksAttentionMask", "seq_axis": "q", "sink_count": 2,
                "kv_positions_input_name": "theirs"}]}]}]})");
  const any_layer& layer = model.layers()[0];
  EXPECT_EQ(layer.values().masked_out_value.number(), -1);
  EXPECT_EQ(attributes_of(layer),
            (std::vector<std::string>{
                "query_positions_input_name ours", "kv_positions_input_name token_positions", "seq_axis q",
                "kv_seq_axis kv_seq", "sliding_window_size 0", "query_positions_input_name token_positions",
                "kv_positions_input_name token_positions", "seq_axis q", "kv_seq_axis kv_seq", "sink_count 2",
                "kv_positions_input_name theirs", "seq_axis q", "kv_seq_axis kv_seq"}));
  EXPECT_EQ(numbers_of(attribute(layer, "sliding_window_size")), (std::vector<std::int64_t>{3, 4}));
}

TEST(Model, CompositionsOfOneKindAreOne) {
  const std::string masks[] = {R"({"type": "ApplyCausalAttentionMask"})",
                               R"({"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 9})",
                               R"({"type": "ApplyDocumentAttentionMask"})"};
  const auto type_of = [](const std::string& mask) {
    const Model model = read(R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": 0, )" +
                             mask.substr(1, mask.size() - 2) + "}]}");
    return &model.layers()[0].type();
  };
  const auto all = [](const std::string& a, const std::string& b) { return "{\"all\": [" + a + ", " + b + "]}"; };
  const layer_type* const type = &layer_type_of<all_of<causal, window, document>>;
  EXPECT_EQ(type_of(all(masks[0], masks[1] + ", " + masks[2])), type);
  EXPECT_EQ(type_of(all(masks[0], all(masks[1], masks[2]))), type);
  EXPECT_EQ(type_of(all(all(masks[0], masks[1]), masks[2])), type);
}

TEST(Model, CompositionOfAUsersLayer) {
  const Model model = read(R"({"axismask": 1, "model": "m", "layers": [
      {"name": "a", "masked_out_value": 2, "not": {"type": "ChunkOrBias", "chunk": 3, "rows": "r"}}]})");
  const any_layer& layer = model.layers()[0];
  EXPECT_EQ(layer.type().name, "not(ChunkOrBias)");
  EXPECT_EQ(layer.values().masked_out_value.number(), 2);
  EXPECT_EQ(layer.formula(), "!(visible || query / 3 == kv / 3)");
  EXPECT_EQ(attribute(layer, "rows").name, "r");
}

TEST(Model, StaysWholeWhenItIsMovedAndCopied) {
  Model model = Model::load(source_dir / "schemas/examples/window_per_head.json");
  const attribute_value* window = &attribute(model.layers()[0], "sliding_window_size");
  const Model moved = std::move(model);
  EXPECT_EQ(&attribute(moved.layers()[0], "sliding_window_size"), window);
  const any_layer copy = [&moved] { return Model(moved).layer("layers.0"); }();
  model = Model::load(source_dir / "schemas/examples/minimum.json");
  EXPECT_EQ(moved.name(), "a window for each of four heads");
  EXPECT_EQ(numbers_of(attribute(copy, "sliding_window_size")), (std::vector<std::int64_t>{512, 512, 1024, 4096}));
  EXPECT_EQ(attribute(copy, "sliding_window_size").numbers->axes()[0].name, "heads");
  EXPECT_EQ(model.layer("layers.0").formula(), "q >= k && q - k < 512 && k >= 0");
}

TEST(Model, ApplyPassesTheLayersValues) {
  const Model model = Model::load(source_dir / "schemas/examples/minimum.json");
  const any_layer& layer = model.layers()[0];
  const named_axis axes[] = {{"seq", 1, 1}, {"kv_seq", 1, 1}};
  float logits[1] = {};
  float out[1] = {};
  std::int64_t position[1] = {};
  const any_view logits_view(logits, dtype::float32, axes);
  const std::vector<side_input> inputs{{"token_positions", any_view(position, dtype::int64, std::span(axes).first(1))}};
  layer.apply(logits_view, any_view(out, dtype::float32, axes), inputs);
  EXPECT_EQ(last_call.logits, logits);
  EXPECT_EQ(last_call.window, 512);
  EXPECT_EQ(last_call.out, out);
  layer.apply_in_place(logits_view, inputs);
  EXPECT_EQ(last_call.logits, logits);
  EXPECT_EQ(last_call.out, logits);
}

TEST(Model, FormulasOfEveryLayerType) {
  const Model model = Model::load(source_dir / "schemas/examples/every_layer_type.json");
  const std::vector<std::string> formulas{
      "q >= k && k >= 0",
      "q >= k && q - k < 4096 && k >= 0",
      "k >= q - 64 && k <= q + 64 && k >= 0",
      "q >= k && k >= q / 8192 * 8192 && k >= 0",
      "q >= k && q - k <= (512 - 1) / 2 * 2 && (q - k) % 2 == 0 && k >= 0",
      "query_segment_ids == kv_segment_ids && kv_segment_ids >= 0",
      "mask",
      "k >= total_lengths - lengths && k < total_lengths && k >= 0",
      "(q >= k || k < prefix_lengths) && k >= 0",
      "k >= 0 && k < lengths",
      "k >= 0 && k < 4",
  };
  ASSERT_EQ(model.layers().size(), std::size(shipped_layers));
  ASSERT_EQ(model.layers().size(), formulas.size());
  for (std::size_t index = 0; index < formulas.size(); ++index) {
    EXPECT_EQ(model.layers()[index].formula(), formulas[index]) << model.layers()[index].name();
  }
}

TEST(Model, EveryExampleLoads) {
  std::vector<std::filesystem::path> specs;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir / "schemas/examples")) {
    if (entry.path().extension() == ".json") specs.push_back(entry.path());
  }
  for (const auto& entry : std::filesystem::directory_iterator(source_dir / "examples")) {
    if (std::filesystem::exists(entry.path() / "model.json")) specs.push_back(entry.path() / "model.json");
  }
  EXPECT_GE(specs.size(), 5);
  for (const auto& spec : specs) {
    try {
      EXPECT_GE(Model::load(spec).layers().size(), 1) << spec;
    } catch (const error& caught) {
      // An example may use a layer of its own, which is not linked here; its own test loads it.
      const bool has_own_layers = std::filesystem::exists(spec.parent_path() / "CMakeLists.txt");
      EXPECT_TRUE(has_own_layers && caught.id() == "spec-layer-type") << spec << ": " << caught.what();
    }
  }
}

TEST(Model, Gemma3HasItsPattern) {
  const Model model = Model::load(source_dir / "examples/gemma3/model.json");
  EXPECT_EQ(model.name(), "gemma-3-1b");
  ASSERT_EQ(model.layers().size(), 26);
  for (std::size_t index = 0; index < 26; ++index) {
    const any_layer& layer = model.layers()[index];
    EXPECT_EQ(layer.name(), "layers." + std::to_string(index));
    EXPECT_EQ(layer.values().masked_out_value.number(), -2.3819763e38);
    EXPECT_EQ(layer.formula(), (index + 1) % 6 == 0 ? "q >= k && k >= 0" : "q >= k && q - k < 512 && k >= 0");
  }
}

// ------------------------------------------------------------------------------------------------------ Bad specs

TEST(BadSpec, EachSaysWhatItShould) {
  std::ifstream file(source_dir / "tests/runtime/bad_specs.json");
  const json cases = json::parse(file);
  ASSERT_GE(cases.size(), 40);
  for (const json& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const error caught = error_of(one["spec"].dump());
    EXPECT_EQ(caught.id(), one["id"].get<std::string>());
    EXPECT_EQ(caught.where(), one["where"].get<std::string>());
    EXPECT_EQ(std::string(caught.what()), one["text"].get<std::string>());
    EXPECT_EQ(std::string(caught.what()).find('\n'), std::string::npos);
  }
}

// The start of a spec's errors that have the file as their place.
const std::string not_json = "axismask: error[spec-json] spec.json: ";

TEST(BadSpec, TextThatIsNotJson) {
  EXPECT_EQ(text_of(""),
            not_json + R"(the file is empty; write a spec in it: {"axismask": 1, "model": ..., "layers": [...]})");
  EXPECT_EQ(text_of(" \n"), text_of(""));
  EXPECT_EQ(text_of("{\"axismask\": 1,\n \"model\": \"m\"\n\n"),
            not_json +
                "the file ends at line 2, column 13, before its JSON does; close what is open there, or get the "
                "whole file");
  EXPECT_EQ(text_of("{\"axismask\": 1,\n \"model\": \"m\",\n}"),
            not_json + "line 3, column 1 is not JSON: a comma stands before the closing }; take that comma out");
  EXPECT_EQ(text_of("[1,\n]"),
            not_json + "line 2, column 1 is not JSON: a comma stands before the closing ]; take that comma out");
  EXPECT_EQ(text_of("{\n  \"axismask\": 1, // the version\n}"),
            not_json + "line 2, column 18 is not JSON: it has no comments; take the comment out");
  EXPECT_EQ(
      text_of("{'axismask': 1}"),
      not_json + R"(line 1, column 2 is not JSON: a text stands between double quotes; write " in the place of ')");
  EXPECT_EQ(text_of("{axismask: 1}"), not_json +
                                          "line 1, column 2 is not JSON: a word or sign that it does not have; "
                                          "put there what JSON expects: string literal");
  EXPECT_EQ(text_of("{\"axismask\": True}"),
            not_json + "line 1, column 14 is not JSON: a word or sign that it does not have; write it as JSON has it");
  EXPECT_EQ(text_of("{\"axismask\": 1 \"model\": \"m\"}"),
            not_json +
                "line 1, column 22 is not JSON: unexpected string literal; put there what JSON expects: ',' or "
                "'}'");
  EXPECT_EQ(text_of("{\"axismask\": 1} {}"),
            not_json + "line 1, column 17 is not JSON: unexpected '{'; put there what JSON expects: end of input");
  EXPECT_EQ(text_of("{\"model\": \"\\q\"}"),
            not_json +
                "line 1, column 13 is not JSON: invalid string: forbidden character after backslash; write it "
                "as JSON has it");
  EXPECT_EQ(text_of("{\"model\": \"\\'\"}"), text_of("{\"model\": \"\\q\"}"));
  EXPECT_EQ(text_of("{\"model\": \"m\n\"}"),
            not_json + R"(line 1, column 13 is not JSON: invalid string: control character U+000A (LF) must be )"
                       R"(escaped to \u000A or \n; write it as JSON has it)");
  EXPECT_EQ(text_of("{\"\xC3\xA9\": \"\xFF\"}"),
            not_json + "line 1, column 8 is not JSON: invalid string: ill-formed UTF-8 byte; write it as JSON has it");
}

TEST(BadSpec, InfinityAndNan) {
  // Python's json module writes -Infinity and NaN; C and NumPy print -inf and nan.
  for (const std::string word : {"-Infinity", "Infinity", "NaN", "-inf", "inf", "nan"}) {
    const error caught = error_of(window_spec("\"sliding_window_size\": 1,\n\"masked_out_value\": " + word));
    EXPECT_EQ(caught.id(), "spec-json");
    const std::string column = word[0] == '-' || word == "nan" ? "22" : "21";
    EXPECT_EQ(std::string(caught.what()), not_json + "line 2, column " + column +
                                              " is not JSON: it has no infinity and no NaN; for minus infinity write "
                                              "\"-inf\", with the quotes");
  }
}

TEST(BadSpec, NumbersBeyondDoubles) {
  const std::string cure =
      R"(; give one between -1.7976931348623157e308 and 1.7976931348623157e308, or "-inf" for minus infinity)";
  EXPECT_EQ(text_of(window_spec(R"("sliding_window_size": 1, "masked_out_value": -1e400)")),
            "axismask: error[spec-value] /layers/0/masked_out_value: the number -1e400 is beyond what 64-bit floats "
            "hold" +
                cure);
  EXPECT_EQ(text_of(window_spec(R"("sliding_window_size": {"axis": "heads", "values": [1, 2, 1e400]})")),
            "axismask: error[spec-value] /layers/0/sliding_window_size/values/2: the number 1e400 is beyond what "
            "64-bit floats hold" +
                cure);
  EXPECT_EQ(text_of("1e400"),
            "axismask: error[spec-value] spec.json: the number 1e400 is beyond what 64-bit floats hold" + cure);
}

TEST(BadSpec, DuplicateKeys) {
  EXPECT_EQ(text_of(R"({"axismask": 1, "axismask": 1})"),
            "axismask: error[spec-duplicate-key] /axismask: the key \"axismask\" is there twice; leave one of the two "
            "out");
  EXPECT_EQ(text_of(R"({"layers": [{"name": 1}, [[]], {"name": 2, "a/b": {"\u006eame": 1, "name": 2}}]})"),
            "axismask: error[spec-duplicate-key] /layers/2/a~1b/name: the key \"name\" is there twice; leave one of "
            "the two out");
}

TEST(BadSpec, DeepNestingIsAnErrorAndNoCrash) {
  const std::size_t depth = 100'000;
  EXPECT_EQ(error_of(std::string(depth, '[')).id(), "spec-json");
  EXPECT_EQ(error_of(std::string(depth, '[') + std::string(depth, ']')).id(), "spec-type");
  EXPECT_EQ(error_of(window_spec(R"("sliding_window_size": 1, "masked_out_value": )" + std::string(depth, '[') +
                                 std::string(depth, ']')))
                .id(),
            "spec-type");
}

TEST(BadSpec, DeepCompositionIsAnErrorAndNoCrash) {
  const auto nested = [](std::size_t depth) {
    std::string spec = R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": 0)";
    for (std::size_t level = 0; level < depth; ++level) spec += level == 0 ? R"(, "not": )" : R"({"not": )";
    return spec + R"({"type": "ApplyCausalAttentionMask"})" + std::string(depth, '}') + "]}";
  };
  EXPECT_EQ(error_of(nested(64)).id(), "spec-composition");
  const error deep = error_of(nested(65));
  EXPECT_EQ(deep.id(), "spec-value");
  EXPECT_EQ(deep.what_is_wrong(), "masks are nested more than 64 deep");
  EXPECT_EQ(error_of(nested(100'000)).what_is_wrong(), deep.what_is_wrong());
}

TEST(BadSpec, LongCompositionsAreCut) {
  std::string masks = R"({"type": "ApplyCausalAttentionMask"})";
  for (int count = 1; count < 1000; ++count) masks += R"(, {"type": "ApplyCausalAttentionMask"})";
  const error caught = error_of(
      R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": 0, "any": [)" + masks + "]}]}");
  EXPECT_EQ(caught.id(), "spec-composition");
  EXPECT_LT(std::string(caught.what()).size(), 4000);
}

TEST(BadSpec, FilesThatCannotBeRead) {
  try {
    (void)Model::load("no/such/file.json");
    FAIL();
  } catch (const error& caught) {
    EXPECT_STREQ(caught.what(),
                 "axismask: error[spec-open] no/such/file.json: it cannot be opened (No such file or directory); give "
                 "the file of a model spec");
  }
  try {
    (void)Model::load(".");
    FAIL();
  } catch (const error& caught) {
    EXPECT_STREQ(caught.what(), "axismask: error[spec-open] .: it is a directory; give the file of a model spec");
  }
}

TEST(BadSpec, TheFileIsThePlaceOfAnErrorOfAllOfIt) {
  const temporary_file file("[]");
  try {
    (void)Model::load(file.path());
    FAIL();
  } catch (const error& caught) {
    EXPECT_EQ(caught.where(), file.path().string());
  }
}

TEST(Model, FilesMayStartWithAByteOrderMark) {
  const temporary_file file(
      "\xEF\xBB\xBF{\"axismask\": 1, \"model\": \"m\", \"layers\": [{\"name\": \"a\", "
      "\"type\": \"ApplyCausalAttentionMask\", \"masked_out_value\": 0}]}");
  EXPECT_EQ(Model::load(file.path()).layers().size(), 1);
}

// What `layer` throws.
std::string layer_error(const Model& model, std::string_view name) {
  try {
    (void)model.layer(name);
  } catch (const error& caught) {
    return caught.what();
  }
  return "no error";
}

TEST(Model, UnknownLayerNames) {
  const Model gemma = Model::load(source_dir / "examples/gemma3/model.json");
  const std::string its_layers =
      R"(; its layers are "layers.0", "layers.1", "layers.2", "layers.3", "layers.4", ... (26 in all))";
  EXPECT_EQ(layer_error(gemma, "layers.26"),
            R"(axismask: error[spec-layer-name] layer: the model "gemma-3-1b" has no layer "layers.26" (did you mean )"
            R"("layers.2"?))" +
                its_layers);
  EXPECT_EQ(layer_error(gemma, "x\n\xFF"),
            "axismask: error[spec-layer-name] layer: the model \"gemma-3-1b\" has no layer \"x\\n\xEF\xBF\xBD\"" +
                its_layers);
  const Model minimum = Model::load(source_dir / "schemas/examples/minimum.json");
  EXPECT_EQ(
      layer_error(minimum, ""),
      R"(axismask: error[spec-layer-name] layer: the model "gemma-3-1b" has no layer ""; its layers are "layers.0")");
}

// ----------------------------------------------------------------------------------------------------- Empty rows

TEST(EmptyRows, AreTheLayersRule) {
  const Model model = Model::load(source_dir / "schemas/examples/empty_rows.json");
  for (const any_layer& layer : model.layers().first(4))
    EXPECT_EQ(layer.values().empty_rows, empty_row_rule::keep_self);
  EXPECT_EQ(model.layer("uniform").values().empty_rows, empty_row_rule::masked);
  EXPECT_EQ(model.layer("refused").values().empty_rows, empty_row_rule::error);
  EXPECT_EQ(read(window_spec(R"("sliding_window_size": 1, "masked_out_value": 0)")).layers()[0].values().empty_rows,
            empty_row_rule::masked);

  const named_axis axes[] = {{"seq", 1, 1}, {"kv_seq", 1, 1}};
  float logits[1] = {};
  std::int64_t padding[1] = {-1};
  const std::vector<side_input> inputs{{"segment_ids", any_view(padding, dtype::int64, std::span(axes).first(1))}};
  try {
    model.layer("refused").apply_in_place(any_view(logits, dtype::float32, axes), inputs);
    FAIL();
  } catch (const error& caught) {
    EXPECT_EQ(caught.id(), "empty-row");
  }
}

TEST(EmptyRows, AreOfTheWholeOfAComposition) {
  const any_layer layer = read(R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": "lowest",
      "empty_rows": "keep_self", "all": [{"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 4},
                                         {"type": "ApplyDocumentAttentionMask"}]}]})")
                              .layers()[0];
  EXPECT_EQ(layer.values().empty_rows,
            empty_row_rule::keep_self);  // by the window's positions, and not the documents' ids
}

TEST(EmptyRows, AreSavedUnlessMasked) {
  const auto saved = [](const std::string& rule) {
    return json::parse(
        read(window_spec(R"("sliding_window_size": 1, "masked_out_value": 0)" + rule)).to_json())["layers"][0];
  };
  EXPECT_FALSE(saved("").contains("empty_rows"));
  EXPECT_FALSE(saved(R"(, "empty_rows": "masked")").contains("empty_rows"));
  EXPECT_EQ(saved(R"(, "empty_rows": "error")")["empty_rows"], "error");
  EXPECT_EQ(saved(R"(, "empty_rows": "keep_self")")["empty_rows"], "keep_self");
}

TEST(EmptyRows, StayWhenALayerIsEdited) {
  const any_layer layer =
      read(window_spec(R"("sliding_window_size": 1, "masked_out_value": 0, "empty_rows": "error")")).layers()[0];
  const auto rule_of = [](const any_layer& edited) { return edited.values().empty_rows; };
  const any_layer with_variable = select(layer).at("sliding_window_size").set(any_variable("window"));
  EXPECT_EQ(rule_of(select(layer).at("sliding_window_size").set(std::int64_t{2})), empty_row_rule::error);
  EXPECT_EQ(rule_of(bind_variables(with_variable, {value("window", std::int64_t{2})})), empty_row_rule::error);
  const auto [leaves, structure] = tree_flatten(layer);
  EXPECT_EQ(rule_of(tree_unflatten(structure, leaves)), empty_row_rule::error);
  EXPECT_EQ(rule_of(from_attributes(layer.type(), attributes_dict(layer))),
            empty_row_rule::masked);  // it is no attribute

  EXPECT_EQ(rule_of(with_empty_rows(layer, empty_row_rule::keep_self)), empty_row_rule::keep_self);
  EXPECT_NE(tree_flatten(with_empty_rows(layer, empty_row_rule::keep_self)).structure, structure);
}

TEST(EmptyRows, ARuleThatALayerCannotHaveIsAnError) {
  const any_layer sinks = from_attributes(layer_type_of<ApplySinksAttentionMask<>>,
                                          {{"masked_out_value", masked_value(0)},
                                           {"sink_count", std::int64_t{4}},
                                           {"kv_positions_input_name", "token_positions"},
                                           {"seq_axis", "seq"},
                                           {"kv_seq_axis", "kv_seq"}},
                                          "sinks");
  EXPECT_EQ(with_empty_rows(sinks, empty_row_rule::error).values().empty_rows, empty_row_rule::error);
  try {
    (void)with_empty_rows(sinks, empty_row_rule::keep_self);
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(problem.what(),
                 "axismask: error[field-value] sinks.empty_rows: \"keep_self\" compares the positions of queries and "
                 "keys, and this layer does not take both; give \"masked\" or \"error\", or compose this mask with one "
                 "that does, such as ApplyCausalAttentionMask");
  }
}

TEST(EmptyRows, WhatASoftmaxMakesOfThem) {
  const auto of = [](empty_row_rule rule, const masked_value& value) { return softmax_of_empty_row(rule, value); };
  EXPECT_EQ(of(empty_row_rule::masked, masked_value::lowest()), "becomes uniform, 1/n for each of n keys");
  EXPECT_EQ(of(empty_row_rule::masked, -1e9), "becomes uniform, 1/n for each of n keys");
  EXPECT_EQ(of(empty_row_rule::masked, masked_value::minus_infinity()), "becomes NaN");
  EXPECT_EQ(of(empty_row_rule::masked, -std::numeric_limits<double>::infinity()), "becomes NaN");
  EXPECT_EQ(of(empty_row_rule::error, masked_value::minus_infinity()), "is refused");
  EXPECT_EQ(of(empty_row_rule::keep_self, masked_value::minus_infinity()), "attends to itself");
}

// --------------------------------------------------------------------------------------------------------- Schema

// The rules for empty rows that the schema allows a type are those that it can have.
void check_rules_for_empty_rows(const json& schema, const std::string& reference, const layer_type& type) {
  layer_values values{&type, 0, {}};
  std::vector<std::string_view> possible;
  for (const empty_row_rule rule : {empty_row_rule::masked, empty_row_rule::error, empty_row_rule::keep_self}) {
    if (!breach_of(rule, values)) possible.push_back(name_of(rule));
  }
  EXPECT_EQ(schema.at(json::json_pointer(reference.substr(1)))["enum"], possible) << type.name;
}

// What a part of the schema refers to, or itself.
const json& resolved(const json& schema, const json& part) {
  const auto reference = part.find("$ref");
  return reference == part.end() ? part : schema.at(json::json_pointer(reference->get<std::string>().substr(1)));
}

// The schema has every shipped layer as its struct has it.
TEST(Schema, HasTheShippedLayersAttributes) {
  const json schema = json::parse(model_schema);
  std::ifstream file(source_dir / "schemas/model.schema.json");
  EXPECT_EQ(schema, json::parse(file)) << "the schema that is built in is not that of the file";

  std::vector<std::string> branches;
  for (const json& branch : schema["definitions"]["mask"]["allOf"]) {
    const auto type = branch["if"]["properties"]["type"]["const"].get<std::string>();
    EXPECT_EQ(branch["then"]["$ref"].get<std::string>(), "#/definitions/" + type);
    branches.push_back(type);
  }
  ASSERT_EQ(branches.size(), std::size(shipped_layers));
  // Layers of these types must give the masked value, which parts must not.
  EXPECT_EQ(schema["definitions"]["shipped_type"]["enum"], branches);
  for (std::size_t index = 0; index < branches.size(); ++index) {
    const layer_type& type = *shipped_layers[index].type;
    EXPECT_EQ(branches[index], type.name);
    const json& definition = schema["definitions"][std::string(type.name)];
    EXPECT_EQ(definition["additionalProperties"], false);
    EXPECT_EQ(definition["properties"].size(), type.attributes.size() + 3);  // and "name", "type", "empty_rows"
    check_rules_for_empty_rows(schema, definition["properties"]["empty_rows"]["$ref"], type);
    std::vector<std::string> required{"type"};
    for (const attribute_record& attribute : type.attributes) {
      const std::string name(attribute.name);
      SCOPED_TRACE(branches[index] + "::" + name);
      ASSERT_TRUE(definition["properties"].contains(name));
      const json& property = resolved(schema, definition["properties"][name]);
      if (attribute.kind == attribute_kind::parameter) {
        required.push_back(name);
      } else if (attribute.kind != attribute_kind::masked_value) {
        EXPECT_EQ(property["default"], attribute.default_name);
      }
      const std::string part = attribute.kind == attribute_kind::masked_value ? "masked_value"
                               : attribute.kind == attribute_kind::parameter
                                   ? (attribute.lowest == 0 ? "whole_parameter" : "parameter")
                               : is_side_input(attribute.kind) ? "input_name"
                                                               : "axis_name";
      EXPECT_EQ(property["allOf"][0]["$ref"], "#/definitions/" + part);
    }
    EXPECT_EQ(definition["required"], required);
  }
  EXPECT_EQ(schema["definitions"]["count"]["minimum"], count::lowest);
  EXPECT_EQ(schema["definitions"]["whole"]["minimum"], whole::lowest);
}

// Masks of groups, too, may be nested deep: no part of the spec is copied, since a copy goes as deep as it.
TEST(BadSpec, DeepMasksOfGroupsAreErrorsAndNoCrash) {
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  const std::string mask = R"({"type": "ApplyCausalAttentionMask", "masked_out_value": 1, "x": )" + deep + "}";
  const std::string start = R"({"axismask": 1, "model": "m", )";
  EXPECT_EQ(error_of(start + R"("layers": [{"name": "a{}", "pattern": [)" + mask + "]}]}").where(),
            "/layers/0/pattern/0/x");
  EXPECT_EQ(
      error_of(start + R"("masks": {"m": )" + mask + R"(}, "layers": [{"name": "a{}", "pattern": ["m"]}]})").where(),
      "/masks/m/x");
}

// A model, saved and loaded again: the same layers, and the same text from then on.
void expect_same_when_saved(const Model& model) {
  const temporary_file saved("");
  model.save(saved.path());
  const Model again = Model::load(saved.path());
  EXPECT_EQ(again.name(), model.name());
  EXPECT_EQ(again.to_json(), model.to_json());
  ASSERT_EQ(again.layers().size(), model.layers().size());
  for (std::size_t at = 0; at < model.layers().size(); ++at) {
    EXPECT_EQ(tree_flatten(again.layers()[at]).structure, tree_flatten(model.layers()[at]).structure);
    EXPECT_EQ(tree_flatten(again.layers()[at]).leaves, tree_flatten(model.layers()[at]).leaves);
  }
}

TEST(Save, RoundTripOfEveryExample) {
  std::vector<std::filesystem::path> files{source_dir / "examples/gemma3/model.json"};
  for (const auto& entry : std::filesystem::directory_iterator(source_dir / "schemas/examples")) files.push_back(entry);
  ASSERT_GT(files.size(), 7U);
  for (const std::filesystem::path& file : files) {
    SCOPED_TRACE(file);
    expect_same_when_saved(Model::load(file));
  }
}

// What `axismask import` writes for each family is what saving writes.
TEST(Save, RoundTripOfEveryImport) {
  std::ifstream file(source_dir / "tests/oracle/families.json");
  const json families = json::parse(file);
  ASSERT_GE(families.size(), 18);
  for (const auto& [family, one] : families.items()) {
    SCOPED_TRACE(family);
    json config = one["config"];
    config["model_type"] = family;
    const std::string spec = huggingface::config::parse(config.dump(), "config.json").spec();
    const Model model = Model::parse(spec, "spec.json");
    EXPECT_EQ(model.to_json(), spec);
    expect_same_when_saved(model);
  }
}

// A mask that is composed stays in its group.
TEST(Save, ComposedMasksInGroups) {
  const std::filesystem::path file = source_dir / "schemas/examples/composed_groups.json";
  const json saved = json::parse(Model::load(file).to_json());
  ASSERT_EQ(saved["layers"].size(), 1);
  EXPECT_EQ(saved["layers"][0]["count"], 12);
  const json& pattern = saved["layers"][0]["pattern"];
  ASSERT_EQ(pattern.size(), 4);
  std::ifstream stream(file);
  const json written = json::parse(stream);
  EXPECT_EQ(saved["masks"][pattern[0].get<std::string>()], written["masks"]["sliding in its document"]);
  EXPECT_EQ(saved["masks"][pattern[3].get<std::string>()], written["layers"][0]["pattern"][3]);
}

}  // namespace
}  // namespace axismask
