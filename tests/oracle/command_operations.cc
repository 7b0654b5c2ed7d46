#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/oracle/child_words.h"
#include "tests/oracle/children.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

Stdio StdioOf(const std::string& kind) {
  if (kind == "pipe") return Stdio::Pipe();
  if (kind == "null") return Stdio::Null();
  if (kind == "inherit") return Stdio::Inherit();
  if (kind == "merged") return Stdio::Merged();
  return Stdio::Descriptor(IntOf(kind));
}

void AddStreams(Stage::Operations& operations, const SharedChildren& children) {
  operations["stdio"] = [=](Stage&, const Words& words) -> Value {
    ChildOptions& options = children->options(words.at(0));
    Command& command = options.command;
    Stdio* const streams[] = {&command.stdin_from, &command.stdout_to,
                              &command.stderr_to};
    const int number = IntOf(words.at(1));
    *streams[number] = StdioOf(words.at(2));
    options.chosen.insert(number);
    return "";
  };
  operations["limit"] = [=](Stage&, const Words& words) -> Value {
    children->options(words.at(0)).line_limit = IntOf(words.at(1));
    return "";
  };
}

void AddFields(Stage::Operations& operations, const SharedChildren& children) {
  operations["cwd"] = [=](Stage&, const Words& words) -> Value {
    children->options(words.at(0)).command.cwd = words.at(1);
    return "";
  };
  operations["env"] = [=](Stage&, const Words& words) -> Value {
    Environment& environment =
        children->options(words.at(0)).command.environment;
    if (words.size() == 1) {
      environment.inherit = false;
    } else {
      environment.set[words[1]] = JoinWords(words, 2);
    }
    return "";
  };
  operations["umask"] = [=](Stage&, const Words& words) -> Value {
    children->options(words.at(0)).command.umask =
        strtol(words.at(1).c_str(), nullptr, 8);
    return "";
  };
  operations["session"] = [=](Stage&, const Words& words) -> Value {
    children->options(words.at(0)).command.group = ProcessGroup::kNewSession;
    return "";
  };
  operations["user"] = [=](Stage&, const Words& words) -> Value {
    children->options(words.at(0)).command.uid = IntOf(words.at(1));
    return "";
  };
}

// A FIFO each, in a folder that ends with the operations. Its path is in the
// environment, which nobody else touches meanwhile.
struct Gates {
  Gates() {
    if (mkdtemp(folder.data()) == nullptr) std::abort();
  }
  ~Gates() { std::filesystem::remove_all(folder); }
  std::string folder = "/tmp/oracle.XXXXXX";
};

void AddGates(Stage::Operations& operations) {
  auto gates = std::make_shared<Gates>();
  operations["gate"] = [=](Stage&, const Words& words) -> Value {
    const std::string path = gates->folder + "/" + words.at(0);
    if (mkfifo(path.c_str(), 0600) != 0) std::abort();
    setenv(words[0].c_str(), path.c_str(), 1);
    return "";
  };
  operations["open"] = [](Stage&, const Words& words) -> Value {
    close(open(getenv(words.at(0).c_str()), O_WRONLY | O_CLOEXEC));
    return "";
  };
}

}  // namespace

void AddCommandOperations(Stage::Operations& operations,
                          const SharedChildren& children) {
  AddStreams(operations, children);
  AddFields(operations, children);
  AddGates(operations);
}

}  // namespace troupe
