#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/cluster.h"
#include "tests/support/process.h"

// Where libpq itself looks for what a URL does not say, pg_dump as well: a move must work with each.

namespace cli {
namespace {

namespace fs = std::filesystem;
using Environment = std::map<std::string, std::string>;

class LibpqsOwnPlaces : public ::testing::Test {
 protected:
  LibpqsOwnPlaces() {
    server_.exec("postgres", fmt::format("ALTER ROLE {} SUPERUSER PASSWORD '{}'", role_.name(), kPassword));
    server_.require_password(role_.name());
    source_.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
  }
  /// Works with this environment, and with none of it does not.
  void expect_move(const std::string& source, const std::string& target, const Environment& places) const {
    const auto cutover = [&](const char* command, const Environment& environment) {
      return support::cutover({command, "--source", source, "--target", target},
                              {.environment = environment, .directory = home_.path()});
    };
    EXPECT_EQ(cutover("plan", {{"HOME", home_.path()}}).exit_code, 2);
    const auto moved = cutover("run", places);
    EXPECT_EQ(moved.exit_code, 4) << moved.output << moved.error;
    EXPECT_EQ(target_.value("SELECT count(*) FROM t"), "100");
    const auto checked = cutover("check", places);
    EXPECT_EQ(checked.exit_code, 5) << checked.output << checked.error;
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(home_ / name) << text;
    fs::permissions(home_ / name, fs::perms::owner_read | fs::perms::owner_write);
    return home_ / name;
  }

  static constexpr const char* kPassword = "sEcret";
  support::Cluster& server_ = support::cluster(15, "source");
  support::TempDir home_;
  support::TestRole role_{server_};
  support::TestDatabase source_{server_};
  support::TestDatabase target_{server_};
};

TEST_F(LibpqsOwnPlaces, APasswordFile) {
  const auto file =
      write("passwords", fmt::format("127.0.0.1:{}:*:{}:{}\n", server_.port(), role_.name(), kPassword));
  expect_move(source_.url(role_.name()), target_.url(role_.name()), {{"PGPASSFILE", file}});
}

TEST_F(LibpqsOwnPlaces, AServiceFile) {
  const auto service = [&](const char* name, const support::TestDatabase& database) {
    return fmt::format("[{}]\nhost=127.0.0.1\nport={}\nuser={}\npassword={}\ndbname={}\n", name,
                       server_.port(), role_.name(), kPassword, database.name());
  };
  const auto file = write("services", service("old", source_) + service("new", target_));
  expect_move("service=old", "postgres://?service=new", {{"PGSERVICEFILE", file}});
}

TEST_F(LibpqsOwnPlaces, AServiceOfBoth) {
  const auto file = write("services", fmt::format("[both]\nhost=127.0.0.1\nport={}\nuser={}\npassword={}\n",
                                                  server_.port(), role_.name(), kPassword));
  expect_move("dbname=" + source_.name(), "postgres:///" + target_.name(),
              {{"PGSERVICEFILE", file}, {"PGSERVICE", "both"}});
}

TEST_F(LibpqsOwnPlaces, Variables) {
  expect_move("dbname=" + source_.name(), "postgres:///" + target_.name(),
              {{"PGHOST", "127.0.0.1"},
               {"PGPORT", std::to_string(server_.port())},
               {"PGUSER", role_.name()},
               {"PGPASSWORD", kPassword}});
}

}  // namespace
}  // namespace cli
