// Foreign keys over data that does not satisfy them, and the order in which constraints come back.

#include "tests/copy/fixture.h"

namespace copy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kParentAndChild = R"(
  CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
  CREATE TABLE child (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES parent);
  INSERT INTO parent SELECT i, i FROM generate_series(1, 10) i;
  INSERT INTO child SELECT i, i, i FROM generate_series(1, 10) i;
  INSERT INTO child VALUES (100, NULL, 5), (101, 77, NULL);)";

constexpr const char* kValidated = "SELECT convalidated FROM pg_constraint WHERE conname = 'child_a_b_fkey'";

TEST(DirtyForeignKey, ThatIsNotValidAtTheSourceStaysSo) {
  const Move move(R"(
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, parent int);
    INSERT INTO child VALUES (1, 99);
    ALTER TABLE child ADD CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent NOT VALID;
    COMMENT ON CONSTRAINT fk ON child IS 'dirty';
    ALTER TABLE child ADD CONSTRAINT positive CHECK (parent < 50) NOT VALID)");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.expect_equal();
  move.expect_equal_schema();
  EXPECT_EQ(move.target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'"), "f");
}

TEST(DirtyForeignKey, ThatIsValidAtTheSourceIsLeftNotValidAndItsKeysAreNamed) {
  const Move move(kParentAndChild);
  move.source.exec(
      "ALTER TABLE parent DISABLE TRIGGER ALL; DELETE FROM parent WHERE a IN (3, 4); ALTER TABLE parent "
      "ENABLE TRIGGER ALL");
  ASSERT_EQ(move.source.value(kValidated), "t");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("NOT VALID"), HasSubstr("child_a_b_fkey"), HasSubstr("2 rows"),
                                   HasSubstr("(3,3)"), HasSubstr("(4,4)"), HasSubstr("VALIDATE CONSTRAINT")));
  EXPECT_THAT(result.output, AllOf(Not(HasSubstr("(77,)")), Not(HasSubstr("(,5)"))));
  EXPECT_EQ(move.target.value(kValidated), "f");
  move.expect_equal();
  // With the rows repaired, the same command ends the run.
  move.target.exec("DELETE FROM child WHERE a IN (3, 4)");
  move.source.exec("SET session_replication_role = replica; DELETE FROM child WHERE a IN (3, 4)");
  EXPECT_TRUE(exits(move.copy(), 0));
  EXPECT_EQ(move.target.value(kValidated), "t");
  move.expect_equal();
}

TEST(DirtyForeignKey, RowsOfInheritanceChildrenAreNobodysBusiness) {
  // A foreign key is checked for its own table's rows only, and against the referenced table's own.
  const Move move(R"(
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE parent_child () INHERITS (parent);
    CREATE TABLE child (id int, parent int REFERENCES parent);
    CREATE TABLE child_child () INHERITS (child);
    INSERT INTO parent VALUES (1);
    INSERT INTO parent_child VALUES (2);
    INSERT INTO child VALUES (1, 1);
    INSERT INTO child_child VALUES (2, 3);
    SET session_replication_role = replica;
    INSERT INTO child VALUES (5, 2))");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("1 rows refer"), HasSubstr("(2)"), Not(HasSubstr("(3)"))));
}

TEST(DirtyForeignKey, MatchFullKeysWithHalfTheirColumnsAreNamed) {
  const Move move(R"(
    CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE child (a int, b int, FOREIGN KEY (a, b) REFERENCES parent MATCH FULL);
    SET session_replication_role = replica;
    INSERT INTO child VALUES (8, NULL), (NULL, NULL))");
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("child_a_b_fkey"), HasSubstr("(8,)"), Not(HasSubstr("no offending key"))));
}

constexpr const char* kPartitionedChild = R"(
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int, parent int CONSTRAINT fk REFERENCES parent) PARTITION BY RANGE (id);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100);
    CREATE TABLE child_2 PARTITION OF child FOR VALUES FROM (100) TO (200);
    INSERT INTO parent VALUES (1);
    INSERT INTO child VALUES (1, 1), (150, 1);
    SET session_replication_role = replica;
    INSERT INTO child VALUES (101, 42))";

TEST(DirtyForeignKey, OfAPartitionedTableIsMissingAndItsKeysAreNamed) {
  const Move move(kPartitionedChild);
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("fk constraint public.child fk"), HasSubstr("is missing"),
                                   HasSubstr("public.parent does not have: (parent) = (42)")));
  move.expect_equal();
  move.source.exec("INSERT INTO parent VALUES (42)");
  move.expect_equal_copy();
  move.expect_equal_schema();
}

TEST(DirtyForeignKey, OfAPartitionedTableIsLeftNotValidSince18) {
  const Move move(kPartitionedChild, "", 15, 18);
  const auto result = move.copy();
  EXPECT_TRUE(exits(result, 3));
  EXPECT_THAT(result.output, AllOf(HasSubstr("left NOT VALID"), HasSubstr("(parent) = (42)")));
  EXPECT_EQ(
      move.target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk' AND conparentid = 0"),
      "f");
  move.source.exec("INSERT INTO parent VALUES (42)");
  move.expect_equal_copy();
  EXPECT_EQ(move.target.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'"), "t");
}

TEST(ForeignKeys, InCirclesAndToThemselvesAndDeferred) {
  const Move move(R"(
    CREATE TABLE a (id int PRIMARY KEY, b int);
    CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE INITIALLY DEFERRED, self int REFERENCES b);
    ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE SET NULL;
    INSERT INTO b SELECT i, NULL, i FROM generate_series(1, 100) i;
    INSERT INTO a SELECT i, 101 - i FROM generate_series(1, 100) i;
    UPDATE b SET a = id, self = 101 - id;
    CREATE TABLE p (id int PRIMARY KEY) PARTITION BY HASH (id);
    CREATE TABLE p_0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE q (p int REFERENCES p);
    INSERT INTO p SELECT generate_series(1, 50);
    INSERT INTO q SELECT generate_series(1, 50))");
  move.expect_equal_copy({"--split-size", "8kB", "--jobs", "4"});
  move.expect_equal_schema();
}

TEST(Constraints, OfEveryKindComeBackAsTheyWere) {
  const Move move(R"(
    CREATE EXTENSION btree_gist;
    CREATE TABLE t (id int CONSTRAINT "the Key" PRIMARY KEY DEFERRABLE, u text UNIQUE, v int, r int4range,
                    CHECK (v > 0), EXCLUDE USING gist (v WITH =, r WITH &&));
    ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (v, u);
    CREATE UNIQUE INDEX t_some ON t (id) INCLUDE (v) WHERE v > 10;
    CREATE INDEX t_upper ON t (upper(u) COLLATE "C" DESC NULLS LAST) WITH (fillfactor = 70);
    CREATE TABLE k (a int NOT NULL, b int);
    CREATE UNIQUE INDEX k_a ON k (a);
    ALTER TABLE k REPLICA IDENTITY USING INDEX k_a;
    CLUSTER k USING k_a;
    INSERT INTO t SELECT i, 'u' || i, i, int4range(i, i + 5) FROM generate_series(1, 500) i;
    INSERT INTO k SELECT i, i FROM generate_series(1, 100) i)");
  move.expect_equal_copy();
  move.expect_equal_schema();
}

TEST(Triggers, DoNotFireWhenAFailedTableIsCopiedLater) {
  // The first run makes every trigger, but cannot copy one table; the second copies it.
  const Move move(R"(
    CREATE TABLE audit (what text);
    CREATE TABLE t (id int PRIMARY KEY, v int);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO public.audit VALUES (TG_OP); NEW.v := -1; RETURN NEW; END $$;
    INSERT INTO t SELECT i, i FROM generate_series(1, 50) i;
    CREATE TRIGGER note BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note())",
                  "CREATE TABLE t (id int, v int CHECK (v < 40))");
  EXPECT_TRUE(exits(move.copy(), 3));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM t"), "0");
  move.target.exec("ALTER TABLE t DROP CONSTRAINT t_v_check");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.expect_equal();
  EXPECT_EQ(move.target.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'note'"), "O");
}

TEST(Triggers, OnEventsWaitUntilEverythingElseIsThere) {
  const Move move(R"(
    CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE seen (tag text);
    CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO public.seen VALUES (tg_tag); END $$;
    INSERT INTO t SELECT i, i FROM generate_series(1, 50) i;
    CREATE INDEX ON t (v); CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note())",
                  "CREATE TABLE t (id int, v int CHECK (v < 40))");
  const auto first = move.copy();
  EXPECT_TRUE(exits(first, 3));
  EXPECT_THAT(text_of(first), HasSubstr("event triggers: are not made"));
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_event_trigger"), "0");
  move.target.exec("ALTER TABLE t DROP CONSTRAINT t_v_check");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.expect_equal();
  EXPECT_EQ(move.target.value("SELECT count(*) FROM pg_event_trigger"), "1");
}

TEST(ForeignKeys, LetAFailedTableBeCopiedLater) {
  const Move move(kParentAndChild,
                  "CREATE TABLE child (id int, a int, b int CHECK (b < 9)); CREATE TABLE parent (a int, b "
                  "int, PRIMARY KEY (a, b))");
  EXPECT_TRUE(exits(move.copy(), 3));
  move.target.exec("ALTER TABLE child DROP CONSTRAINT child_b_check");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.expect_equal();
  EXPECT_EQ(move.target.value(kValidated), "t");
}

TEST(ForeignKeys, LetAFailedTableThatTheyReferToBeCopiedLater) {
  const Move move(kParentAndChild, "CREATE TABLE parent (a int CHECK (a < 9), b int, PRIMARY KEY (a, b))");
  EXPECT_TRUE(exits(move.copy(), 3));
  move.target.exec("ALTER TABLE parent DROP CONSTRAINT parent_a_check");
  EXPECT_TRUE(exits(move.copy(), 0));
  move.expect_equal();
  EXPECT_EQ(move.target.value(kValidated), "t");
}

}  // namespace
}  // namespace copy::test
