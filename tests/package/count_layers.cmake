# How many layers axismask_add_layers reads in a header: cmake -P count_layers.cmake FOLDER
set(CMAKE_SYSTEM_PROCESSOR x86_64)
include("${CMAKE_CURRENT_LIST_DIR}/../../cmake/AxismaskAddLayers.cmake")

function(expect wanted text)
  file(WRITE "${CMAKE_ARGV3}/count_layers.hpp" "${text}")
  axismask_count_layers("${CMAKE_ARGV3}/count_layers.hpp" count)
  if(NOT count EQUAL wanted)
    message(FATAL_ERROR "It counts ${count} layers and not ${wanted} in:\n${text}")
  endif()
endfunction()

expect(0 "struct Mask { int f(int a, int b); };\n")
expect(1 "AXISMASK_LAYERS(mine::Mask)\n")
expect(1 "AXISMASK_LAYERS (Mask<axes<\"a,b\", \"c\">, 3>)\n")
expect(3 "bool f() { return a < b; }\nAXISMASK_LAYERS(A<>, all_of<A<>, any_of<B<1, 2>, C>>,\n                (decltype(a & f(b, c))))\nint g(int, int);\n")
expect(2 "// AXISMASK_LAYERS(A, B, C)\n/* AXISMASK_LAYERS(A, B, C, D)\n * and, so, on */\nAXISMASK_LAYERS(A, /* a, b */ B  // not C, D\n)\n")
expect(2 "const char* text = \"AXISMASK_LAYERS(A, B, C)\";\nAXISMASK_LAYERS(A, B)")
