// How a call of a layer finds the layer's kernels when a program is linked.
//
// The call names its layer's type, and asks the linker for a symbol that every library with kernels of that layer
// defines, in the object that has them. So what is taken out of a static library is what is called, wherever it stands
// among others, with CMake and without. The reference has no byte of code, and no object of its own. (g++ 12 forgets an
// asm label in a template, so that a declaration will not do; a template over the name has another mangled name with
// clang 19 than with g++ 12.)
//
// A program that calls layers only by their names, as those of a spec, names no type: it asks for a library as a whole,
// by the symbol axismask_library_LIBRARY. For the shipped layers axismask/model.hpp does that; for those of
// axismask_add_layers, and without CMake, it is the linker's option -Wl,--undefined=axismask_library_LIBRARY.
#pragma once

#include <cstdint>
#include <string_view>

#define AXISMASK_ASK_LINKER_FOR(symbol) __asm__(".reloc ., BFD_RELOC_NONE, " symbol)
// A symbol that ends with a number, of which the compiler knows no text.
#define AXISMASK_ASK_LINKER_FOR_NUMBERED(symbol, number) \
  __asm__(".reloc ., BFD_RELOC_NONE, " symbol "_%c0" : : "i"(number))
// A symbol of a static library that may not be there. What is asked for is a common symbol: it stands for itself,
// unless an archive has it, in whatever order archives are given. (The linkers bfd and lld look there for such; gold
// does not.)
#define AXISMASK_ASK_LINKER_FOR_OPTIONAL(symbol) __asm__(".comm " symbol ",8,8\n\t.hidden " symbol)

// The symbols end with the struct's name: that of a layer, and that of a mask which is a part of a composition, with
// the number of the composition.
#define AXISMASK_SYMBOL_OF_LAYER "axismask_kernels_of_"
#define AXISMASK_SYMBOL_OF_PART "axismask_compositions_of_"

namespace axismask {

// The number of a composition by its name, "all(A, B)": FNV-1a, without the sign that an assembler may print.
[[nodiscard]] constexpr std::uint32_t composition_number(std::string_view name) {
  std::uint32_t number = 2166136261U;
  for (const char letter : name) number = (number ^ static_cast<std::uint8_t>(letter)) * 16777619U;
  return number & 0x7fffffffU;
}

}  // namespace axismask
