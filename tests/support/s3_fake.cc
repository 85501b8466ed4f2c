#include "tests/support/s3_fake.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "aws/sigv4.h"
#include "base/text.h"
#include "s3/checksum.h"
#include "tests/support/signature_check.h"

namespace support {
namespace {

constexpr size_t kSmallestPart = size_t{5} << 20;

base::Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string md5_hex(const std::string& text) {
  return s3::to_hex(s3::checksum(s3::Integrity::md5, bytes_of(text)));
}

/// With a key of KMS it is no MD5 of the content.
std::map<std::string, std::string> parse_query(const std::string& query) {
  std::map<std::string, std::string> out;
  std::istringstream pairs(query);
  for (std::string pair; std::getline(pairs, pair, '&');) {
    const auto equals = std::min(pair.find('='), pair.size());
    out[aws::uri_decode(pair.substr(0, equals))] =
        aws::uri_decode(pair.substr(std::min(equals + 1, pair.size())));
  }
  return out;
}

std::string operation_of(const HttpServerRequest& request, const std::string& key,
                         const std::map<std::string, std::string>& query) {
  const auto& method = request.method;
  const bool upload = query.contains("uploadId");
  if (key.empty()) {
    if (method == "HEAD") return "HeadBucket";
    if (method == "POST" && query.contains("delete")) return "DeleteObjects";
    if (method == "GET") return query.contains("uploads") ? "ListMultipartUploads" : "ListObjectsV2";
    return "Unknown";
  }
  if (method == "PUT") return upload ? "UploadPart" : "PutObject";
  if (method == "POST") return upload ? "CompleteMultipartUpload" : "CreateMultipartUpload";
  if (method == "DELETE") return upload ? "AbortMultipartUpload" : "DeleteObject";
  if (method == "GET") return upload ? "ListParts" : "GetObject";
  return method == "HEAD" ? "HeadObject" : "Unknown";
}

/// What a request is counted as, and what faults name: those of a probe's multipart upload are not a file's.
std::string known_as(const std::string& operation, const std::string& key,
                     const std::map<std::string, std::string>& query) {
  const bool is_probe = key.find(".cutover-probe-") != std::string::npos;
  const bool is_multipart = query.contains("uploadId") || query.contains("uploads");
  return is_probe && is_multipart ? "Probe" + operation : operation;
}

/// Of a request that makes an object: what is kept with it.
std::map<std::string, std::string> object_headers(const HttpServerRequest& request, bool encrypts) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : request.headers) {
    const auto key = base::lower_case(name);
    if (key == "content-type" || key == "cache-control" || key.starts_with("x-amz-meta-") ||
        key.starts_with("x-amz-checksum-") || key == "x-amz-storage-class" || key == "x-amz-tagging" ||
        (encrypts && key.starts_with("x-amz-server-side-encryption")))
      out[key] = value;
  }
  return out;
}

/// Of what a request is about: nothing for another bucket than ours.
std::pair<std::optional<std::string>, std::map<std::string, std::string>> address_of(
    const HttpServerRequest& request) {
  const std::string bucket = "/bucket";
  const auto path = request.path();
  auto query = parse_query(request.query());
  if (path != bucket && !path.starts_with(bucket + "/")) return {std::nullopt, std::move(query)};
  return {aws::uri_decode(path.substr(std::min(bucket.size() + 1, path.size()))), std::move(query)};
}

std::string escaped(const std::string& text) {
  pugi::xml_document document;
  document.append_child(pugi::node_pcdata).set_value(text.c_str());
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration);
  return out.str();
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string ascii_only(const std::string& text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "\uFFFD";
  return out;
}

HttpServerResponse xml(const std::string& body) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/xml"}},
          .body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + body};
}

HttpServerResponse with_etag(const std::string& etag) {
  return {.status = 200, .headers = {{"ETag", "\"" + etag + "\""}}};
}

}  // namespace

S3Fake::S3Fake(S3FakeOptions options) : options_(std::move(options)) {
  HttpServerOptions of_server{.certificate = options_.certificate, .record = false};
  of_server.on_head = [this](const HttpServerRequest& head) { return reset_in_body(head); };
  server_ = std::make_unique<HttpServer>(
      [this](const HttpServerRequest& request) {
        auto out = answer(request);
        const auto now = std::chrono::system_clock::now() + options_.clock_ahead;
        if (out.headers.find("Date") == nullptr)
          out.headers.add("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                                              fmt::gmtime(std::chrono::system_clock::to_time_t(now))));
        return out;
      },
      std::move(of_server));
}

HttpServerResponse S3Fake::error(int status, const std::string& code) {
  auto out = xml(
      fmt::format("<Error><Code>{}</Code><Message>made up</Message><RequestId>1</RequestId></Error>", code));
  out.status = status;
  return out;
}

void S3Fake::fail(Fault fault) { state_.lock()->faults.push_back(std::move(fault)); }
void S3Fake::forgive() { state_.lock()->faults.clear(); }
std::map<std::string, S3Fake::Object> S3Fake::objects() const { return state_.lock()->objects; }
size_t S3Fake::uploads() const { return state_.lock()->uploads.size(); }
void S3Fake::abort_uploads() { state_.lock()->uploads.clear(); }
void S3Fake::erase(const std::string& key) { store(*state_.lock(), key, std::nullopt); }

size_t S3Fake::versions() const {
  size_t count = 0;
  auto state = state_.lock();
  for (const auto& [key, versions] : state->versions) count += versions.size();
  return count;
}

std::string S3Fake::store(State& state, const std::string& key, std::optional<Object> object) const {
  std::string id;
  if (options_.versioned) {
    id = fmt::format("version/{}+", state.next_version++);
    if (object) object->version = id;
    state.versions[key].push_back({id, object});
  }
  if (object) {
    state.objects[key] = *std::move(object);
  } else {
    state.objects.erase(key);
  }
  return id;
}

void S3Fake::delete_version(State& state, const std::string& key, const std::string& version) {
  auto& versions = state.versions[key];
  std::erase_if(versions, [&](const Version& one) { return one.id == version; });
  state.objects.erase(key);
  if (versions.empty()) {
    state.versions.erase(key);
  } else if (versions.back().object) {
    state.objects[key] = *versions.back().object;
  }
}

uint64_t S3Fake::bytes_received() const { return state_.lock()->bytes; }
std::vector<std::string> S3Fake::sent_again() const { return state_.lock()->again; }

void S3Fake::replace_key(const std::string& id, AccessKey key) {
  auto state = state_.lock();
  for (const auto& [old, secret] : state->keys) state->expired.insert(old);
  state->keys.insert_or_assign(id, std::move(key));
  state->expired.erase(id);
}

void S3Fake::put(const std::string& key, const std::string& content) {
  store(*state_.lock(), key, Object{content, md5_hex(content), {}});
}

int S3Fake::count(const std::string& operation) const {
  auto state = state_.lock();
  const auto found = state->counts.find(operation);
  return found == state->counts.end() ? 0 : found->second;
}

int S3Fake::total() const {
  int sum = 0;
  auto state = state_.lock();
  for (const auto& [name, count] : state->counts) sum += count;
  return sum;
}

void S3Fake::reset_counts() {
  auto state = state_.lock();
  state->counts.clear();
  state->parts_taken.clear();
  state->again.clear();
  state->bytes = 0;
}

std::optional<S3Fake::Fault> S3Fake::next_fault(const std::string& operation, bool in_body) {
  auto state = state_.lock();
  std::optional<Fault> found;
  for (auto& one : state->faults) {
    if (one.operation != operation || one.times == 0 || one.reset_in_body.has_value() != in_body) continue;
    if (one.after-- > 0) break;
    --one.times;
    found = one;
    break;
  }
  if (!in_body || found) ++state->counts[operation];
  return found;
}

std::optional<HttpServerResponse> S3Fake::reset_in_body(const HttpServerRequest& head) {
  const auto [key, query] = address_of(head);
  if (!key) return std::nullopt;
  const auto fault = next_fault(known_as(operation_of(head, *key, query), *key, query), true);
  if (!fault) return std::nullopt;
  return HttpServerResponse{.fault = HttpFault::reset, .after_request_bytes = *fault->reset_in_body};
}

HttpServerResponse S3Fake::answer(const HttpServerRequest& request) {
  const auto [key, query] = address_of(request);
  if (!key) return error(404, "NoSuchBucket");
  const auto operation = operation_of(request, *key, query);
  const auto fault = next_fault(known_as(operation, *key, query), false);
  if (fault && fault->also) fault->also();
  if (fault && !fault->takes_effect && !fault->change) return fault->answer;
  if (auto refused = refuse(request)) return *refused;
  auto usual = carry_out(operation, request, *key, query);
  if (fault && fault->change) fault->change(usual);
  if (fault && fault->takes_effect) return fault->answer;
  return usual;
}

std::optional<HttpServerResponse> S3Fake::refuse(const HttpServerRequest& request) const {
  if (request.headers.get("Authorization").find("/" + options_.region + "/s3/") == std::string_view::npos) {
    auto elsewhere = error(301, "PermanentRedirect");
    elsewhere.headers.add("x-amz-bucket-region", options_.region);
    return elsewhere;
  }
  auto state = state_.lock();
  for (const auto& id : state->expired)
    if (request.headers.get("Authorization").find("Credential=" + id + "/") != std::string_view::npos)
      return error(400, "ExpiredToken");
  const auto why = signature_objection(request, state->keys, options_.region, "s3",
                                       std::chrono::system_clock::now() + options_.clock_ahead);
  auto code = why.substr(0, why.find(' '));
  if (code == "RequestExpired" || code == "RequestInTheFuture") code = "RequestTimeTooSkewed";
  if (code.empty() && options_.requester_pays && request.headers.get("x-amz-request-payer") != "requester")
    code = "AccessDenied";
  if (code.empty()) return std::nullopt;
  return error(403, code);
}

std::optional<HttpServerResponse> S3Fake::check_body(const HttpServerRequest& request) const {
  using s3::Integrity;
  if (const auto md5 = request.headers.get("Content-MD5"); options_.checks_md5 && !md5.empty())
    if (md5 != s3::to_base64(s3::checksum(Integrity::md5, bytes_of(request.body))))
      return error(400, "BadDigest");
  if (!options_.checks_crc) return std::nullopt;
  if (!options_.checks_part_crc && parse_query(request.query()).contains("uploadId")) return std::nullopt;
  for (const auto integrity : options_.crcs) {
    const auto given = request.headers.get(s3::header_name(integrity));
    if (!given.empty() && given != s3::to_base64(s3::checksum(integrity, bytes_of(request.body))))
      return error(400, "BadDigest");
  }
  return std::nullopt;
}

HttpServerResponse S3Fake::put_object(State& state, const HttpServerRequest& request,
                                      const std::string& key) const {
  state.bytes += request.body.size();
  if (auto bad = check_body(request)) return *bad;
  if (const auto there = state.objects.find(key);
      there != state.objects.end() && there->second.content == request.body)
    state.again.push_back(key);
  if (auto refused = check_conditions(state, request, key)) return *refused;
  auto headers = object_headers(request, options_.encrypts);
  Object object{request.body, etag_of(request.body, headers), std::move(headers)};
  const auto is_known = [&](const std::string& name) {
    return options_.checks_crc &&
           std::ranges::find(options_.crcs, name, s3::header_name) != options_.crcs.end();
  };
  std::erase_if(object.headers, [&](const auto& header) {
    return header.first.starts_with("x-amz-checksum") && !is_known(header.first);
  });
  auto out = with_etag(object.etag);
  if (const auto asked = object.headers.find("x-amz-server-side-encryption"); asked != object.headers.end())
    out.headers.add(asked->first, asked->second);
  if (options_.is_kms) out.headers.set("x-amz-server-side-encryption", "aws:kms");
  if (const auto version = store(state, key, std::move(object)); !version.empty())
    out.headers.add("x-amz-version-id", version);
  return out;
}

std::string S3Fake::etag_of(const std::string& content,
                            const std::map<std::string, std::string>& headers) const {
  const auto encryption = headers.find("x-amz-server-side-encryption");
  const bool is_kms =
      options_.is_kms || (encryption != headers.end() && encryption->second.starts_with("aws:kms"));
  return md5_hex(is_kms ? "encrypted " + content : content);
}

std::optional<HttpServerResponse> S3Fake::check_conditions(const State& state,
                                                           const HttpServerRequest& request,
                                                           const std::string& key) const {
  if (!options_.honours_conditions) return std::nullopt;
  const auto found = state.objects.find(key);
  if (request.headers.get("If-None-Match") == "*" && found != state.objects.end())
    return error(412, "PreconditionFailed");
  const auto wanted = request.headers.get("If-Match");
  if (wanted.empty()) return std::nullopt;
  if (found == state.objects.end()) return error(404, "NoSuchKey");
  const auto& etag = found->second.etag;
  if (!options_.takes_match || wanted != (options_.quotes_match ? "\"" + etag + "\"" : etag))
    return error(412, "PreconditionFailed");
  return std::nullopt;
}

HttpServerResponse S3Fake::upload_part(State& state, const HttpServerRequest& request,
                                       const Query& query) const {
  state.bytes += request.body.size();
  const auto found = state.uploads.find(query.at("uploadId"));
  if (found == state.uploads.end()) return error(404, "NoSuchUpload");
  if (auto bad = check_body(request)) return *bad;
  auto& upload = found->second;
  const auto number = std::stoi(query.at("partNumber"));
  const auto etag = etag_of(request.body, upload.headers);
  if (!state.parts_taken.emplace(upload.key, number, etag).second)
    state.again.push_back(fmt::format("{}, part {}", upload.key, number));
  upload.parts[number] = {request.body, etag, object_headers(request, options_.encrypts)};
  return with_etag(etag);
}

HttpServerResponse S3Fake::complete(State& state, const HttpServerRequest& request,
                                    const Query& query) const {
  const auto found = state.uploads.find(query.at("uploadId"));
  if (found == state.uploads.end()) return error(404, "NoSuchUpload");
  pugi::xml_document document;
  if (!document.load_buffer(request.body.data(), request.body.size())) return error(400, "MalformedXML");
  auto& upload = found->second;
  Object object;
  std::vector<std::string> etags;
  int last = 0;
  for (const auto node : document.child("CompleteMultipartUpload").children("Part")) {
    const int number = node.child("PartNumber").text().as_int();
    const auto part = upload.parts.find(number);
    if (number <= last) return error(400, "InvalidPartOrder");
    if (part == upload.parts.end() || node.child_value("ETag") != "\"" + part->second.etag + "\"")
      return error(400, "InvalidPart");
    if (node.next_sibling("Part") && part->second.content.size() < kSmallestPart)
      return error(400, "EntityTooSmall");
    last = number;
    etags.push_back(part->second.etag);
    object.content += part->second.content;
  }
  if (request.headers.get("x-amz-mp-object-size") != std::to_string(object.content.size()))
    return error(400, "InvalidRequest");
  if (auto refused = check_conditions(state, request, upload.key)) return *refused;
  object.etag = s3::multipart_etag(etags).value();
  object.headers = upload.headers;
  if (options_.checks_crc)
    for (const auto integrity : options_.crcs) {
      const std::string name(s3::header_name(integrity));
      const auto given = request.headers.get(name);
      if (given.empty()) continue;
      if (given != s3::to_base64(s3::checksum(integrity, bytes_of(object.content))))
        return error(400, "BadDigest");
      object.headers[name] = given;
    }
  const auto etag = options_.complete_names_etag ? "\"" + object.etag + "\"" : std::string();
  const auto version = store(state, upload.key, std::move(object));
  state.uploads.erase(found);
  auto out = xml(
      fmt::format("<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>", etag));
  if (!version.empty()) out.headers.add("x-amz-version-id", version);
  return out;
}

HttpServerResponse S3Fake::list_parts(State& state, const Query& query) const {
  const auto found = state.uploads.find(query.at("uploadId"));
  if (found == state.uploads.end()) return error(404, "NoSuchKey");  // as Ceph does
  const int marker = query.contains("part-number-marker") ? std::stoi(query.at("part-number-marker")) : 0;
  std::string body;
  int last = 0;
  size_t count = 0;
  auto part = found->second.parts.upper_bound(marker);
  for (; part != found->second.parts.end() && count < options_.page; ++part, ++count) {
    last = part->first;
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag><Size>{}</Size>", last,
                        part->second.etag, part->second.content.size());
    for (const auto integrity : options_.crcs)
      if (const auto sum = part->second.headers.find(std::string(s3::header_name(integrity)));
          sum != part->second.headers.end())
        body += fmt::format("<Checksum{0}>{1}</Checksum{0}>", s3::algorithm_name(integrity), sum->second);
    body += "</Part>";
  }
  const bool more = part != found->second.parts.end();
  return xml(fmt::format(
      "<ListPartsResult><IsTruncated>{}</IsTruncated><NextPartNumberMarker>{}</NextPartNumberMarker>"
      "{}</ListPartsResult>",
      more, last, body));
}

HttpServerResponse S3Fake::list_objects(State& state, const Query& query) const {
  const auto prefix = query.contains("prefix") ? query.at("prefix") : "";
  const auto after =
      s3::from_base64(query.contains("continuation-token") ? query.at("continuation-token") : "")
          .value_or("");
  const auto most =
      std::min<size_t>(options_.page, query.contains("max-keys") ? std::stoul(query.at("max-keys")) : 1000);
  std::string body;
  std::string last;
  size_t count = 0;
  bool more = false;
  for (const auto& [key, object] : state.objects) {
    if (!key.starts_with(prefix) || (!after.empty() && key <= after)) continue;
    if (count++ == most) {
      more = true;
      break;
    }
    last = key;
    const auto encoded = aws::uri_encode(key, true);
    body += fmt::format("<Contents><Key>{}</Key><Size>{}</Size><ETag>&quot;{}&quot;</ETag></Contents>",
                        options_.lists_plus ? replaced(encoded, "%20", "+") : encoded, object.content.size(),
                        object.etag);
  }
  const auto token = more ? "<NextContinuationToken>" + s3::to_base64(last) + "</NextContinuationToken>" : "";
  return xml(
      fmt::format("<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>{}{}"
                  "</ListBucketResult>",
                  more, token, body));
}

HttpServerResponse S3Fake::list_uploads(const State& state, const Query& query) const {
  const auto get = [&](const char* name) { return query.contains(name) ? query.at(name) : std::string(); };
  const bool is_encoded = get("encoding-type") == "url";
  std::set<std::pair<std::string, std::string>> wanted;
  for (const auto& [id, upload] : state.uploads)
    if (upload.key.starts_with(get("prefix"))) wanted.emplace(upload.key, id);
  std::string body;
  size_t count = 0;
  // Without an upload id the marker's key is over and done with.
  const auto marker = std::pair(get("key-marker"), get("upload-id-marker"));
  for (const auto& [key, id] : wanted) {
    const bool is_behind = marker.second.empty() ? key > marker.first : std::pair(key, id) > marker;
    if (!marker.first.empty() && !is_behind) continue;
    if (count++ == options_.page) {
      body += "<IsTruncated>true</IsTruncated>";
      break;
    }
    const auto shown =
        is_encoded ? aws::uri_encode(key, true) : escaped(options_.lists_ascii_only ? ascii_only(key) : key);
    body += fmt::format("<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiated>{}</Initiated></Upload>",
                        shown, id, state.uploads.at(id).initiated);
    if (count == options_.page)
      body += fmt::format("<NextKeyMarker>{}</NextKeyMarker><NextUploadIdMarker>{}</NextUploadIdMarker>",
                          shown, id);
  }
  const bool is_named = is_encoded && options_.names_encoding;
  return xml(fmt::format("<ListMultipartUploadsResult>{}{}</ListMultipartUploadsResult>",
                         is_named ? "<EncodingType>url</EncodingType>" : "", body));
}

HttpServerResponse S3Fake::delete_objects(State& state, const HttpServerRequest& request) const {
  if (request.headers.get("Content-MD5").empty()) return error(400, "MissingContentMD5");
  if (auto bad = check_body(request)) return *bad;
  pugi::xml_document document;
  if (!document.load_buffer(request.body.data(), request.body.size())) return error(400, "MalformedXML");
  for (const auto node : document.child("Delete").children("Object"))
    store(state, node.child_value("Key"), std::nullopt);
  return xml("<DeleteResult/>");
}

HttpServerResponse S3Fake::carry_out(const std::string& operation, const HttpServerRequest& request,
                                     const std::string& key, const Query& query) {
  auto state = state_.lock();
  if (operation == "PutObject") return put_object(*state, request, key);
  if (operation == "UploadPart") return upload_part(*state, request, query);
  if (operation == "CompleteMultipartUpload") return complete(*state, request, query);
  if (operation == "ListParts") return list_parts(*state, query);
  if (operation == "ListObjectsV2") return list_objects(*state, query);
  if (operation == "DeleteObjects") return delete_objects(*state, request);
  if (operation == "CreateMultipartUpload") {
    const auto id = fmt::format("upload/{}+", state->next_upload++);
    auto headers = object_headers(request, options_.encrypts);
    headers.erase("x-amz-checksum-algorithm");
    headers.erase("x-amz-checksum-type");
    const auto now = std::chrono::system_clock::now() + options_.clock_ahead;
    state->uploads[id] = {
        key,
        headers,
        {},
        fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)))};
    return xml(fmt::format(
        "<InitiateMultipartUploadResult><UploadId>{}</UploadId></InitiateMultipartUploadResult>", id));
  }
  if (operation == "AbortMultipartUpload")
    return state->uploads.erase(query.at("uploadId")) > 0 ? HttpServerResponse{.status = 204}
                                                          : error(404, "NoSuchUpload");
  if (operation == "ListMultipartUploads") {
    return list_uploads(*state, query);
  }
  if (operation == "DeleteObject") {
    if (query.contains("versionId")) {
      delete_version(*state, key, query.at("versionId"));
    } else {
      store(*state, key, std::nullopt);
    }
    return {.status = 204};
  }
  if (operation == "HeadBucket") return {.status = 200};
  const auto found = state->objects.find(key);
  if (found == state->objects.end()) {
    auto missing = error(404, "NoSuchKey");
    if (operation == "HeadObject") missing.body.clear();
    return missing;
  }
  auto out = with_etag(found->second.etag);
  if (!found->second.version.empty()) out.headers.add("x-amz-version-id", found->second.version);
  if (options_.is_kms) out.headers.set("x-amz-server-side-encryption", "aws:kms");
  const bool with_checksums = request.headers.get("x-amz-checksum-mode") == "ENABLED";
  for (const auto& [name, value] : found->second.headers)
    if (with_checksums || !name.starts_with("x-amz-checksum-")) out.headers.add(name, value);
  if (operation == "GetObject") {
    out.body = found->second.content;
  } else {
    out.headers.add("Content-Length", std::to_string(found->second.content.size()));
  }
  return out;
}

}  // namespace support
