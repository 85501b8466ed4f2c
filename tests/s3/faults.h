#pragma once

#include <functional>
#include <string>
#include <utility>

#include "tests/support/s3_fake.h"

namespace s3::test {

inline support::S3Fake::Fault answering(std::string operation, int status, const std::string& code,
                                        int times = 2) {
  return {.operation = std::move(operation), .answer = support::S3Fake::error(status, code), .times = times};
}

/// The answer ends after so many bytes.
inline support::S3Fake::Fault cut(std::string operation, support::HttpFault how, size_t after,
                                  bool takes_effect = false) {
  support::S3Fake::Fault fault{.operation = std::move(operation), .takes_effect = takes_effect};
  fault.answer.body = std::string(100, 'x');
  fault.answer.fault = how;
  fault.answer.fault_after = after;
  return fault;
}

inline void wrong_etag(support::HttpServerResponse& answer) {
  answer.headers.set("ETag", "\"00000000000000000000000000000000\"");
}

/// Something happens when the server is asked; the answer is as ever.
inline support::S3Fake::Fault meanwhile(std::string operation, int after, std::function<void()> what) {
  support::S3Fake::Fault fault{.operation = std::move(operation), .after = after, .also = std::move(what)};
  fault.change = [](support::HttpServerResponse&) {};
  return fault;
}

}  // namespace s3::test
