#include "tests/support/cluster.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/build.h"
#include "tests/support/sql.h"

namespace support {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr milliseconds kPollPause{10};
constexpr milliseconds kStartDeadline{60'000};
constexpr const char* kSettings = R"(
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
autovacuum = off
shared_buffers = 32MB
max_connections = 60
max_prepared_transactions = 10
wal_level = logical
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
jit = off
)";

bool port_is_free(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free =
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;  // NOLINT
  close(descriptor);
  return free;
}

int free_port() {
  int first_ephemeral = 32768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_ephemeral;
  std::random_device device;
  std::uniform_int_distribution<int> ports(10'000, std::max(first_ephemeral, 20'000) - 1);
  for (int tries = 0; tries < 1000; ++tries)
    if (const int port = ports(device); port_is_free(port)) return port;
  throw std::runtime_error("no free port");
}

void give_to_postgres(const fs::path& path) {
  if (geteuid() != 0) return;
  const passwd* entry = getpwnam("postgres");  // NOLINT(concurrency-mt-unsafe)
  if (!entry || chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0)
    throw std::runtime_error("cannot give " + path.native() + " to the user postgres");
}

void append(const fs::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::app);
  if (!(out << text << '\n' << std::flush)) throw std::runtime_error("cannot write " + path.native());
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// The parent of a process and its state, from /proc/PID/stat: "PID (name) STATE PPID …".
struct ProcessState {
  char state = '\0';
  pid_t parent = 0;
};

std::optional<ProcessState> process_state(const fs::path& directory) {
  std::ifstream in(directory / "stat");
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  const auto after_name = line.rfind(')');
  ProcessState found;
  if (after_name == std::string::npos ||
      std::sscanf(line.c_str() + after_name, ") %c %d", &found.state, &found.parent) != 2)
    return std::nullopt;
  return found;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().native();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    const auto state = process_state(entry.path());
    if (state && state->parent == parent) children.push_back(pid);
  }
  return children;
}

bool has_ended(pid_t pid) {
  const auto state = process_state(fmt::format("/proc/{}", pid));
  return !state || state->state == 'Z' || state->state == 'X';
}

template <typename Condition>
void poll_until(Condition condition, milliseconds deadline, const std::string& what) {
  const auto end = steady_clock::now() + deadline;
  while (!condition()) {
    if (steady_clock::now() > end) throw std::runtime_error("waited in vain for: " + what);
    std::this_thread::sleep_for(kPollPause);
  }
}

// initdb takes seconds; its result is kept beside the test program.
fs::path template_directory(int major) {
  return fs::read_symlink("/proc/self/exe").parent_path() / ".cache" / fmt::format("postgres-{}-data", major);
}

}  // namespace

// ------------------------------------------------------------------------------------------- Watchdog

/// Waits at the other end of a pipe for our end, when the kernel closes the pipe.
class Cluster::Watchdog {
 public:
  explicit Watchdog(const fs::path& directory) {
    static constexpr const char* kScript =
        "cat >/dev/null\n"
        "[ -d \"$1\" ] || exit 0\n"
        "read -r pid <\"$1/data/postmaster.pid\" && [ \"$(readlink \"/proc/$pid/cwd\")\" = \"$1/data\" ] &&\n"
        "  kill -QUIT \"$pid\" && while kill -0 \"$pid\"; do sleep 0.1; done\n"
        "rm -rf \"$1\"\n";
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot create a pipe");
    pipe_ = ends[1];
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) {
      setsid();
      dup2(ends[0], 0);
      const int null = open("/dev/null", O_WRONLY);
      dup2(null, 1);
      dup2(null, 2);
      closefrom(3);
      execl("/bin/sh", "sh", "-c", kScript, "cluster-watchdog", directory.c_str(), nullptr);
      _exit(127);
    }
    close(ends[0]);
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    close(pipe_);
    waitpid(pid_, nullptr, 0);
  }

 private:
  int pipe_ = -1;
  pid_t pid_ = -1;
};

// -------------------------------------------------------------------------------------------- Cluster

fs::path server_programs(int major) {
  const auto usable = [](const fs::path& directory) {
    return access((directory / "postgres").c_str(), X_OK) == 0;
  };
  if (const fs::path debian = fmt::format("/usr/lib/postgresql/{}/bin", major); usable(debian)) return debian;
  const char* configured = std::getenv("CUTOVER_PG_BINARIES");  // NOLINT(concurrency-mt-unsafe)
  std::vector<fs::path> homes = {source_file(".cache/postgres"), "/var/tmp/cutover-postgres"};
  if (configured && *configured) homes = {configured};
  for (const auto& home : homes)
    if (auto programs = home / std::to_string(major) / "native/bin"; usable(programs)) return programs;
  throw std::runtime_error(
      fmt::format("there is no PostgreSQL {0} here; get it with: ./dev setup postgres {0}", major));
}

Cluster::Cluster(int major, const ClusterOptions& options)
    : major_(major), programs_(server_programs(major)) {
  give_to_postgres(directory_.path());
  watchdog_ = std::make_unique<Watchdog>(directory_.path());
  create_data_directory();
  fs::create_directory(socket_directory());
  give_to_postgres(socket_directory());
  add_setting(kSettings);
  add_setting(fmt::format("unix_socket_directories = '{}'", socket_directory().native()));
  for (const auto& line : options.settings) add_setting(line);
  for (int tries = 0; tries < 5; ++tries) {
    port_ = free_port();
    if (try_start()) return;
  }
  throw std::runtime_error("every port that was free was taken a moment later");
}

Cluster::~Cluster() {
  try {
    stop(StopMode::immediate);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stopping a test server: %s\n", error.what());
  }
}

void Cluster::create_data_directory() const {
  const auto kept = template_directory(major_);
  std::error_code ignored;
  if (!fs::exists(kept)) {
    run_or_throw(programs_ / "initdb",
                 {"--pgdata", data_directory(), "--username", "postgres", "--auth", "trust", "--encoding",
                  "UTF8", "--locale", "C.UTF-8", "--no-sync"},
                 {.environment = {{"TZ", "UTC"}}, .as_postgres = true});
    // Another test program may do the same: whoever renames first wins.
    const auto mine = kept.native() + fmt::format(".{}", getpid());
    fs::create_directories(kept.parent_path());
    run_or_throw("cp", {"-a", "--reflink=auto", data_directory(), mine});
    if (rename(mine.c_str(), kept.c_str()) != 0) fs::remove_all(mine, ignored);
  } else {
    run_or_throw("cp", {"-a", "--reflink=auto", kept, data_directory()});
  }
}

// False when the port is taken.
bool Cluster::try_start() {
  postmaster_ = std::make_unique<Process>(
      programs_ / "postgres", std::vector<std::string>{"-D", data_directory(), "-p", std::to_string(port_)},
      ProcessOptions{.as_postgres = true});
  const auto conninfo = fmt::format("host=127.0.0.1 port={} dbname=postgres user=postgres", port_);
  const auto end = steady_clock::now() + kStartDeadline;
  while (PQping(conninfo.c_str()) != PQPING_OK) {
    if (!postmaster_->running()) {
      const auto log = postmaster_->error();
      postmaster_.reset();
      if (log.find("Address already in use") != std::string::npos) return false;
      throw std::runtime_error("the server did not start:\n" + log);
    }
    if (steady_clock::now() > end)
      throw std::runtime_error("the server is not ready:\n" + postmaster_->error());
    std::this_thread::sleep_for(kPollPause);
  }
  return true;
}

void Cluster::start() {
  if (!running() && !try_start())
    throw std::runtime_error(fmt::format("port {} was taken in the meantime", port_));
}

void Cluster::stop(StopMode mode) {
  if (!running()) return;
  const auto process = std::move(postmaster_);
  process->kill(mode == StopMode::fast ? SIGINT : SIGQUIT);
  poll_until([&] { return !process->running(); }, kStartDeadline, "the end of a server");
}

void Cluster::restart(StopMode mode) {
  stop(mode);
  start();
}

void Cluster::kill9() {
  if (!running()) return;
  const auto process = std::move(postmaster_);
  const auto children = children_of(process->pid());
  process->kill(SIGKILL);  // first: it would start a recovery
  for (const auto child : children) ::kill(child, SIGKILL);
  process->wait();
  // The shared memory is free only when the last one is gone.
  poll_until([&] { return std::ranges::all_of(children, has_ended); }, kStartDeadline,
             "the end of killed processes");
}

std::string Cluster::log() const { return running() ? postmaster_->error() : std::string(); }
void Cluster::add_setting(std::string_view line) { append(data_directory() / "postgresql.conf", line); }

void Cluster::require_password(std::string_view role) {
  add_access_rule(fmt::format("host all {} 127.0.0.1/32 scram-sha-256", sql_identifier(role)));
}

void Cluster::add_access_rule(std::string_view line) {
  const auto path = data_directory() / "pg_hba.conf";
  std::ifstream in(path);
  const std::string before((std::istreambuf_iterator<char>(in)), {});
  std::ofstream out(path, std::ios::trunc);
  if (!(out << line << '\n' << before << std::flush))
    throw std::runtime_error("cannot write " + path.native());
  // The server reads the file after it has noted the time, and starts no session in between.
  const auto loaded = value("postgres", "SELECT pg_conf_load_time()");
  exec("postgres", "SELECT pg_reload_conf()");
  wait_until("postgres", fmt::format("SELECT pg_conf_load_time() > '{}'", loaded));
}

std::string Cluster::url(std::string_view database, std::string_view user, std::string_view password) const {
  return fmt::format("postgres://{}{}{}@127.0.0.1:{}/{}", percent_encoded(user), password.empty() ? "" : ":",
                     percent_encoded(password), port_, percent_encoded(database));
}

std::string Cluster::socket_conninfo(std::string_view database) const {
  return fmt::format("postgres://postgres@/{}?host={}&port={}", percent_encoded(database),
                     percent_encoded(socket_directory().native()), port_);
}

Rows Cluster::exec(std::string_view database, std::string_view sql) const {
  return exec_url(socket_conninfo(database), sql);
}

std::string Cluster::value(std::string_view database, std::string_view sql) const {
  const auto rows = exec(database, sql);
  if (rows.empty() || rows[0].empty() || !rows[0][0])
    throw std::runtime_error(fmt::format("no value from: {}", sql));
  return *rows[0][0];
}

void Cluster::wait_until(std::string_view database, std::string_view sql, milliseconds deadline) const {
  poll_until(
      [&] {
        try {
          return value(database, sql) == "t";
        } catch (const ConnectionLost&) {
          return false;
        }
      },
      deadline, std::string(sql));
}

void Cluster::psql_file(std::string_view database, const fs::path& script,
                        const std::map<std::string, std::string>& variables) const {
  std::vector<std::string> arguments = {"-X", "-q",  "-v", "ON_ERROR_STOP=1", "-d", socket_conninfo(database),
                                        "-f", script};
  for (const auto& [name, value] : variables)
    arguments.insert(arguments.end(), {"-v", fmt::format("{}={}", name, value)});
  run_or_throw("/usr/lib/postgresql/15/bin/psql", arguments, {.deadline = std::chrono::minutes(5)});
}

void Cluster::create_database(std::string_view name, std::string_view options) const {
  exec("postgres", fmt::format("CREATE DATABASE {} {}", sql_identifier(name), options));
}

void Cluster::drop_database(std::string_view name) const {
  if (major_ < 13)
    exec("postgres", fmt::format("UPDATE pg_database SET datallowconn = false WHERE datname = {0};"
                                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {0}",
                                 sql_literal(name)));
  exec("postgres",
       fmt::format("DROP DATABASE {}{}", sql_identifier(name), major_ < 13 ? "" : " WITH (FORCE)"));
}

Cluster& cluster(int major, const std::string& name) {
  static std::map<std::pair<int, std::string>, std::unique_ptr<Cluster>> clusters;
  auto& found = clusters[{major, name}];
  if (!found) found = std::make_unique<Cluster>(major);
  return *found;
}

TestDatabase::TestDatabase(const Cluster& cluster, std::string_view options) : cluster_(cluster) {
  static int count = 0;
  name_ = fmt::format("test_{}", ++count);
  cluster_.create_database(name_, options);
}

TestDatabase::~TestDatabase() {
  if (!cluster_.running()) return;
  try {
    cluster_.drop_database(name_);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dropping %s: %s\n", name_.c_str(), error.what());
  }
}

TestRole::TestRole(const Cluster& cluster, std::string_view options) : cluster_(cluster) {
  static int count = 0;
  name_ = fmt::format("test_role_{}", ++count);
  cluster_.exec("postgres", fmt::format("CREATE ROLE {} {}", name_, options));
}

TestRole::~TestRole() {
  if (!cluster_.running()) return;
  try {
    cluster_.exec("postgres", fmt::format("DROP ROLE {}", name_));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dropping %s: %s\n", name_.c_str(), error.what());
  }
}

}  // namespace support
