#include "tests/stress/outcomes.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"

namespace troupe {

// Written by observers on any worker.
class Outcomes::List {
 public:
  size_t Add() {
    std::lock_guard<std::mutex> lock(mutex_);
    all_.emplace_back();
    return all_.size() - 1;
  }
  void Answer(size_t index, absl::Status answer, pid_t pid) {
    std::lock_guard<std::mutex> lock(mutex_);
    Outcome& outcome = all_[index];
    ++outcome.answers;
    outcome.answer = std::move(answer);
    outcome.pid = pid;
    ++answered_;
    if (!outcome.answer.ok()) ++over_;
    changed_.notify_all();
  }
  void Tell(size_t index, const char* what) {
    std::lock_guard<std::mutex> lock(mutex_);
    Note(all_[index], what);
  }
  void Exit(size_t index, const ExitStatus& status) {
    std::lock_guard<std::mutex> lock(mutex_);
    Note(all_[index], "EXIT");
    all_[index].status = status;
  }
  void End(size_t index) {
    std::lock_guard<std::mutex> lock(mutex_);
    Note(all_[index], "CL");
    ++over_;
    changed_.notify_all();
  }

  void WaitForAnswers() {
    WaitUntil([this] { return answered_ >= all_.size(); });
  }
  void WaitUntilOver(size_t but) {
    WaitUntil([=, this] { return over_ + but >= all_.size(); });
  }
  std::vector<Outcome> Take() {
    std::lock_guard<std::mutex> lock(mutex_);
    return {all_.begin(), all_.end()};
  }

 private:
  static void Note(Outcome& outcome, const char* what) {
    if (!outcome.told.empty()) outcome.told += ' ';
    outcome.told += what;
  }
  void WaitUntil(const std::function<bool()>& holds) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::minutes(4), holds)) return;
    ADD_FAILURE() << "of " << all_.size() << " starts " << answered_
                  << " were answered and " << over_ << " are over";
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Outcome> all_;
  size_t answered_ = 0;
  size_t over_ = 0;
};

namespace {

// Asks for the start itself, so that it sees both the answer and the facts.
template <class List>
ProcessObserver::behavior_type Starter(ProcessObserver::pointer self,
                                       std::shared_ptr<List> list, size_t index,
                                       ProcessServices services,
                                       StartProcess start) {
  start.observer = ProcessObserver(self);
  self->request(SpawnSubprocess(services), caf::infinite, std::move(start))
      .then(
          [=](const ProcessStarted& started) {
            list->Answer(index, absl::OkStatus(), started.pid);
          },
          [=](const caf::error& why) {
            list->Answer(index, StatusOf(why), -1);
          });
  return {
      [=](const ProcessStarted&) { list->Tell(index, "CM"); },
      [=](const ProcessOutput&) {},
      [=](const StreamClosed&) {},
      [=](const ProcessExited& exited) {
        list->Exit(index, exited.report.status);
      },
      [=](const ProcessEnded&) { list->End(index); },
      [=](const PauseWriting&) {},
      [=](const ResumeWriting&) {},
  };
}

}  // namespace

Outcomes::Outcomes(caf::actor_system& system)
    : system_(system), list_(std::make_shared<List>()) {}
Outcomes::~Outcomes() = default;

// Not hidden: Take waits for the end of all of them.
void Outcomes::Start(const ProcessServices& services, StartProcess start) {
  system_.spawn(Starter<List>, list_, list_->Add(), services, std::move(start));
}

void Outcomes::WaitForAnswers() { list_->WaitForAnswers(); }
void Outcomes::WaitUntilOver(size_t but) { list_->WaitUntilOver(but); }

std::vector<Outcome> Outcomes::Take() {
  system_.await_all_actors_done();
  return list_->Take();
}

namespace {

std::string Summary(const Outcome& outcome) {
  if (outcome.answers != 1) return absl::StrCat(outcome.answers, " answers");
  std::string text = outcome.told;
  if (!outcome.answer.ok()) {
    absl::StrAppend(&text, absl::StatusCodeToString(outcome.answer.code()),
                    ": ", outcome.answer.message());
  } else if (outcome.status != ExitStatus::Exited(outcome.pid & 0x7f)) {
    absl::StrAppend(&text, ", ", outcome.status.ToString());
  }
  return text;
}

}  // namespace

std::map<std::string, size_t> Counted(const std::vector<Outcome>& outcomes) {
  std::map<std::string, size_t> counted;
  for (const Outcome& outcome : outcomes) ++counted[Summary(outcome)];
  return counted;
}

}  // namespace troupe
