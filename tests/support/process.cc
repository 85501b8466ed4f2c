#include "tests/support/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/system_error.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 declares no C linkage of its own
}

namespace support {
namespace {

using std::chrono::steady_clock;

int memory_file(const char* name) {
  const int descriptor = memfd_create(name, MFD_CLOEXEC);
  if (descriptor < 0) fail("memfd_create");
  return descriptor;
}

int memory_file_with(const std::string& content) {
  const int descriptor = memory_file("stdin");
  if (write(descriptor, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    fail("write");
  lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}

std::string content_of(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail("fstat");
  std::string text(static_cast<size_t>(status.st_size), '\0');
  const auto got = pread(descriptor, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};

std::optional<Identity> postgres_identity() {
  if (geteuid() != 0) return std::nullopt;
  const passwd* entry = getpwnam("postgres");  // NOLINT(concurrency-mt-unsafe)
  if (!entry) throw std::runtime_error("there is no user postgres");
  Identity identity{entry->pw_uid, entry->pw_gid, std::vector<gid_t>(64)};
  int count = static_cast<int>(identity.groups.size());
  getgrouplist("postgres", entry->pw_gid, identity.groups.data(), &count);
  identity.groups.resize(static_cast<size_t>(std::max(count, 0)));
  return identity;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Everything the child needs, made before the fork: after it only async-signal-safe calls are allowed.
struct Image {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string directory;
  std::optional<Identity> identity;
  int input = -1;
  int output = -1;
  int error = -1;
};

[[noreturn]] void become(const Image& image, char* const* arguments, char* const* environment) {
  setsid();
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);  // NOLINT(concurrency-mt-unsafe): a fork has one thread
  bool ready = dup2(image.input, 0) >= 0 && dup2(image.output, 1) >= 0 && dup2(image.error, 2) >= 0 &&
               close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
  if (image.identity) {
    const auto& [user, group, groups] = *image.identity;
    ready = ready && setgroups(groups.size(), groups.data()) == 0 && setgid(group) == 0 && setuid(user) == 0;
  }
  if (!image.directory.empty()) ready = ready && chdir(image.directory.c_str()) == 0;
  if (ready) execve(arguments[0], arguments, environment);
  const char* problem = strerrordesc_np(errno);
  [[maybe_unused]] auto written = write(2, arguments[0], strlen(arguments[0]));
  written = write(2, ": ", 2);
  written = write(2, problem, strlen(problem));
  _exit(127);
}

/// Writes all of it, or as much as there is room for.
void append(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(descriptor, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::filesystem::path on_path(const std::filesystem::path& program) {
  if (program.has_parent_path()) return program;
  for (const char* directory : {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"})
    if (access((directory / program).c_str(), X_OK) == 0) return directory / program;
  throw std::runtime_error(fmt::format("the program {} was not found", program.native()));
}

}  // namespace

std::map<std::string, std::string> clean_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    const auto name = text.substr(0, text.find('='));
    if (name.starts_with("CUTOVER_") || name.starts_with("PG") || name.starts_with("AWS_") ||
        name == "NO_COLOR" || name == "CLICOLOR_FORCE")
      continue;
    environment.emplace(name, text.size() > name.size() ? text.substr(name.size() + 1) : std::string_view());
  }
  return environment;
}

/// A pseudo-terminal. A thread reads it, so that who writes to it never waits, and keeps all in a file.
class Process::Terminal {
 public:
  explicit Terminal(int kept)
      : screen_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)),
        side_((grantpt(screen_) == 0 && unlockpt(screen_) == 0)
                  ? ioctl(screen_, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)
                  : -1) {
    const winsize size{.ws_row = 30, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    if (side_ < 0 || ioctl(screen_, TIOCSWINSZ, &size) != 0) fail("make a terminal");
    reader_ = std::jthread([this, kept] { read_all(kept); });
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    handed_over();
    finish();
    close(screen_);
  }

  /// The program's side.
  int side() const { return side_; }
  /// The program has its side now. The terminal ends when no process has it any more.
  void handed_over() {
    if (side_ >= 0) close(std::exchange(side_, -1));
  }
  /// Waits for that end: then everything is in the file.
  void finish() {
    if (reader_.joinable()) reader_.join();
  }

 private:
  void read_all(int kept) const {
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto got = read(screen_, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return;
      append(kept, {buffer.data(), static_cast<size_t>(got)});
    }
  }

  int screen_;
  int side_;
  std::jthread reader_;
};

Process::Process(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                 const ProcessOptions& options)
    : name_(program.filename()),
      deadline_(steady_clock::now() + options.deadline),
      output_(memory_file("stdout")),
      error_(memory_file("stderr")) {
  Image image;
  image.arguments.push_back(on_path(program));
  image.arguments.insert(image.arguments.end(), arguments.begin(), arguments.end());
  auto environment = clean_environment();
  if (options.terminal) environment["TERM"] = "xterm";
  for (const auto& [name, value] : options.environment) environment[name] = value;
  for (const auto& [name, value] : environment)
    image.environment.push_back(fmt::format("{}={}", name, value));
  image.directory = options.directory;
  if (options.as_postgres) image.identity = postgres_identity();
  image.input = memory_file_with(options.input);
  if (options.terminal) terminal_ = std::make_unique<Terminal>(output_);
  image.output = terminal_ ? terminal_->side() : output_;
  image.error = terminal_ ? terminal_->side() : error_;
  const auto argument_pointers = pointers_to(image.arguments);
  const auto environment_pointers = pointers_to(image.environment);
  pid_ = fork();
  if (pid_ == 0) become(image, argument_pointers.data(), environment_pointers.data());
  const int error_number = errno;
  close(image.input);
  if (terminal_) terminal_->handed_over();
  errno = error_number;
  if (pid_ < 0) fail("fork");
  exited_ = pidfd_open(pid_, 0);
  if (exited_ < 0) fail("pidfd_open");
}

Process::~Process() {
  if (running()) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);  // it may not have come to setsid() yet
    wait_until(steady_clock::time_point::max());
  }
  for (const int descriptor : {output_, error_, exited_}) close(descriptor);
}

// True once the process has ended.
bool Process::wait_until(steady_clock::time_point time) {
  while (!exit_code_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - steady_clock::now()).count();
    pollfd waiting{exited_, POLLIN, 0};
    const int ready =
        poll(&waiting, 1, time == steady_clock::time_point::max() ? -1 : std::max(0, static_cast<int>(left)));
    if (ready < 0 && errno != EINTR) fail("poll");
    if (ready > 0) {
      int status = 0;
      rusage usage{};
      if (wait4(pid_, &status, 0, &usage) != pid_) fail("wait4");
      exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      peak_memory_ = static_cast<uint64_t>(usage.ru_maxrss) << 10;
      if (terminal_) terminal_->finish();
    } else if (left <= 0) {
      return false;
    }
  }
  return true;
}

bool Process::running() { return !wait_until(steady_clock::time_point()); }

void Process::kill(int signal) const {
  if (!exit_code_) ::kill(pid_, signal);
}

std::string Process::output() const { return content_of(output_); }
std::string Process::error() const { return content_of(error_); }

std::string Process::description() const {
  return fmt::format("{} (pid {})\n--- stdout\n{}\n--- stderr\n{}", name_, pid_, output(), error());
}

ProcessResult Process::wait() {
  if (!wait_until(deadline_)) {
    ::kill(-pid_, SIGKILL);
    wait_until(steady_clock::time_point::max());
    throw std::runtime_error("over its deadline: " + description());
  }
  return {*exit_code_, output(), error(), peak_memory_};
}

void Process::wait_for_output(std::string_view text) {
  const auto said = [&] {
    return output().find(text) != std::string::npos || error().find(text) != std::string::npos;
  };
  while (!said()) {
    const bool ended = wait_until(steady_clock::now() + std::chrono::milliseconds(5));
    if (said()) return;
    if (ended || steady_clock::now() > deadline_)
      throw std::runtime_error(fmt::format("\"{}\" was not printed by {}", text, description()));
  }
}

ProcessResult run(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                  const ProcessOptions& options) {
  return Process(program, arguments, options).wait();
}

std::string run_or_throw(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                         const ProcessOptions& options) {
  const auto result = run(program, arguments, options);
  if (result.exit_code != 0)
    throw std::runtime_error(fmt::format("{} failed with exit code {}\n{}\n{}", program.native(),
                                         result.exit_code, result.output, result.error));
  return result.output;
}

ProcessResult cutover(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  return run(cutover_program(), arguments, options);
}

}  // namespace support
