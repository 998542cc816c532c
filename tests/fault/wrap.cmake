# pelsim_wrap(TARGET CALLS): what the objects of the target ask for by the names in CALLS (calls.h) goes
# to the stand-ins of inject.c.
function(pelsim_wrap target calls)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${calls})
  file(READ ${calls} text)
  string(REGEX REPLACE "/\\*[^/]*\\*/" "" text "${text}")
  string(REPLACE ";" "" text "${text}")
  # The name: the first word of OTHER and MESSAGE, the last before the parameters of the others.
  string(REGEX MATCHALL "(OTHER|MESSAGE)\\([A-Za-z_0-9]+|(PART|CALL|ENDS)\\([^(]*,[ \n]+[a-z_0-9]+,[ \n]*\\("
         found "${text}")
  string(REGEX MATCHALL "\n(OTHER|MESSAGE|PART|CALL|ENDS)\\(" entries "\n${text}")
  list(LENGTH found names)
  list(LENGTH entries wanted)
  if(NOT names EQUAL wanted)
    message(FATAL_ERROR "${calls}: ${wanted} entries, but ${names} names are understood")
  endif()
  foreach(entry IN LISTS found)
    string(REGEX MATCH "[A-Za-z_0-9]+(,[ \n]*\\()?$" name "${entry}")
    string(REGEX REPLACE "[^A-Za-z_0-9].*" "" name "${name}")
    target_link_options(${target} PRIVATE -Wl,--wrap=${name})
  endforeach()
endfunction()
