#pragma once

#include <map>
#include <memory>
#include <string>

namespace cli {

/// The bucket of `cutover demo`: in this process's memory, on 127.0.0.1 and a free port, gone with it. It
/// takes whole objects, checks their Content-MD5, and shows and lists them; nothing of it is meant for
/// anything else, and it does not look at signatures.
class DemoBucket {
 public:
  static constexpr const char* kName = "demo-uploads";

  DemoBucket();
  ~DemoBucket();
  DemoBucket(const DemoBucket&) = delete;
  DemoBucket& operator=(const DemoBucket&) = delete;

  /// The endpoint, without the bucket: "http://127.0.0.1:20017"
  const std::string& url() const;
  size_t objects() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cli
