#pragma once

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/http.h"
#include "tests/support/build.h"
#include "tests/support/cluster.h"
#include "tests/support/database_digest.h"
#include "tests/support/http_server.h"
#include "tests/support/process.h"
#include "tests/support/s3_fake.h"
#include "tests/support/sql.h"

/// A whole application that is to be moved: a database, two directories of files, a new stack that answers,
/// and a cutover.toml that declares all of it.
namespace rehearsal {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

inline constexpr int kDocuments = 40;
/// The exit code of a program that kill -9 ended.
inline constexpr int kKilled = 128 + SIGKILL;

class Application {
 public:
  Application() {
    source.psql_file(support::source_file("tests/rehearsal/application.sql"));
    for (int i = 1; i <= kDocuments; ++i) add_document(source, i);
    write("public/logo.svg", "<svg/>");
    write("public/css/site.css", "body {}");
    write_configuration();
  }

  /// A file, and the row that mentions it.
  void add_document(const support::TestDatabase& database, int number) const {
    const auto path = document_path(number);
    write("uploads/" + path, fmt::format("%PDF {}", std::string(static_cast<size_t>(number), 'x')));
    database.exec(fmt::format(
        "INSERT INTO documents (\"orderId\", file_path) VALUES ('ck' || md5('order ' || {}), '/uploads/{}')",
        number, path));
  }
  static std::string document_path(int number) {
    return fmt::format("invoices/{}/über {}.pdf", number % 3, number);
  }

  void write(const std::string& path, const std::string& content) const {
    fs::create_directories((directory / path).parent_path());
    std::ofstream(directory / path, std::ios::binary) << content;
  }
  std::map<std::string, std::string> environment(std::map<std::string, std::string> more = {}) const {
    more.merge(std::map<std::string, std::string>{
        {"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
        {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
        {"AWS_EC2_METADATA_DISABLED", "true"},
        {"SOURCE_URL", source.cluster().url(source.name(), "postgres", "sEcret")}});
    return more;
  }
  support::ProcessResult cutover(const std::vector<std::string>& arguments,
                                 std::map<std::string, std::string> variables = {}) const {
    return support::cutover(
        arguments, {.environment = environment(std::move(variables)), .directory = directory.path()});
  }
  nlohmann::json document(const std::string& name) const {
    std::ifstream in(directory / "cutover-run" / name);
    return nlohmann::json::parse(in);
  }
  /// The databases are equal by a reckoning of our own, and the bucket holds exactly the files.
  void expect_moved() const {
    EXPECT_EQ(support::database_digest(source.url()), support::database_digest(target.url()));
    EXPECT_EQ(support::schema_dump(source.url()), support::schema_dump(target.url()));
    std::map<std::string, std::string> files;
    for (const auto* tree : {"uploads", "public"})
      for (const auto& entry : fs::recursive_directory_iterator(directory / tree))
        if (entry.is_regular_file()) {
          std::ifstream in(entry.path(), std::ios::binary);
          files[fs::relative(entry.path(), directory.path()).string()] = {std::istreambuf_iterator<char>(in),
                                                                          {}};
        }
    std::map<std::string, std::string> objects;
    for (const auto& [key, object] : bucket.objects()) objects[key] = object.content;
    EXPECT_EQ(files, objects);
  }

  support::TempDir directory;
  support::TestDatabase source{support::cluster(15, "source")};
  support::TestDatabase target{support::cluster(15, "target")};
  support::S3Fake bucket;
  std::atomic<int> status{200};
  support::HttpServer new_stack{[this](const support::HttpServerRequest&) {
    return support::HttpServerResponse{.status = status, .body = "all ok"};
  }};
  std::optional<support::HttpServer> redis{
      std::in_place, [](const support::HttpServerRequest&) { return support::HttpServerResponse{}; }};

 private:
  void write_configuration() const {
    const auto upload = [&](const std::string& tree) {
      return fmt::format(
          "[[upload]]\nfrom = \"{0}\"\nto = \"s3://bucket/{0}\"\nendpoint_url = \"{1}\"\nregion = "
          "\"us-east-1\"\n",
          tree, bucket.url());
    };
    std::ofstream(directory / "cutover.toml")
        << "[source]\nurl = \"env:SOURCE_URL\"\n[target]\nurl = \"" << target.url()
        << "\"\n[copy]\njobs = 2\n[repair]\nmost = 100\n"
        << upload("uploads") << "refs = [\"documents.file_path\"]\nrefs_prefix = \"/uploads/\"\ndatabase = \""
        << target.url() << "\"\n"
        << upload("public") << "[[check.http]]\nurl = \"" << new_stack.url()
        << "/api/health\"\ncontains = \"ok\"\n[[check.tcp]]\nname = \"redis\"\naddress = \"127.0.0.1:"
        << redis->port()
        << "\"\n[[check.sql]]\nname = \"users are there\"\nquery = 'SELECT count(*) > 0 FROM \"User\"'\n";
  }
};

/// A move of one database whose copy does not get on until the gate is opened.
class GatedMove {
 public:
  GatedMove() {
    source.exec(
        "CREATE TABLE slow_to_read (id int PRIMARY KEY); INSERT INTO slow_to_read SELECT generate_series(1, "
        "300);"
        "CREATE TABLE gate (open boolean); INSERT INTO gate VALUES (false);"
        "CREATE FUNCTION pass(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN "
        "IF NOT (SELECT open FROM public.gate) THEN PERFORM pg_sleep(0.1); END IF; RETURN true; END$$");
    std::ofstream(directory / "cutover.toml")
        << "[copy.where]\n\"public.slow_to_read\" = \"public.pass(id)\"\n";
  }

  /// `cutover run`, and these arguments.
  std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> out{
        "run",      "--source",   source.cluster().url(source.name(), "postgres", "sEcret"),
        "--target", target.url(), "--log-format",
        "json"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  support::ProcessOptions options() const { return {.directory = directory.path()}; }
  void wait_until_it_copies() const {
    source.wait_until(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active' AND "
        "datname = current_database()");
  }
  void open() const { source.exec("UPDATE gate SET open = true"); }
  /// Where it can be watched, of a run with --serve.
  static std::string address_of(support::Process& run) {
    constexpr std::string_view kSays = "can be watched at ";
    run.wait_for_output(kSays);
    const auto log = run.error();
    const auto from = log.find(kSays) + kSays.size();
    return log.substr(from, log.find('"', from) - from);
  }

  support::TempDir directory;
  support::TestDatabase source{support::cluster(15, "source")};
  support::TestDatabase target{support::cluster(15, "target")};
};

/// Databases only, as cutover.toml declares them.
class MoveOfDatabases : public testing::Test {
 protected:
  support::ProcessResult cutover(const std::vector<std::string>& arguments,
                                 std::map<std::string, std::string> variables = {}) const {
    variables.merge(std::map<std::string, std::string>{{"AWS_ACCESS_KEY_ID", support::S3Fake::kAccessKey},
                                                       {"AWS_SECRET_ACCESS_KEY", support::S3Fake::kSecretKey},
                                                       {"AWS_EC2_METADATA_DISABLED", "true"}});
    return support::cutover(arguments, {.environment = variables, .directory = directory_.path()});
  }
  void declare(const std::string& more) const {
    std::ofstream(directory_ / "cutover.toml")
        << "[source]\nurl = \"" << first_.url() << "\"\n[target]\nurl = \"" << target_.url() << "\"\n"
        << more;
  }
  static void fill(const support::TestDatabase& database) {
    database.exec(
        "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, i FROM generate_series(1, 1000) "
        "i");
  }
  nlohmann::json document(const std::string& name) const {
    std::ifstream in(directory_ / "cutover-run" / name);
    return nlohmann::json::parse(in);
  }
  nlohmann::json run_report() const { return document("run-report.json"); }

  support::TempDir directory_;
  support::TestDatabase first_{support::cluster(15, "source")};
  support::TestDatabase second_{support::cluster(15, "source")};
  support::TestDatabase target_{support::cluster(15, "target")};
  support::TestDatabase second_target_{support::cluster(15, "target")};
};

inline base::HttpResponse get(const std::string& url) {
  base::HttpClient client(std::make_shared<base::HttpShare>());
  return client.send({.method = "GET", .url = url}, {});
}

/// What the application does all the time: it writes to the source, and connects again when its session ends.
class Writer {
 public:
  explicit Writer(const Application& application)
      : application_(application), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  uint64_t written() const { return written_; }
  /// Writes that the source did not accept.
  uint64_t refused() const { return refused_; }
  void wait_for(const std::atomic<uint64_t>& count, uint64_t more) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (const auto wanted = count + more; count < wanted;) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("the writer does not get on");
      std::this_thread::yield();
    }
  }
  void wait_for_writes(uint64_t more) const { wait_for(written_, more); }
  void wait_for_refusals(uint64_t more) const { wait_for(refused_, more); }

 private:
  void run(const std::stop_token& stop) {
    std::unique_ptr<support::Session> session;
    for (int number = 1000; !stop.stop_requested(); ++number) {
      try {
        if (!session) session = std::make_unique<support::Session>(application_.source.url());
        write(*session, number);
        ++written_;
      } catch (const std::runtime_error&) {
        session.reset();
        ++refused_;
      }
      // An application's pace: a loop without any would be all that these two cores do.
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void write(support::Session& session, int number) const {
    // Only some have a file of their own, which comes after its row: no file is written that has none.
    const bool has_file = number % 10 == 0;
    const auto path = Application::document_path(has_file ? number : 1);
    session.exec(
        fmt::format("BEGIN;"
                    "INSERT INTO \"Order\" (id, \"userId\", total) VALUES ('w{0}', md5('user 1')::uuid, {0});"
                    "INSERT INTO order_items (order_id, sku) VALUES ('w{0}', 'SKU');"
                    "UPDATE \"User\" SET settings = settings || '{{\"visits\": {0}}}' WHERE email = "
                    "'user{1}@example.org';"
                    "DELETE FROM order_items WHERE id = {0};"
                    "INSERT INTO documents (\"orderId\", file_path) VALUES ('w{0}', '/uploads/{2}');"
                    "COMMIT",
                    number, number % 200 + 1, path));
    if (has_file) application_.write("uploads/" + path, "late");
  }

  const Application& application_;
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> refused_{0};
  std::jthread thread_;
};

}  // namespace rehearsal
