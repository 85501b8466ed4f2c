# Run by the build, see embed.cmake: writes OUTPUT, a source with the text of each of FILES as a raw string.
set(delimiter embedded)
set(entries "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  string(FIND "${text}" ")${delimiter}\"" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${file} holds what ends the string that it is to become")
  endif()
  cmake_path(GET file FILENAME name)
  string(APPEND entries "    {\"${name}\", R\"${delimiter}(${text})${delimiter}\"sv},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made by the build (cmake/embed.cmake).
#include \"${HEADER}\"

namespace ${NAMESPACE} {
namespace {

using namespace std::literals;

constexpr EmbeddedFile kFiles[] = {
${entries}};

}  // namespace

std::span<const EmbeddedFile> ${FUNCTION}() { return kFiles; }

}  // namespace ${NAMESPACE}
")
