// A Command as a message: every field arrives, a descriptor does not leave.
#include "process/command_message.h"

#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/binary_deserializer.hpp"
#include "caf/binary_serializer.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/io/middleman.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "io/status_error.h"
#include "process/command.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

// No field has its default, except the one that cannot leave.
Command Full() {
  return {
      .argv = {"a", "", "b c"},
      .program = "/bin/true",
      .environment = {.inherit = false, .set = {{"A", "1"}}, .unset = {"B"}},
      .cwd = "/tmp",
      .stdin_from = Stdio::File("in", Stdio::FileMode::kRead, 0600),
      .stdout_to = Stdio::File("out", Stdio::FileMode::kAppend, 0640),
      .stderr_to = Stdio::Merged(),
      .extra_fds = {},
      .group = ProcessGroup::kNewSession,
      .join_group = 7,
      .controlling_terminal = true,
      .terminal = {.rows = 1, .columns = 65535, .echo = false, .raw = true},
      .umask = 077,
      .limits = {{RLIMIT_CORE, 1, RLIM_INFINITY}},
      .scheduling = {.nice = -20, .cpus = {0, 63}, .oom_score_adj = -1000},
      .uid = 4294967294,
      .gid = 0,
      .groups = std::vector<gid_t>(),
      .parent_death_signal = SIGHUP,
      .signals = {.blocked = {64},
                  .dispositions = {{SIGINT, SignalDisposition::kIgnore}},
                  .ignored_to_default = true},
      .cgroup = "/sys/fs/cgroup/a",
  };
}

caf::error Pass(Command from, Command* to) {
  std::vector<char> bytes;
  caf::binary_serializer out(nullptr, bytes);
  if (caf::error refused = out(from)) return refused;
  caf::binary_deserializer in(nullptr, bytes);
  return in(*to);
}

std::string Refused(const Command& command) {
  Command arrived;
  return std::string(StatusOf(Pass(command, &arrived)).message());
}

TEST(CommandMessageTest, EveryFieldOfTheFullCommandDiffersFromItsDefault) {
  const Command full = Full(), standard;
  const auto& [argv, program, environment, cwd, stdin_from, stdout_to,
               stderr_to, extra_fds, group, join_group, controlling_terminal,
               terminal, umask, limits, scheduling, uid, gid, groups,
               parent_death_signal, signals, cgroup] = full;
  EXPECT_FALSE(
      argv == standard.argv || program == standard.program ||
      environment == standard.environment || cwd == standard.cwd ||
      stdin_from == standard.stdin_from || stdout_to == standard.stdout_to ||
      stderr_to == standard.stderr_to || group == standard.group ||
      join_group == standard.join_group ||
      controlling_terminal == standard.controlling_terminal ||
      terminal == standard.terminal || umask == standard.umask ||
      limits == standard.limits || scheduling == standard.scheduling ||
      uid == standard.uid || gid == standard.gid || groups == standard.groups ||
      parent_death_signal == standard.parent_death_signal ||
      signals == standard.signals || cgroup == standard.cgroup);
  EXPECT_EQ(extra_fds, standard.extra_fds) << "they cannot leave";
}

TEST(CommandMessageTest, ArrivesAsItLeft) {
  Command arrived;
  ASSERT_EQ(Pass(Full(), &arrived), caf::none);
  EXPECT_EQ(arrived, Full());
}

// What was in the value before is gone, also where the command has nothing.
TEST(CommandMessageTest, ReplacesAllThatWasThereBefore) {
  Command arrived = Full();
  ASSERT_EQ(Pass(Command(), &arrived), caf::none);
  EXPECT_EQ(arrived, Command());
}

TEST(CommandMessageTest, DoesNotLeaveWithADescriptor) {
  Command command = {.argv = {"x"}, .stdin_from = Stdio::Descriptor(0)};
  EXPECT_EQ(Refused(command), "stdin: a descriptor cannot go to another node");
  command = {.argv = {"x"},
             .stdout_to = Stdio::Descriptor(std::make_shared<OwnedFd>())};
  EXPECT_EQ(Refused(command), "stdout: a descriptor cannot go to another node");
  command = {.argv = {"x"}, .stderr_to = Stdio::Descriptor(1)};
  EXPECT_EQ(Refused(command), "stderr: a descriptor cannot go to another node");
  command = {.argv = {"x"}, .extra_fds = {{.child_number = 9, .fd = 0}}};
  EXPECT_EQ(Refused(command),
            "extra descriptor 9: a descriptor cannot go to another node");
}

// Whoever sends may be a stranger.
TEST(CommandMessageTest, RefusesValuesThatNoCommandHas) {
  Command command = {.argv = {"x"}};
  command.group = static_cast<ProcessGroup>(77);
  EXPECT_EQ(Refused(command), "a process group that is not known");
  command = {.argv = {"x"}};
  command.stdin_from.kind = static_cast<Stdio::Kind>(-1);
  EXPECT_EQ(Refused(command), "a stream of a kind that is not known");
  command = {.argv = {"x"}};
  command.stderr_to.file_mode = static_cast<Stdio::FileMode>(3);
  EXPECT_EQ(Refused(command), "a stream of a kind that is not known");
  command = {.argv = {"x"}};
  command.signals.dispositions[2] = static_cast<SignalDisposition>(2);
  EXPECT_EQ(Refused(command), "a disposition that is not known for signal 2");
}

TEST(CommandMessageTest, RefusesHalfACommand) {
  std::vector<char> bytes;
  Command full = Full();
  caf::binary_serializer out(nullptr, bytes);
  ASSERT_EQ(out(full), caf::none);
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::vector<char> part(bytes.begin(), bytes.begin() + size);
    caf::binary_deserializer in(nullptr, part);
    Command arrived;
    EXPECT_NE(in(arrived), caf::none) << size;
  }
}

struct NodeConfig : caf::actor_system_config {
  NodeConfig() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
    load<caf::io::middleman>();
    AddCommandMessage(*this);
  }
};

// Two systems in one process are two nodes to CAF; the one over there sends
// back what it gets.
class CommandRemoteTest : public LeakCheckedTest {
 protected:
  CommandRemoteTest() {
    here_ = std::make_unique<caf::actor_system>(here_config_);
    there_ = std::make_unique<caf::actor_system>(there_config_);
    mirror_ = there_->spawn([](caf::event_based_actor* self) {
      self->set_default_handler(caf::drop);
      return caf::behavior{[](const Command& command) { return command; }};
    });
    auto port = there_->middleman().publish(mirror_, 0, "127.0.0.1");
    EXPECT_TRUE(port) << to_string(port.error());
    auto proxy =
        here_->middleman().remote_actor<caf::actor>("127.0.0.1", *port);
    EXPECT_TRUE(proxy) << to_string(proxy.error());
    proxy_ = *proxy;
  }
  ~CommandRemoteTest() override {
    caf::anon_send_exit(mirror_, caf::exit_reason::user_shutdown);
    mirror_ = nullptr;
    proxy_ = nullptr;
    there_.reset();
    here_.reset();
  }

  absl::StatusOr<Command> Ask(const Command& command) {
    absl::StatusOr<Command> answer = absl::UnknownError("no answer");
    caf::scoped_actor self(*here_);
    self->request(proxy_, caf::infinite, command)
        .receive([&](const Command& back) { answer = back; },
                 [&](caf::error& why) { answer = StatusOf(why); });
    return answer;
  }

  NodeConfig here_config_, there_config_;
  std::unique_ptr<caf::actor_system> here_, there_;
  caf::actor mirror_, proxy_;
};

TEST_F(CommandRemoteTest, GoesToAnotherNodeAndBack) {
  auto back = Ask(Full());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, Full());
}

// It arrives empty, like every message with what cannot leave, and the
// connection goes on.
TEST_F(CommandRemoteTest, IsAnsweredUnimplementedWithADescriptor) {
  Command command = Full();
  command.stdin_from = Stdio::Descriptor(0);
  EXPECT_TRUE(absl::IsUnimplemented(Ask(command).status()));
  EXPECT_TRUE(Ask(Full()).ok());
}

}  // namespace
}  // namespace troupe
