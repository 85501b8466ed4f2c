#include "cli/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A log into a pipe that is large enough for these tests.
class LogTest : public ::testing::Test {
 protected:
  LogTest() : screen_(open_pipe()), log_(screen_) {}
  ~LogTest() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  std::string written() const {
    std::string out(65536, '\0');
    const auto count = read(ends_[0], out.data(), out.size());
    out.resize(count < 0 ? 0 : static_cast<size_t>(count));
    return out;
  }

  int ends_[2] = {-1, -1};
  Screen screen_;
  Log log_;

 private:
  int open_pipe() {
    EXPECT_EQ(pipe2(ends_, O_NONBLOCK | O_CLOEXEC), 0);
    return ends_[1];
  }
};

TEST_F(LogTest, TextHasATimeALevelAndTheMessage) {
  spdlog::warn("copy {}: lost", "public.orders");
  EXPECT_THAT(written(),
              ::testing::MatchesRegex("2...-..-..T..:..:..\\....Z warning: copy public.orders: lost\n"));
  spdlog::info("hello");
  EXPECT_THAT(written(), EndsWith("Z hello\n"));
  spdlog::debug("not shown");
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(LogTest, TextNeverPassesOnControlCharactersNorForgedLines) {
  spdlog::error("server said \x1b[2J\r\nerror: forged");
  const auto text = written();
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\r")), HasSubstr("\n  error: forged")));
}

TEST_F(LogTest, JsonIsOneValidObjectPerLine) {
  log_.configure({.log_format = LogFormat::json});
  const std::string nasty =
      "quote \" backslash \\ newline \n tab \t escape \x1b bad \xff\xc3 nul " + std::string(1, '\0') + " é";
  spdlog::warn("{}", nasty);
  const auto line = written();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const auto object = Json::parse(line);
  EXPECT_EQ(object.at("level"), "warning");
  EXPECT_THAT(object.at("message").get<std::string>(),
              AllOf(StartsWith("quote \" backslash \\ newline \n tab \t escape \x1b"), EndsWith(" é")));
  EXPECT_THAT(object.at("message").get<std::string>(), HasSubstr("\uFFFD"));
  EXPECT_EQ(object.at("time").get<std::string>().size(), 24U);
}

TEST_F(LogTest, JsonTakesFields) {
  log_.configure({.log_format = LogFormat::json});
  log_.write(std::chrono::system_clock::now(), spdlog::level::info, "progress",
             Json{{"progress", {{"rows", 7}}}});
  EXPECT_EQ(Json::parse(written()).at("progress").at("rows"), 7);
}

TEST_F(LogTest, QuietLeavesErrors) {
  log_.configure({.quiet = true});
  spdlog::warn("no");
  spdlog::error("yes");
  EXPECT_THAT(written(), AllOf(HasSubstr("error: yes"), Not(HasSubstr("no"))));
}

TEST_F(LogTest, ReportsErrorsWithTheirHint) {
  log_.report({base::ErrorKind::usage, "no source was given", "give --source URL"});
  EXPECT_EQ(written(), "error: no source was given\nhint: give --source URL\n");
  log_.configure({.log_format = LogFormat::json});
  log_.report(base::Error(base::ErrorKind::permanent, "denied").sqlstate("42501"));
  const auto object = Json::parse(written());
  EXPECT_EQ(object.at("message"), "denied");
  EXPECT_EQ(object.at("sqlstate"), "42501");
  EXPECT_FALSE(object.contains("hint"));
}

}  // namespace
}  // namespace cli
