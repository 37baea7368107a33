// Specs: one that is read is written and read again, and comes out the same; the schema has it, too.
#include <nlohmann/json.hpp>

#include "axismask/model.hpp"
#include "must.hpp"
#include "schema.hpp"

namespace axismask::fuzz {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): must

void check(std::string_view text) {
  const Model model = Model::parse(text, "fuzz.json");
  for (const any_layer& layer : model.layers()) {
    must(!layer.formula().empty(), "a layer has a formula");
    must(model.layer(layer.name()).name() == layer.name(), "a layer is found by its name");
    static_cast<void>(layer.values());
  }
  must(is_valid_by_schema(nlohmann::json::parse(text)), "the schema has what the loader reads");
  const std::string written = model.to_json();
  const Model again = Model::parse(written, "again.json");
  must(again.layers().size() == model.layers().size(), "as many layers are read again");
  must(again.to_json() == written, "what was written and read is written alike");
}

}  // namespace
}  // namespace axismask::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  axismask::test::succeeds([&] { axismask::fuzz::check(axismask::test::text_of(data, bytes)); });
  return 0;
}
