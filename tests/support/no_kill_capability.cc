#include "tests/support/no_kill_capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace troupe {
namespace {

// The first 32 of them, which all that are of use here belong to.
struct Capabilities {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

  Capabilities() { syscall(SYS_capget, &header, data); }
  bool Set() { return syscall(SYS_capset, &header, data) == 0; }
};

constexpr uint32_t Bit(int capability) { return uint32_t{1} << capability; }

}  // namespace

NoKillCapability::NoKillCapability() {
  Capabilities own;
  own.data[0].effective &= ~Bit(CAP_KILL);
  own.Set();
}

NoKillCapability::~NoKillCapability() {
  Capabilities own;
  own.data[0].effective |= own.data[0].permitted & Bit(CAP_KILL);
  own.Set();
}

bool NoKillCapability::MayHaveStrangers() {
  const Capabilities own;
  return geteuid() == 0 && (own.data[0].effective & Bit(CAP_SETUID)) != 0 &&
         (own.data[0].effective & Bit(CAP_KILL)) == 0;
}

}  // namespace troupe
