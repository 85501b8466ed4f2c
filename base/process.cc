#include "base/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <span>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 declares no C linkage of its own
}

namespace base {
namespace {

constexpr size_t kErrorTextKept = size_t{64} << 10;
constexpr int kGraceMilliseconds = 2000;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void close() {
    if (is_open()) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

/// If we run with a standard stream closed, a pipe could get its number and be overwritten in the child.
int away_from_standard_streams(int number) {
  if (number > STDERR_FILENO) return number;
  const int moved = ::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error_number = errno;
  ::close(number);
  if (moved < 0) throw system_error("create", "a pipe", error_number);
  return moved;
}

struct Pipe {
  Pipe() : Pipe(ends()) {}
  Descriptor read;
  Descriptor write;

 private:
  explicit Pipe(std::array<int, 2> both) : read(both[0]), write(both[1]) {}
  static std::array<int, 2> ends() {
    std::array<int, 2> both;
    if (::pipe2(both.data(), O_CLOEXEC) != 0) throw system_error("create", "a pipe", errno);
    for (int& end : both) end = away_from_standard_streams(end);
    return both;
  }
};

/// No signal reaches this thread while one lives. A handler of ours that ran in the child, between fork and
/// exec, would write to descriptors the child shares with us.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool is_inherited(const Command& command, std::string_view name) {
  if (command.environment.contains(std::string(name))) return false;
  if (command.inherits.empty()) return !name.starts_with("CUTOVER_");
  return std::ranges::any_of(command.inherits, [&](std::string_view pattern) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
  });
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (is_inherited(command, text.substr(0, text.find('=')))) all.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) all.push_back(name + "=" + value);
  return all;
}

/// Everything exec needs, built before fork: between the two only async-signal-safe calls are allowed.
struct Image {
  explicit Image(const Command& command) : program(find_program(command.program.native())) {
    argument_texts.push_back(command.program.native());
    argument_texts.insert(argument_texts.end(), command.arguments.begin(), command.arguments.end());
    environment_texts = environment_of(command);
    arguments = pointers_to(argument_texts);
    environment = pointers_to(environment_texts);
  }

  std::string program;
  std::vector<std::string> argument_texts;
  std::vector<std::string> environment_texts;
  std::vector<char*> arguments;
  std::vector<char*> environment;
};

struct Pipes {
  Pipe output;
  Pipe error;
  Pipe status;  ///< carries errno when the program could not be started; closed by exec otherwise
};

/// Runs in the child and only returns by exec. A failure is told through the status pipe.
[[noreturn]] void become(const Image& image, const Pipes& pipes, pid_t parent) {
  // Away from our terminal: a Ctrl-C there is ours to handle, the program cannot ask for a password,
  // and one kill() reaches its helpers too. If we die, it must not go on working on a database.
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // NOLINT(concurrency-mt-unsafe): one thread after fork

  const int null = ::open("/dev/null", O_RDONLY);
  const bool ready = null >= 0 && ::dup2(null, STDIN_FILENO) >= 0 &&
                     ::dup2(pipes.output.write.get(), STDOUT_FILENO) >= 0 &&
                     ::dup2(pipes.error.write.get(), STDERR_FILENO) >= 0 &&
                     ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
  if (ready) ::execve(image.program.c_str(), image.arguments.data(), image.environment.data());
  const int error_number = errno;
  [[maybe_unused]] const auto told = ::write(pipes.status.write.get(), &error_number, sizeof error_number);
  ::_exit(127);
}

/// A started program. Unless wait() returned, the destructor ends it: SIGTERM, after 2 s SIGKILL, to it and
/// to the helpers it started.
class Child {
 public:
  Child(const Image& image, Pipes& pipes) : pid_(start(image, pipes)), exited_(::pidfd_open(pid_, 0)) {
    if (exited_.is_open()) return;
    const int error_number = errno;
    end();
    throw system_error("watch", image.program, error_number);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  /// Readable once the program has exited.
  int descriptor() const { return exited_.get(); }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  static pid_t start(const Image& image, const Pipes& pipes) {
    const BlockedSignals blocked;
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become(image, pipes, parent);
    if (pid < 0) throw system_error("start", image.program, errno);
    return pid;
  }

  void end() {
    if (pid_ < 0) return;
    ::kill(-pid_, SIGTERM);
    pollfd waiting{exited_.get(), POLLIN, 0};
    while (exited_.is_open() && ::poll(&waiting, 1, kGraceMilliseconds) < 0 && errno == EINTR) {
    }
    // Before it is reaped the number cannot belong to anybody else.
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    wait();
  }

  pid_t pid_;
  Descriptor exited_;
};

/// Gives `take` what the pipe holds at this moment and no more, so that a fast writer cannot keep us from
/// seeing a stop. Closes the descriptor at the end of the stream.
void drain(Descriptor& from, std::vector<char>& buffer, const std::function<void(std::string_view)>& take) {
  int held = 0;
  if (!from.is_open() || ::ioctl(from.get(), FIONREAD, &held) != 0) return;
  do {
    const auto got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return from.close();
    if (take) take({buffer.data(), static_cast<size_t>(got)});
    held -= static_cast<int>(got);
  } while (held > 0);
}

void keep_end(std::string& text, std::string_view piece) {
  text += piece;
  if (text.size() > kErrorTextKept) text.erase(0, text.size() - kErrorTextKept);
}

/// Throws when the program could not be started. Returns once it runs.
void check_started(Pipes& pipes, const std::string& program) {
  pipes.output.write.close();
  pipes.error.write.close();
  pipes.status.write.close();
  int error_number = 0;
  ssize_t got = 0;
  do {
    got = ::read(pipes.status.read.get(), &error_number, sizeof error_number);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof error_number) return;
  auto error = system_error("run", program, error_number);
  throw error.kind(ErrorKind::usage);
}

void wait_for_any(std::span<pollfd> waiting) {
  if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
    throw system_error("wait for", "a program", errno);
}

bool is_program(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

CommandResult run_command(const Command& command, const Stop& stop,
                          const std::function<void(std::string_view)>& output) {
  stop.check();
  const Image image(command);
  Pipes pipes;
  Child child(image, pipes);
  check_started(pipes, image.program);
  for (const auto* pipe : {&pipes.output, &pipes.error}) ::fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK);

  CommandResult result;
  std::vector<char> buffer(size_t{64} << 10);
  const auto keep_error = [&](std::string_view piece) { keep_end(result.error_text, piece); };
  for (bool exited = false; !exited;) {
    // poll() leaves out an entry whose descriptor is negative, as a closed one's is.
    std::array<pollfd, 4> waiting{{{pipes.output.read.get(), POLLIN, 0},
                                   {pipes.error.read.get(), POLLIN, 0},
                                   {child.descriptor(), POLLIN, 0},
                                   {stop.descriptor(), POLLIN, 0}}};
    wait_for_any(waiting);
    stop.check();
    // Seen before the pipes are drained, so that what it wrote last is not lost. A helper left behind may
    // hold them open for ever; its output is not waited for.
    exited = waiting[2].revents != 0;
    drain(pipes.output.read, buffer, output);
    drain(pipes.error.read, buffer, keep_error);
  }
  result.exit_code = child.wait();
  return result;
}

std::filesystem::path find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos) {
    if (is_program(name)) return name;
    fail(ErrorKind::usage, "{} is not a program that can be run", name);
  }
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!name.empty()) {
    const auto directory = rest.substr(0, rest.find(':'));
    auto candidate = std::filesystem::path(directory.empty() ? "." : directory) / name;
    if (is_program(candidate)) return candidate;
    if (directory.size() == rest.size()) break;
    rest.remove_prefix(directory.size() + 1);
  }
  throw Error(ErrorKind::usage, fmt::format("the program {} was not found", name),
              "install it, or add its directory to PATH");
}

}  // namespace base
