#pragma once

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "aws/session.h"
#include "tests/base/temporary_directory.h"
#include "tests/support/aws_stand_in.h"

namespace aws {

/// A home directory, an environment that knows nothing but it, and the stand-in for AWS; instance metadata is
/// off.
class SessionFixture : public ::testing::Test {
 protected:
  SessionFixture() {
    variables = {{"HOME", home.path()},
                 {"AWS_EC2_METADATA_DISABLED", "true"},
                 {"AWS_ENDPOINT_URL", stand_in.url()},
                 {"AWS_REGION", "eu-central-1"}};
    stand_in.state().lock()->keys["AKIALONGTERM"] = {"long/term+secret"};
  }

  void write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((home / name).parent_path());
    std::ofstream(home / name) << content;
  }

  /// The environment's access key is one that the stand-in accepts.
  void use_environment_key() {
    variables["AWS_ACCESS_KEY_ID"] = "AKIALONGTERM";
    variables["AWS_SECRET_ACCESS_KEY"] = "long/term+secret";
  }

  /// A new one from `variables`.
  Session& session(SessionOptions options = {}) {
    session_ = std::make_unique<Session>(std::move(options), Environment(variables),
                                         std::make_shared<base::HttpShare>(base::HttpSettings{}));
    return *session_;
  }

  Credentials credentials(SessionOptions options = {}) {
    return session(std::move(options)).credentials().get(stop);
  }

  base::test::TemporaryDirectory home;
  base::Stop stop;
  support::AwsStandIn stand_in;
  Environment::Variables variables;

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace aws
