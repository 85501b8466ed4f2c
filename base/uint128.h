#pragma once

namespace base {

/// `unsigned __int128` under -Wpedantic.
__extension__ typedef unsigned __int128 uint128;  // NOLINT(modernize-use-using): takes no __extension__

}  // namespace base
