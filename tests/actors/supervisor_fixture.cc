#include "tests/actors/supervisor_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "actors/supervisor.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "tests/support/child_program.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

struct Notes {
  std::shared_ptr<Trace> trace;
  std::vector<std::string> names;
};

SupervisorObserver::behavior_type Writer(SupervisorObserver::pointer,
                                         Notes notes) {
  auto note = [=](size_t member, std::string text) {
    notes.trace->Add(absl::StrCat(notes.names[member], " ", text));
  };
  return {
      [=](const MemberStarted& m) {
        note(m.member, absl::StrCat("started ", m.restart));
      },
      [=](const MemberNotStarted& m) {
        note(m.member,
             absl::StrCat("not started ", absl::string_view(m.why.message())));
      },
      [=](const MemberOutput& m) {
        note(m.member, "wrote " + m.bytes.ToString());
      },
      [=](const MemberExited& m) {
        note(m.member,
             absl::StrCat(m.asked ? "asked " : "", m.report.status.ToString()));
      },
      [=](const MemberDrained& m) { note(m.member, "drained"); },
      [=](const MemberRestarting& m) {
        note(m.member, absl::StrCat("restarts ", m.restart, " ",
                                    absl::FormatDuration(m.delay)));
      },
      [=](const MembersStopping& m) {
        notes.trace->Add(absl::StrCat(
            "stopping ", m.running,
            m.because ? " because " + notes.names[*m.because] : ""));
      },
      [=](const MembersEnded&) { notes.trace->Add("ended"); },
  };
}

}  // namespace

SupervisorFixture::SupervisorFixture() {
  EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
  somebody_ = OwnedFd(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  actors_ = std::make_unique<caf::actor_system>(config_);
  system_ = *System::Start(*actors_);
}

SupervisorFixture::~SupervisorFixture() {
  group_ = Supervisor();
  observer_ = SupervisorObserver();
  system_.reset();
  actors_.reset();
}

MemberSpec SupervisorFixture::Member(std::string name,
                                     std::vector<std::string> argv) {
  MemberSpec member;
  member.name = std::move(name);
  member.command.argv = std::move(argv);
  member.command.stdin_from = Stdio::Null();
  member.command.stdout_to = Stdio::Pipe();
  member.command.group = ProcessGroup::kNewGroup;
  return member;
}

MemberSpec SupervisorFixture::Exiting(std::string name, int code) {
  return Member(std::move(name),
                {ChildProgram("exit_with"), absl::StrCat(code)});
}

MemberSpec SupervisorFixture::Shell(std::string name,
                                    const std::string& script) const {
  return Member(
      std::move(name),
      {"/bin/sh", "-c", absl::StrCat("exec 3>", path_, "; ", script)});
}

MemberSpec SupervisorFixture::Waiting(std::string name) const {
  return Shell(std::move(name), "printf r; exec sleep 1000");
}

MemberSpec SupervisorFixture::Stubborn(std::string name) const {
  return Shell(std::move(name),
               "trap '' TERM; printf r; while :; do sleep 1000; done");
}

void SupervisorFixture::Start(std::vector<MemberSpec> members) {
  Notes notes{trace_, {}};
  for (const MemberSpec& member : members) notes.names.push_back(member.name);
  observer_ = actors_->spawn(Writer, std::move(notes));
  group_ = SpawnSupervisor(system_->processes(), std::move(members), observer_);
}

std::vector<std::string> SupervisorFixture::Facts() {
  EXPECT_TRUE(trace_->WaitFor("ended"));
  return trace_->events();
}

std::vector<std::string> SupervisorFixture::FactsOf(const std::string& name) {
  std::vector<std::string> facts = Facts();
  std::erase_if(facts, [&](const std::string& fact) {
    return !absl::StartsWith(fact, name + " ");
  });
  return facts;
}

}  // namespace troupe
