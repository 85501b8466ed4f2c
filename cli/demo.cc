#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/format.h"
#include "base/process.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/demo_bucket.h"
#include "cli/demo_data.h"
#include "cli/demo_servers.h"
#include "cli/errors.h"
#include "cli/screen.h"
#include "cli/status_file.h"
#include "cli/subcommand.h"
#include "pg/connection.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

const fs::path kRunDir = "cutover-run";

/// A directory of its own under the system's for temporary files, removed at the end.
class DemoDirectory {
 public:
  DemoDirectory() {
    auto name = (fs::temp_directory_path() / "cutover-demo-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw base::system_error("make", name, errno);
    path_ = name;
    // For the user postgres, who is not root.
    fs::permissions(path_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  }
  ~DemoDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  DemoDirectory(const DemoDirectory&) = delete;
  DemoDirectory& operator=(const DemoDirectory&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What this shell has of a real move, and of other clients of Postgres and S3, is not the demo's.
void forget_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    for (const auto* prefix : {"CUTOVER_", "PG", "AWS_"})
      if (text.starts_with(prefix)) names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const auto& name : names)
    ::unsetenv(name.c_str());                    // NOLINT(concurrency-mt-unsafe): no other thread reads it
  ::setenv("no_proxy", "127.0.0.1", 1);          // NOLINT(concurrency-mt-unsafe)
  ::setenv("AWS_ACCESS_KEY_ID", "demo", 1);      // NOLINT(concurrency-mt-unsafe)
  ::setenv("AWS_SECRET_ACCESS_KEY", "demo", 1);  // NOLINT(concurrency-mt-unsafe)
}

class Demo {
 public:
  Demo(const Invocation& invocation, const fs::path& page)
      : invocation_(invocation), page_(fs::absolute(page)) {}

  void run() {
    const auto start = std::chrono::steady_clock::now();
    say("two PostgreSQL servers and a bucket, all on this machine, for the time of the demo");
    fs::current_path(home_.path());  // where its cutover.toml is
    servers_.emplace(home_.path(), invocation_.stop);
    make_application();
    say(fmt::format("the database {} holds {}", DemoDatabase::kName, database_->contents()));
    say("the whole move, as cutover.toml declares it; it is killed with SIGKILL in the middle of the copy");
    run_killed();
    say("the same command again: it resumes. The application still writes, so the verdict is READY, not GO");
    write_order("meanwhile");
    expect(kIncomplete, {"run"});
    write_order("late");
    say("the night: the fence is raised, what has changed since is brought over, and everything is compared");
    expect(kEqual, {"run", "--final", "--yes"});
    fs::copy_file(kRunDir / "report.html", page_, fs::copy_options::overwrite_existing);
    say("now somebody changes one row at the target: the check before the switch finds it");
    database_->at_target().exec(R"(UPDATE shop."Order" SET total = total + 1 WHERE id = 'late')");
    expect(kDifferent, {"check"});
    say("the repair touches that row alone, and the check says GO");
    expect(kEqual, {"repair", "--run-dir", (kRunDir / "database").string(), "--apply", "--yes"});
    expect(kEqual, {"check"});
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    say(fmt::format("done, in {}. The report of the night: {}", base::human_duration(took), page_.string()));
  }

 private:
  void say(std::string_view text) const {
    invocation_.print(styled(Style::bold, fmt::format("\n==== {}\n", text), wants_colours(STDOUT_FILENO)) +
                      "\n");
  }

  void write_order(const std::string& id) const {
    database_->at_source().exec(fmt::format(
        R"(INSERT INTO shop."Order" (id, "userId", total) VALUES ('{}', md5('user 1')::uuid, 99))", id));
  }

  void make_application() {
    database_.emplace(*servers_, home_.path() / "scripts", invocation_.stop);
    database_->make();
    make_demo_files("uploads");
    base::replace_file(
        kConfigFile,
        fmt::format(
            "[source]\nurl = \"{}\"\n[target]\nurl = \"{}\"\n[copy]\njobs = 2\n"
            "split_size = \"1MB\"\n[upload]\nfrom = \"{}\"\nto = \"s3://{}/uploads\"\n"
            "endpoint_url = \"{}\"\nregion = \"us-east-1\"\ndatabase = \"{}\"\n"
            "refs = ['shop.\"Document\".\"filePath\"']\nrefs_prefix = \"/uploads/\"\n"
            "[[check.sql]]\nname = \"users are there\"\nquery = 'SELECT count(*) > 0 FROM shop.\"User\"'\n",
            servers_->source(DemoDatabase::kName), servers_->target(DemoDatabase::kName), "uploads",
            DemoBucket::kName, bucket_.url(), servers_->target(DemoDatabase::kName)));
  }

  void expect(int exit_code, const std::vector<std::string>& arguments) const {
    invocation_.stop.check();
    invocation_.print(fmt::format("$ {}\n", to_type(arguments)));
    const auto outcome = run_command(invocation_, arguments, invocation_.print);
    invocation_.print(fmt::format("(exit code {})\n", outcome.exit_code));
    if (outcome.exit_code != exit_code)
      throw Error(ErrorKind::permanent,
                  fmt::format("the demo expected the exit code {}, not {}", exit_code, outcome.exit_code));
  }

  /// Some chunks are on the target by then, and some are not.
  bool is_in_the_middle(pg::Connection& target) const {
    constexpr int64_t kChunks = 50;
    const auto there = target.exec("SELECT to_regclass('cutover.chunk') IS NOT NULL");
    return there.boolean(0, 0) &&
           target.exec(fmt::format("SELECT count(*) >= {} FROM cutover.chunk", kChunks)).boolean(0, 0);
  }

  /// Without the kill the story has a gap, and no more.
  void try_to_kill(const std::stop_token& ended) const {
    try {
      kill_in_the_middle(ended);
    } catch (const Error& error) {
      if (!invocation_.stop.requested()) spdlog::warn("the move is not killed: {}", error.message());
    }
  }

  void kill_in_the_middle(const std::stop_token& ended) const {
    auto target = database_->at_target();
    while (!ended.stop_requested()) {
      const auto victim = running_process(kRunDir / "database");
      if (!victim || !is_in_the_middle(target)) {
        ::usleep(1000);
        continue;
      }
      ::kill(*victim, SIGKILL);
      return;
    }
  }

  void run_killed() const {
    const std::vector<std::string> arguments{"run", "--no-progress"};
    invocation_.print(fmt::format("$ {}\n", to_type(arguments)));
    base::CommandResult result;
    {
      const std::jthread killer([this](const std::stop_token& ended) { try_to_kill(ended); });
      result = base::run_command({.program = "/proc/self/exe", .arguments = arguments, .environment = {}},
                                 invocation_.stop, invocation_.print);
    }
    constexpr int kKilled = 128 + SIGKILL;
    if (result.exit_code != kKilled && result.exit_code != kIncomplete)
      throw Error(ErrorKind::permanent,
                  fmt::format("the move ended with {}: {}", result.exit_code, result.error_text));
    invocation_.print(result.exit_code == kKilled ? "(killed)\n" : "(it was faster than the kill)\n");
    expect(kEqual, {"status"});
  }

  const Invocation& invocation_;
  fs::path page_;
  DemoDirectory home_;
  std::optional<DemoServers> servers_;
  std::optional<DemoDatabase> database_;
  DemoBucket bucket_;
};

}  // namespace

Run set_up_demo(OptionSet& set) {
  set.describe(
      "The whole story in a minute, on servers of its own that are gone afterwards: a database with every "
      "kind of object that PostgreSQL has, and an application's files, are moved, the move is killed in the "
      "middle and resumed, the night's last changes are brought over, a broken row is found and repaired. It "
      "needs the programs of a PostgreSQL server, 15 or newer, on this machine, and nothing else; no server "
      "of yours is touched. The report of the night is kept.");
  set.example("see it", "cutover demo");
  set.example("with its page elsewhere", "cutover demo --page /tmp/report.html");
  const auto page = std::make_shared<fs::path>("cutover-demo.html");
  set.group("Result");
  set.value("--page", "FILE", "where the report of the night is kept", "./" + page->string(),
            [page](const std::string& text) { *page = text; })
      .not_in_file();
  return [page](const Invocation& invocation) {
    forget_environment();
    Demo(invocation, *page).run();
    return kEqual;
  };
}

}  // namespace cli
