#include "aws/rds_token.h"

#include <fmt/format.h>

#include "aws/sigv4.h"

namespace aws {

Secret rds_token(std::string_view host, int port, std::string_view user, const std::string& region,
                 const Credentials& credentials, Clock::time_point now) {
  constexpr std::string_view kScheme = "https://";
  const auto url = fmt::format("{}{}:{}/?Action=connect&DBUser={}", kScheme, host, port, uri_encode(user));
  const auto signed_url =
      Signer(region, "rds-db").presign("GET", url, credentials, kEmptyPayload, std::chrono::minutes(15), now);
  return Secret(signed_url.reveal().substr(kScheme.size()));
}

std::optional<std::string> rds_region(std::string_view host) {
  for (const std::string_view suffix : {".rds.amazonaws.com", ".rds.amazonaws.com.cn"}) {
    if (!host.ends_with(suffix)) continue;
    host.remove_suffix(suffix.size());
    const auto region = host.substr(host.rfind('.') + 1);
    if (region.size() < host.size() && !region.empty()) return std::string(region);
  }
  return std::nullopt;
}

}  // namespace aws
