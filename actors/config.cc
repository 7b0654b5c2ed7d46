#include "actors/config.h"

#include "actors/quiet_clock.h"
#include "caf/actor_system.hpp"
#include "caf/atom.hpp"
#include "caf/policy/profiled.hpp"
#include "caf/policy/work_sharing.hpp"
#include "caf/policy/work_stealing.hpp"
#include "caf/scheduler/coordinator.hpp"
#include "caf/scheduler/profiled_coordinator.hpp"
#include "caf/scheduler/test_coordinator.hpp"

namespace troupe {
namespace {

namespace scheduler = caf::scheduler;
using Sharing = caf::policy::work_sharing;
using Stealing = caf::policy::work_stealing;
using caf::policy::profiled;

template <class Coordinator>
class Quiet : public Coordinator {
 public:
  explicit Quiet(caf::actor_system& system)
      : Coordinator(system), clock_(Coordinator::clock()) {}

  caf::detail::thread_safe_actor_clock& clock() noexcept override {
    return clock_;
  }

 private:
  QuietClock clock_;
};

// The scheduler that CAF would choose.
caf::actor_system::module* MakeScheduler(caf::actor_system& system) {
  const auto& config = system.config();
  const auto policy = get_or(config, "scheduler.policy", caf::atom("sharing"));
  if (policy == caf::atom("testing")) {
    return new scheduler::test_coordinator(system);
  }
  const bool sharing = policy == caf::atom("sharing");
  if (get_or(config, "scheduler.enable-profiling", false)) {
    using scheduler::profiled_coordinator;
    if (sharing) {
      return new Quiet<profiled_coordinator<profiled<Sharing>>>(system);
    }
    return new Quiet<profiled_coordinator<profiled<Stealing>>>(system);
  }
  if (sharing) return new Quiet<scheduler::coordinator<Sharing>>(system);
  return new Quiet<scheduler::coordinator<Stealing>>(system);
}

}  // namespace

Config::Config() {
  set("scheduler.policy", caf::atom("sharing"));
  module_factories.emplace_back(MakeScheduler);
}

}  // namespace troupe
