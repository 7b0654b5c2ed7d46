#include "process/process.h"

#include <utility>

#include "caf/send.hpp"
#include "io/answer_requests.h"
#include "io/resident.h"
#include "process/process_state.h"

namespace troupe {
namespace {

ProcessInterface::behavior_type Behavior(
    StatefulResident<ProcessInterface, ProcessState>* self,
    ProcessServices services) {
  ProcessState* state = &self->state;
  state->Init(services);
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down.source); });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](ProcessOutput& output) { state->OnOutput(output); },
      [=](ReadFrom& read) {
        asked();
        return state->Read(read);
      },
      [=](LaunchProcess& launch) {
        asked();
        return state->Launch(launch);
      },
      [=](RunProcess& run) {
        asked();
        return state->Run(run);
      },
      [=](Communicate& communicate) {
        asked();
        return state->Gather(communicate);
      },
      [=](ObserveOutput& observe) {
        asked();
        return state->Observe(observe);
      },
      [=](const WaitForDrained& wait) {
        asked();
        return state->WaitForDrained(wait);
      },
      [=](const WaitForClose& wait) {
        asked();
        return state->WaitForClose(wait.stream);
      },
      [=](const CloseProcess&) {
        asked();
        return state->Close();
      },
      [=](StopProcess& stop) {
        asked();
        return state->Stop(stop);
      },
      // The rest is the subprocess's.
      [=](const TerminateProcess&) {
        return self->delegate(state->subprocess(), SendSignal{SIGTERM});
      },
      [=](const KillProcess&) {
        return self->delegate(state->subprocess(), SendSignal{SIGKILL});
      },
      [=](Write& write) {
        return self->delegate(state->subprocess(), std::move(write));
      },
      [=](const CloseStdin& close) {
        caf::anon_send(state->subprocess(), close);
      },
      [=](const SendSignal& signal) {
        return self->delegate(state->subprocess(), signal);
      },
      [=](const CloseStreams& close) {
        caf::anon_send(state->subprocess(), close);
      },
      [=](const CloseStreamsWhenSilent& close) {
        caf::anon_send(state->subprocess(), close);
      },
      [=](const ListHolders& list) {
        return self->delegate(state->subprocess(), list);
      },
      [=](const GetProcessInfo& get) {
        return self->delegate(state->subprocess(), get);
      },
      [=](const WaitForExit& wait) {
        return self->delegate(state->subprocess(), wait);
      },
      [=](const WaitForEnd& wait) {
        return self->delegate(state->subprocess(), wait);
      },
      // What the subprocess tells.
      [=](const ProcessStarted&) {},
      [=](const StreamClosed& closed) { state->OnClosed(closed); },
      [=](const ProcessExited& exit) { state->OnExit(exit); },
      [](const ProcessEnded&) {},
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const TimerFired& fired) { state->OnTimer(fired.timer); },
  };
}

}  // namespace

Process SpawnProcess(const ProcessServices& services) {
  return SpawnResident<caf::hidden>(*services.host, Behavior, services);
}

}  // namespace troupe
