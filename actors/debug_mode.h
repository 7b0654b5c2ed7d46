// Whether the user wants debug mode: what asyncio asks PYTHONASYNCIODEBUG.
#ifndef TROUPE_ACTORS_DEBUG_MODE_H_
#define TROUPE_ACTORS_DEBUG_MODE_H_

#include <cstdlib>

namespace troupe {

// TROUPE_DEBUG is in the environment and not empty.
inline bool DebugWanted() {
  const char* debug = std::getenv("TROUPE_DEBUG");
  return debug != nullptr && *debug != '\0';
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_DEBUG_MODE_H_
