// What the loader lets in, the schema does: specs of the examples, changed at random places again and again.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model_test_program.hpp"
#include "schema.hpp"

namespace axismask::model_test {
namespace {

using nlohmann::json;

class spec_changes {
  std::mt19937 random_{18};
  std::vector<json> examples_;

  template <class Values>
  const auto& one_of(const Values& values) {
    return values[random_() % values.size()];
  }

 public:
  explicit spec_changes(std::vector<json> examples) : examples_(std::move(examples)) {}

  json next() {
    json spec = one_of(examples_);
    for (std::size_t count = 1 + random_() % 3; count > 0; --count) change(place_in(spec));
    return spec;
  }

 private:
  // A value somewhere in a spec, deep ones as well as it itself.
  json& place_in(json& spec) {
    json* place = &spec;
    while (place->is_structured() && !place->empty() && random_() % 6 != 0) {
      auto inner = place->begin();
      std::advance(inner, static_cast<std::ptrdiff_t>(random_() % place->size()));
      place = &*inner;
    }
    return *place;
  }

  json any_value() {
    static const std::vector<json> plain{0,
                                         1,
                                         2,
                                         -1,
                                         2.0,
                                         7.5,
                                         -0.0,
                                         1e300,
                                         "lowest",
                                         "-inf",
                                         "a",
                                         "",
                                         "x{}",
                                         true,
                                         false,
                                         json(),
                                         json::array(),
                                         json::object(),
                                         "masked",
                                         "seq",
                                         "heads",
                                         std::int64_t{1} << 40,
                                         "error",
                                         "near",
                                         {1, 2},
                                         "keep_self"};
    if (random_() % 3 != 0) return one_of(plain);
    json other = one_of(examples_);
    return place_in(other);
  }

  void change(json& place) {
    if (place.is_object() && random_() % 2 == 0) {
      static const std::vector<std::string> more{"name",
                                                 "type",
                                                 "attention",
                                                 "scale",
                                                 "softcap",
                                                 "sinks",
                                                 "axis",
                                                 "values",
                                                 "pattern",
                                                 "count",
                                                 "masks",
                                                 "any",
                                                 "all",
                                                 "not",
                                                 "empty_rows",
                                                 "$schema",
                                                 "axismask",
                                                 "model",
                                                 "layers",
                                                 "masked_out_value",
                                                 "sliding_window_size",
                                                 "extra"};
      place[one_of(more)] = any_value();
    } else if (place.is_object() && !place.empty() && random_() % 2 == 0) {
      auto member = place.begin();
      std::advance(member, static_cast<std::ptrdiff_t>(random_() % place.size()));
      place.erase(member);
    } else if (place.is_array() && random_() % 2 == 0) {
      if (place.empty() || random_() % 2 == 0) {
        place.push_back(any_value());
      } else {
        place.erase(random_() % place.size());
      }
    } else {
      place = any_value();
    }
  }
};

TEST(Schema, HasWhatTheLoaderLetsIn) {
  std::vector<json> examples;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir / "schemas/examples")) {
    examples.push_back(json::parse(std::ifstream(entry.path())));
    EXPECT_TRUE(test::is_valid_by_schema(examples.back())) << entry.path();
  }
  spec_changes changes(examples);
  int read_ones = 0;
  for (int turn = 0; turn < AXISMASK_TEST_CHANGES; ++turn) {
    const json spec = changes.next();
    try {
      static_cast<void>(Model::parse(spec.dump(), "spec.json"));
    } catch (const error&) {
      continue;
    }
    ++read_ones;
    EXPECT_TRUE(test::is_valid_by_schema(spec)) << spec.dump();
  }
  EXPECT_GT(read_ones, AXISMASK_TEST_CHANGES / 30);
}

}  // namespace
}  // namespace axismask::model_test
