#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "io/status_error.h"
#include "process/subprocess_state.h"

namespace troupe {

// Streams are asked one after the other; what has ended meanwhile does not
// answer, and is closed.
caf::result<ProcessInfo> SubprocessState::Info() {
  auto promise = self_->make_response_promise<ProcessInfo>();
  struct Gathered {
    ProcessInfo info;
    int missing = 1;  // this call
  };
  auto gathered = std::make_shared<Gathered>();
  gathered->info = BriefInfo();
  auto come = [gathered, promise]() mutable {
    if (--gathered->missing == 0) promise.deliver(std::move(gathered->info));
  };
  auto ask = [&](const auto& transport, TransportInfo::Kind kind,
                 std::optional<TransportInfo>& into) {
    if (!transport) return;
    into = TransportInfo{};
    into->kind = kind;
    into->closed = true;
    if (ended_) return;
    ++gathered->missing;
    self_->request(transport, caf::infinite, GetTransportInfo{})
        .then(
            [&into, come](const TransportInfo& info) mutable {
              into = info;
              come();
            },
            [come](const caf::error&) mutable { come(); });
  };
  ask(streams_.in(), TransportInfo::Kind::kWrite, gathered->info.in);
  ask(streams_.out(), TransportInfo::Kind::kRead, gathered->info.out);
  ask(streams_.err(), TransportInfo::Kind::kRead, gathered->info.err);
  come();
  return promise;
}

ProcessInfo SubprocessState::BriefInfo() const {
  ProcessInfo info;
  if (phase_ == Phase::kRunning) info.phase = ProcessInfo::Phase::kRunning;
  if (phase_ == Phase::kExited) info.phase = ProcessInfo::Phase::kExited;
  if (child_ != nullptr) info.pid = child_->pid();
  info.status = exit_.report.status;
  info.ended = ended_;
  info.merged = streams_.merged();
  return info;
}

caf::result<StreamHolders> SubprocessState::ListHolders() {
  std::vector<ProcessStream> streams;
  FindHolders request;
  for (ProcessStream stream :
       {ProcessStream::kStdout, ProcessStream::kStderr}) {
    auto pipe = streams_.OpenPipe(stream);
    if (!pipe.has_value()) continue;
    streams.push_back(stream);
    request.pipes.push_back(*pipe);
  }
  if (streams.empty()) return StreamHolders{};
  auto promise = self_->make_response_promise<StreamHolders>();
  self_->request(services_.proc_reader, caf::infinite, std::move(request))
      .then(
          [=](const HoldersFound& found) mutable {
            StreamHolders holders;
            for (const PipeHolder& holder : found.holders) {
              holders.holders.push_back(
                  {holder.pid, streams[holder.pipe], holder.program});
            }
            promise.deliver(std::move(holders));
          },
          [=](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

// -- debug mode, rows P24 and P26 ---------------------------------------------

void SubprocessState::SayExecute(const Command& command) {
  if (!debug()) return;
  program_ = absl::CEscape(ProgramOf(command));
  services_.host->debug_sink()(ExecuteText(command));
}

void SubprocessState::SayCreated() {
  if (!debug()) return;
  services_.host->debug_sink()(
      absl::StrCat("process \"", program_, "\" created: pid ", child_->pid()));
}

void SubprocessState::SayExited() {
  if (!debug()) return;
  services_.host->debug_sink()(absl::StrCat(ToString(BriefInfo()),
                                            " exited with return code ",
                                            exit_.report.status.ReturnCode()));
}

void SubprocessState::SayUnclosed() {
  if (phase_ != Phase::kRunning || !debug()) return;
  services_.host->debug_sink()(
      absl::StrCat("unclosed process ", ToString(BriefInfo())));
}

}  // namespace troupe
