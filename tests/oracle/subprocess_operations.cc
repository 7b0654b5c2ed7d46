#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "process/process_info.h"
#include "process/process_table.h"
#include "process/stop_plan.h"
#include "signals/signal_name.h"
#include "tests/oracle/child_words.h"
#include "tests/oracle/children.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

// -- who is told --------------------------------------------------------------

class Teller {
 public:
  Teller(Stage* stage, Children* children, std::string name)
      : stage_(stage), children_(children), name_(std::move(name)) {}

  void Happened(const std::string& event, absl::string_view line) const {
    Trace(absl::StrCat(name_, " ", line));
    children_->Happened(*stage_, name_, event);
  }

  void Started(const ProcessStarted& started) const {
    child().pid = started.pid;
    Happened("made", "made");
  }
  void Output(const ProcessOutput& output) const {
    absl::StrAppend(&child().data[output.stream], output.bytes.view());
    children_->Happened(*stage_, name_, absl::StrCat(Number(output), "-data"));
  }
  void Closed(const StreamClosed& closed) const {
    std::string data = std::exchange(child().data[closed.stream], "");
    const int number = Number(closed);
    if (!data.empty()) {
      Trace(
          absl::StrCat(name_, " ", number, " data ", Shown(data, child().pid)));
    }
    std::string line = absl::StrCat(number, " closed");
    if (!closed.why.ok()) absl::StrAppend(&line, ": ", WordsOf(closed.why));
    Happened(absl::StrCat(number, "-closed"), line);
  }
  void Exited(const ProcessExited& exited) const {
    child().code = exited.report.status.ReturnCode();
    Happened("exit", absl::StrCat("exit ", *child().code));
  }

 private:
  template <class T>
  static int Number(const T& message) {
    return static_cast<int>(message.stream);
  }
  OracleChild& child() const { return children_->child(name_); }

  Stage* stage_;
  Children* children_;
  std::string name_;
};

ProcessObserver::behavior_type Observe(Resident<ProcessObserver::base>*,
                                       const Teller& teller) {
  return {
      [=](const ProcessStarted& started) { teller.Started(started); },
      [=](const ProcessOutput& output) { teller.Output(output); },
      [=](const StreamClosed& closed) { teller.Closed(closed); },
      [=](const ProcessExited& exited) { teller.Exited(exited); },
      [=](const ProcessEnded&) { teller.Happened("lost", "lost"); },
      [=](const PauseWriting&) { teller.Happened("paused", "0 paused"); },
      [=](const ResumeWriting&) { teller.Happened("resumed", "0 resumed"); },
  };
}

// -- starting -----------------------------------------------------------------

// asyncio's transports have pipes where nothing else is chosen (row P1).
Command PipedCommand(ChildOptions options) {
  Command& command = options.command;
  if (options.chosen.count(0) == 0) command.stdin_from = Stdio::Pipe();
  if (options.chosen.count(1) == 0) command.stdout_to = Stdio::Pipe();
  if (options.chosen.count(2) == 0) command.stderr_to = Stdio::Pipe();
  return std::move(command);
}

Value Start(Stage& stage, const SharedChildren& children,
            const std::string& name, Command command) {
  OracleChild& child = children->child(name);
  child = {.subprocess = SpawnSubprocess(children->services(stage))};
  StartProcess start;
  start.command = std::move(command);
  start.observer = SpawnResident<caf::hidden>(
      stage.loop().host(), Observe, Teller(&stage, children.get(), name));
  auto started = Ask<ProcessStarted>(stage, child.subprocess, start);
  if (!started.ok()) return started.status();
  return "";
}

void AddStarting(Stage::Operations& operations,
                 const SharedChildren& children) {
  operations["exec"] = [=](Stage& stage, const Words& words) {
    Command command = PipedCommand(children->TakeOptions(words.at(0)));
    for (size_t i = 1; i < words.size(); ++i) {
      command.argv.push_back(BytesOf({words[i]}));
    }
    return Start(stage, children, words[0], std::move(command));
  };
  operations["shell"] = [=](Stage& stage, const Words& words) {
    Command command = PipedCommand(children->TakeOptions(words.at(0)));
    command.argv = Command::Shell(JoinWords(words, 1)).argv;
    return Start(stage, children, words[0], std::move(command));
  };
}

// -- asking, signalling, writing, closing; of a process, too ------------------

// Whichever the child is.
template <class F>
auto WithHandle(const OracleChild& child, F what) {
  return child.process ? what(child.process) : what(child.subprocess);
}

absl::StatusOr<ProcessInfo> InfoOf(Stage& stage, const OracleChild& child) {
  return WithHandle(child, [&](const auto& handle) {
    return Ask<ProcessInfo>(stage, handle, GetProcessInfo{});
  });
}

void AddAsking(Stage::Operations& operations, const SharedChildren& children) {
  operations["returncode"] = [=](Stage& stage, const Words& words) -> Value {
    auto info = InfoOf(stage, children->child(words.at(0)));
    if (!info.ok()) return info.status();
    if (info->phase != ProcessInfo::Phase::kExited) return "None";
    return absl::StrCat(info->status.ReturnCode());
  };
  operations["has-pipe"] = [=](Stage& stage, const Words& words) -> Value {
    auto info = InfoOf(stage, children->child(words.at(0)));
    if (!info.ok()) return info.status();
    const bool has[] = {info->in.has_value(), info->out.has_value(),
                        info->err.has_value()};
    return PythonBool(has[IntOf(words.at(1))]);
  };
  operations["describe"] = [=](Stage& stage, const Words& words) -> Value {
    auto info = InfoOf(stage, children->child(words.at(0)));
    if (!info.ok()) return info.status();
    return ToString(*info);
  };
  operations["children"] = [](Stage&, const Words&) -> Value {
    auto processes = ListProcesses();
    if (!processes.ok()) return processes.status();
    return absl::StrCat(std::count_if(
        processes->begin(), processes->end(),
        [](const ProcessEntry& entry) { return entry.parent == getpid(); }));
  };
}

void AddSignals(Stage::Operations& operations, const SharedChildren& children) {
  auto send = [=](Stage& stage, const std::string& name, int number) -> Value {
    absl::Status sent =
        WithHandle(children->child(name), [&](const auto& handle) {
          return Tell(stage, handle, SendSignal{.number = number});
        });
    if (!sent.ok()) return sent;
    return "";
  };
  operations["send"] = [=](Stage& stage, const Words& words) {
    int number = 0;
    if (!absl::SimpleAtoi(words.at(1), &number)) {
      number = *SignalNumber(words.at(1));
    }
    return send(stage, words[0], number);
  };
  operations["terminate"] = [=](Stage& stage, const Words& words) {
    return send(stage, words.at(0), SIGTERM);
  };
  operations["kill-process"] = [=](Stage& stage, const Words& words) {
    return send(stage, words.at(0), SIGKILL);
  };
}

void AddWriting(Stage::Operations& operations, const SharedChildren& children) {
  auto put = [=](const std::string& name, const std::string& bytes) -> Value {
    WithHandle(children->child(name), [&](const auto& handle) {
      caf::anon_send(handle, Write{Bytes(bytes), {}});
    });
    return "";
  };
  operations["put"] = [=](Stage&, const Words& words) {
    return put(words.at(0), BytesOf(words, 1));
  };
  operations["put-bytes"] = [=](Stage&, const Words& words) {
    return put(words.at(0), std::string(IntOf(words.at(1)), 'x'));
  };
  operations["put-end"] = [=](Stage&, const Words& words) -> Value {
    WithHandle(children->child(words.at(0)), [](const auto& handle) {
      caf::anon_send(handle, CloseStdin{});
    });
    return "";
  };
}

void AddClosing(Stage::Operations& operations, const SharedChildren& children) {
  operations["close-stream"] = [=](Stage&, const Words& words) -> Value {
    const auto stream = static_cast<ProcessStream>(IntOf(words.at(1)));
    WithHandle(children->child(words.at(0)), [&](const auto& handle) {
      caf::anon_send(handle, CloseStreams{stream});
    });
    return "";
  };
  operations["close-process"] = [=](Stage&, const Words& words) -> Value {
    const OracleChild& child = children->child(words.at(0));
    if (child.process) {
      caf::anon_send(child.process, CloseProcess{});
    } else {
      caf::anon_send(child.subprocess, StopProcess{StopPlan{{{SIGKILL}}}});
      caf::anon_send(child.subprocess, CloseStreams{});
    }
    return "";
  };
}

void AddWaiting(Stage::Operations& operations, const SharedChildren& children) {
  operations["until"] = [=](Stage& stage, const Words& words) -> Value {
    children->Until(stage, words.at(0), words.at(1));
    return "";
  };
  operations["until-bytes"] = [=](Stage& stage, const Words& words) -> Value {
    const std::string event = words.at(1) + "-data";
    OracleChild& child = children->child(words.at(0));
    std::string& data = child.data[static_cast<ProcessStream>(IntOf(words[1]))];
    while (data.size() < static_cast<size_t>(IntOf(words.at(2)))) {
      children->Until(stage, words[0], event, /*again=*/true);
    }
    return Shown(std::exchange(data, ""), child.pid);
  };
}

}  // namespace

void AddSubprocessOperations(Stage::Operations& operations,
                             const SharedChildren& children) {
  AddStarting(operations, children);
  AddAsking(operations, children);
  AddSignals(operations, children);
  AddWriting(operations, children);
  AddClosing(operations, children);
  AddWaiting(operations, children);
}

}  // namespace troupe
