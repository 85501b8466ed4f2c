#include "cli/s3_session.h"

#include "aws/endpoint.h"
#include "aws/session.h"

namespace cli {

std::shared_ptr<s3::Session> open_session(const UploadCommand& command, const std::string& region,
                                          const base::Stop& stop) {
  aws::SessionOptions options;
  options.profile = command.profile;
  options.region = region.empty() ? command.region : region;
  options.s3_endpoint_url = command.endpoint_url;
  if (command.path_style) options.path_style = true;
  if (command.fips) options.fips = true;
  if (command.dualstack) options.dualstack = true;
  auto http = std::make_shared<base::HttpShare>();
  auto source = std::make_shared<aws::Session>(std::move(options), aws::Environment::of_process(), http);
  // A bucket elsewhere says itself where it is.
  const auto where = source->endpoint("s3", source->configured_region().value_or("us-east-1"));
  const auto& bucket = command.upload.target.bucket;
  s3::Endpoint endpoint{.url = aws::bucket_url(where, bucket, source->path_style()),
                        .name = where.custom ? where.url : "aws",
                        .region = where.region,
                        .bucket = bucket,
                        .requester_pays = command.requester_pays};
  const auto credentials = [source = std::move(source), stop](const aws::Credentials* refused) {
    if (refused != nullptr) source->credentials().refused(*refused);
    return source->credentials().get(stop);
  };
  return std::make_shared<s3::Session>(std::move(endpoint), credentials, std::move(http));
}

}  // namespace cli
