// What can be asked of the arrays of a form.
#include <algorithm>
#include <array>
#include <vector>

#include "axismask/forms.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

// In the order of plan_elements.
constexpr std::array<std::string_view, 6> dtype_names{"bool", "int8", "int16", "int32", "int64", "uint8"};
static_assert(dtype_names.size() == std::variant_size_v<plan_elements>);

const plan_array* find(const std::vector<plan_array>& arrays, std::string_view name) {
  const auto found =
      std::find_if(arrays.begin(), arrays.end(), [name](const plan_array& one) { return one.name == name; });
  return found == arrays.end() ? nullptr : &*found;
}

}  // namespace

const void* plan_array::data() const {
  return std::visit([](const auto& own) { return static_cast<const void*>(own.data()); }, elements);
}

std::int64_t plan_array::element_count() const {
  return std::visit([](const auto& own) { return static_cast<std::int64_t>(own.size()); }, elements);
}

std::string_view plan_array::dtype_name() const { return dtype_names[elements.index()]; }

std::int64_t plan_array::element_bytes() const {
  return std::visit([](const auto& own) { return static_cast<std::int64_t>(sizeof(own[0])); }, elements);
}

bool plan_arrays::has(std::string_view name) const { return find(arrays, name) != nullptr; }

const plan_array& plan_arrays::operator[](std::string_view name) const {
  if (const plan_array* const found = find(arrays, name)) return *found;
  std::vector<std::string_view> names;
  for (const plan_array& one : arrays) names.push_back(one.name);
  throw error("form-array", std::string(name),
              "the form has no array of that name" + std::string(did_you_mean(name, names).str()),
              "it has " + std::string(quoted_list(names).str()));
}

void plan_arrays::refuse_type(std::string_view name) const {
  throw error("form-array", std::string(name), "its elements are " + std::string((*this)[name].dtype_name()),
              "ask for elements of that type; bool_byte is that of bool");
}

}  // namespace axismask
