#pragma once

namespace base {

/// Large pieces of memory go back to the system as soon as they are free. Else the C library would, once the
/// first one was freed, take the next ones from its heap, where what is left between them stays with the
/// process: lists of ten thousands of tables come and go. Call it before there are other threads.
void give_large_pieces_back();

/// For the same reason all threads share two heaps. Not for work whose threads allocate all day, as libcurl
/// does for each request: they would wait for each other.
void share_heaps();

/// What is free between the pieces that are in use goes back to the system too. Worth it where a phase ends
/// that needed much: it takes some milliseconds.
void give_free_memory_back();

}  // namespace base
