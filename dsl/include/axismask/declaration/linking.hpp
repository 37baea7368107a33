// How a call of a layer finds the library of the layer's kernels when a program is linked.
//
// The call names its layer's type, and asks the linker for a symbol that every library with kernels of that layer
// defines. So a static library is taken in wherever it stands among others, with CMake and without. The reference has
// no byte of code, and no object of its own. (g++ 12 forgets an asm label in a template, so that a declaration will not
// do; a template over the name has another mangled name with clang 19 than with g++ 12.)
//
// A program that calls layers only by their names, as those of a spec, names no type: it asks for the library itself,
// as axismask_add_layers does for CMake, by -Wl,--undefined=axismask_library_LIBRARY.
#pragma once

#define AXISMASK_ASK_LINKER_FOR(symbol) __asm__(".reloc ., BFD_RELOC_NONE, " symbol)

// The symbols end with the struct's name: that of a layer, and that of a mask which is a part of a composition. They
// are two, since a library of compositions may lack their masks by themselves.
#define AXISMASK_SYMBOL_OF_LAYER "axismask_kernels_of_"
#define AXISMASK_SYMBOL_OF_PART "axismask_compositions_of_"
