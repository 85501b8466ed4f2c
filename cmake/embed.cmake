# cutover_embed(TARGET HEADER FUNCTION FILE...): compiles the files into the target, which needs no source tree then.
# HEADER declares `std::span<const EmbeddedFile> FUNCTION()` in the namespace that is TARGET's name.
set(embed_script ${CMAKE_CURRENT_LIST_DIR}/write_embedded.cmake)
function(cutover_embed target header function)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${target}_${function}.cc)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
  add_custom_command(OUTPUT ${source} DEPENDS ${files} ${embed_script} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${source} -DNAMESPACE=${target} -DHEADER=${header} -DFUNCTION=${function}
            "-DFILES=${files}" -P ${embed_script})
  target_sources(${target} PRIVATE ${source})
  # It is compiled again when a file changes, and nothing else is.
  set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
