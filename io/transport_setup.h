// What read and write transports check and do alike before they watch a
// descriptor.
#ifndef TROUPE_IO_TRANSPORT_SETUP_H_
#define TROUPE_IO_TRANSPORT_SETUP_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caf/actor_control_block.hpp"
#include "io/descriptor_kind.h"
#include "io/fd_ticket.h"
#include "io/readiness.h"
#include "io/transport_info.h"

namespace troupe {

// The kind of the descriptor in `ticket`, which stays there. On a host that
// may not block it is set non-blocking, and regular files and the like are
// refused with asyncio's text for that side (rows R1, W1). Sockets keep their
// flags: they are never asked to block.
absl::StatusOr<DescriptorKind> PrepareDescriptor(const FdTicket& ticket,
                                                 bool may_block, Side side);

// Descriptors, memory and credit do not cross to another machine: a protocol
// must live in this process. A writer may have none.
absl::Status CheckLocal(const caf::strong_actor_ptr& protocol, Side side,
                        const caf::node_id& here);

// What asyncio's debug mode logs of a new transport (row R22):
// `Read pipe 11 connected: (<ReadTransport fd=11 polling>, <actor 7>)`.
std::string ConnectedText(const TransportInfo& info,
                          const caf::strong_actor_ptr& protocol);

}  // namespace troupe

#endif  // TROUPE_IO_TRANSPORT_SETUP_H_
