#include <functional>

#include "tests/rehearsal/fixture.h"

namespace rehearsal {
namespace {

/// Something that goes wrong at the last moment, what the verdict must say first, and how it is mended.
struct Breakage {
  const char* what;
  std::function<void()> make;
  std::string reason;
  std::function<void()> mend;
};

class Verdict : public testing::Test {
 protected:
  void SetUp() override {
    const auto moved = application_.cutover({"run", "--final", "--yes"});
    ASSERT_EQ(moved.exit_code, 0) << moved.output << moved.error;
    application_.expect_moved();
  }
  /// Past the fence, as one can: it is no lock.
  void write_late(const std::string& sql) const {
    support::Session session(application_.source.url());
    session.exec("SET default_transaction_read_only = off");
    session.exec(sql);
  }
  std::vector<Breakage> breakages();

  Application application_;
  const std::string document_ = "uploads/" + Application::document_path(7);
};

std::vector<Breakage> Verdict::breakages() {
  auto& target = application_.target;
  auto& bucket = application_.bucket;
  const auto at_target = [&](const std::string& sql) { return [&target, sql] { target.exec(sql); }; };
  const auto content = bucket.objects().at(document_).content;
  auto other = content;
  other.back() = 'y';
  const auto sequence = target.value("SELECT last_value FROM order_items_id_seq");
  constexpr const char* kMentions =
      "INSERT INTO documents (id, file_path) VALUES (99999, '/uploads/gone.pdf')";
  constexpr const char* kMentionsNot = "DELETE FROM documents WHERE id = 99999";
  return {
      {"a row", at_target("UPDATE order_items SET quantity = quantity + 1 WHERE id = 17"),
       "rows differ: public.order_items: 5,000 rows at the source, 5,000 on the target: 1 changed",
       at_target("UPDATE order_items SET quantity = quantity - 1 WHERE id = 17")},
      {"a sequence", at_target("SELECT setval('order_items_id_seq', 1)"),
       "different: sequence public.order_items_id_seq",
       at_target("SELECT setval('order_items_id_seq', " + sequence + ")")},
      {"an index", at_target(R"(DROP INDEX "User_email_key")"),
       R"(definitions differ: index public."User_email_key" is missing on the target)",
       at_target(R"(CREATE UNIQUE INDEX "User_email_key" ON "User" (email))")},
      {"an object deleted", [&] { bucket.erase(document_); },
       "different: invoices/1/über 7.pdf: there is no object for it",
       [&bucket, this, content] { bucket.put(document_, content); }},
      {"an object's bytes", [&bucket, this, other] { bucket.put(document_, other); },
       "different: invoices/1/über 7.pdf: the object has other content than the file",
       [&bucket, this, content] { bucket.put(document_, content); }},
      {"a missing reference",
       [=, &target, this] {
         target.exec(kMentions);
         write_late(kMentions);
       },
       "different: gone.pdf: documents.file_path mentions it",
       [=, &target, this] {
         target.exec(kMentionsNot);
         write_late(kMentionsNot);
       }},
      {"an HTTP 500", [this] { application_.status = 500; }, "it answered with status 500, not 200",
       [this] { application_.status = 200; }},
      {"a grant", at_target("GRANT SELECT ON \"User\" TO PUBLIC"),
       R"(definitions differ: table public."User": privileges of PUBLIC)",
       at_target("REVOKE SELECT ON \"User\" FROM PUBLIC")},
      {"a late write on the source",
       [this] {
         write_late(R"(INSERT INTO "Order" (id, "userId", total) VALUES ('late', md5('user 1')::uuid, 1))");
       },
       "rows differ: public.\"Order\": 3,001 rows at the source, 3,000 on the target: 1 missing",
       [this] { write_late("DELETE FROM \"Order\" WHERE id = 'late'"); }},
      {"a closed port", [this] { application_.redis.reset(); },
       "tcp redis: cannot connect to 127.0.0.1:", [] {}},
  };
}

TEST_F(Verdict, NamesTheFirstReasonForEachOfTenBreakages) {
  for (const auto& breakage : breakages()) {
    SCOPED_TRACE(breakage.what);
    const auto go = application_.cutover({"check", "--require-fence"});
    ASSERT_EQ(go.exit_code, 0) << go.output << go.error;
    EXPECT_THAT(go.output, StartsWith("GO: 7 checks passed, as of "));
    breakage.make();
    const auto no = application_.cutover({"check", "--require-fence"});
    EXPECT_EQ(no.exit_code, 1) << no.output << no.error;
    EXPECT_THAT(no.output.substr(0, no.output.find('\n')),
                AllOf(StartsWith("NO-GO: "), HasSubstr(breakage.reason)));
    breakage.mend();
  }
}

TEST_F(Verdict, WithoutAFenceIsAWaiver) {
  ASSERT_EQ(application_.cutover({"fence", "off", "--yes"}).exit_code, 0);
  const auto waived = application_.cutover({"check"});
  EXPECT_EQ(waived.exit_code, 5) << waived.output << waived.error;
  EXPECT_THAT(waived.output, AllOf(StartsWith("GO WITH WAIVERS: fence "), HasSubstr("still accepts writes")));
  EXPECT_EQ(application_.cutover({"check", "--require-fence"}).exit_code, 1);
  const auto smoke = application_.cutover({"check", "--only", "smoke", "--json"});
  EXPECT_EQ(smoke.exit_code, 0) << smoke.error;
  EXPECT_EQ(nlohmann::json::parse(smoke.output).at("checks").size(), 3U);
}

}  // namespace
}  // namespace rehearsal
