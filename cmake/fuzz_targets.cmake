# In the clang build: one libFuzzer program for each tests/fuzz/NAME.c, all under target fuzzers.
add_custom_target(fuzzers)
file(GLOB targets CONFIGURE_DEPENDS fuzz/*.c)
foreach(file ${targets})
  get_filename_component(name ${file} NAME_WE)
  string(REGEX REPLACE "^fuzz_" "" name ${name})
  add_executable(fuzz_${name} ${file})
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/core/src
                             ${PROJECT_SOURCE_DIR}/models)
  target_link_libraries(fuzz_${name} PRIVATE pelsim_flags pelsim_io pelsim_models pelsim_core OpenMP::OpenMP_C
                        PkgConfig::HDF5 PkgConfig::NETCDF m)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${name})
endforeach()
