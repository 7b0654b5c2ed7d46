// Socket activation (row 89 of the peers' table).
#include "io/sockets/listen_fds.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/support/child_program.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using Environment = std::map<std::string, std::string>;

constexpr char kOurs[] = "(the program's)";

class ListenFdsTest : public LeakCheckedTest {
 protected:
  ~ListenFdsTest() override { Clear(); }

  static void Clear() {
    for (const char* name :
         {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"}) {
      unsetenv(name);
    }
  }

  // What the program prints that is started as a service manager does it, with
  // the descriptors from 3 on. kOurs stands for its pid or the number of its
  // pidfd.
  static std::string Start(const std::vector<int>& fds, Environment variables) {
    const std::string program =
        ChildProgram("../io/sockets/listen_fds_program");
    Ends out = MakePipe();
    const pid_t child = fork();
    if (child == 0) {
      SetVariables(variables);
      PutDescriptors(fds, out.second.get());
      execl(program.c_str(), program.c_str(), nullptr);
      _exit(127);
    }
    out.second.Close();
    const std::string text = ReadFully(out.first, 1 << 16);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return text;
  }

  // The refusal of such values in this process.
  static std::string Refusal(const Environment& variables) {
    SetVariables(variables);
    const absl::Status status = TakeListenFds().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  static OwnedFd OwnPidfd() {
    return OwnedFd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  }
  static std::string PidfdId() {
    struct stat file = {};
    fstat(OwnPidfd().get(), &file);
    return std::to_string(file.st_ino);
  }
  static bool PidfdsHaveNumbers() {
    struct statfs system = {};
    fstatfs(OwnPidfd().get(), &system);
    return system.f_type == 0x50494446;  // PID_FS_MAGIC
  }

  static void SetVariables(const Environment& variables) {
    Clear();
    for (const auto& [name, value] : variables) {
      std::string text = value;
      if (value == kOurs) {
        text = name == "LISTEN_PID" ? std::to_string(getpid()) : PidfdId();
      }
      setenv(name.c_str(), text.c_str(), 1);
    }
  }

 private:
  static void PutDescriptors(const std::vector<int>& fds, int out) {
    // Away from where they go first.
    std::vector<int> copies;
    for (int fd : fds) copies.push_back(fcntl(fd, F_DUPFD_CLOEXEC, 100));
    dup2(out, 1);
    for (size_t i = 0; i < copies.size(); ++i) dup2(copies[i], 3 + i);
  }
};

TEST_F(ListenFdsTest, GivesWhatWasPassedWithItsNamesAndOnlyOnce) {
  OwnedFd listener = ListenAt(FreshAddress());
  Ends pipe = MakePipe();
  EXPECT_EQ(
      Start({listener.get(), pipe.first.get()}, {{"LISTEN_PID", kOurs},
                                                 {"LISTEN_PIDFDID", kOurs},
                                                 {"LISTEN_FDS", "2"},
                                                 {"LISTEN_FDNAMES", "web:"}}),
      "3 web listens\n"
      "4 \n"
      "2\n"
      "0\n");
}

TEST_F(ListenFdsTest, CallsThemUnknownWithoutNames) {
  Ends pipe = MakePipe();
  EXPECT_EQ(
      Start({pipe.first.get()}, {{"LISTEN_PID", kOurs}, {"LISTEN_FDS", "1"}}),
      "3 unknown\n1\n0\n");
}

// The variables of a parent that were not removed.
TEST_F(ListenFdsTest, TakesNothingThatIsForAnotherProcess) {
  Ends pipe = MakePipe();
  for (const Environment& variables :
       {Environment{},
        {{"LISTEN_FDS", "1"}},
        {{"LISTEN_PID", kOurs}},
        {{"LISTEN_PID", kOurs}, {"LISTEN_FDS", "0"}, {"LISTEN_FDNAMES", ""}},
        {{"LISTEN_PID", std::to_string(getpid())}, {"LISTEN_FDS", "1"}},
        {{"LISTEN_PID", std::to_string(getpid())}, {"LISTEN_FDS", "?"}}}) {
    EXPECT_EQ(Start({pipe.first.get()}, variables), "0\n0\n");
  }
}

// A process that has got the pid of the one that was meant.
TEST_F(ListenFdsTest, TellsAPidThatCameBackByThePidfd) {
  if (!PidfdsHaveNumbers()) GTEST_SKIP() << "before Linux 6.9";
  Ends pipe = MakePipe();
  EXPECT_EQ(Start({pipe.first.get()}, {{"LISTEN_PID", kOurs},
                                       {"LISTEN_PIDFDID", PidfdId()},
                                       {"LISTEN_FDS", "1"}}),
            "0\n0\n");
}

TEST_F(ListenFdsTest, NamesTheVariableThatMakesNoSense) {
  for (const char* pid : {"", "0", "x", "-1", "+1", " 1", "99999999999"}) {
    EXPECT_EQ(Refusal({{"LISTEN_PID", pid}, {"LISTEN_FDS", "1"}}),
              absl::StrCat("LISTEN_PID is not a process: \"", pid, "\""));
  }
  for (const char* fds : {"", "-1", "1x", "0x1", "99999999999"}) {
    EXPECT_EQ(Refusal({{"LISTEN_PID", kOurs}, {"LISTEN_FDS", fds}}),
              absl::StrCat("LISTEN_FDS is not a number of descriptors: \"", fds,
                           "\""));
  }
  EXPECT_EQ(Refusal({{"LISTEN_PID", kOurs}, {"LISTEN_PIDFDID", "\n"}}),
            "LISTEN_PIDFDID is not the number of a pidfd: \"\\n\"");
}

TEST_F(ListenFdsTest, LeavesTheDescriptorsWhenItRefuses) {
  Ends pipe = MakePipe();
  const Environment two = {
      {"LISTEN_PID", kOurs}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "a"}};
  EXPECT_EQ(Start({pipe.first.get(), pipe.first.get()}, two),
            "LISTEN_FDNAMES is not a list of 2 names: \"a\"\n0\n");
  EXPECT_EQ(Start({pipe.first.get()}, two),
            "LISTEN_FDS says 2, but descriptor 4 is not open\n0\n");
  EXPECT_EQ(Refusal({{"LISTEN_PID", kOurs}, {"LISTEN_FDS", "2147483647"}})
                .substr(0, 41),
            "LISTEN_FDS says 2147483647, but descripto");
}

TEST_F(ListenFdsTest, RemovesTheVariablesWhateverComesOfIt) {
  for (const char* pid : {kOurs, "1", "x"}) {
    for (const char* fds : {"0", "x"}) {
      SetVariables({{"LISTEN_PID", pid},
                    {"LISTEN_FDS", fds},
                    {"LISTEN_FDNAMES", "a:b"},
                    {"LISTEN_PIDFDID", "1"}});
      TakeListenFds().status().IgnoreError();
      for (const char* name :
           {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"}) {
        EXPECT_EQ(getenv(name), nullptr) << name << pid << fds;
      }
    }
  }
}

}  // namespace
}  // namespace troupe
