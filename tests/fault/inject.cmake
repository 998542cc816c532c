# The command with failures on purpose: see inject.c.
set(calls ${CMAKE_CURRENT_LIST_DIR}/calls.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${calls})
file(READ ${calls} text)
string(REGEX REPLACE "/\\*[^/]*\\*/" "" text "${text}")
string(REPLACE ";" "" text "${text}")
# The name is the first word of OTHER, MESSAGE and PART's third, CALL's and ENDS's fifth.
string(REGEX MATCHALL "(OTHER|MESSAGE)\\([A-Za-z_0-9]+|PART\\([^(]*, [a-z]+, \\(|(CALL|ENDS)\\([^(]*, [a-z_0-9]+,[ \n]*\\("
       found "${text}")
foreach(entry IN LISTS found)
  string(REGEX MATCH "[A-Za-z_0-9]+(,[ \n]*\\()?$" name "${entry}")
  string(REGEX REPLACE "[^A-Za-z_0-9].*" "" name "${name}")
  target_link_options(pelsim PRIVATE -Wl,--wrap=${name})
endforeach()
target_sources(pelsim PRIVATE ${CMAKE_CURRENT_LIST_DIR}/inject.c)
