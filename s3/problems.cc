#include "s3/problems.h"

namespace s3 {

void Problems::unseen(const std::string& path) {
  unwalkable(path, "is there, but was not when it was to be looked at: it is not compared; run again");
}

}  // namespace s3
