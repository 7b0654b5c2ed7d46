#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/numbers.h"
#include "tests/oracle/operations.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

// `SIGUSR1`, `SIGRTMIN+2` or `64`.
int SignalNumber(const std::string& name) {
  static const std::map<std::string, int> names = {
      {"SIGHUP", SIGHUP},   {"SIGILL", SIGILL},     {"SIGFPE", SIGFPE},
      {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1},   {"SIGSEGV", SIGSEGV},
      {"SIGUSR2", SIGUSR2}, {"SIGCHLD", SIGCHLD},   {"SIGSTOP", SIGSTOP},
      {"SIGTERM", SIGTERM}, {"SIGRTMIN", SIGRTMIN},
  };
  int offset = 0;
  if (absl::SimpleAtoi(name, &offset)) return offset;
  const size_t plus = name.find('+');
  if (plus != std::string::npos) {
    if (!absl::SimpleAtoi(name.substr(plus), &offset)) std::abort();
  }
  return names.at(name.substr(0, plus)) + offset;
}

// From /proc, so that it does not matter who installed what.
std::string Disposition(int number) {
  std::ifstream status("/proc/self/status");
  for (std::string key, value; status >> key && getline(status, value);) {
    if (key != "SigIgn:" && key != "SigCgt:") continue;
    const auto set = std::strtoull(value.c_str(), nullptr, 16);
    if (set >> (number - 1) & 1) return key == "SigIgn:" ? "ignored" : "caught";
  }
  return "default";
}

Value Mask(int how, const std::string& name) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SignalNumber(name));
  pthread_sigmask(how, &set, nullptr);
  return "";
}

void AddHandlers(Stage::Operations& operations) {
  operations["signal"] = [](Stage& stage, const Words& words) -> Value {
    return stage.Keep(words.at(1), stage.loop().AddSignalHandler(
                                       SignalNumber(words.at(0)),
                                       stage.CallbackOf(words.at(1))));
  };
  operations["unsignal"] = [](Stage& stage, const Words& words) -> Value {
    return PythonBool(
        stage.loop().RemoveSignalHandler(SignalNumber(words.at(0))));
  };
  operations["disposition"] = [](Stage&, const Words& words) -> Value {
    return Disposition(SignalNumber(words.at(0)));
  };
  operations["ignore"] = [](Stage&, const Words& words) -> Value {
    signal(SignalNumber(words.at(0)), SIG_IGN);
    return "";
  };
}

void AddSending(Stage::Operations& operations) {
  operations["kill"] = [](Stage&, const Words& words) -> Value {
    raise(SignalNumber(words.at(0)));
    return "";
  };
  operations["block"] = [](Stage&, const Words& words) {
    return Mask(SIG_BLOCK, words.at(0));
  };
  operations["unblock"] = [](Stage&, const Words& words) {
    return Mask(SIG_UNBLOCK, words.at(0));
  };
  operations["child-kills"] = [](Stage&, const Words& words) -> Value {
    const int number = SignalNumber(words.at(0));
    const pid_t parent = getpid();
    if (fork() == 0) {
      WaitForSleep(parent);
      kill(parent, number);
      _exit(0);
    }
    return "";
  };
  operations["child-gets"] = [](Stage&, const Words& words) -> Value {
    const int number = SignalNumber(words.at(0));
    const pid_t child = fork();
    if (child == 0) {
      raise(number);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    return "";
  };
}

}  // namespace

void AddSignalOperations(Stage::Operations& operations) {
  AddHandlers(operations);
  AddSending(operations);
}

}  // namespace troupe
