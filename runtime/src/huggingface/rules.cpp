// The rules by which transformers 5.24.0 makes masks from a model's config.json, read in its sources in November 2026
// (github.com/huggingface/transformers, src/transformers). For each family the configuration class says what absent
// keys are and how `layer_types` is made, and the model's forward which mask a layer gets; the table of families has
// that as columns, and here is what the columns mean. The masks themselves are masking_utils.py's:
//   create_causal_mask                      k <= q
//   create_sliding_window_causal_mask       q - W < k <= q: W keys
//   create_chunked_causal_mask              k / C == q / C and k <= q, both counted from the row's first token
//   create_bidirectional_mask               all
//   create_bidirectional_sliding_window_mask   abs(q - k) <= W: 2 W + 1 keys
// The first two become the last two where `is_causal` is false. tests/oracle compares each rule with the classes, and
// each mask with those functions.
#include "huggingface/rules.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "spec/json_text.hpp"

namespace axismask::huggingface {

using nlohmann::json;

layer_choice choice_of(const listed& entry, bool is_by_file) {
  switch (entry.letter) {
    case 'F':
    case 'H':
      return {choice::full, entry.reason, is_by_file};
    case 'S':
    case 'h':
      return {choice::sliding, entry.reason, is_by_file};
    case 'C':
      return {choice::chunked, entry.reason, is_by_file};
    case 'I':
      return {choice::full, entry.reason, is_by_file,
              "of the keys that it sees an indexer keeps some by their content"};
    case 'X':
      return {choice::sliding, entry.reason, is_by_file, "beside the window it sees keys that are compressed"};
    default:
      return {choice::none, entry.reason, is_by_file};
  }
}

namespace {

// The letters of a cycle that repeats one letter but for one at an end, as "every n-th layer is full" does.
struct run {
  char repeated;
  char single;
  bool is_single_last;
};

std::optional<run> run_of(std::string_view cycle) {
  if (cycle.size() < 2) return std::nullopt;
  const bool is_last = cycle.find_first_not_of(cycle[0]) == cycle.size() - 1;
  const bool is_first = cycle[0] != cycle[1] && cycle.substr(1).find_first_not_of(cycle[1]) == std::string_view::npos;
  if (!is_last && !is_first) return std::nullopt;
  return is_last ? run{cycle[0], cycle.back(), true} : run{cycle[1], cycle[0], false};
}

// The divisor of a pattern.
std::int64_t divisor(const config_reader& config, const setting& every) {
  if (every.number == 0) {
    throw error("config-value", config.where(every.key), "it is 0, and transformers divides by it",
                "give the number of layers after which the pattern repeats");
  }
  return std::abs(every.number);
}

// Letters that are made of a cycle, one layer at a time.
class cycle_of_layers {
 public:
  cycle_of_layers(config_reader& config, const family& of, std::size_t layers) : of_(of), layers_(layers) {
    size_ = static_cast<std::int64_t>(of.cycle.size());
    offset_ = of.offset;
    if (!of.period_key.empty()) read_period(config);
    if (!of.offset_key.empty()) {
      const setting offset = config.whole_number(of.offset_key, of.offset);
      offset_ = offset.number;
      is_by_file_ = is_by_file_ || offset.is_given;
      source_ += ", and " + offset.text();
      if (of.is_offset_below_period && offset_ >= size_) {
        throw error("config-value", config.where(of.offset_key),
                    "it is " + std::to_string(offset_) + ", and the pattern repeats after " + counted(size_, "layer") +
                        "; transformers refuses that",
                    "give a smaller " + std::string(of.offset_key));
      }
    }
    if (!of.late_key.empty()) {
      late_ = config.whole_number(of.late_key, 0);
      late_period_ = config.whole_number(of.late_period_key, 1);
      divisor(config, late_period_);
    }
    if (source_.empty()) source_ = "the class has no key for the pattern";
  }

  [[nodiscard]] bool is_by_file() const { return is_by_file_; }

  [[nodiscard]] listed at(std::size_t layer) const {
    if (layer < of_.first.size()) {
      return {of_.first[layer], "the class makes the first " + counted(of_.first.size(), "layer") + " so"};
    }
    if (static_cast<std::int64_t>(layer) < late_.number) return before_late(layer);
    if (size_ == 1 && of_.cycle.size() == 1) return {of_.cycle[0], same_for_all()};
    const auto index =
        static_cast<std::int64_t>(of_.is_from_end ? layers_ - 1 - layer : layer) - of_.cycle_from - late_.number;
    if (const auto run = run_of(of_.cycle)) return in_run(*run, layer, index);
    const std::int64_t place = (index - offset_ % size_ + size_) % size_;
    return {of_.cycle[static_cast<std::size_t>(place)],
            of_.is_cycle_all ? "the class's own list of layers has it so"
                             : "the class repeats a pattern of " + counted(size_, "layer") +
                                   ", of which this is number " + std::to_string(place)};
  }

 private:
  void read_period(config_reader& config) {
    const json* value = config.find(of_.period_key);
    // Exaone4Config: what its documentation describes, "LLLG", is divided by as it is.
    if (value != nullptr && value->is_string()) {
      throw error("config-value", config.where(of_.period_key),
                  "it is " + in_words(*value) + ", which the documentation of " + std::string(of_.by) +
                      " describes and its code cannot divide by",
                  "give layer_types, an entry for each layer");
    }
    const setting every = config.whole_number(of_.period_key, size_);
    size_ = divisor(config, every);
    source_ = every.text();
    is_by_file_ = every.is_given;
  }

  // Cohere2MoeConfig: the dense layers, which come first, have a pattern of their own.
  [[nodiscard]] listed before_late(std::size_t layer) const {
    const bool is_full = (static_cast<std::int64_t>(layer) + 1) % late_period_.number == 0;
    return {is_full ? 'F' : 'S', std::to_string(layer) + " < " + std::string(of_.late_key) + "; " + late_.text() +
                                     ", and " + late_period_.text()};
  }

  [[nodiscard]] std::string same_for_all() const {
    switch (of_.cycle[0]) {
      case '-':
        return "the model has no attention";
      case 'S':
        return "the model's code makes one sliding mask, for every layer";
      case 'H':
        return "each layer has attention, and linear attention beside it";
      case 'I':
        return "each layer has an indexer";
      default:
        return of_.sees_both ? "the model is an encoder" : "the model's code makes one causal mask, for every layer";
    }
  }

  // As the class's code writes it: (layer + 1) % n, or layer % n.
  [[nodiscard]] listed in_run(const run& letters, std::size_t layer, std::int64_t index) const {
    const std::int64_t added = letters.is_single_last && !of_.is_from_end ? 1 : 0;
    const std::int64_t wanted = offset_;
    const bool is_single = ((index + added) % size_ + size_) % size_ == wanted;
    const std::string number = std::to_string(layer);
    std::string text = number;
    if (of_.is_from_end) {
      text = "(" + std::to_string(layers_) + "-1-" + number + ")";
    } else if (added - of_.cycle_from > 0) {
      text = "(" + number + "+" + std::to_string(added - of_.cycle_from) + ")";
    } else if (added - of_.cycle_from < 0) {
      text = "(" + number + "-" + std::to_string(of_.cycle_from - added) + ")";
    }
    return {
        is_single ? letters.single : letters.repeated,
        text + " % " + std::to_string(size_) + (is_single ? " == " : " != ") + std::to_string(wanted) + "; " + source_};
  }

  const family& of_;
  std::size_t layers_;
  setting late_{};
  setting late_period_{};
  std::int64_t size_ = 1;
  std::int64_t offset_ = 0;
  std::string source_;
  bool is_by_file_ = false;
};

// The family's lists under other names, else its cycle.
std::vector<layer_choice> made_choices(config_reader& config, const family& of, std::size_t layers) {
  // The classes work out their default pattern even where a list is there.
  const cycle_of_layers cycle(config, of, layers);
  std::vector<listed> entries = read_flags(config, of, layers);
  if (entries.empty()) entries = read_indices(config, of, layers);
  if (entries.empty()) {
    entries = read_blocks(config, of);
    const std::size_t given = entries.size();
    if (given > 0 && of.length == list_length::repeated) {
      entries.resize(layers, listed{'-', ""});
      for (std::size_t layer = given; layer < layers; ++layer) entries[layer] = entries[layer % given];
    } else if (given > 0 && given != layers) {
      throw_wrong_length(config, of.blocks_key, given, layers);
    }
  }
  std::vector<layer_choice> result;
  if (!entries.empty()) {
    for (const listed& entry : entries) result.push_back(choice_of(entry, true));
    return result;
  }
  if (of.is_cycle_all && of.cycle.size() != layers) {
    throw error("config-missing-key", config.where(),
                "the class's own list is of " + counted(of.cycle.size(), "layer") + ", and the model has " +
                    counted(layers, "layer"),
                "add " + std::string(of.blocks_key.empty() ? layer_types_key : of.blocks_key));
  }
  for (std::size_t layer = 0; layer < layers; ++layer) {
    result.push_back(choice_of(cycle.at(layer), cycle.is_by_file()));
  }
  return result;
}

// Takes the window from layers.
class window_taker {
 public:
  window_taker(config_reader& config, const family& of) : of_(of) {
    if (!of.gate_key.empty()) gate_ = config.boolean(of.gate_key, false);
    if (!of.window_key.empty() && of.is_full_without_window) {
      window_ = config.whole_number_or_null(of.window_key, of.window);
    }
    if (!of.from_key.empty()) from_ = config.whole_number(of.from_key, of.from);
    if (!of.until_key.empty()) until_ = config.whole_number(of.until_key, of.until);
  }

  void take(std::size_t layer, layer_choice& from) const {
    if (from.what != choice::sliding && from.what != choice::chunked) return;
    if (!of_.gate_key.empty() && !gate_.value) {
      from = {choice::full, gate_.text(), gate_.is_given};
    } else if (window_.is_null) {
      from = {choice::full, window_.text(), window_.is_given};
    } else if (!of_.from_key.empty() || !of_.until_key.empty()) {
      take_by_number(static_cast<std::int64_t>(layer), from);
    } else if (of_.cycle == "S" && of_.types.empty()) {
      // Where the window is a class's default, the reason says so with the window.
      from.reason = window_.is_given ? std::string(of_.window_key) + " is there, and holds for every layer"
                                     : "an absent " + std::string(of_.window_key) + " is not null";
      from.is_by_file = window_.is_given;
    }
  }

 private:
  // Qwen2Config: use_sliding_window opens the window, and then it is the layers from max_window_layers on that slide,
  // not those before. Qwen2MoeConfig has it the other way round.
  void take_by_number(std::int64_t layer, layer_choice& from) const {
    const bool is_from = !of_.from_key.empty();
    const setting& number = is_from ? from_ : until_;
    const bool is_before = layer < number.number;
    if (is_before == is_from) from.what = choice::full;
    std::string reason =
        std::to_string(layer) + (is_before ? " < " : " >= ") + std::string(number.key) + "; " + number.text();
    if (!of_.gate_key.empty()) reason += ", and " + gate_.text();
    if (of_.cycle.size() > 1) reason = from.reason + "; " + reason;
    from.reason = reason;
    from.is_by_file = number.is_given;
  }

  const family& of_;
  flag gate_{};
  setting window_{};
  setting from_{};
  setting until_{};
};

}  // namespace

void force_last_layer(const family& of, std::vector<layer_choice>& choices) {
  if (of.last != last_full::always || choices.back().what == choice::full) return;
  choices.back() = {choice::full, "the class makes the last layer full, whatever the file says", false};
}

std::vector<layer_choice> choices_of_general_rule(config_reader& config, std::size_t layers) {
  const json* gate = config.find("use_sliding_window");
  const bool is_shut = gate != nullptr && gate->is_boolean() && !gate->get<bool>();
  if (is_shut) config.find("max_window_layers");
  const json* window = config.find(window_key);
  if (window != nullptr && window->is_array() && !window->empty()) {
    // Mistral's own files, params.json: a window for each layer, and the list is repeated.
    std::vector<layer_choice> result;
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const std::size_t entry = layer % window->size();
      const std::string text = "sliding_window[" + std::to_string(entry) + "] is " + (*window)[entry].dump();
      result.push_back({(*window)[entry].is_null() ? choice::full : choice::sliding, text, true});
    }
    return result;
  }
  if (!config.whole_number_or_null(window_key, std::nullopt).is_null && !is_shut) {
    return {layers, {choice::sliding, "there is no layer_types, and sliding_window is not null"}};
  }
  if (!config.whole_number_or_null(chunk_key, std::nullopt).is_null) {
    return {layers,
            {choice::chunked, "there is neither layer_types nor sliding_window, and attention_chunk_size is not null"}};
  }
  return {layers,
          {choice::full, is_shut ? "there is no layer_types, and use_sliding_window is false"
                                 : "there is neither layer_types nor sliding_window nor attention_chunk_size"}};
}

std::vector<layer_choice> choices_of_family(config_reader& config, const family& of, std::size_t layers) {
  // Exaone4Config.__post_init__: a window of null makes the pattern 0.
  if (of.is_period_zero_without_window && config.whole_number_or_null(of.window_key, of.window).is_null) {
    throw error("config-value", config.where(of.window_key),
                "it is null, which makes " + std::string(of.period_key) + " 0, and transformers divides by it",
                "give layer_types, an entry for each layer");
  }
  std::vector<layer_choice> result = made_choices(config, of, layers);
  const window_taker taker(config, of);
  for (std::size_t layer = 0; layer < layers; ++layer) taker.take(layer, result[layer]);
  const bool has_full =
      std::any_of(result.begin(), result.end(), [](const auto& one) { return one.what == choice::full; });
  if (of.last == last_full::by_default || (of.last == last_full::if_none_is && !has_full)) {
    if (result.back().what != choice::full)
      result.back() = {choice::full, "the class makes the last layer full", false};
  }
  force_last_layer(of, result);
  return result;
}

}  // namespace axismask::huggingface
