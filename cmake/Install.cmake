# What `cmake --install` puts where, for find_package(axismask).
include(CMakePackageConfigHelpers)

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/axismask")
set_target_properties(axismask_dsl PROPERTIES EXPORT_NAME dsl)
set_target_properties(axismask_runtime PROPERTIES EXPORT_NAME runtime)
set_target_properties(axismask_layers PROPERTIES EXPORT_NAME layers)
set_target_properties(axismask_command PROPERTIES EXPORT_NAME command)
install(TARGETS axismask_dsl axismask_runtime axismask_layers axismask_command axismask_warnings EXPORT axismaskTargets)
if(NOT CMAKE_CROSSCOMPILING)
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
write_basic_package_version_file("${PROJECT_BINARY_DIR}/axismaskConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/axismaskConfig.cmake" "${PROJECT_BINARY_DIR}/axismaskConfigVersion.cmake"
              cmake/AxismaskAddLayers.cmake cmake/generator_main.cpp.in
        DESTINATION "${package}")
