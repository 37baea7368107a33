// The room of model specs: JSON to layers (model.cpp is the way in, groups, mask_shape and read_mask follow), layers to
// JSON (spec_text), and layers edited (layer_structure). It knows files and linked layer types, and never runs a layer;
// nothing of Hugging Face's files, arrays or the command line enters.
//
// Here: the keys of specs, each once, with what belongs in it. Whoever reads, writes or refuses a key takes it from
// here. The keys of compositions are the DSL's (`composition_keys`), those of attributes the linked types'.
#pragma once

#include <array>
#include <string_view>

#include "axismask/layer/layer_type.hpp"

namespace axismask::spec {

struct spec_key {
  std::string_view name;
  bool is_required;
  std::string_view wanted;  // what its value is, after "give" or "add it:"
};

// A key of a layer that is no attribute of its type. The parts of a composition do not have it.
struct layer_key : spec_key {
  std::string_view why_not_of_parts;  // after `"..." belongs to the layer,`
  std::string_view cure_in_parts;
};

namespace keys {

// The spec's own.
inline constexpr spec_key version{"axismask", true, R"("axismask": 1, the version of the format)"};
inline constexpr spec_key model{"model", true, R"(the model's name, such as "gemma-3-1b")"};
inline constexpr spec_key layers{"layers", true, R"(the model's mask layers: [{"name": ..., "type": ...}])"};
inline constexpr spec_key schema{"$schema", false, "a text"};
inline constexpr spec_key masks{"masks", false, R"(an object of named masks: {"sliding": {"type": ...}})"};
inline constexpr std::array of_spec{version, model, layers, schema, masks};

// A layer's. `type` is the key of a mask that is not composed.
inline constexpr layer_key name{
    {"name", true, R"(the layer's name, such as "layers.0")"}, "and its parts have none", "leave it out here"};
inline constexpr spec_key type{key_of(composition::none), true, "the layer's type"};
inline constexpr layer_key masked_out_value{
    {"masked_out_value", true, info(attribute_kind::masked_value).wanted_in_spec},
    "which has one value for all its parts",
    R"(leave it out here, and give "masked_out_value" beside the layer's "name")"};
inline constexpr layer_key empty_rows{{"empty_rows", false, R"("masked", "error", "keep_self" or "zeros")"},
                                      "because a row is empty or not by the whole mask",
                                      R"(leave it out here, and give it beside the layer's "masked_out_value")"};
inline constexpr layer_key attention{{"attention", false, R"(an object: {"scale": ..., "softcap": ..., "sinks": ...})"},
                                     "which attends by the whole mask",
                                     R"(leave it out here, and give it beside the layer's "masked_out_value")"};
inline constexpr std::array of_layer{name, masked_out_value, empty_rows, attention};

// A group's. Its name is that of its layers.
inline constexpr spec_key group_name{name.name, true, R"(the layers' names, such as "layers.{}")"};
inline constexpr spec_key pattern{"pattern", true,
                                  R"(an array of masks: each an object {"type": ...}, or the name of one in "masks")"};
inline constexpr spec_key count{"count", false, "a whole number of at least 1"};
inline constexpr std::array of_group{group_name, pattern, count};

// Those of a parameter that has one number for each index of an axis.
inline constexpr spec_key axis{"axis", true, R"(the axis that the numbers lie along, such as "heads")"};
inline constexpr spec_key values{"values", true, "an array with a number for each index of the axis"};
inline constexpr std::array of_numbers{axis, values};

// Those of a layer's attention. Its numbers are float32's.
inline constexpr spec_key scale{"scale", false, "a number that scores are multiplied by, such as 0.0625"};
inline constexpr spec_key softcap{"softcap", false, "a number above 0, such as 50"};
inline constexpr spec_key sinks{"sinks", false, R"(an object: {"axis": "heads", "values": [...]})"};
inline constexpr std::array of_attention{scale, softcap, sinks};

}  // namespace keys

// What messages ask for where a whole object is wrong.
inline constexpr std::string_view spec_wanted = R"(an object: {"axismask": 1, "model": ..., "layers": [...]})";
inline constexpr std::string_view version_wanted = "1, the version of the format";
inline constexpr std::string_view layers_wanted = R"(an array of layers: [{"name": ..., "type": ...}])";
inline constexpr std::string_view one_layer_wanted = R"(at least one layer: [{"name": ..., "type": ...}])";
inline constexpr std::string_view layer_wanted =
    R"(a layer: {"name": ..., "type": ..., and the attributes of that type})";
inline constexpr std::string_view part_wanted = R"(a mask: {"type": ..., and the attributes of that type})";
inline constexpr std::string_view parts_wanted = R"(an array of masks: [{"type": ...}, {"type": ...}])";
inline constexpr std::string_view pattern_mask_wanted =
    R"(a mask: an object {"type": ...}, or the name of one in "masks")";

}  // namespace axismask::spec
