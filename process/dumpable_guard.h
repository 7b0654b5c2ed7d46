// Keeps this process debuggable across spawns that change uid or gid.
//
// The child changes its ids while it runs in our memory, and the kernel answers
// by clearing the "dumpable" flag of that memory: ours (prctl(2)). The guard
// saves the flag and puts it back when the last such spawn is over, so spawns
// on several threads do not save one another's cleared flag, and nobody may
// attach to our memory while a child with other ids still runs in it.
#ifndef TROUPE_PROCESS_DUMPABLE_GUARD_H_
#define TROUPE_PROCESS_DUMPABLE_GUARD_H_

namespace troupe {

class DumpableGuard {
 public:
  // `needed`: does this spawn change ids? If not, the guard does nothing.
  explicit DumpableGuard(bool needed);
  ~DumpableGuard();
  DumpableGuard(const DumpableGuard&) = delete;
  DumpableGuard& operator=(const DumpableGuard&) = delete;

 private:
  const bool needed_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_DUMPABLE_GUARD_H_
