#include <spdlog/spdlog.h>

#include "base/core_dump.h"
#include "base/memory.h"
#include "cli/arguments.h"
#include "cli/command_line.h"
#include "cli/errors.h"
#include "cli/log.h"
#include "cli/screen.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  base::give_large_pieces_back();
  cli::Arguments arguments(argc, argv);
  arguments.hide_secrets();
  cli::Screen screen;
  cli::Log log(screen);
  if (cli::asks_for_json_logs(arguments.values())) log.configure({.log_format = cli::LogFormat::json});
  return cli::reporting_errors(log, [&] {
    base::forbid_core_dumps();
    const cli::Signals signals;  // before any other thread exists
    const auto command = cli::parse_command_line(arguments.values(), signals.stop());
    if (!command.allocates) base::share_heaps();
    log.configure(command.globals);
    if (!command.globals.config.empty()) spdlog::info("configuration: {}", command.globals.config.string());
    for (const auto& name : command.unknown_variables)
      spdlog::warn("{} is set, and no option's: it is ignored", name);
    return command.run({command.globals, log, signals.stop(), arguments.again(), command.typed});
  });
}
