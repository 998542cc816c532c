# Builds the fuzz targets of tests/fuzz with clang in a build folder of their own, because libFuzzer
# needs every source compiled by clang, and declares one test a target.  A test ends after 12 s;
# longer: <build>/fuzz/tests/fuzz_NAME -max_total_time=3600 CORPUS.
file(GLOB targets CONFIGURE_DEPENDS fuzz/*.c)
find_program(CLANG clang)
if(NOT targets OR NOT CLANG OR PELSIM_SANITIZE)
  return()
endif()
set(probe ${CMAKE_CURRENT_BINARY_DIR}/fuzz_probe)
file(WRITE ${probe}.c "int LLVMFuzzerTestOneInput(const char *d, long n) { return 0 * (n + (d != 0)); }\n")
execute_process(COMMAND ${CLANG} -fopenmp -fsanitize=fuzzer,address,undefined ${probe}.c -o ${probe}
                RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
if(failed)
  message(STATUS "clang cannot link libFuzzer and OpenMP: no fuzz tests")
  return()
endif()

set(fuzz ${PROJECT_BINARY_DIR}/fuzz)
add_custom_target(pelsim_fuzz ALL
  COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${fuzz} -G ${CMAKE_GENERATOR}
          -DCMAKE_C_COMPILER=${CLANG} -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS_DEBUG=-O1 -g"
          -DPELSIM_FUZZ=ON -DPELSIM_SANITIZE=address,undefined,fuzzer-no-link --log-level=ERROR
  COMMAND ${CMAKE_COMMAND} --build ${fuzz} --target fuzzers
  COMMENT "fuzz targets (clang)" VERBATIM)

foreach(file ${targets})
  get_filename_component(name ${file} NAME_WE)
  string(REGEX REPLACE "^fuzz_" "" name ${name})
  set(seeds ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
  set(corpus ${fuzz}/corpus/${name})
  file(MAKE_DIRECTORY ${corpus})
  if(NOT EXISTS ${seeds})
    set(seeds "")
  endif()
  pelsim_add_test(fuzz.${name} LABELS fuzz TIMEOUT 120
    COMMAND ${fuzz}/tests/fuzz_${name} -max_total_time=12 -timeout=10 -rss_limit_mb=2048
            -verbosity=0 -print_final_stats=1 -artifact_prefix=${fuzz}/${name}_ ${corpus} ${seeds})
endforeach()
