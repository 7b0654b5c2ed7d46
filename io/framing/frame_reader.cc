#include "io/framing/frame_reader.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/answer_requests.h"
#include "io/framing/frame_source.h"
#include "io/io_messages.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

struct State {
  static constexpr const char* name = "frame-reader";
  using Self = FrameReader::stateful_base<State>;

  explicit State(Self* actor) : self(actor) {}
  ~State() { Finish(absl::CancelledError("the reader was ended")); }

  void Init(size_t limit) { source.emplace(limit); }

  caf::result<Frame> Read(FrameSource::Request request) {
    // To a plain message nobody could be told, and the bytes would be gone.
    if (!self->current_mailbox_element()->mid.is_request()) {
      AnswerRequestsOnly(self);
      return MakeError(absl::InvalidArgumentError("a read is a request"));
    }
    auto promise = self->make_response_promise<Frame>();
    caf::result<Frame> answer = promise;
    source->Read(std::move(request),
                 [promise](absl::StatusOr<Frame> frame) mutable {
                   if (frame.ok()) {
                     promise.deliver(*std::move(frame));
                   } else {
                     promise.deliver(MakeError(frame.status()));
                   }
                 });
    return answer;
  }
  void Finish(absl::Status why) {
    if (source.has_value()) source->Finish(std::move(why));
  }

  Self* self;
  std::optional<FrameSource> source;
};

FrameReader::behavior_type Behavior(StatefulResident<FrameReader, State>* self,
                                    size_t limit) {
  State* state = &self->state;
  state->Init(limit);
  return {
      // CAF looks for a message's handler from the first one on.
      [=](DataReceived& data) {
        state->source->Add(std::move(data.bytes), std::move(data.credit));
      },
      [=](const ReadLine&) { return state->Read(UntilSeparator{}); },
      [=](ReadUntil& read) {
        return state->Read(UntilSeparator{std::move(read.separator)});
      },
      [=](const ReadExactly& read) {
        return state->Read(ExactBytes{read.size});
      },
      [=](const ReadAvailable& read) {
        return state->Read(AvailableBytes{read.most});
      },
      [](const ConnectionMade&) {},
      [=](const EofReceived&) { state->Finish(absl::OkStatus()); },
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const ConnectionLost& lost) { state->Finish(lost.why); },
  };
}

}  // namespace

FrameReader SpawnFrameReader(IoHost& host, size_t limit) {
  return SpawnResident<caf::hidden>(host, Behavior, limit);
}

}  // namespace troupe
