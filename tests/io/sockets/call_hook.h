// Does something of the test's in the middle of the code under test: right
// after or before a system call that it makes.
//
//   CallHook hook(CallHook::kAfterConnect, 2, [&] { swap the files });
//
// Runs once, at the n-th such call of this thread from now on; calls that the
// hook makes itself count, too. A moment that others could use is thus there
// every time, and not once in a million. One hook of each kind at a time.
#ifndef TROUPE_TESTS_IO_SOCKETS_CALL_HOOK_H_
#define TROUPE_TESTS_IO_SOCKETS_CALL_HOOK_H_

#include <functional>

namespace troupe {

class CallHook {
 public:
  enum Moment { kAfterBind, kAfterConnect, kBeforeUnlink, kBeforeFlock };

  CallHook(Moment moment, int nth, std::function<void()> then);
  ~CallHook();
  CallHook(const CallHook&) = delete;
  CallHook& operator=(const CallHook&) = delete;

  bool ran() const;

 private:
  const Moment moment_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_CALL_HOOK_H_
