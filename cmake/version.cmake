# pelsim_version_header(HEADER): a target pelsim_version that keeps PELSIM_VERSION in HEADER up to
# date with the Git commit, and touches the file only when it changes.
function(pelsim_version_header header)
  add_custom_target(pelsim_version
    COMMAND ${CMAKE_COMMAND} -DHEADER=${header} -DVERSION=${PROJECT_VERSION}
            -DSOURCE=${PROJECT_SOURCE_DIR} -P ${PROJECT_SOURCE_DIR}/cmake/version_write.cmake
    BYPRODUCTS ${header}
    COMMENT "version" VERBATIM)
endfunction()
