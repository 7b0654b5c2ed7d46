#include "process/start_parties.h"

#include "caf/actor.hpp"
#include "caf/actor_cast.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/local_actor.hpp"

namespace troupe {

std::optional<StartParties::Owner> StartParties::Join(const WantedBy& by,
                                                      Ticket ticket) {
  // Held until both are monitored.
  const auto requester = caf::actor_cast<caf::strong_actor_ptr>(by.requester);
  const auto owner = caf::actor_cast<caf::strong_actor_ptr>(by.owner);
  if ((by.requester && !requester) || (by.owner && !owner)) return std::nullopt;
  JoinOne(by.requester, ticket);
  return JoinOne(by.owner, ticket);
}

void StartParties::Leave(const WantedBy& by, Ticket ticket) {
  LeaveOne(by.requester, ticket);
  LeaveOne(by.owner, ticket);
}

std::vector<StartParties::Ticket> StartParties::TicketsOf(
    const caf::actor_addr& party) const {
  if (!party) return {};
  auto found = parties_.find(party);
  if (found == parties_.end()) return {};
  return {found->second.tickets.begin(), found->second.tickets.end()};
}

// CAF's hash of an empty address is a crash.
StartParties::Owner StartParties::JoinOne(const caf::actor_addr& who,
                                          Ticket ticket) {
  if (!who) return kNobody;
  Party& party = parties_[who];
  if (party.number == kNobody) {
    party.number = ++last_;
    self_->monitor(caf::actor_cast<caf::actor>(who));
  }
  party.tickets.insert(ticket);
  return party.number;
}

// The owner may be the requester, who has left.
void StartParties::LeaveOne(const caf::actor_addr& who, Ticket ticket) {
  if (!who) return;
  auto found = parties_.find(who);
  if (found == parties_.end()) return;
  found->second.tickets.erase(ticket);
  if (!found->second.tickets.empty()) return;
  self_->demonitor(who);
  parties_.erase(found);
}

}  // namespace troupe
