#include "cli/arguments.h"

#include <gmock/gmock.h>

namespace cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(WithoutSecret, RedactsConnectionsWithAPassword) {
  EXPECT_EQ(without_secret("postgres://app:sEcret@h:5432/db?sslmode=require"), "postgres://app@h:5432/db");
  EXPECT_EQ(without_secret("--source=postgres://app:sEcret@h/db"), "--source=postgres://app@h/db");
  EXPECT_EQ(without_secret("postgres://app@h/db?password=sEcret"), "postgres://app@h/db");
  EXPECT_EQ(without_secret("host=h dbname=db password = sEcret"), "postgres://h/db");
  EXPECT_EQ(without_secret("host=h dbname=passwords password=sEcret"), "postgres://h/passwords");
  EXPECT_EQ(without_secret("host=h dbname=db password\t=sEcret"), "postgres://h/db");
  EXPECT_EQ(without_secret("postgres://h/passwords?password=sEcret"), "postgres://h/passwords");
}

TEST(WithoutSecret, HidesWhatItCannotUnderstand) {
  EXPECT_EQ(without_secret("postgres://app:sEc/ret@h:5432/db"), "…");
  EXPECT_EQ(without_secret("--target=postgress://app:sEcret@h/db"), "--target=…");
  EXPECT_EQ(without_secret("host=h password=sEcret oops"), "…");
  EXPECT_EQ(without_secret("postgres:/app:sEcret@h/db"), "…");
  EXPECT_EQ(without_secret("postgres:app:sEcret@h/db"), "…");
}

TEST(WithoutSecret, HidesTheSecretsOfAUrl) {
  EXPECT_EQ(without_secret("https://new.example/health?token=sEcret"), "https://new.example/health?…");
  EXPECT_EQ(without_secret("--http=http://user:sEcret@h:8080/x#sEcret"), "--http=http://h:8080/x?…");
  EXPECT_EQ(without_secret("https://user:sEc@ret@h"), "https://h");
  EXPECT_EQ(without_secret(R"({"url": "https://h/x?a=b c&k='sEcret'"})"), R"({"url": "https://h/x?…"})");
  EXPECT_EQ(without_secret(R"({"url": "https://u:sEcret@h/x?token=sEcret", "contains": "ok"})"),
            R"({"url": "https://h/x?…", "contains": "ok"})");
  EXPECT_THAT(without_secret("host=h password='http://sEcret'"), Not(HasSubstr("sEcret")));
}

TEST(WithoutSecret, HidesTheValuesOfHeaders) {
  EXPECT_EQ(
      without_secret(R"({"url": "http://h", "headers": {"Authorization": "sEcret", "X": "env:TOKEN"}})"),
      R"({"url":"http://h","headers":{"Authorization":"…","X":"env:TOKEN"}})");
  for (const auto* bad : {R"(--http={"url": "http://h", "headers": {"X": "sEcret")",
                          R"( {"headers": ["sEcret"]})", R"({"headers": {"X": {"Y": "sEcret"}}})"})
    EXPECT_THAT(without_secret(bad), Not(HasSubstr("sEcret"))) << bad;
}

TEST(WithoutSecret, LeavesTheRestAlone) {
  for (const char* text : {"copy", "--jobs", "--jobs=4", "postgres://app@h/db?sslmode=require",
                           "/tmp/run@home", "public.users=password is not null", "--role-map=a=b"})
    EXPECT_EQ(without_secret(text), text);
}

class Memory {
 public:
  explicit Memory(std::vector<std::string> arguments) : texts_(std::move(arguments)) {
    for (auto& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  int argc() const { return static_cast<int>(texts_.size()); }
  char** argv() { return pointers_.data(); }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

TEST(Arguments, OverwriteTheProcessesOwnMemory) {
  Memory memory({"cutover", "copy", "--source", "postgres://app:sEcret@h/db",
                 "--target=postgres://app:oThers@h2/db", "--jobs", "4"});
  Arguments arguments(memory.argc(), memory.argv());
  arguments.hide_secrets();
  EXPECT_EQ(memory.texts()[3], "postgres://app@h/db       ");
  EXPECT_EQ(memory.texts()[4], "--target=postgres://app@h2/db       ");
  EXPECT_EQ(memory.texts()[6], "4");
  EXPECT_EQ(arguments.values()[3], "postgres://app:sEcret@h/db");
}

TEST(Arguments, NeverWriteBehindTheirEnd) {
  // The redacted form is longer than what was given.
  Memory memory({"cutover", "copy", "--source", "password=s", "--jobs"});
  Arguments arguments(memory.argc(), memory.argv());
  arguments.hide_secrets();
  EXPECT_EQ(memory.texts()[3].size(), 10U);
  EXPECT_THAT(memory.texts()[3], Not(HasSubstr("password")));
  EXPECT_EQ(memory.texts()[4], "--jobs");
}

TEST(Arguments, SayHowToRunItAgain) {
  Memory memory({"/usr/bin/cutover", "copy", "--source", "postgres://app:sEcret@h/db",
                 "--target=postgres://h2/db", "--exclude", "audit.*", "--restart", "--run-dir", "r 1",
                 "--target-auth", "rds-iam"});
  const Arguments arguments(memory.argc(), memory.argv());
  EXPECT_EQ(arguments.again(),
            "cutover copy --source … --target=… --exclude 'audit.*' --run-dir 'r 1' --target-auth rds-iam");
}

}  // namespace
}  // namespace cli
