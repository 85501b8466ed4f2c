#include "cli/fence_report.h"

#include <fmt/format.h>

#include "cli/errors.h"
#include "cli/text.h"
#include "pg/quote.h"

namespace cli {
namespace {

Json session_json(const pg::OpenSession& session) {
  return {{"pid", session.pid},        {"user", session.user},   {"application", session.application},
          {"client", session.client},  {"state", session.state}, {"began", session.began},
          {"writing", session.writing}};
}

std::string session_text(const Json& session) {
  const auto text = [&](const char* member) { return session.at(member).get<std::string>(); };
  auto line = fmt::format("pid {}, {}", session.at("pid").get<int64_t>(), text("user"));
  if (!text("application").empty()) line += fmt::format(", \"{}\"", text("application"));
  if (!text("client").empty()) line += fmt::format(", from {}", text("client"));
  if (!text("state").empty()) line += ", " + text("state");
  if (session.at("writing").get<bool>()) line += ", writing now";
  line += text("began").empty() ? ", its begin is hidden from us" : ", since " + text("began");
  return sanitized_line(line);
}

/// What no fence of this kind can do; said every time, since nobody should rely on it.
constexpr const char* kLimit =
    "A session can still say \"SET default_transaction_read_only = off\" for itself, which shows only while "
    "it "
    "writes: stop the application too.\n";

std::string fence_next_step(const pg::Fence& fence) {
  bool hidden = false;
  for (const auto& session : fence.sessions) hidden = hidden || session.began.empty();
  std::string out;
  if (!fence.sessions.empty()) out += "next: end them with cutover fence on --end-sessions\n";
  if (hidden) out += "hint: GRANT pg_read_all_stats to this role to see when every session began\n";
  return out;
}

}  // namespace

int exit_code_of(const pg::Fence& fence) {
  if (!fence.up()) return kDifferent;
  return fence.holds() ? kEqual : kIncomplete;
}

std::string fence_headline(const pg::Fence& fence) {
  const auto database = sanitized_line(pg::display_identifier(fence.database));
  if (fence.holds()) return fmt::format("FENCED: {} refuses writes", database);
  if (fence.up())
    return fmt::format("LEAKING: {} is fenced, and {} can still write", database,
                       fence.sessions.empty() ? "somebody" : counted(fence.sessions.size(), "session"));
  if (fence.read_only) return fmt::format("NOT FENCED: {} is read only, but not by cutover", database);
  return fmt::format("NOT FENCED: {} accepts writes", database);
}

std::string fence_text(const pg::Fence& fence, const std::string& where,
                       const std::vector<std::string>& refused) {
  std::string out = fence_headline(fence) + "\n";
  add_fact(out, "database", where);
  if (fence.note) {
    add_fact(out, "since", fence.note->since == "infinity" ? "it was interrupted" : fence.note->since);
    add_fact(out, "before",
             fence.note->former ? "default_transaction_read_only = " + *fence.note->former : "no setting");
  }
  for (const auto& session : fence.sessions)
    out += fmt::format("  can write: {}\n", session_text(session_json(session)));
  for (const auto& gap : fence.gaps) out += fmt::format("  gap: {}\n", sanitized_line(gap));
  for (const auto& reason : refused) out += fmt::format("  not ended: {}\n", sanitized_line(reason));
  if (!fence.up()) return out;
  return out + kLimit + fence_next_step(fence);
}

Json fence_json(const pg::Fence& fence, const std::vector<std::string>& refused) {
  Json out{{"version", 1},
           {"command", "fence"},
           {"headline", fence_headline(fence)},
           {"database", fence.database},
           {"exit_code", exit_code_of(fence)},
           {"up", fence.up()},
           {"holds", fence.holds()},
           {"setting", fence.setting ? Json(*fence.setting) : Json()},
           {"since", fence.note ? Json(fence.note->since) : Json()},
           {"setting_before", fence.note && fence.note->former ? Json(*fence.note->former) : Json()},
           {"sessions", Json::array()},
           {"gaps", fence.gaps},
           {"not_ended", refused}};
  for (const auto& session : fence.sessions) out["sessions"].push_back(session_json(session));
  return out;
}

Json activity_json(const pg::Activity& activity) {
  const auto& mark = activity.mark;
  auto sessions = Json::array();
  for (const auto& session : activity.sessions)
    sessions.push_back({{"pid", session.pid},
                        {"application", session.application},
                        {"began", session.began},
                        {"since", session.since},
                        {"idle", session.idle}});
  return {{"system_identifier", mark.system_identifier},
          {"database_oid", mark.database_oid},
          {"snapshot", mark.transactions},
          {"timeline", mark.timeline},
          {"server_start", mark.server_start},
          {"counted_since", activity.counted_since},
          {"written", activity.written},
          {"sequences", activity.sequences},
          {"at", activity.at},
          {"sessions", std::move(sessions)},
          {"idle_tells", activity.idle_tells.count()},
          {"busy_tells", activity.busy_tells.count()}};
}

pg::Activity activity_of(const Json& document) {
  pg::Activity out;
  out.mark.system_identifier = document.at("system_identifier").get<std::string>();
  out.mark.database_oid = document.at("database_oid").get<pg::Oid>();
  out.mark.transactions = document.at("snapshot").get<std::string>();
  out.mark.timeline = document.at("timeline").get<std::string>();
  out.mark.server_start = document.at("server_start").get<std::string>();
  out.counted_since = document.at("counted_since").get<std::string>();
  out.written = document.at("written").get<std::string>();
  out.sequences = document.at("sequences").get<std::string>();
  out.at = document.at("at").get<int64_t>();
  for (const auto& session : document.at("sessions"))
    out.sessions.push_back({.pid = session.at("pid").get<int64_t>(),
                            .application = session.at("application").get<std::string>(),
                            .began = session.at("began").get<int64_t>(),
                            .since = session.at("since").get<int64_t>(),
                            .idle = session.at("idle").get<bool>()});
  out.idle_tells = std::chrono::microseconds(document.at("idle_tells").get<int64_t>());
  out.busy_tells = std::chrono::microseconds(document.at("busy_tells").get<int64_t>());
  return out;
}

Json fence_rights_json(const pg::FenceRights& rights) {
  const auto list = [](const std::vector<pg::MissingRight>& missing) {
    auto out = Json::array();
    for (const auto& one : missing) out.push_back({{"message", one.message}, {"fix", one.fix}});
    return out;
  };
  return {{"version", 1},
          {"command", "fence rights"},
          {"database", rights.database},
          {"exit_code", rights.missing.empty() ? kEqual : kUsage},
          {"missing", list(rights.missing)},
          {"over_sessions", list(rights.over_sessions)}};
}

ReportSection fence_rights_section(const Json& report) {
  ReportSection out;
  const auto database = pg::display_identifier(report.at("database").get<std::string>());
  const auto& missing = report.at("missing");
  const auto& over_sessions = report.at("over_sessions");
  out.tone = tone_of(report.at("exit_code").get<int>());
  out.headline = fmt::format("MAY FENCE: the role has the rights for {}", database);
  if (!over_sessions.empty())
    out.headline = fmt::format("MAY FENCE: {}, but not deal with other roles' sessions: {}", database,
                               over_sessions.front().at("fix").get<std::string>());
  if (!missing.empty())
    out.headline = fmt::format("MAY NOT FENCE: {}", missing.front().at("message").get<std::string>());
  const auto add = [&](const char* title, Tone tone, const Json& rights) {
    ReportList list{title, tone, {}};
    for (const auto& one : rights)
      list.items.push_back(
          {fmt::format("{}; {}", one.at("message").get<std::string>(), one.at("fix").get<std::string>())});
    add_list(out, std::move(list));
  };
  add("missing", Tone::bad, missing);
  add("sessions", Tone::unsure, over_sessions);
  return out;
}

ReportSection fence_section(const Json& report) {
  ReportSection out;
  out.headline = report.at("headline").get<std::string>();
  out.tone = tone_of(report.at("exit_code").get<int>());
  ReportList sessions{"can write", Tone::bad, {}};
  for (const auto& session : report.at("sessions")) sessions.items.push_back({session_text(session)});
  add_list(out, std::move(sessions));
  const auto add = [&](const char* member, std::string title) {
    ReportList list{std::move(title), Tone::bad, {}};
    for (const auto& text : report.at(member)) list.items.push_back({text.get<std::string>()});
    add_list(out, std::move(list));
  };
  add("gaps", "gap");
  add("not_ended", "not ended");
  return out;
}

}  // namespace cli
