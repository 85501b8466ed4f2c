#include "copy/context.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace copy {

void Problems::add(Problem problem) {
  const auto text = problem.hint.empty()
                        ? fmt::format("{}: {}", problem.object, problem.message)
                        : fmt::format("{}: {}\nhint: {}", problem.object, problem.message, problem.hint);
  if (problem.kind == Problem::Kind::note) {
    spdlog::warn(text);
  } else {
    spdlog::error(text);
  }
  list_.lock()->push_back(std::move(problem));
}

std::vector<Problem> Problems::list() { return *list_.lock(); }

bool Problems::any(Problem::Kind kind) {
  return std::ranges::any_of(*list_.lock(), [&](const auto& problem) { return problem.kind == kind; });
}

pg::Connection Context::open_source(const base::Stop& worker_stop) const {
  return pg::open_session(options.source,
                          {.role = pg::Role::source,
                           .application_name = application_name(),
                           .client_encoding = plan.client_encoding},
                          worker_stop);
}

pg::Connection Context::open_target(const base::Stop& worker_stop) const {
  return pg::open_session(options.target,
                          {.role = pg::Role::target,
                           .application_name = application_name(),
                           .client_encoding = plan.client_encoding,
                           .asynchronous_commit = true},
                          worker_stop);
}

pg::Connection Context::open_loading_target(const base::Stop& worker_stop) const {
  return pg::open_session(options.target,
                          {.role = pg::Role::target,
                           .application_name = application_name(),
                           .client_encoding = plan.client_encoding,
                           .asynchronous_commit = true,
                           .replica_role = replica_role},
                          worker_stop);
}

base::RetryNotice Context::retry_notice(std::string what) const {
  return [this, what = std::move(what)](const base::Error& error, int tries) {
    ++progress.retries;
    spdlog::warn("{}: {}; trying again ({})", what, error.message(), tries);
  };
}

std::string chunk_label(const Relation& relation, uint32_t chunk) {
  if (relation.chunks == 1) return "copy " + relation.display();
  return fmt::format("copy {} {}/{}", relation.display(), chunk + 1, relation.chunks);
}

}  // namespace copy
