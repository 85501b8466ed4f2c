#pragma once

#include <stdexcept>
#include <string>

#include "base/sink.h"

namespace base::test {

/// Keeps what it is given, and throws when that becomes more than its limit.
class TextSink : public ByteSink {
 public:
  void write(Bytes bytes) override {
    if (text.size() + bytes.size() > limit) throw std::length_error("the sink is full");
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finish() override { ++finished; }
  std::string text;
  size_t limit = std::string().max_size();
  int finished = 0;
};

}  // namespace base::test
