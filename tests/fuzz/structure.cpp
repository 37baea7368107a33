// Edits of a layer's structure: fields, leaves and variables in any order, with any values.
#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "axismask/layer_structure.hpp"
#include "axismask/linked.hpp"
#include "axismask/model.hpp"
#include "must.hpp"

namespace axismask::fuzz {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): must

constexpr const char* spec = R"({"axismask": 1, "model": "m", "layers": [
  {"name": "window", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1e9, "sliding_window_size": 512},
  {"name": "heads", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": "lowest",
   "sliding_window_size": {"axis": "heads", "values": [1, 2, 3]}},
  {"name": "explicit", "type": "ApplyExplicitAttentionMask", "masked_out_value": "-inf"},
  {"name": "chunks", "type": "ApplyChunkedAttentionMask", "masked_out_value": 0, "attention_chunk_size": 7},
  {"name": "sinks", "masked_out_value": -5, "all": [{"type": "ApplyCausalAttentionMask"}, {"any": [
    {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 4},
    {"type": "ApplySinksAttentionMask", "sink_count": 2}]}]}]})";

std::string name_of(FuzzedDataProvider& data) {
  constexpr std::array names{
      "masked_out_value", "sliding_window_size",        "attention_chunk_size",    "sink_count",     "seq_axis",
      "kv_seq_axis",      "query_positions_input_name", "kv_positions_input_name", "mask_input_name"};
  return data.ConsumeIntegral<std::uint8_t>() < 200 ? std::string(data.PickValueInArray(names))
                                                    : data.ConsumeRandomLengthString(20);
}

any_attribute value_of(FuzzedDataProvider& data) {
  switch (data.ConsumeIntegralInRange(0, 6)) {
    case 0:
      return masked_value(data.ConsumeFloatingPoint<double>());
    case 1:
      return data.ConsumeBool() ? masked_value::lowest() : masked_value::minus_infinity();
    case 2:
      return data.ConsumeIntegral<std::int64_t>();
    case 3:
      return std::int64_t{data.ConsumeIntegralInRange(-2, 600)};
    case 4: {
      axis_counts counts{data.ConsumeRandomLengthString(8), {}};
      for (int left = data.ConsumeIntegralInRange(0, 5); left > 0; --left) {
        counts.values.push_back(data.ConsumeIntegralInRange<std::int64_t>(-1, 9));
      }
      return counts;
    }
    case 5:
      return data.ConsumeRandomLengthString(12);
    default:
      return any_variable(data.ConsumeRandomLengthString(4));
  }
}

// A layer can be taken apart and put together by each of the ways.
void check_ways(const any_layer& layer) {
  must(attributes_dict(from_attributes(layer.type(), attributes_dict(layer), layer.name())) == attributes_dict(layer),
       "a layer is what its attributes make");
  const any_flattened flat = tree_flatten(layer);
  const any_layer again = tree_unflatten(flat.structure, flat.leaves);
  must(tree_flatten(again).leaves == flat.leaves && tree_flatten(again).structure == flat.structure,
       "a layer is what its tree makes");
  must(tree_flatten_with_keys(layer).leaves.size() == flat.leaves.size(), "each leaf has a key");
  must(treescope_color(again) == treescope_color(layer), "a layer keeps its colour");
  succeeds([&] { must(!layer.formula().empty(), "a layer has a formula"); });
}

any_layer edited(FuzzedDataProvider& data, const any_layer& layer) {
  switch (data.ConsumeIntegralInRange(0, 5)) {
    case 0: {
      any_attributes fields = attributes_dict(layer);
      for (int left = data.ConsumeIntegralInRange(1, 3); left > 0; --left) {
        const std::size_t at = data.ConsumeIntegralInRange<std::size_t>(0, fields.size());
        if (at == fields.size()) {
          fields.emplace_back(name_of(data), value_of(data));
        } else if (data.ConsumeBool()) {
          fields[at].second = value_of(data);
        } else {
          fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (fields.empty()) break;
      }
      return from_attributes(layer.type(), fields, data.ConsumeRandomLengthString(4));
    }
    case 1:
      return select(layer).at(name_of(data)).set(value_of(data));
    case 2:
      return with_empty_rows(
          layer, data.PickValueInArray({empty_row_rule::masked, empty_row_rule::error, empty_row_rule::keep_self}));
    case 3: {
      any_flattened flat = tree_flatten(layer);
      if (flat.leaves.empty() || data.ConsumeBool()) {
        flat.leaves.push_back(value_of(data));
      } else {
        flat.leaves[data.ConsumeIntegralInRange<std::size_t>(0, flat.leaves.size() - 1)] = value_of(data);
      }
      return tree_unflatten(flat.structure, flat.leaves);
    }
    case 4: {
      std::vector<any_variable_value> values;
      for (int left = data.ConsumeIntegralInRange(0, 3); left > 0; --left) {
        values.push_back(value(data.ConsumeRandomLengthString(4), value_of(data)));
      }
      return data.ConsumeBool() ? bind_variables(layer, values) : bind_variables(layer, allow_unused, values);
    }
    default:
      static_cast<void>(key_for_field(layer, name_of(data)));
      return from_attributes(data.ConsumeRandomLengthString(30), attributes_dict(layer));
  }
}

}  // namespace
}  // namespace axismask::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  using namespace axismask;        // NOLINT(google-build-using-namespace): a function of C
  using namespace axismask::fuzz;  // NOLINT(google-build-using-namespace)
  static const Model model = Model::parse(spec, "fuzz.json");
  FuzzedDataProvider data(bytes, count);
  any_layer layer = model.layers()[data.ConsumeIntegralInRange<std::size_t>(0, model.layers().size() - 1)];
  while (data.remaining_bytes() > 0) {
    const any_attributes before = attributes_dict(layer);
    any_layer next = layer;
    if (!succeeds([&] { next = edited(data, layer); }))
      must(attributes_dict(layer) == before, "a refused edit changes nothing");
    layer = next;
    check_ways(layer);
  }
  return 0;
}
