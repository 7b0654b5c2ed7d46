#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "tests/oracle/operations.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;
// By name. Plain numbers: a scenario closes some of them itself.
using Fds = std::shared_ptr<std::map<std::string, int>>;

int Number(const std::string& text) {
  int number = 0;
  if (!absl::SimpleAtoi(text, &number)) std::abort();
  return number;
}

void AddKinds(Stage::Operations& operations, const Fds& fds) {
  operations["pipe"] = [=](Stage&, const Words& words) -> Value {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
    (*fds)[words.at(0) + ".r"] = ends[0];
    (*fds)[words.at(0) + ".w"] = ends[1];
    return "";
  };
  operations["socketpair"] = [=](Stage&, const Words& words) -> Value {
    int ends[2];
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (socketpair(AF_UNIX, type, 0, ends) != 0) std::abort();
    (*fds)[words.at(0) + ".a"] = ends[0];
    (*fds)[words.at(0) + ".b"] = ends[1];
    return "";
  };
  operations["file"] = [=](Stage&, const Words& words) -> Value {
    (*fds)[words.at(0)] = memfd_create(words.at(0).c_str(), MFD_CLOEXEC);
    return "";
  };
  operations["folder"] = [=](Stage&, const Words& words) -> Value {
    (*fds)[words.at(0)] = open("/", O_RDONLY);
    return "";
  };
  operations["number"] = [=](Stage&, const Words& words) -> Value {
    (*fds)[words.at(0)] = Number(words.at(1));
    return "";
  };
}

void AddWatching(Stage::Operations& operations, const Fds& fds) {
  operations["reader"] = [=](Stage& stage, const Words& words) -> Value {
    return stage.Keep(words.at(1),
                      stage.loop().AddReader(fds->at(words.at(0)),
                                             stage.CallbackOf(words.at(1))));
  };
  operations["writer"] = [=](Stage& stage, const Words& words) -> Value {
    return stage.Keep(words.at(1),
                      stage.loop().AddWriter(fds->at(words.at(0)),
                                             stage.CallbackOf(words.at(1))));
  };
  operations["remove-reader"] = [=](Stage& stage, const Words& words) -> Value {
    return PythonBool(stage.loop().RemoveReader(fds->at(words.at(0))));
  };
  operations["remove-writer"] = [=](Stage& stage, const Words& words) -> Value {
    return PythonBool(stage.loop().RemoveWriter(fds->at(words.at(0))));
  };
}

Value Moved(ssize_t count) {
  if (count < 0) return OsError(errno, "transfer");
  return absl::StrCat(count);
}

void AddTransfer(Stage::Operations& operations, const Fds& fds) {
  operations["write"] = [=](Stage&, const Words& words) {
    const std::string bytes(Number(words.at(1)), 'x');
    return Moved(write(fds->at(words.at(0)), bytes.data(), bytes.size()));
  };
  operations["read"] = [=](Stage&, const Words& words) {
    std::string bytes(words.size() > 1 ? Number(words[1]) : 65536, '\0');
    return Moved(read(fds->at(words.at(0)), bytes.data(), bytes.size()));
  };
  operations["fill"] = [=](Stage&, const Words& words) -> Value {
    const std::string bytes(4096, 'x');
    while (write(fds->at(words.at(0)), bytes.data(), bytes.size()) > 0) {
    }
    return "";
  };
  operations["shut"] = [=](Stage&, const Words& words) -> Value {
    close(fds->at(words.at(0)));
    return "";
  };
  operations["shut-write"] = [=](Stage&, const Words& words) -> Value {
    shutdown(fds->at(words.at(0)), SHUT_WR);
    return "";
  };
}

}  // namespace

void AddDescriptorOperations(Stage::Operations& operations) {
  auto fds = std::make_shared<Fds::element_type>();
  AddKinds(operations, fds);
  AddWatching(operations, fds);
  AddTransfer(operations, fds);
}

}  // namespace troupe
