#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <pugixml.hpp>

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "base/http.h"

namespace aws {

struct Role {
  std::string arn = {};
  std::string session_name = {};  ///< empty: one with the time in it
  std::optional<Secret> external_id = {};
  std::optional<std::chrono::seconds> duration = {};  ///< none: the server's default of an hour
};

/// The Security Token Service's two ways to become a role. Errors name the role: Error{permanent} with STS's
/// code and message when it refuses, Error{transient} when it is worth another try.
class Sts {
 public:
  Sts(Endpoint endpoint, std::shared_ptr<base::HttpShare> http)
      : endpoint_(std::move(endpoint)), http_(std::move(http)) {}

  /// When the server finds our clock wrong, it is asked once more, by its own.
  Credentials assume_role(const Role& role, const Credentials& caller, Clock::time_point now,
                          const base::Stop& stop) const;
  /// `token` is an OpenID Connect identity token; the request needs no signature.
  Credentials assume_role_with_web_identity(const Role& role, const Secret& token, Clock::time_point now,
                                            const base::Stop& stop) const;

 private:
  struct Answer {
    int status = 0;
    std::optional<Clock::time_point> time = {};  ///< by the server's clock
    std::string error_code = {};
    std::string error_message = {};
    pugi::xml_document document = {};
  };
  Answer send(const base::HttpRequest& request, const base::Stop& stop) const;
  static Credentials credentials_of(const Answer& answer, const std::string& action, const Role& role);

  Endpoint endpoint_;
  std::shared_ptr<base::HttpShare> http_;
};

}  // namespace aws
