// The handlers of every stream transport: messages become calls of its state.
#ifndef TROUPE_IO_SOCKETS_STREAM_BEHAVIOR_H_
#define TROUPE_IO_SOCKETS_STREAM_BEHAVIOR_H_

#include <utility>

#include "caf/typed_event_based_actor.hpp"
#include "io/answer_requests.h"
#include "io/hear_of_ends.h"
#include "io/resident.h"
#include "io/sockets/stream_state.h"

namespace troupe {

// The actor of this type whose handler runs.
template <class Self>
Self* RunningStream() {
  return static_cast<Self*>(ResidentBase::Running());
}

// Its state.
template <class Self>
struct RunningState {
  StreamState* operator->() const { return &RunningStream<Self>()->state; }
};

// The same for all actors of this type: 18 handlers take 800 bytes.
template <class Self>
StreamInterface::behavior_type NewStreamHandlers() {
  static constexpr RunningState<Self> state;
  static constexpr auto asked = [] {
    AnswerRequestsOnly(RunningStream<Self>());
  };
  return {
      // CAF looks for a message's handler from the first one on.
      [](const FdReady& ready) { state->OnReady(ready); },
      [](Write& write) {
        asked();
        return state->Accept(std::move(write.bytes), std::move(write.credit));
      },
      [](const CreditReturned&) { state->OnCredit(); },
      [](ConnectStream& request) {
        asked();
        return state->Connect(request);
      },
      [](ConnectUnix& request) {
        asked();
        return state->Connect(request);
      },
      [](WriteLines& write) {
        asked();
        return state->Accept(std::move(write.lines));
      },
      [](WriteDescriptors& write) {
        asked();
        return state->Accept(write);
      },
      [](const WriteEof&) { state->WriteEof(); },
      [](const CloseTransport&) { state->CloseWhenWritten(); },
      [](const AbortTransport&) { state->Abort(); },
      [](const PauseReading&) { state->Pause(); },
      [](const ResumeReading&) { state->Resume(); },
      [](SetStreamProtocol& set) {
        asked();
        return state->SetProtocol(std::move(set.protocol));
      },
      [](const SetWriteBufferLimits& limits) {
        asked();
        return state->SetLimits(limits);
      },
      [](const GetTransportInfo&) { return state->Info(); },
      [](const SendFile& request) {
        asked();
        return state->Accept(request);
      },
      [](const CancelSendFile&) { state->CancelFiles(); },
      [](const GetPeer&) { return state->Peer(); },
      [](const GetTlsInfo&) { return state->Tls(); },
      [](const WatchEnded& ended) { state->End(ended.why); },
      [](const TimerFired& fired) { state->OnTimer(fired); },
  };
}

// Of the actor `self`, which has the state.
template <class Self>
StreamInterface::behavior_type StreamBehavior(Self* self, StreamState* state) {
  HearOfEnds(self, state);
  self->SetDirectHandlers(DirectHandlers::For<StreamState, FdReady, Write>(),
                          state);
  static const auto& shared =
      *new StreamInterface::behavior_type(NewStreamHandlers<Self>());
  return shared;
}

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_STREAM_BEHAVIOR_H_
