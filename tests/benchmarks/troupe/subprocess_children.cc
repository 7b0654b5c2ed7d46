#include "tests/benchmarks/troupe/subprocess_children.h"

#include <cstdlib>

#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/io_host.h"
#include "io/io_thread.h"
#include "process/subprocess.h"

namespace troupe {

SubprocessChildren::SubprocessChildren(std::string program)
    : ChildrenSubject(std::move(program)), system_(*System::Start(actors_)) {}

SubprocessChildren::Observer::behavior_type SubprocessChildren::Observe(
    Resident<Observer::base>* self, SubprocessChildren* children,
    const std::function<void()>* begin) {
  children->observer_ = self;
  const auto arm = [children](WatchId watch) {
    children->system_->io().host().watches().Arm(watch, Side::kRead,
                                                 Interest::kReadable);
  };
  self->request(children->system_->io().actor(), caf::infinite,
                WatchFd{{}, children->fd_, FdObserver(Observer(self)), {}})
      .then([=](const WatchStarted& started) { arm(started.watch); });
  (*begin)();
  return {
      [=](const ProcessStarted& started) {
        children->pids_.push_back(started.pid);
        if (children->started_) children->started_();
      },
      [](const ProcessOutput&) {},
      [](const StreamClosed&) {},
      // Without streams the end follows at once.
      [=](const ProcessExited& exited) {
        children->code_ = exited.report.status.ReturnCode();
      },
      [=](const ProcessEnded&) { children->ended_(children->code_); },
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const FdReady& ready) {
        children->readable_();
        arm(ready.watch);
      },
      [](const WatchEnded&) {},
  };
}

void SubprocessChildren::Start(int stdin_fd) {
  Command command;
  command.argv = {program_};
  command.stdin_from = Stdio::Descriptor(stdin_fd);
  caf::anon_send(
      SpawnSubprocess(system_->processes()),
      StartProcess{std::move(command), ProcessObserver(Observer(observer_))});
}

void SubprocessChildren::Run(const std::function<void()>& begin) {
  SpawnResident<caf::hidden>(system_->io().host(), Observe, this, &begin);
  stopped_.acquire();
}

void SubprocessChildren::Stop() {
  observer_->quit();
  stopped_.release();
}

}  // namespace troupe
