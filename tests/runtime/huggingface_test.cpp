// What is read from a model's config.json: sizes and reasons, warnings, and the text of each error. That the masks are
// those of transformers is for tests/oracle/huggingface_test.py to say.
#include "axismask/huggingface.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "axismask/messages/error.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

config read(const std::string& text) { return config::parse(text, "FILE"); }

// A letter a layer, as in "SSSSSF".
std::string map_of(const config& model) {
  std::string result;
  for (const layer& one : model.layers) result += "-FSCBb"[static_cast<int>(one.what)];
  return result;
}

// "config-value /a: what; cure"
std::string error_of(const std::string& text) {
  try {
    static_cast<void>(read(text));
  } catch (const error& problem) {
    return problem.id() + " " + problem.where() + ": " + problem.what_is_wrong() + "; " + problem.cure();
  }
  return "no error";
}

std::vector<std::string> warnings_of(const std::string& text) {
  std::vector<std::string> result;
  for (const warning& one : read(text).warnings) result.push_back(one.id + " " + one.where + ": " + one.what);
  return result;
}

TEST(HuggingFace, GivesTheMapsOfRealModels) {
  struct model {
    std::string file;
    std::string map;
  };
  const auto repeated = [](const std::string& map, int times) {
    std::string result;
    for (int time = 0; time < times; ++time) result += map;
    return result;
  };
  const model models[] = {
      {R"({"model_type": "gemma2", "num_hidden_layers": 42, "sliding_window": 4096})", repeated("SF", 21)},
      {R"({"model_type": "gemma3_text", "num_hidden_layers": 26, "sliding_window": 512, "sliding_window_pattern": 6})",
       repeated("SSSSSF", 4) + "SS"},
      {R"({"model_type": "gemma3", "text_config": {"num_hidden_layers": 34, "sliding_window": 1024}})",
       repeated("SSSSSF", 5) + "SSSS"},
      {R"({"model_type": "gemma3_text", "num_hidden_layers": 24, "sliding_window": 512,
           "use_bidirectional_attention": true})",
       repeated("bbbbbB", 4)},
      {R"({"model_type": "gemma3n_text", "num_hidden_layers": 35, "sliding_window": 512})", repeated("SSSSF", 7)},
      {R"({"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": null})", "FF"},
      {R"({"model_type": "mistral", "num_hidden_layers": 2})", "SS"},
      {R"({"model_type": "qwen2", "num_hidden_layers": 28, "use_sliding_window": true, "sliding_window": 131072,
           "max_window_layers": 20})",
       repeated("F", 20) + repeated("S", 8)},
      {R"({"model_type": "llama4", "text_config": {"num_hidden_layers": 48, "attention_chunk_size": 8192}})",
       repeated("CCCF", 12)},
      {R"({"model_type": "modernbert", "num_hidden_layers": 22, "local_attention": 128})", repeated("Bbb", 7) + "B"},
      {R"({"model_type": "qwen3_next", "num_hidden_layers": 2, "layer_types": ["linear_attention", "full_attention"]})",
       "-F"},
  };
  for (const model& one : models) EXPECT_EQ(map_of(read(one.file)), one.map) << one.file;
}

// "S4096*2 F": a letter a layer, the keys that it sees, and how often.
std::string map_with_keys_of(const config& model) {
  std::vector<std::string> layers;
  for (const layer& one : model.layers) {
    layers.push_back(std::string(1, "-FSCBb"[static_cast<int>(one.what)]) +
                     (one.visible_keys() ? std::to_string(*one.visible_keys()) : ""));
  }
  std::string result;
  for (std::size_t begin = 0, end = 0; begin < layers.size(); begin = end) {
    while (end < layers.size() && layers[end] == layers[begin]) ++end;
    if (begin > 0) result += " ";
    result += layers[begin] + (end - begin > 1 ? "*" + std::to_string(end - begin) : "");
  }
  return result;
}

// Each kind of file that was once read wrongly, with the map that transformers 5.24.0 has, and the places of the file
// that make it a guess.
TEST(HuggingFace, GivesTheMapsOfTheCases) {
  std::ifstream file(AXISMASK_SOURCE_DIR "/tests/runtime/huggingface_cases.json");
  const json cases = json::parse(file);
  EXPECT_EQ(cases.size(), 53U);
  for (const json& one : cases) {
    const std::string name = one["name"];
    if (one.contains("error")) {
      EXPECT_EQ(error_of(one["config"]).rfind(std::string(one["error"]), 0), 0U) << name;
      continue;
    }
    const config model = read(one["config"]);
    EXPECT_EQ(map_with_keys_of(model), one["map"].get<std::string>()) << name;
    std::set<std::string> doubts;
    for (const warning& said : model.warnings) {
      if (said.is_doubt) doubts.insert(said.where);
    }
    EXPECT_EQ(doubts, one.value("guess", std::set<std::string>())) << name;
    EXPECT_EQ(model.is_certain(), doubts.empty()) << name;
  }
}

// Keys that nobody reads, and a pattern stands in.
TEST(HuggingFace, IsNotCertainOfWhatNobodyReads) {
  const auto is_certain = [](const std::string& more) {
    return read(R"({"model_type": "llama", "num_hidden_layers": 2)" + more + "}").is_certain();
  };
  EXPECT_TRUE(is_certain(""));
  EXPECT_TRUE(is_certain(R"(, "sliding_window": 7)"));
  EXPECT_TRUE(is_certain(R"(, "layer_types": ["full_attention", "full_attention"])"));
  EXPECT_TRUE(is_certain(R"(, "architectures": ["LlamaForCausalLM"], "auto_map": {"AutoTokenizer": "a.B"})"));
  EXPECT_FALSE(is_certain(R"(, "layer_types": ["sliding_attention", "full_attention"])"));
  EXPECT_FALSE(is_certain(R"(, "attn_type_list": [0, 1])"));
  EXPECT_FALSE(is_certain(R"(, "index_topk": 2048)"));
  EXPECT_FALSE(is_certain(R"(, "use_bidirectional_attention": true)"));
  EXPECT_FALSE(is_certain(R"(, "architectures": ["LlamaForCausalLMEagle3"])"));
  EXPECT_FALSE(is_certain(R"(, "auto_map": {"AutoModelForCausalLM": "a.B"})"));
  EXPECT_FALSE(read(R"({"num_hidden_layers": 2})").is_certain());
}

TEST(HuggingFace, ReadsWhatPythonWrites) {
  const std::string llama = R"({"model_type": "llama", "num_hidden_layers": 1, )";
  EXPECT_TRUE(read(llama + R"("a": [NaN, Infinity, -Infinity, 1e400], "b": {"c": 1, "c": 2}})").is_certain());
  // Within texts they are letters.
  EXPECT_TRUE(read(llama + R"("torch_dtype": " NaN , -Infinity 1e400 \" NaN "})").is_certain());
  EXPECT_EQ(error_of(R"({"model_type": "mistral", "num_hidden_layers": Infinity})"),
            "config-type /num_hidden_layers: it is Infinity; give a whole number");
  EXPECT_EQ(error_of(R"({"model_type": "mistral", "sliding_window": 1e400})"),
            "config-type /sliding_window: it is a number beyond what 64-bit floats hold; give a whole number or null");
  EXPECT_EQ(error_of(llama + R"("num_hidden_layers": 2})"),
            "config-duplicate-key /num_hidden_layers: the key is there twice; leave one of the two out");
  EXPECT_EQ(error_of("{\"a\": NaN,\n \"b\": x}").rfind("config-json FILE: line 2, column 7", 0), 0U);
}

TEST(HuggingFace, CountsKeysAndSaysWhy) {
  const config gemma = read(R"({"model_type": "gemma3_text", "num_hidden_layers": 6, "sliding_window": 512})");
  EXPECT_EQ(gemma.layers[0].visible_keys(), 512);
  EXPECT_EQ(gemma.layers[5].visible_keys(), std::nullopt);
  EXPECT_EQ(gemma.layers[5].reason, "(5+1) % 6 == 0; sliding_window_pattern was absent, the class default is 6");
  EXPECT_EQ(gemma.rule, "models/gemma3/configuration_gemma3.py, Gemma3TextConfig");

  const config embedding = read(R"({"model_type": "gemma3_text", "num_hidden_layers": 1, "sliding_window": 512,
                                    "sliding_window_pattern": 6, "use_bidirectional_attention": true})");
  EXPECT_EQ(embedding.layers[0].visible_keys(), 513);
  EXPECT_EQ(embedding.layers[0].reason,
            "(0+1) % 6 != 0; sliding_window_pattern is 6; use_bidirectional_attention makes the window 512 / 2 + 1");

  const config bert = read(R"({"model_type": "modernbert", "num_hidden_layers": 2, "local_attention": 128})");
  EXPECT_EQ(bert.layers[1].size, 64);
  EXPECT_EQ(bert.layers[1].visible_keys(), 129);

  const config phi = read(R"({"model_type": "phi3", "num_hidden_layers": 1, "sliding_window": 2047})");
  EXPECT_EQ(phi.layers[0].visible_keys(), 2047);
  EXPECT_EQ(phi.layers[0].reason,
            "sliding_window is there, and holds for every layer; 2047 was chosen for code that showed W + 1 keys, "
            "transformers shows W");

  const config oss = read(R"({"model_type": "gpt_oss", "num_hidden_layers": 1, "sliding_window": 128})");
  EXPECT_EQ(
      oss.layers[0].reason,
      "(0+1) % 2 != 0; the class has no key for the pattern; the sinks are learned logits, one a head, and no part "
      "of the mask");
}

TEST(HuggingFace, MakesSpecs) {
  const auto layer_of = [](const std::string& file) { return json::parse(read(file).spec())["layers"].back(); };
  EXPECT_EQ(layer_of(R"({"model_type": "mistral", "num_hidden_layers": 1, "sliding_window": 7})"),
            json::parse(R"({"name": "layers.0", "type": "ApplyCausalSlidingWindowAttentionMask",
                            "masked_out_value": "lowest", "sliding_window_size": 7})"));
  EXPECT_EQ(layer_of(R"({"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": 7})"),
            json::parse(R"({"name": "layers.{}", "count": 2, "pattern": ["CausalSlidingWindow"]})"));
  EXPECT_EQ(layer_of(R"({"model_type": "modernbert", "num_hidden_layers": 2, "local_attention": 9})"),
            json::parse(R"({"name": "layers.1", "type": "ApplyBidirectionalWindowAttentionMask",
                            "masked_out_value": "lowest", "window_left": 4, "window_right": 4})"));
  EXPECT_EQ(layer_of(R"({"model_type": "modernbert", "num_hidden_layers": 1})"),
            json::parse(R"({"name": "layers.0", "type": "ApplyBidirectionalWindowAttentionMask",
                            "masked_out_value": "lowest", "window_left": 9007199254740991,
                            "window_right": 9007199254740991})"));
  // A layer without attention keeps its number.
  const json hybrid =
      json::parse(read(R"({"model_type": "x", "layer_types": ["conv", "full_attention"]})").spec())["layers"];
  EXPECT_EQ(hybrid.size(), 1U);
  EXPECT_EQ(hybrid[0]["name"], "layers.1");
  EXPECT_THROW(static_cast<void>(read(R"({"model_type": "mamba", "num_hidden_layers": 2})").spec()), error);
}

TEST(HuggingFace, WarnsOfWhatIsNotAsItSeems) {
  const std::string default_ = "; an absent key is not null";
  struct {
    std::string file;
    std::vector<std::string> warnings;
  } const cases[] = {
      {R"({"model_type": "gemma3_text", "num_hidden_layers": 6, "sliding_window": 512})", {}},
      {R"({"model_type": "mistral", "num_hidden_layers": 1})",
       {"config-default FILE: sliding_window was absent, the class default is 4096" + default_}},
      {R"({"model_type": "mistral", "sliding_window": null})",
       {"config-default FILE: num_hidden_layers was absent, the class default is 32" + default_}},
      {R"({"model_type": "mistral", "num_hidden_layers": 1, "sliding_window": 7, "layer_types": ["full_attention"]})",
       {"config-unread /layer_types: a mistral model's own code does not read it, and gives every layer the same "
        "mask"}},
      {R"({"model_type": "llama", "num_hidden_layers": 1, "sliding_window": 7})",
       {"config-unread /sliding_window: the code of a llama model does not read it"}},
      {R"({"model_type": "gemma3_text", "num_hidden_layers": 1, "sliding_window": 7, "_sliding_window_pattern": 3})",
       {"config-unread /_sliding_window_pattern: the code of a gemma3_text model does not read it"}},
      {R"({"model_type": "gemma2", "num_hidden_layers": 1, "sliding_window": 7, "sliding_window_size": 7})", {}},
      {R"({"model_type": "gemma3_text", "num_hidden_layers": 3, "sliding_window": 7, "sliding_window_pattern": 3,
           "layer_types": ["sliding_attention", "full_attention", "full_attention"]})",
       {"config-contradiction /layer_types/1: without layer_types, which wins, layer 1 would be of another type, "
        "because "
        "(1+1) % 3 != 0; sliding_window_pattern is 3"}},
      {R"({"model_type": "qwen2", "num_hidden_layers": 2, "use_sliding_window": true, "max_window_layers": 2})",
       {"config-contradiction /use_sliding_window: it is true, and no layer slides: 1 < max_window_layers; "
        "max_window_layers is 2, and use_sliding_window is true"}},
      {R"({"model_type": "gemma2", "num_hidden_layers": 1, "sliding_window": 7, "use_bidirectional_attention": true})",
       {"config-contradiction /use_bidirectional_attention: it is true, and Gemma2Model makes causal masks in spite of "
        "it; only attention that is called without a mask (sdpa, without padding) then sees both sides"}},
      {R"({"model_type": "phi3", "num_hidden_layers": 1, "sliding_window": 262144, "max_position_embeddings": 131072})",
       {"config-window /sliding_window: sliding_window is 262144, and max_position_embeddings 131072: it hides no "
        "key"}},
      {R"({"model_type": "smollm3", "num_hidden_layers": 1, "sliding_window": 7, "layer_types": ["sliding_attention"]})",
       {"config-contradiction /layer_types: it has sliding layers, and use_sliding_window is not true; transformers' "
        "masks slide then, and its flash-attention does not"}},
      {R"({"model_type": "gemma3", "text_config": {"num_hidden_layers": 1, "sliding_window": 7}})",
       {"config-text-only /model_type: the masks are those of text; the tokens of an image see all of their image too, "
        "which is not in the file"}},
      {R"({"model_type": "x", "num_hidden_layers": 1, "max_window_layers": 3})",
       {"config-model-type /model_type: \"x\" has no rule here; the general rule is followed, which takes every model "
        "for a causal decoder: layer_types, then sliding_window, then attention_chunk_size, else causal. The model's "
        "own "
        "class may differ",
        "config-unread /max_window_layers: the general rule does not read it"}},
  };
  for (const auto& one : cases) EXPECT_EQ(warnings_of(one.file), one.warnings) << one.file;
}

TEST(HuggingFace, SaysWhatIsWrong) {
  struct {
    std::string file;
    std::string error;
  } const cases[] = {
      {"", "config-json FILE: the file is empty; get the model's config.json again"},
      {"[]", "config-type FILE: it is an array; give the object that a model's config.json is"},
      {"{}",
       "config-missing-key FILE: the key \"num_hidden_layers\" is missing; add it: the number of the model's layers"},
      {R"({"model_type": 3})", "config-type /model_type: it is 3; give the model's type, such as \"gemma3_text\""},
      {R"({"model_type": "mistral", "num_hidden_layers": null})",
       "config-type /num_hidden_layers: it is null; give a whole number"},
      {R"({"model_type": "mistral", "num_hidden_layers": 26.0})",
       "config-type /num_hidden_layers: it is 26.0; give a whole number"},
      {R"({"model_type": "mistral", "num_hidden_layers": true})",
       "config-type /num_hidden_layers: it is true; give a whole number"},
      {R"({"model_type": "mistral", "num_hidden_layers": 0})",
       "config-value /num_hidden_layers: it is 0 layers; give the number of the model's layers, from 1 to 10000"},
      {R"({"model_type": "mistral", "num_hidden_layers": 1000000000})",
       "config-value /num_hidden_layers: it is 1000000000 layers; give the number of the model's layers, from 1 to "
       "10000"},
      {R"({"model_type": "mistral", "sliding_window": "4096"})",
       "config-type /sliding_window: it is the text \"4096\"; give a whole number or null"},
      {R"({"model_type": "mistral", "sliding_window": 0})",
       "config-value /sliding_window: it is 0; give the number of keys that a token sees, at least 1"},
      {R"({"model_type": "mistral", "sliding_window": 18446744073709551615})",
       "config-value /sliding_window: it is 18446744073709551615, more than JSON carries exactly; give at most "
       "9007199254740991 (2^53 - 1)"},
      {R"({"model_type": "mistral", "sliding_window": 1e20})",
       "config-type /sliding_window: it is 1e+20; give a whole number or null"},
      {R"({"model_type": "gemma2", "num_hidden_layers": 1, "sliding_window": null})",
       "config-value /sliding_window: it is null, and layer_types has layers that need it; give the number of keys "
       "that "
       "they see"},
      {R"({"model_type": "x", "layer_types": ["sliding_attention"]})",
       "config-missing-key FILE: the key \"sliding_window\" is missing; add it: layer_types has layers that need it"},
      {R"({"model_type": "gemma3_text", "sliding_window_pattern": 0})",
       "config-value /sliding_window_pattern: it is 0, and transformers divides by it; give the number of layers after "
       "which the pattern repeats"},
      {R"({"model_type": "exaone4", "sliding_window_pattern": "LLLG"})",
       "config-value /sliding_window_pattern: it is the text \"LLLG\", which the documentation of Exaone4Config "
       "describes and its code cannot divide by; give layer_types, an entry for each layer"},
      {R"({"model_type": "gemma3", "text_config": 3})", "config-type /text_config: it is 3; give an object"},
      {R"({"model_type": "gemma3", "text_config": {"num_hidden_layers": 2, "layer_types": ["full_attention"]}})",
       "config-value /text_config/layer_types: it has 1 entry, and the model has 2 layers; give one for each of "
       "num_hidden_layers"},
      {R"({"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": "full_attention"})",
       "config-type /layer_types: it is the text \"full_attention\"; give an array of texts or null"},
      {R"({"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": [3]})",
       "config-type /layer_types/0: it is 3; give a layer's type, such as \"sliding_attention\""},
      {R"({"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": ["chunked_attention"]})",
       "config-value /layer_types/0: it is \"chunked_attention\", for which a gemma2 model makes no mask; give "
       "\"full_attention\", \"sliding_attention\""},
      {R"({"model_type": "qwen2", "num_hidden_layers": 1, "sliding_window": 7, "layer_types": ["sliding_attention"]})",
       "config-value /layer_types: it has sliding layers, and there is no window for them, because use_sliding_window "
       "was absent, the class default is false; set use_sliding_window to true, or give only \"full_attention\""},
      {R"({"model_type": "t5"})",
       "config-value /model_type: it is \"t5\": it has an encoder and a decoder, whose layers have masks of two kinds, "
       "and "
       "cross attention between them; write the spec by hand"},
      {R"({"model_type": "llama", "is_encoder_decoder": true})",
       "config-value /is_encoder_decoder: it is true: the model has an encoder and a decoder, whose layers have masks "
       "of "
       "two kinds; write the spec by hand"},
      {R"({"model_type": "gemma3_text", "num_hidden_layers": 1, "per_layer_config": {"1": {"sliding_window": 7}}})",
       "config-value /per_layer_config/1: the model has no such layer, or its attributes are no object; give objects "
       "for "
       "layers from 0 to 0"},
      {R"({"decoder": {}, "text_config": {}})",
       "config-value FILE: it has several text models: \"decoder\", \"text_config\"; give the file of one of them"},
  };
  for (const auto& one : cases) EXPECT_EQ(error_of(one.file), one.error) << one.file;
}

TEST(HuggingFace, RefusesFilesThatAreNoConfigs) {
  const auto load_error = [](const std::string& file) {
    try {
      static_cast<void>(config::load(file));
    } catch (const error& problem) {
      return problem.id() + ": " + problem.what_is_wrong();
    }
    return std::string("no error");
  };
  EXPECT_EQ(load_error("/none/config.json"), "config-open: it cannot be opened (No such file or directory)");
  EXPECT_EQ(load_error("/dev"), "config-open: it is a directory");
  const std::string path = testing::TempDir() + "axismask_config.json";
  const auto load_error_of = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return load_error(path);
  };
  EXPECT_EQ(load_error_of("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            "config-open: it is what Git LFS leaves in the place of a file (git lfs pull brings the file)");
  EXPECT_EQ(load_error_of("GGUF\x03"), "config-open: it is a GGUF file, which holds a model's weights");
  EXPECT_EQ(load_error_of(std::string("\x10\0\0\0\0\0\0\0{\"a\"", 12)),
            "config-open: it is a safetensors file, which holds a model's weights");
  EXPECT_EQ(load_error_of(R"({"model_type": "llama", "num_hidden_layers": 2, "x": )" + std::string(600, '[') +
                          std::string(600, ']') + "}"),
            "config-json: it is nested more than 512 deep, which a model's config.json is not");
  EXPECT_EQ(load_error_of(std::string("{}\0{}", 5)),
            "config-json: line 1, column 3 is not JSON: a byte that is 0 stands there");
  EXPECT_EQ(load_error("/dev/zero"), "config-open: it has more than 16 MiB, which a model's config.json has not");
}

// Ends in a config or in an `error`, whatever the file holds.
TEST(HuggingFace, SurvivesEveryWrongByteAndWrongValue) {
  const std::string file =
      R"({"model_type": "qwen2", "num_hidden_layers": 4, "use_sliding_window": true, "sliding_window": 7,)"
      R"("max_window_layers": 2, "layer_types": ["full_attention", "full_attention", "sliding_attention", "attention"]})";
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const char byte : {'\0', '"', '9', '-', '{', '\x80', '\xff'}) {
      std::string wrong = file;
      wrong[at] = byte;
      static_cast<void>(error_of(wrong));
      static_cast<void>(error_of(wrong.substr(0, at)));
    }
  }
  const std::string values[] = {"null", "true", "-1", "1.5", "\"x\"", "[]", "[[1]]", "{}", "9007199254740992", "-9e99"};
  const std::string types[] = {"cohere2", "exaone4", "gemma2", "gemma3", "gemma3_text", "gpt_oss",    "llama", "llama4",
                               "mistral", "olmo3",   "phi3",   "qwen3",  "smollm3",     "modernbert", "x"};
  const std::string keys[] = {"text_config",
                              "layer_types",
                              "sliding_window",
                              "sliding_window_pattern",
                              "is_causal",
                              "local_attention",
                              "no_rope_layers",
                              "no_rope_layer_interval",
                              "num_hidden_layers",
                              "attention_chunk_size",
                              "use_sliding_window",
                              "max_window_layers",
                              "max_position_embeddings",
                              "per_layer_config",
                              "is_encoder_decoder"};
  for (const std::string& type : types) {
    for (const std::string& key : keys) {
      for (const std::string& value : values) {
        std::string wrong = R"({"model_type": ")" + type + "\", \"" + key + "\": " + value;
        if (key != "num_hidden_layers") wrong += ", \"num_hidden_layers\": 4";
        static_cast<void>(error_of(wrong + "}"));
      }
    }
  }
  // Deep in brackets, where something that calls itself would end the program.
  static_cast<void>(error_of(std::string(1'000'000, '[')));
  std::string deep = R"({"model_type": "llama", "text_config": )";
  for (int depth = 0; depth < 100'000; ++depth) deep += R"({"text_config": )";
  deep += "1" + std::string(100'001, '}');
  static_cast<void>(error_of(deep));
}

}  // namespace
}  // namespace axismask::huggingface
