// `axismask diff`: where two masks differ, and by how much.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command/arguments.hpp"
#include "command/diff/compare.hpp"
#include "command/diff/conventions.hpp"
#include "command/diff/difference_json.hpp"
#include "command/diff/difference_text.hpp"
#include "command/diff/elsewhere.hpp"
#include "command/diff/sides.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"

namespace axismask::command {
namespace {

struct diff_options {
  std::string a;
  std::string b;
  std::vector<std::string> inputs;
  std::optional<std::int64_t> queries;
  std::optional<std::int64_t> keys;
  bool as_json = false;
};

// Gives the exit status.
int run_diff(const diff_options& options) {
  two_sides sides = read_sides(options.a, options.b);
  named_inputs given(options.inputs);
  for (const side* one : {&sides.a, &sides.b}) given.read_masks_of(one->layer);
  share_inputs(sides, given.inputs);
  const difference found = compare(sides, {options.queries, options.keys, {}});
  const elsewhere others = found.first ? elsewhere() : look_elsewhere(sides, found);
  if (options.as_json) {
    print_difference_json(sides, found, others);
  } else {
    print_difference(sides, found, others);
  }
  finish_output();
  switch (verdict_of(found, others)) {
    case diff_verdict::equal:
      return 0;
    case diff_verdict::different:
      return 1;
    case diff_verdict::equal_where_compared:
      break;
  }
  return 3;
}

}  // namespace

subcommand diff_subcommand() {
  const auto options = std::make_shared<diff_options>();
  return {
      "diff",
      "Compare two masks: where they differ, and by how much",
      {{"A", &options->a, "", "SPEC:LAYER, or a convention", required},
       {"B", &options->b, "", "SPEC:LAYER, or a convention: what to compare it with", required},
       {"--seq", &options->queries, "N", "So many queries; unless given, enough to show the windows"},
       {"--kv-seq", &options->keys, "N", "So many keys, of which the queries are the last; --seq unless given"},
       inputs_argument(options->inputs),
       json_argument(options->as_json,
                     "Print JSON: of runs of queries, the numbers of keys at the first and at the last")},
      "Exit status: 0 if the masks are equal, at all positions or, with side inputs such as ids and masks that only\n"
      "you know, at all of theirs; 1 if they differ; 2 for bad input; 3 if they are equal on all that was compared\n"
      "and not proved to be so at other positions, or known not to be.\n"
      "A spec of one layer needs no :LAYER. A convention is a window as another system writes it;\n"
      "axismask/window.hpp says what each means:\n" +
          convention_help() +
          "Example:\n"
          "  axismask diff model.json:layers.0 flash:4096,0",
      [options] { return run_diff(*options); }};
}

}  // namespace axismask::command
