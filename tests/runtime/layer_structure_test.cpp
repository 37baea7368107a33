// Layers of a spec as trees of values: the run-time twins of penzai's inherited methods, what they say of each mistake,
// and that they give the masks that the layers of known types give. With kernels, for the calls.
#include "axismask/layer_structure.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/structure.hpp"

namespace axismask {
namespace {

using seed = ApplyCausalSlidingWindowAttentionMask<>;

any_layer spec_layer(const std::string& attributes) {
  return Model::parse(R"({"axismask": 1, "model": "m", "layers": [{"name": "layers.0", )" + attributes + "}]}", "spec")
      .layers()[0];
}

any_layer seed_layer() {
  return spec_layer(
      R"("type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1e9, "sliding_window_size": 512)");
}

const any_attributes seed_fields{{"masked_out_value", masked_value(-1e9)},
                                 {"sliding_window_size", 512},
                                 {"query_positions_input_name", "token_positions"},
                                 {"kv_positions_input_name", "token_positions"},
                                 {"seq_axis", "seq"},
                                 {"kv_seq_axis", "kv_seq"}};

// The fields with another value.
any_attributes with(any_attributes fields, const std::string& name, const any_attribute& value) {
  for (auto& [field, old] : fields) {
    if (field == name) old = value;
  }
  return fields;
}

const any_attribute& at(const any_attributes& fields, const std::string& name) {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  throw std::out_of_range(name);
}

// The whole message of the error that the call gives; fails the test when it gives none.
template <class Call>
std::string error_of(Call call) {
  try {
    (void)call();
  } catch (const error& caught) {
    return caught.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

// ------------------------------------------------------------------------------------------------------ Attributes

TEST(AnyAttributes, AreEveryFieldInTheTypesOrder) { EXPECT_EQ(attributes_dict(seed_layer()), seed_fields); }

TEST(AnyAttributes, MakeALayer) {
  const any_layer layer = from_attributes("ApplyCausalSlidingWindowAttentionMask", seed_fields, "mine");
  EXPECT_EQ(layer.name(), "mine");
  EXPECT_EQ(attributes_dict(layer), seed_fields);
  EXPECT_EQ(layer.formula(), seed_layer().formula());
  EXPECT_EQ(layer.values().attributes[1].number, 512);
}

TEST(AnyAttributes, MakeALayerInAnyOrderAndWithOtherNames) {
  const any_attributes renamed = with(seed_fields, "seq_axis", "rows");
  const any_layer layer = from_attributes(layer_type_of<seed>, any_attributes(renamed.rbegin(), renamed.rend()));
  EXPECT_EQ(attributes_dict(layer), renamed);
  EXPECT_EQ(layer.name(), "");
}

TEST(AnyAttributes, HoldNumbersForEachIndexOfAnAxis) {
  const axis_counts each{"heads", {512, 1024}};
  const any_layer layer =
      spec_layer(R"("type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": "lowest", )"
                 R"("sliding_window_size": {"axis": "heads", "values": [512, 1024]})");
  EXPECT_EQ(at(attributes_dict(layer), "sliding_window_size"), any_attribute(each));
  EXPECT_EQ(at(attributes_dict(layer), "masked_out_value"), any_attribute(masked_value::lowest()));

  const any_layer again = from_attributes(layer.type(), attributes_dict(layer));
  const any_view* numbers = again.values().attributes[1].numbers;
  ASSERT_NE(numbers, nullptr);
  EXPECT_NE(numbers->data(), layer.values().attributes[1].numbers->data());
  EXPECT_EQ(numbers->axes()[0].name, "heads");
  EXPECT_EQ(static_cast<const std::int64_t*>(numbers->data())[1], 1024);
}

TEST(AnyAttributes, ErrorsSayTheField) {
  const auto make = [](const any_attributes& fields) {
    return error_of([&] { return from_attributes(layer_type_of<seed>, fields, "layers.0"); });
  };
  any_attributes missing = seed_fields;
  missing.pop_back();
  EXPECT_EQ(make(missing),
            "axismask: error[field-missing] layers.0.kv_seq_axis: the field \"kv_seq_axis\" is missing; give every "
            "field of the layer, names too");
  any_attributes unknown = seed_fields;
  unknown[1].first = "sliding_windows_size";
  EXPECT_EQ(make(unknown),
            "axismask: error[field-unknown] layers.0.sliding_windows_size: there is no field \"sliding_windows_size\"; "
            "the layer has \"masked_out_value\", \"sliding_window_size\", \"query_positions_input_name\", "
            "\"kv_positions_input_name\", \"seq_axis\", \"kv_seq_axis\" (did you mean \"sliding_window_size\"?); name "
            "one of these");
  any_attributes twice = seed_fields;
  twice.emplace_back("seq_axis", "seq");
  EXPECT_EQ(make(twice),
            "axismask: error[field-twice] layers.0.seq_axis: the field \"seq_axis\" is given twice; leave one of them "
            "out");
  EXPECT_EQ(make(with(seed_fields, "seq_axis", 3)),
            "axismask: error[field-type] layers.0.seq_axis: the value of \"seq_axis\" is of another type; give a name");
  EXPECT_EQ(make(with(seed_fields, "seq_axis", "")),
            "axismask: error[field-value] layers.0.seq_axis: the name is empty; give the name of an axis of the "
            "logits");
  EXPECT_EQ(make(with(seed_fields, "seq_axis", "kv_seq")),
            "axismask: error[field-value] layers.0.kv_seq_axis: it is \"kv_seq\", and seq_axis is \"kv_seq\"; give "
            "these the names of two axes of the logits");
  EXPECT_EQ(make(with(seed_fields, "masked_out_value", "lowest")),
            "axismask: error[field-type] layers.0.masked_out_value: the value of \"masked_out_value\" is of another "
            "type; give a number, a masked_value or a variable");
}

TEST(AnyAttributes, OfATypeThatIsNotLinkedAreAnError) {
  EXPECT_EQ(error_of([] { return from_attributes("ApplyCausalAttentionMusk", {}); })
                .rfind("axismask: error[layer-type] ApplyCausalAttentionMusk: this program has no such layer type (did "
                       "you mean \"ApplyCausalAttentionMask\"?); it has ",
                       0),
            0U);
  EXPECT_EQ(error_of([] { return from_attributes("", {}); }).rfind("axismask: error[layer-type] \"\": this program", 0),
            0U);
}

TEST(AnyKey, IsPrintedAsJaxPrintsIt) {
  EXPECT_EQ(key_for_field(seed_layer(), "sliding_window_size").str(), ".sliding_window_size");
  EXPECT_EQ(error_of([] {
              return key_for_field(seed_layer(), "window");
            }).rfind("axismask: error[field-unknown] layers.0.window: ", 0),
            0U);
}

// ------------------------------------------------------------------------------------------------------ Selections

TEST(AnySelection, GivesANewLayer) {
  const any_layer layer = seed_layer();
  const any_layer wider = select(layer).at("sliding_window_size").set(1024);
  EXPECT_EQ(attributes_dict(wider), with(seed_fields, "sliding_window_size", 1024));
  EXPECT_EQ(attributes_dict(layer), seed_fields);
  EXPECT_EQ(wider.name(), "layers.0");
  EXPECT_EQ(select(layer).get().name(), "layers.0");
}

TEST(AnySelection, AppliesAFunction) {
  const any_layer twice = select(seed_layer()).at("sliding_window_size").apply([](const any_attribute& size) {
    return 2 * std::get<std::int64_t>(size);
  });
  EXPECT_EQ(select(twice).at("sliding_window_size").get(), any_attribute(1024));
}

TEST(AnySelection, SetsEachKindOfValue) {
  const any_selection layer = select(seed_layer());
  const axis_counts each{"heads", {3, 4}};
  EXPECT_EQ(select(layer.at("sliding_window_size").set(each)).at("sliding_window_size").get(), any_attribute(each));
  EXPECT_EQ(layer.at("sliding_window_size").set(512.0).values().attributes[1].number, 512);
  EXPECT_EQ(layer.at("sliding_window_size").set(each).formula(),
            "q >= k && q - k < sliding_window_size[heads] && k >= 0");
  EXPECT_EQ(layer.at("masked_out_value").set(-7).values().masked_out_value, masked_value(-7));
  EXPECT_EQ(layer.at("masked_out_value").set(masked_value::minus_infinity()).values().masked_out_value,
            masked_value::minus_infinity());
}

TEST(AnySelection, ErrorsSayTheField) {
  const any_selection layer = select(seed_layer());
  const auto set = [&](const std::string& field, const any_attribute& value) {
    return error_of([&] { return layer.at(field).set(value); });
  };
  EXPECT_EQ(set("sliding_window_sise", 1).rfind("axismask: error[field-unknown] layers.0.sliding_window_sise: ", 0),
            0U);
  EXPECT_EQ(set("seq_axis", "rows"),
            "axismask: error[field-structure] layers.0.seq_axis: \"seq_axis\" is a name, which is structure and no "
            "leaf; the leaves are \"masked_out_value\", \"sliding_window_size\"; select one of these; for another name "
            "build the layer with from_attributes");
  EXPECT_EQ(set("sliding_window_size", 0),
            "axismask: error[field-value] layers.0.sliding_window_size: it is 0; give a whole number of at least 1");
  EXPECT_EQ(set("sliding_window_size", 0.5),
            "axismask: error[field-type] layers.0.sliding_window_size: the value of \"sliding_window_size\" is of "
            "another type; give a whole number, numbers for each index of an axis, or a variable");
  EXPECT_EQ(set("sliding_window_size", axis_counts{"heads", {1, 0}}),
            "axismask: error[field-value] layers.0.sliding_window_size: it is 0; give a whole number of at least 1");
  EXPECT_EQ(set("sliding_window_size", axis_counts{"heads", {}}),
            "axismask: error[field-value] layers.0.sliding_window_size: there are no numbers; give an axis of the "
            "logits, and a number for each of its indices");
  EXPECT_EQ(set("sliding_window_size", any_variable("")),
            "axismask: error[field-value] layers.0.sliding_window_size: the variable has no name; give it one");
  EXPECT_EQ(set("sliding_window_size", masked_value::lowest())
                .rfind("axismask: error[field-type] layers.0.sliding_window_size: ", 0),
            0U);
}

// ----------------------------------------------------------------------------------------------------------- Trees

TEST(AnyTree, IsTakenApartAndPutTogether) {
  const auto [leaves, structure] = tree_flatten(seed_layer());
  EXPECT_EQ(leaves, (std::vector<any_attribute>{masked_value(-1e9), 512}));
  EXPECT_EQ(structure.child_field_names, (std::vector<std::string>{"masked_out_value", "sliding_window_size"}));
  EXPECT_EQ(structure.static_fields,
            (std::vector<std::pair<std::string, std::string>>{{"query_positions_input_name", "token_positions"},
                                                              {"kv_positions_input_name", "token_positions"},
                                                              {"seq_axis", "seq"},
                                                              {"kv_seq_axis", "kv_seq"}}));
  const any_layer same = tree_unflatten(structure, leaves);
  EXPECT_EQ(attributes_dict(same), seed_fields);
  EXPECT_EQ(same.name(), "layers.0");
  EXPECT_EQ(tree_flatten(same).structure, structure);

  const std::vector<any_attribute> others{masked_value(-2), 7};
  EXPECT_EQ(attributes_dict(tree_unflatten(structure, others)),
            with(with(seed_fields, "masked_out_value", masked_value(-2)), "sliding_window_size", 7));
}

TEST(AnyTree, PairsEachLeafWithItsKey) {
  const auto [leaves, structure] = tree_flatten_with_keys(seed_layer());
  ASSERT_EQ(leaves.size(), 2U);
  EXPECT_EQ(leaves[0].first.str(), ".masked_out_value");
  EXPECT_EQ(leaves[1].first.str(), ".sliding_window_size");
  EXPECT_EQ(leaves[1].second, any_attribute(512));
  EXPECT_EQ(structure, tree_flatten(seed_layer()).structure);
}

TEST(AnyTree, NeedsEachLeaf) {
  const auto flat = tree_flatten(seed_layer());
  EXPECT_EQ(error_of([&] { return tree_unflatten(flat.structure, std::span(flat.leaves).first(1)); }),
            "axismask: error[leaf-count] layers.0: the leaves are \"masked_out_value\", \"sliding_window_size\", and "
            "these are more or fewer; give one for each");
}

// ------------------------------------------------------------------------------------------------------- Variables

any_layer unbound_layer() { return select(seed_layer()).at("sliding_window_size").set(any_variable("window")); }

TEST(AnyVariable, IsALeafAndInTheFormula) {
  EXPECT_EQ(tree_flatten(unbound_layer()).leaves[1], any_attribute(any_variable("window")));
  EXPECT_EQ(unbound_layer().formula(), "q >= k && q - k < window && k >= 0");
}

TEST(AnyVariable, IsBound) {
  const any_layer bound = bind_variables(unbound_layer(), {value("window", 7)});
  EXPECT_EQ(attributes_dict(bound), with(seed_fields, "sliding_window_size", 7));
  const any_layer each = bind_variables(unbound_layer(), {value("window", axis_counts{"heads", {1, 2}})});
  EXPECT_EQ(tree_flatten(each).leaves[1], any_attribute(axis_counts{"heads", {1, 2}}));
  // A value may be another variable.
  const any_layer renamed = bind_variables(unbound_layer(), {value("window", any_variable("size"))});
  EXPECT_EQ(tree_flatten(renamed).leaves[1], any_attribute(any_variable("size")));
}

TEST(AnyVariable, IsBoundInEveryLeaf) {
  const any_layer both = select(unbound_layer()).at("masked_out_value").set(any_variable("window"));
  EXPECT_EQ(tree_flatten(bind_variables(both, {value("window", 7)})).leaves,
            (std::vector<any_attribute>{masked_value(7), 7}));
  const any_layer other = select(unbound_layer()).at("masked_out_value").set(any_variable("fill"));
  EXPECT_EQ(tree_flatten(bind_variables(other, {value("window", 7)})).leaves,
            (std::vector<any_attribute>{any_variable("fill"), 7}));
}

TEST(AnyVariable, ErrorsSayTheVariable) {
  EXPECT_EQ(error_of([] { return bind_variables(unbound_layer(), {value("windows", 7)}); }),
            "axismask: error[variable-unknown] layers.0: there is no variable \"windows\"; the layer has \"window\" "
            "(did you mean \"window\"?); leave it out, or bind it with allow_unused");
  EXPECT_EQ(error_of([] { return bind_variables(unbound_layer(), {value("window", 7), value("window", 7)}); }),
            "axismask: error[variable-twice] layers.0: the variable \"window\" is given twice; leave one of them out");
  EXPECT_EQ(error_of([] { return bind_variables(unbound_layer(), {value("window", 0)}); }),
            "axismask: error[field-value] layers.0.sliding_window_size: it is 0; give a whole number of at least 1");
  EXPECT_EQ(error_of([] { return unbound_layer().values(); }),
            "axismask: error[variable-unbound] sliding_window_size: the variable \"window\" has no value; bind it with "
            "bind_variables, or supply it for one call with stateless_call");
}

TEST(AnyVariable, ThatIsUnusedMayBeAllowed) {
  const any_layer same = bind_variables(seed_layer(), allow_unused, {value("window", 7)});
  EXPECT_EQ(attributes_dict(same), seed_fields);
}

// ----------------------------------------------------------------------------------------------------------- Calls

// Calls with a window that comes with the call: of known types, and of a spec.
class StatelessCall : public testing::Test {
 protected:
  StatelessCall() {
    std::iota(logits_.data(), logits_.data() + logits_.element_count(), 1.0F);
    std::iota(positions_.data(), positions_.data() + positions_.element_count(), 0);
  }

  static std::vector<float> values(const named_array<float, axes<"seq", "kv_seq">>& array) {
    return {array.data(), array.data() + array.element_count()};
  }

  // As penzai masks them with a window of 2.
  const std::vector<float> wanted_{1, -1, -1, 4, 5, -1, -1, 8, 9};

  named_array<float, axes<"seq", "kv_seq">> logits_{{3, 3}};
  named_array<float, axes<"seq", "kv_seq">> out_{{3, 3}};
  named_array<std::int32_t, axes<"seq">> positions_{{3}};
};

TEST_F(StatelessCall, OfAKnownTypeGivesTheResultAndTheValues) {
  const ApplyCausalSlidingWindowAttentionMask<variable<"window">> layer{.masked_out_value = -1,
                                                                        .sliding_window_size = {}};
  const auto [result, after] =
      stateless_call(layer, std::tuple(value<"window">(2)), logits_, input<"token_positions">(positions_));
  EXPECT_EQ(values(result), wanted_);
  EXPECT_EQ(std::get<0>(after).label, "window");
  EXPECT_EQ(std::get<0>(after).value, 2);
}

TEST_F(StatelessCall, OfASpecGivesTheResultAndTheValues) {
  const any_layer layer = select(unbound_layer()).at("masked_out_value").set(-1);
  const std::array<side_input, 1> inputs{side_input{"token_positions", positions_.view().erased()}};
  const auto after = stateless_call(layer, {value("window", 2)}, logits_.view().erased(), out_.view().erased(), inputs);
  EXPECT_EQ(values(out_), wanted_);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].label, "window");
  EXPECT_EQ(after[0].value, any_attribute(2));
  // The layer itself is as it was.
  EXPECT_EQ(tree_flatten(layer).leaves[1], any_attribute(any_variable("window")));
}

TEST_F(StatelessCall, WithoutAValueWritesNothing) {
  const std::array<side_input, 1> inputs{side_input{"token_positions", positions_.view().erased()}};
  std::fill_n(out_.data(), out_.element_count(), 3.0F);
  EXPECT_EQ(error_of([&] {
              unbound_layer().apply(logits_.view().erased(), out_.view().erased(), inputs);
              return 0;
            }).rfind("axismask: error[variable-unbound] ", 0),
            0U);
  EXPECT_EQ(values(out_), std::vector<float>(9, 3.0F));
}

TEST_F(StatelessCall, OfAnEditedLayerUsesTheNewValues) {
  const any_layer layer = select(select(seed_layer()).at("sliding_window_size").set(2)).at("masked_out_value").set(-1);
  const std::array<side_input, 1> inputs{side_input{"token_positions", positions_.view().erased()}};
  layer.apply(logits_.view().erased(), out_.view().erased(), inputs);
  EXPECT_EQ(values(out_), wanted_);
}

// ---------------------------------------------------------------------------------------------------------- Colour

TEST(AnyColor, IsThatOfTheKnownType) {
  EXPECT_EQ(treescope_color(seed_layer()), treescope_color(seed{-1, 2}));
  EXPECT_EQ(treescope_color(seed_layer()), "oklch(0.785 0.103 320.009765625 / 1.0)");
}

// ---------------------------------------------------------------------------------------------------- Compositions

// Fields of one name, in the order of the masks.
TEST(AnyComposition, IsATreeWithFieldsOfOneName) {
  using both = all_of<seed, seed>;
  any_attributes fields = seed_fields;
  fields.insert(fields.end(), seed_fields.begin() + 1, seed_fields.end());
  fields[6].second = 7;
  const any_layer layer = from_attributes(layer_type_of<both>, fields);
  EXPECT_EQ(attributes_dict(layer), fields);
  EXPECT_EQ(tree_flatten(layer).leaves, (std::vector<any_attribute>{masked_value(-1e9), 512, 7}));
  EXPECT_EQ(attributes_dict(tree_unflatten(tree_flatten(layer).structure, tree_flatten(layer).leaves)), fields);
  EXPECT_EQ(
      error_of([&] { return select(layer).at("sliding_window_size"); }).rfind("axismask: error[field-ambiguous] ", 0),
      0U);

  fields[9].second = "rows";
  EXPECT_EQ(error_of([&] { return from_attributes(layer_type_of<both>, fields, "a"); }),
            "axismask: error[field-value] a.seq_axis: it is \"rows\", and seq_axis is \"seq\"; give all masks of a "
            "composition the same axes");
}

}  // namespace
}  // namespace axismask
