# axismask_add_layers(TARGET CONFIG layers.hpp [PLUGIN] [TARGETS host | LABEL=TARGET...])
#
# Generates kernels for the layers that the header names in its AXISMASK_LAYERS(...), and makes TARGET, a library to link.
# A program that links it finds the layers by their names: in C++ calls, in JSON specs, and in the command line.
#
# TARGET has the processor's kernels. Those of each device are a library of their own, TARGET_LABEL, say TARGET_cuda, for
# programs that want the device; TARGET_devices is all of these.
#
# PLUGIN makes a shared library as well, libTARGET.so by the target TARGET_plugin, with the processor's kernels. A program
# that is there already takes the layers from it: load_layers in C++, axismask_load_layers in C, axismask.load_layers in
# Python.
#
# TARGETS are Halide's, each with a label that names the variant in messages and tables, the best one first and the one
# that runs everywhere last. `host` is the machine that builds. The default is AXISMASK_TARGETS.
#
# Generators run on the machine that builds. A cross build takes them from a build of the same project for that machine,
# whose folder is AXISMASK_HOST_BUILD. A build for the same machine, say with sanitizers, may take all from another one: it
# then has its kernels, for the same AXISMASK_TARGETS, and makes none.

# Adding a target is one line here. Targets with a device (CUDA, OpenCL; Halide has Vulkan and Metal, too) make kernels for
# the device; the processors' are tried in their order, the devices' only for calls that ask for them or whose arrays
# are in a device's memory. CUDA's are for the least capability that they run on: the driver compiles them for its card.
# An SVE kernel is compiled for one length of vectors; the runtime takes it only where
# the processor's are as long. 128 bits is what the processors with SVE2 have; any other runs the NEON kernels.
set(axismask_targets_x86_64
    avx512=x86-64-linux-avx512_skylake-avx512-avx2-fma-f16c-avx-sse41
    avx2=x86-64-linux-avx2-fma-f16c-avx-sse41
    sse41=x86-64-linux-sse41
    cuda=x86-64-linux-cuda-cuda_capability_80
    opencl=x86-64-linux-opencl-cl_doubles)
set(axismask_targets_aarch64
    sve2=arm-64-linux-sve2-vector_bits_128
    neon=arm-64-linux
    cuda=arm-64-linux-cuda-cuda_capability_80)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(axismask_processor x86_64)
  set(axismask_runtime_target x86-64-linux)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(axismask_processor aarch64)
  set(axismask_runtime_target arm-64-linux)
else()
  message(FATAL_ERROR "axismask: no kernel targets for ${CMAKE_SYSTEM_PROCESSOR}; add them in AxismaskAddLayers.cmake")
endif()
set(AXISMASK_TARGETS ${axismask_targets_${axismask_processor}}
    CACHE STRING "The kernel variants that axismask_add_layers makes unless told otherwise: LABEL=TARGET")
set(axismask_devices "-(cuda|opencl|vulkan|metal|d3d12compute|webgpu)(-|$)")
set(AXISMASK_HOST_BUILD "" CACHE PATH "The folder of another build of this project, whose generators, or kernels, are taken")
set(axismask_takes_kernels "${AXISMASK_HOST_BUILD}")
if(CMAKE_CROSSCOMPILING)
  set(axismask_takes_kernels "")
endif()

# The generator of an installed axismask is found when it is first needed, and with it Halide: a program of the shipped
# layers needs neither. In axismask's own build it is there.
macro(axismask_find_generator target)
  if(NOT TARGET axismask::generator)
    find_package(Halide 21 QUIET COMPONENTS shared)
    if(NOT Halide_FOUND)
      message(FATAL_ERROR "axismask_add_layers(${target}): it needs Halide 21 to make kernels, and CMake does not find it; "
                          "`pip install halide==21.0.0`, and add the folder of that Python's environment to CMAKE_PREFIX_PATH")
    endif()
    include("${axismask_templates}/axismaskGeneratorTargets.cmake")
  endif()
endmacro()

# Counts the layers of a header's AXISMASK_LAYERS(...): as many objects are made. The generator, which has the compiler's
# word for it, says when that is wrong.
function(axismask_count_layers config result)
  file(READ "${config}" text)
  string(REGEX REPLACE "//[^\n]*|\"[^\"\n]*\"" "" text "${text}")
  string(REGEX REPLACE "/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" "" text "${text}")
  string(REGEX REPLACE "AXISMASK_LAYERS[ \t\n]*\\(" "AXISMASK_LAYERS{" text "${text}")
  set(before "")
  while(NOT text STREQUAL before)  # what stands in brackets goes, innermost first
    set(before "${text}")
    string(REGEX REPLACE "<[^<>()]*>|\\([^<>()]*\\)" "" text "${text}")
  endwhile()
  set(count 0)
  if(text MATCHES "AXISMASK_LAYERS{([^)]*)\\)")
    string(REGEX MATCHALL "," commas "${CMAKE_MATCH_1}")
    list(LENGTH commas count)
    math(EXPR count "${count} + 1")
  endif()
  set(${result} ${count} PARENT_SCOPE)
endfunction()

# Where a folder of this build, or of the one whose kernels are taken, has what generators write.
function(axismask_generated_folder folder result)
  if(axismask_takes_kernels)
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY "${CMAKE_BINARY_DIR}")
    cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY "${AXISMASK_HOST_BUILD}")
    if(NOT EXISTS "${folder}")
      message(FATAL_ERROR "axismask: there are no kernels in ${folder}; build AXISMASK_HOST_BUILD first")
    endif()
  endif()
  set(${result} "${folder}" PARENT_SCOPE)
endfunction()

# As add_custom_command(OUTPUT ...), where this build makes its kernels.
macro(axismask_generate)
  if(NOT axismask_takes_kernels)
    add_custom_command(OUTPUT ${ARGN} VERBATIM)
  endif()
endmacro()

# Makes one library: `target`, of the layers of `base`, for TARGETS. FILES is for how many objects: one, or one for each
# layer.
function(axismask_add_kernels target base)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "CONFIG;FILES" "TARGETS")
  axismask_generated_folder("${CMAKE_CURRENT_BINARY_DIR}/${base}.axismask" folder)
  math(EXPR last "${arg_FILES} - 1")
  set(tables)
  foreach(file RANGE ${last})
    list(APPEND tables "${folder}/${target}_${file}.cpp")
  endforeach()
  set(index "${folder}/${target}.cpp")
  axismask_generate(
    "${index}" ${tables}
    COMMAND ${base}_generator table --library ${base} --symbol ${target} --config "${arg_CONFIG}" --index "${index}"
            --out ${tables} --variants ${arg_TARGETS}
    DEPENDS ${base}_generator
    COMMENT "Writing the table of ${target}")
  set(objects)
  foreach(variant IN LISTS arg_TARGETS)
    string(REGEX REPLACE "=.*" "" label "${variant}")
    list(TRANSFORM tables REPLACE "${target}_([0-9]+).cpp$" "${label}_\\1.o" OUTPUT_VARIABLE of_variant)
    axismask_generate(
      ${of_variant}
      COMMAND ${base}_generator kernels --library ${base} --variants ${variant} --out ${of_variant}
      DEPENDS ${base}_generator
      COMMENT "Generating ${base} kernels for ${label}")
    list(APPEND objects ${of_variant})
  endforeach()

  # The index comes first: the linker then finds the layers in their order.
  add_library(${target} STATIC "${index}" ${tables} ${objects})
  # A table is an object of its own, in a unity build, too, so that a program takes the layers that it names.
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  target_link_libraries(${target} PUBLIC axismask::runtime)
endfunction()

function(axismask_add_layers target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ON_DEMAND;PLUGIN" "CONFIG" "TARGETS")
  if(NOT arg_CONFIG OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "axismask_add_layers(${target}): give CONFIG header.hpp, and PLUGIN and TARGETS if you like; "
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
  if(CMAKE_CROSSCOMPILING OR AXISMASK_HOST_BUILD)
    set(generator "${AXISMASK_HOST_BUILD}/bin/${target}_generator")
    if(NOT EXISTS "${generator}")
      message(FATAL_ERROR "axismask_add_layers(${target}): there is no generator ${generator}; build this project for the "
                          "machine that builds first, and give the folder as AXISMASK_HOST_BUILD")
    endif()
    add_executable(${target}_generator IMPORTED GLOBAL)
    set_target_properties(${target}_generator PROPERTIES IMPORTED_LOCATION "${generator}")
  else()
    # The generator: the layers of this header, instantiated. What it is optimised for is its own compile time; the
    # kernels that it makes do not depend on it.
    axismask_find_generator(${target})
    set(axismask_config "${config}")
    configure_file("${axismask_templates}/generator_main.cpp.in" "${folder}/generator_main.cpp" @ONLY)
    add_executable(${target}_generator "${folder}/generator_main.cpp")
    target_link_libraries(${target}_generator PRIVATE axismask::generator)
    target_compile_options(${target}_generator PRIVATE -O1)
    set_target_properties(${target}_generator PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  endif()

  axismask_count_layers("${config}" count)
  if(count EQUAL 0)
    message(FATAL_ERROR "axismask_add_layers(${target}): ${config} has no AXISMASK_LAYERS(...), the list of layers")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${config}")
  set(on_devices ${arg_TARGETS})
  list(FILTER on_devices INCLUDE REGEX "${axismask_devices}")
  list(FILTER arg_TARGETS EXCLUDE REGEX "${axismask_devices}")
  axismask_add_kernels(${target} ${target} CONFIG "${config}" FILES ${count} TARGETS ${arg_TARGETS})
  # A call in C++ asks for its layer by itself; a program of specs does not, so the linker is told to take the library in.
  # Said as a library, and not as an option: then it reaches the program through static libraries that link this one
  # privately, under each policy of CMake (CMP0099). The shipped layers are asked for by axismask/model.hpp.
  if(NOT arg_ON_DEMAND)
    target_link_libraries(${target} INTERFACE "-Wl,--undefined=axismask_library_${target}")
  endif()

  if(arg_PLUGIN)
    add_library(${target}_plugin MODULE "${axismask_templates}/layer_plugin.cpp")
    set_target_properties(${target}_plugin PROPERTIES PREFIX lib OUTPUT_NAME ${target} CXX_VISIBILITY_PRESET hidden)
    target_link_libraries(${target}_plugin PRIVATE ${target})
    target_link_options(${target}_plugin PRIVATE -Wl,--exclude-libs,ALL)
    if(NOT AXISMASK_SANITIZE AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")  # clang puts the sanitizers' own into the program
      target_link_options(${target}_plugin PRIVATE -Wl,--no-undefined)
    endif()
  endif()

  add_library(${target}_devices INTERFACE)
  foreach(variant IN LISTS on_devices)
    string(REGEX REPLACE "=.*" "" label "${variant}")
    axismask_add_kernels(${target}_${label} ${target} CONFIG "${config}" FILES 1 TARGETS ${variant})
    target_link_libraries(${target}_${label} PUBLIC ${target}
                                             INTERFACE "-Wl,--undefined=axismask_library_${target}_${label}")
    target_link_libraries(${target}_devices INTERFACE ${target}_${label})
    # A program's own are made when they are linked; the shipped ones are installed.
    if(NOT arg_ON_DEMAND)
      set_target_properties(${target}_${label} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    endif()
  endforeach()
endfunction()
