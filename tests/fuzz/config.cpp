// config.json of models: what is read of one becomes a spec, and the spec is loaded.
#include "axismask/huggingface.hpp"
#include "axismask/model.hpp"
#include "must.hpp"

namespace axismask::fuzz {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): must

void check_spec(const huggingface::config& config, huggingface::spec_for use) {
  std::string text;
  if (!succeeds([&] { text = config.spec(use); })) return;
  std::size_t with_attention = 0;
  for (const huggingface::layer& layer : config.layers) {
    if (layer.what != huggingface::attention::none) ++with_attention;
  }
  const Model model = Model::parse(text, "imported.json");  // an error here is a finding
  must(model.layers().size() == with_attention, "each layer with attention is in the spec");
  must(Model::parse(model.to_json(), "again.json").layers().size() == with_attention, "and in what is written of it");
}

void check(std::string_view text) {
  huggingface::config config;
  if (!succeeds([&] { config = huggingface::config::parse(text, "config.json"); })) return;
  for (const huggingface::warning& warning : config.warnings) check_line(warning.line(), "axismask: warning[");
  for (const huggingface::layer& layer : config.layers) must(layer.size >= 0, "a size is no negative number");
  try {
    check_spec(config, huggingface::spec_for::text);
    check_spec(config, huggingface::spec_for::text_and_images);
  } catch (const error& problem) {
    must(false, problem.what());
  }
}

}  // namespace
}  // namespace axismask::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  axismask::fuzz::check(axismask::test::text_of(data, bytes));
  return 0;
}
