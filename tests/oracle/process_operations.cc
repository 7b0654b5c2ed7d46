#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actors/request_outcome.h"
#include "caf/exit_reason.hpp"
#include "tests/oracle/child_words.h"
#include "tests/oracle/children.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

LaunchProcess LaunchOf(ChildOptions options) {
  LaunchProcess launch;
  launch.command = std::move(options.command);
  launch.out.line_limit = launch.err.line_limit = options.line_limit;
  return launch;
}

Value Launch(Stage& stage, const SharedChildren& children,
             const std::string& name, const LaunchProcess& launch) {
  OracleChild& child = children->child(name);
  child = {.process = SpawnProcess(children->services(stage))};
  auto started = Ask<ProcessStarted>(stage, child.process, launch);
  if (!started.ok()) return started.status();
  child.pid = started->pid;
  return "";
}

// Whose end gives the launch up, while the child is being made.
Value LaunchAndEnd(Stage& stage, const SharedChildren& children,
                   LaunchProcess launch) {
  Process process = SpawnProcess(children->services(stage));
  caf::actor owner = SpawnResident<caf::hidden>(
      stage.loop().host(), [&](Resident<caf::event_based_actor>* self) {
        self->set_default_handler(caf::drop);
        launch.owner = self->address();
        self->request(process, caf::infinite, launch)
            .then([](const ProcessStarted&) {}, [](const caf::error&) {});
      });
  stage.loop().CallSoon(
      [=] { caf::anon_send_exit(owner, caf::exit_reason::user_shutdown); });
  (void)Ask<ProcessEnded>(stage, process, WaitForEnd{});
  return "";
}

void AddLaunching(Stage::Operations& operations,
                  const SharedChildren& children) {
  auto executed = [=](const Words& words) {
    LaunchProcess launch = LaunchOf(children->TakeOptions(words.at(0)));
    for (size_t i = 1; i < words.size(); ++i) {
      launch.command.argv.push_back(BytesOf({words[i]}));
    }
    return launch;
  };
  operations["launch"] = [=](Stage& stage, const Words& words) {
    return Launch(stage, children, words.at(0), executed(words));
  };
  operations["launch-cancelled"] = [=](Stage& stage, const Words& words) {
    return LaunchAndEnd(stage, children, executed(words));
  };
  operations["launch-shell"] = [=](Stage& stage, const Words& words) {
    LaunchProcess launch = LaunchOf(children->TakeOptions(words.at(0)));
    launch.command.argv = Command::Shell(JoinWords(words, 1)).argv;
    return Launch(stage, children, words[0], launch);
  };
}

// -- waiting ------------------------------------------------------------------

Value CodeOf(const absl::StatusOr<ProcessExited>& exited) {
  if (!exited.ok()) return exited.status();
  return absl::StrCat(exited->report.status.ReturnCode());
}

void AddWaiting(Stage::Operations& operations, const SharedChildren& children) {
  operations["wait"] = [=](Stage& stage, const Words& words) {
    const Process& process = children->child(words.at(0)).process;
    return CodeOf(Ask<ProcessExited>(stage, process, WaitForExit{}));
  };
  operations["wait-within"] = [=](Stage& stage, const Words& words) {
    const Process& process = children->child(words.at(1)).process;
    return CodeOf(
        Ask<ProcessExited>(stage, process, WaitForExit{}, ParseMs(words[0])));
  };
  operations["wait-thrice"] = [=](Stage& stage, const Words& words) -> Value {
    const Process& process = children->child(words.at(0)).process;
    std::vector<RequestOutcome<ProcessExited>> outcomes(3);
    size_t answered = 0;
    for (auto& outcome : outcomes) {
      outcome.Ask(stage.loop().host(), process, WaitForExit{}, [&] {
        if (++answered == outcomes.size()) stage.loop().Stop();
      });
    }
    (void)stage.loop().RunForever();
    Words codes;
    for (auto& outcome : outcomes) {
      Value code = CodeOf(outcome.Take());
      if (!code.ok()) return InWords(code.status());
      codes.push_back(*code);
    }
    return JoinWords(codes);
  };
}

// -- communicating ------------------------------------------------------------

std::string TextOf(const std::optional<CapturedText>& text, pid_t pid) {
  return text.has_value() ? Shown(text->ToString(), pid) : "None";
}

Value Gather(Stage& stage, const OracleChild& child,
             const Communicate& request) {
  auto all = Ask<Communicated>(stage, child.process, request);
  if (!all.ok()) return all.status();
  return absl::StrCat(TextOf(all->out, child.pid), " ",
                      TextOf(all->err, child.pid), " ",
                      all->exit.report.status.ReturnCode());
}

void AddCommunicating(Stage::Operations& operations,
                      const SharedChildren& children) {
  operations["communicate"] = [=](Stage& stage, const Words& words) {
    Communicate request;
    if (words.size() > 1) request.input = Bytes(BytesOf(words, 1));
    return Gather(stage, children->child(words.at(0)), request);
  };
  operations["communicate-bytes"] = [=](Stage& stage, const Words& words) {
    const std::string input(IntOf(words.at(1)), 'x');
    return Gather(stage, children->child(words.at(0)), {.input = Bytes(input)});
  };
  operations["communicate-within"] = [=](Stage& stage, const Words& words) {
    return Gather(stage, children->child(words.at(1)),
                  {.timeout = ParseMs(words[0])});
  };
}

}  // namespace

void AddProcessOperations(Stage::Operations& operations,
                          const SharedChildren& children) {
  AddLaunching(operations, children);
  AddWaiting(operations, children);
  AddCommunicating(operations, children);
}

}  // namespace troupe
