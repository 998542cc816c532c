# pelsim_embed(HEADER FILE...) writes a C header with the bytes of text files, as
# cli_template[cli_template_count] = {{name, text}}.
function(pelsim_embed header)
  set(arrays "")
  set(entries "")
  set(number 0)
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME)
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND arrays "static const unsigned char cli_template_${number}[] = {${bytes}0};\n")
    string(APPEND entries "    {\"${name}\", cli_template_${number}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${header} @ONLY CONTENT "/* Generated from cli/template. */
typedef struct {
  const char *name;
  const unsigned char *text;
} cli_template_file;
${arrays}
static const cli_template_file cli_template[] = {
${entries}};
enum { cli_template_count = ${number} };
")
endfunction()
