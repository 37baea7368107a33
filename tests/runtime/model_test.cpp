// Models: what the loader reads, the layers of a model, and their rules for empty rows.
#include "axismask/model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/layer_structure.hpp"
#include "model_test_layers.hpp"
#include "model_test_program.hpp"

namespace axismask::model_test {
namespace {

using nlohmann::json;

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
  ASSERT_EQ(model.layers().size(), 6);
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
  const std::string same = "query_segment_ids == kv_segment_ids && kv_segment_ids >= 0";
  EXPECT_EQ(model.layers()[3].formula(), "q >= k && k >= 0 && (" + same + ")");
  EXPECT_EQ(model.layers()[4].formula(), "q >= k && k >= 0 || " + same);
  EXPECT_EQ(model.layers()[5].formula(),
            "k >= q - 511 && k <= q + 67108864 && k >= 0 && (q >= k && k >= 0 || " + same + ")");
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
  EXPECT_EQ(last_call().logits, logits);
  EXPECT_EQ(last_call().window, 512);
  EXPECT_EQ(last_call().out, out);
  layer.apply_in_place(logits_view, inputs);
  EXPECT_EQ(last_call().logits, logits);
  EXPECT_EQ(last_call().out, logits);
}

// The arrays as a caller has them, in every form of a call; options come first.
TEST(Model, CallsTakeArraysWithNamesInEachForm) {
  const Model model = Model::load(source_dir / "schemas/examples/minimum.json");
  const any_layer& layer = model.layers()[0];
  named_array<float, axes<"seq", "kv_seq">> logits({1, 1}), out({1, 1});
  logits(0, 0) = 0;
  std::vector<std::int32_t> tokens{0};
  const named_view<std::int32_t, axes<"seq">> positions(tokens.data(), {tokens.size()});
  const named_view<const std::int32_t, axes<"seq">> constant = positions;
  const std::vector<std::int32_t>& read_only = tokens;
  const any_view erased(read_only.data(), dtype::int32, {{"seq", read_only.size()}});
  const call_options options{.threads = 1};
  const std::vector<side_input> kept{{"token_positions", positions}};

  const std::vector<std::function<void()>> in_place{
      [&] { layer.apply_in_place(logits, {{"token_positions", positions}}); },
      [&] { layer.apply_in_place(logits.view(), {{"token_positions", constant}}); },
      [&] { layer.apply_in_place(logits.erased(), {{"token_positions", erased}}); },
      [&] { layer.apply_in_place(logits, kept); },
      [&] { layer.apply_in_place(logits, input<"token_positions">(positions)); },
      [&] { layer.apply_in_place(options, logits, {{"token_positions", positions}}); },
      [&] { layer.apply_in_place({.threads = 1}, logits, input<"token_positions">(constant)); },
  };
  for (std::size_t form = 0; form < in_place.size(); ++form) {
    in_place[form]();
    EXPECT_EQ(last_call().logits, static_cast<void*>(logits.data())) << form;
    EXPECT_EQ(last_call().out, static_cast<void*>(logits.data())) << form;
  }
  const std::vector<std::function<void()>> out_of_place{
      [&] { layer.apply(logits, out, {{"token_positions", positions}}); },
      [&] { layer.apply(std::as_const(logits), out.view(), input<"token_positions">(constant)); },
      [&] { layer.apply(options, logits, out, {{"token_positions", erased}}); },
      [&] { layer.apply(options, logits, out, input<"token_positions">(positions)); },
      [&] { layer.apply(options, logits, out, std::span(kept)); },
  };
  for (std::size_t form = 0; form < out_of_place.size(); ++form) {
    out_of_place[form]();
    EXPECT_EQ(last_call().logits, static_cast<void*>(logits.data())) << form;
    EXPECT_EQ(last_call().out, static_cast<void*>(out.data())) << form;
  }
}

TEST(Model, FormulasOfEveryLayerType) {
  const Model model = Model::load(source_dir / "schemas/examples/every_layer_type.json");
  const std::vector<std::string> formulas{
      "q >= k && k >= 0",
      "q >= k && q - k < 4096 && k >= 0",
      "k >= q - 64 && k <= q + 64 && k >= 0",
      "k <= q / 32 * 32 + (32 - 1) && k >= 0",
      "q >= k && k >= q / 8192 * 8192 && k >= 0",
      "q >= k && q - k <= (512 - 1) / 2 * 2 && (q - k) % 2 == 0 && k >= 0",
      "query_segment_ids == kv_segment_ids && kv_segment_ids >= 0",
      "mask",
      "k >= total_lengths - lengths && k < total_lengths && k >= 0",
      "(q >= k || k < prefix_lengths) && k >= 0",
      "k >= 0 && k < lengths",
      "k >= 0 && k < 4",
  };
  ASSERT_EQ(model.layers().size(), linked_shipped_layers().size());
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
  EXPECT_EQ(saved(R"(, "empty_rows": "zeros")")["empty_rows"], "zeros");
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

}  // namespace
}  // namespace axismask::model_test
