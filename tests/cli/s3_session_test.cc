#include "cli/s3_session.h"

#include <gtest/gtest.h>

#include "s3/uri.h"

namespace cli {
namespace {

std::string url_of(UploadCommand command) {
  command.region = "eu-central-1";
  command.upload.target = s3::parse_uri("s3://uploads/x");
  return open_session(command, "", base::Stop())->endpoint().url;
}

TEST(S3Session, GoesToTheEndpointThatWasChosen) {
  EXPECT_EQ(url_of({}), "https://uploads.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(url_of({.path_style = true}), "https://s3.eu-central-1.amazonaws.com/uploads");
  EXPECT_EQ(url_of({.fips = true}), "https://uploads.s3-fips.eu-central-1.amazonaws.com");
  EXPECT_EQ(url_of({.dualstack = true}), "https://uploads.s3.dualstack.eu-central-1.amazonaws.com");
  EXPECT_EQ(url_of({.fips = true, .dualstack = true}),
            "https://uploads.s3-fips.dualstack.eu-central-1.amazonaws.com");
  EXPECT_EQ(url_of({.endpoint_url = "http://minio.example:9000"}), "http://minio.example:9000/uploads");
}

}  // namespace
}  // namespace cli
