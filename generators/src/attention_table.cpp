// Writes the records of attention's kernels.
#include "attention_table.hpp"

#include <map>

#include "attention_generator.hpp"
#include "table_text.hpp"

namespace axismask::generator {
namespace {

// The functions of one target by the field that they stand in, each field's in their order.
std::map<std::string, std::string> fields_of(const variant& one, std::string& declarations) {
  std::map<std::string, std::string> fields;
  for_each_attention_kernel(attention_target(one.target), [&](const std::string& kernel, const attention_builder&) {
    const std::string function = attention_symbol(one.label, kernel) + "_argv";
    declarations += "int " + function + "(void**);\n";
    std::string& field = fields[kernel.substr(0, kernel.find_first_of("0123456789") - 1)];
    field += (field.empty() ? "" : ", ") + function;
  });
  return fields;
}

}  // namespace

void write_attention_table(const std::string& path, const std::vector<variant>& variants) {
  std::string declarations;
  std::string records;
  for (const variant& one : variants) {
    const attention_blocks blocks = attention_blocks_of(attention_target(one.target));
    records += "    {" + target_text(one) + ", .block = " + std::to_string(blocks.block()) +
               ", .keys = " + std::to_string(blocks.keys) + ", .columns = " + std::to_string(blocks.columns) +
               ", .lanes = " + std::to_string(blocks.lanes);
    const auto fields = fields_of(one, declarations);
    for (const char* field : {"widen", "soften", "block_scores", "block_sums", "row_scores", "row_sums"}) {
      const std::string& functions = fields.at(field);
      const bool is_list = functions.find(',') != std::string::npos;
      records += std::string(",\n     .") + field + " = " + (is_list ? "{" + functions + "}" : functions);
    }
    records += "},\n";
  }
  write_text(
      path,
      "// The kernels of attention. Written by the generator at build time.\n"
      "#include \"axismask/kernel/attention_kernels.hpp\"\n\nextern \"C\" {\n" +
          declarations + "}\n\nnamespace axismask {\n\nnamespace {\nconstexpr attention_kernels records[] = {\n" +
          records +
          "};\n}  // namespace\n\nstd::span<const attention_kernels> linked_attention_kernels() { return records; }"
          "\n\n}  // namespace axismask\n");
}

}  // namespace axismask::generator
