#include "actors/policy.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

std::atomic<LoopPolicy*> default_policy{nullptr};

bool OnMainThread() { return gettid() == getpid(); }

std::string ThreadName() {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

}  // namespace

// Owned by its thread, so that it ends with it. The policy reaches it to empty
// it.
struct LoopPolicy::Slot {
  explicit Slot(const LoopPolicy* policy) : policy(policy) {}

  std::atomic<const LoopPolicy*> policy;  // null when that has ended
  std::shared_ptr<Loop> loop;
  std::vector<std::shared_ptr<Loop>> replaced;  // while they ran
  bool was_set = false;
};

LoopPolicy::Slot& LoopPolicy::Mine() {
  thread_local std::vector<std::shared_ptr<Slot>> mine;
  // A slot without its policy may have the address of the next one.
  std::erase_if(mine, [](const auto& slot) { return slot->policy == nullptr; });
  for (const auto& slot : mine) {
    if (slot->policy == this) return *slot;
  }
  mine.push_back(std::make_shared<Slot>(this));
  std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(slots_, [](const auto& slot) { return slot.expired(); });
  slots_.push_back(mine.back());
  return *mine.back();
}

LoopPolicy::~LoopPolicy() {
  LoopPolicy* self = this;
  default_policy.compare_exchange_strong(self, nullptr);
  for (const auto& weak : slots_) {
    auto slot = weak.lock();
    if (slot == nullptr) continue;
    slot->loop.reset();
    slot->replaced.clear();
    slot->policy = nullptr;
  }
}

absl::StatusOr<std::shared_ptr<Loop>> LoopPolicy::NewLoop() {
  auto loop = Loop::Create(system_);
  if (!loop.ok()) return loop.status();
  return std::shared_ptr<Loop>(*std::move(loop));
}

void LoopPolicy::SetLoop(std::shared_ptr<Loop> loop) {
  Slot& slot = Mine();
  std::swap(slot.loop, loop);
  std::erase_if(slot.replaced,
                [](const auto& old) { return !old->IsRunning(); });
  if (loop != nullptr && loop->IsRunning()) {
    slot.replaced.push_back(std::move(loop));
  }
  slot.was_set = true;
}

absl::StatusOr<Loop*> LoopPolicy::GetLoop() {
  if (Loop* running = Loop::Running()) return running;
  Slot& slot = Mine();
  if (slot.loop == nullptr && !slot.was_set && OnMainThread()) {
    auto made = NewLoop();
    if (!made.ok()) return made.status();
    SetLoop(*std::move(made));
  }
  if (slot.loop != nullptr) return slot.loop.get();
  return absl::FailedPreconditionError(absl::StrCat(
      "There is no current event loop in thread '", ThreadName(), "'."));
}

ChildWatcher LoopPolicy::GetChildWatcher() {
  std::lock_guard<std::mutex> lock(mutex_);
  return watcher_ ? watcher_ : system_.processes().watcher;
}

void LoopPolicy::SetChildWatcher(ChildWatcher watcher) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::swap(watcher_, watcher);
}

ProcessServices LoopPolicy::processes() {
  ProcessServices services = system_.processes();
  services.watcher = GetChildWatcher();
  return services;
}

LoopPolicy* LoopPolicy::Default() { return default_policy.load(); }

void LoopPolicy::SetDefault(LoopPolicy* policy) {
  default_policy.store(policy);
}

}  // namespace troupe
