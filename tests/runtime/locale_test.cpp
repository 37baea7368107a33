// In a program whose locale has a decimal comma, and dots between thousands: what is read, written and said is the
// same. locale_test FOLDER, in which localedef made the locale.
#include <clocale>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <locale>
#include <string>
#include <vector>

#include "axismask/huggingface.hpp"
#include "axismask/model.hpp"
#include "axismask/npy.hpp"

namespace axismask {
namespace {

template <class Call>
std::string said(Call call) {
  try {
    return call();
  } catch (const error& problem) {
    return problem.what();
  }
}

std::string spec_of(const std::string& masked, const std::string& more) {
  return R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "type": "ApplyCausalSlidingWindowAttentionMask",
    "masked_out_value": )" +
         masked + R"(, "sliding_window_size": 40960)" + more + "}]}";
}

std::vector<std::string> everything(const std::filesystem::path& folder) {
  std::vector<std::string> texts;
  for (const char* masked : {"-1.5", "-1e4", "0.1", "1e-300", "1.5e400", "-0.0", "12345678.5"}) {
    texts.push_back(said([&] { return Model::parse(spec_of(masked, ""), "s").to_json(); }));
    // Beyond what float16 holds, or not.
    texts.push_back(said([&] {
      const Model model = Model::parse(spec_of(masked, R"(, "attention": {"scale": 0.0625, "softcap": 50.5})"), "s");
      std::uint16_t logit = 0;
      std::int32_t position = 0;
      model.layers()[0].apply_in_place(any_view(&logit, dtype::float16, {{"seq", 1}, {"kv_seq", 1}}),
                                       side_input{"token_positions", any_view(&position, dtype::int32, {{"seq", 1}})});
      return model.to_json() + model.layers()[0].formula();
    }));
  }
  for (const char* more :
       {R"("attn_logit_softcapping": 50.5)", R"("sliding_window": 4096.5)", R"("rope_theta": 1.5e400)",
        R"("sliding_window": 1.5e400, "query_pre_attn_scalar": 1234567)"}) {
    texts.push_back(said([&] {
      const auto config = huggingface::config::parse(
          R"({"model_type": "gemma2", "num_hidden_layers": 2, )" + std::string(more) + "}", "config.json");
      std::string text = config.spec(huggingface::spec_for::text) + config.attention_reason;
      for (const auto& warning : config.warnings) text += warning.line();
      return text;
    }));
  }
  texts.push_back(said([&] {
    const std::vector<float> mask{0, -0.125F, -1e30F};
    const std::vector<std::int64_t> sizes{3};
    const std::vector<std::int64_t> strides{1};
    write_npy(folder / "mask.npy", dtype::float32, sizes, strides, mask.data());
    static_cast<void>(as_mask(read_npy(folder / "mask.npy")));
    return std::string("no error");
  }));
  return texts;
}

struct dots_and_comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace
}  // namespace axismask

int main(int, char** arguments) {
  const std::filesystem::path folder = arguments[1];
  const std::vector<std::string> before = axismask::everything(folder);
  ::setenv("LOCPATH", arguments[1], 1);
  if (std::setlocale(LC_ALL, "de_DE.UTF-8") == nullptr || std::localeconv()->decimal_point != std::string(",")) {
    std::cerr << "no locale with a decimal comma\n";
    return 2;
  }
  std::locale::global(std::locale(std::locale(), new axismask::dots_and_comma));
  const std::vector<std::string> after = axismask::everything(folder);
  int differing = 0;
  for (std::size_t at = 0; at < before.size(); ++at) {
    if (before[at] == after[at]) continue;
    ++differing;
    std::cerr << "before: " << before[at] << "\nafter: " << after[at] << '\n';
  }
  std::cout << before.size() << " texts, " << differing << " of which differ\n";
  return differing == 0 ? 0 : 1;
}
