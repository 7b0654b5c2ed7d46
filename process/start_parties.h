// Who wants which start in an admission's line: the one who asked for it, and
// the owner whose turn it takes.
//
//   StartParties parties(self);
//   auto owner = parties.Join(wanted_by, ticket);     // nothing: one has ended
//   parties.TicketsOf(down.source)                    // these are in vain now
//   parties.Leave(wanted_by, ticket);
//
// `self` monitors each of them while it wants any start. An empty address is
// nobody (of a message that nobody sent), who does not end, and has one number.
//
// On the thread of `self`.
#ifndef TROUPE_PROCESS_START_PARTIES_H_
#define TROUPE_PROCESS_START_PARTIES_H_

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "caf/actor_addr.hpp"
#include "caf/fwd.hpp"
#include "process/admission_queue.h"

namespace troupe {

struct WantedBy {
  caf::actor_addr requester;
  caf::actor_addr owner;  // perhaps the same
};

class StartParties {
 public:
  using Ticket = AdmissionQueue::Ticket;
  using Owner = AdmissionQueue::Owner;

  explicit StartParties(caf::local_actor* self) : self_(self) {}
  StartParties(const StartParties&) = delete;
  StartParties& operator=(const StartParties&) = delete;

  // The owner's number; another one when it has left altogether and comes
  // again. Nothing, and nobody has joined, if one of them is gone already; of
  // one that is ended but still held `self` gets a down message.
  std::optional<Owner> Join(const WantedBy& by, Ticket ticket);
  void Leave(const WantedBy& by, Ticket ticket);

  // Of either part, ascending; none of nobody's.
  std::vector<Ticket> TicketsOf(const caf::actor_addr& party) const;

 private:
  static constexpr Owner kNobody = 0;

  struct Party {
    Owner number = kNobody;
    std::set<Ticket> tickets;  // monitored while there are any
  };

  Owner JoinOne(const caf::actor_addr& who, Ticket ticket);
  void LeaveOne(const caf::actor_addr& who, Ticket ticket);

  caf::local_actor* self_;
  std::unordered_map<caf::actor_addr, Party> parties_;
  Owner last_ = kNobody;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_START_PARTIES_H_
