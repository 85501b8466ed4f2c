#pragma once

#include "s3/compare.h"
#include "s3/context.h"
#include "s3/walk.h"

namespace s3 {

/// Uploads a file of at most kLargestPut bytes with one PUT and records it. Problems of the file are
/// collected; what is thrown ends the run. False when the file has grown beyond that size: nothing was done
/// then.
bool upload_small(Context& context, Client& client, const WalkedFile& file);

/// What to do about an object that is there although the journal does not know it.
enum class Found {
  nothing,     ///< there is none, or it may be replaced
  same,        ///< it has the right content
  in_the_way,  ///< it has another, and may not be replaced
};
/// Asks the server, if there can be such an object. `head` is what it said.
Found look_first(Context& context, Client& client, std::string_view path, uint64_t size, const ReadAt& read,
                 std::optional<Head>& head);

/// Notes a failure of one file, or rethrows what would fail for every other file too.
void collect(Context& context, std::string_view path, const base::Error& error);

}  // namespace s3
