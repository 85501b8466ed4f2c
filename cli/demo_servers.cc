#include "cli/demo_servers.h"

#include <cerrno>
#include <charconv>
#include <random>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <pwd.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

constexpr const char* kUser = "postgres";

std::string random_password() {
  std::random_device random;
  std::string out;
  for (int i = 0; i < 4; ++i) out += fmt::format("{:08x}", random());
  return out;
}

/// Where Debian puts them, the newest first; else what is on PATH.
fs::path find_programs() {
  fs::path best;
  int newest = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const auto name = entry.path().filename().string();
    int major = 0;
    std::from_chars(name.data(), name.data() + name.size(), major);
    if (major > newest && fs::exists(entry.path() / "bin/initdb", ignored)) {
      newest = major;
      best = entry.path() / "bin";
    }
  }
  if (!best.empty()) return best;
  try {
    return base::find_program("initdb").parent_path();
  } catch (const Error&) {
    throw Error(ErrorKind::usage, "there is no PostgreSQL server on this machine to make a demo with",
                "install one: apt-get install postgresql");
  }
}

void give_to_user(const fs::path& path) {
  if (geteuid() != 0) return;
  const passwd* entry = getpwnam(kUser);  // NOLINT(concurrency-mt-unsafe): before any other thread asks
  if (!entry || ::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0)
    throw Error(ErrorKind::usage, fmt::format("{} cannot be given to the user {}", path.string(), kUser),
                "a server does not run as root: run the demo as another user");
}

int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic =
      reinterpret_cast<sockaddr*>(&address);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
  const bool bound = ::bind(descriptor, generic, size) == 0 && ::getsockname(descriptor, generic, &size) == 0;
  const int error_number = errno;
  ::close(descriptor);
  if (!bound) throw base::system_error("find", "a free port", error_number);
  return ntohs(address.sin_port);
}

/// And makes the directory theirs.
fs::path programs_for(const fs::path& directory) {
  auto programs = find_programs();
  give_to_user(directory);
  return programs;
}

}  // namespace

DemoServer::DemoServer(fs::path programs, fs::path directory, const std::string& name)
    : programs_(std::move(programs)),
      directory_(std::move(directory)),
      data_(directory_ / name),
      password_(random_password()) {}

DemoServer::DemoServer(const fs::path& programs, const fs::path& directory, const std::string& name,
                       const base::Stop& stop)
    : DemoServer(programs, directory, name) {
  // From here on the destructor runs, whatever is thrown.
  make(stop);
  start(stop);
}

DemoServer::~DemoServer() {
  std::error_code ignored;
  if (!fs::exists(data_ / "PG_VERSION", ignored)) return;
  try {
    run("pg_ctl", {"-D", data_.string(), "-m", "immediate", "-w", "stop"}, {});
  } catch (const Error& error) {
    // It may never have started.
    if (fs::exists(data_ / "postmaster.pid", ignored))
      spdlog::warn("a server of the demo may still run: {}", error.message());
  }
}

void DemoServer::make(const base::Stop& stop) const {
  const auto password_file = data_.string() + ".password";
  base::replace_file(password_file, password_ + "\n");
  give_to_user(password_file);
  run("initdb",
      {"-D", data_.string(), "-U", kUser, "-A", "scram-sha-256", "--pwfile", password_file, "-E", "UTF8",
       "--locale=C", "--no-sync"},
      stop);
  fs::remove(password_file);
}

void DemoServer::start(const base::Stop& stop) {
  port_ = free_port();
  run("pg_ctl",
      {"-D", data_.string(), "-l", data_.string() + ".log", "-w", "-o",
       fmt::format("-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={} -c fsync=off -c "
                   "max_connections=60",
                   port_, directory_.string()),
       "start"},
      stop);
}

std::string DemoServer::url(const std::string& database) const {
  return fmt::format("postgres://{}:{}@127.0.0.1:{}/{}", kUser, password_, port_, database);
}

void DemoServer::run(const std::string& program, std::vector<std::string> arguments,
                     const base::Stop& stop) const {
  auto path = programs_ / program;
  if (geteuid() == 0) {
    arguments.insert(arguments.begin(), {"-u", kUser, "--", path.string()});
    path = "runuser";
  }
  const auto result =
      base::run_command({.program = path, .arguments = std::move(arguments), .environment = {}}, stop);
  if (result.exit_code != 0)
    throw Error(ErrorKind::permanent,
                fmt::format("{} ended with {}: {}", program, result.exit_code, result.error_text),
                fmt::format("see the servers' logs in {}", directory_.string()));
}

DemoServers::DemoServers(const fs::path& directory, const base::Stop& stop)
    : programs_(programs_for(directory)),
      source_(programs_, directory, "source", stop),
      target_(programs_, directory, "target", stop) {}

fs::path DemoServers::psql() const {
  std::error_code ignored;
  const auto own = programs_ / "psql";
  return fs::exists(own, ignored) ? own : base::find_program("psql");
}

}  // namespace cli
