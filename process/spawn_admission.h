// Admission: a spawner before the spawner, that lets no more children be than
// the machine bears.
//
//   services.spawner = SpawnAdmission(host, io, services.spawner,
//                                     {.live = 64});
//
// At most `live` children of those that came this way live, at most `starting`
// are being made; the rest wait in line, and owners take turns
// (admission_queue.h). A child lives until it is reaped and its lease settled,
// or until it has been ended after nobody answered for it: a zombie that its
// owner keeps (keep_group) counts.
//
// A start that fails for want of processes, descriptors or memory (EAGAIN,
// EMFILE, ENFILE, ENOMEM) is tried again with growing pauses, and fails in the
// end with its last error, `clone: Resource temporarily unavailable (9 tries in
// 30s)`, whose errno OsFailureOf still tells.
//
// A start in line is given up when its owner or its requester ends (kCancelled)
// or its attempt is aborted (kDeadlineExceeded, `waited for its turn`); one
// that is being made is aborted. The time in line counts for StartProcess's
// spawn_deadline: whoever starts more than fits gives more time.
//
// Children that feed each other, a pipeline's, wait for each other while they
// wait for their turn. More of them than may live are refused at once
// (kFailedPrecondition, SpawnChild::together); several such families that fill
// the limit between them end by their spawn_deadline.
//
// Not counted: children that others make, in this program or not.
#ifndef TROUPE_PROCESS_SPAWN_ADMISSION_H_
#define TROUPE_PROCESS_SPAWN_ADMISSION_H_

#include <cstddef>

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/admission_queue.h"
#include "process/process_messages.h"

namespace troupe {

struct AskAdmission {};
struct AdmissionInfo {
  size_t waiting = 0;
  size_t starting = 0;
  size_t live = 0;  // without those that start
};
using Admission =
    Spawner::extend<caf::replies_to<AskAdmission>::with<AdmissionInfo>>;

// Resident on `host`, whose I/O actor `io` is; hidden.
Admission SpawnAdmission(IoHost& host, const IoActor& io,
                         const Spawner& spawner, AdmissionLimits limits);

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AskAdmission)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AdmissionInfo)

#endif  // TROUPE_PROCESS_SPAWN_ADMISSION_H_
