#pragma once

namespace s3 {

/// What is done with symbolic links. The order is that of the numbers in journals.
enum class Symlinks {
  error,   ///< each one is reported as something that cannot be uploaded
  follow,  ///< what it points to is uploaded under the link's name, also from outside the tree
  skip,    ///< left out, and counted
};

}  // namespace s3
