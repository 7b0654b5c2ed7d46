#include "io/actor_sink.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/local_actor.hpp"
#include "caf/message.hpp"
#include "io/direct_line.h"

namespace troupe {
namespace {

class ActorSink final : public ReadinessSink {
 public:
  ActorSink(const FdObserver& observer, Host& host) : line_(observer, host) {}

  void OnReady(WatchId watch, Side side, Readiness readiness) override {
    line_.Send(FdReady{watch, side, readiness});
  }
  void OnEnded(WatchId watch, absl::Status why) override {
    line_.receiver()->enqueue(
        nullptr, caf::make_message_id(),
        caf::make_message(WatchEnded{watch, std::move(why)}), nullptr);
  }

  void Prefetch() const override { line_.Prefetch(); }

  std::string Describe() const override {
    caf::abstract_actor* actor = line_.receiver()->get();
    auto* local = dynamic_cast<caf::local_actor*>(actor);
    return absl::StrCat("<", local == nullptr ? "actor" : local->name(), "#",
                        actor->id(), ">");
  }

 private:
  DirectLine line_;
};

}  // namespace

std::unique_ptr<ReadinessSink> MakeActorSink(const FdObserver& observer,
                                             Host& host) {
  if (!observer) return nullptr;
  return std::make_unique<ActorSink>(observer, host);
}

}  // namespace troupe
