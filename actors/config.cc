#include "actors/config.h"

#include "caf/atom.hpp"

namespace troupe {

Config::Config() { set("scheduler.policy", caf::atom("sharing")); }

}  // namespace troupe
