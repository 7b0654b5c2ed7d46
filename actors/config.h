// The configuration of an actor system that idles when there is nothing to do.
//
//   troupe::Config config;
//   config.parse(argc, argv);          // if the program wants CAF's options
//   caf::actor_system system(config);
//
// CAF's default scheduler polls: hundreds of wake-ups a second in an idle
// program, and work found up to 1.7 ms late. The `sharing` policy sleeps. CAF's
// clock sleeps, too, while actors without timeouts there end (quiet_clock.h).
#ifndef TROUPE_ACTORS_CONFIG_H_
#define TROUPE_ACTORS_CONFIG_H_

#include "caf/actor_system_config.hpp"

namespace troupe {

class Config : public caf::actor_system_config {
 public:
  Config();
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_CONFIG_H_
