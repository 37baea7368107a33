// What stands in the way of a map of which a caller wants to be certain.
#include "huggingface/certainty.hpp"

#include <algorithm>

#include "axismask/messages/error.hpp"

namespace axismask::huggingface {
namespace {

// The places that stand in the way, each once.
std::string places_of_doubts(const config& config) {
  std::vector<std::string> places;
  std::string text;
  for (const warning& one : config.warnings) {
    if (!one.is_doubt || std::find(places.begin(), places.end(), one.where) != places.end()) continue;
    text += (places.empty() ? "" : ", ") + one.where;
    places.push_back(one.where);
  }
  return text;
}

}  // namespace

void refuse_warnings(const std::vector<warning>& warnings, const std::string& option) {
  if (warnings.empty()) return;
  const warning& first = warnings.front();
  throw error(first.id, first.where, first.what, "mend the file, or leave " + option + " out");
}

void refuse_guess(const config& config, const std::string& file, const std::string& option) {
  const auto doubt =
      std::find_if(config.warnings.begin(), config.warnings.end(), [](const warning& one) { return one.is_doubt; });
  throw error("config-guess", file,
              "its masks are a guess, because of " + places_of_doubts(config) + " (" + doubt->what + ")",
              "look at the model's own code, and give " + option + " to take the map all the same");
}

}  // namespace axismask::huggingface
