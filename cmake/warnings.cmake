# One interface target with everything our own code is compiled with.
add_library(cutover_options INTERFACE)
target_compile_options(cutover_options INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror)
target_compile_definitions(cutover_options INTERFACE
  SPDLOG_FMT_EXTERNAL CUTOVER_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${CUTOVER_CRASH_POINTS}>:CUTOVER_CRASH_POINTS>)
