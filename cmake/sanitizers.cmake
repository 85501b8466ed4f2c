if(CUTOVER_SANITIZE)
  # Instrumented code makes g++ 12 suspect what it does not otherwise; the plain builds have -Werror.
  target_compile_options(cutover_options INTERFACE -Wno-error
    -fsanitize=${CUTOVER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(cutover_options INTERFACE -fsanitize=${CUTOVER_SANITIZE})
endif()
