// Types, domains, collations and what operators are made of.

#include <fmt/format.h>

#include "verify/catalog_query.h"

namespace verify {
namespace {

ObjectQuery in_schema(std::string kind, std::string catalog, std::string alias, std::string_view space,
                      std::string_view name) {
  ObjectQuery query;
  query.kinds = {std::move(kind)};
  query.oid = alias + ".oid";
  query.name = qualified(name);
  query.schema = "n.nspname";
  query.from = fmt::format("{0} {1} JOIN pg_namespace n ON n.oid = {1}.{2}", catalog, alias, space);
  query.catalog = std::move(catalog);
  query.where = in_user_schema();
  return query;
}

// Enums, ranges, composite types and base types, shells among them. Not the types that come with something
// else: a table's row type, an array, a range's multirange.
ObjectQuery types() {
  auto query = in_schema("type", "pg_type", "t", "typnamespace", "t.typname");
  query.from +=
      " LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN pg_range r ON r.rngtypid = t.oid "
      "LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc LEFT JOIN pg_namespace opn ON opn.oid = o.opcnamespace "
      "LEFT JOIN pg_collation rc ON rc.oid = r.rngcollation LEFT JOIN pg_namespace rcn ON rcn.oid = "
      "rc.collnamespace";
  query.where +=
      " AND t.typtype IN ('e', 'r', 'c', 'b', 'p') AND (t.typtype <> 'c' OR c.relkind = 'c') "
      "AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)";
  const auto base = [](std::string_view expression) {
    return fmt::format("CASE WHEN t.typtype = 'b' THEN {} END", expression);
  };
  const auto function = [&](std::string_view column) {
    return base(fmt::format("nullif(t.{}::regproc::text, '-')", column));
  };
  query.properties = {
      {"kind",
       "CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range' WHEN 'c' THEN 'composite' WHEN 'p' THEN "
       "'shell' "
       "ELSE 'base' END"},
      owner("t.typowner"),
      {"labels",
       "CASE t.typtype WHEN 'e' THEN (SELECT coalesce(string_agg(quote_literal(l.enumlabel), ', ' ORDER BY "
       "l.enumsortorder), '') FROM pg_enum l WHERE l.enumtypid = t.oid) END"},
      {"attributes",
       "(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a "
       "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)",
       Form::sql},
      {"subtype", "format_type(r.rngsubtype, NULL)", Form::sql},
      {"subtype operator class", qualified("o.opcname", "opn"), Form::sql},
      {"collation", qualified("rc.collname", "rcn"), Form::sql},
      {"canonical function", "nullif(r.rngcanonical::regprocedure::text, '-')", Form::sql},
      {"difference function", "nullif(r.rngsubdiff::regprocedure::text, '-')", Form::sql},
      {"multirange", "format_type(r.rngmultitypid, NULL)", Form::sql, 14},
      {"input", function("typinput"), Form::sql},
      {"output", function("typoutput"), Form::sql},
      {"receive", function("typreceive"), Form::sql},
      {"send", function("typsend"), Form::sql},
      {"modifier input", function("typmodin"), Form::sql},
      {"modifier output", function("typmodout"), Form::sql},
      {"analyze", function("typanalyze"), Form::sql},
      {"subscript", "CASE WHEN t.typtype = 'b' THEN nullif(t.typsubscript::regproc::text, '-') END",
       Form::sql, 14},
      {"layout",
       base("concat_ws(' ', t.typlen, t.typbyval, t.typalign, t.typstorage, t.typdelim, t.typcategory, "
            "t.typispreferred, t.typcollation <> 0)")},
      {"element", base("CASE WHEN t.typelem <> 0 THEN format_type(t.typelem, NULL) END"), Form::sql},
      {"default", base("t.typdefault")},
      grants("t.typacl", 'T', "t.typowner"),
  };
  return query;
}

ObjectQuery domains() {
  auto query = in_schema("domain", "pg_type", "t", "typnamespace", "t.typname");
  query.from +=
      " JOIN pg_type b ON b.oid = t.typbasetype LEFT JOIN pg_collation co ON co.oid = t.typcollation "
      "AND t.typcollation <> b.typcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace";
  query.where += " AND t.typtype = 'd'";
  query.properties = {
      owner("t.typowner"),
      {"base type", "format_type(t.typbasetype, t.typtypmod)", Form::sql},
      flag("not null", "t.typnotnull"),
      {"default", "coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault))", Form::sql},
      {"collation", qualified("co.collname", "cn"), Form::sql},
      grants("t.typacl", 'T', "t.typowner"),
  };
  return query;
}

ObjectQuery collations() {
  auto query = in_schema("collation", "pg_collation", "c", "collnamespace", "c.collname");
  // One for another encoding cannot be used; "any" and this one are the same.
  query.where += " AND c.collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))";
  query.properties = {
      owner("c.collowner"),
      {"provider", "c.collprovider"},
      flag("nondeterministic", "NOT c.collisdeterministic"),
      // Before version 15 ICU's locale was kept where those of the C library are.
      {"collate", "CASE WHEN c.collprovider <> 'i' THEN c.collcollate END", Form::text},
      {"ctype", "CASE WHEN c.collprovider <> 'i' THEN c.collctype END", Form::text},
      {"locale", "CASE WHEN c.collprovider = 'i' THEN c.collcollate END", Form::text, 0, 14},
      {"locale", "c.colliculocale", Form::text, 15, 16},
      {"locale", "c.colllocale", Form::text, 17},
      {"rules", "c.collicurules", Form::text, 16},
      {"version", "c.collversion"},
  };
  return query;
}

ObjectQuery operators() {
  auto query = in_schema("operator", "pg_operator", "o", "oprnamespace", "o.oprname");
  query.name =
      "quote_ident(n.nspname) || '.' || o.oprname || '(' || CASE o.oprleft WHEN 0 THEN 'NONE' ELSE "
      "format_type(o.oprleft, NULL) END || ', ' || CASE o.oprright WHEN 0 THEN 'NONE' ELSE "
      "format_type(o.oprright, NULL) END || ')'";
  const auto named = [](std::string_view column, std::string_view type) {
    return fmt::format("nullif(o.{}::{}::text, '{}')", column, type, type == "regoperator" ? "0" : "-");
  };
  query.properties = {
      owner("o.oprowner"),
      {"function", named("oprcode", "regprocedure"), Form::sql},
      {"commutator", named("oprcom", "regoperator"), Form::sql},
      {"negator", named("oprnegate", "regoperator"), Form::sql},
      {"restrict", named("oprrest", "regprocedure"), Form::sql},
      {"join", named("oprjoin", "regprocedure"), Form::sql},
      flag("merges", "o.oprcanmerge"),
      flag("hashes", "o.oprcanhash"),
  };
  return query;
}

ObjectQuery operator_families() {
  auto query = in_schema("operator family", "pg_opfamily", "f", "opfnamespace", "f.opfname");
  query.from += " JOIN pg_am am ON am.oid = f.opfmethod";
  query.name += " || '(' || quote_ident(am.amname) || ')'";
  query.properties = {
      owner("f.opfowner"),
      {"operator",
       "ARRAY(SELECT format('%s (%s, %s)', m.amopstrategy, format_type(m.amoplefttype, NULL), "
       "format_type(m.amoprighttype, NULL)) || chr(3) || m.amopopr::regoperator || "
       "CASE m.amoppurpose WHEN 'o' THEN ' for order by' ELSE '' END || coalesce(' ' || sf.opfname, '') "
       "FROM pg_amop m LEFT JOIN pg_opfamily sf ON sf.oid = m.amopsortfamily WHERE m.amopfamily = f.oid)",
       Form::entries},
      {"function",
       "ARRAY(SELECT format('%s (%s, %s)', m.amprocnum, format_type(m.amproclefttype, NULL), "
       "format_type(m.amprocrighttype, NULL)) || chr(3) || m.amproc::regprocedure "
       "FROM pg_amproc m WHERE m.amprocfamily = f.oid)",
       Form::entries},
  };
  return query;
}

ObjectQuery operator_classes() {
  auto query = in_schema("operator class", "pg_opclass", "o", "opcnamespace", "o.opcname");
  query.from +=
      " JOIN pg_am am ON am.oid = o.opcmethod JOIN pg_opfamily f ON f.oid = o.opcfamily "
      "JOIN pg_namespace fn ON fn.oid = f.opfnamespace";
  query.name += " || '(' || quote_ident(am.amname) || ')'";
  query.properties = {
      owner("o.opcowner"),
      {"type", "format_type(o.opcintype, NULL)", Form::sql},
      {"storage", "CASE WHEN o.opckeytype <> 0 THEN format_type(o.opckeytype, NULL) END", Form::sql},
      {"family", qualified("f.opfname", "fn"), Form::sql},
      flag("default", "o.opcdefault"),
  };
  return query;
}

ObjectQuery casts() {
  ObjectQuery query;
  query.kinds = {"cast"};
  query.catalog = "pg_cast";
  query.oid = "c.oid";
  query.name = "'(' || format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) || ')'";
  query.from = "pg_cast c";
  query.where = "c.oid >= 16384 AND " + comes_with_no_type("pg_cast", "c.oid");
  query.properties = {
      {"function", "nullif(c.castfunc::regprocedure::text, '-')", Form::sql},
      {"context", "CASE c.castcontext WHEN 'a' THEN 'assignment' WHEN 'i' THEN 'implicit' END"},
      {"method", "CASE c.castmethod WHEN 'b' THEN 'binary' WHEN 'i' THEN 'inout' END"},
  };
  return query;
}

ObjectQuery conversions() {
  auto query = in_schema("conversion", "pg_conversion", "c", "connamespace", "c.conname");
  query.properties = {
      owner("c.conowner"),
      {"from", "pg_encoding_to_char(c.conforencoding)"},
      {"to", "pg_encoding_to_char(c.contoencoding)"},
      {"function", "c.conproc::regproc", Form::sql},
      flag("default", "c.condefault"),
  };
  return query;
}

}  // namespace

std::vector<ObjectQuery> type_queries() {
  return {types(), domains(),    collations(), operators(), operator_families(), operator_classes(),
          casts(), conversions()};
}

}  // namespace verify
