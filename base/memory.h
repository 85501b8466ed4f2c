#pragma once

namespace base {

/// Large pieces of memory go back to the system as soon as they are free. Else the C library would, once the
/// first one was freed, take the next ones from its heap, where what is left between them stays with the
/// process: lists of ten thousands of tables come and go. Call it before there are other threads.
void give_large_pieces_back();

}  // namespace base
