#pragma once

#include <optional>
#include <string_view>

#include "aws/credentials.h"

namespace aws {

/// ISO 8601 as AWS writes it: "2026-01-31T23:59:59Z", also with a fraction (dropped), an offset ("+02:00") or
/// the "UTC" that the SSO cache has; nullopt for anything else and
/// for times before 1970.
std::optional<Clock::time_point> parse_timestamp(std::string_view text);

}  // namespace aws
