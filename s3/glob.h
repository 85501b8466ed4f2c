#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace s3 {

/// One pattern as in a .gitignore file. Paths are relative to the root, with "/" between segments.
///
///   *.jpg        every such file, at any depth        cache/      every directory of that name
///   /robots.txt  only at the root                     a/*.txt     in the root's directory "a" only
///   **           any number of directories            [a-z] ? \*  a set, one character, a literal star
///   !keep.txt    takes back what an earlier pattern matched
class Glob {
 public:
  /// Throws Error{usage} for an empty pattern.
  explicit Glob(std::string_view pattern);
  bool matches(std::string_view path, bool is_directory) const;
  bool negated() const { return negated_; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string pattern_;  // without "!", the leading and the trailing slash
  bool negated_ = false;
  bool anchored_ = false;
  bool directories_only_ = false;
};

/// Which files of a tree are meant. As in git, what lies in an excluded directory cannot be taken back.
struct PathFilter {
  std::vector<Glob> include;  ///< empty: everything
  std::vector<Glob> exclude;

  bool wants_file(std::string_view path) const;
  /// False when nothing below the directory can be wanted.
  bool wants_directory(std::string_view path) const;
};

}  // namespace s3
