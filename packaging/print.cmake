# cmake -DPROGRAM=… -DARGUMENTS=man -DOUTPUT=FILE -P print.cmake: what the program prints, in a file; compressed if that
# ends in .gz. Neither the environment's options nor a cutover.toml have a say.
string(REGEX REPLACE "\\.gz$" "" plain ${OUTPUT})
execute_process(COMMAND env -i ${PROGRAM} ${ARGUMENTS} WORKING_DIRECTORY / OUTPUT_FILE ${plain} COMMAND_ERROR_IS_FATAL ANY)
if(NOT plain STREQUAL OUTPUT)
  execute_process(COMMAND gzip -9nf ${plain} COMMAND_ERROR_IS_FATAL ANY)
endif()
