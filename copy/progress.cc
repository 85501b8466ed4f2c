#include "copy/progress.h"

#include <utility>

namespace copy {

void Progress::set_phase(std::string phase) {
  auto shared = shared_.lock();
  if (phase == "data" && shared->phase != "data") shared->data_started = Clock::now();
  shared->phase = std::move(phase);
}

Progress::Snapshot Progress::snapshot() {
  Snapshot out;
  out.started = started_;
  out.bytes_total = bytes_total;
  out.bytes_expected_done = bytes_expected_done;
  out.bytes_copied = bytes_copied;
  out.rows_copied = rows_copied;
  out.chunks_total = chunks_total;
  out.chunks_done = chunks_done;
  out.indexes_total = indexes_total;
  out.indexes_done = indexes_done;
  out.proofs_total = proofs_total;
  out.proofs_done = proofs_done;
  out.proof_bytes = proof_bytes;
  out.retries = retries;
  out.activities = activities();
  auto shared = shared_.lock();
  out.phase = shared->phase;
  out.data_started = shared->data_started;
  return out;
}

}  // namespace copy
