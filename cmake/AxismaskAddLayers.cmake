# axismask_add_layers(TARGET CONFIG layers.hpp [TARGETS host | LABEL=TARGET...])
#
# Generates kernels for the layers that the header names in its AXISMASK_LAYERS(...), and makes TARGET, a library to link.
# A program that links it finds the layers by their names: in C++ calls, in JSON specs, and in the command line.
#
# TARGETS are Halide's, each with a label that names the variant in messages and tables, the best one first and the one
# that runs everywhere last. `host` is the machine that builds. The default is AXISMASK_TARGETS.

# Adding a target is one line here.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(AXISMASK_TARGETS
      avx512=x86-64-linux-avx512_skylake-avx512-avx2-fma-f16c-avx-sse41
      avx2=x86-64-linux-avx2-fma-f16c-avx-sse41
      sse41=x86-64-linux-sse41
      CACHE STRING "The kernel variants that axismask_add_layers makes unless told otherwise: LABEL=TARGET")
  set(axismask_runtime_target x86-64-linux)
else()
  message(FATAL_ERROR "axismask: no kernel targets for ${CMAKE_SYSTEM_PROCESSOR}; add them in AxismaskAddLayers.cmake")
endif()

function(axismask_add_layers target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CONFIG" "TARGETS")
  if(NOT arg_CONFIG OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "axismask_add_layers(${target}): give CONFIG header.hpp, and TARGETS if you like; "
                        "not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT target MATCHES "^[A-Za-z][A-Za-z0-9_]*$")
    message(FATAL_ERROR "axismask_add_layers(${target}): the name becomes part of symbols; use letters, digits and _")
  endif()
  cmake_path(ABSOLUTE_PATH arg_CONFIG NORMALIZE OUTPUT_VARIABLE config)
  if(NOT EXISTS "${config}")
    message(FATAL_ERROR "axismask_add_layers(${target}): there is no header ${config}")
  endif()
  if(NOT arg_TARGETS)
    set(arg_TARGETS ${AXISMASK_TARGETS})
  elseif(arg_TARGETS STREQUAL "host")
    set(arg_TARGETS host=host)
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.axismask")
  file(MAKE_DIRECTORY "${folder}")
  set(axismask_config "${config}")
  configure_file("${axismask_templates}/generator_main.cpp.in" "${folder}/generator_main.cpp" @ONLY)

  # The generator: the layers of this header, instantiated. What it is optimised for is its own compile time; the kernels
  # that it makes do not depend on it.
  add_executable(${target}_generator "${folder}/generator_main.cpp")
  target_link_libraries(${target}_generator PRIVATE axismask::generator)
  target_compile_options(${target}_generator PRIVATE -O1)

  set(objects)
  foreach(variant IN LISTS arg_TARGETS)
    string(REGEX REPLACE "=.*" "" label "${variant}")
    set(object "${folder}/${label}.o")
    add_custom_command(
      OUTPUT "${object}"
      COMMAND ${target}_generator kernels --library ${target} --variant ${variant} --out "${object}"
      DEPENDS ${target}_generator
      COMMENT "Generating ${target} kernels for ${label}"
      VERBATIM)
    list(APPEND objects "${object}")
  endforeach()

  set(table "${folder}/table.cpp")
  add_custom_command(
    OUTPUT "${table}"
    COMMAND ${target}_generator table --library ${target} --config "${config}" --out "${table}" ${arg_TARGETS}
    DEPENDS ${target}_generator
    COMMENT "Writing the table of ${target} kernels"
    VERBATIM)

  add_library(${target} STATIC "${table}" ${objects})
  set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  target_link_libraries(${target} PUBLIC axismask::runtime)
  # No symbol of the library is called by name, so the linker is told to take its table in.
  target_link_options(${target} INTERFACE "LINKER:--undefined=axismask_library_${target}")
endfunction()
