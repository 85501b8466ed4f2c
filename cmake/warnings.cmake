# One interface target with everything our own code is compiled with.
add_library(cutover_options INTERFACE)
# Left out: missing-field-initializers, since designated initialisers that leave the rest at its default are meant;
# restrict, which g++ 12 reports wrongly inside std::string (PR 105651).
target_compile_options(cutover_options INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Wno-restrict -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  $<$<BOOL:${CUTOVER_WERROR}>:-Werror>)
target_compile_definitions(cutover_options INTERFACE
  SPDLOG_FMT_EXTERNAL CUTOVER_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${CUTOVER_CRASH_POINTS}>:CUTOVER_CRASH_POINTS>)
# An anonymous namespace of a source looks like one of a header when it is included there.
if(CMAKE_UNITY_BUILD)
  target_compile_options(cutover_options INTERFACE -Wno-subobject-linkage)
endif()
