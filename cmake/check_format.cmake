# Fails if clang-format would change a C file under SOURCE.
file(GLOB_RECURSE files RELATIVE ${SOURCE} ${SOURCE}/core/*.[ch] ${SOURCE}/io/*.[ch]
     ${SOURCE}/models/*.[ch] ${SOURCE}/cli/*.[ch] ${SOURCE}/examples/*.[ch] ${SOURCE}/tests/*.[ch]
     ${SOURCE}/bench/*.[ch])
list(FILTER files EXCLUDE REGEX "/build/")
set(bad "")
foreach(file ${files})
  execute_process(COMMAND ${CLANG_FORMAT} --dry-run -Werror ${file} WORKING_DIRECTORY ${SOURCE}
                  RESULT_VARIABLE result ERROR_QUIET OUTPUT_QUIET)
  if(result)
    string(APPEND bad " ${file}")
  endif()
endforeach()
if(bad)
  message(FATAL_ERROR "not formatted; run: clang-format -i${bad}")
endif()
