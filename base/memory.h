#pragma once

namespace base {

/// Large pieces of memory go back to the system as soon as they are free. Else the C library would, once the
/// first one was freed, take the next ones from its heap, where what is left between them stays with the
/// process: lists of ten thousands of tables come and go. For the same reason all threads share two heaps;
/// what they do all day allocates nothing. Call it before there are other threads.
void give_large_pieces_back();

/// For commands whose threads do allocate all day, as libcurl does for each request: they need not wait for
/// each other. Without effect once another thread than the first has allocated.
void give_threads_heaps();

/// What is free between the pieces that are in use goes back to the system too. Worth it where a phase ends
/// that needed much: it takes some milliseconds.
void give_free_memory_back();

}  // namespace base
