#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/command_line.h"
#include "cli/command_set.h"
#include "tests/support/build.h"

// The examples of packaging/ name options, variables and paths of the program, which can change.

namespace packaging {
namespace {

using ::testing::Contains;

std::string example(const std::string& name) {
  return base::read_file(support::source_file("packaging") / name);
}

std::set<std::string> all_variables() {
  std::set<std::string> variables;
  const cli::CommandSet set;
  for (const auto& member : set.members())
    for (const auto& entry : member.options.entries()) variables.insert(entry.variable());
  return variables;
}

std::set<std::string> variables_in(const std::string& text) {
  std::set<std::string> found;
  for (size_t at = 0; (at = text.find("CUTOVER_", at)) != std::string::npos;) {
    const auto end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", at);
    found.insert(text.substr(at, end - at));
    at = end;
  }
  return found;
}

TEST(Examples, NameVariablesThatThereAre) {
  const auto known = all_variables();
  for (const auto* name : {"Dockerfile", "ecs-task.json", "kubernetes-job.yaml", "kubernetes-night.yaml"}) {
    const auto named = variables_in(example(name));
    EXPECT_FALSE(named.empty()) << name;
    for (const auto& variable : named) EXPECT_THAT(known, Contains(variable)) << name;
  }
}

std::set<std::string> libraries_in(const std::string& list) {
  std::set<std::string> found;
  std::istringstream words(list);
  for (std::string word; words >> word;)
    if (word.ends_with("-dev")) found.insert(word);
  return found;
}

// What the build needs is listed in ./dev; the image is built by no test.
TEST(Examples, TheImageHasTheLibrariesOfTheBuild) {
  const auto dev = base::read_file(support::source_file("dev"));
  const auto start = dev.find("\npackages_to() {");
  ASSERT_NE(start, std::string::npos);
  auto wanted = libraries_in(dev.substr(start, dev.find("\n}", start) - start));
  for (const auto* of_tests : {"libgtest-dev", "libgmock-dev", "libbenchmark-dev"})
    EXPECT_EQ(wanted.erase(of_tests), 1U) << of_tests;
  EXPECT_EQ(libraries_in(example("Dockerfile")), wanted);
}

TEST(Examples, TheTaskRunsACommandThatIsUnderstood) {
  const auto task = nlohmann::json::parse(example("ecs-task.json"));
  const auto& container = task.at("containerDefinitions").at(0);
  std::vector<std::string> arguments{"cutover"};
  for (const auto& argument : container.at("command")) arguments.push_back(argument);
  EXPECT_NO_THROW(cli::parse_command_line(arguments));
  // A connection with a password must not stand in a task definition.
  for (const auto& variable : container.at("environment"))
    EXPECT_EQ(variable.at("value").get<std::string>().find('@'), std::string::npos);
}

class Job : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Examples, Job, testing::Values("kubernetes-job.yaml", "kubernetes-night.yaml"));

TEST_P(Job, RunsACommandThatIsUnderstood) {
  const auto job = example(GetParam());
  // What deletes the Job must not delete the run directory.
  EXPECT_EQ(job.find("kind: PersistentVolumeClaim"), std::string::npos);
  const auto start = job.find("args: [") + 7;
  std::string list = job.substr(start, job.find(']', start) - start);
  std::vector<std::string> arguments{"cutover"};
  for (size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(", ", at), list.size());
    auto word = list.substr(at, end - at);
    std::erase(word, '"');
    arguments.push_back(word);
    at = end + 2;
  }
  EXPECT_GT(arguments.size(), 3U);
  EXPECT_NO_THROW(cli::parse_command_line(arguments));
}

// Without them an upload has nothing to upload, and a run nothing to do.
TEST_P(Job, MountsWhatTheRunReads) {
  const auto job = example(GetParam());
  for (const auto* path : {"/var/lib/cutover", "/var/lib/cutover/cutover.toml", "/srv/app/uploads", "/tmp"})
    EXPECT_NE(job.find(std::string("mountPath: ") + path + "\n"), std::string::npos) << path;
}

TEST(Examples, TheTaskMountsWhatTheRunReads) {
  const auto task = nlohmann::json::parse(example("ecs-task.json"));
  std::set<std::string> volumes;
  for (const auto& volume : task.at("volumes")) volumes.insert(volume.at("name"));
  std::set<std::string> paths;
  for (const auto& mount : task.at("containerDefinitions").at(0).at("mountPoints")) {
    EXPECT_THAT(volumes, Contains(mount.at("sourceVolume")));
    paths.insert(mount.at("containerPath"));
  }
  EXPECT_THAT(paths, testing::ElementsAre("/srv/app/uploads", "/tmp", "/var/lib/cutover"));
}

}  // namespace
}  // namespace packaging
