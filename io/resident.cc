#include "io/resident.h"

#include <string>

#include "caf/sec.hpp"

namespace troupe {

caf::error ExceptionToError(std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return caf::make_error(caf::sec::runtime_error, std::string(e.what()));
  } catch (...) {
    return caf::make_error(caf::sec::runtime_error,
                           std::string("unknown exception"));
  }
}

bool HasEnded(const caf::strong_actor_ptr& actor) {
  if (actor == nullptr) return true;
  auto* scheduled = dynamic_cast<caf::scheduled_actor*>(actor->get());
  return scheduled != nullptr && scheduled->mailbox().closed();
}

}  // namespace troupe
