#include "s3/client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/sink.h"
#include "s3/error.h"
#include "s3/keys.h"

namespace s3 {
namespace {

using base::ErrorKind;
using base::HttpRequest;
using base::HttpResponse;

using base::bytes_of;

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

/// Of an answer to what stores something: one without an ETag is not an S3 server's.
std::string etag_of(const HttpResponse& response, const std::string& what) {
  auto etag = unquoted(response.headers.get("ETag"));
  if (etag.empty())
    throw S3Error(ErrorKind::transient, what + ": the answer has no ETag", response.status, "");
  return etag;
}

/// S3 says "several minutes" of its own; a connection that is kept alive with blanks for longer leads
/// nowhere.
constexpr std::chrono::minutes kLongestCompletion{30};

bool is_about_upload(const HttpRequest& request) {
  return request.url.find("uploadId=") != std::string::npos;  // encoded where it is of a key
}

/// A proxy whose servers are away for a moment answers so. Taken for S3's, it would end an upload that is
/// there, and whose parts are billed.
void doubt_bare_404(S3Error& refusal) {
  if (refusal.status() != 404 || !refusal.is_bare()) return;
  refusal.kind(ErrorKind::transient);
  refusal.hint("that is no answer of an S3 server: is the server behind a proxy, and up?");
}

uint64_t number_in(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The answer's document, whose root must have that name.
pugi::xml_node parse(pugi::xml_document& document, const HttpResponse& response, const char* root,
                     std::string_view what) {
  const auto parsed = document.load_buffer(response.body.data(), response.body.size());
  if (parsed && document.child("Error")) throw S3Error::from_answer(response, what, {});
  const auto node = document.child(root);
  if (!parsed || !node)
    throw S3Error(ErrorKind::transient, fmt::format("{}: the answer is not a whole {}", what, root),
                  response.status, "");
  return node;
}

/// A key as it stands in a listing; `encoded`: as encoding-type=url asks for it.
std::string listed_key(pugi::xml_node entry, bool encoded, const char* name = "Key") {
  const char* key = entry.child_value(name);
  if (!encoded) return key;
  // As in a form: a plus sign stands for a space.
  std::string text(key);
  std::ranges::replace(text, '+', ' ');
  return aws::uri_decode(text);
}

std::string text_of(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return out.str();
}

std::string encryption_of(const HttpResponse& response) {
  return std::string(response.headers.get("x-amz-server-side-encryption"));
}

bool is_kms(std::string_view encryption) { return encryption.starts_with("aws:kms"); }

/// Of a part in a listing.
std::vector<BodySum> checksums_in(pugi::xml_node part) {
  std::vector<BodySum> out;
  for (const auto integrity : {Integrity::crc64nvme, Integrity::crc32c, Integrity::crc32}) {
    const std::string_view value =
        part.child_value(fmt::format("Checksum{}", algorithm_name(integrity)).c_str());
    if (auto raw = from_base64(value); raw && !raw->empty()) out.push_back({integrity, std::move(*raw)});
  }
  return out;
}

std::vector<BodySum> checksums_in(const HttpResponse& response) {
  std::vector<BodySum> out;
  static constexpr std::array<std::pair<std::string_view, Integrity>, 4> kHeaders{
      {{"x-amz-checksum-crc64nvme", Integrity::crc64nvme},
       {"x-amz-checksum-crc32c", Integrity::crc32c},
       {"x-amz-checksum-crc32", Integrity::crc32},
       {"x-amz-checksum-sha256", Integrity::sha256}}};
  if (response.headers.get("x-amz-checksum-type") == "COMPOSITE") return out;
  for (const auto& [name, integrity] : kHeaders) {
    // "…-3" is made of the checksums of three parts.
    const auto value = response.headers.get(name);
    if (value.find('-') != std::string_view::npos) continue;
    if (auto raw = from_base64(value)) out.push_back({integrity, std::move(*raw)});
  }
  return out;
}

}  // namespace

Session::Session(Endpoint endpoint, CredentialSource credentials, std::shared_ptr<base::HttpShare> http)
    : endpoint_(std::move(endpoint)),
      signer_(endpoint_.region, "s3"),
      credentials_(std::move(credentials)),
      http_(std::move(http)) {}

bool Session::learn_time(std::string_view date, int64_t used) {
  const auto time = base::parse_http_date(date);
  if (!time) return false;
  const auto offset = std::chrono::duration_cast<std::chrono::seconds>(*time - aws::Clock::now()).count();
  offset_s_ = offset;
  return std::abs(offset - used) > 1;
}

Client::Client(std::shared_ptr<Session> session, base::Stop stop)
    : session_(std::move(session)), stop_(std::move(stop)), http_(session_->http()) {}

std::string Client::describe(std::string_view action, std::string_view key) const {
  return fmt::format("{} s3://{}/{}", action, session_->endpoint().bucket, printable(key));
}

HttpRequest Client::request(std::string method, std::string_view key, const Query& query) const {
  const auto& endpoint = session_->endpoint();
  auto url = endpoint.url + "/" + aws::uri_encode(key, true);
  char separator = '?';
  for (const auto& [name, value] : query) {
    url += separator + aws::uri_encode(name);
    if (!value.empty()) url += "=" + aws::uri_encode(value);
    separator = '&';
  }
  HttpRequest out;
  out.method = std::move(method);
  out.url = std::move(url);
  if (endpoint.requester_pays) out.headers.add("x-amz-request-payer", "requester");
  return out;
}

Client::Answer Client::send(HttpRequest& request, std::string_view payload_hash, std::string_view what) {
  used_ = session_->credentials();
  used_offset_ = session_->clock_offset();
  return base::during(what, [&] {
    session_->signer().sign(request, used_, payload_hash,
                            aws::Clock::now() + std::chrono::seconds(used_offset_));
    request.fresh_connection = request.fresh_connection || fresh_connection_;
    session_->count_request();
    fresh_connection_ = true;  // unless it works
    Answer answer{http_.send(request, stop_), std::nullopt};
    if (answer.response.status / 100 != 2)
      answer.refusal = S3Error::from_answer(answer.response, what, session_->endpoint().region);
    if (answer.refusal && is_about_upload(request)) doubt_bare_404(*answer.refusal);
    // What is tried again is not to meet the same fault: behind another connection may be another server.
    fresh_connection_ = answer.refusal && answer.refusal->kind() == ErrorKind::transient;
    return answer;
  });
}

HttpResponse Client::call(HttpRequest& request, std::string_view payload_hash, std::string_view what) {
  auto answer = send(request, payload_hash, what);
  if (answer.refusal) throw *std::move(answer.refusal);
  return std::move(answer.response);
}

/// Returns the payload's hash for the signature.
std::string Client::add_body(HttpRequest& request, base::Bytes body, const BodySum& sum) const {
  request.body = body;
  if (const auto header = header_name(sum.integrity); !header.empty()) {
    request.headers.set(std::string(header), to_base64(sum.checksum));
  } else if (sum.integrity == Integrity::md5) {
    // A signed header: it ties the body to the signature as well as a SHA-256 would, whose cost both sides
    // save.
    request.headers.set("Content-MD5", to_base64(sum.checksum));
    return std::string(aws::kUnsignedPayload);
  } else {
    return to_hex(sum.checksum);
  }
  // Without TLS nothing else would tie the body to the signature.
  return session_->endpoint().is_https() ? std::string(aws::kUnsignedPayload) : aws::sha256_hex(body);
}

std::string Client::head_bucket() {
  auto head = request("HEAD", "");
  const auto response = call(head, aws::kEmptyPayload, describe("look at", ""));
  return std::string(response.headers.get("x-amz-bucket-region"));
}

PutResult Client::put_object(std::string_view key, base::Bytes body, const BodySum& sum,
                             const base::HttpHeaders& headers) {
  auto put = request("PUT", key);
  put.headers = headers;
  if (session_->endpoint().requester_pays) put.headers.set("x-amz-request-payer", "requester");
  const auto hash = add_body(put, body, sum);
  const auto what = describe("put", key);
  const auto response = call(put, hash, what);
  auto etag = etag_of(response, what);
  auto encryption = encryption_of(response);
  const bool has_kms = is_kms(encryption);
  return {std::move(etag), std::string(response.headers.get("x-amz-version-id")), std::move(encryption),
          has_kms};
}

std::string Client::create_multipart_upload(std::string_view key, Integrity integrity,
                                            const base::HttpHeaders& headers) {
  auto post = request("POST", key, {{"uploads", ""}});
  for (const auto& [name, value] : headers) post.headers.set(name, value);
  if (const auto name = algorithm_name(integrity); !name.empty()) {
    post.headers.set("x-amz-checksum-algorithm", std::string(name));
    post.headers.set("x-amz-checksum-type", "FULL_OBJECT");
  }
  // On a kept connection the request could be sent twice without our knowing, and the server begin an upload
  // that nobody looks for.
  post.fresh_connection = true;
  const auto what = describe("begin the upload of", key);
  const auto response = call(post, aws::kEmptyPayload, what);
  pugi::xml_document document;
  std::string id = parse(document, response, "InitiateMultipartUploadResult", what).child_value("UploadId");
  if (id.empty())
    throw S3Error(ErrorKind::transient, what + ": the answer names no upload id", response.status, "");
  return id;
}

std::string Client::upload_part(std::string_view key, std::string_view upload_id, uint32_t number,
                                base::Bytes body, const BodySum& sum) {
  auto put =
      request("PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", std::string(upload_id)}});
  const auto hash = add_body(put, body, sum);
  const auto what = describe(fmt::format("upload part {} of", number), key);
  const auto response = call(put, hash, what);
  return etag_of(response, what);
}

CompleteResult Client::complete_multipart_upload(std::string_view key, std::string_view upload_id,
                                                 const std::vector<CompletedPart>& parts, const BodySum& sum,
                                                 uint64_t size, const base::HttpHeaders& conditions) {
  const std::string algorithm(algorithm_name(sum.integrity));
  pugi::xml_document document;
  auto root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (const auto& part : parts) {
    auto node = root.append_child("Part");
    node.append_child("PartNumber").text() = part.number;
    node.append_child("ETag").text() = ("\"" + part.etag + "\"").c_str();
    if (!algorithm.empty())
      node.append_child(("Checksum" + algorithm).c_str()).text() = to_base64(part.checksum).c_str();
  }
  const auto body = text_of(document);
  auto post = request("POST", key, {{"uploadId", std::string(upload_id)}});
  post.body = bytes_of(body);
  post.may_dawdle = true;
  post.timeout = kLongestCompletion;
  post.headers = conditions;
  post.headers.set("Content-Type", "application/xml");
  if (session_->endpoint().requester_pays) post.headers.set("x-amz-request-payer", "requester");
  post.headers.set("x-amz-mp-object-size", std::to_string(size));
  if (!algorithm.empty()) {
    post.headers.set(std::string(header_name(sum.integrity)), to_base64(sum.checksum));
    post.headers.set("x-amz-checksum-type", "FULL_OBJECT");
  }
  const auto what = describe("complete the upload of", key);
  const auto response = call(post, aws::sha256_hex(body), what);
  pugi::xml_document answer;
  const auto result = parse(answer, response, "CompleteMultipartUploadResult", what);
  return {unquoted(result.child_value("ETag")), std::string(response.headers.get("x-amz-version-id"))};
}

void Client::abort_multipart_upload(std::string_view key, std::string_view upload_id) {
  auto remove = request("DELETE", key, {{"uploadId", std::string(upload_id)}});
  const auto what = describe("abort the upload of", key);
  auto refusal = send(remove, aws::kEmptyPayload, what).refusal;
  // Any other 404 tells nothing about the upload: it may be the wrong server that was asked.
  if (refusal && !is_no_such_upload(*refusal)) throw *std::move(refusal);
}

PartsPage Client::list_parts(std::string_view key, std::string_view upload_id, std::string_view marker) {
  Query query{{"uploadId", std::string(upload_id)}};
  if (!marker.empty()) query.emplace_back("part-number-marker", marker);
  auto get = request("GET", key, query);
  const auto what = describe("list the parts of", key);
  const auto response = call(get, aws::kEmptyPayload, what);
  pugi::xml_document document;
  const auto result = parse(document, response, "ListPartsResult", what);
  PartsPage page;
  for (const auto part : result.children("Part"))
    page.parts.push_back({part.child("PartNumber").text().as_uint(), number_in(part.child_value("Size")),
                          unquoted(part.child_value("ETag")), checksums_in(part)});
  if (result.child("IsTruncated").text().as_bool())
    page.next_marker = result.child_value("NextPartNumberMarker");
  return page;
}

UploadsPage Client::list_multipart_uploads(std::string_view prefix, std::string_view key,
                                           std::string_view upload_id) {
  // Not with encoding-type: Ceph's gateway encodes the keys then, and does not say so.
  Query query{{"uploads", ""}};
  if (!prefix.empty()) query.emplace_back("prefix", prefix);
  if (!key.empty()) query.emplace_back("key-marker", key);
  if (!upload_id.empty()) query.emplace_back("upload-id-marker", upload_id);
  auto get = request("GET", "", query);
  const auto what = describe("list the unfinished uploads of", prefix);
  const auto response = call(get, aws::kEmptyPayload, what);
  pugi::xml_document document;
  const auto result = parse(document, response, "ListMultipartUploadsResult", what);
  const bool encoded = std::string_view(result.child_value("EncodingType")) == "url";
  UploadsPage page;
  for (const auto entry : result.children("Upload"))
    page.uploads.push_back(
        {listed_key(entry, encoded), entry.child_value("UploadId"), entry.child_value("Initiated")});
  if (result.child("IsTruncated").text().as_bool()) {
    page.next_key = listed_key(result, encoded, "NextKeyMarker");
    page.next_upload_id = result.child_value("NextUploadIdMarker");
    if (page.next_key.empty())
      throw S3Error(ErrorKind::transient, what + ": the answer goes on but does not say where",
                    response.status, "");
  }
  return page;
}

ObjectsPage Client::list_objects(std::string_view prefix, std::string_view token, unsigned max_keys) {
  Query query{{"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", std::to_string(max_keys)}};
  if (!prefix.empty()) query.emplace_back("prefix", prefix);
  if (!token.empty()) query.emplace_back("continuation-token", token);
  auto get = request("GET", "", query);
  const auto what = describe("list", prefix);
  const auto response = call(get, aws::kEmptyPayload, what);
  pugi::xml_document document;
  const auto result = parse(document, response, "ListBucketResult", what);
  const bool encoded = std::string_view(result.child_value("EncodingType")) == "url";
  ObjectsPage page;
  for (const auto entry : result.children("Contents"))
    page.objects.push_back({listed_key(entry, encoded), number_in(entry.child_value("Size")),
                            unquoted(entry.child_value("ETag"))});
  if (result.child("IsTruncated").text().as_bool()) {
    page.next_token = result.child_value("NextContinuationToken");
    // Taken for the end, this would make objects look missing.
    if (page.next_token.empty())
      throw S3Error(ErrorKind::transient, what + ": the answer goes on but does not say where",
                    response.status, "");
  }
  return page;
}

std::optional<Head> Client::head_object(std::string_view key) {
  auto head = request("HEAD", key);
  head.headers.set("x-amz-checksum-mode", "ENABLED");
  const auto what = describe("look at", key);
  auto [response, refusal] = send(head, aws::kEmptyPayload, what);
  if (refusal && refusal->status() == 404) return std::nullopt;
  if (refusal) throw *std::move(refusal);
  Head out;
  out.size = number_in(response.headers.get("Content-Length"));
  out.etag = unquoted(response.headers.get("ETag"));
  out.version = response.headers.get("x-amz-version-id");
  out.encryption = encryption_of(response);
  out.is_kms = is_kms(out.encryption) ||
               response.headers.find("x-amz-server-side-encryption-customer-algorithm") != nullptr;
  out.checksums = checksums_in(response);
  out.headers = std::move(response.headers);
  return out;
}

void Client::get_object(std::string_view key, base::ByteSink& sink) {
  auto get = request("GET", key);
  get.sink = &sink;
  call(get, aws::kEmptyPayload, describe("download", key));
}

void Client::delete_object(std::string_view key, std::string_view version) {
  auto remove =
      request("DELETE", key, version.empty() ? Query{} : Query{{"versionId", std::string(version)}});
  call(remove, aws::kEmptyPayload, describe("delete", key));
}

std::vector<DeleteFailure> Client::delete_objects(const std::vector<std::string>& keys) {
  pugi::xml_document document;
  auto root = document.append_child("Delete");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  root.append_child("Quiet").text() = "true";
  for (const auto& key : keys) root.append_child("Object").append_child("Key").text() = key.c_str();
  const auto body = text_of(document);
  auto post = request("POST", "", {{"delete", ""}});
  post.body = bytes_of(body);
  post.headers.set("Content-Type", "application/xml");
  post.headers.set("Content-MD5", to_base64(checksum(Integrity::md5, bytes_of(body))));
  const auto what = describe(fmt::format("delete {} objects of", keys.size()), "");
  const auto response = [&] {
    try {
      return call(post, aws::sha256_hex(body), what);
    } catch (S3Error& error) {
      // There is nothing to read again: it was damaged on the way.
      if (is_digest_mismatch(error)) error.kind(ErrorKind::transient);
      throw;
    }
  }();
  pugi::xml_document answer;
  const auto result = parse(answer, response, "DeleteResult", what);
  std::vector<DeleteFailure> failures;
  for (const auto error : result.children("Error"))
    failures.push_back({error.child_value("Key"),
                        fmt::format("{} {}", error.child_value("Code"), error.child_value("Message"))});
  return failures;
}

}  // namespace s3
