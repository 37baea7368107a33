// What the loader says of each mistake in a spec, word by word. The mistakes that a JSON value can show are in
// bad_specs.json, which schema_test.py reads too; those of the text itself are here.
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "model_test_program.hpp"
#include "spec/json_text.hpp"

namespace axismask::model_test {
namespace {

using nlohmann::json;

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

// A message is one line of text, whatever a file has in its names.
TEST(BadSpec, ControlCharactersAreEscaped) {
  const error caught =
      error_of(R"({"axismask": 1, "model": "m", "layers": [{"name": "n", "masked_out_value": 0, "type": ")"
               "\x7f\xc2\x9b\xc2\xa0\xc3\xa9\\u0007\"}]}");
  EXPECT_EQ(caught.id(), "spec-layer-type");
  EXPECT_NE(caught.what_is_wrong().find("no layer type \"\\u007f\\u009b\xc2\xa0\xc3\xa9\\u0007\""), std::string::npos)
      << caught.what();
  EXPECT_EQ(escaped("\x7f\xc2\x9b\xc2\xa0\xc3\xa9\n"), "\\u007f\\u009b\xc2\xa0\xc3\xa9\\n");
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
  EXPECT_EQ(text_of(window_spec(R"("sliding_window_size": 1, "masked_out_value": -1.5e400)")),
            "axismask: error[spec-value] /layers/0/masked_out_value: the number -1.5e400 is beyond what 64-bit floats "
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
  const std::string deep =
      not_json + "it is nested more than 512 deep, which a model spec is not; give the file of a model spec";
  for (const std::size_t depth : {std::size_t{514}, std::size_t{100'000}, std::size_t{7'000'000}}) {
    EXPECT_EQ(text_of(std::string(depth, '[')), deep);
    EXPECT_EQ(text_of(window_spec(R"("sliding_window_size": 1, "masked_out_value": )" + std::string(depth, '[') +
                                  std::string(depth, ']'))),
              deep);
  }
  EXPECT_EQ(error_of(std::string(512, '[') + std::string(512, ']')).id(), "spec-type");
}

TEST(BadSpec, BoundsOfSize) {
  EXPECT_EQ(
      text_of(std::string((std::size_t{16} << 20) + 1, ' ')),
      "axismask: error[spec-open] spec.json: it has more than 16 MiB, which a model spec has not; give the file of a "
      "model spec");
  std::string layers = R"({"name": "a0", "type": "ApplyCausalAttentionMask", "masked_out_value": 0})";
  for (int at = 1; at <= 10'000; ++at) {
    layers +=
        R"(, {"name": "a)" + std::to_string(at) + R"(", "type": "ApplyCausalAttentionMask", "masked_out_value": 0})";
  }
  const std::string many = "axismask: error[spec-value] /layers: it makes more than 10000 layers; give at most so many";
  EXPECT_EQ(text_of(R"({"axismask": 1, "model": "m", "layers": [)" + layers + "]}"), many);
  const std::string group = R"({"name": "N{}", "count": 6000, "pattern": [)"
                            R"({"type": "ApplyCausalAttentionMask", "masked_out_value": 0}]})";
  EXPECT_EQ(text_of(R"({"axismask": 1, "model": "m", "layers": [)" + group + ", " + group + "]}"), many);
}

TEST(BadSpec, AByteThatIsZeroIsNoEnd) {
  EXPECT_EQ(text_of(window_spec(R"("sliding_window_size": 1, "masked_out_value": 0)") + std::string("\0 and more", 10)),
            not_json + "line 1, column " +
                std::to_string(window_spec(R"("sliding_window_size": 1, "masked_out_value": 0)").size() + 1) +
                " is not JSON: a byte that is 0 stands there; take it out, or get the file again");
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
  EXPECT_EQ(error_of(nested(100'000)).id(), "spec-json");
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

// Masks of groups, too, may be nested deep: no part of the spec is copied, since a copy goes as deep as it.
TEST(BadSpec, DeepMasksOfGroupsAreErrorsAndNoCrash) {
  const std::string deep = std::string(500, '[') + std::string(500, ']');
  const std::string mask = R"({"type": "ApplyCausalAttentionMask", "masked_out_value": 1, "x": )" + deep + "}";
  const std::string start = R"({"axismask": 1, "model": "m", )";
  EXPECT_EQ(error_of(start + R"("layers": [{"name": "a{}", "pattern": [)" + mask + "]}]}").where(),
            "/layers/0/pattern/0/x");
  EXPECT_EQ(
      error_of(start + R"("masks": {"m": )" + mask + R"(}, "layers": [{"name": "a{}", "pattern": ["m"]}]})").where(),
      "/masks/m/x");
}

}  // namespace
}  // namespace axismask::model_test
