#include "io/direct_line.h"

namespace troupe {

DirectLine::DirectLine(caf::strong_actor_ptr receiver, Host& host)
    : receiver_(std::move(receiver)) {
  auto* resident = dynamic_cast<ResidentBase*>(receiver_->get());
  if (resident != nullptr && &resident->host() == &host) resident_ = resident;
}

}  // namespace troupe
