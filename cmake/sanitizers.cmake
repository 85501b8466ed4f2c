if(CUTOVER_SANITIZE)
  target_compile_options(cutover_options INTERFACE
    -fsanitize=${CUTOVER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(cutover_options INTERFACE -fsanitize=${CUTOVER_SANITIZE})
endif()
