#pragma once

#include <functional>
#include <span>

#include "base/error.h"
#include "cli/log.h"

namespace cli {

/// The exit codes of every command (docs/architecture.md).
constexpr int kEqual = 0;
constexpr int kDifferent = 1;
constexpr int kUsage = 2;
constexpr int kFailed = 3;
constexpr int kIncomplete = 4;
constexpr int kWaived = 5;

constexpr int kInterruptedTwice = 130;

struct ExitCode {
  int code;
  const char* meaning;
};
/// All of them, as the help and the manual show them.
std::span<const ExitCode> exit_codes();

int exit_code_of(const base::Error& error);
/// The worst of two results, when several databases are worked on: failed, different, usage, incomplete,
/// waived, equal.
int worse(int left, int right);
/// The exception that is being handled, as an error of ours. To be called in a catch block.
base::Error current_error();
/// Runs the program; an exception that leaves `body` is reported, here and nowhere else, and becomes the exit
/// code.
int reporting_errors(Log& log, const std::function<int()>& body);

}  // namespace cli
