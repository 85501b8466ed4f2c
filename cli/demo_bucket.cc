#include "cli/demo_bucket.h"

#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>

#include "aws/sigv4.h"
#include "base/error.h"
#include "base/sink.h"
#include "s3/checksum.h"

namespace cli {
namespace {

using httplib::Request;
using httplib::Response;

struct Object {
  std::string content;
  std::string etag;
};

void answer_error(Response& response, int status, const std::string& code) {
  response.status = status;
  response.set_content(fmt::format("<Error><Code>{}</Code></Error>", code), "application/xml");
}

}  // namespace

struct DemoBucket::State {
  httplib::Server server;
  std::jthread thread;
  std::string url;
  std::mutex mutex;
  std::map<std::string, Object> objects;

  void put(const std::string& key, const Request& request, Response& response) {
    const auto md5 = s3::checksum(s3::Integrity::md5, base::bytes_of(request.body));
    const auto said = request.get_header_value("Content-MD5");
    if (!said.empty() && said != s3::to_base64(md5)) return answer_error(response, 400, "BadDigest");
    // The demo's files are all small: a part is only checked, for who wants to know whether it is.
    if (request.has_param("uploadId"))
      return response.set_header("ETag", fmt::format("\"{}\"", s3::to_hex(md5)));
    if (request.has_header("If-None-Match") && objects.contains(key))
      return answer_error(response, 412, "PreconditionFailed");
    const auto etag = fmt::format("\"{}\"", s3::to_hex(md5));
    objects[key] = {request.body, etag};
    response.set_header("ETag", etag);
  }

  void show(const std::string& key, Response& response) {
    const auto found = objects.find(key);
    if (found == objects.end()) return answer_error(response, 404, "NoSuchKey");
    response.set_header("ETag", found->second.etag);
    response.set_content(found->second.content, "application/octet-stream");
  }

  void list(const Request& request, Response& response) {
    constexpr size_t kMost = 1000;
    const auto prefix = request.get_param_value("prefix");
    auto at = objects.lower_bound(std::max(prefix, request.get_param_value("continuation-token")));
    std::string entries;
    size_t count = 0;
    for (; at != objects.end() && at->first.starts_with(prefix) && count < kMost; ++at, ++count)
      entries += fmt::format("<Contents><Key>{}</Key><Size>{}</Size><ETag>{}</ETag></Contents>",
                             aws::uri_encode(at->first), at->second.content.size(), at->second.etag);
    const bool more = at != objects.end() && at->first.starts_with(prefix);
    response.set_content(
        fmt::format("<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>{}{}</"
                    "ListBucketResult>",
                    more,
                    more ? fmt::format("<NextContinuationToken>{}</NextContinuationToken>", at->first) : "",
                    entries),
        "application/xml");
  }

  void answer(const Request& request, Response& response) {
    const std::scoped_lock lock(mutex);
    const auto bucket = fmt::format("/{}", kName);
    if (!request.path.starts_with(bucket)) return answer_error(response, 404, "NoSuchBucket");
    const auto key = request.path.substr(std::min(request.path.size(), bucket.size() + 1));
    if (key.empty() && request.has_param("uploads"))
      return response.set_content("<ListMultipartUploadsResult/>", "application/xml");
    if (key.empty() && request.method == "GET") return list(request, response);
    if (request.method == "PUT") return put(key, request, response);
    if (request.method == "POST")
      return response.set_content(
          "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>",
          "application/xml");
    if (request.method == "DELETE") {
      if (!request.has_param("uploadId")) objects.erase(key);
      response.status = 204;
      return;
    }
    show(key, response);
  }
};

DemoBucket::DemoBucket() : state_(std::make_unique<State>()) {
  auto& state = *state_;
  const auto handler = [&state](const Request& request, Response& response) {
    state.answer(request, response);
  };
  state.server.Get(".*", handler).Put(".*", handler).Post(".*", handler).Delete(".*", handler);
  // A thread for each connection of an upload: one that is kept open holds its thread.
  constexpr size_t kThreads = 64;
  state.server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  const auto port = state.server.bind_to_any_port("127.0.0.1");
  if (port < 0) base::fail(base::ErrorKind::permanent, "the demo's bucket finds no free port");
  state.url = fmt::format("http://127.0.0.1:{}", port);
  state.thread = std::jthread([&state] { state.server.listen_after_bind(); });
  while (!state.server.is_running()) std::this_thread::yield();
}

DemoBucket::~DemoBucket() { state_->server.stop(); }

const std::string& DemoBucket::url() const { return state_->url; }

size_t DemoBucket::objects() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->objects.size();
}

}  // namespace cli
