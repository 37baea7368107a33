// The sentences for each way to take a layer apart, or to put one together, wrongly. As in breach.hpp, the compiler
// prints them for layers whose type it knows, the runtime throws them for those of a spec.
#pragma once

#include <string_view>

#include "axismask/call/call_breach.hpp"
#include "axismask/messages/text.hpp"

namespace axismask::breach {

[[nodiscard]] constexpr sentence field_unknown(std::string_view field, names fields) {
  return {phrase("there is no field ") + quoted(field) + "; the layer has " + quoted_list(fields) +
              did_you_mean(field, fields),
          "name one of these"};
}

[[nodiscard]] constexpr sentence field_ambiguous(std::string_view field) {
  return {phrase("several masks of this composition have a field ") + quoted(field),
          "edit that mask, and compose afterwards"};
}

[[nodiscard]] constexpr sentence field_is_structure(std::string_view field, names leaves) {
  return {phrase(quoted(field)) + " is a name, which is structure and no leaf; the leaves are " + quoted_list(leaves),
          "select one of these; for another name build the layer with from_attributes"};
}

[[nodiscard]] constexpr sentence field_missing(std::string_view field) {
  return {phrase("the field ") + quoted(field) + " is missing", "give every field of the layer, names too"};
}

[[nodiscard]] constexpr sentence field_twice(std::string_view field) {
  return {phrase("the field ") + quoted(field) + " is given twice", "leave one of them out"};
}

// `wanted` is what the field takes: "a whole number".
[[nodiscard]] constexpr sentence field_of_other_type(std::string_view field, std::string_view wanted) {
  return {phrase("the value of ") + quoted(field) + " is of another type", phrase("give ") + wanted};
}

[[nodiscard]] constexpr sentence field_has_other_name(std::string_view field, std::string_view name) {
  return {phrase("the type of the layer has ") + quoted(name) + " as its " + field,
          "give that name, or name a type of layer that has yours"};
}

[[nodiscard]] constexpr sentence field_type_is_fixed(std::string_view field) {
  return {phrase("the type of ") + quoted(field) + " is fixed in the struct of the layer",
          "give a value of that type, or make the type a parameter of its template, types before names"};
}

[[nodiscard]] constexpr sentence leaves_of_other_number(names leaves) {
  return {phrase("the leaves are ") + quoted_list(leaves) + ", and these are more or fewer", "give one for each"};
}

[[nodiscard]] constexpr sentence variable_unknown(std::string_view variable, names variables) {
  return {phrase("there is no variable ") + quoted(variable) + "; the layer has " + quoted_list(variables) +
              did_you_mean(variable, variables),
          "leave it out, or bind it with allow_unused"};
}

[[nodiscard]] constexpr sentence variable_twice(std::string_view variable) {
  return {phrase("the variable ") + quoted(variable) + " is given twice", "leave one of them out"};
}

[[nodiscard]] constexpr sentence variable_unbound(std::string_view variable) {
  return {phrase("the variable ") + quoted(variable) + " has no value",
          "bind it with bind_variables, or supply it for one call with stateless_call"};
}

}  // namespace axismask::breach
