#include "aws/json_service.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "aws/json_text.h"
#include "aws/session.h"
#include "aws/sigv4.h"
#include "base/error.h"

namespace aws {
namespace {

using base::ErrorKind;

bool is_one_of(std::string_view code, std::span<const std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool is_throttling(std::string_view code) {
  constexpr std::array<std::string_view, 5> kCodes{"ThrottlingException", "Throttling",
                                                   "TooManyRequestsException", "RequestLimitExceeded",
                                                   "ProvisionedThroughputExceededException"};
  return is_one_of(code, kCodes);
}

bool is_expired(std::string_view code) {
  constexpr std::array<std::string_view, 3> kCodes{"ExpiredTokenException", "ExpiredToken",
                                                   "TokenRefreshRequired"};
  return is_one_of(code, kCodes);
}

JsonAnswer judged(base::HttpResponse response) {
  JsonAnswer answer{.status = response.status, .body = Secret(std::move(response.body))};
  if (answer.status == 200) return answer;
  const auto object = nlohmann::json::parse(answer.body.reveal(), nullptr, false);
  if (object.is_object()) {
    answer.error_code = text_of(object, "__type");
    answer.error_message = text_of(object, "message");
    if (answer.error_message.empty()) answer.error_message = text_of(object, "Message");
  }
  // "com.amazonaws.x#SomeException", or in the header "SomeException:http://…"
  if (answer.error_code.empty()) answer.error_code = response.headers.get("x-amzn-ErrorType");
  answer.error_code = answer.error_code.substr(0, answer.error_code.find(':'));
  answer.error_code = answer.error_code.substr(answer.error_code.find('#') + 1);
  return answer;
}

}  // namespace

JsonAnswer call_json_service(Session& session, std::string_view service, const std::string& region,
                             const std::string& target, const std::string& body, const base::Stop& stop) {
  const Signer signer(region, std::string(service));
  const auto endpoint = session.endpoint(service, region);
  base::HttpClient client(session.http());
  base::HttpRequest request{
      .method = "POST",
      .url = endpoint.url + "/",
      .headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", target}},
      .body = std::as_bytes(std::span(body)),
      .timeout = std::chrono::seconds(30)};
  Clock::duration offset{0};
  bool renewed = false, corrected = false;
  for (;;) {
    const auto credentials = session.credentials().get(stop);
    signer.sign(request, credentials, sha256_hex(body), session.now() + offset);
    auto response = client.send(request, stop);
    const auto server_time = base::parse_http_date(response.headers.get("Date"));
    auto answer = judged(std::move(response));
    if (is_expired(answer.error_code) && !renewed) {
      session.credentials().refused(credentials);
      renewed = true;
    } else if (is_for_its_time(answer.error_code, answer.error_message) && server_time && !corrected) {
      offset = *server_time - session.now();
      corrected = true;
    } else if (answer.status >= 500 || answer.status == 429 || is_throttling(answer.error_code)) {
      base::fail(ErrorKind::transient, "{} answered with status {} {}", base::http_host(endpoint.url),
                 answer.status, answer.error_code);
    } else {
      return answer;
    }
  }
}

}  // namespace aws
