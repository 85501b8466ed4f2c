#pragma once

namespace base {

/// No core dump of this process, nor of the programs it starts, and nobody but root reads its memory or its
/// environment in /proc: passwords and keys are in both. (A debugger attaches as root only.)
void forbid_core_dumps();

}  // namespace base
