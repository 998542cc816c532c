# What `cmake --install` puts where: the command, the headers and the CMake package for plug-ins,
# the man page, the ready-to-run configurations and the examples, whose maps they read.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/pelsim)

install(TARGETS pelsim RUNTIME)
install(DIRECTORY core/include/pelsim DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES docs/man/pelsim.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/pelsim)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DATADIR}/pelsim USE_SOURCE_PERMISSIONS
  PATTERN build EXCLUDE PATTERN out EXCLUDE PATTERN __pycache__ EXCLUDE)

configure_package_config_file(cmake/pelsimConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/pelsimConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/pelsimConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/pelsimConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/pelsimConfigVersion.cmake DESTINATION ${package})
install(PROGRAMS cmake/test_plugin.sh DESTINATION ${package})
