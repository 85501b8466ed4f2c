#pragma once

#include "aws/credentials_provider.h"

namespace aws {

class Session;

/// Where credentials come from, looked for in the order in which botocore, and so the AWS CLI, looks:
///
///   1. given in the options
///   2. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; not if the options name a profile
///   3. the profile: role_arn with source_profile or credential_source; web identity (also from the
///   environment, as
///      EKS sets it); SSO; an access key; credential_process
///   4. the container's endpoint
///   5. the instance's role
///
/// What is configured but broken throws: it never falls through to somebody else's credentials. If there is
/// nothing at all, Error{usage} with a hint that says where was looked. The session must outlive the result.
CredentialsSource find_credentials(const Session& session, const base::Stop& stop);

}  // namespace aws
