#include "cli/run_steps.h"

#include <fmt/format.h>

namespace cli {
namespace {

class Steps {
 public:
  Steps(const Move& move, const MoveState& state) : move_(move), state_(state) {}

  std::vector<MoveStep> run() {
    if (move_.final && state_.went && !move_.again) {
      check();
      return std::move(steps_);
    }
    // Before the long part: what is missing that night should be known now.
    if (move_.databases && move_.fence && !(move_.final && state_.copied))
      add("fence rights", {"fence", "rights"});
    if (move_.databases) copy();
    for (size_t i = 0; i < move_.uploads.size(); ++i) bring(i);
    // In the final run a comparison follows that is about the last moment.
    if (move_.databases && !(move_.final && (state_.verified || state_.repaired))) verify();
    if (move_.smoke_tests) add("smoke tests", {"check", "--only", "smoke"});
    if (move_.final) finish();
    return std::move(steps_);
  }

 private:
  void add(std::string name, std::vector<std::string> arguments) {
    steps_.push_back({std::move(name), std::move(arguments)});
  }
  void add_asking(std::string name, std::vector<std::string> arguments) {
    if (move_.yes) arguments.emplace_back("--yes");
    add(std::move(name), std::move(arguments));
  }

  void copy() {
    const auto run_dir = database_dir(move_.root).string();
    if (!state_.copy_begun) add("plan", {"plan", "--run-dir", run_dir});
    if (!state_.copied) add_asking("copy", {"copy", "--run-dir", run_dir});
  }

  void verify() {
    std::vector<std::string> arguments{"verify", "--run-dir", database_dir(move_.root).string(), "--level",
                                       "rows"};
    if (state_.repaired) arguments.emplace_back("--independent");
    if (!state_.repaired)
      arguments.insert(arguments.end(), move_.verify_plainly.begin(), move_.verify_plainly.end());
    add("verify", std::move(arguments));
  }

  // Behind a GO the objects may be the application's already.
  void bring(size_t i) {
    const bool rehearsed = i < state_.sent.size() && state_.sent[i];
    const bool may_be_used = state_.went && !move_.again;
    if (may_be_used) return add_upload(i, "compare upload", {"--verify-only"});
    if (!move_.final || !rehearsed) upload(i, "upload");
  }

  void upload(size_t i, const std::string& name) {
    add_upload(i, name, {"--run-dir", upload_dir(move_, i).string()});
  }

  void add_upload(size_t i, const std::string& name, const std::vector<std::string>& more) {
    const auto& upload = move_.uploads[i];
    std::vector<std::string> arguments{"upload", upload.from, upload.to};
    arguments.insert(arguments.end(), more.begin(), more.end());
    add(move_.uploads.size() == 1 ? name : fmt::format("{} {}", name, i + 1), std::move(arguments));
  }

  // The rows come before the files: so what they mention is looked for in the same moment's directory.
  void finish() {
    if (move_.databases && move_.fence) {
      // Nobody else's database is made read only because a variable names it now.
      std::vector<std::string> arguments{"fence", "on", "--of-run", database_dir(move_.root).string()};
      if (move_.end_sessions) arguments.emplace_back("--end-sessions");
      add_asking("fence", std::move(arguments));
    }
    if (move_.databases)
      add_asking("repair", {"repair", "--run-dir", database_dir(move_.root).string(), "--apply"});
    for (size_t i = 0; i < move_.uploads.size(); ++i) upload(i, "last upload");
    check();
  }

  void check() {
    std::vector<std::string> arguments{"check", "--run-dir", move_.root.string()};
    if (move_.databases && move_.fence) arguments.emplace_back("--require-fence");
    add("check", std::move(arguments));
  }

  const Move& move_;
  const MoveState& state_;
  std::vector<MoveStep> steps_;
};

}  // namespace

std::vector<std::string_view> commands_of(const Move& move) {
  std::vector<std::string_view> out{"check"};
  if (move.databases) out.insert(out.end(), {"plan", "copy", "verify", "fence", "repair"});
  if (!move.uploads.empty()) out.emplace_back("upload");
  return out;
}

std::filesystem::path database_dir(const std::filesystem::path& root) { return root / "database"; }

std::filesystem::path upload_dir(const Move& move, size_t index) {
  return move.root / (move.uploads.size() == 1 ? "upload" : fmt::format("upload-{}", index + 1));
}

std::vector<MoveStep> steps_of(const Move& move, const MoveState& state) { return Steps(move, state).run(); }

}  // namespace cli
