// The table of families: a row for each model type of transformers 5.24.0 whose masks are known, or known not to be a
// matter of positions. What differs from family to family is a column; rules.cpp and importer.cpp read columns, and
// never ask for a model type. docs/models.md says how a row is added.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/huggingface.hpp"

namespace axismask::huggingface {

// What a window's number means.
enum class window_unit {
  keys,            // W keys, the query's own included
  half_keys,       // W / 2 keys
  keys_before,     // W keys before the query: W + 1
  each_side,       // W keys to each side; for layers that see both
  half_each_side,  // W / 2 keys to each side
};

// What becomes of a list with an entry for each layer whose length is not the number of layers.
enum class list_length { exact, cut, repeated, decides_layers };

// When the last layer is full whatever the cycle says.
enum class last_full { no, by_default, always, if_none_is };

// A value of `both_key` that opens the masks to both sides.
enum class opens_with { nothing, is_true, is_all };

// What rows of several files say.
inline constexpr std::string_view bidirectional_key = "use_bidirectional_attention";
inline constexpr std::string_view two_masks =
    "it has an encoder and a decoder, whose layers have masks of two kinds, and cross attention between them";

struct family {
  // -- Which model type. `of` is the folder of transformers' models where it is not the model type; `by` the class
  // whose code decides: "Gemma2Config" is in models/gemma2/configuration_gemma2.py, "LlamaModel" in modeling_llama.py.
  std::string_view type{};
  std::string_view of{};
  std::string_view by{};

  // -- How many layers, where the key is absent; each counts for `attentions` layers with attention.
  std::string_view layers_key = "num_hidden_layers";
  std::int64_t layers = 0;
  std::int64_t attentions = 1;

  // -- Which layer has what, where the file has no list: letters that are repeated over the layers. F full, S sliding,
  // C chunked, - none; H full and h sliding beside linear attention; I full behind an indexer, X sliding beside
  // compressed keys. `period_key` is n of "every n-th layer": it makes the run of the cycle's repeated letter longer.
  std::string_view cycle = "F";
  std::string_view period_key{};
  bool is_period_zero_without_window = false;  // the class then divides by 0
  std::string_view offset_key{};               // the cycle is that many layers late
  std::int64_t offset = 0;
  bool is_offset_below_period = false;  // the class refuses another
  std::string_view first{};             // in place of the first layers' letters
  last_full last = last_full::no;
  bool is_from_end = false;            // the cycle ends with the last layer
  std::string_view late_key{};         // the layers before this number are full, and the cycle begins with that layer
  std::string_view late_period_key{};  // of those, only each n-th is full
  std::int64_t cycle_from = 0;         // the cycle begins with that layer, behind `first`
  bool is_cycle_all = false;           // the cycle is the class's own list of all layers, and is never repeated

  // -- Layers that a number or a gate takes the window from; they are full then.
  std::string_view gate_key{};    // false or absent: none slides
  bool is_gate_of_window = true;  // the class then forgets the window, also that of a given layer_types
  std::string_view from_key{};    // layers before this number are full
  std::int64_t from = 0;
  std::string_view until_key{};  // layers from this number on are full
  std::int64_t until = 0;
  bool is_full_without_window = false;  // a window of null is no mistake

  // -- Lists. `types`: the letters that the model has masks for in layer_types; "" where its code does not look at it.
  std::string_view types{};
  bool refuses_layer_types = false;  // the class has lists of other names only
  list_length length = list_length::exact;
  std::string_view cut_key{};          // a list may be that much longer, and is cut
  bool has_mlp_entries = false;        // in layer_types, every second entry then, and half of the layers (dory)
  std::string_view blocks_key{};       // a list or text of another vocabulary: ["recurrent", "attention"], "M-M*"
  std::string_view old_blocks_key{};   // the same under its older name
  std::string_view indices_key{};      // a list of layers' numbers; '/' for an object's key
  std::string_view indices_letters{};  // of the layers that are in it, and of the others
  std::int64_t indices_from = 0;
  std::string_view flags_key{};      // a list of whole numbers
  std::string_view flags_letters{};  // where it is not 0, where it is 0
  std::string_view flags_remark{};   // what the layer then has, "RoPE"
  list_length flags_length = list_length::exact;

  // -- The window (of chunks, with C).
  std::string_view window_key{};  // "" where the code reads none
  std::optional<std::int64_t> window{};
  window_unit unit = window_unit::keys;
  std::int64_t every_second_window = 0;  // of each second layer that slides, where per_layer_config is absent
  bool is_window_never_null = false;     // null is a mistake even where no layer slides
  bool has_window_list = false;          // it may be a list of one for each layer
  std::string_view other_window_key{};   // wins where it is there
  window_unit other_unit = window_unit::keys;

  // -- The direction.
  bool sees_both = false;
  std::string_view causal_key{};  // where it is true, an encoder's class makes causal masks
  std::string_view both_key{};
  opens_with opens = opens_with::nothing;
  bool makes_own_masks = false;       // its code does not look at is_causal
  bool is_vision_by_default = false;  // an absent both_key is "vision": tokens of an image see each other
  bool halves_window = false;         // open, the class makes the window W / 2 + 1

  // -- Sentences. `remark` ends each layer's reason; with a `doubt` the map is a guess; `refusal` is why there is none.
  std::string_view remark{};
  std::string_view doubt{};
  image_attention images = image_attention::none;  // the same, because tokens of an image see all of their image
  std::string_view refusal{};
  bool is_encoder_without_decoder =
      false;  // no refusal where is_encoder_decoder is false: then it is the encoder alone

  // -- Files that describe a text model within: its model type, its key, and what the outer class gives it.
  std::string_view inner{};
  std::string_view inner_key = "text_config";
  bool is_inner_fixed = false;        // whatever the inner model_type says
  std::string_view inner_defaults{};  // JSON, of the outer class
  bool fills_inner = false;           // the defaults also hold for keys that a given text model lacks
  bool is_flat = false;               // without `inner_key`, the outer object has the text model's keys
};

// What is said of models whose image tokens see each other.
inline constexpr std::string_view text_only =
    "the masks are those of text; the tokens of an image see all of their image too, which is not in the file";

// Where the rule stands: "models/gemma2/configuration_gemma2.py, Gemma2Config".
std::string code_of(const family& of);
// What the family's classes are called before "Config", "ForCausalLM" and so on: "Gemma2".
std::string_view stem_of(const family& of);

// The rows, a file for each kind.
std::span<const family> causal_decoders();
std::span<const family> windowed_decoders();
std::span<const family> sparse_decoders();
std::span<const family> hybrids();
std::span<const family> encoders();
std::span<const family> composites();
std::span<const family> encoder_decoders();
std::span<const family> others();  // those that have no mask of positions

// The row of a model type, or `general_family` for every other.
const family& find_family(std::string_view model_type);
extern const family general_family;
bool is_general(const family& of);

// The model types of all rows.
std::vector<std::string_view> known_model_types();

// Every key that some row reads as a pattern, a list or a window: what a foreign file may mean something by.
std::vector<std::string_view> pattern_keys();

}  // namespace axismask::huggingface
