#pragma once

#include "s3/compare.h"
#include "s3/context.h"
#include "s3/walk.h"

namespace s3 {

/// Uploads a file of at most kLargestPut bytes with one PUT and records it. Problems of the file are
/// collected; what is thrown ends the run. False when the file has grown beyond that size: nothing was done
/// then.
bool upload_small(Context& context, Client& client, const WalkedFile& file);

/// What is where an object is to be written.
enum class Found {
  nothing,     ///< no object
  ours,        ///< the one that the journal knows, or one that may take its place: only this one is replaced
  any,         ///< whatever there is may be replaced
  same,        ///< an object that already has the right content
  in_the_way,  ///< one that somebody else has written, and that may not be replaced
};
/// Asks the server, unless there can be no object or any may be replaced; `head` is what it said. `always`:
/// asks even where nothing is thought to be, since objects of others may have come meanwhile.
Found look_first(Context& context, Client& client, std::string_view path, uint64_t size, const ReadAt& read,
                 std::optional<Head>& head, bool always = false);
/// Counts an object that is `same`, once it is recorded.
void adopted(Context& context, std::string_view path, const Head& head);
/// The headers that keep a request from replacing anything else, as far as the server respects them.
/// `refused` are those that it has just answered with 412: the same ones would be refused again.
base::HttpHeaders conditions_for(Context& context, Context::Match& match, Found found,
                                 const std::optional<Head>& head, const base::HttpHeaders& refused);
/// The server has carried out a request with them.
void note_carried_out(Context::Match& match, const base::HttpHeaders& conditions);
/// True when the server did not carry the request out because of those headers; what is there has to be
/// looked at again, and conditions_for() may be different then.
bool is_condition_refused(Context& context, Context::Match& match, const base::Error& error,
                          const base::HttpHeaders& conditions);

constexpr std::string_view kInTheWay =
    "an object of this name is there that this run did not write, with other content or another encryption "
    "(--overwrite replaces it)";

/// Notes a failure of one file, or rethrows what would fail for every other file too.
void collect(Context& context, Client& client, std::string_view path, const base::Error& error);

}  // namespace s3
