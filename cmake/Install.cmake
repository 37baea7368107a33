# What `cmake --install` and `cpack -G DEB` put where: docs/package.md has the list.
include(CMakePackageConfigHelpers)

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/axismask")
set_target_properties(axismask_dsl PROPERTIES EXPORT_NAME dsl)
set_target_properties(axismask_runtime PROPERTIES EXPORT_NAME runtime)
set_target_properties(axismask_attention PROPERTIES EXPORT_NAME attention)
set_target_properties(axismask_command PROPERTIES EXPORT_NAME command)
install(TARGETS axismask_dsl axismask_runtime axismask_attention ${axismask_layer_libraries} axismask_command axismask_warnings
        EXPORT axismaskTargets)
if(TARGET axismask_generator)
  set_target_properties(axismask_generator PROPERTIES EXPORT_NAME generator)
  install(TARGETS axismask_generator EXPORT axismaskGeneratorTargets)
  install(EXPORT axismaskGeneratorTargets NAMESPACE axismask:: DESTINATION "${package}")
endif()
install(TARGETS axismask)
install(EXPORT axismaskTargets NAMESPACE axismask:: DESTINATION "${package}")
foreach(room dsl generators runtime)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${room}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
endforeach()
install(FILES "${PROJECT_SOURCE_DIR}/schemas/model.schema.json" DESTINATION "${CMAKE_INSTALL_DATADIR}/axismask")
configure_package_config_file(cmake/axismaskConfig.cmake.in "${PROJECT_BINARY_DIR}/axismaskConfig.cmake"
                              INSTALL_DESTINATION "${package}")
# Before 1.0 a minor version may change what users write, so 0.1 is asked for and 0.2 does not do.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/axismaskConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/axismaskConfig.cmake" "${PROJECT_BINARY_DIR}/axismaskConfigVersion.cmake"
              cmake/AxismaskAddLayers.cmake cmake/generator_main.cpp.in cmake/layer_plugin.cpp
        DESTINATION "${package}")

# pkg-config finds the prefix from where the file lies, so that an unpacked tree works where it is.
cmake_path(SET pkgconfig_folder NORMALIZE "/${CMAKE_INSTALL_LIBDIR}/pkgconfig")
cmake_path(RELATIVE_PATH pkgconfig_folder BASE_DIRECTORY "/" OUTPUT_VARIABLE pkgconfig_folder)
string(REGEX REPLACE "[^/]+" ".." pkgconfig_to_prefix "${pkgconfig_folder}")
function(axismask_install_pc name description requires libs)
  configure_file(cmake/axismask.pc.in "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" ${ARGN})
endfunction()
axismask_install_pc(axismask "Attention-mask layers, for the processor" "" "-laxismask_layers -laxismask_runtime -pthread -ldl")
axismask_install_pc(axismask-attention "Attention-mask layers: attention with them" "axismask" "-laxismask_attention")
get_target_property(device_libraries axismask_layers_devices INTERFACE_LINK_LIBRARIES)
if(NOT device_libraries)
  set(device_libraries "")
endif()
axismask_install_pc(axismask-c "Attention-mask layers: the shared library in C" "" "-laxismask" COMPONENT c)
foreach(library IN LISTS device_libraries)
  string(REPLACE axismask_layers_ "" device "${library}")
  axismask_install_pc(axismask-${device} "Attention-mask layers: kernels for ${device}" "axismask"
                      "-Wl,--undefined=axismask_library_${library} -l${library}")
endforeach()

# The command's pages, and the licences of what is compiled in.
install(FILES "${PROJECT_BINARY_DIR}/pages/axismask.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${PROJECT_BINARY_DIR}/pages/axismask.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
        RENAME axismask)
install(FILES "${PROJECT_BINARY_DIR}/pages/_axismask" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
install(FILES "${PROJECT_BINARY_DIR}/pages/axismask.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES LICENSE THIRD_PARTY_NOTICES.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/axismask")

# A package for Debian and Ubuntu: cpack -G DEB. The headers need Boost's.
if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGE_NAME axismask)
  set(CPACK_PACKAGE_VENDOR axismask)
  set(CPACK_PACKAGE_CONTACT "the axismask project <axismask@localhost>")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Attention-mask layers for C++, with their kernels and a command")
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_STRIP_FILES OFF)  # a static library without symbols is none
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libboost-dev (>= 1.74)")
  set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)  # xz takes a minute for a tenth less
  include(CPack)
endif()
